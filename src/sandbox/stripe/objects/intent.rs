//! PaymentIntents.

use serde_json::{Value, json};

use crate::sandbox::stripe::ids;

/// What is known of a payment when it begins.
#[derive(Debug, Default)]
pub struct NewIntent {
    pub amount: i64,
    pub currency: String,
    pub capture_method: &'static str,
    pub automatic: bool,
    pub payment_method_types: Vec<String>,
    pub description: Option<String>,
    pub metadata: Value,
    pub receipt_email: Option<String>,
    pub transfer_group: Option<String>,
    pub statement_descriptor: Option<String>,
    pub statement_descriptor_suffix: Option<String>,
    pub shipping: Value,
}

pub fn document(new: &NewIntent) -> Value {
    let id = ids::object("pi");
    let automatic = new.automatic.then(|| json!({ "allow_redirects": "always", "enabled": true }));
    json!({
        "id": id, "object": "payment_intent", "amount": new.amount, "amount_capturable": 0, "amount_details": { "tip": {} }, "amount_received": 0,
        "application": null, "application_fee_amount": null, "automatic_payment_methods": automatic, "canceled_at": null,
        "cancellation_reason": null, "capture_method": new.capture_method, "client_secret": ids::client_secret(&id),
        "confirmation_method": "automatic", "created": ids::now(), "currency": new.currency, "customer": null, "customer_account": null,
        "description": new.description, "excluded_payment_method_types": null, "last_payment_error": null, "latest_charge": null,
        "livemode": false, "managed_payments": { "enabled": false },
        "metadata": if new.metadata.is_object() { new.metadata.clone() } else { json!({}) }, "next_action": null, "on_behalf_of": null,
        "payment_method": null, "payment_method_configuration_details": null,
        "payment_method_options": {
            "card": { "installments": null, "mandate_options": null, "network": null, "request_three_d_secure": "automatic" },
        },
        "payment_method_types": new.payment_method_types, "processing": null, "receipt_email": new.receipt_email, "review": null,
        "setup_future_usage": null, "shipping": new.shipping, "source": null, "statement_descriptor": new.statement_descriptor,
        "statement_descriptor_suffix": new.statement_descriptor_suffix, "status": "requires_payment_method", "transfer_data": null,
        "transfer_group": new.transfer_group,
    })
}

/// `next_action` while the shopper is at the 3-D Secure page.
pub fn redirect(url: &str, return_url: Option<&str>) -> Value {
    json!({ "type": "redirect_to_url", "redirect_to_url": { "return_url": return_url, "url": url } })
}
