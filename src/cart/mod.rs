//! Owns carts, signed out and signed in: what is in them, what became of it, and what it would cost.
//! It never takes stock and never promises a price: that is the checkout's.

pub mod actions;
pub mod islands;
pub mod model;

#[cfg(feature = "ssr")]
mod cookie;
#[cfg(feature = "ssr")]
mod merge;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod queries;
#[cfg(feature = "ssr")]
pub mod rest;
#[cfg(feature = "ssr")]
mod service;
#[cfg(feature = "ssr")]
mod views;

#[cfg(feature = "ssr")]
pub use cookie::CartCookie;
#[cfg(feature = "ssr")]
pub use merge::{clear_after_order, merge_at_sign_in};
#[cfg(feature = "ssr")]
use service::own_line;
#[cfg(feature = "ssr")]
pub use service::{Changed, accept_price, add, add_all, clear, count, in_words, remove, set_quantity, view};
