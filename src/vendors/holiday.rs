//! A shop on holiday: when, what it says meanwhile, and that the kept pages follow the calendar.

use super::model::{Holiday, HolidayDraft};
use crate::server::{
    auth::{Manager, Vendor},
    state::App,
};
use sqlx::PgPool;
use time::{Date, OffsetDateTime};

/// The holiday that the shop is on, or will be; `None` where there is none, or it is over.
pub async fn of(pool: &PgPool, vendor: &Vendor) -> sqlx::Result<Option<Holiday>> {
    let row = sqlx::query!(
        "select holiday_from, holiday_until, holiday_message as message from vendors where id = $1",
        vendor.id().uuid()
    )
    .fetch_one(pool)
    .await?;
    Ok(current(row.holiday_from, row.holiday_until, row.message))
}

/// Of the columns of a shop, the same.
pub fn current(from: Option<Date>, until: Option<Date>, message: String) -> Option<Holiday> {
    let today = OffsetDateTime::now_utc().date();
    let days = from.zip(until).filter(|(_, until)| *until >= today);
    days.map(|(from, until)| Holiday { from, until, message })
}

/// Sets the holiday, or with `None` ends it at once. A checkout at the same moment comes before it, and is an order as any other, or
/// after it, and is refused.
pub async fn set(pool: &PgPool, vendor: &Manager, holiday: Option<&HolidayDraft>) -> sqlx::Result<()> {
    sqlx::query!(
        "update vendors set holiday_from = $2, holiday_until = $3, holiday_message = $4, holiday_shown = on_holiday($2, $3) where id = $1",
        vendor.id().uuid(),
        holiday.map(|h| h.from),
        holiday.map(|h| h.until),
        holiday.map_or("", |h| h.message.as_str())
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Says of each shop whose holiday has begun or is over since the last look that its pages are to be drawn again.
pub async fn sweep(app: &App) -> anyhow::Result<()> {
    sqlx::query!(
        "update vendors set holiday_shown = not holiday_shown where holiday_shown <> on_holiday(holiday_from, holiday_until)"
    )
    .execute(&app.pool)
    .await?;
    Ok(())
}
