//! Owns reduced prices: a vendor's promotion takes a percentage off some of its goods for some days. When it begins and ends the prices
//! themselves change (`migrations/0041_promotions.sql`), so that lists, carts and orders know nothing of it; the database keeps the history of
//! every price, and says from it what the law wants to be read beside a reduced one.

pub mod form;
pub mod queries;
pub mod turn;

pub use turn::sweep;
