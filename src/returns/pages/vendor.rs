//! Returns at the vendor's desk: what waits for it, and one with all that was said.

use super::{
    forms::{Forms, Outcome, Typed, submit},
    views::{About, ReturnRows, Talk},
};
use crate::{
    error::{AppError, FieldErrors},
    ids::{ReturnId, ReturnPictureId},
    returns::{
        Actor,
        model::Party,
        pictures,
        queries::{self, Scope, Which},
    },
    server::{
        auth::Manager,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Breadcrumbs, Empty, ErrorSummary, NextPage},
    vendors::desk::Desk,
};
use axum::{
    extract::{Form, Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

const HERE: &str = "/vendor/returns";

#[derive(Deserialize)]
pub struct Filter {
    #[serde(default)]
    show: Which,
    #[serde(default)]
    page: u32,
}

/// `GET /vendor/returns?show=open&page=0`
pub async fn list(State(app): State<App>, Desk(vendor): Desk<Manager>, Query(filter): Query<Filter>) -> Result<Page, AppError> {
    let (rows, more) = queries::list(&app.pool, Scope::vendor(&vendor), filter.show, filter.page).await?;
    Ok(Page::new("Returns", move || {
        let tabs = [(Which::Open, "open", "Open"), (Which::All, "all", "All")]
            .map(|(which, value, label)| {
                view! { <li><a href=format!("{HERE}?show={value}") aria-current=(which == filter.show).then_some("page")>{label}</a></li> }
            })
            .into_iter()
            .collect_view();
        let show = if filter.show == Which::All { "all" } else { "open" };
        let list = if rows.is_empty() {
            view! { <Empty title="Nothing comes back"><p>"What shoppers ask to return stands here."</p></Empty> }.into_any()
        } else {
            view! { <ReturnRows rows=rows by=Party::Vendor base=HERE/> }.into_any()
        };
        view! {
            <div class="desk-head"><h1>"Returns"</h1></div>
            <nav class="tabs" aria-label="Which returns"><ul>{tabs}</ul></nav>
            <div id="live-list" data-live="asked">
                {list}
                <NextPage href=more.then(|| format!("{HERE}?show={show}&page={}", filter.page.saturating_add(1)))/>
            </div>
        }
    })
    .layout(Layout::Vendor(HERE)))
}

/// `GET /vendor/returns/{id}`
pub async fn show(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path(id): Path<ReturnId>,
) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(draw(&app, &vendor, id, Typed::default(), FieldErrors::default()).await?.notice(notice))
}

/// `POST /vendor/returns/{id}`
pub async fn act(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path(id): Path<ReturnId>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    match submit(&app, Actor::Vendor(&vendor), id, pairs).await? {
        Outcome::Done(said) => {
            flash::put(&session, said).await?;
            Ok(Redirect::to(&format!("{HERE}/{id}")).into_response())
        }
        Outcome::No(typed, errors, status) => Ok(draw(&app, &vendor, id, typed, errors).await?.status(status).into_response()),
    }
}

/// `GET /vendor/returns/{id}/pictures/{picture}/{width}`
pub async fn picture(
    State(app): State<App>,
    vendor: Manager,
    Path((id, picture, width)): Path<(ReturnId, ReturnPictureId, u32)>,
) -> Result<Response, AppError> {
    if !queries::has_picture(&app.pool, Scope::vendor(&vendor), id, picture).await? {
        return Err(AppError::NotFound);
    }
    pictures::serve(&app, picture, width).await
}

async fn draw(app: &App, vendor: &Manager, id: ReturnId, typed: Typed, errors: FieldErrors) -> Result<Page, AppError> {
    let detail = queries::detail(&app.pool, Scope::vendor(vendor), id).await?;
    let title = format!("Return of order {}", detail.row.number);
    Ok(Page::new(title.clone(), move || {
        let trail = vec![(HERE.to_owned(), "Returns".to_owned()), (String::new(), title.clone())];
        let here = format!("{HERE}/{id}");
        let order = format!("/vendor/orders/{}", detail.row.parcel);
        view! {
            <Breadcrumbs trail=trail/>
            <h1>{title}</h1>
            <ErrorSummary errors=errors.clone()/>
            <div class="order-columns">
                <div>
                    <p><a href=order>"The order"</a> ", for " {detail.row.ship_name.clone()}</p>
                    <About detail=&detail by=Party::Vendor pictures=format!("{here}/pictures") query=String::new()/>
                    <Forms detail=&detail by=Party::Vendor action=here.clone() typed=typed errors=errors/>
                </div>
                <Talk events=detail.talk.clone()/>
            </div>
        }
    })
    .layout(Layout::Vendor(HERE)))
}
