//! What happens to a refund: it is made, waits for the bank, comes back, is called off.
//! Each function runs in its caller's transaction, under the lock of the charge, and emits Stripe's events.

use serde_json::{Value, json};
use sqlx::PgConnection;

use super::cards::Later;
use super::error::ApiError;
use super::events::{changed, emit};
use super::objects::entry::NewEntry;
use super::objects::refund;
use super::payments::later;
use super::store::{self, Stored};
use super::{Cause, balance, clock, disputes, ids, money};

/// How long a bank takes to settle a refund that waits, or to send one back.
const BANK_TAKES: i64 = 86_400;

/// What a refund is asked for with.
pub struct RefundRequest {
    pub amount: Option<i64>,
    pub reason: Option<String>,
    pub metadata: Value,
}

/// How a refund ends that has not ended yet, or not for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundEnd {
    Succeeded,
    Failed,
    Canceled,
}

/// Gives money back from a charge: all that is left of it, or an amount.
pub async fn refund(conn: &mut PgConnection, cause: &Cause, charge_id: &str, request: RefundRequest) -> Result<Stored, ApiError> {
    let mut charge = store::lock(conn, "charge", charge_id, "charge").await?;
    if charge.text("status") != "succeeded" {
        return Err(ApiError::invalid(format!("Charge {charge_id} has not succeeded and cannot be refunded.")));
    }
    if disputes::holds(conn, charge_id).await? {
        return Err(ApiError::code(
            "charge_disputed",
            format!("Charge {charge_id} has been charged back; cannot issue a refund."),
        ));
    }
    let (total, before) = (charge.amount("amount"), charge.amount("amount_refunded"));
    let amount = amount_of(&charge, request.amount, total - before)?;
    let mut made = Stored::new(refund::document(&charge.doc, amount, request.reason.as_deref(), &request.metadata));
    let later = later(&charge);
    match later {
        Some(Later::RefundPending) => {
            made.doc["status"] = json!("pending");
            made.doc["pending_reason"] = json!("processing");
            made.hidden["next"] = json!(RefundEnd::Succeeded);
            clock::plan(&mut made, Some(ids::now() + BANK_TAKES));
        }
        Some(Later::RefundFails) => {
            made.hidden["next"] = json!(RefundEnd::Failed);
            clock::plan(&mut made, Some(ids::now() + BANK_TAKES));
        }
        _ => {}
    }
    let entry = balance::enter(conn, NewEntry::now("refund", -amount, charge.text("currency"), made.id())).await?;
    made.doc["balance_transaction"] = json!(entry);
    store::save(conn, &made).await?;
    emit(conn, cause, "refund.created", &made.doc, None).await?;
    let was = charge.doc.clone();
    charge.doc["amount_refunded"] = json!(before + amount);
    charge.doc["refunded"] = json!(before + amount == total);
    store::save(conn, &charge).await?;
    let previous = json!({ "amount_refunded": before, "refunded": was["refunded"], "receipt_url": was["receipt_url"] });
    emit(conn, cause, "charge.refunded", &charge.doc, Some(previous)).await?;
    let answered = made.clone();
    if later != Some(Later::RefundPending) {
        refer(conn, cause, &mut made).await?;
    }
    Ok(answered)
}

/// What is asked for, if there is as much.
fn amount_of(charge: &Stored, asked: Option<i64>, left: i64) -> Result<i64, ApiError> {
    let id = charge.id();
    if left <= 0 {
        return Err(ApiError::code("charge_already_refunded", format!("Charge {id} has already been refunded.")));
    }
    let amount = asked.unwrap_or(left);
    if amount < 1 {
        return Err(ApiError::param(
            "amount",
            Some("parameter_invalid_integer"),
            "This value must be greater than or equal to 1.",
        ));
    }
    if amount > left {
        let currency = charge.text("currency");
        return Err(ApiError::param(
            "amount",
            None,
            format!(
                "Refund amount ({}) is greater than unrefunded amount on charge ({})",
                money::display(amount, currency),
                money::display(left, currency)
            ),
        ));
    }
    Ok(amount)
}

/// The card network's reference comes a little after the refund itself.
async fn refer(conn: &mut PgConnection, cause: &Cause, made: &mut Stored) -> Result<(), ApiError> {
    let kind = made.doc["destination_details"]["type"].as_str().unwrap_or_default().to_owned();
    let Some(reference) = refund::reference(&kind) else { return Ok(()) };
    let previous = json!({ "destination_details": made.doc["destination_details"] });
    made.doc["destination_details"] = reference;
    store::save(conn, made).await?;
    emit(conn, cause, "refund.updated", &made.doc, Some(previous)).await?;
    Ok(())
}

/// Does what a refund's time has come for.
pub async fn on_time(conn: &mut PgConnection, cause: &Cause, id: &str) -> Result<(), ApiError> {
    let made = store::load(conn, "refund", id, "id").await?;
    match serde_json::from_value(made.hidden["next"].clone()) {
        Ok(next) if clock::is_due(&made) => end(conn, cause, id, next).await.map(drop),
        _ => Ok(()),
    }
}

/// The bank settles a refund or sends it back, or somebody in the dashboard calls it off. Failing is possible after it succeeded.
pub async fn end(conn: &mut PgConnection, cause: &Cause, id: &str, end: RefundEnd) -> Result<Stored, ApiError> {
    // the charge's lock before the refund's, as when it was made
    let charge = store::load(conn, "refund", id, "id").await?.text("charge").to_owned();
    let mut charge = store::lock(conn, "charge", &charge, "charge").await?;
    let mut made = store::lock(conn, "refund", id, "id").await?;
    let before = made.doc.clone();
    match (made.text("status"), end) {
        ("pending", RefundEnd::Succeeded) => made.doc["status"] = json!("succeeded"),
        ("pending", RefundEnd::Canceled) => made.doc["status"] = json!("canceled"),
        ("pending" | "succeeded", RefundEnd::Failed) => {
            made.doc["status"] = json!("failed");
            made.doc["failure_reason"] = json!("expired_or_canceled_card");
        }
        (status, _) => {
            return Err(ApiError::invalid(format!("Refund {id} has the status {status}: this cannot happen to it any more.")));
        }
    }
    made.hidden["next"] = Value::Null;
    clock::plan(&mut made, None);
    if let Some(fields) = made.doc.as_object_mut() {
        fields.remove("pending_reason");
    }
    if end != RefundEnd::Succeeded {
        let (amount, currency) = (made.amount("amount"), made.text("currency"));
        let entry =
            NewEntry { description: Some("REFUND FAILURE".into()), ..NewEntry::now("refund_failure", amount, currency, id) };
        made.doc["failure_balance_transaction"] = json!(balance::enter(conn, entry).await?);
        let was = charge.doc.clone();
        charge.doc["amount_refunded"] = json!(charge.amount("amount_refunded") - amount);
        charge.doc["refunded"] = json!(false);
        store::save(conn, &charge).await?;
        emit(conn, cause, "charge.updated", &charge.doc, Some(changed(&was, &charge.doc))).await?;
    }
    store::save(conn, &made).await?;
    let previous = changed(&before, &made.doc);
    emit(conn, cause, "charge.refund.updated", &made.doc, Some(previous.clone())).await?;
    emit(conn, cause, "refund.updated", &made.doc, Some(previous)).await?;
    if end == RefundEnd::Failed {
        emit(conn, cause, "refund.failed", &made.doc, None).await?;
    } else if end == RefundEnd::Succeeded {
        refer(conn, cause, &mut made).await?;
    }
    Ok(made)
}
