//! What is read of orders, and the one writer of their derived statuses. Who asks is an argument, and every SELECT starts
//! from it, so that another person's order is simply not found.

use super::model::{
    Attempt, Event, FulfilmentStatus, Line, OrderDetail, OrderHead, OrderStatus, OrderSummary, Parcel, ParcelHead, PaymentFact,
    PaymentState, PaymentStatus, RefundLine, Shipment, fulfilment_status, parcel_status, payment_status,
};
use crate::{
    error::AppError,
    ids::{OrderId, OrderLineId, PictureId, RefundId, ShipmentId, UserId, VariantId, VendorId, VendorOrderId},
    money::Currency,
    server::{
        auth::{Customer, MaybeCustomer, Operator},
        token::Token,
    },
};
use sqlx::{PgConnection, PgPool, types::Json};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use uuid::Uuid;

pub use super::vendor_queries::{count_to_ship, vendor_order, vendor_orders, vendor_orders_after};

/// Who asks for an order, and what they brought: the token of its link, a session, both or neither.
#[derive(Debug, Clone)]
pub struct Reader {
    token_hash: Option<Vec<u8>>,
    user: Option<UserId>,
}

impl Reader {
    pub fn person(who: &MaybeCustomer, token: Option<&Token>) -> Self {
        Self { token_hash: token.map(Token::hash), user: who.id() }
    }

    /// Whoever holds the token of the order's link.
    pub fn link(token: &Token) -> Self {
        Self { token_hash: Some(token.hash()), user: None }
    }

    /// Who acts, for the timeline.
    pub fn user(&self) -> Option<UserId> {
        self.user
    }
}

/// Proof of the right to read one order: its link or its owner was asked for, or an operator asks.
#[derive(Debug, Clone, Copy)]
pub struct MayRead(OrderId, Names);

impl MayRead {
    /// An operator may read every order, if there is one of that id.
    pub fn operator(_proof: &Operator, order: OrderId) -> Self {
        Self(order, Names::Everybodys)
    }

    pub fn order(self) -> OrderId {
        self.0
    }
}

/// Checks the right to an order without reading more of it; `NotFound` for everybody without.
pub async fn may_read(db: &mut PgConnection, order: OrderId, reader: &Reader) -> Result<MayRead, AppError> {
    sqlx::query_scalar!(
        "select 1 from orders where id = $1 and (token_hash = $2 or user_id = $3)",
        order.uuid(),
        reader.token_hash.as_deref(),
        reader.user.map(UserId::uuid)
    )
    .fetch_optional(db)
    .await?
    .ok_or(AppError::NotFound)?;
    Ok(MayRead(order, Names::Nobodys))
}

/// An order with all that its page shows.
pub async fn detail(pool: &PgPool, may: MayRead) -> Result<OrderDetail, AppError> {
    let order = may.order();
    let mut db = pool.acquire().await?;
    let head = head(&mut db, order).await?;
    let parcels = parcels(&mut db, order, None).await?;
    let timeline = timeline(&mut db, order, None, may.1).await?;
    let attempt = sqlx::query_as!(
        Attempt,
        r#"select state as "state: PaymentState", failure from payments where order_id = $1 order by attempt desc limit 1"#,
        order.uuid()
    )
    .fetch_optional(&mut *db)
    .await?;
    let refunds = refunds(&mut db, order, None).await?;
    Ok(OrderDetail { head, parcels, timeline, attempt, refunds })
}

pub(super) async fn head(db: &mut PgConnection, order: OrderId) -> sqlx::Result<OrderHead> {
    sqlx::query_as!(
        OrderHead,
        r#"select o.id as "id: OrderId", number, o.email, o.status as "status: OrderStatus",
                  payment_status as "payment_status: PaymentStatus", fulfilment_status as "fulfilment_status: FulfilmentStatus",
                  o.currency as "currency: Currency", items_minor, shipping_minor, discount_minor, tax_minor, total_minor,
                  c.code as "coupon?", v.name as "coupon_vendor?", ship_name, ship_line1, ship_line2, ship_city, ship_postal_code,
                  (select name from countries where code = ship_country) as "ship_country!", ship_country as ship_country_code,
                  hold_expires_at, o.created_at, placed_at, closed_at
           from orders o left join coupon_claims k on k.order_id = o.id left join coupons c on c.id = k.coupon_id
           left join vendors v on v.id = c.vendor_id
           where o.id = $1"#,
        order.uuid()
    )
    .fetch_one(db)
    .await
}

/// The parcels of an order with their lines and shipments, or only the one that is named.
pub(super) async fn parcels(db: &mut PgConnection, order: OrderId, only: Option<VendorOrderId>) -> sqlx::Result<Vec<Parcel>> {
    let only = only.map(VendorOrderId::uuid);
    let heads = sqlx::query_as!(
        ParcelHead,
        r#"select id as "id: VendorOrderId", vendor_name, vendor_slug, shipping_name, min_days, max_days,
                  fulfilment_status as "fulfilment_status: FulfilmentStatus",
                  items_minor, shipping_minor, discount_minor,
                  (select coalesce(sum(l.platform_discount_minor), 0)::bigint from order_lines l where l.vendor_order_id = vendor_orders.id)
                      as "platform_discount_minor!",
                  tax_minor, total_minor,
                  parcel_is_complete(id) as "complete!", delivered_at, released_at
           from vendor_orders where order_id = $1 and ($2::uuid is null or id = $2) order by vendor_name, id"#,
        order.uuid(),
        only
    )
    .fetch_all(&mut *db)
    .await?;
    let lines = sqlx::query_as!(
        Line,
        r#"select l.id as "id: OrderLineId", l.vendor_order_id as "vendor_order_id: VendorOrderId",
                  l.variant_id as "variant_id: VariantId", l.product_slug, l.title, l.sku,
                  coalesce((select string_agg(o.key || ': ' || o.value, ', ' order by o.key) from jsonb_each_text(l.options) o), '') as "options!",
                  l.picture_id as "picture_id: PictureId", l.quantity,
                  coalesce((select sum(s.quantity) from shipment_lines s where s.line_id = l.id), 0)::int as "shipped!",
                  coalesce((select sum(b.quantity) from refund_parts b join refunds r on r.id = b.refund_id
                            where b.line_id = l.id and r.state <> 'failed'), 0)::int as "refunded!",
                  l.unit_price_minor, l.total_minor, l.tax_minor
           from order_lines l where l.order_id = $1 and ($2::uuid is null or l.vendor_order_id = $2)
           order by l.position, l.id"#,
        order.uuid(),
        only
    )
    .fetch_all(&mut *db)
    .await?;
    let shipments = sqlx::query_as!(
        Shipment,
        r#"select s.id as "id: ShipmentId", s.vendor_order_id as "vendor_order_id: VendorOrderId", s.carrier, s.tracking, s.shipped_at,
                  (select string_agg(x.quantity || ' × ' || l.title, ', ' order by l.position, l.id)
                   from shipment_lines x join order_lines l on l.id = x.line_id where x.shipment_id = s.id) as "contents!"
           from shipments s join vendor_orders v on v.id = s.vendor_order_id
           where v.order_id = $1 and ($2::uuid is null or v.id = $2) order by s.shipped_at, s.id"#,
        order.uuid(),
        only
    )
    .fetch_all(&mut *db)
    .await?;
    Ok(heads
        .into_iter()
        .map(|head| Parcel {
            lines: lines.iter().filter(|l| l.vendor_order_id == head.id).cloned().collect(),
            shipments: shipments.iter().filter(|s| s.vendor_order_id == head.id).cloned().collect(),
            head,
        })
        .collect())
}

/// The refunds of an order, oldest first; of one parcel, with what they give back of it, when one is named.
pub(super) async fn refunds(db: &mut PgConnection, order: OrderId, only: Option<VendorOrderId>) -> sqlx::Result<Vec<RefundLine>> {
    sqlx::query_as!(
        RefundLine,
        r#"select r.id as "id: RefundId", case when $2::uuid is null then r.amount_minor else x.amount end as "amount_minor!", r.reason,
                  r.note, x.contents as "contents!", r.state, r.created_at
           from refunds r join payments p on p.id = r.payment_id
           cross join lateral (
               select sum(i.amount_minor)::bigint as amount, count(*) as parts,
                      coalesce(string_agg(case i.kind when 'line' then i.quantity || ' × ' || l.title when 'shipping' then 'shipping' end,
                                          ', ' order by i.kind, l.position, l.id), '') as contents
               from refund_parts i left join order_lines l on l.id = i.line_id
               where i.refund_id = r.id and ($2::uuid is null or i.vendor_order_id = $2)) x
           where p.order_id = $1 and ($2::uuid is null or x.parts > 0) order by r.created_at, r.id"#,
        order.uuid(),
        only.map(VendorOrderId::uuid)
    )
    .fetch_all(db)
    .await
}

/// Whose names the reader of a timeline may read.
#[derive(Debug, Clone, Copy)]
pub enum Names {
    /// A shopper reads those of shops alone.
    Nobodys,
    /// A shop's people, those of their own, also of who has left since.
    Team(VendorId),
    /// The operator.
    Everybodys,
}

/// The facts of an order in order of time; of one parcel and the whole order when one is named.
pub(super) async fn timeline(
    db: &mut PgConnection,
    order: OrderId,
    only: Option<VendorOrderId>,
    names: Names,
) -> sqlx::Result<Vec<Event>> {
    let team = if let Names::Team(vendor) = names { Some(vendor.uuid()) } else { None };
    sqlx::query_as!(
        Event,
        r#"select e.vendor_order_id as "vendor_order_id: VendorOrderId", e.kind, e.detail, u.name as "actor?", e.at
           from order_events e left join users u on u.id = e.actor_id and ($3 or e.actor_vendor_id = $4)
           where e.order_id = $1 and ($2::uuid is null or e.vendor_order_id is null or e.vendor_order_id = $2) order by e.id"#,
        order.uuid(),
        only.map(VendorOrderId::uuid),
        matches!(names, Names::Everybodys),
        team
    )
    .fetch_all(db)
    .await
}

/// How many orders one page of a list holds.
pub const PAGE: i64 = 20;

/// A person's orders, newest first, a page at a time; `page` counts from 0. The flag says whether there are more.
pub async fn history(pool: &PgPool, customer: &Customer, page: u32) -> sqlx::Result<(Vec<OrderSummary>, bool)> {
    let mut orders = history_part(pool, customer, None, PAGE + 1, i64::from(page) * PAGE).await?;
    let more = orders.len() > PAGE as usize;
    orders.truncate(PAGE as usize);
    Ok((orders, more))
}

/// At most `limit` of a person's orders, newest first, those after the order that was made then.
pub async fn history_after(
    pool: &PgPool,
    customer: &Customer,
    after: Option<(OffsetDateTime, OrderId)>,
    limit: i64,
) -> sqlx::Result<Vec<OrderSummary>> {
    history_part(pool, customer, after, limit, 0).await
}

async fn history_part(
    pool: &PgPool,
    customer: &Customer,
    after: Option<(OffsetDateTime, OrderId)>,
    limit: i64,
    offset: i64,
) -> sqlx::Result<Vec<OrderSummary>> {
    sqlx::query_as!(
        OrderSummary,
        r#"select o.id as "id: OrderId", o.number, o.status as "status: OrderStatus",
                  o.payment_status as "payment_status: PaymentStatus", o.fulfilment_status as "fulfilment_status: FulfilmentStatus",
                  o.total_minor, o.currency as "currency: Currency", x.pieces as "pieces!", x.title as "title!",
                  x.picture_id as "picture_id: PictureId", o.created_at
           from orders o join lateral (
               select sum(l.quantity) as pieces,
                      (array_agg(l.title order by l.position, l.id))[1] as title,
                      (array_agg(l.picture_id order by l.position, l.id))[1] as picture_id
               from order_lines l where l.order_id = o.id having count(*) > 0) x on true
           where o.user_id = $1 and ($4::timestamptz is null or (o.created_at, o.id) < ($4, $5))
           order by o.created_at desc, o.id desc limit $2 offset $3"#,
        customer.id().uuid(),
        limit,
        offset,
        after.map(|(at, _)| at),
        after.map(|(_, id)| id.uuid())
    )
    .fetch_all(pool)
    .await
}

/// Writes the statuses that follow from payments, refunds and shipments: the one writer of them. Call it under the
/// order's row lock, in the transaction that changed a fact, after that.
pub async fn derive_statuses(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<()> {
    let facts = sqlx::query!(
        r#"select (select coalesce(json_agg(json_build_object(
                       'state', p.state, 'refused', p.failure is not null, 'amount_minor', p.amount_minor,
                       'refunded_minor', coalesce((select sum(r.amount_minor) from refunds r
                                                   where r.payment_id = p.id and r.state <> 'failed'), 0)
                           -- a bank that took it has given it back, too
                           + coalesce((select sum(d.amount_minor) from disputes d where d.payment_id = p.id and d.status = 'lost'), 0))
                       order by p.attempt), '[]')
                   from payments p where p.order_id = $1) as "payments!: Json<Vec<PaymentFact>>",
                  (select coalesce(json_agg(json_build_array(
                       l.vendor_order_id, l.quantity,
                       coalesce((select sum(s.quantity) from shipment_lines s where s.line_id = l.id), 0))), '[]')
                   from order_lines l where l.order_id = $1) as "lines!: Json<Vec<(VendorOrderId, i32, i32)>>""#,
        order.uuid()
    )
    .fetch_one(&mut *tx)
    .await?;
    let mut by_parcel: BTreeMap<VendorOrderId, Vec<(i32, i32)>> = BTreeMap::new();
    for (parcel, sold, shipped) in facts.lines.0 {
        by_parcel.entry(parcel).or_default().push((sold, shipped));
    }
    let parcels: Vec<FulfilmentStatus> = by_parcel.values().map(|lines| parcel_status(lines)).collect();
    let ids: Vec<Uuid> = by_parcel.keys().map(|parcel| parcel.uuid()).collect();
    let statuses: Vec<String> = parcels.iter().map(|status| status.as_str().to_owned()).collect();
    sqlx::query!(
        "with parcels as (
             update vendor_orders v set fulfilment_status = n.status from unnest($4::uuid[], $5::text[]) n (id, status)
             where v.id = n.id and v.fulfilment_status <> n.status
         )
         update orders set payment_status = $2, fulfilment_status = $3
         where id = $1 and (payment_status, fulfilment_status) is distinct from ($2, $3)",
        order.uuid(),
        payment_status(&facts.payments).as_str(),
        fulfilment_status(&parcels).as_str(),
        &ids,
        &statuses
    )
    .execute(tx)
    .await?;
    Ok(())
}
