//! Owns the books: accounts, transactions, entries, and what follows from them; and the rules of what the market keeps of a sale. It
//! never talks to Stripe and decides nothing: what happened is told to it in the transaction that made it true.

pub mod book;
pub mod commission;
pub mod corrections;
pub mod disputes;
pub mod explain;
pub mod model;
pub mod reading;
pub mod refunds;
pub mod rules;
pub mod sales;
pub mod what_if;

pub use book::{balance, book, book_at, snapshot};

use crate::server::state::App;

/// All that was paid and is in no book yet, what went back of it, and what Stripe kept: before somebody compares the books with others.
/// Ends when there is nothing left that can be booked; Stripe is asked about each payment once.
pub async fn catch_up(app: &App) -> anyhow::Result<()> {
    while sales::catch_up(app).await? > 0 {}
    crate::payments::catch_up(&app.pool).await?;
    while crate::payments::learn_fees(app).await? > 0 {}
    Ok(())
}

/// The sweeper's part: what was paid and never booked comes into the books, and every hour the balances are written down.
pub async fn sweep(app: &App) -> anyhow::Result<()> {
    if sales::catch_up(app).await? > 0 {
        // What went back of them comes after them.
        crate::payments::catch_up(&app.pool).await?;
    }
    book::snapshot_hourly(&app.pool).await?;
    Ok(())
}
