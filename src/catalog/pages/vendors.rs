//! The vendors, and the shop of each.

use super::{
    address, country_name, moved, pairs,
    product::Away,
    shelf::{self, Place, Shelf, ShelfView},
};
use crate::{
    catalog::{
        filter::ListFilter,
        model::{Shop, ShopCard, paragraphs},
        queries::{self, Key},
    },
    error::AppError,
    server::{page::Page, state::App},
    ui::{Breadcrumbs, Empty, NextPage, Picture},
};
use axum::{
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;

/// `/vendors`
pub async fn all(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Page, AppError> {
    let after = pairs(query).into_iter().find(|(name, _)| name == "after").map(|(_, cursor)| cursor);
    let page = queries::shops(&app, after.as_deref()).await?;
    let next = page.next.map(|c| address("/vendors", &format!("after={c}")));
    Ok(Page::new("Vendors", move || {
        view! {
            <h1>"Who sells here"</h1>
            {if page.shops.is_empty() {
                view! {
                    <Empty title="No vendor has opened a shop yet">
                        <p>"The first one could be yours."</p>
                        <p><a class="button" href="/account/vendor">"Sell on Souk"</a></p>
                    </Empty>
                }
                .into_any()
            } else {
                view! {
                    <h2 class="visually-hidden">"Vendors by name"</h2>
                    <ShopCards shops=page.shops/>
                }
                .into_any()
            }}
            <NextPage href=next/>
        }
    })
    .public("The vendors of Souk: makers, growers and people with an eye for good things.", "/vendors"))
}

/// `/vendors/{name}`, with the vendor's goods as a list of its own.
pub async fn shop(State(app): State<App>, Path(name): Path<String>, RawQuery(query): RawQuery) -> Result<Response, AppError> {
    let key = Key::parse(&name).ok_or(AppError::NotFound)?;
    let shop = queries::shop(&app.pool, &key, app.config.currency).await?.ok_or(AppError::NotFound)?;
    let href = format!("/vendors/{}", shop.slug);
    if matches!(key, Key::Id(_)) {
        return moved(&address(&href, &query.unwrap_or_default()));
    }
    let slug = shop.slug.parse().map_err(|_| AppError::NotFound)?;
    let asked = match shelf::asked(&app, query, &href, |f: &mut ListFilter| f.vendor = None)? {
        Ok(asked) => asked.with(|f| f.vendor = Some(slug)),
        Err(tidy) => return Ok(tidy),
    };
    let shelf = Shelf::load(&app, asked, Place { base: href.clone(), vendor: true, ..Place::default() }).await?;
    let description = if shop.tagline.is_empty() { format!("The goods of {} on Souk.", shop.name) } else { shop.tagline.clone() };
    Ok(Page::new(shop.name.clone(), move || {
        view! {
            <Breadcrumbs trail=vec![("/vendors".into(), "Vendors".into()), (href, shop.name.clone())]/>
            <ShopHead shop=shop/>
            <ShelfView shelf=shelf/>
        }
    })
    .public(description, format!("/vendors/{name}"))
    .into_response())
}

#[component]
fn ShopHead(shop: Shop) -> impl IntoView {
    let delivery = shop.delivery.as_ref().map(|d| {
        let free = d.free_over.map(|m| format!(", free from {m}")).unwrap_or_default();
        format!("Sends with {} in {}, for {}{free}.", d.name, d.days(), d.price)
    });
    let text = paragraphs(&shop.description);
    view! {
        <header class="shop-head">
            <h1 dir="auto">{shop.name.clone()}</h1>
            {shop.holiday.map(|holiday| view! { <Away shop=shop.name holiday=holiday/> })}
            {(!shop.tagline.is_empty()).then(|| view! { <p class="shop-tagline" dir="auto">{shop.tagline}</p> })}
            {(!text.is_empty()).then(|| view! {
                <div class="shop-text" dir="auto">{text.into_iter().map(|p| view! { <p>{p}</p> }).collect_view()}</div>
            })}
            <p class="shop-facts">{format!("From {}. ", country_name(&shop.country))} {delivery}</p>
        </header>
    }
}

/// Vendors side by side: a taste of the goods, the name, and what they say of themselves.
#[component]
pub fn ShopCards(shops: Vec<ShopCard>) -> impl IntoView {
    let cards = shops
        .into_iter()
        .map(|shop| {
            let goods = match shop.goods {
                0 => "Nothing set out yet".to_owned(),
                1 => "1 thing for sale".to_owned(),
                n => format!("{n} things for sale"),
            };
            let pictures = (0..3)
                .map(|i| match shop.pictures.get(i) {
                    Some(id) => view! { <Picture id=Some(*id) alt="" sizes="(min-width: 64rem) 8rem, 30vw"/> }.into_any(),
                    None => view! { <span class="picture picture-blank"></span> }.into_any(),
                })
                .collect_view();
            view! {
                <li class="shop-card">
                    <span class="shop-pictures" aria-hidden="true">{pictures}</span>
                    <h3 class="shop-name" dir="auto"><a href=format!("/vendors/{}", shop.slug)>{shop.name}</a></h3>
                    {(!shop.tagline.is_empty()).then(|| view! { <p class="shop-line" dir="auto">{shop.tagline}</p> })}
                    <p class="shop-facts">{format!("{} · {goods}", country_name(&shop.country))}</p>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="shop-cards">{cards}</ul> }
}
