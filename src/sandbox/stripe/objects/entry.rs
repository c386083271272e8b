//! Balance transactions: one entry for every movement of an account's balance.

use serde_json::{Value, json};

use crate::sandbox::stripe::ids;

/// A movement of money.
pub struct NewEntry<'a> {
    /// the connected account whose balance it changes; none: the platform's
    pub owner: Option<&'a str>,
    /// `charge`, `refund`, `transfer` ...
    pub kind: &'static str,
    /// minor units; below zero: out of the balance
    pub amount: i64,
    pub fee: Option<Fee>,
    pub currency: &'a str,
    /// the object that moved it
    pub source: &'a str,
    pub description: Option<String>,
    pub created: i64,
    /// from when on it can be spent
    pub available_on: i64,
}

/// What Stripe takes for it.
#[derive(Debug, Clone, Copy)]
pub struct Fee {
    pub amount: i64,
    pub what: &'static str,
}

impl NewEntry<'_> {
    /// One that counts at once.
    pub fn now<'a>(kind: &'static str, amount: i64, currency: &'a str, source: &'a str) -> NewEntry<'a> {
        let now = ids::now();
        NewEntry { owner: None, kind, amount, fee: None, currency, source, description: None, created: now, available_on: now }
    }
}

/// Stripe's fee for a payment: 1.5 % and 20 of the smallest unit.
pub fn processing_fee(amount: i64) -> Fee {
    Fee { amount: (amount * 15 + 500) / 1000 + 20, what: "Stripe processing fees" }
}

pub fn document(new: &NewEntry<'_>) -> Value {
    let fee = new.fee.map_or(0, |fee| fee.amount);
    let details: Vec<Value> = new
        .fee
        .iter()
        .map(|fee| {
            json!({ "amount": fee.amount, "application": null, "currency": new.currency, "description": fee.what, "type": "stripe_fee" })
        })
        .collect();
    json!({
        "id": ids::object("txn"), "object": "balance_transaction", "amount": new.amount, "available_on": new.available_on,
        "balance_type": "payments", "created": new.created, "currency": new.currency, "description": new.description, "exchange_rate": null,
        "fee": fee, "fee_details": details, "net": new.amount - fee, "reporting_category": category(new.kind, new.amount),
        "source": new.source, "status": "pending", "type": new.kind,
    })
}

/// The group that Stripe's reports put an entry in.
fn category(kind: &str, amount: i64) -> &'static str {
    match kind {
        "refund" | "payment_refund" => "refund",
        "refund_failure" => "refund_failure",
        "transfer" => "transfer",
        "transfer_refund" => "transfer_reversal",
        "payout" => "payout",
        "payout_cancel" | "payout_failure" => "payout_reversal",
        "adjustment" if amount < 0 => "dispute",
        "adjustment" => "dispute_reversal",
        _ => "charge",
    }
}
