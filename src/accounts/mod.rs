//! Owns people, their sessions, address books and preferences.

pub mod islands;

#[cfg(feature = "ssr")]
pub mod pages;
