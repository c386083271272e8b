//! Owns the comparison of the books with Stripe: every entry of Stripe's balances beside what the books say, each night and whenever it is
//! asked for. It books nothing by itself: where the two disagree a person decides.

pub mod cli;
mod compare;
mod decide;
mod gateway;
pub mod model;
pub mod queries;
mod read;
mod run;

pub use decide::{again, book, explain};
pub use run::{ask, nightly, reconcile};
