//! The controls for tests and scripts: JSON under `/_sandbox` on the sandbox's own port, which is open to this machine only.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Controls, PayoutOutcome, RefundEnd, Sandbox};

pub fn router() -> Router<Sandbox> {
    Router::new()
        .route("/_sandbox/controls", get(read).post(write))
        .route("/_sandbox/deliveries", get(deliveries))
        .route("/_sandbox/deliveries/release", post(release))
        .route("/_sandbox/events/{id}/redeliver", post(redeliver))
        .route("/_sandbox/sessions/{id}/expires_in", post(expires_in))
        .route("/_sandbox/sessions/{id}/debit", post(debit))
        .route("/_sandbox/refunds", post(refund))
        .route("/_sandbox/refunds/{id}/end", post(end_refund))
        .route("/_sandbox/clock", get(clock).post(advance))
        .route("/_sandbox/disputes", post(dispute))
        .route("/_sandbox/disputes/{id}/decide", post(decide))
        .route("/_sandbox/payouts/{id}/end", post(end_payout))
        .route("/_sandbox/accounts/{id}/onboard", post(onboard))
}

/// What goes wrong: the database, or a request that makes no sense.
enum Problem {
    Database(sqlx::Error),
    Refused(StatusCode, String),
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, message) = match self {
            Self::Database(error) => {
                tracing::error!(%error, "the Stripe sandbox could not use its database");
                (StatusCode::INTERNAL_SERVER_ERROR, "The sandbox could not use its database.".to_owned())
            }
            Self::Refused(status, message) => (status, message),
        };
        (status, Json(json!({ "error": message }))).into_response()
    }
}

type Answer = Result<Json<Value>, Problem>;

async fn read(State(sandbox): State<Sandbox>) -> Answer {
    Ok(Json(json!(sandbox.controls().await?)))
}

/// Changes the switches that are named, and leaves the others.
async fn write(State(sandbox): State<Sandbox>, Json(changes): Json<Value>) -> Answer {
    let mut all = json!(sandbox.controls().await?);
    if let (Some(all), Some(changes)) = (all.as_object_mut(), changes.as_object()) {
        all.extend(changes.clone());
    }
    let controls: Controls = serde_json::from_value(all).map_err(|e| Problem::Refused(StatusCode::BAD_REQUEST, e.to_string()))?;
    Ok(Json(json!(sandbox.set_controls(&controls).await?)))
}

#[derive(Deserialize)]
struct Limit {
    limit: Option<i64>,
}

async fn deliveries(State(sandbox): State<Sandbox>, Query(limit): Query<Limit>) -> Answer {
    Ok(Json(json!(sandbox.deliveries(limit.limit.unwrap_or(100)).await?)))
}

async fn release(State(sandbox): State<Sandbox>) -> Answer {
    Ok(Json(json!({ "released": sandbox.release_held().await? })))
}

async fn redeliver(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Answer {
    if sandbox.redeliver(&id).await? {
        Ok(Json(json!({ "event": id })))
    } else {
        Err(Problem::Refused(StatusCode::NOT_FOUND, format!("No such event: '{id}'")))
    }
}

#[derive(Deserialize)]
struct ExpiresIn {
    seconds: i64,
}

async fn expires_in(State(sandbox): State<Sandbox>, Path(id): Path<String>, Json(asked): Json<ExpiresIn>) -> Answer {
    sandbox.expire_in(&id, asked.seconds).await.map(Json).map_err(|message| Problem::Refused(StatusCode::NOT_FOUND, message))
}

#[derive(Deserialize)]
struct Debit {
    paid: bool,
}

async fn debit(State(sandbox): State<Sandbox>, Path(id): Path<String>, Json(asked): Json<Debit>) -> Answer {
    sandbox.end_debit(&id, asked.paid).await.map_err(|message| Problem::Refused(StatusCode::BAD_REQUEST, message))?;
    Ok(Json(json!({ "session": id, "paid": asked.paid })))
}

#[derive(Deserialize)]
struct DashboardRefund {
    payment_intent: String,
    amount: Option<i64>,
}

async fn refund(State(sandbox): State<Sandbox>, Json(asked): Json<DashboardRefund>) -> Answer {
    sandbox
        .refund_from_dashboard(&asked.payment_intent, asked.amount)
        .await
        .map(Json)
        .map_err(|message| Problem::Refused(StatusCode::BAD_REQUEST, message))
}

/// What somebody asked for that cannot be.
fn refused(message: String) -> Problem {
    Problem::Refused(StatusCode::BAD_REQUEST, message)
}

#[derive(Deserialize)]
struct End<T> {
    outcome: T,
    failure_code: Option<String>,
}

async fn end_refund(State(sandbox): State<Sandbox>, Path(id): Path<String>, Json(asked): Json<End<RefundEnd>>) -> Answer {
    sandbox.end_refund(&id, asked.outcome).await.map(Json).map_err(refused)
}

async fn end_payout(State(sandbox): State<Sandbox>, Path(id): Path<String>, Json(asked): Json<End<PayoutOutcome>>) -> Answer {
    sandbox.end_payout(&id, asked.outcome, asked.failure_code.as_deref()).await.map(Json).map_err(refused)
}

async fn clock(State(sandbox): State<Sandbox>) -> Answer {
    // a move by nothing only reads, and lets happen what is due
    let ahead = sandbox.advance(0).await.map_err(refused)?;
    Ok(Json(json!({ "ahead_seconds": ahead, "now": sandbox.now().await })))
}

#[derive(Deserialize)]
struct Advance {
    advance_seconds: i64,
}

async fn advance(State(sandbox): State<Sandbox>, Json(asked): Json<Advance>) -> Answer {
    let ahead = sandbox.advance(asked.advance_seconds).await.map_err(refused)?;
    Ok(Json(json!({ "ahead_seconds": ahead, "now": sandbox.now().await })))
}

#[derive(Deserialize)]
struct NewDispute {
    payment_intent: String,
    amount: Option<i64>,
    reason: Option<String>,
}

async fn dispute(State(sandbox): State<Sandbox>, Json(asked): Json<NewDispute>) -> Answer {
    sandbox.dispute(&asked.payment_intent, asked.amount, asked.reason.as_deref()).await.map(Json).map_err(refused)
}

#[derive(Deserialize)]
struct Decision {
    won: bool,
}

async fn decide(State(sandbox): State<Sandbox>, Path(id): Path<String>, Json(asked): Json<Decision>) -> Answer {
    sandbox.decide_dispute(&id, asked.won).await.map(Json).map_err(refused)
}

#[derive(Deserialize)]
struct Onboard {
    account_number: Option<String>,
}

async fn onboard(State(sandbox): State<Sandbox>, Path(id): Path<String>, Json(asked): Json<Onboard>) -> Answer {
    sandbox.onboard(&id, asked.account_number.as_deref()).await.map(Json).map_err(refused)
}
