//! Who sits at the vendor's desk, and what stands there for someone whose shop is not open.

use crate::{
    error::AppError,
    server::{
        auth::{Customer, Vendor},
        page::Page,
        state::App,
    },
};
use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};
use leptos::prelude::*;

/// The guard of every page of the desk: a [`Vendor`], or a page that says how the application stands instead of a bare no.
pub struct Desk(pub Vendor);

impl FromRequestParts<App> for Desk {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        match Vendor::from_request_parts(parts, app).await {
            Ok(vendor) => Ok(Self(vendor)),
            Err(AppError::Forbidden) => match Customer::from_request_parts(parts, app).await {
                Ok(customer) => Err(closed(&customer).into_response()),
                Err(error) => Err(error.into_response()),
            },
            Err(error) => Err(error.into_response()),
        }
    }
}

fn closed(customer: &Customer) -> Page {
    let (title, text, link) = match customer.vendor().map(|shop| (shop.status.as_str(), shop.name.as_str())) {
        Some(("pending", name)) => (
            "Your application is being read",
            format!("We have what you told us about {name}. We write to you when it is decided; then your goods can go up."),
            "See your application",
        ),
        Some(("refused", name)) => (
            "Your application was not accepted",
            format!("{name} cannot sell here for now. The reason stands with your application."),
            "Read the reason",
        ),
        Some(("suspended", name)) => (
            "Your shop is closed for now",
            format!("{name} was suspended: its goods are off sale. The reason stands with your application."),
            "Read the reason",
        ),
        _ => (
            "You do not have a shop yet",
            "Vendors on Souk send their goods themselves, straight to the shopper. Tell us about yours and we look at it."
                .to_owned(),
            "Apply to sell",
        ),
    };
    Page::new(title, move || {
        view! {
            <section class="error-page">
                <h1>{title}</h1>
                <p>{text}</p>
                <p><a class="button button-main" href="/account/vendor">{link}</a></p>
            </section>
        }
    })
    .status(StatusCode::FORBIDDEN)
}
