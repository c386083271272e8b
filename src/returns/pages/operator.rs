//! Returns as the operator sees them: all of them, and the power to overrule.

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
        auth::Operator,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Empty, ErrorSummary, NextPage},
};
use axum::{
    extract::{Form, Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

const HERE: &str = "/operator/returns";
const SHOWN: [(Which, &str, &str); 3] =
    [(Which::Appealed, "appealed", "To decide"), (Which::Open, "open", "Open"), (Which::All, "all", "All")];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    #[serde(default)]
    show: Which,
    #[serde(default)]
    page: u32,
}

/// `GET /operator/returns?show=open&page=0`
pub async fn list(State(app): State<App>, by: Operator, Query(filter): Query<Filter>) -> Result<Page, AppError> {
    let (rows, more) = queries::list(&app.pool, Scope::operator(&by), filter.show, filter.page).await?;
    Ok(Page::new("Returns", move || {
        let tabs = SHOWN
            .map(|(which, value, label)| {
                view! { <li><a href=format!("{HERE}?show={value}") aria-current=(which == filter.show).then_some("true")>{label}</a></li> }
            })
            .into_iter()
            .collect_view();
        let show = SHOWN.iter().find(|(which, ..)| *which == filter.show).map_or("open", |(_, value, _)| *value);
        let list = if rows.is_empty() {
            view! { <Empty title="No return here"><p>"What shoppers ask to return stands here, with what the vendors say to it."</p></Empty> }.into_any()
        } else {
            view! { <ReturnRows rows=rows by=Party::Operator base=HERE/> }.into_any()
        };
        view! {
            <h1>"Returns"</h1>
            <nav class="tabs" aria-label="Which returns"><ul>{tabs}</ul></nav>
            {list}
            <NextPage href=more.then(|| format!("{HERE}?show={show}&page={}", filter.page.saturating_add(1)))/>
        }
    })
    .layout(Layout::Operator(HERE)))
}

/// `GET /operator/returns/{id}`
pub async fn show(State(app): State<App>, by: Operator, session: Session, Path(id): Path<ReturnId>) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(draw(&app, &by, id, Typed::default(), FieldErrors::default()).await?.notice(notice))
}

/// `POST /operator/returns/{id}`
pub async fn act(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Path(id): Path<ReturnId>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    match submit(&app, Actor::Operator(&by), id, pairs).await? {
        Outcome::Done(said) => {
            flash::put(&session, said).await?;
            Ok(Redirect::to(&format!("{HERE}/{id}")).into_response())
        }
        Outcome::No(typed, errors, status) => Ok(draw(&app, &by, id, typed, errors).await?.status(status).into_response()),
    }
}

/// `GET /operator/returns/{id}/pictures/{picture}/{width}`
pub async fn picture(
    State(app): State<App>,
    by: Operator,
    Path((id, picture, width)): Path<(ReturnId, ReturnPictureId, u32)>,
) -> Result<Response, AppError> {
    if !queries::has_picture(&app.pool, Scope::operator(&by), id, picture).await? {
        return Err(AppError::NotFound);
    }
    pictures::serve(&app, picture, width).await
}

async fn draw(app: &App, by: &Operator, id: ReturnId, typed: Typed, errors: FieldErrors) -> Result<Page, AppError> {
    let detail = queries::detail(&app.pool, Scope::operator(by), id).await?;
    Ok(Page::new(format!("Return of order {}", detail.row.number), move || {
        let here = format!("{HERE}/{id}");
        let row = &detail.row;
        view! {
            <h1>{format!("Return of order {}", row.number)}</h1>
            <ErrorSummary errors=errors.clone()/>
            <p>
                <a href=format!("/operator/orders/{}", row.order)>"The order"</a> {format!(", of {}, for {}", row.vendor_name, row.ship_name)}
            </p>
            <About detail=&detail by=Party::Operator pictures=format!("{here}/pictures") query=String::new()/>
            <Forms detail=&detail by=Party::Operator action=here.clone() typed=typed errors=errors/>
            <Talk events=detail.talk.clone()/>
        }
    })
    .layout(Layout::Operator(HERE)))
}
