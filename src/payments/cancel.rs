//! Calling an order off before shipment. It lives here because it moves money; it excludes a shipment by the order's lock.

use super::{
    letters,
    partial::{refuse_disputed, too_much},
    refunds::{NewRefund, book_refund, rest_of},
    settle::close_other_attempts,
};
use crate::{
    audit,
    error::{AppError, Refusal},
    ids::{OrderId, PaymentId, UserId},
    ledger,
    orders::{self, derive_statuses, model::FulfilmentStatus, model::OrderStatus, queries::Reader, record},
    server::state::App,
};
use serde_json::json;
use sqlx::PgConnection;

/// Cancels an order that nothing was shipped of: stock goes back to the shelf, money to the card, open payment pages are
/// closed. Cancelling twice is fine. Refuses with `AlreadyShipped`, `Disputed` or, for an expired
/// order, `OrderClosed`.
pub async fn cancel(app: &App, order: OrderId, reader: &Reader) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    orders::queries::may_read(&mut tx, order, reader).await?;
    let row = sqlx::query!(
        r#"select status as "status: OrderStatus", fulfilment_status as "fulfilment: FulfilmentStatus" from orders
           where id = $1 for update"#,
        order.uuid()
    )
    .fetch_one(&mut *tx)
    .await?;
    let was_paid = match row.status {
        OrderStatus::Cancelled => return Ok(()),
        OrderStatus::Expired => return Err(Refusal::OrderClosed.into()),
        OrderStatus::Pending => false,
        OrderStatus::Placed if row.fulfilment != FulfilmentStatus::Unfulfilled => return Err(Refusal::AlreadyShipped.into()),
        OrderStatus::Placed => true,
    };
    orders::release_holds(&mut tx, order).await?;
    orders::return_taken(&mut tx, order).await?;
    sqlx::query!("update orders set status = 'cancelled', closed_at = now() where id = $1", order.uuid())
        .execute(&mut *tx)
        .await?;
    let paid =
        sqlx::query_scalar!(r#"select id as "id: PaymentId" from payments where order_id = $1 and state = 'paid'"#, order.uuid())
            .fetch_optional(&mut *tx)
            .await?;
    let mut refund = 0;
    if let Some(payment) = paid {
        refuse_disputed(&mut tx, payment).await?;
        // What is left of it: part may have gone back before.
        let parts = rest_of(&mut tx, order, payment).await?;
        refund = parts.iter().map(|p| p.figures.amount).sum();
        if refund > 0 {
            let new = NewRefund { payment, reason: "cancelled", note: "", actor: reader.user(), parts: &parts };
            book_refund(&mut tx, new).await.map_err(too_much)?;
        }
        ledger::sales::called_off(&mut tx, payment).await?;
    }
    close_other_attempts(&mut tx, order).await?;
    record(&mut tx, order, None, "cancelled", json!({ "refund": refund }), reader.user()).await?;
    let detail = json!({ "paid": was_paid, "refund": refund });
    audit::record(&mut tx, reader.user(), "order.cancelled", ("order", order), detail).await?;
    derive_statuses(&mut tx, order).await?;
    letters::cancelled(app, &mut tx, order, was_paid, refund).await?;
    tx.commit().await?;
    Ok(())
}

/// Calls an unpaid order off because its shopper makes another one from the same cart. In the caller's transaction, which has
/// locked the order and the stock it holds. Nobody is written to: the shopper is busy with the new order.
pub async fn replace(tx: &mut PgConnection, order: OrderId, actor: Option<UserId>) -> sqlx::Result<()> {
    orders::release_holds(&mut *tx, order).await?;
    sqlx::query!("update orders set status = 'cancelled', closed_at = now() where id = $1 and status = 'pending'", order.uuid())
        .execute(&mut *tx)
        .await?;
    close_other_attempts(&mut *tx, order).await?;
    record(&mut *tx, order, None, "cancelled", json!({ "refund": 0, "replaced": true }), actor).await?;
    derive_statuses(&mut *tx, order).await
}
