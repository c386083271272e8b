//! Owns the operator's desk: what needs doing, and a view of everything. It decides nothing by itself: each button calls
//! the slice whose matter it is.

#[cfg(feature = "ssr")]
mod cursor;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod queries;

#[cfg(feature = "ssr")]
pub use cursor::Cursor;

/// The sections of the operator's desk: address and label.
pub const DESK: &[(&str, &str)] = &[
    ("/operator", "Inbox"),
    ("/operator/vendors", "Vendors"),
    ("/operator/orders", "Orders"),
    ("/operator/commission", "Commission"),
    ("/operator/coupons", "Coupons"),
    ("/operator/ledger", "Ledger"),
    ("/operator/payouts", "Payouts"),
    ("/operator/reconciliation", "Reconciliation"),
    ("/operator/returns", "Returns"),
    ("/operator/disputes", "Disputes"),
    ("/operator/users", "Users"),
    ("/operator/documents", "Documents"),
    ("/operator/jobs", "Jobs"),
    ("/operator/webhooks", "Webhooks"),
    ("/operator/audit", "Audit log"),
];
