//! `/v1/payouts`: money from a connected account's balance to its bank. The platform itself has no bank account here.

use serde_json::{Value, json};

use super::Call;
use super::transfers::positive;
use crate::sandbox::stripe::error::ApiError;
use crate::sandbox::stripe::events::{changed, emit};
use crate::sandbox::stripe::objects::payout::NewPayout;
use crate::sandbox::stripe::params::{Params, missing};
use crate::sandbox::stripe::payouts::{self, PayoutEnd};
use crate::sandbox::stripe::store::{self, Stored};

const URL: &str = "/v1/payouts";
const STATUSES: &[&str] = &["canceled", "failed", "in_transit", "paid", "pending"];

pub async fn create(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    params.word("source_type", &["bank_account", "card", "fpx"])?;
    params.refuse(&["payout_method"])?;
    if params.word("method", &["instant", "standard"])?.is_some_and(|method| method == "instant") {
        return Err(ApiError::uncovered("method"));
    }
    let amount = positive(&mut params, "amount")?.ok_or_else(|| missing("amount"))?;
    let currency = params.currency("currency")?;
    let asked = params.text("destination")?;
    let (description, metadata) = (params.text("description")?, params.metadata(&json!({}))?);
    let statement_descriptor = params.text("statement_descriptor")?;
    params.finish()?;
    let none = || ApiError::invalid(format!("Sorry, you don't have any external accounts in that currency ({currency})."));
    let account = call.cause.account.clone().ok_or_else(none)?;
    let known = store::load(call.conn, "account", &account, "account").await?;
    let banks = known.doc["external_accounts"]["data"].as_array().cloned().unwrap_or_default();
    let destination = match asked {
        Some(id) if banks.iter().any(|bank| bank["id"] == id.as_str()) => id,
        Some(id) => {
            return Err(ApiError::param("destination", Some("resource_missing"), format!("No such external account: '{id}'")));
        }
        None => {
            let fits = banks.iter().find(|bank| bank["currency"] == currency.as_str());
            fits.and_then(|bank| bank["id"].as_str()).map(str::to_owned).ok_or_else(none)?
        }
    };
    if known.doc["payouts_enabled"] != true {
        return Err(ApiError::code(
            "payouts_not_allowed",
            "Cannot create payouts: this account has requirements that need to be completed before it can be paid out.",
        ));
    }
    let arrival_date = payouts::arrival();
    let new = NewPayout { amount, currency, destination, description, metadata, statement_descriptor, arrival_date };
    // events at an account know it already, and so does the entry in its balance
    Ok(payouts::pay_out(call.conn, &call.cause, &account, new).await?.doc)
}

async fn own(call: &mut Call<'_>, id: &str) -> Result<Stored, ApiError> {
    store::load_of(call.conn, call.cause.account.as_deref(), "payout", id, "payout").await
}

pub async fn retrieve(call: &mut Call<'_>, id: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    Ok(own(call, id).await?.doc)
}

pub async fn update(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    own(call, id).await?;
    let mut payout = store::lock(call.conn, "payout", id, "payout").await?;
    let before = payout.doc.clone();
    payout.doc["metadata"] = params.metadata(&payout.doc["metadata"])?;
    params.finish()?;
    store::save(call.conn, &payout).await?;
    if before != payout.doc {
        emit(call.conn, &call.cause, "payout.updated", &payout.doc, Some(changed(&before, &payout.doc))).await?;
    }
    Ok(payout.doc)
}

pub async fn list(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    let mut filters = vec![("kind", "payout".to_owned()), call.owned()];
    if let Some(status) = params.word("status", STATUSES)? {
        filters.push(("status", status));
    }
    if let Some(bank) = params.text("destination")? {
        filters.push(("doc->>'destination'", bank));
    }
    params.refuse(&["arrival_date"])?;
    let found = store::page(call.conn, "objects", URL, &filters, None, &mut params).await?;
    params.finish()?;
    Ok(found)
}

pub async fn cancel(call: &mut Call<'_>, id: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    own(call, id).await?;
    Ok(payouts::end(call.conn, &call.cause, id, PayoutEnd::Canceled).await?.doc)
}
