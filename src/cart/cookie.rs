//! The cookie of a signed-out shopper's cart: an opaque token, of which the database keeps only the hash.

use crate::server::{config::Config, state::App, token::Token};
use axum::{extract::FromRequestParts, response::AppendHeaders};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use http::{HeaderName, HeaderValue, header::SET_COOKIE, request::Parts};
use leptos_axum::ResponseOptions;

const NAME: &str = "souk_cart";
/// As long as a cart that nobody touches is kept.
const MAX_AGE: time::Duration = time::Duration::days(60);

/// The cart's token as the browser sent it. A cookie that is no token of ours counts as none.
#[derive(Debug, Clone)]
pub struct CartCookie(Option<Token>);

impl CartCookie {
    pub fn token(&self) -> Option<&Token> {
        self.0.as_ref()
    }

    /// The header that gives the browser this token.
    pub(super) fn header(token: &Token, config: &Config) -> Option<HeaderValue> {
        let cookie = Cookie::build((NAME, token.to_string()))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(config.production())
            .max_age(MAX_AGE)
            .build();
        HeaderValue::from_str(&cookie.to_string()).ok()
    }
}

impl FromRequestParts<App> for CartCookie {
    type Rejection = crate::error::AppError;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Self::Rejection> {
        let jar = CookieJar::from_headers(&parts.headers);
        Ok(Self(jar.get(NAME).and_then(|c| c.value().parse().ok())))
    }
}

/// A cookie to send along with an answer, where one is due.
#[derive(Debug, Clone, Default)]
pub struct SendCookie(pub(super) Option<HeaderValue>);

impl SendCookie {
    /// For the answer of a page handler: `(changed.cookie.headers(), Redirect::to("/cart"))`.
    pub fn headers(self) -> AppendHeaders<Vec<(HeaderName, HeaderValue)>> {
        AppendHeaders(self.0.into_iter().map(|value| (SET_COOKIE, value)).collect())
    }

    /// For the answer of the server function that is running.
    pub fn set_in_server_function(self) {
        if let (Some(value), Some(options)) = (self.0, leptos::prelude::use_context::<ResponseOptions>()) {
            options.append_header(SET_COOKIE, value);
        }
    }
}
