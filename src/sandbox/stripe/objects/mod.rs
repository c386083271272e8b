//! Stripe's objects, written out whole: every field of the API version we answer in, null where the sandbox has nothing to say.
//! Ids of other objects stay ids here; `expand` puts the objects in their place when a request asks for it.

pub mod account;
pub mod catalogue;
pub mod charge;
pub mod dispute;
pub mod entry;
pub mod intent;
pub mod method;
pub mod payout;
pub mod refund;
pub mod session;
pub mod transfer;

use serde_json::{Value, json};

/// An address nobody gave.
pub fn no_address() -> Value {
    json!({ "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null })
}

/// Who pays, as far as the card page asked.
#[derive(Debug, Clone, Default)]
pub struct Billing {
    pub email: Option<String>,
    pub name: Option<String>,
}

impl Billing {
    pub fn details(&self) -> Value {
        json!({ "address": no_address(), "email": self.email, "name": self.name, "phone": null, "tax_id": null })
    }

    pub fn from_details(details: &Value) -> Self {
        let text = |key: &str| details[key].as_str().map(str::to_owned);
        Self { email: text("email"), name: text("name") }
    }
}
