//! What Stripe sent: stored as it came, and handled once more at the press of a button.

use super::{
    choice, cursor,
    list::{
        Head::{self, Minor, Number, Text},
        List, Raw, Tabs, next_page,
    },
    words,
};
use crate::{
    audit,
    error::AppError,
    operator::{
        Cursor,
        queries::{self, WebhookRow},
    },
    payments,
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

const HERE: &str = "/operator/webhooks";
const STATES: &[(&str, &str)] = &[("", "All"), ("pending", "Waiting"), ("failed", "Given up"), ("done", "Done")];

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    state: String,
    after: String,
}

/// `GET /operator/webhooks`
pub async fn list(State(app): State<App>, by: Operator, Query(filter): Query<Filter>) -> Result<Page, AppError> {
    let state = choice(&filter.state, STATES)?;
    let events = queries::webhooks(&app.pool, &by, state, cursor(&filter.after)?.as_ref()).await?;
    Ok(Page::new("Webhooks", move || {
        let after = |w: &WebhookRow| Cursor { at: w.received_at, id: w.id.clone() }.to_string();
        let next = next_page(HERE, &[("state", &filter.state)], &events, after);
        view! {
            <h1>"Webhooks"</h1>
            <Tabs path=HERE name="state" choices=STATES chosen=filter.state label="State"/>
            <List list=events row=row label="Webhooks" head=HEAD next=next
                none="No webhook here" hint="What Stripe tells us about payments is stored here as it came."/>
        }
    })
    .layout(Layout::Operator(HERE)))
}

const HEAD: &[Head] = &[Text("Event"), Text("State"), Minor("Deliveries"), Number("Tries"), Text("Last error"), Text("Received")];

/// A kind of event in words; one that we do not handle as Stripe calls it.
pub fn kind_words(kind: &str) -> String {
    match kind {
        "checkout.session.completed" => "Payment page completed".into(),
        "checkout.session.expired" => "Payment page expired".into(),
        "checkout.session.async_payment_succeeded" => "Delayed payment arrived".into(),
        "checkout.session.async_payment_failed" => "Delayed payment failed".into(),
        "payment_intent.succeeded" => "Payment succeeded".into(),
        "payment_intent.payment_failed" => "Payment failed".into(),
        "payment_intent.processing" => "Payment on its way".into(),
        "payment_intent.canceled" => "Payment called off".into(),
        "payment_intent.created" => "Payment begun".into(),
        "charge.succeeded" => "Card charged".into(),
        "charge.failed" => "Card refused".into(),
        "charge.refunded" => "Charge refunded".into(),
        "charge.updated" => "Charge changed".into(),
        "refund.created" => "Refund begun".into(),
        "refund.updated" | "charge.refund.updated" => "Refund changed".into(),
        "refund.failed" => "Refund failed".into(),
        other => words(&other.replace('.', ", ")),
    }
}

fn row(w: WebhookRow) -> impl IntoView {
    view! {
        <tr>
            <td class="wrap"><a href=address(&w.id)>{kind_words(&w.kind)}</a></td>
            <td><StateBadge state=w.state/></td>
            <td class="minor">{w.deliveries}</td>
            <td class="number">{w.attempts}</td>
            <td class="wrap">{w.last_error.unwrap_or_default()}</td>
            <td><When at=w.received_at/></td>
        </tr>
    }
}

/// An event's id comes from outside, so it is encoded wherever it stands in an address.
pub fn address(id: &str) -> String {
    format!("{HERE}/{}", percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC))
}

#[component]
fn StateBadge(state: String) -> impl IntoView {
    let tone = match state.as_str() {
        "done" => Tone::Good,
        "failed" => Tone::Bad,
        _ => Tone::Warn,
    };
    let label = STATES.iter().find(|(value, _)| *value == state).map_or_else(|| words(&state), |(_, label)| label.to_lowercase());
    view! { <Badge tone=tone label=label/> }
}

/// `GET /operator/webhooks/{id}`
pub async fn detail(State(app): State<App>, by: Operator, session: Session, Path(id): Path<String>) -> Result<Page, AppError> {
    if id.contains('\0') {
        return Err(AppError::NotFound);
    }
    let event = queries::webhook(&app.pool, &by, &id).await?.ok_or(AppError::NotFound)?;
    let notice = flash::take(&session).await?;
    Ok(Page::new(kind_words(&event.kind), move || {
        let payload = serde_json::from_str(&event.payload).unwrap_or(serde_json::Value::String(event.payload));
        let deliveries = if event.deliveries == 1 { "once".to_owned() } else { format!("{} times", event.deliveries) };
        view! {
            <h1>{kind_words(&event.kind)}</h1>
            <dl class="facts">
                <dt>"At Stripe"</dt><dd><code>{event.kind}</code></dd>
                <dt>"Id"</dt><dd><code>{event.id.clone()}</code></dd>
                <dt>"State"</dt><dd><StateBadge state=event.state/></dd>
                <dt>"Received"</dt><dd><When at=event.received_at/> ", delivered " {deliveries}</dd>
                {event.handled_at.map(|at| view! { <dt>"Handled"</dt><dd><When at=at/></dd> })}
                <dt>"Tries"</dt><dd>{event.attempts}</dd>
                {event.last_error.map(|e| view! { <dt>"Last error"</dt><dd class="wrap">{e}</dd> })}
            </dl>
            <form method="post" action=format!("{}/replay", address(&event.id))>
                <button type="submit">"Handle once more"</button>
            </form>
            <Raw label="What was sent" json=payload/>
        }
    })
    .layout(Layout::Operator(HERE))
    .notice(notice))
}

/// `POST /operator/webhooks/{id}/replay`
pub async fn replay(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Path(id): Path<String>,
) -> Result<Redirect, AppError> {
    if id.contains('\0') {
        return Err(AppError::NotFound);
    }
    let mut tx = app.pool.begin().await?;
    if !payments::webhook::replay(&mut tx, &id).await? {
        return Err(AppError::NotFound);
    }
    audit::record(&mut tx, Some(by.id()), "webhook.replayed", ("webhook", &id), json!({})).await?;
    tx.commit().await?;
    flash::put(&session, "The webhook is handled once more.").await?;
    Ok(Redirect::to(&address(&id)))
}
