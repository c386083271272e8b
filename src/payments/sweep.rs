//! Nothing stays open for ever: unpaid orders give their stock back, and Stripe is asked about every payment of which no
//! webhook told the end. Several nodes may sweep at once: each takes different rows, a bounded number per run.

use super::{
    fees,
    gateway::{self, GatewayError},
    letters,
    refunds::job_key,
    settle::{settle, unsettled},
};
use crate::{
    ids::{OrderId, PaymentId, RefundId},
    orders::{self, derive_statuses, model::OrderStatus, model::PaymentState, record},
    server::{
        jobs::{self, Job},
        state::App,
    },
};
use serde_json::json;
use std::time::Duration;

/// How many orders, and how many payments, one run looks at.
const PER_RUN: i64 = 50;

/// Settles, expires, or asks again. One stuck row does not keep the others waiting.
pub async fn sweep(app: &App) -> anyhow::Result<()> {
    for order in claim_overdue(app).await? {
        if let Err(error) = expire_order(app, order).await {
            tracing::warn!(%order, error = format!("{error:#}"), "an unpaid order could not be closed; it is tried again");
        }
    }
    for payment in claim_open(app).await? {
        if let Err(error) = look_after(app, payment).await {
            tracing::warn!(%payment, error = format!("{error:#}"), "a payment could not be settled; it is tried again");
        }
    }
    fees::sweep(app).await?;
    revive_refunds(app).await
}

/// How soon a row that was looked at may be taken again.
fn again_after(app: &App) -> f64 {
    app.config.sweep_after.min(Duration::from_secs(60)).as_secs_f64()
}

/// Takes unpaid orders whose time is over. The claim is a time in the row, not a lock, because Stripe is asked next.
async fn claim_overdue(app: &App) -> sqlx::Result<Vec<OrderId>> {
    sqlx::query_scalar!(
        r#"update orders set swept_at = now() where id in (
               select id from orders
               where status = 'pending' and hold_expires_at < now()
                 and (swept_at is null or swept_at <= now() - make_interval(secs => $1))
               order by hold_expires_at limit $2 for update skip locked)
           returning id as "id: OrderId""#,
        again_after(app),
        PER_RUN
    )
    .fetch_all(&app.pool)
    .await
}

/// Takes payments that are open for longer than `config.sweep_after`, the longest unasked first.
async fn claim_open(app: &App) -> sqlx::Result<Vec<PaymentId>> {
    sqlx::query_scalar!(
        r#"update payments set asked_at = now() where id in (
               select id from payments
               where state in ('opening', 'open', 'processing') and created_at <= now() - make_interval(secs => $1)
                 and (asked_at is null or asked_at <= now() - make_interval(secs => $2))
               order by asked_at nulls first, created_at limit $3 for update skip locked)
           returning id as "id: PaymentId""#,
        app.config.sweep_after.as_secs_f64(),
        again_after(app),
        PER_RUN
    )
    .fetch_all(&app.pool)
    .await
}

/// Ends an unpaid order whose hold is over: ask Stripe, close its page there, then give the stock back.
///
/// Where Stripe is away the stock goes back all the same: goods that nobody can buy because a third party is down help
/// nobody. If the shopper did pay in that moment, settling finds the money later and takes the stock again, or refunds it.
/// Only a payment on its way (a slow method) keeps its goods.
async fn expire_order(app: &App, order: OrderId) -> anyhow::Result<()> {
    for payment in unsettled(&app.pool, order).await? {
        match close(app, payment).await {
            Ok(PaymentState::Paid | PaymentState::Processing) => return Ok(()),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%order, %payment, error = format!("{error:#}"), "Stripe does not say; the stock goes back")
            }
        }
    }
    let mut tx = app.pool.begin().await?;
    let status = sqlx::query_scalar!(
        r#"select status as "status: OrderStatus" from orders where id = $1 and hold_expires_at < now() for update"#,
        order.uuid()
    )
    .fetch_optional(&mut *tx)
    .await?;
    if status != Some(OrderStatus::Pending) {
        return Ok(());
    }
    let processing = sqlx::query_scalar!("select 1 from payments where order_id = $1 and state = 'processing'", order.uuid());
    if processing.fetch_optional(&mut *tx).await?.is_some() {
        return Ok(());
    }
    orders::release_holds(&mut tx, order).await?;
    sqlx::query!("update orders set status = 'expired', closed_at = now() where id = $1", order.uuid()).execute(&mut *tx).await?;
    record(&mut tx, order, None, "expired", json!({}), None).await?;
    derive_statuses(&mut tx, order).await?;
    letters::expired(app, &mut tx, order).await?;
    tx.commit().await?;
    Ok(())
}

/// Asks how an attempt stands, and closes its page if it is still open.
async fn close(app: &App, payment: PaymentId) -> anyhow::Result<PaymentState> {
    let never_shown = sqlx::query!(
        "update payments set state = 'cancelled', settled_at = now() where id = $1 and state = 'opening' and stripe_session_id is null",
        payment.uuid()
    )
    .execute(&app.pool)
    .await?;
    if never_shown.rows_affected() == 1 {
        // Its page's address never left Stripe, so nobody can pay there.
        return Ok(PaymentState::Cancelled);
    }
    let state = settle(app, payment).await?;
    if state != PaymentState::Open {
        return Ok(state);
    }
    let session =
        sqlx::query_scalar!("select stripe_session_id from payments where id = $1", payment.uuid()).fetch_one(&app.pool).await?;
    if let Some(session) = session {
        match gateway::expire(app, &session).await {
            // Refused: it was paid or closed in this moment. Settling says which.
            Ok(_) | Err(GatewayError::Refused { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    settle(app, payment).await
}

/// Tells Stripe that nobody will pay this attempt any more; the job of an order that was cancelled or paid elsewhere.
pub async fn expire_session(app: &App, payment: PaymentId) -> anyhow::Result<()> {
    close(app, payment).await?;
    Ok(())
}

/// One payment that nobody told us about: settle it; and where its order has ended, close its page.
async fn look_after(app: &App, payment: PaymentId) -> anyhow::Result<()> {
    let status = sqlx::query_scalar!(
        r#"select o.status as "status: OrderStatus" from payments p join orders o on o.id = p.order_id where p.id = $1"#,
        payment.uuid()
    )
    .fetch_one(&app.pool)
    .await?;
    if status == OrderStatus::Pending {
        settle(app, payment).await?;
    } else {
        close(app, payment).await?;
    }
    Ok(())
}

/// A refund whose job gave up while Stripe was away for long is asked for again, every hour.
async fn revive_refunds(app: &App) -> anyhow::Result<()> {
    let waiting = sqlx::query_scalar!(
        r#"select r.id as "id: RefundId" from refunds r
           where r.state = 'pending' and r.created_at < now() - interval '1 hour'
             and not exists (select 1 from jobs j where j.key = 'refund:' || r.id
                             and (j.state in ('queued', 'running') or j.finished_at > now() - interval '1 hour'))
           order by r.created_at limit $1"#,
        PER_RUN
    )
    .fetch_all(&app.pool)
    .await?;
    for refund in waiting {
        jobs::enqueue(&app.pool, &Job::Refund { refund }, Some(&job_key(refund))).await?;
    }
    Ok(())
}
