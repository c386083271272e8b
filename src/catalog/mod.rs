//! Owns products, variants, stock levels, pictures, categories, lists and search. Never takes money and never sends a parcel.

pub mod actions;
pub mod islands;
pub mod limits;
pub mod model;
pub mod slug;

#[cfg(feature = "ssr")]
mod card;
#[cfg(feature = "ssr")]
pub mod editing;
#[cfg(feature = "ssr")]
pub mod export;
#[cfg(feature = "ssr")]
pub mod filter;
#[cfg(feature = "ssr")]
pub mod import;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod pictures;
#[cfg(feature = "ssr")]
pub mod queries;
#[cfg(feature = "ssr")]
pub mod rest;

#[cfg(feature = "ssr")]
pub use card::{Card, CardGrid};
