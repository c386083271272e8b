//! `/invitations/{token}`: where the link of an invitation leads, and how one takes it.

use super::team::{self, Offer};
use crate::{
    error::{AppError, FieldErrors},
    server::{
        auth::{Customer, MaybeCustomer},
        flash,
        page::Page,
        state::App,
        token::Token,
    },
    ui::{ErrorSummary, Notice, Tone, When},
};
use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::StatusCode;
use leptos::prelude::*;
use tower_sessions::Session;

/// The address of this page.
pub fn routes() -> Router<App> {
    Router::new().route("/invitations/{token}", get(show).post(join))
}

/// `GET /invitations/{token}`
async fn show(State(app): State<App>, who: MaybeCustomer, Path(text): Path<String>) -> Result<Page, AppError> {
    draw(&app, &who, &text, FieldErrors::default()).await
}

/// `POST /invitations/{token}`
async fn join(State(app): State<App>, who: Customer, session: Session, Path(text): Path<String>) -> Result<Response, AppError> {
    let Ok(token) = text.parse::<Token>() else { return Ok(over().into_response()) };
    match team::accept(&app, &who, &token).await {
        Ok(offer) => {
            flash::put(&session, &format!("Welcome. You are {} of {}.", offer.role.article(), offer.vendor_name)).await?;
            Ok(Redirect::to("/vendor").into_response())
        }
        Err(AppError::NotFound) => Ok(over().into_response()),
        Err(AppError::Invalid(errors)) => {
            let who = MaybeCustomer::of(who);
            Ok(draw(&app, &who, &text, errors).await?.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(error) => Err(error),
    }
}

/// The link offers nothing, or nothing any more.
fn over() -> Page {
    Page::new("This invitation is good no more", || {
        view! {
            <section class="error-page">
                <h1>"This invitation is good no more"</h1>
                <p>"It was taken, taken back, sent once more since, or is too old. Ask whoever sent it for another one."</p>
                <p><a class="button" href="/">"To the market"</a></p>
            </section>
        }
    })
    .status(StatusCode::NOT_FOUND)
}

async fn draw(app: &App, who: &MaybeCustomer, text: &str, errors: FieldErrors) -> Result<Page, AppError> {
    let Ok(token) = text.parse::<Token>() else { return Ok(over()) };
    let Some(offer) = team::offer(&mut *app.pool.acquire().await?, &token).await? else { return Ok(over()) };
    let here = format!("/invitations/{token}");
    let next = percent_encoding::utf8_percent_encode(&here, percent_encoding::NON_ALPHANUMERIC).to_string();
    let Offer { vendor, vendor_name, role, email, invited_by, expires_at, .. } = offer;
    let (me, shop) = match who.customer() {
        Some(person) => (Some(person.email().to_owned()), person.vendor().map(|shop| (shop.id, shop.name.clone()))),
        None => (None, None),
    };
    let title = format!("Join {vendor_name}");
    Ok(Page::new(title.clone(), move || {
        let asks = invited_by.unwrap_or_else(|| vendor_name.clone());
        let way = match (me, shop) {
            (None, _) => view! {
                <p>{format!("It is for {email}. Sign in with that address, or make an account with it; then you come back here.")}</p>
                <p class="actions">
                    <a class="button button-main" href=format!("/sign-in?next={next}")>"Sign in"</a>
                    <a class="button" href=format!("/register?next={next}")>"Make an account"</a>
                </p>
            }
            .into_any(),
            (Some(me), _) if me != email => view! {
                <Notice tone=Tone::Warn>{format!("It is for {email}, and you are signed in as {me}.")}</Notice>
                <form method="post" action="/sign-out"><button>"Sign out"</button></form>
                <p class="hint">"Then follow the link in the mail once more."</p>
            }
            .into_any(),
            (Some(_), Some((id, _))) if id == vendor => view! {
                <Notice tone=Tone::Good>"You are in this team already. "<a href="/vendor">"To the desk"</a></Notice>
            }
            .into_any(),
            (Some(_), Some((_, other))) => view! {
                <Notice tone=Tone::Warn>
                    {format!("You are with {other}, and a person is in one shop at a time. Leave it first, on its team’s page.")}
                </Notice>
            }
            .into_any(),
            (Some(_), None) => view! {
                <form method="post" action=here><button class="button-main">{format!("Join {vendor_name}")}</button></form>
            }
            .into_any(),
        };
        view! {
            <section class="narrow">
                <h1>{title}</h1>
                <ErrorSummary errors=errors/>
                <p>{format!("{asks} asks you into the team of {vendor_name}, as {}.", role.article())}</p>
                <p class="soft">{role.about()} " Good until " <When at=expires_at day_only=true/> "."</p>
                {way}
            </section>
        }
    }))
}
