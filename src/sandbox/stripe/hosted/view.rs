//! The markup of the hosted pages.

use std::fmt::Write as _;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use crate::sandbox::stripe::cards::{Problems, TEST_CARDS, Typed};
use crate::sandbox::stripe::html::{escape, moment, page};
use crate::sandbox::stripe::money;
use crate::sandbox::stripe::store::Stored;

pub const STYLE: &str = "/_sandbox/style.css";
const NOTE: &str = "<header class=\"sandbox-note\"><strong>Sandbox.</strong> This is a stand-in for Stripe’s payment page. No real card is charged, \
                    and you should not enter one.</header>";

/// What the card page shows: the session, what was typed so far, and what was wrong with it.
pub struct Shown<'a> {
    pub session: &'a Stored,
    pub typed: &'a Typed,
    pub problems: &'a Problems,
    /// `last_payment_error`
    pub refusal: Option<&'a Value>,
}

/// The card form beside what it pays for.
pub fn pay(status: StatusCode, shown: &Shown<'_>) -> Response {
    let session = shown.session;
    let amount = money::display(session.amount("amount_total"), session.text("currency"));
    let title = if shown.problems.is_empty() && shown.refusal.is_none() {
        format!("Pay {amount}")
    } else {
        format!("Not paid yet: {amount}")
    };
    let body = format!(
        "{NOTE}\n<main class=\"pay\">\n<section aria-labelledby=\"what\">\n{}\n</section>\n<section aria-labelledby=\"how\">\n{}\n</section>\n</main>",
        summary(session, &amount),
        form(shown, &amount)
    );
    page(status, &title, STYLE, &body)
}

fn summary(session: &Stored, amount: &str) -> String {
    let currency = session.text("currency");
    let mut lines = String::new();
    for line in super::lines(session) {
        let quantity = line["quantity"].as_i64().unwrap_or(1);
        let times = if quantity > 1 { format!(" <span class=\"soft\">× {quantity}</span>") } else { String::new() };
        // a write to a String cannot fail
        let _ = write!(
            lines,
            "<li><span>{}{times}</span><span>{}</span></li>",
            escape(line["description"].as_str().unwrap_or_default()),
            money::display(line["amount_total"].as_i64().unwrap_or_default(), currency)
        );
    }
    format!(
        "<h1 id=\"what\" class=\"soft\">Pay Souk</h1>\n<p class=\"amount\">{amount}</p>\n<ul class=\"lines\">{lines}</ul>\n\
         <p class=\"small soft\">This page is open until {}.</p>\n{}",
        moment(session.amount("expires_at")),
        cancel_link(session)
    )
}

fn cancel_link(session: &Stored) -> String {
    match session.doc["cancel_url"].as_str() {
        Some(url) => format!("<p><a href=\"{}\">Cancel and return to the shop</a></p>", escape(url)),
        None => String::new(),
    }
}

fn form(shown: &Shown<'_>, amount: &str) -> String {
    let Shown { session, typed, problems, refusal } = shown;
    let free = session.amount("amount_total") == 0;
    let mut alert = String::new();
    if let Some(message) = refusal.and_then(|problem| problem["message"].as_str()) {
        alert = format!("<p class=\"alert\" role=\"alert\">{}</p>", escape(message));
    } else if !problems.is_empty() {
        alert = "<p class=\"alert\" role=\"alert\">Some of it needs another look; nothing was charged.</p>".to_owned();
    }
    let email = match session.doc["customer_email"].as_str() {
        Some(email) => format!("<div class=\"field\"><span class=\"label\">Email</span>{}</div>", escape(email)),
        None => field(problems, "email", "Email", &typed.email, "type=\"email\" autocomplete=\"email\" required"),
    };
    if free {
        return format!(
            "<form class=\"card\" method=\"post\">\n<h2 id=\"how\">Nothing to pay</h2>\n{alert}{email}\n<button class=\"wide\">Complete the order</button>\n</form>"
        );
    }
    let fields = [
        field(
            problems,
            "number",
            "Card number",
            &typed.number,
            "inputmode=\"numeric\" autocomplete=\"cc-number\" placeholder=\"1234 1234 1234 1234\" required",
        ),
        format!(
            "<div class=\"pair\">{}{}</div>",
            field(
                problems,
                "expiry",
                "Expiry (MM/YY)",
                &typed.expiry,
                "inputmode=\"numeric\" autocomplete=\"cc-exp\" placeholder=\"MM/YY\" required"
            ),
            field(
                problems,
                "cvc",
                "Security code",
                &typed.cvc,
                "inputmode=\"numeric\" autocomplete=\"cc-csc\" placeholder=\"CVC\" required"
            ),
        ),
        field(problems, "name", "Name on card", &typed.name, "autocomplete=\"cc-name\" required"),
    ]
    .join("\n");
    format!(
        "<form class=\"card\" method=\"post\" novalidate>\n<h2 id=\"how\">Pay with card</h2>\n{alert}{email}\n{fields}\n\
         <button class=\"wide\" name=\"method\" value=\"card\">Pay {amount}</button>\n</form>\n{}{}",
        debit(session, amount),
        test_cards()
    )
}

/// One labelled field; its message is tied to it.
pub fn field(problems: &Problems, name: &str, label: &str, value: &str, attributes: &str) -> String {
    let message = problems.iter().find(|(field, _)| *field == name).map(|(_, message)| *message);
    let (invalid, error) = match message {
        Some(message) => (
            format!(" aria-invalid=\"true\" aria-describedby=\"{name}-error\""),
            format!("<p class=\"error\" id=\"{name}-error\">{message}</p>"),
        ),
        None => (String::new(), String::new()),
    };
    format!(
        "<div class=\"field\"><label for=\"{name}\">{label}</label>\
         <input id=\"{name}\" name=\"{name}\" value=\"{}\" {attributes}{invalid}>{error}</div>",
        escape(value)
    )
}

fn debit(session: &Stored, amount: &str) -> String {
    let types = session.doc["payment_method_types"].as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(kind) = types.iter().filter_map(Value::as_str).find(|kind| *kind != "card") else { return String::new() };
    let email = match session.doc["customer_email"].as_str() {
        Some(_) => String::new(),
        None => "<div class=\"field\"><label for=\"debit-email\">Email for the bank debit</label>\
                 <input id=\"debit-email\" name=\"email\" type=\"email\" autocomplete=\"email\" required></div>"
            .to_owned(),
    };
    format!(
        "<form class=\"card\" method=\"post\">\n<h2>Pay by bank debit</h2>\n<p class=\"small soft\">The bank answers later: use the sandbox’s control \
         page to say whether it pays.</p>\n{email}\n<button class=\"wide quiet\" name=\"method\" value=\"{}\">Pay {amount} by bank debit</button>\n</form>\n",
        escape(kind)
    )
}

fn test_cards() -> String {
    let mut rows = String::new();
    for card in TEST_CARDS.iter().filter(|card| card.listed) {
        let spaced: Vec<&str> =
            (0..card.number.len()).step_by(4).filter_map(|at| card.number.get(at..(at + 4).min(card.number.len()))).collect();
        // a write to a String cannot fail
        let _ = write!(rows, "<tr><td class=\"code\">{}</td><td>{}</td></tr>", spaced.join(" "), card.what);
    }
    format!(
        "<div class=\"card\">\n<table>\n<caption>Test cards: any later expiry, any security code</caption>\n\
         <thead><tr><th scope=\"col\">Number</th><th scope=\"col\">What it does</th></tr></thead>\n<tbody>{rows}</tbody>\n</table>\n</div>"
    )
}

/// The 3-D Secure page of a bank that does not exist.
pub fn challenge(intent: &Stored) -> Response {
    let amount = money::display(intent.amount("amount"), intent.text("currency"));
    let card = &intent.hidden["waiting"]["card"];
    let body = format!(
        "{NOTE}\n<main class=\"narrow\">\n<form class=\"card\" method=\"post\">\n<h1>3-D Secure</h1>\n\
         <p>The bank of the card ending in <span class=\"code\">{}</span> asks: do you approve a payment of <strong>{amount}</strong> to Souk?</p>\n\
         <div class=\"row\">\n<button name=\"answer\" value=\"approve\">Approve the payment</button>\n\
         <button class=\"quiet\" name=\"answer\" value=\"fail\">Fail the authentication</button>\n</div>\n</form>\n</main>",
        escape(card["last4"].as_str().unwrap_or("····"))
    );
    page(StatusCode::OK, "Approve the payment", STYLE, &body)
}

/// A session that can no longer be paid.
pub fn closed(session: &Stored) -> Response {
    let body = format!(
        "{NOTE}\n<main class=\"narrow\">\n<div class=\"card\">\n<h1>This payment page has expired</h1>\n\
         <p>Nothing was charged. Return to the shop and check out again.</p>\n{}\n</div>\n</main>",
        cancel_link(session)
    );
    page(StatusCode::GONE, "This payment page has expired", STYLE, &body)
}

/// Anything else that a person should read.
pub fn trouble(status: StatusCode, message: &str) -> Response {
    let title = if status.is_success() { "Done" } else { "This page cannot be shown" };
    let body = format!(
        "{NOTE}\n<main class=\"narrow\">\n<div class=\"card\">\n<h1>{title}</h1>\n<p>{}</p>\n</div>\n</main>",
        escape(message)
    );
    page(status, title, STYLE, &body)
}
