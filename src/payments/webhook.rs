//! The webhook inbox.

use crate::server::state::App;
use axum::Router;

/// `POST /webhooks/stripe`
pub fn routes() -> Router<App> {
    Router::new()
}

/// Handles one stored event.
pub async fn handle(_app: &App, _event: &str) -> anyhow::Result<()> {
    Ok(())
}
