//! Owns shops within the shop: what they say of themselves, how they ship, and the vendor's desk. It never decides who
//! may sell; that is the operator's.

pub mod model;

#[cfg(feature = "ssr")]
pub mod desk;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod queries;

/// The sections of the dashboard: address and label.
pub const DESK: &[(&str, &str)] = &[
    ("/vendor", "Today"),
    ("/vendor/products", "Products"),
    ("/vendor/orders", "Orders"),
    ("/vendor/sales", "Sold"),
    ("/vendor/shop", "Shop"),
];
