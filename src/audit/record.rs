//! Writing into the log.

use crate::ids::UserId;
use serde_json::Value;
use sqlx::PgConnection;
use std::fmt::Display;

/// Writes an entry in the caller's transaction: with the change, or not at all. `action` is a noun and a past participle, such as
/// `refund.booked`; `subject` is the kind of thing and its id; `actor` is `None` for what nobody signed in did, and `detail`, an
/// object, says what changed. No secret and no address belongs into it: the log is kept for good.
///
/// The entry waits for its place in the chain, which [`super::chain`] gives it; so it costs two inserts, and nobody waits for another.
pub async fn record(
    tx: &mut PgConnection,
    actor: Option<UserId>,
    action: &str,
    subject: (&str, impl Display),
    detail: Value,
) -> sqlx::Result<()> {
    sqlx::query!(
        "with entry as (
             insert into audit_log (actor_id, action, subject_kind, subject_id, detail) values ($1, $2, $3, $4, $5) returning id
         )
         insert into audit_waiting (entry_id) select id from entry",
        actor.map(UserId::uuid),
        action,
        subject.0,
        subject.1.to_string(),
        detail
    )
    .execute(tx)
    .await?;
    Ok(())
}
