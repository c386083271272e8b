//! The cart for programs. It belongs to the session, by its cookie, or to the person whose token speaks.

use super::{
    CartCookie,
    model::{CartLine, CartView, HOME, Problem, Quantity, ShippingMethod},
    queries,
};
use crate::{
    error::AppError,
    ids::{CartId, CartLineId, ProductId, VariantId},
    money::{BasisPoints, Money},
    server::{
        auth::MaybeCustomer,
        rest::{Body, Named},
        state::App,
        token::Token,
    },
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The calls of this slice.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, clear)).routes(routes!(add)).routes(routes!(change, remove))
}

/// A cart as it stands now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Cart {
    /// `null` until something is put in.
    #[schema(required)]
    id: Option<CartId>,
    /// In the order in which they were added.
    items: Vec<CartItem>,
    /// One for each vendor, with its items.
    parcels: Vec<CartParcel>,
    totals: CartTotals,
}

/// One variant in a cart.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CartItem {
    id: CartLineId,
    variant_id: VariantId,
    product_id: ProductId,
    product_slug: String,
    sku: String,
    title: String,
    options: BTreeMap<String, String>,
    vendor: CartVendor,
    #[schema(minimum = 1, maximum = 999)]
    quantity: i32,
    unit_price: Money,
    /// Quantity times the price.
    total: Money,
    /// How many this cart could buy now.
    #[schema(minimum = 0)]
    available: i32,
    /// What to tell about it. What blocks is not counted in the totals until it is mended.
    #[schema(required)]
    problem: Option<ItemProblem>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CartVendor {
    slug: String,
    name: String,
}

/// Why an item is not simply what was put in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ItemProblem {
    #[serde(rename = "type")]
    #[schema(inline)]
    kind: ProblemKind,
    /// Whether it keeps the item out of the totals.
    blocks: bool,
    /// With `fewer-left`.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<i32>,
    /// With `price-rose` and `price-fell`: the price that was seen, and today's.
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<Money>,
    /// With `on-holiday`: the last day of it, in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    Unavailable,
    OnHoliday,
    SoldOut,
    FewerLeft,
    PriceRose,
    PriceFell,
}

/// What one vendor sends.
#[derive(Debug, Serialize, ToSchema)]
pub struct CartParcel {
    vendor: CartVendor,
    items: Vec<CartItem>,
    /// What the first of its methods costs.
    shipping: Money,
    /// What can be chosen at the checkout; the first one stands unless told.
    shipping_methods: Vec<CartShippingMethod>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct CartShippingMethod {
    /// What the checkout takes: `standard`.
    code: String,
    name: String,
    /// For what of this parcel can be bought.
    price: Money,
    /// Items worth this much ship free.
    #[schema(required)]
    free_over: Option<Money>,
    /// Working days, at least and at most.
    min_days: i32,
    max_days: i32,
}

/// What can be bought of the cart: `total = items + shipping − discount`, which contains `tax`.
#[derive(Debug, Serialize, ToSchema)]
pub struct CartTotals {
    items: Money,
    shipping: Money,
    /// VAT as at home; the checkout knows the country.
    tax: Money,
    discount: Money,
    total: Money,
}

impl Cart {
    fn of(cart: &CartView, rate: BasisPoints) -> Self {
        let money = |minor| cart.money(minor);
        let mut items: Vec<CartItem> = Vec::new();
        let parcels = cart
            .parcels
            .iter()
            .map(|parcel| {
                let own: Vec<CartItem> = parcel.lines.iter().map(|line| CartItem::of(cart, line)).collect();
                items.extend(own.iter().cloned());
                CartParcel {
                    vendor: CartVendor { slug: parcel.vendor_slug.clone(), name: parcel.vendor_name.clone() },
                    items: own,
                    shipping: money(parcel.shipping_minor()),
                    shipping_methods: parcel
                        .methods
                        .iter()
                        .map(|m| CartShippingMethod::of(cart, m, parcel.items_minor()))
                        .collect(),
                }
            })
            .collect();
        Self {
            id: cart.id,
            items,
            parcels,
            totals: CartTotals {
                items: money(cart.items_minor()),
                shipping: money(cart.shipping_minor()),
                tax: money(rate.contained_in(cart.total_minor())),
                discount: money(0),
                total: money(cart.total_minor()),
            },
        }
    }

    /// The cart of whoever asks. Four queries.
    async fn now(app: &App, who: &MaybeCustomer, token: Option<&Token>) -> Result<Json<Self>, AppError> {
        let cart = super::view(app, who, token).await?;
        let rate = queries::vat_rate(&app.pool, HOME).await?.unwrap_or(BasisPoints(0));
        Ok(Json(Self::of(&cart, rate)))
    }
}

impl CartItem {
    fn of(cart: &CartView, line: &CartLine) -> Self {
        Self {
            id: line.id,
            variant_id: line.variant_id,
            product_id: line.product_id,
            product_slug: line.product_slug.clone(),
            sku: line.sku.clone(),
            title: line.title.clone(),
            options: line.options().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            vendor: CartVendor { slug: line.vendor_slug.clone(), name: line.vendor_name.clone() },
            quantity: line.quantity,
            unit_price: cart.money(line.price_minor),
            total: cart.money(line.total_minor()),
            available: line.available.max(0),
            problem: line.problem().map(|problem| ItemProblem::of(cart, problem)),
        }
    }
}

impl ItemProblem {
    fn of(cart: &CartView, problem: Problem) -> Self {
        let plain = |kind| Self { kind, blocks: problem.blocks(), left: None, was: None, now: None, until: None };
        let changed = |kind, was, now| Self { was: Some(cart.money(was)), now: Some(cart.money(now)), ..plain(kind) };
        match problem {
            Problem::Unavailable => plain(ProblemKind::Unavailable),
            Problem::OnHoliday { until } => Self { until: Some(until.to_string()), ..plain(ProblemKind::OnHoliday) },
            Problem::SoldOut => plain(ProblemKind::SoldOut),
            Problem::FewerLeft { left } => Self { left: Some(left), ..plain(ProblemKind::FewerLeft) },
            Problem::PriceRose { was, now } => changed(ProblemKind::PriceRose, was, now),
            Problem::PriceFell { was, now } => changed(ProblemKind::PriceFell, was, now),
        }
    }
}

impl CartShippingMethod {
    fn of(cart: &CartView, method: &ShippingMethod, items_minor: i64) -> Self {
        Self {
            code: method.code.clone(),
            name: method.name.clone(),
            price: cart.money(method.price_for(items_minor)),
            free_over: method.free_over_minor.map(|minor| cart.money(minor)),
            min_days: method.min_days,
            max_days: method.max_days,
        }
    }
}

/// The cart
#[utoipa::path(get, path = "/cart", tag = "cart", operation_id = "getCart", responses((status = 200, body = Cart)),
    security((), ("bearer" = []), ("session" = [])))]
pub async fn show(State(app): State<App>, who: MaybeCustomer, cookie: CartCookie) -> Result<Json<Cart>, AppError> {
    Cart::now(&app, &who, cookie.token()).await
}

/// What to put in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewItem {
    variant_id: VariantId,
    #[schema(minimum = 1, maximum = 999)]
    quantity: i32,
}

/// Put something into the cart
///
/// The same variant again adds up. More than there is, is refused with `/problems/sold-out` and what is `left`. A client without
/// a cart gets its cookie here.
#[utoipa::path(post, path = "/cart/items", tag = "cart", operation_id = "addToCart", request_body = NewItem,
    responses((status = 201, body = Cart), (status = 404), (status = 409)),
    security((), ("bearer" = []), ("session" = [])))]
pub async fn add(
    State(app): State<App>,
    who: MaybeCustomer,
    cookie: CartCookie,
    Body(new): Body<NewItem>,
) -> Result<Response, AppError> {
    let quantity = quantity(new.quantity)?;
    let changed = super::add(&app, &who, &cookie, new.variant_id, quantity).await?;
    let cart = Cart::now(&app, &who, changed.token.as_ref()).await?;
    Ok((StatusCode::CREATED, changed.cookie.headers(), cart).into_response())
}

/// How many shall be in the cart.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewQuantity {
    /// 0 takes it out.
    #[schema(minimum = 0, maximum = 999)]
    quantity: i32,
}

/// Change how many of an item
#[utoipa::path(patch, path = "/cart/items/{id}", tag = "cart", operation_id = "changeCartItem",
    params(("id" = CartLineId, Path, description = "The item's id")), request_body = NewQuantity,
    responses((status = 200, body = Cart), (status = 409)), security((), ("bearer" = []), ("session" = [])))]
pub async fn change(
    State(app): State<App>,
    who: MaybeCustomer,
    cookie: CartCookie,
    Named(item): Named<CartLineId>,
    Body(new): Body<NewQuantity>,
) -> Result<Json<Cart>, AppError> {
    let wanted = if new.quantity == 0 { None } else { Some(quantity(new.quantity)?) };
    super::set_quantity(&app, &who, cookie.token(), item, wanted).await?;
    Cart::now(&app, &who, cookie.token()).await
}

/// Take an item out of the cart
#[utoipa::path(delete, path = "/cart/items/{id}", tag = "cart", operation_id = "removeCartItem",
    params(("id" = CartLineId, Path, description = "The item's id")), responses((status = 200, body = Cart)),
    security((), ("bearer" = []), ("session" = [])))]
pub async fn remove(
    State(app): State<App>,
    who: MaybeCustomer,
    cookie: CartCookie,
    Named(item): Named<CartLineId>,
) -> Result<Json<Cart>, AppError> {
    super::remove(&app, &who, cookie.token(), item).await?;
    Cart::now(&app, &who, cookie.token()).await
}

/// Empty the cart
#[utoipa::path(delete, path = "/cart", tag = "cart", operation_id = "emptyCart", responses((status = 200, body = Cart)),
    security((), ("bearer" = []), ("session" = [])))]
pub async fn clear(State(app): State<App>, who: MaybeCustomer, cookie: CartCookie) -> Result<Json<Cart>, AppError> {
    super::clear(&app, &who, cookie.token()).await?;
    Cart::now(&app, &who, cookie.token()).await
}

fn quantity(number: i32) -> Result<Quantity, AppError> {
    Quantity::try_from(number).map_err(|e| AppError::field("quantity", e.to_string()))
}
