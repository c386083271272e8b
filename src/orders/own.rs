//! The order that an address names, for the person who made it: signed in, or with the token of the link from the mail.

use super::queries::{MayRead, Reader, may_read};
use crate::{
    error::AppError,
    ids::OrderId,
    server::{auth::MaybeCustomer, page::Page, state::App, token::Token},
};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

/// An order for a person who may read it; for everybody else it is not there.
pub struct OwnOrder {
    pub may: MayRead,
    pub reader: Reader,
    pub token: Option<Token>,
}

impl OwnOrder {
    /// `order` and `token` as they stand in the address or the form.
    ///
    /// # Errors
    /// `NotFound` for everybody who may not read it.
    pub async fn of(app: &App, who: &MaybeCustomer, order: &str, token: Option<&str>) -> Result<Self, AppError> {
        // What is no id belongs to no order, and what is no token opens nothing, like a wrong one.
        let order: OrderId = order.parse().map_err(|_| AppError::NotFound)?;
        let token: Option<Token> = token.and_then(|t| t.parse().ok());
        let reader = Reader::person(who, token.as_ref());
        let may = may_read(&mut *app.pool.acquire().await?, order, &reader).await?;
        Ok(Self { may, reader, token })
    }

    pub fn id(&self) -> OrderId {
        self.may.order()
    }

    /// `?token=…` for a guest; nothing for who is signed in.
    pub fn query(&self) -> String {
        self.token.as_ref().map(|t| format!("?token={t}")).unwrap_or_default()
    }

    /// An address of the order's, with the token if there is one.
    pub fn address(&self, rest: &str) -> String {
        format!("/orders/{}{rest}{}", self.id(), self.query())
    }
}

/// An answer that nobody on the way keeps: the page is personal, and its address may hold the token.
pub fn private(page: Page) -> Response {
    let mut response = page.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}
