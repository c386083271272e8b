//! Components of order pages.
