//! What Stripe sent: stored as it came, and handled once more at the press of a button.

use super::{
    choice, cursor,
    list::{
        Head::{self, Number, Text},
        List, Tabs, next_page,
    },
};
use crate::{
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
    ui::{Badge, Tone, When, escape_text},
};
use axum::{
    extract::{Path, Query, State},
    response::Redirect,
};
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

const HERE: &str = "/operator/webhooks";
const STATES: &[(&str, &str)] = &[("", "All"), ("pending", "Pending"), ("failed", "Failed"), ("done", "Done")];

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

const HEAD: &[Head] =
    &[Text("Event"), Text("State"), Number("Deliveries"), Number("Tries"), Text("Last error"), Text("Received")];

fn row(w: WebhookRow) -> impl IntoView {
    view! {
        <tr>
            <td><a href=address(&w.id)>{w.kind}</a></td>
            <td><StateBadge state=w.state/></td>
            <td class="number">{w.deliveries}</td>
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
    view! { <Badge tone=tone label=state/> }
}

/// `GET /operator/webhooks/{id}`
pub async fn detail(State(app): State<App>, by: Operator, session: Session, Path(id): Path<String>) -> Result<Page, AppError> {
    if id.contains('\0') {
        return Err(AppError::NotFound);
    }
    let event = queries::webhook(&app.pool, &by, &id).await?.ok_or(AppError::NotFound)?;
    let notice = flash::take(&session).await?;
    Ok(Page::new(event.kind.clone(), move || {
        let pretty = serde_json::from_str::<serde_json::Value>(&event.payload)
            .and_then(|json| serde_json::to_string_pretty(&json))
            .unwrap_or(event.payload);
        view! {
            <h1>{event.kind}</h1>
            <dl class="facts">
                <dt>"Id"</dt><dd><code>{event.id.clone()}</code></dd>
                <dt>"State"</dt><dd><StateBadge state=event.state/></dd>
                <dt>"Received"</dt><dd><When at=event.received_at/> ", delivered " {event.deliveries} " times"</dd>
                {event.handled_at.map(|at| view! { <dt>"Handled"</dt><dd><When at=at/></dd> })}
                <dt>"Tries"</dt><dd>{event.attempts}</dd>
                {event.last_error.map(|e| view! { <dt>"Last error"</dt><dd class="wrap">{e}</dd> })}
            </dl>
            <form method="post" action=format!("{}/replay", address(&event.id))>
                <button type="submit">"Handle once more"</button>
            </form>
            <h2>"What was sent"</h2>
            <pre class="payload" tabindex="0" role="region" aria-label="Payload" inner_html=escape_text(&pretty)></pre>
        }
    })
    .layout(Layout::Operator(HERE))
    .notice(notice))
}

/// `POST /operator/webhooks/{id}/replay`
pub async fn replay(
    State(app): State<App>,
    _by: Operator,
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
    tx.commit().await?;
    flash::put(&session, "The webhook is handled once more.").await?;
    Ok(Redirect::to(&address(&id)))
}
