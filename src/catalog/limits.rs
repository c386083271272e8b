//! The limits of what a vendor writes and a shopper looks for, stated once: the form, the server functions, the import and
//! REST all come through here, and the columns of the database say the same.

use crate::texts;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// The most options a product has (`Size`, `Colour`, `Cut`).
pub const MAX_OPTIONS: usize = 3;
/// The most variants of one product that are for sale at a time.
pub const MAX_VARIANTS: usize = 100;
/// The most pictures of one product.
pub const MAX_PICTURES: i64 = 12;
/// The most characters of a search; what is longer is cut.
pub const SEARCH_MAX: usize = 200;

texts!(
    /// The title of a product.
    Title: line, 1, 200;
    /// The description of a product; plain text in paragraphs.
    Description: paragraphs, 0, 10_000;
    /// A vendor's own number for a variant; unique within the vendor.
    Sku: line, 1, 64;
    /// `Size`
    OptionName: line, 1, 40;
    /// `Large`
    OptionValue: line, 1, 60;
    /// What a picture shows, for those who do not see it.
    AltText: line, 0, 200;
);

impl AltText {
    /// Not described yet.
    pub fn empty() -> Self {
        Self(String::new())
    }
}

/// Units on hand: 0 to 10,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct StockLevel(i32);

/// Why a number of units is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Write a whole number from 0 to 10,000,000.")]
pub struct BadStock;

impl StockLevel {
    pub const MAX: i32 = 10_000_000;

    pub fn units(self) -> i32 {
        self.0
    }
}

impl TryFrom<i64> for StockLevel {
    type Error = BadStock;
    fn try_from(units: i64) -> Result<Self, BadStock> {
        i32::try_from(units).ok().filter(|n| (0..=Self::MAX).contains(n)).map(Self).ok_or(BadStock)
    }
}

impl From<StockLevel> for i64 {
    fn from(level: StockLevel) -> i64 {
        level.0.into()
    }
}

/// Reads what a person types: `12`, `1,200`.
impl FromStr for StockLevel {
    type Err = BadStock;
    fn from_str(text: &str) -> Result<Self, BadStock> {
        let digits: String = text.trim().chars().filter(|c| *c != ',').collect();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BadStock);
        }
        digits.parse::<i64>().map_err(|_| BadStock)?.try_into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_is_a_whole_number() {
        assert_eq!("1,200".parse(), Ok(StockLevel(1200)));
        for bad in ["", "-1", "1.5", "ten", "10000001", "99999999999999999999"] {
            assert_eq!(bad.parse::<StockLevel>(), Err(BadStock), "{bad:?}");
        }
    }
}
