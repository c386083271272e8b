//! A vendor's account at Stripe: asked for once, opened by its owner on Stripe's own pages, and read back whenever Stripe says that it
//! has changed.

use super::{gateway, letters, settings::settings, settle};
use crate::{
    audit,
    error::{AppError, Refusal},
    ids::VendorId,
    payments::GatewayError,
    server::{auth::Owner, errors::internal, state::App},
};
use anyhow::Context;
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::OffsetDateTime;

/// What a person is told of Stripe's no.
fn told(error: GatewayError) -> AppError {
    match error {
        GatewayError::Refused { status, code, message } => {
            tracing::warn!(status, code, message, "Stripe refuses what a vendor asks for");
            AppError::field("", format!("Stripe says: {message}"))
        }
        away => {
            tracing::warn!(error = %away, "Stripe does not answer a vendor");
            Refusal::StripeUnavailable.into()
        }
    }
}

/// The address of Stripe's onboarding for this vendor. Its account is made on the way where there is none: the row comes first, so that a
/// double click, or a crash between asking and writing down, still makes one.
pub async fn set_up(app: &App, vendor: &Owner) -> Result<String, AppError> {
    let mut db = app.pool.acquire().await?;
    let first = settings(app, &mut db, vendor.id()).await?.schedule.on_or_after(OffsetDateTime::now_utc().date());
    sqlx::query!(
        "insert into vendor_accounts (vendor_id, idempotency_key, country, email, next_payout_on)
         select v.id, 'souk-account-' || v.id, v.country, u.email, $2 from vendors v join users u on u.id = v.owner_id where v.id = $1
         on conflict (vendor_id) do nothing",
        vendor.id().uuid(),
        first
    )
    .execute(&mut *db)
    .await?;
    let row = sqlx::query!(
        "select idempotency_key, country, email, stripe_account_id from vendor_accounts where vendor_id = $1",
        vendor.id().uuid()
    )
    .fetch_one(&mut *db)
    .await?;
    drop(db);
    let account = match row.stripe_account_id {
        Some(id) => id,
        None => {
            let new = gateway::NewAccount {
                vendor: vendor.id(),
                country: row.country,
                email: row.email,
                idempotency_key: row.idempotency_key,
            };
            let made = gateway::create_account(app, new).await.map_err(told)?;
            note(app, &made, Some(vendor.id())).await.map_err(|e| internal(format!("{e:#}")))?;
            made.id
        }
    };
    let base = format!("{}/vendor/payouts", app.config.base_url);
    gateway::onboarding_url(app, &account, &format!("{base}/refresh"), &format!("{base}/return")).await.map_err(told)
}

/// The address of the vendor's own pages at Stripe: its bank account, its papers.
pub async fn dashboard(app: &App, vendor: &Owner) -> Result<String, AppError> {
    let account = sqlx::query_scalar!("select stripe_account_id from vendor_accounts where vendor_id = $1", vendor.id().uuid())
        .fetch_optional(&app.pool)
        .await?
        .flatten()
        .ok_or(AppError::NotFound)?;
    gateway::dashboard_url(app, &account).await.map_err(told)
}

/// The vendor says that a payout which failed may be tried again: at the next run.
pub async fn try_again(app: &App, vendor: &Owner) -> sqlx::Result<bool> {
    let mut tx = app.pool.begin().await?;
    let done = sqlx::query!(
        "update vendor_accounts set stopped_at = null where vendor_id = $1 and stopped_at is not null",
        vendor.id().uuid()
    )
    .execute(&mut *tx)
    .await?;
    let done = done.rows_affected() == 1;
    if done {
        audit::record(&mut tx, Some(vendor.customer().id()), "payouts.resumed", ("vendor", vendor.id()), json!({})).await?;
    }
    tx.commit().await?;
    Ok(done)
}

/// Reads an account from Stripe and writes down how it stands; what is not ours is left alone.
pub async fn sync_account(app: &App, account: &str) -> anyhow::Result<()> {
    let known = sqlx::query_scalar!(
        r#"select vendor_id as "vendor: VendorId" from vendor_accounts where stripe_account_id = $1"#,
        account
    )
    .fetch_optional(&app.pool)
    .await?;
    match gateway::account(app, account).await {
        // An account whose id was never written down says itself whose it is.
        Ok(truth) => match known.or(truth.vendor) {
            Some(vendor) => note(app, &truth, Some(vendor)).await,
            None => Ok(()),
        },
        Err(error) => match (error, known) {
            (GatewayError::Refused { status: 401 | 403 | 404, .. }, Some(vendor)) => close(app, vendor, account).await,
            (error, _) => Err(error).context("reading an account"),
        },
    }
}

/// Its owner has left us: nothing can be sent there any more.
async fn close(app: &App, vendor: VendorId, account: &str) -> anyhow::Result<()> {
    let mut tx = app.pool.begin().await?;
    let was = lock(&mut tx, vendor).await?;
    sqlx::query!(
        "update vendor_accounts set charges_enabled = false, payouts_enabled = false, synced_at = now() where stripe_account_id = $1",
        account
    )
    .execute(&mut *tx)
    .await?;
    if was.is_some_and(|was| was.payouts_enabled) {
        note_change(&mut tx, vendor, account, "payout_account.closed", json!({ "reason": "its owner has left" })).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Into the audit log, as Stripe's word about the account of a vendor.
async fn note_change(
    tx: &mut PgConnection,
    vendor: VendorId,
    account: &str,
    action: &str,
    mut detail: Value,
) -> sqlx::Result<()> {
    detail["account"] = json!(account);
    detail["by"] = json!("Stripe");
    audit::record(tx, None, action, ("vendor", vendor), detail).await
}

/// As [`sync_account`], for the account of a vendor, if it has one.
pub async fn sync_account_of(app: &App, vendor: VendorId) -> anyhow::Result<()> {
    let account = sqlx::query_scalar!("select stripe_account_id from vendor_accounts where vendor_id = $1", vendor.uuid())
        .fetch_optional(&app.pool)
        .await?
        .flatten();
    match account {
        Some(account) => sync_account(app, &account).await,
        None => Ok(()),
    }
}

async fn note(app: &App, truth: &gateway::Account, vendor: Option<VendorId>) -> anyhow::Result<()> {
    let Some(vendor) = vendor else { return Ok(()) };
    let mut tx = app.pool.begin().await?;
    let Some(was) = lock(&mut tx, vendor).await? else { return Ok(()) };
    // One account for a vendor: another one that says it is this vendor's is not.
    if was.stripe_account_id.as_deref().is_some_and(|id| id != truth.id) {
        return Ok(());
    }
    let (bank_id, bank) = truth.bank.clone().map_or((None, String::new()), |(id, name)| (Some(id), name));
    let opens = truth.payouts_enabled && !was.payouts_enabled;
    let other_bank = bank_id.is_some() && bank_id != was.bank_id;
    sqlx::query!(
        "update vendor_accounts set stripe_account_id = $2, charges_enabled = $3, payouts_enabled = $4, details_submitted = $5,
                requirements_due = $6, disabled_reason = $7, bank_id = $8, bank = $9, synced_at = now(),
                -- another bank account is worth another try
                stopped_at = case when $10 then null else stopped_at end
         where vendor_id = $1",
        vendor.uuid(),
        truth.id,
        truth.charges_enabled,
        truth.payouts_enabled,
        truth.details_submitted,
        &truth.requirements_due,
        truth.disabled_reason,
        bank_id,
        bank,
        other_bank
    )
    .execute(&mut *tx)
    .await?;
    if was.stripe_account_id.is_none() {
        note_change(&mut tx, vendor, &truth.id, "payout_account.made", json!({})).await?;
    }
    if other_bank {
        note_change(&mut tx, vendor, &truth.id, "payout_account.bank_changed", json!({ "bank": bank })).await?;
    }
    if opens {
        note_change(&mut tx, vendor, &truth.id, "payout_account.opened", json!({})).await?;
        // The days that went by while it was closed are not paid late, one by one.
        let next = settings(app, &mut tx, vendor).await?.schedule.on_or_after(OffsetDateTime::now_utc().date());
        sqlx::query!(
            "update vendor_accounts set next_payout_on = greatest(next_payout_on, $2) where vendor_id = $1",
            vendor.uuid(),
            next
        )
        .execute(&mut *tx)
        .await?;
        settle::level_later(&mut *tx, vendor).await?;
    }
    if was.payouts_enabled && !truth.payouts_enabled {
        let detail = json!({ "reason": truth.disabled_reason });
        note_change(&mut tx, vendor, &truth.id, "payout_account.closed", detail).await?;
        letters::account_closed(app, &mut tx, vendor, truth).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// What the row of an account said before.
pub(super) struct Locked {
    pub stripe_account_id: Option<String>,
    pub payouts_enabled: bool,
    pub bank_id: Option<String>,
}

/// Locks the row of a vendor's account: whatever moves its money at Stripe starts so. `None` where it has none.
pub(super) async fn lock(tx: &mut PgConnection, vendor: VendorId) -> sqlx::Result<Option<Locked>> {
    sqlx::query_as!(
        Locked,
        "select stripe_account_id, payouts_enabled, bank_id from vendor_accounts where vendor_id = $1 for update",
        vendor.uuid()
    )
    .fetch_optional(tx)
    .await
}
