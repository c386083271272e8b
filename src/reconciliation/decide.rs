//! What a person makes of a difference: has the suggestion booked, says why it is none, or has Stripe asked once more what it was.

use super::{
    compare::compare,
    model::{Difference, DifferenceState, Explanation},
    queries,
};
use crate::{
    audit, disputes,
    error::{AppError, Refusal},
    ids::DifferenceId,
    ledger::{
        self,
        corrections::Memo,
        model::{Account, Booking, Cause, Entries},
    },
    payments, payouts,
    server::{auth::Operator, errors::internal, state::App},
};
use serde_json::json;
use sqlx::PgConnection;
use std::time::Duration;

/// Takes a difference that nobody has decided, and says what became of it; `AlreadyDecided` where somebody was quicker.
async fn decide(
    tx: &mut PgConnection,
    by: &Operator,
    id: DifferenceId,
    state: DifferenceState,
    note: &str,
) -> Result<(), AppError> {
    let set = sqlx::query!(
        "update reconciliation_differences set state = $2, note = $3, decided_by = $4, decided_at = now() where id = $1 and state = 'open'",
        id.uuid(),
        state.as_str(),
        note,
        by.id().uuid()
    )
    .execute(tx)
    .await?;
    match set.rows_affected() {
        0 => Err(Refusal::AlreadyDecided.into()),
        _ => Ok(()),
    }
}

/// Books what was suggested, as a correction with this reason. What is booked is what the page showed: `amount` is that, and `Stale` where a
/// later run has found another.
///
/// # Errors
/// `Invalid` at `memo`; `NotFound`, `AlreadyDecided`, `Stale`.
pub async fn book(app: &App, by: &Operator, id: DifferenceId, amount_minor: i64, memo: &str) -> Result<(), AppError> {
    let memo: Memo = memo.parse().map_err(|e: crate::text::BadText| AppError::field("memo", e.to_string()))?;
    let mut tx = app.pool.begin().await?;
    queries::difference(&mut *tx, by, id).await?;
    decide(&mut tx, by, id, DifferenceState::Booked, memo.as_str()).await?;
    // Read once more: now nobody can change it.
    let difference = queries::difference(&mut *tx, by, id).await?;
    if difference.amount().minor != amount_minor {
        return Err(Refusal::Stale.into());
    }
    let side = |kind: &str, vendor| Account::of(kind, vendor).ok_or_else(|| internal(format!("no account {kind}")));
    let debit = side(&difference.debit, difference.debit_vendor)?;
    let credit = side(&difference.credit, difference.credit_vendor)?;
    let mut entries = Entries::default();
    entries.debit(debit, amount_minor, None).credit(credit, amount_minor, None);
    let booking = Booking {
        order: difference.order,
        memo: memo.as_str(),
        actor: Some(by.id()),
        ..Booking::of(Cause::Correction, id.uuid(), "", difference.currency, entries)
    };
    ledger::book(&mut tx, booking).await?;
    let detail = json!({
        "debit": difference.debit, "debit_vendor": difference.debit_vendor, "credit": difference.credit,
        "credit_vendor": difference.credit_vendor, "amount": amount_minor, "currency": difference.currency, "memo": memo.as_str(),
    });
    audit::record(&mut tx, Some(by.id()), "difference.booked", ("difference", id), detail).await?;
    for vendor in [debit, credit].into_iter().filter_map(Account::vendor) {
        payouts::level_later(&mut *tx, vendor).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Says why nothing is to be booked. Found again as it is, it stays explained.
pub async fn explain(app: &App, by: &Operator, id: DifferenceId, why: &str) -> Result<(), AppError> {
    let why: Explanation = why.parse().map_err(|e: crate::text::BadText| AppError::field("why", e.to_string()))?;
    let mut tx = app.pool.begin().await?;
    queries::difference(&mut *tx, by, id).await?;
    decide(&mut tx, by, id, DifferenceState::Explained, why.as_str()).await?;
    audit::record(&mut tx, Some(by.id()), "difference.explained", ("difference", id), json!({ "why": why.as_str() })).await?;
    tx.commit().await?;
    Ok(())
}

/// Has the slice whose matter it is read the truth from Stripe, as a webhook would have, and compares anew. `true` where the two agree now.
pub async fn again(app: &App, by: &Operator, id: DifferenceId) -> Result<bool, AppError> {
    let mut db = app.pool.acquire().await?;
    let difference = queries::difference(&mut *db, by, id).await?;
    drop(db);
    if difference.state != DifferenceState::Open {
        return Err(Refusal::AlreadyDecided.into());
    }
    read(app, &difference).await?;
    compare(app, difference.run, Duration::ZERO).await?;
    let note = format!("read from Stripe for {}", by.customer().name());
    let mut tx = app.pool.begin().await?;
    let gone = sqlx::query!("update reconciliation_differences set note = $2 where id = $1 and state = 'gone'", id.uuid(), note)
        .execute(&mut *tx)
        .await?;
    let gone = gone.rows_affected() == 1;
    // What was booked by it has its own entries; this one says who had it read.
    let detail = json!({ "agrees": gone });
    audit::record(&mut tx, Some(by.id()), "difference.read_anew", ("difference", id), detail).await?;
    tx.commit().await?;
    Ok(gone)
}

async fn read(app: &App, difference: &Difference) -> Result<(), AppError> {
    let of = difference.cause.as_deref().or(difference.touches.as_deref()).unwrap_or_default();
    let at_stripe = match (difference.cause_id, &difference.reference) {
        (Some(row), _) => sqlx::query_scalar!(
            r#"select case $1 when 'payment' then (select stripe_intent_id from payments where id = $2)
                              when 'refund' then (select p.stripe_intent_id from refunds r join payments p on p.id = r.payment_id where r.id = $2)
                              when 'dispute' then (select stripe_dispute_id from disputes where id = $2)
                              when 'payout' then (select stripe_payout_id from payouts where id = $2) end"#,
            of,
            row
        )
        .fetch_one(&app.pool)
        .await?,
        (None, reference) => reference.clone(),
    };
    let Some(at_stripe) = at_stripe else { return Ok(()) };
    match of {
        "payment" => payments::read_anew(app, &at_stripe).await?,
        // A refund of ours is known by its payment's intent, one that we do not know by its own id.
        "refund" if difference.cause_id.is_some() => payments::sync_refunds(app, &at_stripe).await?,
        "refund" => payments::sync_refund(app, &at_stripe).await?,
        "dispute" => disputes::sync_dispute(app, &at_stripe).await?,
        "payout" if !difference.account.is_empty() => payouts::sync_payout(app, &difference.account, &at_stripe).await?,
        _ => {}
    }
    Ok(())
}
