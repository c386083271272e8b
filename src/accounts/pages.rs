//! Pages of this slice.

use crate::server::state::App;
use axum::Router;

/// The addresses of this slice.
pub fn routes() -> Router<App> {
    Router::new()
}
