//! Disputes as the operator sees them: all of them, by when evidence is due, and the one who sends it.

use super::{
    refused,
    views::{About, AddFile, DisputeList, Files, Filter},
};
use crate::{
    disputes::{
        self, files,
        model::{BankWords, DisputeDetail},
        queries::{self, Scope},
    },
    error::{AppError, FieldErrors},
    ids::{DisputeFileId, DisputeId},
    money::Money,
    server::{
        auth::Operator,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{ErrorSummary, Field, Notice, Price, TableFrame, TextArea, Tone},
};
use axum::{
    extract::{Form, Multipart, Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

const HERE: &str = "/operator/disputes";

/// `GET /operator/disputes?show=open&page=0`
pub async fn list(State(app): State<App>, by: Operator, Query(filter): Query<Filter>) -> Result<Page, AppError> {
    let (rows, more) = queries::list(&app.pool, Scope::operator(&by), filter.show, filter.page).await?;
    Ok(Page::new("Disputes", move || {
        view! {
            <h1>"Disputes"</h1>
            <DisputeList rows=rows more=more filter=filter base=HERE
                hint="When a shopper asks a bank for money back, that stands here, with the day by which the bank wants evidence."/>
        }
    })
    .layout(Layout::Operator(HERE)))
}

/// What was typed into a form that was refused.
#[derive(Default)]
struct Typed {
    words: Option<String>,
    place: String,
    number: String,
}

/// `GET /operator/disputes/{id}`
pub async fn show(State(app): State<App>, by: Operator, session: Session, Path(id): Path<DisputeId>) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(draw(&app, &by, id, Typed::default(), FieldErrors::default()).await?.notice(notice))
}

/// A form's address, opened or reloaded as a page: back to the dispute.
pub async fn back(State(app): State<App>, by: Operator, Path(id): Path<DisputeId>) -> Result<Redirect, AppError> {
    queries::detail(&app.pool, Scope::operator(&by), id).await?;
    Ok(there(id))
}

fn there(id: DisputeId) -> Redirect {
    Redirect::to(&format!("{HERE}/{id}"))
}

#[derive(Deserialize)]
pub struct DraftForm {
    #[serde(default)]
    words: String,
}

/// `POST /operator/disputes/{id}`: keeps the words.
pub async fn draft(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Path(id): Path<DisputeId>,
    Form(form): Form<DraftForm>,
) -> Result<Response, AppError> {
    match disputes::draft(&app, &by, id, &form.words).await {
        Ok(()) => {
            flash::put(&session, "Kept. Nothing was sent yet.").await?;
            Ok(there(id).into_response())
        }
        Err(error) => {
            let (errors, status) = refused(error)?;
            let typed = Typed { words: Some(form.words), ..Typed::default() };
            Ok(draw(&app, &by, id, typed, errors).await?.status(status).into_response())
        }
    }
}

/// `POST /operator/disputes/{id}/files`
pub async fn add(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Path(id): Path<DisputeId>,
    form: Multipart,
) -> Result<Response, AppError> {
    // Whether it is there comes before reading what was sent.
    let scope = Scope::operator(&by);
    queries::detail(&app.pool, scope, id).await?;
    let (place, upload) = files::read(form).await;
    let added = match upload {
        Ok(upload) => disputes::add_file(&app, scope, id, upload).await,
        Err(error) => Err(error),
    };
    match added {
        Ok(()) => {
            flash::put(&session, "Added. Nothing was sent yet.").await?;
            Ok(there(id).into_response())
        }
        Err(error) => {
            let (errors, status) = refused(error)?;
            Ok(draw(&app, &by, id, Typed { place, ..Typed::default() }, errors).await?.status(status).into_response())
        }
    }
}

/// `GET /operator/disputes/{id}/files/{file}`
pub async fn file(
    State(app): State<App>,
    by: Operator,
    Path((id, file)): Path<(DisputeId, DisputeFileId)>,
) -> Result<Response, AppError> {
    files::serve(&app, &queries::file(&app.pool, Scope::operator(&by), id, file).await?).await
}

/// `POST /operator/disputes/{id}/files/{file}/remove`
pub async fn remove(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Path((id, file)): Path<(DisputeId, DisputeFileId)>,
) -> Result<Response, AppError> {
    match disputes::remove_file(&app, Scope::operator(&by), id, file).await {
        Ok(()) => {
            flash::put(&session, "Taken away.").await?;
            Ok(there(id).into_response())
        }
        Err(error) => {
            let (errors, status) = refused(error)?;
            Ok(draw(&app, &by, id, Typed::default(), errors).await?.status(status).into_response())
        }
    }
}

#[derive(Deserialize)]
pub struct SubmitForm {
    #[serde(default)]
    number: String,
}

/// `POST /operator/disputes/{id}/evidence`: sends it, once.
pub async fn submit(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Path(id): Path<DisputeId>,
    Form(form): Form<SubmitForm>,
) -> Result<Response, AppError> {
    match disputes::submit(&app, &by, id, &form.number).await {
        Ok(()) => {
            flash::put(&session, "The evidence is on its way to the bank.").await?;
            Ok(there(id).into_response())
        }
        Err(error) => {
            let (errors, status) = refused(error)?;
            let typed = Typed { number: form.number, ..Typed::default() };
            Ok(draw(&app, &by, id, typed, errors).await?.status(status).into_response())
        }
    }
}

async fn draw(app: &App, by: &Operator, id: DisputeId, typed: Typed, errors: FieldErrors) -> Result<Page, AppError> {
    let detail = queries::detail(&app.pool, Scope::operator(by), id).await?;
    let title = format!("Dispute of order {}", detail.row.number);
    Ok(Page::new(title.clone(), move || {
        let here = format!("{HERE}/{id}");
        let open = detail.row.takes_evidence();
        let refused = detail.refused.clone().filter(|_| detail.sent_at.is_none()).map(|why| {
            let then = if open { " It is a draft again." } else { "" };
            view! { <Notice tone=Tone::Bad><p>{format!("The evidence was not taken: {why}{then}")}</p></Notice> }
        });
        let forms = open.then(|| {
            view! {
                <form method="post" action=here.clone() class="evidence-form">
                    <TextArea label="What the bank should know" name="words" value=typed.words.unwrap_or_else(|| detail.words.clone())
                        errors=errors.clone() rows=8 maxlength=BankWords::MAX
                        hint="What was agreed, when it was sent and arrived, what was written since. What vendors say goes along below it."/>
                    <button>"Keep the draft"</button>
                </form>
                <AddFile action=format!("{here}/files") place=typed.place errors=errors.clone()/>
                <form method="post" action=format!("{here}/evidence") class="evidence-form">
                    <h3>"Send it to the bank"</h3>
                    <p>"The bank takes evidence once. Keep the draft first; what is sent can no longer be changed."</p>
                    <Field label=format!("Type {} to send it", detail.row.number) name="number" value=typed.number errors=errors.clone()
                        inputmode="numeric" required=true maxlength=20/>
                    <button class="button-danger">"Send the evidence"</button>
                </form>
            }
        });
        let words = (!open && !detail.words.is_empty())
            .then(|| view! { <h3>"Our words"</h3> <p class="said">{detail.words.clone()}</p> });
        view! {
            <h1>{title}</h1>
            <ErrorSummary errors=errors.clone()/>
            {refused}
            <p><a href=format!("/operator/orders/{}", detail.row.order)>"The order"</a></p>
            <About detail=&detail for_operator=true/>
            <Shares detail=&detail/>
            <section aria-labelledby="evidence">
                <h2 id="evidence">"Evidence"</h2>
                <Facts facts=detail.facts.clone()/>
                {words}
                <Files files=detail.files.clone() here=here.clone() open=open own=None/>
                {forms}
            </section>
        }
    })
    .layout(Layout::Operator(HERE)))
}

/// Whose money it is, and what each vendor has to say.
#[component]
fn Shares<'a>(detail: &'a DisputeDetail) -> impl IntoView + use<> {
    let currency = detail.row.currency;
    let rows = detail
        .parts
        .iter()
        .map(|part| {
            let whose = part.vendor_name.clone().unwrap_or_else(|| "Our own".into());
            let words = match (&part.vendor, part.words.as_str()) {
                (None, _) => ().into_any(),
                (_, "") => view! { <span class="soft">"Nothing said yet"</span> }.into_any(),
                (_, words) => view! { <p class="said">{words.to_owned()}</p> }.into_any(),
            };
            view! {
                <tr>
                    <th scope="row">{whose}</th>
                    <td class="number"><Price money=Money::new(part.amount_minor, currency)/></td>
                    <td class="wrap">{words}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <h2>"Whose money it is"</h2>
        <TableFrame label="Whose money it is">
            <table>
                <thead><tr>
                    <th scope="col">"Vendor"</th> <th scope="col" class="number">"Amount"</th> <th scope="col">"What they say"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </TableFrame>
    }
}

/// What the order itself says for us.
#[component]
fn Facts(facts: Vec<(&'static str, String)>) -> impl IntoView {
    let rows = facts.into_iter().map(|(label, text)| view! { <dt>{label}</dt><dd>{text}</dd> }).collect_view();
    view! {
        <p class="hint">"This goes along by itself:"</p>
        <dl class="facts">{rows}</dl>
    }
}
