//! One row, from bytes to a product and variant that may be written; or why not.

use crate::{
    catalog::limits::{Description, MAX_OPTIONS, OptionName, OptionValue, Sku, StockLevel, Title},
    ids::CategoryId,
    money::{Currency, Money},
};
use std::{collections::HashMap, path::PathBuf, str::FromStr};

/// The columns, by the names that stand in the first row.
pub const COLUMNS: [&str; 9] = ["sku", "title", "description", "category", "price", "currency", "stock", "options", "image"];
/// Columns that a file cannot do without.
const NEEDED: [&str; 5] = ["sku", "title", "category", "price", "stock"];

/// Where each of [`COLUMNS`] stands in this file.
#[derive(Debug)]
pub struct Header([Option<usize>; COLUMNS.len()]);

impl Header {
    /// From the first record. Upper case, spaces and a byte order mark do not matter; unknown columns are left aside.
    pub fn read(record: &csv::ByteRecord) -> Result<Self, String> {
        let names: Vec<String> = record
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').trim().to_lowercase())
            .collect();
        let place = COLUMNS.map(|column| names.iter().position(|name| name == column));
        let missing: Vec<&str> =
            COLUMNS.into_iter().zip(place).filter(|(c, at)| at.is_none() && NEEDED.contains(c)).map(|(c, _)| c).collect();
        if missing.is_empty() {
            Ok(Self(place))
        } else {
            Err(format!("The first row must name the columns; missing: {}.", missing.join(", ")))
        }
    }

    fn field<'r>(&self, record: &'r csv::ByteRecord, column: usize) -> Result<&'r str, String> {
        let bytes = self.0.get(column).copied().flatten().and_then(|at| record.get(at)).unwrap_or_default();
        std::str::from_utf8(bytes).map(str::trim).map_err(|_| format!("{}: this is not UTF-8 text.", COLUMNS[column]))
    }
}

/// A row that keeps all limits.
#[derive(Debug)]
pub struct Row {
    pub sku: Sku,
    pub title: Title,
    pub description: Description,
    pub category: CategoryId,
    pub price_minor: i64,
    pub stock: StockLevel,
    /// Names in the order of the row; empty for a product that comes in one kind only.
    pub option_names: Vec<String>,
    pub option_values: Vec<String>,
    /// A file beside the CSV.
    pub image: Option<PathBuf>,
}

/// What a row is checked against.
pub struct Shop {
    pub currency: Currency,
    /// By slug and by name, both in lower case.
    pub categories: HashMap<String, CategoryId>,
}

/// Checks every column and names the first that is not right.
pub fn parse(header: &Header, record: &csv::ByteRecord, shop: &Shop) -> Result<Row, String> {
    let field = |column: usize| header.field(record, column);
    let currency = field(5)?;
    if !currency.is_empty() && currency != shop.currency.code() {
        return Err(format!("currency: this shop sells in {}.", shop.currency.code()));
    }
    let category = field(3)?;
    let (option_names, option_values) = options(field(7)?)?;
    Ok(Row {
        sku: text("sku", field(0)?)?,
        title: text("title", field(1)?)?,
        description: text("description", field(2)?)?,
        category: *shop
            .categories
            .get(&category.to_lowercase())
            .ok_or_else(|| format!("category: there is no category {:?}.", shortened(category)))?,
        price_minor: Money::parse(field(4)?, shop.currency).map_err(|e| format!("price: {e}."))?.minor,
        stock: text("stock", field(6)?)?,
        option_names,
        option_values,
        image: image(field(8)?)?,
    })
}

fn text<T: FromStr<Err: std::fmt::Display>>(column: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|e| format!("{column}: {e}"))
}

/// `Size=M; Colour=Red`
fn options(value: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for pair in value.split(';').map(str::trim).filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or("options: write them as Size=M; Colour=Red.")?;
        let name: OptionName = text("options", name)?;
        let value: OptionValue = text("options", value)?;
        if names.contains(&String::from(name.clone())) {
            return Err(format!("options: {name} stands there twice."));
        }
        names.push(name.into());
        values.push(value.into());
    }
    if names.len() > MAX_OPTIONS { Err(format!("options: at most {MAX_OPTIONS}.")) } else { Ok((names, values)) }
}

/// Only a file in the folder of the CSV or below it.
fn image(value: &str) -> Result<Option<PathBuf>, String> {
    if value.is_empty() {
        return Ok(None);
    }
    let path = PathBuf::from(value);
    let inside = !value.contains('\0') && path.components().all(|c| matches!(c, std::path::Component::Normal(_)));
    if inside { Ok(Some(path)) } else { Err("image: name a file in the folder of this one.".into()) }
}

fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(record: &[&str]) -> Result<Row, String> {
        let header = Header::read(&csv::ByteRecord::from(COLUMNS.to_vec())).unwrap();
        let shop = Shop { currency: Currency::GBP, categories: [("kitchen".to_owned(), CategoryId::new())].into() };
        parse(&header, &csv::ByteRecord::from(record.to_vec()), &shop)
    }

    #[test]
    fn a_good_row_is_read() {
        let row = read(&["A-1", " Bowl ", "", "Kitchen", "£12.50", "GBP", "1,000", "Size = M; Colour=Red", "a/b.jpg"]).unwrap();
        assert_eq!((row.title.as_str(), row.price_minor, row.stock.units()), ("Bowl", 1250, 1000));
        assert_eq!(row.option_names, ["Size", "Colour"]);
        assert_eq!(row.option_values, ["M", "Red"]);
    }

    #[test]
    fn each_bad_column_is_named() {
        let good = ["A-1", "Bowl", "", "kitchen", "12.50", "GBP", "3", "", ""];
        for (column, bad) in [
            (0, ""),
            (0, "A\u{0}1"),
            (1, ""),
            (3, "attic"),
            (4, "-1"),
            (4, "a lot"),
            (5, "EUR"),
            (6, "-3"),
            (7, "Size"),
            (7, "Size=M;Size=L"),
            (8, "../secret.png"),
            (8, "/etc/passwd"),
        ] {
            let mut row = good;
            row[column] = bad;
            let error = read(&row).unwrap_err();
            assert!(error.starts_with(COLUMNS[column]), "{bad:?}: {error}");
        }
        assert!(read(&[&"x".repeat(65), "Bowl", "", "kitchen", "1", "", "1", "", ""]).is_err());
        assert!(read(&good).is_ok());
    }

    #[test]
    fn a_header_needs_its_columns() {
        let header = |names: &[&str]| Header::read(&csv::ByteRecord::from(names.to_vec()));
        assert!(header(&["\u{feff}SKU", "Title ", "category", "price", "stock", "colour of the box"]).is_ok());
        assert!(header(&["sku", "title"]).unwrap_err().contains("category, price, stock"));
    }
}
