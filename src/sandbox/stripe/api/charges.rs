//! `/v1/charges`.

use serde_json::Value;
use sqlx::PgConnection;

use super::Call;
use crate::sandbox::stripe::error::ApiError;
use crate::sandbox::stripe::params::Params;
use crate::sandbox::stripe::store::{self, Page};

const URL: &str = "/v1/charges";

pub async fn retrieve(call: &mut Call<'_>, id: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    Ok(store::load_of(call.conn, call.cause.account.as_deref(), "charge", id, "id").await?.doc)
}

pub async fn update(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    let mut charge = store::lock(call.conn, "charge", id, "id").await?;
    charge.doc["metadata"] = params.metadata(&charge.doc["metadata"])?;
    for field in ["description", "receipt_email", "transfer_group"] {
        if let Some(text) = params.text(field)? {
            charge.doc[field] = text.into();
        }
    }
    params.finish()?;
    store::save(call.conn, &charge).await?;
    Ok(charge.doc)
}

pub async fn list(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    let mut filters = vec![("kind", "charge".to_owned()), call.owned()];
    if let Some(intent) = params.text("payment_intent")? {
        filters.push(("payment_intent", intent));
    }
    if let Some(group) = params.text("transfer_group")? {
        filters.push(("doc->>'transfer_group'", group));
    }
    params.refuse(&["customer"])?;
    let found = store::page(call.conn, "objects", URL, &filters, None, &mut params).await?;
    params.finish()?;
    Ok(found)
}

/// The refunds of one charge.
pub async fn refunds(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    let page = Page::read(&mut params)?;
    params.finish()?;
    store::load_of(call.conn, call.cause.account.as_deref(), "charge", id, "charge").await?;
    page.cut(&refunds_of(call.conn, id).await?, &format!("{URL}/{id}/refunds"))
}

/// All refunds of a charge, newest first.
pub async fn refunds_of(conn: &mut PgConnection, charge: &str) -> sqlx::Result<Vec<Value>> {
    sqlx::query_scalar("select doc from stripe_sandbox.objects where kind = 'refund' and charge = $1 order by seq desc")
        .bind(charge)
        .fetch_all(conn)
        .await
}
