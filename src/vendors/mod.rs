//! Owns shops within the shop: applications, approval, shipping methods.

#[cfg(feature = "ssr")]
pub mod pages;

/// The sections of the dashboard: address and label.
pub const DESK: &[(&str, &str)] =
    &[("/vendor", "Today"), ("/vendor/products", "Products"), ("/vendor/orders", "Orders"), ("/vendor/sales", "Sold")];
