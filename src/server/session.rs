//! Sessions in PostgreSQL: the table keeps a hash of the token and whose session it is, so that a stolen copy opens
//! nothing and "sign out everywhere" is one DELETE.

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use std::collections::HashMap;
use time::{Duration, OffsetDateTime};
use tower_sessions::{
    Expiry, SessionManagerLayer, SessionStore,
    cookie::SameSite,
    session::{Id, Record},
    session_store::{Error, Result},
};
use uuid::Uuid;

/// The key under which a session keeps the signed-in user's id.
pub const USER_KEY: &str = "user";
/// How long a session lives after its last change.
const LIFETIME: Duration = Duration::days(30);

/// The store behind tower-sessions.
#[derive(Clone, Debug)]
pub struct PostgresSessions(pub PgPool);

/// The layer: cookie HttpOnly, SameSite=Lax (it must survive the way back from Stripe); Secure and `__Host-` when `secure`.
pub fn layer(pool: PgPool, secure: bool) -> SessionManagerLayer<PostgresSessions> {
    SessionManagerLayer::new(PostgresSessions(pool))
        .with_name(if secure { "__Host-souk" } else { "souk" })
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(LIFETIME))
}

fn hash(id: &Id) -> Vec<u8> {
    Sha256::digest(id.0.to_be_bytes()).to_vec()
}

fn user_of(record: &Record) -> Option<Uuid> {
    record.data.get(USER_KEY).and_then(|v| v.as_str()).and_then(|v| v.parse().ok())
}

fn backend(error: sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for PostgresSessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        // 128 random bits: a collision would be a broken random source, and the insert then fails loudly.
        let data = serde_json::to_value(&record.data).map_err(|e| Error::Encode(e.to_string()))?;
        sqlx::query!(
            "insert into sessions (token_hash, user_id, data, expires_at) values ($1, $2, $3, $4)",
            hash(&record.id),
            user_of(record),
            data,
            record.expiry_date
        )
        .execute(&self.0)
        .await
        .map_err(backend)?;
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let data = serde_json::to_value(&record.data).map_err(|e| Error::Encode(e.to_string()))?;
        // An update only: a session that was revoked meanwhile stays revoked.
        sqlx::query!(
            "update sessions set user_id = $2, data = $3, expires_at = $4, seen_at = now() where token_hash = $1",
            hash(&record.id),
            user_of(record),
            data,
            record.expiry_date
        )
        .execute(&self.0)
        .await
        .map_err(backend)?;
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let row = sqlx::query!(
            "select data, expires_at from sessions where token_hash = $1 and expires_at > $2",
            hash(id),
            OffsetDateTime::now_utc()
        )
        .fetch_optional(&self.0)
        .await
        .map_err(backend)?;
        row.map(|row| {
            let data: HashMap<String, serde_json::Value> =
                serde_json::from_value(row.data).map_err(|e| Error::Decode(e.to_string()))?;
            Ok(Record { id: *id, data, expiry_date: row.expires_at })
        })
        .transpose()
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        sqlx::query!("delete from sessions where token_hash = $1", hash(id)).execute(&self.0).await.map_err(backend)?;
        Ok(())
    }
}
