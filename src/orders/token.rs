//! The link that lets a guest read an order. Its token is derived, so that every mail and redirect can write the same link.

use crate::{ids::OrderId, server::state::App, server::token::Token};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

/// The token of the order made from this checkout form: HMAC-SHA-256 of the form's key under the program's secret.
/// The database keeps only its hash (`orders.token_hash`), so a copy of the database alone opens no order.
pub fn order_token(app: &App, checkout_key: Uuid) -> anyhow::Result<Token> {
    let mut mac = Hmac::<Sha256>::new_from_slice(app.config.secret.as_bytes())?;
    mac.update(b"souk order link v1:");
    mac.update(checkout_key.as_bytes());
    Ok(Token::from_bytes(mac.finalize().into_bytes().into()))
}

/// The order's page with the guest's token, as mails and redirects link to it.
pub fn order_url(app: &App, order: OrderId, checkout_key: Uuid) -> anyhow::Result<String> {
    let token = order_token(app, checkout_key)?;
    Ok(format!("{}/orders/{order}?token={token}", app.config.base_url))
}
