//! `/v1/balance` and `/v1/balance_transactions`: of the platform, or of the account that `Stripe-Account` names.

use serde_json::Value;

use super::Call;
use crate::sandbox::stripe::balance;
use crate::sandbox::stripe::error::ApiError;
use crate::sandbox::stripe::params::Params;
use crate::sandbox::stripe::store;

const URL: &str = "/v1/balance_transactions";
/// The platform's own currency, where it has no money yet.
const CURRENCY: &str = "gbp";

pub async fn retrieve(call: &mut Call<'_>, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    let account = call.cause.account.clone();
    let currency = match &account {
        Some(id) => store::load(call.conn, "account", id, "account").await?.text("default_currency").to_owned(),
        None => CURRENCY.to_owned(),
    };
    Ok(balance::document(call.conn, account.as_deref(), &currency).await?)
}

pub async fn entry(call: &mut Call<'_>, id: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    Ok(store::load_of(call.conn, call.cause.account.as_deref(), "balance_transaction", id, "id").await?.doc)
}

pub async fn entries(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    let mut filters = vec![("kind", "balance_transaction".to_owned()), call.owned()];
    for (field, column) in [("type", "doc->>'type'"), ("source", "doc->>'source'"), ("currency", "currency")] {
        if let Some(text) = params.text(field)? {
            filters.push((column, text));
        }
    }
    if let Some(payout) = params.text("payout")? {
        store::load_of(call.conn, call.cause.account.as_deref(), "payout", &payout, "payout").await?;
        // every payout here was asked for; Stripe knows what is in one only when it made it itself
        return Err(ApiError::param(
            "payout",
            None,
            "Balance transaction history can only be filtered on automatic transfers, not manual.",
        ));
    }
    let found = store::page(call.conn, "objects", URL, &filters, None, &mut params).await?;
    params.finish()?;
    Ok(found)
}
