//! Presentational components: they know HTML, labels and errors, and no slice.

mod blocks;
mod form;

pub use blocks::*;
pub use form::*;
