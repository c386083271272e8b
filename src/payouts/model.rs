//! The rules of paying vendors, pure: where their money should be, on which days it goes to their banks, and what keeps it back; and the
//! read models of pages and documents.

mod schedule;
mod statement;
mod words;

pub use schedule::{BadSchedule, Schedule};
pub use statement::{BadPeriod, Movement, Period, Statement, StatementLine};
pub use words::{disabled_words, failure_words, requirement_words};

use crate::{
    ids::{PayoutId, VendorId},
    money::{Currency, Money},
};
use serde::{Deserialize, Serialize};
use time::{Date, Duration, OffsetDateTime};

/// A vendor's accounts in the books, in minor units. Owed to the vendor is above zero here, and so is what Stripe holds for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balances {
    /// Sold, and not released yet.
    pub pending: i64,
    /// Released. Below zero, the vendor owes.
    pub payable: i64,
    /// Taken by banks while they decide disputes.
    pub held: i64,
    /// In the vendor's account at Stripe.
    pub connected: i64,
    /// On the way from there to the vendor's bank.
    pub in_transit: i64,
}

impl Balances {
    /// What the vendor can be paid; below zero it has had more than it earned, and the next releases make that up.
    pub fn available(&self) -> i64 {
        self.payable - self.held
    }

    /// All that the market owes the vendor, released or not.
    pub fn owed(&self) -> i64 {
        self.pending + self.available()
    }

    /// What of the money at Stripe may go to the bank: not what a transfer is about to take back.
    pub fn payable_now(&self) -> i64 {
        self.connected.min(self.available() - self.in_transit).max(0)
    }
}

/// What brings a vendor's money at Stripe to where it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    Transfer(i64),
    Reverse(i64),
}

/// Stripe's side of a vendor's money follows what the vendor can be paid. What is on the way to the bank cannot be called back, nor what a
/// payout is `booked` for; so a vendor may have more than its due until the next sale.
pub fn level(balances: &Balances, booked: i64) -> Option<Move> {
    let there = balances.connected + balances.in_transit;
    match balances.available().max(0) - there {
        0 => None,
        missing if missing > 0 => Some(Move::Transfer(missing)),
        surplus => match (-surplus).min(balances.connected - booked) {
            back if back > 0 => Some(Move::Reverse(back)),
            _ => None,
        },
    }
}

/// How a vendor is paid: its own wishes, or the shop's where it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    pub schedule: Schedule,
    /// Less is kept for the next day of payment.
    pub minimum_minor: i64,
    /// Days after the first sale before anything is paid.
    pub holding_days: u16,
}

/// Everything that decides whether a vendor is paid.
#[derive(Debug, Clone)]
pub struct Standing {
    pub settings: Settings,
    /// The shop is open.
    pub open: bool,
    pub account: AccountState,
    /// An earlier payout is on its way.
    pub on_the_way: bool,
    /// A payout failed, and nobody said "try again".
    pub stopped: bool,
    pub first_sale: Option<OffsetDateTime>,
    pub next_payout_on: Date,
    pub balances: Balances,
    /// What Stripe says can be paid out now; `None` where it was not asked.
    pub at_stripe: Option<i64>,
}

/// Where a vendor's account at Stripe stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    None,
    /// Stripe wants to know more, or is still looking.
    Unfinished,
    Ready,
}

/// Why a vendor is not paid now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    Nothing,
    Closed,
    NoAccount,
    Unfinished,
    OnTheWay,
    Stopped,
    Owes(i64),
    Holding(Date),
    NotDue(Date),
    /// (what there is, the least that is paid)
    BelowMinimum(i64, i64),
    /// Stripe does not let go of it yet: what it has available.
    NotAvailable(i64),
}

impl Wait {
    /// In words for the operator's list and for the vendor.
    pub fn words(self, currency: Currency) -> String {
        let money = |minor| Money::new(minor, currency);
        match self {
            Self::Nothing => "nothing to pay out".into(),
            Self::Closed => "the shop is not open".into(),
            Self::NoAccount => "no account at Stripe yet".into(),
            Self::Unfinished => "Stripe still needs to know something".into(),
            Self::OnTheWay => "a payout is on its way".into(),
            Self::Stopped => "the last payout failed; it waits for a new bank account or another try".into(),
            Self::Owes(minor) => format!("{} more was paid than earned; the next sales make it up", money(minor)),
            Self::Holding(until) => format!("a new vendor: held until {}", day(until)),
            Self::NotDue(on) => format!("not before {}", day(on)),
            Self::BelowMinimum(has, least) => format!("{} is less than the minimum of {}", money(has), money(least)),
            Self::NotAvailable(has) => format!("Stripe has only {} available yet", money(has)),
        }
    }
}

/// `26 November 2026`
pub fn day(date: Date) -> String {
    format!("{} {} {}", date.day(), date.month(), date.year())
}

/// Which vendors a run looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Those whose day it is.
    Scheduled,
    /// Everybody, whatever the day: the operator said so.
    Everybody,
}

/// How much a vendor is paid at `now`, or why nothing. The reason that the vendor could mend comes first.
pub fn decide(standing: &Standing, turn: Turn, now: OffsetDateTime) -> Result<i64, Wait> {
    let Standing { settings, balances, .. } = standing;
    let today = now.date();
    let amount = balances.payable_now();
    if balances.available() < 0 {
        return Err(Wait::Owes(-balances.available()));
    }
    if standing.on_the_way {
        return Err(Wait::OnTheWay);
    }
    if balances.available() == 0 && amount == 0 {
        return Err(Wait::Nothing);
    }
    match standing.account {
        AccountState::None => return Err(Wait::NoAccount),
        AccountState::Unfinished => return Err(Wait::Unfinished),
        AccountState::Ready => {}
    }
    if !standing.open {
        return Err(Wait::Closed);
    }
    if standing.stopped {
        return Err(Wait::Stopped);
    }
    let held_until = standing.first_sale.map(|at| at.date() + Duration::days(settings.holding_days.into()));
    if let Some(until) = held_until.filter(|until| *until > today) {
        return Err(Wait::Holding(until));
    }
    if turn == Turn::Scheduled && standing.next_payout_on > today {
        return Err(Wait::NotDue(standing.next_payout_on));
    }
    let least = settings.minimum_minor.max(1);
    if amount < least {
        return Err(Wait::BelowMinimum(amount, settings.minimum_minor));
    }
    match standing.at_stripe {
        Some(there) if there < least => Err(Wait::NotAvailable(there)),
        Some(there) => Ok(amount.min(there)),
        None => Ok(amount),
    }
}

/// How a payout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize, sqlx::Type, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum PayoutState {
    /// Decided; Stripe has not answered yet.
    Booked,
    Sent,
    Paid,
    /// It never arrived.
    Failed,
    /// It had arrived, and the bank sent it back.
    Returned,
}

impl PayoutState {
    /// As it stands in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Sent => "sent",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Returned => "returned",
        }
    }

    /// In a vendor's words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Booked => "being sent",
            Self::Sent => "on its way",
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Returned => "sent back by the bank",
        }
    }
}

/// One payout, as lists show it.
#[derive(Debug, Clone)]
pub struct PayoutRow {
    pub id: PayoutId,
    pub vendor_id: VendorId,
    pub vendor_name: String,
    pub amount_minor: i64,
    pub currency: Currency,
    pub state: PayoutState,
    /// `STRIPE TEST BANK, ending in 6789`
    pub bank: String,
    pub stripe_payout_id: Option<String>,
    pub arrives_on: Option<Date>,
    pub failure_code: Option<String>,
    pub failure: Option<String>,
    pub created_at: OffsetDateTime,
}

impl PayoutRow {
    pub fn amount(&self) -> Money {
        Money::new(self.amount_minor, self.currency)
    }
}

#[cfg(test)]
mod tests;
