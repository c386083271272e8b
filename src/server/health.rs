//! Whether the process lives, and whether it can serve: for whoever starts, restarts and balances it.

use super::{errors::Presented, start, state::App};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use std::{future::Future, time::Duration};

/// How long each thing may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// `GET /healthz`: the process answers. It asks nobody, because restarting us mends nobody else.
pub async fn lives() -> &'static str {
    "ok"
}

/// What each thing that we need says, `ok` or why not.
#[derive(Debug, Serialize)]
struct Readiness {
    /// `ready`, `not ready`
    status: &'static str,
    /// The names of what is not ready.
    not_ready: Vec<&'static str>,
    database: String,
    migrations: String,
    storage: String,
}

/// `GET /readyz`: 200 when the database answers within a second, has this program's schema, and the store is there; else 503 and
/// the names of what is not. Whys are words of ours, never a driver's.
pub async fn ready(State(app): State<App>) -> Response {
    let schema = async {
        match start::missing_migrations(&app.pool).await {
            Ok(0) => Ok(()),
            Ok(missing) => Err(format!("{missing} missing; run `souk migrate`")),
            Err(error) => {
                tracing::warn!(%error, "not ready: the migrations cannot be read");
                Err("cannot be read".to_owned())
            }
        }
    };
    let database = async {
        sqlx::query("select 1").execute(&app.pool).await.map(drop).map_err(|error| {
            tracing::warn!(%error, "not ready: the database");
            "does not answer".to_owned()
        })
    };
    let storage = async {
        app.storage.reach().await.map_err(|error| {
            tracing::warn!(error = format!("{:#}", anyhow::Error::from(error)), "not ready: the store");
            "does not answer, or has no such bucket".to_owned()
        })
    };
    let (database, migrations, storage) = tokio::join!(in_time(database), in_time(schema), in_time(storage));
    let not_ready: Vec<_> = [("database", &database), ("migrations", &migrations), ("storage", &storage)]
        .into_iter()
        .filter_map(|(name, said)| said.is_err().then_some(name))
        .collect();
    let (code, status) =
        if not_ready.is_empty() { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready") };
    let said = |said: Result<(), String>| said.err().unwrap_or_else(|| "ok".to_owned());
    let body = Readiness { status, not_ready, database: said(database), migrations: said(migrations), storage: said(storage) };
    let mut response = (code, [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body)).into_response();
    response.extensions_mut().insert(Presented);
    response
}

async fn in_time(check: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    tokio::time::timeout(PATIENCE, check).await.unwrap_or_else(|_| Err("does not answer within a second".to_owned()))
}
