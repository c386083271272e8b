//! Papers as they come off the press: what stands on them, where, and that the bytes stay.

use super::*;
use crate::{
    documents::{
        model::{Credit, CreditNote, Heading, Invoice, Line, Movement, Paper, StatementPaper},
        render, sheet,
    },
    ids::DocumentId,
    money::Currency,
};
use time::macros::date;

fn heading(number: &str) -> Heading {
    Heading { id: DocumentId::from(uuid::Uuid::from_u128(7)), number: number.into(), issued_on: date!(2026 - 11 - 26) }
}

fn seller() -> Party {
    Party {
        name: "Mill & Söhne Ltd".into(),
        address: vec![
            "trading as The mill".into(),
            "1 Mill Lane".into(),
            "Leeds".into(),
            "LS1 1AA".into(),
            "United Kingdom".into(),
        ],
        vat_number: "GB123456789".into(),
    }
}

fn buyer() -> Party {
    Party {
        name: "Ada Buyer".into(),
        address: vec!["2 Harbour Row".into(), "Hull".into(), "United Kingdom".into()],
        vat_number: String::new(),
    }
}

fn line(title: &str, rate: i32) -> Line {
    let total = 2400;
    Line {
        title: title.into(),
        detail: "MILL-PLAIN · Size: M".into(),
        quantity: 2,
        unit_minor: 1250,
        discount_minor: 100,
        tax_rate_bp: rate,
        tax_minor: crate::money::BasisPoints(rate).contained_in(total),
        total_minor: total,
    }
}

fn invoice(lines: Vec<Line>) -> Paper {
    Paper::Invoice(Invoice {
        seller: seller(),
        buyer: buyer(),
        order_number: 100_012,
        ordered_on: date!(2026 - 11 - 25),
        paid_on: date!(2026 - 11 - 26),
        currency: Currency::GBP,
        lines,
    })
}

fn set(paper: &Paper) -> Vec<Vec<Mark>> {
    let fonts = TypeCase::load().unwrap();
    pages(&fonts, &sheet::of(&heading("INV-2026-00042"), paper))
}

fn texts(page: &[Mark]) -> Vec<&str> {
    page.iter().filter_map(|m| if let Mark::Text { text, .. } = m { Some(text.as_str()) } else { None }).collect()
}

/// Nothing stands outside the margins, nothing but the foot below the text, and no text overlaps another on its line.
fn assert_fits(pages: &[Vec<Mark>]) {
    let fonts = TypeCase::load().unwrap();
    for page in pages {
        let mut spans: Vec<(f32, f32, f32, &str)> = Vec::new();
        for mark in page {
            let Mark::Text { x, y, size, weight, text, .. } = mark else { continue };
            let right = x + fonts.width(text, *weight, *size);
            assert!(*x >= LEFT - 0.1 && right <= RIGHT + 0.1, "{text:?} from {x} to {right}");
            assert!(*y <= BOTTOM + 0.1 || (*y - FOOT).abs() < 0.1, "{text:?} at {y}");
            for (other_x, other_right, other_y, other) in &spans {
                let apart = right <= *other_x || *x >= *other_right || (y - other_y).abs() > 5.0;
                assert!(apart, "{text:?} runs into {other:?}");
            }
            spans.push((*x, right, *y, text));
        }
    }
}

#[test]
fn an_invoice_says_all_that_one_must() {
    let pages = set(&invoice(vec![line("Oak bowl", 2000), line("Book", 0)]));
    assert_eq!(pages.len(), 1);
    let text = texts(&pages[0]).join("|");
    for part in [
        "Invoice",
        "INV-2026-00042",
        "26 November 2026",
        "100012",
        "Mill & Söhne Ltd",
        "1 Mill Lane",
        "VAT number GB123456789",
        "Ada Buyer",
        "2 Harbour Row",
        "Oak bowl",
        "MILL-PLAIN · Size: M · Discount −£1.00",
        "£12.50",
        "20 %",
        "0 %",
        "£24.00",
        "£20.00",
        "£4.00",
        "£48.00",
        "GBP",
        "Page 1 of 1",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_fits(&pages);
}

#[test]
fn a_long_table_goes_on_under_its_headings() {
    let lines: Vec<_> = (1..=200).map(|n| line(&format!("Bowl number {n}"), 2000)).collect();
    let pages = set(&invoice(lines));
    assert!(pages.len() > 5, "{}", pages.len());
    assert_fits(&pages);
    for (i, page) in pages.iter().enumerate() {
        let text = texts(page);
        let place = format!("Page {} of {}", i + 1, pages.len());
        assert!(text.contains(&place.as_str()), "{place}");
        if text.iter().any(|t| t.starts_with("Bowl number")) {
            assert!(text.contains(&"What was sold"), "headings on page {}", i + 1);
        }
    }
    let rows = pages.iter().flat_map(|p| texts(p)).filter(|t| t.starts_with("Bowl number")).count();
    assert_eq!(rows, 200);
}

#[test]
fn what_people_write_fits_and_nothing_vanishes() {
    let long = "Handgedrehte Schüssel aus geölter Esche, groß genug für Salat für zwölf Personen, mit einem Rand, der nicht tropft, und ".repeat(2);
    let unbroken = "x".repeat(200);
    let lines = vec![
        line(&long, 1900),
        line(&unbroken, 1900),
        line("مزهرية من الخزف", 1900),
        line("花瓶", 1900),
        line("Βάζο, Ваза", 1900),
    ];
    let pages = set(&invoice(lines));
    assert_fits(&pages);
    let all = pages.iter().flat_map(|p| texts(p)).collect::<Vec<_>>().join("|");
    assert!(
        all.contains("\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd} \u{fffd}\u{fffd}"),
        "an Arabic title is seen to be missing"
    );
    assert!(all.contains("stands for a letter that the fonts of this paper do not have"));
    assert!(all.contains("Βάζο, Ваза"));
    let plain = set(&invoice(vec![line("Bowl", 1900)]));
    assert!(!texts(&plain[0]).iter().any(|t| t.contains("stands for a letter")));
}

#[test]
fn a_name_and_an_address_of_any_length_push_the_rest_down() {
    let mut paper = invoice(vec![line("Bowl", 2000)]);
    if let Paper::Invoice(invoice) = &mut paper {
        invoice.seller.name = "Company of many words ".repeat(6);
        invoice.buyer.address = vec!["A street with a very long name in a town that nobody has heard of".into(); 4];
    }
    assert_fits(&set(&paper));
}

#[test]
fn a_credit_note_and_a_statement_say_their_sums() {
    let credit = Paper::CreditNote(CreditNote {
        seller: seller(),
        buyer: buyer(),
        order_number: 100_012,
        invoice_number: "INV-2026-00042".into(),
        invoiced_on: date!(2026 - 11 - 26),
        refunded_on: date!(2026 - 11 - 28),
        reason: "goods were returned".into(),
        currency: Currency::GBP,
        lines: vec![Credit::from(&line("Oak bowl", 2000))],
    });
    let pages = set(&credit);
    let text = texts(&pages[0]).join("|");
    for part in ["Credit note", "INV-2026-00042", "Credited", "£24.00", "£4.00", "Reason: goods were returned."] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_fits(&pages);
    let movement = |n: i64| Movement {
        on: date!(2026 - 11 - 03),
        title: format!("Sale, order {n}"),
        detail: "Oak bowl".into(),
        amount_minor: 100,
    };
    let statement = Paper::Statement(StatementPaper {
        platform: seller(),
        vendor: buyer(),
        from: date!(2026 - 11 - 01),
        until: date!(2026 - 11 - 30),
        currency: Currency::GBP,
        opening_minor: -5000,
        movements: (0..60).map(movement).collect(),
        closing_minor: 1000,
    });
    let pages = set(&statement);
    let all = pages.iter().flat_map(|p| texts(p)).collect::<Vec<_>>().join("|");
    for part in ["Opening balance", "−£50.00", "−£49.00", "£60.00", "Closing balance", "£10.00", "1 November 2026"] {
        assert!(all.contains(part), "{part} in {all}");
    }
    assert_fits(&pages);
}

#[test]
fn the_same_paper_is_the_same_bytes() {
    let paper = invoice(vec![line("Oak bowl \u{202e}مزهرية 🏺", 2000), line("Βάζο", 0)]);
    let first = render(&heading("INV-2026-00001"), &paper).unwrap();
    assert!(first.starts_with(b"%PDF-1."));
    assert!(first.len() < 120_000, "{} bytes", first.len());
    assert_eq!(first, render(&heading("INV-2026-00001"), &paper).unwrap());
    assert_ne!(first, render(&heading("INV-2026-00002"), &paper).unwrap());
    // SOUK_KEEP_PDF=folder keeps papers to look at.
    if let Some(folder) = std::env::var_os("SOUK_KEEP_PDF") {
        let many: Vec<_> = (1..=200).map(|n| line(&format!("Bowl number {n}"), if n % 3 == 0 { 500 } else { 2000 })).collect();
        let words =
            "A bowl of oiled ash with a rim that does not drip, turned by hand from one piece and signed below, ".repeat(2);
        let mixed = vec![
            line(&words, 2000),
            line("مزهرية من الخزف الأزرق", 2000),
            line(&"x".repeat(150), 2000),
            line("Βάζο, Ваза, Żółw", 2000),
        ];
        for (name, paper) in [("few", invoice(vec![line("Book", 0)])), ("many", invoice(many)), ("mixed", invoice(mixed))] {
            std::fs::write(
                std::path::Path::new(&folder).join(format!("{name}.pdf")),
                render(&heading("INV-2026-00001"), &paper).unwrap(),
            )
            .unwrap();
        }
    }
}
