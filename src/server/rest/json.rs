//! Bodies: JSON and nothing else. Syntax that cannot be read is 400; a value that does not fit is 422, at its field.

use crate::{error::AppError, server::state::App};
use axum::{
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// A body of the given form. Its struct says `deny_unknown_fields`, and its fields parse themselves.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response());
        }
        let bytes = Bytes::from_request(request, app).await.map_err(IntoResponse::into_response)?;
        read(&bytes).map(Self).map_err(IntoResponse::into_response)
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, AppError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let (path, inner) = (error.path().to_string(), error.inner());
        // serde_json adds where it stopped; a field's name says it better.
        let said = inner.to_string();
        let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(what, _)| what);
        match inner.classify() {
            Category::Data => AppError::field(if path == "." { "" } else { &path }, said),
            _ => AppError::BadRequest(format!("The body is no JSON that can be read: {inner}.")),
        }
    })?;
    reader.end().map_err(|_| AppError::BadRequest("Something follows the JSON of the body.".into()))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        items: Vec<Item>,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Item {
        quantity: i32,
    }

    #[test]
    fn what_cannot_be_read_is_told_apart_from_what_does_not_fit() {
        assert_eq!(read(br#"{"items":[{"quantity":2}]}"#), Ok(Order { items: vec![Item { quantity: 2 }] }));
        for broken in ["", "{", "{}}", "[1,]", "\u{feff}{}", "{\"items\":[]} x"] {
            assert!(matches!(read::<Order>(broken.as_bytes()), Err(AppError::BadRequest(_))), "{broken:?}");
        }
        assert!(matches!(read::<Order>(b"{\"items\":\"\xff\"}"), Err(AppError::BadRequest(_))));
        for (body, field) in [
            (r#"{"items":[{"quantity":"two"}]}"#, "items[0].quantity"),
            (r#"{"items":[{}]}"#, "items[0]"),
            (r#"{"items":[],"colour":1}"#, "colour"),
            ("{}", ""),
            ("7", ""),
        ] {
            let Err(AppError::Invalid(errors)) = read::<Order>(body.as_bytes()) else { panic!("{body}") };
            assert!(errors.get(field).is_some(), "{body}: {errors:?}");
        }
    }
}
