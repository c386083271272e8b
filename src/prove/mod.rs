//! Owns the proof that the laws hold: `souk verify` counts violations in a database as it is.

pub mod cli;
mod laws;

pub use laws::{Finding, verify};
