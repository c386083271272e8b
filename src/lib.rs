//! Souk: a multi-vendor marketplace. Slices by domain noun; `server` and `sandbox` at the one end, `ui` at the other.
#![recursion_limit = "512"]

pub mod error;
pub mod ids;
pub mod money;
pub mod post;
pub mod text;
pub mod ui;

pub mod accounts;
pub mod cart;
pub mod catalog;
pub mod checkout;
pub mod coupons;
pub mod figures;
pub mod live;
pub mod operator;
pub mod orders;
pub mod payments;
pub mod vendors;

#[cfg(feature = "ssr")]
pub mod about;
#[cfg(feature = "ssr")]
pub mod audit;
#[cfg(feature = "ssr")]
pub mod demo;
#[cfg(feature = "ssr")]
pub mod disputes;
#[cfg(feature = "ssr")]
pub mod documents;
#[cfg(feature = "ssr")]
pub mod imports;
#[cfg(feature = "ssr")]
pub mod ledger;
#[cfg(feature = "ssr")]
pub mod messages;
#[cfg(feature = "ssr")]
pub mod payouts;
#[cfg(feature = "ssr")]
pub mod promotions;
#[cfg(feature = "ssr")]
pub mod prove;
#[cfg(feature = "ssr")]
pub mod reconciliation;
#[cfg(feature = "ssr")]
pub mod replay;
#[cfg(feature = "ssr")]
pub mod returns;
#[cfg(feature = "ssr")]
pub mod sandbox;
#[cfg(feature = "ssr")]
pub mod server;
#[cfg(feature = "ssr")]
pub mod shopper;
#[cfg(feature = "ssr")]
pub mod stall;

/// The browser's entry: islands hydrate themselves, one by one, called from `public/boot.js`.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
