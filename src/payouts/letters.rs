//! The mails of being paid: into the outbox in the transaction that made them true.

use super::{
    gateway,
    model::{disabled_words, failure_words, requirement_words},
};
use crate::{
    ids::VendorId,
    money::Money,
    server::{
        mail::{self, Mail},
        state::App,
    },
};
use sqlx::PgConnection;

async fn to_vendor(
    app: &App,
    tx: &mut PgConnection,
    vendor: VendorId,
    subject: String,
    paragraphs: Vec<String>,
) -> sqlx::Result<()> {
    let to =
        sqlx::query_scalar!("select u.email from vendors v join users u on u.id = v.owner_id where v.id = $1", vendor.uuid())
            .fetch_one(&mut *tx)
            .await?;
    let link = Some(("See your payouts".to_owned(), format!("{}/vendor/payouts", app.config.base_url)));
    mail::enqueue(tx, &Mail { to, subject, paragraphs, link }).await?;
    Ok(())
}

/// A payout did not arrive, or the bank sent it back: what happened, what was kept, and what to do.
pub async fn payout_failed(
    app: &App,
    tx: &mut PgConnection,
    vendor: VendorId,
    amount: Money,
    bank: &str,
    truth: (&str, &str),
) -> sqlx::Result<()> {
    let bank = if bank.is_empty() { "your bank account".to_owned() } else { bank.to_owned() };
    let text = vec![
        format!("We tried to pay you {amount}, and {bank} did not take it."),
        failure_words(truth.0, truth.1),
        "The money is safe: it is back in your balance. Once you have given another bank account, or pressed “Try again” on your page of \
         payouts, it goes out with the next payout."
            .to_owned(),
    ];
    to_vendor(app, tx, vendor, format!("Your payout of {amount} did not arrive"), text).await
}

/// Stripe has closed an account for payouts that was open.
pub async fn account_closed(app: &App, tx: &mut PgConnection, vendor: VendorId, truth: &gateway::Account) -> sqlx::Result<()> {
    let mut text = vec![
        "Stripe, which pays you for us, has paused your payouts. Your sales go on, and your money waits for you.".to_owned(),
    ];
    text.push(disabled_words(truth.disabled_reason.as_deref().unwrap_or_default()).to_owned());
    let due = requirement_words(&truth.requirements_due);
    if !due.is_empty() {
        text.push(format!("Stripe needs: {}.", due.join("; ")));
    }
    to_vendor(app, tx, vendor, "Your payouts are paused".to_owned(), text).await
}
