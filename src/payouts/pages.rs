//! The vendor's pages of being paid. Every one has the guard [`Desk`](crate::vendors::desk::Desk) and finds everything through its vendor.

mod payouts;
mod statements;

pub use payouts::{StateBadge, failed};

use crate::server::state::App;
use axum::{
    Router,
    routing::{get, post},
};

/// The addresses of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/vendor/payouts", get(payouts::show))
        .route("/vendor/payouts/account", get(payouts::back).post(payouts::set_up))
        .route("/vendor/payouts/return", get(payouts::returned))
        .route("/vendor/payouts/refresh", get(payouts::refresh))
        .route("/vendor/payouts/dashboard", get(payouts::back).post(payouts::dashboard))
        .route("/vendor/payouts/again", get(payouts::back).post(payouts::again))
        .route("/vendor/payouts/settings", get(payouts::back).post(payouts::choose))
        .route("/vendor/statements", get(statements::show))
        .route("/vendor/statements.csv", get(statements::csv))
        .route("/vendor/statements.pdf", get(statements::pdf))
        .route("/vendor/orders/{order}/delivered", post(payouts::delivered))
}
