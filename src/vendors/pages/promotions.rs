//! The vendor's promotions: planned, running, ended.

use crate::{
    catalog::editing::queries::category_choices,
    error::{AppError, FieldErrors},
    ids::{CategoryId, PromotionId},
    promotions::{
        form::{PromotionForm, PromotionName},
        queries::{self, PromotionRow},
    },
    server::{
        auth::Manager,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Badge, Empty, ErrorSummary, Field, NextPage, Select, TableFrame, Tone},
    vendors::desk::Desk,
};
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use time::{Duration, OffsetDateTime};
use tower_sessions::Session;

const HERE: &str = "/vendor/promotions";

#[derive(Deserialize)]
pub struct Which {
    #[serde(default)]
    page: u32,
    /// Makes the form one for this product alone.
    #[serde(default)]
    product: String,
}

/// `GET /vendor/promotions?page=0`
pub async fn list(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Query(which): Query<Which>,
) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    let form = PromotionForm { product: which.product, ..PromotionForm::default() };
    Ok(page(&app, &vendor, which.page, form, FieldErrors::default()).await?.notice(notice))
}

/// `POST /vendor/promotions`
pub async fn add(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Form(form): Form<PromotionForm>,
) -> Result<Response, AppError> {
    let categories = category_choices(&app.pool).await?;
    let now = OffsetDateTime::now_utc();
    match form.read(&categories, now) {
        Ok(draft) => {
            queries::add(&app.pool, &vendor, &draft).await?;
            let said = if draft.starts_at <= now { "Your prices are reduced now." } else { "Planned. It begins by itself." };
            flash::put(&session, said).await?;
            Ok(Redirect::to(HERE).into_response())
        }
        Err(errors) => Ok(page(&app, &vendor, 0, form, errors).await?.status(StatusCode::UNPROCESSABLE_ENTITY).into_response()),
    }
}

/// `POST /vendor/promotions/{id}`: ends it.
pub async fn end(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path(id): Path<PromotionId>,
) -> Result<Redirect, AppError> {
    queries::end(&app.pool, &vendor, id).await?;
    flash::put(&session, "Ended. What was ordered keeps its price.").await?;
    Ok(Redirect::to(HERE))
}

async fn page(app: &App, vendor: &Manager, number: u32, form: PromotionForm, errors: FieldErrors) -> Result<Page, AppError> {
    let (rows, more) = queries::own(&app.pool, vendor, number).await?;
    let categories = category_choices(&app.pool).await?;
    let product = match form.product.parse() {
        Ok(product) => Some(queries::title(&app.pool, vendor, product).await?),
        Err(_) => None,
    };
    Ok(Page::new("Promotions", move || {
        view! {
            <div class="desk-head"><h1>"Promotions"</h1></div>
            <ErrorSummary errors=errors.clone()/>
            <p>"A promotion takes a percentage off your prices for some days. Beside a reduced price the shop shows the lowest one of the
                thirty days before, as the law wants it; where that was not higher, nothing is announced."</p>
            <Rows rows=rows/>
            <NextPage href=more.then(|| format!("{HERE}?page={}", number.saturating_add(1)))/>
            <section aria-labelledby="new-promotion">
                <h2 id="new-promotion">{match &product {
                    Some(title) => format!("Reduce {title}"),
                    None => "Another promotion".to_owned(),
                }}</h2>
                <PromotionFields form=form errors=errors categories=categories for_one=product.is_some()/>
            </section>
        }
    })
    .layout(Layout::Vendor(HERE)))
}

#[component]
fn Rows(rows: Vec<PromotionRow>) -> impl IntoView {
    if rows.is_empty() {
        return view! { <Empty title="No promotion yet"><p>"Plan one below. It begins and ends by itself."</p></Empty> }
            .into_any();
    }
    let rows = rows
        .into_iter()
        .map(|row| {
            let (tone, state) = match row.state.as_str() {
                "running" => (Tone::Good, "running"),
                "planned" => (Tone::Warn, "planned"),
                _ => (Tone::Neutral, "ended"),
            };
            let announced = (state == "running").then(|| format!("{} announced as reduced", row.announced));
            let end = (state != "ended").then(|| {
                view! {
                    <form method="post" action=format!("{HERE}/{}", row.id)>
                        <button class="button-quiet" aria-label=format!("End: {}", row.name)>"End"</button>
                    </form>
                }
            });
            view! {
                <tr>
                    <th scope="row">{row.name.clone()}</th>
                    <td class="number">{row.takes()}</td>
                    <td class="wrap">{row.scope()}</td>
                    <td>{days(&row)}</td>
                    <td class="number">{row.variants} <span class="soft below">{announced}</span></td>
                    <td><Badge tone=tone label=state/></td>
                    <td>{end}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame label="Promotions">
            <table class="coupons">
                <thead><tr>
                    <th scope="col">"Name"</th>
                    <th scope="col" class="number">"Off"</th>
                    <th scope="col">"For"</th>
                    <th scope="col">"When"</th>
                    <th scope="col" class="number">"Variants"</th>
                    <th scope="col">"State"</th>
                    <th scope="col"><span class="visually-hidden">"What to do with it"</span></th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </TableFrame>
    }
    .into_any()
}

/// `26 November to 24 December 2026`, both within it
fn days(row: &PromotionRow) -> String {
    let (first, last) = (row.starts_at.date(), (row.ends_at - Duration::SECOND).date());
    format!("{} {} to {} {} {}", first.day(), first.month(), last.day(), last.month(), last.year())
}

#[component]
fn PromotionFields(
    form: PromotionForm,
    errors: FieldErrors,
    categories: Vec<(CategoryId, String)>,
    for_one: bool,
) -> impl IntoView {
    let mut choices = vec![(String::new(), "Everything of yours".to_owned())];
    choices.extend(categories.into_iter().map(|(id, label)| (id.to_string(), label)));
    let scope = if for_one {
        view! { <input type="hidden" name="product" value=form.product/> }.into_any()
    } else {
        view! { <Select label="For a category, and all below it" name="category" options=choices value=form.category errors=errors.clone()/> }
            .into_any()
    };
    view! {
        <form method="post" action=HERE class="rule-form">
            <div class="field-row">
                <Field label="Name" name="name" value=form.name errors=errors.clone() required=true maxlength=PromotionName::MAX
                    hint="To know it by. Shoppers do not see it."/>
                <Field label="Percent off" name="percent" value=form.percent errors=errors.clone() required=true inputmode="decimal"/>
                {scope}
            </div>
            <div class="field-row">
                <Field label="First day" name="starts_on" kind="date" value=form.starts_on errors=errors.clone()
                    hint="In UTC. Empty: it begins now."/>
                <Field label="Last day" name="ends_on" kind="date" value=form.ends_on errors=errors.clone() required=true/>
            </div>
            <p class="hint">"It takes in what is for sale when it begins. Of several that are for the same goods the one that takes most off holds."</p>
            <button class="button-main">"Make it"</button>
        </form>
    }
}
