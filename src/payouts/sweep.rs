//! What nobody tells us is looked after here, in the background: parcels that are old enough, days of payment, payouts whose event was lost,
//! money that is not where it should be. Several nodes may run it; it takes rows that nobody else is taking.

use super::{accounts, bank, model::level, queries, release, run, settle};
use crate::{
    ids::{PayoutId, VendorId},
    server::state::App,
};
use time::OffsetDateTime;

/// How many rows of a kind one run looks at.
const PER_RUN: i64 = 50;

pub async fn sweep(app: &App, now: OffsetDateTime) -> anyhow::Result<()> {
    release::release_due(app, now).await?;
    run::run_due(app, now).await?;
    ask_after(app).await?;
    look_after(app).await
}

/// Payouts that are open for an hour and were not asked about for one: the job of sending gave up, or Stripe's event was lost.
async fn ask_after(app: &App) -> anyhow::Result<()> {
    let open = sqlx::query_scalar!(
        r#"update payouts set asked_at = now() where id in (
               select id from payouts where state in ('booked', 'sent') and created_at < now() - interval '1 hour'
                 and (asked_at is null or asked_at < now() - interval '1 hour')
               order by asked_at nulls first, created_at limit $1 for update skip locked)
           returning id as "id: PayoutId""#,
        PER_RUN
    )
    .fetch_all(&app.pool)
    .await?;
    for payout in open {
        bank::send_later(&app.pool, payout).await?;
    }
    Ok(())
}

/// Every account once in an hour: is its vendor's money where it should be, and does what we know of it still hold?
async fn look_after(app: &App) -> anyhow::Result<()> {
    let accounts = sqlx::query!(
        r#"update vendor_accounts set looked_at = now() where vendor_id in (
               select vendor_id from vendor_accounts where looked_at is null or looked_at < now() - interval '1 hour'
               order by looked_at nulls first limit $1 for update skip locked)
           returning vendor_id as "vendor: VendorId", payouts_enabled,
                     stripe_account_id is not null and (synced_at is null or synced_at < now() - interval '1 day') as "stale!""#,
        PER_RUN
    )
    .fetch_all(&app.pool)
    .await?;
    for account in accounts {
        if account.stale
            && let Err(error) = accounts::sync_account_of(app, account.vendor).await
        {
            tracing::warn!(vendor = %account.vendor, error = format!("{error:#}"), "an account could not be read; it is tried again");
        }
        let mut db = app.pool.acquire().await?;
        let booked = queries::booked(&mut db, account.vendor).await?;
        let balances = queries::balances(&mut *db, account.vendor, app.config.currency).await?;
        if account.payouts_enabled && level(&balances, booked).is_some() {
            settle::level_later(&mut *db, account.vendor).await?;
        }
    }
    Ok(())
}
