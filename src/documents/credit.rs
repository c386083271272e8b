//! A vendor's credit note for money that went back to a shopper: issued when Stripe says that it has, one for each vendor order that
//! the refund is about.

use super::{
    invoice::{issue_invoices, sale},
    issue::{About, issue},
    model::{Credit, CreditNote, CreditPart, Paper},
};
use crate::{
    ids::{OrderId, RefundId, VendorOrderId},
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

/// What a refund gives back of each vendor order, as its parts say. A parcel whose credit notes already say as much as went back of it
/// is left out: where a refund failed after its credit note was issued, the one that takes its place needs none.
async fn parts_of(tx: &mut PgConnection, refund: RefundId) -> anyhow::Result<Vec<CreditPart>> {
    let rows = sqlx::query!(
        r#"with back as (
               select x.vendor_order_id, sum(x.amount_minor) as minor from refund_parts x join refunds y on y.id = x.refund_id
               where y.state = 'succeeded'
                 and x.vendor_order_id in (select vendor_order_id from refund_parts where refund_id = $1) group by 1
           )
           select v.id as "parcel: VendorOrderId", p.kind, p.quantity, p.amount_minor, p.tax_minor, v.shipping_name,
                  (select max(tax_rate_bp) from order_lines where vendor_order_id = v.id) as "rate!",
                  coalesce(l.title, '') as "title!", coalesce(l.sku, '') as "sku!",
                  coalesce((select string_agg(o.key || ': ' || o.value, ', ' order by o.key) from jsonb_each_text(l.options) o), '') as "options!"
           from refund_parts p join vendor_orders v on v.id = p.vendor_order_id left join order_lines l on l.id = p.line_id
           where p.refund_id = $1 and p.amount_minor > 0
             and (select minor from back where vendor_order_id = v.id) >=
                 (select coalesce(sum(total_minor), 0) from documents where vendor_order_id = v.id and kind = 'credit_note')
                 + (select sum(amount_minor) from refund_parts where refund_id = $1 and vendor_order_id = v.id)
           order by v.id, l.position nulls last, l.id"#,
        refund.uuid()
    )
    .fetch_all(tx)
    .await?;
    let mut parts: Vec<CreditPart> = Vec::new();
    for row in rows {
        let (title, detail, quantity) = match row.kind.as_str() {
            "line" if row.options.is_empty() => (row.title, row.sku, row.quantity),
            "line" => (row.title, format!("{} · {}", row.sku, row.options), row.quantity),
            "shipping" => (format!("Shipping, {}", row.shipping_name), String::new(), Some(1)),
            _ => ("Part of what was paid".to_owned(), String::new(), None),
        };
        let line =
            Credit { title, detail, quantity, tax_rate_bp: row.rate, tax_minor: row.tax_minor, total_minor: row.amount_minor };
        match parts.last_mut().filter(|part| part.vendor_order == row.parcel) {
            Some(part) => part.lines.push(line),
            None => parts.push(CreditPart { vendor_order: row.parcel, lines: vec![line] }),
        }
    }
    Ok(parts)
}
