//! What a shop says of itself and how it ships, with the limits of each.

use crate::{
    money::{Currency, Money},
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

/// How long a parcel takes, in working days: from 0 to 60 at best, to 90 at worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    least: i32,
    most: i32,
}

/// Why two numbers of days are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadDays {
    #[error("Write a whole number of days, from 0 to 60.")]
    Least,
    #[error("Write a whole number of days, up to 90 and not less than the shortest.")]
    Most,
}

impl Days {
    pub fn parse(least: &str, most: &str) -> Result<Self, BadDays> {
        let number = |text: &str| text.trim().parse::<i32>().ok();
        let least = number(least).filter(|n| (0..=60).contains(n)).ok_or(BadDays::Least)?;
        let most = number(most).filter(|n| (least..=90).contains(n)).ok_or(BadDays::Most)?;
        Ok(Self { least, most })
    }

    pub fn least(self) -> i32 {
        self.least
    }

    pub fn most(self) -> i32 {
        self.most
    }
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
    fn days_are_in_order_and_in_reach() {
        assert_eq!(Days::parse("2", " 4 "), Ok(Days { least: 2, most: 4 }));
        assert_eq!(Days::parse("0", "0"), Ok(Days { least: 0, most: 0 }));
        for (least, most, bad) in [
            ("4", "2", BadDays::Most),
            ("-1", "2", BadDays::Least),
            ("61", "62", BadDays::Least),
            ("1", "91", BadDays::Most),
            ("", "1", BadDays::Least),
            ("1", "soon", BadDays::Most),
        ] {
            assert_eq!(Days::parse(least, most), Err(bad));
        }
    }

    #[test]
    fn waiting_is_told_in_the_unit_that_matters() {
        assert_eq!([0, 1, 30, 48, 200].map(age), ["under an hour", "1 hour", "30 hours", "2 days", "8 days"]);
    }
}
