//! What a shop says of itself and how it ships, with the limits of each.

use crate::{
    money::{Currency, Money},
    post::Days,
    texts,
};
use time::Date;

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
    /// The company or person behind a shop, as invoices name it.
    LegalName: line, 0, 120;
    /// A line of its address.
    LegalLine: line, 0, 120;
    LegalCity: line, 0, 80;
    LegalPostalCode: line, 0, 20;
    /// What a shop says while it is on holiday.
    HolidayMessage: paragraphs, 0, 500;
);

/// A number for VAT as its country writes it, without spaces: `GB123456789`. Empty: none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VatNumber(String);

impl VatNumber {
    /// The most characters that may be typed, spaces included.
    pub const MAX: u32 = 30;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no VAT number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("4 to 20 letters and digits, such as GB123456789")]
pub struct BadVatNumber;

impl std::str::FromStr for VatNumber {
    type Err = BadVatNumber;

    fn from_str(text: &str) -> Result<Self, BadVatNumber> {
        let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '.' | '-')).collect::<String>().to_uppercase();
        let good = plain.is_empty() || (4..=20).contains(&plain.len()) && plain.bytes().all(|b| b.is_ascii_alphanumeric());
        if good { Ok(Self(plain)) } else { Err(BadVatNumber) }
    }
}

/// What stands on a shop's invoices beside its name and country.
#[derive(Debug, Clone)]
pub struct LegalDraft {
    pub name: LegalName,
    pub line1: LegalLine,
    pub line2: LegalLine,
    pub city: LegalCity,
    pub postal_code: LegalPostalCode,
    pub vat_number: VatNumber,
}

/// What a vendor says of its shop.
#[derive(Debug, Clone)]
pub struct ShopDraft {
    pub name: ShopName,
    pub tagline: Tagline,
    pub description: About,
}

/// The most days from the first to the last of a holiday.
pub const LONGEST_HOLIDAY: i64 = 366;

/// When a shop's goods cannot be bought: days in UTC, the last one included.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Holiday {
    pub from: Date,
    pub until: Date,
    /// Plain text in paragraphs; may be empty.
    pub message: String,
}

/// A holiday, as it shall be.
#[derive(Debug, Clone)]
pub struct HolidayDraft {
    pub from: Date,
    pub until: Date,
    pub message: HolidayMessage,
}

/// Why nothing of a shop can be bought: the same words on its pages, in the cart, at the checkout and for programs.
pub fn holiday_sentence(shop: &str, until: Date) -> String {
    format!("{shop} is on holiday until {}. Its goods can be bought again after that.", day_words(until))
}

/// `3 December 2026`
pub fn day_words(day: Date) -> String {
    format!("{} {} {}", day.day(), day.month(), day.year())
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
    fn a_vat_number_is_kept_without_what_people_write_between() {
        let read = |text: &str| text.parse::<VatNumber>().map(|n| n.0);
        assert_eq!(read(" gb 123 4567-89"), Ok("GB123456789".into()));
        assert_eq!(read("  "), Ok(String::new()));
        assert_eq!(read("AB1"), Err(BadVatNumber));
        assert_eq!(read("ÄÖ123456"), Err(BadVatNumber));
    }

    #[test]
    fn waiting_is_told_in_the_unit_that_matters() {
        assert_eq!([0, 1, 30, 48, 200].map(age), ["under an hour", "1 hour", "30 hours", "2 days", "8 days"]);
    }
}
