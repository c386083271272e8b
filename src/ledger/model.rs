//! The accounts, and what a transaction of the books is made of. Pure: that it sums to zero is seen here first, and by the database last.

use crate::{
    ids::{LedgerTransactionId, OrderId, UserId, VendorId, VendorOrderId},
    money::Currency,
};
use uuid::Uuid;

/// Where money is, or to whom it is owed; `migrations/0022_ledger.sql` and `0033_bank.sql` say what each is for. A balance above zero is a debit:
/// something that somebody has (`Cash`, `Connected`) or a cost; one below zero is owed (`VendorPayable`) or earned (`Commission`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Account {
    Cash,
    Bank,
    RefundsDue,
    Commission,
    CommissionVat,
    StripeFees,
    Discounts,
    Losses,
    Suspense,
    VendorPending(VendorId),
    VendorPayable(VendorId),
    DisputesHeld(VendorId),
    Connected(VendorId),
    PayoutsInTransit(VendorId),
}

impl Account {
    /// As it stands in the database.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Bank => "bank",
            Self::RefundsDue => "refunds_due",
            Self::Commission => "commission",
            Self::CommissionVat => "commission_vat",
            Self::StripeFees => "stripe_fees",
            Self::Discounts => "discounts",
            Self::Losses => "losses",
            Self::Suspense => "suspense",
            Self::VendorPending(_) => "vendor_pending",
            Self::VendorPayable(_) => "vendor_payable",
            Self::DisputesHeld(_) => "disputes_held",
            Self::Connected(_) => "connected",
            Self::PayoutsInTransit(_) => "payouts_in_transit",
        }
    }

    /// The account of a kind, and for a vendor's kinds of whom; `None` where the two do not fit.
    pub fn of(kind: &str, vendor: Option<VendorId>) -> Option<Self> {
        Some(match (kind, vendor) {
            ("cash", None) => Self::Cash,
            ("bank", None) => Self::Bank,
            ("refunds_due", None) => Self::RefundsDue,
            ("commission", None) => Self::Commission,
            ("commission_vat", None) => Self::CommissionVat,
            ("stripe_fees", None) => Self::StripeFees,
            ("discounts", None) => Self::Discounts,
            ("losses", None) => Self::Losses,
            ("suspense", None) => Self::Suspense,
            ("vendor_pending", Some(v)) => Self::VendorPending(v),
            ("vendor_payable", Some(v)) => Self::VendorPayable(v),
            ("disputes_held", Some(v)) => Self::DisputesHeld(v),
            ("connected", Some(v)) => Self::Connected(v),
            ("payouts_in_transit", Some(v)) => Self::PayoutsInTransit(v),
            _ => return None,
        })
    }

    /// Whose it is; `None` for the platform's.
    pub fn vendor(self) -> Option<VendorId> {
        match self {
            Self::VendorPending(v)
            | Self::VendorPayable(v)
            | Self::DisputesHeld(v)
            | Self::Connected(v)
            | Self::PayoutsInTransit(v) => Some(v),
            _ => None,
        }
    }
}

/// What made a transaction true: a row of the table of that name. With its id and a step it is booked once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    Payment,
    Refund,
    Release,
    Transfer,
    TransferReversal,
    Payout,
    Dispute,
    Correction,
}

impl Cause {
    /// As it stands in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Release => "release",
            Self::Transfer => "transfer",
            Self::TransferReversal => "transfer_reversal",
            Self::Payout => "payout",
            Self::Dispute => "dispute",
            Self::Correction => "correction",
        }
    }
}

/// One side of a transaction, in minor units: debit above zero, credit below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub account: Account,
    pub amount_minor: i64,
    /// Whose sale it was, where it was one.
    pub vendor_order: Option<VendorOrderId>,
}

/// The entries of one transaction while they are put together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries(Vec<Entry>);

impl Entries {
    pub fn debit(&mut self, account: Account, amount_minor: i64, vendor_order: Option<VendorOrderId>) -> &mut Self {
        self.add(Entry { account, amount_minor, vendor_order })
    }

    pub fn credit(&mut self, account: Account, amount_minor: i64, vendor_order: Option<VendorOrderId>) -> &mut Self {
        self.add(Entry { account, amount_minor: -amount_minor, vendor_order })
    }

    /// What meets the same account and sale is one entry; what comes to nothing is none.
    fn add(&mut self, entry: Entry) -> &mut Self {
        match self.0.iter_mut().find(|e| e.account == entry.account && e.vendor_order == entry.vendor_order) {
            Some(same) => same.amount_minor += entry.amount_minor,
            None => self.0.push(entry),
        }
        self.0.retain(|e| e.amount_minor != 0);
        self
    }

    pub fn as_slice(&self) -> &[Entry] {
        &self.0
    }

    /// Nothing moves: there is nothing to book.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Debits less credits: zero, or it is no transaction.
    pub fn sum(&self) -> i128 {
        self.0.iter().map(|e| i128::from(e.amount_minor)).sum()
    }

    /// The same with every side turned: what takes it back.
    pub fn reversed(&self) -> Self {
        Self(self.0.iter().map(|e| Entry { amount_minor: -e.amount_minor, ..*e }).collect())
    }
}

/// A transaction to be booked.
#[derive(Debug, Clone)]
pub struct Booking<'a> {
    pub cause: Cause,
    /// The row that caused it.
    pub id: Uuid,
    /// Which step of that row's life: `sale`, `fee`, `asked`, `paid`, `failed` ...
    pub step: &'a str,
    pub currency: Currency,
    pub order: Option<OrderId>,
    /// The transaction that this one takes back.
    pub reverses: Option<LedgerTransactionId>,
    /// Why, where a person booked it.
    pub memo: &'a str,
    pub actor: Option<UserId>,
    pub entries: Entries,
}

impl<'a> Booking<'a> {
    /// What a row's step moves, with nothing said beside it.
    pub fn of(cause: Cause, id: Uuid, step: &'a str, currency: Currency, entries: Entries) -> Self {
        Self { cause, id, step, currency, order: None, reverses: None, memo: "", actor: None, entries }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_kind() {
        let vendor = VendorId::new();
        use Account::*;
        let own = [Cash, Bank, RefundsDue, Commission, CommissionVat, StripeFees, Discounts, Losses, Suspense];
        let theirs =
            [VendorPending(vendor), VendorPayable(vendor), DisputesHeld(vendor), Connected(vendor), PayoutsInTransit(vendor)];
        for account in own.into_iter().chain(theirs) {
            assert_eq!(Account::of(account.kind(), account.vendor()), Some(account));
            let other = if account.vendor().is_none() { Some(vendor) } else { None };
            assert_eq!(Account::of(account.kind(), other), None);
        }
    }

    #[test]
    fn what_meets_is_one_entry_and_nothing_is_none() {
        let vendor = VendorId::new();
        let mut entries = Entries::default();
        entries
            .debit(Account::Cash, 100, None)
            .credit(Account::Commission, 10, None)
            .credit(Account::VendorPending(vendor), 80, None)
            .credit(Account::VendorPending(vendor), 10, None)
            .debit(Account::Losses, 0, None);
        assert_eq!(entries.sum(), 0);
        assert_eq!(entries.as_slice().len(), 3);
        assert_eq!(entries.reversed().sum(), 0);
        assert_eq!(entries.reversed().reversed(), entries);
        entries.credit(Account::Cash, 100, None);
        assert!(entries.as_slice().iter().all(|e| e.account != Account::Cash));
    }
}
