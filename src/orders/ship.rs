//! Shipping: what left the vendor, in one transaction under the order's row lock, so that it excludes a cancellation.

use super::{model::OrderStatus, queries::derive_statuses, record, token::order_url};
use crate::{
    error::{AppError, FieldErrors, Refusal},
    ids::{OrderId, OrderLineId, ShipmentId, VendorOrderId},
    server::{auth::Vendor, errors::violates, mail, state::App},
    texts,
};
use std::collections::BTreeMap;

texts!(
    /// Who carries a parcel: `Royal Mail`.
    Carrier: line, 1, 60;
    /// What the carrier calls the parcel; empty where it calls it nothing.
    Tracking: line, 0, 80;
);

/// Writes down that these pieces of the vendor's parcel left, tells the shopper, and derives the statuses.
///
/// Refuses what is not paid (`NotPaid`), what was cancelled (`OrderCancelled`), and more than is left (`ShipsTooMuch`);
/// another vendor's parcel or line is `NotFound`. Several shipments of one parcel are fine until all is gone.
pub async fn ship(
    app: &App,
    vendor: &Vendor,
    vendor_order: VendorOrderId,
    lines: &[(OrderLineId, i32)],
    carrier: &str,
    tracking: &str,
) -> Result<ShipmentId, AppError> {
    let (pieces, carrier, tracking) = checked(lines, carrier, tracking)?;
    let (carrier, tracking) = (carrier.as_str(), tracking.as_str());

    let mut tx = app.pool.begin().await?;
    let order = sqlx::query!(
        r#"select o.id as "id: OrderId", o.number, o.email, o.checkout_key, o.status as "status: OrderStatus",
                  o.payment_status = 'refunded' as "refunded!", v.vendor_name
           from vendor_orders v join orders o on o.id = v.order_id
           where v.id = $1 and v.vendor_id = $2 for update of o"#,
        vendor_order.uuid(),
        vendor.id().uuid()
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(AppError::NotFound)?;
    match order.status {
        OrderStatus::Placed if order.refunded => return Err(Refusal::OrderCancelled.into()),
        OrderStatus::Placed => {}
        OrderStatus::Cancelled => return Err(Refusal::OrderCancelled.into()),
        OrderStatus::Pending | OrderStatus::Expired => return Err(Refusal::NotPaid.into()),
    }

    let shipment = ShipmentId::new();
    sqlx::query!(
        "insert into shipments (id, vendor_order_id, carrier, tracking, shipped_by) values ($1, $2, $3, $4, $5)",
        shipment.uuid(),
        vendor_order.uuid(),
        carrier,
        tracking,
        vendor.customer().id().uuid()
    )
    .execute(&mut *tx)
    .await?;
    let mut contents = Vec::with_capacity(pieces.len());
    for (line, quantity) in &pieces {
        let title = sqlx::query_scalar!(
            "select title from order_lines where id = $1 and vendor_order_id = $2",
            line.uuid(),
            vendor_order.uuid()
        )
        .fetch_optional(&mut *tx)
        .await?
        .ok_or(AppError::NotFound)?;
        sqlx::query!(
            "insert into shipment_lines (shipment_id, line_id, quantity) values ($1, $2, $3)",
            shipment.uuid(),
            line.uuid(),
            quantity
        )
        .execute(&mut *tx)
        .await
        .map_err(|e| if violates(&e, "shipment_lines_within") { Refusal::ShipsTooMuch.into() } else { AppError::from(e) })?;
        contents.push(format!("{quantity} × {title}"));
    }
    derive_statuses(&mut tx, order.id).await?;
    let detail =
        serde_json::json!({ "carrier": carrier, "tracking": tracking, "vendor": order.vendor_name, "contents": contents });
    record(&mut tx, order.id, Some(vendor_order), "shipped", detail, Some(vendor.customer().id())).await?;
    let by = if tracking.is_empty() { carrier.to_owned() } else { format!("{carrier}, tracking number {tracking}") };
    let letter = mail::Mail {
        to: order.email,
        subject: format!("{} has sent a parcel of order {}", order.vendor_name, order.number),
        paragraphs: vec![
            format!("{} has handed a parcel of your order {} to {by}.", order.vendor_name, order.number),
            format!("In it: {}.", contents.join(", ")),
        ],
        link: Some(("See your order".into(), order_url(app, order.id, order.checkout_key)?)),
    };
    mail::enqueue(&mut tx, &letter).await?;
    tx.commit().await?;
    Ok(shipment)
}

/// The shipment's form, parsed: lines with their pieces, zero left out, a line named twice added up.
fn checked(
    lines: &[(OrderLineId, i32)],
    carrier: &str,
    tracking: &str,
) -> Result<(BTreeMap<OrderLineId, i32>, Carrier, Tracking), AppError> {
    let mut errors = FieldErrors::default();
    let carrier = errors.take("carrier", carrier.parse::<Carrier>());
    let tracking = errors.take("tracking", tracking.parse::<Tracking>());
    let mut pieces: BTreeMap<OrderLineId, i32> = BTreeMap::new();
    let mut sensible = true;
    for (line, quantity) in lines {
        sensible &= (0..=999).contains(quantity);
        if *quantity > 0 {
            let sum = pieces.entry(*line).or_default();
            *sum = sum.saturating_add(*quantity);
        }
    }
    if !sensible || pieces.is_empty() {
        errors.add("", "Say how many pieces leave, at least one");
    }
    match (carrier, tracking) {
        (Some(carrier), Some(tracking)) if errors.is_empty() => Ok((pieces, carrier, tracking)),
        _ => Err(AppError::Invalid(errors)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shipment_has_pieces_a_carrier_and_sane_texts() {
        let line = OrderLineId::new();
        let (pieces, carrier, tracking) = checked(&[(line, 1), (line, 2)], " Royal Mail ", "").unwrap();
        assert_eq!((pieces, carrier.as_str(), tracking.as_str()), ([(line, 3)].into(), "Royal Mail", ""));
        assert!(checked(&[(line, 0)], "Royal Mail", "").is_err());
        assert!(checked(&[(line, -1), (line, 2)], "Royal Mail", "").is_err());
        assert!(checked(&[(line, 1)], "", "").is_err());
        assert!(checked(&[(line, 1)], "Royal\u{0}Mail", "").is_err());
        assert!(checked(&[(line, 1)], "Royal Mail", &"9".repeat(81)).is_err());
    }
}
