//! What a coupon takes off, which goods it is for and who pays: pure, so that the page, the order and the tests reckon it the same way.

use crate::{
    cart::model::CartLine,
    ids::{CategoryId, CouponId, VendorId},
    money::{BasisPoints, Currency, Money},
};
use serde::Deserialize;
use std::{fmt, str::FromStr};

/// A coupon's code: 3 to 32 letters, digits and dashes; in upper case, however it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CouponCode(String);

/// The text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("A code has 3 to {} letters, digits and dashes.", CouponCode::MAX)]
pub struct BadCode;

impl CouponCode {
    /// The most characters; the column says the same.
    pub const MAX: u32 = 32;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CouponCode {
    type Err = BadCode;
    fn from_str(text: &str) -> Result<Self, BadCode> {
        let code = text.trim().to_ascii_uppercase();
        let kept = code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if kept && (3..=Self::MAX as usize).contains(&code.len()) && !code.starts_with('-') {
            Ok(Self(code))
        } else {
            Err(BadCode)
        }
    }
}

impl fmt::Display for CouponCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A coupon as an order is reckoned with it. Amounts are minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Coupon {
    pub id: CouponId,
    pub code: String,
    /// The shop that gives it; `None`: the market does.
    pub vendor: Option<String>,
    /// One of these two.
    pub percent_bp: Option<i32>,
    pub amount_minor: Option<i64>,
    pub currency: Currency,
    /// What the goods that it is for must be worth.
    pub minimum_minor: i64,
    /// The goods that it is for; `None` for all.
    pub only_vendor_id: Option<VendorId>,
    /// This category and all below it.
    pub category_id: Option<CategoryId>,
    /// What of the discount the market pays.
    pub platform_bp: i32,
}

/// Why a code takes nothing off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDiscount {
    #[error("There is no such coupon.")]
    Unknown,
    #[error("This coupon has ended.")]
    Ended,
    #[error("This coupon is not valid yet.")]
    Early,
    #[error("This coupon has been used as often as it can be.")]
    UsedUp,
    #[error("You have used this coupon as often as you can.")]
    UsedByYou,
    #[error("This coupon is for other goods than those in your order.")]
    OtherGoods,
    #[error("This coupon needs goods for {minimum}. Those of your order that it is for cost {worth}.")]
    TooLittle { minimum: Money, worth: Money },
}

/// What a coupon takes off an order. Minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discount {
    pub coupon: Coupon,
    pub amount_minor: i64,
    /// What of it the market pays.
    pub platform_minor: i64,
}

impl Coupon {
    /// Whether it is for this line.
    pub fn covers(&self, line: &CartLine) -> bool {
        self.only_vendor_id.is_none_or(|v| v == line.vendor_id) && self.category_id.is_none_or(|c| line.categories.contains(&c))
    }

    /// What it takes off goods that it is for and that are worth this much; never more than they cost.
    pub fn takes_off(self, worth_minor: i64) -> Result<Discount, NoDiscount> {
        if worth_minor <= 0 {
            return Err(NoDiscount::OtherGoods);
        }
        let wanted = match (self.percent_bp, self.amount_minor) {
            (Some(percent), _) => BasisPoints(percent).of(worth_minor),
            (None, amount) => amount.unwrap_or(0),
        };
        if worth_minor < self.minimum_minor || wanted <= 0 {
            // A percentage of a penny is nothing: it needs what makes a penny of it.
            let least = self.percent_bp.map_or(0, |percent| (4_999 + i64::from(percent)) / i64::from(percent.max(1)));
            let (minimum, worth) = (self.minimum_minor.max(least), worth_minor);
            let money = |minor| Money::new(minor, self.currency);
            return Err(NoDiscount::TooLittle { minimum: money(minimum), worth: money(worth) });
        }
        let amount_minor = wanted.min(worth_minor);
        let platform_minor = BasisPoints(self.platform_bp).of(amount_minor);
        Ok(Discount { coupon: self, amount_minor, platform_minor })
    }

    /// Who gives it.
    pub fn giver(&self) -> &str {
        giver(self.vendor.as_deref())
    }
}

/// The name of the shop that gives a coupon, or the market's.
pub fn giver(vendor: Option<&str>) -> &str {
    vendor.unwrap_or("Souk")
}

/// What a discount is called beside its amount.
pub fn label(code: &str, vendor: Option<&str>) -> String {
    format!("Coupon {code}, from {}", giver(vendor))
}

/// What a code offers somebody: the coupon, and how it stands.
#[derive(Debug, Clone, Deserialize)]
pub struct Offer {
    #[serde(flatten)]
    pub coupon: Coupon,
    pub standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Good,
    Ended,
    Early,
    UsedUp,
    UsedByYou,
}

impl Offer {
    /// The coupon, if it can be used in a shop of this currency.
    pub fn usable(self, currency: Currency) -> Result<Coupon, NoDiscount> {
        match self.standing {
            _ if self.coupon.currency != currency => Err(NoDiscount::Unknown),
            Standing::Good => Ok(self.coupon),
            Standing::Ended => Err(NoDiscount::Ended),
            Standing::Early => Err(NoDiscount::Early),
            Standing::UsedUp => Err(NoDiscount::UsedUp),
            Standing::UsedByYou => Err(NoDiscount::UsedByYou),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn coupon(percent_bp: Option<i32>, amount_minor: Option<i64>) -> Coupon {
        Coupon {
            id: uuid::Uuid::nil().into(),
            code: "SPRING".into(),
            vendor: None,
            percent_bp,
            amount_minor,
            currency: Currency::GBP,
            minimum_minor: 0,
            only_vendor_id: None,
            category_id: None,
            platform_bp: 10_000,
        }
    }

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        for (typed, code) in [("spring", "SPRING"), (" Tea-20 ", "TEA-20"), ("123", "123")] {
            assert_eq!(typed.parse::<CouponCode>().map(|c| c.to_string()), Ok(code.to_owned()));
        }
        for bad in ["", "ab", "-abc", "two words", "größe", "a\0bc", &"x".repeat(33)] {
            assert_eq!(bad.parse::<CouponCode>(), Err(BadCode), "{bad:?}");
        }
    }

    #[test]
    fn what_is_too_little_is_said_with_what_would_do() {
        let off = |c: Coupon, worth| c.takes_off(worth).map(|d| d.amount_minor);
        assert_eq!(off(coupon(Some(1_000), None), 1_005), Ok(101));
        assert_eq!(off(coupon(None, Some(500)), 300), Ok(300));
        assert_eq!(off(coupon(None, Some(500)), 0), Err(NoDiscount::OtherGoods));
        let money = |minor| Money::new(minor, Currency::GBP);
        let dear = Coupon { minimum_minor: 2_000, ..coupon(None, Some(500)) };
        assert_eq!(off(dear.clone(), 1_999), Err(NoDiscount::TooLittle { minimum: money(2_000), worth: money(1_999) }));
        assert_eq!(off(dear, 2_000), Ok(500));
        assert_eq!(off(coupon(Some(100), None), 49), Err(NoDiscount::TooLittle { minimum: money(50), worth: money(49) }));
        assert_eq!(off(coupon(Some(100), None), 50), Ok(1));
    }

    proptest! {
        #[test]
        fn a_discount_is_never_more_than_the_goods_and_the_market_never_pays_more_than_it(
            percent in prop::option::of(1i32..=10_000), amount in 1i64..=1_000_000_000, share in 0i32..=10_000, worth in 0i64..1_000_000_000_000,
        ) {
            let coupon = Coupon { platform_bp: share, ..coupon(percent, percent.is_none().then_some(amount)) };
            if let Ok(discount) = coupon.takes_off(worth) {
                prop_assert!((1..=worth).contains(&discount.amount_minor));
                prop_assert!((0..=discount.amount_minor).contains(&discount.platform_minor));
                prop_assert!(share > 0 || discount.platform_minor == 0);
                prop_assert!(share < 10_000 || discount.platform_minor == discount.amount_minor);
            }
        }
    }
}
