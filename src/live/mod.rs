//! Owns what an open dashboard is told: that something happened to an order, a shelf, a payout of its vendor. It knows no rule of
//! theirs; the tables tell it (`migrations/0036_live.sql`), and the page shows how things are now.

pub mod model;

#[cfg(feature = "ssr")]
pub mod hub;
#[cfg(any(feature = "ssr", feature = "desk"))]
pub mod islands;
#[cfg(feature = "ssr")]
pub mod stream;
