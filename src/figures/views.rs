//! Figures as a dashboard shows them: side by side with the time before, as a chart, and as the table that says the same.

use super::{
    islands::{DayCursor, Point},
    model::{Figures, Span, ceiling, change},
};
use crate::{money::Money, ui::TableFrame, vendors::model::CURRENCY};
use leptos::prelude::*;
use time::Date;

fn money(minor: i64) -> String {
    Money::new(minor, CURRENCY).to_string()
}

/// `3 Nov`
fn short(date: Date) -> String {
    let month = date.month().to_string();
    format!("{} {}", date.day(), month.get(..3).unwrap_or(&month))
}

/// `1.5 %`
fn percent(bp: i64) -> String {
    format!("{}.{} %", bp / 100, bp % 100 / 10)
}

/// A figure: what it is called, how it is read, and how it is said.
type Row = (&'static str, fn(&Figures) -> Option<i64>, fn(i64) -> String);

/// What a time brought, each figure with that of as many days before, and with today's.
#[component]
pub fn Compared(span: Span) -> impl IntoView {
    let (now, before, today) = (span.total(), span.before, span.today());
    let length = span.days.len();
    let rows: [Row; 5] = [
        ("Revenue", |f| Some(f.revenue_minor), money),
        ("Orders", |f| Some(f.orders), |n| n.to_string()),
        ("Pieces", |f| Some(f.pieces), |n| n.to_string()),
        ("Orders per view", Figures::conversion_bp, percent),
        ("Returns", |f| Some(f.returns), |n| n.to_string()),
    ];
    let cards = rows
        .map(|(label, of, say)| {
            let said = |figures: &Figures| of(figures).map_or("–".to_owned(), say);
            let compared = match of(&now).zip(of(&before)).and_then(|(now, before)| change(now, before)) {
                None if of(&before).is_none() => String::new(),
                Some(0) => format!("as in the {length} days before"),
                Some(more) if more > 0 => format!("{more} % more than in the {length} days before"),
                Some(less) => format!("{} % less than in the {length} days before", -less),
                None => format!("{} in the {length} days before", said(&before)),
            };
            view! {
                <div>
                    <dt class="number-label">{label}</dt>
                    <dd class="number-large">{said(&now)}</dd>
                    <dd class="soft">{compared}</dd>
                    <dd class="soft">{format!("Today {}", said(&today))}</dd>
                </div>
            }
        })
        .into_iter()
        .collect_view();
    view! { <dl class="numbers figures">{cards}</dl> }
}

/// Revenue by day: bars that start at nothing, with a table of the same behind them.
#[component]
pub fn Chart(span: Span) -> impl IntoView {
    let points: Vec<Point> = span
        .days
        .iter()
        .map(|day| Point {
            day: short(day.date),
            revenue_minor: day.figures.revenue_minor,
            orders: day.figures.orders,
            pieces: day.figures.pieces,
        })
        .collect();
    view! {
        <figure class="chart">
            <div id="live-chart" data-live="now"><Bars span=span/></div>
            <DayCursor points=points/>
        </figure>
    }
}

#[component]
fn Bars(span: Span) -> impl IntoView {
    const HEIGHT: f64 = 100.0;
    const WIDTH: f64 = 10.0;
    let top = ceiling(span.days.iter().map(|day| day.figures.revenue_minor).max().unwrap_or(0)).max(100);
    let bars = span
        .days
        .iter()
        .enumerate()
        .map(|(n, day)| {
            let height = HEIGHT * day.figures.revenue_minor.max(0) as f64 / top as f64;
            let (x, y) = (n as f64 * WIDTH + 1.0, HEIGHT - height);
            view! { <rect x=x y=format!("{y:.2}") width=WIDTH - 2.0 height=format!("{height:.2}")></rect> }
        })
        .collect_view();
    let (first, last) = (span.days.first().map(|d| short(d.date)), span.days.last().map(|d| short(d.date)));
    let label = format!("Revenue by day, {} to {}", first.clone().unwrap_or_default(), last.clone().unwrap_or_default());
    let rows = span
        .days
        .iter()
        .rev()
        .filter(|day| day.figures != Figures::default())
        .map(|day| {
            let Figures { orders, pieces, revenue_minor, refunds_minor, returns, views } = day.figures;
            view! {
                <tr>
                    <th scope="row">{short(day.date)}</th>
                    <td class="number">{money(revenue_minor)}</td>
                    <td class="number">{orders}</td>
                    <td class="number">{pieces}</td>
                    <td class="number minor">{views}</td>
                    <td class="number minor">{returns}</td>
                    <td class="number minor">{money(refunds_minor)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <p class="chart-top" aria-hidden="true">{money(top)}</p>
        <svg class="bars" role="img" aria-label=label preserveAspectRatio="none"
            viewBox=format!("0 0 {} {HEIGHT}", span.days.len() as f64 * WIDTH)>{bars}</svg>
        <p class="chart-days" aria-hidden="true"><span>{first}</span> <span>{last}</span></p>
        <details>
            <summary>"The same as a table"</summary>
            <TableFrame label="Figures by day">
                <table>
                    <thead><tr>
                        <th scope="col">"Day"</th>
                        <th scope="col" class="number">"Revenue"</th>
                        <th scope="col" class="number">"Orders"</th>
                        <th scope="col" class="number">"Pieces"</th>
                        <th scope="col" class="number minor">"Views"</th>
                        <th scope="col" class="number minor">"Returns"</th>
                        <th scope="col" class="number minor">"Given back"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableFrame>
        </details>
    }
}
