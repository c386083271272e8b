//! What a server function can reach: the program, and the same guards as a page, with their typed rejection kept.

use super::state::App;
use crate::error::AppError;
use axum::extract::FromRequestParts;
use http::request::Parts;
use leptos::prelude::use_context;

/// The running program, inside a server function.
pub fn app() -> Result<App, AppError> {
    use_context::<App>().ok_or(AppError::Internal)
}

/// A guard or another extractor, inside a server function: `let vendor: Vendor = extract().await?;`
pub async fn extract<T: FromRequestParts<App, Rejection = AppError>>() -> Result<T, AppError> {
    let app = app()?;
    let mut parts = use_context::<Parts>().ok_or(AppError::Internal)?;
    T::from_request_parts(&mut parts, &app).await
}
