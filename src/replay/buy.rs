//! Buying one invoice over HTTP, as a customer's browser would: a cart, a checkout, the hosted page, the way back.

use super::Purchase;
use anyhow::Context;
use http::{StatusCode, header};
use reqwest::{Client, RequestBuilder, Response, redirect::Policy};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a request is sent again that was told to come later.
const RETRIES: u32 = 20;

/// A card that always pays.
const CARD: [(&str, &str); 4] = [("number", "4242424242424242"), ("expiry", "12 / 40"), ("cvc", "123"), ("name", "Replay")];

/// The addresses of a shop, and the connections to it.
#[derive(Clone)]
pub struct Shop {
    http: Client,
    base: String,
}

impl Shop {
    /// `base` without a slash at the end: `http://127.0.0.1:3000`.
    pub fn at(base: &str) -> anyhow::Result<Self> {
        let http = Client::builder().redirect(Policy::none()).no_proxy().timeout(PATIENCE).build()?;
        Ok(Self { http, base: base.to_owned() })
    }

    /// Whether somebody is there.
    ///
    /// # Errors
    /// When the shop does not answer.
    pub async fn greet(&self) -> anyhow::Result<()> {
        let answer = self.http.get(format!("{}/healthz", self.base)).send().await;
        let answer = answer.with_context(|| format!("no shop answers at {}: start it with `souk serve`", self.base))?;
        anyhow::ensure!(answer.status().is_success(), "{} answers {}", self.base, answer.status());
        Ok(())
    }

    /// Buys an invoice; `variants` in the order of [`super::Retail::goods`], `total_minor` what it must cost.
    ///
    /// # Errors
    /// Whatever the shop answers that is not the next step.
    pub async fn buy(&self, purchase: &Purchase, variants: &[Uuid], email: &str, total_minor: i64) -> anyhow::Result<()> {
        let mut cart = None;
        for (goods, quantity) in &purchase.lines {
            let body = json!({ "variant_id": variants.get(*goods), "quantity": quantity });
            let answer = self.send(|| self.post("/api/v1/cart/items", cart.as_deref()).json(&body)).await?;
            cart = cart.or_else(|| cookies(&answer));
            expect(answer, StatusCode::CREATED).await.context("adding to the cart")?;
        }
        let body = json!({
            "email": email,
            "shipping_address": {
                "name": "Replay", "line1": "1 Invoice Row", "line2": "", "city": "Leeds", "postal_code": "LS1 1AA", "country": "GB"
            },
            "shipping": {},
            "expected_total": { "amount": total_minor, "currency": "GBP" },
        });
        let key = Uuid::now_v7().to_string();
        let checkout = || self.post("/api/v1/checkout", cart.as_deref()).header("idempotency-key", &key).json(&body);
        let answer = expect(self.send(checkout).await?, StatusCode::CREATED).await.context("the checkout")?;
        let order: Value = answer.json().await.context("the checkout")?;
        let url = order["payment"]["url"].as_str().context("the checkout answered no page to pay at")?;
        self.pay(url).await
    }

    /// Pays at the hosted page and comes back from there.
    ///
    /// # Errors
    /// When the page does not take the card, or the shop is not there to come back to.
    pub async fn pay(&self, url: &str) -> anyhow::Result<()> {
        let page = self.http.get(url).send().await?;
        // Who paid and was stopped on the way back is sent on at once.
        let answer = match page.status() {
            StatusCode::SEE_OTHER => page,
            _ => {
                expect(page, StatusCode::OK).await.context("the hosted page")?;
                expect(self.http.post(url).form(&CARD).send().await?, StatusCode::SEE_OTHER).await.context("paying")?
            }
        };
        let back =
            answer.headers().get(header::LOCATION).and_then(|v| v.to_str().ok()).context("the hosted page leads nowhere")?;
        let back = back.to_owned();
        expect(self.send(|| self.http.get(&back)).await?, StatusCode::SEE_OTHER).await.context("coming back")?;
        Ok(())
    }

    fn post(&self, path: &str, cookies: Option<&str>) -> RequestBuilder {
        let request = self.http.post(format!("{}{path}", self.base));
        match cookies {
            Some(cookies) => request.header(header::COOKIE, cookies),
            None => request,
        }
    }

    /// Sends, and sends again when it was told to come later.
    async fn send(&self, request: impl Fn() -> RequestBuilder) -> anyhow::Result<Response> {
        for _ in 0..RETRIES {
            let answer = request().send().await?;
            if answer.status() != StatusCode::TOO_MANY_REQUESTS {
                return Ok(answer);
            }
            let wait = answer.headers().get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()?.parse().ok()).unwrap_or(1);
            tokio::time::sleep(Duration::from_secs(wait)).await;
        }
        anyhow::bail!("the shop says {RETRIES} times to come later")
    }
}

/// What a browser would send back.
fn cookies(answer: &Response) -> Option<String> {
    let pairs: Vec<&str> =
        answer.headers().get_all(header::SET_COOKIE).iter().filter_map(|v| v.to_str().ok()?.split(';').next()).collect();
    (!pairs.is_empty()).then(|| pairs.join("; "))
}

async fn expect(answer: Response, wanted: StatusCode) -> anyhow::Result<Response> {
    if answer.status() == wanted {
        return Ok(answer);
    }
    let status = answer.status();
    let text: String = answer.text().await.unwrap_or_default().chars().take(400).collect();
    anyhow::bail!("{status} instead of {wanted}: {text}")
}
