//! One sentence that survives a redirect: put after a write, taken by the next page.

use super::errors::internal;
use crate::error::AppError;
use tower_sessions::Session;

const KEY: &str = "flash";

/// Leaves a sentence for the next page of this session.
pub async fn put(session: &Session, sentence: &str) -> Result<(), AppError> {
    session.insert(KEY, sentence).await.map_err(internal)
}

/// Takes it; a second page does not see it.
pub async fn take(session: &Session) -> Result<Option<String>, AppError> {
    session.remove(KEY).await.map_err(internal)
}
