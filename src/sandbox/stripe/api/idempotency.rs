//! `Idempotency-Key`: the first request with a key is carried out, every other one with the same parameters gets its answer.

use axum::http::StatusCode;
use sqlx::{PgConnection, PgPool, Row};

use super::Answer;
use crate::sandbox::stripe::error::ApiError;

/// What a key turned out to be.
pub enum Claim {
    /// new: this request carries the work out
    Ours(Ours),
    /// known: this is the answer it got
    Answered(Answer),
}

/// The right to answer for a key.
pub struct Ours {
    account: String,
    key: String,
}

/// A request that has been running for longer than this was lost with its process.
const LOST_AFTER_SECONDS: f64 = 60.0;

/// Claims a key for a request, or finds what became of it.
pub async fn claim(pool: &PgPool, account: &str, key: &str, fingerprint: &str, request_id: &str) -> Result<Claim, ApiError> {
    let claimed = sqlx::query(
        "insert into stripe_sandbox.idempotency as known (account, key, fingerprint, request_id) values ($1, $2, $3, $4)
         on conflict (account, key) do update set request_id = excluded.request_id, created_at = now(), fingerprint = excluded.fingerprint
         where known.created_at < now() - interval '24 hours'
            or (known.status is null and known.fingerprint = excluded.fingerprint and known.created_at < now() - make_interval(secs => $5))",
    )
    .bind(account)
    .bind(key)
    .bind(fingerprint)
    .bind(request_id)
    .bind(LOST_AFTER_SECONDS)
    .execute(pool)
    .await?;
    if claimed.rows_affected() == 1 {
        return Ok(Claim::Ours(Ours { account: account.to_owned(), key: key.to_owned() }));
    }
    let known = sqlx::query(
        "select fingerprint, status, body, request_id from stripe_sandbox.idempotency where account = $1 and key = $2",
    )
    .bind(account)
    .bind(key)
    .fetch_optional(pool)
    .await?;
    // gone in between: its request was refused, and the caller may try again
    let Some(known) = known else { return Err(ApiError::still_running(key)) };
    let status: Option<i32> = known.try_get("status")?;
    let body: Option<String> = known.try_get("body")?;
    if known.try_get::<String, _>("fingerprint")? != fingerprint {
        return Err(ApiError::other_parameters(key));
    }
    match (status.and_then(|s| u16::try_from(s).ok()).and_then(|s| StatusCode::from_u16(s).ok()), body) {
        (Some(status), Some(body)) => Ok(Claim::Answered(Answer {
            status,
            body,
            replayed_from: Some(known.try_get("request_id")?),
            should_retry: (!status.is_success()).then_some(false),
        })),
        _ => Err(ApiError::still_running(key)),
    }
}

impl Ours {
    /// Keeps the answer, in the transaction of the work itself.
    pub async fn keep(&self, conn: &mut PgConnection, answer: &Answer) -> sqlx::Result<()> {
        sqlx::query("update stripe_sandbox.idempotency set status = $3, body = $4 where account = $1 and key = $2")
            .bind(&self.account)
            .bind(&self.key)
            .bind(i32::from(answer.status.as_u16()))
            .bind(&answer.body)
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Forgets the key: nothing was done with it.
    pub async fn release(&self, pool: &PgPool) -> sqlx::Result<()> {
        sqlx::query("delete from stripe_sandbox.idempotency where account = $1 and key = $2 and status is null")
            .bind(&self.account)
            .bind(&self.key)
            .execute(pool)
            .await?;
        Ok(())
    }
}
