//! A vendor's orders as CSV, one row for a line: what a parcel needs, and what was sold in it.

use super::{
    model::{VendorOrderFilter, VendorOrderSummary, vendor_words},
    queries::vendor_orders_after,
};
use crate::{
    catalog::import::cell,
    ids::VendorOrderId,
    money::Money,
    server::{
        auth::Vendor,
        csv::{self, Piece},
        state::App,
    },
};
use axum::response::Response;
use futures::stream;
use sqlx::PgPool;
use std::collections::HashMap;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

/// Orders that are read and written at a time.
const PAGE: i64 = 200;

const COLUMNS: [&str; 21] = [
    "order",
    "paid_at",
    "state",
    "name",
    "line1",
    "line2",
    "city",
    "postal_code",
    "country",
    "shipping",
    "sku",
    "title",
    "options",
    "quantity",
    "shipped",
    "unit_price",
    "discount",
    "line_total",
    "vat",
    "order_total",
    "currency",
];

/// A file of the vendor's orders that fit, newest first. No connection is held while the answer waits for who reads it.
pub fn orders(app: App, vendor: Vendor, which: VendorOrderFilter) -> Response {
    let name = format!("orders-{}.csv", vendor.slug());
    // Before the first page; after an order; at the end.
    let pages = stream::try_unfold(Some(None), move |after: Option<Option<(OffsetDateTime, VendorOrderId)>>| {
        let (app, vendor) = (app.clone(), vendor.clone());
        async move {
            let Some(after) = after else { return Ok(None) };
            let orders = vendor_orders_after(&app.pool, &vendor, which, after, PAGE).await?;
            let mut lines = lines(&app.pool, &orders).await?;
            let mut piece = if after.is_none() { Piece::first(b',', COLUMNS)? } else { Piece::new(b',') };
            for order in &orders {
                for line in lines.remove(&order.id.uuid()).unwrap_or_default() {
                    piece.row(cells(order, line).iter().map(|text| cell::guarded(text).into_owned()))?;
                }
            }
            let last = orders.last().filter(|_| orders.len() as i64 == PAGE);
            let next = last.and_then(|last| Some(Some((last.placed_at?, last.id))));
            anyhow::Ok(Some((piece.done()?, next)))
        }
    });
    csv::answer(&name, pages)
}

/// A line with the address that it goes to.
struct Line {
    address: [String; 5],
    sku: String,
    title: String,
    options: String,
    quantity: i32,
    shipped: i32,
    unit_price_minor: i64,
    discount_minor: i64,
    total_minor: i64,
    tax_minor: i64,
}

/// The lines of orders that were found for their vendor, by vendor order.
async fn lines(pool: &PgPool, orders: &[VendorOrderSummary]) -> sqlx::Result<HashMap<Uuid, Vec<Line>>> {
    let ids: Vec<Uuid> = orders.iter().map(|o| o.id.uuid()).collect();
    let rows = sqlx::query!(
        r#"select l.vendor_order_id, o.ship_line1, o.ship_line2, o.ship_city, o.ship_postal_code, o.ship_country, l.sku, l.title,
                  coalesce((select string_agg(x.key || '=' || x.value, '; ' order by x.key) from jsonb_each_text(l.options) x), '')
                      as "options!",
                  l.quantity, coalesce((select sum(s.quantity) from shipment_lines s where s.line_id = l.id), 0)::int as "shipped!",
                  l.unit_price_minor, l.discount_minor, l.total_minor, l.tax_minor
           from order_lines l join orders o on o.id = l.order_id
           where l.vendor_order_id = any($1) order by l.vendor_order_id, l.position, l.id"#,
        &ids
    )
    .fetch_all(pool)
    .await?;
    let mut lines: HashMap<Uuid, Vec<Line>> = HashMap::new();
    for row in rows {
        lines.entry(row.vendor_order_id).or_default().push(Line {
            address: [row.ship_line1, row.ship_line2, row.ship_city, row.ship_postal_code, row.ship_country],
            sku: row.sku,
            title: row.title,
            options: row.options,
            quantity: row.quantity,
            shipped: row.shipped,
            unit_price_minor: row.unit_price_minor,
            discount_minor: row.discount_minor,
            total_minor: row.total_minor,
            tax_minor: row.tax_minor,
        });
    }
    Ok(lines)
}

fn cells(order: &VendorOrderSummary, line: Line) -> [String; COLUMNS.len()] {
    let money = |minor: i64| Money::new(minor, order.currency).plain();
    let [line1, line2, city, postal_code, country] = line.address;
    [
        order.number.to_string(),
        order.placed_at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default(),
        vendor_words(order.status, order.payment_status, order.fulfilment_status).to_owned(),
        order.ship_name.clone(),
        line1,
        line2,
        city,
        postal_code,
        country,
        order.shipping_name.clone(),
        line.sku,
        line.title,
        line.options,
        line.quantity.to_string(),
        line.shipped.to_string(),
        money(line.unit_price_minor),
        money(line.discount_minor),
        money(line.total_minor),
        money(line.tax_minor),
        money(order.total_minor),
        order.currency.code().to_owned(),
    ]
}
