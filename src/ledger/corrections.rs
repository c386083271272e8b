//! What the operator books by hand. A mistake is never taken out of the books: another transaction puts it right, and says why.

use super::model::{Account, Booking, Cause, Entries};
use crate::{
    audit,
    error::AppError,
    money::Money,
    payouts,
    server::{auth::Operator, state::App},
    texts,
};
use serde_json::json;
use uuid::Uuid;

texts!(
    /// Why somebody booked by hand.
    Memo: line, 3, 500;
);

/// So much from one account to another, and why.
#[derive(Debug, Clone)]
pub struct Correction {
    /// One for each form that was shown: sent again, it books nothing.
    pub key: Uuid,
    pub debit: Account,
    pub credit: Account,
    /// Above zero.
    pub amount: Money,
    pub memo: Memo,
}

/// Books a correction; `false` where the same form was sent before.
pub async fn correct(app: &App, by: &Operator, correction: &Correction) -> Result<bool, AppError> {
    let Correction { key, debit, credit, amount, memo } = correction;
    let mut entries = Entries::default();
    entries.debit(*debit, amount.minor, None).credit(*credit, amount.minor, None);
    let booking = Booking {
        memo: memo.as_str(),
        actor: Some(by.id()),
        ..Booking::of(Cause::Correction, *key, "", amount.currency, entries)
    };
    let mut tx = app.pool.begin().await?;
    let booked = super::book(&mut tx, booking).await?;
    if let Some(id) = booked {
        let detail = json!({
            "debit": debit.kind(), "debit_vendor": debit.vendor(), "credit": credit.kind(), "credit_vendor": credit.vendor(),
            "amount": amount.minor, "currency": amount.currency, "memo": memo.as_str(),
        });
        audit::record(&mut tx, Some(by.id()), "correction.booked", ("ledger_transaction", id), detail).await?;
    }
    for vendor in [debit.vendor(), credit.vendor()].into_iter().flatten() {
        payouts::level_later(&mut *tx, vendor).await?;
    }
    tx.commit().await?;
    Ok(booked.is_some())
}
