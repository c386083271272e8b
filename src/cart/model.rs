//! What a cart is: lines as they stand now, grouped into one parcel per vendor, with what went wrong said at the line.
//! A line that cannot be bought as it stands is never counted, so it never blocks the rest.

use crate::{
    ids::{CartId, CartLineId, CategoryId, PictureId, ProductId, VariantId, VendorId},
    money::{Currency, Money},
    post::Days,
};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use time::Date;

/// Where VAT is reckoned for until the shopper has said where the parcels go.
pub const HOME: &str = "GB";

/// The most of one variant in a cart or an order. The database says the same.
pub const MAX_QUANTITY: i32 = 999;

/// How many of one variant: 1 to [`MAX_QUANTITY`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity(i32);

/// The text or number is no quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Choose a quantity between 1 and {MAX_QUANTITY}.")]
pub struct BadQuantity;

impl Quantity {
    pub fn get(self) -> i32 {
        self.0
    }
}

impl TryFrom<i32> for Quantity {
    type Error = BadQuantity;
    fn try_from(n: i32) -> Result<Self, BadQuantity> {
        if (1..=MAX_QUANTITY).contains(&n) { Ok(Self(n)) } else { Err(BadQuantity) }
    }
}

impl FromStr for Quantity {
    type Err = BadQuantity;
    fn from_str(text: &str) -> Result<Self, BadQuantity> {
        text.trim().parse::<i32>().map_err(|_| BadQuantity)?.try_into()
    }
}

/// What adding to the cart answers: how many things are in it now, and one sentence for the shopper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartChange {
    pub count: i64,
    pub message: String,
}

/// What changing a line on the cart page answers: the texts of the page that are different now, by element id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartUpdate {
    pub count: i64,
    /// `(element id, text)`
    pub texts: Vec<(String, String)>,
    /// The page has other parts than before (a problem came or went): it should be loaded again.
    pub reload: bool,
}

/// One variant in a cart, as it stands now.
#[derive(Debug, Clone, PartialEq)]
pub struct CartLine {
    pub id: CartLineId,
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub product_slug: String,
    pub title: String,
    pub sku: String,
    pub option_names: Vec<String>,
    pub option_values: Vec<String>,
    pub picture_id: Option<PictureId>,
    pub picture_alt: Option<String>,
    pub vendor_id: VendorId,
    pub vendor_slug: String,
    pub vendor_name: String,
    pub quantity: i32,
    /// What one costs now, in minor units.
    pub price_minor: i64,
    /// What one cost when the shopper last saw or accepted it.
    pub seen_price_minor: i64,
    /// How many this cart could buy now; what its own unpaid order holds counts as there.
    pub available: i32,
    /// Pieces of it stand aside for a rush.
    pub set_aside: bool,
    /// Published, of an open shop that ships, in the shop's currency.
    pub for_sale: bool,
    /// Its shop is on holiday until the end of this day, in UTC.
    pub holiday_until: Option<Date>,
    /// Its category and all above it, root first.
    pub categories: Vec<CategoryId>,
    /// VAT on what its vendor is charged for selling it, in basis points: the rate of the vendor's country, 0 where we know none.
    pub vendor_vat_bp: i32,
}

/// Why a line is not simply what the shopper put there. Amounts are minor units of one piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// No longer for sale.
    Unavailable,
    /// Its shop is on holiday until the end of this day.
    OnHoliday {
        until: Date,
    },
    SoldOut,
    /// Some are there, but fewer than wanted.
    FewerLeft {
        left: i32,
    },
    PriceRose {
        was: i64,
        now: i64,
    },
    /// Good news, which still is told.
    PriceFell {
        was: i64,
        now: i64,
    },
}

impl Problem {
    /// Whether the line waits for the shopper's decision and is not counted until then.
    pub fn blocks(self) -> bool {
        !matches!(self, Problem::PriceFell { .. })
    }
}

impl CartLine {
    /// What to tell about this line; the most serious thing first, one at a time.
    pub fn problem(&self) -> Option<Problem> {
        let (was, now) = (self.seen_price_minor, self.price_minor);
        if !self.for_sale {
            Some(Problem::Unavailable)
        } else if let Some(until) = self.holiday_until {
            Some(Problem::OnHoliday { until })
        } else if self.available <= 0 {
            Some(Problem::SoldOut)
        } else if self.available < self.quantity {
            Some(Problem::FewerLeft { left: self.available })
        } else if now > was {
            Some(Problem::PriceRose { was, now })
        } else if now < was {
            Some(Problem::PriceFell { was, now })
        } else {
            None
        }
    }

    /// Whether the line can be bought just as it stands.
    pub fn buyable(&self) -> bool {
        !self.problem().is_some_and(Problem::blocks)
    }

    /// Quantity times today's price, in minor units.
    pub fn total_minor(&self) -> i64 {
        i64::from(self.quantity) * self.price_minor
    }

    /// `(Size, M)`, `(Colour, Blue)`
    pub fn options(&self) -> impl Iterator<Item = (&str, &str)> {
        self.option_names.iter().map(String::as_str).zip(self.option_values.iter().map(String::as_str))
    }

    /// The highest quantity that may be chosen now.
    pub fn most(&self) -> i32 {
        self.available.clamp(1, MAX_QUANTITY)
    }
}

/// One way in which a vendor sends parcels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShippingMethod {
    pub vendor_id: VendorId,
    /// Stable within the vendor: `standard`
    pub code: String,
    pub name: String,
    pub price_minor: i64,
    /// Items worth at least this much ship free.
    pub free_over_minor: Option<i64>,
    pub min_days: i32,
    pub max_days: i32,
}

impl ShippingMethod {
    /// What sending items of this worth costs, in minor units.
    pub fn price_for(&self, items_minor: i64) -> i64 {
        match self.free_over_minor {
            Some(free) if items_minor >= free => 0,
            _ => self.price_minor,
        }
    }

    /// How much more the shopper would have to choose for free shipping; `None` when it is free or never will be.
    pub fn missing_for_free(&self, items_minor: i64) -> Option<i64> {
        self.free_over_minor.filter(|_| self.price_minor > 0).map(|free| free - items_minor).filter(|missing| *missing > 0)
    }

    /// How long it takes.
    pub fn days(&self) -> Days {
        Days::new(self.min_days, self.max_days)
    }
}

/// What one vendor sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Parcel {
    pub vendor_id: VendorId,
    pub vendor_slug: String,
    pub vendor_name: String,
    pub lines: Vec<CartLine>,
    /// In the vendor's order; the first is the one that is proposed.
    pub methods: Vec<ShippingMethod>,
}

impl Parcel {
    /// The lines that would be sent.
    pub fn buyable(&self) -> impl Iterator<Item = &CartLine> {
        self.lines.iter().filter(|l| l.buyable())
    }

    /// What its buyable lines cost, in minor units.
    pub fn items_minor(&self) -> i64 {
        self.buyable().map(CartLine::total_minor).sum()
    }

    /// The method of this code, or the proposed one.
    pub fn method(&self, code: Option<&str>) -> Option<&ShippingMethod> {
        code.and_then(|code| self.methods.iter().find(|m| m.code == code)).or(self.methods.first())
    }

    /// What the proposed method costs; nothing where nothing is sent.
    pub fn shipping_minor(&self) -> i64 {
        match (self.buyable().next(), self.method(None)) {
            (Some(_), Some(method)) => method.price_for(self.items_minor()),
            _ => 0,
        }
    }
}

/// A cart as the shopper sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct CartView {
    /// `None` where nothing was ever put in.
    pub id: Option<CartId>,
    pub currency: Currency,
    /// In the order in which their first line was added.
    pub parcels: Vec<Parcel>,
}

impl CartView {
    /// Groups lines by vendor. `lines` come in the order in which they were added.
    pub fn group(id: Option<CartId>, currency: Currency, lines: Vec<CartLine>, methods: Vec<ShippingMethod>) -> Self {
        let mut parcels: Vec<Parcel> = Vec::new();
        for line in lines {
            match parcels.iter_mut().find(|p| p.vendor_id == line.vendor_id) {
                Some(parcel) => parcel.lines.push(line),
                None => parcels.push(Parcel {
                    vendor_id: line.vendor_id,
                    vendor_slug: line.vendor_slug.clone(),
                    vendor_name: line.vendor_name.clone(),
                    methods: methods.iter().filter(|m| m.vendor_id == line.vendor_id).cloned().collect(),
                    lines: vec![line],
                }),
            }
        }
        Self { id, currency, parcels }
    }

    pub fn lines(&self) -> impl Iterator<Item = &CartLine> {
        self.parcels.iter().flat_map(|p| &p.lines)
    }

    pub fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    /// Whether anything can be bought.
    pub fn any_buyable(&self) -> bool {
        self.lines().any(CartLine::buyable)
    }

    /// How many things are in it, also those that cannot be bought.
    pub fn count(&self) -> i64 {
        self.lines().map(|l| i64::from(l.quantity)).sum()
    }

    pub fn items_minor(&self) -> i64 {
        self.parcels.iter().map(Parcel::items_minor).sum()
    }

    /// With the method that each vendor proposes.
    pub fn shipping_minor(&self) -> i64 {
        self.parcels.iter().map(Parcel::shipping_minor).sum()
    }

    pub fn total_minor(&self) -> i64 {
        self.items_minor() + self.shipping_minor()
    }

    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// Whether the cart page has the same lines with the same remarks as for another view, so that only its figures differ.
    pub fn same_parts(&self, other: &Self) -> bool {
        let parts = |view: &Self| view.lines().map(|l| (l.id, l.problem(), l.available)).collect::<Vec<_>>();
        parts(self) == parts(other)
    }

    /// The texts of the cart page that depend on quantities, by element id; the page and its islands share this.
    pub fn texts(&self) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        for parcel in &self.parcels {
            for line in &parcel.lines {
                texts.push((line_total_id(line.id), self.money(line.total_minor()).to_string()));
            }
            let slug = &parcel.vendor_slug;
            texts.push((format!("parcel-{slug}-items"), self.money(parcel.items_minor()).to_string()));
            texts.push((format!("parcel-{slug}-shipping"), self.shipping_text(parcel)));
            texts.push((format!("parcel-{slug}-free"), self.free_text(parcel)));
        }
        texts.push(("cart-items".into(), self.money(self.items_minor()).to_string()));
        texts.push(("cart-shipping".into(), free_or(self.money(self.shipping_minor()))));
        texts.push(("cart-total".into(), self.money(self.total_minor()).to_string()));
        texts
    }

    /// What this parcel's proposed shipping costs, or that it is free.
    pub fn shipping_text(&self, parcel: &Parcel) -> String {
        free_or(self.money(parcel.shipping_minor()))
    }

    /// How far it is to free shipping; empty where that says nothing.
    pub fn free_text(&self, parcel: &Parcel) -> String {
        let missing = parcel.method(None).and_then(|m| m.missing_for_free(parcel.items_minor()));
        match missing {
            Some(missing) if parcel.items_minor() > 0 => {
                format!("{} more from {} and this parcel ships free.", self.money(missing), parcel.vendor_name)
            }
            _ => String::new(),
        }
    }
}

/// The element that shows what a line costs.
pub fn line_total_id(line: CartLineId) -> String {
    format!("line-{line}-total")
}

fn free_or(money: Money) -> String {
    if money.minor == 0 { "Free".into() } else { money.to_string() }
}

#[cfg(test)]
mod tests;
