//! The webhook inbox: the signature is checked over the raw bytes, the event stored as it came, and handled by a job.
//! An event is only a hint that something happened: what did, is read from Stripe, so repeats and disorder are harmless.

use super::{fees, gateway, settle_session, sync_refunds};
use crate::{
    disputes, payouts,
    server::{
        errors::Presented,
        jobs::{self, Job},
        metrics::Webhook,
        state::App,
    },
};
use anyhow::Context;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    response::{IntoResponse, Response},
    routing::post,
};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// The largest event that is taken, in bytes.
const LIMIT: usize = 1024 * 1024;
/// How far the time of a signature may be from ours, in seconds and both directions.
const TOLERANCE: i64 = 300;
/// After so many failures an event is left to the operator.
const ATTEMPTS: i32 = 12;

/// `POST /webhooks/stripe`
pub fn routes() -> Router<App> {
    Router::new().route("/webhooks/stripe", post(receive)).layer(DefaultBodyLimit::max(LIMIT))
}

/// Takes an event into the inbox. Answers 200 once it is stored, also when it was stored before.
async fn receive(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let signature = headers.get("stripe-signature").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let now = OffsetDateTime::now_utc().unix_timestamp();
    // Stripe signs what happens at connected accounts with a secret of its own, where they have an endpoint of their own.
    let mut verdict = Err(BadSignature::Header);
    for secret in app.webhook_secret.split(',').map(str::trim) {
        verdict = verify(&body, signature, secret.as_bytes(), now);
        if verdict.is_ok() {
            break;
        }
    }
    if let Err(why) = verdict {
        tracing::warn!(%why, "a webhook was refused");
        app.metrics.webhook(Webhook::Refused);
        return problem(StatusCode::BAD_REQUEST, &why.to_string());
    }
    let Some((text, id, kind)) = read(&body) else {
        app.metrics.webhook(Webhook::Refused);
        return problem(StatusCode::BAD_REQUEST, "The body is no event.");
    };
    match store(&app, &id, &kind, &text).await {
        Ok(()) => Json(json!({ "received": true })).into_response(),
        Err(error) => {
            // Stripe sends it again.
            tracing::error!(%error, "a webhook could not be stored");
            problem(StatusCode::INTERNAL_SERVER_ERROR, "The event could not be stored.")
        }
    }
}

/// RFC 9457.
fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let body = json!({ "type": "/problems/webhook", "title": title, "status": status.as_u16(), "detail": detail });
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response.extensions_mut().insert(Presented);
    response
}

/// Why a delivery is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSignature {
    #[error("The Stripe-Signature header is missing or cannot be read.")]
    Header,
    #[error("The signature is too old or from the future.")]
    Time,
    #[error("No signature fits the body.")]
    Mismatch,
}

/// Checks a `Stripe-Signature` (`t=…,v1=…[,v1=…]`) over the raw body: HMAC-SHA-256 of `{t}.{body}`, compared in constant
/// time. Several `v1` occur while a secret is being changed; one must fit.
pub fn verify(body: &[u8], header: &str, secret: &[u8], now: i64) -> Result<(), BadSignature> {
    let mut time = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) => time = Some(value),
            Some(("v1", value)) => signatures.extend(hex::decode(value)),
            _ => {}
        }
    }
    let time = time.ok_or(BadSignature::Header)?;
    let at: i64 = time.parse().map_err(|_| BadSignature::Header)?;
    if signatures.is_empty() {
        return Err(BadSignature::Header);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| BadSignature::Mismatch)?;
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    // Every candidate is compared, so that the time taken says nothing.
    let fits = signatures.iter().fold(false, |fits, s| mac.clone().verify_slice(s).is_ok() | fits);
    if !fits {
        return Err(BadSignature::Mismatch);
    }
    if at.checked_sub(now).is_none_or(|d| d.abs() > TOLERANCE) {
        return Err(BadSignature::Time);
    }
    Ok(())
}

/// The text of an event with its id and kind.
fn read(body: &[u8]) -> Option<(String, String, String)> {
    let text = std::str::from_utf8(body).ok()?;
    let event: Value = serde_json::from_str(text).ok()?;
    let field = |name: &str| event.get(name)?.as_str().filter(|v| !v.is_empty() && v.len() <= 255 && !v.contains('\0'));
    Some((text.to_owned(), field("id")?.to_owned(), field("type")?.to_owned()))
}

async fn store(app: &App, id: &str, kind: &str, payload: &str) -> sqlx::Result<()> {
    // Of what does not concern us nothing is left to do once it is kept.
    let concerns = Concern::of(kind).is_some();
    let mut tx = app.pool.begin().await?;
    let stored = sqlx::query!(
        r#"insert into webhook_events (id, kind, payload, state, handled_at)
           values ($1, $2, $3, case when $4 then 'pending' else 'done' end, case when not $4 then now() end)
           on conflict (id) do update set deliveries = webhook_events.deliveries + 1
           returning deliveries, state"#,
        id,
        kind,
        payload,
        concerns
    )
    .fetch_one(&mut *tx)
    .await?;
    if stored.deliveries == 1 && concerns {
        jobs::enqueue(&mut *tx, &Job::HandleWebhook { event: id.to_owned() }, None).await?;
    } else if stored.state == "failed" {
        // We gave up on it and Stripe has not: another round.
        replay(&mut tx, id).await?;
    }
    tx.commit().await?;
    app.metrics.webhook(if stored.deliveries == 1 { Webhook::Received } else { Webhook::Duplicate });
    Ok(())
}

/// Handles a stored event once more, whatever became of it: the operator's button. `false` when there is no such event.
pub async fn replay(tx: &mut PgConnection, id: &str) -> sqlx::Result<bool> {
    let set = sqlx::query!("update webhook_events set state = 'pending', attempts = 0, handled_at = null where id = $1", id)
        .execute(&mut *tx)
        .await?;
    if set.rows_affected() == 0 {
        return Ok(false);
    }
    jobs::enqueue(tx, &Job::HandleWebhook { event: id.to_owned() }, None).await?;
    Ok(true)
}

/// Handles one stored event: the job. The row is locked meanwhile, so that two workers never handle it at once.
pub async fn handle(app: &App, event: &str) -> anyhow::Result<()> {
    let mut tx = app.pool.begin().await?;
    let row = sqlx::query!("select kind, payload, state from webhook_events where id = $1 for update", event)
        .fetch_optional(&mut *tx)
        .await?
        .context("no such event")?;
    if row.state == "done" {
        return Ok(());
    }
    match dispatch(app, &row.kind, &row.payload).await {
        Ok(()) => {
            sqlx::query!(
                "update webhook_events set state = 'done', attempts = attempts + 1, last_error = null, handled_at = now() where id = $1",
                event
            )
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(())
        }
        Err(error) => {
            sqlx::query!(
                "update webhook_events set attempts = attempts + 1, last_error = $2,
                        state = case when attempts + 1 >= $3 then 'failed' else 'pending' end
                 where id = $1",
                event,
                format!("{error:#}"),
                ATTEMPTS
            )
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            app.metrics.webhook(Webhook::Failed);
            // The queue tries again with backoff.
            Err(error)
        }
    }
}

/// Which truth an event makes us ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Concern {
    Session,
    Intent,
    Charge,
    /// What Stripe kept of a charge: it says so a moment after the charge.
    Fee,
    Refund,
    Dispute,
    /// A vendor's account.
    Account,
    /// A payout of such an account.
    Payout,
}

/// The kinds of events that change something here, and thus what an endpoint at Stripe has to be told of (`enabled_events`).
/// Others are kept and done.
const KINDS: [(&str, Concern); 29] = [
    ("checkout.session.completed", Concern::Session),
    ("checkout.session.expired", Concern::Session),
    ("checkout.session.async_payment_succeeded", Concern::Session),
    ("checkout.session.async_payment_failed", Concern::Session),
    ("payment_intent.succeeded", Concern::Intent),
    ("payment_intent.payment_failed", Concern::Intent),
    ("payment_intent.processing", Concern::Intent),
    ("payment_intent.canceled", Concern::Intent),
    ("charge.refunded", Concern::Charge),
    ("charge.updated", Concern::Fee),
    ("refund.created", Concern::Refund),
    ("refund.updated", Concern::Refund),
    ("refund.failed", Concern::Refund),
    ("charge.refund.updated", Concern::Refund),
    ("charge.dispute.created", Concern::Dispute),
    ("charge.dispute.updated", Concern::Dispute),
    ("charge.dispute.closed", Concern::Dispute),
    ("charge.dispute.funds_withdrawn", Concern::Dispute),
    ("charge.dispute.funds_reinstated", Concern::Dispute),
    ("account.updated", Concern::Account),
    ("account.application.deauthorized", Concern::Account),
    ("account.external_account.created", Concern::Account),
    ("account.external_account.updated", Concern::Account),
    ("account.external_account.deleted", Concern::Account),
    ("capability.updated", Concern::Account),
    ("payout.updated", Concern::Payout),
    ("payout.paid", Concern::Payout),
    ("payout.failed", Concern::Payout),
    ("payout.canceled", Concern::Payout),
];

/// What Stripe has to tell us of: the events to choose for an endpoint at Stripe.
pub fn events() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(kind, _)| *kind)
}

impl Concern {
    /// `None` for a kind that changes nothing here.
    fn of(kind: &str) -> Option<Self> {
        KINDS.iter().find(|(known, _)| *known == kind).map(|(_, concern)| *concern)
    }
}

async fn dispatch(app: &App, kind: &str, payload: &str) -> anyhow::Result<()> {
    let Some(concern) = Concern::of(kind) else { return Ok(()) };
    let event: Value = serde_json::from_str(payload)?;
    let object = &event["data"]["object"];
    // Expandable: an id, or an object with one.
    let id = |value: &Value| value.as_str().or_else(|| value["id"].as_str()).map(str::to_owned);
    match concern {
        Concern::Session => {
            let session = id(&object["id"]).context("the event has no session")?;
            settle_session(app, &session).await?;
        }
        Concern::Intent => {
            let intent = id(&object["id"]).context("the event has no PaymentIntent")?;
            if let Some(payment) = payment_of(app, &intent).await? {
                super::settle(app, payment).await?;
            }
        }
        Concern::Charge => {
            if let Some(intent) = id(&object["payment_intent"]) {
                sync_refunds(app, &intent).await?;
            }
        }
        Concern::Fee => {
            if let Some(intent) = id(&object["payment_intent"])
                && let Some(payment) = payment_of(app, &intent).await?
            {
                // A hint that came before the one of the payment itself: that is settled first.
                super::settle(app, payment).await?;
                fees::learn(app, payment).await?;
            }
        }
        Concern::Refund => {
            let intent = match id(&object["payment_intent"]) {
                Some(intent) => Some(intent),
                None => gateway::intent_of_refund(app, &id(&object["id"]).context("the event has no refund")?).await?,
            };
            if let Some(intent) = intent {
                sync_refunds(app, &intent).await?;
            }
        }
        Concern::Dispute => {
            let dispute = id(&object["id"]).context("the event has no dispute")?;
            disputes::sync_dispute(app, &dispute).await?;
        }
        Concern::Account => {
            let own = (object["object"] == "account").then(|| id(&object["id"])).flatten();
            if let Some(account) = own.or_else(|| id(&event["account"])) {
                payouts::sync_account(app, &account).await?;
            }
        }
        Concern::Payout => {
            // One of the market's own account is none of ours.
            if let (Some(account), Some(payout)) = (id(&event["account"]), id(&object["id"])) {
                payouts::sync_payout(app, &account, &payout).await?;
            }
        }
    }
    Ok(())
}

/// Our attempt behind a PaymentIntent: from our row, else from the metadata at Stripe. `None` when it is not ours.
pub(crate) async fn payment_of(app: &App, intent: &str) -> anyhow::Result<Option<crate::ids::PaymentId>> {
    let known =
        sqlx::query_scalar!(r#"select id as "id: crate::ids::PaymentId" from payments where stripe_intent_id = $1"#, intent)
            .fetch_optional(&app.pool)
            .await?;
    if known.is_some() {
        return Ok(known);
    }
    let Some(named) = gateway::payment_of_intent(app, intent).await? else { return Ok(None) };
    Ok(sqlx::query_scalar!(r#"select id as "id: crate::ids::PaymentId" from payments where id = $1"#, named.uuid())
        .fetch_optional(&app.pool)
        .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"whsec_test";

    fn sign(body: &[u8], time: &str, secret: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(format!("{time}.").as_bytes());
        mac.update(body);
        hex::encode(mac.finalize().into_bytes())
    }

    #[test]
    fn a_true_signature_is_believed_within_five_minutes() {
        let header = format!("t=1000,v1={}", sign(b"{}", "1000", SECRET));
        for now in [700, 1000, 1300] {
            assert_eq!(verify(b"{}", &header, SECRET, now), Ok(()));
        }
        for now in [699, 1301, i64::MAX, i64::MIN] {
            assert_eq!(verify(b"{}", &header, SECRET, now), Err(BadSignature::Time));
        }
    }

    #[test]
    fn one_of_several_signatures_is_enough() {
        let header = format!("t=1000,v1={},v1={},v0=00", sign(b"{}", "1000", b"old"), sign(b"{}", "1000", SECRET));
        assert_eq!(verify(b"{}", &header, SECRET, 1000), Ok(()));
    }

    #[test]
    fn anything_else_is_not() {
        let good = sign(b"{}", "1000", SECRET);
        for (header, why) in [
            (String::new(), BadSignature::Header),
            ("t=1000".into(), BadSignature::Header),
            (format!("v1={good}"), BadSignature::Header),
            (format!("t=soon,v1={good}"), BadSignature::Header),
            ("t=1000,v1=zz".into(), BadSignature::Header),
            (format!("t=1000,v0={good}"), BadSignature::Header),
            (format!("t=1001,v1={good}"), BadSignature::Mismatch),
            (format!("t=1000,v1={}", &good[..62]), BadSignature::Mismatch),
        ] {
            assert_eq!(verify(b"{}", &header, SECRET, 1000), Err(why), "{header}");
        }
        assert_eq!(verify(b"{ }", &format!("t=1000,v1={good}"), SECRET, 1000), Err(BadSignature::Mismatch));
    }
}
