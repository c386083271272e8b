//! Adding up what was written down, so that there is always little of it.

use super::page_views;
use crate::server::state::App;

/// So many changes are added up at a time: enough for a busy shop, and a short transaction.
const AT_ONCE: i32 = 10_000;

/// Writes down what was looked at, and adds up everything that is written down. Several nodes may call it: one adds up, the others
/// leave it to that one.
///
/// # Errors
/// When the database does not answer; nothing is lost then.
pub async fn sweep(app: &App) -> anyhow::Result<()> {
    page_views::write(app).await?;
    loop {
        let folded = sqlx::query_scalar!(r#"select fold_figures($1) as "folded!""#, AT_ONCE).fetch_one(&app.pool).await?;
        if folded < i64::from(AT_ONCE) {
            return Ok(());
        }
    }
}
