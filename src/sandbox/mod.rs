//! The stand-ins that make `make run` complete. They refuse to start in production.

pub mod postgres;
pub mod s3;
pub mod stripe;
