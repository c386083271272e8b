//! What was owed, what moved, what is owed now: month by month, on a page and as a table to take home.

use crate::{
    documents,
    error::AppError,
    payouts::{
        model::{Movement, Period, Statement, StatementLine},
        statement::{self, statement},
    },
    server::{
        auth::Owner,
        errors::internal,
        page::{Layout, Page},
        state::App,
    },
    ui::{Empty, TableFrame, When},
    vendors::desk::Desk,
};
use axum::{
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use leptos::prelude::*;
use serde::Deserialize;
use time::OffsetDateTime;

const HERE: &str = "/vendor/statements";
/// More lines than this stand in the table to take home only.
const SHOWN: usize = 500;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Which {
    month: String,
}

impl Which {
    async fn read(&self, app: &App, vendor: &Owner) -> Result<(Period, Statement), AppError> {
        let period = match self.month.as_str() {
            "" => Period::of(OffsetDateTime::now_utc().date()),
            month => month.parse().map_err(|_| AppError::BadRequest("Choose a month, such as 2026-11.".into()))?,
        };
        let found = statement(&app.pool, vendor.id(), period, app.config.currency).await?.ok_or(AppError::NotFound)?;
        Ok((period, found))
    }
}

/// `GET /vendor/statements?month=2026-11`
pub async fn show(State(app): State<App>, Desk(vendor): Desk<Owner>, Query(which): Query<Which>) -> Result<Page, AppError> {
    let (period, statement) = which.read(&app, &vendor).await?;
    let months = statement::months(&app.pool, vendor.id(), OffsetDateTime::now_utc()).await?;
    Ok(Page::new(format!("Statement of {}", period.words()), move || {
        let options = months
            .iter()
            .map(|m| view! { <option value=m.to_string() selected=*m == period>{m.words()}</option> })
            .collect_view();
        let csv = format!("{HERE}.csv?month={period}");
        // A paper says what will not change any more.
        let pdf = over(period).then(|| format!("{HERE}.pdf?month={period}"));
        view! {
            <div class="desk-head">
                <h1>{format!("Statement of {}", period.words())}</h1>
                <a class="button" href=csv download>"Download as CSV"</a>
                {pdf.map(|href| view! { <a class="button" href=href>"Statement as PDF"</a> })}
            </div>
            <form class="desk-filter" action=HERE>
                <label for="f-month" class="visually-hidden">"Month"</label>
                <select id="f-month" name="month">{options}</select>
                <button>"Show"</button>
            </form>
            <Sums statement=statement.clone()/>
            <Lines statement=statement/>
            <p class="hint">"What you are owed, released or not. Days are in UTC."</p>
        }
    })
    .layout(Layout::Vendor(HERE)))
}

/// `GET /vendor/statements.csv?month=2026-11`
pub async fn csv(State(app): State<App>, Desk(vendor): Desk<Owner>, Query(which): Query<Which>) -> Result<Response, AppError> {
    let (period, statement) = which.read(&app, &vendor).await?;
    let body = statement::csv(&statement).map_err(internal)?;
    let name =
        HeaderValue::from_str(&format!("attachment; filename=\"statement-{}-{period}.csv\"", vendor.slug())).map_err(internal)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    Ok((headers, body).into_response())
}

/// Whether a month is over, with a day for what Stripe tells late.
fn over(period: Period) -> bool {
    period.end() + time::Duration::DAY <= OffsetDateTime::now_utc()
}

/// `GET /vendor/statements.pdf?month=2026-10`: the paper of a month that is over, issued when it is first asked for.
pub async fn pdf(State(app): State<App>, Desk(vendor): Desk<Owner>, Query(which): Query<Which>) -> Result<Response, AppError> {
    let (period, statement) = which.read(&app, &vendor).await?;
    if !over(period) {
        return Err(AppError::NotFound);
    }
    let from = statement.from.date();
    let mut tx = app.pool.begin().await?;
    documents::issue_statement(&mut tx, &app.config, paper(statement)).await.map_err(internal)?;
    tx.commit().await?;
    let document = documents::queries::statement_of(&app.pool, &vendor, from).await?.ok_or(AppError::NotFound)?;
    let file = documents::queries::file_of_vendor(&app.pool, &vendor, document).await?;
    Ok(documents::pages::answer(file))
}

/// A statement as its paper tells it: what changes the balance.
fn paper(statement: Statement) -> documents::Statement {
    let movement = |line: StatementLine| documents::Movement {
        on: line.at.date(),
        title: match line.order {
            Some((_, number)) => format!("{}, order {number}", line.movement.words()),
            None => line.movement.words().to_owned(),
        },
        detail: line.note,
        amount_minor: line.amount_minor,
    };
    documents::Statement {
        vendor: statement.vendor,
        from: statement.from.date(),
        until: (statement.until - time::Duration::DAY).date(),
        currency: statement.currency,
        opening_minor: statement.opening_minor,
        movements: statement.lines.into_iter().filter(|line| line.amount_minor != 0).map(movement).collect(),
        closing_minor: statement.closing_minor,
    }
}

/// The month in a few lines, which add up.
#[component]
fn Sums(statement: Statement) -> impl IntoView {
    const PARTS: [(&str, &[Movement]); 5] = [
        ("Sales", &[Movement::Sale]),
        ("Fees, with VAT", &[Movement::Fee, Movement::FeeReturned]),
        ("Refunds and disputes", &[Movement::Refund, Movement::Dispute]),
        ("Paid out", &[Movement::Payout]),
        ("Corrections", &[Movement::Correction]),
    ];
    let parts = PARTS
        .into_iter()
        .map(|(label, movements)| (label, movements.iter().map(|m| statement.sum(*m)).sum::<i64>()))
        .filter(|(_, sum)| *sum != 0)
        .map(|(label, sum)| view! { <dt>{label}</dt> <dd>{statement.money(sum).to_string()}</dd> })
        .collect_view();
    view! {
        <dl class="totals statement-sums">
            <dt>"Opening balance"</dt> <dd>{statement.money(statement.opening_minor).to_string()}</dd>
            {parts}
            <dt class="total">"Closing balance"</dt> <dd class="total">{statement.money(statement.closing_minor).to_string()}</dd>
        </dl>
    }
}

#[component]
fn Lines(statement: Statement) -> impl IntoView {
    if statement.lines.is_empty() {
        return view! { <Empty title="Nothing moved in this month"><p>"Sales, fees, refunds and payouts will stand here, each with its order."</p></Empty> }
            .into_any();
    }
    let hidden = statement.lines.len().saturating_sub(SHOWN);
    let rows = statement.lines.iter().take(SHOWN).map(|line| row(&statement, line)).collect_view();
    view! {
        <TableFrame label="Movements">
            <table>
                <thead><tr>
                    <th scope="col">"Day"</th>
                    <th scope="col">"What"</th>
                    <th scope="col">"Order"</th>
                    <th scope="col" class="number minor">"Moved"</th>
                    <th scope="col" class="number">"Amount"</th>
                    <th scope="col" class="number">"Balance"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </TableFrame>
        {(hidden > 0).then(|| view! { <p>{format!("{hidden} more lines stand in the CSV.")}</p> })}
    }
    .into_any()
}

fn row(statement: &Statement, line: &StatementLine) -> impl IntoView + use<> {
    let money = |minor: i64| statement.money(minor).to_string();
    let note = (!line.note.is_empty()).then(|| view! { " " <span class="soft">{line.note.clone()}</span> });
    view! {
        <tr>
            <td><When at=line.at day_only=true/></td>
            <th scope="row">{line.movement.words()} {note}</th>
            <td>{line.order.map(|(_, number)| number)}</td>
            <td class="number minor">{(line.moved_minor != 0).then(|| money(line.moved_minor))}</td>
            <td class="number">{(line.amount_minor != 0).then(|| money(line.amount_minor))}</td>
            <td class="number">{money(line.balance_minor)}</td>
        </tr>
    }
}
