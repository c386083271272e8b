//! Reading Stripe's entries: of each balance what is new since the last time, day by day, so that a run that breaks off goes on where it
//! was. What was read before is read past.

use super::gateway::{self, Entry};
use crate::{ids::ReconciliationId, server::state::App};
use serde::Serialize;
use time::{Duration, OffsetDateTime};

/// How much is read again, for entries that Stripe shows late.
const OVERLAP: Duration = Duration::DAY;
/// How much is asked for at once.
const STEP: Duration = Duration::DAY;

/// Reads what is new of our balance and of every vendor's account.
pub async fn read(app: &App, run: ReconciliationId) -> anyhow::Result<()> {
    let mut balances = vec![(String::new(), first_payment(app).await?)];
    let accounts = sqlx::query!(
        r#"select stripe_account_id as "account!", created_at from vendor_accounts where stripe_account_id is not null order by vendor_id"#
    )
    .fetch_all(&app.pool)
    .await?;
    balances.extend(accounts.into_iter().map(|a| (a.account, a.created_at)));
    for (account, since) in balances {
        one(app, run, &account, since).await?;
    }
    Ok(())
}

/// From when on there is anything to read.
async fn first_payment(app: &App) -> sqlx::Result<OffsetDateTime> {
    let first = sqlx::query_scalar!(
        "select min(created_at) from payments where state in ('paid', 'surplus') and stripe_intent_id is not null"
    )
    .fetch_one(&app.pool)
    .await?;
    Ok(first.unwrap_or_else(OffsetDateTime::now_utc))
}

async fn one(app: &App, run: ReconciliationId, account: &str, since: OffsetDateTime) -> anyhow::Result<()> {
    let through =
        sqlx::query_scalar!("select through from stripe_read where account = $1", account).fetch_optional(&app.pool).await?;
    let now = OffsetDateTime::now_utc();
    let mut from = through.unwrap_or(since) - OVERLAP;
    loop {
        // The last step has no end: Stripe's clock need not be ours.
        let until = Some(from + STEP).filter(|until| *until < now - OVERLAP);
        let mut after: Option<String> = None;
        loop {
            let (entries, more) = gateway::entries(app, account, from, until, after.as_deref()).await?;
            after = entries.last().map(|e| e.id.clone());
            keep(app, run, account, entries).await?;
            if !more || after.is_none() {
                break;
            }
        }
        sqlx::query!(
            "insert into stripe_read (account, through) values ($1, $2)
             on conflict (account) do update set through = greatest(stripe_read.through, excluded.through)",
            account,
            until.unwrap_or(now)
        )
        .execute(&app.pool)
        .await?;
        match until {
            Some(until) => from = until,
            None => return Ok(()),
        }
    }
}

/// One entry as the statement below reads it.
#[derive(Serialize)]
struct Row {
    id: String,
    kind: String,
    amount_minor: i64,
    fee_minor: i64,
    currency: String,
    touches: Option<&'static str>,
    reference: Option<String>,
    description: String,
    created_at: i64,
}

async fn keep(app: &App, run: ReconciliationId, account: &str, entries: Vec<Entry>) -> sqlx::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let rows: Vec<Row> = entries
        .into_iter()
        .map(|e| {
            let (touches, reference) = e.source.map_or((None, None), |(touches, id)| (Some(touches.as_str()), Some(id)));
            Row {
                id: e.id,
                kind: e.kind,
                amount_minor: e.amount_minor,
                fee_minor: e.fee_minor,
                currency: e.currency,
                touches,
                reference,
                description: e.description,
                created_at: e.created_at.unix_timestamp(),
            }
        })
        .collect();
    let rows = serde_json::to_value(rows).map_err(|e| sqlx::Error::Encode(e.into()))?;
    sqlx::query!(
        "with new as (
             insert into stripe_entries (id, account, kind, amount_minor, fee_minor, currency, touches, reference, description, created_at, read_by)
             select e.id, $2, e.kind, e.amount_minor, e.fee_minor, e.currency, e.touches, e.reference, e.description,
                    to_timestamp(e.created_at), $3
             from jsonb_to_recordset($1) as e (id text, kind text, amount_minor bigint, fee_minor bigint, currency text, touches text,
                 reference text, description text, created_at bigint)
             on conflict (id) do nothing returning 1
         )
         update reconciliations set entries = entries + (select count(*) from new)::int where id = $3",
        rows,
        account,
        run.uuid()
    )
    .execute(&app.pool)
    .await?;
    Ok(())
}
