//! The list of the vendor's products: found by typing, by status, page by page.

use super::bulk::{self, BulkFields, TakeBack};
use crate::{
    catalog::{
        editing::{
            self, ProductStatus,
            queries::{self, ProductRow, category_choices},
        },
        export::{self, Which},
    },
    error::{AppError, FieldErrors},
    money::BasisPoints,
    server::{
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Badge, Empty, NextPage, Picture, Price, TableFrame, Tone, When},
    vendors::desk::Desk,
};
use axum::{
    extract::{Query, State},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use time::OffsetDateTime;
use tower_sessions::Session;
use uuid::Uuid;

const PAGE: i64 = 50;

#[derive(Deserialize)]
pub struct Filter {
    #[serde(default)]
    q: String,
    /// `draft`, `published`, `archived`; empty: all but the archived
    #[serde(default)]
    status: String,
    #[serde(default)]
    after: String,
}

impl Filter {
    fn which(&self) -> Result<Which, AppError> {
        let text = self.q.trim().to_owned();
        if text.contains('\0') {
            return Err(AppError::BadRequest("That cannot be searched for.".into()));
        }
        let status = match self.status.as_str() {
            "" => None,
            status => {
                Some(status.parse::<ProductStatus>().map_err(|()| AppError::BadRequest("There is no such status.".into()))?)
            }
        };
        Ok(Which { text, status })
    }
}

/// `/vendor/products.csv`: what the list has, all of it.
pub async fn export(State(app): State<App>, Desk(vendor): Desk, Query(filter): Query<Filter>) -> Result<Response, AppError> {
    Ok(export::products(app, vendor, filter.which()?))
}

/// `/vendor/products`
pub async fn list(
    State(app): State<App>,
    Desk(vendor): Desk,
    session: Session,
    Query(filter): Query<Filter>,
) -> Result<Page, AppError> {
    let Which { text, status } = filter.which()?;
    let after = match filter.after.as_str() {
        "" => None,
        cursor => Some(read_cursor(cursor).ok_or_else(|| AppError::BadRequest("This list has no such page.".into()))?),
    };
    let mut rows = queries::list(&app.pool, &vendor, &text, status, after, PAGE + 1).await?;
    let (drafts, published, archived) = queries::counts(&app.pool, &vendor).await?;
    let next = (rows.len() as i64 > PAGE).then(|| {
        rows.truncate(PAGE as usize);
        rows.last().map(|last| address(&text, status, &cursor(last)))
    });
    let notice = flash::take(&session).await?;
    let next = next.flatten();
    // Whoever changes nothing has nothing to choose.
    let many = match vendor.manager() {
        Some(manager) => Some((category_choices(&app.pool).await?, editing::bulk::last(&app.pool, &manager).await?)),
        None => None,
    };
    let edits = many.is_some();

    Ok(Page::new("Products", move || {
        let tabs = [
            (None, "All", drafts + published),
            (Some(ProductStatus::Published), "On sale", published),
            (Some(ProductStatus::Draft), "Drafts", drafts),
            (Some(ProductStatus::Archived), "Archived", archived),
        ]
        .map(|(tab, label, count)| {
            view! {
                <li><a href=address(&text, tab, "") aria-current=(tab == status).then_some("page")>
                    {label} " " <span class="count">{count}</span>
                </a></li>
            }
        })
        .into_iter()
        .collect_view();
        let filtered = !text.is_empty() || status.is_some();
        let (categories, last) = many.unzip();
        let list = if rows.is_empty() {
            nothing(filtered, edits).into_any()
        } else {
            let found = match status {
                None => drafts + published,
                Some(ProductStatus::Published) => published,
                Some(ProductStatus::Draft) => drafts,
                Some(ProductStatus::Archived) => archived,
            };
            let all = if text.is_empty() { format!("All {found} of this list") } else { "All that this filter finds".to_owned() };
            let fields = categories.map(|categories| {
                view! {
                    <details class="bulk">
                        <summary>"Change many"</summary>
                        <input type="hidden" name="q" value=text.clone()/>
                        <input type="hidden" name="status" value=status.map_or("", ProductStatus::as_str)/>
                        <p><label class="check"><input type="checkbox" name="all" value="true"/> {all} ", not only those chosen"</label></p>
                        <BulkFields categories=categories errors=FieldErrors::default() action=String::new() value=String::new() category=String::new()/>
                        <button class="button-main">"Look at it first"</button>
                    </details>
                }
            });
            view! { <form method="post" action=bulk::HERE autocomplete="off"><ProductTable rows=rows choose=edits/> {fields}</form> }.into_any()
        };
        view! {
            <div class="desk-head">
                <h1>"Products"</h1>
                {edits.then(|| view! {
                    <a class="button" href="/vendor/stock">"Prices and stock"</a>
                    <a class="button" href="/vendor/imports">"Import"</a>
                })}
                <a class="button" href=address_of("/vendor/products.csv", &text, status, "") download>"Export CSV"</a>
                {edits.then(|| view! { <a class="button button-main" href="/vendor/products/new">"New product"</a> })}
            </div>
            <nav class="tabs" aria-label="Status"><ul>{tabs}</ul></nav>
            <form class="desk-filter" role="search">
                <label class="visually-hidden" for="filter">"Title or SKU"</label>
                <input id="filter" name="q" type="search" value=text.clone() placeholder="Title or SKU"/>
                {status.map(|s| view! { <input type="hidden" name="status" value=s.as_str()/> })}
                <button type="submit">"Filter"</button>
            </form>
            <TakeBack last=last.flatten()/>
            <div id="live-list" data-live="asked">
                {list}
                <NextPage href=next/>
            </div>
        }
    })
    .layout(Layout::Vendor("/vendor/products"))
    .notice(notice))
}

fn nothing(filtered: bool, edits: bool) -> impl IntoView {
    if filtered {
        view! { <Empty title="Nothing here fits"><p><a href="/vendor/products">"Show all products"</a></p></Empty> }.into_any()
    } else {
        view! {
            <Empty title="Your shelf is empty">
                <p>"A product has a title, a price, a number in stock, and pictures. It stays a draft until you publish it."</p>
                {edits.then(|| view! { <p><a class="button button-main" href="/vendor/products/new">"Write your first product"</a></p> })}
            </Empty>
        }
        .into_any()
    }
}

#[component]
fn ProductTable(rows: Vec<ProductRow>, choose: bool) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let price = row.price().map(|(money, from)| view! { <Price money=money from=from/> });
            let reduced = (row.off_bp > 0)
                .then(|| view! { <span class="soft below">{format!("now {} off", BasisPoints(row.off_bp))}</span> });
            let stock = stock(&row);
            let (tone, label) = status_words(row.status);
            view! {
                <tr>
                    {choose.then(|| view! {
                        <td class="choose">
                            <input type="checkbox" name="product" value=row.id.to_string() aria-label=format!("Choose {}", row.title)/>
                        </td>
                    })}
                    <td class="thumb"><Picture id=row.picture_id alt="" sizes="2.25rem"/></td>
                    <th scope="row"><a href=format!("/vendor/products/{}", row.id)>{row.title}</a></th>
                    <td><Badge tone=tone label=label/></td>
                    <td class="number">{price} {reduced}</td>
                    <td class="number">{stock}</td>
                    <td class="minor"><When at=row.updated_at day_only=true/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame label="Products">
            <table class="products-table">
                <thead><tr>
                    {choose.then(|| view! { <th class="choose"><span class="visually-hidden">"Choose"</span></th> })}
                    <th class="thumb"><span class="visually-hidden">"Picture"</span></th>
                    <th scope="col">"Title"</th>
                    <th scope="col">"Status"</th>
                    <th scope="col" class="number">"Price"</th>
                    <th scope="col" class="number">"In stock"</th>
                    <th scope="col" class="minor">"Changed"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </TableFrame>
    }
}

fn stock(row: &ProductRow) -> impl IntoView + use<> {
    let (variants, sold_out, available) = (row.variants, row.sold_out, row.available);
    if variants == 0 {
        view! { <Badge tone=Tone::Warn label="no variant"/> }.into_any()
    } else if sold_out == variants {
        view! { <Badge tone=Tone::Bad label="sold out"/> }.into_any()
    } else {
        let note = match (sold_out, variants) {
            (0, 1) => None,
            (0, n) => Some(format!("in {n} variants")),
            (s, n) => Some(format!("{s} of {n} variants sold out")),
        };
        view! { {available} {note.map(|n| view! { <span class="soft below">{n}</span> })} }.into_any()
    }
}

/// How a product's status is shown, here and on its own page.
pub fn status_words(status: ProductStatus) -> (Tone, &'static str) {
    match status {
        ProductStatus::Draft => (Tone::Neutral, "draft"),
        ProductStatus::Published => (Tone::Good, "on sale"),
        ProductStatus::Archived => (Tone::Warn, "archived"),
    }
}

fn address(text: &str, status: Option<ProductStatus>, after: &str) -> String {
    address_of("/vendor/products", text, status, after)
}

fn address_of(path: &str, text: &str, status: Option<ProductStatus>, after: &str) -> String {
    let fields = [("q", text), ("status", status.map_or("", ProductStatus::as_str)), ("after", after)];
    let fields: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    match serde_urlencoded::to_string(&fields) {
        Ok(query) if !query.is_empty() => format!("{path}?{query}"),
        _ => path.into(),
    }
}

/// Where the next page starts: the last row's change in microseconds, and its id.
fn cursor(row: &ProductRow) -> String {
    format!("{}.{}", row.updated_at.unix_timestamp_nanos() / 1000, row.id)
}

fn read_cursor(text: &str) -> Option<(OffsetDateTime, Uuid)> {
    let (micros, id) = text.split_once('.')?;
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros.parse::<i64>().ok()?) * 1000).ok()?;
    Some((at, Uuid::try_parse(id).ok()?))
}
