//! Owns files of products that vendors bring to the page: received, their columns chosen, tried, imported, reported. What a row means and
//! how it is written is the catalogue's (`catalog::import`), for the command line and for the page alike.
//!
//! # How a file is worked on
//!
//! The file lies in the store, plain. Its row knows the place of the next row to do, as a byte of the file, and the place moves in the
//! transaction of the rows before it. A job goes on from there for a few seconds and queues the next one in its last transaction, so that
//! mail and payments get their turn; a node that dies leaves a place at which another goes on, and the row's lock and the place compared
//! under it let no two of them do the same rows.
//!
//! A check does all of it and takes it back, batch by batch. What is wrong only with rows of different batches together it does not notice.

mod model;
pub mod pages;
mod queries;
mod receive;
mod report;
mod source;
mod steps;
mod sweep;

pub use steps::go_on;
pub use sweep::sweep;

/// Under which key the store keeps the file.
fn key(import: crate::ids::ImportId) -> String {
    format!("imports/{import}")
}
