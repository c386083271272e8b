//! The part of the control page about time and money under way: the clock, refunds, disputes, connected accounts and payouts.

use std::fmt::Write as _;

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::Value;

use super::money::{Money, PayoutOutcome};
use super::pages::{Mounted, Trouble};
use crate::sandbox::stripe::html::{escape, moment};
use crate::sandbox::stripe::money::display;
use crate::sandbox::stripe::refunds::RefundEnd;

pub fn router() -> Router<Mounted> {
    Router::new()
        .route("/clock", post(advance))
        .route("/dispute", post(dispute))
        .route("/disputes/{id}", post(decide))
        .route("/refunds/{id}", post(end_refund))
        .route("/payouts/{id}", post(end_payout))
}

fn amount(doc: &Value) -> String {
    display(doc["amount"].as_i64().unwrap_or_default(), doc["currency"].as_str().unwrap_or_default())
}

fn text(doc: &Value, field: &str) -> String {
    escape(doc[field].as_str().unwrap_or_default())
}

/// A table under its caption, or one row that says there is nothing.
fn table(caption: &str, heads: &[&str], rows: &str, none: &str) -> String {
    let heads: String = heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let rows = if rows.is_empty() { format!("<tr><td colspan=\"6\">{none}</td></tr>") } else { rows.to_owned() };
    format!(
        "<section class=\"scroll\" tabindex=\"0\" aria-label=\"{caption}\"><table>\n<caption>{caption}</caption>\n<thead><tr>{heads}</tr></thead>\n\
         <tbody>{rows}</tbody>\n</table></section>"
    )
}

impl Mounted {
    /// What time it is at the sandbox, and the buttons that move it on.
    pub fn clock(&self, now: i64) -> String {
        let button =
            |seconds: i64, label: &str| format!("<button class=\"quiet\" name=\"seconds\" value=\"{seconds}\">{label}</button>");
        format!(
            "<form class=\"card\" method=\"post\" action=\"{}/clock\">\n<h2>Clock</h2>\n<p>At the sandbox it is <strong>{}</strong>. Moved forward, \
             payouts arrive, refunds come back, sessions and deadlines end; it never goes back.</p>\n<div class=\"row\">{}{}{}{}</div>\n</form>",
            self.base,
            moment(now),
            button(3600, "An hour on"),
            button(86_400, "A day on"),
            button(3 * 86_400, "Three days on"),
            button(14 * 86_400, "Two weeks on"),
        )
    }

    /// The button that lets a shopper dispute a payment.
    pub fn disputing(&self, charge: &Value, intent: &str) -> String {
        if charge["disputed"] == true {
            return String::new();
        }
        format!(
            " <form method=\"post\" action=\"{}/dispute\"><input type=\"hidden\" name=\"payment_intent\" value=\"{intent}\">\
             <button class=\"quiet\">Dispute</button></form>",
            self.base
        )
    }

    /// A form of buttons that say what becomes of something.
    fn buttons(&self, to: &str, buttons: &[(&str, &str)]) -> String {
        let buttons: Vec<String> = buttons
            .iter()
            .map(|(value, label)| format!("<button class=\"quiet\" name=\"outcome\" value=\"{value}\">{label}</button>"))
            .collect();
        format!("<form method=\"post\" action=\"{}/{to}\">{}</form>", self.base, buttons.join(" "))
    }

    /// The tables of money under way.
    pub fn money(&self, money: &Money) -> String {
        [self.refunds(&money.refunds), self.disputes(&money.disputes), accounts(&money.accounts), self.payouts(&money.payouts)]
            .join("\n")
    }

    fn refunds(&self, refunds: &[Value]) -> String {
        let mut rows = String::new();
        for refund in refunds {
            let id = text(refund, "id");
            let buttons = match refund["status"].as_str() {
                Some("pending") => self.buttons(
                    &format!("refunds/{id}"),
                    &[("succeeded", "Bank pays"), ("failed", "Bank sends it back"), ("canceled", "Cancel")],
                ),
                Some("succeeded") => self.buttons(&format!("refunds/{id}"), &[("failed", "Bank sends it back")]),
                _ => String::new(),
            };
            // a write to a String cannot fail
            let _ = write!(
                rows,
                "<tr><td class=\"code\">{id}</td><td>{}</td><td>{}</td><td>{buttons}</td></tr>",
                amount(refund),
                text(refund, "status")
            );
        }
        table("Refunds, newest first", &["Refund", "Amount", "Status", "Actions"], &rows, "No refund yet.")
    }

    fn disputes(&self, disputes: &[Value]) -> String {
        let mut rows = String::new();
        for dispute in disputes {
            let id = text(dispute, "id");
            let open = matches!(dispute["status"].as_str(), Some("needs_response" | "under_review"));
            let buttons = if open {
                self.buttons(&format!("disputes/{id}"), &[("won", "The shop wins"), ("lost", "The shopper wins")])
            } else {
                String::new()
            };
            let _ = write!(
                rows,
                "<tr><td class=\"code\">{id}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{buttons}</td></tr>",
                amount(dispute),
                text(dispute, "reason"),
                text(dispute, "status"),
                moment(dispute["evidence_details"]["due_by"].as_i64().unwrap_or_default()),
            );
        }
        let heads = ["Dispute", "Amount", "Reason", "Status", "Answer by", "Actions"];
        table("Disputes, newest first", &heads, &rows, "No dispute yet: pay with 4000 0000 0000 0259, or press the button above.")
    }

    fn payouts(&self, payouts: &[Value]) -> String {
        let mut rows = String::new();
        for payout in payouts {
            let id = text(payout, "id");
            let to = format!("payouts/{id}");
            let buttons = match payout["status"].as_str() {
                Some("pending" | "in_transit") => self.buttons(&to, &[("paid", "It arrives"), ("failed", "It fails")]),
                Some("paid") => self.buttons(&to, &[("failed", "The bank sends it back")]),
                _ => String::new(),
            };
            let _ = write!(
                rows,
                "<tr><td class=\"code\">{id}</td><td class=\"code\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{buttons}</td></tr>",
                text(payout, "account"),
                amount(payout),
                text(payout, "status"),
                moment(payout["arrival_date"].as_i64().unwrap_or_default()),
            );
        }
        let heads = ["Payout", "Account", "Amount", "Status", "Arrives", "Actions"];
        table("Payouts, newest first", &heads, &rows, "No payout yet.")
    }
}

fn accounts(accounts: &[Value]) -> String {
    let mut rows = String::new();
    for account in accounts {
        let due = account["requirements"]["currently_due"].as_array().map_or(0, Vec::len);
        let state = match (account["payouts_enabled"] == true, account["charges_enabled"] == true) {
            (true, _) => "can be paid out",
            (false, true) => "takes money, cannot be paid out",
            (false, false) => "not set up",
        };
        let _ = write!(
            rows,
            "<tr><td class=\"code\">{}</td><td>{}</td><td>{state}</td><td>{due}</td></tr>",
            text(account, "id"),
            text(account, "email")
        );
    }
    table("Connected accounts, newest first", &["Account", "Email", "State", "Details due"], &rows, "No account yet.")
}

#[derive(Deserialize)]
struct Advance {
    seconds: i64,
}

async fn advance(State(mounted): State<Mounted>, Form(asked): Form<Advance>) -> Result<Response, Trouble> {
    let done = mounted.sandbox.advance(asked.seconds).await;
    mounted.answer(done).await
}

#[derive(Deserialize)]
struct NewDispute {
    payment_intent: String,
    amount: Option<i64>,
}

async fn dispute(State(mounted): State<Mounted>, Form(asked): Form<NewDispute>) -> Result<Response, Trouble> {
    let done = mounted.sandbox.dispute(&asked.payment_intent, asked.amount, None).await;
    mounted.answer(done).await
}

#[derive(Deserialize)]
struct Outcome<T> {
    outcome: T,
}

async fn decide(
    State(mounted): State<Mounted>,
    Path(id): Path<String>,
    Form(asked): Form<Outcome<String>>,
) -> Result<Response, Trouble> {
    let done = mounted.sandbox.decide_dispute(&id, asked.outcome == "won").await;
    mounted.answer(done).await
}

async fn end_refund(
    State(mounted): State<Mounted>,
    Path(id): Path<String>,
    Form(asked): Form<Outcome<RefundEnd>>,
) -> Result<Response, Trouble> {
    let done = mounted.sandbox.end_refund(&id, asked.outcome).await;
    mounted.answer(done).await
}

async fn end_payout(
    State(mounted): State<Mounted>,
    Path(id): Path<String>,
    Form(asked): Form<Outcome<PayoutOutcome>>,
) -> Result<Response, Trouble> {
    let done = mounted.sandbox.end_payout(&id, asked.outcome, None).await;
    mounted.answer(done).await
}
