//! The control page of the shop's operator: plain forms over the functions of this folder.
//! The router brings no guard of its own; whoever mounts it lets only operators in, and only in development.

use std::fmt::Write as _;

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::{Controls, Delivery, Payment, Sandbox, money_pages};
use crate::sandbox::stripe::html::{self, escape, page};
use crate::sandbox::stripe::money;

#[derive(Clone)]
pub(super) struct Mounted {
    pub sandbox: Sandbox,
    /// where the router is mounted, such as `/dev/stripe`
    pub base: String,
}

/// The pages under `base`. Mount with `nest_service(base, controls_router(sandbox, base))`, behind a guard.
pub fn controls_router(sandbox: Sandbox, base: &str) -> Router {
    Router::new()
        .route("/", get(show))
        .route("/style.css", get(html::style))
        .route("/controls", post(set))
        .route("/release", post(release))
        .route("/events/{id}/redeliver", post(redeliver))
        .route("/sessions/{id}/debit", post(debit))
        .route("/refund", post(refund))
        .merge(money_pages::router())
        .with_state(Mounted { sandbox, base: base.trim_end_matches('/').to_owned() })
}

pub(super) struct Trouble(sqlx::Error);

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        tracing::error!(error = %self.0, "the Stripe sandbox could not use its database");
        (StatusCode::INTERNAL_SERVER_ERROR, "The sandbox could not use its database.").into_response()
    }
}

impl Mounted {
    fn back(&self) -> Response {
        (StatusCode::SEE_OTHER, [(header::LOCATION, self.base.clone())]).into_response()
    }

    /// Back to the page, or the page again with what went wrong.
    pub(super) async fn answer<T>(&self, done: Result<T, String>) -> Result<Response, Trouble> {
        match done {
            Ok(_) => Ok(self.back()),
            Err(message) => self.page(StatusCode::UNPROCESSABLE_ENTITY, Some(&message)).await,
        }
    }

    async fn page(&self, status: StatusCode, error: Option<&str>) -> Result<Response, Trouble> {
        let controls = self.sandbox.controls().await?;
        let deliveries = self.sandbox.deliveries(50).await?;
        let payments = self.sandbox.payments(20).await?;
        let money = self.sandbox.money(20).await?;
        let now = self.sandbox.now().await;
        let alert = error.map(|text| format!("<p class=\"alert\" role=\"alert\">{}</p>", escape(text))).unwrap_or_default();
        let body = format!(
            "<main>\n<header><h1>Stripe sandbox</h1>\n<p class=\"soft\">What happens here happens at the stand-in for Stripe, not in the shop. \
             The shop hears of it by webhook.</p></header>\n{alert}{}\n{}\n{}\n{}\n{}\n</main>",
            self.clock(now),
            self.switches(&controls),
            self.payments(&payments),
            self.money(&money),
            self.deliveries(&deliveries)
        );
        Ok(page(status, "Stripe sandbox", &format!("{}/style.css", self.base), &body))
    }

    fn switches(&self, c: &Controls) -> String {
        let number = |name: &str, label: &str, value: i64, least: i64, most: i64| {
            format!(
                "<div class=\"field\"><label for=\"{name}\">{label}</label>\
                 <input id=\"{name}\" name=\"{name}\" type=\"number\" min=\"{least}\" max=\"{most}\" value=\"{value}\" required></div>"
            )
        };
        let check = |name: &str, label: &str, on: bool| {
            let checked = if on { " checked" } else { "" };
            format!("<label class=\"check\"><input type=\"checkbox\" name=\"{name}\" value=\"true\"{checked}> {label}</label>")
        };
        format!(
            "<form class=\"card\" method=\"post\" action=\"{}/controls\">\n<h2>Settings and disturbances</h2>\n<div class=\"grid\">{}{}{}{}{}{}</div>\n{}{}\n\
             <div class=\"row\"><button>Save</button></div>\n</form>",
            self.base,
            number("webhook_delay_ms", "Delay webhooks (ms)", c.webhook_delay_ms, 0, 3_600_000),
            number("webhook_repeat", "Extra copies of each webhook", c.webhook_repeat.into(), 0, 20),
            number("webhook_drop", "Drop the next webhooks (-1: all)", c.webhook_drop.into(), -1, 100_000),
            number("api_fail", "Fail the next API requests", c.api_fail.into(), 0, 100_000),
            number("api_hang_ms", "Answer API requests late (ms)", c.api_hang_ms, 0, 600_000),
            number("settle_days", "Days until card payments can be spent", c.settle_days.into(), 0, 30),
            check("webhook_reorder", "Hold webhooks for a moment and send them in another order", c.webhook_reorder),
            check("bank_debit", "Offer a slow bank debit in new sessions", c.bank_debit),
        )
    }

    fn payments(&self, payments: &[Payment]) -> String {
        let mut rows = String::new();
        for payment in payments {
            let text = |key: &str| escape(payment.session[key].as_str().unwrap_or_default());
            let currency = payment.session["currency"].as_str().unwrap_or_default();
            let total = money::display(payment.session["amount_total"].as_i64().unwrap_or_default(), currency);
            // a write to a String cannot fail
            let _ = write!(
                rows,
                "<tr><td class=\"code\">{}</td><td>{total}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                text("id").chars().take(22).collect::<String>() + "…",
                text("status"),
                text("payment_status"),
                self.actions(payment, currency),
            );
        }
        let empty =
            if payments.is_empty() { "<tr><td colspan=\"5\">No session yet: check out in the shop.</td></tr>" } else { "" };
        format!(
            "<section class=\"scroll\"><table>\n<caption>Payments, newest first</caption>\n<thead><tr><th scope=\"col\">Session</th>\
             <th scope=\"col\">Total</th><th scope=\"col\">Status</th><th scope=\"col\">Payment</th><th scope=\"col\">Actions</th></tr></thead>\n\
             <tbody>{rows}{empty}</tbody>\n</table></section>"
        )
    }

    fn actions(&self, payment: &Payment, currency: &str) -> String {
        let Some(charge) = &payment.charge else { return String::new() };
        let session = escape(payment.session["id"].as_str().unwrap_or_default());
        if charge["status"] == "pending" {
            return format!(
                "<form method=\"post\" action=\"{}/sessions/{session}/debit\"><button name=\"paid\" value=\"true\">Bank pays</button> \
                 <button class=\"quiet\" name=\"paid\" value=\"false\">Bank refuses</button></form>",
                self.base
            );
        }
        let left = charge["amount"].as_i64().unwrap_or_default() - charge["amount_refunded"].as_i64().unwrap_or_default();
        if charge["status"] != "succeeded" || left <= 0 {
            return charge["refunded"].as_bool().filter(|done| *done).map(|_| "Refunded".to_owned()).unwrap_or_default();
        }
        let intent = escape(payment.session["payment_intent"].as_str().unwrap_or_default());
        let amount = money::display(left, currency);
        format!(
            "<form method=\"post\" action=\"{}/refund\"><input type=\"hidden\" name=\"payment_intent\" value=\"{intent}\">\
             <button class=\"quiet\">Refund {amount}</button></form>{}",
            self.base,
            self.disputing(charge, &intent)
        )
    }

    fn deliveries(&self, deliveries: &[Delivery]) -> String {
        let mut rows = String::new();
        for d in deliveries {
            let status = d.status.map(|status| status.to_string()).unwrap_or_default();
            let _ = write!(
                rows,
                "<tr><td>{}</td><td class=\"code\">{}</td><td>{}</td><td>{}</td><td>{status} {}</td><td>\
                 <form method=\"post\" action=\"{}/events/{}/redeliver\"><button class=\"quiet\">Send again</button></form></td></tr>",
                escape(&d.kind),
                escape(&d.event),
                escape(&d.state),
                d.attempts,
                escape(d.error.as_deref().unwrap_or_default()),
                self.base,
                escape(&d.event),
            );
        }
        let held = deliveries.iter().filter(|d| d.state == "held").count();
        let release = if held > 0 {
            format!(
                "<form method=\"post\" action=\"{}/release\"><button class=\"quiet\">Send the {held} held webhooks now</button></form>",
                self.base
            )
        } else {
            String::new()
        };
        let empty = if deliveries.is_empty() { "<tr><td colspan=\"6\">No webhook yet.</td></tr>" } else { "" };
        format!(
            "<section class=\"scroll\">{release}<table>\n<caption>Webhooks, newest first</caption>\n<thead><tr><th scope=\"col\">Type</th>\
             <th scope=\"col\">Event</th><th scope=\"col\">State</th><th scope=\"col\">Attempts</th><th scope=\"col\">Answer</th>\
             <th scope=\"col\">Actions</th></tr></thead>\n<tbody>{rows}{empty}</tbody>\n</table></section>"
        )
    }
}

async fn show(State(mounted): State<Mounted>) -> Result<Response, Trouble> {
    mounted.page(StatusCode::OK, None).await
}

/// The form of the switches; a box that is not ticked is not sent.
#[derive(Deserialize)]
struct Switches {
    webhook_delay_ms: i64,
    webhook_repeat: i32,
    webhook_drop: i32,
    api_fail: i32,
    api_hang_ms: i64,
    #[serde(default)]
    webhook_reorder: bool,
    #[serde(default)]
    bank_debit: bool,
    #[serde(default)]
    settle_days: i32,
}

async fn set(State(mounted): State<Mounted>, Form(s): Form<Switches>) -> Result<Response, Trouble> {
    let controls = Controls {
        webhook_delay_ms: s.webhook_delay_ms,
        webhook_repeat: s.webhook_repeat,
        webhook_drop: s.webhook_drop,
        webhook_reorder: s.webhook_reorder,
        api_fail: s.api_fail,
        api_hang_ms: s.api_hang_ms,
        bank_debit: s.bank_debit,
        settle_days: s.settle_days,
    };
    mounted.sandbox.set_controls(&controls).await?;
    Ok(mounted.back())
}

async fn release(State(mounted): State<Mounted>) -> Result<Response, Trouble> {
    mounted.sandbox.release_held().await?;
    Ok(mounted.back())
}

async fn redeliver(State(mounted): State<Mounted>, Path(id): Path<String>) -> Result<Response, Trouble> {
    let found = mounted.sandbox.redeliver(&id).await?;
    mounted.answer(found.then_some(()).ok_or_else(|| format!("No such event: '{id}'"))).await
}

#[derive(Deserialize)]
struct Debit {
    paid: bool,
}

async fn debit(State(mounted): State<Mounted>, Path(id): Path<String>, Form(asked): Form<Debit>) -> Result<Response, Trouble> {
    let done = mounted.sandbox.end_debit(&id, asked.paid).await;
    mounted.answer(done).await
}

#[derive(Deserialize)]
struct Refund {
    payment_intent: String,
    amount: Option<i64>,
}

async fn refund(State(mounted): State<Mounted>, Form(asked): Form<Refund>) -> Result<Response, Trouble> {
    let done = mounted.sandbox.refund_from_dashboard(&asked.payment_intent, asked.amount).await;
    mounted.answer(done).await
}
