//! Answers that a client may keep and ask about again.

use crate::{error::AppError, server::errors::internal};
use axum::response::{IntoResponse, Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The same for everybody.
pub const PUBLIC: &str = "public, no-cache";
/// For the one who asks.
pub const PRIVATE: &str = "private, no-cache";

/// The answer with a strong ETag made from its bytes, or 304 where the client has just these.
pub fn etagged(asked: &HeaderMap, cache: &'static str, answer: &impl Serialize) -> Result<Response, AppError> {
    let body = serde_json::to_vec(answer).map_err(internal)?;
    let tag = tag(&body);
    let known = known(asked, &tag);
    let headers = [
        (header::ETAG, HeaderValue::from_str(&tag).map_err(internal)?),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
    ];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((headers, kind, body).into_response())
}

/// A strong ETag: the same for the same bytes, and for no others.
pub fn tag(body: &[u8]) -> String {
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(body)[..15]))
}

/// Whether the client has the answer of this tag. `If-None-Match` compares weakly (RFC 9110, 13.1.2).
pub fn known(asked: &HeaderMap, tag: &str) -> bool {
    asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|one| one.trim().trim_start_matches("W/"))
        .any(|one| one == tag || one == "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_changes_with_the_answer_and_only_then() {
        let tag = |value: &str| etagged(&HeaderMap::new(), PUBLIC, &value).unwrap().headers()[header::ETAG].clone();
        assert_eq!(tag("a"), tag("a"));
        assert_ne!(tag("a"), tag("b"));
        for (asked, status) in [
            (tag("a"), StatusCode::NOT_MODIFIED),
            (HeaderValue::from_static("*"), StatusCode::NOT_MODIFIED),
            (HeaderValue::from_str(&format!("\"x\", W/{}", tag("a").to_str().unwrap())).unwrap(), StatusCode::NOT_MODIFIED),
            (tag("b"), StatusCode::OK),
        ] {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, asked)]);
            assert_eq!(etagged(&headers, PUBLIC, &"a").unwrap().status(), status);
        }
    }
}
