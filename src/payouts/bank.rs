//! Payouts: from a vendor's account at Stripe to its bank. Booked by `run`, asked for by a job, and read back from Stripe, which says
//! days later whether the bank took it.

use super::{
    accounts::lock,
    gateway::{self, PayoutStanding},
    letters,
    model::PayoutState,
    settle::level_later,
};
use crate::{
    audit,
    ids::{PayoutId, VendorId},
    ledger::{
        self,
        model::{Account, Booking, Cause, Entries},
    },
    money::{Currency, Money},
    payments::GatewayError,
    server::{
        jobs::{self, Job},
        state::App,
    },
};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgExecutor};

/// The job of one payout never waits twice.
pub(super) async fn send_later(db: impl PgExecutor<'_>, payout: PayoutId) -> sqlx::Result<()> {
    jobs::enqueue(db, &Job::Payout { payout }, Some(&format!("payout:{payout}"))).await
}

/// Asks Stripe for a booked payout, or how one that was sent stands, and writes the answer down. Safe to repeat.
pub async fn payout(app: &App, id: PayoutId) -> anyhow::Result<()> {
    let row = sqlx::query!(
        r#"select state as "state: PayoutState", amount_minor, currency as "currency: Currency", stripe_account_id, idempotency_key,
                  stripe_payout_id from payouts where id = $1"#,
        id.uuid()
    )
    .fetch_one(&app.pool)
    .await?;
    let answer = match (&row.stripe_payout_id, row.state) {
        (Some(at_stripe), _) => gateway::payout(app, &row.stripe_account_id, at_stripe).await,
        (None, PayoutState::Booked) => {
            let new = gateway::NewPayout {
                id,
                account: &row.stripe_account_id,
                amount_minor: row.amount_minor,
                currency: row.currency,
                idempotency_key: &row.idempotency_key,
            };
            gateway::pay_out(app, new).await
        }
        (None, _) => return Ok(()),
    };
    match answer {
        Ok(truth) => note(app, id, &truth).await,
        Err(GatewayError::Refused { code, message, .. }) if row.state == PayoutState::Booked => {
            refused(app, id, &code, &message).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Reads a payout of an account from Stripe and writes down how it stands: what an event asks for. What is not ours is left to the
/// reconciliation.
pub async fn sync_payout(app: &App, account: &str, at_stripe: &str) -> anyhow::Result<()> {
    let ours = sqlx::query_scalar!("select 1 from vendor_accounts where stripe_account_id = $1", account)
        .fetch_optional(&app.pool)
        .await?;
    if ours.is_none() {
        return Ok(());
    }
    let truth = gateway::payout(app, account, at_stripe).await?;
    let known = sqlx::query_scalar!(
        r#"select id as "id: PayoutId" from payouts where stripe_account_id = $1 and (stripe_payout_id = $2 or id = $3)"#,
        account,
        at_stripe,
        truth.booked.map(PayoutId::uuid)
    )
    .fetch_optional(&app.pool)
    .await?;
    match known {
        Some(id) => note(app, id, &truth).await,
        None => {
            tracing::warn!(account, payout = at_stripe, "a payout was made elsewhere");
            Ok(())
        }
    }
}

struct Row {
    vendor: VendorId,
    state: PayoutState,
    amount_minor: i64,
    currency: Currency,
    bank: String,
}

impl Row {
    fn booking<'a>(&self, id: PayoutId, step: &'a str, debit: Account, credit: Account) -> Booking<'a> {
        let mut entries = Entries::default();
        entries.debit(debit, self.amount_minor, None).credit(credit, self.amount_minor, None);
        Booking::of(Cause::Payout, id.uuid(), step, self.currency, entries)
    }

    /// Into the audit log, as Stripe's word: what became of it.
    async fn note(&self, tx: &mut PgConnection, id: PayoutId, state: PayoutState, mut detail: Value) -> sqlx::Result<()> {
        detail["vendor"] = json!(self.vendor);
        detail["amount"] = json!(self.amount_minor);
        detail["by"] = json!("Stripe");
        audit::record(tx, None, &format!("payout.{}", state.as_str()), ("payout", id), detail).await
    }
}

/// Locks the vendor's account and reads the payout under it.
async fn locked(tx: &mut PgConnection, id: PayoutId) -> sqlx::Result<Row> {
    let vendor = sqlx::query_scalar!(r#"select vendor_id as "vendor: VendorId" from payouts where id = $1"#, id.uuid())
        .fetch_one(&mut *tx)
        .await?;
    lock(tx, vendor).await?;
    sqlx::query_as!(
        Row,
        r#"select vendor_id as "vendor: VendorId", state as "state: PayoutState", amount_minor, currency as "currency: Currency", bank
           from payouts where id = $1"#,
        id.uuid()
    )
    .fetch_one(tx)
    .await
}

/// Writes down and books how a payout stands. What Stripe said may be older than what is written, so that every step compares: booked,
/// sent, paid or failed, and from paid to returned; never back.
async fn note(app: &App, id: PayoutId, truth: &gateway::Payout) -> anyhow::Result<()> {
    let mut tx = app.pool.begin().await?;
    let mut row = locked(&mut tx, id).await?;
    let vendor = row.vendor;
    if row.state == PayoutState::Booked {
        set(&mut tx, id, PayoutState::Sent, truth).await?;
        let booking = row.booking(id, "sent", Account::PayoutsInTransit(vendor), Account::Connected(vendor));
        ledger::book(&mut tx, booking).await?;
        row.note(&mut tx, id, PayoutState::Sent, json!({})).await?;
        row.state = PayoutState::Sent;
    }
    let end = match (row.state, truth.standing) {
        (PayoutState::Sent, PayoutStanding::Paid) => {
            let booking = row.booking(id, "paid", Account::VendorPayable(vendor), Account::PayoutsInTransit(vendor));
            Some((PayoutState::Paid, booking))
        }
        (PayoutState::Sent, PayoutStanding::Failed) => {
            let booking = row.booking(id, "failed", Account::Connected(vendor), Account::PayoutsInTransit(vendor));
            Some((PayoutState::Failed, booking))
        }
        // A bank may take money and send it back days later.
        (PayoutState::Paid, PayoutStanding::Failed) => {
            let booking = row.booking(id, "returned", Account::Connected(vendor), Account::VendorPayable(vendor));
            Some((PayoutState::Returned, booking))
        }
        _ => None,
    };
    if let Some((state, booking)) = end {
        set(&mut tx, id, state, truth).await?;
        ledger::book(&mut tx, booking).await?;
        row.note(&mut tx, id, state, json!({ "code": truth.failure_code })).await?;
        if state != PayoutState::Paid {
            stop(app, &mut tx, &row, (truth.failure_code.as_deref(), truth.failure.as_deref())).await?;
        }
        level_later(&mut *tx, vendor).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn set(tx: &mut PgConnection, id: PayoutId, state: PayoutState, truth: &gateway::Payout) -> sqlx::Result<()> {
    sqlx::query!(
        "update payouts set state = $2, stripe_payout_id = coalesce(stripe_payout_id, $3), arrives_on = coalesce($4, arrives_on),
                failure_code = $5, failure = $6,
                settled_at = case when $2 in ('paid', 'failed', 'returned') then now() end
         where id = $1",
        id.uuid(),
        state.as_str(),
        truth.id,
        truth.arrives_on,
        truth.failure_code,
        truth.failure
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Stripe does not take the payout at all: nothing was sent, nothing is to be booked.
async fn refused(app: &App, id: PayoutId, code: &str, message: &str) -> anyhow::Result<()> {
    tracing::warn!(payout = %id, code, message, "Stripe refuses a payout");
    let mut tx = app.pool.begin().await?;
    let row = locked(&mut tx, id).await?;
    if row.state == PayoutState::Booked {
        sqlx::query!(
            "update payouts set state = 'failed', failure_code = $2, failure = $3, settled_at = now() where id = $1",
            id.uuid(),
            code,
            message
        )
        .execute(&mut *tx)
        .await?;
        row.note(&mut tx, id, PayoutState::Failed, json!({ "code": code })).await?;
        // There was less than Stripe had told a moment before: nothing that the vendor could mend.
        if code != "balance_insufficient" {
            stop(app, &mut tx, &row, (Some(code), Some(message))).await?;
        }
        level_later(&mut *tx, row.vendor).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Nothing more is paid until the vendor has done something; it is told what.
async fn stop(app: &App, tx: &mut PgConnection, row: &Row, why: (Option<&str>, Option<&str>)) -> sqlx::Result<()> {
    sqlx::query!("update vendor_accounts set stopped_at = now() where vendor_id = $1", row.vendor.uuid())
        .execute(&mut *tx)
        .await?;
    let amount = Money::new(row.amount_minor, row.currency);
    letters::payout_failed(app, tx, row.vendor, amount, &row.bank, (why.0.unwrap_or_default(), why.1.unwrap_or_default())).await
}
