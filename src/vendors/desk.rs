//! Who sits at the vendor's desk, and what stands there for someone whose shop is not open or whose role is not enough.

use crate::{
    error::AppError,
    server::{
        auth::{Customer, Seat, Vendor},
        page::{Layout, Page},
        state::App,
    },
    vendors::{role::TeamRole, team},
};
use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};
use leptos::prelude::*;

/// The sections of the dashboard: address, label, and the least role that is enough for it.
pub const SECTIONS: &[(&str, &str, TeamRole)] = &[
    ("/vendor", "Today", TeamRole::Fulfiller),
    ("/vendor/products", "Products", TeamRole::Fulfiller),
    ("/vendor/orders", "Orders", TeamRole::Fulfiller),
    ("/vendor/returns", "Returns", TeamRole::Manager),
    ("/vendor/disputes", "Disputes", TeamRole::Manager),
    ("/vendor/sales", "Sold", TeamRole::Manager),
    ("/vendor/payouts", "Payouts", TeamRole::Owner),
    ("/vendor/statements", "Statements", TeamRole::Owner),
    ("/vendor/promotions", "Promotions", TeamRole::Manager),
    ("/vendor/coupons", "Coupons", TeamRole::Manager),
    ("/vendor/documents", "Documents", TeamRole::Manager),
    ("/vendor/shop", "Shop", TeamRole::Manager),
    ("/vendor/team", "Team", TeamRole::Fulfiller),
];

/// The guard of every page of the desk, by the least role that is enough: a [`Vendor`] for everybody of the team, a `Manager` or an
/// `Owner`. Or a page that says how the application stands, or who may instead, in the place of a bare no.
pub struct Desk<G = Vendor>(pub G);

impl<G: Seat> FromRequestParts<App> for Desk<G> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let customer = Customer::from_request_parts(parts, app).await.map_err(IntoResponse::into_response)?;
        let Some(vendor) = Vendor::of(&customer) else { return Err(closed(&customer).into_response()) };
        match G::admit(vendor.clone()) {
            Some(seat) => Ok(Self(seat)),
            None => Err(match not_theirs(app, &vendor, G::ROLE).await {
                Ok(page) => page.into_response(),
                Err(error) => error.into_response(),
            }),
        }
    }
}

/// 403, with who of the team may.
pub async fn not_theirs(app: &App, vendor: &Vendor, asked: TeamRole) -> Result<Page, AppError> {
    let who = team::who_may(&app.pool, vendor, asked).await?;
    let (name, role) = (vendor.name().to_owned(), vendor.role());
    Ok(Page::new("Not for your role", move || {
        let who = who.into_iter().map(|(name, role)| view! { <li>{name} ", " {role.label().to_lowercase()}</li> }).collect_view();
        view! {
            <section class="error-page">
                <h1>"Not for your role"</h1>
                <p>{format!("You are {} of {name}, and this is for {}. These can do it, or give you the role:", role.article(), audience(asked))}</p>
                <ul>{who}</ul>
                <p><a class="button" href="/vendor">"Back to the desk"</a> " " <a href="/vendor/team">"The team"</a></p>
            </section>
        }
    })
    .layout(Layout::Vendor(""))
    .status(StatusCode::FORBIDDEN))
}

fn audience(asked: TeamRole) -> &'static str {
    match asked {
        TeamRole::Fulfiller => "everybody of the team",
        TeamRole::Manager => "managers and owners",
        TeamRole::Owner => "owners",
    }
}

fn closed(customer: &Customer) -> Page {
    let own = customer.vendor().is_none_or(|shop| shop.role == TeamRole::Owner);
    let (title, text, link) = match customer.vendor().map(|shop| (shop.status.as_str(), shop.name.as_str())) {
        Some((_, name)) if !own => (
            "The shop is closed for now",
            format!("{name} was suspended: its goods are off sale. Its owners know why."),
            "Your place in the team",
        ),
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
