//! What everybody may see.

use super::{Image, Product, ProductSummary, VendorLink};
use crate::{
    catalog::{
        filter::{ListFilter, Prices},
        limits::SEARCH_MAX,
        model::{Category, CategoryTree, Delivery},
        queries::{self, Key},
        slug::Slug,
    },
    error::AppError,
    ids::{CategoryId, PictureId, VendorId},
    money::Money,
    server::{
        auth::MaybeCustomer,
        rest::{List, Named, PRIVATE, PUBLIC, Params, etagged},
        state::App,
    },
};
use axum::{
    extract::{FromRequestParts, State},
    response::Response,
};
use http::{HeaderMap, request::Parts};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::{IntoParams, ToSchema};

/// In which order goods come.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    Relevance,
    Newest,
    Price,
    #[serde(rename = "-price")]
    PriceDown,
    Rating,
}

/// Which goods, in which order.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// What to look for: words, `"exact words"`, `-without`.
    #[param(max_length = 200)]
    q: Option<String>,
    /// A category's slug; what stands below it counts too.
    category: Option<Slug>,
    /// A vendor's slug.
    vendor: Option<Slug>,
    /// In minor units.
    #[param(minimum = 0, maximum = 1_000_000_000)]
    min_price: Option<i64>,
    /// In minor units.
    #[param(minimum = 0, maximum = 1_000_000_000)]
    max_price: Option<i64>,
    /// Only what can be bought now.
    in_stock: Option<bool>,
    /// Relevance with a search, else newest, unless told.
    #[param(inline)]
    sort: Option<Order>,
    /// How many at most.
    #[param(minimum = 1, maximum = 100, default = 24)]
    limit: Option<i64>,
    /// Where to go on: `next` of the page before. Good for the same search in the same order only.
    after: Option<String>,
    /// Also what could narrow the list.
    facets: Option<bool>,
}

impl Wanted {
    /// As the pages' own reader takes it, which knows the rules.
    fn filter(self) -> Result<ListFilter, AppError> {
        if self.q.as_ref().is_some_and(|q| q.chars().count() > SEARCH_MAX) {
            return Err(AppError::BadRequest(format!("q: at most {SEARCH_MAX} characters.")));
        }
        let sort = self.sort.map(|sort| match sort {
            Order::Relevance => "relevance",
            // Nothing is rated yet: the order is a stable one.
            Order::Newest | Order::Rating => "newest",
            Order::Price => "price",
            Order::PriceDown => "-price",
        });
        let pairs = [
            ("q", self.q),
            ("category", self.category.map(String::from)),
            ("vendor", self.vendor.map(String::from)),
            ("min_price", self.min_price.map(|n| n.to_string())),
            ("max_price", self.max_price.map(|n| n.to_string())),
            ("in_stock", self.in_stock.map(|b| b.to_string())),
            ("sort", sort.map(str::to_owned)),
            ("limit", self.limit.map(|n| n.to_string())),
            ("after", self.after),
        ];
        let pairs: Vec<_> = pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        ListFilter::strict(&pairs, Prices::Minor)
    }
}

/// One page of goods.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductList {
    data: Vec<ProductSummary>,
    /// The cursor of the next page; `null` on the last one.
    #[schema(required)]
    next: Option<String>,
    /// How many match, counted up to 1,000.
    #[schema(minimum = 0, maximum = 1000)]
    total: i64,
    /// Whether there are more than that.
    total_capped: bool,
    /// With `facets=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    facets: Option<Facets>,
}

/// What could narrow the list, with how many goods each leaves.
#[derive(Debug, Serialize, ToSchema)]
pub struct Facets {
    categories: Vec<Facet>,
    /// At most 30, those with the most goods first.
    vendors: Vec<Facet>,
    price: PriceRange,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Facet {
    slug: String,
    name: String,
    #[schema(minimum = 0)]
    count: i64,
}

/// The lowest and the highest price; `null` where nothing matches.
#[derive(Debug, Serialize, ToSchema)]
pub struct PriceRange {
    #[schema(required)]
    min: Option<Money>,
    #[schema(required)]
    max: Option<Money>,
}

/// Goods for sale
///
/// Filtered, searched and page by page. At most four queries.
#[utoipa::path(get, path = "/products", tag = "catalogue", operation_id = "listProducts", params(Wanted),
    responses((status = 200, body = ProductList), (status = 304, description = "As you have it.")))]
pub async fn list(State(app): State<App>, Params(wanted): Params<Wanted>, headers: HeaderMap) -> Result<Response, AppError> {
    let with_facets = wanted.facets.unwrap_or(false);
    let filter = wanted.filter()?;
    let (goods, total) = if with_facets {
        (queries::list(&app, &filter).await?, None)
    } else {
        let (goods, total) = queries::list_counted(&app, &filter).await?;
        (goods, Some(total))
    };
    let shown: Vec<PictureId> = goods.goods.iter().filter_map(|l| l.picture_id).collect();
    let pictures = queries::pictures(&app.pool, &shown).await?;
    let sizes: HashMap<_, _> = pictures.iter().map(|p| (p.id, p)).collect();
    let (total, facets) = if let Some(total) = total {
        (total, None)
    } else {
        let tree = queries::tree(&app.pool).await?;
        let choices = queries::choices(&app.pool, &filter, false, &tree).await?;
        let counted =
            tree.0.iter().map(|c| Facet { slug: c.slug.clone(), name: c.name.clone(), count: choices.in_category(c.id) });
        let money = |minor| Money::new(minor, app.config.currency);
        let facets = Facets {
            categories: counted.filter(|f| f.count > 0).collect(),
            vendors: choices
                .vendors()
                .iter()
                .map(|v| Facet { slug: v.slug.clone(), name: v.name.clone(), count: v.goods })
                .collect(),
            price: PriceRange { min: choices.lowest.map(money), max: choices.highest.map(money) },
        };
        (choices.total(), Some(facets))
    };
    let summary = |listing: crate::catalog::model::Listing| {
        let image = listing.picture_id.and_then(|id| sizes.get(&id)).map(|p| Image::of(&app, p));
        ProductSummary::of(listing, image)
    };
    let data = goods.goods.into_iter().map(summary).collect();
    let answer = ProductList { data, next: goods.next, total: total.0, total_capped: total.1, facets };
    etagged(&headers, PUBLIC, &answer)
}

/// One product
///
/// By id or slug. Its vendor sees a draft too, by id.
#[utoipa::path(get, path = "/products/{id}", tag = "catalogue", operation_id = "getProduct",
    params(("id" = String, Path, description = "The product's id or slug")),
    responses((status = 200, body = Product), (status = 304, description = "As you have it.")))]
pub async fn show(State(app): State<App>, Named(name): Named<String>, mut asked: Parts) -> Result<Response, AppError> {
    let key = Key::parse(&name).ok_or(AppError::NotFound)?;
    if let Some(page) = queries::product(&app.pool, &key).await? {
        return etagged(&asked.headers, PUBLIC, &Product::of(&app, page, "published"));
    }
    // Only here does it matter who asks, so that what is public costs no query for it.
    let who = MaybeCustomer::from_request_parts(&mut asked, &app).await?;
    let (Some(vendor), Key::Id(id)) = (who.vendor(), key) else { return Err(AppError::NotFound) };
    let product = super::selling::own(&app, &vendor, id.into()).await?;
    etagged(&asked.headers, PRIVATE, &product)
}

/// A category with what stands below it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategoryNode {
    id: CategoryId,
    slug: String,
    name: String,
    #[schema(no_recursion)]
    children: Vec<CategoryNode>,
}

impl CategoryNode {
    fn of(tree: &CategoryTree, category: &Category) -> Self {
        Self {
            id: category.id,
            slug: category.slug.clone(),
            name: category.name.clone(),
            children: tree.below(category.id).map(|c| Self::of(tree, c)).collect(),
        }
    }
}

/// The tree of categories
#[utoipa::path(get, path = "/categories", tag = "catalogue", operation_id = "listCategories",
    responses((status = 200, body = List<CategoryNode>), (status = 304, description = "As you have it.")))]
pub async fn categories(State(app): State<App>, headers: HeaderMap) -> Result<Response, AppError> {
    let tree = queries::tree(&app.pool).await?;
    let answer = List::whole(tree.roots().map(|root| CategoryNode::of(&tree, root)).collect());
    etagged(&headers, PUBLIC, &answer)
}

/// A vendor's shop as everybody sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicShop {
    id: VendorId,
    #[serde(flatten)]
    link: VendorLink,
    tagline: String,
    description: String,
    /// ISO 3166-1 alpha-2
    country: String,
    /// How it usually sends.
    #[schema(required)]
    delivery: Option<Delivery>,
}

/// A vendor's shop
#[utoipa::path(get, path = "/vendors/{slug}", tag = "catalogue", operation_id = "getVendor",
    params(("slug" = String, Path, description = "The vendor's slug")),
    responses((status = 200, body = PublicShop), (status = 304, description = "As you have it.")))]
pub async fn shop(State(app): State<App>, Named(slug): Named<String>, headers: HeaderMap) -> Result<Response, AppError> {
    let key = Key::parse(&slug).ok_or(AppError::NotFound)?;
    let shop = queries::shop(&app.pool, &key, app.config.currency).await?.ok_or(AppError::NotFound)?;
    let answer = PublicShop {
        id: shop.id,
        link: VendorLink { slug: shop.slug, name: shop.name },
        tagline: shop.tagline,
        description: shop.description,
        country: shop.country,
        delivery: shop.delivery,
    };
    etagged(&headers, PUBLIC, &answer)
}
