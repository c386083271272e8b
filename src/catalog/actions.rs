//! What the browser asks of the catalogue.

use super::model::Suggestion;
use crate::error::AppError;
#[cfg(feature = "ssr")]
use crate::{catalog::queries, server::extract};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

/// What is offered for what someone has typed so far into the search.
#[server(endpoint = "suggest_goods", input = GetUrl)]
pub async fn suggest_goods(q: String) -> Result<Vec<Suggestion>, AppError> {
    let app = extract::app()?;
    Ok(queries::suggest(&app.pool, &q).await?)
}
