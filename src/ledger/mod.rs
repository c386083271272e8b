//! Owns the books: accounts, transactions, entries, and what follows from them. It never talks to Stripe and decides nothing: what
//! happened is told to it in the transaction that made it true.

pub mod book;
pub mod model;
pub mod refunds;

pub use book::{balance, book, snapshot};
