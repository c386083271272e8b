//! Connected accounts.

use serde_json::{Value, json};

use super::no_address;
use crate::sandbox::stripe::ids;

/// Who decides, pays and answers for an account.
pub struct Controller {
    pub fees: String,
    pub losses: String,
    pub requirements: String,
    pub dashboard: String,
}

impl Controller {
    /// What the older parameter `type` stands for.
    pub fn of_type(kind: &str) -> Self {
        let (fees, losses, requirements, dashboard) = match kind {
            "express" => ("application_express", "application", "stripe", "express"),
            "custom" => ("application_custom", "application", "application", "none"),
            _ => ("account", "stripe", "stripe", "full"),
        };
        Self {
            fees: fees.to_owned(),
            losses: losses.to_owned(),
            requirements: requirements.to_owned(),
            dashboard: dashboard.to_owned(),
        }
    }

    /// The older `type` that says the same, or `none`.
    pub fn kind(&self) -> &'static str {
        match (self.dashboard.as_str(), self.requirements.as_str(), self.losses.as_str()) {
            ("express", "stripe", "application") if self.fees.starts_with("application") => "express",
            ("none", "application", "application") if self.fees.starts_with("application") => "custom",
            ("full", "stripe", "stripe") if self.fees == "account" => "standard",
            _ => "none",
        }
    }
}

pub fn document(controller: &Controller, country: &str, currency: &str, email: Option<&str>) -> Value {
    let id = ids::account();
    json!({
        "id": id, "object": "account",
        "business_profile": {
            "annual_revenue": { "amount": null, "currency": null, "fiscal_year_end": null }, "estimated_worker_count": null, "mcc": null,
            "minority_owned_business_designation": null, "name": null, "product_description": null, "support_address": no_address(),
            "support_email": null, "support_phone": null, "support_url": null, "url": null,
        },
        "business_type": null, "capabilities": {}, "charges_enabled": false,
        "controller": {
            "fees": { "payer": controller.fees }, "is_controller": true, "losses": { "payments": controller.losses },
            "requirement_collection": controller.requirements, "stripe_dashboard": { "type": controller.dashboard }, "type": "application",
        },
        "country": country, "created": ids::now(), "default_currency": currency, "details_submitted": false, "email": email,
        "external_accounts": { "object": "list", "data": [], "has_more": false, "total_count": 0, "url": format!("/v1/accounts/{id}/external_accounts") },
        "future_requirements": requirements(&[], None), "metadata": {}, "payouts_enabled": false, "requirements": requirements(&[], None),
        "settings": {
            "bacs_debit_payments": { "display_name": null, "service_user_number": null },
            "branding": { "icon": null, "logo": null, "primary_color": null, "secondary_color": null },
            "card_issuing": { "tos_acceptance": { "date": null, "ip": null } },
            "card_payments": {
                "decline_on": { "avs_failure": false, "cvc_failure": false }, "statement_descriptor_prefix": null,
                "statement_descriptor_prefix_kana": null, "statement_descriptor_prefix_kanji": null,
            },
            "dashboard": { "display_name": null, "timezone": "Etc/UTC" },
            "invoices": { "default_account_tax_ids": null, "hosted_payment_method_save": "offer" },
            "payments": {
                "statement_descriptor": null, "statement_descriptor_kana": null, "statement_descriptor_kanji": null,
                "statement_descriptor_prefix_kana": null, "statement_descriptor_prefix_kanji": null,
            },
            "payouts": {
                "debit_negative_balances": true, "schedule": { "delay_days": 3, "interval": "daily" }, "statement_descriptor": null,
            },
            "sepa_debit_payments": {},
        },
        "tos_acceptance": { "date": null, "ip": null, "user_agent": null }, "type": controller.kind(),
    })
}

/// What is still asked of an account: everything that is due is past due, because nothing works before it is there.
pub fn requirements(due: &[&str], disabled: Option<&str>) -> Value {
    json!({
        "alternatives": [], "current_deadline": null, "currently_due": due, "disabled_reason": disabled, "errors": [], "eventually_due": due,
        "past_due": due, "pending_verification": [],
    })
}
