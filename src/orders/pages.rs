//! The pages of an order for the person who made it: signed in, or with the link from the mail.

use super::{
    model::{Truth, truth},
    own::OwnOrder,
    queries,
    views::{OrderPage, OrderView},
};
use crate::{
    documents,
    error::{AppError, Refusal},
    ids::VendorOrderId,
    payments,
    payouts::{self, Deliverer},
    server::{auth::MaybeCustomer, flash, page::Page, state::App},
};
use axum::{
    Form, Router,
    extract::{FromRequest, FromRequestParts, Path, Request, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::{HeaderValue, StatusCode, header};
use leptos::prelude::*;
use serde::Deserialize;
use std::time::Duration;
use time::OffsetDateTime;
use tower_sessions::Session;

/// The addresses of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/orders/{id}", get(order_page))
        .route("/orders/{id}/return", get(back_from_paying))
        .route("/orders/{id}/pay", post(pay))
        .route("/orders/{id}/cancel", post(cancel))
        .route("/orders/{id}/received", post(received))
}

/// What the guest's link and the forms of the page carry.
#[derive(Debug, Deserialize)]
struct Link {
    token: Option<String>,
    /// Set after the way back from paying when Stripe did not answer.
    checking: Option<String>,
    /// Which parcel a form is about.
    parcel: Option<String>,
}

/// The order that the address names, with the token of its link in the query of a GET or in the form of a POST.
struct Own {
    order: OwnOrder,
    checking: bool,
    parcel: Option<VendorOrderId>,
}

impl FromRequest<App> for Own {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Path(id) = Path::<String>::from_request_parts(&mut parts, app).await.map_err(IntoResponse::into_response)?;
        let who = MaybeCustomer::from_request_parts(&mut parts, app).await.map_err(IntoResponse::into_response)?;
        let Form(link) =
            Form::<Link>::from_request(Request::from_parts(parts, body), app).await.map_err(IntoResponse::into_response)?;
        let order = OwnOrder::of(app, &who, &id, link.token.as_deref()).await.map_err(IntoResponse::into_response)?;
        let parcel = link.parcel.and_then(|p| p.parse().ok());
        Ok(Self { order, checking: link.checking.is_some(), parcel })
    }
}

/// `GET /orders/{id}`
async fn order_page(State(app): State<App>, session: Session, own: Own) -> Result<Response, AppError> {
    let notice = flash::take(&session).await?;
    let (page, truth) = draw(&app, &own, None).await?;
    // Where the last word is not spoken the page asks again by itself, also without script.
    let again = match truth {
        Truth::Processing => Some(format!("8; url={}", own.order.address("/return"))),
        Truth::ToPay { .. } if own.checking => Some(format!("4; url={}", own.order.address("/return"))),
        Truth::Closing => Some("5".to_owned()),
        _ => None,
    };
    let mut response = page.notice(notice).into_response();
    if let Some(value) = again.and_then(|a| HeaderValue::from_str(&a).ok()) {
        response.headers_mut().insert(header::REFRESH, value);
    }
    // The page is personal, and its address may hold the token.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

async fn draw(app: &App, own: &Own, problem: Option<String>) -> Result<(Page, Truth), AppError> {
    let order = queries::detail(&app.pool, own.order.may).await?;
    let documents = documents::queries::of_order(&app.pool, own.order.may).await?;
    let truth = truth(&order, OffsetDateTime::now_utc());
    let title = format!("Order {}", order.head.number);
    let token = own.order.token.as_ref().map(ToString::to_string);
    let view = OrderView { truth: truth.clone(), checking: own.checking, token, problem, documents, order };
    Ok((Page::new(title, move || view! { <OrderPage view=view/> }), truth))
}

/// How long a person waits for Stripe on the way back before the page says that it is still being asked.
const PATIENCE: Duration = Duration::from_secs(8);

/// `GET /orders/{id}/return`: the browser comes back from paying. What it claims counts for nothing; Stripe is asked.
async fn back_from_paying(State(app): State<App>, own: Own) -> Redirect {
    let page = own.order.address("");
    match tokio::time::timeout(PATIENCE, payments::settle_order(&app, own.order.id())).await {
        Ok(Ok(())) => Redirect::to(&page),
        late_or_failed => {
            if let Ok(Err(error)) = late_or_failed {
                tracing::warn!(order = %own.order.id(), error = format!("{error:#}"), "Stripe does not say yet; the page asks again");
            }
            let sign = if page.contains('?') { '&' } else { '?' };
            Redirect::to(&format!("{page}{sign}checking=yes"))
        }
    }
}

/// `POST /orders/{id}/pay`: to the hosted page, the same one for every press.
async fn pay(State(app): State<App>, own: Own) -> Result<Response, AppError> {
    match payments::open(&app, own.order.id()).await {
        Ok(url) => Ok(Redirect::to(&url).into_response()),
        Err(AppError::Conflict(refusal)) => refused(&app, &own, refusal).await,
        Err(error) => Err(error),
    }
}

/// `POST /orders/{id}/cancel`
async fn cancel(State(app): State<App>, own: Own) -> Result<Response, AppError> {
    match payments::cancel(&app, own.order.id(), &own.order.reader).await {
        Ok(()) => Ok(Redirect::to(&own.order.address("")).into_response()),
        Err(AppError::Conflict(refusal)) => refused(&app, &own, refusal).await,
        Err(error) => Err(error),
    }
}

/// `POST /orders/{id}/received`: the shopper has this parcel.
async fn received(State(app): State<App>, session: Session, own: Own) -> Result<Response, AppError> {
    let parcel = own.parcel.ok_or(AppError::NotFound)?;
    match payouts::delivered(&app, parcel, Deliverer::Shopper(own.order.may, &own.order.reader)).await {
        Ok(_) => {
            flash::put(&session, "Thank you. We have written down that it has arrived.").await?;
            Ok(Redirect::to(&own.order.address("")).into_response())
        }
        Err(AppError::Conflict(refusal)) => refused(&app, &own, refusal).await,
        Err(error) => Err(error),
    }
}

/// The order's page with the reason for a "no" on top, and all else as it stands now.
async fn refused(app: &App, own: &Own, refusal: Refusal) -> Result<Response, AppError> {
    let (page, _) = draw(app, own, Some(refusal.to_string())).await?;
    Ok(page.status(StatusCode::CONFLICT).into_response())
}
