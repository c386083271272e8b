//! The payout run: who is due is decided under the lock of the vendor's account, written down with its day, and sent by a job. Several
//! nodes may run it at once: a day is decided once.

use super::{
    accounts::lock,
    bank, gateway,
    model::{AccountState, Standing, Turn, Wait, decide},
    queries,
    settings::settings,
    settle::settle_vendor,
};
use crate::{
    audit,
    ids::{PayoutId, UserId, VendorId},
    server::state::App,
};
use serde_json::json;
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

/// How many vendors one run looks at.
const PER_RUN: i64 = 200;

/// A vendor with what it would be paid, or why not.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub vendor: VendorId,
    pub name: String,
    pub owed_minor: i64,
    pub decision: Result<i64, Wait>,
}

/// Pays those whose day it is at `now`; answers how many payouts were booked.
pub async fn run_due(app: &App, now: OffsetDateTime) -> anyhow::Result<usize> {
    let due = sqlx::query_scalar!(
        r#"select vendor_id as "vendor: VendorId" from vendor_accounts where payouts_enabled and next_payout_on <= $1
           order by next_payout_on, vendor_id limit $2"#,
        now.date(),
        PER_RUN
    )
    .fetch_all(&app.pool)
    .await?;
    run(app, due, Turn::Scheduled, None, now).await
}

/// Pays everybody who can be paid at `now`, whatever their days; answers how many payouts were booked. `by` started it; `None`: the command
/// line.
pub async fn run_everybody(app: &App, by: Option<UserId>, now: OffsetDateTime) -> anyhow::Result<usize> {
    let all = sqlx::query_scalar!(
        r#"select vendor_id as "vendor: VendorId" from vendor_accounts where payouts_enabled order by vendor_id"#
    )
    .fetch_all(&app.pool)
    .await?;
    run(app, all, Turn::Everybody, by, now).await
}

async fn run(app: &App, vendors: Vec<VendorId>, turn: Turn, by: Option<UserId>, now: OffsetDateTime) -> anyhow::Result<usize> {
    let mut booked = 0;
    for vendor in vendors {
        match pay(app, vendor, turn, by, now).await {
            Ok(done) => booked += usize::from(done),
            Err(error) => tracing::warn!(%vendor, error = format!("{error:#}"), "a vendor could not be paid; it is tried again"),
        }
    }
    Ok(booked)
}

/// Decides one vendor's payout. Stripe is asked before, in no transaction; what it said can only make the payout smaller.
async fn pay(app: &App, vendor: VendorId, turn: Turn, by: Option<UserId>, now: OffsetDateTime) -> anyhow::Result<bool> {
    settle_vendor(app, vendor).await?;
    let (mut before, account) = {
        let mut db = app.pool.acquire().await?;
        standing(app, &mut db, vendor).await?
    };
    if decide(&before, turn, now).is_ok()
        && let Some(account) = &account
    {
        before.at_stripe = Some(gateway::available(app, account, app.config.currency).await?);
    }

    let mut tx = app.pool.begin().await?;
    lock(&mut tx, vendor).await?;
    let (mut it, account) = standing(app, &mut tx, vendor).await?;
    it.at_stripe = before.at_stripe;
    let today = now.date();
    if turn == Turn::Scheduled && it.next_payout_on > today {
        // Another node was quicker.
        return Ok(false);
    }
    let decision = match decide(&it, turn, now) {
        // It became due between the two looks, so that Stripe was not asked: the next run does.
        Ok(_) if it.at_stripe.is_none() => return Ok(false),
        decision => decision,
    };
    if turn == Turn::Scheduled {
        let next = match decision {
            // Stripe lets go of it in a day or two; a month would be long.
            Err(Wait::NotAvailable(_)) => today + Duration::DAY,
            _ => it.settings.schedule.after(today),
        };
        sqlx::query!("update vendor_accounts set next_payout_on = $2 where vendor_id = $1", vendor.uuid(), next)
            .execute(&mut *tx)
            .await?;
    }
    let booked = match (decision, account) {
        (Ok(amount), Some(account)) => {
            let id = PayoutId::new();
            sqlx::query!(
                "insert into payouts (id, vendor_id, amount_minor, currency, stripe_account_id, period, idempotency_key, bank)
                 select $1, $2, $3, $4, $5, $6, $7, bank from vendor_accounts where vendor_id = $2",
                id.uuid(),
                vendor.uuid(),
                amount,
                app.config.currency.code(),
                account,
                (turn == Turn::Scheduled).then_some(it.next_payout_on),
                format!("souk-payout-{id}")
            )
            .execute(&mut *tx)
            .await?;
            let because = match turn {
                Turn::Scheduled => "its day",
                Turn::Everybody => "started by hand",
            };
            let detail = json!({ "vendor": vendor, "amount": amount, "because": because });
            audit::record(&mut tx, by, "payout.booked", ("payout", id), detail).await?;
            bank::send_later(&mut *tx, id).await?;
            true
        }
        _ => false,
    };
    tx.commit().await?;
    Ok(booked)
}

/// Everything that decides about a vendor but what Stripe has available, and its account there.
async fn standing(app: &App, db: &mut PgConnection, vendor: VendorId) -> sqlx::Result<(Standing, Option<String>)> {
    let settings = settings(app, db, vendor).await?;
    let row = sqlx::query!(
        r#"select v.status = 'approved' as "open!", c.stripe_account_id as "account?", coalesce(c.payouts_enabled, false) as "enabled!",
                  c.stopped_at is not null as "stopped!", c.next_payout_on as "next?",
                  exists (select 1 from payouts p where p.vendor_id = v.id and p.state in ('booked', 'sent')) as "on_the_way!",
                  (select t.at from ledger_accounts a join ledger_entries e on e.account_id = a.id
                   join ledger_transactions t on t.id = e.transaction_id
                   where a.vendor_id = v.id and a.kind = 'vendor_pending' and a.currency = $2 order by e.id limit 1) as first_sale
           from vendors v left join vendor_accounts c on c.vendor_id = v.id where v.id = $1"#,
        vendor.uuid(),
        app.config.currency.code()
    )
    .fetch_one(&mut *db)
    .await?;
    let balances = queries::balances(&mut *db, vendor, app.config.currency).await?;
    let account = match (&row.account, row.enabled) {
        (None, _) => AccountState::None,
        (Some(_), false) => AccountState::Unfinished,
        (Some(_), true) => AccountState::Ready,
    };
    let standing = Standing {
        open: row.open,
        account,
        on_the_way: row.on_the_way,
        stopped: row.stopped,
        first_sale: row.first_sale,
        next_payout_on: row.next.unwrap_or_else(|| settings.schedule.on_or_after(OffsetDateTime::now_utc().date())),
        balances,
        settings,
        at_stripe: None,
    };
    Ok((standing, row.account))
}

/// Every vendor that is owed something, or owes, with what a run at `now` would do: nothing is written. Stripe is asked what it has
/// available of those who would be paid.
pub async fn look(app: &App, turn: Turn, now: OffsetDateTime) -> anyhow::Result<Vec<Candidate>> {
    let mut found = Vec::new();
    for (vendor, name) in queries::with_money(&app.pool, app.config.currency).await? {
        let (mut it, account) = {
            let mut db = app.pool.acquire().await?;
            standing(app, &mut db, vendor).await?
        };
        let mut decision = decide(&it, turn, now);
        if let (Ok(_), Some(account)) = (&decision, &account) {
            it.at_stripe = Some(gateway::available(app, account, app.config.currency).await?);
            decision = decide(&it, turn, now);
        }
        found.push(Candidate { vendor, name, owed_minor: it.balances.owed(), decision });
    }
    Ok(found)
}

/// How the vendor's next payout stands: when, and what keeps it back, if anything does. Stripe is not asked.
pub async fn outlook(app: &App, vendor: VendorId, now: OffsetDateTime) -> sqlx::Result<(Standing, Result<i64, Wait>)> {
    let mut db = app.pool.acquire().await?;
    let (standing, _) = standing(app, &mut db, vendor).await?;
    // Everybody's rules but the day, which is told beside it.
    let decision = decide(&standing, Turn::Everybody, now);
    Ok((standing, decision))
}
