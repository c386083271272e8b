//! Owns shops within the shop: what they say of themselves, how they ship, and the vendor's desk. Who may sell is
//! decided in `application`, by the operator alone; who may do what for a shop in `team`, by its owners.

pub mod model;

#[cfg(feature = "ssr")]
pub mod application;
#[cfg(feature = "ssr")]
pub mod applying;
#[cfg(feature = "ssr")]
pub mod desk;
#[cfg(feature = "ssr")]
pub mod holiday;
#[cfg(feature = "ssr")]
pub mod home;
#[cfg(any(feature = "ssr", feature = "desk"))]
pub mod islands;
#[cfg(feature = "ssr")]
pub mod joining;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod queries;
#[cfg(feature = "ssr")]
pub mod rest;
#[cfg(feature = "ssr")]
pub mod role;
#[cfg(feature = "ssr")]
pub mod team;
