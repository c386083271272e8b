//! What a refund is made of: pure rules. Of every figure as much goes back as of the pieces, cumulatively, so that all pieces
//! together give back exactly what was sold; and never more than is left of the parcel, part of which may have gone back before.

use crate::{
    ids::{OrderLineId, VendorId, VendorOrderId},
    money::apportion,
};
use std::collections::BTreeMap;

/// An amount that a shopper paid, and what was frozen with it at the sale. Minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    pub amount: i64,
    /// Contained in the amount.
    pub tax: i64,
    pub fee: i64,
    pub fee_vat: i64,
    /// What the platform paid of the price, on top of the amount.
    pub platform_discount: i64,
}

impl Figures {
    fn with(self, other: Self, f: impl Fn(i64, i64) -> i64) -> Self {
        Self {
            amount: f(self.amount, other.amount),
            tax: f(self.tax, other.tax),
            fee: f(self.fee, other.fee),
            fee_vat: f(self.fee_vat, other.fee_vat),
            platform_discount: f(self.platform_discount, other.platform_discount),
        }
    }

    pub fn plus(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }

    /// What is left of `self`, nothing where `other` is more.
    pub fn less(self, other: Self) -> Self {
        self.with(other, |a, b| (a - b).max(0))
    }

    fn at_most(self, other: Self) -> Self {
        self.with(other, i64::min)
    }

    /// `part` of `whole` of every figure, each rounded half up.
    fn share(self, part: i64, whole: i64) -> Self {
        self.with(self, |figure, _| share(figure, part, whole))
    }

    /// What the vendor had of it: the price without the platform's fee.
    pub fn of_vendor(self) -> i64 {
        self.amount + self.platform_discount - self.fee - self.fee_vat
    }

    fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

/// `figure × part / whole`, half up: nothing of nothing, all of the whole, and never falling while `part` grows.
fn share(figure: i64, part: i64, whole: i64) -> i64 {
    if whole == 0 {
        return 0;
    }
    let (figure, part, whole) = (i128::from(figure), i128::from(part), i128::from(whole));
    ((2 * figure * part + whole) / (2 * whole)) as i64
}

/// A line as sold, and what of it went back already or is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldLine {
    pub id: OrderLineId,
    pub title: String,
    pub quantity: i32,
    pub sold: Figures,
    pub back_quantity: i32,
    pub back: Figures,
}

impl SoldLine {
    /// How many pieces were not given back yet.
    pub fn left(&self) -> i32 {
        (self.quantity - self.back_quantity).max(0)
    }

    /// What so many more pieces are worth.
    fn pieces(&self, quantity: i32) -> Figures {
        self.sold.share(i64::from(self.back_quantity + quantity), i64::from(self.quantity)).less(self.back)
    }
}

/// A parcel as sold, and what of it went back already or is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldParcel {
    pub id: VendorOrderId,
    pub vendor: VendorId,
    pub vendor_name: String,
    pub lines: Vec<SoldLine>,
    pub shipping: Figures,
    pub shipping_back: Figures,
    /// Lines and shipping together.
    pub whole: Figures,
    /// All of it, also what was given back of nothing in particular.
    pub back: Figures,
}

/// What of a parcel somebody wants to give back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Pieces, above zero.
    pub lines: BTreeMap<OrderLineId, i32>,
    /// Of the shipping, in minor units.
    pub shipping_minor: i64,
}

/// What a part is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Line {
        line: OrderLineId,
        quantity: i32,
    },
    Shipping,
    /// Nothing of the parcel in particular.
    Amount,
    /// A payment that no order took.
    Surplus,
}

/// One part of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// `None` for a surplus.
    pub parcel: Option<VendorOrderId>,
    pub of: Of,
    pub figures: Figures,
}

/// The one part of a payment that goes back because no order took it.
pub fn surplus(amount: i64) -> Vec<Part> {
    vec![Part { parcel: None, of: Of::Surplus, figures: Figures { amount, ..Figures::default() } }]
}

/// Why a parcel cannot give that back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooMuch {
    /// The line is of another parcel.
    NoSuchLine,
    /// More pieces than are left of this line.
    Pieces { line: OrderLineId, left: i32 },
    /// More than is left of the shipping.
    Shipping { left: i64 },
}

impl SoldParcel {
    /// What can still go back.
    pub fn left(&self) -> Figures {
        self.whole.less(self.back)
    }

    /// What can still go back of the shipping.
    pub fn shipping_left(&self) -> i64 {
        self.shipping.less(self.shipping_back).amount.min(self.left().amount)
    }

    /// The parts that give this back. Where part of the parcel went back before, of nothing in particular, they are worth no
    /// more than what is left; when nothing is left of the amount, all fees have gone back too.
    pub fn parts(&self, wanted: &Wanted) -> Result<Vec<Part>, TooMuch> {
        let mut left = self.left();
        let mut parts = Vec::new();
        let mut take = |of: Of, figures: Figures| {
            let figures = figures.at_most(left);
            left = left.less(figures);
            parts.push(Part { parcel: Some(self.id), of, figures });
        };
        for (id, quantity) in &wanted.lines {
            let line = self.lines.iter().find(|l| l.id == *id).ok_or(TooMuch::NoSuchLine)?;
            if *quantity > line.left() {
                return Err(TooMuch::Pieces { line: *id, left: line.left() });
            }
            take(Of::Line { line: *id, quantity: *quantity }, line.pieces(*quantity));
        }
        if wanted.shipping_minor > 0 {
            if wanted.shipping_minor > self.shipping_left() {
                return Err(TooMuch::Shipping { left: self.shipping_left() });
            }
            let after = self.shipping_back.amount + wanted.shipping_minor;
            let figures = self.shipping.share(after, self.shipping.amount).less(self.shipping_back);
            take(Of::Shipping, Figures { amount: wanted.shipping_minor, ..figures });
        }
        if left.amount == 0 && !left.is_nothing() && !parts.is_empty() {
            parts.push(Part { parcel: Some(self.id), of: Of::Amount, figures: left });
        }
        Ok(parts)
    }

    /// Every piece and all of the shipping that is left.
    pub fn everything(&self) -> Wanted {
        let lines = self.lines.iter().filter(|l| l.left() > 0).map(|l| (l.id, l.left())).collect();
        Wanted { lines, shipping_minor: self.shipping.less(self.shipping_back).amount }
    }

    /// The parts that give back all that is left.
    pub fn rest(&self) -> Vec<Part> {
        let mut wanted = self.everything();
        let pieces: i64 = self.lines.iter().map(|l| l.pieces(l.left()).amount).sum();
        wanted.shipping_minor = wanted.shipping_minor.min((self.left().amount - pieces).max(0));
        // Every line and amount of it is from this parcel, so nothing is refused.
        let mut parts = self.parts(&wanted).unwrap_or_default();
        let taken = parts.iter().fold(Figures::default(), |sum, part| sum.plus(part.figures));
        let left = self.left().less(taken);
        if !left.is_nothing() {
            parts.push(Part { parcel: Some(self.id), of: Of::Amount, figures: left });
        }
        parts
    }

    /// Whether all of its pieces go back with these, so that the shipping does, too.
    pub fn complete_with(&self, lines: &BTreeMap<OrderLineId, i32>) -> bool {
        self.lines.iter().all(|l| l.left() <= lines.get(&l.id).copied().unwrap_or(0))
    }

    /// `2 × Oak bowl, shipping`; empty for an amount of nothing in particular.
    pub fn contents(&self, parts: &[Part]) -> String {
        let names: Vec<String> = parts
            .iter()
            .filter_map(|part| match part.of {
                Of::Line { line, quantity } => {
                    self.lines.iter().find(|l| l.id == line).map(|l| format!("{quantity} × {}", l.title))
                }
                Of::Shipping => Some("shipping".into()),
                Of::Amount | Of::Surplus => None,
            })
            .collect();
        names.join(", ")
    }
}

/// An amount of nothing in particular, spread over the parcels by what is left of each; what is more than all that is left, as
/// cannot be, goes to none.
pub fn spread(parcels: &[SoldParcel], amount: i64) -> Vec<Part> {
    let left: Vec<i64> = parcels.iter().map(|p| p.left().amount).collect();
    let amount = amount.min(left.iter().sum());
    parcels
        .iter()
        .zip(apportion(amount, &left))
        .filter(|(_, amount)| *amount > 0)
        .map(|(parcel, amount)| {
            let left = parcel.left();
            Part { parcel: Some(parcel.id), of: Of::Amount, figures: Figures { amount, ..left.share(amount, left.amount) } }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line() -> impl Strategy<Value = SoldLine> {
        (1i32..12, 0i64..500_000, 0i64..4000, 0i64..2500, 0i64..5000, 0i64..2000).prop_map(
            |(quantity, amount, tax, fee, vat, off)| {
                let of = |bp: i64| amount * bp / 10_000;
                let fee = of(fee);
                let sold = Figures { amount, tax: of(tax), fee, fee_vat: fee * vat / 10_000, platform_discount: of(off) };
                SoldLine {
                    id: OrderLineId::new(),
                    title: "Oak bowl".into(),
                    quantity,
                    sold,
                    back_quantity: 0,
                    back: Figures::default(),
                }
            },
        )
    }

    fn parcel() -> impl Strategy<Value = SoldParcel> {
        (prop::collection::vec(line(), 1..5), 0i64..2000, 0i64..100).prop_map(|(lines, amount, fee)| {
            let fee = fee.min(amount);
            let shipping = Figures { amount, tax: amount / 6, fee, fee_vat: fee / 5, platform_discount: 0 };
            let whole = lines.iter().fold(shipping, |sum, l| sum.plus(l.sold));
            SoldParcel {
                id: VendorOrderId::new(),
                vendor: VendorId::new(),
                vendor_name: "The mill".into(),
                lines,
                shipping,
                shipping_back: Figures::default(),
                whole,
                back: Figures::default(),
            }
        })
    }

    /// Books parts, or takes them back.
    fn note(parcel: &mut SoldParcel, parts: &[Part], back: bool) {
        let sign = if back { 1 } else { -1 };
        let add = |to: &mut Figures, f: Figures| *to = to.with(f, |a, b| a + sign * b);
        for part in parts {
            add(&mut parcel.back, part.figures);
            match part.of {
                Of::Line { line, quantity } => {
                    let line = parcel.lines.iter_mut().find(|l| l.id == line).unwrap();
                    line.back_quantity += sign as i32 * quantity;
                    add(&mut line.back, part.figures);
                }
                Of::Shipping => add(&mut parcel.shipping_back, part.figures),
                Of::Amount | Of::Surplus => {}
            }
        }
    }

    fn within(small: Figures, large: Figures) -> bool {
        small.at_most(large) == small && small.at_most(Figures::default()).is_nothing()
    }

    fn check(parcel: &SoldParcel) -> Result<(), TestCaseError> {
        prop_assert!(within(parcel.back, parcel.whole), "{parcel:?}");
        prop_assert!(within(parcel.shipping_back, parcel.shipping), "{parcel:?}");
        for line in &parcel.lines {
            prop_assert!(line.back_quantity <= line.quantity && within(line.back, line.sold), "{line:?}");
        }
        if parcel.left().amount == 0 && parcel.whole.amount > 0 {
            prop_assert!(parcel.left().is_nothing(), "all that was frozen goes back with the last penny: {parcel:?}");
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn all_pieces_of_a_line_give_back_exactly_what_was_sold(mut line in line(), steps in prop::collection::vec(1i32..5, 1..12)) {
            let mut sum = Figures::default();
            for step in steps.into_iter().chain([12]) {
                let quantity = step.min(line.left());
                let part = line.pieces(quantity);
                line.back = line.back.plus(part);
                line.back_quantity += quantity;
                sum = sum.plus(part);
            }
            prop_assert_eq!(sum, line.sold);
        }

        /// Refunds of lines, of shipping and of amounts, some of which fail later, in any order, and then the rest.
        #[test]
        fn whatever_goes_back_is_never_more_than_was_sold_and_the_rest_is_all(
            mut parcel in parcel(),
            steps in prop::collection::vec((0u8..4, 0usize..5, 1i32..4, 1i64..5000, any::<bool>()), 0..12),
        ) {
            let mut booked: Vec<Vec<Part>> = Vec::new();
            for (kind, which, quantity, amount, fails) in steps {
                let parts = match kind {
                    0 | 1 => {
                        let line = &parcel.lines[which % parcel.lines.len()];
                        let quantity = quantity.min(line.left());
                        let lines = if quantity > 0 { [(line.id, quantity)].into() } else { BTreeMap::new() };
                        parcel.parts(&Wanted { lines, shipping_minor: 0 }).unwrap()
                    }
                    2 => parcel.parts(&Wanted { lines: BTreeMap::new(), shipping_minor: amount.min(parcel.shipping_left()) }).unwrap(),
                    _ => {
                        let amount = amount.min(parcel.left().amount);
                        let parts = spread(std::slice::from_ref(&parcel), amount);
                        prop_assert_eq!(parts.iter().map(|p| p.figures.amount).sum::<i64>(), amount);
                        parts
                    }
                };
                // Nothing of worth is no refund.
                if parts.iter().all(|p| p.figures.amount == 0) {
                    continue;
                }
                note(&mut parcel, &parts, true);
                check(&parcel)?;
                booked.push(parts);
                if fails {
                    let parts = booked.swap_remove(which % booked.len());
                    note(&mut parcel, &parts, false);
                }
            }
            let rest = parcel.rest();
            let of = rest.iter().fold(Figures::default(), |sum, p| sum.plus(p.figures));
            prop_assert_eq!(of, parcel.left());
            note(&mut parcel, &rest, true);
            check(&parcel)?;
            prop_assert_eq!(parcel.back, parcel.whole);
        }

        #[test]
        fn an_amount_is_spread_whole(parcels in prop::collection::vec(parcel(), 1..5), share in 0i64..=1000) {
            let all: i64 = parcels.iter().map(|p| p.whole.amount).sum();
            let amount = all * share / 1000;
            let parts = spread(&parcels, amount);
            prop_assert_eq!(parts.iter().map(|p| p.figures.amount).sum::<i64>(), amount);
            for part in parts {
                let parcel = parcels.iter().find(|p| Some(p.id) == part.parcel).unwrap();
                prop_assert!(within(part.figures, parcel.whole));
            }
        }
    }

    #[test]
    fn more_than_is_left_is_refused_by_name() {
        let line = SoldLine {
            id: OrderLineId::new(),
            title: "Oak bowl".into(),
            quantity: 3,
            sold: Figures { amount: 1000, tax: 167, fee: 100, fee_vat: 20, platform_discount: 0 },
            back_quantity: 2,
            back: Figures { amount: 667, tax: 111, fee: 67, fee_vat: 13, platform_discount: 0 },
        };
        let shipping = Figures { amount: 395, ..Figures::default() };
        let parcel = SoldParcel {
            id: VendorOrderId::new(),
            vendor: VendorId::new(),
            vendor_name: "The mill".into(),
            whole: line.sold.plus(shipping),
            back: line.back,
            lines: vec![line.clone()],
            shipping,
            shipping_back: Figures::default(),
        };
        let want = |quantity, shipping_minor| parcel.parts(&Wanted { lines: [(line.id, quantity)].into(), shipping_minor });
        assert_eq!(want(2, 0), Err(TooMuch::Pieces { line: line.id, left: 1 }));
        assert_eq!(want(1, 396), Err(TooMuch::Shipping { left: 395 }));
        let last = want(1, 395).unwrap();
        assert_eq!(last[0].figures, Figures { amount: 333, tax: 56, fee: 33, fee_vat: 7, platform_discount: 0 });
        assert_eq!(parcel.contents(&last), "1 × Oak bowl, shipping");
        let stranger = Wanted { lines: [(OrderLineId::new(), 1)].into(), shipping_minor: 0 };
        assert_eq!(parcel.parts(&stranger), Err(TooMuch::NoSuchLine));
        assert!(parcel.complete_with(&[(line.id, 1)].into()) && !parcel.complete_with(&BTreeMap::new()));
    }
}
