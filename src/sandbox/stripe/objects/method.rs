//! PaymentMethods: the card (or bank account) that a payment was made with.

use serde_json::{Value, json};

use super::Billing;
use crate::sandbox::stripe::cards::Card;
use crate::sandbox::stripe::ids;

pub fn card(card: &Card, billing: &Billing) -> Value {
    json!({
        "id": ids::object("pm"), "object": "payment_method", "allow_redisplay": "limited", "billing_details": billing.details(),
        "card": {
            "brand": card.brand,
            "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": card.cvc_check() },
            "country": card.country, "display_brand": card.brand, "exp_month": card.exp_month, "exp_year": card.exp_year,
            "fingerprint": card.fingerprint, "funding": card.funding, "generated_from": null, "last4": card.last4,
            "networks": { "available": [card.brand], "preferred": null }, "regulated_status": "unregulated",
            "three_d_secure_usage": { "supported": true }, "wallet": null,
        },
        "created": ids::now(), "customer": null, "customer_account": null, "livemode": false, "metadata": {}, "type": "card",
    })
}

/// A bank account that pays by a slow debit.
pub fn bank_debit(kind: &str, billing: &Billing) -> Value {
    let mut doc = json!({
        "id": ids::object("pm"), "object": "payment_method", "allow_redisplay": "limited", "billing_details": billing.details(), "card": null,
        "created": ids::now(), "customer": null, "customer_account": null, "livemode": false, "metadata": {}, "type": kind,
    });
    doc[kind] = bank_account(kind);
    doc
}

/// What both the payment method and the charge say of the account.
pub fn bank_account(kind: &str) -> Value {
    match kind {
        "bacs_debit" => json!({ "fingerprint": "9eMbmctOrd8i7DYa", "last4": "2345", "sort_code": "108800" }),
        _ => {
            json!({ "bank_code": "37040044", "branch_code": "", "country": "DE", "fingerprint": "Eu4rFxmAgfN4gPzr", "last4": "3000" })
        }
    }
}
