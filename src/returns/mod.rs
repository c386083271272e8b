//! Owns goods on their way back: what a shopper asks to return, what vendor and operator say to it, what came, and the refund that
//! follows. The money itself is booked by `payments`; what is said stands in the order's timeline.

mod ask;
mod letters;
pub mod model;
pub mod pages;
mod pictures;
pub mod queries;
mod receive;
mod steps;

pub use ask::{Asked, ask};
pub use receive::{Receipt, receive};
pub use steps::{Actor, Deed, act};
