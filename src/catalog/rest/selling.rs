//! A vendor's own goods: made, changed and archived through the functions of the vendor's desk.

use super::Product;
use crate::{
    catalog::{
        editing::{self, ProductDraft, ProductStatus, Stamp, VariantDraft},
        limits::{Description, OptionName, OptionValue, Sku, StockLevel, Title},
        model::{CategoryLink, ProductPage, Variant},
        queries,
        slug::Slug,
    },
    error::{AppError, FieldErrors, Refusal},
    ids::{CategoryId, ProductId, VariantId},
    money::Currency,
    server::{
        auth::{Manager, Vendor},
        rest::{Body, IdempotencyKey, Named, Price, created},
        state::App,
    },
};
use axum::{Json, extract::State, response::Response};
use http::StatusCode;
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Where a product shall stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    #[default]
    Draft,
    Published,
}

/// A product as its vendor writes it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    title: Title,
    /// Plain text in paragraphs.
    #[serde(default)]
    description: Option<Description>,
    /// The category's slug.
    category: Slug,
    /// What can be chosen: `["Size"]`.
    #[serde(default)]
    #[schema(max_items = 3)]
    options: Vec<OptionName>,
    #[serde(default)]
    #[schema(max_items = 100)]
    variants: Vec<NewVariant>,
    #[serde(default)]
    #[schema(inline)]
    status: Status,
}

/// A variant as its vendor writes it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVariant {
    /// In a change, the variant that is meant; else the one with this SKU, or a new one.
    #[serde(default)]
    id: Option<VariantId>,
    /// Unique within the vendor.
    sku: Sku,
    /// A value for each option: `{"Size": "M"}`.
    #[serde(default)]
    options: BTreeMap<String, OptionValue>,
    price: Price,
    stock: StockLevel,
}

/// What shall be different; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductChange {
    #[serde(default)]
    title: Option<Title>,
    #[serde(default)]
    description: Option<Description>,
    /// The category's slug.
    #[serde(default)]
    category: Option<Slug>,
    #[serde(default)]
    #[schema(max_items = 3)]
    options: Option<Vec<OptionName>>,
    /// All variants; one that is not among them leaves.
    #[serde(default)]
    #[schema(max_items = 100)]
    variants: Option<Vec<NewVariant>>,
    #[serde(default)]
    #[schema(inline)]
    status: Option<Status>,
}

/// Put goods on the shelf
#[utoipa::path(post, path = "/products", tag = "catalogue", operation_id = "createProduct", params(IdempotencyKey),
    request_body = NewProduct, responses((status = 201, body = Product), (status = 409)),
    security(("bearer" = []), ("session" = [])))]
pub async fn create(State(app): State<App>, vendor: Manager, Body(new): Body<NewProduct>) -> Result<Response, AppError> {
    let mut errors = FieldErrors::default();
    let category = errors.take("category", category(&app, &new.category).await?);
    let variants = variants(new.variants, &new.options, app.config.currency, &mut errors);
    errors.check()?;
    let draft = ProductDraft {
        title: new.title,
        description: new.description.map_or_else(|| "".parse().map_err(kept), Ok)?,
        category: category.ok_or(AppError::Internal)?,
        options: new.options,
        variants,
    };
    let id = editing::create(&app, &vendor, &draft, new.status == Status::Published).await.map_err(in_json)?;
    Ok(created(&format!("/api/v1/products/{id}"), Json(own(&app, &vendor, id).await?)))
}

/// Change a product
///
/// Only what is named changes. Variants are given whole: `stock` is the number counted on the shelf.
#[utoipa::path(patch, path = "/products/{id}", tag = "catalogue", operation_id = "changeProduct",
    params(("id" = ProductId, Path, description = "The product's id")), request_body = ProductChange,
    responses((status = 200, body = Product), (status = 409)), security(("bearer" = []), ("session" = [])))]
pub async fn edit(
    State(app): State<App>,
    vendor: Manager,
    Named(id): Named<ProductId>,
    Body(change): Body<ProductChange>,
) -> Result<Json<Product>, AppError> {
    standing(&app, &vendor, id).await?;
    if change.status == Some(Status::Draft) {
        editing::unpublish(&app, &vendor, id).await?;
    }
    let publish = change.status == Some(Status::Published);
    let words = change.title.is_some() || change.description.is_some() || change.category.is_some();
    if words || change.options.is_some() || change.variants.is_some() {
        rewrite(&app, &vendor, id, change, publish).await.map_err(in_json)?;
    } else if publish {
        editing::publish(&app, &vendor, id).await?;
    }
    Ok(Json(own(&app, &vendor, id).await?))
}

/// Take a product off the shelf
///
/// It is archived: its orders keep their copy, and its vendor can bring it back at the desk.
#[utoipa::path(delete, path = "/products/{id}", tag = "catalogue", operation_id = "archiveProduct",
    params(("id" = ProductId, Path, description = "The product's id")), responses((status = 204, description = "Archived.")),
    security(("bearer" = []), ("session" = [])))]
pub async fn archive(State(app): State<App>, vendor: Manager, Named(id): Named<ProductId>) -> Result<StatusCode, AppError> {
    standing(&app, &vendor, id).await?;
    editing::archive(&app, &vendor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The vendor's product as it is edited; what is archived is gone for programs.
async fn standing(
    app: &App,
    vendor: &Vendor,
    id: ProductId,
) -> Result<(editing::queries::EditableProduct, Vec<editing::queries::EditableVariant>), AppError> {
    let (product, variants) = editing::queries::product(&app.pool, vendor, id).await?;
    if product.status == ProductStatus::Archived { Err(AppError::NotFound) } else { Ok((product, variants)) }
}

/// The vendor's product as its page would show it, drafts too.
pub(super) async fn own(app: &App, vendor: &Vendor, id: ProductId) -> Result<Product, AppError> {
    let (product, variants) = standing(app, vendor, id).await?;
    let tree = queries::tree(&app.pool).await?;
    let link = |c: &crate::catalog::model::Category| CategoryLink { slug: c.slug.clone(), name: c.name.clone() };
    let status = product.status.as_str();
    let page = ProductPage {
        id,
        slug: product.slug,
        title: product.title,
        description: product.description,
        vendor_id: vendor.id(),
        vendor_slug: vendor.slug().to_owned(),
        vendor_name: vendor.name().to_owned(),
        vendor_tagline: String::new(),
        vendor_country: String::new(),
        category_id: product.category_id,
        categories: tree.trail(product.category_id).into_iter().map(link).collect(),
        option_names: product.option_names,
        delivery: None,
        holiday: None,
        variants: variants
            .into_iter()
            .map(|v| Variant {
                id: v.id,
                price_minor: v.price().minor,
                prior_minor: None,
                currency: v.price().currency,
                available: v.on_hand - v.held,
                sku: v.sku,
                option_values: v.option_values,
                picture_id: None,
            })
            .collect(),
        pictures: queries::gallery(&app.pool, id).await?,
        updated_at: product.updated_at,
    };
    Ok(Product::of(app, page, status))
}

/// How often a change that met another one is laid over the newer state.
const TRIES: usize = 3;

/// Lays the change over the product as it stands. It names what it changes, so it may be tried again over a newer state.
async fn rewrite(app: &App, vendor: &Manager, id: ProductId, change: ProductChange, publish: bool) -> Result<(), AppError> {
    let mut errors = FieldErrors::default();
    let wanted = match &change.category {
        Some(slug) => errors.take("category", category(app, slug).await?),
        None => None,
    };
    let (mut given, mut outcome) = (change.variants, Err(Refusal::Stale.into()));
    let mut drafts = None;
    for _ in 0..TRIES {
        let (product, standing) = standing(app, vendor, id).await?;
        let options = match &change.options {
            Some(options) => options.clone(),
            None => product.option_names.iter().map(|n| n.parse()).collect::<Result<_, _>>().map_err(kept)?,
        };
        if let Some(given) = given.take() {
            drafts = Some(variants(given, &options, app.config.currency, &mut errors));
        }
        std::mem::take(&mut errors).check()?;
        let draft = ProductDraft {
            title: change.title.clone().map_or_else(|| product.title.parse().map_err(kept), Ok)?,
            description: change.description.clone().map_or_else(|| product.description.parse().map_err(kept), Ok)?,
            category: wanted.unwrap_or(product.category_id),
            options,
            variants: match &drafts {
                Some(drafts) => drafts.clone(),
                None => standing.into_iter().map(as_it_stands).collect::<Result<_, _>>()?,
            },
        };
        outcome = editing::edit(app, vendor, id, Stamp::of(product.updated_at), &draft, publish).await;
        if outcome != Err(Refusal::Stale.into()) {
            break;
        }
    }
    outcome
}

/// A variant that the change does not touch; what is sold meanwhile stays sold.
fn as_it_stands(variant: editing::queries::EditableVariant) -> Result<VariantDraft, AppError> {
    let stock = StockLevel::try_from(i64::from(variant.on_hand)).map_err(kept)?;
    Ok(VariantDraft {
        id: Some(variant.id),
        price: variant.price(),
        sku: variant.sku.parse().map_err(kept)?,
        values: variant.option_values.iter().map(|v| v.parse()).collect::<Result<_, _>>().map_err(kept)?,
        stock,
        seen: Some(stock),
    })
}

/// What was kept once was within its limits then.
fn kept(error: impl std::fmt::Display) -> AppError {
    crate::server::errors::internal(error)
}

async fn category(app: &App, slug: &Slug) -> Result<Result<CategoryId, &'static str>, AppError> {
    let tree = queries::tree(&app.pool).await?;
    Ok(tree.find(slug.as_str()).map(|c| c.id).ok_or("There is no such category."))
}

/// Puts each variant's options into the product's order, and compares its currency with the shop's.
fn variants(given: Vec<NewVariant>, options: &[OptionName], currency: Currency, errors: &mut FieldErrors) -> Vec<VariantDraft> {
    let mut drafts = Vec::with_capacity(given.len());
    for (i, mut variant) in given.into_iter().enumerate() {
        if variant.price.0.currency != currency {
            errors.add(&format!("variants[{i}].price"), format!("Prices are in {}.", currency.code()));
        }
        let values: Vec<OptionValue> = options.iter().filter_map(|name| variant.options.remove(name.as_str())).collect();
        if values.len() != options.len() || !variant.options.is_empty() {
            errors.add(&format!("variants[{i}].options"), "A variant has one value for each option.");
        }
        drafts.push(VariantDraft {
            id: variant.id,
            sku: variant.sku,
            values,
            price: variant.price.0,
            stock: variant.stock,
            seen: None,
        });
    }
    drafts
}

/// The fields of the desk's form, named as they stand in the JSON: `variants[0][sku]` is `variants[0].sku`.
fn in_json(error: AppError) -> AppError {
    let AppError::Invalid(errors) = error else { return error };
    let mut renamed = FieldErrors::default();
    for (field, message) in errors.iter() {
        let field = match field.strip_suffix("[name]") {
            Some(option) => option.to_owned(),
            None => match field.strip_suffix(']').and_then(|f| f.rsplit_once("][")) {
                Some((row, "values")) => format!("{row}].options"),
                Some((row, part)) => format!("{row}].{part}"),
                None => field.to_owned(),
            },
        };
        renamed.add(&field, message);
    }
    renamed.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_fields_have_their_names_in_the_json() {
        for (form, json) in [
            ("variants[0][sku]", "variants[0].sku"),
            ("variants[12][values]", "variants[12].options"),
            ("options[1][name]", "options[1]"),
            ("options", "options"),
            ("title", "title"),
        ] {
            let AppError::Invalid(errors) = in_json(AppError::field(form, "no")) else { panic!("{form}") };
            assert_eq!(errors.iter().next(), Some((json, "no")));
        }
    }
}
