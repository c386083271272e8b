//! Owns the operator's pages.

#[cfg(feature = "ssr")]
pub mod pages;

/// The sections of the operator's desk: address and label.
pub const DESK: &[(&str, &str)] = &[
    ("/operator", "Inbox"),
    ("/operator/vendors", "Vendors"),
    ("/operator/orders", "Orders"),
    ("/operator/users", "Users"),
    ("/operator/jobs", "Jobs"),
    ("/operator/webhooks", "Webhooks"),
];
