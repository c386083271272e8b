//! Owns the log of every change to money and permissions: written in the transaction of the change, only added to, chained by hashes.
//! It judges nothing, and nothing is decided by what stands in it.

mod chain;
pub mod cli;
mod entry;
pub mod queries;
mod record;
mod verify;

pub use chain::chain;
pub use record::record;
pub use verify::{Flaw, Verdict, verify};
