//! Money is integer minor units with a currency; every split is by largest remainder, so that parts sum to the whole.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The highest price of one unit, in minor units. Stated here once; the database says the same.
pub const MAX_PRICE_MINOR: i64 = 1_000_000_000;

/// An ISO 4217 code with two decimals, such as `GBP`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    pub const GBP: Currency = Currency(*b"GBP");

    /// `GBP`
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    fn symbol(&self) -> &str {
        match &self.0 {
            b"GBP" => "£",
            b"EUR" => "€",
            b"USD" => "$",
            _ => "",
        }
    }
}

/// The text is no three-letter upper-case currency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a currency code")]
pub struct BadCurrency;

impl FromStr for Currency {
    type Err = BadCurrency;
    fn from_str(text: &str) -> Result<Self, BadCurrency> {
        match text.as_bytes() {
            [a, b, c] if text.bytes().all(|x| x.is_ascii_uppercase()) => Ok(Self([*a, *b, *c])),
            _ => Err(BadCurrency),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = BadCurrency;
    fn try_from(text: String) -> Result<Self, BadCurrency> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

/// An amount in minor units (pence, cents) of one currency. Serialises as `{"amount": 1299, "currency": "GBP"}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    #[serde(rename = "amount")]
    pub minor: i64,
    pub currency: Currency,
}

/// Why a text is no amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadMoney {
    #[error("Write an amount such as 12.50")]
    Shape,
    #[error("The amount must be between 0 and 10,000,000.00")]
    Range,
}

impl Money {
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Reads what a person types: `12`, `12.5`, `12.50`, `1,250.00`, with or without the sign of the currency.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, BadMoney> {
        let text = text.trim().trim_start_matches(currency.symbol()).trim();
        let (whole, cents) = text.split_once('.').unwrap_or((text, ""));
        let whole: String = whole.chars().filter(|c| *c != ',').collect();
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(&whole) || !digits(cents) || cents.len() > 2 {
            return Err(BadMoney::Shape);
        }
        let whole: i64 = whole.parse().map_err(|_| BadMoney::Range)?;
        let cents: i64 = format!("{cents:0<2}").parse().map_err(|_| BadMoney::Shape)?;
        let minor = whole.checked_mul(100).and_then(|w| w.checked_add(cents)).ok_or(BadMoney::Range)?;
        if minor > MAX_PRICE_MINOR {
            return Err(BadMoney::Range);
        }
        Ok(Self { minor, currency })
    }

    /// `12.50`, as a form field shows it.
    pub fn plain(&self) -> String {
        let sign = if self.minor < 0 { "-" } else { "" };
        let abs = self.minor.unsigned_abs();
        format!("{sign}{}.{:02}", abs / 100, abs % 100)
    }
}

/// `£1,250.00`, or `1,250.00 CHF` where the currency has no sign here.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let abs = self.minor.unsigned_abs();
        let digits = (abs / 100).to_string();
        let mut whole = String::with_capacity(digits.len() + digits.len() / 3);
        for (i, c) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                whole.push(',');
            }
            whole.push(c);
        }
        let sign = if self.minor < 0 { "−" } else { "" };
        let symbol = self.currency.symbol();
        write!(f, "{sign}{symbol}{whole}.{:02}", abs % 100)?;
        if symbol.is_empty() {
            write!(f, " {}", self.currency.code())?;
        }
        Ok(())
    }
}

/// Hundredths of a percent: 2000 is 20 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BasisPoints(pub i32);

/// The text is no percentage between 0 and 100 with at most two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Write a percentage between 0 and 100, such as 8.5")]
pub struct BadPercentage;

/// Reads what a person types: `10`, `8.5`, `12.25 %`; from 0 to 100.
impl FromStr for BasisPoints {
    type Err = BadPercentage;
    fn from_str(text: &str) -> Result<Self, BadPercentage> {
        let text = text.trim().trim_end_matches('%').trim();
        let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 3 || rest.len() > 2 || !digits(whole) || !digits(rest) {
            return Err(BadPercentage);
        }
        let bp: i32 = format!("{whole}{rest:0<2}").parse().map_err(|_| BadPercentage)?;
        if bp <= 10_000 { Ok(Self(bp)) } else { Err(BadPercentage) }
    }
}

impl BasisPoints {
    /// The VAT contained in a gross amount, rounded half up: `gross × rate / (1 + rate)`. Zero for a zero rate.
    pub fn contained_in(self, gross_minor: i64) -> i64 {
        let (gross, rate) = (i128::from(gross_minor), i128::from(self.0));
        let divisor = 10_000 + rate;
        ((2 * gross * rate + divisor) / (2 * divisor)) as i64
    }

    /// This part of an amount that is not negative, rounded half up.
    pub fn of(self, minor: i64) -> i64 {
        ((i128::from(minor) * i128::from(self.0) + 5_000) / 10_000) as i64
    }
}

/// `20 %`, `8.1 %`
impl fmt::Display for BasisPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match rest {
            0 => write!(f, "{whole} %"),
            r if r % 10 == 0 => write!(f, "{whole}.{} %", r / 10),
            r => write!(f, "{whole}.{r:02} %"),
        }
    }
}

/// Splits `total` minor units in proportion to `weights` by largest remainder; ties go to the earlier part.
/// The parts sum to `total` exactly. With no weight above zero everything goes to the first part.
/// Negative weights count as zero. An empty list of weights gives an empty list.
pub fn apportion(total: i64, weights: &[i64]) -> Vec<i64> {
    let weight = |w: &i64| i128::from((*w).max(0));
    let sum: i128 = weights.iter().map(weight).sum();
    let mut parts = vec![0i64; weights.len()];
    if sum == 0 {
        if let Some(first) = parts.first_mut() {
            *first = total;
        }
        return parts;
    }
    let magnitude = i128::from(total.unsigned_abs());
    let sign = total.signum();
    let mut left = magnitude;
    let mut remainders: Vec<(i128, usize)> = Vec::with_capacity(weights.len());
    for (i, w) in weights.iter().enumerate() {
        let share = magnitude * weight(w);
        parts[i] = (share / sum) as i64;
        left -= share / sum;
        remainders.push((share % sum, i));
    }
    remainders.sort_by_key(|(r, i)| (std::cmp::Reverse(*r), *i));
    for (_, i) in remainders.into_iter().take(left as usize) {
        parts[i] += 1;
    }
    parts.iter_mut().for_each(|p| *p *= sign);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn money_is_read_and_written() {
        let read = |t| Money::parse(t, Currency::GBP).map(|m| m.minor);
        assert_eq!(read("12.5"), Ok(1250));
        assert_eq!(read(" £1,250.00 "), Ok(125_000));
        assert_eq!(read("0"), Ok(0));
        assert_eq!(read("1.234"), Err(BadMoney::Shape));
        assert_eq!(read("-1"), Err(BadMoney::Shape));
        assert_eq!(read("99999999999"), Err(BadMoney::Range));
        assert_eq!(read("99999999999999999999999"), Err(BadMoney::Range));
        assert_eq!(Money::new(123_456_789, Currency::GBP).to_string(), "£1,234,567.89");
        assert_eq!(Money::new(-5, Currency::GBP).to_string(), "−£0.05");
    }

    #[test]
    fn a_percentage_is_read() {
        for (text, bp) in [("10", 1000), ("8.5", 850), (" 12.25 % ", 1225), ("0", 0), ("100", 10_000), ("0.05%", 5)] {
            assert_eq!(text.parse(), Ok(BasisPoints(bp)), "{text}");
        }
        for bad in ["", "-1", "100.01", "1.234", "ten", "8,5", "1e3", "٣"] {
            assert!(bad.parse::<BasisPoints>().is_err(), "{bad}");
        }
    }

    #[test]
    fn vat_is_contained_not_added() {
        assert_eq!(BasisPoints(2000).contained_in(1200), 200);
        assert_eq!(BasisPoints(0).contained_in(1200), 0);
        assert_eq!(BasisPoints(810).to_string(), "8.1 %");
        assert_eq!([0, 4, 5, 1005].map(|minor| BasisPoints(1000).of(minor)), [0, 0, 1, 101]);
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole(total in -1_000_000_000i64..1_000_000_000, weights in prop::collection::vec(0i64..1_000_000_000, 1..40)) {
            let parts = apportion(total, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), total);
            let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            if sum > 0 {
                for (part, weight) in parts.iter().zip(&weights) {
                    // never more than one minor unit from the exact share
                    let off = i128::from(*part) * sum - i128::from(total) * i128::from(*weight);
                    prop_assert!(off.abs() < sum);
                }
            }
        }

        #[test]
        fn contained_vat_is_within_half_a_minor_unit(gross in 0i64..1_000_000_000, rate in 0i32..5000) {
            let tax = i128::from(BasisPoints(rate).contained_in(gross));
            let exact_times_divisor = i128::from(gross) * i128::from(rate);
            let divisor = 10_000 + i128::from(rate);
            prop_assert!((tax * divisor - exact_times_divisor).abs() * 2 <= divisor);
        }

        #[test]
        fn what_is_written_is_read_back(minor in 0i64..=MAX_PRICE_MINOR) {
            let money = Money::new(minor, Currency::GBP);
            prop_assert_eq!(Money::parse(&money.plain(), Currency::GBP), Ok(money));
            prop_assert_eq!(Money::parse(&money.to_string(), Currency::GBP), Ok(money));
        }
    }
}
