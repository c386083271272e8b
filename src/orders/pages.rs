//! The pages of an order for the person who made it: signed in, or with the link from the mail.

use super::{
    model::{Truth, truth},
    queries::{self, Reader},
    views::{OrderPage, OrderView},
};
use crate::{
    error::{AppError, Refusal},
    ids::OrderId,
    payments,
    server::{auth::MaybeCustomer, flash, page::Page, state::App, token::Token},
};
use axum::{
    Form, Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::{HeaderValue, StatusCode, header};
use leptos::prelude::*;
use serde::Deserialize;
use std::time::Duration;
use time::OffsetDateTime;
use tower_sessions::Session;

pub use super::views::{OrderTable, label};

/// The addresses of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/orders/{id}", get(order_page))
        .route("/orders/{id}/return", get(back_from_paying))
        .route("/orders/{id}/pay", post(pay))
        .route("/orders/{id}/cancel", post(cancel))
}

/// The guest's link, in the address or in a form.
#[derive(Debug, Deserialize)]
struct Link {
    token: Option<String>,
    /// Set after the way back from paying when Stripe did not answer.
    checking: Option<String>,
}

impl Link {
    /// A text that is no token opens nothing, like a wrong one.
    fn token(&self) -> Option<Token> {
        self.token.as_deref().and_then(|t| t.parse().ok())
    }

    fn reader(&self, who: &MaybeCustomer) -> Reader {
        Reader::person(who, self.token().as_ref())
    }

    /// An address of the order, with the token if there is one.
    fn address(&self, order: OrderId, rest: &str) -> String {
        match self.token() {
            Some(token) => format!("/orders/{order}{rest}?token={token}"),
            None => format!("/orders/{order}{rest}"),
        }
    }
}

/// An id in an address; what is none belongs to no order.
fn order_id(text: &str) -> Result<OrderId, AppError> {
    text.parse().map_err(|_| AppError::NotFound)
}

/// `GET /orders/{id}`
async fn order_page(
    State(app): State<App>,
    who: MaybeCustomer,
    session: Session,
    Path(id): Path<String>,
    Query(link): Query<Link>,
) -> Result<Response, AppError> {
    let id = order_id(&id)?;
    let reader = link.reader(&who);
    let notice = flash::take(&session).await?;
    let (page, truth) = draw(&app, id, &reader, &link, None).await?;
    let page = page.notice(notice);
    // Where the last word is not spoken the page asks again by itself, also without script.
    let again = match truth {
        Truth::Processing => Some(format!("8; url={}", link.address(id, "/return"))),
        Truth::ToPay { .. } if link.checking.is_some() => Some(format!("4; url={}", link.address(id, "/return"))),
        Truth::Closing => Some("5".to_owned()),
        _ => None,
    };
    let mut response = page.into_response();
    if let Some(value) = again.and_then(|a| HeaderValue::from_str(&a).ok()) {
        response.headers_mut().insert(header::REFRESH, value);
    }
    // The page is personal, and its address may hold the token.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

async fn draw(app: &App, id: OrderId, reader: &Reader, link: &Link, problem: Option<String>) -> Result<(Page, Truth), AppError> {
    let order = queries::detail(&app.pool, id, reader).await?;
    let truth = truth(&order, OffsetDateTime::now_utc());
    let title = format!("Order {}", order.head.number);
    let view = OrderView {
        truth: truth.clone(),
        checking: link.checking.is_some(),
        token: link.token().map(|t| t.to_string()),
        problem,
        order,
    };
    Ok((Page::new(title, move || view! { <OrderPage view=view/> }), truth))
}

/// How long a person waits for Stripe on the way back before the page says that it is still being asked.
const PATIENCE: Duration = Duration::from_secs(8);

/// `GET /orders/{id}/return`: the browser comes back from paying. What it claims counts for nothing; Stripe is asked.
async fn back_from_paying(
    State(app): State<App>,
    who: MaybeCustomer,
    Path(id): Path<String>,
    Query(link): Query<Link>,
) -> Result<Redirect, AppError> {
    let id = order_id(&id)?;
    let reader = link.reader(&who);
    queries::may_read(&mut *app.pool.acquire().await?, id, &reader).await?;
    let asked = tokio::time::timeout(PATIENCE, payments::settle_order(&app, id)).await;
    let page = link.address(id, "");
    match asked {
        Ok(Ok(())) => Ok(Redirect::to(&page)),
        late_or_failed => {
            if let Ok(Err(error)) = late_or_failed {
                tracing::warn!(order = %id, error = format!("{error:#}"), "Stripe does not say yet; the page asks again");
            }
            let sign = if page.contains('?') { '&' } else { '?' };
            Ok(Redirect::to(&format!("{page}{sign}checking=yes")))
        }
    }
}

/// `POST /orders/{id}/pay`: to the hosted page, the same one for every press.
async fn pay(
    State(app): State<App>,
    who: MaybeCustomer,
    Path(id): Path<String>,
    Form(link): Form<Link>,
) -> Result<Response, AppError> {
    let id = order_id(&id)?;
    let reader = link.reader(&who);
    queries::may_read(&mut *app.pool.acquire().await?, id, &reader).await?;
    match payments::open(&app, id).await {
        Ok(url) => Ok(Redirect::to(&url).into_response()),
        Err(AppError::Conflict(refusal)) => refused(&app, id, &reader, &link, refusal).await,
        Err(error) => Err(error),
    }
}

/// `POST /orders/{id}/cancel`
async fn cancel(
    State(app): State<App>,
    who: MaybeCustomer,
    Path(id): Path<String>,
    Form(link): Form<Link>,
) -> Result<Response, AppError> {
    let id = order_id(&id)?;
    let reader = link.reader(&who);
    match payments::cancel(&app, id, &reader).await {
        Ok(()) => Ok(Redirect::to(&link.address(id, "")).into_response()),
        Err(AppError::Conflict(refusal)) => refused(&app, id, &reader, &link, refusal).await,
        Err(error) => Err(error),
    }
}

/// The order's page with the reason for a "no" on top, and all else as it stands now.
async fn refused(app: &App, id: OrderId, reader: &Reader, link: &Link, refusal: Refusal) -> Result<Response, AppError> {
    let (page, _) = draw(app, id, reader, link, Some(refusal.to_string())).await?;
    Ok(page.status(StatusCode::CONFLICT).into_response())
}
