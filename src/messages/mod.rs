//! Owns what a shopper and a vendor write to each other about a parcel. Messages are facts of the order's timeline; a mail tells of each, and
//! is not answered by mail.

pub mod pages;
mod views;
mod write;

pub use views::{is_message, messages_of};
pub use write::{MessageText, from_shopper, from_vendor, settle};
