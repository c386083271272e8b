//! The name of a product, a category or a vendor in an address.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Small ASCII letters, digits and hyphens, with a letter or digit at both ends; 2 to 120 characters, as the columns say.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

/// The text is no slug, so nothing has that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("There is nothing of this name.")]
pub struct BadSlug;

impl Slug {
    pub const MAX: usize = 120;
    /// How much of a title becomes the address of a product; the rest is for an end that tells it from others.
    pub const OF_TITLE: usize = 80;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = BadSlug;
    fn from_str(text: &str) -> Result<Self, BadSlug> {
        let plain = (2..=Self::MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if plain { Ok(Self(text.to_owned())) } else { Err(BadSlug) }
    }
}

impl TryFrom<String> for Slug {
    type Error = BadSlug;
    fn try_from(text: String) -> Result<Self, BadSlug> {
        text.parse()
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> String {
        slug.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_column_could_hold_is_a_slug() {
        for good in ["tea-pot", "a1", "7"].map(|s| s.repeat(2)) {
            assert!(good.parse::<Slug>().is_ok(), "{good}");
        }
        for bad in ["", "a", "-tea", "tea-", "Tea", "té", "a b", "a\0b", "../x", &"x".repeat(121)] {
            assert_eq!(bad.parse::<Slug>(), Err(BadSlug), "{bad:?}");
        }
    }
}
