//! From the facts of a paper to what stands on the sheet: every text, in words and in money. No measure and no page yet.

use super::model::{
    CommissionInvoice, CreditNote, Heading, Invoice, Paper, Party, Rate, StatementPaper, by_rate, day_text, rate_text,
};
use super::slip::PackingSlip;
use crate::money::Money;
use time::Date;

/// A paper as it is read, from top to bottom.
pub(super) struct Sheet {
    pub title: &'static str,
    pub number: String,
    pub issued_on: Date,
    /// Names the file inside, so that the same paper is the same bytes.
    pub id: String,
    /// Beside the title: label and value.
    pub facts: Vec<(&'static str, String)>,
    /// Label and party, from left to right.
    pub parties: [(&'static str, Party); 2],
    pub table: Table,
    pub sums: Vec<Sum>,
    /// By rate; beside the sums.
    pub vat: Option<Table>,
    pub notes: Vec<String>,
}

pub(super) struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
}

pub(super) struct Column {
    pub label: &'static str,
    /// In points; `None`: what the others leave.
    pub width: Option<f32>,
    /// Numbers end where their heading ends.
    pub number: bool,
}

#[derive(Default)]
pub(super) struct Cell {
    pub text: String,
    /// Smaller, below it.
    pub below: String,
}

pub(super) struct Sum {
    pub label: String,
    pub value: String,
    pub strong: bool,
}

/// What stands on the sheet of a paper.
pub(super) fn of(heading: &Heading, paper: &Paper) -> Sheet {
    let mut sheet = match paper {
        Paper::Invoice(invoice) => invoice_sheet(invoice),
        Paper::CreditNote(note) => credit_sheet(note),
        Paper::CommissionInvoice(invoice) => commission_sheet(invoice),
        Paper::Statement(statement) => statement_sheet(statement),
    };
    sheet.number.clone_from(&heading.number);
    sheet.issued_on = heading.issued_on;
    sheet.id = heading.id.to_string();
    sheet.facts.insert(0, ("Number", heading.number.clone()));
    sheet.facts.insert(1, ("Date", day_text(heading.issued_on)));
    sheet
}

fn blank(title: &'static str, parties: [(&'static str, Party); 2], table: Table) -> Sheet {
    Sheet {
        title,
        number: String::new(),
        issued_on: Date::MIN,
        id: String::new(),
        facts: Vec::new(),
        parties,
        table,
        sums: Vec::new(),
        vat: None,
        notes: Vec::new(),
    }
}

fn text(label: &'static str) -> Column {
    Column { label, width: None, number: false }
}

fn number(label: &'static str, width: f32) -> Column {
    Column { label, width: Some(width), number: true }
}

fn cell(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), below: String::new() }
}

fn sum(label: impl Into<String>, value: Money) -> Sum {
    Sum { label: label.into(), value: value.to_string(), strong: false }
}

fn total(label: &str, value: Money) -> Sum {
    Sum { label: label.into(), value: value.to_string(), strong: true }
}

/// `lines` are `(rate, gross, VAT contained in it)`.
fn vat_table(lines: impl IntoIterator<Item = (i32, i64, i64)>, money: impl Fn(i64) -> Money) -> Table {
    let row = |(bp, sums): (i32, Rate)| {
        let amounts = [sums.net_minor, sums.vat_minor, sums.net_minor + sums.vat_minor];
        std::iter::once(cell(rate_text(bp))).chain(amounts.map(|minor| cell(money(minor).to_string()))).collect()
    };
    Table {
        columns: vec![text("VAT rate"), number("Net", 62.0), number("VAT", 58.0), number("With VAT", 66.0)],
        rows: by_rate(lines).into_iter().map(row).collect(),
    }
}

fn invoice_sheet(invoice: &Invoice) -> Sheet {
    let money = |minor| Money::new(minor, invoice.currency);
    let rows = invoice.lines.iter().map(|line| {
        let discount = (line.discount_minor > 0).then(|| format!("Discount {}", money(-line.discount_minor)));
        let below: Vec<_> = [line.detail.clone()].into_iter().chain(discount).filter(|t| !t.is_empty()).collect();
        vec![
            Cell { text: line.title.clone(), below: below.join(" · ") },
            cell(line.quantity.to_string()),
            cell(money(line.unit_minor).to_string()),
            cell(rate_text(line.tax_rate_bp)),
            cell(money(line.total_minor).to_string()),
        ]
    });
    let table = Table {
        columns: vec![
            text("What was sold"),
            number("Pieces", 42.0),
            number("Price", 68.0),
            number("VAT", 48.0),
            number("Amount", 76.0),
        ],
        rows: rows.collect(),
    };
    let (gross, vat) = Paper::Invoice(invoice.clone()).total_and_tax();
    let mut sheet = blank("Invoice", [("From", invoice.seller.clone()), ("To", invoice.buyer.clone())], table);
    sheet.facts = vec![
        ("Order", invoice.order_number.to_string()),
        ("Ordered", day_text(invoice.ordered_on)),
        ("Supplied and paid", day_text(invoice.paid_on)),
        ("Currency", invoice.currency.code().to_owned()),
    ];
    sheet.sums = vec![sum("Net", money(gross - vat)), sum("VAT", money(vat)), total("Total", money(gross))];
    sheet.vat = Some(vat_table(invoice.lines.iter().map(|l| (l.tax_rate_bp, l.total_minor, l.tax_minor)), money));
    sheet.notes = vec![
        format!("Prices and amounts contain VAT. Paid by card on {}; nothing is left to pay.", day_text(invoice.paid_on)),
        "The seller is the vendor named above; the order was placed and paid through the marketplace.".into(),
    ];
    sheet
}

fn credit_sheet(note: &CreditNote) -> Sheet {
    let money = |minor| Money::new(minor, note.currency);
    let rows = note.lines.iter().map(|line| {
        vec![
            Cell { text: line.title.clone(), below: line.detail.clone() },
            cell(line.quantity.map(|q| q.to_string()).unwrap_or_default()),
            cell(rate_text(line.tax_rate_bp)),
            cell(money(line.total_minor).to_string()),
        ]
    });
    let table = Table {
        columns: vec![text("What is credited"), number("Pieces", 48.0), number("VAT", 52.0), number("Amount", 84.0)],
        rows: rows.collect(),
    };
    let (gross, vat) = Paper::CreditNote(note.clone()).total_and_tax();
    let mut sheet = blank("Credit note", [("From", note.seller.clone()), ("To", note.buyer.clone())], table);
    sheet.facts = vec![
        ("To invoice", note.invoice_number.clone()),
        ("Of", day_text(note.invoiced_on)),
        ("Order", note.order_number.to_string()),
        ("Currency", note.currency.code().to_owned()),
    ];
    sheet.sums = vec![sum("Net", money(gross - vat)), sum("VAT", money(vat)), total("Credited", money(gross))];
    sheet.vat = Some(vat_table(note.lines.iter().map(|l| (l.tax_rate_bp, l.total_minor, l.tax_minor)), money));
    sheet.notes = vec![format!("Amounts contain VAT. The money went back to the card on {}.", day_text(note.refunded_on))];
    if !note.reason.is_empty() {
        sheet.notes.insert(0, format!("Reason: {}.", note.reason.trim_end_matches('.')));
    }
    sheet
}

fn commission_sheet(invoice: &CommissionInvoice) -> Sheet {
    let money = |minor| Money::new(minor, invoice.currency);
    let (gross, vat) = Paper::CommissionInvoice(invoice.clone()).total_and_tax();
    let rows = invoice.fees.iter().map(|fee| {
        vec![
            Cell { text: fee.title.clone(), below: fee.detail.clone() },
            cell(fee.count.to_string()),
            cell(fee.vat_rate_bp.map(rate_text).unwrap_or_default()),
            cell(money(fee.vat_minor).to_string()),
            cell(money(fee.net_minor).to_string()),
        ]
    });
    let table = Table {
        columns: vec![
            text("Commission"),
            number("Sales", 44.0),
            number("VAT rate", 52.0),
            number("VAT", 66.0),
            number("Net", 76.0),
        ],
        rows: rows.collect(),
    };
    let title = if gross < 0 { "Commission credit note" } else { "Commission invoice" };
    let mut sheet = blank(title, [("From", invoice.platform.clone()), ("To", invoice.vendor.clone())], table);
    sheet.facts = vec![
        ("From", day_text(invoice.from)),
        ("Until", day_text(invoice.until)),
        ("Currency", invoice.currency.code().to_owned()),
    ];
    sheet.sums = vec![sum("Net", money(gross - vat)), sum("VAT", money(vat)), total("Total", money(gross))];
    let rates: Option<Vec<_>> =
        invoice.fees.iter().map(|fee| Some((fee.vat_rate_bp?, fee.net_minor + fee.vat_minor, fee.vat_minor))).collect();
    // Where frozen figures fit no one rate, the sums alone are said.
    sheet.vat = rates.map(|rates| vat_table(rates, money));
    sheet.notes = vec!["Commission and its VAT are kept back from what shoppers paid; nothing is left to pay.".into()];
    sheet
}

/// What stands on the slip in a parcel.
pub(super) fn packing_slip(slip: &PackingSlip) -> Sheet {
    let rows = slip.lines.iter().map(|line| {
        vec![
            Cell { text: line.title.clone(), below: line.detail.clone() },
            cell(line.ordered.to_string()),
            cell(if line.shipped > 0 { line.shipped.to_string() } else { String::new() }),
            cell(line.now.to_string()),
        ]
    });
    let table = Table {
        columns: vec![
            text("What you ordered"),
            number("Ordered", 62.0),
            number("Sent before", 76.0),
            number("In this parcel", 86.0),
        ],
        rows: rows.collect(),
    };
    let mut sheet = blank("Packing slip", [("From", slip.seller.clone()), ("To", slip.buyer.clone())], table);
    sheet.id = slip.order_number.to_string();
    sheet.facts = vec![
        ("Order", slip.order_number.to_string()),
        ("Ordered", day_text(slip.ordered_on)),
        ("Shipping", slip.shipping.clone()),
    ];
    sheet
}

fn statement_sheet(statement: &StatementPaper) -> Sheet {
    let money = |minor| Money::new(minor, statement.currency);
    let mut balance = statement.opening_minor;
    let rows = statement.movements.iter().map(|movement| {
        balance += movement.amount_minor;
        vec![
            cell(day_text(movement.on)),
            Cell { text: movement.title.clone(), below: movement.detail.clone() },
            cell(money(movement.amount_minor).to_string()),
            cell(money(balance).to_string()),
        ]
    });
    let rows = rows.collect();
    let table = Table {
        columns: vec![
            Column { label: "Date", width: Some(104.0), number: false },
            text("What moved"),
            number("Amount", 84.0),
            number("Balance", 84.0),
        ],
        rows,
    };
    let moved: i64 = statement.movements.iter().map(|m| m.amount_minor).sum();
    let mut sheet = blank("Statement", [("From", statement.platform.clone()), ("To", statement.vendor.clone())], table);
    sheet.facts = vec![
        ("From", day_text(statement.from)),
        ("Until", day_text(statement.until)),
        ("Currency", statement.currency.code().to_owned()),
    ];
    sheet.sums = vec![
        sum("Opening balance", money(statement.opening_minor)),
        sum("Movements", money(moved)),
        total("Closing balance", money(statement.closing_minor)),
    ];
    if statement.movements.is_empty() {
        sheet.notes = vec!["Nothing moved in this time.".into()];
    }
    sheet
}
