//! One row, from bytes to a product and variant that may be written; or why not.

use super::cell;
use crate::{
    catalog::limits::{Description, MAX_OPTIONS, OptionName, OptionValue, Sku, StockLevel, Title},
    ids::CategoryId,
    money::{Currency, Money},
};
use std::{borrow::Cow, collections::HashMap, path::PathBuf, str::FromStr};

/// The columns, by the names that stand in the first row.
pub const COLUMNS: [&str; 9] = ["sku", "title", "description", "category", "price", "currency", "stock", "options", "image"];
/// Columns that a file cannot do without.
pub const NEEDED: [&str; 5] = ["sku", "title", "category", "price", "stock"];

/// Where each of [`COLUMNS`] stands in a file.
pub type Places = [Option<usize>; COLUMNS.len()];

/// How the rows of a file are read.
#[derive(Debug, Clone)]
pub struct Header {
    places: Places,
    /// Where goods go when no column says it.
    category: Option<CategoryId>,
}

impl Header {
    /// As somebody chose.
    pub fn chosen(places: Places, category: Option<CategoryId>) -> Self {
        Self { places, category }
    }

    /// From the first record. Upper case, spaces and a byte order mark do not matter; unknown columns are left aside.
    pub fn read(record: &csv::ByteRecord) -> Result<Self, String> {
        let names: Vec<String> = record
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim_start_matches('\u{feff}').trim().to_lowercase())
            .collect();
        let places = COLUMNS.map(|column| names.iter().position(|name| name == column));
        let missing: Vec<&str> =
            COLUMNS.into_iter().zip(places).filter(|(c, at)| at.is_none() && NEEDED.contains(c)).map(|(c, _)| c).collect();
        if missing.is_empty() {
            Ok(Self { places, category: None })
        } else {
            Err(format!("The first row must name the columns; missing: {}.", missing.join(", ")))
        }
    }

    fn field<'r>(&self, record: &'r csv::ByteRecord, column: usize) -> Result<&'r str, String> {
        let bytes = self.places[column].and_then(|at| record.get(at)).unwrap_or_default();
        let text = std::str::from_utf8(bytes).map_err(|_| format!("{}: this is not UTF-8 text.", COLUMNS[column]))?;
        Ok(cell::unguarded(text.trim()))
    }

    fn has(&self, column: usize) -> bool {
        self.places[column].is_some()
    }
}

/// A row that keeps all limits.
#[derive(Debug)]
pub struct Row {
    pub sku: Sku,
    pub title: Title,
    /// `None` where the file has no such column: a known product keeps its own.
    pub description: Option<Description>,
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
    let (option_names, option_values) = options(field(7)?)?;
    Ok(Row {
        sku: text("sku", field(0)?)?,
        title: text("title", field(1)?)?,
        description: header.has(2).then(|| text("description", field(2)?)).transpose()?,
        category: match header.category.filter(|_| !header.has(3)) {
            Some(category) => category,
            None => named(shop, field(3)?)?,
        },
        price_minor: Money::parse(&decimal(field(4)?), shop.currency).map_err(|e| format!("price: {e}."))?.minor,
        stock: text("stock", field(6)?)?,
        option_names,
        option_values,
        image: image(field(8)?)?,
    })
}

fn text<T: FromStr<Err: std::fmt::Display>>(column: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|e| format!("{column}: {e}"))
}

fn named(shop: &Shop, category: &str) -> Result<CategoryId, String> {
    let known = shop.categories.get(&category.to_lowercase()).copied();
    known.ok_or_else(|| format!("category: there is no category {:?}.", shortened(category)))
}

/// `12,50` and `1.250,50` are 12.50 and 1250.50: a comma before the last one or two digits is no comma of thousands.
fn decimal(price: &str) -> Cow<'_, str> {
    match price.rsplit_once(',') {
        Some((whole, cents)) if (1..=2).contains(&cents.len()) && cents.bytes().all(|b| b.is_ascii_digit()) => {
            let whole: String = whole.chars().filter(|c| !matches!(c, '.' | ',')).collect();
            format!("{whole}.{cents}").into()
        }
        _ => price.into(),
    }
}

/// `Size=M; Colour=Red`; see [`cell::options`].
fn options(value: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for (name, value) in cell::pairs(value).ok_or("options: write them as Size=M; Colour=Red.")? {
        let name: OptionName = text("options", &name)?;
        let value: OptionValue = text("options", &value)?;
        if names.contains(&String::from(name.clone())) {
            return Err(format!("options: {name} stands there twice."));
        }
        names.push(name.into());
        values.push(value.into());
    }
    if names.len() > MAX_OPTIONS { Err(format!("options: at most {MAX_OPTIONS}.")) } else { Ok((names, values)) }
}

/// The one of [`COLUMNS`] that a refusal is about, and what it says of it; the empty one where it is the row as a whole.
pub fn about(why: &str) -> (&'static str, &str) {
    why.split_once(": ").and_then(|(name, text)| Some((COLUMNS.into_iter().find(|c| *c == name)?, text))).unwrap_or(("", why))
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
    fn a_price_may_be_written_with_a_comma() {
        for (text, price) in [("12,50", 1250), ("1.250,5", 125_050), ("1,250", 125_000), ("1,250.00", 125_000), ("£0,99", 99)] {
            assert_eq!(read(&["A-1", "Bowl", "", "kitchen", text, "", "1", "", ""]).unwrap().price_minor, price, "{text}");
        }
        assert!(read(&["A-1", "Bowl", "", "kitchen", "1,2,3,x", "", "1", "", ""]).is_err());
    }

    #[test]
    fn what_no_column_says_is_left_or_said_for_all() {
        let all = CategoryId::new();
        let header = Header::chosen([Some(0), Some(1), None, None, Some(2), None, Some(3), None, None], Some(all));
        let shop = Shop { currency: Currency::GBP, categories: HashMap::new() };
        let row = parse(&header, &csv::ByteRecord::from(vec!["A-1", "'=Bowl", "1", "2"]), &shop).unwrap();
        assert_eq!((row.category, row.title.as_str(), row.description), (all, "=Bowl", None));
    }

    #[test]
    fn a_refusal_names_its_column() {
        assert_eq!(about("price: Write an amount."), ("price", "Write an amount."));
        assert_eq!(about("This row is no CSV."), ("", "This row is no CSV."));
        assert_eq!(about("colour: red"), ("", "colour: red"));
    }

    #[test]
    fn a_header_needs_its_columns() {
        let header = |names: &[&str]| Header::read(&csv::ByteRecord::from(names.to_vec()));
        assert!(header(&["\u{feff}SKU", "Title ", "category", "price", "stock", "colour of the box"]).is_ok());
        assert!(header(&["sku", "title"]).unwrap_err().contains("category, price, stock"));
    }
}
