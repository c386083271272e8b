//! What happens to a payout: money leaves the balance of a connected account, goes to its bank, arrives, fails, or is sent back later.
//! Each function runs in its caller's transaction, under the lock of the payout, and emits Stripe's events at the account.

use serde_json::{Value, json};
use sqlx::PgConnection;

use super::error::ApiError;
use super::events::{changed, emit};
use super::objects::entry::NewEntry;
use super::objects::payout::{self, NewPayout};
use super::store::{self, Stored};
use super::{Cause, accounts, balance, banks, clock, ids};

const DAY: i64 = 86_400;
const NO_FUNDS: &str = "You have insufficient funds in your Stripe account. One likely reason you have insufficient funds is that your funds are \
                        automatically being paid out; try enabling manual payouts by going to https://dashboard.stripe.com/account/payouts.";

/// How a payout ends; it can also fail after it was paid, when the bank sends it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayoutEnd {
    Paid,
    Failed(&'static str),
    Canceled,
}

/// The midnight (UTC) that begins the day so many days from now.
fn midnight(days: i64) -> i64 {
    let now = ids::now();
    now - now % DAY + days * DAY
}

/// When money that leaves now arrives: in two banking days, which here are days.
pub fn arrival() -> i64 {
    midnight(2)
}

/// Takes money out of an account's balance, on its way to its bank.
pub async fn pay_out(conn: &mut PgConnection, cause: &Cause, account: &str, new: NewPayout) -> Result<Stored, ApiError> {
    let funds = balance::hold(conn, Some(account), &new.currency).await?;
    if funds.available < new.amount {
        return Err(balance::insufficient(NO_FUNDS));
    }
    let mut made = Stored { doc: payout::document(&new), hidden: json!({ "account": account, "next": "in_transit" }) };
    clock::plan(&mut made, Some(midnight(1)));
    let entry = NewEntry {
        owner: Some(account),
        description: Some(new.description.clone().unwrap_or_else(|| "STRIPE PAYOUT".into())),
        ..NewEntry::now("payout", -new.amount, &new.currency, made.id())
    };
    made.doc["balance_transaction"] = json!(balance::enter(conn, entry).await?);
    store::save(conn, &made).await?;
    emit(conn, &cause.at(Some(account)), "payout.created", &made.doc, None).await?;
    Ok(made)
}

/// Does what a payout's time has come for: it is handed to the bank, and then it arrives or fails, as the account's number says.
pub async fn on_time(conn: &mut PgConnection, cause: &Cause, id: &str) -> Result<(), ApiError> {
    let mut made = store::lock(conn, "payout", id, "id").await?;
    if !clock::is_due(&made) {
        return Ok(());
    }
    if made.hidden["next"] == "in_transit" {
        let before = made.doc.clone();
        made.doc["status"] = json!("in_transit");
        made.hidden["next"] = json!("arrive");
        let arrival = made.amount("arrival_date");
        clock::plan(&mut made, Some(arrival));
        store::save(conn, &made).await?;
        let cause = cause.at(made.owner());
        emit(conn, &cause, "payout.updated", &made.doc, Some(changed(&before, &made.doc))).await?;
        return Ok(());
    }
    let bank = store::load(conn, "bank_account", made.text("destination"), "destination").await?;
    let how = match bank.hidden["failure"].as_str() {
        Some(code) => PayoutEnd::Failed(banks::failure(code).0),
        None => PayoutEnd::Paid,
    };
    end(conn, cause, id, how).await.map(drop)
}

/// Ends a payout: by the clock, by the API (cancel), or because the operator says what the bank does.
pub async fn end(conn: &mut PgConnection, cause: &Cause, id: &str, how: PayoutEnd) -> Result<Stored, ApiError> {
    let mut made = store::lock(conn, "payout", id, "payout").await?;
    let account = made.owner().map(str::to_owned);
    let (amount, currency) = (made.amount("amount"), made.text("currency").to_owned());
    let back = |kind, description: &str| NewEntry {
        owner: account.as_deref(),
        description: Some(description.to_owned()),
        ..NewEntry::now(kind, amount, &currency, id)
    };
    let event = match (made.text("status"), how) {
        ("pending" | "in_transit", PayoutEnd::Paid) => {
            made.doc["status"] = json!("paid");
            made.doc["trace_id"] = json!({ "status": "supported", "value": ids::fingerprint() });
            "payout.paid"
        }
        ("pending" | "in_transit" | "paid", PayoutEnd::Failed(code)) => {
            let (code, message) = banks::failure(code);
            made.doc["status"] = json!("failed");
            made.doc["failure_code"] = json!(code);
            made.doc["failure_message"] = json!(message);
            let entry = balance::enter(conn, back("payout_failure", "STRIPE PAYOUT FAILURE")).await?;
            made.doc["failure_balance_transaction"] = json!(entry);
            "payout.failed"
        }
        ("pending", PayoutEnd::Canceled) => {
            made.doc["status"] = json!("canceled");
            let entry = balance::enter(conn, back("payout_cancel", "STRIPE PAYOUT CANCEL")).await?;
            made.doc["failure_balance_transaction"] = json!(entry);
            "payout.canceled"
        }
        (status, PayoutEnd::Canceled) => {
            return Err(ApiError::invalid(format!(
                "Payouts can only be canceled while they are pending. Payout {id} has the status {status}."
            )));
        }
        (status, _) => {
            return Err(ApiError::invalid(format!("Payout {id} has the status {status}: this cannot happen to it any more.")));
        }
    };
    made.hidden["next"] = Value::Null;
    clock::plan(&mut made, None);
    store::save(conn, &made).await?;
    emit(conn, &cause.at(account.as_deref()), event, &made.doc, None).await?;
    if let (Some(account), PayoutEnd::Failed(_)) = (&account, how) {
        accounts::bank_refused(conn, cause, account, made.text("destination")).await?;
    }
    Ok(made)
}
