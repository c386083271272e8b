//! Pages for shoppers. They show the same to everyone; what is personal comes with the islands.

mod home;
mod product;
mod shelf;
mod vendors;

use crate::{error::AppError, server::state::App};
use axum::{
    Router,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

/// The addresses of this slice. Each shows the same to everyone: see [`crate::server::cache`].
pub const SHARED: [&str; 7] =
    ["/", "/products", "/search", "/categories/{name}", "/products/{name}", "/vendors", "/vendors/{name}"];

/// That of them which shows one product.
pub const PRODUCT: &str = SHARED[4];

/// What stands there.
pub fn routes() -> Router<App> {
    let [home, products, search, category, product, vendors, vendor] = SHARED;
    Router::new()
        .route(home, get(home::home))
        .route(products, get(shelf::all))
        .route(search, get(shelf::search))
        .route(category, get(shelf::category))
        .route(product, get(product::page))
        .route(vendors, get(vendors::all))
        .route(vendor, get(vendors::shop))
}

/// The pairs of a query string; what is not UTF-8 in it is replaced, never refused.
fn pairs(query: Option<String>) -> Vec<(String, String)> {
    serde_urlencoded::from_str(query.as_deref().unwrap_or_default()).unwrap_or_default()
}

/// `base?query`, without a lone question mark.
fn address(base: &str, query: &str) -> String {
    if query.is_empty() { base.to_owned() } else { format!("{base}?{query}") }
}

/// 301: the old address is an id, or one we used before.
fn moved(to: &str) -> Result<Response, AppError> {
    let to = http::HeaderValue::from_str(to).map_err(crate::server::errors::internal)?;
    Ok((http::StatusCode::MOVED_PERMANENTLY, [(http::header::LOCATION, to)]).into_response())
}

/// The same list under its tidy address.
fn tidied(to: &str) -> Response {
    Redirect::to(to).into_response()
}

/// One place for the country names of the vendors we know; the code itself for any other.
pub fn country_name(code: &str) -> &str {
    match code {
        "GB" => "United Kingdom",
        "IE" => "Ireland",
        "FR" => "France",
        "DE" => "Germany",
        "NL" => "Netherlands",
        "BE" => "Belgium",
        "ES" => "Spain",
        "PT" => "Portugal",
        "IT" => "Italy",
        "AT" => "Austria",
        "DK" => "Denmark",
        "SE" => "Sweden",
        "FI" => "Finland",
        "PL" => "Poland",
        "NO" => "Norway",
        "CH" => "Switzerland",
        other => other,
    }
}
