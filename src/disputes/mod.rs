//! Owns disputes: what a bank asks of us, whose money it holds meanwhile, the evidence that vendors and operator give, and how it ends.
//! The money itself is booked in `ledger`; what is true of a dispute is what Stripe answers when it is asked.

mod evidence;
mod files;
mod gateway;
mod letters;
pub mod model;
pub mod pages;
pub mod queries;
mod sweep;
mod sync;

pub use evidence::{add_file, draft, remove_file, say, send_evidence, submit};
pub use files::Upload;
pub use sweep::sweep;
pub use sync::sync_dispute;
