//! Charges.

use serde_json::{Value, json};

use super::Billing;
use super::method::bank_account;
use crate::sandbox::stripe::cards::{Card, Decline};
use crate::sandbox::stripe::ids;

/// How a charge ends, or that it has not ended yet.
pub enum Ending<'a> {
    Succeeded,
    Pending,
    Failed(&'a Decline),
}

/// What paid.
pub enum Instrument<'a> {
    Card { card: &'a Card, authenticated: bool },
    BankDebit(&'a str),
}

pub fn document(intent: &Value, method: &str, instrument: &Instrument<'_>, billing: &Billing, result: &Ending<'_>) -> Value {
    let prefix = if matches!(instrument, Instrument::Card { .. }) { "ch" } else { "py" };
    let id = ids::object(prefix);
    let amount = intent["amount"].as_i64().unwrap_or_default();
    let (status, decline) = match result {
        Ending::Succeeded => ("succeeded", None),
        Ending::Pending => ("pending", None),
        Ending::Failed(decline) => ("failed", Some(*decline)),
    };
    let paid = status == "succeeded";
    json!({
        "id": id, "object": "charge", "amount": amount, "amount_captured": if paid { amount } else { 0 }, "amount_refunded": 0,
        "application": null, "application_fee": null, "application_fee_amount": null, "balance_transaction": null,
        "billing_details": billing.details(), "calculated_statement_descriptor": "SOUK SANDBOX", "captured": paid, "created": ids::now(),
        "currency": intent["currency"], "customer": null, "description": intent["description"], "disputed": false,
        "failure_balance_transaction": null, "failure_code": decline.map(|d| d.code), "failure_message": decline.map(|d| d.message),
        "fraud_details": {}, "livemode": false, "metadata": intent["metadata"], "on_behalf_of": null, "outcome": outcome(result),
        "paid": paid, "payment_intent": intent["id"], "payment_method": method, "payment_method_details": details(instrument, amount),
        "receipt_email": intent["receipt_email"], "receipt_number": null,
        "receipt_url": paid.then(|| format!("https://pay.stripe.com/receipts/payment/{id}")), "refunded": false, "refunds": null,
        "review": null, "shipping": intent["shipping"], "source": null, "source_transfer": null,
        "statement_descriptor": intent["statement_descriptor"], "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": status, "transfer_data": null, "transfer_group": intent["transfer_group"],
    })
}

/// What the network and Stripe thought of the payment.
pub fn outcome(result: &Ending<'_>) -> Value {
    match result {
        Ending::Failed(decline) => json!({
            "advice_code": decline.advice, "network_advice_code": null, "network_decline_code": decline.network_code,
            "network_status": "declined_by_network", "reason": decline.reason(), "risk_level": "normal", "risk_score": 20,
            "seller_message": "The bank did not return any further details with this decline.", "type": "issuer_declined",
        }),
        Ending::Succeeded | Ending::Pending => json!({
            "advice_code": null, "network_advice_code": null, "network_decline_code": null, "network_status": "approved_by_network",
            "reason": null, "risk_level": "normal", "risk_score": 20, "seller_message": "Payment complete.", "type": "authorized",
        }),
    }
}

fn details(instrument: &Instrument<'_>, amount: i64) -> Value {
    match instrument {
        Instrument::BankDebit(kind) => {
            let mut account = bank_account(kind);
            account["mandate"] = json!("mandate_1SoukSandboxDebit");
            account["expected_debit_date"] = Value::Null;
            let mut details = json!({ "type": kind, "card": null });
            details[*kind] = account;
            details
        }
        Instrument::Card { card, authenticated } => {
            let secure = authenticated.then(|| {
                json!({
                    "authentication_flow": "challenge", "electronic_commerce_indicator": "05", "exemption_indicator": null,
                    "result": "authenticated", "result_reason": null, "transaction_id": ids::fingerprint(), "version": "2.2.0",
                })
            });
            json!({
                "type": "card",
                "card": {
                    "amount_authorized": amount, "authorization_code": null, "brand": card.brand,
                    "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": card.cvc_check() },
                    "country": card.country, "exp_month": card.exp_month, "exp_year": card.exp_year,
                    "extended_authorization": { "status": "disabled" }, "fingerprint": card.fingerprint, "funding": card.funding,
                    "incremental_authorization": { "status": "unavailable" }, "installments": null, "last4": card.last4, "mandate": null,
                    "multicapture": { "status": "unavailable" }, "network": card.brand, "network_token": { "used": false },
                    "network_transaction_id": "104102978678771", "overcapture": { "maximum_amount_capturable": amount, "status": "unavailable" },
                    "regulated_status": "unregulated", "three_d_secure": secure, "transaction_link_id": null, "wallet": null,
                },
            })
        }
    }
}
