//! Stripe's test cards: what each number does, and what is wrong with a number, an expiry or a security code that cannot be one.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::ids;

/// A refusal by the card's bank, with the words Stripe has for it.
#[derive(Debug, PartialEq)]
pub struct Decline {
    pub code: &'static str,
    pub decline_code: Option<&'static str>,
    pub message: &'static str,
    pub param: Option<&'static str>,
    pub network_code: Option<&'static str>,
    pub advice: Option<&'static str>,
}

impl Decline {
    const fn declined(decline_code: &'static str, message: &'static str) -> Self {
        Self {
            code: "card_declined",
            decline_code: Some(decline_code),
            message,
            param: None,
            network_code: Some("01"),
            advice: Some("try_again_later"),
        }
    }

    /// The short word that outcomes carry.
    pub fn reason(&self) -> &'static str {
        self.decline_code.unwrap_or(self.code)
    }

    /// The `last_payment_error` of an intent.
    pub fn problem(&self, charge: &str, method: &Value) -> Value {
        json!({
            "type": "card_error", "code": self.code, "decline_code": self.decline_code, "message": self.message, "param": self.param,
            "charge": charge, "doc_url": format!("https://stripe.com/docs/error-codes/{}", self.code.replace('_', "-")),
            "network_decline_code": self.network_code, "advice_code": self.advice, "payment_method": method,
        })
    }
}

const DECLINES: &[(&str, Decline)] = &[
    ("generic_decline", Decline::declined("generic_decline", "Your card was declined.")),
    ("insufficient_funds", Decline::declined("insufficient_funds", "Your card has insufficient funds.")),
    ("lost_card", Decline::declined("lost_card", "Your card was declined.")),
    ("stolen_card", Decline::declined("stolen_card", "Your card was declined.")),
    (
        "expired_card",
        Decline {
            code: "expired_card",
            decline_code: None,
            message: "Your card has expired.",
            param: Some("exp_month"),
            network_code: Some("54"),
            advice: Some("confirm_card_data"),
        },
    ),
    (
        "incorrect_cvc",
        Decline {
            code: "incorrect_cvc",
            decline_code: None,
            message: "Your card's security code is incorrect.",
            param: Some("cvc"),
            network_code: Some("82"),
            advice: Some("confirm_card_data"),
        },
    ),
    (
        "processing_error",
        Decline {
            code: "processing_error",
            decline_code: None,
            message: "An error occurred while processing your card. Try again in a little bit.",
            param: None,
            network_code: Some("96"),
            advice: Some("try_again_later"),
        },
    ),
    (
        "test_mode_live_card",
        Decline::declined(
            "test_mode_live_card",
            "Your card was declined. Your request was in test mode, but used a non test (live) card. For a list of valid test cards, visit: \
             https://stripe.com/docs/testing.",
        ),
    ),
    (
        "debit_not_authorised",
        Decline {
            code: "payment_method_customer_decline",
            decline_code: None,
            message: "The customer's bank refused the debit.",
            param: None,
            network_code: None,
            advice: None,
        },
    ),
];

/// The refusal of that name; a generic one for a name that is not known.
pub fn decline(name: &str) -> &'static Decline {
    DECLINES.iter().find(|(key, _)| *key == name).map_or(&DECLINES[0].1, |(_, decline)| decline)
}

/// A test card: what the page lists, and what happens when it is used.
pub struct TestCard {
    pub number: &'static str,
    /// `pm_card_…` in the API
    pub method: &'static str,
    pub what: &'static str,
    pub decline: Option<&'static str>,
    pub challenge: bool,
    /// shown in the page's list
    pub listed: bool,
    /// what becomes of a payment that went well
    pub later: Option<Later>,
}

/// What becomes of a payment after it went well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Later {
    /// the money can be spent at once
    AtOnce,
    /// the shopper disputes it as fraudulent, right away
    Fraudulent,
    /// the shopper disputes it as not received, right away
    NotReceived,
    /// a refund of it waits for the bank, and succeeds
    RefundPending,
    /// a refund of it succeeds, and comes back
    RefundFails,
}

const fn test_card(
    number: &'static str,
    method: &'static str,
    what: &'static str,
    decline: Option<&'static str>,
    challenge: bool,
    listed: bool,
) -> TestCard {
    TestCard { number, method, what, decline, challenge, listed, later: None }
}

/// A card that pays, and what comes after.
const fn paying(number: &'static str, method: &'static str, what: &'static str, later: Later) -> TestCard {
    TestCard { number, method, what, decline: None, challenge: false, listed: true, later: Some(later) }
}

/// The numbers of docs.stripe.com/testing that the sandbox knows.
pub const TEST_CARDS: &[TestCard] = &[
    test_card("4242424242424242", "pm_card_visa", "Pays", None, false, true),
    test_card("4000000000000002", "pm_card_chargeDeclined", "Is declined", Some("generic_decline"), false, true),
    test_card(
        "4000000000009995",
        "pm_card_chargeDeclinedInsufficientFunds",
        "Has insufficient funds",
        Some("insufficient_funds"),
        false,
        true,
    ),
    test_card("4000000000000069", "pm_card_chargeDeclinedExpiredCard", "Has expired", Some("expired_card"), false, true),
    test_card(
        "4000000000000127",
        "pm_card_chargeDeclinedIncorrectCvc",
        "Wrong security code",
        Some("incorrect_cvc"),
        false,
        true,
    ),
    test_card("4000002500003155", "pm_card_authenticationRequired", "3-D Secure: asks you to approve", None, true, true),
    test_card("4000002760003184", "pm_card_authenticationRequiredOnSetup", "3-D Secure: asks every time", None, true, true),
    test_card(
        "4000008400001629",
        "pm_card_threeDSecureRequiredChargeDeclined",
        "3-D Secure, then declined",
        Some("generic_decline"),
        true,
        true,
    ),
    paying("4000000000000077", "pm_card_bypassPending", "Pays; the money can be spent at once", Later::AtOnce),
    paying("4000000000000259", "pm_card_createDispute", "Pays, then is disputed as fraudulent", Later::Fraudulent),
    paying(
        "4000000000002685",
        "pm_card_createDisputeProductNotReceived",
        "Pays, then is disputed as not received",
        Later::NotReceived,
    ),
    paying("4000000000007726", "pm_card_pendingRefund", "Pays; a refund takes a day", Later::RefundPending),
    paying("4000000000005126", "pm_card_refundFail", "Pays; a refund comes back after a day", Later::RefundFails),
    test_card("4000000000003220", "pm_card_threeDSecure2Required", "3-D Secure 2", None, true, false),
    test_card(
        "4000000000000119",
        "pm_card_chargeDeclinedProcessingError",
        "Processing error",
        Some("processing_error"),
        false,
        false,
    ),
    test_card("4000000000009987", "pm_card_chargeDeclinedLostCard", "Lost card", Some("lost_card"), false, false),
    test_card("4000000000009979", "pm_card_chargeDeclinedStolenCard", "Stolen card", Some("stolen_card"), false, false),
    test_card("4000056655665556", "pm_card_visa_debit", "Pays (debit)", None, false, false),
    test_card("4000008260000000", "pm_card_gb", "Pays (United Kingdom)", None, false, false),
    test_card("5555555555554444", "pm_card_mastercard", "Pays (Mastercard)", None, false, false),
    test_card("2223003122003222", "pm_card_mastercard_2", "Pays (Mastercard, 2 series)", None, false, false),
    test_card("5200828282828210", "pm_card_mastercard_debit", "Pays (Mastercard debit)", None, false, false),
    test_card("378282246310005", "pm_card_amex", "Pays (American Express)", None, false, false),
    test_card("6011111111111117", "pm_card_discover", "Pays (Discover)", None, false, false),
];

/// A card somebody pays with. The number itself is never kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Card {
    pub brand: String,
    pub last4: String,
    pub funding: String,
    pub country: String,
    pub exp_month: i64,
    pub exp_year: i64,
    pub fingerprint: String,
    /// the name of the refusal that follows, if one does
    pub decline: Option<String>,
    pub challenge: bool,
    #[serde(default)]
    pub later: Option<Later>,
}

impl Card {
    /// The card with this (valid) number. A number that is not a test card is declined, as in Stripe's test mode.
    pub fn new(number: &str, exp_month: i64, exp_year: i64) -> Self {
        let known = TEST_CARDS.iter().find(|card| card.number == number);
        let (decline, challenge) = known.map_or((Some("test_mode_live_card"), false), |card| (card.decline, card.challenge));
        let debit = known.is_some_and(|card| card.method.ends_with("_debit"));
        Self {
            brand: brand(number).to_owned(),
            last4: number.get(number.len().saturating_sub(4)..).unwrap_or_default().to_owned(),
            funding: if debit { "debit" } else { "credit" }.to_owned(),
            country: if known.is_some_and(|card| card.method == "pm_card_gb") { "GB" } else { "US" }.to_owned(),
            exp_month,
            exp_year,
            fingerprint: ids::fingerprint(),
            decline: decline.map(str::to_owned),
            challenge,
            later: known.and_then(|card| card.later),
        }
    }

    /// The card behind `pm_card_visa` and its like, also with `visa_` in the middle.
    pub fn of_method(method: &str) -> Option<Self> {
        let plain = method.replacen("pm_card_visa_", "pm_card_", 1);
        let card = TEST_CARDS.iter().find(|card| card.method == method || card.method == plain)?;
        Some(Self::new(card.number, 12, i64::from(OffsetDateTime::now_utc().year()) + 1))
    }

    pub fn refusal(&self) -> Option<&'static Decline> {
        self.decline.as_deref().map(decline)
    }

    pub fn cvc_check(&self) -> &'static str {
        if self.decline.as_deref() == Some("incorrect_cvc") { "fail" } else { "pass" }
    }
}

fn brand(number: &str) -> &'static str {
    let lead: u32 = number.get(..4).and_then(|n| n.parse().ok()).unwrap_or(0);
    match lead {
        4000..=4999 => "visa",
        5100..=5599 | 2221..=2720 => "mastercard",
        3400..=3499 | 3700..=3799 => "amex",
        6011 | 6500..=6599 => "discover",
        _ => "unknown",
    }
}

/// What the form holds for a card, as typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    pub email: String,
    pub number: String,
    pub expiry: String,
    pub cvc: String,
    pub name: String,
}

/// A message for each field that is wrong: `(field, message)`, in the words of Stripe's page.
pub type Problems = Vec<(&'static str, &'static str)>;

impl Typed {
    /// The card and nothing else, or what is wrong with each field. `email` is asked for only where the shop did not give it.
    pub fn check(&self, email_wanted: bool, today: OffsetDateTime) -> Result<Card, Problems> {
        let mut problems = Problems::new();
        if email_wanted && self.email.trim().is_empty() {
            problems.push(("email", "Your email is required."));
        } else if email_wanted && !plausible_email(self.email.trim()) {
            problems.push(("email", "Your email is invalid."));
        }
        let number: String = self.number.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let length = if brand(&number) == "amex" { 15 } else { 16 };
        if number.is_empty() {
            problems.push(("number", "Your card number is required."));
        } else if !number.bytes().all(|b| b.is_ascii_digit()) || number.len() > 19 {
            problems.push(("number", "Your card number is invalid."));
        } else if number.len() < length {
            problems.push(("number", "Your card number is incomplete."));
        } else if !luhn(&number) {
            problems.push(("number", "Your card number is invalid."));
        }
        let expiry = match expiry(&self.expiry) {
            None if self.expiry.trim().is_empty() => Err("Your card's expiration date is required."),
            None => Err("Your card's expiration date is incomplete."),
            Some((month, _)) if !(1..=12).contains(&month) => Err("Your card's expiration date is invalid."),
            Some((month, year)) => {
                let (this_year, this_month) = (i64::from(today.year()), i64::from(u8::from(today.month())));
                if year < this_year {
                    Err("Your card's expiration year is in the past.")
                } else if year == this_year && month < this_month {
                    Err("Your card's expiration date is in the past.")
                } else if year > this_year + 50 {
                    Err("Your card's expiration year is invalid.")
                } else {
                    Ok((month, year))
                }
            }
        };
        if let Err(message) = expiry {
            problems.push(("expiry", message));
        }
        let code = self.cvc.trim();
        let digits = if brand(&number) == "amex" { 4 } else { 3 };
        if code.is_empty() {
            problems.push(("cvc", "Your card's security code is required."));
        } else if !code.bytes().all(|b| b.is_ascii_digit()) || code.len() > 4 {
            problems.push(("cvc", "Your card's security code is invalid."));
        } else if code.len() < digits {
            problems.push(("cvc", "Your card's security code is incomplete."));
        }
        if self.name.trim().is_empty() {
            problems.push(("name", "The name on the card is required."));
        } else if self.name.chars().count() > 120 {
            problems.push(("name", "The name on the card is too long."));
        }
        match expiry {
            Ok((month, year)) if problems.is_empty() => Ok(Card::new(&number, month, year)),
            _ => Err(problems),
        }
    }
}

fn plausible_email(text: &str) -> bool {
    text.len() <= 254
        && !text.contains(char::is_whitespace)
        && text
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.'))
}

/// `12/34`, `1234`, `12 / 2034`, `2034-12`: month and full year.
fn expiry(text: &str) -> Option<(i64, i64)> {
    let parts: Vec<&str> = text.split(['/', '-', ' ']).map(str::trim).filter(|p| !p.is_empty()).collect();
    let (month, year) = match parts.as_slice() {
        [year, month] if year.len() == 4 => (*month, *year),
        [month, year] => (*month, *year),
        [both] if both.len() == 4 && both.is_ascii() => both.split_at(2),
        _ => return None,
    };
    if !(1..=2).contains(&month.len()) || !matches!(year.len(), 2 | 4) {
        return None;
    }
    let number: i64 = year.parse().ok()?;
    Some((month.parse().ok()?, if year.len() == 2 { 2000 + number } else { number }))
}

/// The check digit that every card number carries.
fn luhn(number: &str) -> bool {
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, b)| {
            let digit = u32::from(b.wrapping_sub(b'0'));
            match (place % 2, digit) {
                (0, d) => d,
                (_, d) if d > 4 => d * 2 - 9,
                (_, d) => d * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn typed(number: &str, expiry: &str, cvc: &str) -> Typed {
        Typed {
            email: "ada@example.com".into(),
            number: number.into(),
            expiry: expiry.into(),
            cvc: cvc.into(),
            name: "Ada Lovelace".into(),
        }
    }
    fn fields(typed: &Typed) -> Vec<&'static str> {
        typed.check(true, datetime!(2026-11-22 12:00 UTC)).err().unwrap_or_default().into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn every_test_card_has_a_valid_number() {
        for card in TEST_CARDS {
            assert!(luhn(card.number), "{}", card.number);
            let code = if card.number.len() == 15 { "1234" } else { "123" };
            assert_eq!(fields(&typed(card.number, "12/34", code)), Vec::<&str>::new(), "{}", card.number);
        }
    }

    #[test]
    fn mistakes_are_said_at_their_field() {
        assert_eq!(fields(&typed("4242 4242 4242 4241", "12/34", "123")), ["number"]);
        assert_eq!(fields(&typed("4242 4242", "12/34", "123")), ["number"]);
        assert_eq!(fields(&typed("4242424242424242", "10/26", "123")), ["expiry"]);
        assert_eq!(fields(&typed("4242424242424242", "13/34", "123")), ["expiry"]);
        assert_eq!(fields(&typed("4242424242424242", "12/34", "12")), ["cvc"]);
        assert_eq!(fields(&Typed::default()), ["email", "number", "expiry", "cvc", "name"]);
    }

    #[test]
    fn this_month_is_not_in_the_past() {
        for text in ["11/26", "11 / 26", "1126", "11/2026", "2026-11", "11 26"] {
            assert_eq!(fields(&typed("4242424242424242", text, "123")), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn methods_of_the_api_find_their_card() {
        let declines = |method: &str| Card::of_method(method).map(|card| card.decline);
        assert_eq!(declines("pm_card_visa"), Some(None));
        assert_eq!(declines("pm_card_visa_chargeDeclined"), Some(Some("generic_decline".to_owned())));
        assert_eq!(declines("pm_card_nothing"), None);
    }
}
