//! Owns turning a cart into an order with its stock held. It never takes money: it hands the order to `payments`.

pub mod actions;
pub mod islands;
pub mod model;

#[cfg(feature = "ssr")]
mod form;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
mod place;
#[cfg(feature = "ssr")]
mod queries;
#[cfg(feature = "ssr")]
pub mod rest;
#[cfg(feature = "ssr")]
pub mod rush;
#[cfg(feature = "ssr")]
mod views;

#[cfg(feature = "ssr")]
pub use place::{CheckoutRequest, Placed, place};
