//! Settling payments.

use crate::{
    ids::{PaymentId, RefundId},
    server::state::App,
};

/// Asks Stripe for a booked refund.
pub async fn refund(_app: &App, _refund: RefundId) -> anyhow::Result<()> {
    Ok(())
}

/// Tells Stripe that nobody will pay this attempt any more.
pub async fn expire_session(_app: &App, _payment: PaymentId) -> anyhow::Result<()> {
    Ok(())
}

/// Settles, cancels or refunds what stayed open.
pub async fn sweep(_app: &App) -> anyhow::Result<()> {
    Ok(())
}
