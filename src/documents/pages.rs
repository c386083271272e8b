//! Where papers are downloaded: by the shopper from the order, by the vendor from its list. Each is found through who asks.

mod links;
mod vendor;

pub use links::DocumentLinks;

use super::queries::{self, File};
use crate::{
    error::AppError,
    ids::{DocumentId, OrderId},
    orders::queries::{Reader, may_read},
    server::{auth::MaybeCustomer, state::App, token::Token},
};
use axum::{
    Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, header};
use serde::Deserialize;

/// The addresses of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/orders/{id}/documents/{document}", get(of_order))
        .route("/vendor/orders/{order}/packing-slip.pdf", get(vendor::slip))
        .route("/vendor/documents", get(vendor::list))
        .route("/vendor/documents/{document}", get(vendor::download))
}

/// What the guest's link carries.
#[derive(Deserialize)]
struct Link {
    token: Option<String>,
}

/// `GET /orders/{id}/documents/{document}`, with the token of the order's link for a guest.
async fn of_order(
    State(app): State<App>,
    who: MaybeCustomer,
    Path((order, document)): Path<(OrderId, DocumentId)>,
    Query(link): Query<Link>,
) -> Result<Response, AppError> {
    let token: Option<Token> = link.token.and_then(|t| t.parse().ok());
    let may = may_read(&mut *app.pool.acquire().await?, order, &Reader::person(&who, token.as_ref())).await?;
    queries::file_of_order(&app.pool, may, document).await.map(answer)
}

/// A paper as a file to keep. It is personal, and its address may hold a token: nobody on the way keeps it.
pub fn answer(file: File) -> Response {
    pdf(&format!("{}-{}", file.kind.title().replace(' ', "-"), file.number), file.pdf)
}

fn pdf(name: &str, pdf: Vec<u8>) -> Response {
    let name = format!("attachment; filename=\"{name}.pdf\"");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/pdf")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"))),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ];
    (headers, pdf).into_response()
}
