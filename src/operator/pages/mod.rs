//! The operator's desk. Every page takes the `Operator` guard, and every list is dense, filtered by its address and paged.

mod audit;
mod dev;
mod documents;
mod inbox;
mod jobs;
mod list;
mod orders;
mod users;
mod vendors;
mod webhooks;

use crate::{error::AppError, operator::Cursor, server::state::App};
use axum::{
    Router,
    routing::{any, get, post},
};
use std::str::FromStr;

/// The addresses of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/operator", get(inbox::page))
        .route("/operator/vendors", get(vendors::list))
        .route("/operator/vendors/{id}", get(vendors::detail).post(vendors::decide))
        .route("/operator/users", get(users::list))
        .route("/operator/orders", get(orders::list))
        .route("/operator/orders/{id}", get(orders::detail))
        .route("/operator/documents", get(documents::list))
        .route("/operator/documents/{document}", get(documents::download))
        .route("/operator/audit", get(audit::list))
        .route("/operator/jobs", get(jobs::list))
        .route("/operator/jobs/{id}", get(jobs::back))
        .route("/operator/jobs/{id}/retry", post(jobs::retry))
        .route("/operator/webhooks", get(webhooks::list))
        .route("/operator/webhooks/{id}", get(webhooks::detail))
        .route("/operator/webhooks/{id}/replay", post(webhooks::replay))
        .route("/dev/mail", get(dev::mailbox))
        .route("/dev/mail/{id}", get(dev::letter))
        .route("/dev/mail/{id}/html", get(dev::letter_html))
        .route("/dev/stripe", any(dev::stripe))
        .route("/dev/stripe/{*rest}", any(dev::stripe))
}

/// One of the choices of a filter, or nothing chosen; anything else is a malformed request.
fn choice(text: &str, choices: &[(&'static str, &'static str)]) -> Result<Option<&'static str>, AppError> {
    match choices.iter().find(|(value, _)| *value == text) {
        Some(("", _)) => Ok(None),
        Some((value, _)) => Ok(Some(value)),
        None => Err(AppError::BadRequest("That filter does not exist.".into())),
    }
}

/// A cursor from an address; empty: the first page.
fn cursor<T: FromStr>(text: &str) -> Result<Option<Cursor<T>>, AppError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|e: <Cursor<T> as FromStr>::Err| AppError::BadRequest(e.to_string()))
}

/// A state's text as people read it: `partially_refunded` is "partially refunded".
fn words(state: &str) -> String {
    state.replace('_', " ")
}
