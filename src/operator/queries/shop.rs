//! Vendors, people and orders.

use super::{PAGE, Rows};
use crate::{
    ids::{OrderId, UserId, VendorId},
    money::{Currency, Money},
    operator::Cursor,
    orders::model::{FulfilmentStatus, OrderStatus, PaymentStatus},
    server::auth::Operator,
};
use sqlx::PgPool;
use time::OffsetDateTime;

/// A shop with everything that an operator decides on.
pub struct VendorRow {
    pub id: VendorId,
    pub slug: String,
    pub name: String,
    pub tagline: String,
    pub description: String,
    pub country: String,
    pub status: String,
    pub status_reason: String,
    pub applied_at: OffsetDateTime,
    pub decided_at: Option<OffsetDateTime>,
    pub decided_by: Option<String>,
    pub owner_name: String,
    pub owner_handle: String,
    pub owner_email: String,
    /// Published ones.
    pub products: i64,
    pub orders: i64,
}

/// A page of the shops of a status, or of all.
pub async fn vendors(
    db: &PgPool,
    _proof: &Operator,
    status: Option<&str>,
    after: Option<&Cursor<VendorId>>,
) -> sqlx::Result<Rows<VendorRow>> {
    vendor_rows(db, None, status, after).await.map(Rows::from)
}

pub async fn vendor(db: &PgPool, _proof: &Operator, id: VendorId) -> sqlx::Result<Option<VendorRow>> {
    Ok(vendor_rows(db, Some(id), None, None).await?.pop())
}

async fn vendor_rows(
    db: &PgPool,
    id: Option<VendorId>,
    status: Option<&str>,
    after: Option<&Cursor<VendorId>>,
) -> sqlx::Result<Vec<VendorRow>> {
    sqlx::query_as!(
        VendorRow,
        r#"select v.id as "id: VendorId", v.slug, v.name, v.tagline, v.description, v.country, v.status, v.status_reason,
                  v.applied_at, v.decided_at, d.name as "decided_by?", u.name as owner_name, u.handle as owner_handle,
                  u.email as owner_email,
                  (select count(*) from products p where p.vendor_id = v.id and p.status = 'published') as "products!",
                  (select count(*) from vendor_orders o where o.vendor_id = v.id) as "orders!"
           from vendors v join users u on u.id = v.owner_id left join users d on d.id = v.decided_by
           where ($1::uuid is null or v.id = $1) and ($2::text is null or v.status = $2)
             and ($3::timestamptz is null or (v.applied_at, v.id) < ($3, $4))
           order by v.applied_at desc, v.id desc limit $5"#,
        id.map(VendorId::uuid),
        status,
        after.map(|c| c.at),
        after.map(|c| c.id.uuid()),
        PAGE + 1
    )
    .fetch_all(db)
    .await
}

/// A line of the list of people.
pub struct UserRow {
    pub id: UserId,
    pub handle: String,
    pub name: String,
    pub email: String,
    pub operator: bool,
    pub vendor_id: Option<VendorId>,
    pub vendor_name: Option<String>,
    pub orders: i64,
    pub created_at: OffsetDateTime,
}

/// People whose name, e-mail address or handle contains `find`; empty: all.
pub async fn users(db: &PgPool, _proof: &Operator, find: &str, after: Option<&Cursor<UserId>>) -> sqlx::Result<Rows<UserRow>> {
    let pattern = format!("%{}%", find.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
    sqlx::query_as!(
        UserRow,
        r#"select u.id as "id: UserId", u.handle, u.name, u.email, u.operator, v.id as "vendor_id?: VendorId",
                  v.name as "vendor_name?", (select count(*) from orders o where o.user_id = u.id) as "orders!", u.created_at
           from users u left join vendor_members m on m.user_id = u.id left join vendors v on v.id = m.vendor_id
           where (u.name ilike $1 or u.email ilike $1 or u.handle ilike $1)
             and ($2::timestamptz is null or (u.created_at, u.id) < ($2, $3))
           order by u.created_at desc, u.id desc limit $4"#,
        pattern,
        after.map(|c| c.at),
        after.map(|c| c.id.uuid()),
        PAGE + 1
    )
    .fetch_all(db)
    .await
    .map(Rows::from)
}

/// What the operator looks for among orders; `None` and empty: everything.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// one of the texts of [`OrderStatus`]
    pub status: Option<&'static str>,
    /// one of the texts of [`PaymentStatus`]
    pub payment: Option<&'static str>,
    /// an order's number
    pub number: Option<i64>,
    /// an e-mail address, in lower case
    pub email: Option<String>,
}

/// A line of the list of orders.
pub struct OrderRow {
    pub id: OrderId,
    pub number: i64,
    pub email: String,
    pub status: OrderStatus,
    pub payment_status: PaymentStatus,
    pub fulfilment_status: FulfilmentStatus,
    pub total_minor: i64,
    pub currency: Currency,
    pub vendors: i64,
    pub created_at: OffsetDateTime,
}

impl OrderRow {
    pub fn total(&self) -> Money {
        Money::new(self.total_minor, self.currency)
    }
}

pub async fn orders(
    db: &PgPool,
    _proof: &Operator,
    filter: &OrderFilter,
    after: Option<&Cursor<OrderId>>,
) -> sqlx::Result<Rows<OrderRow>> {
    sqlx::query_as!(
        OrderRow,
        r#"select o.id as "id: OrderId", o.number, o.email, o.status as "status: OrderStatus",
                  o.payment_status as "payment_status: PaymentStatus",
                  o.fulfilment_status as "fulfilment_status: FulfilmentStatus", o.total_minor, o.currency as "currency: Currency",
                  (select count(*) from vendor_orders v where v.order_id = o.id) as "vendors!", o.created_at
           from orders o
           where ($1::text is null or o.status = $1) and ($2::text is null or o.payment_status = $2)
             and ($3::bigint is null or o.number = $3) and ($4::text is null or lower(o.email) = $4)
             and ($5::timestamptz is null or (o.created_at, o.id) < ($5, $6))
           order by o.created_at desc, o.id desc limit $7"#,
        filter.status,
        filter.payment,
        filter.number,
        filter.email,
        after.map(|c| c.at),
        after.map(|c| c.id.uuid()),
        PAGE + 1
    )
    .fetch_all(db)
    .await
    .map(Rows::from)
}

/// One attempt to pay, as Stripe told it.
pub struct PaymentRow {
    pub attempt: i32,
    pub state: String,
    pub amount_minor: i64,
    pub stripe_session_id: Option<String>,
    pub stripe_intent_id: Option<String>,
    pub failure: Option<String>,
    pub created_at: OffsetDateTime,
    pub settled_at: Option<OffsetDateTime>,
}

pub async fn payments(db: &PgPool, _proof: &Operator, order: OrderId) -> sqlx::Result<Vec<PaymentRow>> {
    sqlx::query_as!(
        PaymentRow,
        "select attempt, state, amount_minor, stripe_session_id, stripe_intent_id, failure, created_at, settled_at
         from payments where order_id = $1 order by attempt",
        order.uuid()
    )
    .fetch_all(db)
    .await
}
