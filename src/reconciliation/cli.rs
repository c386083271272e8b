//! `souk reconcile`: one comparison now, and what it found.

use super::{model::DifferenceState, run};
use crate::{money::Money, server::state::App};

/// Compares, and prints every open difference.
///
/// # Errors
/// When Stripe or the database does not answer.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let id = run::begin(&mut *app.pool.acquire().await?, None).await?;
    run::reconcile(app, id).await?;
    let done =
        sqlx::query!("select entries, differences, cash_minor, stripe_minor from reconciliations where id = $1", id.uuid())
            .fetch_one(&app.pool)
            .await?;
    let money = |minor: Option<i64>| Money::new(minor.unwrap_or_default(), app.config.currency);
    println!("Read {} new entries of Stripe's.", done.entries);
    let open = sqlx::query!(
        "select memo, found_at from reconciliation_differences where state = $1 order by found_at",
        DifferenceState::Open.as_str()
    )
    .fetch_all(&app.pool)
    .await?;
    for difference in &open {
        println!("  {}  {}", difference.found_at.date(), difference.memo);
    }
    println!("Open differences: {}. Each waits at /operator/reconciliation.", done.differences);
    println!("Cash by the books {}, at Stripe {}.", money(done.cash_minor), money(done.stripe_minor));
    Ok(())
}
