//! Owns products, variants, stock levels, pictures, categories, lists and search.

pub mod islands;

#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod pictures;
