//! What the operator reads: everything. Each function takes the proof that an operator asks. Lists are paged by keyset,
//! newest first, and read one row more than a page to know whether there is another.

mod machinery;
mod shop;

pub use machinery::*;
pub use shop::*;

/// Rows of one page.
pub const PAGE: i64 = 50;

/// A page of rows, and whether there are more.
pub struct Rows<T> {
    pub rows: Vec<T>,
    pub more: bool,
}

impl<T> From<Vec<T>> for Rows<T> {
    fn from(mut rows: Vec<T>) -> Self {
        let more = rows.len() > PAGE as usize;
        rows.truncate(PAGE as usize);
        Self { rows, more }
    }
}
