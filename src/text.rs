//! Text that people type: trimmed, bounded, and free of what neither a page nor the database can hold. Each kind of
//! text states its limits once, in its [`texts!`](crate::texts) line.

use time::{Date, macros::format_description};

/// Why a text is refused; the messages stand beside form fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    #[error("Please fill this in")]
    Empty,
    #[error("At least {0} characters")]
    TooShort(usize),
    #[error("At most {0} characters")]
    TooLong(usize),
    #[error("This contains a character that cannot be kept")]
    BadCharacter,
}

/// Whether a character can be kept at all. U+FFFD is what broken UTF-8 was decoded to.
fn keepable(c: char) -> bool {
    !c.is_control() && c != '\u{fffd}'
}

/// One trimmed line of `min` to `max` characters.
pub fn line(text: &str, min: usize, max: usize) -> Result<String, BadText> {
    let text = text.trim();
    if !text.chars().all(keepable) {
        return Err(BadText::BadCharacter);
    }
    bounded(text, min, max)
}

/// Several lines, with `\n` between them, of `min` to `max` characters together.
pub fn paragraphs(text: &str, min: usize, max: usize) -> Result<String, BadText> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text = text.trim();
    if !text.chars().all(|c| c == '\n' || c == '\t' || keepable(c)) {
        return Err(BadText::BadCharacter);
    }
    bounded(text, min, max)
}

fn bounded(text: &str, min: usize, max: usize) -> Result<String, BadText> {
    match text.chars().count() {
        0 if min > 0 => Err(BadText::Empty),
        n if n < min => Err(BadText::TooShort(min)),
        n if n > max => Err(BadText::TooLong(max)),
        _ => Ok(text.to_owned()),
    }
}

/// The text is no day, or one of another century.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Write a day such as 2026-11-30")]
pub struct BadDay;

/// A day as a date field sends it; `None` for an empty one.
pub fn day(text: &str) -> Result<Option<Date>, BadDay> {
    match text.trim() {
        "" => Ok(None),
        text => match Date::parse(text, format_description!("[year]-[month]-[day]")) {
            Ok(date) if (2000..2200).contains(&date.year()) => Ok(Some(date)),
            _ => Err(BadDay),
        },
    }
}

/// Lower-case ASCII words joined by `-`, of at most `max` characters: what a name becomes in an address. Letters with
/// accents lose them; other scripts leave nothing, so the result may be empty.
pub fn slugify(text: &str, max: usize) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        let plain = match c {
            'a'..='z' | '0'..='9' => c.to_string(),
            'à' | 'á' | 'â' | 'ã' | 'å' | 'ą' | 'ă' => "a".into(),
            'ä' | 'æ' => "ae".into(),
            'ç' | 'ć' | 'č' => "c".into(),
            'ď' | 'đ' | 'ð' => "d".into(),
            'è' | 'é' | 'ê' | 'ë' | 'ę' | 'ě' => "e".into(),
            'ğ' => "g".into(),
            'ì' | 'í' | 'î' | 'ï' | 'ı' => "i".into(),
            'ł' => "l".into(),
            'ñ' | 'ń' | 'ň' => "n".into(),
            'ò' | 'ó' | 'ô' | 'õ' | 'ő' => "o".into(),
            'ö' | 'ø' | 'œ' => "oe".into(),
            'ř' => "r".into(),
            'ß' => "ss".into(),
            'ś' | 'š' | 'ş' | 'ș' => "s".into(),
            'ť' | 'ț' => "t".into(),
            'ù' | 'ú' | 'û' | 'ű' | 'ů' => "u".into(),
            'ü' => "ue".into(),
            'ý' | 'ÿ' => "y".into(),
            'ź' | 'ž' | 'ż' => "z".into(),
            // an apostrophe or an accent of its own joins: "Anna's" is "annas"
            '\'' | '’' | '\u{300}'..='\u{36f}' => continue,
            _ if slug.is_empty() || slug.ends_with('-') => continue,
            _ => "-".into(),
        };
        if slug.len() + plain.len() > max {
            break;
        }
        slug.push_str(&plain);
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// Declares kinds of text: `texts!(/// A person's name. PersonName: line, 1, 80);`. `FromStr` is the only door, on
/// decoding too.
#[macro_export]
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $shape:ident, $min:expr, $max:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The fewest characters it may have.
            pub const MIN: u32 = $min;
            /// The most characters it may have; columns say the same.
            pub const MAX: u32 = $max;
            /// `line` or `paragraphs`
            pub const SHAPE: &str = stringify!($shape);

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::text::BadText;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::text::$shape(text, $min, $max).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::text::BadText;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_trimmed_bounded_and_clean() {
        assert_eq!(line("  Ada  ", 1, 5), Ok("Ada".into()));
        assert_eq!(line(" ", 1, 5), Err(BadText::Empty));
        assert_eq!(line("", 0, 5), Ok(String::new()));
        assert_eq!(line("A", 2, 5), Err(BadText::TooShort(2)));
        assert_eq!(line("Adaada", 1, 5), Err(BadText::TooLong(5)));
        assert_eq!(line("äääää", 1, 5), Ok("äääää".into()));
        for bad in ["A\0da", "A\nda", "A\u{fffd}da", "A\u{1b}da"] {
            assert_eq!(line(bad, 1, 10), Err(BadText::BadCharacter), "{bad:?}");
        }
    }

    #[test]
    fn paragraphs_keep_their_lines() {
        assert_eq!(paragraphs("one\r\n\r\ntwo\r", 1, 20), Ok("one\n\ntwo".into()));
        assert_eq!(paragraphs("one\0two", 1, 20), Err(BadText::BadCharacter));
    }

    #[test]
    fn a_day_is_read() {
        assert_eq!(day(" "), Ok(None));
        assert_eq!(day("2026-11-30").map(|d| d.map(|d| d.ordinal())), Ok(Some(334)));
        for bad in ["30.11.2026", "2026-02-30", "-2026-01-01", "1999-12-31"] {
            assert_eq!(day(bad), Err(BadDay), "{bad}");
        }
    }

    #[test]
    fn slugs_are_plain() {
        for (text, slug) in [
            ("The Old Mill", "the-old-mill"),
            ("  Anna's Töpferei & Söhne ", "annas-toepferei-soehne"),
            ("Łukasz", "lukasz"),
            ("متجر", ""),
            ("---", ""),
        ] {
            assert_eq!(slugify(text, 40), slug, "{text}");
        }
        assert_eq!(slugify("one two three", 8), "one-two");
    }
}
