//! What a vendor does with products: create, edit, put on sale, take off, archive. The pages and REST come through these
//! functions; a variant that was ever sold is never deleted, and stock never falls below what open orders hold.

pub mod bulk;
pub mod listed;
mod plan;
pub mod queries;

pub use super::limits::StockLevel;

use super::{
    limits::{Description, MAX_OPTIONS, MAX_VARIANTS, OptionName, OptionValue, Sku, Title},
    slug::Slug,
};
use crate::{
    error::{AppError, FieldErrors, Refusal},
    ids::{CategoryId, ProductId, VariantId},
    money::Money,
    server::{
        auth::{Manager, Vendor},
        errors::{internal, violates},
        state::App,
    },
    text::slugify,
};
use sqlx::PgConnection;
use std::{collections::HashSet, fmt, str::FromStr};
use time::OffsetDateTime;

/// Where a product stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum ProductStatus {
    /// Seen by its vendor only.
    Draft,
    /// On sale.
    Published,
    /// Off sale and out of the way; its orders keep their copy.
    Archived,
}

impl ProductStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Archived => "archived",
        }
    }
}

impl FromStr for ProductStatus {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Draft, Self::Published, Self::Archived].into_iter().find(|s| s.as_str() == text).ok_or(())
    }
}

/// The version of a product that someone looked at: its last change, in microseconds. Sent back with an edit, so that
/// nobody overwrites what they have not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp(OffsetDateTime);

impl Stamp {
    pub fn of(updated_at: OffsetDateTime) -> Self {
        Self(updated_at)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.unix_timestamp_nanos() / 1000)
    }
}

impl FromStr for Stamp {
    type Err = Refusal;
    /// A stamp that cannot be read is one that nobody was given.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let micros: i64 = text.parse().map_err(|_| Refusal::Stale)?;
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000).map(Self).map_err(|_| Refusal::Stale)
    }
}

/// What a product shall be. Each part is within its own limits already; [`ProductDraft::check`] looks at them together.
#[derive(Debug, Clone)]
pub struct ProductDraft {
    pub title: Title,
    pub description: Description,
    pub category: CategoryId,
    /// `[Size, Colour]`; empty where there is only one variant
    pub options: Vec<OptionName>,
    /// In the order of the page.
    pub variants: Vec<VariantDraft>,
}

/// What a variant shall be.
#[derive(Debug, Clone)]
pub struct VariantDraft {
    /// The variant meant; `None`: a new one, or the one that already has this SKU in this product.
    pub id: Option<VariantId>,
    pub sku: Sku,
    /// One for each option of the product.
    pub values: Vec<OptionValue>,
    pub price: Money,
    pub stock: StockLevel,
    /// What the vendor saw before typing. With it the difference is applied, so that what was sold meanwhile stays sold;
    /// without it `stock` is taken as counted.
    pub seen: Option<StockLevel>,
}

impl ProductDraft {
    /// The rules that concern several fields: counts, and that no two variants are alike. Errors are named as the form's
    /// controls: `variants[0][sku]`.
    pub fn check(&self) -> FieldErrors {
        let mut errors = FieldErrors::default();
        if self.options.len() > MAX_OPTIONS {
            errors.add("options", format!("A product has at most {MAX_OPTIONS} options."));
        }
        let mut names = HashSet::new();
        for (i, name) in self.options.iter().enumerate() {
            if !names.insert(name.as_str().to_lowercase()) {
                errors.add(&format!("options[{i}][name]"), format!("“{name}” is already an option."));
            }
        }
        if self.variants.len() > MAX_VARIANTS {
            errors.add("variants", format!("A product has at most {MAX_VARIANTS} variants; these are {}.", self.variants.len()));
        }
        let (mut skus, mut combinations, mut ids) = (HashSet::new(), HashSet::new(), HashSet::new());
        for (i, variant) in self.variants.iter().enumerate() {
            let field = |name: &str| format!("variants[{i}][{name}]");
            if !skus.insert(variant.sku.as_str()) {
                errors.add(&field("sku"), format!("“{}” stands in another row too.", variant.sku));
            }
            if variant.values.len() != self.options.len() {
                errors.add(&field("values"), "A variant has one value for each option.");
            } else if !combinations.insert(variant.values.iter().map(OptionValue::as_str).collect::<Vec<_>>()) {
                errors.add(&field("values"), "Another variant has the same options.");
            }
            if variant.id.is_some_and(|id| !ids.insert(id)) {
                errors.add(&field("sku"), "This variant stands in another row too.");
            }
        }
        errors
    }
}

/// Creates a product, as a draft or at once on sale.
pub async fn create(app: &App, vendor: &Manager, draft: &ProductDraft, publish: bool) -> Result<ProductId, AppError> {
    draft.check().check()?;
    let mut tx = app.pool.begin().await?;
    let id = ProductId::new();
    insert(&mut tx, vendor, id, draft).await?;
    let saved = plan::save_variants(&mut tx, vendor, id, draft).await;
    if let Err(error) = saved {
        drop(tx);
        return Err(explain(app, vendor, draft, error).await);
    }
    // Last, so that the listing is written once.
    if publish {
        put_on_sale(&mut tx, vendor, id).await?;
    }
    tx.commit().await?;
    Ok(id)
}

/// Changes a product to what the draft says, if it is still as `seen`; with `publish` it is also put on sale.
/// Variants that the draft does not name leave: deleted if never ordered, else archived.
pub async fn edit(
    app: &App,
    vendor: &Manager,
    product: ProductId,
    seen: Stamp,
    draft: &ProductDraft,
    publish: bool,
) -> Result<(), AppError> {
    draft.check().check()?;
    let mut tx = app.pool.begin().await?;
    let now = queries::lock(&mut tx, vendor, product).await?;
    if Stamp::of(now.updated_at) != seen {
        return Err(Refusal::Stale.into());
    }
    // Before the product's row changes: an order that is being placed locks stock first, too.
    if let Err(error) = plan::save_variants(&mut tx, vendor, product, draft).await {
        drop(tx);
        return Err(explain(app, vendor, draft, error).await);
    }
    // An address that was public stays; a draft's follows its title.
    let retitled = now.published_at.is_none() && now.title != draft.title.as_str();
    let slug = if retitled { free_slug(&mut tx, product, &draft.title).await? } else { now.slug };
    queries::update(&mut tx, product, &slug, draft).await.map_err(category_error)?;
    if publish {
        put_on_sale(&mut tx, vendor, product).await?;
    } else if now.status == ProductStatus::Published && draft.variants.is_empty() {
        return Err(Refusal::NothingToPublish.into());
    }
    tx.commit().await?;
    Ok(())
}

/// Puts a product on sale. Once more does nothing.
pub async fn publish(app: &App, vendor: &Manager, product: ProductId) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    queries::lock(&mut tx, vendor, product).await?;
    put_on_sale(&mut tx, vendor, product).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes a product off sale; it stays as a draft. Once more does nothing. Also brings an archived one back.
pub async fn unpublish(app: &App, vendor: &Manager, product: ProductId) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    queries::lock(&mut tx, vendor, product).await?;
    queries::set_status(&mut tx, vendor, product, ProductStatus::Draft).await?;
    tx.commit().await?;
    Ok(())
}

/// Takes a product off sale and out of the way. Orders keep their copy, and [`unpublish`] brings it back.
pub async fn archive(app: &App, vendor: &Manager, product: ProductId) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    queries::lock(&mut tx, vendor, product).await?;
    queries::set_status(&mut tx, vendor, product, ProductStatus::Archived).await?;
    tx.commit().await?;
    Ok(())
}

async fn put_on_sale(tx: &mut PgConnection, vendor: &Vendor, product: ProductId) -> Result<(), AppError> {
    if !queries::has_variants(tx, product).await? {
        return Err(Refusal::NothingToPublish.into());
    }
    queries::set_status(tx, vendor, product, ProductStatus::Published).await?;
    Ok(())
}

async fn insert(tx: &mut PgConnection, vendor: &Vendor, id: ProductId, draft: &ProductDraft) -> Result<(), AppError> {
    for slug in slugs(id, &draft.title) {
        if queries::insert(tx, vendor, id, &slug, draft).await.map_err(category_error)? {
            return Ok(());
        }
    }
    Err(internal("no free address for a product"))
}

/// The addresses to try: the title alone, else with the random end of the product's id.
fn slugs(id: ProductId, title: &Title) -> Vec<String> {
    let name = slugify(title.as_str(), Slug::OF_TITLE);
    let end = &id.uuid().simple().to_string()[20..];
    // The shape wants two characters; a title in another script has none.
    if name.len() < 2 { vec![format!("product-{end}")] } else { vec![name.clone(), format!("{name}-{end}")] }
}

async fn free_slug(tx: &mut PgConnection, id: ProductId, title: &Title) -> Result<String, AppError> {
    for slug in slugs(id, title) {
        if queries::slug_is_free(tx, id, &slug).await? {
            return Ok(slug);
        }
    }
    Err(internal("no free address for a product"))
}

fn category_error(error: sqlx::Error) -> AppError {
    if violates(&error, "products_category_id_fkey") {
        AppError::field("category", "Please choose a category.")
    } else {
        error.into()
    }
}

/// What the database refused, at the field that caused it. Asked after the rollback, outside the lost transaction.
async fn explain(app: &App, vendor: &Vendor, draft: &ProductDraft, error: plan::SaveError) -> AppError {
    match error {
        plan::SaveError::Refused(error) => error,
        plan::SaveError::Row(i, error) if violates(&error, "variants_sku_key") => {
            let Some(variant) = draft.variants.get(i) else { return error.into() };
            let owner = queries::title_with_sku(&app.pool, vendor, &variant.sku).await.ok().flatten();
            let owner = owner.map_or_else(|| "another product".to_owned(), |title| format!("“{title}”"));
            AppError::field(&format!("variants[{i}][sku]"), format!("“{}” is already the SKU of {owner}.", variant.sku))
        }
        plan::SaveError::Row(i, error) if violates(&error, "variants_options_key") => {
            AppError::field(&format!("variants[{i}][values]"), "Another variant has the same options.")
        }
        plan::SaveError::Row(i, error) if violates(&error, "stock_held_within") => {
            AppError::field(&format!("variants[{i}][stock]"), "Open orders hold more than this.")
        }
        plan::SaveError::Row(_, error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    fn draft(options: &[&str], variants: &[(&str, &[&str])]) -> ProductDraft {
        ProductDraft {
            title: "Bowl".parse().unwrap(),
            description: "".parse().unwrap(),
            category: CategoryId::new(),
            options: options.iter().map(|o| o.parse().unwrap()).collect(),
            variants: variants
                .iter()
                .map(|(sku, values)| VariantDraft {
                    id: None,
                    sku: sku.parse().unwrap(),
                    values: values.iter().map(|v| v.parse().unwrap()).collect(),
                    price: Money::new(100, Currency::GBP),
                    stock: StockLevel::try_from(1).unwrap(),
                    seen: None,
                })
                .collect(),
        }
    }

    fn fields(draft: &ProductDraft) -> Vec<String> {
        draft.check().iter().map(|(field, _)| field.to_owned()).collect()
    }

    #[test]
    fn what_contradicts_itself_is_said_at_its_field() {
        assert!(draft(&[], &[("A", &[])]).check().is_empty());
        assert!(draft(&["Size"], &[("A", &["S"]), ("B", &["M"])]).check().is_empty());
        assert_eq!(fields(&draft(&["Size", "size"], &[])), ["options[1][name]"]);
        assert_eq!(fields(&draft(&["Size"], &[("A", &["S"]), ("A", &["M"])])), ["variants[1][sku]"]);
        assert_eq!(fields(&draft(&["Size"], &[("A", &["S"]), ("B", &["S"])])), ["variants[1][values]"]);
        assert_eq!(fields(&draft(&["Size"], &[("A", &[])])), ["variants[0][values]"]);
        let many: Vec<_> = (0..101).map(|i| i.to_string()).collect();
        let rows: Vec<(&str, Vec<&str>)> = many.iter().map(|n| (n.as_str(), vec![n.as_str()])).collect();
        let rows: Vec<(&str, &[&str])> = rows.iter().map(|(n, v)| (*n, v.as_slice())).collect();
        assert_eq!(fields(&draft(&["Number"], &rows)), ["variants"]);
    }

    #[test]
    fn a_stamp_survives_the_form_to_the_microsecond() {
        let at = OffsetDateTime::from_unix_timestamp_nanos(1_795_000_000_123_456_000).unwrap();
        assert_eq!(Stamp::of(at).to_string().parse(), Ok(Stamp::of(at)));
        assert_eq!("yesterday".parse::<Stamp>(), Err(Refusal::Stale));
        assert_eq!("9223372036854775807".parse::<Stamp>(), Err(Refusal::Stale));
    }

    #[test]
    fn an_address_is_found_for_every_title() {
        let id = ProductId::new();
        assert_eq!(slugs(id, &"Oak bowl".parse().unwrap())[0], "oak-bowl");
        assert_eq!(slugs(id, &"إبريق".parse().unwrap()).len(), 1);
    }
}
