//! The process: configuration, state, the router, who asks, pages, mail and jobs. It owns no rule of the shop.

pub mod auth;
pub mod cache;
pub mod columns;
pub mod config;
pub mod csv;
pub mod cursor;
pub mod errors;
pub mod extract;
pub mod flash;
pub mod health;
pub mod jobs;
pub mod mail;
pub mod metrics;
pub mod page;
pub mod password;
pub mod rest;
pub mod router;
pub mod session;
pub mod start;
pub mod state;
pub mod storage;
pub mod token;
pub mod trace;
pub mod upload;
