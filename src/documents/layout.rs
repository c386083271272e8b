//! Where everything stands: a sheet becomes A4 pages of texts and rules, measured with the fonts that draw them. A table that goes on
//! repeats its headings; every page says which paper it belongs to and which page it is.

use super::{
    model::Party,
    sheet::{Cell, Column, Sheet, Sum, Table},
    typeset::{MISSING, TypeCase, Weight},
};

/// A4, in points.
pub(super) const WIDTH: f32 = 595.28;
pub(super) const HEIGHT: f32 = 841.89;

const LEFT: f32 = 56.0;
const RIGHT: f32 = WIDTH - 56.0;
/// The first baseline of a page.
const TOP: f32 = 74.0;
/// Nothing but the foot stands below this.
const BOTTOM: f32 = HEIGHT - 80.0;
const FOOT: f32 = HEIGHT - 46.0;

const TEXT: f32 = 9.5;
const SMALL: f32 = 8.0;
const LEADING: f32 = 13.0;
const SMALL_LEADING: f32 = 10.5;
/// Between the text of a row and its rule.
const PAD: f32 = 5.0;
const GUTTER: f32 = 10.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Ink,
    Soft,
}

/// Something that is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    /// `x` is where it begins, `y` its baseline.
    Text {
        x: f32,
        y: f32,
        size: f32,
        weight: Weight,
        tone: Tone,
        text: String,
    },
    Rule {
        x: f32,
        y: f32,
        width: f32,
        heavy: bool,
    },
}

/// The marks of each page.
pub(super) fn pages(fonts: &TypeCase, sheet: &Sheet) -> Vec<Vec<Mark>> {
    let mut press = Press { fonts, pages: vec![Vec::new()], y: TOP };
    press.head(sheet);
    press.table(sheet);
    press.ending(sheet);
    press.feet(sheet)
}

struct Press<'a> {
    fonts: &'a TypeCase,
    pages: Vec<Vec<Mark>>,
    /// The next baseline.
    y: f32,
}

impl Press<'_> {
    fn put(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    fn text(&mut self, x: f32, y: f32, size: f32, weight: Weight, tone: Tone, text: &str) {
        if !text.is_empty() {
            self.put(Mark::Text { x, y, size, weight, tone, text: text.to_owned() });
        }
    }

    /// Ends at `right`.
    fn text_to(&mut self, right: f32, y: f32, size: f32, weight: Weight, tone: Tone, text: &str) {
        let text = self.fonts.legible(text);
        let width = self.fonts.width(&text, weight, size);
        self.text(right - width, y, size, weight, tone, &text);
    }

    fn rule(&mut self, x: f32, y: f32, width: f32, heavy: bool) {
        self.put(Mark::Rule { x, y, width, heavy });
    }

    /// A new page, with what it belongs to on top.
    fn turn(&mut self, sheet: &Sheet) {
        self.pages.push(Vec::new());
        self.y = TOP;
        let whose = format!("{} {}", sheet.title, sheet.number);
        self.text(LEFT, self.y, TEXT, Weight::SemiBold, Tone::Ink, &whose);
        self.y += 26.0;
    }

    /// Title, facts and both parties.
    fn head(&mut self, sheet: &Sheet) {
        self.text(LEFT, self.y + 4.0, 22.0, Weight::SemiBold, Tone::Ink, sheet.title);
        let mut y = self.y - 4.0;
        for (label, value) in &sheet.facts {
            self.text(RIGHT - 210.0, y, TEXT, Weight::Regular, Tone::Soft, label);
            self.text_to(RIGHT, y, TEXT, Weight::Regular, Tone::Ink, value);
            y += LEADING + 1.0;
        }
        self.y = y.max(self.y + 40.0) + 22.0;
        let half = (RIGHT - LEFT - 24.0) / 2.0;
        let top = self.y;
        let mut low = top;
        for ((label, party), x) in sheet.parties.iter().zip([LEFT, LEFT + half + 24.0]) {
            self.text(x, top, SMALL, Weight::Regular, Tone::Soft, label);
            low = self.party(party, x, top + LEADING + 1.0, half).max(low);
        }
        self.y = low + 20.0;
    }

    fn party(&mut self, party: &Party, x: f32, mut y: f32, width: f32) -> f32 {
        let lines = std::iter::once((party.name.as_str(), Weight::SemiBold))
            .chain(party.address.iter().map(|line| (line.as_str(), Weight::Regular)));
        for (line, weight) in lines {
            for part in self.fonts.wrap(line, weight, TEXT, width) {
                self.text(x, y, TEXT, weight, Tone::Ink, &part);
                y += LEADING;
            }
        }
        if !party.vat_number.is_empty() {
            let number = self.fonts.legible(&format!("VAT number {}", party.vat_number));
            self.text(x, y, TEXT, Weight::Regular, Tone::Soft, &number);
            y += LEADING;
        }
        y
    }

    fn table(&mut self, sheet: &Sheet) {
        let table = &sheet.table;
        if table.rows.is_empty() {
            return;
        }
        let columns = places(&table.columns, LEFT, RIGHT - LEFT);
        self.headings(&table.columns, &columns);
        for row in &table.rows {
            let cells = self.cells(row, &columns);
            if self.y + height(&cells) > BOTTOM {
                self.turn(sheet);
                self.headings(&table.columns, &columns);
            }
            self.row(&cells, &table.columns, &columns);
        }
    }

    fn headings(&mut self, columns: &[Column], places: &[(f32, f32)]) {
        for (column, (x, width)) in columns.iter().zip(places) {
            if column.number {
                self.text_to(x + width, self.y, SMALL, Weight::Regular, Tone::Soft, column.label);
            } else {
                self.text(*x, self.y, SMALL, Weight::Regular, Tone::Soft, column.label);
            }
        }
        let (from, to) = (places.first().map_or(LEFT, |p| p.0), places.last().map_or(RIGHT, |p| p.0 + p.1));
        self.rule(from, self.y + PAD, to - from, true);
        self.y += PAD + LEADING + 2.0;
    }

    /// The broken lines of each cell: those of its text, and those below.
    fn cells(&self, row: &[Cell], places: &[(f32, f32)]) -> Vec<(Vec<String>, Vec<String>)> {
        let broken = |(cell, (_, width)): (&Cell, &(f32, f32))| {
            let text = self.fonts.wrap(&cell.text, Weight::Regular, TEXT, *width);
            (text, self.fonts.wrap(&cell.below, Weight::Regular, SMALL, *width))
        };
        row.iter().zip(places).map(broken).collect()
    }

    fn row(&mut self, cells: &[(Vec<String>, Vec<String>)], columns: &[Column], places: &[(f32, f32)]) {
        let top = self.y;
        for (((text, below), column), (x, width)) in cells.iter().zip(columns).zip(places) {
            let mut y = top;
            let lines = text.iter().map(|t| (t, TEXT, Tone::Ink, LEADING));
            let lines = lines.chain(below.iter().map(|t| (t, SMALL, Tone::Soft, SMALL_LEADING)));
            for (line, size, tone, leading) in lines {
                if column.number {
                    self.text_to(x + width, y, size, Weight::Regular, tone, line);
                } else {
                    self.text(*x, y, size, Weight::Regular, tone, line);
                }
                y += leading;
            }
        }
        self.y = top + height(cells);
        let (from, to) = (places.first().map_or(LEFT, |p| p.0), places.last().map_or(RIGHT, |p| p.0 + p.1));
        self.rule(from, self.y - LEADING, to - from, false);
    }

    /// Sums to the right, VAT beside them, notes below: together on one page.
    fn ending(&mut self, sheet: &Sheet) {
        let vat_rows = sheet.vat.as_ref().map_or(0, |table| table.rows.len() + 1);
        let sums = sheet.sums.len() as f32 * (LEADING + 5.0);
        let vat = vat_rows as f32 * (LEADING + PAD);
        let mut notes: Vec<Vec<String>> =
            sheet.notes.iter().map(|note| self.fonts.wrap(note, Weight::Regular, SMALL, RIGHT - LEFT)).collect();
        let needed = 18.0 + sums.max(vat) + 24.0 + notes.len() as f32 * (SMALL_LEADING + 4.0) + SMALL_LEADING;
        if self.y + needed > BOTTOM && self.y > TOP + 30.0 {
            self.turn(sheet);
        }
        self.y += 18.0;
        let top = self.y;
        let mut low = self.sums(&sheet.sums, top);
        if let Some(table) = &sheet.vat {
            low = self.vat(table, top).max(low);
        }
        self.y = low + 24.0;
        if self.lacks_letters() {
            let sign =
                format!("{MISSING} stands for a letter that the fonts of this paper do not have; the shop's pages show it.");
            notes.push(self.fonts.wrap(&sign, Weight::Regular, SMALL, RIGHT - LEFT));
        }
        for note in notes {
            for line in note {
                self.text(LEFT, self.y, SMALL, Weight::Regular, Tone::Soft, &line);
                self.y += SMALL_LEADING;
            }
            self.y += 3.0;
        }
    }

    fn lacks_letters(&self) -> bool {
        self.pages.iter().flatten().any(|mark| matches!(mark, Mark::Text { text, .. } if text.contains(MISSING)))
    }

    fn sums(&mut self, sums: &[Sum], mut y: f32) -> f32 {
        let left = RIGHT - 190.0;
        for sum in sums {
            let (weight, size) = if sum.strong { (Weight::SemiBold, 11.5) } else { (Weight::Regular, TEXT) };
            if sum.strong {
                self.rule(left, y - LEADING + 2.0, RIGHT - left, true);
                y += 5.0;
            }
            self.text(left, y, size, weight, Tone::Ink, &sum.label);
            self.text_to(RIGHT, y, size, weight, Tone::Ink, &sum.value);
            y += LEADING + 3.0;
        }
        y
    }

    fn vat(&mut self, table: &Table, y: f32) -> f32 {
        let places = places(&table.columns, LEFT, 258.0);
        self.y = y;
        self.headings(&table.columns, &places);
        for row in &table.rows {
            let cells = self.cells(row, &places);
            self.row(&cells, &table.columns, &places);
        }
        self.y
    }

    /// Which paper and whose, and which page of how many, at the foot of each.
    fn feet(self, sheet: &Sheet) -> Vec<Vec<Mark>> {
        let Self { fonts, mut pages, .. } = self;
        let of = pages.len();
        let issuer = fonts.legible(&sheet.parties[0].1.name);
        let whose = format!("{} {} · {issuer}", sheet.title, sheet.number);
        let whose = fonts.wrap(&whose, Weight::Regular, SMALL, RIGHT - LEFT - 90.0).into_iter().next().unwrap_or_default();
        for (i, page) in pages.iter_mut().enumerate() {
            let place = format!("Page {} of {of}", i + 1);
            let x = RIGHT - fonts.width(&place, Weight::Regular, SMALL);
            let foot = |x, text| Mark::Text { x, y: FOOT, size: SMALL, weight: Weight::Regular, tone: Tone::Soft, text };
            page.push(Mark::Rule { x: LEFT, y: FOOT - 13.0, width: RIGHT - LEFT, heavy: false });
            page.push(foot(LEFT, whose.clone()));
            page.push(foot(x, place));
        }
        pages
    }
}

/// Where each column begins and how wide it is. One column at least takes what is left.
fn places(columns: &[Column], left: f32, width: f32) -> Vec<(f32, f32)> {
    let fixed: f32 = columns.iter().filter_map(|c| c.width).sum();
    let gaps = GUTTER * columns.len().saturating_sub(1) as f32;
    let free = columns.iter().filter(|c| c.width.is_none()).count().max(1) as f32;
    let rest = ((width - fixed - gaps) / free).max(20.0);
    let mut x = left;
    let place = |column: &Column| {
        let here = (x, column.width.unwrap_or(rest));
        x += here.1 + GUTTER;
        here
    };
    columns.iter().map(place).collect()
}

/// How far the row below a row stands.
fn height(cells: &[(Vec<String>, Vec<String>)]) -> f32 {
    let tallest = cells
        .iter()
        .map(|(text, below)| text.len().max(1) as f32 * LEADING + below.len() as f32 * SMALL_LEADING)
        .fold(LEADING, f32::max);
    tallest + 2.0 * PAD - 2.0
}

#[cfg(test)]
mod tests;
