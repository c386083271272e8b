//! What was sold in a time: a table, with a bar beside each amount that starts at nothing.

use super::today::pieces;
use crate::{
    error::AppError,
    money::Money,
    server::{
        auth::Manager,
        page::{Layout, Page},
        state::App,
    },
    ui::{Empty, TableFrame},
    vendors::{
        desk::Desk,
        model::CURRENCY,
        queries::{self, Sold},
    },
};
use axum::extract::{Query, State};
use leptos::prelude::*;
use serde::Deserialize;

/// The times that can be looked at, in days.
const TIMES: [(i32, &str); 4] = [(7, "7 days"), (30, "30 days"), (90, "90 days"), (365, "A year")];

#[derive(Deserialize)]
pub struct Time {
    days: Option<i32>,
}

/// `/vendor/sales?days=30`
pub async fn show(State(app): State<App>, Desk(vendor): Desk<Manager>, Query(time): Query<Time>) -> Result<Page, AppError> {
    let days = time.days.unwrap_or(30);
    if !TIMES.iter().any(|(d, _)| *d == days) {
        return Err(AppError::BadRequest("Choose 7, 30, 90 or 365 days.".into()));
    }
    let rows = queries::sold(&app.pool, &vendor, days).await?;
    Ok(Page::new("Sold", move || {
        let tabs = TIMES
            .map(|(d, label)| {
                view! { <li><a href=format!("/vendor/sales?days={d}") aria-current=(d == days).then_some("page")>{label}</a></li> }
            })
            .into_iter()
            .collect_view();
        let list = if rows.is_empty() {
            view! {
                <Empty title="Nothing was sold in this time">
                    <p>"Once an order is paid, what was bought stands here, by variant."</p>
                </Empty>
            }
            .into_any()
        } else {
            view! { <SoldTable rows=rows/> }.into_any()
        };
        view! {
            <div class="desk-head"><h1>"Sold"</h1></div>
            <nav class="tabs" aria-label="Time"><ul>{tabs}</ul></nav>
            {list}
        }
    })
    .layout(Layout::Vendor("/vendor/sales")))
}

#[component]
fn SoldTable(rows: Vec<Sold>) -> impl IntoView {
    let most = rows.iter().map(|r| r.total_minor).max().unwrap_or(0).max(1);
    let total: i64 = rows.iter().map(|r| r.total_minor).sum();
    let count: i64 = rows.iter().map(|r| r.pieces).sum();
    let money = |minor| Money::new(minor, CURRENCY).to_string();
    let body = rows
        .into_iter()
        .map(|row| {
            let options = (!row.options.is_empty()).then(|| view! { " " <span class="soft">{row.options}</span> });
            let title = match row.product_id {
                Some(id) => view! { <a href=format!("/vendor/products/{id}")>{row.title}</a> }.into_any(),
                None => row.title.into_any(),
            };
            let width = format!("inline-size: {:.1}%", row.total_minor as f64 * 100.0 / most as f64);
            view! {
                <tr>
                    <th scope="row">{title} {options}</th>
                    <td class="minor">{row.sku}</td>
                    <td class="number">{row.orders}</td>
                    <td class="number">{row.pieces}</td>
                    <td class="number">{money(row.total_minor)}</td>
                    <td class="bar-cell" aria-hidden="true"><span class="bar" style=width></span></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <p>{format!("{} for {}, before shipping, VAT included.", pieces(count), money(total))}</p>
        <TableFrame label="Sold, by variant">
            <table>
                <thead><tr>
                    <th scope="col">"Product"</th>
                    <th scope="col" class="minor">"SKU"</th>
                    <th scope="col" class="number">"Orders"</th>
                    <th scope="col" class="number">"Pieces"</th>
                    <th scope="col" class="number">"Amount"</th>
                    <td class="bar-cell"></td>
                </tr></thead>
                <tbody>{body}</tbody>
            </table>
        </TableFrame>
    }
}
