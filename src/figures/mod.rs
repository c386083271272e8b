//! Owns a vendor's figures by day: what it sold, gave back and showed, kept so that they are read as fast after a million sales as
//! after ten. The tables write down what changes them (`migrations/0037_figures.sql`); here it is added up, compared and drawn.

pub mod model;

#[cfg(feature = "ssr")]
pub mod fold;
#[cfg(any(feature = "ssr", feature = "desk"))]
pub mod islands;
#[cfg(feature = "ssr")]
pub mod page_views;
#[cfg(feature = "ssr")]
pub mod views;

#[cfg(feature = "ssr")]
pub use fold::sweep;
