//! `/v1/events`.

use serde_json::{Value, json};
use sqlx::PgConnection;

use super::Call;
use crate::sandbox::stripe::error::ApiError;
use crate::sandbox::stripe::params::Params;
use crate::sandbox::stripe::store;

pub async fn retrieve(call: &mut Call<'_>, id: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    let found: Option<Value> = sqlx::query_scalar("select doc from stripe_sandbox.events where id = $1 and owner = $2")
        .bind(store::bindable(id))
        .bind(call.cause.account.as_deref().unwrap_or_default())
        .fetch_optional(&mut *call.conn)
        .await?;
    let mut event = found.ok_or_else(|| ApiError::missing("event", id, "id"))?;
    count_pending(call.conn, &mut event).await?;
    Ok(event)
}

pub async fn list(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    let (one, several) = (params.text("type")?, params.texts("types")?);
    if one.is_some() && several.is_some() {
        return Err(ApiError::invalid("You may pass either `type` or `types`, but not both."));
    }
    if several.as_ref().is_some_and(|types| types.len() > 20) {
        return Err(ApiError::param("types", None, "You may pass at most 20 types."));
    }
    // `checkout.session.*` stands for all of its kind
    let types = one.map(|kind| vec![kind]).or(several);
    let types = match types {
        Some(types) if types.iter().any(|kind| kind.contains('*')) => Some(matching(call.conn, &types).await?),
        other => other,
    };
    params.refuse(&["delivery_success"])?;
    let mut found = store::page(call.conn, "events", "/v1/events", &[call.owned()], types, &mut params).await?;
    params.finish()?;
    if let Some(events) = found["data"].as_array_mut() {
        for event in events {
            count_pending(call.conn, event).await?;
        }
    }
    Ok(found)
}

async fn matching(conn: &mut PgConnection, patterns: &[String]) -> sqlx::Result<Vec<String>> {
    let known: Vec<String> = sqlx::query_scalar("select distinct type from stripe_sandbox.events").fetch_all(conn).await?;
    let fits = |kind: &str| {
        patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => kind.starts_with(start),
            None => kind == pattern,
        })
    };
    Ok(known.into_iter().filter(|kind| fits(kind)).collect())
}

/// `pending_webhooks`: receivers that have not answered yet.
async fn count_pending(conn: &mut PgConnection, event: &mut Value) -> sqlx::Result<()> {
    let waiting: bool = sqlx::query_scalar(
        "select exists (select 1 from stripe_sandbox.deliveries where event_id = $1)
            and not exists (select 1 from stripe_sandbox.deliveries where event_id = $1 and state = 'delivered')",
    )
    .bind(event["id"].as_str())
    .fetch_one(conn)
    .await?;
    event["pending_webhooks"] = json!(i64::from(waiting));
    Ok(())
}
