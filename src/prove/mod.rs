//! Owns the proof that the laws hold: `souk verify` counts violations in a database as it is; `souk prove` makes a database and a
//! crowd of its own, does to them what must not matter, and counts then.

pub mod cli;
pub mod crash;
mod judge;
mod laws;
pub mod money;
pub mod node;
pub mod oversell;
pub mod stand;

pub use laws::{Finding, verify};
