//! Refunds.

use serde_json::{Value, json};

use crate::sandbox::stripe::ids;

pub fn document(charge: &Value, amount: i64, reason: Option<&str>, metadata: &Value) -> Value {
    let kind = charge["payment_method_details"]["type"].as_str().unwrap_or("card");
    let mut destination = json!({ "type": kind, "card": null });
    if kind == "card" {
        destination["card"] =
            json!({ "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund" });
    }
    json!({
        "id": ids::object("re"), "object": "refund", "amount": amount, "balance_transaction": null, "charge": charge["id"],
        "created": ids::now(), "currency": charge["currency"], "customer": null, "customer_account": null,
        "destination_details": destination, "metadata": metadata, "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"], "reason": reason, "receipt_number": null, "source_transfer_reversal": null,
        "status": "succeeded", "transfer_reversal": null,
    })
}

/// The card network's reference, which comes a little after the refund itself.
pub fn reference(kind: &str) -> Option<Value> {
    (kind == "card").then(|| {
        json!({
            "card": { "reference": "7654321098765432", "reference_status": "available", "reference_type": "acquirer_reference_number", "type": "refund" },
            "type": "card",
        })
    })
}
