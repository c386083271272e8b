//! Owns people, their sign-in, address books and preferences. It knows nothing of what they buy or sell.

pub mod actions;
pub mod islands;
mod model;

#[cfg(feature = "ssr")]
mod attempts;
#[cfg(feature = "ssr")]
pub mod cli;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod queries;
#[cfg(feature = "ssr")]
pub mod rest;
#[cfg(feature = "ssr")]
mod signing;
#[cfg(feature = "ssr")]
pub mod tokens;

pub use model::*;
#[cfg(feature = "ssr")]
pub use signing::{
    NewAccount, SignedIn, Visitor, change_password, register, sign_in, sign_in_session, sign_out, sign_out_everywhere,
};
