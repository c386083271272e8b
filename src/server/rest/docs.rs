//! The document at `/api/v1/openapi.json`, and the page that shows it to people.

use super::{PUBLIC, etagged};
use crate::server::state::App;
use axum::{Router, routing::get};
use http::HeaderMap;
use serde_json::Value;
use std::sync::Arc;
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder,
    security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    tag::TagBuilder,
};
use utoipa_swagger_ui::{Config, SwaggerUi};

const WORDS: &str = "A marketplace of many vendors: one cart, one payment, a parcel from each.

- Money is `{\"amount\": 1299, \"currency\": \"GBP\"}` in minor units. Times are RFC 3339 in UTC. Ids are UUIDs.
- Lists take `limit` (1 to 100) and `after`, and answer `{\"data\": [...], \"next\": cursor or null}`.
- Errors are `application/problem+json` (RFC 9457). Unknown fields of a body are 422, unknown parameters of a query 400.
- Sign in with the session cookie of the pages (`POST /auth/login`), or send `Authorization: Bearer` with a token of `POST /tokens`. \
What is not yours is 404.
- Calls that create or move money take an `Idempotency-Key`.
- `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (seconds) stand in every answer.";

/// Everything of the document but the calls.
pub(super) fn head() -> OpenApi {
    let license = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new().title("Souk").version("1").description(Some(WORDS)).license(Some(license));
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token of `POST /tokens`; with the scope `read` it changes nothing."))
        .build();
    let session =
        ApiKeyValue::with_description("souk", "The session of the pages, set by signing in. `__Host-souk` in production.");
    let components = ComponentsBuilder::new()
        .security_scheme("bearer", SecurityScheme::Http(bearer))
        .security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)))
        .schemas_from_iter([super::schema::of_problems()])
        .build();
    let tags = [
        ("accounts", "People: registering, signing in, profiles, preferences, tokens"),
        ("catalogue", "Goods, categories and vendors' shops"),
        ("cart", "The cart and the checkout"),
        ("orders", "Orders of a shopper"),
        ("vendor", "A vendor's own orders, balance and payouts"),
    ];
    let tags = tags.map(|(name, words)| TagBuilder::new().name(name).description(Some(words)).build());
    OpenApiBuilder::new().info(info).components(Some(components)).tags(Some(tags)).build()
}

/// The document and its page. The page's script and style are files of ours, so it needs no exception from the security policy.
pub(super) fn routes(document: Value) -> Router<App> {
    let document = Arc::new(document);
    let page = SwaggerUi::new("/api/docs").config(Config::from("/api/v1/openapi.json").use_base_layout());
    Router::new()
        .route("/api/v1/openapi.json", get(move |headers: HeaderMap| async move { etagged(&headers, PUBLIC, document.as_ref()) }))
        .merge(Router::from(page))
}
