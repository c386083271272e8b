//! What narrows a list: a form beside it (a sheet on the phone), what is applied as chips, and the orders as links.

use super::{Shelf, sort_label};
use crate::{
    catalog::{filter::Sort, slug::Slug},
    ui::Checkbox,
};
use leptos::prelude::*;

/// The orders, as links: one press, with or without script.
#[component]
pub fn SortLinks<'a>(shelf: &'a Shelf) -> impl IntoView + use<> {
    let now = shelf.filter.order();
    let all = if shelf.filter.q.is_some() {
        &[Sort::Relevance, Sort::Newest, Sort::PriceUp, Sort::PriceDown][..]
    } else {
        &[Sort::Newest, Sort::PriceUp, Sort::PriceDown][..]
    };
    // The first one is what the list has by itself: its address needs no sort.
    let standing = all[0];
    let links = all
        .iter()
        .map(|&sort| {
            let href = shelf.link(|f| f.sort = (sort != standing).then_some(sort));
            view! { <li><a href=href aria-current=(sort == now).then_some("true")>{sort_label(sort)}</a></li> }
        })
        .collect_view();
    view! { <nav class="sort" aria-label="Sort"><ul>{links}</ul></nav> }
}

/// What narrows the list now; pressing one takes it away.
#[component]
pub fn Applied<'a>(shelf: &'a Shelf) -> impl IntoView + use<> {
    let f = &shelf.filter;
    let mut chips: Vec<(String, String)> = Vec::new();
    if let Some(category) = f.category.as_ref().filter(|_| !shelf.place.category) {
        let name = shelf.tree.find(category.as_str()).map_or_else(|| category.to_string(), |c| c.name.clone());
        chips.push((name, shelf.link(|f| f.category = None)));
    }
    if let Some(vendor) = f.vendor.as_ref().filter(|_| !shelf.place.vendor) {
        let known = shelf.choices.vendors().iter().find(|v| v.slug == vendor.as_str());
        chips.push((known.map_or_else(|| vendor.to_string(), |v| v.name.clone()), shelf.link(|f| f.vendor = None)));
    }
    if let Some(low) = f.min_price {
        chips.push((format!("From {}", shelf.money(low)), shelf.link(|f| f.min_price = None)));
    }
    if let Some(high) = f.max_price {
        chips.push((format!("Up to {}", shelf.money(high)), shelf.link(|f| f.max_price = None)));
    }
    if f.in_stock {
        chips.push(("In stock".into(), shelf.link(|f| f.in_stock = false)));
    }
    (!chips.is_empty()).then(|| {
        let several = chips.len() > 1;
        let all = shelf.link(|f| {
            (f.category, f.vendor, f.min_price, f.max_price, f.in_stock) = (None, None, None, None, false);
        });
        let chips = chips
            .into_iter()
            .map(|(label, href)| {
                view! {
                    <li>
                        <a class="chip" href=href>
                            <span class="visually-hidden">"Remove filter: "</span>
                            <span dir="auto">{label}</span>
                            <span class="chip-cross" aria-hidden="true">"×"</span>
                        </a>
                    </li>
                }
            })
            .collect_view();
        view! {
            <ul class="chips" aria-label="Applied filters">
                {chips}
                {several.then(|| view! { <li><a href=all>"Remove all"</a></li> })}
            </ul>
        }
    })
}

/// Categories as links, the rest as one form that asks the same address again.
#[component]
pub fn FilterSheet<'a>(shelf: &'a Shelf) -> impl IntoView + use<> {
    let f = &shelf.filter;
    let keep = [
        ("q", f.q.clone()),
        ("category", f.category.as_ref().filter(|_| !shelf.place.category).map(Slug::to_string)),
        ("sort", f.sort.map(|s| s.code().to_owned())),
    ];
    let hidden = keep
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| view! { <input type="hidden" name=name value=value/> }))
        .collect_view();
    let typed = |name: &str, minor: Option<i64>| minor.map_or_else(|| shelf.typed(name), |m| shelf.money(m).plain());
    let price = PriceProps {
        low: typed("min_price", f.min_price),
        high: typed("max_price", f.max_price),
        lowest: shelf.choices.lowest.map(|m| shelf.money(m).to_string()),
        highest: shelf.choices.highest.map(|m| shelf.money(m).to_string()),
        low_error: shelf.errors.get("min_price").map(str::to_owned),
        high_error: shelf.errors.get("max_price").map(str::to_owned),
    };
    view! {
        <section id="filters" class="filters" popover="auto" aria-label="Filters">
            <div class="filters-head">
                <h2>"Filters"</h2>
                <button class="button-quiet" type="button" popovertarget="filters" popovertargetaction="hide">"Close"</button>
            </div>
            <Categories shelf=shelf/>
            <form class="filter-form" action=shelf.place.base.clone()>
                {hidden}
                {price_fields(price)}
                <Checkbox label="In stock only" name="in_stock" value="true" checked=f.in_stock/>
                {(!shelf.place.vendor).then(|| view! { <Vendors shelf=shelf/> })}
                <button type="submit">"Show goods"</button>
            </form>
        </section>
    }
}

struct PriceProps {
    low: String,
    high: String,
    lowest: Option<String>,
    highest: Option<String>,
    low_error: Option<String>,
    high_error: Option<String>,
}

fn price_fields(p: PriceProps) -> impl IntoView {
    let field = |name: &'static str, label: &'static str, value: String, hint: Option<String>, error: Option<&String>| {
        let (id, about) = (format!("f-{name}"), format!("f-{name}-error"));
        view! {
            <div class="field">
                <label for=id.clone()>{label}</label>
                <input
                    id=id
                    name=name
                    value=value
                    inputmode="decimal"
                    placeholder=hint
                    aria-invalid=error.map(|_| "true")
                    aria-describedby=error.map(|_| about.clone())
                />
                {error.map(|e| view! { <p class="field-error" id=about.clone()>{e.clone()}</p> })}
            </div>
        }
    };
    view! {
        <fieldset class="filter-price">
            <legend>"Price"</legend>
            {field("min_price", "From", p.low, p.lowest, p.low_error.as_ref())}
            {field("max_price", "To", p.high, p.highest, p.high_error.as_ref())}
        </fieldset>
    }
}

/// Where one can go from here: the departments, or what stands below or beside this category.
#[component]
fn Categories<'a>(shelf: &'a Shelf) -> impl IntoView + use<> {
    let tree = &shelf.tree;
    let here = shelf.filter.category.as_ref().and_then(|slug| tree.find(slug.as_str()));
    let by_address = shelf.filter.q.is_none() && !shelf.place.vendor;
    let href = |slug: &str| {
        if by_address {
            let rest = crate::catalog::filter::ListFilter { category: None, after: None, ..shelf.filter.clone() };
            super::address(&format!("/categories/{slug}"), &rest.query(shelf.currency))
        } else {
            shelf.link(|f| f.category = slug.parse().ok())
        }
    };
    let up = here.map(|c| match c.parent_id.and_then(|p| tree.by_id(p)) {
        Some(parent) => (href(&parent.slug), parent.name.clone()),
        None if by_address => ("/products".to_owned(), "All goods".to_owned()),
        None => (shelf.link(|f| f.category = None), "All departments".to_owned()),
    });
    let below: Vec<_> = match here {
        Some(c) => tree.below(c.id).collect(),
        None => tree.roots().collect(),
    };
    let exact = shelf.choices.exact();
    let links = below
        .into_iter()
        .filter_map(|c| {
            let goods = shelf.choices.in_category(c.id);
            (goods > 0 || !exact).then(|| {
                view! {
                    <li>
                        <a href=href(&c.slug)>{c.name.clone()}</a>
                        {exact.then(|| view! { " " <span class="filter-count">{goods}</span> })}
                    </li>
                }
            })
        })
        .collect::<Vec<_>>();
    let name = here.map(|c| c.name.clone());
    let any = up.is_some() || !links.is_empty();
    any.then(|| {
        view! {
            <nav class="filter-categories" aria-label="Categories">
                {up.map(|(href, name)| view! { <p class="filter-up"><a href=href>{name}</a></p> })}
                {name.map(|n| view! { <p class="filter-here"><strong>{n}</strong></p> })}
                {(!links.is_empty()).then(|| view! { <ul>{links}</ul> })}
            </nav>
        }
    })
}

/// The vendors of what was found, the one with the most first.
#[component]
fn Vendors<'a>(shelf: &'a Shelf) -> impl IntoView + use<> {
    let chosen = shelf.filter.vendor.as_ref().map(Slug::as_str).unwrap_or_default();
    let exact = shelf.choices.exact();
    let vendors = shelf
        .choices
        .vendors()
        .iter()
        .map(|v| {
            view! {
                <label class="check">
                    <input type="radio" name="vendor" value=v.slug.clone() checked={v.slug == chosen}/>
                    <span dir="auto">{v.name.clone()}</span>
                    {exact.then(|| view! { <span class="filter-count">{v.goods}</span> })}
                </label>
            }
        })
        .collect::<Vec<_>>();
    (vendors.len() > 1 || !chosen.is_empty()).then(|| {
        view! {
            <fieldset class="filter-vendors">
                <legend>"Vendor"</legend>
                <label class="check">
                    <input type="radio" name="vendor" value="" checked=chosen.is_empty()/>
                    <span>"Any vendor"</span>
                </label>
                {vendors}
            </fieldset>
        }
    })
}
