//! Where the books and Stripe disagree, and what would make them agree. Pure.

use crate::{
    ids::{DifferenceId, OrderId, ReconciliationId, VendorId},
    ledger::model::Account,
    money::{Currency, Money},
    orders::model::text_enum,
    texts,
};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

texts!(
    /// Why a difference is none.
    Explanation: line, 3, 500;
);

text_enum!(
    /// What differs.
    What {
        /// Money that moved.
        Money = "money",
        /// What Stripe keeps of it.
        Fee = "fee",
    }
);

text_enum!(
    /// What became of a difference.
    DifferenceState {
        Open = "open",
        /// A person had the suggestion booked.
        Booked = "booked",
        /// A person said why nothing is to be booked.
        Explained = "explained",
        /// A later run found the two agreeing.
        Gone = "gone",
    }
);

/// What moved, as both sides may know it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A row of ours: the cause's name in the books, and its id.
    Row { cause: String, id: Uuid },
    /// An entry of Stripe's that no row of ours explains.
    Entry(String),
}

/// The two sides of one subject, of one account at Stripe. Minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// `""`: our own.
    pub account: String,
    pub vendor: Option<VendorId>,
    pub order: Option<OrderId>,
    pub subject: Subject,
    pub currency: Currency,
    pub what: What,
    pub here: i64,
    pub there: i64,
    /// Stripe's kind of entry, where Stripe has one.
    pub kind: Option<String>,
}

/// What would make the books agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suggestion {
    pub debit: Account,
    pub credit: Account,
    /// Above zero.
    pub amount: i64,
}

impl Found {
    /// The account that stands for what Stripe holds.
    fn held(&self) -> Account {
        match (self.account.is_empty(), self.vendor) {
            (false, Some(vendor)) => Account::Connected(vendor),
            _ => Account::Cash,
        }
    }

    /// Where the other side belongs, as far as one can tell without a person.
    fn other(&self) -> Account {
        let own = self.account.is_empty();
        match (&self.subject, self.what, self.vendor) {
            (_, What::Fee, _) => Account::StripeFees,
            (Subject::Entry(_), _, vendor) => match (self.kind.as_deref().unwrap_or_default(), vendor, own) {
                // Paid out in Stripe's dashboard. A vendor has had that much of what it was owed; the market has it at its bank.
                ("payout" | "payout_cancel" | "payout_failure", Some(vendor), false) => Account::VendorPayable(vendor),
                ("payout" | "payout_cancel" | "payout_failure" | "topup" | "topup_reversal", _, true) => Account::Bank,
                ("stripe_fee" | "stripe_fx_fee" | "tax_fee", _, false) => Account::StripeFees,
                _ => Account::Suspense,
            },
            (Subject::Row { cause, .. }, _, vendor) => match (cause.as_str(), vendor, own) {
                ("refund", ..) => Account::RefundsDue,
                ("transfer" | "transfer_reversal", Some(vendor), true) => Account::Connected(vendor),
                ("payout", Some(vendor), false) => Account::PayoutsInTransit(vendor),
                _ => Account::Suspense,
            },
        }
    }

    /// A booking after which both sides are the same.
    pub fn suggestion(&self) -> Suggestion {
        let (held, other) = (self.held(), self.other());
        // A fee that Stripe keeps is less of what it holds.
        let more_held = match self.what {
            What::Money => self.there - self.here,
            What::Fee => self.here - self.there,
        };
        let (debit, credit) = if more_held > 0 { (held, other) } else { (other, held) };
        Suggestion { debit, credit, amount: more_held.abs() }
    }

    /// The same in words, for the books.
    pub fn memo(&self) -> String {
        let money = |minor| Money::new(minor, self.currency);
        let what = match (&self.subject, self.what) {
            (Subject::Row { cause, .. }, What::Fee) => format!("Stripe's fee for a {}", cause.replace('_', " ")),
            (Subject::Row { cause, .. }, What::Money) => format!("A {}", cause.replace('_', " ")),
            (Subject::Entry(_), What::Fee) => "A fee of Stripe's".into(),
            (Subject::Entry(_), What::Money) => {
                format!("A movement at Stripe ({})", self.kind.as_deref().unwrap_or("unknown").replace('_', " "))
            }
        };
        let sides = match (self.here, self.there) {
            (0, there) => format!("Stripe moved {}, the books say nothing", money(there)),
            (here, 0) => format!("the books say {}, Stripe moved nothing", money(here)),
            (here, there) => format!("Stripe says {}, the books say {}", money(there), money(here)),
        };
        format!("{what}: {sides}")
    }
}

/// A difference as its page shows it.
#[derive(Debug, Clone)]
pub struct Difference {
    pub id: DifferenceId,
    pub run: ReconciliationId,
    pub account: String,
    pub vendor_name: Option<String>,
    pub cause: Option<String>,
    pub cause_id: Option<Uuid>,
    pub entry: Option<String>,
    /// Stripe's kind of the entry, and what it touches as far as Stripe says.
    pub entry_kind: Option<String>,
    pub touches: Option<String>,
    pub reference: Option<String>,
    pub order: Option<OrderId>,
    pub number: Option<i64>,
    pub what: What,
    pub currency: Currency,
    pub here_minor: i64,
    pub there_minor: i64,
    /// Kinds of account, and whose.
    pub debit: String,
    pub debit_vendor: Option<VendorId>,
    pub credit: String,
    pub credit_vendor: Option<VendorId>,
    pub memo: String,
    pub state: DifferenceState,
    pub note: String,
    pub decided_by: Option<String>,
    pub decided_at: Option<OffsetDateTime>,
    pub found_at: OffsetDateTime,
}

impl Difference {
    pub fn here(&self) -> Money {
        Money::new(self.here_minor, self.currency)
    }

    pub fn there(&self) -> Money {
        Money::new(self.there_minor, self.currency)
    }

    /// How much would be booked.
    pub fn amount(&self) -> Money {
        Money::new((self.there_minor - self.here_minor).abs(), self.currency)
    }

    /// What it is about: `Refund`, `Stripe's fee for a payment`, `At Stripe only: adjustment`.
    pub fn title(&self) -> String {
        let words = |text: &str| text.replace('_', " ");
        match (self.cause.as_deref(), self.what) {
            (Some(cause), What::Fee) => format!("Stripe's fee for a {}", words(cause)),
            (Some(cause), What::Money) => {
                let words = words(cause);
                let mut letters = words.chars();
                letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
            }
            (None, _) => {
                format!("At Stripe only: {}", words(self.touches.as_deref().or(self.entry_kind.as_deref()).unwrap_or("entry")))
            }
        }
    }

    /// Stripe can be asked what it is.
    pub fn can_be_read(&self) -> bool {
        let of = self.cause.as_deref().or(self.touches.as_deref());
        matches!(of, Some("payment" | "refund" | "dispute" | "payout"))
    }
}

/// A comparison, as the list shows it.
#[derive(Debug, Clone)]
pub struct Run {
    pub id: ReconciliationId,
    pub night: Option<Date>,
    pub asked_by: Option<String>,
    pub done: bool,
    pub entries: i32,
    pub differences: i32,
    pub cash_minor: Option<i64>,
    pub stripe_minor: Option<i64>,
    pub failure: Option<String>,
    pub started_at: OffsetDateTime,
    pub ended_at: Option<OffsetDateTime>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(cause: Option<&str>, what: What, here: i64, there: i64, vendor: Option<VendorId>, own: bool) -> Found {
        Found {
            account: if own { String::new() } else { "acct_1".into() },
            vendor,
            order: None,
            subject: match cause {
                Some(cause) => Subject::Row { cause: cause.into(), id: Uuid::nil() },
                None => Subject::Entry("txn_1".into()),
            },
            currency: Currency::GBP,
            what,
            here,
            there,
            kind: Some("adjustment".into()),
        }
    }

    #[test]
    fn what_is_suggested() {
        let vendor = VendorId::new();
        let says = |f: Found| {
            let s = f.suggestion();
            (s.debit, s.credit, s.amount)
        };
        use Account::*;
        // a refund that the books do not know
        assert_eq!(says(found(Some("refund"), What::Money, 0, -500, None, true)), (RefundsDue, Cash, 500));
        // Stripe kept more than is booked, and less
        assert_eq!(says(found(Some("payment"), What::Fee, 50, 70, None, true)), (StripeFees, Cash, 20));
        assert_eq!(says(found(Some("payment"), What::Fee, 70, 50, None, true)), (Cash, StripeFees, 20));
        assert_eq!(says(found(Some("transfer"), What::Money, 0, -900, Some(vendor), true)), (Connected(vendor), Cash, 900));
        assert_eq!(
            says(found(Some("payout"), What::Money, 0, -900, Some(vendor), false)),
            (PayoutsInTransit(vendor), Connected(vendor), 900)
        );
        assert_eq!(says(found(None, What::Money, 0, 300, None, true)), (Cash, Suspense, 300));
        let of_kind = |kind: &str, vendor: Option<VendorId>, there| {
            let own = vendor.is_none();
            says(Found { kind: Some(kind.into()), ..found(None, What::Money, 0, there, vendor, own) })
        };
        // made in Stripe's dashboard: a vendor's payout, and that it came back; the market's own
        assert_eq!(of_kind("payout", Some(vendor), -900), (VendorPayable(vendor), Connected(vendor), 900));
        assert_eq!(of_kind("payout_failure", Some(vendor), 900), (Connected(vendor), VendorPayable(vendor), 900));
        assert_eq!(of_kind("payout", None, -900), (Bank, Cash, 900));
        assert_eq!(of_kind("payout_failure", None, 900), (Cash, Bank, 900));
        assert_eq!(of_kind("topup", None, 500), (Cash, Bank, 500));
        assert_eq!(of_kind("stripe_fee", Some(vendor), -10), (StripeFees, Connected(vendor), 10));
        // a transfer of the dashboard: the two sides of it meet where somebody explains them
        assert_eq!(of_kind("transfer", None, -700), (Suspense, Cash, 700));
        assert_eq!(of_kind("payment", Some(vendor), 700), (Connected(vendor), Suspense, 700));
        let memo = found(Some("refund"), What::Money, 0, -500, None, true).memo();
        assert_eq!(memo, "A refund: Stripe moved −£5.00, the books say nothing");
        let memo = found(Some("payment"), What::Fee, 50, 70, None, true).memo();
        assert_eq!(memo, "Stripe's fee for a payment: Stripe says £0.70, the books say £0.50");
    }

    proptest! {
        /// Booked as suggested, the books say what Stripe says.
        #[test]
        fn the_suggestion_makes_it_even(
            here in -100_000i64..100_000, there in -100_000i64..100_000, fee in any::<bool>(), cause in 0usize..7, own in any::<bool>(),
        ) {
            prop_assume!(here != there);
            let causes = [None, Some("payment"), Some("refund"), Some("dispute"), Some("transfer"), Some("transfer_reversal"), Some("payout")];
            // Only our own balance bears fees.
            let what = if fee && own { What::Fee } else { What::Money };
            let found = found(causes[cause], what, here, there, Some(VendorId::new()), own);
            let Suggestion { debit, credit, amount } = found.suggestion();
            prop_assert!(amount > 0 && debit != credit);
            let moves = |account| i64::from(debit == account) * amount - i64::from(credit == account) * amount;
            let fees = moves(Account::StripeFees);
            let (money, fee) = (moves(found.held()) + if own { fees } else { 0 }, fees);
            match what {
                What::Money => prop_assert_eq!((here + money, fee), (there, 0)),
                What::Fee => prop_assert_eq!((here + fee, money), (there, 0)),
            }
        }
    }
}
