//! Tokens with which a program speaks for a person. A token is shown once, when it is made; the table keeps its hash.

use super::PersonName;
use crate::{
    audit,
    error::AppError,
    ids::{ApiTokenId, UserId},
    server::{
        auth::{Bearer, Customer},
        token::Token,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;

/// The most tokens of one person.
const MAX_TOKENS: i64 = 50;
/// In front of every token, so that one which leaked into a text is recognised.
const PREFIX: &str = "souk_";

/// What a token may do: read what its person may read, or also change what its person may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    Read,
    /// Includes read.
    Write,
}

impl Scope {
    fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// A token as its person sees it later: without the token.
#[derive(Debug, Clone)]
pub struct ApiToken {
    pub id: ApiTokenId,
    pub name: String,
    /// `read`, `write`
    pub scopes: Vec<String>,
    pub created_at: OffsetDateTime,
    pub expires_at: Option<OffsetDateTime>,
    /// To the hour.
    pub last_used_at: Option<OffsetDateTime>,
}

/// The text of a token that was presented; `None` for what is none of ours.
pub fn read(text: &str) -> Option<Token> {
    text.strip_prefix(PREFIX)?.parse().ok()
}

/// The text to show, once.
pub fn write(token: &Token) -> String {
    format!("{PREFIX}{token}")
}

/// Makes a token. A field error at `name` when the person has as many as one may have.
pub async fn create(
    pool: &PgPool,
    who: &Customer,
    name: &PersonName,
    scopes: &[Scope],
    expires_at: Option<OffsetDateTime>,
) -> Result<(ApiTokenId, Token), AppError> {
    let (id, token) = (ApiTokenId::new(), Token::random());
    let mut scopes: Vec<String> = scopes.iter().map(|s| s.as_str().to_owned()).collect();
    scopes.sort();
    scopes.dedup();
    let mut tx = pool.begin().await?;
    let made = sqlx::query!(
        "insert into api_tokens (id, user_id, name, token_hash, scopes, expires_at)
         select $1, $2, $3, $4, $5, $6 where (select count(*) from api_tokens where user_id = $2) < $7",
        id.uuid(),
        who.id().uuid(),
        name.as_str(),
        token.hash(),
        &scopes,
        expires_at,
        MAX_TOKENS
    )
    .execute(&mut *tx)
    .await?;
    if made.rows_affected() == 0 {
        return Err(AppError::field("name", format!("You have {MAX_TOKENS} tokens; delete one that you no longer need.")));
    }
    let detail = json!({ "name": name.as_str(), "scopes": scopes });
    audit::record(&mut tx, Some(who.id()), "token.made", ("api_token", id), detail).await?;
    tx.commit().await?;
    Ok((id, token))
}

/// At most `limit` of a person's tokens, the newest first, those after the one that was made then.
pub async fn list(
    pool: &PgPool,
    who: &Customer,
    after: Option<(OffsetDateTime, ApiTokenId)>,
    limit: i64,
) -> sqlx::Result<Vec<ApiToken>> {
    sqlx::query_as!(
        ApiToken,
        r#"select id as "id: ApiTokenId", name, scopes, created_at, expires_at, last_used_at from api_tokens
           where user_id = $1 and ($2::timestamptz is null or (created_at, id) < ($2, $3))
           order by created_at desc, id desc limit $4"#,
        who.id().uuid(),
        after.map(|(at, _)| at),
        after.map(|(_, id)| id.uuid()),
        limit
    )
    .fetch_all(pool)
    .await
}

/// One of the person's tokens.
pub async fn find(pool: &PgPool, who: &Customer, id: ApiTokenId) -> sqlx::Result<Option<ApiToken>> {
    sqlx::query_as!(
        ApiToken,
        r#"select id as "id: ApiTokenId", name, scopes, created_at, expires_at, last_used_at from api_tokens
           where user_id = $1 and id = $2"#,
        who.id().uuid(),
        id.uuid()
    )
    .fetch_optional(pool)
    .await
}

/// Ends a token at once. `NotFound` where it is another's.
pub async fn delete(pool: &PgPool, who: &Customer, id: ApiTokenId) -> Result<(), AppError> {
    let mut tx = pool.begin().await?;
    let gone = sqlx::query!("delete from api_tokens where user_id = $1 and id = $2", who.id().uuid(), id.uuid())
        .execute(&mut *tx)
        .await?;
    if gone.rows_affected() == 0 {
        return Err(AppError::NotFound);
    }
    audit::record(&mut tx, Some(who.id()), "token.revoked", ("api_token", id), json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// Whom a token speaks for, and what it may do; `None` where it is not known or its time is over.
pub async fn bearer(pool: &PgPool, token: &Token) -> sqlx::Result<Option<Bearer>> {
    let row = sqlx::query!(
        r#"select id, user_id as "user: UserId", 'write' = any(scopes) as "may_write!", last_used_at from api_tokens
           where token_hash = $1 and (expires_at is null or expires_at > now())"#,
        token.hash()
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    // To the hour, so that a busy program does not write with every request.
    if row.last_used_at.is_none_or(|at| at < OffsetDateTime::now_utc() - Duration::hours(1)) {
        sqlx::query!("update api_tokens set last_used_at = now() where id = $1", row.id).execute(pool).await?;
    }
    Ok(Some(Bearer::new(row.user, row.may_write)))
}
