//! The overview of one's account, the order history, and what everybody may see of a person.

use super::AccountFrame;
use crate::{
    accounts::{Handle, queries},
    error::AppError,
    server::{auth::Customer, flash, page::Page, state::App},
    ui::{Badge, Empty, Tone, When},
};
use axum::extract::{Path, State};
use leptos::prelude::*;
use tower_sessions::Session;

/// `GET /account`
pub async fn account(who: Customer, session: Session) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(Page::new("Your account", move || {
        let shop = who.vendor().cloned();
        let public = format!("/users/{}", who.handle());
        view! {
            <AccountFrame here="/account" title=format!("Hello {}", who.name())>
                <p>"Signed in as " {who.email().to_owned()} "."</p>
                {who.is_operator().then(|| view! { <p><a class="button" href="/operator">"Operator's desk"</a></p> })}
                {shop.map(|shop| view! { <ShopStatus name=shop.name status=shop.status/> })}
                <ul class="link-list">
                    <li><a href="/account/orders">"Your orders"</a></li>
                    <li><a href="/account/addresses">"Your addresses"</a></li>
                    <li><a href=public>"Your public profile"</a></li>
                </ul>
                <form method="post" action="/sign-out"><button type="submit">"Sign out"</button></form>
            </AccountFrame>
        }
    })
    .notice(notice))
}

/// `GET /account/orders`
pub async fn orders(_who: Customer, session: Session) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(Page::new("Your orders", move || {
        view! {
            <AccountFrame here="/account/orders" title="Your orders">
                <Empty title="No orders yet">
                    <p>"What you buy is kept here, with where each parcel is."</p>
                    <p><a class="button" href="/products">"Look around the market"</a></p>
                </Empty>
            </AccountFrame>
        }
    })
    .notice(notice))
}

/// Where one's shop stands, in a line with the way on.
#[component]
fn ShopStatus(name: String, status: String) -> impl IntoView {
    let (tone, label, href, link) = match status.as_str() {
        "approved" => (Tone::Good, "open", "/vendor", "Go to your shop"),
        "pending" => (Tone::Warn, "waiting for approval", "/account/vendor", "See your application"),
        "refused" => (Tone::Bad, "not approved", "/account/vendor", "See why"),
        _ => (Tone::Bad, "closed for now", "/account/vendor", "See why"),
    };
    view! {
        <p class="shop-status"><strong>{name}</strong> <Badge tone=tone label=label/> <a href=href>{link}</a></p>
    }
}

/// `GET /users/{handle}`
pub async fn public_profile(State(app): State<App>, Path(handle): Path<String>) -> Result<Page, AppError> {
    let handle: Handle = handle.parse().map_err(|_| AppError::NotFound)?;
    let person = queries::public_profile(&app.pool, &handle).await?.ok_or(AppError::NotFound)?;
    let description = format!("{} on Souk", person.name);
    let path = format!("/users/{}", person.handle);
    Ok(Page::new(person.name.clone(), move || {
        let shop = person.vendor_slug.zip(person.vendor_name);
        view! {
            <section class="profile">
                <h1>{person.name}</h1>
                <p>"At the market since " <When at=person.created_at day_only=true/> "."</p>
                {shop.map(|(slug, name)| view! { <p>"Runs the shop " <a href=format!("/vendors/{slug}")>{name}</a> "."</p> })}
            </section>
        }
    })
    .public(description, path))
}
