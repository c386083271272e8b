//! A vendor's credit note for money that went back to a shopper: issued when Stripe says that it has, one for each vendor order that
//! the refund is about.

use super::{
    invoice::{Sale, issue_invoices, sale},
    issue::{About, issue},
    model::{Credit, CreditNote, CreditPart, Paper},
};
use crate::{
    ids::{OrderId, RefundId, VendorOrderId},
    money::apportion,
    server::state::App,
};
use sqlx::PgConnection;

/// The job: credit notes for a refund that succeeded, of a payment that an order took. Money that no order could take was never
/// invoiced, and has none. Done twice, it finds them issued.
///
/// # Errors
/// When the database does not answer; the queue tries again.
pub async fn issue_credit_notes(app: &App, refund: RefundId) -> anyhow::Result<()> {
    let row = sqlx::query!(
        r#"select p.order_id as "order: OrderId", r.reason, (coalesce(r.settled_at, now()) at time zone 'UTC')::date as "refunded_on!"
           from refunds r join payments p on p.id = r.payment_id where r.id = $1 and r.state = 'succeeded' and p.state = 'paid'"#,
        refund.uuid()
    )
    .fetch_optional(&app.pool)
    .await?;
    let Some(row) = row else { return Ok(()) };
    issue_invoices(app, row.order).await?;
    let mut tx = app.pool.begin().await?;
    // One refund of an order at a time, so that what is credited already stands still.
    sqlx::query!("select id from orders where id = $1 for no key update", row.order.uuid()).fetch_one(&mut *tx).await?;
    // Its notes are written together: where one is, all are.
    let done = sqlx::query_scalar!(r#"select exists (select 1 from documents where refund_id = $1) as "done!""#, refund.uuid());
    if done.fetch_one(&mut *tx).await? {
        return Ok(());
    }
    let mut parts = Vec::new();
    for part in parts_of(&mut tx, refund).await? {
        parts.push((sale(&mut tx, part.vendor_order).await?, part));
    }
    // The series are locked in one order.
    parts.sort_by_key(|(sale, _)| sale.vendor);
    for (sale, part) in parts {
        let invoice = sqlx::query!(
            "select number, issued_on from documents where vendor_order_id = $1 and kind = 'invoice'",
            part.vendor_order.uuid()
        )
        .fetch_one(&mut *tx)
        .await?;
        let note = CreditNote {
            seller: sale.seller,
            buyer: sale.buyer,
            order_number: sale.order_number,
            invoice_number: invoice.number,
            invoiced_on: invoice.issued_on,
            refunded_on: row.refunded_on,
            reason: reason_words(&row.reason).into(),
            currency: sale.currency,
            lines: part.lines,
        };
        let about =
            About { order: Some(row.order), vendor_order: Some(part.vendor_order), refund: Some(refund), ..About::default() };
        issue(&mut tx, sale.vendor, about, Paper::CreditNote(note)).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Why the money went back, in words for the shopper; empty where it says nothing to them.
fn reason_words(reason: &str) -> &'static str {
    match reason {
        "cancelled" => "the order was cancelled",
        "sold_out" => "what was ordered is sold out",
        "returned" => "goods were returned",
        _ => "",
    }
}

/// What of a vendor order went back before.
struct Standing {
    parcel: VendorOrderId,
    total_minor: i64,
    tax_minor: i64,
    credited_minor: i64,
    credited_tax_minor: i64,
}

/// What a refund gives back of each vendor order: its amount is spread by what is left of each. Never more than all refunds of the
/// order that stand, less what credit notes say already: where a refund failed after its credit note was issued, the one that takes
/// its place needs none.
async fn parts_of(tx: &mut PgConnection, refund: RefundId) -> anyhow::Result<Vec<CreditPart>> {
    let sums = sqlx::query!(
        r#"select r.amount_minor, p.order_id as "order: OrderId",
                  (select coalesce(sum(x.amount_minor), 0)::bigint from refunds x
                   where x.payment_id = p.id and x.state = 'succeeded') as "back!",
                  (select coalesce(sum(d.total_minor), 0)::bigint from documents d
                   where d.order_id = p.order_id and d.kind = 'credit_note') as "credited!"
           from refunds r join payments p on p.id = r.payment_id where r.id = $1"#,
        refund.uuid()
    )
    .fetch_one(&mut *tx)
    .await?;
    let standing = sqlx::query_as!(
        Standing,
        r#"select v.id as "parcel: VendorOrderId", v.total_minor, v.tax_minor,
                  coalesce(sum(d.total_minor), 0)::bigint as "credited_minor!", coalesce(sum(d.tax_minor), 0)::bigint as "credited_tax_minor!"
           from vendor_orders v left join documents d on d.vendor_order_id = v.id and d.kind = 'credit_note'
           where v.order_id = $1 group by v.id order by v.id"#,
        sums.order.uuid()
    )
    .fetch_all(&mut *tx)
    .await?;
    let left: Vec<i64> = standing.iter().map(|s| s.total_minor - s.credited_minor).collect();
    let amount = sums.amount_minor.min(sums.back - sums.credited).clamp(0, left.iter().sum());
    let mut parts = Vec::new();
    for (now, amount) in standing.iter().zip(apportion(amount, &left)).filter(|(_, amount)| *amount > 0) {
        let sale = sale(tx, now.parcel).await?;
        parts.push(CreditPart { vendor_order: now.parcel, lines: lines_of(&sale, now, amount) });
    }
    Ok(parts)
}

/// The lines as they were sold where all of it goes back at once; else one amount, with the VAT that was in it.
fn lines_of(sale: &Sale, now: &Standing, amount: i64) -> Vec<Credit> {
    if amount == now.total_minor {
        return sale.lines.iter().filter(|l| l.total_minor > 0).map(Credit::from).collect();
    }
    let tax = tax_in(now, amount);
    let mut rates: Vec<i32> = sale.lines.iter().map(|l| l.tax_rate_bp).collect();
    rates.sort_unstable();
    rates.dedup();
    let of_rate = |bp: i32, minor: fn(&super::model::Line) -> i64| -> i64 {
        sale.lines.iter().filter(|l| l.tax_rate_bp == bp).map(minor).sum()
    };
    let gross: Vec<i64> = rates.iter().map(|bp| of_rate(*bp, |l| l.total_minor)).collect();
    let taxes: Vec<i64> = rates.iter().map(|bp| of_rate(*bp, |l| l.tax_minor)).collect();
    let credit = |((bp, total_minor), tax_minor)| Credit {
        title: "Part of what was paid".into(),
        detail: String::new(),
        quantity: None,
        tax_rate_bp: bp,
        tax_minor,
        total_minor,
    };
    let amounts = rates.into_iter().zip(apportion(amount, &gross)).zip(apportion(tax, &taxes));
    amounts.map(credit).filter(|c: &Credit| c.total_minor != 0 || c.tax_minor != 0).collect()
}

/// The VAT in the next `amount` to go back: in proportion, and rounded so that all parts sum to the whole's VAT.
fn tax_in(now: &Standing, amount: i64) -> i64 {
    let after = i128::from(now.credited_minor + amount) * i128::from(now.tax_minor) / i128::from(now.total_minor.max(1));
    i64::try_from(after).unwrap_or(now.tax_minor) - now.credited_tax_minor
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_vat_of_all_parts_is_the_vat_of_the_whole(total in 1i64..1_000_000, share in 0i64..5000, cuts in prop::collection::vec(1i64..1000, 1..12)) {
            let tax = total * share / 10_000;
            let mut now = Standing { parcel: VendorOrderId::new(), total_minor: total, tax_minor: tax, credited_minor: 0, credited_tax_minor: 0 };
            for amount in apportion(total, &cuts) {
                let part = tax_in(&now, amount);
                prop_assert!((0..=amount).contains(&part), "{part} of {amount}");
                now.credited_minor += amount;
                now.credited_tax_minor += part;
            }
            prop_assert_eq!((now.credited_minor, now.credited_tax_minor), (total, tax));
        }
    }
}
