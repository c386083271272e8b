//! Payouts, and the bank accounts they go to.

use serde_json::{Value, json};

use crate::sandbox::stripe::banks::Bank;
use crate::sandbox::stripe::ids;

/// What the caller of `POST /v1/payouts` decides.
pub struct NewPayout {
    pub amount: i64,
    pub currency: String,
    pub destination: String,
    pub description: Option<String>,
    pub metadata: Value,
    pub statement_descriptor: Option<String>,
    pub arrival_date: i64,
}

pub fn document(new: &NewPayout) -> Value {
    json!({
        "id": ids::object("po"), "object": "payout", "amount": new.amount, "application_fee": null, "application_fee_amount": null,
        "arrival_date": new.arrival_date, "automatic": false, "balance_transaction": null, "created": ids::now(), "currency": new.currency,
        "description": new.description, "destination": new.destination, "failure_balance_transaction": null, "failure_code": null,
        "failure_message": null, "livemode": false, "metadata": new.metadata, "method": "standard", "original_payout": null,
        "payout_method": null, "reconciliation_status": "not_applicable", "reversed_by": null, "source_type": "card",
        "statement_descriptor": new.statement_descriptor, "status": "pending", "trace_id": { "status": "pending", "value": null },
        "type": "bank_account",
    })
}

/// The bank account of a connected account.
pub fn bank_account(account: &str, bank: &Bank, metadata: &Value) -> Value {
    let requirements = json!({ "currently_due": [], "errors": [], "past_due": [], "pending_verification": [] });
    json!({
        "id": ids::object("ba"), "object": "bank_account", "account": account, "account_holder_name": bank.holder,
        "account_holder_type": bank.holder_type, "account_type": null, "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK", "country": bank.country, "currency": bank.currency, "customer": null, "default_for_currency": true,
        "fingerprint": bank.fingerprint, "future_requirements": requirements, "last4": bank.last4, "metadata": metadata,
        "requirements": requirements, "routing_number": bank.routing, "status": "new",
    })
}
