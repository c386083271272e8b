//! From what failed to what a person or a program is told: a page, `application/problem+json`, or the way to sign in.

use super::{auth::LocalPath, page::Page, state::App, trace::RequestId};
use crate::{
    error::{AppError, Refusal},
    money::Money,
};
use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderValue, Method, StatusCode, header};
use leptos::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Travels in the response's extensions from the handler to [`present`], which knows what the client wants.
#[derive(Clone)]
struct Failure(AppError);

/// Marks an answer that is already for people, though its status is an error: [`present`] leaves it alone.
#[derive(Clone, Copy)]
pub struct Presented;

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(Failure(self));
        response
    }
}

impl From<sqlx::Error> for AppError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::RowNotFound => Self::NotFound,
            error => internal(error),
        }
    }
}

impl From<anyhow::Error> for AppError {
    fn from(error: anyhow::Error) -> Self {
        tracing::error!(error = format!("{error:#}"), "request failed");
        Self::Internal
    }
}

/// Logs what the person is not told.
pub fn internal(error: impl std::fmt::Display) -> AppError {
    tracing::error!(%error, "request failed");
    AppError::Internal
}

/// The name of the constraint that refused, for mapping to a field error where the statement stands.
pub fn constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(|e| e.constraint())
}

/// Whether an INSERT or UPDATE ran into the named constraint.
pub fn violates(error: &sqlx::Error, name: &str) -> bool {
    constraint(error) == Some(name)
}

/// The middleware that gives every failure its form. Also the framework's own (404, 405, 413, 415, unreadable forms).
pub async fn present(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let here = request.uri().path_and_query().map_or_else(|| path.clone(), |p| p.as_str().to_owned());
    let method = request.method().clone();
    let mut response = next.run(request).await;
    if path.starts_with("/api/") {
        return as_problem(response);
    }
    let failure = response.extensions_mut().remove::<Failure>().map(|f| f.0);
    let status = response.status();
    let framework = failure.is_none()
        && status.as_u16() >= 400
        && response.extensions().get::<Presented>().is_none()
        && !path.starts_with("/sf/")
        && !path.starts_with("/webhooks/")
        && !path.starts_with("/media/");
    if failure.is_none() && !framework {
        return response;
    }
    if failure == Some(AppError::Unauthenticated) {
        let back = if method == Method::GET { here } else { "/account".into() };
        let back = percent_encoding::utf8_percent_encode(&back, percent_encoding::NON_ALPHANUMERIC);
        return Redirect::to(&format!("/sign-in?next={back}")).into_response();
    }
    if let Some(there) = elsewhere(&method, &here, &path, status, framework) {
        return there;
    }
    // A malformed id in an address is simply a page that does not exist.
    let status =
        if framework && status == StatusCode::BAD_REQUEST && method == Method::GET { StatusCode::NOT_FOUND } else { status };
    let keep: Vec<_> = [header::ALLOW, header::RETRY_AFTER]
        .into_iter()
        .filter_map(|name| response.headers().get(&name).cloned().map(|value| (name, value)))
        .collect();
    let mut page = error_page(status, failure).desks(response.extensions().get()).render(&app);
    page.headers_mut().extend(keep);
    page
}

/// Where a person was going who is at an address that shows nothing: one that ends with a slash too many, or that of a form,
/// typed or reloaded, which belongs to the page above it. `here` is `path` with its query.
fn elsewhere(method: &Method, here: &str, path: &str, status: StatusCode, framework: bool) -> Option<Response> {
    let reads = method == Method::GET || method == Method::HEAD;
    if status == StatusCode::NOT_FOUND && path.len() > 1 && path.ends_with('/') {
        // Never an address of another host, such as `//example.com`.
        let tidy = LocalPath::parse(&here.replacen(path, path.trim_end_matches('/'), 1));
        return Some(Redirect::permanent(tidy.as_str()).into_response());
    }
    if framework && reads && status == StatusCode::METHOD_NOT_ALLOWED {
        let (above, _) = path.rsplit_once('/')?;
        return Some(Redirect::to(LocalPath::parse(above).as_str()).into_response());
    }
    None
}

/// An error as programs read it (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A stable name, such as `/problems/sold-out`.
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// One sentence for a person.
    detail: String,
    /// With 422: what is wrong, by field.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<BTreeMap<String, Vec<String>>>,
    /// With `/problems/sold-out`: how many can be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<i32>,
    /// With `/problems/price-changed`: the total that was expected, and the one that holds now.
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<Money>,
    /// What to name when asking us about it; also in the header `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl Problem {
    fn of(status: StatusCode, failure: Option<&AppError>) -> Self {
        let slug = match failure {
            Some(AppError::Conflict(refusal)) => refusal.slug(),
            Some(AppError::Invalid(_)) => "invalid",
            _ => match status.as_u16() {
                400 => "bad-request",
                401 => "unauthenticated",
                403 => "forbidden",
                404 => "not-found",
                405 => "method-not-allowed",
                413 => "too-large",
                415 => "unsupported-media-type",
                429 => "too-many-attempts",
                _ => "internal",
            },
        };
        let title = status.canonical_reason().unwrap_or("Error");
        let mut problem = Self {
            kind: format!("/problems/{slug}"),
            title,
            status: status.as_u16(),
            detail: failure.map_or_else(|| title.to_owned(), ToString::to_string),
            errors: None,
            left: None,
            was: None,
            now: None,
            request_id: RequestId::current().map(|id| id.as_str().to_owned()),
        };
        match failure {
            Some(AppError::Invalid(errors)) => {
                let fields = problem.errors.get_or_insert_default();
                for (field, message) in errors.iter() {
                    fields.entry(field.to_owned()).or_default().push(message.to_owned());
                }
            }
            Some(AppError::Conflict(Refusal::SoldOut { left, .. })) => problem.left = Some(*left),
            Some(AppError::Conflict(Refusal::PriceChanged { was, now })) => {
                (problem.was, problem.now) = (Some(*was), Some(*now));
            }
            _ => {}
        }
        problem
    }
}

/// Gives an error its body for programs; its other headers stay. Any other answer passes as it is.
pub fn as_problem(mut response: Response) -> Response {
    let failure = response.extensions_mut().remove::<Failure>().map(|f| f.0);
    let status = response.status();
    if failure.is_none() && (status.as_u16() < 400 || response.extensions().get::<Presented>().is_some()) {
        return response;
    }
    let body = serde_json::to_vec(&Problem::of(status, failure.as_ref())).unwrap_or_default();
    *response.body_mut() = Body::from(body);
    response.extensions_mut().insert(Presented);
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    match failure {
        Some(AppError::Unauthenticated) => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Some(AppError::Conflict(Refusal::TooManyAttempts { retry_after_seconds })) => {
            headers.insert(header::RETRY_AFTER, retry_after_seconds.into());
        }
        Some(AppError::Conflict(Refusal::StillRunning)) => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        Some(AppError::Conflict(Refusal::PaymentUnavailable)) => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
        }
        _ => {}
    }
    response
}

fn error_page(status: StatusCode, failure: Option<AppError>) -> Page {
    let title = match status.as_u16() {
        403 => "Not allowed",
        404 => "Not found",
        405 => "Not possible here",
        409 | 422 => "That did not work",
        413 => "Too large",
        429 => "Please wait",
        400 | 415 => "That request was not understood",
        _ => "Something went wrong",
    };
    let (text, fields): (String, Vec<String>) = match (&failure, status.as_u16()) {
        (Some(AppError::Invalid(errors)), _) => {
            (AppError::Invalid(Default::default()).to_string(), errors.iter().map(|(f, m)| format!("{f}: {m}")).collect())
        }
        (Some(AppError::NotFound) | None, 404) => {
            ("There is nothing at this address. It may have moved, or it was never here.".into(), vec![])
        }
        (Some(error), _) => (error.to_string(), vec![]),
        (None, 413) => ("What you sent is larger than we accept.".into(), vec![]),
        (None, s) if s >= 500 => (AppError::Internal.to_string(), vec![]),
        (None, _) => ("Please go back and try again.".into(), vec![]),
    };
    Page::new(title, move || {
        view! {
            <section class="error-page">
                <h1>{title}</h1>
                <p>{text}</p>
                {(!fields.is_empty()).then(|| view! { <ul>{fields.into_iter().map(|f| view! { <li>{f}</li> }).collect_view()}</ul> })}
                <p><a class="button" href="/">"Back to the market"</a> " " <a href="/search">"Search"</a></p>
            </section>
        }
    })
    .status(status)
}

/// Gives a failed server function its own status instead of 500. The browser side reads the same typed error from the body.
pub async fn server_function_status(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.status() != StatusCode::INTERNAL_SERVER_ERROR || !response.headers().contains_key("serverfnerror") {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, 64 * 1024).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if let Ok(error) = serde_json::from_slice::<AppError>(&bytes) {
        parts.status = StatusCode::from_u16(error.status()).unwrap_or(parts.status);
    }
    Response::from_parts(parts, Body::from(bytes))
}
