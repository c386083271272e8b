//! Work in the background: what waits, what failed and why, and another try.

use super::{
    choice,
    list::{
        Head::{self, Minor, Number, Text, Unseen},
        List, Raw, Tabs, next_page,
    },
    words,
};
use crate::{
    audit,
    error::AppError,
    operator::queries::{self, JobRow},
    server::{
        auth::Operator,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Badge, Tone, When},
};
use axum::{
    extract::{Path, Query, State},
    response::Redirect,
};
use leptos::prelude::*;
use serde::Deserialize;
use serde_json::json;
use tower_sessions::Session;

const HERE: &str = "/operator/jobs";
const STATES: &[(&str, &str)] =
    &[("", "All"), ("queued", "Waiting"), ("running", "Running"), ("failed", "Given up"), ("done", "Done")];

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    state: String,
    after: String,
}

/// `GET /operator/jobs`
pub async fn list(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Query(filter): Query<Filter>,
) -> Result<Page, AppError> {
    let state = choice(&filter.state, STATES)?;
    let before = match filter.after.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| AppError::BadRequest("That page of the list does not exist.".into()))?),
    };
    let jobs = queries::jobs(&app.pool, &by, state, before).await?;
    let notice = flash::take(&session).await?;
    Ok(Page::new("Jobs", move || {
        let next = next_page(HERE, &[("state", &filter.state)], &jobs, |j| j.id.to_string());
        view! {
            <h1>"Jobs"</h1>
            <Tabs path=HERE name="state" choices=STATES chosen=filter.state label="State"/>
            <List list=jobs row=row label="Jobs" head=HEAD next=next
                none="No work here" hint="Mails, refunds and webhooks are worked off in the background."/>
        }
    })
    .layout(Layout::Operator(HERE))
    .notice(notice))
}

const HEAD: &[Head] =
    &[Minor("No."), Text("What"), Text("State"), Number("Tries"), Text("Last error"), Minor("Due"), Unseen("Action")];

/// A kind of work in words; an unknown one as it is called.
pub fn kind_words(kind: &str) -> String {
    match kind {
        "send_mail" => "Send a mail".into(),
        "handle_webhook" => "Handle what Stripe sent".into(),
        "refund" => "Ask Stripe for a refund".into(),
        "expire_session" => "Tell Stripe that a payment is off".into(),
        "settle_vendor" => "Bring a vendor's money to its account at Stripe".into(),
        "payout" => "Ask Stripe for a payout".into(),
        "send_evidence" => "Send evidence to the bank".into(),
        "reconcile" => "Compare the books with Stripe".into(),
        "delete_picture" => "Remove the files of a picture".into(),
        "issue_invoices" => "Write the invoices of an order".into(),
        "issue_credit_notes" => "Write the credit notes of a refund".into(),
        "issue_commission_invoice" => "Write a commission invoice".into(),
        other => words(other),
    }
}

fn row(j: JobRow) -> impl IntoView {
    let tone = match j.state.as_str() {
        "done" => Tone::Good,
        "failed" => Tone::Bad,
        "running" => Tone::Warn,
        _ => Tone::Neutral,
    };
    let again = j.state == "failed" || (j.state == "queued" && j.attempts > 0);
    let what = j.payload.get("payload").cloned().unwrap_or_default();
    let state =
        STATES.iter().find(|(value, _)| *value == j.state).map_or_else(|| words(&j.state), |(_, label)| label.to_lowercase());
    view! {
        <tr>
            <td class="minor">{j.id}</td>
            <td class="wrap">{kind_words(&j.kind)} <Raw label="What exactly" json=what/></td>
            <td><Badge tone=tone label=state/></td>
            <td class="number">{j.attempts} " of " {j.max_attempts}</td>
            <td class="wrap">{j.last_error.unwrap_or_default()}</td>
            <td class="minor"><When at=j.run_at/></td>
            <td>{again.then(|| view! {
                <form method="post" action=format!("{HERE}/{}/retry", j.id)>
                    <button class="button-link" type="submit">"Try again" <span class="visually-hidden">" job " {j.id}</span></button>
                </form>
            })}</td>
        </tr>
    }
}

/// `GET /operator/jobs/{id}`: a job has no page of its own.
pub async fn back(_by: Operator) -> Redirect {
    Redirect::to(HERE)
}

/// `POST /operator/jobs/{id}/retry`
pub async fn retry(State(app): State<App>, by: Operator, session: Session, Path(id): Path<i64>) -> Result<Redirect, AppError> {
    let mut tx = app.pool.begin().await?;
    let retried = queries::retry_job(&mut *tx, &by, id).await?;
    if retried {
        audit::record(&mut tx, Some(by.id()), "job.retried", ("job", id), json!({})).await?;
    }
    tx.commit().await?;
    let sentence = if retried { "The job is tried again now." } else { "That job does not wait for another try." };
    flash::put(&session, sentence).await?;
    Ok(Redirect::to(HERE))
}
