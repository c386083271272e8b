//! `GET /vendor/events`: what happens at a vendor's, as server-sent events (WHATWG HTML, 9.2) or, for who cannot hear those, as JSON.

use super::{
    hub::{self, From, News},
    model::{Kind, Since},
};
use crate::{
    error::AppError,
    server::{auth::Vendor, state::App},
    vendors::{role::TeamRole, team},
};
use axum::{
    Json, Router,
    extract::{Query, State},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::get,
};
use futures::{Stream, stream};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserialize;
use std::{convert::Infallible, time::Duration};
use tokio::sync::{broadcast::error::RecvError, mpsc};

/// A line comes so often even when nothing happens, so that neither side nor a proxy between them takes the other for gone.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Then the browser has to come again, and is asked again who it is.
const LONGEST: Duration = Duration::from_secs(300);
/// How soon it comes again.
const RETRY: Duration = Duration::from_secs(1);

/// The addresses of this slice.
pub fn routes() -> Router<App> {
    Router::new().route("/vendor/events", get(events))
}

/// From where; a `Last-Event-ID` goes before both.
#[derive(Deserialize)]
struct Asked {
    /// The place that was told last.
    after: Option<u64>,
    /// When the page was drawn, in milliseconds since 1970.
    drawn: Option<i64>,
}

async fn events(
    State(app): State<App>,
    vendor: Vendor,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let from = match (last.or(asked.after), asked.drawn) {
        (Some(place), _) => From::Place(place),
        (None, Some(at)) => From::Drawn(at),
        (None, None) => From::Drawn(time::OffsetDateTime::now_utc().unix_timestamp().saturating_mul(1000)),
    };
    let hears = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/event-stream"));
    if !hears {
        let since = heard_by(vendor.role(), hub::since(&app.pool, vendor.id(), from).await?);
        return Ok(([(header::CACHE_CONTROL, "private, no-store")], Json(since)).into_response());
    }
    let stream = Sse::new(tell(app, vendor, from)).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        // nginx gathers answers otherwise
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, stream).into_response())
}

/// Of what happens, what concerns somebody of this role.
fn heard_by(role: TeamRole, mut since: Since) -> Since {
    since.told.retain(|told| {
        role.may(match told.kind {
            Kind::Order | Kind::Change | Kind::Stock | Kind::Message => TeamRole::Fulfiller,
            Kind::Return | Kind::Dispute | Kind::Import | Kind::Progress => TeamRole::Manager,
            Kind::Payout => TeamRole::Owner,
        })
    });
    since
}

/// First what the dashboard missed, then what happens, until it goes, the program stops, it has to come again, or who looks is no longer
/// in the team as they were.
fn tell(app: App, vendor: Vendor, from: From) -> impl Stream<Item = Result<Event, Infallible>> {
    let (to, mut events) = mpsc::channel(1);
    tokio::spawn(async move {
        tokio::select! {
            () = follow(&app, &vendor, from, &to) => {}
            () = to.closed() => {}
            () = app.live.closed() => {}
            () = tokio::time::sleep(LONGEST) => {}
        }
    });
    stream::poll_fn(move |context| events.poll_recv(context).map(|event| event.map(Ok)))
}

/// Ends when the table cannot be read: the browser comes again, from where it is.
async fn follow(app: &App, vendor: &Vendor, mut from: From, to: &mpsc::Sender<Event>) {
    // Heard before the table is read: what comes in between is told twice rather than not at all.
    let mut heard = app.live.open(vendor.id()).await;
    if to.send(Event::default().retry(RETRY)).await.is_err() {
        return;
    }
    let mut missed = true;
    loop {
        let since = if std::mem::take(&mut missed) {
            // That they went may be among what was missed.
            match team::still_there(&app.pool, vendor).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => return tracing::warn!(%error, "a dashboard cannot be told"),
            }
            match hub::since(&app.pool, vendor.id(), from).await {
                Ok(since) => since,
                Err(error) => return tracing::warn!(%error, "a dashboard cannot be told"),
            }
        } else {
            match heard.recv().await {
                Ok(News { moved, .. }) if moved.contains(&vendor.customer().id().uuid()) => return,
                Ok(News { since, .. }) if since.told.is_empty() => continue,
                Ok(News { since, .. }) => since,
                Err(RecvError::Lagged(_)) => {
                    missed = true;
                    continue;
                }
                Err(RecvError::Closed) => return,
            }
        };
        from = since.after.parse().map_or(from, From::Place);
        if to.send(event(&heard_by(vendor.role(), since))).await.is_err() {
            return;
        }
    }
}

fn event(since: &Since) -> Event {
    // It is made of numbers, names and ids alone.
    Event::default().event("told").id(since.after.clone()).json_data(since).unwrap_or_default()
}
