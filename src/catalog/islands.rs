//! What of the catalogue is interactive in the browser: the search in the header, and choosing a variant.

mod picker;
mod search;

pub use picker::VariantPicker;
pub use search::SearchBox;
