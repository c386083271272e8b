//! What the browser calls without loading a page.

use super::model::{CartChange, CartUpdate};
use crate::{
    error::AppError,
    ids::{CartLineId, VariantId},
};
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use super::model::Quantity;
#[cfg(feature = "ssr")]
use crate::server::{
    auth::MaybeCustomer,
    extract::{app, extract},
};

/// Puts a variant into the cart of whoever asks.
#[server(endpoint = "add_to_cart")]
pub async fn add_to_cart(variant: VariantId, quantity: i32) -> Result<CartChange, AppError> {
    let (app, who, cookie) = (app()?, extract::<MaybeCustomer>().await?, extract::<super::CartCookie>().await?);
    let quantity = Quantity::try_from(quantity).map_err(|e| AppError::field("quantity", e.to_string()))?;
    let changed = super::add(&app, &who, &cookie, variant, quantity).await.map_err(super::in_words)?;
    changed.cookie.set_in_server_function();
    Ok(CartChange { count: changed.count, message: format!("{} is in your cart.", changed.title) })
}

/// Sets how many of a line are wanted, 0 to take it out, and answers what is different on the cart page.
#[server(endpoint = "set_cart_quantity")]
pub async fn set_cart_quantity(line: CartLineId, quantity: i32) -> Result<CartUpdate, AppError> {
    let (app, who, cookie) = (app()?, extract::<MaybeCustomer>().await?, extract::<super::CartCookie>().await?);
    let wanted = if quantity == 0 { None } else { Some(quantity) };
    let wanted = wanted.map(Quantity::try_from).transpose().map_err(|e| AppError::field("quantity", e.to_string()))?;
    let before = super::view(&app, &who, cookie.token()).await?;
    super::set_quantity(&app, &who, cookie.token(), line, wanted).await.map_err(super::in_words)?;
    let after = super::view(&app, &who, cookie.token()).await?;
    Ok(CartUpdate { count: after.count(), reload: !after.same_parts(&before), texts: after.texts() })
}
