//! The limits of what a vendor writes, stated once: the form, the server functions, the import and REST all come through
//! these types, and the columns of the database say the same.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The most options a product has (`Size`, `Colour`, `Cut`).
pub const MAX_OPTIONS: usize = 3;
/// The most variants of one product that are for sale at a time.
pub const MAX_VARIANTS: usize = 100;
/// The most pictures of one product.
pub const MAX_PICTURES: i64 = 12;

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    #[error("Please fill this in.")]
    Empty,
    #[error("At most {0} characters, please.")]
    TooLong(usize),
    #[error("This contains characters that cannot be kept.")]
    Unprintable,
}

/// Trims, refuses control characters (PostgreSQL keeps no NUL), counts characters as the database does.
fn clean(text: &str, least: usize, most: usize, lines: bool) -> Result<String, BadText> {
    let text = text.trim().replace("\r\n", "\n");
    if text.chars().any(|c| c.is_control() && !(lines && matches!(c, '\n' | '\t'))) {
        return Err(BadText::Unprintable);
    }
    match text.chars().count() {
        n if n < least => Err(BadText::Empty),
        n if n > most => Err(BadText::TooLong(most)),
        _ => Ok(text),
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $least:literal to $most:literal, lines: $lines:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// In characters.
            pub const MAX: u32 = $most;

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = BadText;
            fn from_str(text: &str) -> Result<Self, BadText> {
                clean(text, $least, $most, $lines).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadText;
            fn try_from(text: String) -> Result<Self, BadText> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

texts! {
    /// The title of a product.
    Title: 1 to 200, lines: false;
    /// The description of a product; plain text in paragraphs.
    Description: 0 to 10000, lines: true;
    /// A vendor's own number for a variant; unique within the vendor.
    Sku: 1 to 64, lines: false;
    /// `Size`
    OptionName: 1 to 40, lines: false;
    /// `Large`
    OptionValue: 1 to 60, lines: false;
    /// What a picture shows, for those who do not see it.
    AltText: 0 to 200, lines: false;
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

/// The readable part of an address, from a title: `Crème brûlée dish, 12 cm` → `creme-brulee-dish-12-cm`.
/// At most 80 characters. Empty where nothing of the title can be written in Latin letters or digits.
pub fn slug_from(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        let piece = match c {
            'a'..='z' | '0'..='9' => {
                slug.push(c);
                continue;
            }
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => "a",
            'ç' | 'ć' | 'č' => "c",
            'ď' | 'đ' | 'ð' => "d",
            'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
            'ğ' => "g",
            'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' => "i",
            'ł' | 'ľ' | 'ĺ' => "l",
            'ñ' | 'ń' | 'ň' => "n",
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' => "o",
            'ŕ' | 'ř' => "r",
            'ś' | 'š' | 'ş' | 'ș' => "s",
            'ť' | 'ţ' | 'ț' => "t",
            'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
            'ý' | 'ÿ' => "y",
            'ź' | 'ž' | 'ż' => "z",
            'ß' => "ss",
            'æ' => "ae",
            'œ' => "oe",
            'þ' => "th",
            '&' => "-and-",
            // an apostrophe joins: "baker's" is one word; so do combining accents
            '\'' | '’' | '\u{300}'..='\u{36f}' => "",
            _ => "-",
        };
        for c in piece.chars() {
            if c != '-' || !(slug.is_empty() || slug.ends_with('-')) {
                slug.push(c);
            }
        }
        if slug.len() > 90 {
            break;
        }
    }
    slug.truncate(80);
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_trimmed_counted_and_cleaned() {
        assert_eq!("  Oak bowl ".parse::<Title>().map(String::from), Ok("Oak bowl".into()));
        assert_eq!(" ".parse::<Title>(), Err(BadText::Empty));
        assert_eq!("é".repeat(200).parse::<Title>().map(|t| t.as_str().len()), Ok(400));
        assert_eq!("é".repeat(201).parse::<Title>(), Err(BadText::TooLong(200)));
        assert_eq!("a\0b".parse::<Title>(), Err(BadText::Unprintable));
        assert_eq!("a\nb".parse::<Title>(), Err(BadText::Unprintable));
        assert_eq!("a\r\n\r\nb".parse::<Description>().map(String::from), Ok("a\n\nb".into()));
        assert_eq!("".parse::<Description>().map(String::from), Ok(String::new()));
    }

    #[test]
    fn stock_is_a_whole_number() {
        assert_eq!("1,200".parse(), Ok(StockLevel(1200)));
        for bad in ["", "-1", "1.5", "ten", "10000001", "99999999999999999999"] {
            assert_eq!(bad.parse::<StockLevel>(), Err(BadStock), "{bad:?}");
        }
    }

    #[test]
    fn slugs_read_like_their_titles() {
        assert_eq!(slug_from("Crème brûlée dish, 12 cm"), "creme-brulee-dish-12-cm");
        assert_eq!(slug_from("Baker’s peel & board"), "bakers-peel-and-board");
        assert_eq!(slug_from("Straße"), "strasse");
        assert_eq!(slug_from("إبريق شاي"), "");
    }

    proptest! {
        #[test]
        fn a_slug_has_the_shape_the_database_wants(title in ".{0,200}") {
            let slug = slug_from(&title);
            prop_assert!(slug.len() <= 80);
            prop_assert!(slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            prop_assert!(!slug.starts_with('-') && !slug.ends_with('-') && !slug.contains("--"));
        }
    }
}
