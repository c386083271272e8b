//! Owns coupons: who made one, what it takes off which goods, who pays for that, and every use of it. It never makes or changes an
//! order: `checkout` asks what a code offers and makes the claim, and the database gives it back when the order comes to nothing.

pub mod model;

#[cfg(feature = "ssr")]
mod claims;
#[cfg(feature = "ssr")]
pub mod form;
#[cfg(feature = "ssr")]
pub mod queries;
#[cfg(feature = "ssr")]
pub mod views;

#[cfg(feature = "ssr")]
pub use claims::{claim, lock, offered, person, retake};
