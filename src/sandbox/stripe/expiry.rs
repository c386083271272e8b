//! Ends Checkout Sessions whose time is over, whether or not anyone looks at them.

use super::error::ApiError;
use super::{Sandbox, ids, payments, store};

/// Expires what is due, a session per transaction.
pub async fn expire_due(sandbox: &Sandbox) -> sqlx::Result<()> {
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
