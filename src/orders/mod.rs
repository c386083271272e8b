//! Owns orders, vendor orders, stock holds, shipments and their timeline. It never moves money: that is `payments`.

#[cfg(feature = "ssr")]
pub mod export;
#[cfg(feature = "ssr")]
pub mod history;
#[cfg(feature = "ssr")]
mod holds;
#[cfg(feature = "ssr")]
pub mod model;
#[cfg(feature = "ssr")]
pub mod own;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod pasted;
#[cfg(feature = "ssr")]
pub mod queries;
#[cfg(feature = "ssr")]
pub mod rest;
#[cfg(feature = "ssr")]
mod ship;
#[cfg(feature = "ssr")]
mod timeline;
#[cfg(feature = "ssr")]
mod token;
#[cfg(feature = "ssr")]
mod vendor_queries;
#[cfg(feature = "ssr")]
mod views;

#[cfg(feature = "ssr")]
pub use holds::{release_holds, retake_holds, return_taken, take_holds};
#[cfg(feature = "ssr")]
pub use queries::derive_statuses;
#[cfg(feature = "ssr")]
pub use ship::{Carrier, Tracking, ship};
#[cfg(feature = "ssr")]
pub use timeline::record;
#[cfg(feature = "ssr")]
pub use token::{order_token, order_url};
#[cfg(feature = "ssr")]
pub use views::{TrackingNumber, label};
