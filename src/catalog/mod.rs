//! Owns products, variants, stock levels, pictures, categories, lists and search.

pub mod islands;
pub mod limits;

#[cfg(feature = "ssr")]
pub mod editing;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod pictures;
