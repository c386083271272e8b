//! The one table.

use crate::{client::Loaded, machine::Used};
use std::{fmt::Write, time::Duration};

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

/// All lines, by size of the catalogue.
#[derive(Default)]
pub struct Report {
    rows: Vec<(usize, Row)>,
    notes: Vec<String>,
}

impl Report {
    pub fn add(&mut self, size: usize, row: Row) {
        self.rows.push((size, row));
    }

    pub fn note(&mut self, note: String) {
        eprintln!("{note}");
        self.notes.push(note);
    }

    /// As Markdown.
    pub fn text(&self) -> String {
        let mut text = String::from(
            "# The last run of `make bench`\n\nRate and times at 32 connections. CPU seconds of the program and of PostgreSQL for 1,000 \
             requests at 2 connections; \"floors\" is their sum divided by that of the floor \"bare axum + SELECT of 24 rows\" of the same size.\n\n\
             | products | what | a second | p50 ms | p99 ms | CPU program | CPU PostgreSQL | floors |\n|---|---|---|---|---|---|---|---|\n",
        );
        for (size, row) in &self.rows {
            let floor = self.rows.iter().find(|(s, r)| s == size && r.name.contains("SELECT")).and_then(|(_, r)| r.cost);
            let (p50, p99) = row.times.map_or(("".into(), "".into()), |(a, b)| (millis(a), millis(b)));
            let (program, postgres, floors) = row.cost.map_or(("".into(), "".into(), "".into()), |(a, b)| {
                let floors = floor.map_or(String::new(), |(x, y)| format!("{:.1}", (a + b) / (x + y)));
                (format!("{a:.2}"), format!("{b:.2}"), floors)
            });
            let _ =
                writeln!(text, "| {size} | {} | {:.0} | {p50} | {p99} | {program} | {postgres} | {floors} |", row.name, row.rate);
        }
        text.push('\n');
        for note in &self.notes {
            let _ = writeln!(text, "- {note}");
        }
        text
    }
}

fn millis(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}
