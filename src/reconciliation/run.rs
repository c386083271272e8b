//! A run: read what is new at Stripe, compare, and see at the end whether both hold the same in all. Each night one, by whichever node comes
//! first; any that breaks off goes on where it was.

use super::{compare::compare, gateway, read::read};
use crate::{
    ids::{ReconciliationId, UserId},
    ledger::{self, model::Account},
    money::Currency,
    server::{
        auth::Operator,
        jobs::{self, Job},
        state::App,
    },
};
use anyhow::Context;
use time::OffsetDateTime;

/// When the night's run begins, in hours after midnight (UTC): the day before is whole at Stripe by then.
const HOUR: u8 = 2;

fn key(run: ReconciliationId) -> String {
    format!("reconcile:{run}")
}

/// Begins this night's run, where it is time and nobody has. Nothing before there is anything in the books.
pub async fn nightly(app: &App, now: OffsetDateTime) -> anyhow::Result<()> {
    let now = now.to_offset(time::UtcOffset::UTC);
    if now.hour() < HOUR {
        return Ok(());
    }
    let mut tx = app.pool.begin().await?;
    let run = sqlx::query_scalar!(
        r#"insert into reconciliations (id, night)
           select $1, $2 where exists (select 1 from ledger_transactions) and not exists (select 1 from reconciliations where night = $2)
           on conflict on constraint reconciliations_night_key do nothing returning id as "id: ReconciliationId""#,
        ReconciliationId::new().uuid(),
        now.date()
    )
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(run) = run {
        jobs::enqueue(&mut *tx, &Job::Reconcile { run }, Some(&key(run))).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Begins a run because an operator wants one.
pub async fn ask(app: &App, by: &Operator) -> sqlx::Result<()> {
    let mut tx = app.pool.begin().await?;
    let run = begin(&mut tx, Some(by.id())).await?;
    jobs::enqueue(&mut *tx, &Job::Reconcile { run }, Some(&key(run))).await?;
    tx.commit().await
}

/// A run that nobody has enqueued.
pub(super) async fn begin(db: &mut sqlx::PgConnection, by: Option<UserId>) -> sqlx::Result<ReconciliationId> {
    let run = ReconciliationId::new();
    sqlx::query!("insert into reconciliations (id, asked_by) values ($1, $2)", run.uuid(), by.map(UserId::uuid))
        .execute(db)
        .await?;
    Ok(run)
}

/// Carries a run out. Safe to repeat; one that is done is left alone.
pub async fn reconcile(app: &App, run: ReconciliationId) -> anyhow::Result<()> {
    let state = sqlx::query_scalar!("select state from reconciliations where id = $1", run.uuid()).fetch_one(&app.pool).await?;
    if state == "done" {
        return Ok(());
    }
    let done = carry_out(app, run).await;
    if let Err(error) = &done {
        let why: String = format!("{error:#}").chars().take(500).collect();
        sqlx::query!("update reconciliations set failure = $2 where id = $1 and state <> 'done'", run.uuid(), why)
            .execute(&app.pool)
            .await?;
    }
    done
}

async fn carry_out(app: &App, run: ReconciliationId) -> anyhow::Result<()> {
    // What was paid and is in no book yet would be found as a difference, and is none: a demo that was just sown, a database from before
    // there were books.
    ledger::catch_up(app).await.context("the books are behind")?;
    read(app, run).await.context("Stripe's entries could not be read")?;
    let differences = compare(app, run, app.config.sweep_after).await?;
    let currency = app.config.currency;
    let stripe = gateway::held(app, currency).await?;
    let cash = cash(app, currency).await?;
    sqlx::query!(
        "update reconciliations set state = 'done', ended_at = now(), differences = $2, cash_minor = $3, stripe_minor = $4, failure = null
         where id = $1 and state <> 'done'",
        run.uuid(),
        i32::try_from(differences).unwrap_or(i32::MAX),
        cash,
        stripe
    )
    .execute(&app.pool)
    .await?;
    if differences > 0 || cash != stripe {
        tracing::warn!(%run, differences, cash, stripe, "the books and Stripe differ");
    }
    Ok(())
}

/// What Stripe holds for us by the books, without what the demo has made up and Stripe does not know.
async fn cash(app: &App, currency: Currency) -> anyhow::Result<i64> {
    let made_up = sqlx::query_scalar!(
        r#"select coalesce(sum(e.amount_minor), 0)::bigint as "sum!"
           from ledger_entries e join ledger_accounts a on a.id = e.account_id and a.kind = 'cash' and a.currency = $1
           join ledger_transactions t on t.id = e.transaction_id
           where not exists (select 1 from stripe_entries s where s.cause_id = t.cause_id)
             and ((t.cause = 'payment' and t.cause_id in (select id from payments where stripe_intent_id like 'pi\_demo\_%'))
               or (t.cause = 'refund' and t.cause_id in (select id from refunds where stripe_refund_id like 're\_demo\_%')))"#,
        currency.code()
    )
    .fetch_one(&app.pool)
    .await?;
    Ok(ledger::balance(&app.pool, Account::Cash, currency).await? - made_up)
}
