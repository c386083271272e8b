//! `/v1/transfers` and their reversals.

use serde_json::{Value, json};

use super::Call;
use crate::sandbox::stripe::error::ApiError;
use crate::sandbox::stripe::events::{changed, emit};
use crate::sandbox::stripe::objects::transfer::NewTransfer;
use crate::sandbox::stripe::params::{Params, missing};
use crate::sandbox::stripe::store::{self, Page, Stored};
use crate::sandbox::stripe::transfers;

const URL: &str = "/v1/transfers";

pub async fn create(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    params.word("source_type", &["bank_account", "card", "fpx"])?;
    let new = NewTransfer {
        amount: positive(&mut params, "amount")?.ok_or_else(|| missing("amount"))?,
        currency: params.currency("currency")?,
        destination: params.require("destination")?,
        description: params.text("description")?,
        metadata: params.metadata(&json!({}))?,
        source_transaction: params.text("source_transaction")?,
        transfer_group: params.text("transfer_group")?,
    };
    params.finish()?;
    Ok(transfers::transfer(call.conn, &call.cause, new).await?.doc)
}

/// An amount of at least one.
pub fn positive(params: &mut Params, field: &str) -> Result<Option<i64>, ApiError> {
    let name = params.name(field);
    match params.integer(field)? {
        Some(amount) if amount < 1 => {
            Err(ApiError::param(&name, Some("parameter_invalid_integer"), "This value must be greater than or equal to 1."))
        }
        other => Ok(other),
    }
}

pub async fn retrieve(call: &mut Call<'_>, id: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    Ok(store::load(call.conn, "transfer", id, "id").await?.doc)
}

pub async fn update(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    let mut transfer = store::lock(call.conn, "transfer", id, "id").await?;
    let before = transfer.doc.clone();
    transfer.doc["metadata"] = params.metadata(&transfer.doc["metadata"])?;
    if let Some(text) = params.text("description")? {
        transfer.doc["description"] = json!(text);
    }
    params.finish()?;
    store::save(call.conn, &transfer).await?;
    if before != transfer.doc {
        emit(call.conn, &call.cause, "transfer.updated", &transfer.doc, Some(changed(&before, &transfer.doc))).await?;
    }
    Ok(transfer.doc)
}

pub async fn list(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    let mut filters = vec![("kind", "transfer".to_owned())];
    for (field, column) in [("destination", "doc->>'destination'"), ("transfer_group", "doc->>'transfer_group'")] {
        if let Some(text) = params.text(field)? {
            filters.push((column, text));
        }
    }
    let found = store::page(call.conn, "objects", URL, &filters, None, &mut params).await?;
    params.finish()?;
    Ok(found)
}

pub async fn reverse(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    let (amount, description) = (params.integer("amount")?, params.text("description")?);
    let metadata = params.metadata(&json!({}))?;
    params.ignore(&["refund_application_fee"]);
    params.finish()?;
    Ok(transfers::reverse(call.conn, &call.cause, id, amount, description, metadata).await?.doc)
}

pub async fn reversals(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    let page = Page::read(&mut params)?;
    params.finish()?;
    store::load(call.conn, "transfer", id, "id").await?;
    let all: Vec<Value> = sqlx::query_scalar(
        "select doc from stripe_sandbox.objects where kind = 'transfer_reversal' and doc->>'transfer' = $1 order by seq desc",
    )
    .bind(id)
    .fetch_all(&mut *call.conn)
    .await?;
    page.cut(&all, &format!("{URL}/{id}/reversals"))
}

pub async fn reversal(call: &mut Call<'_>, id: &str, reversal: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    Ok(of(call, id, reversal).await?.doc)
}

async fn of(call: &mut Call<'_>, id: &str, reversal: &str) -> Result<Stored, ApiError> {
    let found = store::lock(call.conn, "transfer_reversal", reversal, "id").await?;
    if found.text("transfer") == id { Ok(found) } else { Err(ApiError::missing("transfer_reversal", reversal, "id")) }
}

pub async fn update_reversal(call: &mut Call<'_>, id: &str, reversal: &str, mut params: Params) -> Result<Value, ApiError> {
    let mut found = of(call, id, reversal).await?;
    found.doc["metadata"] = params.metadata(&found.doc["metadata"])?;
    params.finish()?;
    store::save(call.conn, &found).await?;
    Ok(found.doc)
}
