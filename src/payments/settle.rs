//! The one place where money and order meet. Webhook, browser return and sweeper all come here; what happens is decided
//! by what Stripe says now and by rows compared and set under the order's lock, so order and number of calls do not matter.

use super::{
    gateway::{self, Session, Standing},
    letters,
    open::ask,
    parts,
    refunds::{NewRefund, book_refund},
};
use crate::{
    audit, cart, coupons,
    ids::{OrderId, PaymentId},
    ledger,
    orders::{self, derive_statuses, model::OrderStatus, model::PaymentState, record},
    server::{
        jobs::{self, Job},
        state::App,
    },
};
use anyhow::Context;
use serde_json::json;
use sqlx::PgConnection;

/// Asks Stripe how this attempt stands and acts on it. Safe at any time and any number of times; answers the state after.
pub async fn settle(app: &App, payment: PaymentId) -> anyhow::Result<PaymentState> {
    let row =
        sqlx::query!(r#"select state as "state: PaymentState", stripe_session_id from payments where id = $1"#, payment.uuid())
            .fetch_optional(&app.pool)
            .await?
            .context("no such payment")?;
    if row.state.is_final() {
        return Ok(row.state);
    }
    let session = match row.stripe_session_id {
        Some(id) => id,
        None if row.state == PaymentState::Opening => {
            // The process died between asking Stripe and writing the answer down: the same key finds the same session.
            ask(app, payment).await?;
            let id = sqlx::query_scalar!("select stripe_session_id from payments where id = $1", payment.uuid())
                .fetch_one(&app.pool)
                .await?;
            match id {
                Some(id) => id,
                None => return Ok(row.state),
            }
        }
        // An attempt that never had a session cannot have been paid.
        None => return Ok(row.state),
    };
    let truth = gateway::session(app, &session).await?;
    apply(app, payment, &truth).await
}

/// Settles the attempt of a Checkout Session; `None` for a session that is not ours.
pub async fn settle_session(app: &App, session: &str) -> anyhow::Result<Option<PaymentState>> {
    let known = sqlx::query!(
        r#"select id as "id: PaymentId", state as "state: PaymentState" from payments where stripe_session_id = $1"#,
        session
    )
    .fetch_optional(&app.pool)
    .await?;
    if let Some(known) = &known
        && known.state.is_final()
    {
        return Ok(Some(known.state));
    }
    let truth = gateway::session(app, session).await?;
    // A session whose id was never written down says itself whose it is.
    let Some(payment) = known.map(|k| k.id).or(truth.payment) else { return Ok(None) };
    let ours = sqlx::query_scalar!("select 1 from payments where id = $1", payment.uuid()).fetch_optional(&app.pool).await?;
    match ours {
        Some(_) => apply(app, payment, &truth).await.map(Some),
        None => Ok(None),
    }
}

/// Settles every attempt of an order that is not settled yet: what the browser's return asks for.
pub async fn settle_order(app: &App, order: OrderId) -> anyhow::Result<()> {
    for payment in unsettled(&app.pool, order).await? {
        settle(app, payment).await?;
    }
    Ok(())
}

/// The attempts of an order that may still turn out to be paid and that a person was shown.
pub(super) async fn unsettled(db: impl sqlx::PgExecutor<'_>, order: OrderId) -> sqlx::Result<Vec<PaymentId>> {
    sqlx::query_scalar!(
        r#"select id as "id: PaymentId" from payments
           where order_id = $1 and state in ('opening', 'open', 'processing') order by attempt"#,
        order.uuid()
    )
    .fetch_all(db)
    .await
}

/// Locks the row of the order that an attempt belongs to. Every change to an order, its payments or its holds starts so.
pub(crate) async fn lock_order_of(tx: &mut PgConnection, payment: PaymentId) -> sqlx::Result<OrderId> {
    sqlx::query_scalar!(
        r#"select id as "id: OrderId" from orders where id = (select order_id from payments where id = $1) for update"#,
        payment.uuid()
    )
    .fetch_one(tx)
    .await
}

struct Row {
    state: PaymentState,
    failure: Option<String>,
    amount_minor: i64,
    currency: String,
    status: OrderStatus,
}

/// Acts on what Stripe said. The truth may be older than what another call has written meanwhile, so every step compares.
async fn apply(app: &App, payment: PaymentId, truth: &Session) -> anyhow::Result<PaymentState> {
    let mut tx = app.pool.begin().await?;
    let order = lock_order_of(&mut tx, payment).await?;
    let row = sqlx::query_as!(
        Row,
        r#"select p.state as "state: PaymentState", p.failure, p.amount_minor, p.currency, o.status as "status: OrderStatus"
           from payments p join orders o on o.id = p.order_id where p.id = $1"#,
        payment.uuid()
    )
    .fetch_one(&mut *tx)
    .await?;
    sqlx::query!(
        "update payments set stripe_session_id = coalesce(stripe_session_id, $2), stripe_intent_id = coalesce(stripe_intent_id, $3)
         where id = $1 and (stripe_session_id is null or stripe_intent_id is null)",
        payment.uuid(),
        truth.id,
        truth.intent
    )
    .execute(&mut *tx)
    .await?;
    if row.state.is_final() {
        // Done before.
        tx.commit().await?;
        return Ok(row.state);
    }
    let after = match &truth.standing {
        Standing::Paid => paid(app, &mut tx, order, payment, &row, truth).await?,
        Standing::Processing => {
            set_state(&mut tx, payment, PaymentState::Processing, None).await?;
            if row.state != PaymentState::Processing {
                record(&mut tx, order, None, "payment_processing", json!({}), None).await?;
            }
            PaymentState::Processing
        }
        Standing::Failed { why } => {
            set_state(&mut tx, payment, PaymentState::Failed, Some(why)).await?;
            if row.state != PaymentState::Failed {
                record(&mut tx, order, None, "payment_failed", json!({ "message": why }), None).await?;
            }
            PaymentState::Failed
        }
        Standing::Expired => {
            let ended = if row.state == PaymentState::Failed { PaymentState::Failed } else { PaymentState::Cancelled };
            set_state(&mut tx, payment, ended, row.failure.as_deref()).await?;
            ended
        }
        Standing::Open { refused } => {
            sqlx::query!(
                "update payments set failure = $2, url = coalesce(url, $3), state = case state when 'opening' then 'open' else state end
                 where id = $1",
                payment.uuid(),
                refused.as_deref().or(row.failure.as_deref()),
                truth.url
            )
            .execute(&mut *tx)
            .await?;
            if refused.is_some() && *refused != row.failure {
                record(&mut tx, order, None, "payment_failed", json!({ "message": refused }), None).await?;
            }
            if row.state == PaymentState::Opening { PaymentState::Open } else { row.state }
        }
    };
    if after != PaymentState::Paid {
        // Who places an order has done so.
        derive_statuses(&mut tx, order).await?;
    }
    tx.commit().await?;
    Ok(after)
}

async fn set_state(tx: &mut PgConnection, payment: PaymentId, to: PaymentState, failure: Option<&str>) -> sqlx::Result<()> {
    sqlx::query!(
        "update payments set state = $2, failure = case when $2 <> 'paid' then coalesce($3, failure) end,
                settled_at = case when $2 in ('opening', 'open', 'processing') then null else coalesce(settled_at, now()) end
         where id = $1",
        payment.uuid(),
        to.as_str(),
        failure
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The money is there. Either the order takes it, or it goes back by itself.
async fn paid(
    app: &App,
    tx: &mut PgConnection,
    order: OrderId,
    payment: PaymentId,
    row: &Row,
    truth: &Session,
) -> anyhow::Result<PaymentState> {
    if truth.amount_minor != row.amount_minor || truth.currency != row.currency {
        let detail = json!({
            "operator": true,
            "expected": { "amount": row.amount_minor, "currency": row.currency },
            "paid": { "amount": truth.amount_minor, "currency": truth.currency },
        });
        tracing::error!(%order, %payment, %detail, "a payment differs from its order");
        record(tx, order, None, "payment_mismatch", detail, None).await?;
        return surplus(app, tx, order, payment, truth, "mismatch").await;
    }
    let reason = match row.status {
        OrderStatus::Placed => Some("paid_twice"),
        OrderStatus::Cancelled => Some("cancelled"),
        // Late: its stock and its coupon went back. Take them again if they are still there.
        OrderStatus::Expired if !orders::retake_holds(tx, order).await? => Some("sold_out"),
        OrderStatus::Expired if !coupons::retake(tx, order).await? => {
            orders::release_holds(tx, order).await?;
            Some("coupon_used_up")
        }
        OrderStatus::Expired | OrderStatus::Pending => None,
    };
    if let Some(reason) = reason {
        return surplus(app, tx, order, payment, truth, reason).await;
    }
    set_state(tx, payment, PaymentState::Paid, None).await?;
    let detail = json!({ "order": order, "amount": truth.amount_minor, "currency": truth.currency });
    audit::record(tx, None, "payment.settled", ("payment", payment), detail).await?;
    close_other_attempts(tx, order).await?;
    ledger::sales::sold(tx, payment).await?;
    place(app, tx, order).await?;
    Ok(PaymentState::Paid)
}

/// Makes an order placed: its cart is emptied, the shopper and the vendors are told, its stock leaves the shelf. Call it
/// under the order's row lock, with its stock held and its payment in state `paid`, and commit then: the stock comes last, so
/// that what everybody buys is locked for as short as can be.
pub(super) async fn place(app: &App, tx: &mut PgConnection, order: OrderId) -> anyhow::Result<()> {
    let set = sqlx::query!(
        "update orders set status = 'placed', placed_at = now(), closed_at = null where id = $1 and status in ('pending', 'expired')",
        order.uuid()
    )
    .execute(&mut *tx)
    .await?;
    anyhow::ensure!(set.rows_affected() == 1, "order {order} cannot be placed");
    cart::clear_after_order(tx, order).await?;
    record(tx, order, None, "paid", json!({}), None).await?;
    derive_statuses(tx, order).await?;
    letters::placed(app, tx, order).await?;
    jobs::enqueue(&mut *tx, &Job::IssueInvoices { order }, Some(&format!("invoices:{order}"))).await?;
    orders::take_holds(tx, order).await?;
    Ok(())
}

/// Money that the order cannot take: written down as Stripe told it, and sent back whole.
async fn surplus(
    app: &App,
    tx: &mut PgConnection,
    order: OrderId,
    payment: PaymentId,
    truth: &Session,
    reason: &str,
) -> anyhow::Result<PaymentState> {
    sqlx::query!(
        "update payments set state = 'surplus', settled_at = now(), amount_minor = $2, currency = $3 where id = $1",
        payment.uuid(),
        truth.amount_minor,
        truth.currency
    )
    .execute(&mut *tx)
    .await?;
    let detail = json!({ "order": order, "amount": truth.amount_minor, "currency": truth.currency, "reason": reason });
    audit::record(tx, None, "payment.surplus", ("payment", payment), detail).await?;
    record(tx, order, None, "payment_returned", json!({ "reason": reason, "amount": truth.amount_minor }), None).await?;
    ledger::sales::surplus(tx, payment).await?;
    if truth.amount_minor > 0 {
        let parts = parts::surplus(truth.amount_minor);
        book_refund(tx, NewRefund { payment, reason, note: "", actor: None, parts: &parts }).await?;
    }
    letters::money_returned(app, tx, order, truth.amount_minor, &truth.currency, reason).await?;
    Ok(PaymentState::Surplus)
}

/// Nobody needs the other pages any more: Stripe is asked to close them, so that nobody pays twice by mistake.
pub(super) async fn close_other_attempts(tx: &mut PgConnection, order: OrderId) -> sqlx::Result<()> {
    for payment in unsettled(&mut *tx, order).await? {
        jobs::enqueue(&mut *tx, &Job::ExpireSession { payment }, Some(&format!("expire:{payment}"))).await?;
    }
    Ok(())
}
