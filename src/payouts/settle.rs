//! Levelling: Stripe's side of a vendor's money follows what the vendor can be paid. Each step is a row before Stripe hears of it, one at a
//! time for a vendor, and is booked when Stripe has answered; the network is asked in no transaction.

use super::{
    accounts::lock,
    gateway,
    model::{Move, level},
    queries,
};
use crate::{
    audit,
    ids::{OrderId, TransferId, TransferReversalId, VendorId, VendorOrderId},
    ledger::{
        self,
        model::{Account, Booking, Cause, Entries},
    },
    money::Currency,
    payments::GatewayError,
    server::{
        jobs::{self, Job},
        state::App,
    },
};
use serde_json::json;
use sqlx::{PgConnection, PgExecutor};

/// How many steps one job takes; what is left is for the next one.
const PER_JOB: usize = 40;

/// Has a vendor's money levelled soon. Call it in the transaction that changes what the vendor is owed.
pub async fn level_later(db: impl PgExecutor<'_>, vendor: VendorId) -> sqlx::Result<()> {
    jobs::enqueue(db, &Job::SettleVendor { vendor }, Some(&format!("settle:{vendor}"))).await
}

/// Brings `Connected + PayoutsInTransit` of a vendor to what it can be paid: by transfers of what is missing, or by taking back what is too
/// much, as far as it is still there. Safe at any time and any number of times; without an enabled account nothing moves.
pub async fn settle_vendor(app: &App, vendor: VendorId) -> anyhow::Result<()> {
    for _ in 0..PER_JOB {
        let moved = match next(app, vendor).await? {
            None => return Ok(()),
            Some(Step::Transfer(id)) => transfer(app, id).await?,
            Some(Step::Reverse(id)) => reverse(app, id).await?,
        };
        if !moved {
            // Stripe said no; the sweeper tries again later, when there may be more in our balance or in the vendor's.
            return Ok(());
        }
    }
    level_later(&app.pool, vendor).await?;
    Ok(())
}

enum Step {
    Transfer(TransferId),
    Reverse(TransferReversalId),
}

/// The step that is to be taken: the one that was begun and not ended, or a new one, which is a row from here on.
async fn next(app: &App, vendor: VendorId) -> sqlx::Result<Option<Step>> {
    let mut tx = app.pool.begin().await?;
    let Some(account) = lock(&mut tx, vendor).await? else { return Ok(None) };
    let Some(stripe_account_id) = account.stripe_account_id else { return Ok(None) };
    if let Some(id) = sqlx::query_scalar!(
        r#"select id as "id: TransferId" from transfers where vendor_id = $1 and state = 'asked'"#,
        vendor.uuid()
    )
    .fetch_optional(&mut *tx)
    .await?
    {
        return Ok(Some(Step::Transfer(id)));
    }
    if let Some(id) = sqlx::query_scalar!(
        r#"select id as "id: TransferReversalId" from transfer_reversals where vendor_id = $1 and state = 'asked'"#,
        vendor.uuid()
    )
    .fetch_optional(&mut *tx)
    .await?
    {
        return Ok(Some(Step::Reverse(id)));
    }
    if !account.payouts_enabled {
        return Ok(None);
    }
    let booked = queries::booked(&mut tx, vendor).await?;
    let balances = queries::balances(&mut *tx, vendor, app.config.currency).await?;
    let step = match level(&balances, booked) {
        None => None,
        Some(Move::Transfer(amount)) => {
            Some(Step::Transfer(ask_transfer(&mut tx, vendor, &stripe_account_id, amount, app.config.currency).await?))
        }
        Some(Move::Reverse(amount)) => ask_reversal(&mut tx, vendor, amount).await?.map(Step::Reverse),
    };
    tx.commit().await?;
    Ok(step)
}

/// Writes down the next transfer: for the parcel that was released last and has none, of what that is worth; the rest is for no parcel in
/// particular.
async fn ask_transfer(
    tx: &mut PgConnection,
    vendor: VendorId,
    account: &str,
    missing: i64,
    currency: Currency,
) -> sqlx::Result<TransferId> {
    let parcel = sqlx::query!(
        r#"select v.id as "id: VendorOrderId", o.number, x.due as "due!"
           from vendor_orders v join orders o on o.id = v.order_id
           join lateral (select -sum(e.amount_minor)::bigint as due from ledger_entries e join ledger_accounts a on a.id = e.account_id
                         where e.vendor_order_id = v.id and a.kind = 'vendor_payable' and a.currency = $2) x on x.due > 0
           where v.vendor_id = $1 and v.released_at is not null
             and not exists (select 1 from transfers t where t.vendor_order_id = v.id and t.state <> 'failed')
           order by v.released_at desc, v.id desc limit 1"#,
        vendor.uuid(),
        currency.code()
    )
    .fetch_optional(&mut *tx)
    .await?;
    let id = TransferId::new();
    let group = parcel.as_ref().map_or_else(String::new, |p| format!("order_{}", p.number));
    sqlx::query!(
        "insert into transfers (id, vendor_id, vendor_order_id, amount_minor, currency, stripe_account_id, transfer_group, idempotency_key)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        id.uuid(),
        vendor.uuid(),
        parcel.as_ref().map(|p| p.id.uuid()),
        parcel.as_ref().map_or(missing, |p| p.due.min(missing)),
        currency.code(),
        account,
        group,
        format!("souk-transfer-{id}")
    )
    .execute(tx)
    .await?;
    Ok(id)
}

/// Writes down the next reversal: of the youngest transfer of which something is left. `None` where nothing is.
async fn ask_reversal(tx: &mut PgConnection, vendor: VendorId, surplus: i64) -> sqlx::Result<Option<TransferReversalId>> {
    let from = sqlx::query!(
        r#"select t.id as "id: TransferId", x.rest as "rest!" from transfers t
           join lateral (select t.amount_minor - coalesce(sum(r.amount_minor), 0)::bigint as rest from transfer_reversals r
                         where r.transfer_id = t.id and r.state <> 'failed') x on x.rest > 0
           where t.vendor_id = $1 and t.state = 'made' order by t.created_at desc, t.id desc limit 1"#,
        vendor.uuid()
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(from) = from else { return Ok(None) };
    let id = TransferReversalId::new();
    sqlx::query!(
        "insert into transfer_reversals (id, transfer_id, vendor_id, amount_minor, idempotency_key) values ($1, $2, $3, $4, $5)",
        id.uuid(),
        from.id.uuid(),
        vendor.uuid(),
        from.rest.min(surplus),
        format!("souk-reversal-{id}")
    )
    .execute(tx)
    .await?;
    Ok(Some(id))
}

/// Asks Stripe for a transfer that is written down, and books it. `false` where Stripe says no.
async fn transfer(app: &App, id: TransferId) -> anyhow::Result<bool> {
    let row = sqlx::query!(
        r#"select t.vendor_id as "vendor: VendorId", v.order_id as "order?: OrderId", t.amount_minor, t.currency as "currency: Currency",
                  t.stripe_account_id, t.transfer_group, t.idempotency_key
           from transfers t left join vendor_orders v on v.id = t.vendor_order_id where t.id = $1"#,
        id.uuid()
    )
    .fetch_one(&app.pool)
    .await?;
    let new = gateway::NewTransfer {
        id,
        account: &row.stripe_account_id,
        amount_minor: row.amount_minor,
        currency: row.currency,
        group: &row.transfer_group,
        idempotency_key: &row.idempotency_key,
    };
    let (made, failure) = answer(gateway::transfer(app, new).await)?;
    let mut tx = app.pool.begin().await?;
    let set = sqlx::query!(
        "update transfers set state = case when $2::text is null then 'failed' else 'made' end, stripe_transfer_id = $2, failure = $3,
                settled_at = now()
         where id = $1 and state = 'asked'",
        id.uuid(),
        made,
        failure
    )
    .execute(&mut *tx)
    .await?;
    if set.rows_affected() == 1 && made.is_some() {
        let mut entries = Entries::default();
        entries.debit(Account::Connected(row.vendor), row.amount_minor, None).credit(Account::Cash, row.amount_minor, None);
        let booking = Booking { order: row.order, ..Booking::of(Cause::Transfer, id.uuid(), "", row.currency, entries) };
        ledger::book(&mut tx, booking).await?;
        let detail = json!({ "vendor": row.vendor, "amount": row.amount_minor, "order": row.order });
        audit::record(&mut tx, None, "transfer.made", ("transfer", id), detail).await?;
    }
    tx.commit().await?;
    Ok(made.is_some())
}

/// As [`transfer`], back.
async fn reverse(app: &App, id: TransferReversalId) -> anyhow::Result<bool> {
    let row = sqlx::query!(
        r#"select r.vendor_id as "vendor: VendorId", v.order_id as "order?: OrderId", r.amount_minor, t.currency as "currency: Currency",
                  t.stripe_transfer_id as "transfer!", r.idempotency_key
           from transfer_reversals r join transfers t on t.id = r.transfer_id left join vendor_orders v on v.id = t.vendor_order_id
           where r.id = $1"#,
        id.uuid()
    )
    .fetch_one(&app.pool)
    .await?;
    let (made, failure) = answer(gateway::reverse(app, id, &row.transfer, row.amount_minor, &row.idempotency_key).await)?;
    let mut tx = app.pool.begin().await?;
    let set = sqlx::query!(
        "update transfer_reversals set state = case when $2::text is null then 'failed' else 'made' end, stripe_reversal_id = $2,
                failure = $3, settled_at = now()
         where id = $1 and state = 'asked'",
        id.uuid(),
        made,
        failure
    )
    .execute(&mut *tx)
    .await?;
    if set.rows_affected() == 1 && made.is_some() {
        let mut entries = Entries::default();
        entries.debit(Account::Cash, row.amount_minor, None).credit(Account::Connected(row.vendor), row.amount_minor, None);
        let booking = Booking { order: row.order, ..Booking::of(Cause::TransferReversal, id.uuid(), "", row.currency, entries) };
        ledger::book(&mut tx, booking).await?;
        let detail = json!({ "vendor": row.vendor, "amount": row.amount_minor, "order": row.order });
        audit::record(&mut tx, None, "transfer.reversed", ("transfer_reversal", id), detail).await?;
    }
    tx.commit().await?;
    Ok(made.is_some())
}

/// What to write down: Stripe's id, or why it says no. No answer is an error: the same is asked again.
fn answer(answer: Result<String, GatewayError>) -> anyhow::Result<(Option<String>, Option<String>)> {
    match answer {
        Ok(id) => Ok((Some(id), None)),
        Err(GatewayError::Refused { code, message, status }) => {
            tracing::warn!(status, code, message, "Stripe does not move a vendor's money");
            Ok((None, Some(if code.is_empty() { message } else { format!("{code}: {message}") })))
        }
        Err(away) => Err(away.into()),
    }
}
