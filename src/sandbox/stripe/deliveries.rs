//! Sends webhooks: signed as Stripe signs them, repeated with growing pauses until the receiver answers 2xx.
//! The queue is a table, so a restart goes on where it stopped and two senders share the work.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use rand::seq::SliceRandom;
use serde_json::Value;
use sha2::Sha256;
use sqlx::{PgPool, Row};
use tokio::task::JoinSet;

use super::{Sandbox, ids};

/// Attempts before a delivery is given up: about ten minutes of pauses.
const MAX_ATTEMPTS: i32 = 16;
/// How long a receiver may take, as with Stripe.
const TIMEOUT: Duration = Duration::from_secs(20);
/// A row taken by a sender that vanished is taken again after this.
const LEASE_SECONDS: i32 = 40;
const AT_ONCE: usize = 8;
/// Without a nudge the queue is looked at this often.
const POLL: Duration = Duration::from_millis(200);
/// Held deliveries are collected for so long before they are shuffled and sent.
const HOLD_MS: i32 = 1500;

/// `t=…,v1=…` over `t.body`, as `Stripe-Signature` carries it. Any secret will do as the key, also one with its `whsec_`.
pub fn signature(secret: &str, timestamp: i64, body: &str) -> String {
    let mut digest = Vec::new();
    if let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()) {
        mac.update(format!("{timestamp}.{body}").as_bytes());
        digest = mac.finalize().into_bytes().to_vec();
    }
    format!("t={timestamp},v1={}", hex::encode(digest))
}

/// Seconds until the next attempt, after so many.
fn pause(attempts: i32) -> i32 {
    2_i32.saturating_pow(attempts.clamp(1, 7).unsigned_abs() - 1).min(60)
}

struct Due {
    id: i64,
    attempts: i32,
    event: Value,
}

/// Sends what is due, for ever. Ends when its task is aborted.
pub async fn run(sandbox: Sandbox, client: reqwest::Client) {
    let mut sending = JoinSet::new();
    loop {
        while sending.try_join_next().is_some() {}
        let room = AT_ONCE.saturating_sub(sending.len());
        let taken = match take(&sandbox.pool, room).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!(%error, "the Stripe sandbox could not look for webhooks to send");
                Vec::new()
            }
        };
        let idle = taken.is_empty();
        for due in taken {
            sending.spawn(deliver(sandbox.clone(), client.clone(), due));
        }
        if idle {
            tokio::select! {
                () = sandbox.wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
                Some(_) = sending.join_next(), if !sending.is_empty() => {}
            }
        }
    }
}

async fn take(pool: &PgPool, room: usize) -> sqlx::Result<Vec<Due>> {
    release_held(pool, false).await?;
    if room == 0 {
        return Ok(Vec::new());
    }
    sqlx::query(
        "with due as (
             select id from stripe_sandbox.deliveries where state = 'pending' and next_at <= now()
             order by next_at, id limit $1 for update skip locked)
         update stripe_sandbox.deliveries d set attempts = attempts + 1, next_at = now() + make_interval(secs => $2)
         from due, stripe_sandbox.events e where d.id = due.id and e.id = d.event_id
         returning d.id, d.attempts, e.doc",
    )
    .bind(i64::try_from(room).unwrap_or(1))
    .bind(f64::from(LEASE_SECONDS))
    .fetch_all(pool)
    .await?
    .iter()
    .map(|row| Ok(Due { id: row.try_get("id")?, attempts: row.try_get("attempts")?, event: row.try_get("doc")? }))
    .collect::<sqlx::Result<Vec<_>>>()
    .map(|mut due| {
        due.sort_by_key(|d| d.id);
        due
    })
}

/// Shuffles the held deliveries and lets them go, when the oldest has waited long enough or when told to.
/// The new order always differs from the old one.
pub async fn release_held(pool: &PgPool, at_once: bool) -> sqlx::Result<usize> {
    let mut tx = pool.begin().await?;
    let ids: Vec<i64> = sqlx::query_scalar(
        "select id from stripe_sandbox.deliveries where state = 'held' and ($1 or exists (
             select 1 from stripe_sandbox.deliveries where state = 'held' and created_at < now() - make_interval(secs => $2::float8 / 1000)))
         order by id for update skip locked",
    )
    .bind(at_once)
    .bind(HOLD_MS)
    .fetch_all(&mut *tx)
    .await?;
    let mut order = ids.clone();
    while order.len() > 1 && order == ids {
        order.shuffle(&mut rand::rng());
    }
    for (place, id) in order.iter().enumerate() {
        sqlx::query(
            "update stripe_sandbox.deliveries set state = 'pending',
                 next_at = greatest(next_at, now()) + make_interval(secs => $2::float8 / 1000) where id = $1",
        )
        .bind(id)
        .bind(i64::try_from(place).unwrap_or(0) * 120)
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    Ok(ids.len())
}

async fn deliver(sandbox: Sandbox, client: reqwest::Client, due: Due) {
    let answer = send(&sandbox, &client, &due.event).await;
    let (state, status, error) = match &answer {
        Ok(status) if (200..300).contains(status) => ("delivered", Some(*status), None),
        Ok(status) => ("pending", Some(*status), Some(format!("the receiver answered {status}"))),
        Err(error) => ("pending", None, Some(error.clone())),
    };
    let state = if state == "pending" && due.attempts >= MAX_ATTEMPTS { "failed" } else { state };
    let written = sqlx::query(
        "update stripe_sandbox.deliveries set state = $2, status = $3, error = $4, next_at = now() + make_interval(secs => $5),
             delivered_at = case when $2 = 'delivered' then now() end where id = $1",
    )
    .bind(due.id)
    .bind(state)
    .bind(status)
    .bind(error)
    .bind(f64::from(pause(due.attempts)))
    .execute(&sandbox.pool)
    .await;
    if let Err(error) = written {
        // the lease ends by itself, so the worst is one more copy
        tracing::warn!(%error, "the Stripe sandbox could not note a delivery");
    }
}

async fn send(sandbox: &Sandbox, client: &reqwest::Client, event: &Value) -> Result<i32, String> {
    let Some(url) = sandbox.config.webhook_url.as_deref() else {
        return Err("no webhook address is configured".into());
    };
    let body = serde_json::to_string_pretty(event).map_err(|e| e.to_string())?;
    let signature = signature(&sandbox.config.webhook_secret, ids::now(), &body);
    let response = client
        .post(url)
        .timeout(TIMEOUT)
        .header("content-type", "application/json; charset=utf-8")
        .header("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
        .header("accept", "*/*; q=0.5, application/xml")
        .header("cache-control", "no-cache")
        .header("stripe-signature", signature)
        .body(body)
        .send()
        .await
        .map_err(|e| {
            if e.is_timeout() {
                "the receiver took too long".to_owned()
            } else {
                format!("could not be sent: {}", e.without_url())
            }
        })?;
    Ok(i32::from(response.status().as_u16()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_hmac_sha256_of_time_and_body() {
        // computed with `openssl dgst -sha256 -hmac whsec_test` over `1700000000.{"id":"evt_1"}`
        assert_eq!(signature("whsec_test", 1_700_000_000, r#"{"id":"evt_1"}"#), EXPECTED);
    }
    const EXPECTED: &str = "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925";

    #[test]
    fn pauses_grow_to_a_minute() {
        assert_eq!([1, 2, 3, 6, 7, 16].map(pause), [1, 2, 4, 32, 60, 60]);
    }
}
