//! Returns for the person who made the order: signed in, or with the link from the mail. What one may ask for, and how each stands.

use super::{
    forms::{Forms, Outcome, Typed, submit},
    views::{About, Talk, state_words},
};
use crate::{
    catalog::pictures::MAX_BYTES,
    error::{AppError, FieldErrors},
    ids::{OrderLineId, ReturnId, ReturnPictureId, VendorOrderId},
    orders::own::{OwnOrder, private},
    returns::{
        Actor, Asked,
        model::{MAX_PICTURES, Party, ReturnReason, ReturnRow, ReturnWords, Returnable},
        pictures,
        queries::{self, Scope, Which},
    },
    server::{auth::MaybeCustomer, errors::internal, flash, page::Page, state::App, upload},
    ui::{Badge, Breadcrumbs, Empty, ErrorSummary, Picture, Select, TextArea, When},
};
use axum::{
    extract::{Form, Multipart, Path, Query, State, multipart::MultipartError},
    response::{IntoResponse, Redirect, Response},
};
use bytes::Bytes;
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use tower_sessions::Session;

/// What the guest's link carries, in forms too, and which parcel is asked about.
#[derive(Debug, Deserialize)]
pub struct Link {
    token: Option<String>,
    parcel: Option<String>,
}

/// The form of a new return, as typed. Files cannot be kept.
#[derive(Default)]
struct AskForm {
    lines: HashMap<OrderLineId, String>,
    reason: String,
    words: String,
}

impl AskForm {
    fn parse(&self) -> Result<(BTreeMap<OrderLineId, i32>, ReturnReason, ReturnWords), FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut lines = BTreeMap::new();
        for (line, typed) in &self.lines {
            match typed.trim() {
                "" => {}
                typed => match typed.parse::<i32>().ok().filter(|n| (0..=999).contains(n)) {
                    Some(0) => {}
                    Some(quantity) => {
                        lines.insert(*line, quantity);
                    }
                    None => errors.add(&format!("lines[{line}]"), "Write a whole number of pieces."),
                },
            }
        }
        let reason = ReturnReason::parse(&self.reason);
        if reason.is_none() {
            errors.add("reason", "Please choose one.");
        }
        let words = errors.take("words", self.words.parse::<ReturnWords>());
        match (reason, words) {
            (Some(reason), Some(words)) if errors.is_empty() => Ok((lines, reason, words)),
            _ => Err(errors),
        }
    }
}

/// `GET /orders/{order}/returns?parcel=`
pub async fn list(
    State(app): State<App>,
    who: MaybeCustomer,
    session: Session,
    Path(order): Path<String>,
    Query(link): Query<Link>,
) -> Result<Response, AppError> {
    let own = OwnOrder::of(&app, &who, &order, link.token.as_deref()).await?;
    let notice = flash::take(&session).await?;
    let parcel = link.parcel.and_then(|p| p.parse().ok());
    Ok(private(draw_list(&app, &own, parcel, AskForm::default(), FieldErrors::default()).await?.notice(notice)))
}

/// `POST /orders/{order}/returns?parcel=`: pieces, a reason, words and pictures.
pub async fn ask(
    State(app): State<App>,
    who: MaybeCustomer,
    session: Session,
    Path(order): Path<String>,
    Query(link): Query<Link>,
    form: Multipart,
) -> Result<Response, AppError> {
    // Whose order it is comes before reading what was sent.
    let own = OwnOrder::of(&app, &who, &order, link.token.as_deref()).await?;
    let parcel: VendorOrderId = link.parcel.and_then(|p| p.parse().ok()).ok_or(AppError::NotFound)?;
    let (form, pictures) = read(form).await;
    let asked = match (form.parse(), pictures) {
        (Ok((lines, reason, words)), Ok(pictures)) => {
            super::super::ask(&app, own.may, own.reader.user(), Asked { parcel, lines, reason, words, pictures }).await
        }
        (Err(errors), Ok(_)) => Err(errors.into()),
        (Ok(_), Err(said)) => Err(AppError::field("pictures", said)),
        (Err(mut errors), Err(said)) => {
            errors.add("pictures", said);
            Err(errors.into())
        }
    };
    let error = match asked {
        Ok(id) => {
            flash::put(&session, "We have asked the vendor. You hear from us by mail.").await?;
            return Ok(Redirect::to(&own.address(&format!("/returns/{id}"))).into_response());
        }
        Err(error) => error,
    };
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::CONFLICT);
    let errors = match error {
        AppError::Invalid(errors) => errors,
        AppError::Conflict(refusal) => FieldErrors::one("", refusal.to_string()),
        other => return Err(other),
    };
    Ok(private(draw_list(&app, &own, Some(parcel), form, errors).await?.status(status)))
}

/// Everything that the form holds: its texts, and the pictures or why they could not be read.
async fn read(mut form: Multipart) -> (AskForm, Result<Vec<(String, Bytes)>, String>) {
    let (mut typed, mut pictures) = (AskForm::default(), Vec::new());
    let mut wrong = None;
    loop {
        let field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => break,
            Err(error) => return (typed, Err(unread(&error))),
        };
        let name = field.name().unwrap_or_default().to_owned();
        if name == "pictures" {
            let file: String = field.file_name().unwrap_or_default().chars().filter(|c| !c.is_control()).take(80).collect();
            match upload::field(field, MAX_BYTES).await {
                // A form that was sent without choosing a file has one nameless, empty part.
                Ok(Some(bytes)) if file.is_empty() && bytes.is_empty() => {}
                Ok(Some(bytes)) if pictures.len() < MAX_PICTURES => pictures.push((file, bytes)),
                Ok(Some(_)) => wrong = Some(format!("At most {MAX_PICTURES} pictures.")),
                Ok(None) => wrong = Some(format!("{file}: This file is larger than 10 MB.")),
                Err(error) => return (typed, Err(unread(&error))),
            }
            continue;
        }
        let text = match upload::field(field, 64 * 1024).await {
            Ok(text) => text.map(|t| String::from_utf8_lossy(&t).into_owned()).unwrap_or_default(),
            Err(error) => return (typed, Err(unread(&error))),
        };
        match name.as_str() {
            "reason" => typed.reason = text,
            "words" => typed.words = text,
            name => {
                let line = name.strip_prefix("lines[").and_then(|n| n.strip_suffix(']')).and_then(|id| id.parse().ok());
                if let Some(line) = line {
                    typed.lines.insert(line, text);
                }
            }
        }
    }
    (typed, wrong.map_or(Ok(pictures), Err))
}

fn unread(error: &MultipartError) -> String {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        "These pictures are larger than 20 MB together. Send fewer, or smaller ones.".into()
    } else {
        "The upload broke off. Please send it again.".into()
    }
}

async fn draw_list(
    app: &App,
    own: &OwnOrder,
    parcel: Option<VendorOrderId>,
    typed: AskForm,
    errors: FieldErrors,
) -> Result<Page, AppError> {
    let order = own.id();
    let days = app.config.return_days;
    let returnable = queries::returnable(&mut *app.pool.acquire().await?, order, days).await?;
    let (returns, _) = queries::list(&app.pool, Scope::order(own.may), Which::All, 0).await?;
    let number = sqlx::query_scalar!("select number from orders where id = $1", order.uuid())
        .fetch_one(&app.pool)
        .await
        .map_err(internal)?;
    let mut parcels: Vec<(VendorOrderId, String)> = Vec::new();
    for line in &returnable {
        if !parcels.iter().any(|(id, _)| *id == line.parcel) {
            parcels.push((line.parcel, line.vendor_name.clone()));
        }
    }
    // One parcel needs no choice.
    let chosen = parcel.or(if parcels.len() == 1 { parcels.first().map(|(id, _)| *id) } else { None });
    let (back, here, query) = (own.address(""), format!("/orders/{order}/returns"), own.query());
    Ok(Page::new(format!("Returns of order {number}"), move || {
        let trail = vec![(back, format!("Order {number}")), (String::new(), "Returns".to_owned())];
        let rows = returns
            .iter()
            .map(|row| view! { <ReturnItem row=row.clone() href=format!("{here}/{}{query}", row.id)/> })
            .collect_view();
        let sign = if query.is_empty() { '?' } else { '&' };
        let choices = parcels
            .iter()
            .filter(|(id, _)| Some(*id) != chosen)
            .map(|(id, name)| {
                view! { <li><a href=format!("{here}{query}{sign}parcel={id}")>{format!("Return something from {name}")}</a></li> }
            })
            .collect_view();
        let any = parcels.len() > 1 || (chosen.is_none() && !parcels.is_empty());
        let form = chosen.map(|parcel| {
            let lines: Vec<Returnable> = returnable.iter().filter(|l| l.parcel == parcel).cloned().collect();
            view! { <AskFields action=format!("{here}{query}{sign}parcel={parcel}") lines=lines typed=typed errors=errors.clone()/> }
        });
        view! {
            <article class="order returns">
                <Breadcrumbs trail=trail/>
                <h1>"Send something back"</h1>
                <ErrorSummary errors=errors.clone()/>
                {(!returns.is_empty()).then(|| view! { <ul class="plain-list">{rows}</ul> })}
                {returnable.is_empty().then(|| view! {
                    <Empty title="Nothing can be returned now">
                        <p>{format!("For {days} days after a parcel was sent you can ask here to return what was in it.")}</p>
                    </Empty>
                })}
                {form}
                {any.then(|| view! { <ul class="plain-list">{choices}</ul> })}
            </article>
        }
    }))
}

#[component]
fn ReturnItem(row: ReturnRow, href: String) -> impl IntoView {
    let (tone, label) = state_words(row.state, Party::Shopper);
    let more = if row.pieces > 1 { format!(", {} pieces", row.pieces) } else { String::new() };
    view! {
        <li><a href=href>{row.title} {more}</a> " " <Badge tone=tone label=label/> " " <span class="soft"><When at=row.asked_at day_only=true/></span></li>
    }
}

#[component]
fn AskFields(action: String, lines: Vec<Returnable>, typed: AskForm, errors: FieldErrors) -> impl IntoView {
    let Some(vendor) = lines.first().map(|l| l.vendor_name.clone()) else { return ().into_any() };
    let rows = lines
        .into_iter()
        .map(|line| {
            let name = format!("lines[{}]", line.line);
            let value = typed.lines.get(&line.line).cloned().unwrap_or_else(|| "0".into());
            let error =
                errors.get(&name).map(|e| view! { <p class="field-error" id=format!("f-{name}-error")>{e.to_owned()}</p> });
            let options = if line.options.is_empty() { String::new() } else { format!(" ({})", line.options) };
            view! {
                <div class="return-line">
                    <Picture id=line.picture_id alt="" sizes="4.5rem"/>
                    <label for=format!("f-{name}")>{line.title} {options}</label>
                    <input id=format!("f-{name}") name=name.clone() value=value inputmode="numeric" autocomplete="off"
                        aria-invalid=error.as_ref().map(|_| "true") aria-describedby=error.as_ref().map(|_| format!("f-{name}-error"))/>
                    <span class="soft">{format!("of {}", line.left)}</span>
                    {error}
                </div>
            }
        })
        .collect_view();
    let mut reasons = vec![(String::new(), "Please choose".to_owned())];
    reasons.extend(ReturnReason::ALL.map(|r| (r.as_str().to_owned(), r.label().to_owned())));
    let said = errors.get("pictures").map(|e| view! { <p class="field-error" id="f-pictures-error">{e.to_owned()}</p> });
    let about = if said.is_some() { "f-pictures-hint f-pictures-error" } else { "f-pictures-hint" };
    let invalid = said.as_ref().map(|_| "true");
    view! {
        <form method="post" action=action enctype="multipart/form-data" class="return-form">
            <h2>"From " {vendor}</h2>
            {rows}
            <Select label="Why" name="reason" options=reasons value=typed.reason errors=errors.clone()/>
            <TextArea label="What should the vendor know?" name="words" value=typed.words errors=errors rows=4 maxlength=ReturnWords::MAX/>
            <div class="field">
                <label for="f-pictures">"Pictures" <span class="optional">" optional"</span></label>
                <input id="f-pictures" type="file" name="pictures" multiple accept="image/jpeg,image/png,image/webp"
                    aria-invalid=invalid aria-describedby=about/>
                <p class="hint" id="f-pictures-hint">
                    {format!("Up to {MAX_PICTURES}: JPEG, PNG or WebP, 20 MB together. Only you, the vendor and Souk see them.")}
                </p>
                {said}
            </div>
            <button class="button-main">"Ask to return it"</button>
        </form>
    }
    .into_any()
}

/// `GET /orders/{order}/returns/{id}`
pub async fn show(
    State(app): State<App>,
    who: MaybeCustomer,
    session: Session,
    Path((order, id)): Path<(String, ReturnId)>,
    Query(link): Query<Link>,
) -> Result<Response, AppError> {
    let own = OwnOrder::of(&app, &who, &order, link.token.as_deref()).await?;
    let notice = flash::take(&session).await?;
    Ok(private(draw(&app, &own, id, Typed::default(), FieldErrors::default()).await?.notice(notice)))
}

/// `POST /orders/{order}/returns/{id}`
pub async fn act(
    State(app): State<App>,
    who: MaybeCustomer,
    session: Session,
    Path((order, id)): Path<(String, ReturnId)>,
    Query(link): Query<Link>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let own = OwnOrder::of(&app, &who, &order, link.token.as_deref()).await?;
    match submit(&app, Actor::Shopper(own.may, own.reader.user()), id, pairs).await? {
        Outcome::Done(said) => {
            flash::put(&session, said).await?;
            Ok(Redirect::to(&own.address(&format!("/returns/{id}"))).into_response())
        }
        Outcome::No(typed, errors, status) => Ok(private(draw(&app, &own, id, typed, errors).await?.status(status))),
    }
}

/// `GET /orders/{order}/returns/{id}/pictures/{picture}/{width}`
pub async fn picture(
    State(app): State<App>,
    who: MaybeCustomer,
    Path((order, id, picture, width)): Path<(String, ReturnId, ReturnPictureId, u32)>,
    Query(link): Query<Link>,
) -> Result<Response, AppError> {
    let own = OwnOrder::of(&app, &who, &order, link.token.as_deref()).await?;
    if !queries::has_picture(&app.pool, Scope::order(own.may), id, picture).await? {
        return Err(AppError::NotFound);
    }
    pictures::serve(&app, picture, width).await
}

async fn draw(app: &App, own: &OwnOrder, id: ReturnId, typed: Typed, errors: FieldErrors) -> Result<Page, AppError> {
    let detail = queries::detail(&app.pool, Scope::order(own.may), id).await?;
    let (order, list, query) = (own.address(""), own.address("/returns"), own.query());
    let here = format!("/orders/{}/returns/{id}", own.id());
    Ok(Page::new(format!("Return of order {}", detail.row.number), move || {
        let row = &detail.row;
        let trail =
            vec![(order, format!("Order {}", row.number)), (list, "Returns".to_owned()), (String::new(), row.title.clone())];
        view! {
            <article class="order returns">
                <Breadcrumbs trail=trail/>
                <h1>{format!("Your return to {}", row.vendor_name)}</h1>
                <ErrorSummary errors=errors.clone()/>
                <div class="order-columns">
                    <div>
                        <About detail=&detail by=Party::Shopper pictures=format!("{here}/pictures") query=query.clone()/>
                        <Forms detail=&detail by=Party::Shopper action=format!("{here}{query}") typed=typed errors=errors/>
                    </div>
                    <Talk events=detail.talk.clone()/>
                </div>
            </article>
        }
    }))
}
