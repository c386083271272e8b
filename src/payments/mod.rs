//! Owns payments, refunds, the webhook inbox and the sweeper.

#[cfg(feature = "ssr")]
mod settle;
#[cfg(feature = "ssr")]
pub mod webhook;

#[cfg(feature = "ssr")]
pub use settle::{expire_session, refund, sweep};
