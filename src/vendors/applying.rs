//! `/account/vendor`: where a person applies to sell and sees how the application stands.

use super::{
    application::{self, Application, ApplicationForm, ShopSlug, Standing},
    model::{About, ShopName, Tagline},
    role::TeamRole,
};
use crate::{
    accounts::{self, pages::AccountFrame},
    error::{AppError, FieldErrors, Refusal},
    server::{auth::Customer, flash, page::Page, state::App},
    ui::{ErrorSummary, Field, Notice, Select, TextArea, Tone, When},
};
use axum::{
    Form, Router,
    extract::State,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use http::StatusCode;
use leptos::prelude::*;
use tower_sessions::Session;

const HERE: &str = "/account/vendor";

/// The address of this page.
pub fn routes() -> Router<App> {
    Router::new().route(HERE, get(page).post(apply))
}

async fn page(State(app): State<App>, who: Customer, session: Session) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    if let Some(shop) = who.vendor().filter(|shop| shop.role != TeamRole::Owner) {
        return Ok(draw_member(shop.name.clone(), shop.role).notice(notice));
    }
    let page = match application::standing(&app, &who).await? {
        None => draw_form(None, ApplicationForm { country: "GB".into(), ..Default::default() }, countries(&app).await?, none()),
        Some(shop) if shop.status == "refused" => {
            let form = ApplicationForm {
                name: shop.name.clone(),
                slug: shop.slug.clone(),
                country: shop.country.clone(),
                tagline: shop.tagline.clone(),
                description: shop.description.clone(),
            };
            draw_form(Some(shop.status_reason), form, countries(&app).await?, none())
        }
        Some(shop) => draw_standing(shop),
    };
    Ok(page.notice(notice))
}

fn none() -> FieldErrors {
    FieldErrors::default()
}

async fn apply(
    State(app): State<App>,
    who: Customer,
    session: Session,
    Form(form): Form<ApplicationForm>,
) -> Result<Response, AppError> {
    let countries = countries(&app).await?;
    let codes: Vec<String> = countries.iter().map(|(code, _)| code.clone()).collect();
    let outcome = match form.parse(&codes) {
        Ok(new) => send(&app, &who, &new).await,
        Err(errors) => Err(errors.into()),
    };
    match outcome {
        Ok(()) => {
            flash::put(&session, "Your application is on its way. We write to you when it is decided.").await?;
            Ok(Redirect::to(HERE).into_response())
        }
        // A second click: the page shows the application that the first one made.
        Err(AppError::Conflict(Refusal::AlreadyApplied)) => {
            flash::put(&session, &Refusal::AlreadyApplied.to_string()).await?;
            Ok(Redirect::to(HERE).into_response())
        }
        Err(AppError::Invalid(errors)) => {
            let page = draw_form(None, form, countries, errors).status(StatusCode::UNPROCESSABLE_ENTITY);
            Ok(page.into_response())
        }
        Err(other) => Err(other),
    }
}

async fn send(app: &App, who: &Customer, new: &Application) -> Result<(), AppError> {
    application::apply(app, who, new).await.map(drop)
}

async fn countries(app: &App) -> sqlx::Result<Vec<(String, String)>> {
    Ok(accounts::queries::countries(&app.pool).await?.into_iter().map(|c| (c.code, c.name)).collect())
}

/// For who works at somebody's shop: a person is in one shop at a time.
fn draw_member(shop: String, role: TeamRole) -> Page {
    Page::new("Sell on Souk", move || {
        view! {
            <AccountFrame here=HERE title=shop.clone()>
                <Notice tone=Tone::Good>{format!("You are {} of {shop}. ", role.article())} <a href="/vendor">"Go to the desk"</a></Notice>
                <p>{role.about()}</p>
                <p>"To open a shop of your own, leave this one first: on " <a href="/vendor/team">"the team’s page"</a> "."</p>
            </AccountFrame>
        }
    })
}

fn draw_standing(shop: Standing) -> Page {
    Page::new("Sell on Souk", move || {
        let word = match shop.status.as_str() {
            "approved" => view! {
                <Notice tone=Tone::Good>"Your shop is open. "<a href="/vendor">"Go to your shop"</a></Notice>
            }
            .into_any(),
            "pending" => view! {
                <Notice tone=Tone::Warn>"We are reading your application and write to you as soon as it is decided."</Notice>
            }
            .into_any(),
            _ => view! {
                <Notice tone=Tone::Bad>"Your shop is closed for now. The reason: " {shop.status_reason.clone()}</Notice>
            }
            .into_any(),
        };
        view! {
            <AccountFrame here=HERE title=shop.name.clone()>
                {word}
                <dl class="facts">
                    <dt>"Address"</dt><dd>{format!("/vendors/{}", shop.slug)}</dd>
                    <dt>"Country"</dt><dd>{shop.country}</dd>
                    <dt>"Applied"</dt><dd><When at=shop.applied_at day_only=true/></dd>
                    {(!shop.tagline.is_empty()).then(|| view! { <dt>"In one line"</dt><dd>{shop.tagline}</dd> })}
                </dl>
                {(!shop.description.is_empty()).then(|| view! { <p class="prose">{shop.description}</p> })}
            </AccountFrame>
        }
    })
}

fn draw_form(refused: Option<String>, form: ApplicationForm, countries: Vec<(String, String)>, errors: FieldErrors) -> Page {
    Page::new("Sell on Souk", move || {
        view! {
            <AccountFrame here=HERE title="Sell on Souk">
                {refused.map(|reason| view! {
                    <Notice tone=Tone::Warn>
                        "Your last application was not approved. The reason: " {reason} " You are welcome to apply again."
                    </Notice>
                })}
                <p>"Tell us what you make or choose. We read every application ourselves."</p>
                <ErrorSummary errors=errors.clone()/>
                <form method="post" class="account-form">
                    <Field label="Name of the shop" name="name" value=form.name errors=errors.clone() autocomplete="organization"
                        required=true maxlength=ShopName::MAX/>
                    <Field label="Address of the shop" name="slug" value=form.slug errors=errors.clone() maxlength=ShopSlug::MAX
                        hint="The last part of /vendors/… : small letters, digits and hyphens. Left empty, it is made from the name."/>
                    <Select label="You send from" name="country" options=countries value=form.country errors=errors.clone()
                        autocomplete="country"/>
                    <Field label="Your shop in one line" name="tagline" value=form.tagline errors=errors.clone()
                        maxlength=Tagline::MAX/>
                    <TextArea label="About you and your goods" name="description" value=form.description errors=errors rows=7
                        maxlength=About::MAX/>
                    <p class="actions"><button class="button-main" type="submit">"Apply"</button></p>
                </form>
            </AccountFrame>
        }
    })
}
