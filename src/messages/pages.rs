//! The thread of a parcel: for its shopper, signed in or with the link from the mail, and for its vendor's team.

use super::{
    MessageText, from_shopper, from_vendor, messages_of, settle,
    views::{MessageForm, Thread},
};
use crate::{
    error::{AppError, FieldErrors},
    ids::VendorOrderId,
    orders::{
        model::Parcel,
        own::{OwnOrder, private},
        queries,
    },
    server::{
        auth::{MaybeCustomer, Vendor},
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Breadcrumbs, ErrorSummary},
    vendors::desk::Desk,
};
use axum::{
    Form, Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

/// The addresses of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/orders/{id}/messages", get(shopper).post(shopper_writes))
        .route("/vendor/orders/{order}/messages", get(vendor).post(vendor_writes))
}

/// What links and forms carry.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Link {
    token: Option<String>,
    parcel: String,
    text: String,
    /// `settle` where nothing is left to answer.
    action: String,
}

/// The order and its parcel that an address or a form names.
struct Own {
    order: OwnOrder,
    parcel: VendorOrderId,
}

impl Own {
    async fn of(app: &App, who: &MaybeCustomer, order: &str, link: &Link) -> Result<Self, AppError> {
        let parcel = link.parcel.parse().map_err(|_| AppError::NotFound)?;
        Ok(Self { order: OwnOrder::of(app, who, order, link.token.as_deref()).await?, parcel })
    }

    fn here(&self) -> String {
        let token = self.order.token.as_ref().map(|t| format!("&token={t}")).unwrap_or_default();
        format!("/orders/{}/messages?parcel={}{token}", self.order.id(), self.parcel)
    }
}

/// `GET /orders/{id}/messages?parcel=`
async fn shopper(
    State(app): State<App>,
    who: MaybeCustomer,
    session: Session,
    Path(order): Path<String>,
    Query(link): Query<Link>,
) -> Result<Response, AppError> {
    let own = Own::of(&app, &who, &order, &link).await?;
    let notice = flash::take(&session).await?;
    let page = shopper_page(&app, &own, String::new(), FieldErrors::default()).await?;
    Ok(private(page.notice(notice)))
}

/// `POST /orders/{id}/messages`
async fn shopper_writes(
    State(app): State<App>,
    who: MaybeCustomer,
    session: Session,
    Path(order): Path<String>,
    Form(link): Form<Link>,
) -> Result<Response, AppError> {
    let own = Own::of(&app, &who, &order, &link).await?;
    match read(&link.text) {
        Ok(text) => match from_shopper(&app, own.order.may, &own.order.reader, own.parcel, &text).await {
            Ok(()) => {
                flash::put(&session, "Sent. A mail tells you of the answer.").await?;
                Ok(Redirect::to(&own.here()).into_response())
            }
            Err(AppError::Invalid(errors)) => refused(&app, &own, link.text, errors).await,
            Err(error) => Err(error),
        },
        Err(errors) => refused(&app, &own, link.text, errors).await,
    }
}

async fn refused(app: &App, own: &Own, typed: String, errors: FieldErrors) -> Result<Response, AppError> {
    Ok(private(shopper_page(app, own, typed, errors).await?.status(StatusCode::UNPROCESSABLE_ENTITY)))
}

fn read(text: &str) -> Result<MessageText, FieldErrors> {
    let mut errors = FieldErrors::default();
    errors.take("text", text.parse::<MessageText>()).ok_or(errors)
}

async fn shopper_page(app: &App, own: &Own, typed: String, errors: FieldErrors) -> Result<Page, AppError> {
    let order = queries::detail(&app.pool, own.order.may).await?;
    // Before it is paid an order is nobody's work, and nobody is asked about it.
    let paid = order.head.placed_at.is_some();
    let parcel = order.parcels.iter().find(|parcel| paid && parcel.head.id == own.parcel).ok_or(AppError::NotFound)?;
    let vendor = parcel.head.vendor_name.clone();
    let messages = messages_of(&order.timeline, own.parcel);
    let (number, back) = (order.head.number, own.order.address(""));
    let action = format!("/orders/{}/messages", own.order.id());
    let mut hidden = vec![("parcel", own.parcel.to_string())];
    hidden.extend(own.order.token.as_ref().map(|token| ("token", token.to_string())));
    Ok(Page::new(format!("Messages about order {number}"), move || {
        let trail = vec![(back, format!("Order {number}")), (String::new(), "Messages".to_owned())];
        view! {
            <Breadcrumbs trail=trail/>
            <h1>{format!("{vendor} and you")}</h1>
            <ErrorSummary errors=errors.clone()/>
            <Thread messages=messages by_vendor=false shopper="You".to_owned() vendor=vendor.clone()/>
            <MessageForm action=action label=format!("Write to {vendor}") typed=typed errors=errors hidden=hidden/>
        }
    }))
}

/// `GET /vendor/orders/{order}/messages`
async fn vendor(
    State(app): State<App>,
    Desk(vendor): Desk,
    session: Session,
    Path(id): Path<VendorOrderId>,
) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(vendor_page(&app, &vendor, id, String::new(), FieldErrors::default()).await?.notice(notice))
}

/// `POST /vendor/orders/{order}/messages`
async fn vendor_writes(
    State(app): State<App>,
    Desk(vendor): Desk,
    session: Session,
    Path(id): Path<VendorOrderId>,
    Form(form): Form<Link>,
) -> Result<Response, AppError> {
    let here = format!("/vendor/orders/{id}/messages");
    if form.action == "settle" {
        settle(&app, &vendor, id).await?;
        flash::put(&session, "It no longer waits for an answer.").await?;
        return Ok(Redirect::to(&here).into_response());
    }
    let written = match read(&form.text) {
        Ok(text) => from_vendor(&app, &vendor, id, &text).await,
        Err(errors) => Err(errors.into()),
    };
    match written {
        Ok(()) => {
            flash::put(&session, "Sent. A mail tells the shopper.").await?;
            Ok(Redirect::to(&here).into_response())
        }
        Err(AppError::Invalid(errors)) => {
            let page = vendor_page(&app, &vendor, id, form.text, errors).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(error) => Err(error),
    }
}

async fn vendor_page(
    app: &App,
    vendor: &Vendor,
    id: VendorOrderId,
    typed: String,
    errors: FieldErrors,
) -> Result<Page, AppError> {
    let order = queries::vendor_order(&app.pool, vendor, id).await?;
    let messages = messages_of(&order.timeline, id);
    let waits =
        order.timeline.iter().rev().find(|e| e.kind.starts_with("message_")).is_some_and(|e| e.kind == "message_from_shopper");
    let (number, shopper) = (order.head.number, order.head.ship_name.clone());
    let Parcel { head, .. } = order.parcel;
    Ok(Page::new(format!("Messages about order {number}"), move || {
        let trail = vec![
            ("/vendor/orders".to_owned(), "Orders".to_owned()),
            (format!("/vendor/orders/{id}"), format!("Order {number}")),
            (String::new(), "Messages".to_owned()),
        ];
        let action = format!("/vendor/orders/{id}/messages");
        view! {
            <Breadcrumbs trail=trail/>
            <div class="desk-head"><h1>{format!("{shopper} and you")}</h1></div>
            <ErrorSummary errors=errors.clone()/>
            <div id="live-messages" data-live="asked">
                <Thread messages=messages by_vendor=true shopper=shopper.clone() vendor=head.vendor_name/>
            </div>
            <MessageForm action=action.clone() label=format!("Write to {shopper}") typed=typed errors=errors hidden=Vec::new()/>
            {waits.then(|| view! {
                <form method="post" action=action>
                    <button class="button-quiet" name="action" value="settle">"No answer is needed"</button>
                </form>
            })}
        }
    })
    .layout(Layout::Vendor("/vendor/orders")))
}
