//! Money back: booked in the transaction that decided it, asked for by a job, and read back from Stripe, where people
//! also make refunds by hand.

use super::{
    gateway::{self, GatewayError, RefundStanding},
    letters,
    settle::lock_order_of,
};
use crate::{
    audit,
    ids::{OrderId, PaymentId, RefundId},
    orders::{derive_statuses, record},
    server::{
        errors::violates,
        jobs::{self, Job},
        state::App,
    },
};
use anyhow::Context;
use serde_json::json;
use sqlx::{Connection, PgConnection};

/// Books a refund of part or all of a payment, in the caller's transaction, and the job that asks Stripe for it.
/// `reason` is one of `cancelled`, `sold_out`, `paid_twice`, `mismatch`. The database refuses more than was paid.
pub async fn book_refund(tx: &mut PgConnection, payment: PaymentId, amount_minor: i64, reason: &str) -> sqlx::Result<RefundId> {
    let id = RefundId::new();
    sqlx::query!(
        "insert into refunds (id, payment_id, amount_minor, reason, idempotency_key) values ($1, $2, $3, $4, $5)",
        id.uuid(),
        payment.uuid(),
        amount_minor,
        reason,
        format!("souk-refund-{id}")
    )
    .execute(&mut *tx)
    .await?;
    let detail = json!({ "payment": payment, "amount": amount_minor, "reason": reason });
    audit::record(&mut *tx, None, "refund.booked", ("refund", id), detail).await?;
    jobs::enqueue(tx, &Job::Refund { refund: id }, Some(&job_key(id))).await?;
    Ok(id)
}

/// The job of one refund never waits twice.
pub(super) fn job_key(refund: RefundId) -> String {
    format!("refund:{refund}")
}

/// Asks Stripe for a booked refund, or how it stands, and writes the answer down. Safe to repeat.
pub async fn refund(app: &App, refund: RefundId) -> anyhow::Result<()> {
    let row = sqlx::query!(
        r#"select r.state, r.amount_minor, r.idempotency_key, r.stripe_refund_id, r.payment_id as "payment: PaymentId", p.stripe_intent_id
           from refunds r join payments p on p.id = r.payment_id where r.id = $1"#,
        refund.uuid()
    )
    .fetch_one(&app.pool)
    .await?;
    if row.state != "pending" {
        return Ok(());
    }
    let intent = row.stripe_intent_id.context("the payment has no PaymentIntent")?;
    let answer = match &row.stripe_refund_id {
        Some(id) => gateway::refund(app, id).await,
        None => gateway::create_refund(app, &intent, row.amount_minor, refund, &row.idempotency_key).await,
    };
    match answer {
        Ok(answer) => note(app, row.payment, Some(refund), &answer).await,
        Err(GatewayError::Refused { code, message, .. }) => {
            tracing::warn!(%refund, code, message, "Stripe refuses a refund");
            // Most likely someone was quicker in Stripe's dashboard: what is there counts.
            sync_refunds(app, &intent).await?;
            let mut tx = app.pool.begin().await?;
            let order = lock_order_of(&mut tx, row.payment).await?;
            if set_state(&mut tx, refund, "failed").await? {
                let detail = json!({ "operator": true, "amount": row.amount_minor, "message": message });
                record(&mut tx, order, None, "refund_failed", detail, None).await?;
                derive_statuses(&mut tx, order).await?;
            }
            tx.commit().await?;
            Ok(())
        }
        Err(away) => Err(away.into()),
    }
}

/// Reads every refund of a PaymentIntent from Stripe and books those that were made elsewhere, as in its dashboard.
pub async fn sync_refunds(app: &App, intent: &str) -> anyhow::Result<()> {
    let payment = sqlx::query_scalar!(r#"select id as "id: PaymentId" from payments where stripe_intent_id = $1"#, intent)
        .fetch_optional(&app.pool)
        .await?;
    let payment = match payment {
        Some(payment) => payment,
        // Not yet known by its intent: the webhook of the refund overtook the one of the payment.
        None => match gateway::payment_of_intent(app, intent).await? {
            Some(payment) => {
                super::settle(app, payment).await?;
                payment
            }
            None => return Ok(()),
        },
    };
    for refund in gateway::refunds(app, intent).await? {
        note(app, payment, refund.booked, &refund).await?;
    }
    Ok(())
}

/// Writes down how a refund stands: of our booking, or as a new one that was made in Stripe's dashboard.
async fn note(app: &App, payment: PaymentId, booked: Option<RefundId>, truth: &gateway::Refund) -> anyhow::Result<()> {
    let mut tx = app.pool.begin().await?;
    let order = lock_order_of(&mut tx, payment).await?;
    let row = sqlx::query!(
        r#"select id as "id: RefundId", state from refunds
           where payment_id = $1 and (stripe_refund_id = $2 or id = $3) order by stripe_refund_id = $2 desc nulls last limit 1"#,
        payment.uuid(),
        truth.id,
        booked.map(RefundId::uuid)
    )
    .fetch_optional(&mut *tx)
    .await?;
    let (id, was) = match row {
        Some(row) => (row.id, row.state),
        None if truth.standing == RefundStanding::Failed => return Ok(()),
        None => (book_foreign(&mut tx, order, payment, truth).await?, "pending".to_owned()),
    };
    sqlx::query!("update refunds set stripe_refund_id = $2 where id = $1 and stripe_refund_id is null", id.uuid(), truth.id)
        .execute(&mut *tx)
        .await?;
    let now = truth.standing.as_str();
    // Failed is the end: a bank that sent the money back does not change its mind. Succeeded may still fail.
    let moves = was != now && was != "failed" && !(was == "succeeded" && now == "pending");
    if moves && set_state(&mut tx, id, now).await? {
        let kind = if truth.standing == RefundStanding::Failed { "refund_failed" } else { "refunded" };
        record(&mut tx, order, None, kind, json!({ "amount": truth.amount_minor }), None).await?;
        if truth.standing == RefundStanding::Succeeded {
            letters::refunded(app, &mut tx, order, truth.amount_minor).await?;
            jobs::enqueue(&mut *tx, &Job::IssueCreditNotes { refund: id }, Some(&format!("credit-notes:{id}"))).await?;
        }
    }
    derive_statuses(&mut tx, order).await?;
    tx.commit().await?;
    Ok(())
}

/// Books a refund that was not made by us. Where it takes money that we meant to send back ourselves and have not asked
/// for yet, our booking gives way: the parts never exceed the whole.
async fn book_foreign(
    tx: &mut PgConnection,
    order: OrderId,
    payment: PaymentId,
    truth: &gateway::Refund,
) -> anyhow::Result<RefundId> {
    let id = RefundId::new();
    let mut attempt = tx.begin().await?;
    let first = insert_foreign(&mut attempt, id, payment, truth).await;
    match first {
        Ok(()) => attempt.commit().await?,
        Err(error) if violates(&error, "refunds_within") => {
            attempt.rollback().await?;
            sqlx::query!(
                "update refunds set state = 'failed', settled_at = now()
                 where payment_id = $1 and state = 'pending' and stripe_refund_id is null",
                payment.uuid()
            )
            .execute(&mut *tx)
            .await?;
            insert_foreign(tx, id, payment, truth).await?;
        }
        Err(error) => return Err(error.into()),
    }
    let detail = json!({ "payment": payment, "amount": truth.amount_minor, "by": "Stripe's dashboard" });
    audit::record(tx, None, "refund.booked", ("refund", id), detail).await?;
    let detail = json!({ "amount": truth.amount_minor, "operator": true });
    record(tx, order, None, "refunded_in_dashboard", detail, None).await?;
    Ok(id)
}

async fn insert_foreign(db: &mut PgConnection, id: RefundId, payment: PaymentId, truth: &gateway::Refund) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into refunds (id, payment_id, amount_minor, reason, idempotency_key, stripe_refund_id)
         values ($1, $2, $3, 'stripe_dashboard', $4, $5)",
        id.uuid(),
        payment.uuid(),
        truth.amount_minor,
        format!("stripe:{}", truth.id),
        truth.id
    )
    .execute(db)
    .await?;
    Ok(())
}

async fn set_state(tx: &mut PgConnection, refund: RefundId, to: &str) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update refunds set state = $2, settled_at = case when $2 = 'pending' then null else now() end where id = $1 and state <> $2",
        refund.uuid(),
        to
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}
