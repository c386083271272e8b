//! `/v1/disputes`.

use serde_json::{Value, json};

use super::Call;
use crate::sandbox::stripe::disputes;
use crate::sandbox::stripe::error::ApiError;
use crate::sandbox::stripe::objects::dispute::{FILES, TEXTS};
use crate::sandbox::stripe::params::Params;
use crate::sandbox::stripe::store;

/// All evidence together, in characters.
const MOST_EVIDENCE: usize = 150_000;

pub async fn retrieve(call: &mut Call<'_>, id: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    Ok(store::load(call.conn, "dispute", id, "dispute").await?.doc)
}

pub async fn list(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    let mut filters = vec![("kind", "dispute".to_owned())];
    for column in ["charge", "payment_intent"] {
        if let Some(id) = params.text(column)? {
            filters.push((column, id));
        }
    }
    let found = store::page(call.conn, "objects", "/v1/disputes", &filters, None, &mut params).await?;
    params.finish()?;
    Ok(found)
}

pub async fn update(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    let mut dispute = store::lock(call.conn, "dispute", id, "dispute").await?;
    let metadata = params.metadata(&dispute.doc["metadata"])?;
    let submit = params.boolean("submit")?.unwrap_or(true);
    let mut evidence = Vec::new();
    if let Some(mut given) = params.below("evidence")? {
        for (field, longest) in TEXTS {
            if let Some(text) = given.clearable(field, *longest)? {
                evidence.push(((*field).to_owned(), json!(text)));
            }
        }
        for field in FILES {
            let name = given.name(field);
            if let Some(file) = given.clearable(field, 255)? {
                if let Some(id) = &file {
                    is_evidence(call, id, &name).await?;
                }
                evidence.push(((*field).to_owned(), json!(file)));
            }
        }
        given.refuse(&["enhanced_evidence"])?;
        given.finish()?;
    }
    params.finish()?;
    let length: usize = evidence.iter().filter_map(|(_, value)| value.as_str()).map(|text| text.chars().count()).sum();
    if length > MOST_EVIDENCE {
        return Err(ApiError::param(
            "evidence",
            None,
            format!("All evidence together may have at most {MOST_EVIDENCE} characters."),
        ));
    }
    disputes::answer(call.conn, &call.cause, &mut dispute, evidence, submit, metadata).await?;
    Ok(dispute.doc)
}

async fn is_evidence(call: &mut Call<'_>, id: &str, param: &str) -> Result<(), ApiError> {
    let file = store::load(call.conn, "file", id, param).await?;
    if file.text("purpose") == "dispute_evidence" {
        Ok(())
    } else {
        Err(ApiError::param(param, None, format!("The file {id} was not uploaded with the purpose dispute_evidence.")))
    }
}

pub async fn close(call: &mut Call<'_>, id: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    Ok(disputes::decide(call.conn, &call.cause, id, false).await?.doc)
}
