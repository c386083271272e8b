//! The overview of one's account, the order history, and what everybody may see of a person.

use super::AccountFrame;
use crate::{
    accounts::{Handle, queries},
    error::AppError,
    orders::{self, model::OrderSummary},
    server::{auth::Customer, flash, page::Page, state::App},
    ui::{Badge, Empty, NextPage, Picture, Price, Tone, When},
};
use axum::extract::{Path, Query, State};
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

/// How many orders the overview shows.
const RECENT: usize = 3;

/// `GET /account`
pub async fn account(State(app): State<App>, who: Customer, session: Session) -> Result<Page, AppError> {
    let (mut recent, _) = orders::queries::history(&app.pool, &who, 0).await?;
    recent.truncate(RECENT);
    let notice = flash::take(&session).await?;
    Ok(Page::new("Your account", move || {
        let shop = who.vendor().cloned();
        let public = format!("/users/{}", who.handle());
        view! {
            <AccountFrame here="/account" title=format!("Hello {}", who.name())>
                <p>"Signed in as " {who.email().to_owned()} "."</p>
                {who.is_operator().then(|| view! { <p><a class="button" href="/operator">"Operator's desk"</a></p> })}
                {shop.map(|shop| view! { <ShopStatus name=shop.name status=shop.status/> })}
                <div class="account-overview">
                    <section>
                        <h2>"Recent orders"</h2>
                        {if recent.is_empty() {
                            view! { <p>"None yet. " <a href="/products">"Look around the market"</a></p> }.into_any()
                        } else {
                            view! { <OrderList orders=recent/> <p><a href="/account/orders">"All your orders"</a></p> }.into_any()
                        }}
                    </section>
                    <section>
                        <h2>"More"</h2>
                        <ul class="link-list">
                            <li><a href="/account/addresses">"Your addresses"</a></li>
                            <li><a href=public>"Your public profile"</a></li>
                        </ul>
                        <form method="post" action="/sign-out"><button type="submit">"Sign out"</button></form>
                    </section>
                </div>
            </AccountFrame>
        }
    })
    .notice(notice))
}

/// Which page of a list, counted from 0.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PageNumber {
    page: u32,
}

/// `GET /account/orders`
pub async fn order_history(
    State(app): State<App>,
    who: Customer,
    session: Session,
    Query(PageNumber { page }): Query<PageNumber>,
) -> Result<Page, AppError> {
    let (orders, more) = orders::queries::history(&app.pool, &who, page).await?;
    let notice = flash::take(&session).await?;
    Ok(Page::new("Your orders", move || {
        let next = more.then(|| format!("/account/orders?page={}", page.saturating_add(1)));
        view! {
            <AccountFrame here="/account/orders" title="Your orders">
                {if orders.is_empty() {
                    view! {
                        <Empty title="No orders yet">
                            <p>"What you buy is kept here, with where each parcel is."</p>
                            <p><a class="button" href="/products">"Look around the market"</a></p>
                        </Empty>
                    }.into_any()
                } else {
                    view! { <OrderList orders=orders/> }.into_any()
                }}
                <NextPage href=next/>
            </AccountFrame>
        }
    })
    .notice(notice))
}

/// Orders as a person remembers them: a picture, what it was, when, and how it stands.
#[component]
fn OrderList(orders: Vec<OrderSummary>) -> impl IntoView {
    let items = orders
        .into_iter()
        .map(|o| {
            let (tone, word) = orders::label(o.status, o.payment_status, o.fulfilment_status);
            let total = o.total();
            let more = match o.pieces {
                1 => String::new(),
                n => format!(" and {} more", n - 1),
            };
            view! {
                <li>
                    <Picture id=o.picture_id alt="" sizes="5rem"/>
                    <div>
                        <p><a href=format!("/orders/{}", o.id)>"Order " {o.number}</a> " " <Badge tone=tone label=word/></p>
                        <p>{o.title} {more}</p>
                        <p class="soft"><When at=o.created_at day_only=true/> " · " <Price money=total/></p>
                    </div>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="order-list">{items}</ul> }
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
