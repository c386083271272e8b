//! Disputes at the vendor's desk: those about its goods, and what it has to say to them.

use super::{
    refused,
    views::{About, AddFile, DisputeList, Files, Filter},
};
use crate::{
    disputes::{
        self, files,
        model::VendorWords,
        queries::{self, Scope},
    },
    error::{AppError, FieldErrors},
    ids::{DisputeFileId, DisputeId},
    server::{
        auth::Manager,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Breadcrumbs, ErrorSummary, TextArea},
    vendors::desk::Desk,
};
use axum::{
    extract::{Form, Multipart, Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

const HERE: &str = "/vendor/disputes";

/// `GET /vendor/disputes?show=open&page=0`
pub async fn list(State(app): State<App>, Desk(vendor): Desk<Manager>, Query(filter): Query<Filter>) -> Result<Page, AppError> {
    let (rows, more) = queries::list(&app.pool, Scope::vendor(&vendor), filter.show, filter.page).await?;
    Ok(Page::new("Disputes", move || {
        view! {
            <div class="desk-head"><h1>"Disputes"</h1></div>
            <div id="live-list" data-live="asked">
                <DisputeList rows=rows more=more filter=filter base=HERE
                    hint="When a shopper asks a bank for the money of your goods, that stands here."/>
            </div>
        }
    })
    .layout(Layout::Vendor(HERE)))
}

/// What was typed into a form that was refused.
#[derive(Default)]
struct Typed {
    words: Option<String>,
    place: String,
}

/// `GET /vendor/disputes/{id}`
pub async fn show(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path(id): Path<DisputeId>,
) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(draw(&app, &vendor, id, Typed::default(), FieldErrors::default()).await?.notice(notice))
}

/// A form's address, opened or reloaded as a page: back to the dispute.
pub async fn back(State(app): State<App>, Desk(vendor): Desk<Manager>, Path(id): Path<DisputeId>) -> Result<Redirect, AppError> {
    queries::detail(&app.pool, Scope::vendor(&vendor), id).await?;
    Ok(there(id))
}

fn there(id: DisputeId) -> Redirect {
    Redirect::to(&format!("{HERE}/{id}"))
}

#[derive(Deserialize)]
pub struct SayForm {
    #[serde(default)]
    words: String,
}

/// `POST /vendor/disputes/{id}`: what the vendor has to say.
pub async fn say(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path(id): Path<DisputeId>,
    Form(form): Form<SayForm>,
) -> Result<Response, AppError> {
    match disputes::say(&app, &vendor, id, &form.words).await {
        Ok(()) => {
            flash::put(&session, "Kept. We send it to the bank with our answer.").await?;
            Ok(there(id).into_response())
        }
        Err(error) => {
            let (errors, status) = refused(error)?;
            let typed = Typed { words: Some(form.words), ..Typed::default() };
            Ok(draw(&app, &vendor, id, typed, errors).await?.status(status).into_response())
        }
    }
}

/// `POST /vendor/disputes/{id}/files`
pub async fn add(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path(id): Path<DisputeId>,
    form: Multipart,
) -> Result<Response, AppError> {
    // Whether it is theirs comes before reading what was sent.
    let scope = Scope::vendor(&vendor);
    queries::detail(&app.pool, scope, id).await?;
    let (place, upload) = files::read(form).await;
    let added = match upload {
        Ok(upload) => disputes::add_file(&app, scope, id, upload).await,
        Err(error) => Err(error),
    };
    match added {
        Ok(()) => {
            flash::put(&session, "Added. We send it to the bank with our answer.").await?;
            Ok(there(id).into_response())
        }
        Err(error) => {
            let (errors, status) = refused(error)?;
            Ok(draw(&app, &vendor, id, Typed { place, ..Typed::default() }, errors).await?.status(status).into_response())
        }
    }
}

/// `GET /vendor/disputes/{id}/files/{file}`
pub async fn file(
    State(app): State<App>,
    vendor: Manager,
    Path((id, file)): Path<(DisputeId, DisputeFileId)>,
) -> Result<Response, AppError> {
    files::serve(&app, &queries::file(&app.pool, Scope::vendor(&vendor), id, file).await?).await
}

/// `POST /vendor/disputes/{id}/files/{file}/remove`
pub async fn remove(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path((id, file)): Path<(DisputeId, DisputeFileId)>,
) -> Result<Response, AppError> {
    match disputes::remove_file(&app, Scope::vendor(&vendor), id, file).await {
        Ok(()) => {
            flash::put(&session, "Taken away.").await?;
            Ok(there(id).into_response())
        }
        Err(error) => {
            let (errors, status) = refused(error)?;
            Ok(draw(&app, &vendor, id, Typed::default(), errors).await?.status(status).into_response())
        }
    }
}

async fn draw(app: &App, vendor: &Manager, id: DisputeId, typed: Typed, errors: FieldErrors) -> Result<Page, AppError> {
    let detail = queries::detail(&app.pool, Scope::vendor(vendor), id).await?;
    let title = format!("Dispute of order {}", detail.row.number);
    let own = vendor.id();
    Ok(Page::new(title.clone(), move || {
        let trail = vec![(HERE.to_owned(), "Disputes".to_owned()), (String::new(), title.clone())];
        let here = format!("{HERE}/{id}");
        let open = detail.row.takes_evidence();
        let said = detail.parts.iter().map(|p| p.words.clone()).find(|w| !w.is_empty()).unwrap_or_default();
        let orders = detail
            .parts
            .iter()
            .filter_map(|p| p.parcel)
            .map(|parcel| view! { <p><a href=format!("/vendor/orders/{parcel}")>"The order"</a></p> })
            .collect_view();
        let words = if open {
            view! {
                <form method="post" action=here.clone() class="evidence-form">
                    <TextArea label="What the bank should know" name="words" value=typed.words.unwrap_or(said) errors=errors.clone() rows=6
                        required=true maxlength=VendorWords::MAX
                        hint="When and how you sent it, what you wrote with the shopper. Souk sends it to the bank, with its own words."/>
                    <button class="button-main">"Keep it"</button>
                </form>
                <AddFile action=format!("{here}/files") place=typed.place errors=errors.clone()/>
            }
            .into_any()
        } else if said.is_empty() {
            ().into_any()
        } else {
            view! { <p class="said">{said}</p> }.into_any()
        };
        view! {
            <Breadcrumbs trail=trail/>
            <h1>{title}</h1>
            <ErrorSummary errors=errors.clone()/>
            {orders}
            <About detail=&detail for_operator=false/>
            <section aria-labelledby="say">
                <h2 id="say">"What you say to it"</h2>
                <Files files=detail.files.clone() here=here.clone() open=open own=Some(own)/>
                {words}
            </section>
        }
    })
    .layout(Layout::Vendor(HERE)))
}
