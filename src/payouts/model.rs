//! The rules of paying vendors, pure: where their money should be, on which days it goes to their banks, and what keeps it back; and the
//! read models of pages and documents.

use crate::{
    ids::{OrderId, PayoutId, VendorId},
    money::{Currency, Money},
};
use serde::Serialize;
use std::{fmt, str::FromStr};
use time::{Date, Duration, Month, OffsetDateTime, Weekday, util::days_in_month};

/// A vendor's accounts in the books, in minor units. Owed to the vendor is above zero here, and so is what Stripe holds for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
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

/// On which days a vendor is paid; days are in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    Daily,
    Weekly(Weekday),
    /// 1 to 31; a month that is shorter pays on its last day.
    Monthly(u8),
}

impl Schedule {
    /// As it stands in the database: name, weekday, day of the month.
    pub fn parts(self) -> (&'static str, Option<i32>, Option<i32>) {
        match self {
            Self::Daily => ("daily", None, None),
            Self::Weekly(day) => ("weekly", Some(day.number_from_monday().into()), None),
            Self::Monthly(day) => ("monthly", None, Some(day.into())),
        }
    }

    pub fn from_parts(name: &str, weekday: Option<i32>, month_day: Option<i32>) -> Option<Self> {
        match (name, weekday, month_day) {
            ("daily", ..) => Some(Self::Daily),
            ("weekly", Some(day), _) => {
                let days = u8::try_from(day).ok().filter(|d| (1..=7).contains(d))? - 1;
                Some(Self::Weekly(Weekday::Monday.nth_next(days)))
            }
            ("monthly", _, Some(day)) => u8::try_from(day).ok().filter(|d| (1..=31).contains(d)).map(Self::Monthly),
            _ => None,
        }
    }

    /// The first day of payment at or after this one.
    pub fn on_or_after(self, day: Date) -> Date {
        (0..=62).map(|n| day + Duration::days(n)).find(|d| self.is(*d)).unwrap_or(day)
    }

    /// The first day of payment after this one.
    pub fn after(self, day: Date) -> Date {
        self.on_or_after(day + Duration::DAY)
    }

    fn is(self, day: Date) -> bool {
        match self {
            Self::Daily => true,
            Self::Weekly(weekday) => day.weekday() == weekday,
            Self::Monthly(wanted) => day.day() == wanted.min(days_in_month(day.month(), day.year())),
        }
    }
}

/// `every day`, `every Monday`, `on the 15th of the month`
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daily => write!(f, "every day"),
            Self::Weekly(day) => write!(f, "every {day}"),
            Self::Monthly(29..) => write!(f, "on the last days of the month"),
            Self::Monthly(day) => write!(f, "on day {day} of the month"),
        }
    }
}

/// The text is none of `daily`, `weekly-monday`, `monthly-15`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a schedule: daily, weekly-monday ... weekly-sunday, monthly-1 ... monthly-31")]
pub struct BadSchedule;

impl FromStr for Schedule {
    type Err = BadSchedule;
    fn from_str(text: &str) -> Result<Self, BadSchedule> {
        match text.split_once('-') {
            None if text == "daily" => Ok(Self::Daily),
            Some(("weekly", day)) => (0..7)
                .map(|n| Weekday::Monday.nth_next(n))
                .find(|w| w.to_string().eq_ignore_ascii_case(day))
                .map(Self::Weekly)
                .ok_or(BadSchedule),
            Some(("monthly", day)) => day.parse().ok().filter(|d| (1..=31).contains(d)).map(Self::Monthly).ok_or(BadSchedule),
            _ => Err(BadSchedule),
        }
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

/// Why a bank did not take a payout, in words that say what to do; Stripe's own where we have none.
pub fn failure_words(code: &str, message: &str) -> String {
    match code {
        "account_closed" => "The bank account has been closed. Give another one.".into(),
        "account_frozen" => "The bank account is frozen. Ask your bank, or give another one.".into(),
        "bank_account_restricted" => {
            "The bank account does not take this kind of payment. Ask your bank, or give another one.".into()
        }
        "bank_ownership_changed" => "The bank account now belongs to somebody else. Give another one.".into(),
        "could_not_process" => "The bank could not process it. Try again, or give another account.".into(),
        "debit_not_authorized" => "The bank does not allow debits from the account. Ask your bank.".into(),
        "declined" => "The bank declined it. Ask your bank why, then try again.".into(),
        "incorrect_account_holder_name" => "The name of the account's holder is not right. Correct it.".into(),
        "incorrect_account_holder_tax_id" => "The tax number of the account's holder is not right. Correct it.".into(),
        "invalid_account_number" | "invalid_account_number_length" => "The account number is not right. Correct it.".into(),
        "invalid_currency" => "The bank account does not take this currency. Give another one.".into(),
        "no_account" => "The bank does not know the account. Check its number and the holder's name.".into(),
        "unsupported_card" => "The card does not take payouts. Give a bank account.".into(),
        _ if message.trim().is_empty() => "The bank gave no reason. Try again, or give another account.".into(),
        _ => message.trim().to_owned(),
    }
}

/// What Stripe wants to know, in words, each once: `individual.dob.day` is the date of birth.
pub fn requirement_words(due: &[String]) -> Vec<String> {
    let mut words = Vec::new();
    for code in due {
        let (who, what) = match code.split_once('.') {
            Some(("individual" | "representative" | "relationship", rest)) => ("", rest),
            Some(("company", rest)) => ("company", rest),
            Some((person, rest)) if person.starts_with("person_") => ("", rest),
            _ => ("", code.as_str()),
        };
        let text = match (who, what) {
            (_, what) if what.starts_with("external_account") => "The bank account that you want to be paid to",
            (_, what) if what.starts_with("tos_acceptance") => "That you agree to Stripe's terms",
            (_, what) if what.starts_with("business_profile.url") || what.starts_with("business_profile.product_description") => {
                "Where you sell, or what"
            }
            (_, what) if what.starts_with("business_profile.mcc") => "Which trade you are in",
            (_, what) if what.starts_with("business_profile") => "About your business",
            (_, "business_type") => "Whether you trade alone or as a company",
            ("company", what) if what.starts_with("address") => "The address of the company",
            ("company", "name") => "The name of the company",
            ("company", what) if what.starts_with("tax_id") => "The company's registration or tax number",
            ("company", "phone") => "The company's telephone number",
            ("company", what) if what.starts_with("verification") => "A document that proves the company",
            (_, what) if what.starts_with("dob") => "Your date of birth",
            (_, "first_name" | "last_name") => "Your name",
            (_, what) if what.starts_with("address") => "Your address",
            (_, "email") => "Your e-mail address",
            (_, "phone") => "Your telephone number",
            (_, "id_number" | "ssn_last_4") => "Your identity or tax number",
            (_, what) if what.starts_with("verification") => "A picture of your passport or identity card",
            (_, what) if what.starts_with("owners") => "Who owns the company",
            (_, what) if what.starts_with("directors") => "Who directs the company",
            _ => "",
        };
        let text =
            if text.is_empty() { format!("Stripe calls it “{}”", code.replace(['_', '.'], " ")) } else { text.to_owned() };
        if !words.contains(&text) {
            words.push(text);
        }
    }
    words
}

/// Why Stripe has closed an account for payouts, in words.
pub fn disabled_words(reason: &str) -> &'static str {
    match reason {
        "requirements.past_due" | "action_required.requested_capabilities" => "Stripe waits for what is listed here.",
        "requirements.pending_verification" | "under_review" => "Stripe is checking what you gave. That takes a day or two.",
        "rejected.fraud"
        | "rejected.terms_of_service"
        | "rejected.listed"
        | "rejected.other"
        | "rejected.incomplete_verification" => "Stripe does not offer you an account. Please write to us.",
        "listed" => "Stripe is checking whether you may have an account.",
        "platform_paused" => "We have paused your payouts. Please write to us.",
        _ => "Stripe has not opened the account yet.",
    }
}

/// A calendar month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    year: i32,
    month: u8,
}

impl Period {
    pub fn of(day: Date) -> Self {
        Self { year: day.year(), month: day.month().into() }
    }

    /// Its first moment.
    pub fn start(self) -> OffsetDateTime {
        let month = Month::try_from(self.month).unwrap_or(Month::January);
        Date::from_calendar_date(self.year, month, 1).unwrap_or(Date::MIN).midnight().assume_utc()
    }

    /// The first moment that is not in it any more.
    pub fn end(self) -> OffsetDateTime {
        self.next().start()
    }

    pub fn next(self) -> Self {
        if self.month == 12 { Self { year: self.year + 1, month: 1 } } else { Self { month: self.month + 1, ..self } }
    }

    pub fn previous(self) -> Self {
        if self.month == 1 { Self { year: self.year - 1, month: 12 } } else { Self { month: self.month - 1, ..self } }
    }

    /// `November 2026`
    pub fn words(self) -> String {
        let start = self.start();
        format!("{} {}", start.month(), start.year())
    }
}

/// `2026-11`
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// The text is no month such as `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a month: write 2026-11")]
pub struct BadPeriod;

impl FromStr for Period {
    type Err = BadPeriod;
    fn from_str(text: &str) -> Result<Self, BadPeriod> {
        let (year, month) = text.split_once('-').filter(|(y, m)| y.len() == 4 && m.len() == 2).ok_or(BadPeriod)?;
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit()).then(|| t.parse().ok()).flatten().ok_or(BadPeriod);
        let (year, month): (i32, i32) = (digits(year)?, digits(month)?);
        match u8::try_from(month) {
            Ok(month @ 1..=12) if (2000..=2999).contains(&year) => Ok(Self { year, month }),
            _ => Err(BadPeriod),
        }
    }
}

/// What a line of a statement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Movement {
    Sale,
    /// What the market keeps of a sale, with the VAT on it.
    Fee,
    Refund,
    /// What of the fee comes back with a refund.
    FeeReturned,
    Dispute,
    Released,
    Transfer,
    TransferBack,
    Payout,
    Correction,
}

impl Movement {
    pub fn words(self) -> &'static str {
        match self {
            Self::Sale => "Sale",
            Self::Fee => "Fee, with VAT",
            Self::Refund => "Refund",
            Self::FeeReturned => "Fee returned",
            Self::Dispute => "Dispute",
            Self::Released => "Released for payout",
            Self::Transfer => "To your Stripe account",
            Self::TransferBack => "Back from your Stripe account",
            Self::Payout => "Payout",
            Self::Correction => "Correction",
        }
    }
}

/// One movement of a statement.
#[derive(Debug, Clone, Serialize)]
pub struct StatementLine {
    pub at: OffsetDateTime,
    pub movement: Movement,
    /// Which step of it, or why: `paid`, `returned`, the words of a correction.
    pub note: String,
    pub order: Option<(OrderId, i64)>,
    /// What it changes the balance by.
    pub amount_minor: i64,
    /// What moved without changing the balance: a release, a transfer.
    pub moved_minor: i64,
    /// After this line.
    pub balance_minor: i64,
}

/// What was owed to a vendor at the beginning of a time, every movement, and what is owed at its end. `opening + Σ amounts = closing`.
#[derive(Debug, Clone, Serialize)]
pub struct Statement {
    pub vendor: VendorId,
    pub vendor_name: String,
    pub currency: Currency,
    pub from: OffsetDateTime,
    /// Not in it any more.
    pub until: OffsetDateTime,
    pub opening_minor: i64,
    pub lines: Vec<StatementLine>,
    pub closing_minor: i64,
}

impl Statement {
    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// The sum of all lines of a kind.
    pub fn sum(&self, movement: Movement) -> i64 {
        self.lines.iter().filter(|l| l.movement == movement).map(|l| l.amount_minor).sum()
    }
}

#[cfg(test)]
mod tests;
