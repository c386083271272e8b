//! Reading the file; see the module's header for the rules.

use crate::{cart::model::MAX_QUANTITY, money::Currency, money::Money};
use anyhow::Context;
use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use super::{
    VENDORS,
    cancellations::{Bought, Cancellation, CancelledRow, Unmatched, matched},
};

/// Codes of rows that book something other than an article.
const ADJUSTMENTS: [&str; 11] = ["POST", "DOT", "M", "C2", "D", "S", "B", "CRUK", "PADS", "BANK CHARGES", "AMAZONFEE"];

/// Why rows or invoices are no purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skip {
    /// The invoice number starts with a letter: `C` cancels, `A` adjusts a debt.
    Cancellation,
    /// Postage, fees, charges, samples.
    Adjustment,
    /// Returned, lost, or given away.
    NoQuantity,
    NoPrice,
    /// More than [`MAX_QUANTITY`] of one article: the shop does not sell that many at once.
    TooMany,
    /// A field is no number, or the row is no CSV.
    Unreadable,
}

impl Skip {
    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Cancellation => "cancellations and debt adjustments",
            Self::Adjustment => "postage, fees and other adjustments",
            Self::NoQuantity => "a quantity of zero or below",
            Self::NoPrice => "a price of zero or below",
            Self::TooMany => "more of one article than one order may have",
            Self::Unreadable => "unreadable rows",
        }
    }
}

/// One variant of the shop that the file makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goods {
    pub code: String,
    pub title: String,
    /// Minor units.
    pub price_minor: i64,
    pub stock: i64,
    /// `0..VENDORS`
    pub vendor: usize,
}

impl Goods {
    /// Unique in the whole shop.
    pub fn sku(&self) -> String {
        format!("{}-{}", self.code, self.price_minor)
    }
}

/// An invoice to be bought: pieces by place in [`Retail::goods`], each goods once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    pub invoice: String,
    /// As the file calls whoever bought it; empty where it does not.
    pub customer: String,
    /// How many invoices stand before it in the file, whatever they are.
    pub before: usize,
    pub lines: Vec<(usize, i32)>,
}

/// What a file says.
#[derive(Debug, Default)]
pub struct Retail {
    pub rows: u64,
    /// By code, then by price.
    pub goods: Vec<Goods>,
    /// In the order of the file.
    pub purchases: Vec<Purchase>,
    /// Rows that are no sale.
    pub skipped: BTreeMap<Skip, u64>,
    /// Invoices without any sale, or with one that is too large.
    pub no_purchase: u64,
    /// What was taken back of purchases, in their order.
    pub cancellations: Vec<Cancellation>,
    /// Rows that cancel something and are no refund.
    pub unmatched: BTreeMap<Unmatched, u64>,
}

impl Retail {
    /// What the invoice comes to, in minor units.
    pub fn total(&self, purchase: &Purchase) -> i64 {
        purchase.lines.iter().map(|(goods, quantity)| self.goods[*goods].price_minor * i64::from(*quantity)).sum()
    }

    /// What it comes to at each vendor that has a part in it.
    pub fn by_vendor(&self, purchase: &Purchase) -> BTreeMap<usize, i64> {
        let mut parts = BTreeMap::new();
        for (goods, quantity) in &purchase.lines {
            let goods = &self.goods[*goods];
            *parts.entry(goods.vendor).or_default() += goods.price_minor * i64::from(*quantity);
        }
        parts
    }

    /// What a cancellation gives back, in minor units.
    pub fn given_back(&self, cancellation: &Cancellation) -> i64 {
        cancellation.lines.iter().map(|(goods, quantity)| self.goods[*goods].price_minor * i64::from(*quantity)).sum()
    }
}

type Key = (String, i64);

/// A row that sells something.
struct Sale {
    key: Key,
    quantity: i64,
}

/// Reads a file, plain or gzip.
pub fn read(path: &Path) -> anyhow::Result<Retail> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let mut file = BufReader::new(file);
    let gzip = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let plain: Box<dyn Read> = if gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    parse(plain).with_context(|| format!("{} cannot be read", path.display()))
}

fn parse(input: impl Read) -> anyhow::Result<Retail> {
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let header = rows.headers()?.clone();
    let column = |name: &str| header.iter().position(|h| h == name).with_context(|| format!("the column {name} is missing"));
    let columns = [column("InvoiceNo")?, column("StockCode")?, column("Quantity")?, column("UnitPrice")?];
    let (description, buyer) = (column("Description")?, column("CustomerID")?);

    let mut retail = Retail::default();
    let mut stock: BTreeMap<Key, i64> = BTreeMap::new();
    let mut names: HashMap<String, BTreeMap<String, u32>> = HashMap::new();
    let mut invoices: Vec<(String, String, BTreeMap<Key, i64>)> = Vec::new();
    let mut cancelled: Vec<(CancelledRow, Key)> = Vec::new();
    let mut place: HashMap<String, usize> = HashMap::new();
    let mut record = csv::ByteRecord::new();
    while rows.read_byte_record(&mut record)? {
        retail.rows += 1;
        let field = |at: usize| String::from_utf8_lossy(record.get(at).unwrap_or_default());
        let invoice = field(columns[0]).trim().to_owned();
        let at = *place.entry(invoice.clone()).or_insert_with(|| {
            invoices.push((invoice.clone(), field(buyer).trim().to_owned(), BTreeMap::new()));
            invoices.len() - 1
        });
        if invoice.starts_with('C') {
            let customer = field(buyer).trim().to_owned();
            match article(&field(columns[1]), &field(columns[2]), &field(columns[3])) {
                Ok(Sale { key, quantity }) if quantity < 0 => {
                    let row = CancelledRow { invoice: invoice.clone(), customer, goods: None, quantity: -quantity, before: at };
                    cancelled.push((row, key));
                }
                _ => *retail.unmatched.entry(Unmatched::NoArticle).or_default() += 1,
            }
        }
        match sale(&invoice, &field(columns[1]), &field(columns[2]), &field(columns[3])) {
            Err(skip) => *retail.skipped.entry(skip).or_default() += 1,
            Ok(Sale { key, quantity }) => {
                let name = sentence(&field(description));
                if !name.is_empty() {
                    *names.entry(key.0.clone()).or_default().entry(name).or_default() += 1;
                }
                *invoices[at].2.entry(key).or_default() += quantity;
            }
        }
    }
    for (_, _, lines) in &mut invoices {
        let large = lines.values().filter(|q| **q > i64::from(MAX_QUANTITY)).count();
        if large > 0 {
            *retail.skipped.entry(Skip::TooMany).or_default() += lines.len() as u64;
            lines.clear();
        }
        for (key, quantity) in &*lines {
            *stock.entry(key.clone()).or_default() += quantity;
        }
    }
    let titles = titles(names);
    let places: HashMap<Key, usize> = stock.keys().cloned().zip(0..).collect();
    retail.goods = stock
        .into_iter()
        .map(|((code, price_minor), stock)| Goods {
            title: titles.get(&code).cloned().unwrap_or_else(|| format!("Article {code}")),
            vendor: vendor_of(&code),
            code,
            price_minor,
            stock,
        })
        .collect();
    for (before, (invoice, customer, lines)) in invoices.into_iter().enumerate() {
        if lines.is_empty() {
            retail.no_purchase += 1;
            continue;
        }
        let lines = lines
            .into_iter()
            .map(|(key, quantity)| {
                let quantity = i32::try_from(quantity).context("a quantity was checked against the limit of an order")?;
                Ok((places[&key], quantity))
            })
            .collect::<anyhow::Result<_>>()?;
        retail.purchases.push(Purchase { invoice, customer, before, lines });
    }
    let rows: Vec<CancelledRow> =
        cancelled.into_iter().map(|(row, key)| CancelledRow { goods: places.get(&key).copied(), ..row }).collect();
    let bought: Vec<Bought<'_>> =
        retail.purchases.iter().map(|p| Bought { customer: &p.customer, before: p.before, lines: &p.lines }).collect();
    let (cancellations, unmatched) = matched(&rows, &bought, |goods| retail.goods[goods].vendor);
    retail.cancellations = cancellations;
    retail.unmatched.extend(unmatched);
    Ok(retail)
}

fn sale(invoice: &str, code: &str, quantity: &str, price: &str) -> Result<Sale, Skip> {
    if invoice.is_empty() || !invoice.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Skip::Cancellation);
    }
    let sale = article(code, quantity, price)?;
    if sale.quantity <= 0 { Err(Skip::NoQuantity) } else { Ok(sale) }
}

/// An article at a price, and how many of it: below zero where they are taken back.
fn article(code: &str, quantity: &str, price: &str) -> Result<Sale, Skip> {
    let code = code.trim().to_uppercase();
    if code.is_empty() || ADJUSTMENTS.contains(&code.as_str()) {
        return Err(Skip::Adjustment);
    }
    let quantity: i64 = quantity.trim().parse().map_err(|_| Skip::Unreadable)?;
    let price = price.trim();
    if price.starts_with('-') {
        return Err(if quantity <= 0 { Skip::NoQuantity } else { Skip::NoPrice });
    }
    let price_minor = match Money::parse(price, Currency::GBP) {
        Ok(price) => price.minor,
        Err(_) => return Err(if quantity <= 0 { Skip::NoQuantity } else { Skip::Unreadable }),
    };
    if price_minor == 0 {
        return Err(if quantity <= 0 { Skip::NoQuantity } else { Skip::NoPrice });
    }
    Ok(Sale { key: (code, price_minor), quantity })
}

/// The file shouts; a shop does not. White space is folded.
fn sentence(text: &str) -> String {
    let lower = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let mut letters = lower.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).take(150).collect())
}

/// One title per code, no two alike.
fn titles(names: HashMap<String, BTreeMap<String, u32>>) -> HashMap<String, String> {
    let mut titles = HashMap::new();
    let mut times: HashMap<String, u32> = HashMap::new();
    for (code, names) in names {
        let most = names.values().max().copied();
        if let Some((name, _)) = names.into_iter().find(|(_, n)| Some(*n) == most) {
            *times.entry(name.clone()).or_default() += 1;
            titles.insert(code, name);
        }
    }
    for (code, title) in &mut titles {
        if times[title] > 1 {
            *title = format!("{title} ({code})");
        }
    }
    titles
}

fn vendor_of(code: &str) -> usize {
    let hash = Sha256::digest(code.as_bytes());
    let number = hash.iter().take(4).fold(0usize, |n, byte| (n << 8) | usize::from(*byte));
    number % VENDORS
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1001,85123A,WHITE HANGING  HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
1001,85123a,white hanging heart,2,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
1001,85123A,WHITE HEART,1,2010-12-01 08:26:00,2.95,17850.0,United Kingdom
1001,POST,POSTAGE,1,2010-12-01 08:26:00,18.0,17850.0,France
C1002,85123A,WHITE HANGING HEART,-1,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
C1002,POST,POSTAGE,-1,2010-12-01 08:26:00,18.0,17850.0,United Kingdom
1003,20001,\"BOX, \"\"LOVE\"\"\",1000,2010-12-01 08:26:00,1.0,,United Kingdom
1004,20001,,0,2010-12-01 08:26:00,1.0,,United Kingdom
1004,20001,damaged,5,2010-12-01 08:26:00,0.0,,United Kingdom
1004,20001,?,5,2010-12-01 08:26:00,0.001,,United Kingdom
1005,20002,\"BOX, \"\"LOVE\"\"\",3,2010-12-01 08:26:00,1.25,,United Kingdom
1005,20003,\"BOX, \"\"LOVE\"\"\",1,2010-12-01 08:26:00,0.5,,United Kingdom
";

    #[test]
    fn sales_become_goods_and_purchases_and_the_rest_is_counted() {
        let retail = parse(FILE.as_bytes()).unwrap();
        assert_eq!(retail.rows, 12);
        let goods: Vec<_> = retail.goods.iter().map(|g| (g.sku(), g.title.as_str(), g.stock)).collect();
        assert_eq!(
            goods,
            [
                ("20002-125".into(), "Box, \"love\" (20002)", 3),
                ("20003-50".into(), "Box, \"love\" (20003)", 1),
                ("85123A-255".into(), "White hanging heart", 8),
                ("85123A-295".into(), "White hanging heart", 1),
            ]
        );
        let totals: Vec<_> = retail.purchases.iter().map(|p| (p.invoice.as_str(), retail.total(p))).collect();
        assert_eq!(totals, [("1001", 8 * 255 + 295), ("1005", 3 * 125 + 50)]);
        assert_eq!(retail.no_purchase, 3);
        let skipped: Vec<_> = retail.skipped.into_iter().collect();
        assert_eq!(
            skipped,
            [
                (Skip::Cancellation, 2),
                (Skip::Adjustment, 1),
                (Skip::NoQuantity, 1),
                (Skip::NoPrice, 1),
                (Skip::TooMany, 1),
                (Skip::Unreadable, 1)
            ]
        );
    }

    #[test]
    fn a_cancellation_finds_its_purchase_and_its_worth() {
        let retail = parse(FILE.as_bytes()).unwrap();
        let [only] = &retail.cancellations[..] else { panic!("{:?}", retail.cancellations) };
        assert_eq!((only.invoice.as_str(), retail.purchases[only.purchase].invoice.as_str()), ("C1002", "1001"));
        assert_eq!((only.vendor, retail.given_back(only)), (vendor_of("85123A"), 255));
        assert_eq!(retail.unmatched, [(Unmatched::NoArticle, 1)].into());
    }

    #[test]
    fn the_parts_of_an_invoice_sum_to_it() {
        let retail = parse(FILE.as_bytes()).unwrap();
        for purchase in &retail.purchases {
            assert_eq!(retail.by_vendor(purchase).values().sum::<i64>(), retail.total(purchase));
        }
    }

    #[test]
    fn a_code_stays_with_its_vendor() {
        assert_eq!(vendor_of("85123A"), vendor_of("85123A"));
        let vendors: std::collections::BTreeSet<_> = (20000..20200).map(|n| vendor_of(&n.to_string())).collect();
        assert_eq!(vendors.len(), VENDORS);
    }

    #[test]
    fn a_file_without_its_columns_is_refused() {
        assert!(parse("a,b\n1,2\n".as_bytes()).is_err());
    }
}
