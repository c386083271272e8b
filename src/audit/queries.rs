//! What the operator reads of the log.

use crate::{ids::UserId, server::auth::Operator};
use serde_json::Value;
use sqlx::PgPool;
use time::OffsetDateTime;

/// An entry, as its list shows it.
pub struct EntryRow {
    pub id: i64,
    pub at: OffsetDateTime,
    /// `None` for what nobody signed in did.
    pub actor: Option<String>,
    pub actor_id: Option<UserId>,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: String,
    pub detail: Value,
    /// Its place in the chain, once it has one.
    pub position: Option<i64>,
}

/// What is looked for; empty and `None`: everything.
#[derive(Debug, Default, Clone)]
pub struct Wanted {
    /// the kind of the subject or its id
    pub subject: String,
    /// the e-mail address of who did it, in lower case
    pub actor: String,
    /// `refund.booked`, or all of `refund`
    pub action: String,
}

/// At most `limit` entries, the newest first, those before the one with that id.
pub async fn entries(
    pool: &PgPool,
    _proof: &Operator,
    wanted: &Wanted,
    before: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<EntryRow>> {
    sqlx::query_as!(
        EntryRow,
        r#"select a.id, a.at, u.email as "actor?", a.actor_id as "actor_id: UserId", a.action, a.subject_kind, a.subject_id, a.detail,
                  c.position as "position?"
           from audit_log a left join users u on u.id = a.actor_id left join audit_chain c on c.entry_id = a.id
           where ($1 = '' or a.subject_id = $1 or a.subject_kind = $1)
             and ($2 = '' or a.actor_id = (select id from users where email = $2))
             and ($3 = '' or a.action = $3 or a.action like replace($3, '_', '\_') || '.%')
             and ($4::bigint is null or a.id < $4)
           order by a.id desc limit $5"#,
        wanted.subject,
        wanted.actor,
        wanted.action,
        before,
        limit
    )
    .fetch_all(pool)
    .await
}
