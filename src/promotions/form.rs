//! The form that makes a promotion, as typed: a refused one comes back whole, each error at its field.

use crate::{
    error::FieldErrors,
    ids::{CategoryId, ProductId},
    money::BasisPoints,
    text::day,
    texts,
};
use serde::Deserialize;
use time::{Date, Duration, OffsetDateTime};

texts!(
    /// What a promotion is called among those who make it.
    PromotionName: line, 1, 80;
);

/// The least and the most that it takes off; the column says the same.
pub const OFF_BP: std::ops::RangeInclusive<i32> = 100..=9_000;
/// The longest that it may last, in days: what is always reduced has no price of before.
pub const LONGEST_DAYS: i64 = 366;

/// Everything that may be typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PromotionForm {
    pub name: String,
    pub percent: String,
    pub category: String,
    /// Of a promotion that is for one product alone.
    pub product: String,
    pub starts_on: String,
    pub ends_on: String,
}

/// A promotion as it shall be. It begins with its first day, or now where that is today, and ends with its last one, both in UTC.
#[derive(Debug, Clone)]
pub struct Draft {
    pub name: PromotionName,
    pub off_bp: i32,
    /// One of these at most; for everything where there is neither.
    pub category_id: Option<CategoryId>,
    pub product_id: Option<ProductId>,
    pub starts_at: OffsetDateTime,
    pub ends_at: OffsetDateTime,
}

impl PromotionForm {
    /// The draft that was typed, or what is wrong with it.
    pub fn read(&self, categories: &[(CategoryId, String)], now: OffsetDateTime) -> Result<Draft, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.take("name", self.name.parse::<PromotionName>());
        let off_bp = errors.take("percent", self.percent.parse::<BasisPoints>()).map(|off| off.0);
        if off_bp.is_some_and(|off| !OFF_BP.contains(&off)) {
            errors.add("percent", "Take 1 to 90 percent off.");
        }
        let category_id = match self.category.parse::<CategoryId>() {
            Ok(id) if categories.iter().any(|(known, _)| *known == id) => Some(id),
            _ if self.category.is_empty() => None,
            _ => {
                errors.add("category", "Please choose a category.");
                None
            }
        };
        let product_id = self.product.parse::<ProductId>().ok();
        if product_id.is_none() && !self.product.is_empty() {
            errors.add("category", "There is no such product of yours.");
        }
        let today = now.date();
        let first = errors.take("starts_on", day(&self.starts_on)).flatten().unwrap_or(today);
        if first < today && errors.is_empty() {
            errors.add("starts_on", "This day is over: a price cannot be reduced for the past.");
        }
        let last = errors.take("ends_on", day(&self.ends_on)).flatten();
        match last {
            Some(last) if last < first => errors.add("ends_on", "This is before the first day."),
            Some(last) if (last - first).whole_days() >= LONGEST_DAYS => {
                errors.add("ends_on", "At most a year after the first day.")
            }
            None if !errors.iter().any(|(field, _)| field == "ends_on") => errors.add("ends_on", "Please say the last day."),
            _ => {}
        }
        match (name, off_bp, last) {
            (Some(name), Some(off_bp), Some(last)) if errors.is_empty() => Ok(Draft {
                name,
                off_bp,
                category_id: category_id.filter(|_| product_id.is_none()),
                product_id,
                starts_at: midnight(first).max(now),
                ends_at: midnight(last.saturating_add(Duration::DAY)),
            }),
            _ => Err(errors),
        }
    }
}

fn midnight(day: Date) -> OffsetDateTime {
    day.midnight().assume_utc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-11-26 14:30 UTC);

    fn form(percent: &str, from: &str, to: &str) -> PromotionForm {
        PromotionForm {
            name: "Advent".into(),
            percent: percent.into(),
            starts_on: from.into(),
            ends_on: to.into(),
            ..PromotionForm::default()
        }
    }

    fn wrong(form: PromotionForm) -> Vec<String> {
        form.read(&[], NOW).err().map(|errors| errors.iter().map(|(field, _)| field.to_owned()).collect()).unwrap_or_default()
    }

    #[test]
    fn it_lasts_from_its_first_day_to_the_end_of_its_last() {
        let draft = form("20", "2026-12-01", "2026-12-24").read(&[], NOW).unwrap();
        assert_eq!(
            (draft.off_bp, draft.starts_at, draft.ends_at),
            (2000, datetime!(2026-12-01 0:00 UTC), datetime!(2026-12-25 0:00 UTC))
        );
        // Today, or nothing said: now.
        assert_eq!(form("20", "2026-11-26", "2026-11-26").read(&[], NOW).unwrap().starts_at, NOW);
        assert_eq!(form("20", "", "2026-11-26").read(&[], NOW).unwrap().starts_at, NOW);
    }

    #[test]
    fn what_is_wrong_is_said_at_its_field() {
        assert_eq!(wrong(form("0.5", "2026-12-01", "2026-12-24")), ["percent"]);
        assert_eq!(wrong(form("91", "2026-12-01", "2026-12-24")), ["percent"]);
        assert_eq!(wrong(form("20", "2026-11-25", "2026-12-24")), ["starts_on"]);
        assert_eq!(wrong(form("20", "2026-12-02", "2026-12-01")), ["ends_on"]);
        assert_eq!(wrong(form("20", "2026-12-02", "")), ["ends_on"]);
        assert_eq!(wrong(form("20", "2026-12-02", "2027-12-03")), ["ends_on"]);
        assert_eq!(wrong(PromotionForm { category: "x".into(), product: "y".into(), ..PromotionForm::default() }).len(), 5);
    }
}
