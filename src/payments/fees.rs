//! What Stripe keeps of a payment: asked for when it says that a charge changed, and by the sweeper where no word came.

use super::{
    gateway::{self, GatewayError},
    refunds::sync_refunds,
    settle::{lock_order_of, settle},
    webhook::payment_of,
};
use crate::{ids::PaymentId, ledger, server::state::App};

/// How many payments one run of the sweeper asks about.
const PER_RUN: i64 = 50;

/// Asks Stripe what it kept of a payment and books it. Nothing happens where that is known, where the payment did not come in, or
/// where Stripe has not reckoned yet.
pub async fn learn(app: &App, payment: PaymentId) -> anyhow::Result<()> {
    let intent = sqlx::query_scalar!(
        r#"select stripe_intent_id as "intent!" from payments
           where id = $1 and state in ('paid', 'surplus') and stripe_fee_minor is null and stripe_intent_id is not null"#,
        payment.uuid()
    )
    .fetch_optional(&app.pool)
    .await?;
    match intent {
        Some(intent) => Ok(ask(app, payment, &intent).await?),
        None => Ok(()),
    }
}

/// Reads from Stripe all that is to know of the payment of an intent: how it stands, what Stripe kept, what went back. As its webhooks do.
pub async fn read_anew(app: &App, intent: &str) -> anyhow::Result<()> {
    if let Some(payment) = payment_of(app, intent).await? {
        settle(app, payment).await?;
        learn(app, payment).await?;
        sync_refunds(app, intent).await?;
    }
    Ok(())
}

/// Why a fee is not known yet.
#[derive(Debug, thiserror::Error)]
enum Unknown {
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

async fn ask(app: &App, payment: PaymentId, intent: &str) -> Result<(), Unknown> {
    let Some(kept) = gateway::kept(app, intent).await? else { return Ok(()) };
    let mut tx = app.pool.begin().await?;
    lock_order_of(&mut tx, payment).await?;
    let ours = sqlx::query_scalar!("select currency from payments where id = $1", payment.uuid()).fetch_one(&mut *tx).await?;
    if ours == kept.currency {
        ledger::sales::fee(&mut tx, payment, kept.fee_minor, kept.at).await?;
    } else {
        // Our balance at Stripe is kept in another currency than we sell in: these books cannot hold that.
        tracing::error!(%payment, ours, stripes = kept.currency, "Stripe reckons its fee in another currency");
    }
    tx.commit().await?;
    Ok(())
}

/// Asks about payments of which nobody told us, the newest first: each in an hour again, and the older it is the more seldom. Answers how
/// many were asked about; none where Stripe is away.
pub async fn sweep(app: &App) -> anyhow::Result<usize> {
    let waiting = sqlx::query!(
        r#"update payments set fee_asked_at = now() where id in (
               select id from payments
               where stripe_fee_minor is null and state in ('paid', 'surplus') and stripe_intent_id is not null
                 and settled_at <= now() - make_interval(secs => $1)
                 and (fee_asked_at is null or fee_asked_at <= now() - greatest(interval '1 hour', (now() - settled_at) / 10))
               order by settled_at desc limit $2 for update skip locked)
           returning id as "id: PaymentId", stripe_intent_id as "intent!""#,
        app.config.sweep_after.as_secs_f64(),
        PER_RUN
    )
    .fetch_all(&app.pool)
    .await?;
    let asked = waiting.len();
    for payment in waiting {
        match ask(app, payment.id, &payment.intent).await {
            Ok(()) => {}
            // Nobody there: the others would not hear more.
            Err(error @ Unknown::Gateway(GatewayError::Away(_))) => {
                tracing::warn!(%error, "Stripe does not say what it kept; it is asked again");
                return Ok(0);
            }
            Err(error) => tracing::warn!(payment = %payment.id, %error, "what Stripe kept is not known; it is asked again"),
        }
    }
    Ok(asked)
}
