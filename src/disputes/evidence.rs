//! What is said for us: drafted by the operator, added to by the vendors whose goods it is about, sent once. Sent is a fact before Stripe
//! hears of it, and frozen; a job carries it there.

use super::{
    files::{Upload, key},
    gateway::{self, Evidence},
    letters,
    model::{BankWords, DisputeStatus, MAX_BYTES, Place, VendorWords},
    queries::{self, Scope},
    sync,
};
use crate::{
    audit,
    error::{AppError, Refusal},
    ids::{DisputeFileId, DisputeId, OrderId},
    orders::record,
    payments::GatewayError,
    server::{
        auth::{Manager, Operator},
        errors::{internal, violates},
        jobs::{self, Job},
        state::App,
    },
};
use anyhow::Context;
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// Locks a dispute whose evidence can still be changed, its order first as everybody who changes something of one.
async fn open(tx: &mut PgConnection, scope: Scope, id: DisputeId) -> Result<OrderId, AppError> {
    sqlx::query!("select 1 as one from orders where id = (select order_id from disputes where id = $1) for update", id.uuid())
        .fetch_optional(&mut *tx)
        .await?;
    let row = sqlx::query!(
        r#"select order_id as "order: OrderId", status as "status: DisputeStatus", submitted_at from disputes d
           where id = $1 and ($2::uuid is null or exists (
               select 1 from dispute_parts p join vendor_orders v on v.id = p.vendor_order_id
               where p.dispute_id = d.id and v.vendor_id = $2)) for update"#,
        id.uuid(),
        scope.vendor_id()
    )
    .fetch_optional(tx)
    .await?
    .ok_or(AppError::NotFound)?;
    match row {
        row if row.submitted_at.is_some() => Err(Refusal::EvidenceSent.into()),
        row if !row.status.wants_evidence() => Err(Refusal::DisputeClosed.into()),
        row => Ok(row.order),
    }
}

/// Keeps the operator's words to the bank.
///
/// # Errors
/// `EvidenceSent`, `DisputeClosed`; `Invalid` at `words`.
pub async fn draft(app: &App, by: &Operator, id: DisputeId, words: &str) -> Result<(), AppError> {
    let words: BankWords = words.parse().map_err(|e: crate::text::BadText| AppError::field("words", e.to_string()))?;
    let mut tx = app.pool.begin().await?;
    open(&mut tx, Scope::operator(by), id).await?;
    sqlx::query!("update disputes set words = $2 where id = $1", id.uuid(), words.as_str()).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Keeps what a vendor has to say to it.
///
/// # Errors
/// `NotFound` where it is not about the vendor's goods; `EvidenceSent`, `DisputeClosed`; `Invalid` at `words`.
pub async fn say(app: &App, by: &Manager, id: DisputeId, words: &str) -> Result<(), AppError> {
    let words: VendorWords = words.parse().map_err(|e: crate::text::BadText| AppError::field("words", e.to_string()))?;
    let mut tx = app.pool.begin().await?;
    let order = open(&mut tx, Scope::vendor(by), id).await?;
    let first = sqlx::query_scalar!(
        r#"insert into dispute_statements (dispute_id, vendor_id, words) values ($1, $2, $3)
           on conflict (dispute_id, vendor_id) do update set words = excluded.words, written_at = now()
           returning xmax = 0 as "first!""#,
        id.uuid(),
        by.id().uuid(),
        words.as_str()
    )
    .fetch_one(&mut *tx)
    .await?;
    if first {
        let detail = json!({ "dispute": id, "vendor": by.name(), "operator": true });
        record(&mut tx, order, None, "dispute_answered", detail, Some(by.customer().id())).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Adds a file.
///
/// # Errors
/// `Invalid` at `place` where that is taken, at `file` where all files together are too large; `EvidenceSent`, `DisputeClosed`,
/// `StoreUnavailable`.
pub async fn add_file(app: &App, scope: Scope, id: DisputeId, upload: Upload) -> Result<(), AppError> {
    let file = DisputeFileId::new();
    let mut tx = app.pool.begin().await?;
    open(&mut tx, scope, id).await?;
    let size = i32::try_from(upload.content.len()).map_err(internal)?;
    let inserted = sqlx::query!(
        "insert into dispute_files (id, dispute_id, vendor_id, place, name, media_type, bytes) values ($1, $2, $3, $4, $5, $6, $7)",
        file.uuid(),
        id.uuid(),
        scope.vendor_id(),
        upload.place.as_str(),
        upload.name.as_str(),
        upload.media_type,
        size
    )
    .execute(&mut *tx)
    .await;
    match inserted {
        Err(error) if violates(&error, "dispute_files_place") => {
            return Err(AppError::field("place", "There is one of these already. The bank takes one of each kind."));
        }
        other => other?,
    };
    let together =
        sqlx::query_scalar!(r#"select sum(bytes)::bigint as "bytes!" from dispute_files where dispute_id = $1"#, id.uuid())
            .fetch_one(&mut *tx)
            .await?;
    if together > MAX_BYTES {
        return Err(AppError::field("file", "All files together may have 4.5 MB. Send a smaller one."));
    }
    if let Err(error) = app.storage.put(&key(file), upload.content, upload.media_type).await {
        tracing::error!(%error, "a file was not kept");
        return Err(Refusal::StoreUnavailable.into());
    }
    tx.commit().await?;
    Ok(())
}

/// Removes a file: a vendor one of its own, the operator any.
pub async fn remove_file(app: &App, scope: Scope, id: DisputeId, file: DisputeFileId) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    open(&mut tx, scope, id).await?;
    let gone = sqlx::query!(
        "delete from dispute_files where id = $1 and dispute_id = $2 and ($3::uuid is null or vendor_id = $3)",
        file.uuid(),
        id.uuid(),
        scope.vendor_id()
    )
    .execute(&mut *tx)
    .await?;
    if gone.rows_affected() == 0 {
        return Err(AppError::NotFound);
    }
    tx.commit().await?;
    if let Err(error) = app.storage.delete(&key(file)).await {
        tracing::warn!(%file, %error, "a file that nobody needs stays in the store");
    }
    Ok(())
}

/// Sends the evidence: frozen now, carried to Stripe by a job. `typed` is the order's number, as a person typed it: it cannot be undone.
///
/// # Errors
/// `Invalid` at `number` where that is another one, at `words` where nothing is said at all; `EvidenceSent`, `DisputeClosed`.
pub async fn submit(app: &App, by: &Operator, id: DisputeId, typed: &str) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    let order = open(&mut tx, Scope::operator(by), id).await?;
    let evidence = queries::evidence(&mut tx, id).await?;
    let number = sqlx::query_scalar!("select number from orders where id = $1", order.uuid()).fetch_one(&mut *tx).await?;
    if typed.trim().trim_start_matches('#') != number.to_string() {
        return Err(AppError::field("number", format!("Type {number}, the number of the order, to send it.")));
    }
    let files = sqlx::query_scalar!(r#"select count(*) as "files!" from dispute_files where dispute_id = $1"#, id.uuid())
        .fetch_one(&mut *tx)
        .await?;
    if evidence.words.is_empty() && files == 0 {
        return Err(AppError::field("words", "Say something to the bank, or add a file, before you send it."));
    }
    let said = serde_json::to_value(&evidence).map_err(internal)?;
    sqlx::query!(
        "update disputes set submitted_at = now(), submitted_by = $2, said = $3, refused = null where id = $1",
        id.uuid(),
        by.id().uuid(),
        said
    )
    .execute(&mut *tx)
    .await?;
    record(&mut tx, order, None, "dispute_evidence", json!({ "dispute": id, "files": files }), Some(by.id())).await?;
    let detail = json!({ "order": order, "files": files });
    audit::record(&mut tx, Some(by.id()), "dispute.evidence_submitted", ("dispute", id), detail).await?;
    jobs::enqueue(&mut *tx, &Job::SendEvidence { dispute: id }, Some(&format!("evidence:{id}"))).await?;
    tx.commit().await?;
    Ok(())
}

/// Carries frozen evidence to Stripe, its files first. Safe to repeat.
pub async fn send_evidence(app: &App, id: DisputeId) -> anyhow::Result<()> {
    let row = sqlx::query!("select stripe_dispute_id, submitted_at, sent_at, said from disputes where id = $1", id.uuid())
        .fetch_one(&app.pool)
        .await?;
    let (Some(submitted), None) = (row.submitted_at, row.sent_at) else { return Ok(()) };
    // Whatever the dispute's state: the key says whether this very evidence was taken before, and Stripe refuses it where it comes too late.
    let evidence: Evidence = serde_json::from_value(row.said.context("evidence that says nothing")?)?;
    match carry(app, id, &row.stripe_dispute_id, submitted, evidence).await {
        Ok(truth) => {
            sqlx::query!("update disputes set sent_at = coalesce(sent_at, now()) where id = $1", id.uuid())
                .execute(&app.pool)
                .await?;
            sync::note(app, &truth).await
        }
        Err(Unsent::Gateway(GatewayError::Refused { code, message, .. })) => {
            tracing::warn!(%id, code, message, "Stripe refuses evidence");
            take_back(app, id, &message).await?;
            // Most likely it was decided meanwhile, or answered in Stripe's dashboard.
            sync::sync_dispute(app, &row.stripe_dispute_id).await
        }
        Err(Unsent::Gateway(away)) => Err(away.into()),
        Err(Unsent::Other(error)) => Err(error),
    }
}

/// Why evidence did not arrive.
enum Unsent {
    Gateway(GatewayError),
    Other(anyhow::Error),
}

impl From<GatewayError> for Unsent {
    fn from(error: GatewayError) -> Self {
        Self::Gateway(error)
    }
}

impl From<sqlx::Error> for Unsent {
    fn from(error: sqlx::Error) -> Self {
        Self::Other(error.into())
    }
}

async fn carry(
    app: &App,
    id: DisputeId,
    at_stripe: &str,
    submitted: OffsetDateTime,
    evidence: Evidence,
) -> Result<gateway::Dispute, Unsent> {
    let files = sqlx::query!(
        r#"select id as "id: DisputeFileId", place as "place: Place", name, media_type, stripe_file_id from dispute_files
           where dispute_id = $1 order by id"#,
        id.uuid()
    )
    .fetch_all(&app.pool)
    .await?;
    let mut there = Vec::with_capacity(files.len());
    for file in files {
        let at_stripe = match file.stripe_file_id {
            Some(id) => id,
            None => {
                let kept = app.storage.get(&key(file.id)).await.map_err(|e| Unsent::Other(e.into()))?;
                let (content, _) =
                    kept.with_context(|| format!("file {} is not in the store", file.id)).map_err(Unsent::Other)?;
                let at_stripe =
                    gateway::upload(app, &file.name, &file.media_type, content, &format!("souk-file-{}", file.id)).await?;
                sqlx::query!("update dispute_files set stripe_file_id = $2 where id = $1", file.id.uuid(), at_stripe)
                    .execute(&app.pool)
                    .await?;
                at_stripe
            }
        };
        there.push((file.place, at_stripe));
    }
    let key = format!("souk-evidence-{id}-{}", submitted.unix_timestamp_nanos());
    Ok(gateway::submit(app, at_stripe, evidence, there, &key).await?)
}

/// It did not leave: a draft again, and the operators are told why, where they can still do something.
async fn take_back(app: &App, id: DisputeId, why: &str) -> anyhow::Result<()> {
    let why: String = why.chars().take(500).collect();
    let mut tx = app.pool.begin().await?;
    let back = sqlx::query_scalar!(
        r#"update disputes set submitted_at = null, submitted_by = null, said = null, refused = $2
           where id = $1 and submitted_at is not null and sent_at is null returning status as "status: DisputeStatus""#,
        id.uuid(),
        why
    )
    .fetch_optional(&mut *tx)
    .await?;
    if back.is_some() {
        let detail = json!({ "why": why, "by": "Stripe" });
        audit::record(&mut tx, None, "dispute.evidence_refused", ("dispute", id), detail).await?;
    }
    if back.is_some_and(|status| status.wants_evidence()) {
        let about = letters::about(&mut tx, id).await?;
        letters::refused(app, &mut tx, &about, &why).await?;
    }
    tx.commit().await?;
    Ok(())
}
