//! Bodies: JSON and nothing else. Syntax that cannot be read is 400; a value that does not fit is 422, at its field.

use crate::{error::AppError, server::state::App};
use axum::{
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{StatusCode, header};
use serde::{
    Deserializer,
    de::{
        DeserializeOwned, Error, IntoDeserializer, Unexpected, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::Value;

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
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| AppError::BadRequest(format!("The body is no JSON that can be read: {error}.")))?;
    serde_path_to_error::deserialize(Named(&value)).map_err(|error| {
        let path = error.path().to_string();
        AppError::field(if path == "." { "" } else { &path }, error.inner().to_string())
    })
}

/// Reads structs from objects only. Serde would also take a list of their fields, which no document of ours says.
#[derive(Clone, Copy)]
struct Named<'de>(&'de Value);

impl<'de> Deserializer<'de> for Named<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Object(map) => {
                MapDeserializer::new(map.iter().map(|(name, value)| (name.as_str(), Named(value)))).deserialize_any(visitor)
            }
            Value::Array(list) => SeqDeserializer::new(list.iter().map(Named)).deserialize_any(visitor),
            plain => plain.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self.0 {
            Value::Array(_) => Err(Self::Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        // Ours have a name and nothing else; serde would also take {"read": null}.
        match self.0 {
            Value::String(_) => self.0.deserialize_enum(name, variants, visitor),
            _ => Err(Self::Error::custom(format!("one of {}", variants.join(", ")))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, serde_json::Error> for Named<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
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
            (r#"[[{"quantity":2}]]"#, ""),
            (r#"{"items":[[2]]}"#, "items[0]"),
        ] {
            let Err(AppError::Invalid(errors)) = read::<Order>(body.as_bytes()) else { panic!("{body}") };
            assert!(errors.get(field).is_some(), "{body}: {errors:?}");
        }
    }
}
