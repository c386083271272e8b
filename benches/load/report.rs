//! The one table.

use crate::{client::Loaded, machine::Used};
use std::{fmt::Write, time::Duration};

/// The floor that pages and calls are compared with.
pub const SELECT: &str = "floor: bare axum + SELECT of 24 rows";

/// One line of it.
pub struct Row {
    name: String,
    rate: f64,
    /// p50 and p99
    times: Option<(Duration, Duration)>,
    /// CPU of program and PostgreSQL for 1,000 of them
    cost: Option<(f64, f64)>,
}

impl Row {
    pub fn rate(name: &str, rate: f64) -> Self {
        eprintln!("{name}: {rate:.0} a second");
        Self { name: name.to_owned(), rate, times: None, cost: None }
    }

    pub fn requests(name: &str, kept: &str, many: &Loaded, used: Used, few: usize) -> Self {
        let name = if kept.is_empty() { name.to_owned() } else { format!("{name}, {kept}") };
        let times = Some((many.percentile(50), many.percentile(99)));
        Self { name, rate: many.rate(), times, cost: Some(cost(used, few)) }
    }

    pub fn sales(name: &str, rate: f64, used: Used, done: usize) -> Self {
        Self { cost: Some(cost(used, done)), ..Self::rate(name, rate) }
    }
}

fn cost(used: Used, done: usize) -> (f64, f64) {
    let of = |used: Duration| used.as_secs_f64() * 1000.0 / done.max(1) as f64;
    (of(used.program), of(used.postgres))
}

/// A figure with its bar, beside the table.
pub struct Fact {
    pub what: &'static str,
    pub value: f64,
    pub at_most: f64,
    pub unit: &'static str,
}

/// All lines, by size of the catalogue.
#[derive(Default)]
pub struct Report {
    rows: Vec<(usize, Row)>,
    facts: Vec<(usize, Fact)>,
}

/// What we want to be: `(line, how often the cost of "bare axum + SELECT of 24 rows" it may have)`.
const FLOORS: [(&str, f64); 4] = [("list", 5.0), ("product", 5.0), ("list (REST)", 2.0), ("product (REST)", 2.0)];
/// The line, the line it is compared with, and at least how much of its rate it should have.
const RATES: [(&str, &str, f64); 4] = [
    ("list, kept", "floor: bare axum", 0.7),
    ("product, kept", "floor: bare axum", 0.7),
    ("checkout to paid, 8 at once", "floor: pgbench TPC-B, 8 at once", 0.25),
    ("orders placed, one variant, 32 at once", "floor: pgbench, one variant, stock row first, 32 at once", 4.0),
];
/// How much more a request may cost with the largest catalogue than with the smallest.
const GROWTH: f64 = 1.3;

impl Report {
    pub fn add(&mut self, size: usize, row: Row) {
        self.rows.push((size, row));
    }

    pub fn fact(&mut self, size: usize, fact: Fact) {
        eprintln!("{}: {:.0} {}", fact.what, fact.value, fact.unit);
        self.facts.push((size, fact));
    }

    fn row(&self, size: usize, name: &str) -> Option<&Row> {
        self.rows.iter().find(|(s, r)| *s == size && r.name == name).map(|(_, r)| r)
    }

    /// What was wanted and what was found, as rows of a table.
    fn verdicts(&self, text: &mut String) {
        let mut sizes: Vec<usize> = self.rows.iter().map(|(size, _)| *size).collect();
        sizes.dedup();
        let mut line = |size: &str, what: &str, wanted: String, found: String, met: bool| {
            let _ = writeln!(text, "| {size} | {what} | {wanted} | {found} | {} |", if met { "met" } else { "**missed**" });
        };
        let total = |(program, postgres): (f64, f64)| program + postgres;
        for &size in &sizes {
            let text = size.to_string();
            let floor = self.row(size, SELECT).and_then(|r| r.cost).map(total);
            for (name, most) in FLOORS {
                if let (Some(cost), Some(floor)) = (self.row(size, name).and_then(|r| r.cost).map(total), floor) {
                    let found = cost / floor;
                    line(&text, name, format!("at most {most} floors"), format!("{found:.1}"), found <= most);
                }
            }
            for (name, other, least) in RATES {
                if let (Some(row), Some(other)) = (self.row(size, name), self.row(size, other)) {
                    let (found, what) = (row.rate / other.rate, format!("{name}, to {}", other.name));
                    line(&text, &what, format!("at least {least}"), format!("{found:.2}"), found >= least);
                }
            }
            for (_, fact) in self.facts.iter().filter(|(s, _)| *s == size) {
                let wanted = format!("at most {:.0} {}", fact.at_most, fact.unit);
                line(&text, fact.what, wanted, format!("{:.0}", fact.value), fact.value <= fact.at_most);
            }
        }
        let (Some(&small), Some(&large)) = (sizes.first(), sizes.last().filter(|_| sizes.len() > 1)) else { return };
        for (_, row) in self.rows.iter().filter(|(size, row)| *size == small && !row.name.starts_with("floor")) {
            if let (Some(before), Some(after)) = (row.cost.map(total), self.row(large, &row.name).and_then(|r| r.cost).map(total))
            {
                let (found, what) = (after / before, format!("{}: cost with more products", row.name));
                line(&format!("{large} to {small}"), &what, format!("at most {GROWTH}"), format!("{found:.2}"), found <= GROWTH);
            }
        }
    }

    /// As Markdown.
    pub fn text(&self) -> String {
        let mut text = String::from(
            "# The last run of `make bench`\n\nRate and times at 32 connections. CPU seconds of the program and of PostgreSQL for 1,000 \
             requests at 2 connections; \"floors\" is their sum divided by that of the floor \"bare axum + SELECT of 24 rows\" of the same size.\n\n\
             | products | what | a second | p50 ms | p99 ms | CPU program | CPU PostgreSQL | floors |\n|---|---|---|---|---|---|---|---|\n",
        );
        for (size, row) in &self.rows {
            let floor = self.row(*size, SELECT).and_then(|r| r.cost);
            let (p50, p99) = row.times.map_or(("".into(), "".into()), |(a, b)| (millis(a), millis(b)));
            let (program, postgres, floors) = row.cost.map_or(("".into(), "".into(), "".into()), |(a, b)| {
                let floors = floor.map_or(String::new(), |(x, y)| format!("{:.1}", (a + b) / (x + y)));
                (format!("{a:.2}"), format!("{b:.2}"), floors)
            });
            let _ =
                writeln!(text, "| {size} | {} | {:.0} | {p50} | {p99} | {program} | {postgres} | {floors} |", row.name, row.rate);
        }
        text.push_str("\n## What was wanted\n\n| products | what | wanted | found | |\n|---|---|---|---|---|\n");
        self.verdicts(&mut text);
        text
    }
}

fn millis(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}
