//! Registering, signing in, signing out. Anyone may be here; what was typed is kept, except passwords.

use crate::{
    accounts::{self, Email, NewAccount, Password, PersonName, SignedIn, Theme, Visitor, queries},
    cart::CartCookie,
    error::{AppError, FieldErrors, Refusal},
    server::{
        auth::{ClientAddress, LocalPath, MaybeCustomer},
        flash,
        page::Page,
        state::App,
    },
    ui::{ErrorSummary, Field},
};
use axum::{
    Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use http::{HeaderName, HeaderValue, StatusCode, header};
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

/// Where to go afterwards, as the address or the form says it. Only our own paths are followed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Next {
    next: String,
}

impl Next {
    fn path(&self) -> LocalPath {
        LocalPath::parse(if self.next.is_empty() { "/account" } else { &self.next })
    }

    /// The same question at another of these pages.
    fn link(&self, page: &str) -> String {
        if self.next.is_empty() {
            return page.to_owned();
        }
        let next = percent_encoding::utf8_percent_encode(self.path().as_str(), percent_encoding::NON_ALPHANUMERIC).to_string();
        format!("{page}?next={next}")
    }
}

/// The sign-in form, as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SignInForm {
    email: String,
    password: String,
    #[serde(flatten)]
    next: Next,
}

/// `GET /sign-in`
pub async fn sign_in_page(who: MaybeCustomer, session: Session, Query(next): Query<Next>) -> Result<Response, AppError> {
    if who.customer().is_some() {
        return Ok(Redirect::to(next.path().as_str()).into_response());
    }
    let notice = flash::take(&session).await?;
    Ok(draw_sign_in(SignInForm { next, ..Default::default() }, FieldErrors::default()).notice(notice).into_response())
}

/// `POST /sign-in`
pub async fn sign_in(
    State(app): State<App>,
    session: Session,
    from: ClientAddress,
    cart: CartCookie,
    jar: CookieJar,
    Form(form): Form<SignInForm>,
) -> Result<Response, AppError> {
    let mut errors = FieldErrors::default();
    let email = errors.take("email", form.email.parse::<Email>());
    if form.password.is_empty() {
        errors.add("password", "Please enter your password");
    }
    let outcome = match (errors.check(), email) {
        (Ok(()), Some(email)) => accounts::sign_in(&app, &session, &Visitor { from, cart }, &email, &form.password).await,
        (Err(errors), _) => Err(errors),
        (Ok(()), None) => Err(AppError::Internal),
    };
    match outcome {
        Ok(signed_in) => go_on(&app, &session, jar, signed_in, &form.next).await,
        Err(error) => refuse(error, |errors| draw_sign_in(form, errors)),
    }
}

fn draw_sign_in(form: SignInForm, errors: FieldErrors) -> Page {
    Page::new("Sign in", move || {
        let register = form.next.link("/register");
        view! {
            <section class="narrow">
                <h1>"Sign in"</h1>
                <ErrorSummary errors=errors.clone()/>
                <form method="post" action="/sign-in">
                    <NextInput next=&form.next/>
                    <Field label="E-mail" name="email" kind="email" value=form.email errors=errors.clone() autocomplete="username"
                        inputmode="email" required=true maxlength=Email::MAX/>
                    <Field label="Password" name="password" kind="password" errors=errors autocomplete="current-password"
                        required=true/>
                    <p class="actions"><button class="button-main" type="submit">"Sign in"</button></p>
                </form>
                <p>"New here? " <a href=register>"Make an account"</a></p>
            </section>
        }
    })
}

/// The registration form, as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RegisterForm {
    name: String,
    email: String,
    password: String,
    #[serde(flatten)]
    next: Next,
}

impl RegisterForm {
    fn parse(&self) -> Result<NewAccount, AppError> {
        let mut errors = FieldErrors::default();
        let name = errors.take("name", self.name.parse::<PersonName>());
        let email = errors.take("email", self.email.parse::<Email>());
        let password = errors.take("password", self.password.parse::<Password>());
        errors.check()?;
        match (name, email, password) {
            (Some(name), Some(email), Some(password)) => Ok(NewAccount { email, password, name }),
            _ => Err(AppError::Internal),
        }
    }
}

/// `GET /register`
pub async fn register_page(who: MaybeCustomer, session: Session, Query(next): Query<Next>) -> Result<Response, AppError> {
    if who.customer().is_some() {
        return Ok(Redirect::to(next.path().as_str()).into_response());
    }
    let notice = flash::take(&session).await?;
    Ok(draw_register(RegisterForm { next, ..Default::default() }, FieldErrors::default()).notice(notice).into_response())
}

/// `POST /register`
pub async fn register(
    State(app): State<App>,
    session: Session,
    from: ClientAddress,
    cart: CartCookie,
    jar: CookieJar,
    Form(form): Form<RegisterForm>,
) -> Result<Response, AppError> {
    let outcome = match form.parse() {
        Ok(new) => accounts::register(&app, &session, &Visitor { from, cart }, &new).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(signed_in) => go_on(&app, &session, jar, signed_in, &form.next).await,
        Err(error) => refuse(error, |errors| draw_register(form, errors)),
    }
}

fn draw_register(form: RegisterForm, errors: FieldErrors) -> Page {
    Page::new("Make an account", move || {
        let sign_in = form.next.link("/sign-in");
        view! {
            <section class="narrow">
                <h1>"Make an account"</h1>
                <p>"Your orders, addresses and wishes in one place. You can also buy without an account."</p>
                <ErrorSummary errors=errors.clone()/>
                <form method="post" action="/register">
                    <NextInput next=&form.next/>
                    <Field label="Name" name="name" value=form.name errors=errors.clone() autocomplete="name" required=true
                        maxlength=PersonName::MAX/>
                    <Field label="E-mail" name="email" kind="email" value=form.email errors=errors.clone() autocomplete="username"
                        inputmode="email" required=true maxlength=Email::MAX/>
                    <Field label="Password" name="password" kind="password" errors=errors autocomplete="new-password" required=true
                        hint=format!("At least {} characters; a few words are easier to remember than signs.", Password::MIN)
                        maxlength=Password::MAX/>
                    <p class="actions"><button class="button-main" type="submit">"Make an account"</button></p>
                </form>
                <p>"Have you been here before? " <a href=sign_in>"Sign in"</a></p>
            </section>
        }
    })
}

/// `POST /sign-out`
pub async fn sign_out(session: Session) -> Result<Redirect, AppError> {
    accounts::sign_out(&session).await?;
    Ok(Redirect::to("/"))
}

/// To where the person was going, with what they should know and in the colours they chose.
async fn go_on(app: &App, session: &Session, jar: CookieJar, done: SignedIn, next: &Next) -> Result<Response, AppError> {
    if let Some(message) = &done.message {
        flash::put(session, message).await?;
    }
    let theme = queries::theme(&app.pool, done.user).await?;
    let jar = jar.add(theme_cookie(theme, app.config.production()));
    Ok((jar, Redirect::to(next.path().as_str())).into_response())
}

/// The cookie that `public/theme.js` reads before the first paint; `System` removes it.
pub(super) fn theme_cookie(theme: Theme, secure: bool) -> Cookie<'static> {
    let age = if theme == Theme::System { time::Duration::ZERO } else { time::Duration::days(365) };
    let value = if theme == Theme::System { "" } else { theme.as_str() };
    Cookie::build(("theme", value)).path("/").same_site(SameSite::Lax).secure(secure).max_age(age).build()
}

/// The form again, with what is wrong: fields to mend, a wrong pair, or how long to wait. Everything else goes on as it is.
fn refuse(error: AppError, draw: impl FnOnce(FieldErrors) -> Page) -> Result<Response, AppError> {
    match error {
        AppError::Invalid(errors) => Ok(draw(errors).status(StatusCode::UNPROCESSABLE_ENTITY).into_response()),
        AppError::Conflict(refusal @ Refusal::WrongCredentials) => {
            Ok(draw(FieldErrors::one("", refusal.to_string())).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        AppError::Conflict(refusal @ Refusal::TooManyAttempts { retry_after_seconds }) => {
            let page = draw(FieldErrors::one("", refusal.to_string())).status(StatusCode::TOO_MANY_REQUESTS);
            let wait: (HeaderName, HeaderValue) = (header::RETRY_AFTER, retry_after_seconds.into());
            Ok(([wait], page).into_response())
        }
        other => Err(other),
    }
}

/// Carries the way on through the form.
#[component]
fn NextInput<'a>(next: &'a Next) -> impl IntoView + use<> {
    let path = (!next.next.is_empty()).then(|| next.path().as_str().to_owned());
    path.map(|path| view! { <input type="hidden" name="next" value=path/> })
}
