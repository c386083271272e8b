//! Owns turning a cart into an order and a payment.

#[cfg(feature = "ssr")]
pub mod pages;
