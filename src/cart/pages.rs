//! The cart's page and its forms. Every form works without script; what was typed and refused comes back with its reason.

use super::{
    CartCookie,
    model::Quantity,
    queries,
    views::{CartPage, Refused},
};
use crate::{
    error::{AppError, Refusal},
    ids::{CartLineId, VariantId},
    server::{auth::MaybeCustomer, flash, page::Page, state::App},
};
use axum::{
    Form, Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

/// The addresses of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/cart", get(cart))
        .route("/cart/items", post(add))
        .route("/cart/items/again", post(add_again))
        .route("/cart/items/{id}", post(change))
        .route("/cart/items/{id}/remove", post(remove))
        .route("/cart/items/{id}/accept", post(accept))
}

async fn cart(State(app): State<App>, who: MaybeCustomer, cookie: CartCookie, session: Session) -> Result<Page, AppError> {
    Ok(page(&app, &who, &cookie, None).await?.notice(flash::take(&session).await?))
}

async fn page(app: &App, who: &MaybeCustomer, cookie: &CartCookie, refused: Option<Refused>) -> Result<Page, AppError> {
    let cart = super::view(app, who, cookie.token()).await?;
    Ok(Page::new("Your cart", move || view! { <CartPage cart=cart refused=refused/> })
        .described("What you chose, parcel by parcel: each vendor sends its own, and you pay once."))
}

#[derive(Deserialize)]
struct AddForm {
    variant_id: VariantId,
    quantity: Option<String>,
}

async fn add(
    State(app): State<App>,
    who: MaybeCustomer,
    cookie: CartCookie,
    session: Session,
    Form(form): Form<AddForm>,
) -> Result<Response, AppError> {
    let variant = form.variant_id;
    let quantity = form.quantity.as_deref().unwrap_or("1").parse::<Quantity>();
    let refusal = match quantity {
        Ok(quantity) => match super::add(&app, &who, &cookie, variant, quantity).await {
            Ok(changed) => {
                flash::put(&session, &format!("{} is in your cart.", changed.title)).await?;
                return Ok((changed.cookie.headers(), Redirect::to("/cart")).into_response());
            }
            Err(AppError::Conflict(refusal)) => Ok(refusal),
            Err(error) => return Err(error),
        },
        Err(bad) => Err(bad),
    };
    let stand = queries::stand(&app.pool, variant, app.config.currency.code()).await?.ok_or(AppError::NotFound)?;
    let cart = super::view(&app, &who, cookie.token()).await?;
    let have = cart.lines().find(|l| l.variant_id == variant).map_or(0, |l| l.quantity);
    let (status, message, possible) = match refusal {
        Ok(Refusal::SoldOut { title, left }) if have > 0 && left > 0 => {
            let message = format!("{} You already have {have} in your cart.", Refusal::SoldOut { title, left });
            (StatusCode::CONFLICT, message, left - have)
        }
        Ok(Refusal::SoldOut { title, left }) => (StatusCode::CONFLICT, Refusal::SoldOut { title, left }.to_string(), left),
        Ok(refusal) => (StatusCode::CONFLICT, refusal.to_string(), 0),
        Err(bad) => (StatusCode::UNPROCESSABLE_ENTITY, bad.to_string(), 0),
    };
    let refused = Refused::Add { message, variant, product_slug: stand.product_slug, title: stand.title, possible };
    Ok(page(&app, &who, &cookie, Some(refused)).await?.status(status).into_response())
}

/// `POST /cart/items/again`: the goods of an order that came to nothing, `item[{variant}]={quantity}` each. What is not
/// there in full comes with what there is; the message says what is missing.
async fn add_again(
    State(app): State<App>,
    who: MaybeCustomer,
    cookie: CartCookie,
    session: Session,
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let items = form
        .iter()
        .filter_map(|(name, value)| {
            let variant = name.strip_prefix("item[")?.strip_suffix(']')?.parse::<VariantId>().ok()?;
            Some((variant, value.parse::<Quantity>().ok()?))
        })
        .collect::<Vec<_>>();
    let (cookie, missing) = super::add_all(&app, &who, &cookie, &items).await?;
    let mut said = if missing.len() < items.len() { "Your goods are in the cart again.".to_owned() } else { String::new() };
    for refusal in &missing {
        said.push_str(&format!(" {refusal}"));
    }
    flash::put(&session, said.trim()).await?;
    Ok((cookie.headers(), Redirect::to("/cart")).into_response())
}

#[derive(Deserialize)]
struct QuantityForm {
    quantity: String,
}

async fn change(
    State(app): State<App>,
    who: MaybeCustomer,
    cookie: CartCookie,
    session: Session,
    Path(line): Path<CartLineId>,
    Form(form): Form<QuantityForm>,
) -> Result<Response, AppError> {
    if form.quantity.trim() == "0" {
        return Ok(remove(State(app), who, cookie, session, Path(line)).await?.into_response());
    }
    let outcome = match form.quantity.parse::<Quantity>() {
        Ok(wanted) => super::set_quantity(&app, &who, cookie.token(), line, Some(wanted)).await,
        Err(bad) => {
            // Only the owner learns that the line is there.
            super::own_line(&app, &who, cookie.token(), line).await?;
            Err(AppError::field("quantity", bad.to_string()))
        }
    };
    let (status, message) = match outcome {
        Ok(()) => return Ok(Redirect::to("/cart").into_response()),
        Err(AppError::Conflict(refusal)) => (StatusCode::CONFLICT, refusal.to_string()),
        Err(AppError::Invalid(errors)) => {
            (StatusCode::UNPROCESSABLE_ENTITY, errors.get("quantity").unwrap_or_default().to_owned())
        }
        Err(error) => return Err(error),
    };
    let refused = Refused::Quantity { line, typed: form.quantity, message };
    Ok(page(&app, &who, &cookie, Some(refused)).await?.status(status).into_response())
}

async fn remove(
    State(app): State<App>,
    who: MaybeCustomer,
    cookie: CartCookie,
    session: Session,
    Path(line): Path<CartLineId>,
) -> Result<Redirect, AppError> {
    let title = super::remove(&app, &who, cookie.token(), line).await?;
    flash::put(&session, &format!("{title} is no longer in your cart.")).await?;
    Ok(Redirect::to("/cart"))
}

#[derive(Deserialize)]
struct AcceptForm {
    price_minor: i64,
}

async fn accept(
    State(app): State<App>,
    who: MaybeCustomer,
    cookie: CartCookie,
    Path(line): Path<CartLineId>,
    Form(form): Form<AcceptForm>,
) -> Result<Redirect, AppError> {
    super::accept_price(&app, &who, cookie.token(), line, form.price_minor).await?;
    Ok(Redirect::to("/cart"))
}
