//! Stripe's test bank accounts: what each number does when a payout goes there. No real account is taken, as in Stripe's test mode.

use super::ids;

/// Why a payout does not arrive, by Stripe's code.
const FAILURES: &[(&str, &str)] = &[
    (
        "no_account",
        "Your bank account details on file are probably incorrect. No bank account could be located with those details.",
    ),
    ("account_closed", "The bank account has been closed."),
    ("insufficient_funds", "Your Stripe account has insufficient funds to cover the payout."),
    (
        "debit_not_authorized",
        "Debit transactions are not approved on your bank account. Stripe requires bank accounts to be set up for both credit and debit payouts.",
    ),
    (
        "invalid_currency",
        "The bank was unable to process this payout because of its currency. This is probably because the bank account cannot accept payments in \
         that currency.",
    ),
    ("could_not_process", "The bank could not process this payout."),
];

/// The code and the words for it; of a code that is not known, that the bank could not process it.
pub fn failure(code: &str) -> (&'static str, &'static str) {
    FAILURES.iter().find(|(known, _)| *known == code).or(FAILURES.last()).copied().unwrap_or_default()
}

/// A test number of a bank account.
pub struct TestBank {
    /// sort code (United Kingdom), routing number (United States); an IBAN has none
    pub routing: &'static str,
    /// of an IBAN: what follows country and check digits
    pub number: &'static str,
    pub what: &'static str,
    pub failure: Option<&'static str>,
}

const fn test_bank(routing: &'static str, number: &'static str, what: &'static str, failure: Option<&'static str>) -> TestBank {
    TestBank { routing, number, what, failure }
}

/// The numbers of docs.stripe.com/connect/testing that the sandbox knows.
pub const TEST_BANKS: &[TestBank] = &[
    test_bank("108800", "00012345", "Payouts arrive", None),
    test_bank("108800", "11111116", "Payouts fail: no such account", Some("no_account")),
    test_bank("108800", "11111113", "Payouts fail: the account is closed", Some("account_closed")),
    test_bank("108800", "22222227", "Payouts fail: insufficient funds", Some("insufficient_funds")),
    test_bank("108800", "33333335", "Payouts fail: debit not authorised", Some("debit_not_authorized")),
    test_bank("108800", "44444440", "Payouts fail: wrong currency", Some("invalid_currency")),
    test_bank("", "370400440532013000", "Payouts arrive", None),
    test_bank("", "370400440532013001", "Payouts fail: no such account", Some("no_account")),
    test_bank("", "370400440532013002", "Payouts fail: the account is closed", Some("account_closed")),
    test_bank("", "370400440532013003", "Payouts fail: insufficient funds", Some("insufficient_funds")),
    test_bank("", "370400440532013004", "Payouts fail: debit not authorised", Some("debit_not_authorized")),
    test_bank("", "370400440532013005", "Payouts fail: wrong currency", Some("invalid_currency")),
    test_bank("110000000", "000123456789", "Payouts arrive", None),
    test_bank("110000000", "000111111116", "Payouts fail: no such account", Some("no_account")),
    test_bank("110000000", "000111111113", "Payouts fail: the account is closed", Some("account_closed")),
    test_bank("110000000", "000222222227", "Payouts fail: insufficient funds", Some("insufficient_funds")),
    test_bank("110000000", "000333333335", "Payouts fail: debit not authorised", Some("debit_not_authorized")),
    test_bank("110000000", "000444444440", "Payouts fail: wrong currency", Some("invalid_currency")),
];

/// A bank account somebody wants payouts to go to. The number itself is never kept.
#[derive(Debug, Clone)]
pub struct Bank {
    pub country: String,
    pub currency: String,
    pub holder: Option<String>,
    pub holder_type: Option<String>,
    /// shown as Stripe shows it: `10-88-00`
    pub routing: Option<String>,
    pub last4: String,
    pub fingerprint: String,
    /// the code that payouts fail with, if they do
    pub failure: Option<&'static str>,
}

/// What is wrong with a bank account: the field, and the message for it.
pub type Wrong = (&'static str, &'static str);

impl Bank {
    /// The account with this number, or what is wrong with it. Spaces and dashes do not count.
    pub fn new(country: &str, currency: &str, routing: &str, number: &str) -> Result<Self, Wrong> {
        let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().to_uppercase();
        let (routing, number) = (plain(routing), plain(number));
        if number.is_empty() {
            return Err(("account_number", "The account number is required."));
        }
        let sorted = matches!(country, "GB" | "US");
        if sorted && routing.is_empty() {
            return Err(("routing_number", "The sort code or routing number is required."));
        }
        let wanted = if sorted { number.as_str() } else { number.get(4..).unwrap_or_default() };
        let digits = if country == "GB" { 6 } else { 9 };
        if sorted && (routing.len() != digits || !routing.bytes().all(|b| b.is_ascii_digit())) {
            return Err(("routing_number", "The sort code or routing number is invalid."));
        }
        let known =
            TEST_BANKS.iter().find(|bank| bank.number == wanted && bank.routing == if sorted { routing.as_str() } else { "" });
        let Some(known) = known else {
            return Err((
                "account_number",
                "You must use a test bank account number. See https://docs.stripe.com/connect/testing#account-numbers.",
            ));
        };
        let shown = match country {
            "GB" => Some(format!("{}-{}-{}", &routing[..2], &routing[2..4], &routing[4..])),
            "US" => Some(routing.clone()),
            _ => None,
        };
        Ok(Self {
            country: country.to_owned(),
            currency: currency.to_owned(),
            holder: None,
            holder_type: None,
            routing: shown,
            last4: number.get(number.len().saturating_sub(4)..).unwrap_or_default().to_owned(),
            fingerprint: ids::fingerprint(),
            failure: known.failure,
        })
    }
}

/// The currency that an account in a country has to begin with.
pub fn currency_of(country: &str) -> &'static str {
    match country {
        "GB" => "gbp",
        "US" => "usd",
        "CH" => "chf",
        "CZ" => "czk",
        "DK" => "dkk",
        "HU" => "huf",
        "NO" => "nok",
        "PL" => "pln",
        "RO" => "ron",
        "SE" => "sek",
        _ => "eur",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_says_how_payouts_end() {
        let failure =
            |country: &str, routing: &str, number: &str| Bank::new(country, "gbp", routing, number).map(|bank| bank.failure);
        assert_eq!(failure("GB", "10-88-00", "0001 2345"), Ok(None));
        assert_eq!(failure("GB", "108800", "11111116"), Ok(Some("no_account")));
        assert_eq!(failure("DE", "", "DE89 3704 0044 0532 0130 02"), Ok(Some("account_closed")));
        assert_eq!(failure("GB", "108800", "12345678").map_err(|(field, _)| field), Err("account_number"));
        assert_eq!(failure("GB", "1088", "00012345").map_err(|(field, _)| field), Err("routing_number"));
        assert_eq!(failure("FR", "", "é").map_err(|(field, _)| field), Err("account_number"));
    }
}
