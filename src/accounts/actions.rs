//! What the browser asks about the person.

use super::Whoami;
use crate::error::AppError;
#[cfg(feature = "ssr")]
use crate::server::{
    auth::MaybeCustomer,
    extract::{app, extract},
};
use leptos::prelude::*;

/// Who is signed in and what the cart holds, for the header of every page.
#[server(endpoint = "who_am_i")]
pub async fn who_am_i() -> Result<Whoami, AppError> {
    let who: MaybeCustomer = extract().await?;
    let cart_count = crate::cart::count(&app()?, &who, extract::<crate::cart::CartCookie>().await?.token()).await?;
    Ok(Whoami { name: who.customer().map(|c| c.name().to_owned()), cart_count })
}
