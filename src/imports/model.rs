//! What stands in the first row of a file, which column is which, and how an import stands.

use crate::catalog::import::{COLUMNS, NEEDED, Places};
use sha2::{Digest, Sha256};

/// The largest file that is taken, in bytes as it is sent.
pub const MAX_FILE: usize = 64 * 1024 * 1024;
/// The largest file once it is unpacked.
pub const MAX_PLAIN: u64 = 512 * 1024 * 1024;
/// The most rows of a file.
pub const MAX_ROWS: i64 = 1_000_000;
/// The most columns of a file; the database says the same.
pub const MAX_COLUMNS: usize = 200;
/// Columns that the page asks for: all but the last, pictures, which do not come in a CSV.
pub const ASKED: usize = COLUMNS.len() - 1;

crate::texts!(
    /// What a file was called where it came from.
    FileName: line, 1, 200;
);

/// How an import stands; the migration says what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum ImportState {
    Receiving,
    Received,
    Checking,
    Checked,
    Importing,
    Done,
    Cancelled,
    Failed,
}

impl ImportState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Received => "received",
            Self::Checking => "checking",
            Self::Checked => "checked",
            Self::Importing => "importing",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// A job is at it.
    pub fn runs(self) -> bool {
        matches!(self, Self::Checking | Self::Importing)
    }
}

/// Which separator stands between the names of the first row: the one that stands there most often outside quotes.
pub fn separator(first: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0u32), (b';', 0), (b'\t', 0)];
    for byte in first {
        if *byte == b'"' {
            quoted = !quoted;
        }
        if let Some((_, n)) = counts.iter_mut().find(|(s, _)| s == byte).filter(|_| !quoted) {
            *n += 1;
        }
    }
    // Of equals the first.
    counts.into_iter().rev().max_by_key(|(_, n)| *n).map_or(b',', |(s, _)| s)
}

/// A cell as a page can show it and the database keep it.
pub fn shown(cell: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(cell);
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean = clean.trim();
    if clean.chars().count() <= most {
        clean.to_owned()
    } else {
        clean.chars().take(most.saturating_sub(1)).chain(['…']).collect()
    }
}

/// The columns of a file without the one that our own report of errors added.
pub fn own_columns(header: &[String]) -> &[String] {
    match header.split_last() {
        Some((last, rest)) if last.trim().eq_ignore_ascii_case("error") && !rest.is_empty() => rest,
        _ => header,
    }
}

/// By which the choice of columns is remembered: two files with the same names have the same.
pub fn digest(header: &[String]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for name in own_columns(header) {
        hash.update(name.trim().to_lowercase());
        hash.update([0]);
    }
    hash.finalize().to_vec()
}

/// What others call each of [`COLUMNS`], letters and digits alone, the likeliest first: Shopify, WooCommerce, and what people write.
const CALLED: [&[&str]; COLUMNS.len()] = [
    &[
        "sku",
        "variantsku",
        "productsku",
        "articlenumber",
        "articleno",
        "itemnumber",
        "itemno",
        "stockcode",
        "productcode",
        "itemcode",
        "partnumber",
        "artikelnummer",
        "reference",
        "code",
    ],
    &[
        "title",
        "producttitle",
        "name",
        "productname",
        "itemname",
        "titel",
        "bezeichnung",
        "producttitel",
        "product",
        "description",
    ],
    &["description", "bodyhtml", "body", "longdescription", "productdescription", "beschreibung", "shortdescription", "details"],
    &["category", "categories", "productcategory", "producttype", "type", "kategorie", "department", "collection"],
    &["price", "variantprice", "regularprice", "unitprice", "grossprice", "retailprice", "preis", "sellingprice"],
    &["currency", "currencycode", "waehrung", "währung"],
    &[
        "stock",
        "variantinventoryqty",
        "inventoryquantity",
        "inventory",
        "onhand",
        "instock",
        "stockquantity",
        "quantity",
        "qty",
        "units",
        "bestand",
        "menge",
    ],
    &["options", "option", "variantoptions", "variants", "variantoption"],
    &[],
];

/// Which of their columns each of ours most likely is; none of theirs twice.
pub fn guess(header: &[String]) -> Places {
    let plain: Vec<String> =
        header.iter().map(|name| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()).collect();
    let mut taken = vec![false; plain.len()];
    CALLED.map(|names| {
        let place = names.iter().find_map(|name| plain.iter().zip(&taken).position(|(theirs, taken)| theirs == name && !taken));
        if let Some(mark) = place.and_then(|at| taken.get_mut(at)) {
            *mark = true;
        }
        place
    })
}

/// Places as the database keeps them.
pub fn to_columns(places: &Places) -> Vec<i32> {
    places.iter().map(|place| place.and_then(|at| i32::try_from(at).ok()).unwrap_or(-1)).collect()
}

/// Places as the database keeps them, of a file with so many columns.
pub fn from_columns(columns: &[i32], width: usize) -> Places {
    std::array::from_fn(|i| columns.get(i).and_then(|at| usize::try_from(*at).ok()).filter(|at| *at < width))
}

/// Whether a file cannot do without this one of [`COLUMNS`].
pub fn is_needed(column: &str) -> bool {
    NEEDED.contains(&column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(header: &str) -> Vec<String> {
        header.split(',').map(str::to_owned).collect()
    }

    fn guessed(header: &str) -> Vec<(&'static str, String)> {
        let header = names(header);
        COLUMNS.into_iter().zip(guess(&header)).filter_map(|(c, at)| Some((c, header[at?].clone()))).collect()
    }

    #[test]
    fn the_separator_is_the_one_that_stands_there_most() {
        assert_eq!(separator(b"sku,title,price\n"), b',');
        assert_eq!(separator(b"sku;\"title, long, or, short\";price\n"), b';');
        assert_eq!(separator(b"sku\ttitle\tprice"), b'\t');
        assert_eq!(separator(b"sku"), b',');
    }

    #[test]
    fn our_own_names_and_those_of_others_are_known() {
        let own = guessed("sku,title,description,category,price,currency,stock,options,image");
        assert!(own.iter().all(|(ours, theirs)| ours == theirs) && own.len() == ASKED, "{own:?}");
        let shopify =
            guessed("Handle,Title,Body (HTML),Vendor,Product Category,Type,Variant SKU,Variant Inventory Qty,Variant Price");
        let expected = [
            ("sku", "Variant SKU"),
            ("title", "Title"),
            ("description", "Body (HTML)"),
            ("category", "Product Category"),
            ("price", "Variant Price"),
            ("stock", "Variant Inventory Qty"),
        ];
        assert_eq!(shopify, expected.map(|(a, b)| (a, b.to_owned())));
        let woo = guessed("ID,Type,SKU,Name,Description,In stock?,Stock,Regular price,Categories");
        let expected = [
            ("sku", "SKU"),
            ("title", "Name"),
            ("description", "Description"),
            ("category", "Categories"),
            ("price", "Regular price"),
            ("stock", "Stock"),
        ];
        assert_eq!(woo, expected.map(|(a, b)| (a, b.to_owned())));
        let retail = guessed("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice");
        let expected = [("sku", "StockCode"), ("title", "Description"), ("price", "UnitPrice"), ("stock", "Quantity")];
        assert_eq!(retail, expected.map(|(a, b)| (a, b.to_owned())));
    }

    #[test]
    fn a_file_of_errors_is_known_again() {
        assert_eq!(digest(&names("SKU ,title")), digest(&names("sku,Title,error")));
        assert_ne!(digest(&names("sku,title")), digest(&names("skut,itle")));
        assert_eq!(own_columns(&names("error")), names("error"));
    }

    #[test]
    fn places_are_kept_and_stay_inside_the_file() {
        let places = guess(&names("sku,title,price,stock"));
        assert_eq!(from_columns(&to_columns(&places), 4), places);
        assert_eq!(from_columns(&[7, -1], 4), [None; COLUMNS.len()]);
    }

    #[test]
    fn a_cell_is_shown_short_and_clean() {
        assert_eq!(shown(b" a\0b\xff ", 10), "a b\u{fffd}");
        assert_eq!(shown("ääääää".as_bytes(), 4), "äää…");
    }
}
