//! What happens to a payment: a card is tried, a challenge is answered, a session completes or expires.
//! Each function runs in its caller's transaction, under the lock of the object it changes, and emits Stripe's events.

use serde_json::{Value, json};
use sqlx::PgConnection;

use super::cards::{Card, Decline, Later, decline};
use super::error::ApiError;
use super::events::emit;
use super::objects::charge::{self, Ending, Instrument};
use super::objects::entry::{self, NewEntry};
use super::objects::{Billing, intent, method, session};
use super::store::{self, Stored};
use super::{Cause, balance, disputes, ids};

/// What came of trying to pay.
#[derive(Debug)]
pub enum Attempt {
    Succeeded,
    /// the shopper must answer the 3-D Secure page first
    Challenge,
    /// `last_payment_error`
    Failed(Value),
}

/// Makes the intent of a session, once: at the first attempt to pay, as Stripe does since 2022-08-01.
pub async fn intent_of_session(conn: &mut PgConnection, cause: &Cause, session: &mut Stored) -> Result<Stored, ApiError> {
    if let Some(id) = session.doc["payment_intent"].as_str() {
        return store::lock(conn, "payment_intent", id, "intent").await;
    }
    let data = &session.hidden["payment_intent_data"];
    let text = |key: &str| data[key].as_str().map(str::to_owned);
    let types = session.doc["payment_method_types"].as_array().cloned().unwrap_or_default();
    let doc = intent::document(&intent::NewIntent {
        amount: session.amount("amount_total"),
        currency: session.text("currency").to_owned(),
        capture_method: "automatic_async",
        automatic: false,
        payment_method_types: types.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        description: text("description"),
        metadata: data["metadata"].clone(),
        receipt_email: text("receipt_email"),
        transfer_group: text("transfer_group"),
        statement_descriptor: text("statement_descriptor"),
        statement_descriptor_suffix: text("statement_descriptor_suffix"),
        shipping: data["shipping"].clone(),
    });
    let made = Stored { doc, hidden: json!({ "session": session.id() }) };
    store::save(conn, &made).await?;
    session.doc["payment_intent"] = json!(made.id());
    store::save(conn, session).await?;
    emit(conn, cause, "payment_intent.created", &made.doc, None).await?;
    Ok(made)
}

/// Tries a card on an intent that waits for one. `base` is where the 3-D Secure page lives.
pub async fn try_card(
    conn: &mut PgConnection,
    cause: &Cause,
    intent: &mut Stored,
    card: &Card,
    billing: &Billing,
    base: &str,
    return_url: Option<&str>,
) -> Result<Attempt, ApiError> {
    let chosen = Stored::new(method::card(card, billing));
    store::save(conn, &chosen).await?;
    intent.doc["payment_method"] = json!(chosen.id());
    intent.doc["last_payment_error"] = Value::Null;
    if card.challenge {
        intent.doc["status"] = json!("requires_action");
        intent.doc["next_action"] = intent::redirect(&format!("{base}/authenticate/{}", intent.id()), return_url);
        intent.hidden["waiting"] =
            json!({ "card": card, "email": billing.email, "name": billing.name, "return_url": return_url });
        store::save(conn, intent).await?;
        emit(conn, cause, "payment_intent.requires_action", &intent.doc, None).await?;
        return Ok(Attempt::Challenge);
    }
    charge_card(conn, cause, intent, card, &chosen, billing, false).await
}

/// The shopper answered the 3-D Secure page.
pub async fn answer_challenge(
    conn: &mut PgConnection,
    cause: &Cause,
    intent: &mut Stored,
    approved: bool,
) -> Result<Attempt, ApiError> {
    let waiting = intent.hidden["waiting"].take();
    let Ok(card) = serde_json::from_value::<Card>(waiting["card"].clone()) else {
        return Err(unexpected_state(intent, "authenticated"));
    };
    let billing = Billing::from_details(&waiting);
    let chosen = store::load(conn, "payment_method", intent.text("payment_method"), "payment_method").await?;
    intent.doc["next_action"] = Value::Null;
    if approved {
        return charge_card(conn, cause, intent, &card, &chosen, &billing, true).await;
    }
    let problem = json!({
        "type": "invalid_request_error", "code": "payment_intent_authentication_failure",
        "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
        "message": "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
        "payment_method": chosen.doc,
    });
    fail_intent(conn, cause, intent, problem.clone()).await?;
    Ok(Attempt::Failed(problem))
}

async fn charge_card(
    conn: &mut PgConnection,
    cause: &Cause,
    intent: &mut Stored,
    card: &Card,
    chosen: &Stored,
    billing: &Billing,
    authenticated: bool,
) -> Result<Attempt, ApiError> {
    let refusal = card.refusal();
    let ending = refusal.map_or(Ending::Succeeded, Ending::Failed);
    let instrument = Instrument::Card { card, authenticated };
    let doc = charge::document(&intent.doc, chosen.id(), &instrument, billing, &ending);
    let charge = Stored { doc, hidden: json!({ "later": card.later }) };
    store::save(conn, &charge).await?;
    intent.doc["latest_charge"] = json!(charge.id());
    match refusal {
        Some(refusal) => {
            emit(conn, cause, "charge.failed", &charge.doc, None).await?;
            let problem = refusal.problem(charge.id(), &chosen.doc);
            fail_intent(conn, cause, intent, problem.clone()).await?;
            Ok(Attempt::Failed(problem))
        }
        None => {
            emit(conn, cause, "charge.succeeded", &charge.doc, None).await?;
            succeed_intent(conn, cause, intent).await?;
            Ok(Attempt::Succeeded)
        }
    }
}

async fn fail_intent(conn: &mut PgConnection, cause: &Cause, intent: &mut Stored, problem: Value) -> Result<(), ApiError> {
    intent.doc["status"] = json!("requires_payment_method");
    intent.doc["payment_method"] = Value::Null;
    intent.doc["last_payment_error"] = problem;
    store::save(conn, intent).await?;
    emit(conn, cause, "payment_intent.payment_failed", &intent.doc, None).await?;
    Ok(())
}

async fn succeed_intent(conn: &mut PgConnection, cause: &Cause, intent: &mut Stored) -> Result<(), ApiError> {
    intent.doc["status"] = json!("succeeded");
    intent.doc["amount_received"] = intent.doc["amount"].clone();
    intent.doc["next_action"] = Value::Null;
    intent.doc["processing"] = Value::Null;
    store::save(conn, intent).await?;
    emit(conn, cause, "payment_intent.succeeded", &intent.doc, None).await?;
    Ok(())
}

/// Books the charge of a paid intent into the balance. Stripe does this after the payment, and says so with `charge.updated`.
/// A test card whose payment is disputed is disputed then.
pub async fn book(conn: &mut PgConnection, cause: &Cause, intent: &Stored) -> Result<(), ApiError> {
    let mut charge = store::lock(conn, "charge", intent.text("latest_charge"), "charge").await?;
    let later = later(&charge);
    let amount = charge.amount("amount");
    let at_once = later == Some(Later::AtOnce);
    let entry = NewEntry {
        fee: Some(entry::processing_fee(amount)),
        description: charge.doc["description"].as_str().map(str::to_owned),
        available_on: if at_once { ids::now() } else { balance::settles_at(conn).await? },
        ..NewEntry::now(
            if charge.id().starts_with("py_") { "payment" } else { "charge" },
            amount,
            charge.text("currency"),
            charge.id(),
        )
    };
    let entry = balance::enter(conn, entry).await?;
    charge.doc["balance_transaction"] = json!(entry);
    store::save(conn, &charge).await?;
    emit(conn, cause, "charge.updated", &charge.doc, Some(json!({ "balance_transaction": null }))).await?;
    let reason = match later {
        Some(Later::Fraudulent) => "fraudulent",
        Some(Later::NotReceived) => "product_not_received",
        _ => return Ok(()),
    };
    disputes::open(conn, cause, charge.id(), None, reason).await?;
    Ok(())
}

/// What becomes of a payment with this charge, after it went well.
pub fn later(charge: &Stored) -> Option<Later> {
    serde_json::from_value(charge.hidden["later"].clone()).ok()
}

/// Ends a session well: paid, free of charge, or (with a slow debit) still unpaid.
pub async fn complete(
    conn: &mut PgConnection,
    cause: &Cause,
    session: &mut Stored,
    billing: &Billing,
    status: &str,
) -> Result<(), ApiError> {
    session.doc["status"] = json!("complete");
    session.doc["payment_status"] = json!(status);
    session.doc["url"] = Value::Null;
    session.doc["customer_details"] = session::customer(billing, true);
    store::save(conn, session).await?;
    emit(conn, cause, "checkout.session.completed", &session.doc, None).await?;
    Ok(())
}

/// Ends an open session unpaid, and the intent with it.
pub async fn expire(conn: &mut PgConnection, cause: &Cause, session: &mut Stored) -> Result<(), ApiError> {
    session.doc["status"] = json!("expired");
    session.doc["url"] = Value::Null;
    store::save(conn, session).await?;
    if let Some(id) = session.doc["payment_intent"].as_str() {
        let mut intent = store::lock(conn, "payment_intent", id, "intent").await?;
        if matches!(intent.text("status"), "requires_payment_method" | "requires_action" | "requires_confirmation") {
            cancel(conn, cause, &mut intent, Some("expired")).await?;
        }
    }
    emit(conn, cause, "checkout.session.expired", &session.doc, None).await?;
    Ok(())
}

/// Gives an intent up.
pub async fn cancel(conn: &mut PgConnection, cause: &Cause, intent: &mut Stored, reason: Option<&str>) -> Result<(), ApiError> {
    intent.doc["status"] = json!("canceled");
    intent.doc["canceled_at"] = json!(ids::now());
    intent.doc["cancellation_reason"] = json!(reason);
    intent.doc["next_action"] = Value::Null;
    intent.hidden["waiting"] = Value::Null;
    store::save(conn, intent).await?;
    emit(conn, cause, "payment_intent.canceled", &intent.doc, None).await?;
    Ok(())
}

/// The slow debits that Checkout would offer for a currency.
pub fn bank_debit_of(currency: &str) -> Option<&'static str> {
    match currency {
        "gbp" => Some("bacs_debit"),
        "eur" => Some("sepa_debit"),
        _ => None,
    }
}

/// Starts a debit that takes days: the session completes unpaid, the payment is processing.
pub async fn start_debit(
    conn: &mut PgConnection,
    cause: &Cause,
    session: &mut Stored,
    kind: &str,
    billing: &Billing,
) -> Result<(), ApiError> {
    let mut intent = intent_of_session(conn, cause, session).await?;
    let chosen = Stored::new(method::bank_debit(kind, billing));
    store::save(conn, &chosen).await?;
    let charge = Stored::new(charge::document(&intent.doc, chosen.id(), &Instrument::BankDebit(kind), billing, &Ending::Pending));
    store::save(conn, &charge).await?;
    intent.doc["payment_method"] = json!(chosen.id());
    intent.doc["latest_charge"] = json!(charge.id());
    intent.doc["last_payment_error"] = Value::Null;
    intent.doc["status"] = json!("processing");
    store::save(conn, &intent).await?;
    emit(conn, cause, "charge.pending", &charge.doc, None).await?;
    emit(conn, cause, "payment_intent.processing", &intent.doc, None).await?;
    complete(conn, cause, session, billing, "unpaid").await
}

/// The bank answers a debit at last.
pub async fn end_debit(conn: &mut PgConnection, cause: &Cause, session_id: &str, paid: bool) -> Result<(), ApiError> {
    let mut session = store::lock(conn, "checkout.session", session_id, "session").await?;
    let mut intent = store::lock(conn, "payment_intent", session.text("payment_intent"), "intent").await?;
    if intent.text("status") != "processing" {
        return Err(unexpected_state(&intent, "settled"));
    }
    let mut charge = store::lock(conn, "charge", intent.text("latest_charge"), "charge").await?;
    if paid {
        charge.doc["status"] = json!("succeeded");
        charge.doc["paid"] = json!(true);
        charge.doc["captured"] = json!(true);
        charge.doc["amount_captured"] = charge.doc["amount"].clone();
        store::save(conn, &charge).await?;
        emit(conn, cause, "charge.succeeded", &charge.doc, None).await?;
        succeed_intent(conn, cause, &mut intent).await?;
        session.doc["payment_status"] = json!("paid");
        store::save(conn, &session).await?;
        emit(conn, cause, "checkout.session.async_payment_succeeded", &session.doc, None).await?;
        return book(conn, cause, &intent).await;
    }
    let refusal: &Decline = decline("debit_not_authorised");
    let chosen = store::load(conn, "payment_method", charge.text("payment_method"), "payment_method").await?;
    charge.doc["status"] = json!("failed");
    charge.doc["failure_code"] = json!(refusal.code);
    charge.doc["failure_message"] = json!(refusal.message);
    charge.doc["outcome"] = charge::outcome(&Ending::Failed(refusal));
    store::save(conn, &charge).await?;
    emit(conn, cause, "charge.failed", &charge.doc, None).await?;
    fail_intent(conn, cause, &mut intent, refusal.problem(charge.id(), &chosen.doc)).await?;
    emit(conn, cause, "checkout.session.async_payment_failed", &session.doc, None).await?;
    Ok(())
}

/// 400: the intent is not in a state in which this can be done.
pub fn unexpected_state(intent: &Stored, done: &str) -> ApiError {
    let mut error = ApiError::code(
        "payment_intent_unexpected_state",
        format!("This PaymentIntent's status is {}; it could not be {done}.", intent.text("status")),
    );
    error.more.push(("payment_intent", intent.doc.clone()));
    error
}
