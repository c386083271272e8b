//! Imports are forgotten, with their files, some weeks after they came.

use super::{key, queries};
use crate::server::state::App;

/// How long an import is kept, in days.
pub const KEPT_DAYS: i32 = 30;

/// Forgets some of the old ones. The file goes first: a row without a file is found again, a file without a row is not.
pub async fn sweep(app: &App) -> anyhow::Result<()> {
    for id in queries::old(&app.pool, KEPT_DAYS).await? {
        app.storage.delete(&key(id)).await?;
        queries::forget(&app.pool, id).await?;
    }
    Ok(())
}
