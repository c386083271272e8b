//! Which purchase a cancellation takes back. The file does not say, so a rule has to; see the module's header of `replay`.

use std::collections::{BTreeMap, HashMap};

/// A row of an invoice whose number begins with `C`, that takes articles back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancelledRow {
    pub invoice: String,
    /// Empty: the file does not say who.
    pub customer: String,
    /// By place in the file's goods; `None` for a code and price that were never sold.
    pub goods: Option<usize>,
    /// Pieces, above zero.
    pub quantity: i64,
    /// How many invoices stand before it in the file.
    pub before: usize,
}

/// What was bought, as matching needs it.
#[derive(Debug, Clone)]
pub struct Bought<'a> {
    pub customer: &'a str,
    /// How many invoices stand before it in the file.
    pub before: usize,
    pub lines: &'a [(usize, i32)],
}

/// Why a row that cancels is no refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unmatched {
    /// It takes back postage or another adjustment, or cannot be read.
    NoArticle,
    NoCustomer,
    /// The customer has no earlier purchase with so many pieces left, at this price.
    NoPurchase,
}

impl Unmatched {
    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::NoArticle => "take back postage, fees or what cannot be read",
            Self::NoCustomer => "do not say whose they are",
            Self::NoPurchase => "match no earlier purchase",
        }
    }
}

/// What one cancelling invoice takes back of one purchase from one vendor: a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    /// `C536379`
    pub invoice: String,
    /// By place among the file's purchases.
    pub purchase: usize,
    /// `0..VENDORS`
    pub vendor: usize,
    /// Pieces by place among the file's goods, each goods once.
    pub lines: BTreeMap<usize, i32>,
}

/// Matches rows in the order of the file: each takes back of the latest purchase before it that is the same customer's, has the same goods
/// at the same price, and of whose pieces so many were not taken back before. `vendor_of` answers whose goods they are. The rows that match
/// none are counted.
pub fn matched(
    rows: &[CancelledRow],
    purchases: &[Bought<'_>],
    vendor_of: impl Fn(usize) -> usize,
) -> (Vec<Cancellation>, BTreeMap<Unmatched, u64>) {
    // Purchases of a customer's goods in the order of the file, and what is left of each.
    let mut left: HashMap<(&str, usize), Vec<(usize, i64)>> = HashMap::new();
    for (place, purchase) in purchases.iter().enumerate().filter(|(_, p)| !p.customer.is_empty()) {
        for (goods, quantity) in purchase.lines {
            left.entry((purchase.customer, *goods)).or_default().push((place, i64::from(*quantity)));
        }
    }
    let mut refunds: BTreeMap<(usize, &str, usize), BTreeMap<usize, i32>> = BTreeMap::new();
    let mut unmatched: BTreeMap<Unmatched, u64> = BTreeMap::new();
    for row in rows {
        let found = match row.goods {
            _ if row.customer.is_empty() => Err(Unmatched::NoCustomer),
            None => Err(Unmatched::NoPurchase),
            Some(goods) => left
                .get_mut(&(row.customer.as_str(), goods))
                .and_then(|bought| {
                    bought.iter_mut().rev().find(|(place, left)| purchases[*place].before < row.before && *left >= row.quantity)
                })
                .zip(i32::try_from(row.quantity).ok())
                .map(|(of, quantity)| (goods, of, quantity))
                .ok_or(Unmatched::NoPurchase),
        };
        match found {
            Ok((goods, (purchase, left), quantity)) => {
                *left -= row.quantity;
                let lines = refunds.entry((*purchase, &row.invoice, vendor_of(goods))).or_default();
                *lines.entry(goods).or_default() += quantity;
            }
            Err(why) => *unmatched.entry(why).or_default() += 1,
        }
    }
    let refunds = refunds.into_iter().map(|((purchase, invoice, vendor), lines)| Cancellation {
        invoice: invoice.to_owned(),
        purchase,
        vendor,
        lines,
    });
    (refunds.collect(), unmatched)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(invoice: &str, customer: &str, goods: usize, quantity: i64, before: usize) -> CancelledRow {
        CancelledRow { invoice: invoice.into(), customer: customer.into(), goods: Some(goods), quantity, before }
    }

    #[test]
    fn the_latest_earlier_purchase_with_enough_left_is_taken_back() {
        let lines: [&[(usize, i32)]; 4] = [&[(0, 5)], &[(0, 3), (1, 2)], &[(0, 9)], &[(0, 9)]];
        let purchase = |customer, before, lines| Bought { customer, before, lines };
        let purchases = [
            purchase("ada", 0, lines[0]),
            purchase("ada", 1, lines[1]),
            purchase("bob", 2, lines[2]),
            purchase("ada", 8, lines[3]),
        ];
        let rows = [
            row("C1", "ada", 0, 2, 3), // of the second: the fourth comes later
            row("C1", "ada", 1, 2, 3), // of the same purchase, of another vendor
            row("C2", "ada", 0, 2, 4), // one is left of the second: of the first
            row("C3", "ada", 0, 4, 5), // nobody has four left
            row("C4", "ada", 0, 1, 6), // the last one of the second
            row("C5", "", 0, 1, 7),
            CancelledRow { goods: None, ..row("C6", "ada", 0, 1, 7) },
            row("C7", "eve", 0, 1, 7),
        ];
        let (refunds, unmatched) = matched(&rows, &purchases, |goods| goods);
        let told: Vec<_> = refunds
            .iter()
            .map(|r| (r.invoice.as_str(), r.purchase, r.vendor, r.lines.iter().map(|(g, q)| (*g, *q)).collect::<Vec<_>>()))
            .collect();
        assert_eq!(
            told,
            [("C2", 0, 0, vec![(0, 2)]), ("C1", 1, 0, vec![(0, 2)]), ("C1", 1, 1, vec![(1, 2)]), ("C4", 1, 0, vec![(0, 1)])]
        );
        assert_eq!(unmatched, [(Unmatched::NoCustomer, 1), (Unmatched::NoPurchase, 3)].into());
    }
}
