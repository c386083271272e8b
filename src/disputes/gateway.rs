//! Stripe as this slice needs it: a dispute, a file, and evidence for a dispute.

use super::model::{DisputeStatus, Place};
use crate::{
    payments::{GatewayError, idempotent},
    server::state::App,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use stripe::StripeRequest;
use stripe_core::dispute::{RetrieveDispute, UpdateDispute, UpdateDisputeEvidence};
use stripe_shared::DisputeId;
use time::OffsetDateTime;

type Result<T> = std::result::Result<T, GatewayError>;

/// What a dispute did to our balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Above zero, without the fee.
    pub amount_minor: i64,
    pub at: OffsetDateTime,
}

/// A dispute in our words.
#[derive(Debug, Clone)]
pub struct Dispute {
    pub id: String,
    /// The PaymentIntent of the charge.
    pub intent: Option<String>,
    pub amount_minor: i64,
    /// Upper case, as we write it.
    pub currency: String,
    pub reason: String,
    /// `None` for one that we do not know.
    pub status: Option<DisputeStatus>,
    /// By when evidence is wanted.
    pub due: Option<OffsetDateTime>,
    pub withdrawn: Option<Moved>,
    pub reinstated: Option<Moved>,
    pub fee_minor: i64,
    /// The currency of our balance differs, so that these books cannot hold what moved.
    pub foreign: bool,
    pub refundable: bool,
    pub opened_at: OffsetDateTime,
}

/// A time of Stripe's.
fn when(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or_else(|_| OffsetDateTime::now_utc())
}

impl From<stripe_shared::Dispute> for Dispute {
    fn from(dispute: stripe_shared::Dispute) -> Self {
        let entries = &dispute.balance_transactions;
        let moved = |out: bool| {
            let mut those = entries.iter().filter(|e| (e.amount < 0) == out && e.amount != 0).peekable();
            let at = those.peek().map(|e| when(e.created))?;
            Some(Moved { amount_minor: those.map(|e| e.amount.abs()).sum(), at })
        };
        Self {
            intent: dispute.payment_intent.as_ref().map(|i| i.id().to_string()),
            amount_minor: dispute.amount,
            currency: dispute.currency.to_string().to_uppercase(),
            reason: dispute.reason.chars().take(60).collect(),
            status: dispute.status.as_str().parse().ok(),
            // Zero where the bank wants no answer.
            due: dispute.evidence_details.due_by.filter(|at| *at > 0).map(when),
            withdrawn: moved(true),
            reinstated: moved(false),
            fee_minor: entries.iter().map(|e| e.fee).sum::<i64>().max(0),
            foreign: entries.iter().any(|e| e.currency != dispute.currency),
            refundable: dispute.is_charge_refundable,
            opened_at: when(dispute.created),
            id: dispute.id.to_string(),
        }
    }
}

/// How a dispute stands now.
pub async fn dispute(app: &App, id: &str) -> Result<Dispute> {
    Ok(RetrieveDispute::new(DisputeId::from(id)).send(&app.stripe).await?.into())
}

/// What is said for us. It must come out the same on every repeat: it is read from frozen rows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Evidence {
    pub customer_name: String,
    pub customer_email: String,
    pub shipping_address: String,
    pub product_description: String,
    pub shipping_carrier: String,
    pub shipping_date: String,
    pub shipping_tracking: String,
    pub words: String,
}

/// Hands the evidence to the bank, which takes it once; the key makes a repeat the same.
/// `files` are Stripe's ids of them, by their place.
pub async fn submit(app: &App, id: &str, evidence: Evidence, files: Vec<(Place, String)>, key: &str) -> Result<Dispute> {
    let said = |text: String| (!text.is_empty()).then_some(text);
    let mut all = UpdateDisputeEvidence::new();
    all.customer_name = said(evidence.customer_name);
    all.customer_email_address = said(evidence.customer_email);
    all.shipping_address = said(evidence.shipping_address);
    all.product_description = said(evidence.product_description);
    all.shipping_carrier = said(evidence.shipping_carrier);
    all.shipping_date = said(evidence.shipping_date);
    all.shipping_tracking_number = said(evidence.shipping_tracking);
    all.uncategorized_text = said(evidence.words);
    for (place, file) in files {
        let slot = match place {
            Place::Receipt => &mut all.receipt,
            Place::ShippingDocumentation => &mut all.shipping_documentation,
            Place::CustomerCommunication => &mut all.customer_communication,
            Place::CustomerSignature => &mut all.customer_signature,
            Place::RefundPolicy => &mut all.refund_policy,
            Place::UncategorizedFile => &mut all.uncategorized_file,
        };
        *slot = Some(file);
    }
    let sent = UpdateDispute::new(DisputeId::from(id)).evidence(all).submit(true).customize().request_strategy(idempotent(key)?);
    Ok(sent.send(&app.stripe).await?.into())
}

/// Sends a file to Stripe as evidence; answers Stripe's id of it. The client library knows no uploads, so this speaks HTTP; the body is the
/// same on every repeat, as the key wants it.
pub async fn upload(app: &App, name: &str, media_type: &str, content: Bytes, key: &str) -> Result<String> {
    let away = |error: reqwest::Error| GatewayError::Away(error.without_url().to_string());
    let Some(stripe) = &app.config.stripe else { return Err(GatewayError::Away("no Stripe is configured".into())) };
    let boundary = format!("----{key}");
    // Quotes and line ends would end the name early.
    let name: String = name.chars().map(|c| if c.is_control() || matches!(c, '"' | '\\') { '_' } else { c }).collect();
    let mut body = Vec::with_capacity(content.len() + 512);
    body.extend(
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\ndispute_evidence\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {media_type}\r\n\r\n"
        )
        .bytes(),
    );
    body.extend_from_slice(&content);
    body.extend(format!("\r\n--{boundary}--\r\n").bytes());
    let client = reqwest::Client::builder().timeout(std::time::Duration::from_secs(60)).build().map_err(away)?;
    let answer = client
        .post(format!("{}v1/files", stripe.files_base()))
        .bearer_auth(&stripe.secret_key)
        .header("content-type", format!("multipart/form-data; boundary={boundary}"))
        .header("idempotency-key", key)
        .body(body)
        .send()
        .await
        .map_err(away)?;
    let status = answer.status().as_u16();
    let told: serde_json::Value = answer.json().await.map_err(away)?;
    if status == 200
        && let Some(id) = told["id"].as_str()
    {
        return Ok(id.to_owned());
    }
    let text = |field: &str| told["error"][field].as_str().unwrap_or_default().to_owned();
    Err(match status {
        409 => GatewayError::Busy,
        400..=499 if status != 429 => GatewayError::Refused { status, code: text("code"), message: text("message") },
        _ => GatewayError::Away(format!("status {status}")),
    })
}
