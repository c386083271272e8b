//! Imports at the vendor's desk: bring a file, say which column is which, see what would become of it, and have it done.

mod choice;
mod views;

use super::{
    model::ImportState,
    queries::{self, Import},
    receive::{self, UPLOAD_LIMIT},
    report, steps,
};
use crate::{
    catalog::editing::queries::category_choices,
    error::{AppError, FieldErrors},
    ids::ImportId,
    server::{
        auth::Manager,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Breadcrumbs, ErrorSummary, NextPage},
    vendors::desk::Desk,
};
use axum::{
    Form, Router,
    extract::{DefaultBodyLimit, Multipart, Path, Query, State},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use choice::{Choice, ChoiceFields};
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;
use views::{Actions, Bring, ErrorTable, ImportTable, Standing};

const HERE: &str = "/vendor/imports";
/// Errors that the page shows; all of them are in the file.
const SHOWN: i64 = 50;

/// The addresses of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route(HERE, get(list).post(bring).layer(DefaultBodyLimit::max(UPLOAD_LIMIT)))
        .route("/vendor/imports/{import}", get(show))
        .route("/vendor/imports/{import}/columns", get(columns).post(choose))
        .route("/vendor/imports/{import}/start", get(back).post(start))
        .route("/vendor/imports/{import}/cancel", get(back).post(cancel))
        .route("/vendor/imports/{import}/errors.csv", get(errors))
}

#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    page: u32,
}

/// `GET /vendor/imports?page=0`
async fn list(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Query(which): Query<Which>,
) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(all(&app, &vendor, which.page, FieldErrors::default()).await?.notice(notice))
}

/// `POST /vendor/imports`
async fn bring(State(app): State<App>, Desk(vendor): Desk<Manager>, form: Multipart) -> Result<Response, AppError> {
    match receive::receive(&app, &vendor, form).await {
        Ok(id) => Ok(there(id).into_response()),
        Err(error) => {
            let (errors, status) = said(error, "file")?;
            Ok(all(&app, &vendor, 0, errors).await?.status(status).into_response())
        }
    }
}

/// What the page says of an error beside the form, and with which status.
fn said(error: AppError, field: &str) -> Result<(FieldErrors, StatusCode), AppError> {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::CONFLICT);
    match error {
        AppError::Invalid(errors) => Ok((errors, status)),
        AppError::Conflict(refusal) => Ok((FieldErrors::one(field, refusal.to_string()), status)),
        error => Err(error),
    }
}

async fn all(app: &App, vendor: &Manager, page: u32, errors: FieldErrors) -> Result<Page, AppError> {
    let (rows, more) = queries::list(&app.pool, vendor, page).await?;
    let next = more.then(|| format!("{HERE}?page={}", page.saturating_add(1)));
    Ok(Page::new("Import products", move || {
        let trail = vec![("/vendor/products".to_owned(), "Products".to_owned()), (String::new(), "Import".to_owned())];
        view! {
            <Breadcrumbs trail=trail/>
            <h1>"Import products"</h1>
            <ErrorSummary errors=errors.clone()/>
            <Bring errors=errors/>
            <section aria-labelledby="before">
                <h2 id="before">"Imports so far"</h2>
                <div id="live-imports" data-live="now"><ImportTable rows=rows/></div>
                <NextPage href=next/>
            </section>
        }
    })
    .layout(Layout::Vendor("/vendor/products")))
}

fn there(id: ImportId) -> Redirect {
    Redirect::to(&format!("{HERE}/{id}"))
}

/// `GET /vendor/imports/{import}`: how it stands; of a file whose columns are not chosen, the form for that.
async fn show(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path(id): Path<ImportId>,
) -> Result<Page, AppError> {
    let import = queries::find(&app.pool, &vendor, id).await?;
    let notice = flash::take(&session).await?;
    let page = if import.state == ImportState::Received {
        ask(&app, &vendor, import, None, FieldErrors::default()).await?
    } else {
        one(&app, import, FieldErrors::default()).await?
    };
    Ok(page.notice(notice))
}

/// A form's address, opened or reloaded as a page: back to the import.
async fn back(State(app): State<App>, Desk(vendor): Desk<Manager>, Path(id): Path<ImportId>) -> Result<Redirect, AppError> {
    queries::find(&app.pool, &vendor, id).await?;
    Ok(there(id))
}

/// `GET /vendor/imports/{import}/columns`: once more, after a check.
async fn columns(State(app): State<App>, Desk(vendor): Desk<Manager>, Path(id): Path<ImportId>) -> Result<Response, AppError> {
    let import = queries::find(&app.pool, &vendor, id).await?;
    if !matches!(import.state, ImportState::Received | ImportState::Checked) {
        return Ok(there(id).into_response());
    }
    Ok(ask(&app, &vendor, import, None, FieldErrors::default()).await?.into_response())
}

/// `POST /vendor/imports/{import}/columns`: keeps them, and starts the check.
async fn choose(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    Path(id): Path<ImportId>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let import = queries::find(&app.pool, &vendor, id).await?;
    let choice = Choice::from_pairs(pairs);
    let checked = match choice.parse(&import, &category_choices(&app.pool).await?) {
        Ok((places, category)) => steps::check(&app, &vendor, &import, &places, category).await,
        Err(errors) => Err(errors.into()),
    };
    match checked {
        Ok(()) => Ok(there(id).into_response()),
        Err(error) => {
            let (errors, status) = said(error, "")?;
            Ok(ask(&app, &vendor, import, Some(choice), errors).await?.status(status).into_response())
        }
    }
}

/// `POST /vendor/imports/{import}/start`
async fn start(State(app): State<App>, Desk(vendor): Desk<Manager>, Path(id): Path<ImportId>) -> Result<Response, AppError> {
    queries::find(&app.pool, &vendor, id).await?;
    done(&app, &vendor, id, steps::start(&app, &vendor, id).await).await
}

/// `POST /vendor/imports/{import}/cancel`
async fn cancel(State(app): State<App>, Desk(vendor): Desk<Manager>, Path(id): Path<ImportId>) -> Result<Response, AppError> {
    queries::find(&app.pool, &vendor, id).await?;
    done(&app, &vendor, id, steps::cancel(&app, &vendor, id).await).await
}

/// Back to the import; or the import as it stands now, with what was refused.
async fn done(app: &App, vendor: &Manager, id: ImportId, what: Result<(), AppError>) -> Result<Response, AppError> {
    let Err(error) = what else { return Ok(there(id).into_response()) };
    let (errors, status) = said(error, "")?;
    let import = queries::find(&app.pool, vendor, id).await?;
    Ok(one(app, import, errors).await?.status(status).into_response())
}

/// `GET /vendor/imports/{import}/errors.csv`
async fn errors(State(app): State<App>, Desk(vendor): Desk<Manager>, Path(id): Path<ImportId>) -> Result<Response, AppError> {
    let import = queries::find(&app.pool, &vendor, id).await?;
    report::errors(app, import).await
}

fn trail(import: &Import) -> Vec<(String, String)> {
    vec![
        ("/vendor/products".to_owned(), "Products".to_owned()),
        (HERE.to_owned(), "Import".to_owned()),
        (String::new(), import.file_name.clone()),
    ]
}

/// Which column is which.
async fn ask(app: &App, vendor: &Manager, import: Import, typed: Option<Choice>, errors: FieldErrors) -> Result<Page, AppError> {
    let categories = category_choices(&app.pool).await?;
    let remembered = queries::remembered(&app.pool, vendor, &import).await?;
    let (choice, from_before) = match (typed, import.places(), remembered) {
        (Some(typed), ..) => (typed, false),
        (None, Some(places), _) => (Choice::of(&places, import.category), false),
        (None, None, Some((places, category))) => (Choice::of(&places, category), true),
        (None, None, None) => (Choice::guessed(&import), false),
    };
    Ok(Page::new(format!("Columns of {}", import.file_name), move || {
        view! {
            <Breadcrumbs trail=trail(&import)/>
            <h1>"Which column is which?"</h1>
            <ErrorSummary errors=errors.clone()/>
            <ChoiceFields import=import choice=choice from_before=from_before categories=categories errors=errors/>
        }
    })
    .layout(Layout::Vendor("/vendor/products")))
}

/// How an import stands.
async fn one(app: &App, import: Import, errors: FieldErrors) -> Result<Page, AppError> {
    let rows = queries::errors(&app.pool, &import, -1, SHOWN).await?;
    Ok(Page::new(import.file_name.clone(), move || {
        let again = import.state.runs().then(|| {
            view! { <noscript><p><a class="button" href=format!("{HERE}/{}", import.id)>"See how far it is"</a></p></noscript> }
        });
        view! {
            <Breadcrumbs trail=trail(&import)/>
            <h1>{import.file_name.clone()}</h1>
            <ErrorSummary errors=errors/>
            <div id="live-import" data-live="now"><Standing import=import.clone()/></div>
            {again}
            <div id="live-actions" class="actions" data-live="now"><Actions import=import.clone()/></div>
            <div id="live-errors" data-live="now"><ErrorTable import=import rows=rows/></div>
        }
    })
    .layout(Layout::Vendor("/vendor/products")))
}
