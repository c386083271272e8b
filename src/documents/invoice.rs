//! A vendor's invoice for its part of an order: issued when the order is paid, because that is when the shopper expects it and when
//! every figure stands.

use super::{
    issue::{About, issue},
    model::{Invoice, Line, Paper, Party},
    party,
};
use crate::{
    ids::{OrderId, VendorId, VendorOrderId},
    money::Currency,
    post::address_lines,
    server::state::App,
};
use sqlx::PgConnection;
use time::Date;

/// The job: an invoice for each vendor's part of a paid order. Done twice, it finds them issued.
///
/// # Errors
/// When the database does not answer; the queue tries again.
pub async fn issue_invoices(app: &App, order: OrderId) -> anyhow::Result<()> {
    let parcels = sqlx::query!(
        r#"select v.id as "id: VendorOrderId", v.vendor_id as "vendor: VendorId" from vendor_orders v join orders o on o.id = v.order_id
           where o.id = $1 and o.placed_at is not null
             and not exists (select 1 from documents d where d.vendor_order_id = v.id and d.kind = 'invoice') order by v.id"#,
        order.uuid()
    )
    .fetch_all(&app.pool)
    .await?;
    for parcel in parcels {
        let mut tx = app.pool.begin().await?;
        let invoice = invoice(&mut tx, parcel.id).await?;
        let about = About { order: Some(order), vendor_order: Some(parcel.id), ..About::default() };
        issue(&mut tx, parcel.vendor, about, Paper::Invoice(invoice)).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// What the sides of a vendor order are, and when it was made and paid.
pub(super) struct Sale {
    pub vendor: VendorId,
    pub seller: Party,
    pub buyer: Party,
    pub order_number: i64,
    pub ordered_on: Date,
    pub paid_on: Date,
    pub currency: Currency,
    pub lines: Vec<Line>,
}

async fn invoice(tx: &mut PgConnection, parcel: VendorOrderId) -> anyhow::Result<Invoice> {
    let Sale { seller, buyer, order_number, ordered_on, paid_on, currency, lines, .. } = sale(tx, parcel).await?;
    Ok(Invoice { seller, buyer, order_number, ordered_on, paid_on, currency, lines })
}

/// A paid vendor order as it was sold.
pub(super) async fn sale(tx: &mut PgConnection, parcel: VendorOrderId) -> anyhow::Result<Sale> {
    let row = sqlx::query!(
        r#"select v.vendor_id as "vendor: VendorId", v.shipping_name, v.shipping_minor, v.tax_minor, o.number,
                  o.currency as "currency: Currency", (o.created_at at time zone 'UTC')::date as "ordered_on!",
                  (coalesce(o.placed_at, o.created_at) at time zone 'UTC')::date as "paid_on!",
                  o.ship_name, o.ship_line1, o.ship_line2, o.ship_city, o.ship_postal_code, o.ship_country, c.name as country
           from vendor_orders v join orders o on o.id = v.order_id join countries c on c.code = o.ship_country where v.id = $1"#,
        parcel.uuid()
    )
    .fetch_one(&mut *tx)
    .await?;
    let mut lines: Vec<Line> = sqlx::query!(
        r#"select title, sku, quantity, unit_price_minor, discount_minor, tax_rate_bp, tax_minor, total_minor,
                  coalesce((select string_agg(o.key || ': ' || o.value, ', ' order by o.key) from jsonb_each_text(options) o), '') as "options!"
           from order_lines where vendor_order_id = $1 order by position, id"#,
        parcel.uuid()
    )
    .fetch_all(&mut *tx)
    .await?
    .into_iter()
    .map(|l| Line {
        title: l.title,
        detail: if l.options.is_empty() { l.sku } else { format!("{} · {}", l.sku, l.options) },
        quantity: l.quantity,
        unit_minor: l.unit_price_minor,
        discount_minor: l.discount_minor,
        tax_rate_bp: l.tax_rate_bp,
        tax_minor: l.tax_minor,
        total_minor: l.total_minor,
    })
    .collect();
    // Shipping is taxed as the goods that it brings; what VAT the lines leave of the whole is its own.
    lines.push(Line {
        title: format!("Shipping, {}", row.shipping_name),
        detail: String::new(),
        quantity: 1,
        unit_minor: row.shipping_minor,
        discount_minor: 0,
        tax_rate_bp: lines.iter().map(|l| l.tax_rate_bp).max().unwrap_or_default(),
        tax_minor: row.tax_minor - lines.iter().map(|l| l.tax_minor).sum::<i64>(),
        total_minor: row.shipping_minor,
    });
    let street = [row.ship_line1.as_str(), row.ship_line2.as_str()];
    let address = address_lines("", street, &row.ship_city, &row.ship_postal_code, &row.ship_country, &row.country);
    Ok(Sale {
        vendor: row.vendor,
        seller: party::vendor(tx, row.vendor).await?,
        buyer: Party { name: row.ship_name, address, vat_number: String::new() },
        order_number: row.number,
        ordered_on: row.ordered_on,
        paid_on: row.paid_on,
        currency: row.currency,
        lines,
    })
}
