//! Rows into tables: in one transaction for a batch, whose end is the caller's, with one savepoint for a row.

use super::{
    Pending,
    row::Row,
    shelf::{self, OnShelf},
};
use crate::{
    audit,
    catalog::{
        limits::{AltText, MAX_VARIANTS},
        pictures::{self, Processed},
        slug::Slug,
    },
    ids::{PictureId, ProductId, UserId, VariantId, VendorId},
    server::{errors::violates, state::App},
    text::slugify,
};
use serde_json::json;
use sqlx::{Connection, PgConnection};
use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

/// What all rows of an import have in common.
pub struct Writer<'a> {
    pub app: &'a App,
    pub vendor: VendorId,
    /// Who did it, for the audit log; `None` for the command line.
    pub actor: Option<UserId>,
    /// Where pictures are; without one they are left aside.
    pub folder: Option<&'a Path>,
    /// Nothing of it will be kept.
    pub dry_run: bool,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub struct Written {
    /// The SKUs that are new.
    pub created: Vec<String>,
    pub updated: u64,
    pub unchanged: u64,
    pub refused: u64,
}

/// What became of one row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    Created,
    Updated,
    Unchanged,
}

/// Why a row was not written: its own fault, or the database's.
enum Failed {
    Refused(String),
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

fn refused<T>(why: impl Into<String>) -> Result<T, Failed> {
    Err(Failed::Refused(why.into()))
}

impl Writer<'_> {
    /// Writes a batch into the caller's transaction, and tells the line of each row that was left out, and why.
    pub async fn write(
        &self,
        tx: &mut PgConnection,
        rows: Vec<Pending>,
        mut tell: impl FnMut(u64, String),
    ) -> sqlx::Result<Written> {
        let skus: Vec<&str> = rows.iter().filter_map(|p| Some(p.row.as_ref().ok()?.sku.as_str())).collect();
        let known = shelf::find(tx, self.vendor, &skus).await?;
        self.lock(tx, &rows, &known).await?;
        let mut written = Written::default();
        // Products that this batch has changed: what was read of them before is old.
        let mut touched = HashSet::new();
        for Pending { line, row } in rows {
            let outcome = match &row {
                Err(why) => Err(Failed::Refused(why.clone())),
                Ok(row) if self.is_there(&known, &touched, row) => Ok(Done::Unchanged),
                Ok(row) => {
                    let mut savepoint = tx.begin().await?;
                    match self.one(&mut savepoint, row).await {
                        Ok((product, done)) => {
                            savepoint.commit().await?;
                            touched.insert(product);
                            Ok(done)
                        }
                        Err(error) => {
                            savepoint.rollback().await?;
                            Err(error)
                        }
                    }
                }
            };
            match (outcome, row) {
                (Ok(Done::Created), Ok(row)) => written.created.push(row.sku.into()),
                (Ok(Done::Unchanged), _) => written.unchanged += 1,
                (Ok(_), _) => written.updated += 1,
                (Err(Failed::Refused(why)), _) => {
                    written.refused += 1;
                    tell(line, why);
                }
                (Err(Failed::Database(error)), _) => return Err(error),
            }
        }
        Ok(written)
    }

    fn is_there(&self, known: &HashMap<String, OnShelf>, touched: &HashSet<ProductId>, row: &Row) -> bool {
        let picture = row.image.is_some() && self.folder.is_some();
        known.get(row.sku.as_str()).is_some_and(|on_shelf| !picture && !touched.contains(&on_shelf.product) && on_shelf.is(row))
    }

    /// Locks what will be changed in the order in which everybody does, so that nobody waits in a circle: products, then stock, by id.
    async fn lock(&self, tx: &mut PgConnection, rows: &[Pending], known: &HashMap<String, OnShelf>) -> sqlx::Result<()> {
        let changed = rows.iter().filter_map(|p| {
            let row = p.row.as_ref().ok()?;
            known.get(row.sku.as_str()).filter(|on_shelf| !on_shelf.is(row))
        });
        let (products, variants): (Vec<_>, Vec<_>) = changed.map(|k| (k.product.uuid(), k.variant.uuid())).unzip();
        shelf::lock(tx, &products, &variants).await
    }

    async fn one(&self, tx: &mut PgConnection, row: &Row) -> Result<(ProductId, Done), Failed> {
        let picture = match (&row.image, self.folder) {
            (Some(image), Some(folder)) => Some(read_picture(folder.join(image)).await?),
            _ => None,
        };
        let known = sqlx::query!(
            r#"select v.id as "variant: VariantId", p.id as "product: ProductId", p.option_names
               from variants v join products p on p.id = v.product_id where v.vendor_id = $1 and v.sku = $2 for no key update of v, p"#,
            self.vendor.uuid(),
            row.sku.as_str()
        )
        .fetch_optional(&mut *tx)
        .await?;
        let (product, done) = match known {
            Some(known) => {
                let values = in_order_of(&known.option_names, row)?;
                let changed = self.update(tx, known.product, known.variant, row, &values).await?;
                (known.product, if changed { Done::Updated } else { Done::Unchanged })
            }
            None => {
                let (product, names) = product_for(tx, self.vendor, row).await?;
                let values = in_order_of(&names, row)?;
                add_variant(self.app, tx, self.vendor, product, row, &values).await?;
                (product, Done::Created)
            }
        };
        if let Some(picture) = picture {
            give_picture(self.app, tx, product, row, &picture, self.dry_run).await?;
        }
        Ok((product, done))
    }

    /// Whether anything was not so already.
    async fn update(
        &self,
        tx: &mut PgConnection,
        product: ProductId,
        variant: VariantId,
        row: &Row,
        values: &[String],
    ) -> Result<bool, Failed> {
        let was = sqlx::query_scalar!(
            r#"with old as (select id, regular_minor from variants where id = $1)
               update variants v set regular_minor = $2, option_values = $3, archived = false from old
               where v.id = old.id and (v.regular_minor, v.option_values, v.archived) is distinct from ($2, $3, false)
               returning old.regular_minor as "was!""#,
            variant.uuid(),
            row.price_minor,
            values
        )
        .fetch_optional(&mut *tx)
        .await
        .map_err(taken)?;
        if let Some(was) = was.filter(|was| *was != row.price_minor) {
            let detail = json!({ "was": was, "now": row.price_minor, "by": "an import" });
            audit::record(tx, self.actor, "product.repriced", ("variant", variant), detail).await?;
        }
        // What stands aside is held by nobody yet.
        sqlx::query!("select put_pieces_back(variant_id) from stock where variant_id = $1 and set_aside", variant.uuid())
            .execute(&mut *tx)
            .await?;
        let stock = sqlx::query!(
            "update stock set on_hand = greatest($2, held) where variant_id = $1 and on_hand <> greatest($2, held)",
            variant.uuid(),
            row.stock.units()
        )
        .execute(&mut *tx)
        .await?;
        let words = sqlx::query!(
            "update products set title = $2, description = coalesce($3, description), category_id = $4, updated_at = now()
             where id = $1 and (title, description, category_id) is distinct from ($2, coalesce($3, description), $4)",
            product.uuid(),
            row.title.as_str(),
            row.description.as_ref().map(|d| d.as_str()),
            row.category.uuid()
        )
        .execute(tx)
        .await?;
        Ok(was.is_some() || stock.rows_affected() + words.rows_affected() > 0)
    }
}

/// The row's values in the order of the product's options.
fn in_order_of(names: &[String], row: &Row) -> Result<Vec<String>, Failed> {
    match shelf::in_order_of(names, row) {
        Some(values) => Ok(values),
        None if names.is_empty() => refused("options: this product comes in one kind only."),
        None => refused(format!("options: this product has {}.", names.join(", "))),
    }
}

/// The product that a new variant belongs to, and its options: the vendor's product of that title where both have
/// options, else a new one.
async fn product_for(tx: &mut PgConnection, vendor: VendorId, row: &Row) -> Result<(ProductId, Vec<String>), Failed> {
    if !row.option_names.is_empty() {
        let same = sqlx::query!(
            r#"select id as "id: ProductId", option_names from products
               where vendor_id = $1 and title = $2 and cardinality(option_names) > 0 and status <> 'archived'
               order by created_at limit 1 for no key update"#,
            vendor.uuid(),
            row.title.as_str()
        )
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(same) = same {
            return Ok((same.id, same.option_names));
        }
    }
    let id = ProductId::new();
    let slug = free_slug(tx, row).await?;
    sqlx::query!(
        "insert into products (id, vendor_id, category_id, slug, title, description, status, option_names, published_at)
         values ($1, $2, $3, $4, $5, $6, 'published', $7, now())",
        id.uuid(),
        vendor.uuid(),
        row.category.uuid(),
        slug,
        row.title.as_str(),
        row.description.as_ref().map_or("", |d| d.as_str()),
        &row.option_names
    )
    .execute(tx)
    .await
    .map_err(|e| {
        if violates(&e, "products_slug_key") {
            Failed::Refused("title: its address is taken just now; import again.".into())
        } else {
            e.into()
        }
    })?;
    Ok((id, row.option_names.clone()))
}

/// From the title; with the SKU, and then with a random end, where that is taken.
async fn free_slug(tx: &mut PgConnection, row: &Row) -> sqlx::Result<String> {
    let title = slugify(row.title.as_str(), Slug::OF_TITLE);
    let with_sku = slugify(&format!("{title} {}", row.sku.as_str()), Slug::MAX);
    for slug in [title, with_sku] {
        if slug.len() >= 2 {
            let taken = sqlx::query_scalar!(r#"select exists (select 1 from products where slug = $1) as "taken!""#, slug);
            if !taken.fetch_one(&mut *tx).await? {
                return Ok(slug);
            }
        }
    }
    Ok(format!("item-{}", uuid::Uuid::now_v7().simple()))
}

async fn add_variant(
    app: &App,
    tx: &mut PgConnection,
    vendor: VendorId,
    product: ProductId,
    row: &Row,
    values: &[String],
) -> Result<(), Failed> {
    let variant = VariantId::new();
    let inserted = sqlx::query!(
        "insert into variants (id, product_id, vendor_id, sku, option_values, price_minor, currency, position)
         select $1, $2, $3, $4, $5, $6, $7, coalesce(max(position) + 1, 0) from variants where product_id = $2
         having count(*) filter (where not archived) < $8",
        variant.uuid(),
        product.uuid(),
        vendor.uuid(),
        row.sku.as_str(),
        values,
        row.price_minor,
        app.config.currency.code(),
        MAX_VARIANTS as i64
    )
    .execute(&mut *tx)
    .await
    .map_err(taken)?;
    if inserted.rows_affected() == 0 {
        return refused(format!("options: a product has at most {MAX_VARIANTS} variants."));
    }
    sqlx::query!("insert into stock (variant_id, on_hand) values ($1, $2)", variant.uuid(), row.stock.units())
        .execute(tx)
        .await?;
    Ok(())
}

fn taken(error: sqlx::Error) -> Failed {
    if violates(&error, "variants_options_key") {
        return Failed::Refused("options: another SKU of this product has these already.".into());
    }
    error.into()
}

/// Reads and re-encodes a picture as if it had been uploaded.
async fn read_picture(path: std::path::PathBuf) -> Result<Processed, Failed> {
    let done = tokio::task::spawn_blocking(move || {
        let size = std::fs::metadata(&path).map_err(|_| "image: there is no such file.".to_owned())?.len();
        if size > pictures::MAX_BYTES as u64 {
            return Err(format!("image: {}", pictures::BadPicture::TooLarge));
        }
        let bytes = std::fs::read(&path).map_err(|_| "image: this file cannot be read.".to_owned())?;
        pictures::process(&bytes).map_err(|bad| format!("image: {bad}"))
    });
    done.await.unwrap_or_else(|_| Err(format!("image: {}", pictures::BadPicture::Damaged))).map_err(Failed::Refused)
}

/// Only where the product has none, so that a second run adds nothing.
async fn give_picture(
    app: &App,
    tx: &mut PgConnection,
    product: ProductId,
    row: &Row,
    picture: &Processed,
    dry_run: bool,
) -> Result<(), Failed> {
    let has = sqlx::query_scalar!(r#"select exists (select 1 from pictures where product_id = $1) as "has!""#, product.uuid());
    if has.fetch_one(&mut *tx).await? || dry_run {
        return Ok(());
    }
    let id = PictureId::new();
    if let Err(error) = pictures::upload(app, id, picture).await {
        tracing::error!(%error, "a picture of an import was not stored");
        return refused("image: the store did not take it; import again.");
    }
    let alt: AltText =
        row.title.as_str().parse().map_err(|_| Failed::Refused("image: the title does not describe it.".into()))?;
    pictures::insert(tx, product, id, picture, &alt).await?;
    Ok(())
}
