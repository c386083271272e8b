//! The form that makes a coupon, as typed: a refused one comes back whole, each error at its field.

use super::model::CouponCode;
use crate::{
    error::FieldErrors,
    ids::{CategoryId, VendorId},
    money::{BasisPoints, Currency, Money},
    text::day,
    texts,
};
use serde::Deserialize;
use time::Date;

texts!(
    /// What a coupon is called among those who make them.
    CouponName: line, 1, 80;
);

/// The most uses that a limit may allow, in all and for each person; the columns say the same.
pub const MOST_USES: i32 = 1_000_000;
pub const MOST_USES_OF_PERSON: i32 = 1_000;

/// Everything that may be typed; `vendor` and `platform` only by the operator.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CouponForm {
    pub code: String,
    pub name: String,
    pub percent: String,
    pub amount: String,
    pub minimum: String,
    /// The address of a shop.
    pub vendor: String,
    pub category: String,
    pub starts_on: String,
    pub ends_on: String,
    pub limit_total: String,
    pub limit_person: String,
    /// What of the discount the market pays, in percent.
    pub platform: String,
}

/// A coupon as it shall be. Amounts are minor units.
#[derive(Debug, Clone)]
pub struct Draft {
    pub code: CouponCode,
    pub name: CouponName,
    pub percent_bp: Option<i32>,
    pub amount_minor: Option<i64>,
    pub currency: Currency,
    pub minimum_minor: i64,
    /// Not read where a vendor makes it: its coupons are for its own goods.
    pub only_vendor_id: Option<VendorId>,
    pub category_id: Option<CategoryId>,
    pub starts_on: Option<Date>,
    pub ends_on: Option<Date>,
    pub limit_total: Option<i32>,
    pub limit_person: Option<i32>,
    /// Not read where a vendor makes it: it pays for its own.
    pub platform_bp: i32,
}

impl CouponForm {
    /// The draft that was typed, or what is wrong with it. `only_vendor` is what was found for `vendor`.
    pub fn read(
        &self,
        currency: Currency,
        categories: &[(CategoryId, String)],
        only_vendor: Result<Option<VendorId>, &'static str>,
    ) -> Result<Draft, FieldErrors> {
        let mut errors = FieldErrors::default();
        let code = errors.take("code", self.code.parse::<CouponCode>());
        let name = errors.take("name", self.name.parse::<CouponName>());
        let (percent_bp, amount_minor) = self.read_worth(currency, &mut errors);
        let minimum_minor = match self.minimum.trim() {
            "" => 0,
            text => errors.take("minimum", Money::parse(text, currency)).map_or(0, |m| m.minor),
        };
        let only_vendor_id = errors.take("vendor", only_vendor).flatten();
        let category_id = match self.category.parse::<CategoryId>() {
            Ok(id) if categories.iter().any(|(known, _)| *known == id) => Some(id),
            _ if self.category.is_empty() => None,
            _ => {
                errors.add("category", "Please choose a category.");
                None
            }
        };
        let starts_on = errors.take("starts_on", day(&self.starts_on)).flatten();
        let ends_on = errors.take("ends_on", day(&self.ends_on)).flatten();
        if starts_on.zip(ends_on).is_some_and(|(from, until)| until < from) {
            errors.add("ends_on", "This is before the first day.");
        }
        let mut limit = |field: &str, text: &str, most: i32| match text.trim() {
            "" => None,
            text => match text.parse() {
                Ok(uses) if (1..=most).contains(&uses) => Some(uses),
                _ => {
                    errors.add(field, format!("Write a whole number from 1 to {most}, or nothing for no limit."));
                    None
                }
            },
        };
        let limit_total = limit("limit_total", &self.limit_total, MOST_USES);
        let limit_person = limit("limit_person", &self.limit_person, MOST_USES_OF_PERSON);
        let platform_bp = match self.platform.trim() {
            "" => 0,
            text => errors.take("platform", text.parse::<BasisPoints>()).map_or(0, |p| p.0),
        };
        match (code, name) {
            (Some(code), Some(name)) if errors.is_empty() => Ok(Draft {
                code,
                name,
                percent_bp,
                amount_minor,
                currency,
                minimum_minor,
                only_vendor_id,
                category_id,
                starts_on,
                ends_on,
                limit_total,
                limit_person,
                platform_bp,
            }),
            _ => Err(errors),
        }
    }

    /// A percentage or an amount, and not both.
    fn read_worth(&self, currency: Currency, errors: &mut FieldErrors) -> (Option<i32>, Option<i64>) {
        match (self.percent.trim(), self.amount.trim()) {
            ("", "") => errors.add("percent", "Write a percentage, or an amount beside it."),
            (percent, "") => match errors.take("percent", percent.parse::<BasisPoints>()) {
                Some(BasisPoints(0)) => errors.add("percent", "This takes nothing off."),
                Some(BasisPoints(bp)) => return (Some(bp), None),
                None => {}
            },
            ("", amount) => match errors.take("amount", Money::parse(amount, currency)) {
                Some(Money { minor: 0, .. }) => errors.add("amount", "This takes nothing off."),
                Some(Money { minor, .. }) => return (None, Some(minor)),
                None => {}
            },
            _ => errors.add("amount", "Write a percentage or an amount, not both."),
        }
        (None, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(form: CouponForm) -> Vec<String> {
        let read = form.read(Currency::GBP, &[], Ok(None));
        read.err().map(|errors| errors.iter().map(|(field, _)| field.to_owned()).collect()).unwrap_or_default()
    }

    #[test]
    fn a_coupon_takes_off_a_percentage_or_an_amount() {
        let good = CouponForm { code: "tea-10".into(), name: "Tea".into(), percent: "10".into(), ..CouponForm::default() };
        let draft = good.read(Currency::GBP, &[], Ok(None)).unwrap();
        assert_eq!((draft.code.as_str(), draft.percent_bp, draft.amount_minor), ("TEA-10", Some(1000), None));
        let amount = CouponForm { percent: String::new(), amount: "2.50".into(), ..good.clone() };
        assert_eq!(amount.read(Currency::GBP, &[], Ok(None)).unwrap().amount_minor, Some(250));
        assert_eq!(wrong(CouponForm { amount: "2.50".into(), ..good.clone() }), ["amount"]);
        assert_eq!(wrong(CouponForm { percent: "0".into(), ..good.clone() }), ["percent"]);
        assert_eq!(wrong(CouponForm::default()), ["code", "name", "percent"]);
        let bad = CouponForm {
            category: "x".into(),
            starts_on: "2026-12-02".into(),
            ends_on: "2026-12-01".into(),
            limit_total: "0".into(),
            limit_person: "1001".into(),
            platform: "101".into(),
            minimum: "-1".into(),
            ..good
        };
        assert_eq!(wrong(bad), ["minimum", "category", "ends_on", "limit_total", "limit_person", "platform"]);
    }
}
