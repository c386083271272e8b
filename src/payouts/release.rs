//! From sold to payable: when a parcel has arrived, or some days after the last of it was sent. Under the order's row lock, so that it
//! excludes a refund of the same parcel.

use super::settle::level_later;
use crate::{
    audit,
    error::{AppError, Refusal},
    ids::{OrderId, UserId, VendorId, VendorOrderId},
    ledger::{
        self,
        model::{Account, Booking, Cause, Entries},
    },
    money::Currency,
    orders::{
        model::OrderStatus,
        queries::{MayRead, Reader},
        record,
    },
    server::{
        auth::{Manager, Operator},
        state::App,
    },
};
use serde_json::json;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

/// How many parcels one run releases.
const PER_RUN: i64 = 100;

/// Who says that a parcel has arrived.
pub enum Deliverer<'a> {
    /// Whoever may read the order as its shopper.
    Shopper(MayRead, &'a Reader),
    Vendor(&'a Manager),
    Operator(&'a Operator),
}

impl Deliverer<'_> {
    fn user(&self) -> Option<UserId> {
        match self {
            Self::Shopper(_, reader) => reader.user(),
            Self::Vendor(vendor) => Some(vendor.customer().id()),
            Self::Operator(operator) => Some(operator.id()),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Shopper(..) => "shopper",
            Self::Vendor(_) => "vendor",
            Self::Operator(_) => "operator",
        }
    }
}

/// Writes down that a parcel has arrived, and releases its vendor's money. Said twice, it is true once. Answers the order.
///
/// Refuses what was not sent whole (`NotSent`); another's parcel is `NotFound`.
pub async fn delivered(app: &App, parcel: VendorOrderId, by: Deliverer<'_>) -> Result<OrderId, AppError> {
    let order = match &by {
        Deliverer::Shopper(may, _) => Some(may.order().uuid()),
        _ => None,
    };
    let vendor = match &by {
        Deliverer::Vendor(vendor) => Some(vendor.id().uuid()),
        _ => None,
    };
    let mut tx = app.pool.begin().await?;
    let row = sqlx::query!(
        r#"select o.id as "order: OrderId", o.status as "status: OrderStatus", v.vendor_name, v.delivered_at is not null as "delivered!",
                  parcel_is_complete(v.id) as "complete!", exists (select 1 from shipments s where s.vendor_order_id = v.id) as "sent!"
           from vendor_orders v join orders o on o.id = v.order_id
           where v.id = $1 and ($2::uuid is null or o.id = $2) and ($3::uuid is null or v.vendor_id = $3) for update of o"#,
        parcel.uuid(),
        order,
        vendor
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(AppError::NotFound)?;
    if row.delivered {
        return Ok(row.order);
    }
    // Where all was paid back before it left, the operator ends it, and the vendor keeps what was not (the shipping).
    let sent = row.sent || matches!(by, Deliverer::Operator(_));
    if row.status != OrderStatus::Placed || !row.complete || !sent {
        return Err(Refusal::NotSent.into());
    }
    sqlx::query!(
        "update vendor_orders set delivered_at = now(), delivered_by = $2 where id = $1",
        parcel.uuid(),
        by.user().map(UserId::uuid)
    )
    .execute(&mut *tx)
    .await?;
    let detail = json!({ "vendor": row.vendor_name, "by": by.word() });
    record(&mut tx, row.order, Some(parcel), "delivered", detail, by.user()).await?;
    release(&mut tx, parcel, by.user(), by.word()).await?;
    tx.commit().await?;
    Ok(row.order)
}

/// Releases what the books still have as pending of a parcel: refunds before it are in that. Call it under the order's row lock. `false`
/// where nothing was left to release. `actor` said that it has arrived, as `by`.
async fn release(tx: &mut PgConnection, parcel: VendorOrderId, actor: Option<UserId>, by: &str) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"select o.id as "order: OrderId", o.currency as "currency: Currency", v.vendor_id as "vendor: VendorId",
                  (select coalesce(-sum(e.amount_minor), 0)::bigint from ledger_entries e join ledger_accounts a on a.id = e.account_id
                   where e.vendor_order_id = v.id and a.kind = 'vendor_pending') as "pending!"
           from vendor_orders v join orders o on o.id = v.order_id where v.id = $1"#,
        parcel.uuid()
    )
    .fetch_one(&mut *tx)
    .await?;
    let mut entries = Entries::default();
    entries.debit(Account::VendorPending(row.vendor), row.pending, Some(parcel)).credit(
        Account::VendorPayable(row.vendor),
        row.pending,
        Some(parcel),
    );
    let booking = Booking { order: Some(row.order), ..Booking::of(Cause::Release, parcel.uuid(), "", row.currency, entries) };
    if ledger::book(tx, booking).await?.is_none() {
        return Ok(false);
    }
    sqlx::query!("update vendor_orders set released_at = now() where id = $1", parcel.uuid()).execute(&mut *tx).await?;
    let detail = json!({ "vendor": row.vendor, "order": row.order, "amount": row.pending, "by": by });
    audit::record(&mut *tx, actor, "parcel.released", ("parcel", parcel), detail).await?;
    level_later(tx, row.vendor).await?;
    Ok(true)
}

/// Releases the parcels of which nothing is left to send and the last was sent (or refunded) `SOUK_RELEASE_DAYS` before `now`; answers how
/// many. Several nodes may run it.
pub async fn release_due(app: &App, now: OffsetDateTime) -> anyhow::Result<usize> {
    let until = now - Duration::days(app.config.release_days.into());
    let due = sqlx::query!(
        r#"select v.id as "parcel: VendorOrderId", o.id as "order: OrderId"
           from vendor_orders v join orders o on o.id = v.order_id
           where v.released_at is null and v.fulfilment_status <> 'unfulfilled' and o.status = 'placed'
             and (select max(s.shipped_at) from shipments s where s.vendor_order_id = v.id) <= $1
             and parcel_is_complete(v.id)
             and (select sum(e.amount_minor) from ledger_entries e join ledger_accounts a on a.id = e.account_id
                  where e.vendor_order_id = v.id and a.kind = 'vendor_pending') <> 0
           order by v.id limit $2"#,
        until,
        PER_RUN
    )
    .fetch_all(&app.pool)
    .await?;
    let mut released = 0;
    for row in due {
        match release_one(app, row.order, row.parcel).await {
            Ok(done) => released += usize::from(done),
            // One that cannot be released does not keep the others waiting.
            Err(error) => tracing::error!(parcel = %row.parcel, %error, "a parcel could not be released; it is tried again"),
        }
    }
    Ok(released)
}

async fn release_one(app: &App, order: OrderId, parcel: VendorOrderId) -> sqlx::Result<bool> {
    let mut tx = app.pool.begin().await?;
    sqlx::query!("select id from orders where id = $1 for update", order.uuid()).fetch_one(&mut *tx).await?;
    let still = sqlx::query_scalar!(
        r#"select released_at is null and parcel_is_complete(id) as "still!" from vendor_orders where id = $1"#,
        parcel.uuid()
    )
    .fetch_one(&mut *tx)
    .await?;
    if !still {
        return Ok(false);
    }
    let done = release(&mut tx, parcel, None, "time").await?;
    tx.commit().await?;
    Ok(done)
}
