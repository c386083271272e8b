//! Ends Checkout Sessions whose time is over, whether or not anyone looks at them.

use std::time::Duration;

use super::error::ApiError;
use super::{Sandbox, ids, payments, store};

/// Looks every second, for ever. Ends when its task is aborted.
pub async fn run(sandbox: Sandbox) {
    loop {
        if let Err(error) = expire_due(&sandbox).await {
            tracing::warn!(%error, "the Stripe sandbox could not expire sessions");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Expires what is due, a session per transaction, and forgets answers that idempotency keys no longer promise.
async fn expire_due(sandbox: &Sandbox) -> sqlx::Result<()> {
    let due: Vec<String> = sqlx::query_scalar(
        "select id from stripe_sandbox.objects where kind = 'checkout.session' and status = 'open' and expires_at <= $1 order by expires_at limit 100",
    )
    .bind(ids::now())
    .fetch_all(&sandbox.pool)
    .await?;
    for id in &due {
        if let Err(error) = expire_one(sandbox, id).await {
            tracing::warn!(session = %id, error = %error.message, "the Stripe sandbox could not expire a session");
        }
    }
    sqlx::query("delete from stripe_sandbox.idempotency where created_at < now() - interval '24 hours'")
        .execute(&sandbox.pool)
        .await?;
    Ok(())
}

async fn expire_one(sandbox: &Sandbox, id: &str) -> Result<(), ApiError> {
    let mut tx = sandbox.pool.begin().await?;
    let mut session = store::lock(&mut tx, "checkout.session", id, "session").await?;
    if is_due(&session) {
        payments::expire(&mut tx, &sandbox.page_cause(), &mut session).await?;
    }
    tx.commit().await?;
    sandbox.wake.notify_one();
    Ok(())
}

/// True for an open session whose time is over.
pub fn is_due(session: &store::Stored) -> bool {
    session.text("status") == "open" && session.amount("expires_at") <= ids::now()
}
