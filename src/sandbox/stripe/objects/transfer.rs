//! Transfers to connected accounts, what arrives there, and reversals.

use serde_json::{Value, json};

use super::Billing;
use crate::sandbox::stripe::ids;

/// What the caller of `POST /v1/transfers` decides.
pub struct NewTransfer {
    pub amount: i64,
    pub currency: String,
    pub destination: String,
    pub description: Option<String>,
    pub metadata: Value,
    pub source_transaction: Option<String>,
    pub transfer_group: Option<String>,
}

pub fn document(new: &NewTransfer) -> Value {
    let id = ids::object("tr");
    json!({
        "id": id, "object": "transfer", "amount": new.amount, "amount_reversed": 0, "balance_transaction": null, "created": ids::now(),
        "currency": new.currency, "description": new.description, "destination": new.destination, "destination_payment": null,
        "livemode": false, "metadata": new.metadata,
        "reversals": { "object": "list", "data": [], "has_more": false, "url": format!("/v1/transfers/{id}/reversals") },
        "reversed": false, "source_transaction": new.source_transaction, "source_type": "card", "transfer_group": new.transfer_group,
    })
}

pub fn reversal(transfer: &Value, amount: i64, metadata: &Value) -> Value {
    json!({
        "id": ids::object("trr"), "object": "transfer_reversal", "amount": amount, "balance_transaction": null, "created": ids::now(),
        "currency": transfer["currency"], "destination_payment_refund": null, "metadata": metadata, "source_refund": null,
        "transfer": transfer["id"],
    })
}

/// The payment that a transfer makes at the connected account.
pub fn payment(transfer: &Value) -> Value {
    let (id, amount) = (ids::object("py"), transfer["amount"].as_i64().unwrap_or_default());
    json!({
        "id": id, "object": "charge", "amount": amount, "amount_captured": amount, "amount_refunded": 0, "application": null,
        "application_fee": null, "application_fee_amount": null, "balance_transaction": null, "billing_details": Billing::default().details(),
        "calculated_statement_descriptor": null, "captured": true, "created": ids::now(), "currency": transfer["currency"], "customer": null,
        "description": transfer["description"], "disputed": false, "failure_balance_transaction": null, "failure_code": null,
        "failure_message": null, "fraud_details": {}, "livemode": false, "metadata": {}, "on_behalf_of": null,
        "outcome": {
            "advice_code": null, "network_advice_code": null, "network_decline_code": null, "network_status": "approved_by_network",
            "reason": null, "risk_level": "not_assessed", "seller_message": "Payment complete.", "type": "authorized",
        },
        "paid": true, "payment_intent": null, "payment_method": null,
        "payment_method_details": { "type": "stripe_account", "card": null, "stripe_account": {} },
        "receipt_email": null, "receipt_number": null, "receipt_url": null, "refunded": false, "refunds": null, "review": null,
        "shipping": null, "source": null, "source_transfer": transfer["id"], "statement_descriptor": null,
        "statement_descriptor_suffix": null, "status": "succeeded",
        "transfer_data": null, "transfer_group": transfer["transfer_group"],
    })
}

/// What a reversal takes from that payment.
pub fn payment_refund(payment: &Value, amount: i64, reversal: &Value) -> Value {
    json!({
        "id": ids::object("pyr"), "object": "refund", "amount": amount, "balance_transaction": null, "charge": payment["id"],
        "created": ids::now(), "currency": payment["currency"], "customer": null, "customer_account": null,
        "destination_details": { "type": "card", "card": null }, "metadata": {}, "payment_intent": null, "payment_method": null,
        "reason": null, "receipt_number": null, "source_transfer_reversal": reversal["id"], "status": "succeeded", "transfer_reversal": null,
    })
}
