//! The page of an issued paper: drawn from its frozen facts when somebody first asks for it, the same bytes from then on.

use super::model::{Heading, Paper};
use crate::{audit, ids::DocumentId};
use anyhow::Context;
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgPool;

/// The PDF of a document that is there. Of two who ask first at the same time one draws and the other waits for it.
///
/// # Errors
/// When its facts cannot be read or the page cannot be drawn: faults of the program.
pub(super) async fn pdf(pool: &PgPool, document: DocumentId) -> anyhow::Result<Vec<u8>> {
    let mut tx = pool.begin().await?;
    let row = sqlx::query!("select number, issued_on, content, pdf from documents where id = $1 for update", document.uuid())
        .fetch_one(&mut *tx)
        .await?;
    if let Some(pdf) = row.pdf {
        return Ok(pdf);
    }
    let paper: Paper = serde_json::from_value(row.content).with_context(|| format!("{} cannot be read", row.number))?;
    let heading = Heading { id: document, number: row.number, issued_on: row.issued_on };
    let pdf = tokio::task::spawn_blocking(move || super::render(&heading, &paper)).await??;
    let hash = Sha256::digest(&pdf);
    sqlx::query!("update documents set pdf = $2, sha256 = $3 where id = $1", document.uuid(), pdf, hash.as_slice())
        .execute(&mut *tx)
        .await?;
    audit::record(&mut tx, None, "document.drawn", ("document", document), json!({ "sha256": hex::encode(hash) })).await?;
    tx.commit().await?;
    Ok(pdf)
}
