//! What happens to a dispute: the bank takes the money, evidence is sent, the bank decides, or nobody answers in time.
//! Each function runs in its caller's transaction, under the lock of the charge or the dispute, and emits Stripe's events.

use serde_json::{Value, json};
use sqlx::PgConnection;

use super::error::ApiError;
use super::events::{changed, emit};
use super::objects::dispute;
use super::objects::entry::{Fee, NewEntry};
use super::store::{self, Stored};
use super::{Cause, balance, clock, ids, money};

/// Reasons that a card network gives.
pub const REASONS: &[&str] = &[
    "credit_not_processed",
    "duplicate",
    "fraudulent",
    "general",
    "product_not_received",
    "product_unacceptable",
    "subscription_canceled",
    "unrecognized",
];

/// What Stripe takes for a dispute, and keeps whoever wins: £20, €20, $15.
fn fee(currency: &str) -> Fee {
    Fee { amount: if currency == "usd" { 1500 } else { 2000 }, what: "Dispute fee" }
}

/// A dispute takes its amount from the balance at once. None: all that has not been refunded.
pub async fn open(
    conn: &mut PgConnection,
    cause: &Cause,
    charge_id: &str,
    amount: Option<i64>,
    reason: &str,
) -> Result<Stored, ApiError> {
    let mut charge = store::lock(conn, "charge", charge_id, "charge").await?;
    if charge.text("status") != "succeeded" || !charge.doc["balance_transaction"].is_string() {
        return Err(ApiError::invalid(format!("Charge {charge_id} has not been paid and cannot be disputed.")));
    }
    if charge.doc["disputed"] == true {
        return Err(ApiError::invalid(format!("Charge {charge_id} has already been disputed.")));
    }
    let left = charge.amount("amount") - charge.amount("amount_refunded");
    let amount = amount.unwrap_or(left);
    let currency = charge.text("currency").to_owned();
    if amount < 1 || amount > left {
        let (amount, left) = (money::display(amount, &currency), money::display(left, &currency));
        return Err(ApiError::param("amount", None, format!("{amount} cannot be disputed of the {left} that were kept.")));
    }
    let mut made = Stored::new(dispute::document(&charge.doc, amount, reason));
    let due = made.doc["evidence_details"]["due_by"].as_i64().map(|at| at + 1);
    clock::plan(&mut made, due);
    let source = made.id().to_owned();
    let entry = NewEntry {
        fee: Some(fee(&currency)),
        description: Some(format!("Chargeback withdrawal for {charge_id}")),
        ..NewEntry::now("adjustment", -amount, &currency, &source)
    };
    move_funds(conn, &mut made, entry).await?;
    let was = charge.doc.clone();
    charge.doc["disputed"] = json!(true);
    store::save(conn, &charge).await?;
    emit(conn, cause, "charge.dispute.created", &made.doc, None).await?;
    emit(conn, cause, "charge.dispute.funds_withdrawn", &made.doc, None).await?;
    emit(conn, cause, "charge.updated", &charge.doc, Some(changed(&was, &charge.doc))).await?;
    Ok(made)
}

/// Enters a movement of money that a dispute makes, and shows it on the dispute.
async fn move_funds(conn: &mut PgConnection, made: &mut Stored, entry: NewEntry<'_>) -> Result<(), ApiError> {
    let id = balance::enter(conn, entry).await?;
    let entry = store::load(conn, "balance_transaction", &id, "id").await?.doc;
    if let Some(all) = made.doc["balance_transactions"].as_array_mut() {
        all.push(entry);
    }
    Ok(store::save(conn, made).await?)
}

/// True while a dispute keeps the money of a charge: it is open, or was lost.
pub async fn holds(conn: &mut PgConnection, charge: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select 1 from stripe_sandbox.objects where kind = 'dispute' and charge = $1 and status <> 'won')",
    )
    .bind(charge)
    .fetch_one(conn)
    .await
}

fn is_open(dispute: &Stored) -> bool {
    matches!(dispute.text("status"), "needs_response" | "under_review")
}

fn closed(dispute: &Stored) -> ApiError {
    ApiError::invalid(format!("This dispute is already closed: its status is {}.", dispute.text("status")))
}

/// Notes evidence (field and value), and hands it to the bank if it is to be submitted.
pub async fn answer(
    conn: &mut PgConnection,
    cause: &Cause,
    made: &mut Stored,
    evidence: Vec<(String, Value)>,
    submit: bool,
    metadata: Value,
) -> Result<(), ApiError> {
    if !is_open(made) && !evidence.is_empty() {
        return Err(closed(made));
    }
    if made.text("status") != "needs_response" && !evidence.is_empty() {
        return Err(ApiError::invalid("Evidence has already been submitted for this dispute; the bank takes it only once."));
    }
    let before = made.doc.clone();
    made.doc["metadata"] = metadata;
    let given = !evidence.is_empty();
    for (field, value) in evidence {
        made.doc["evidence"][field] = value;
    }
    let any = made.doc["evidence"].as_object().is_some_and(|all| all.values().any(Value::is_string));
    made.doc["evidence_details"]["has_evidence"] = json!(any);
    if given && submit {
        made.doc["status"] = json!("under_review");
        made.doc["evidence_details"]["submission_count"] = json!(1);
        // Stripe's test mode knows two words that decide; everything else waits for the bank
        let decided = matches!(made.doc["evidence"]["uncategorized_text"].as_str(), Some("winning_evidence" | "losing_evidence"));
        clock::plan(made, decided.then(ids::now));
    }
    store::save(conn, made).await?;
    if before != made.doc {
        emit(conn, cause, "charge.dispute.updated", &made.doc, Some(changed(&before, &made.doc))).await?;
    }
    Ok(())
}

/// Does what a dispute's time has come for: the bank has read the evidence, or nobody answered in time.
pub async fn on_time(conn: &mut PgConnection, cause: &Cause, id: &str) -> Result<(), ApiError> {
    let made = store::lock(conn, "dispute", id, "id").await?;
    if !clock::is_due(&made) || !is_open(&made) {
        return Ok(());
    }
    let won = made.text("status") == "under_review" && made.doc["evidence"]["uncategorized_text"] == "winning_evidence";
    decide(conn, cause, id, won).await.map(drop)
}

/// The bank decides. Won: the money comes back, the fee does not.
pub async fn decide(conn: &mut PgConnection, cause: &Cause, id: &str, won: bool) -> Result<Stored, ApiError> {
    let mut made = store::lock(conn, "dispute", id, "dispute").await?;
    if !is_open(&made) {
        return Err(closed(&made));
    }
    let before = made.doc.clone();
    let unanswered = made.text("status") == "needs_response";
    made.doc["status"] = json!(if won { "won" } else { "lost" });
    made.doc["is_charge_refundable"] = json!(won);
    made.doc["evidence_details"]["past_due"] =
        json!(unanswered && made.doc["evidence_details"]["due_by"].as_i64().is_some_and(|at| at < ids::now()));
    clock::plan(&mut made, None);
    if won {
        let (amount, currency) = (made.amount("amount"), made.text("currency").to_owned());
        let description = format!("Chargeback reversal for {}", made.text("charge"));
        let entry = NewEntry { description: Some(description), ..NewEntry::now("adjustment", amount, &currency, id) };
        move_funds(conn, &mut made, entry).await?;
        emit(conn, cause, "charge.dispute.funds_reinstated", &made.doc, None).await?;
    } else {
        store::save(conn, &made).await?;
    }
    emit(conn, cause, "charge.dispute.closed", &made.doc, Some(changed(&before, &made.doc))).await?;
    Ok(made)
}
