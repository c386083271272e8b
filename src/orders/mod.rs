//! Owns orders, vendor orders, shipments and their timeline.

#[cfg(feature = "ssr")]
pub mod pages;
