//! What the market keeps of a sale, reckoned. Pure: checkout freezes by it, the operator tries a draft by it, and a vendor sees by it
//! what a price leaves.
//!
//! The first rule that matches a line decides its fee: the percentage of what the vendor gets for the line, and the fixed part of
//! each piece; at least the minimum and at most the cap of each piece. VAT of the vendor's country comes on top, rounded line by
//! line. Fee and VAT never exceed what the line brings: a vendor never pays for having sold. A parcel's shipping is shared out over its
//! lines by what they bring; of the shares of lines whose rule says so, its percentage is taken, and rounded once.

use crate::{
    ids::{CategoryId, CommissionRuleId, ProductId, VendorId},
    money::{BasisPoints, apportion},
};
use serde::Deserialize;
use time::Date;

/// One rule: what it matches, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Rule {
    /// `None` for a draft.
    pub id: Option<CommissionRuleId>,
    pub name: String,
    pub vendor_id: Option<VendorId>,
    /// This category and all below it.
    pub category_id: Option<CategoryId>,
    pub product_id: Option<ProductId>,
    /// Days in UTC, both included. Not read where only rules of today are asked for.
    #[serde(skip)]
    pub starts_on: Option<Date>,
    #[serde(skip)]
    pub ends_on: Option<Date>,
    pub percent_bp: i32,
    pub fixed_minor: i64,
    pub minimum_minor: i64,
    pub cap_minor: Option<i64>,
    pub on_shipping: bool,
}

/// One line of a parcel. Minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goods {
    /// `None` where it is no longer known.
    pub product: Option<ProductId>,
    /// The product's category and all above it.
    pub categories: Vec<CategoryId>,
    pub quantity: i32,
    /// What the vendor gets for the line, were there no commission.
    pub gross_minor: i64,
}

/// What one vendor sells at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    pub vendor: VendorId,
    /// VAT on the fee, of the vendor's country; zero where none is owed.
    pub vat: BasisPoints,
    pub shipping_minor: i64,
    pub lines: Vec<Goods>,
}

/// A fee and the VAT on it, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fee {
    pub fee_minor: i64,
    pub vat_minor: i64,
}

impl Fee {
    /// Both together: what the vendor does not get.
    pub fn sum(self) -> i64 {
        self.fee_minor + self.vat_minor
    }

    /// A fee with its VAT, as far as what it is taken of has room for both.
    fn within(wanted_minor: i64, gross_minor: i64, vat: BasisPoints) -> Self {
        let (gross, whole) = (i128::from(gross_minor.max(0)), 10_000 + i128::from(vat.0));
        let most = (gross * 10_000 / whole) as i64;
        let fee_minor = wanted_minor.clamp(0, most);
        Self { fee_minor, vat_minor: vat.of(fee_minor) }
    }
}

/// The fees of a parcel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fees<'r> {
    /// For each line, in the parcel's order, the rule that decided and what it takes; no rule and nothing where none matches.
    pub lines: Vec<(Option<&'r Rule>, Fee)>,
    pub shipping: Fee,
}

impl Fees<'_> {
    /// All of it.
    pub fn total(&self) -> Fee {
        self.lines.iter().map(|(_, fee)| *fee).chain([self.shipping]).fold(Fee::default(), |sum, fee| Fee {
            fee_minor: sum.fee_minor + fee.fee_minor,
            vat_minor: sum.vat_minor + fee.vat_minor,
        })
    }
}

impl Rule {
    /// Whether it decides about these goods of this vendor, sold on this day.
    pub fn matches(&self, vendor: VendorId, goods: &Goods, on: Date) -> bool {
        self.vendor_id.is_none_or(|v| v == vendor)
            && self.category_id.is_none_or(|c| goods.categories.contains(&c))
            && self.product_id.is_none_or(|p| goods.product == Some(p))
            && self.starts_on.is_none_or(|day| day <= on)
            && self.ends_on.is_none_or(|day| on <= day)
    }

    /// What it takes of so many pieces that bring so much, before it is asked whether there is room for it.
    fn takes(&self, quantity: i32, gross_minor: i64) -> i64 {
        let pieces = i64::from(quantity);
        let fee = BasisPoints(self.percent_bp).of(gross_minor) + self.fixed_minor * pieces;
        let fee = fee.max(self.minimum_minor * pieces);
        self.cap_minor.map_or(fee, |cap| fee.min(cap * pieces))
    }
}

/// The rule that decides about these goods: the first that matches.
pub fn deciding<'r>(rules: &'r [Rule], vendor: VendorId, goods: &Goods, on: Date) -> Option<&'r Rule> {
    rules.iter().find(|rule| rule.matches(vendor, goods, on))
}

/// What a parcel sold on this day costs its vendor.
pub fn fees<'r>(rules: &'r [Rule], parcel: &Parcel, on: Date) -> Fees<'r> {
    let lines: Vec<_> = parcel
        .lines
        .iter()
        .map(|goods| {
            let rule = deciding(rules, parcel.vendor, goods, on);
            let wanted = rule.map_or(0, |r| r.takes(goods.quantity, goods.gross_minor));
            (rule, Fee::within(wanted, goods.gross_minor, parcel.vat))
        })
        .collect();
    let weights: Vec<i64> = parcel.lines.iter().map(|l| l.gross_minor).collect();
    // In hundredths of a percent of a minor unit, until it is rounded.
    let of_shipping: i128 = apportion(parcel.shipping_minor, &weights)
        .into_iter()
        .zip(&lines)
        .map(|(share, (rule, _))| rule.filter(|r| r.on_shipping).map_or(0, |r| i128::from(share) * i128::from(r.percent_bp)))
        .sum();
    let shipping = Fee::within(((of_shipping + 5_000) / 10_000) as i64, parcel.shipping_minor, parcel.vat);
    Fees { lines, shipping }
}

/// What one piece at this price costs its vendor, sold on this day with nothing else.
pub fn of_one(rules: &[Rule], vendor: VendorId, vat: BasisPoints, piece: Goods, on: Date) -> (Option<&Rule>, Fee) {
    let parcel = Parcel { vendor, vat, shipping_minor: 0, lines: vec![Goods { quantity: 1, ..piece }] };
    fees(rules, &parcel, on).lines.into_iter().next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
