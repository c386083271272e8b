//! One test binary for the whole program: a real PostgreSQL, the router driven in process, people with cookie jars.

mod accounts;
mod cart;
mod catalog;
mod editing;
mod import;
mod pictures;
mod checkout;
mod race;
mod operator;
mod shell;
mod storage;
mod stripe_sandbox;
mod support;
mod vendors;
