//! Owns carts, signed out and signed in.

#[cfg(feature = "ssr")]
pub mod pages;
