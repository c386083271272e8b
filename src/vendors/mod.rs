//! Owns shops within the shop: what they say of themselves, how they ship, and the vendor's desk. Who may sell is
//! decided in `application`, by the operator alone.

pub mod model;

#[cfg(feature = "ssr")]
pub mod application;
#[cfg(feature = "ssr")]
pub mod applying;
#[cfg(feature = "ssr")]
pub mod desk;
#[cfg(feature = "ssr")]
pub mod home;
#[cfg(any(feature = "ssr", feature = "desk"))]
pub mod islands;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod queries;
#[cfg(feature = "ssr")]
pub mod rest;

/// The sections of the dashboard: address and label.
pub const DESK: &[(&str, &str)] = &[
    ("/vendor", "Today"),
    ("/vendor/products", "Products"),
    ("/vendor/orders", "Orders"),
    ("/vendor/returns", "Returns"),
    ("/vendor/disputes", "Disputes"),
    ("/vendor/sales", "Sold"),
    ("/vendor/payouts", "Payouts"),
    ("/vendor/statements", "Statements"),
    ("/vendor/promotions", "Promotions"),
    ("/vendor/coupons", "Coupons"),
    ("/vendor/documents", "Documents"),
    ("/vendor/shop", "Shop"),
];
