//! Goods in a list: picture first, then what it is, who sells it, and what it costs.

use super::model::Listing;
use crate::ui::{Badge, Picture, Price, Tone, Was};
use leptos::prelude::*;

/// One of the goods. The title is the link, spread over the whole card; the second picture shows under the pointer.
#[component]
pub fn Card(
    goods: Listing,
    /// For the first row of a page: its pictures are loaded at once.
    #[prop(optional)]
    eager: bool,
    /// Left out on the vendor's own page.
    #[prop(default = true)]
    vendor: bool,
) -> impl IntoView {
    const SIZES: &str = "(min-width: 64rem) 15rem, (min-width: 40rem) 30vw, 46vw";
    let second = goods.second_picture_id.map(|id| {
        view! { <span class="card-second"><Picture id=Some(id) alt="" sizes=SIZES/></span> }
    });
    let price = goods.price();
    view! {
        <li class="card">
            <span class="card-pictures" class:sold-out-picture=!goods.in_stock aria-hidden="true">
                <Picture id=goods.picture_id alt="" sizes=SIZES eager=eager/>
                {second}
                {(!goods.in_stock).then(|| view! { <Badge tone=Tone::Neutral label="Sold out"/> })}
            </span>
            <h3 class="card-title" dir="auto"><a href=goods.href()>{goods.title.clone()}</a></h3>
            {vendor.then(|| view! {
                <p class="card-vendor"><a href=format!("/vendors/{}", goods.vendor_slug)>{goods.vendor_name.clone()}</a></p>
            })}
            <p class="card-price">
                <Price money=price from=goods.varies()/>
                {goods.was().map(|was| view! { <Was money=was/> })}
                {(!goods.in_stock).then(|| view! { <span class="visually-hidden">", sold out"</span> })}
            </p>
        </li>
    }
}

/// Cards side by side, as many as there is room for.
#[component]
pub fn CardGrid(
    goods: Vec<Listing>,
    /// Whether the grid is the first thing to be seen of its page.
    #[prop(optional)]
    first: bool,
    #[prop(default = true)] vendor: bool,
) -> impl IntoView {
    let cards = goods
        .into_iter()
        .enumerate()
        .map(|(i, goods)| view! { <Card goods=goods eager={first && i < 4} vendor=vendor/> })
        .collect_view();
    view! { <ul class="cards">{cards}</ul> }
}
