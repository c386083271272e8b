//! Shops: who applied, who is open, and the decisions.

use super::{
    choice, cursor,
    list::{
        Head::{self, Minor, Number, Text},
        List, Tabs, next_page,
    },
};
use crate::{
    catalog::pages::country_name,
    error::{AppError, FieldErrors, Refusal},
    ids::VendorId,
    operator::{
        Cursor,
        queries::{self, VendorRow},
    },
    server::{
        auth::Operator,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Badge, ErrorSummary, Field, Tone, When},
    vendors::application::{self, Decision, Reason},
};
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

const HERE: &str = "/operator/vendors";
const STATUSES: &[(&str, &str)] =
    &[("", "All"), ("pending", "Waiting"), ("approved", "Open"), ("refused", "Refused"), ("suspended", "Closed for now")];

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    status: String,
    after: String,
}

/// `GET /operator/vendors`
pub async fn list(State(app): State<App>, by: Operator, Query(filter): Query<Filter>) -> Result<Page, AppError> {
    let status = choice(&filter.status, STATUSES)?;
    let vendors = queries::vendors(&app.pool, &by, status, cursor(&filter.after)?.as_ref()).await?;
    Ok(Page::new("Vendors", move || {
        let next =
            next_page(HERE, &[("status", &filter.status)], &vendors, |v| Cursor { at: v.applied_at, id: v.id }.to_string());
        view! {
            <h1>"Vendors"</h1>
            <Tabs path=HERE choices=STATUSES chosen=filter.status label="Status"/>
            <List list=vendors row=row label="Vendors" head=HEAD next=next
                none="No shop here" hint="Shops stand here as soon as someone applies to sell."/>
        }
    })
    .layout(Layout::Operator(HERE)))
}

const HEAD: &[Head] = &[Text("Shop"), Text("Status"), Text("Owner"), Minor("Country"), Number("Goods"), Minor("Applied")];

fn row(v: VendorRow) -> impl IntoView {
    view! {
        <tr>
            <td><a href=format!("{HERE}/{}", v.id)>{v.name}</a></td>
            <td><StatusBadge status=v.status/></td>
            <td>{v.owner_name} <span class="soft below">{v.owner_email}</span></td>
            <td class="minor">{country_name(&v.country).to_owned()}</td>
            <td class="number">{v.products}</td>
            <td class="minor"><When at=v.applied_at day_only=true/></td>
        </tr>
    }
}

#[component]
fn StatusBadge(status: String) -> impl IntoView {
    let tone = match status.as_str() {
        "approved" => Tone::Good,
        "pending" => Tone::Warn,
        _ => Tone::Bad,
    };
    let label = STATUSES.iter().find(|(value, _)| *value == status).map_or(status.clone(), |(_, label)| label.to_lowercase());
    view! { <Badge tone=tone label=label/> }
}

/// `GET /operator/vendors/{id}`
pub async fn detail(State(app): State<App>, by: Operator, session: Session, Path(id): Path<VendorId>) -> Result<Page, AppError> {
    let vendor = queries::vendor(&app.pool, &by, id).await?.ok_or(AppError::NotFound)?;
    Ok(draw(vendor, DecisionForm::default(), FieldErrors::default()).notice(flash::take(&session).await?))
}

/// A decision, as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct DecisionForm {
    decision: String,
    reason: String,
}

impl DecisionForm {
    fn parse(&self) -> Result<Decision, AppError> {
        let reason = || self.reason.parse::<Reason>().map_err(|e| AppError::field("reason", e.to_string()));
        match self.decision.as_str() {
            "approve" => Ok(Decision::Approve),
            "refuse" => Ok(Decision::Refuse(reason()?)),
            "suspend" => Ok(Decision::Suspend(reason()?)),
            "reinstate" => Ok(Decision::Reinstate),
            _ => Err(AppError::BadRequest("That decision does not exist.".into())),
        }
    }
}

/// `POST /operator/vendors/{id}`
pub async fn decide(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Path(id): Path<VendorId>,
    Form(form): Form<DecisionForm>,
) -> Result<Response, AppError> {
    let outcome = match form.parse() {
        Ok(decision) => application::decide(&app, &by, id, &decision).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => {
            flash::put(&session, "Decided. The owner is told by mail.").await?;
            Ok(Redirect::to(&format!("{HERE}/{id}")).into_response())
        }
        Err(error @ (AppError::Invalid(_) | AppError::Conflict(Refusal::AlreadyDecided))) => {
            let vendor = queries::vendor(&app.pool, &by, id).await?.ok_or(AppError::NotFound)?;
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::CONFLICT);
            let errors = match error {
                AppError::Invalid(errors) => errors,
                other => FieldErrors::one("", format!("{other} Here is how it stands now.")),
            };
            Ok(draw(vendor, form, errors).status(status).into_response())
        }
        Err(other) => Err(other),
    }
}

fn draw(v: VendorRow, form: DecisionForm, errors: FieldErrors) -> Page {
    Page::new(v.name.clone(), move || {
        let decided = v.decided_at.map(|at| {
            view! { <dt>"Decided"</dt><dd><When at=at/> {v.decided_by.map(|name| format!(" by {name}"))}</dd> }
        });
        let reason = (!v.status_reason.is_empty()).then(|| view! { <dt>"Reason"</dt><dd>{v.status_reason}</dd> });
        let shop = format!("/vendors/{}", v.slug);
        view! {
            <h1>{v.name}</h1>
            <ErrorSummary errors=errors.clone()/>
            <dl class="facts">
                <dt>"Status"</dt><dd><StatusBadge status=v.status.clone()/></dd>
                {reason}
                <dt>"Applied"</dt><dd><When at=v.applied_at/></dd>
                {decided}
                <dt>"Address"</dt>
                <dd>{if v.status == "approved" { view! { <a href=shop>{v.slug}</a> }.into_any() } else { v.slug.into_any() }}</dd>
                <dt>"Country"</dt><dd>{country_name(&v.country).to_owned()}</dd>
                <dt>"Owner"</dt>
                <dd><a href=format!("/users/{}", v.owner_handle)>{v.owner_name}</a> ", " {v.owner_email}</dd>
                <dt>"Goods for sale"</dt><dd>{v.products}</dd>
                <dt>"Orders"</dt><dd>{v.orders}</dd>
                <dt>"In one line"</dt><dd>{if v.tagline.is_empty() { "nothing".to_owned() } else { v.tagline }}</dd>
            </dl>
            {(!v.description.is_empty()).then(|| view! { <h2>"In their words"</h2><p class="prose">{v.description}</p> })}
            <h2>"Decide"</h2>
            <Decisions status=v.status form=form errors=errors/>
        }
    })
    .layout(Layout::Operator(HERE))
}

/// What can be decided from a status. A refusal is final for this application, so a new one is the person's to make.
#[component]
fn Decisions(status: String, form: DecisionForm, errors: FieldErrors) -> impl IntoView {
    let plain = |value: &'static str, label: &'static str| {
        view! {
            <form method="post">
                <button class="button-main" type="submit" name="decision" value=value>{label}</button>
            </form>
        }
    };
    let with_reason = move |value: &'static str, label: &'static str| {
        view! {
            <form method="post" class="decision">
                <Field label="Reason, which the owner reads" name="reason" value=form.reason errors=errors maxlength=Reason::MAX
                    required=true/>
                <button class="button-danger" type="submit" name="decision" value=value>{label}</button>
            </form>
        }
    };
    match status.as_str() {
        "pending" => view! { {plain("approve", "Approve")} {with_reason("refuse", "Refuse")} }.into_any(),
        "approved" => with_reason("suspend", "Close for now").into_any(),
        "suspended" => plain("reinstate", "Open again").into_any(),
        _ => view! { <p>"Refused. The owner may apply again with other words."</p> }.into_any(),
    }
}
