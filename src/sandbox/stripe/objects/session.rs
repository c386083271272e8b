//! Checkout Sessions in payment mode.

use serde_json::{Value, json};

use super::{Billing, no_address};

/// What the caller of `POST /v1/checkout/sessions` decides.
pub struct NewSession {
    pub id: String,
    pub url: String,
    pub created: i64,
    pub expires_at: i64,
    pub amount: i64,
    pub currency: String,
    pub success_url: String,
    pub cancel_url: Option<String>,
    pub client_reference_id: Option<String>,
    pub customer_email: Option<String>,
    pub metadata: Value,
    pub payment_method_types: Vec<String>,
    pub locale: Option<String>,
    pub submit_type: Option<String>,
    pub billing_address_collection: Option<String>,
    pub integration_identifier: Option<String>,
}

pub fn document(new: &NewSession) -> Value {
    let details = new.customer_email.as_ref().map(|email| customer(&Billing { email: Some(email.clone()), name: None }, false));
    let status = if new.amount == 0 { "no_payment_required" } else { "unpaid" };
    json!({
        "id": new.id, "object": "checkout.session",
        "adaptive_pricing": { "enabled": false }, "after_expiration": null, "allow_promotion_codes": null,
        "amount_subtotal": new.amount, "amount_total": new.amount,
        "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
        "billing_address_collection": new.billing_address_collection, "cancel_url": new.cancel_url,
        "client_reference_id": new.client_reference_id, "client_secret": null, "collected_information": null, "consent": null,
        "consent_collection": null, "created": new.created, "currency": new.currency, "currency_conversion": null, "custom_fields": [],
        "custom_text": { "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null },
        "customer": null, "customer_account": null, "customer_creation": "if_required", "customer_details": details,
        "customer_email": new.customer_email, "discounts": [], "expires_at": new.expires_at,
        "integration_identifier": new.integration_identifier, "invoice": null,
        "invoice_creation": {
            "enabled": false,
            "invoice_data": {
                "account_tax_ids": null, "custom_fields": null, "description": null, "footer": null, "issuer": null, "metadata": {},
                "rendering_options": null,
            },
        },
        "livemode": false, "locale": new.locale, "managed_payments": { "enabled": false }, "metadata": new.metadata, "mode": "payment",
        "origin_context": null, "payment_intent": null, "payment_link": null, "payment_method_collection": "if_required",
        "payment_method_configuration_details": null, "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
        "payment_method_types": new.payment_method_types, "payment_status": status, "permissions": null,
        "phone_number_collection": { "enabled": false }, "recovered_from": null,
        "saved_payment_method_options": null, "setup_intent": null, "shipping_address_collection": null, "shipping_cost": null,
        "shipping_options": [], "status": "open", "submit_type": new.submit_type, "subscription": null, "success_url": new.success_url,
        "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
        "ui_mode": "hosted_page", "url": new.url, "wallet_options": null,
    })
}

/// `customer_details`: only the address before the page was used, everything the page collected afterwards.
pub fn customer(billing: &Billing, collected: bool) -> Value {
    json!({
        "address": collected.then(no_address), "business_name": null, "email": billing.email, "individual_name": null, "name": billing.name,
        "phone": null, "tax_exempt": "none", "tax_ids": if collected { json!([]) } else { Value::Null },
    })
}
