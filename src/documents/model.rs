//! What papers say: plain facts, frozen when a paper is issued and kept beside its bytes. Amounts are in minor units of the paper's
//! currency; in prices VAT is contained.

use crate::{
    ids::{DocumentId, VendorOrderId},
    money::{BasisPoints, Currency, Money},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::{Date, OffsetDateTime};

time::serde::format_description!(iso, Date, "[year]-[month]-[day]");

/// A kind of paper. Each issuer numbers each kind on its own, year by year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Kind {
    /// A vendor's, for its part of an order.
    Invoice,
    /// A vendor's, for money that went back to a shopper.
    CreditNote,
    /// The platform's to a vendor, for a month's commission.
    CommissionInvoice,
    /// The platform's to a vendor: opening balance, movements, closing balance.
    Statement,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Invoice, Self::CreditNote, Self::CommissionInvoice, Self::Statement];

    /// As it stands in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::CreditNote => "credit_note",
            Self::CommissionInvoice => "commission_invoice",
            Self::Statement => "statement",
        }
    }

    /// As it stands over the paper.
    pub fn title(self) -> &'static str {
        match self {
            Self::Invoice => "Invoice",
            Self::CreditNote => "Credit note",
            Self::CommissionInvoice => "Commission invoice",
            Self::Statement => "Statement",
        }
    }

    /// `INV-2026-00001`
    pub fn number(self, year: i32, sequence: i32) -> String {
        let prefix = match self {
            Self::Invoice => "INV",
            Self::CreditNote => "CN",
            Self::CommissionInvoice => "COM",
            Self::Statement => "ST",
        };
        format!("{prefix}-{year}-{sequence:05}")
    }
}

/// What issuing adds to a paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    pub id: DocumentId,
    pub number: String,
    pub issued_on: Date,
}

/// One of the two sides of a paper.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    pub name: String,
    /// Street, place and country, as the country writes them.
    pub address: Vec<String>,
    /// Empty where there is none, or none was told.
    pub vat_number: String,
}

/// The facts of a paper.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Paper {
    Invoice(Invoice),
    CreditNote(CreditNote),
    CommissionInvoice(CommissionInvoice),
    Statement(StatementPaper),
}

impl Paper {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Invoice(_) => Kind::Invoice,
            Self::CreditNote(_) => Kind::CreditNote,
            Self::CommissionInvoice(_) => Kind::CommissionInvoice,
            Self::Statement(_) => Kind::Statement,
        }
    }

    pub fn currency(&self) -> Currency {
        match self {
            Self::Invoice(p) => p.currency,
            Self::CreditNote(p) => p.currency,
            Self::CommissionInvoice(p) => p.currency,
            Self::Statement(p) => p.currency,
        }
    }

    /// What is to pay, goes back, or stands at the end; and the VAT in it.
    pub fn total_and_tax(&self) -> (i64, i64) {
        match self {
            Self::Invoice(p) => (p.lines.iter().map(|l| l.total_minor).sum(), p.lines.iter().map(|l| l.tax_minor).sum()),
            Self::CreditNote(p) => (p.lines.iter().map(|l| l.total_minor).sum(), p.lines.iter().map(|l| l.tax_minor).sum()),
            Self::CommissionInvoice(p) => {
                let vat = p.fees.iter().map(|f| f.vat_minor).sum::<i64>();
                (p.fees.iter().map(|f| f.net_minor).sum::<i64>() + vat, vat)
            }
            Self::Statement(p) => (p.closing_minor, 0),
        }
    }
}

/// A vendor's invoice to a shopper, for one vendor order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    pub seller: Party,
    pub buyer: Party,
    pub order_number: i64,
    #[serde(with = "iso")]
    pub ordered_on: Date,
    /// The day of payment, which is the day of supply.
    #[serde(with = "iso")]
    pub paid_on: Date,
    pub currency: Currency,
    /// The goods as sold, and the shipping last.
    pub lines: Vec<Line>,
}

/// One thing that was sold, or the shipping of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub title: String,
    /// SKU, options: what stands below the title
    pub detail: String,
    pub quantity: i32,
    pub unit_minor: i64,
    /// Taken off quantity × unit.
    pub discount_minor: i64,
    pub tax_rate_bp: i32,
    /// Contained in the total.
    pub tax_minor: i64,
    pub total_minor: i64,
}

/// A vendor's note that money went back, for one refund and one vendor order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditNote {
    pub seller: Party,
    pub buyer: Party,
    pub order_number: i64,
    /// The invoice that it takes back from.
    pub invoice_number: String,
    #[serde(with = "iso")]
    pub invoiced_on: Date,
    #[serde(with = "iso")]
    pub refunded_on: Date,
    /// In words for the shopper; may be empty.
    pub reason: String,
    pub currency: Currency,
    pub lines: Vec<Credit>,
}

/// What went back: of a line, of the shipping, or of no line in particular. Amounts are above zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    pub title: String,
    pub detail: String,
    /// `None` where it is about an amount and not about pieces.
    pub quantity: Option<i32>,
    pub tax_rate_bp: i32,
    pub tax_minor: i64,
    pub total_minor: i64,
}

impl From<&Line> for Credit {
    /// All of a line.
    fn from(line: &Line) -> Self {
        Self {
            title: line.title.clone(),
            detail: line.detail.clone(),
            quantity: Some(line.quantity),
            tax_rate_bp: line.tax_rate_bp,
            tax_minor: line.tax_minor,
            total_minor: line.total_minor,
        }
    }
}

/// The parts of one refund that go back for one vendor order: what a credit note is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditPart {
    pub vendor_order: VendorOrderId,
    pub lines: Vec<Credit>,
}

/// The platform's invoice to a vendor for a month. Fees are net; VAT comes on top.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissionInvoice {
    pub platform: Party,
    pub vendor: Party,
    #[serde(with = "iso")]
    pub from: Date,
    #[serde(with = "iso")]
    pub until: Date,
    pub currency: Currency,
    pub fees: Vec<Fee>,
}

/// What was charged by one rule, or returned with refunds (below zero).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fee {
    pub title: String,
    pub detail: String,
    /// How many lines or parcels it was charged on.
    pub count: i64,
    pub net_minor: i64,
    pub vat_minor: i64,
    /// `None` where the frozen figures fit no one rate.
    pub vat_rate_bp: Option<i32>,
}

/// The platform's statement to a vendor: `opening + movements = closing`. Above zero is the vendor's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementPaper {
    pub platform: Party,
    pub vendor: Party,
    /// First and last day.
    #[serde(with = "iso")]
    pub from: Date,
    #[serde(with = "iso")]
    pub until: Date,
    pub currency: Currency,
    pub opening_minor: i64,
    pub movements: Vec<Movement>,
    pub closing_minor: i64,
}

/// One movement of a vendor's balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    #[serde(with = "iso")]
    pub on: Date,
    /// `Sale, order 100012`
    pub title: String,
    /// What stands below it; may be empty.
    pub detail: String,
    /// Above zero for the vendor.
    pub amount_minor: i64,
}

/// The sums of one rate of VAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate {
    pub net_minor: i64,
    pub vat_minor: i64,
}

/// Net and VAT by rate, the lowest rate first. `lines` are `(rate, gross, VAT contained in it)`.
pub fn by_rate(lines: impl IntoIterator<Item = (i32, i64, i64)>) -> BTreeMap<i32, Rate> {
    let mut rates: BTreeMap<i32, Rate> = BTreeMap::new();
    for (rate, gross, vat) in lines {
        let sums = rates.entry(rate).or_default();
        sums.net_minor += gross - vat;
        sums.vat_minor += vat;
    }
    rates
}

/// The rate that frozen figures were made with, if `bp` is it: each of `count` amounts was rounded for itself.
pub fn fitting_rate(bp: i32, net_minor: i64, vat_minor: i64, count: i64) -> Option<i32> {
    let exact = i128::from(net_minor) * i128::from(bp);
    let off = (i128::from(vat_minor) * 10_000 - exact).abs();
    (off <= i128::from(count.max(1)) * 5_000).then_some(bp)
}

/// `20 %`
pub fn rate_text(bp: i32) -> String {
    BasisPoints(bp).to_string()
}

/// `26 November 2026`
pub fn day_text(day: Date) -> String {
    format!("{} {} {}", day.day(), day.month(), day.year())
}

/// One issued document, as lists show it.
#[derive(Debug, Clone)]
pub struct DocumentRow {
    pub id: DocumentId,
    pub kind: Kind,
    pub number: String,
    pub issued_on: Date,
    pub issued_at: OffsetDateTime,
    /// The shop whose business it is about.
    pub vendor_name: String,
    pub order_number: Option<i64>,
    pub vendor_order_id: Option<VendorOrderId>,
    pub period_from: Option<Date>,
    pub currency: Currency,
    pub total_minor: i64,
}

impl DocumentRow {
    pub fn total(&self) -> Money {
        Money::new(self.total_minor, self.currency)
    }

    /// What it is about: `Order 100012`, `November 2026`
    pub fn about(&self) -> String {
        match (self.order_number, self.period_from) {
            (Some(number), _) => format!("Order {number}"),
            (None, Some(day)) => format!("{} {}", day.month(), day.year()),
            (None, None) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vat_is_summed_rate_by_rate() {
        let rates = by_rate([(2000, 1200, 200), (0, 500, 0), (2000, 600, 100)]);
        let rows: Vec<_> = rates.into_iter().map(|(bp, r)| (bp, r.net_minor, r.vat_minor)).collect();
        assert_eq!(rows, [(0, 500, 0), (2000, 1500, 300)]);
    }

    #[test]
    fn a_rate_fits_its_rounded_amounts_and_no_others() {
        // three fees of 0.33 at 20 %: 0.066 is 0.07 each
        assert_eq!(fitting_rate(2000, 99, 21, 3), Some(2000));
        assert_eq!(fitting_rate(1900, 10_000, 2000, 3), None);
        assert_eq!(fitting_rate(2000, 0, 0, 0), Some(2000));
    }

    #[test]
    fn a_paper_survives_its_stored_text() {
        let day = time::macros::date!(2026 - 11 - 26);
        let paper = Paper::Statement(StatementPaper {
            platform: Party::default(),
            vendor: Party::default(),
            from: day,
            until: day,
            currency: Currency::GBP,
            opening_minor: -5,
            movements: vec![Movement { on: day, title: "Sale".into(), detail: String::new(), amount_minor: 5 }],
            closing_minor: 0,
        });
        let stored = serde_json::to_value(&paper).unwrap();
        assert_eq!(stored["from"], "2026-11-26");
        assert_eq!(serde_json::from_value::<Paper>(stored).unwrap(), paper);
    }
}
