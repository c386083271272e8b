//! The Stripe sandbox, spoken to as Stripe: by the client library of the shop, by plain HTTP, by a browser's forms, and by a receiver of webhooks.

mod accounts;
mod api;
mod clock;
mod disputes;
mod hosted;
mod money;
mod payouts;
mod refunds;
mod sdk;
mod shapes;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use souk::sandbox::stripe::{Running, SandboxConfig, start};
use tokio::sync::Mutex;

use crate::support::TestDatabase;

const SECRET: &str = "whsec_of_these_tests";
const KEY: &str = "sk_test_sandbox";

/// A sandbox of its own over a database of its own.
struct Sandbox {
    running: Running,
    http: reqwest::Client,
    database: TestDatabase,
    webhook_url: Option<String>,
}

impl Sandbox {
    async fn start() -> Self {
        Self::telling(None).await
    }

    /// A sandbox that sends its webhooks to this address.
    async fn telling(webhook_url: Option<String>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = TestDatabase::create().await;
        let running = start(database.pool.clone(), config(webhook_url.clone())).await.expect("the sandbox starts");
        let http =
            reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().expect("an HTTP client");
        Self { running, http, database, webhook_url }
    }

    /// Stops it and starts another over the same database.
    async fn restart(self) -> Self {
        self.running.stop().await;
        let running =
            start(self.database.pool.clone(), config(self.webhook_url.clone())).await.expect("the sandbox starts again");
        Self { running, ..self }
    }

    /// The client library that the shop uses.
    fn stripe(&self) -> stripe::Client {
        stripe::ClientBuilder::new(KEY).url(format!("{}/", self.running.url)).build().expect("a Stripe client")
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.running.url)
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(self.url(path)).bearer_auth(KEY).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let answer = self.http.post(self.url(path)).bearer_auth(KEY).form(form).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    }

    /// Asks in the name of a connected account; answers the status too.
    async fn get_at(&self, account: &str, path: &str) -> (u16, Value) {
        let request = self.http.get(self.url(path)).bearer_auth(KEY).header("stripe-account", account);
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    async fn post_at(&self, account: &str, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        let request = self.http.post(self.url(path)).bearer_auth(KEY).header("stripe-account", account).form(form);
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    /// What an account (the platform's: none) has in pounds: available and pending.
    async fn balance(&self, account: Option<&str>) -> (i64, i64) {
        let balance = match account {
            Some(account) => self.get_at(account, "/v1/balance").await.1,
            None => self.get("/v1/balance").await,
        };
        let amount = |which: &str| {
            let all = balance[which].as_array().expect("a list").iter();
            all.filter(|one| one["currency"] == "gbp").filter_map(|one| one["amount"].as_i64()).sum()
        };
        (amount("available"), amount("pending"))
    }

    /// The types and amounts of all entries of a balance, oldest first.
    async fn entries(&self, account: Option<&str>) -> Vec<(String, i64)> {
        let path = "/v1/balance_transactions?limit=100";
        let list = match account {
            Some(account) => self.get_at(account, path).await.1,
            None => self.get(path).await,
        };
        let all = list["data"].as_array().expect("a list").clone();
        all.iter().rev().map(|one| (text(one, "type").to_owned(), one["net"].as_i64().expect("net"))).collect()
    }

    /// The types of the events at a connected account, oldest first.
    async fn events_at(&self, account: &str) -> Vec<String> {
        let (_, list) = self.get_at(account, "/v1/events?limit=100").await;
        let data = list["data"].as_array().expect("a list").clone();
        data.iter().rev().map(|event| text(event, "type").to_owned()).collect()
    }

    /// A connected account that can be paid, into a bank account of Stripe's test numbers.
    async fn seller(&self, number: &str) -> String {
        let made = self.post("/v1/accounts", &[("type", "express"), ("country", "GB"), ("email", "mill@example.com")]).await;
        let id = text(&made, "id").to_owned();
        let done = self.running.sandbox.onboard(&id, Some(number)).await.expect("it is onboarded");
        assert_eq!(done["payouts_enabled"], true, "{done}");
        id
    }

    /// Sends money to a connected account.
    async fn transfer(&self, account: &str, amount: i64) -> Value {
        let amount = amount.to_string();
        let form = [("amount", amount.as_str()), ("currency", "gbp"), ("destination", account), ("transfer_group", "order_1")];
        self.post("/v1/transfers", &form).await
    }

    /// Moves the clock forward.
    async fn advance(&self, seconds: i64) {
        self.running.sandbox.advance(seconds).await.expect("the clock moves");
    }

    /// A session over one line.
    async fn session(&self, amount: i64) -> Value {
        let amount = amount.to_string();
        let session = self.post("/v1/checkout/sessions", &session_form(&amount)).await;
        assert_eq!(session["object"], "checkout.session", "{session}");
        session
    }

    /// Pays a session's page with a card; answers status, `Location` and page.
    async fn pay(&self, session: &Value, number: &str) -> (u16, Option<String>, String) {
        let url = self.url(&format!("/pay/{}", text(session, "id")));
        self.submit(&url, &card(number)).await
    }

    async fn submit(&self, url: &str, form: &[(&str, &str)]) -> (u16, Option<String>, String) {
        let answer = self.http.post(url).form(form).send().await.expect("an answer");
        let location = answer.headers().get("location").map(|v| v.to_str().expect("text").to_owned());
        (answer.status().as_u16(), location, answer.text().await.expect("text"))
    }

    /// A session that is paid, as it is afterwards, with its intent and charge expanded.
    async fn paid(&self, amount: i64) -> Value {
        let session = self.session(amount).await;
        let (status, _, page) = self.pay(&session, "4242424242424242").await;
        assert_eq!(status, 303, "{page}");
        self.get(&format!("/v1/checkout/sessions/{}?expand[]=payment_intent.latest_charge", text(&session, "id"))).await
    }

    /// The types of all events, oldest first.
    async fn events(&self) -> Vec<String> {
        let list = self.get("/v1/events?limit=100").await;
        let data = list["data"].as_array().expect("a list").clone();
        data.iter().rev().map(|event| text(event, "type").to_owned()).collect()
    }

    async fn control(&self, changes: Value) -> Value {
        let answer = self.http.post(self.url("/_sandbox/controls")).json(&changes).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.json().await.expect("JSON")
    }
}

fn config(webhook_url: Option<String>) -> SandboxConfig {
    SandboxConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        webhook_url,
        enabled_events: vec!["*".into()],
        webhook_secret: SECRET.into(),
        public_url: None,
    }
}

fn session_form(amount: &str) -> Vec<(&str, &str)> {
    vec![
        ("mode", "payment"),
        ("line_items[0][price_data][currency]", "gbp"),
        ("line_items[0][price_data][unit_amount]", amount),
        ("line_items[0][price_data][product_data][name]", "Oak board <large>"),
        ("line_items[0][quantity]", "1"),
        ("success_url", "https://shop.example/done?session={CHECKOUT_SESSION_ID}"),
        ("cancel_url", "https://shop.example/cart?a=1&b=2"),
        ("client_reference_id", "order-1"),
        ("metadata[order]", "1"),
    ]
}

fn card(number: &str) -> Vec<(&str, &str)> {
    vec![
        ("email", "ada@example.com"),
        ("number", number),
        ("expiry", "12/34"),
        ("cvc", "123"),
        ("name", "Ada Lovelace"),
        ("method", "card"),
    ]
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} is not a text in {value}"))
}

/// Tries until something holds, for at most a minute: what failed is tried again after 1, 2, 4, 8 ... seconds.
async fn eventually<F: AsyncFnMut() -> bool>(what: &str, mut holds: F) {
    for _ in 0..1200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came to pass that {what}");
}

/// A webhook as it arrived.
#[derive(Clone)]
struct Received {
    signature: String,
    body: String,
}

impl Received {
    fn event(&self) -> Value {
        serde_json::from_str(&self.body).expect("an event")
    }
}

/// A receiver of webhooks that answers what it is told to.
#[derive(Clone, Default)]
struct Receiver {
    received: Arc<Mutex<Vec<Received>>>,
    /// so many of the next deliveries are answered 500
    fail: Arc<Mutex<usize>>,
}

impl Receiver {
    /// Starts it; answers its address too.
    async fn start() -> (Self, String) {
        let receiver = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/webhooks/stripe", listener.local_addr().expect("an address"));
        let router = Router::new().route("/webhooks/stripe", post(receive)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (receiver, url)
    }

    async fn all(&self) -> Vec<Received> {
        self.received.lock().await.clone()
    }

    async fn types(&self) -> Vec<String> {
        self.all().await.iter().map(|one| text(&one.event(), "type").to_owned()).collect()
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> (StatusCode, String) {
    let signature = headers.get("stripe-signature").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    receiver.received.lock().await.push(Received { signature, body });
    let mut fail = receiver.fail.lock().await;
    if *fail > 0 {
        *fail -= 1;
        return (StatusCode::INTERNAL_SERVER_ERROR, "not now".into());
    }
    (StatusCode::OK, json!({ "received": true }).to_string())
}
