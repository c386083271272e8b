//! What the browser calls without loading a page.

use super::model::NewTotals;
use crate::error::AppError;
use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::{
    cart::CartCookie,
    server::{
        auth::MaybeCustomer,
        extract::{app, extract},
    },
};

/// What the order costs with other choices: `address` is an entry of the address book or `new`, `shipping` is `vendor:method` pairs
/// and `lines` are those of the form, both with spaces between; `coupon` is the code that the page was reckoned with.
#[server(endpoint = "quote_checkout")]
pub async fn quote_checkout(
    address: String,
    country: String,
    shipping: String,
    lines: String,
    coupon: String,
) -> Result<NewTotals, AppError> {
    let (app, who, cookie) = (app()?, extract::<MaybeCustomer>().await?, extract::<CartCookie>().await?);
    let form = super::form::CheckoutForm::choices(address, country, &shipping, &lines, coupon)?;
    let shown = super::pages::load(&app, &who, cookie.token(), &form).await?;
    Ok(NewTotals { total_minor: shown.quote.sums.total_minor, texts: shown.quote.texts() })
}
