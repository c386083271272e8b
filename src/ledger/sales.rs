//! Booking what shoppers pay: from frozen rows alone, once for each payment.

use super::{
    book::{book, book_at},
    model::{Account, Booking, Cause, Entries},
};
use crate::{
    audit,
    ids::{LedgerTransactionId, OrderId, PaymentId, VendorId, VendorOrderId},
    money::Currency,
    server::state::App,
};
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// How many payments one run of [`catch_up`] books.
const PER_RUN: i64 = 200;

/// Books a payment that placed its order, in the transaction that did: the vendors' shares are pending, the market has its commission
/// and owes the VAT on it. Done once, however often it is called.
pub async fn sold(tx: &mut PgConnection, payment: PaymentId) -> sqlx::Result<()> {
    let parts = sqlx::query!(
        r#"with p as (
               update payments set booked_at = now() where id = $1 and state = 'paid' and booked_at is null
               returning order_id, amount_minor, currency, coalesce(settled_at, now()) as at
           )
           select p.order_id as "order: OrderId", p.amount_minor, p.currency as "currency: Currency", p.at as "at!",
                  v.id as "part: VendorOrderId", v.vendor_id as "vendor: VendorId", v.total_minor, v.fee_minor, v.fee_vat_minor,
                  (select sum(l.platform_discount_minor)::bigint from order_lines l where l.vendor_order_id = v.id) as "discount!"
           from p join vendor_orders v on v.order_id = p.order_id order by v.id"#,
        payment.uuid()
    )
    .fetch_all(&mut *tx)
    .await?;
    let Some(first) = parts.first() else { return Ok(()) };
    let (order, currency, at) = (first.order, first.currency, first.at);
    let mut entries = Entries::default();
    entries.debit(Account::Cash, first.amount_minor, None);
    for part in &parts {
        let of = Some(part.part);
        let gross = part.total_minor + part.discount;
        entries
            .debit(Account::Discounts, part.discount, of)
            .credit(Account::VendorPending(part.vendor), gross - part.fee_minor - part.fee_vat_minor, of)
            .credit(Account::Commission, part.fee_minor, of)
            .credit(Account::CommissionVat, part.fee_vat_minor, of);
    }
    let booking = Booking { order: Some(order), ..Booking::of(Cause::Payment, payment.uuid(), "sale", currency, entries) };
    book_at(tx, booking, at).await?;
    Ok(())
}

/// Books money that no order can take: it is due to go back whole.
pub async fn surplus(tx: &mut PgConnection, payment: PaymentId) -> sqlx::Result<()> {
    let row = sqlx::query!(
        r#"update payments set booked_at = now() where id = $1 and state = 'surplus' and booked_at is null
           returning order_id as "order: OrderId", amount_minor, currency as "currency: Currency", coalesce(settled_at, now()) as "at!""#,
        payment.uuid()
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let mut entries = Entries::default();
    entries.debit(Account::Cash, row.amount_minor, None).credit(Account::RefundsDue, row.amount_minor, None);
    let booking =
        Booking { order: Some(row.order), ..Booking::of(Cause::Payment, payment.uuid(), "surplus", row.currency, entries) };
    book_at(tx, booking, row.at).await?;
    Ok(())
}

/// An order that cost its shopper nothing is called off: there is nothing to refund, but what the market paid its vendors for it is taken
/// back. Nothing happens for any other payment. Call it under the order's lock, before anything of it has left; done once, however often
/// it is called.
pub async fn called_off(tx: &mut PgConnection, payment: PaymentId) -> sqlx::Result<()> {
    let rows = sqlx::query!(
        r#"select t.id as "sale: LedgerTransactionId", t.order_id as "order: OrderId", t.currency as "currency: Currency",
                  a.kind, a.vendor_id as "vendor?: VendorId", e.amount_minor, e.vendor_order_id as "part?: VendorOrderId"
           from payments p join ledger_transactions t on t.cause = 'payment' and t.cause_id = p.id and t.step = 'sale'
           join ledger_entries e on e.transaction_id = t.id join ledger_accounts a on a.id = e.account_id
           where p.id = $1 and p.amount_minor = 0 order by e.id"#,
        payment.uuid()
    )
    .fetch_all(&mut *tx)
    .await?;
    let Some(first) = rows.first() else { return Ok(()) };
    let mut entries = Entries::default();
    for row in &rows {
        let account = Account::of(&row.kind, row.vendor).ok_or_else(|| sqlx::Error::Decode("an account of no kind".into()))?;
        entries.credit(account, row.amount_minor, row.part);
    }
    let booking = Booking {
        order: first.order,
        reverses: Some(first.sale),
        ..Booking::of(Cause::Payment, payment.uuid(), "called_off", first.currency, entries)
    };
    book(tx, booking).await?;
    Ok(())
}

/// Writes down and books what Stripe kept of a payment, in minor units, as of the time that Stripe says. Nothing where it is known
/// already.
pub async fn fee(tx: &mut PgConnection, payment: PaymentId, fee_minor: i64, at: OffsetDateTime) -> sqlx::Result<()> {
    let row = sqlx::query!(
        r#"update payments set stripe_fee_minor = $2
           where id = $1 and state in ('paid', 'surplus') and stripe_fee_minor is null
           returning order_id as "order: OrderId", currency as "currency: Currency""#,
        payment.uuid(),
        fee_minor
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(row) = row else { return Ok(()) };
    let mut entries = Entries::default();
    entries.debit(Account::StripeFees, fee_minor, None).credit(Account::Cash, fee_minor, None);
    let booking = Booking { order: Some(row.order), ..Booking::of(Cause::Payment, payment.uuid(), "fee", row.currency, entries) };
    book_at(tx, booking, at).await?;
    let detail = json!({ "fee": fee_minor, "by": "Stripe" });
    audit::record(tx, None, "payment.fee_booked", ("payment", payment), detail).await?;
    Ok(())
}

/// Books payments that came in before there were books, the oldest first, a bounded number per run; answers how many.
pub async fn catch_up(app: &App) -> anyhow::Result<usize> {
    let waiting = sqlx::query!(
        r#"select id as "id: PaymentId", state = 'paid' as "sold!" from payments
           where booked_at is null and state in ('paid', 'surplus') order by settled_at, id limit $1"#,
        PER_RUN
    )
    .fetch_all(&app.pool)
    .await?;
    let mut booked = 0;
    for payment in waiting {
        match late(app, payment.id, payment.sold).await {
            Ok(()) => booked += 1,
            // One that cannot be booked does not keep the others out.
            Err(error) => tracing::error!(payment = %payment.id, %error, "a payment could not be booked"),
        }
    }
    Ok(booked)
}

async fn late(app: &App, payment: PaymentId, paid: bool) -> sqlx::Result<()> {
    let mut tx = app.pool.begin().await?;
    // The order's row first, as everybody who changes something of an order.
    sqlx::query!(
        "select 1 as one from orders where id = (select order_id from payments where id = $1) for update",
        payment.uuid()
    )
    .fetch_optional(&mut *tx)
    .await?;
    if paid {
        sold(&mut tx, payment).await?;
    } else {
        surplus(&mut tx, payment).await?;
    }
    tx.commit().await
}
