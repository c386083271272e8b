//! How a vendor is paid: what it has chosen, and the shop's settings for the rest.

use super::model::{Schedule, Settings};
use crate::{
    audit,
    error::AppError,
    ids::VendorId,
    server::{
        auth::{Operator, Owner},
        errors::violates,
        state::App,
    },
};
use serde_json::json;
use sqlx::PgConnection;
use time::OffsetDateTime;

/// What a vendor's row says, if there is one, over the shop's settings.
pub async fn settings(app: &App, db: &mut PgConnection, vendor: VendorId) -> sqlx::Result<Settings> {
    let row = sqlx::query!(
        "select schedule, weekday, month_day, minimum_minor, holding_days from payout_settings where vendor_id = $1",
        vendor.uuid()
    )
    .fetch_optional(db)
    .await?;
    let shops = app.config.payouts;
    let Some(row) = row else { return Ok(shops) };
    let chosen = row.schedule.and_then(|name| Schedule::from_parts(&name, row.weekday, row.month_day));
    Ok(Settings {
        schedule: chosen.unwrap_or(shops.schedule),
        minimum_minor: row.minimum_minor.unwrap_or(shops.minimum_minor),
        holding_days: row.holding_days.and_then(|d| u16::try_from(d).ok()).unwrap_or(shops.holding_days),
    })
}

/// The vendor chooses its days and its minimum. The next payout moves to the next of these days.
pub async fn choose(app: &App, vendor: &Owner, schedule: Schedule, minimum_minor: i64, now: OffsetDateTime) -> sqlx::Result<()> {
    let (name, weekday, month_day) = schedule.parts();
    let mut tx = app.pool.begin().await?;
    sqlx::query!(
        "insert into payout_settings (vendor_id, schedule, weekday, month_day, minimum_minor) values ($1, $2, $3, $4, $5)
         on conflict (vendor_id) do update set schedule = $2, weekday = $3, month_day = $4, minimum_minor = $5",
        vendor.id().uuid(),
        name,
        weekday,
        month_day,
        minimum_minor
    )
    .execute(&mut *tx)
    .await?;
    // Never today: that would pay twice in a day those who choose every day after having been paid.
    sqlx::query!(
        "update vendor_accounts set next_payout_on = $2 where vendor_id = $1",
        vendor.id().uuid(),
        schedule.after(now.date())
    )
    .execute(&mut *tx)
    .await?;
    let detail = json!({ "schedule": name, "weekday": weekday, "month_day": month_day, "minimum": minimum_minor });
    audit::record(&mut tx, Some(vendor.customer().id()), "payout_settings.chosen", ("vendor", vendor.id()), detail).await?;
    tx.commit().await
}

/// The operator says how long a new vendor's money is held; `None`: as the shop does.
pub async fn hold(app: &App, by: &Operator, vendor: VendorId, days: Option<i32>) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    let done = sqlx::query!(
        "insert into payout_settings (vendor_id, holding_days) select id, $2 from vendors where id = $1
         on conflict (vendor_id) do update set holding_days = $2",
        vendor.uuid(),
        days
    )
    .execute(&mut *tx)
    .await
    .map_err(|e| {
        if violates(&e, "payout_settings_holding") { AppError::field("days", "Write 0 to 365 days.") } else { e.into() }
    })?;
    if done.rows_affected() == 0 {
        return Err(AppError::NotFound);
    }
    audit::record(&mut tx, Some(by.id()), "payout_settings.held", ("vendor", vendor), json!({ "days": days })).await?;
    tx.commit().await?;
    Ok(())
}
