//! Buying, through the functions that pages and REST call: a cart, an order, the hosted page, and the way back or not.

use super::market::Market;
use crate::{
    accounts::PostalAddress,
    cart::queries::{self as carts, Owner},
    checkout::{self, CheckoutRequest},
    error::AppError,
    ids::OrderId,
    orders::queries::Reader,
    payments,
    server::{auth::MaybeCustomer, token::Token},
};
use anyhow::Context;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What somebody buys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basket {
    /// By place in [`Market::goods`], and how many.
    pub goods: Vec<(usize, i32)>,
    /// By place in [`Market::coupons`].
    pub coupon: Option<usize>,
    /// Parcels are sent for money, and not for nothing.
    pub sent: bool,
    pub pays: Pays,
}

/// When somebody pays, and what the shop hears of it at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pays {
    /// And comes back from the hosted page.
    InTime,
    /// And closes the browser there: only Stripe's events tell of it.
    Unseen,
    /// After having called the order off: money that no order takes.
    TooLate,
    /// With a card whose refunds take a day.
    SlowRefunds,
}

impl Pays {
    fn card(self) -> &'static str {
        match self {
            Self::InTime | Self::Unseen | Self::TooLate => "4242424242424242",
            Self::SlowRefunds => "4000000000007726",
        }
    }
}

/// An order, and the link to it.
#[derive(Debug, Clone)]
pub struct Bought {
    pub order: OrderId,
    pub token: Token,
}

/// The shop's or Stripe's no, in words. Everything that is the program's own fault is an error instead.
pub type Refusable<T> = anyhow::Result<Result<T, String>>;

/// Parts what a person may be told from what must not happen.
pub fn refusable<T>(done: Result<T, AppError>) -> Refusable<T> {
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(error @ (AppError::Internal | AppError::Offline | AppError::BadRequest(_) | AppError::Unauthenticated)) => {
            Err(error.into())
        }
        Err(no) => Ok(Err(no.to_string())),
    }
}

impl Market {
    /// Buys and pays.
    ///
    /// # Errors
    /// What is no refusal; see [`refusable`].
    pub async fn buy(&self, basket: &Basket, email: &str) -> Refusable<Bought> {
        let token = self.fill(basket).await?;
        let request = self.request(basket, email)?;
        let placed = match refusable(checkout::place(&self.app, &MaybeCustomer::guest(), Some(&token), request).await)? {
            Ok(placed) => placed,
            Err(no) => return Ok(Err(no)),
        };
        let bought = Bought { order: placed.order_id, token: placed.token };
        let page = match refusable(payments::open(&self.app, bought.order).await)? {
            Ok(page) => page,
            Err(no) => return Ok(Err(no)),
        };
        if basket.pays == Pays::TooLate
            && let Err(no) = self.cancel(&bought).await?
        {
            return Ok(Err(no));
        }
        // What costs nothing is paid already, and leads back into the shop.
        if !page.starts_with(&self.app.config.base_url) {
            self.pay(&page, basket.pays.card()).await?;
        }
        if basket.pays != Pays::Unseen {
            payments::settle_order(&self.app, bought.order).await?;
        }
        Ok(Ok(bought))
    }

    /// The shopper calls the order off.
    pub async fn cancel(&self, bought: &Bought) -> Refusable<()> {
        refusable(payments::cancel(&self.app, bought.order, &Reader::link(&bought.token)).await)
    }

    async fn fill(&self, basket: &Basket) -> anyhow::Result<Token> {
        let token = Token::random();
        let mut tx = self.app.pool.begin().await?;
        let cart = carts::find_or_create(&mut *tx, &Owner::browser(&token)).await?;
        for (goods, quantity) in &basket.goods {
            let variant = *self.goods.get(*goods).context("there are no such goods")?;
            let quantity = (*quantity).try_into()?;
            let added = carts::add(&mut tx, cart, variant, quantity, self.app.config.currency.code()).await?;
            anyhow::ensure!(added.is_some(), "a shelf is empty");
        }
        tx.commit().await?;
        Ok(token)
    }

    fn request(&self, basket: &Basket, email: &str) -> anyhow::Result<CheckoutRequest> {
        let sent = |guard: &crate::server::auth::Vendor| (guard.slug().to_owned(), "sent".to_owned());
        let shipping: BTreeMap<String, String> = match basket.sent {
            true => self.sellers.iter().map(|seller| sent(&seller.guard)).collect(),
            false => BTreeMap::new(),
        };
        Ok(CheckoutRequest {
            key: Uuid::now_v7(),
            email: email.parse()?,
            address: PostalAddress {
                name: "Prue Buyer".parse()?,
                line1: "1 Ledger Lane".parse()?,
                line2: None,
                city: "Leeds".parse()?,
                postal_code: "LS1 1AA".parse()?,
                country: "GB".into(),
            },
            shipping,
            coupon: basket.coupon.and_then(|place| self.coupons.get(place)).cloned(),
            expected_total_minor: None,
            lines: None,
        })
    }

    /// Hands over the card at the sandbox's hosted page.
    async fn pay(&self, page: &str, number: &str) -> anyhow::Result<()> {
        let card = [("number", number), ("expiry", "12 / 40"), ("cvc", "123"), ("name", "Prue Buyer")];
        let answer = self.http.post(page).form(&card).send().await.context("the hosted page")?;
        anyhow::ensure!(answer.status() == http::StatusCode::SEE_OTHER, "the hosted page answers {}", answer.status());
        Ok(())
    }
}
