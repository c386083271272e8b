//! The pages of disputes: one file for each who reads them, what they share in `views`.

mod operator;
mod vendor;
mod views;

pub use views::{OfOrder, StateBadge};

use super::files::UPLOAD_LIMIT;
use crate::{
    error::{AppError, FieldErrors},
    server::state::App,
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use http::StatusCode;

/// The addresses of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/operator/disputes", get(operator::list))
        .route("/operator/disputes/{id}", get(operator::show).post(operator::draft))
        .route("/operator/disputes/{id}/evidence", get(operator::back).post(operator::submit))
        .route(
            "/operator/disputes/{id}/files",
            get(operator::back).post(operator::add).layer(DefaultBodyLimit::max(UPLOAD_LIMIT)),
        )
        .route("/operator/disputes/{id}/files/{file}", get(operator::file))
        .route("/operator/disputes/{id}/files/{file}/remove", post(operator::remove))
        .route("/vendor/disputes", get(vendor::list))
        .route("/vendor/disputes/{id}", get(vendor::show).post(vendor::say))
        .route("/vendor/disputes/{id}/files", get(vendor::back).post(vendor::add).layer(DefaultBodyLimit::max(UPLOAD_LIMIT)))
        .route("/vendor/disputes/{id}/files/{file}", get(vendor::file))
        .route("/vendor/disputes/{id}/files/{file}/remove", post(vendor::remove))
}

/// What a form that was refused says, and with which status; other errors are no matter of the form.
fn refused(error: AppError) -> Result<(FieldErrors, StatusCode), AppError> {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::CONFLICT);
    match error {
        AppError::Invalid(errors) => Ok((errors, status)),
        AppError::Conflict(refusal) => Ok((FieldErrors::one("", refusal.to_string()), status)),
        other => Err(other),
    }
}
