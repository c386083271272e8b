//! Owns what becomes of a vendor's money once it is earned: its release, the vendor's account at Stripe, transfers there and back, payouts
//! to the vendor's bank, and statements. It decides nothing about orders, and books everything in `ledger`.

mod accounts;
mod bank;
pub mod cli;
mod gateway;
mod letters;
pub mod model;
pub mod pages;
pub mod queries;
mod release;
pub mod rest;
mod run;
pub mod settings;
mod settle;
pub mod statement;
mod sweep;

pub use accounts::{set_up, sync_account, sync_account_of, try_again};
pub use bank::{payout, sync_payout};
pub use release::{Deliverer, delivered, release_due};
pub use run::{Candidate, look, run_due, run_everybody};
pub use settle::{level_later, settle_vendor};
pub use statement::statement;
pub use sweep::sweep;
