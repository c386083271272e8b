//! What a refund moves in the books: of each part what the vendor had of it, and the platform's fees, by the frozen figures. Nothing
//! is booked of a payment whose sale is not in the books yet; [`catch_up`] does that when it is.

use super::{
    book,
    model::{Account, Booking, Cause, Entries},
};
use crate::{
    ids::{LedgerTransactionId, OrderId, RefundId, VendorId, VendorOrderId},
    money::Currency,
    payouts,
};
use sqlx::PgConnection;
use std::collections::BTreeSet;
use uuid::Uuid;

/// A refund as the books need it.
struct Refund {
    id: RefundId,
    amount_minor: i64,
    order: OrderId,
    currency: Currency,
    /// Money that no order took: it is due to the shopper since it came.
    surplus: bool,
    /// The payment is in the books.
    sold: bool,
    /// The refund is in the books, by this transaction.
    booked: Option<LedgerTransactionId>,
}

async fn read(tx: &mut PgConnection, refund: RefundId) -> sqlx::Result<Refund> {
    sqlx::query_as!(
        Refund,
        r#"select r.id as "id: RefundId", r.amount_minor, p.order_id as "order: OrderId", p.currency as "currency: Currency",
                  p.state = 'surplus' as "surplus!",
                  exists (select 1 from ledger_transactions t where t.cause = 'payment' and t.cause_id = p.id
                          and t.step in ('sale', 'surplus')) as "sold!",
                  (select t.id from ledger_transactions t where t.cause = 'refund' and t.cause_id = r.id and t.step = 'booked')
                      as "booked: LedgerTransactionId"
           from refunds r join payments p on p.id = r.payment_id where r.id = $1"#,
        refund.uuid()
    )
    .fetch_one(tx)
    .await
}

/// What booking it moves: from the vendors, where their money is now, and from the platform, to those who wait for the refund.
async fn entries(tx: &mut PgConnection, refund: &Refund) -> sqlx::Result<Entries> {
    let parts = sqlx::query!(
        r#"select v.id as "parcel: VendorOrderId", v.vendor_id as "vendor: VendorId", p.amount_minor, p.fee_minor, p.fee_vat_minor,
                  p.platform_discount_minor,
                  exists (select 1 from ledger_transactions t where t.cause = 'release' and t.cause_id = v.id) as "released!"
           from refund_parts p join vendor_orders v on v.id = p.vendor_order_id where p.refund_id = $1 order by v.id"#,
        refund.id.uuid()
    )
    .fetch_all(tx)
    .await?;
    let mut entries = Entries::default();
    for part in parts {
        let vendor = if part.released { Account::VendorPayable(part.vendor) } else { Account::VendorPending(part.vendor) };
        let had = part.amount_minor + part.platform_discount_minor - part.fee_minor - part.fee_vat_minor;
        entries
            .debit(vendor, had, Some(part.parcel))
            .debit(Account::Commission, part.fee_minor, Some(part.parcel))
            .debit(Account::CommissionVat, part.fee_vat_minor, Some(part.parcel))
            .credit(Account::Discounts, part.platform_discount_minor, Some(part.parcel));
    }
    entries.credit(Account::RefundsDue, refund.amount_minor, None);
    Ok(entries)
}

async fn step(
    tx: &mut PgConnection,
    refund: &Refund,
    step: &str,
    reverses: Option<LedgerTransactionId>,
    entries: Entries,
) -> sqlx::Result<bool> {
    // What was released is at Stripe, or on the way there: it follows.
    let released = |account| match account {
        Account::VendorPayable(vendor) => Some(vendor),
        _ => None,
    };
    let vendors: BTreeSet<VendorId> = entries.as_slice().iter().filter_map(|e| released(e.account)).collect();
    let booking = Booking {
        order: Some(refund.order),
        reverses,
        ..Booking::of(Cause::Refund, refund.id.uuid(), step, refund.currency, entries)
    };
    let booked = book(tx, booking).await?.is_some();
    for vendor in vendors.into_iter().filter(|_| booked) {
        payouts::level_later(&mut *tx, vendor).await?;
    }
    Ok(booked)
}

/// A refund was decided: what it gives back is taken from those who had it, and due to the shopper. Call it with the refund and
/// its parts written, under the order's lock, as everything here. `true` where it was not in the books before.
pub async fn booked(tx: &mut PgConnection, refund: RefundId) -> sqlx::Result<bool> {
    let refund = read(tx, refund).await?;
    if refund.surplus || !refund.sold {
        return Ok(false);
    }
    let entries = entries(tx, &refund).await?;
    step(tx, &refund, "booked", None, entries).await
}

fn from_cash(amount: i64) -> Entries {
    let mut entries = Entries::default();
    entries.debit(Account::RefundsDue, amount, None).credit(Account::Cash, amount, None);
    entries
}

/// Whether there is something in the books that a refund of this payment can be paid from.
fn is_due(refund: &Refund) -> bool {
    refund.booked.is_some() || (refund.surplus && refund.sold)
}

/// Stripe has sent the money.
pub async fn paid(tx: &mut PgConnection, refund: RefundId) -> sqlx::Result<bool> {
    let refund = read(tx, refund).await?;
    if !is_due(&refund) {
        return Ok(false);
    }
    step(tx, &refund, "paid", None, from_cash(refund.amount_minor)).await
}

/// What was sent came back: a bank did not take it. Only what was booked as sent can come back.
pub async fn returned(tx: &mut PgConnection, refund: RefundId) -> sqlx::Result<bool> {
    let refund = read(tx, refund).await?;
    let Some(sent) = transaction(tx, refund.id.uuid(), "paid").await? else { return Ok(false) };
    step(tx, &refund, "returned", Some(sent), from_cash(refund.amount_minor).reversed()).await
}

/// It is off: what was booked goes back to those who had it, to where a vendor's money is by now. A surplus stays due.
pub async fn failed(tx: &mut PgConnection, refund: RefundId) -> sqlx::Result<bool> {
    let refund = read(tx, refund).await?;
    let Some(first) = refund.booked else { return Ok(false) };
    let entries = entries(tx, &refund).await?.reversed();
    step(tx, &refund, "failed", Some(first), entries).await
}

async fn transaction(tx: &mut PgConnection, refund: Uuid, step: &str) -> sqlx::Result<Option<LedgerTransactionId>> {
    sqlx::query_scalar!(
        r#"select id as "id: LedgerTransactionId" from ledger_transactions where cause = 'refund' and cause_id = $1 and step = $2"#,
        refund,
        step
    )
    .fetch_optional(tx)
    .await
}

/// Books what is missing for refunds whose payment is in the books: those that were made before there were any. Those that failed
/// before moved nothing. Call it after the sales; booked is once, however often. Answers how many steps were missing.
pub async fn catch_up(tx: &mut PgConnection) -> sqlx::Result<usize> {
    let missing = sqlx::query!(
        r#"select r.id as "id: RefundId", r.state = 'succeeded' as "succeeded!"
           from refunds r join payments p on p.id = r.payment_id
           where r.state <> 'failed'
             and exists (select 1 from ledger_transactions t where t.cause = 'payment' and t.cause_id = p.id and t.step in ('sale', 'surplus'))
             and ((p.state <> 'surplus' and exists (select 1 from refund_parts x where x.refund_id = r.id)
                   and not exists (select 1 from ledger_transactions t where t.cause = 'refund' and t.cause_id = r.id and t.step = 'booked'))
               or (r.state = 'succeeded'
                   and not exists (select 1 from ledger_transactions t where t.cause = 'refund' and t.cause_id = r.id and t.step = 'paid')))
           order by r.created_at, r.id"#
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut steps = 0;
    for refund in missing {
        steps += usize::from(booked(tx, refund.id).await?);
        if refund.succeeded {
            steps += usize::from(paid(tx, refund.id).await?);
        }
    }
    Ok(steps)
}
