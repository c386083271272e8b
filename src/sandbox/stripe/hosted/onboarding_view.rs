//! The markup of the onboarding page and of the dashboard of connected accounts.

use std::fmt::Write as _;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use super::onboarding::Typed;
use super::view::{STYLE, field};
use crate::sandbox::stripe::banks::TEST_BANKS;
use crate::sandbox::stripe::cards::Problems;
use crate::sandbox::stripe::html::{day, escape, page};
use crate::sandbox::stripe::money;
use crate::sandbox::stripe::store::Stored;

const NOTE: &str = "<header class=\"sandbox-note\"><strong>Sandbox.</strong> This is a stand-in for Stripe’s pages for sellers. Nobody is paid, and you \
                    should not enter your real details.</header>";

/// The account, what was typed so far, and what was wrong with it.
pub struct Shown<'a> {
    pub account: &'a Stored,
    pub typed: &'a Typed,
    pub problems: &'a Problems,
    /// the way back to the shop without saying anything
    pub back: Option<&'a str>,
}

/// The form that an account link leads to.
pub fn setup(status: StatusCode, shown: &Shown<'_>) -> Response {
    let title = if shown.problems.is_empty() { "Get paid by Souk" } else { "Not saved yet: get paid by Souk" };
    let back =
        shown.back.map(|url| format!("<p><a href=\"{}\">Return to Souk without saving</a></p>", escape(url))).unwrap_or_default();
    let body = format!(
        "{NOTE}\n<main class=\"pay\">\n<section aria-labelledby=\"what\">\n<h1 id=\"what\">Get paid by Souk</h1>\n\
         <p>Souk pays its sellers through Stripe. Stripe asks who you are and which bank account the money goes to.</p>\n{back}\n{}\n</section>\n\
         <section aria-labelledby=\"how\">\n{}\n</section>\n</main>",
        test_banks(shown.account.text("country")),
        form(shown, "Agree and submit", true)
    );
    page(status, title, STYLE, &body)
}

fn form(shown: &Shown<'_>, submit: &str, later: bool) -> String {
    let Shown { account, typed, problems, .. } = shown;
    let alert = if problems.is_empty() {
        String::new()
    } else {
        "<p class=\"alert\" role=\"alert\">Some of it needs another look; nothing was saved.</p>".to_owned()
    };
    let kind = |value: &str, label: &str| {
        let checked = if (typed.business_type == "company") == (value == "company") { " checked" } else { "" };
        format!("<label class=\"check\"><input type=\"radio\" name=\"business_type\" value=\"{value}\"{checked}> {label}</label>")
    };
    let text = |name, label, value: &str, attributes| field(problems, name, label, value, attributes);
    let bank = match account.text("country") {
        "GB" => format!(
            "<div class=\"pair\">{}{}</div>",
            text(
                "routing_number",
                "Sort code",
                &typed.routing_number,
                "inputmode=\"numeric\" placeholder=\"10-88-00\" autocomplete=\"off\""
            ),
            text("account_number", "Account number", &typed.account_number, "inputmode=\"numeric\" autocomplete=\"off\"")
        ),
        "US" => format!(
            "<div class=\"pair\">{}{}</div>",
            text("routing_number", "Routing number", &typed.routing_number, "inputmode=\"numeric\" autocomplete=\"off\""),
            text("account_number", "Account number", &typed.account_number, "inputmode=\"numeric\" autocomplete=\"off\"")
        ),
        _ => text("account_number", "IBAN", &typed.account_number, "autocomplete=\"off\""),
    };
    let current = account.doc["external_accounts"]["data"][0]["last4"]
        .as_str()
        .map(|last4| {
            format!(
                "<p class=\"small soft\">Payouts go to the account ending in <span class=\"code\">{}</span>. Leave the fields empty to keep it.</p>",
                escape(last4)
            )
        })
        .unwrap_or_default();
    let later = if later {
        "<button class=\"wide quiet\" name=\"button\" value=\"later\">Submit, and leave what is empty for later</button>"
    } else {
        ""
    };
    format!(
        "<form class=\"card\" method=\"post\" novalidate>\n<h2 id=\"how\">Your details</h2>\n{alert}\n\
         <fieldset><legend class=\"label\">You sell as</legend>{}{}</fieldset>\n{}\n{}\n<div class=\"pair\">{}{}</div>\n{}\n<h2>Bank account</h2>\n\
         {current}{bank}\n<p class=\"small soft\">By submitting you agree to the terms of a Stripe that does not exist.</p>\n\
         <div class=\"stack\"><button class=\"wide\" name=\"button\" value=\"done\">{submit}</button>\n{later}</div>\n</form>",
        kind("individual", "A person"),
        kind("company", "A company"),
        text("name", "Full name, or the company’s", &typed.name, "autocomplete=\"name\""),
        text("line1", "Street and number", &typed.line1, "autocomplete=\"address-line1\""),
        text("city", "Town or city", &typed.city, "autocomplete=\"address-level2\""),
        text("postal_code", "Postcode", &typed.postal_code, "autocomplete=\"postal-code\""),
        text("tax_number", "Tax number", &typed.tax_number, "autocomplete=\"off\""),
    )
}

fn test_banks(country: &str) -> String {
    let routing = match country {
        "GB" => "108800",
        "US" => "110000000",
        _ => "",
    };
    let mut rows = String::new();
    for bank in TEST_BANKS.iter().filter(|bank| bank.routing == routing) {
        let number =
            if routing.is_empty() { format!("{country}89{}", bank.number) } else { format!("{routing} {}", bank.number) };
        // a write to a String cannot fail
        let _ = write!(rows, "<tr><td class=\"code\">{}</td><td>{}</td></tr>", escape(&number), bank.what);
    }
    format!(
        "<div class=\"card scroll\">\n<table>\n<caption>Test bank accounts; any name, address and tax number will do</caption>\n\
         <thead><tr><th scope=\"col\">Number</th><th scope=\"col\">What it does</th></tr></thead>\n<tbody>{rows}</tbody>\n</table>\n</div>"
    )
}

/// The dashboard of an account.
pub fn dashboard(status: StatusCode, shown: &Shown<'_>, funds: &Value, payouts: &[Value]) -> Response {
    let account = shown.account;
    let due = account.doc["requirements"]["currently_due"].as_array().map_or(0, Vec::len);
    let state = match (account.doc["payouts_enabled"] == true, due) {
        (true, _) => "<p>Stripe can pay you out.</p>".to_owned(),
        (false, due) => {
            format!("<p class=\"alert\">Stripe cannot pay you out yet: {due} details are missing. Give them below.</p>")
        }
    };
    let amounts = |which: &str| -> String {
        let all = funds[which].as_array().into_iter().flatten();
        let texts = all
            .map(|one| money::display(one["amount"].as_i64().unwrap_or_default(), one["currency"].as_str().unwrap_or_default()));
        texts.collect::<Vec<_>>().join(", ")
    };
    let mut rows = String::new();
    for payout in payouts {
        let amount =
            money::display(payout["amount"].as_i64().unwrap_or_default(), payout["currency"].as_str().unwrap_or_default());
        // a write to a String cannot fail
        let _ = write!(
            rows,
            "<tr><td>{}</td><td>{amount}</td><td>{}</td><td>{}</td></tr>",
            day(payout["arrival_date"].as_i64().unwrap_or_default()),
            escape(payout["status"].as_str().unwrap_or_default()),
            escape(payout["failure_message"].as_str().unwrap_or_default())
        );
    }
    let none = if payouts.is_empty() { "<tr><td colspan=\"4\">No payout yet.</td></tr>" } else { "" };
    let body = format!(
        "{NOTE}\n<main class=\"pay\">\n<section aria-labelledby=\"what\">\n<h1 id=\"what\">Your money at Stripe</h1>\n\
         <p class=\"amount\">{}</p>\n<p class=\"soft\">{} more is on its way to your balance.</p>\n{state}\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Payouts to your bank\"><table>\n\
         <caption>Payouts to your bank</caption>\n<thead><tr><th scope=\"col\">Arrives</th><th scope=\"col\">Amount</th><th scope=\"col\">Status</th>\
         <th scope=\"col\">Problem</th></tr></thead>\n<tbody>{rows}{none}</tbody>\n</table></div>\n{}\n</section>\n\
         <section aria-labelledby=\"how\">\n{}\n</section>\n</main>",
        amounts("available"),
        amounts("pending"),
        test_banks(account.text("country")),
        form(shown, "Save", false)
    );
    page(status, "Your money at Stripe", STYLE, &body)
}
