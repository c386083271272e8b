//! What every call of `/api/v1` shares: who asks, how often, in which form, and the document that says so. The calls themselves
//! are the slices' `rest.rs`, thin doors to the functions that the pages use.

mod admit;
mod contract;
mod docs;
mod etag;
mod json;
mod once;
mod params;
mod schema;

pub use admit::{Left, Limiter};
pub use etag::{PRIVATE, PUBLIC, etagged, known, tag};
pub use json::Body;
pub use once::{IdempotencyKey, OnceKey};
pub use params::{List, Named, Page, Params};
pub use schema::Price;

use super::{session, state::App};
use crate::{accounts, cart, catalog, checkout, orders, payouts, vendors};
use axum::{Router, http::StatusCode, middleware, response::IntoResponse};
use contract::Contract;
use serde_json::Value;
use std::sync::Arc;
use tower_http::csrf::CsrfLayer;
use utoipa_axum::router::OpenApiRouter;

/// The REST interface, with its document and the page that shows it.
pub fn routes(app: &App) -> Router<App> {
    let (calls, document) = calls();
    let contract = Arc::new(Contract::of(&document));
    let calls = calls
        // From the inside out: what must not happen twice, whose session it is, from where, who asks and how often.
        .layer(middleware::from_fn_with_state((app.clone(), contract.clone()), once::once))
        .layer(middleware::from_fn_with_state(contract, contract::known_parameters))
        .layer(session::layer(app.pool.clone(), app.config.production()))
        .layer(CsrfLayer::new())
        .layer(middleware::from_fn_with_state(app.clone(), admit::admit));
    calls.merge(docs::routes(document))
}

/// Every call and the document of all of them.
fn calls() -> (Router<App>, Value) {
    let v1 = OpenApiRouter::new()
        .merge(accounts::rest::routes())
        .merge(catalog::rest::routes())
        .merge(cart::rest::routes())
        .merge(checkout::rest::routes())
        .merge(orders::rest::routes())
        .merge(vendors::rest::routes())
        .merge(payouts::rest::routes());
    let (router, document) = OpenApiRouter::with_openapi(docs::head()).nest("/api/v1", v1).split_for_parts();
    // Plain data: writing it as JSON cannot fail.
    let mut document = serde_json::to_value(document).unwrap_or_default();
    contract::complete(&mut document);
    (router, document)
}

/// The document alone, for tests and tools.
pub fn document() -> Value {
    calls().1
}

/// 201 with the address of what was made.
pub fn created(location: &str, answer: impl IntoResponse) -> axum::response::Response {
    let location = http::HeaderValue::from_str(location).ok().map(|value| [(http::header::LOCATION, value)]);
    (StatusCode::CREATED, location, answer).into_response()
}
