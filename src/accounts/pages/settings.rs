//! Profile, password and preferences. All of it is one's own.

use super::{AccountFrame, signing::theme_cookie};
use crate::{
    accounts::{self, CURRENCIES, Handle, LANGUAGES, Password, PersonName, Preferences, Theme, queries},
    error::{AppError, FieldErrors, Refusal},
    server::{
        auth::{ClientAddress, Customer},
        flash,
        page::Page,
        state::App,
    },
    ui::{Checkbox, ErrorSummary, Field, Select},
};
use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::cookie::CookieJar;
use http::{StatusCode, header};
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

/// The profile form, as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ProfileForm {
    name: String,
    handle: String,
}

/// `GET /account/profile`
pub async fn profile_page(who: Customer, session: Session) -> Result<Page, AppError> {
    let form = ProfileForm { name: who.name().to_owned(), handle: who.handle().to_owned() };
    Ok(draw_profile(&who, form, FieldErrors::default()).notice(flash::take(&session).await?))
}

/// `POST /account/profile`
pub async fn profile(
    State(app): State<App>,
    who: Customer,
    session: Session,
    Form(form): Form<ProfileForm>,
) -> Result<Response, AppError> {
    let mut errors = FieldErrors::default();
    let name = errors.take("name", form.name.parse::<PersonName>());
    let handle = errors.take("handle", form.handle.parse::<Handle>());
    if let (Some(name), Some(handle)) = (name, handle) {
        match queries::set_profile(&app.pool, &who, &name, &handle).await {
            Ok(()) => {
                flash::put(&session, "Your profile is saved.").await?;
                return Ok(Redirect::to("/account/profile").into_response());
            }
            Err(AppError::Invalid(taken)) => errors = taken,
            Err(error) => return Err(error),
        }
    }
    Ok(draw_profile(&who, form, errors).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

fn draw_profile(who: &Customer, form: ProfileForm, errors: FieldErrors) -> Page {
    let (email, public) = (who.email().to_owned(), format!("/users/{}", who.handle()));
    Page::new("Profile", move || {
        view! {
            <AccountFrame here="/account/profile" title="Profile">
                <ErrorSummary errors=errors.clone()/>
                <form method="post" class="account-form">
                    <Field label="Name" name="name" value=form.name errors=errors.clone() autocomplete="name" required=true
                        maxlength=PersonName::MAX/>
                    <Field label="Public name" name="handle" value=form.handle errors=errors required=true maxlength=Handle::MAX
                        hint="Small letters, digits and hyphens. It is part of the address of your public profile."/>
                    <dl class="facts"><dt>"E-mail"</dt><dd>{email}</dd></dl>
                    <p class="actions">
                        <button class="button-main" type="submit">"Save"</button>
                        <a href=public>"See your public profile"</a>
                    </p>
                </form>
            </AccountFrame>
        }
    })
}

/// The password form, as typed; none of it is shown again.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct PasswordForm {
    current: String,
    password: String,
}

/// `GET /account/password`
pub async fn password_page(who: Customer, session: Session) -> Result<Page, AppError> {
    Ok(draw_password(&who, FieldErrors::default()).notice(flash::take(&session).await?))
}

/// `POST /account/password`
pub async fn password(
    State(app): State<App>,
    who: Customer,
    session: Session,
    from: ClientAddress,
    Form(form): Form<PasswordForm>,
) -> Result<Response, AppError> {
    let mut errors = FieldErrors::default();
    if form.current.is_empty() {
        errors.add("current", "Please enter your present password");
    }
    let new = errors.take("password", form.password.parse::<Password>());
    let outcome = match (errors.check(), new) {
        (Ok(()), Some(new)) => accounts::change_password(&app, &session, from, &who, &form.current, &new).await,
        (Err(error), _) => Err(error),
        (Ok(()), None) => Err(AppError::Internal),
    };
    match outcome {
        Ok(()) => {
            flash::put(&session, "Your password is changed, and every other device is signed out.").await?;
            Ok(Redirect::to("/account/password").into_response())
        }
        Err(AppError::Invalid(errors)) => {
            Ok(draw_password(&who, errors).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(AppError::Conflict(refusal @ Refusal::TooManyAttempts { retry_after_seconds })) => {
            let page = draw_password(&who, FieldErrors::one("", refusal.to_string())).status(StatusCode::TOO_MANY_REQUESTS);
            Ok(([(header::RETRY_AFTER, retry_after_seconds.to_string())], page).into_response())
        }
        Err(other) => Err(other),
    }
}

fn draw_password(who: &Customer, errors: FieldErrors) -> Page {
    let email = who.email().to_owned();
    Page::new("Password", move || {
        view! {
            <AccountFrame here="/account/password" title="Password">
                <ErrorSummary errors=errors.clone()/>
                <form method="post" class="account-form">
                    // Tells a password manager whose password this is.
                    <input type="email" name="email" value=email autocomplete="username" hidden readonly/>
                    <Field label="Present password" name="current" kind="password" errors=errors.clone()
                        autocomplete="current-password" required=true/>
                    <Field label="New password" name="password" kind="password" errors=errors autocomplete="new-password"
                        hint=format!("At least {} characters. Every other device is signed out.", Password::MIN)
                        required=true maxlength=Password::MAX/>
                    <p class="actions"><button class="button-main" type="submit">"Change password"</button></p>
                </form>
                <h2>"Signed in elsewhere?"</h2>
                <p>"If you left a device signed in, you can end every session, this one included."</p>
                <form method="post" action="/account/sign-out-everywhere">
                    <button type="submit">"Sign out everywhere"</button>
                </form>
            </AccountFrame>
        }
    })
}

/// `POST /account/sign-out-everywhere`
pub async fn sign_out_everywhere(State(app): State<App>, who: Customer, session: Session) -> Result<Redirect, AppError> {
    accounts::sign_out_everywhere(&app, &session, &who).await?;
    Ok(Redirect::to("/sign-in"))
}

/// The preferences form, as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PreferencesForm {
    language: String,
    currency: String,
    theme: String,
    notify_orders: Option<String>,
    notify_news: Option<String>,
}

impl PreferencesForm {
    fn parse(&self) -> Result<Preferences, FieldErrors> {
        let (orders, news) = (self.notify_orders.is_some(), self.notify_news.is_some());
        Preferences::parse(&self.language, &self.currency, &self.theme, orders, news)
    }
}

impl From<Preferences> for PreferencesForm {
    fn from(p: Preferences) -> Self {
        let ticked = |on: bool| on.then(|| "on".to_owned());
        Self {
            language: p.language,
            currency: p.currency,
            theme: p.theme.as_str().to_owned(),
            notify_orders: ticked(p.notify_orders),
            notify_news: ticked(p.notify_news),
        }
    }
}

/// `GET /account/preferences`
pub async fn preferences_page(State(app): State<App>, who: Customer, session: Session) -> Result<Page, AppError> {
    let stored = queries::preferences(&app.pool, who.id()).await?;
    Ok(draw_preferences(stored.into(), FieldErrors::default()).notice(flash::take(&session).await?))
}

/// `POST /account/preferences`
pub async fn preferences(
    State(app): State<App>,
    who: Customer,
    session: Session,
    jar: CookieJar,
    Form(form): Form<PreferencesForm>,
) -> Result<Response, AppError> {
    match form.parse() {
        Ok(preferences) => {
            queries::set_preferences(&app.pool, &who, &preferences).await?;
            flash::put(&session, "Your preferences are saved.").await?;
            let jar = jar.add(theme_cookie(preferences.theme, app.config.production()));
            Ok((jar, Redirect::to("/account/preferences")).into_response())
        }
        Err(errors) => Ok(draw_preferences(form, errors).status(StatusCode::UNPROCESSABLE_ENTITY).into_response()),
    }
}

fn draw_preferences(form: PreferencesForm, errors: FieldErrors) -> Page {
    let owned = |list: &[(&str, &str)]| list.iter().map(|(v, l)| ((*v).to_owned(), (*l).to_owned())).collect::<Vec<_>>();
    let (languages, currencies, themes) = (owned(&LANGUAGES), owned(&CURRENCIES), owned(&Theme::ALL));
    Page::new("Preferences", move || {
        view! {
            <AccountFrame here="/account/preferences" title="Preferences">
                <ErrorSummary errors=errors.clone()/>
                <form method="post" class="account-form">
                    <Select label="Language" name="language" options=languages value=form.language errors=errors.clone()/>
                    <Select label="Currency" name="currency" options=currencies value=form.currency errors=errors.clone()
                        hint="The currency you like best, for vendors who sell in more than one. Today all prices are in pounds."/>
                    <Select label="Colours" name="theme" options=themes value=form.theme errors=errors/>
                    <fieldset class="checks">
                        <legend>"Mail"</legend>
                        <Checkbox label="News about my orders" name="notify_orders" checked=form.notify_orders.is_some()/>
                        <Checkbox label="News from the market, now and then" name="notify_news" checked=form.notify_news.is_some()/>
                    </fieldset>
                    <p class="actions"><button class="button-main" type="submit">"Save"</button></p>
                </form>
            </AccountFrame>
        }
    })
}
