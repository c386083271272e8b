//! The catalogue for programs: what is for sale, and a vendor's own goods.

mod goods;
mod selling;

use super::{
    model::{CategoryLink, Listing, PictureOf, ProductPage, Variant},
    pictures::fit,
};
use crate::{
    ids::{ProductId, VariantId},
    money::Money,
    server::state::App,
    ui::{PICTURE_WIDTHS, picture_url},
};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Calls whose answers are the same for everybody without a session or a token: see [`crate::server::cache`].
pub const SHARED: [&str; 4] = ["/api/v1/products", "/api/v1/products/{id}", "/api/v1/categories", "/api/v1/vendors/{slug}"];

/// The calls of this slice.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(goods::list, selling::create))
        .routes(routes!(goods::show, selling::edit, selling::archive))
        .routes(routes!(goods::categories))
        .routes(routes!(goods::shop))
}

/// A shop, by name and address.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VendorLink {
    pub slug: String,
    pub name: String,
}

/// A picture in its largest width.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Image {
    url: String,
    width: u32,
    height: u32,
    alt: String,
}

impl Image {
    fn of(app: &App, picture: &PictureOf) -> Self {
        let [.., largest] = PICTURE_WIDTHS;
        let (width, height) = fit(picture.width.unsigned_abs(), picture.height.unsigned_abs(), largest);
        let url = format!("{}{}", app.config.base_url, picture_url(picture.id, largest));
        Self { url, width, height, alt: picture.alt.clone() }
    }
}

/// A product in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProductSummary {
    id: ProductId,
    slug: String,
    title: String,
    vendor: VendorLink,
    category: CategoryLink,
    /// The lowest price of its variants.
    price: Money,
    /// The lowest price of the 30 days before it was reduced; `null` where it is not, or where not all of its variants are.
    #[schema(required)]
    was: Option<Money>,
    /// One to five; `null` without reviews.
    #[schema(required, minimum = 1, maximum = 5)]
    rating: Option<f64>,
    #[schema(minimum = 0)]
    review_count: i64,
    /// Whether any of its variants can be bought now.
    in_stock: bool,
    #[schema(required)]
    image: Option<Image>,
}

impl ProductSummary {
    fn of(listing: Listing, image: Option<Image>) -> Self {
        let (price, was) = (listing.price(), listing.was());
        Self {
            id: listing.product_id,
            slug: listing.slug,
            title: listing.title,
            vendor: VendorLink { slug: listing.vendor_slug, name: listing.vendor_name },
            category: CategoryLink { slug: listing.category_slug, name: listing.category_name },
            price,
            was,
            rating: None,
            review_count: 0,
            in_stock: listing.in_stock,
            image,
        }
    }
}

/// What is bought: one SKU.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct VariantOffer {
    id: VariantId,
    sku: String,
    /// `{"Size": "M"}`; empty where there is nothing to choose.
    options: BTreeMap<String, String>,
    price: Money,
    /// The lowest price of the 30 days before it was reduced; `null` where it is not.
    #[schema(required)]
    was: Option<Money>,
    /// How many can be bought now.
    #[schema(minimum = 0)]
    available: i32,
}

impl VariantOffer {
    fn of(variant: Variant, names: &[String]) -> Self {
        Self {
            id: variant.id,
            price: variant.price(),
            was: variant.was(),
            sku: variant.sku,
            options: names.iter().cloned().zip(variant.option_values).collect(),
            available: variant.available.max(0),
        }
    }
}

/// A product, whole.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Product {
    id: ProductId,
    slug: String,
    title: String,
    /// `published`, or `draft` for its vendor.
    status: &'static str,
    description: String,
    vendor: VendorLink,
    category: CategoryLink,
    /// From the root to the product's own.
    categories: Vec<CategoryLink>,
    /// The lowest price of its variants; `null` for a draft without any.
    #[schema(required)]
    price: Option<Money>,
    /// The lowest price of the 30 days before it was reduced; `null` where it is not, or where not all of its variants are.
    #[schema(required)]
    was: Option<Money>,
    /// One to five; `null` without reviews.
    #[schema(required, minimum = 1, maximum = 5)]
    rating: Option<f64>,
    #[schema(minimum = 0)]
    review_count: i64,
    in_stock: bool,
    /// The first of its images.
    #[schema(required)]
    image: Option<Image>,
    images: Vec<Image>,
    /// The names of what can be chosen: `["Size", "Colour"]`.
    options: Vec<String>,
    variants: Vec<VariantOffer>,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: time::OffsetDateTime,
}

/// Of variants that cost the same and were all dearer before, what they cost then: as `listings` keeps it.
fn reduced_from(variants: &[Variant]) -> Option<Money> {
    let first = variants.first()?;
    let alike = variants.iter().all(|v| v.price_minor == first.price_minor && v.prior_minor.is_some());
    variants.iter().filter_map(Variant::was).min_by_key(|was| was.minor).filter(|_| alike)
}

impl Product {
    fn of(app: &App, page: ProductPage, status: &'static str) -> Self {
        let images: Vec<Image> = page.pictures.iter().map(|p| Image::of(app, p)).collect();
        let category = page.categories.last().cloned();
        let was = reduced_from(&page.variants);
        Self {
            id: page.id,
            slug: page.slug,
            title: page.title,
            status,
            description: page.description,
            vendor: VendorLink { slug: page.vendor_slug, name: page.vendor_name },
            category: category.unwrap_or_else(|| CategoryLink { slug: String::new(), name: String::new() }),
            categories: page.categories,
            price: page.variants.iter().map(Variant::price).min_by_key(|m| m.minor),
            was,
            rating: None,
            review_count: 0,
            in_stock: page.variants.iter().any(|v| v.available > 0),
            image: images.first().cloned(),
            images,
            variants: page.variants.into_iter().map(|v| VariantOffer::of(v, &page.option_names)).collect(),
            options: page.option_names,
            updated_at: page.updated_at,
        }
    }
}
