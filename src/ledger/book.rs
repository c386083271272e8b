//! Writing into the books and reading balances. The database has the last word: two entries at least, of one currency, that sum to zero.

use super::model::{Account, Booking};
use crate::{ids::LedgerTransactionId, money::Currency};
use serde::Serialize;
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// Shared by all who book, taken alone by who takes a snapshot.
const LOCK: i64 = 22;

/// One entry as the statement below reads it.
#[derive(Serialize)]
struct Row {
    kind: &'static str,
    vendor_id: Option<Uuid>,
    amount_minor: i64,
    vendor_order_id: Option<Uuid>,
}

/// Books a transaction, in the caller's transaction: with the fact that causes it, or not at all. `None` where the same step was
/// booked before, or nothing moves.
///
/// # Errors
/// The constraint `ledger_balance` when the entries do not sum to zero: at the commit, and that is a fault of the program.
pub async fn book(tx: &mut PgConnection, booking: Booking<'_>) -> sqlx::Result<Option<LedgerTransactionId>> {
    write(tx, booking, None).await
}

/// As [`book`], with the time at which it became true, where that is not now.
pub async fn book_at(
    tx: &mut PgConnection,
    booking: Booking<'_>,
    at: OffsetDateTime,
) -> sqlx::Result<Option<LedgerTransactionId>> {
    write(tx, booking, Some(at)).await
}

async fn write(
    tx: &mut PgConnection,
    booking: Booking<'_>,
    at: Option<OffsetDateTime>,
) -> sqlx::Result<Option<LedgerTransactionId>> {
    if booking.entries.is_empty() {
        return Ok(None);
    }
    let rows: Vec<Row> = booking
        .entries
        .as_slice()
        .iter()
        .map(|e| Row {
            kind: e.account.kind(),
            vendor_id: e.account.vendor().map(|v| v.uuid()),
            amount_minor: e.amount_minor,
            vendor_order_id: e.vendor_order.map(|v| v.uuid()),
        })
        .collect();
    let rows: Value = serde_json::to_value(rows).map_err(|e| sqlx::Error::Encode(e.into()))?;
    let id = LedgerTransactionId::new();
    sqlx::query!("select pg_advisory_xact_lock_shared($1)", LOCK).execute(&mut *tx).await?;
    sqlx::query!(
        "insert into ledger_accounts (kind, vendor_id, currency)
         select distinct r.kind, r.vendor_id, $2 from jsonb_to_recordset($1) as r (kind text, vendor_id uuid)
         where not exists (select 1 from ledger_accounts a
                           where a.kind = r.kind and (a.vendor_id = r.vendor_id or a.vendor_id is null and r.vendor_id is null) and a.currency = $2)
         order by 1, 2 on conflict do nothing",
        rows,
        booking.currency.code()
    )
    .execute(&mut *tx)
    .await?;
    let booked = sqlx::query!(
        "with made as (
             insert into ledger_transactions (id, cause, cause_id, step, currency, order_id, reverses, memo, actor_id, at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce($11, now()))
             on conflict on constraint ledger_transactions_cause_key do nothing returning id
         )
         insert into ledger_entries (transaction_id, account_id, amount_minor, vendor_order_id)
         select made.id, a.id, r.amount_minor, r.vendor_order_id
         from made, jsonb_to_recordset($10) as r (kind text, vendor_id uuid, amount_minor bigint, vendor_order_id uuid)
         join ledger_accounts a on a.kind = r.kind and (a.vendor_id = r.vendor_id or a.vendor_id is null and r.vendor_id is null) and a.currency = $5",
        id.uuid(),
        booking.cause.as_str(),
        booking.id,
        booking.step,
        booking.currency.code(),
        booking.order.map(|o| o.uuid()),
        booking.reverses.map(|r| r.uuid()),
        booking.memo,
        booking.actor.map(|a| a.uuid()),
        rows,
        at
    )
    .execute(tx)
    .await?;
    Ok((booked.rows_affected() > 0).then_some(id))
}

/// What an account holds now, in minor units: debits less credits, zero for one that nothing was ever booked on.
pub async fn balance(db: impl PgExecutor<'_>, account: Account, currency: Currency) -> sqlx::Result<i64> {
    let found = sqlx::query_scalar!(
        r#"select ledger_balance(id) as "balance!" from ledger_accounts
           where kind = $1 and (vendor_id = $2 or vendor_id is null and $2::uuid is null) and currency = $3"#,
        account.kind(),
        account.vendor().map(|v| v.uuid()),
        currency.code()
    )
    .fetch_optional(db)
    .await?;
    Ok(found.unwrap_or(0))
}

/// Writes down what every account holds now, so that later balances are sums over less. Waits for those who are booking.
pub async fn snapshot(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock($1)", LOCK).execute(&mut *tx).await?;
    sqlx::query!(
        "insert into ledger_snapshots (account_id, through_entry, balance_minor)
         select a.id, coalesce((select max(id) from ledger_entries), 0), ledger_balance(a.id) from ledger_accounts a
         on conflict (account_id) do update
             set through_entry = excluded.through_entry, balance_minor = excluded.balance_minor, taken_at = now()"
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// [`snapshot`], unless one was taken in the last hour or there is nothing new. It does not queue for the lock: those who book later would
/// wait behind it, and may hold what those who book now wait for. Where somebody is booking, the next run tries again.
pub async fn snapshot_hourly(pool: &PgPool) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    let due = sqlx::query_scalar!(
        r#"select not exists (select 1 from ledger_snapshots where taken_at > now() - interval '1 hour')
              and coalesce((select max(id) from ledger_entries), 0) > coalesce((select max(through_entry) from ledger_snapshots), 0)
              as "due!""#
    )
    .fetch_one(&mut *tx)
    .await?;
    let alone = sqlx::query_scalar!(r#"select pg_try_advisory_xact_lock($1) as "alone!""#, LOCK);
    if due && alone.fetch_one(&mut *tx).await? {
        snapshot(&mut tx).await?;
    }
    tx.commit().await
}
