//! Disputes: a shopper has asked the bank for the money back.

use serde_json::{Map, Value, json};

use crate::sandbox::stripe::ids;

const DAY: i64 = 86_400;
/// Days that a shop has to answer.
const ANSWER_WITHIN: i64 = 9;

/// Evidence that is text, with the most characters that Stripe takes.
pub const TEXTS: &[(&str, usize)] = &[
    ("access_activity_log", 20_000),
    ("billing_address", 5000),
    ("cancellation_policy_disclosure", 20_000),
    ("cancellation_rebuttal", 20_000),
    ("customer_email_address", 5000),
    ("customer_name", 5000),
    ("customer_purchase_ip", 5000),
    ("duplicate_charge_explanation", 20_000),
    ("duplicate_charge_id", 5000),
    ("product_description", 20_000),
    ("refund_policy_disclosure", 20_000),
    ("refund_refusal_explanation", 20_000),
    ("service_date", 5000),
    ("shipping_address", 5000),
    ("shipping_carrier", 5000),
    ("shipping_date", 5000),
    ("shipping_tracking_number", 5000),
    ("uncategorized_text", 20_000),
];

/// Evidence that is a file.
pub const FILES: &[&str] = &[
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
];

pub fn document(charge: &Value, amount: i64, reason: &str) -> Value {
    let now = ids::now();
    let mut evidence: Map<String, Value> =
        TEXTS.iter().map(|(field, _)| *field).chain(FILES.iter().copied()).map(|field| (field.to_owned(), Value::Null)).collect();
    evidence.insert("enhanced_evidence".into(), json!({}));
    let kind = charge["payment_method_details"]["type"].as_str().unwrap_or("card");
    let card = &charge["payment_method_details"]["card"];
    // a card network's own number for the reason
    let network_reason = match reason {
        "product_not_received" => "13.1",
        "fraudulent" => "10.4",
        _ => "13.3",
    };
    let details = (kind == "card").then(|| {
        json!({
            "card": { "brand": card["brand"], "case_type": "chargeback", "network": card["network"], "network_reason_code": network_reason },
            "type": "card",
        })
    });
    json!({
        "id": ids::object("du"), "object": "dispute", "amount": amount, "balance_transactions": [], "charge": charge["id"], "created": now,
        "currency": charge["currency"], "enhanced_eligibility_types": [], "evidence": evidence,
        "evidence_details": {
            // the end of the day, as the networks count
            "due_by": now - now % DAY + (ANSWER_WITHIN + 1) * DAY - 1, "enhanced_eligibility": {}, "has_evidence": false, "past_due": false,
            "submission_count": 0,
        },
        "is_charge_refundable": false, "livemode": false, "metadata": {}, "network_reason_code": network_reason,
        "payment_intent": charge["payment_intent"], "payment_method_details": details, "reason": reason, "status": "needs_response",
    })
}
