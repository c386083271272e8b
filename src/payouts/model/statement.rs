//! A vendor's statement of a month: what it is made of, and that it adds up.

use crate::{
    ids::{OrderId, VendorId},
    money::{Currency, Money},
};
use serde::Serialize;
use std::{fmt, str::FromStr};
use time::{Date, Month, OffsetDateTime};

/// A calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    year: i32,
    month: u8,
}

impl Period {
    pub fn of(day: Date) -> Self {
        Self { year: day.year(), month: day.month().into() }
    }

    /// Its first moment.
    pub fn start(self) -> OffsetDateTime {
        let month = Month::try_from(self.month).unwrap_or(Month::January);
        Date::from_calendar_date(self.year, month, 1).unwrap_or(Date::MIN).midnight().assume_utc()
    }

    /// The first moment that is not in it any more.
    pub fn end(self) -> OffsetDateTime {
        self.next().start()
    }

    pub fn next(self) -> Self {
        if self.month == 12 { Self { year: self.year + 1, month: 1 } } else { Self { month: self.month + 1, ..self } }
    }

    pub fn previous(self) -> Self {
        if self.month == 1 { Self { year: self.year - 1, month: 12 } } else { Self { month: self.month - 1, ..self } }
    }

    /// `November 2026`
    pub fn words(self) -> String {
        let start = self.start();
        format!("{} {}", start.month(), start.year())
    }
}

/// `2026-11`
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// The text is no month such as `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a month: write 2026-11")]
pub struct BadPeriod;

impl FromStr for Period {
    type Err = BadPeriod;
    fn from_str(text: &str) -> Result<Self, BadPeriod> {
        let (year, month) = text.split_once('-').filter(|(y, m)| y.len() == 4 && m.len() == 2).ok_or(BadPeriod)?;
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit()).then(|| t.parse().ok()).flatten().ok_or(BadPeriod);
        let (year, month): (i32, i32) = (digits(year)?, digits(month)?);
        match u8::try_from(month) {
            Ok(month @ 1..=12) if (2000..=2999).contains(&year) => Ok(Self { year, month }),
            _ => Err(BadPeriod),
        }
    }
}

/// What a line of a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    Sale,
    /// What the market keeps of a sale, with the VAT on it.
    Fee,
    Refund,
    /// What of the fee comes back with a refund.
    FeeReturned,
    Dispute,
    Released,
    Transfer,
    TransferBack,
    Payout,
    Correction,
}

impl Movement {
    pub fn words(self) -> &'static str {
        match self {
            Self::Sale => "Sale",
            Self::Fee => "Fee, with VAT",
            Self::Refund => "Refund",
            Self::FeeReturned => "Fee returned",
            Self::Dispute => "Dispute",
            Self::Released => "Released for payout",
            Self::Transfer => "To your Stripe account",
            Self::TransferBack => "Back from your Stripe account",
            Self::Payout => "Payout",
            Self::Correction => "Correction",
        }
    }
}

/// One movement of a statement.
#[derive(Debug, Clone, Serialize)]
pub struct StatementLine {
    pub at: OffsetDateTime,
    pub movement: Movement,
    /// Which step of it, or why: `paid`, `returned`, the words of a correction.
    pub note: String,
    pub order: Option<(OrderId, i64)>,
    /// What it changes the balance by.
    pub amount_minor: i64,
    /// What moved without changing the balance: a release, a transfer.
    pub moved_minor: i64,
    /// After this line.
    pub balance_minor: i64,
}

/// What was owed to a vendor at the beginning of a time, every movement, and what is owed at its end. `opening + Σ amounts = closing`.
#[derive(Debug, Clone, Serialize)]
pub struct Statement {
    pub vendor: VendorId,
    pub vendor_name: String,
    pub currency: Currency,
    pub from: OffsetDateTime,
    /// Not in it any more.
    pub until: OffsetDateTime,
    pub opening_minor: i64,
    pub lines: Vec<StatementLine>,
    pub closing_minor: i64,
}

impl Statement {
    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// The sum of all lines of a kind.
    pub fn sum(&self, movement: Movement) -> i64 {
        self.lines.iter().filter(|l| l.movement == movement).map(|l| l.amount_minor).sum()
    }
}
