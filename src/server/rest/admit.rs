//! Who asks, and how often they may. A token in the `Authorization` header speaks for its person; each token, and each address
//! without one, has its own number of requests in a minute.

use crate::{
    accounts::tokens,
    error::{AppError, Refusal},
    server::{auth::ClientAddress, errors::as_problem, state::App, token::Token},
};
use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Asker {
    Address(IpAddr),
    /// The token's hash.
    Token(Vec<u8>),
}

/// Counts requests of the running minute, in this process alone: each node lets a client have its full rate.
pub struct Limiter {
    rate: u32,
    minute: Mutex<Minute>,
}

struct Minute {
    began: Instant,
    asked: HashMap<Asker, u32>,
}

/// What is left to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    rate: u32,
    /// `None`: one too many.
    remaining: Option<u32>,
    reset_seconds: u32,
}

const WINDOW: Duration = Duration::from_secs(60);

impl Limiter {
    /// `rate`: requests in a minute.
    pub fn new(rate: u32) -> Self {
        Self { rate, minute: Mutex::new(Minute { began: Instant::now(), asked: HashMap::new() }) }
    }

    /// One more request of an address, without a token; `None` where it is one too many.
    pub fn admit(&self, address: IpAddr) -> Option<Left> {
        Some(self.count(Asker::Address(address), Instant::now())).filter(|left| left.remaining.is_some())
    }

    fn count(&self, asker: Asker, now: Instant) -> Left {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(minute.began) >= WINDOW {
            *minute = Minute { began: now, asked: HashMap::new() };
        }
        let over = WINDOW.saturating_sub(now.saturating_duration_since(minute.began));
        let asked = minute.asked.entry(asker).or_default();
        *asked = asked.saturating_add(1);
        let remaining = self.rate.checked_sub(*asked);
        Left { rate: self.rate, remaining, reset_seconds: u32::try_from(over.as_secs()).unwrap_or_default() + 1 }
    }
}

impl Left {
    /// Where a client reads it: limit, what remains, and seconds until it is whole again.
    pub const HEADERS: [HeaderName; 3] = [
        HeaderName::from_static("ratelimit-limit"),
        HeaderName::from_static("ratelimit-remaining"),
        HeaderName::from_static("ratelimit-reset"),
    ];

    /// Says it in an answer.
    pub fn write(self, headers: &mut HeaderMap) {
        let values = [self.rate, self.remaining.unwrap_or_default(), self.reset_seconds];
        headers.extend(Self::HEADERS.into_iter().zip(values.map(HeaderValue::from)));
    }
}

/// The layer around all calls.
pub(super) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(&mut parts, &app).await;
    let presented = parts.headers.get(header::AUTHORIZATION).map(read);
    let token = match &presented {
        None => Ok(None),
        Some(None) => Err(AppError::Unauthenticated),
        Some(Some(token)) => match tokens::bearer(&app.pool, token).await {
            Ok(Some(bearer)) => Ok(Some((token, bearer))),
            Ok(None) => Err(AppError::Unauthenticated),
            Err(error) => Err(error.into()),
        },
    };
    // A wrong token counts for the address, or guessing would be free.
    let asker = match &token {
        Ok(Some((token, _))) => Asker::Token(token.hash()),
        _ => Asker::Address(address),
    };
    let left = app.limiter.count(asker, Instant::now());
    let answer = match (left.remaining, token) {
        (None, _) => Err(Refusal::TooManyAttempts { retry_after_seconds: left.reset_seconds }.into()),
        (_, Err(error)) => Err(error),
        (_, Ok(Some((_, bearer)))) if !bearer.may_write() && !parts.method.is_safe() => Err(AppError::Forbidden),
        (_, Ok(token)) => {
            if let Some((_, bearer)) = token {
                // Nothing that a browser sends by itself counts beside a token, so nothing can be forged with it.
                for name in [header::COOKIE, header::ORIGIN, HeaderName::from_static("sec-fetch-site")] {
                    parts.headers.remove(name);
                }
                parts.extensions.insert(bearer);
            }
            Ok(next.run(Request::from_parts(parts, body)).await)
        }
    };
    let mut response = as_problem(answer.unwrap_or_else(IntoResponse::into_response));
    left.write(response.headers_mut());
    response
}

/// `Bearer …`; `None` where it is anything else.
fn read(value: &HeaderValue) -> Option<Token> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| tokens::read(token.trim())).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_has_its_own_minute() {
        let limiter = Limiter::new(2);
        let (now, a, b) = (Instant::now(), Asker::Address([10, 0, 0, 1].into()), Asker::Token(vec![1]));
        let left = |asker: &Asker, at| limiter.count(asker.clone(), at).remaining;
        assert_eq!([left(&a, now), left(&a, now), left(&a, now)], [Some(1), Some(0), None]);
        assert_eq!(left(&b, now), Some(1));
        assert_eq!(left(&a, now + WINDOW), Some(1));
    }
}
