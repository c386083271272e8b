//! What an order will cost, down to the line: pure, so that the page, the order and the tests compute it the same way.
//! VAT is contained in every price. Each total is computed once, for the order, and apportioned by largest remainder, so
//! that lines sum to their vendor's part and those to the order.

use crate::{
    cart::model::{CartLine, CartView, Parcel, ShippingMethod},
    coupons::model::{Coupon, Discount, NoDiscount},
    ids::VendorId,
    money::{BasisPoints, Currency, Money, apportion},
};
use serde::{Deserialize, Serialize};

/// The order as it would be made now.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    pub currency: Currency,
    /// The VAT rate of the country that it goes to.
    pub rate: BasisPoints,
    pub parcels: Vec<QuotedParcel>,
    pub sums: Sums,
    /// What the coupon takes off that was asked for, or why it takes off nothing.
    pub coupon: Option<Result<Discount, NoDiscount>>,
}

/// One vendor's part.
#[derive(Debug, Clone, PartialEq)]
pub struct QuotedParcel {
    pub vendor_id: VendorId,
    pub vendor_slug: String,
    pub vendor_name: String,
    /// All methods of the vendor, and the one that was chosen.
    pub methods: Vec<ShippingMethod>,
    pub method: ShippingMethod,
    pub lines: Vec<QuotedLine>,
    pub sums: Sums,
}

/// One line with its shares of what belongs to the whole order. Minor units.
#[derive(Debug, Clone, PartialEq)]
pub struct QuotedLine {
    pub line: CartLine,
    pub discount_minor: i64,
    /// What of the discount the market pays.
    pub platform_discount_minor: i64,
    pub tax_minor: i64,
    /// Quantity times price less the discount; `tax_minor` is contained in it.
    pub total_minor: i64,
}

/// What an order or a vendor's part of it costs, in minor units: `total = items + shipping − discount`, which contains `tax`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub items_minor: i64,
    pub shipping_minor: i64,
    pub discount_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
}

impl Quote {
    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    pub fn total(&self) -> Money {
        self.money(self.sums.total_minor)
    }

    /// The coupon that it was reckoned with, and what that takes off.
    pub fn discount(&self) -> Option<&Discount> {
        self.coupon.as_ref().and_then(|c| c.as_ref().ok())
    }

    /// Why the coupon that was asked for takes off nothing.
    pub fn no_discount(&self) -> Option<&NoDiscount> {
        self.coupon.as_ref().and_then(|c| c.as_ref().err())
    }

    pub fn lines(&self) -> impl Iterator<Item = &CartLine> {
        self.parcels.iter().flat_map(|p| &p.lines).map(|l| &l.line)
    }

    /// The texts of the checkout page that depend on the country and the shipping methods, by element id.
    pub fn texts(&self) -> Vec<(String, String)> {
        let mut texts: Vec<(String, String)> = self
            .parcels
            .iter()
            .map(|p| (format!("order-{}-shipping", p.vendor_slug), free_or(self.money(p.sums.shipping_minor))))
            .collect();
        texts.push(("order-shipping".into(), free_or(self.money(self.sums.shipping_minor))));
        texts.push(("order-discount".into(), self.money(-self.sums.discount_minor).to_string()));
        texts.push(("order-tax-label".into(), format!("VAT included ({})", self.rate)));
        texts.push(("order-tax".into(), self.money(self.sums.tax_minor).to_string()));
        texts.push(("order-total".into(), self.total().to_string()));
        texts.push(("bar-total".into(), self.total().to_string()));
        texts.push(("pay".into(), pay_label(self.total())));
        texts
    }
}

/// What the button that makes the order says.
pub fn pay_label(total: Money) -> String {
    format!("Pay {total}")
}

/// An amount, or that it is nothing.
pub fn free_or(money: Money) -> String {
    if money.minor == 0 { "Free".into() } else { money.to_string() }
}

/// What choosing another country or method answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTotals {
    pub total_minor: i64,
    /// `(element id, text)`
    pub texts: Vec<(String, String)>,
}

/// Computes the order of the lines that `wanted` picks, at today's prices. `method` gives the code that was chosen for a
/// vendor's slug; the vendor's first method stands where none or an unknown one was. A vendor without any method cannot
/// send and is left out. The coupon takes off the lines that it is for.
pub fn quote(
    cart: &CartView,
    wanted: impl Fn(&CartLine) -> bool,
    method: impl Fn(&str) -> Option<String>,
    rate: BasisPoints,
    coupon: Option<Result<Coupon, NoDiscount>>,
) -> Quote {
    let parcels: Vec<QuotedParcel> = cart
        .parcels
        .iter()
        .filter_map(|parcel| {
            let lines: Vec<QuotedLine> = parcel.lines.iter().filter(|l| wanted(l)).map(QuotedLine::plain).collect();
            (!lines.is_empty()).then(|| QuotedParcel::plain(parcel, lines, method(&parcel.vendor_slug))).flatten()
        })
        .collect();
    share_out(cart.currency, rate, parcels, coupon)
}

/// Takes a coupon off the lines that it is for, and says of each what of it the market pays.
fn take_off(parcels: &mut [QuotedParcel], coupon: Coupon) -> Result<Discount, NoDiscount> {
    let worth: Vec<i64> = lines_mut(parcels).map(|l| if coupon.covers(&l.line) { l.total_minor } else { 0 }).collect();
    let discount = coupon.takes_off(worth.iter().sum())?;
    let shares = apportion(discount.amount_minor, &worth);
    let paid = apportion(discount.platform_minor, &shares);
    for (line, (share, paid)) in lines_mut(parcels).zip(shares.into_iter().zip(paid)) {
        line.discount_minor = share;
        line.platform_discount_minor = paid;
        line.total_minor -= share;
    }
    Ok(discount)
}

/// Discount and VAT are properties of the whole order; here they find their lines.
fn share_out(
    currency: Currency,
    rate: BasisPoints,
    mut parcels: Vec<QuotedParcel>,
    coupon: Option<Result<Coupon, NoDiscount>>,
) -> Quote {
    let items: i64 = parcels.iter().map(|p| p.sums.items_minor).sum();
    let shipping: i64 = parcels.iter().map(|p| p.sums.shipping_minor).sum();
    let coupon = coupon.map(|found| found.and_then(|coupon| take_off(&mut parcels, coupon)));
    let discount: i64 = lines_mut(&mut parcels).map(|l| l.discount_minor).sum();
    let total = items + shipping - discount;
    let tax = rate.contained_in(total);
    // every line, then every parcel's shipping
    let mut weights: Vec<i64> = lines_mut(&mut parcels).map(|l| l.total_minor).collect();
    weights.extend(parcels.iter().map(|p| p.sums.shipping_minor));
    let mut shares = apportion(tax, &weights).into_iter();
    for (line, share) in lines_mut(&mut parcels).zip(&mut shares) {
        line.tax_minor = share;
    }
    for parcel in &mut parcels {
        let sums = &mut parcel.sums;
        sums.discount_minor = parcel.lines.iter().map(|l| l.discount_minor).sum();
        sums.tax_minor = parcel.lines.iter().map(|l| l.tax_minor).sum::<i64>() + shares.next().unwrap_or(0);
        sums.total_minor = sums.items_minor + sums.shipping_minor - sums.discount_minor;
    }
    let sums =
        Sums { items_minor: items, shipping_minor: shipping, discount_minor: discount, tax_minor: tax, total_minor: total };
    Quote { currency, rate, parcels, sums, coupon }
}

fn lines_mut(parcels: &mut [QuotedParcel]) -> impl Iterator<Item = &mut QuotedLine> {
    parcels.iter_mut().flat_map(|p| &mut p.lines)
}

impl QuotedLine {
    fn plain(line: &CartLine) -> Self {
        Self { line: line.clone(), discount_minor: 0, platform_discount_minor: 0, tax_minor: 0, total_minor: line.total_minor() }
    }
}

impl QuotedParcel {
    fn plain(parcel: &Parcel, lines: Vec<QuotedLine>, code: Option<String>) -> Option<Self> {
        let method = parcel.method(code.as_deref())?.clone();
        let items_minor = lines.iter().map(|l| l.total_minor).sum();
        let shipping_minor = method.price_for(items_minor);
        Some(Self {
            vendor_id: parcel.vendor_id,
            vendor_slug: parcel.vendor_slug.clone(),
            vendor_name: parcel.vendor_name.clone(),
            methods: parcel.methods.clone(),
            method,
            lines,
            sums: Sums { items_minor, shipping_minor, ..Sums::default() },
        })
    }
}

#[cfg(test)]
mod tests;
