//! Orders as a vendor sees them: its own parcels, and nothing of the others.

use super::{
    model::{FulfilmentStatus, OrderStatus, PaymentStatus, VendorOrderDetail, VendorOrderFilter, VendorOrderSummary},
    queries::{Names, PAGE, head, parcels, refunds, timeline},
};
use crate::{
    error::AppError,
    ids::{OrderId, VendorOrderId},
    money::Currency,
    server::auth::Vendor,
};
use sqlx::PgPool;
use time::OffsetDateTime;

/// A page of the vendor's paid orders, those that wait longest first where something is to be shipped, else newest
/// first; `page` counts from 0. The flag says whether there are more. Unpaid orders are nobody's work yet and not listed.
pub async fn vendor_orders(
    pool: &PgPool,
    vendor: &Vendor,
    filter: VendorOrderFilter,
    page: u32,
) -> sqlx::Result<(Vec<VendorOrderSummary>, bool)> {
    let oldest_first = filter == VendorOrderFilter::ToShip;
    let part = Part { oldest_first, after: None, limit: PAGE + 1, offset: i64::from(page) * PAGE };
    let mut orders = vendor_orders_part(pool, vendor, filter, part).await?;
    let more = orders.len() > PAGE as usize;
    orders.truncate(PAGE as usize);
    Ok((orders, more))
}

/// At most `limit` of the vendor's paid orders, newest first, those after the one that was paid then.
pub async fn vendor_orders_after(
    pool: &PgPool,
    vendor: &Vendor,
    filter: VendorOrderFilter,
    after: Option<(OffsetDateTime, VendorOrderId)>,
    limit: i64,
) -> sqlx::Result<Vec<VendorOrderSummary>> {
    vendor_orders_part(pool, vendor, filter, Part { oldest_first: false, after, limit, offset: 0 }).await
}

/// Which part of a list; `after` goes with newest first.
struct Part {
    oldest_first: bool,
    after: Option<(OffsetDateTime, VendorOrderId)>,
    limit: i64,
    offset: i64,
}

async fn vendor_orders_part(
    pool: &PgPool,
    vendor: &Vendor,
    filter: VendorOrderFilter,
    part: Part,
) -> sqlx::Result<Vec<VendorOrderSummary>> {
    sqlx::query_as!(
        VendorOrderSummary,
        r#"select v.id as "id: VendorOrderId", o.number, o.status as "status: OrderStatus",
                  o.payment_status as "payment_status: PaymentStatus", v.fulfilment_status as "fulfilment_status: FulfilmentStatus",
                  o.ship_name, (select name from countries where code = o.ship_country) as "ship_country!", v.shipping_name,
                  o.currency as "currency: Currency", v.total_minor,
                  (select sum(quantity) from order_lines l where l.vendor_order_id = v.id) as "pieces!", o.placed_at, o.created_at
           from vendor_orders v join orders o on o.id = v.order_id
           where v.vendor_id = $1 and o.placed_at is not null
             and case when $2 then o.status = 'placed' and o.payment_status <> 'refunded' and v.fulfilment_status <> 'fulfilled'
                           and parcel_waits(v.id)
                      when $3 then v.fulfilment_status = 'fulfilled' else true end
             and ($6::timestamptz is null or (o.placed_at, v.id) < ($6, $7))
           order by case when $8 then o.placed_at end asc, o.placed_at desc, v.id desc
           limit $4 offset $5"#,
        vendor.id().uuid(),
        filter == VendorOrderFilter::ToShip,
        filter == VendorOrderFilter::Shipped,
        part.limit,
        part.offset,
        part.after.map(|(at, _)| at),
        part.after.map(|(_, id)| id.uuid()),
        part.oldest_first
    )
    .fetch_all(pool)
    .await
}

/// How many paid orders wait for the vendor to ship something.
pub async fn count_to_ship(pool: &PgPool, vendor: &Vendor) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from vendor_orders v join orders o on o.id = v.order_id
           where v.vendor_id = $1 and o.status = 'placed' and o.payment_status <> 'refunded' and v.fulfilment_status <> 'fulfilled'
             and parcel_waits(v.id)"#,
        vendor.id().uuid()
    )
    .fetch_one(pool)
    .await
}

/// One parcel of the vendor's with its lines, shipments and part of the timeline. The order's amounts are replaced by
/// the parcel's, so that what the shopper pays other vendors is not in it.
pub async fn vendor_order(pool: &PgPool, vendor: &Vendor, id: VendorOrderId) -> Result<VendorOrderDetail, AppError> {
    let mut db = pool.acquire().await?;
    let order = sqlx::query_scalar!(
        r#"select o.id as "id: OrderId" from vendor_orders v join orders o on o.id = v.order_id
           where v.id = $1 and v.vendor_id = $2 and o.placed_at is not null"#,
        id.uuid(),
        vendor.id().uuid()
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(AppError::NotFound)?;
    let parcel = parcels(&mut db, order, Some(id)).await?.pop().ok_or(AppError::NotFound)?;
    let mut head = head(&mut db, order).await?;
    head.items_minor = parcel.head.items_minor;
    head.shipping_minor = parcel.head.shipping_minor;
    head.discount_minor = parcel.head.discount_minor;
    head.tax_minor = parcel.head.tax_minor;
    head.total_minor = parcel.head.total_minor;
    let timeline = timeline(&mut db, order, Some(id), Names::Team(vendor.id())).await?;
    let refunds = refunds(&mut db, order, Some(id)).await?;
    Ok(VendorOrderDetail { head, parcel, timeline, refunds })
}
