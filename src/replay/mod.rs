//! Owns real invoices: reading them, and a shop that sells what stands in them. For tests and load; never in production.
//!
//! # The file
//!
//! Rows of the columns `InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country`, plain or
//! gzip, as in Daqing Chen, "Online Retail", UCI Machine Learning Repository, 2015, doi 10.24432/C5BW33.
//!
//! # What is a sale
//!
//! A row whose invoice number is all digits, whose code is an article's and not an adjustment's (`POST`, `M`, `BANK CHARGES`, …),
//! and whose quantity and price are above zero. Everything else is left out and counted by its [`Skip`]. An invoice with at least one
//! sale is a purchase; it costs the sum of its sales.
//!
//! # From rows to goods
//!
//! | of the goods | rule |
//! |---|---|
//! | product | the code, upper case |
//! | variant | one per price at which the code was ever sold: `Price list=2.55`, SKU `85123A-255` |
//! | title | the description most often given to the code (of equals, the first by alphabet), in sentence case; with the code where two codes share it |
//! | price | the unit price, read as pounds with VAT |
//! | stock | exactly what the whole file sells of it, so that after a whole replay every shelf is empty |
//! | vendor | the first four bytes of the code's SHA-256, as a big-endian number, modulo [`VENDORS`] |
//!
//! Vendors ship free, for invoices say nothing of shipping. The market takes its commission by the rules in force: in a new shop the one
//! for everything, 10 %, in the demo shop also those of its operator.
//!
//! # What is a refund
//!
//! A row of an invoice whose number begins with `C`, whose code is an article's, whose quantity is below zero and whose price is above.
//! It takes back of the latest purchase that stands before it in the file, is of the same customer, holds the same code at the same price,
//! and has as many pieces left that no earlier row took back. A row without a customer, or without such a purchase, is no refund and is
//! counted by its [`Unmatched`]. All that one invoice takes back of one purchase from one vendor is one refund, asked for by that vendor
//! over REST with the reason `Cancelled by invoice C536379`.
//!
//! # Being paid
//!
//! Each vendor opens its account at the sandbox, sends what was not taken back and says that it has arrived, all over HTTP; then everybody
//! who can be paid is.

mod books;
mod cancellations;
pub mod cli;
mod invoices;
mod payouts;
mod refunds;
mod seller;
mod shop;
mod work;

pub use cancellations::{Cancellation, Unmatched};
pub use invoices::{Goods, Purchase, Retail, Skip, read};
pub use shop::{VENDORS, open, vendor_slug};
