//! What is told, and how it is said.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Something that happened to something of a vendor's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Told again, it is the same one.
    pub id: i64,
    pub kind: Kind,
    /// A vendor order; of [`Kind::Stock`] a product, of [`Kind::Payout`] a payout, of [`Kind::Import`] and [`Kind::Progress`] an import.
    pub subject: Uuid,
}

/// What was told since a place, and the place after it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    pub told: Vec<Told>,
    /// Something was under way when the page was drawn: its figures may be older than what was told before.
    #[serde(default)]
    pub stale: bool,
    /// Ask from here next time. What stands there may be told twice, and nothing is left out.
    pub after: String,
}

/// What kind of thing happened, in the order in which it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// An order was paid.
    Order,
    /// An order of before was shipped, arrived, was cancelled or paid back.
    Change,
    Return,
    Dispute,
    /// A shelf runs low or filled again.
    Stock,
    Payout,
    /// A shopper wrote.
    Message,
    /// An import was checked, done, or cannot go on.
    Import,
    /// An import went on.
    Progress,
}

impl Kind {
    /// Whether it is said in the line; what is not moves the figures alone.
    pub fn is_said(self) -> bool {
        self != Self::Progress
    }

    /// As the database writes it.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "order" => Self::Order,
            "change" => Self::Change,
            "return" => Self::Return,
            "dispute" => Self::Dispute,
            "stock" => Self::Stock,
            "payout" => Self::Payout,
            "message" => Self::Message,
            "import" => Self::Import,
            "progress" => Self::Progress,
            _ => return None,
        })
    }

    fn words(self, count: usize) -> String {
        let (one, many) = match self {
            Self::Order => ("new order", "new orders"),
            Self::Change => ("order changed", "orders changed"),
            Self::Return => ("return moved on", "returns moved on"),
            Self::Dispute => ("dispute moved on", "disputes moved on"),
            Self::Stock => ("product’s stock changed", "products’ stock changed"),
            Self::Payout => ("payout moved on", "payouts moved on"),
            Self::Message => ("message", "messages"),
            Self::Import | Self::Progress => ("import came to its end", "imports came to their end"),
        };
        format!("{count} {}", if count == 1 { one } else { many })
    }
}

/// What was told, as one line: `2 new orders, 1 return moved on`. Several things about one subject are one.
pub fn line(told: &[Told]) -> String {
    let mut subjects = BTreeMap::<Kind, Vec<Uuid>>::new();
    for told in told.iter().filter(|told| told.kind.is_said()) {
        let known = subjects.entry(told.kind).or_default();
        if !known.contains(&told.subject) {
            known.push(told.subject);
        }
    }
    subjects.into_iter().map(|(kind, subjects)| kind.words(subjects.len())).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_is_one_line_that_counts_things_and_not_words_about_them() {
        let told = |id, kind, subject| Told { id, kind, subject: Uuid::from_u128(subject) };
        let all = [told(3, Kind::Stock, 9), told(1, Kind::Order, 1), told(2, Kind::Order, 2), told(4, Kind::Order, 2)];
        assert_eq!(line(&all), "2 new orders, 1 product’s stock changed");
        assert_eq!(line(&all[..1]), "1 product’s stock changed");
        assert_eq!(line(&[]), "");
        assert_eq!(line(&[told(5, Kind::Progress, 3), told(6, Kind::Import, 3)]), "1 import came to its end");
    }
}
