//! The page of a product: its pictures, what can be chosen, whether it is there, who sends it and when.

use super::{address, country_name, moved, pairs};
use crate::{
    catalog::{
        CardGrid,
        islands::VariantPicker,
        model::{Listing, PictureOf, ProductPage, first_choice, paragraphs, picture_anchor},
        queries::{self, Key},
    },
    error::AppError,
    ids::{PictureId, VariantId},
    server::{page::Page, state::App},
    ui::{Breadcrumbs, Notice, Picture, Price, Tone, picture_url},
    vendors::model::{Holiday, holiday_sentence},
};
use axum::{
    extract::{Path, RawQuery, State},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;

/// `/products/{name}`; `?variant=` shows one variant. Two queries.
pub async fn page(State(app): State<App>, Path(name): Path<String>, RawQuery(query): RawQuery) -> Result<Response, AppError> {
    let key = Key::parse(&name).ok_or(AppError::NotFound)?;
    let product = queries::product(&app.pool, &key).await?.ok_or(AppError::NotFound)?;
    let href = format!("/products/{}", product.slug);
    if matches!(key, Key::Id(_)) {
        return moved(&address(&href, &query.unwrap_or_default()));
    }
    let asked = pairs(query).into_iter().find(|(n, _)| n == "variant").and_then(|(_, v)| v.parse::<VariantId>().ok());
    let related = queries::related(&app.pool, &product).await?;
    let description = summary(&product);
    Ok(Page::new(product.title.clone(), move || view! { <Product product=product asked=asked related=related/> })
        .public(description, href)
        .into_response())
}

/// The first sentence or so of the description, for search engines.
fn summary(product: &ProductPage) -> String {
    let text = product.description.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return format!("{} from {} on Souk.", product.title, product.vendor_name);
    }
    match text.char_indices().nth(155) {
        None => text,
        Some((at, _)) => format!("{}…", text[..at].rsplit_once(' ').map_or(&text[..at], |(words, _)| words)),
    }
}

#[component]
fn Product(product: ProductPage, asked: Option<VariantId>, related: Vec<Listing>) -> impl IntoView {
    let mut trail: Vec<(String, String)> =
        product.categories.iter().map(|c| (format!("/categories/{}", c.slug), c.name.clone())).collect();
    trail.push((String::new(), product.title.clone()));
    let first = first_choice(&product.variants, asked);
    let (chosen, leads) = (first.map(|v| v.id), first.and_then(|v| v.picture_id));
    let sold_out = product.variants.iter().all(|v| v.available <= 0);
    let options = product.options();
    let cheapest = product.variants.iter().min_by_key(|v| v.price_minor);
    let price = cheapest.map(|v| (v.price(), product.variants.iter().any(|other| other.price_minor != v.price_minor)));
    let text = paragraphs(&product.description);
    view! {
        <Breadcrumbs trail=trail/>
        <article class="product">
            <Gallery pictures=product.pictures.clone() leads=leads sold_out=sold_out/>
            <div class="product-buy">
                <h1 dir="auto">{product.title.clone()}</h1>
                <p class="product-vendor">
                    "from " <a href=format!("/vendors/{}", product.vendor_slug)>{product.vendor_name.clone()}</a>
                </p>
                {product.holiday.as_ref().map(|holiday| view! {
                    {price.map(|(money, from)| view! {
                        <p class="buy-price"><Price money=money from=from/> <span class="soft">" incl. VAT"</span></p>
                    })}
                    <Away shop=product.vendor_name.clone() holiday=holiday.clone()/>
                })}
                {chosen.filter(|_| product.holiday.is_none()).map(|chosen| view! {
                    <VariantPicker page=format!("/products/{}", product.slug) options=options variants=product.variants.clone() chosen=chosen/>
                })}
                <Delivery product=&product/>
            </div>
            <div class="product-text">
                {(!text.is_empty()).then(|| view! {
                    <section class="product-about" aria-labelledby="about">
                        <h2 id="about">"About it"</h2>
                        <div class="product-description" dir="auto">
                            {text.into_iter().map(|p| view! { <p>{lines(p)}</p> }).collect_view()}
                        </div>
                    </section>
                })}
                <Details product=&product/>
                <VendorCard product=&product/>
            </div>
        </article>
        {(!related.is_empty()).then(|| view! {
            <section class="related" aria-labelledby="related">
                <h2 id="related">"Near it on the shelf"</h2>
                <CardGrid goods=related/>
            </section>
        })}
    }
}

/// Why nothing of this shop can be bought, until when, and what it says to that.
#[component]
pub fn Away(shop: String, holiday: Holiday) -> impl IntoView {
    let said = paragraphs(&holiday.message).into_iter().map(|p| view! { <p dir="auto">{lines(p)}</p> }).collect_view();
    view! {
        <Notice tone=Tone::Warn>
            <p><strong>{holiday_sentence(&shop, holiday.until)}</strong></p>
            {said}
        </Notice>
    }
}

/// A paragraph's own line breaks are kept.
fn lines(paragraph: String) -> impl IntoView {
    paragraph
        .split('\n')
        .enumerate()
        .map(|(i, line)| view! { {(i > 0).then(|| view! { <br/> })} {line.to_owned()} })
        .collect_view()
}

/// A strip that snaps from picture to picture, and small ones that lead there. Works by touch, by key and by link. First
/// comes the one that `leads`: what was chosen. The picker moves the strip when another is.
#[component]
fn Gallery(mut pictures: Vec<PictureOf>, leads: Option<PictureId>, sold_out: bool) -> impl IntoView {
    // The others keep their order.
    pictures.sort_by_key(|p| Some(p.id) != leads);
    if pictures.is_empty() {
        return view! { <div class="gallery"><Picture id=None alt=""/></div> }.into_any();
    }
    let many = pictures.len() > 1;
    let large = pictures
        .iter()
        .enumerate()
        .map(|(i, p)| {
            view! {
                <li id=picture_anchor(p.id)>
                    <Picture id=Some(p.id) alt=p.alt.clone() sizes="(min-width: 64rem) 38rem, 100vw" eager={i == 0}/>
                </li>
            }
        })
        .collect_view();
    let small = pictures
        .iter()
        .enumerate()
        .map(|(i, p)| {
            view! {
                <li>
                    <a href=format!("#{}", picture_anchor(p.id)) aria-label=format!("Picture {}", i + 1)>
                        <img class="picture" src=picture_url(p.id, 320) alt="" width="80" height="80" loading="lazy"/>
                    </a>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="gallery" class:sold-out-picture=sold_out aria-label="Pictures">
            <ul class="gallery-strip" tabindex=many.then_some("0")>{large}</ul>
            {many.then(|| view! { <ul class="gallery-thumbs">{small}</ul> })}
        </section>
    }
    .into_any()
}

/// When it comes, and what if it does not please: one sentence each.
#[component]
fn Delivery<'a>(product: &'a ProductPage) -> impl IntoView + use<> {
    let sending = product.delivery.as_ref().map(|d| {
        let free =
            d.free_over.map(|m| format!("; free when you buy for {m} or more from {}", product.vendor_name)).unwrap_or_default();
        let price = if d.price.minor == 0 { "free".to_owned() } else { d.price.to_string() };
        format!("{} delivery in {}, {price}{free}.", d.name, d.days())
    });
    view! {
        <ul class="promises">
            {sending.map(|s| view! { <li>{s}</li> })}
            <li>"You may send it back within 30 days of its arrival, unused, and get your money back."</li>
        </ul>
    }
}

#[component]
fn Details<'a>(product: &'a ProductPage) -> impl IntoView + use<> {
    let category = product.categories.last().cloned();
    let skus = product.variants.iter().map(|v| v.sku.clone()).collect::<Vec<_>>();
    let many = skus.len() > 12;
    let shown = skus.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
    let options = product.options();
    view! {
        <section aria-labelledby="details">
            <h2 id="details">"Details"</h2>
            <dl class="facts">
                {options.into_iter().map(|(name, values)| view! { <dt>{name}</dt> <dd dir="auto">{values.join(", ")}</dd> }).collect_view()}
                {category.map(|c| view! { <dt>"Category"</dt> <dd><a href=format!("/categories/{}", c.slug)>{c.name}</a></dd> })}
                <dt>"Vendor"</dt>
                <dd dir="auto">{product.vendor_name.clone()}</dd>
                <dt>"SKU"</dt>
                <dd>{shown} {many.then_some(" …")}</dd>
            </dl>
        </section>
    }
}

#[component]
fn VendorCard<'a>(product: &'a ProductPage) -> impl IntoView + use<> {
    view! {
        <section class="vendor-card" aria-labelledby="vendor">
            <h2 id="vendor" dir="auto"><a href=format!("/vendors/{}", product.vendor_slug)>{product.vendor_name.clone()}</a></h2>
            {(!product.vendor_tagline.is_empty()).then(|| view! { <p dir="auto">{product.vendor_tagline.clone()}</p> })}
            <p class="soft">{format!("Sends from {}.", country_name(&product.vendor_country))}</p>
        </section>
    }
}
