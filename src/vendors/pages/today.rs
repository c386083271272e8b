//! What needs the vendor now, then the numbers.

use super::holiday::HolidayNote;
use crate::{
    disputes,
    error::AppError,
    money::Money,
    orders::{
        model::{VendorOrderFilter, VendorOrderSummary},
        queries as orders,
    },
    returns,
    server::{
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Badge, TableFrame, Tone},
    vendors::{
        desk::Desk,
        holiday,
        model::{CURRENCY, age},
        queries::{self, Draft, LowStock, Takings},
    },
};
use axum::extract::State;
use leptos::prelude::*;
use time::OffsetDateTime;
use tower_sessions::Session;

/// Fewer than this can be bought: worth a look.
const LOW: i32 = 4;
/// How many of the waiting orders stand on this page.
const SHOWN: usize = 8;
/// An order that waits longer than this is late.
const LATE_HOURS: i64 = 48;

/// `/vendor`
pub async fn today(State(app): State<App>, Desk(vendor): Desk, session: Session) -> Result<Page, AppError> {
    let (waiting, _) = orders::vendor_orders(&app.pool, &vendor, VendorOrderFilter::ToShip, 0).await?;
    let to_ship = orders::count_to_ship(&app.pool, &vendor).await?;
    let low = queries::low_stock(&app.pool, &vendor, LOW).await?;
    // What a fulfiller has nothing to do with does not wait for one.
    let (drafts, takings, returns, disputes) = match vendor.manager() {
        Some(manager) => (
            queries::drafts(&app.pool, &vendor).await?,
            Some(queries::takings(&app.pool, &manager).await?),
            returns::queries::count_waiting(&app.pool, &manager).await?,
            disputes::queries::count_waiting(&app.pool, &manager).await?,
        ),
        None => (Vec::new(), None, 0, 0),
    };
    let manages = takings.is_some();
    let holiday = holiday::of(&app.pool, &vendor).await?;
    let now = OffsetDateTime::now_utc();
    let notice = flash::take(&session).await?;
    let name = vendor.name().to_owned();

    Ok(Page::new("Today", move || {
        let calm = waiting.is_empty() && low.is_empty() && drafts.is_empty() && returns == 0 && disputes == 0;
        view! {
            <div class="desk-head">
                <h1>{name}</h1>
                {manages.then(|| view! { <a class="button" href="/vendor/products/new">"New product"</a> })}
            </div>
            <HolidayNote holiday=holiday edits=manages/>
            <div id="live-needs" data-live="asked">
                {calm.then(|| view! { <p class="calm">"Nothing waits for you: every order is on its way and every shelf is full."</p> })}
                <div class="needs">
                    <ToShip waiting=waiting total=to_ship now=now/>
                    <Disputes waiting=disputes/>
                    <Returns waiting=returns/>
                    <Low rows=low/>
                    <Drafts rows=drafts/>
                </div>
            </div>
            {takings.map(|(day, month)| view! {
                <section aria-labelledby="numbers">
                    <h2 id="numbers">"Taken in"</h2>
                    <div class="numbers" id="live-numbers" data-live="now">
                        <Numbers label="Today" takings=day/>
                        <Numbers label="Last 30 days" takings=month/>
                    </div>
                    <p class="hint">"Paid orders, with shipping and VAT; days in UTC. "<a href="/vendor/sales">"What was sold"</a></p>
                </section>
            })}
        }
    })
    .layout(Layout::Vendor("/vendor"))
    .notice(notice))
}

#[component]
fn ToShip(waiting: Vec<VendorOrderSummary>, total: i64, now: OffsetDateTime) -> impl IntoView {
    if waiting.is_empty() {
        return ().into_any();
    }
    let rows = waiting
        .into_iter()
        .take(SHOWN)
        .map(|order| {
            let hours = (now - order.placed_at.unwrap_or(order.created_at)).whole_hours();
            let tone = if hours >= LATE_HOURS { Tone::Bad } else { Tone::Neutral };
            view! {
                <tr>
                    <th scope="row"><a href=format!("/vendor/orders/{}", order.id)>{order.number}</a></th>
                    <td>{order.ship_name}</td>
                    <td class="number">{pieces(order.pieces)}</td>
                    <td><Badge tone=tone label=age(hours)/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="to-ship">
            <h2 id="to-ship">{format!("To ship: {total}")}</h2>
            <TableFrame label="Orders to ship">
                <table>
                    <thead><tr>
                        <th scope="col">"Order"</th> <th scope="col">"For"</th> <th scope="col" class="number">"Pieces"</th>
                        <th scope="col">"Waiting"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableFrame>
            {(total > SHOWN as i64).then(|| view! { <p><a href="/vendor/orders">"All orders to ship"</a></p> })}
        </section>
    }
    .into_any()
}

#[component]
fn Disputes(waiting: i64) -> impl IntoView {
    (waiting > 0).then(|| {
        view! {
            <section aria-labelledby="disputes">
                <h2 id="disputes">{format!("Disputes: {waiting}")}</h2>
                <p><a href="/vendor/disputes">"The bank waits for what you have to say"</a></p>
            </section>
        }
    })
}

#[component]
fn Returns(waiting: i64) -> impl IntoView {
    (waiting > 0).then(|| {
        view! {
            <section aria-labelledby="returns">
                <h2 id="returns">{format!("Returns: {waiting}")}</h2>
                <p><a href="/vendor/returns">{if waiting == 1 { "One waits for you" } else { "They wait for you" }}</a></p>
            </section>
        }
    })
}

#[component]
fn Low(rows: Vec<LowStock>) -> impl IntoView {
    if rows.is_empty() {
        return ().into_any();
    }
    let rows = rows
        .into_iter()
        .map(|row| {
            let (tone, label) = match row.available {
                0 => (Tone::Bad, "sold out".to_owned()),
                n => (Tone::Warn, format!("{n} left")),
            };
            let options = (!row.options.is_empty()).then(|| view! { " " <span class="soft">{row.options}</span> });
            view! {
                <tr>
                    <th scope="row"><a href=format!("/vendor/products/{}", row.product_id)>{row.title}</a> {options}</th>
                    <td class="minor">{row.sku}</td>
                    <td><Badge tone=tone label=label/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="low">
            <h2 id="low">"Running out"</h2>
            <TableFrame label="Variants running out">
                <table>
                    <thead><tr>
                        <th scope="col">"Product"</th> <th scope="col" class="minor">"SKU"</th> <th scope="col">"Left"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableFrame>
        </section>
    }
    .into_any()
}

#[component]
fn Drafts(rows: Vec<Draft>) -> impl IntoView {
    if rows.is_empty() {
        return ().into_any();
    }
    let rows = rows
        .into_iter()
        .map(|row| view! { <li><a href=format!("/vendor/products/{}", row.id)>{row.title}</a></li> })
        .collect_view();
    view! {
        <section aria-labelledby="drafts">
            <h2 id="drafts">"Not on sale yet"</h2>
            <ul class="plain-list">{rows}</ul>
        </section>
    }
    .into_any()
}

#[component]
fn Numbers(label: &'static str, takings: Takings) -> impl IntoView {
    let orders = match takings.orders {
        1 => "1 order".to_owned(),
        n => format!("{n} orders"),
    };
    view! {
        <div>
            <p class="number-label">{label}</p>
            <p class="number-large">{Money::new(takings.total_minor, CURRENCY).to_string()}</p>
            <p class="soft">{format!("{orders}, {}", pieces(takings.pieces))}</p>
        </div>
    }
}

/// `1 piece`, `3 pieces`
pub fn pieces(count: i64) -> String {
    if count == 1 { "1 piece".into() } else { format!("{count} pieces") }
}
