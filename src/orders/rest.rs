//! Orders for programs: a shopper's own, or with the token of the order's link.

use super::{
    model::{
        FulfilmentStatus, Line, OrderDetail, OrderHead, OrderStatus, OrderSummary, Parcel, PaymentStatus, RefundLine,
        Shipment as Sent,
    },
    queries::{self, Reader},
};
use crate::{
    error::AppError,
    ids::{OrderId, OrderLineId, RefundId, ShipmentId, VariantId, VendorOrderId},
    money::Money,
    payments,
    server::{
        auth::{Customer, MaybeCustomer},
        rest::{IdempotencyKey, List, Named, Page, Params},
        state::App,
        token::Token,
    },
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// The calls of this slice.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show)).routes(routes!(cancel)).routes(routes!(history))
}

/// An order, whole.
#[derive(Debug, Serialize, ToSchema)]
pub struct Order {
    id: OrderId,
    /// What people call it by.
    number: i64,
    status: OrderStatus,
    payment_status: PaymentStatus,
    fulfilment_status: FulfilmentStatus,
    email: String,
    shipping_address: OrderAddress,
    /// One for each vendor.
    vendor_orders: Vec<OrderParcel>,
    totals: OrderTotals,
    /// The code of the coupon that the discount was had by.
    #[schema(required)]
    coupon: Option<String>,
    refunds: Vec<Refund>,
    /// What happened, in order of time.
    timeline: Vec<OrderEvent>,
    /// Whether it may still be cancelled.
    can_be_cancelled: bool,
    /// Until then the goods of an unpaid order are held.
    #[serde(with = "time::serde::rfc3339")]
    hold_expires_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// When it was paid.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(required)]
    placed_at: Option<OffsetDateTime>,
}

/// Where the parcels go.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderAddress {
    name: String,
    line1: String,
    line2: String,
    city: String,
    postal_code: String,
    /// ISO 3166-1 alpha-2
    country: String,
}

/// `total = items + shipping − discount`, which contains `tax`.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderTotals {
    items: Money,
    shipping: Money,
    tax: Money,
    discount: Money,
    total: Money,
}

/// The part of an order that one vendor sends.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderParcel {
    id: VendorOrderId,
    vendor: OrderVendor,
    fulfilment_status: FulfilmentStatus,
    shipping_method: OrderShipping,
    lines: Vec<OrderLine>,
    shipments: Vec<Shipment>,
    totals: OrderTotals,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct OrderVendor {
    slug: String,
    name: String,
}

/// How it is sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderShipping {
    name: String,
    /// Working days, at least and at most.
    min_days: i32,
    max_days: i32,
}

/// A line as it was sold.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderLine {
    id: OrderLineId,
    /// `null` once the variant is gone from the shop.
    #[schema(required)]
    variant_id: Option<VariantId>,
    product_slug: String,
    title: String,
    sku: String,
    /// `Size: M, Colour: Blue`; empty where there was nothing to choose.
    options: String,
    #[schema(minimum = 1)]
    quantity: i32,
    /// How many of them left the vendor.
    #[schema(minimum = 0)]
    shipped: i32,
    /// How many of them were paid back, or are being.
    #[schema(minimum = 0)]
    refunded: i32,
    unit_price: Money,
    tax: Money,
    /// After discounts; `tax` is contained.
    total: Money,
}

/// What left the vendor in one go.
#[derive(Debug, Serialize, ToSchema)]
pub struct Shipment {
    pub id: ShipmentId,
    pub vendor_order_id: VendorOrderId,
    pub carrier: String,
    /// Empty where there is none.
    pub tracking: String,
    /// `2 × Oak bowl, 1 × Linen towel`
    pub contents: String,
    #[serde(with = "time::serde::rfc3339")]
    pub shipped_at: OffsetDateTime,
}

/// Money that went back, or is on its way.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refund {
    pub id: RefundId,
    amount: Money,
    /// `cancelled`, `vendor`, `operator`, `returned`, `stripe_dashboard`, `sold_out`, `paid_twice`, `mismatch`
    reason: String,
    /// In words, where a person gave it; may be empty.
    note: String,
    /// `2 × Oak bowl, shipping`; empty where it was for nothing in particular.
    contents: String,
    /// `pending`, `succeeded`, `failed`
    state: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

/// One fact.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderEvent {
    /// A past participle: `created`, `paid`, `shipped`, `cancelled`, ...
    kind: String,
    /// `null` for what concerns the whole order.
    #[schema(required)]
    vendor_order_id: Option<VendorOrderId>,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
}

impl OrderEvent {
    /// What is meant for the operator's eyes stays there.
    pub(crate) fn shown(event: &super::model::Event) -> bool {
        event.detail["operator"] != true
    }

    pub(crate) fn list(events: Vec<super::model::Event>) -> Vec<Self> {
        let for_all = events.into_iter().filter(Self::shown);
        for_all.map(|e| Self { kind: e.kind, vendor_order_id: e.vendor_order_id, at: e.at }).collect()
    }
}

impl OrderAddress {
    pub(crate) fn of(head: &OrderHead) -> Self {
        Self {
            name: head.ship_name.clone(),
            line1: head.ship_line1.clone(),
            line2: head.ship_line2.clone(),
            city: head.ship_city.clone(),
            postal_code: head.ship_postal_code.clone(),
            country: head.ship_country_code.clone(),
        }
    }
}

impl Refund {
    pub(crate) fn of(refund: RefundLine, head: &OrderHead) -> Self {
        Self {
            id: refund.id,
            amount: head.money(refund.amount_minor),
            reason: refund.reason,
            note: refund.note,
            contents: refund.contents,
            state: refund.state,
            created_at: refund.created_at,
        }
    }
}

impl Shipment {
    pub(crate) fn of(sent: Sent) -> Self {
        Self {
            id: sent.id,
            vendor_order_id: sent.vendor_order_id,
            carrier: sent.carrier,
            tracking: sent.tracking,
            contents: sent.contents,
            shipped_at: sent.shipped_at,
        }
    }
}

impl OrderParcel {
    pub(crate) fn of(parcel: Parcel, head: &OrderHead) -> Self {
        let money = |minor| head.money(minor);
        let line = |line: Line| OrderLine {
            id: line.id,
            variant_id: line.variant_id,
            product_slug: line.product_slug,
            title: line.title,
            sku: line.sku,
            options: line.options,
            quantity: line.quantity,
            shipped: line.shipped,
            refunded: line.refunded,
            unit_price: money(line.unit_price_minor),
            tax: money(line.tax_minor),
            total: money(line.total_minor),
        };
        let own = parcel.head;
        Self {
            id: own.id,
            vendor: OrderVendor { slug: own.vendor_slug, name: own.vendor_name },
            fulfilment_status: own.fulfilment_status,
            shipping_method: OrderShipping { name: own.shipping_name, min_days: own.min_days, max_days: own.max_days },
            lines: parcel.lines.into_iter().map(line).collect(),
            shipments: parcel.shipments.into_iter().map(Shipment::of).collect(),
            totals: OrderTotals {
                items: money(own.items_minor),
                shipping: money(own.shipping_minor),
                tax: money(own.tax_minor),
                discount: money(own.discount_minor),
                total: money(own.total_minor),
            },
        }
    }
}

impl Order {
    pub fn of(detail: OrderDetail) -> Self {
        let OrderDetail { head, parcels, timeline, refunds, .. } = detail;
        Self {
            id: head.id,
            number: head.number,
            status: head.status,
            payment_status: head.payment_status,
            fulfilment_status: head.fulfilment_status,
            email: head.email.clone(),
            shipping_address: OrderAddress::of(&head),
            vendor_orders: parcels.into_iter().map(|p| OrderParcel::of(p, &head)).collect(),
            totals: OrderTotals {
                items: head.money(head.items_minor),
                shipping: head.money(head.shipping_minor),
                tax: head.money(head.tax_minor),
                discount: head.money(head.discount_minor),
                total: head.money(head.total_minor),
            },
            coupon: head.coupon.clone(),
            refunds: refunds.into_iter().map(|r| Refund::of(r, &head)).collect(),
            timeline: OrderEvent::list(timeline),
            can_be_cancelled: head.can_be_cancelled(),
            hold_expires_at: head.hold_expires_at,
            created_at: head.created_at,
            placed_at: head.placed_at,
        }
    }
}

/// The way to an order without an account.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Link {
    /// From the checkout's answer, or the link of a mail.
    #[serde(default)]
    token: Option<String>,
}

impl Link {
    /// A text that is no token opens nothing, like a wrong one.
    fn reader(&self, who: &MaybeCustomer) -> Reader {
        let token: Option<Token> = self.token.as_deref().and_then(|t| t.parse().ok());
        Reader::person(who, token.as_ref())
    }
}

async fn read(app: &App, id: OrderId, reader: &Reader) -> Result<Response, AppError> {
    let may = queries::may_read(&mut *app.pool.acquire().await?, id, reader).await?;
    let order = Order::of(queries::detail(&app.pool, may).await?);
    // It is personal, and its address may hold the token.
    Ok(([(header::CACHE_CONTROL, "private, no-store")], Json(order)).into_response())
}

/// An order
#[utoipa::path(get, path = "/orders/{id}", tag = "orders", operation_id = "getOrder",
    params(("id" = OrderId, Path, description = "The order's id"), Link), responses((status = 200, body = Order)),
    security((), ("bearer" = []), ("session" = [])))]
pub async fn show(
    State(app): State<App>,
    who: MaybeCustomer,
    Named(id): Named<OrderId>,
    Params(link): Params<Link>,
) -> Result<Response, AppError> {
    read(&app, id, &link.reader(&who)).await
}

/// Call an order off
///
/// Before anything of it was shipped: the goods go back to the shelf and the money to the card. Refused with
/// `/problems/already-shipped` or, where it was never paid in time, `/problems/order-closed`.
#[utoipa::path(post, path = "/orders/{id}/cancel", tag = "orders", operation_id = "cancelOrder",
    params(("id" = OrderId, Path, description = "The order's id"), Link, IdempotencyKey),
    responses((status = 200, body = Order), (status = 409)), security((), ("bearer" = []), ("session" = [])))]
pub async fn cancel(
    State(app): State<App>,
    who: MaybeCustomer,
    Named(id): Named<OrderId>,
    Params(link): Params<Link>,
) -> Result<Response, AppError> {
    let reader = link.reader(&who);
    payments::cancel(&app, id, &reader).await?;
    read(&app, id, &reader).await
}

/// An order in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedOrder {
    id: OrderId,
    /// What people call it by.
    number: i64,
    status: OrderStatus,
    payment_status: PaymentStatus,
    fulfilment_status: FulfilmentStatus,
    total: Money,
    /// Pieces, over all parcels.
    pieces: i64,
    /// Of its first line, to recognise it by.
    title: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl ListedOrder {
    fn of(order: OrderSummary) -> Self {
        let total = order.total();
        Self {
            id: order.id,
            number: order.number,
            status: order.status,
            payment_status: order.payment_status,
            fulfilment_status: order.fulfilment_status,
            total,
            pieces: order.pieces,
            title: order.title,
            created_at: order.created_at,
        }
    }
}

/// One's own orders, newest first
#[utoipa::path(get, path = "/users/me/orders", tag = "orders", operation_id = "listOwnOrders", params(Page),
    responses((status = 200, body = List<ListedOrder>)), security(("bearer" = []), ("session" = [])))]
pub async fn history(
    State(app): State<App>,
    who: Customer,
    Params(page): Params<Page>,
) -> Result<Json<List<ListedOrder>>, AppError> {
    const LIST: &str = "own orders";
    let limit = page.limit()?;
    let rows = queries::history_after(&app.pool, &who, page.position(&app, LIST)?, limit + 1).await?;
    List::page(&app, LIST, limit, rows, |o| (o.created_at, o.id), ListedOrder::of).map(Json)
}
