//! One test binary for the whole program: a real PostgreSQL, the router driven in process, people with cookie jars.

mod accounts;
mod cache;
mod cart;
mod catalog;
mod checkout;
mod editing;
mod health;
mod import;
mod metrics;
mod operator;
mod orders;
mod payments;
mod pictures;
mod prove;
mod queries;
mod race;
mod replay;
mod rest;
mod retail;
mod shell;
mod signing;
mod storage;
mod stripe_sandbox;
mod support;
mod vendors;
mod webhooks;
