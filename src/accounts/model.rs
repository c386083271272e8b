//! What a person and their account consist of: every value is parsed once, at the door, and bounded here.

use crate::{
    error::FieldErrors,
    ids::AddressId,
    post::address_lines,
    text::{self, BadText},
    texts,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

texts!(
    /// How a person is called, on parcels too.
    PersonName: line, 1, 80;
    /// Street and house, or a second line of an address that has one.
    AddressLine: line, 1, 120;
    City: line, 1, 80;
    PostalCode: line, 1, 20;
);

/// An e-mail address in lower case, which is how it is compared and kept. ASCII only: every mail server takes that.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// The text is no e-mail address that mail can be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Write an e-mail address such as ada@example.com")]
pub struct BadEmail;

impl Email {
    pub const MAX: u32 = 254;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = BadEmail;
    fn from_str(text: &str) -> Result<Self, BadEmail> {
        let text = text.trim().to_ascii_lowercase();
        let (local, domain) = text.rsplit_once('@').ok_or(BadEmail)?;
        // RFC 5322 `atext` and dots: what real addresses use, without quoting and comments.
        let local_ok = (1..=64).contains(&local.len())
            && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b))
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        let label_ok = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let domain_ok = domain.contains('.') && domain.split('.').all(label_ok);
        if local_ok && domain_ok && text.len() <= Self::MAX as usize { Ok(Self(text)) } else { Err(BadEmail) }
    }
}

impl TryFrom<String> for Email {
    type Error = BadEmail;
    fn try_from(text: String) -> Result<Self, BadEmail> {
        text.parse()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> String {
        email.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A password a person may choose. Never shown, never serialised.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    pub const MIN: usize = 10;
    pub const MAX: u32 = 128;

    /// For hashing and verifying only.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Password {
    type Err = BadText;
    fn from_str(text: &str) -> Result<Self, BadText> {
        // Not trimmed: a space is a character of a password like any other.
        if text.contains(['\0', '\u{fffd}']) {
            return Err(BadText::BadCharacter);
        }
        match text.chars().count() {
            n if n < Self::MIN => Err(BadText::TooShort(Self::MIN)),
            n if n > Self::MAX as usize => Err(BadText::TooLong(Self::MAX as usize)),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The public name of a person in addresses: `/users/{handle}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Handle(String);

/// The text is no handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Use 3 to 40 small letters, digits and hyphens, with a letter or digit at both ends")]
pub struct BadHandle;

impl Handle {
    pub const MAX: u32 = 40;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A handle made from a name. The suffix, if any, tells people of one name apart; a name that leaves too little
    /// (another script, one letter) becomes `person`.
    pub fn suggest(name: &PersonName, suffix: Option<&str>) -> Self {
        let base = text::slugify(name.as_str(), 30);
        let base = if base.len() < 3 { "person" } else { &base };
        let handle = suffix.map_or_else(|| base.to_owned(), |s| format!("{base}-{s}"));
        handle.parse().unwrap_or_else(|_| Self("person".into()))
    }
}

impl FromStr for Handle {
    type Err = BadHandle;
    fn from_str(text: &str) -> Result<Self, BadHandle> {
        let text = text.trim();
        let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let fits = (3..=Self::MAX as usize).contains(&text.len());
        if fits && plain && edge(text.bytes().next()) && edge(text.bytes().last()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadHandle)
        }
    }
}

impl TryFrom<String> for Handle {
    type Error = BadHandle;
    fn try_from(text: String) -> Result<Self, BadHandle> {
        text.parse()
    }
}

impl From<Handle> for String {
    fn from(handle: Handle) -> String {
        handle.0
    }
}

/// The colour scheme a person chose; `System` follows the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [(&'static str, &'static str); 3] = [("system", "As my device is set"), ("light", "Light"), ("dark", "Dark")];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The value is none of the choices that the form offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Please choose one of the list")]
pub struct NotOffered;

impl FromStr for Theme {
    type Err = NotOffered;
    fn from_str(text: &str) -> Result<Self, NotOffered> {
        [Self::System, Self::Light, Self::Dark].into_iter().find(|t| t.as_str() == text).ok_or(NotOffered)
    }
}

/// Languages of the interface: code and name.
pub const LANGUAGES: [(&str, &str); 1] = [("en", "English")];
/// Currencies in which a person may prefer to see prices: code and name.
pub const CURRENCIES: [(&str, &str); 3] = [("GBP", "Pounds sterling"), ("EUR", "Euro"), ("USD", "US dollars")];

/// How a person wants the shop to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preferences {
    /// one of [`LANGUAGES`]
    pub language: String,
    /// one of [`CURRENCIES`]
    pub currency: String,
    pub theme: Theme,
    /// mails about one's own orders
    pub notify_orders: bool,
    /// mails about the market
    pub notify_news: bool,
}

impl Preferences {
    /// Checks each choice against what is offered.
    pub fn parse(
        language: &str,
        currency: &str,
        theme: &str,
        notify_orders: bool,
        notify_news: bool,
    ) -> Result<Self, FieldErrors> {
        let offered = |list: &[(&str, &str)], value: &str| {
            list.iter().find(|(v, _)| *v == value).map(|(v, _)| (*v).to_owned()).ok_or(NotOffered)
        };
        let mut errors = FieldErrors::default();
        let language = errors.take("language", offered(&LANGUAGES, language));
        let currency = errors.take("currency", offered(&CURRENCIES, currency));
        let theme = errors.take("theme", theme.parse());
        match (language, currency, theme) {
            (Some(language), Some(currency), Some(theme)) => Ok(Self { language, currency, theme, notify_orders, notify_news }),
            _ => Err(errors),
        }
    }
}

/// An entry of the address book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub id: AddressId,
    pub name: String,
    pub line1: String,
    pub line2: String,
    pub city: String,
    pub postal_code: String,
    /// ISO 3166-1 alpha-2
    pub country: String,
    pub preferred: bool,
}

impl Address {
    /// The lines of the address, as its country writes them; `countries` give the country's name.
    pub fn lines(&self, countries: &[Country]) -> Vec<String> {
        let country = countries.iter().find(|c| c.code == self.country).map_or(&self.country, |c| &c.name);
        let street = [self.line1.as_str(), self.line2.as_str()];
        address_lines(&self.name, street, &self.city, &self.postal_code, &self.country, country)
    }
}

/// The most entries an address book holds.
pub const MAX_ADDRESSES: i64 = 50;

/// A country we ship to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Country {
    /// ISO 3166-1 alpha-2
    pub code: String,
    pub name: String,
}

/// A postal address as typed, with the field names of every address form: here and in the checkout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AddressForm {
    pub name: String,
    pub line1: String,
    pub line2: String,
    pub city: String,
    pub postal_code: String,
    pub country: String,
}

/// A postal address that can be written on a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PostalAddress {
    pub name: PersonName,
    pub line1: AddressLine,
    pub line2: Option<AddressLine>,
    pub city: City,
    pub postal_code: PostalCode,
    /// ISO 3166-1 alpha-2, one of those we ship to
    pub country: String,
}

impl AddressForm {
    /// Checks every field; `countries` are those we ship to. Errors are noted under the form's field names.
    pub fn parse(&self, countries: &[Country], errors: &mut FieldErrors) -> Option<PostalAddress> {
        let name = errors.take("name", self.name.parse());
        let line1 = errors.take("line1", self.line1.parse());
        let line2 = match self.line2.trim() {
            "" => Some(None),
            text => errors.take("line2", text.parse()).map(Some),
        };
        let city = errors.take("city", self.city.parse());
        let postal_code = errors.take("postal_code", self.postal_code.parse());
        let country = countries.iter().find(|c| c.code == self.country).map(|c| c.code.clone()).ok_or(NotOffered);
        let country = errors.take("country", country);
        Some(PostalAddress {
            name: name?,
            line1: line1?,
            line2: line2?,
            city: city?,
            postal_code: postal_code?,
            country: country?,
        })
    }
}

impl From<&Address> for AddressForm {
    fn from(a: &Address) -> Self {
        Self {
            name: a.name.clone(),
            line1: a.line1.clone(),
            line2: a.line2.clone(),
            city: a.city.clone(),
            postal_code: a.postal_code.clone(),
            country: a.country.clone(),
        }
    }
}

/// Who is looking at the page, as its header shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whoami {
    /// `None`: signed out
    pub name: Option<String>,
    /// items in the cart, each counted as often as it is wanted
    pub cart_count: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emails_are_kept_in_lower_case_and_hostile_ones_refused() {
        assert_eq!(" Ada@Example.COM ".parse::<Email>().map(String::from), Ok("ada@example.com".into()));
        assert!("o'brien+souk@mail.example.co.uk".parse::<Email>().is_ok());
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}.com", "b.".repeat(130));
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "a b@example.com",
            "ada@exa mple.com",
            "ada@example.com\0",
            "ada@example.com\r\nBcc: x@y.zz",
            "a,b@example.com",
            "a@b@example.com",
            ".a@example.com",
            "a..b@example.com",
            "ada@-example.com",
            "ada@example..com",
            "ädä@example.com",
            "\u{212a}@example.com",
            &long,
            &longer,
        ] {
            assert_eq!(bad.parse::<Email>(), Err(BadEmail), "{bad:?}");
        }
    }

    #[test]
    fn passwords_have_bounds_in_characters_and_hide() {
        assert_eq!("123456789".parse::<Password>(), Err(BadText::TooShort(10)));
        assert!("ääääääääää".parse::<Password>().is_ok());
        assert!("x".repeat(128).parse::<Password>().is_ok());
        assert_eq!("x".repeat(129).parse::<Password>(), Err(BadText::TooLong(128)));
        assert_eq!("market\0day longer".parse::<Password>(), Err(BadText::BadCharacter));
        assert_eq!(format!("{:?}", "market day".parse::<Password>()), "Ok(Password(…))");
    }

    #[test]
    fn handles_come_from_names() {
        let name = |n: &str| n.parse::<PersonName>().unwrap();
        assert_eq!(Handle::suggest(&name("Ada Lovelace"), None).as_str(), "ada-lovelace");
        assert_eq!(Handle::suggest(&name("Ada Lovelace"), Some("k3f9")).as_str(), "ada-lovelace-k3f9");
        assert_eq!(Handle::suggest(&name("李"), Some("k3f9")).as_str(), "person-k3f9");
        assert!(Handle::suggest(&name(&"x".repeat(80)), Some("k3f9")).as_str().len() <= 40);
        for bad in ["ab", "-ada", "ada-", "Ada", "ada lovelace", "ada\0", &"a".repeat(41)] {
            assert_eq!(bad.parse::<Handle>(), Err(BadHandle), "{bad:?}");
        }
    }

    #[test]
    fn an_address_names_every_field_that_is_wrong() {
        let countries = [Country { code: "GB".into(), name: "United Kingdom".into() }];
        let mut errors = FieldErrors::default();
        let form = AddressForm { name: "Ada".into(), line1: "\0".into(), country: "XX".into(), ..Default::default() };
        assert_eq!(form.parse(&countries, &mut errors), None);
        assert_eq!(errors.iter().map(|(f, _)| f).collect::<Vec<_>>(), ["line1", "city", "postal_code", "country"]);
    }
}
