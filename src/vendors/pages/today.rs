//! What needs the vendor now, then the numbers.

use super::holiday::HolidayNote;
use crate::{
    error::AppError,
    figures::{
        model::{SPAN, SPANS, Span},
        views::{Chart, Compared},
    },
    money::Money,
    payouts::model::{Balances, requirement_words},
    server::{
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Badge, TableFrame, Tone},
    vendors::{
        desk::Desk,
        holiday,
        home::{self, Account, Asked, BestSeller, Draft, LATE_HOURS, LowStock, Waiting},
        model::{CURRENCY, age},
    },
};
use axum::extract::{Query, State};
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

/// How far back to look.
#[derive(Deserialize)]
pub struct Back {
    days: Option<u16>,
}

/// `/vendor?days=30`
pub async fn today(
    State(app): State<App>,
    Desk(vendor): Desk,
    session: Session,
    Query(back): Query<Back>,
) -> Result<Page, AppError> {
    let length = back.days.unwrap_or(SPAN);
    if !SPANS.contains(&length) {
        return Err(AppError::BadRequest("Choose 7, 30, 90 or 365 days.".into()));
    }
    let mut home = home::read(&app.pool, &vendor, length).await?;
    let holiday = holiday::current(home.holiday_from, home.holiday_until, std::mem::take(&mut home.holiday_message));
    let (manages, owns) = (vendor.manager().is_some(), vendor.owner().is_some());
    // What somebody has nothing to do with does not wait for them.
    if !manages {
        home.drafts.clear();
        (home.returns, home.disputes) = (0, 0);
    }
    let notice = flash::take(&session).await?;
    let name = vendor.name().to_owned();

    Ok(Page::new("Today", move || {
        let span = Span::of(&home.days, home.today, length);
        let account = home.account.map(|account| account.0).filter(|_| owns);
        let due = account.as_ref().map(|account| requirement_words(&account.requirements_due)).unwrap_or_default();
        let calm = home.to_ship == 0
            && home.low.is_empty()
            && home.drafts.is_empty()
            && home.returns == 0
            && home.messages == 0
            && home.disputes == 0
            && due.is_empty();
        let spans = SPANS
            .map(|days| {
                let label = if days == 365 { "A year".to_owned() } else { format!("{days} days") };
                view! { <li><a href=format!("/vendor?days={days}#numbers") aria-current=(days == length).then_some("page")>{label}</a></li> }
            })
            .into_iter()
            .collect_view();
        view! {
            <div class="desk-head">
                <h1>{name}</h1>
                {manages.then(|| view! { <a class="button" href="/vendor/products/new">"New product"</a> })}
            </div>
            <HolidayNote holiday=holiday edits=manages/>
            <div id="live-needs" data-live="asked">
                {calm.then(|| view! { <p class="calm">"Nothing waits for you: every order is on its way and every shelf is full."</p> })}
                <div class="needs">
                    <ToShip waiting=home.waiting.0 total=home.to_ship late=home.late/>
                    <Asks rows=home.asked.0 total=home.messages/>
                    <Disputes waiting=home.disputes/>
                    <Returns waiting=home.returns/>
                    <Due words=due/>
                    <Low rows=home.low.0/>
                    <Drafts rows=home.drafts.0/>
                </div>
            </div>
            {manages.then(|| view! {
                <section aria-labelledby="numbers">
                    <div class="desk-head">
                        <h2 id="numbers">"How it goes"</h2>
                        <nav class="tabs" aria-label="Time"><ul>{spans}</ul></nav>
                    </div>
                    <div id="live-numbers" data-live="now"><Compared span=span.clone()/></div>
                    <Chart span=span/>
                    <p class="hint">"Paid orders, with shipping and VAT, before what was given back; days in UTC. "<a href="/vendor/sales">"What was sold"</a></p>
                </section>
                <div class="needs">
                    <BestSellers rows=home.best.0 length=length/>
                    {owns.then(|| view! { <Owed balances=home.balances.0 account=account/> })}
                </div>
            })}
        }
    })
    .layout(Layout::Vendor("/vendor"))
    .notice(notice))
}

#[component]
fn ToShip(waiting: Vec<Waiting>, total: i64, late: i64) -> impl IntoView {
    if waiting.is_empty() {
        return ().into_any();
    }
    let shown = waiting.len() as i64;
    let rows = waiting
        .into_iter()
        .map(|order| {
            let tone = if order.hours >= LATE_HOURS.into() { Tone::Bad } else { Tone::Neutral };
            view! {
                <tr>
                    <th scope="row"><a href=format!("/vendor/orders/{}", order.id)>{order.number}</a></th>
                    <td>{order.ship_name}</td>
                    <td class="number">{pieces(order.pieces)}</td>
                    <td><Badge tone=tone label=age(order.hours)/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="to-ship">
            <h2 id="to-ship">{format!("To ship: {total}")}</h2>
            {(late > 0).then(|| view! { <p class="soft">{format!("{late} of them for more than {LATE_HOURS} hours")}</p> })}
            <TableFrame label="Orders to ship">
                <table>
                    <thead><tr>
                        <th scope="col">"Order"</th> <th scope="col">"For"</th> <th scope="col" class="number">"Pieces"</th>
                        <th scope="col">"Waiting"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableFrame>
            {(total > shown).then(|| view! { <p><a href="/vendor/orders">"All orders to ship"</a></p> })}
        </section>
    }
    .into_any()
}

/// Who wrote, and waits.
#[component]
fn Asks(rows: Vec<Asked>, total: i64) -> impl IntoView {
    if rows.is_empty() {
        return ().into_any();
    }
    let rows = rows
        .into_iter()
        .map(|row| {
            view! {
                <li>
                    <a href=format!("/vendor/orders/{}/messages", row.id)>{format!("{} about order {}", row.ship_name, row.number)}</a>
                    " " <span class="soft">{age(row.hours)}</span>
                </li>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="asked">
            <h2 id="asked">{format!("Messages: {total}")}</h2>
            <ul class="plain-list">{rows}</ul>
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

/// What Stripe has to know before it pays.
#[component]
fn Due(words: Vec<String>) -> impl IntoView {
    (!words.is_empty()).then(|| {
        let words = words.into_iter().map(|one| view! { <li>{one}</li> }).collect_view();
        view! {
            <section aria-labelledby="due">
                <h2 id="due">"Before you can be paid"</h2>
                <ul class="plain-list">{words}</ul>
                <p><a href="/vendor/payouts">"Tell Stripe"</a></p>
            </section>
        }
    })
}

#[component]
fn BestSellers(rows: Vec<BestSeller>, length: u16) -> impl IntoView {
    if rows.is_empty() {
        return ().into_any();
    }
    let most = rows.iter().map(|row| row.revenue_minor).max().unwrap_or(0).max(1);
    let rows = rows
        .into_iter()
        .map(|row| {
            let width = format!("inline-size: {:.1}%", row.revenue_minor as f64 * 100.0 / most as f64);
            view! {
                <tr>
                    <th scope="row"><a href=format!("/vendor/products/{}", row.product_id)>{row.title}</a></th>
                    <td class="number">{row.pieces}</td>
                    <td class="number minor">{row.views}</td>
                    <td class="number">{Money::new(row.revenue_minor, CURRENCY).to_string()}</td>
                    <td class="bar-cell" aria-hidden="true"><span class="bar" style=width></span></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="best">
            <h2 id="best">{format!("Best sellers of {length} days")}</h2>
            <TableFrame label="Best sellers">
                <table>
                    <thead><tr>
                        <th scope="col">"Product"</th> <th scope="col" class="number">"Pieces"</th>
                        <th scope="col" class="number minor">"Views"</th> <th scope="col" class="number">"Amount"</th>
                        <td class="bar-cell"></td>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableFrame>
        </section>
    }
    .into_any()
}

#[component]
fn Owed(balances: Balances, account: Option<Account>) -> impl IntoView {
    let money = |minor| Money::new(minor, CURRENCY).to_string();
    let next = match account {
        None => view! { <p><a href="/vendor/payouts">"Say where you want to be paid to"</a></p> }.into_any(),
        Some(account) if account.stopped => {
            view! { <p><a href="/vendor/payouts">"Your bank did not take the last payout: see what to do"</a></p> }.into_any()
        }
        Some(account) if !account.payouts_enabled => {
            view! { <p><a href="/vendor/payouts">"Stripe does not pay you yet: see what is missing"</a></p> }.into_any()
        }
        Some(account) => {
            view! { <p>{format!("Next payout: {}. ", account.next_payout)}<a href="/vendor/payouts">"Payouts"</a></p> }.into_any()
        }
    };
    view! {
        <section aria-labelledby="owed">
            <h2 id="owed">"Yours"</h2>
            <dl class="numbers">
                <div>
                    <dt class="number-label">"To be paid out"</dt>
                    <dd class="number-large">{money(balances.available())}</dd>
                </div>
                <div>
                    <dt class="number-label">"Sold, not released yet"</dt>
                    <dd class="number-large">{money(balances.pending)}</dd>
                </div>
            </dl>
            {next}
        </section>
    }
}

/// `1 piece`, `3 pieces`
pub fn pieces(count: i64) -> String {
    if count == 1 { "1 piece".into() } else { format!("{count} pieces") }
}
