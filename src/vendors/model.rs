//! What a shop says of itself and how it ships, with the limits of each.

use crate::{
    money::{Currency, Money},
    post::Days,
    texts,
};

/// The currency in which vendors price and ship.
pub const CURRENCY: Currency = Currency::GBP;
/// The most ways in which one vendor ships.
pub const MAX_METHODS: i64 = 8;

texts!(
    /// The name over a shop's door.
    ShopName: line, 2, 80;
    /// One line about a shop.
    Tagline: line, 0, 160;
    /// A shop's own page; plain text in paragraphs.
    About: paragraphs, 0, 5000;
    /// `Standard`, `By bicycle`
    MethodName: line, 1, 80;
);

/// What a vendor says of its shop.
#[derive(Debug, Clone)]
pub struct ShopDraft {
    pub name: ShopName,
    pub tagline: Tagline,
    pub description: About,
}

/// How a vendor ships, as it shall be.
#[derive(Debug, Clone)]
pub struct MethodDraft {
    pub name: MethodName,
    pub price: Money,
    /// Goods of this vendor worth at least this ship free; `None`: never.
    pub free_over: Option<Money>,
    pub days: Days,
}

/// `3 hours`, `2 days`: how long something has been waiting, in the largest unit that says enough.
pub fn age(hours: i64) -> String {
    match hours {
        ..=0 => "under an hour".into(),
        1 => "1 hour".into(),
        2..=47 => format!("{hours} hours"),
        _ => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_told_in_the_unit_that_matters() {
        assert_eq!([0, 1, 30, 48, 200].map(age), ["under an hour", "1 hour", "30 hours", "2 days", "8 days"]);
    }
}
