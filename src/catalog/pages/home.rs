//! The entrance: the departments, what came in lately, and who sells here.

use super::vendors::ShopCards;
use crate::{
    catalog::{CardGrid, filter::ListFilter, queries, queries::Department},
    error::AppError,
    server::{page::Page, state::App},
    ui::{Empty, Picture},
};
use axum::extract::State;
use leptos::prelude::*;

/// `/`
pub async fn home(State(app): State<App>) -> Result<Page, AppError> {
    let departments = queries::departments(&app.pool).await?;
    let arrivals = queries::list(&app, &ListFilter { limit: 10, in_stock: true, ..ListFilter::default() }).await?.goods;
    let shops = queries::shops_with_character(&app.pool).await?;
    let description = "A covered market of independent vendors: good things, made or chosen by people who know them.";
    Ok(Page::new("Souk", move || {
        view! {
            <div class="home">
                <h1 class="visually-hidden">"Souk, a market of independent vendors"</h1>
                {if departments.is_empty() {
                    view! {
                        <Empty title="The market hall is still empty">
                            <p>"No vendor has set out goods yet. Do you make or choose something good?"</p>
                            <p><a class="button" href="/account/vendor">"Sell on Souk"</a></p>
                        </Empty>
                    }
                    .into_any()
                } else {
                    view! { <Departments departments=departments/> }.into_any()
                }}
                {(!arrivals.is_empty()).then(|| view! {
                    <section class="home-part" aria-labelledby="arrivals">
                        <div class="home-head"><h2 id="arrivals">"Just set out"</h2> <a href="/products">"All goods, newest first"</a></div>
                        <CardGrid goods=arrivals/>
                    </section>
                })}
                {(!shops.is_empty()).then(|| view! {
                    <section class="home-part" aria-labelledby="vendors">
                        <div class="home-head"><h2 id="vendors">"Who sells here"</h2> <a href="/vendors">"All vendors"</a></div>
                        <ShopCards shops=shops/>
                    </section>
                })}
            </div>
        }
    })
    .public(description, "/"))
}

/// The departments as stalls: a picture from each, its name, and what else is there.
#[component]
fn Departments(departments: Vec<Department>) -> impl IntoView {
    let stalls = departments
        .into_iter()
        .map(|d| {
            let below = d.below.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
            view! {
                <li class="stall">
                    <span class="stall-picture" aria-hidden="true">
                        <Picture id=d.picture_id alt="" sizes="(min-width: 64rem) 18rem, 45vw" eager=true/>
                    </span>
                    <h2 class="stall-name"><a href=format!("/categories/{}", d.slug)>{d.name.clone()}</a></h2>
                    {(!below.is_empty()).then(|| view! { <p class="stall-below">{below}</p> })}
                </li>
            }
        })
        .collect_view();
    view! { <nav aria-label="Departments"><ul class="stalls">{stalls}</ul></nav> }
}
