//! Every address of the program, and what stands in front of all of them.

use super::{auth::Operator, cache, errors, flash, health, metrics, page, rest, session, state::App, trace};
use crate::{
    about, accounts, cart, catalog, checkout, disputes, documents, error::AppError, imports, live, messages, operator, orders,
    payments, payouts, returns, vendors,
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderValue, StatusCode, header};
use leptos::prelude::provide_context;
use tower_http::{
    CompressionLevel, catch_panic::CatchPanicLayer, compression::CompressionLayer, csrf::CsrfLayer, services::ServeDir,
};

/// The largest body of an ordinary form; uploads and webhooks say their own.
pub const FORM_LIMIT: usize = 256 * 1024;

/// Every page and form, as its slice names it. What stands here stands under the eyes of the tests that walk it.
pub fn people() -> Router<App> {
    Router::new()
        .merge(about::routes())
        .merge(accounts::pages::routes())
        .merge(catalog::pages::routes())
        .merge(cart::pages::routes())
        .merge(checkout::pages::routes())
        .merge(orders::pages::routes())
        .merge(documents::pages::routes())
        .merge(messages::pages::routes())
        .merge(vendors::applying::routes())
        .merge(vendors::joining::routes())
        .merge(vendors::pages::routes())
        .merge(imports::pages::routes())
        .merge(live::stream::routes())
        .merge(payouts::pages::routes())
        .merge(operator::pages::routes())
        .merge(returns::pages::routes())
        .merge(disputes::pages::routes())
}

/// The whole program as one service.
pub fn router(app: App) -> Router {
    let server_functions = Router::new()
        .route("/sf/{*name}", post(server_function).get(server_function))
        .layer(middleware::from_fn(errors::server_function_status));

    let people = people()
        .layer(middleware::from_fn(flash::leave_when_redrawn))
        .layer(middleware::from_fn_with_state(app.clone(), page::note_desks))
        .merge(server_functions)
        .layer(session::layer(app.pool.clone(), app.config.production()))
        // A write must come from our own pages: Sec-Fetch-Site, else Origin against Host.
        .layer(CsrfLayer::new());

    let site = &app.config.site_dir;
    let built = ServeDir::new(site.join("pkg")).precompressed_br().precompressed_gzip();
    // The sources' own static files first, so that a server without a browser build is still whole.
    let public = ServeDir::new("public")
        .append_index_html_on_directories(false)
        .fallback(ServeDir::new(site).append_index_html_on_directories(false));

    let routes = Router::new()
        .merge(people)
        .merge(rest::routes(&app))
        .merge(payments::webhook::routes())
        .route("/media/{*key}", get(media))
        .route("/healthz", get(health::lives))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::page))
        .nest_service("/pkg", tower::ServiceBuilder::new().layer(middleware::from_fn(immutable)).service(built))
        .fallback_service(tower::ServiceBuilder::new().layer(middleware::from_fn(get_only)).service(public))
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
        .layer(middleware::from_fn_with_state(app.clone(), page::draw_pages))
        .layer(middleware::from_fn_with_state(app.clone(), errors::present))
        .layer(middleware::from_fn_with_state(app.clone(), security_headers))
        // What is drawn for one request must not cost more to press than to draw; what is kept is pressed well, once.
        .layer(middleware::from_fn_with_state(app.clone(), after_writes))
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(middleware::from_fn_with_state(app.clone(), cache::keep))
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn_with_state(app.clone(), trace::observe))
        .with_state(app.clone());
    // In front of everything, also of the router: what is kept costs a look into memory.
    Router::new().fallback_service(routes).layer(middleware::from_fn_with_state(app, cache::from_memory))
}

/// Whatever a request wrote, open dashboards hear of it soon.
async fn after_writes(State(app): State<App>, request: Request, next: Next) -> Response {
    let reads = request.method().is_safe();
    let response = next.run(request).await;
    if !reads {
        app.live.wrote();
    }
    response
}

/// A server function: the program and the request's parts are its context.
async fn server_function(State(app): State<App>, request: Request) -> Response {
    leptos_axum::handle_server_fns_with_context(move || provide_context(app.clone()), request).await.into_response()
}

/// A picture of the catalogue from the store. Its name holds its id, so it never changes; and whatever it is, it runs no script.
/// What else is in the store is for those whom its own slice lets see it.
async fn media(State(app): State<App>, Path(key): Path<String>) -> Result<Response, AppError> {
    let plain = key.split('/').all(|name| !name.is_empty() && !name.starts_with('.'));
    if !plain || !key.starts_with("pictures/") {
        return Err(AppError::NotFound);
    }
    let (bytes, kind) = app.storage.get(&key).await?.ok_or(AppError::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_str(&kind).unwrap_or(HeaderValue::from_static("application/octet-stream"))),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ];
    Ok((headers, bytes).into_response())
}

async fn immutable(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() == StatusCode::OK {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    }
    response
}

/// The static files answer GET and HEAD; anything else at an unknown address is not found, not "method not allowed".
async fn get_only(request: Request, next: Next) -> Response {
    if request.method() == http::Method::GET || request.method() == http::Method::HEAD {
        let response = next.run(request).await;
        if response.status() == StatusCode::NOT_FOUND { AppError::NotFound.into_response() } else { response }
    } else {
        AppError::NotFound.into_response()
    }
}

/// No inline script, no foreign frame, no sniffing; HSTS where we are reached over https.
async fn security_headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    // The sandbox's or Stripe's pages, for shoppers who pay and vendors who are paid, are reached by a redirect after a form post.
    let pay = match &app.sandbox {
        Some(_) => app.config.stripe.as_ref().map_or("", |s| s.api_base.as_str()),
        None => "https://checkout.stripe.com https://connect.stripe.com",
    };
    let policy = format!(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
         object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' {pay}"
    );
    if !headers.contains_key(header::CONTENT_SECURITY_POLICY)
        && let Ok(value) = HeaderValue::from_str(&policy)
    {
        headers.insert(header::CONTENT_SECURITY_POLICY, value);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    if app.config.production() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=63072000; includeSubDomains"));
    }
    response
}

/// For a page that is only there in development; in production it does not exist.
pub fn development_only(app: &App, _operator: &Operator) -> Result<(), AppError> {
    if app.config.production() { Err(AppError::NotFound) } else { Ok(()) }
}
