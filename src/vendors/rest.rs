//! A vendor's own orders for programs, and applying to be one.

use super::application::{self, ApplicationForm};
use crate::{
    accounts,
    error::{AppError, FieldErrors, Refusal},
    ids::{OrderLineId, VendorId, VendorOrderId},
    money::Money,
    orders::{
        self,
        model::{Event, FulfilmentStatus, OrderStatus, PaymentStatus, VendorOrderDetail, VendorOrderFilter, VendorOrderSummary},
        queries,
        rest::{OrderAddress, OrderEvent, OrderParcel, Refund, Shipment},
    },
    payments::{self, Giver, Refundable, parts::Wanted},
    server::{
        auth::{Customer, Manager, Vendor},
        rest::{Body, IdempotencyKey, List, Named, Page, Params, Price},
        state::App,
    },
    vendors::model::{About, ShopName, Tagline},
};
use axum::{Json, extract::State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{ObjectBuilder, OneOfBuilder, RefOr, Schema, Type},
};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The calls of this slice.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(ship))
        .routes(routes!(refund))
        .routes(routes!(apply))
}

/// Which of the orders.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `to_ship`, `shipped` or `all`; all unless told.
    #[serde(default)]
    #[param(inline)]
    show: Option<VendorOrderFilter>,
    /// How many at most.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// Where to go on: `next` of the page before. Good for the same `show` only.
    #[serde(default)]
    after: Option<String>,
}

/// A vendor's part of a paid order, in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedVendorOrder {
    id: VendorOrderId,
    /// The order's number, which the shopper knows.
    number: i64,
    status: OrderStatus,
    payment_status: PaymentStatus,
    fulfilment_status: FulfilmentStatus,
    ship_to: String,
    shipping_method: String,
    /// Of this vendor's part.
    total: Money,
    pieces: i64,
    /// When it was paid.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    placed_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl ListedVendorOrder {
    fn of(order: VendorOrderSummary) -> Self {
        let total = order.total();
        Self {
            id: order.id,
            number: order.number,
            status: order.status,
            payment_status: order.payment_status,
            fulfilment_status: order.fulfilment_status,
            ship_to: order.ship_name,
            shipping_method: order.shipping_name,
            total,
            pieces: order.pieces,
            placed_at: order.placed_at,
            created_at: order.created_at,
        }
    }
}

/// The vendor's paid orders, newest first
#[utoipa::path(get, path = "/vendor/orders", tag = "vendor", operation_id = "listVendorOrders", params(Which),
    responses((status = 200, body = List<ListedVendorOrder>), (status = 403)), security(("bearer" = []), ("session" = [])))]
pub async fn list(
    State(app): State<App>,
    vendor: Vendor,
    Params(which): Params<Which>,
) -> Result<Json<List<ListedVendorOrder>>, AppError> {
    let show = which.show.unwrap_or(VendorOrderFilter::All);
    let name = format!("vendor orders {show:?}");
    let page = Page::of(which.limit, which.after);
    let limit = page.limit()?;
    let rows = queries::vendor_orders_after(&app.pool, &vendor, show, page.position(&app, &name)?, limit + 1).await?;
    List::page(&app, &name, limit, rows, |o| (o.placed_at, o.id), ListedVendorOrder::of).map(Json)
}

/// A vendor's part of an order: never the other vendors' lines, nor what the shopper paid them.
#[derive(Debug, Serialize, ToSchema)]
pub struct VendorOrder {
    #[serde(flatten)]
    parcel: OrderParcel,
    /// The order's number, which the shopper knows.
    number: i64,
    status: OrderStatus,
    payment_status: PaymentStatus,
    shipping_address: OrderAddress,
    /// What went back of it.
    refunds: Vec<Refund>,
    timeline: Vec<VendorOrderEvent>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    placed_at: Option<OffsetDateTime>,
}

/// A fact, and who of the shop's team made it one.
#[derive(Debug, Serialize, ToSchema)]
pub struct VendorOrderEvent {
    #[serde(flatten)]
    event: OrderEvent,
    /// The person's name; `null` where it was nobody of the team.
    #[schema(required)]
    actor: Option<String>,
}

impl VendorOrderEvent {
    fn list(events: Vec<Event>) -> Vec<Self> {
        let actors: Vec<_> = events.iter().filter(|e| OrderEvent::shown(e)).map(|e| e.actor.clone()).collect();
        OrderEvent::list(events).into_iter().zip(actors).map(|(event, actor)| Self { event, actor }).collect()
    }
}

impl VendorOrder {
    fn of(detail: VendorOrderDetail) -> Self {
        let VendorOrderDetail { head, parcel, timeline, refunds } = detail;
        Self {
            parcel: OrderParcel::of(parcel, &head),
            number: head.number,
            status: head.status,
            payment_status: head.payment_status,
            shipping_address: OrderAddress::of(&head),
            refunds: refunds.into_iter().map(|r| Refund::of(r, &head)).collect(),
            timeline: VendorOrderEvent::list(timeline),
            created_at: head.created_at,
            placed_at: head.placed_at,
        }
    }
}

/// One of the vendor's orders
#[utoipa::path(get, path = "/vendor/orders/{id}", tag = "vendor", operation_id = "getVendorOrder",
    params(("id" = VendorOrderId, Path, description = "The vendor order's id")),
    responses((status = 200, body = VendorOrder), (status = 403)), security(("bearer" = []), ("session" = [])))]
pub async fn show(
    State(app): State<App>,
    vendor: Vendor,
    Named(id): Named<VendorOrderId>,
) -> Result<Json<VendorOrder>, AppError> {
    Ok(Json(VendorOrder::of(queries::vendor_order(&app.pool, &vendor, id).await?)))
}

/// What leaves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewShipment {
    #[schema(min_items = 1, max_items = 1000)]
    items: Vec<ShippedItem>,
    #[schema(min_length = 1, max_length = 60)]
    carrier: String,
    #[serde(default)]
    #[schema(max_length = 80)]
    tracking: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippedItem {
    line_id: OrderLineId,
    #[schema(minimum = 1, maximum = 999)]
    quantity: i32,
}

/// Say that something left
///
/// Of one parcel in several shipments, if need be. Refused with `/problems/ships-too-much`, `/problems/not-paid` or
/// `/problems/order-cancelled`.
#[utoipa::path(post, path = "/vendor/orders/{id}/shipments", tag = "vendor", operation_id = "shipVendorOrder",
    params(("id" = VendorOrderId, Path, description = "The vendor order's id"), IdempotencyKey), request_body = NewShipment,
    responses((status = 201, body = Shipment), (status = 409)), security(("bearer" = []), ("session" = [])))]
pub async fn ship(
    State(app): State<App>,
    vendor: Vendor,
    Named(id): Named<VendorOrderId>,
    Body(new): Body<NewShipment>,
) -> Result<(StatusCode, Json<Shipment>), AppError> {
    let mut errors = FieldErrors::default();
    for (i, item) in new.items.iter().enumerate().filter(|(_, item)| item.quantity < 1) {
        errors.add(&format!("items[{i}].quantity"), format!("{} is no number of pieces.", item.quantity));
    }
    errors.check()?;
    let lines: Vec<_> = new.items.iter().map(|item| (item.line_id, item.quantity)).collect();
    let tracking = new.tracking.unwrap_or_default();
    let shipped = orders::ship(&app, &vendor, id, &lines, &new.carrier, &tracking).await?;
    let order = queries::vendor_order(&app.pool, &vendor, id).await?;
    let sent = order.parcel.shipments.into_iter().find(|s| s.id == shipped).ok_or(AppError::Internal)?;
    Ok((StatusCode::CREATED, Json(Shipment::of(sent))))
}

/// What goes back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRefund {
    #[serde(default)]
    #[schema(max_items = 1000)]
    items: Vec<RefundedItem>,
    /// `true`: all of the shipping that is left. Or an amount of it.
    #[serde(default)]
    shipping: ShippingBack,
    /// The shopper reads it.
    #[schema(min_length = 1, max_length = 300)]
    reason: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundedItem {
    line_id: OrderLineId,
    #[schema(minimum = 1, maximum = 999)]
    quantity: i32,
}

/// How much of the shipping.
#[derive(Debug, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub enum ShippingBack {
    All(bool),
    Part(Price),
}

impl TryFrom<serde_json::Value> for ShippingBack {
    type Error = String;
    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        match value {
            serde_json::Value::Bool(all) => Ok(Self::All(all)),
            part @ serde_json::Value::Object(_) => serde_json::from_value(part).map(Self::Part).map_err(|e| e.to_string()),
            _ => Err("true, false, or an amount of money".into()),
        }
    }
}

impl PartialSchema for ShippingBack {
    fn schema() -> RefOr<Schema> {
        let all = ObjectBuilder::new().schema_type(Type::Boolean);
        RefOr::T(Schema::OneOf(OneOfBuilder::new().item(all).item(Price::schema()).build()))
    }
}

impl ToSchema for ShippingBack {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Price::schemas(schemas);
    }
}

impl Default for ShippingBack {
    fn default() -> Self {
        Self::All(false)
    }
}

impl ShippingBack {
    fn minor(&self, of: Option<&Refundable>) -> Result<i64, AppError> {
        match (self, of) {
            (Self::All(false), _) => Ok(0),
            (Self::All(true), of) => Ok(of.map_or(0, |of| of.parcel.shipping_left())),
            (Self::Part(Price(part)), Some(of)) if part.currency != of.currency => {
                Err(AppError::field("shipping.currency", format!("The order is in {}.", of.currency.code())))
            }
            (Self::Part(Price(part)), _) => Ok(part.minor),
        }
    }
}

/// Give money back
///
/// Of pieces, of the shipping, or both; through Stripe, to the card. Refused with `/problems/refunds-too-much` where less is left,
/// or `/problems/not-paid-yet`.
#[utoipa::path(post, path = "/vendor/orders/{id}/refunds", tag = "vendor", operation_id = "refundVendorOrder",
    params(("id" = VendorOrderId, Path, description = "The vendor order's id"), IdempotencyKey), request_body = NewRefund,
    responses((status = 201, body = Refund), (status = 409)), security(("bearer" = []), ("session" = [])))]
pub async fn refund(
    State(app): State<App>,
    vendor: Manager,
    Named(id): Named<VendorOrderId>,
    Body(new): Body<NewRefund>,
) -> Result<(StatusCode, Json<Refund>), AppError> {
    let mut errors = FieldErrors::default();
    let mut wanted = Wanted::default();
    for (i, item) in new.items.iter().enumerate() {
        if !(1..=999).contains(&item.quantity) {
            errors.add(&format!("items[{i}].quantity"), format!("{} is no number of pieces.", item.quantity));
        }
        let pieces = wanted.lines.entry(item.line_id).or_insert(0i32);
        *pieces = pieces.saturating_add(item.quantity);
    }
    errors.check()?;
    // Whose it is comes first; what is left of it may be nothing.
    queries::vendor_order(&app.pool, &vendor, id).await?;
    let by = Giver::Vendor(&vendor);
    let left = payments::refundable(&app.pool, by, id).await?;
    wanted.shipping_minor = new.shipping.minor(left.as_ref())?;
    if wanted.lines.is_empty() && matches!(new.shipping, ShippingBack::All(true)) && wanted.shipping_minor == 0 {
        return Err(Refusal::RefundsTooMuch.into());
    }
    let made = payments::give_back(&app, by, id, &wanted, &new.reason).await?;
    let order = queries::vendor_order(&app.pool, &vendor, id).await?;
    let refund = order.refunds.into_iter().find(|r| r.id == made).ok_or(AppError::Internal)?;
    Ok((StatusCode::CREATED, Json(Refund::of(refund, &order.head))))
}

/// What a shop tells of itself when it applies.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewShop {
    name: ShopName,
    /// The shop's address, `/vendors/{slug}`; made from the name unless told.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 60, pattern = "^[a-z0-9][a-z0-9-]*[a-z0-9]$")]
    slug: Option<String>,
    /// Where it sends from, ISO 3166-1 alpha-2.
    #[schema(pattern = "^[A-Z]{2}$")]
    country: String,
    #[serde(default)]
    tagline: Option<Tagline>,
    #[serde(default)]
    description: Option<About>,
}

/// One's own shop, and how its application stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnShop {
    id: VendorId,
    slug: String,
    name: String,
    country: String,
    tagline: String,
    description: String,
    /// `pending`, `approved`, `refused`, `suspended`
    status: String,
    #[serde(with = "time::serde::rfc3339")]
    applied_at: OffsetDateTime,
}

/// Apply to sell
///
/// An operator decides. One shop for a person: `/problems/already-applied`.
#[utoipa::path(post, path = "/users/me/vendor", tag = "accounts", operation_id = "applyToSell", params(IdempotencyKey),
    request_body = NewShop, responses((status = 201, body = OwnShop), (status = 409)), security(("bearer" = []), ("session" = [])))]
pub async fn apply(
    State(app): State<App>,
    who: Customer,
    Body(new): Body<NewShop>,
) -> Result<(StatusCode, Json<OwnShop>), AppError> {
    let form = ApplicationForm {
        name: new.name.into(),
        slug: new.slug.unwrap_or_default(),
        country: new.country,
        tagline: new.tagline.map(String::from).unwrap_or_default(),
        description: new.description.map(String::from).unwrap_or_default(),
    };
    let countries: Vec<String> = accounts::queries::countries(&app.pool).await?.into_iter().map(|c| c.code).collect();
    application::apply(&app, &who, &form.parse(&countries)?).await?;
    let shop = application::standing(&app, &who).await?.ok_or(AppError::Internal)?;
    let shop = OwnShop {
        id: shop.id,
        slug: shop.slug,
        name: shop.name,
        country: shop.country,
        tagline: shop.tagline,
        description: shop.description,
        status: shop.status,
        applied_at: shop.applied_at,
    };
    Ok((StatusCode::CREATED, Json(shop)))
}
