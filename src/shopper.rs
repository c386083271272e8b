//! A customer who uses the shop over HTTP as a browser would: fills a cart, checks out, pays at the hosted page, comes back. For
//! replays, proofs and load.

use anyhow::Context;
use http::{HeaderMap, StatusCode, header};
use reqwest::{Client, RequestBuilder, redirect::Policy};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long one answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// How often a request is sent again that was told to come later.
const RETRIES: u32 = 20;
/// How long a patient customer waits before trying again.
const BREATH: Duration = Duration::from_millis(100);

/// A card that always pays.
const CARD: [(&str, &str); 4] = [("number", "4242424242424242"), ("expiry", "12 / 40"), ("cvc", "123"), ("name", "Replay")];

/// The address of a shop, and the connections to it.
#[derive(Clone)]
pub struct Shop {
    http: Client,
    base: String,
    patience: Duration,
}

/// What somebody wants.
#[derive(Debug, Clone)]
pub struct Basket {
    /// Variants and how many of each.
    pub lines: Vec<(Uuid, i32)>,
    /// Where news of the order go.
    pub email: String,
    /// What it must cost with shipping, in minor units.
    pub total_minor: i64,
}

/// A step of a purchase, or the shop's word that somebody else was faster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<T> {
    Done(T),
    SoldOut,
}

/// What a browser would send back to stay itself.
#[derive(Debug, Clone)]
pub struct Cart(String);

impl Cart {
    /// `name=value; name=value`
    pub fn cookies(&self) -> &str {
        &self.0
    }
}

/// What the shop said, read to its end.
pub(crate) struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    /// The answer, if it has the status that was wanted.
    ///
    /// # Errors
    /// Any other status, with the beginning of what was said.
    pub(crate) fn expect(self, wanted: StatusCode) -> anyhow::Result<Self> {
        let start: String = self.body.chars().take(400).collect();
        anyhow::ensure!(self.status == wanted, "{} instead of {wanted}: {start}", self.status);
        Ok(self)
    }

    /// Whether it is a problem of this name (RFC 9457).
    fn problem(&self, name: &str) -> bool {
        let body = serde_json::from_str::<Value>(&self.body).unwrap_or_default();
        self.status.is_client_error() && body["type"].as_str().is_some_and(|t| t.ends_with(name))
    }

    fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// What a browser would keep of it, to stay itself.
    pub(crate) fn cookies(&self) -> Option<Cart> {
        let set = self.headers.get_all(header::SET_COOKIE).iter();
        let pairs: Vec<&str> = set.filter_map(|v| v.to_str().ok()?.split(';').next()).collect();
        (!pairs.is_empty()).then(|| Cart(pairs.join("; ")))
    }
}

impl Shop {
    /// `base` without a slash at the end: `http://127.0.0.1:3000`.
    pub fn at(base: &str) -> anyhow::Result<Self> {
        let http = Client::builder().redirect(Policy::none()).no_proxy().timeout(ANSWER_WITHIN).build()?;
        Ok(Self { http, base: base.to_owned(), patience: Duration::ZERO })
    }

    /// A customer who tries again for so long, with the same key, when the shop breaks off or says that something failed.
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
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

    /// The whole way from an empty cart to the way back from the hosted page.
    ///
    /// # Errors
    /// Whatever the shop answers that is not the next step.
    pub async fn buy(&self, basket: &Basket) -> anyhow::Result<Step<()>> {
        let Step::Done(cart) = self.fill(basket).await? else { return Ok(Step::SoldOut) };
        let Step::Done(page) = self.order(&cart, basket).await? else { return Ok(Step::SoldOut) };
        self.pay(&page).await?;
        Ok(Step::Done(()))
    }

    /// Puts everything into a new cart.
    ///
    /// # Errors
    /// As [`Shop::buy`].
    pub async fn fill(&self, basket: &Basket) -> anyhow::Result<Step<Cart>> {
        let until = Instant::now() + self.patience;
        loop {
            match self.try_to_fill(basket).await {
                // Adding twice adds up, so who does not know what became of it takes another cart.
                Err(_) if Instant::now() < until => tokio::time::sleep(BREATH).await,
                done => return done.context("adding to the cart"),
            }
        }
    }

    async fn try_to_fill(&self, basket: &Basket) -> anyhow::Result<Step<Cart>> {
        let mut cart: Option<Cart> = None;
        for (variant, quantity) in &basket.lines {
            let body = json!({ "variant_id": variant, "quantity": quantity });
            let answer = self.send(Duration::ZERO, || self.post("/api/v1/cart/items", cart.as_ref()).json(&body)).await?;
            if answer.problem("/sold-out") {
                return Ok(Step::SoldOut);
            }
            let answer = answer.expect(StatusCode::CREATED)?;
            cart = cart.or_else(|| answer.cookies());
        }
        Ok(Step::Done(cart.context("no cookie came with the cart")?))
    }

    /// Orders what is in the cart; the address of the page to pay at.
    ///
    /// # Errors
    /// As [`Shop::buy`].
    pub async fn order(&self, cart: &Cart, basket: &Basket) -> anyhow::Result<Step<String>> {
        let body = json!({
            "email": basket.email,
            "shipping_address": {
                "name": "Replay", "line1": "1 Invoice Row", "line2": "", "city": "Leeds", "postal_code": "LS1 1AA", "country": "GB"
            },
            "shipping": {},
            "expected_total": { "amount": basket.total_minor, "currency": "GBP" },
        });
        let key = Uuid::now_v7().to_string();
        let checkout = || self.post("/api/v1/checkout", Some(cart)).header("idempotency-key", &key).json(&body);
        let answer = self.send(self.patience, checkout).await.context("the checkout")?;
        if answer.problem("/sold-out") {
            return Ok(Step::SoldOut);
        }
        let answer = answer.expect(StatusCode::CREATED).context("the checkout")?;
        let order: Value = serde_json::from_str(&answer.body).context("the checkout")?;
        let url = order["payment"]["url"].as_str().context("the checkout answered no page to pay at")?;
        Ok(Step::Done(url.to_owned()))
    }

    /// Pays at the hosted page and comes back from there.
    ///
    /// # Errors
    /// When the page does not take the card, or the shop is not there to come back to.
    pub async fn pay(&self, page: &str) -> anyhow::Result<()> {
        let back = self.hand_over_the_card(page).await?;
        self.come_back(&back).await
    }

    /// Pays at the hosted page; where it sends the browser then. Who paid and was stopped on the way back is sent on at once.
    ///
    /// # Errors
    /// When the page does not take the card.
    pub async fn hand_over_the_card(&self, page: &str) -> anyhow::Result<String> {
        let until = Instant::now() + self.patience;
        loop {
            match self.try_to_pay(page).await {
                // Paying twice is refused by the page itself, so it is safe to look again.
                Err(_) if Instant::now() < until => tokio::time::sleep(BREATH).await,
                done => return done.context("the hosted page"),
            }
        }
    }

    async fn try_to_pay(&self, page: &str) -> anyhow::Result<String> {
        let shown = self.send(Duration::ZERO, || self.http.get(page)).await?;
        let answer = match shown.status {
            StatusCode::SEE_OTHER => shown,
            _ => {
                shown.expect(StatusCode::OK)?;
                let paying = || self.http.post(page).form(&CARD);
                self.send(Duration::ZERO, paying).await?.expect(StatusCode::SEE_OTHER).context("paying")?
            }
        };
        Ok(answer.header(header::LOCATION).context("it leads nowhere")?.to_owned())
    }

    /// Goes where the hosted page sends the browser.
    ///
    /// # Errors
    /// When the shop does not lead on from there.
    pub async fn come_back(&self, back: &str) -> anyhow::Result<()> {
        let answer = self.send(self.patience, || self.http.get(back)).await.context("coming back")?;
        answer.expect(StatusCode::SEE_OTHER).context("coming back")?;
        Ok(())
    }

    /// A request to the shop from somebody with these cookies; [`Shop::send`] sends it.
    pub(crate) fn post(&self, path: &str, cart: Option<&Cart>) -> RequestBuilder {
        let request = self.http.post(format!("{}{path}", self.base));
        match cart {
            Some(Cart(cookies)) => request.header(header::COOKIE, cookies),
            None => request,
        }
    }

    /// Sends; sends again when it was told to come later, and for `patience` when it broke off or failed.
    ///
    /// # Errors
    /// When nobody answers, or always says to come later.
    pub(crate) async fn send(&self, patience: Duration, request: impl Fn() -> RequestBuilder) -> anyhow::Result<Answer> {
        let until = Instant::now() + patience;
        let mut told_to_wait = 0;
        loop {
            let answer = read(request()).await;
            let again = Instant::now() < until;
            match answer {
                Ok(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS => {
                    told_to_wait += 1;
                    anyhow::ensure!(told_to_wait <= RETRIES, "the shop says {RETRIES} times to come later");
                    let seconds = answer.header(header::RETRY_AFTER).and_then(|v| v.parse().ok()).unwrap_or(1);
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                }
                Ok(answer) if again && (answer.status.is_server_error() || answer.problem("/still-running")) => {
                    tokio::time::sleep(BREATH).await;
                }
                Err(_) if again => tokio::time::sleep(BREATH).await,
                done => return done,
            }
        }
    }
}

async fn read(request: RequestBuilder) -> anyhow::Result<Answer> {
    let answer = request.send().await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    Ok(Answer { status, headers, body: answer.text().await? })
}
