//! The operator's desk. Every page takes the `Operator` guard, and every list is dense, filtered by its address and paged.

mod audit;
mod commission;
mod coupons;
mod dev;
mod documents;
mod inbox;
mod jobs;
mod ledger;
mod list;
mod orders;
mod payouts;
mod reconciliation;
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
        .route("/operator/commission", get(commission::list).post(commission::add))
        .route("/operator/commission/{id}", get(commission::edit).post(commission::change))
        .route("/operator/commission/{id}/move", get(commission::back).post(commission::move_))
        .route("/operator/coupons", get(coupons::list).post(coupons::add))
        .route("/operator/coupons/{id}", post(coupons::end))
        .route("/operator/ledger", get(ledger::list).post(ledger::book))
        .route("/operator/payouts", get(payouts::list))
        .route("/operator/payouts/run", get(payouts::look).post(payouts::run))
        .route("/operator/payouts/vendors", get(payouts::vendors))
        .route("/operator/payouts/vendors/{id}", get(payouts::back).post(payouts::hold))
        .route("/operator/parcels/{parcel}/delivered", post(payouts::delivered))
        .route("/operator/orders/{id}/refunds", post(orders::refund))
        .route("/operator/reconciliation", get(reconciliation::list).post(reconciliation::compare))
        .route("/operator/reconciliation/{id}", get(reconciliation::detail))
        .route("/operator/reconciliation/{id}/book", get(reconciliation::back).post(reconciliation::book))
        .route("/operator/reconciliation/{id}/explain", get(reconciliation::back).post(reconciliation::explain))
        .route("/operator/reconciliation/{id}/read", get(reconciliation::back).post(reconciliation::read))
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
