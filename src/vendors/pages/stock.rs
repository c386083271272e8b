//! Prices and stock as one list to type into: every variant a row, saved together.

use super::bulk::TakeBack;
use crate::{
    catalog::editing::{
        StockLevel,
        bulk::{Last, last},
        listed::{Edited, Typed, edit},
        queries::{self, StockRow},
    },
    error::{AppError, FieldErrors},
    ids::VariantId,
    money::{BasisPoints, Money},
    server::{
        auth::Manager,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Empty, ErrorSummary, NextPage, TableFrame},
    vendors::{desk::Desk, islands::GridKeys, model::CURRENCY},
};
use axum::{
    Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;
use tower_sessions::Session;

const HERE: &str = "/vendor/stock";
const PAGE: i64 = 100;

/// Which part of the list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Part {
    q: String,
    /// The SKU of the last row of the page before: the list is in the order of its SKUs.
    after: String,
}

impl Part {
    fn address(&self) -> String {
        let fields = [("q", self.q.as_str()), ("after", self.after.as_str())];
        let fields: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        match serde_urlencoded::to_string(&fields) {
            Ok(query) if !query.is_empty() => format!("{HERE}?{query}"),
            _ => HERE.into(),
        }
    }
}

/// One row as typed, beside what its person saw.
#[derive(Debug, Clone, Default)]
struct Row {
    price: String,
    stock: String,
    seen_price: String,
    seen_stock: String,
}

/// `GET /vendor/stock?q=&after=`
pub async fn show(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Query(part): Query<Part>,
) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    let (rows, more) = rows(&app, &vendor, &part).await?;
    let last = last(&app.pool, &vendor).await?;
    Ok(page(part, rows, more, BTreeMap::new(), FieldErrors::default(), last).notice(notice))
}

/// `POST /vendor/stock`: what was typed, all of it or nothing.
pub async fn save(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let (part, mut typed) = read(pairs);
    let mut errors = FieldErrors::default();
    let mut met = Vec::new();
    let mut wanted = Vec::new();
    for (id, row) in &typed {
        let price = errors.take(&format!("price[{id}]"), Money::parse(&row.price, CURRENCY));
        let stock = errors.take(&format!("stock[{id}]"), row.stock.parse::<StockLevel>());
        let (Ok(seen_price), Ok(seen_stock)) = (row.seen_price.parse(), row.seen_stock.parse()) else {
            return Err(AppError::BadRequest("This form was not made here.".into()));
        };
        if let (Some(price), Some(stock)) = (price, stock) {
            wanted.push(Typed { id: *id, price, seen_price, stock, seen_stock });
        }
    }
    if errors.is_empty() {
        match edit(&app.pool, &vendor, &wanted).await? {
            Edited::Saved(changes) => {
                let said = match changes {
                    0 => "Nothing was changed.".to_owned(),
                    1 => "1 change saved.".to_owned(),
                    n => format!("{n} changes saved."),
                };
                flash::put(&session, &said).await?;
                return Ok(Redirect::to(&part.address()).into_response());
            }
            Edited::Refused(refused) => {
                for (field, id, why) in refused {
                    errors.add(&format!("{field}[{id}]"), why);
                    met.push((field, id));
                }
            }
        }
    }
    let (rows, more) = rows(&app, &vendor, &part).await?;
    // Whoever is told of a conflict is told what stands now, and may replace it.
    for (field, id) in met {
        if let (Some(row), Some(now)) = (typed.get_mut(&id), rows.iter().find(|row| row.id == id)) {
            match field {
                "price" => row.seen_price = now.regular_minor.to_string(),
                _ => row.seen_stock = now.on_hand.to_string(),
            }
        }
    }
    let page = page(part, rows, more, typed, errors, None);
    Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

fn read(pairs: Vec<(String, String)>) -> (Part, BTreeMap<VariantId, Row>) {
    let (mut part, mut rows) = (Part::default(), BTreeMap::<VariantId, Row>::new());
    for (name, value) in pairs {
        let (field, id) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
            Some((field, id)) => (field, id.parse::<VariantId>().ok()),
            None => (name.as_str(), None),
        };
        match (field, id) {
            ("q", _) => part.q = value,
            ("after", _) => part.after = value,
            (field, Some(id)) => {
                let row = rows.entry(id).or_default();
                match field {
                    "price" => row.price = value,
                    "stock" => row.stock = value,
                    "seen_price" => row.seen_price = value,
                    "seen_stock" => row.seen_stock = value,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    (part, rows)
}

async fn rows(app: &App, vendor: &Manager, part: &Part) -> Result<(Vec<StockRow>, bool), AppError> {
    let text = part.q.trim();
    if text.contains('\0') || part.after.contains('\0') {
        return Err(AppError::BadRequest("That cannot be searched for.".into()));
    }
    let mut rows = queries::stock_rows(&app.pool, vendor, text, &part.after, PAGE + 1).await?;
    let more = rows.len() as i64 > PAGE;
    rows.truncate(PAGE as usize);
    Ok((rows, more))
}

fn page(
    part: Part,
    rows: Vec<StockRow>,
    more: bool,
    typed: BTreeMap<VariantId, Row>,
    errors: FieldErrors,
    last: Option<Last>,
) -> Page {
    let next = rows.last().filter(|_| more).map(|last| Part { q: part.q.clone(), after: last.sku.clone() }.address());
    Page::new("Prices and stock", move || {
        let list = if rows.is_empty() {
            view! { <Empty title="Nothing here fits"><p><a href="/vendor/products">"All products"</a></p></Empty> }.into_any()
        } else {
            let rows = rows
                .into_iter()
                .map(|row| view! { <Line typed=typed.get(&row.id).cloned() row=row errors=errors.clone()/> })
                .collect_view();
            view! {
                <form method="post" action=HERE autocomplete="off">
                    // What Enter presses; the one to be seen is at the foot.
                    <button class="visually-hidden" tabindex="-1" aria-hidden="true">"Save"</button>
                    <input type="hidden" name="q" value=part.q.clone()/>
                    <input type="hidden" name="after" value=part.after.clone()/>
                    <GridKeys/>
                    <TableFrame label="Prices and stock">
                        <table class="stock-table" data-grid="">
                            <thead><tr>
                                <th scope="col">"SKU"</th>
                                <th scope="col">"Product"</th>
                                <th scope="col">"Price"</th>
                                <th scope="col">"On hand"</th>
                                <th scope="col" class="number minor">"Held"</th>
                            </tr></thead>
                            <tbody>{rows}</tbody>
                        </table>
                    </TableFrame>
                    <div class="actions form-foot"><button class="button-main">"Save"</button></div>
                </form>
            }
            .into_any()
        };
        view! {
            <div class="desk-head"><h1>"Prices and stock"</h1></div>
            <TakeBack last=last/>
            <ErrorSummary errors=errors/>
            <form class="desk-filter" role="search">
                <label class="visually-hidden" for="filter">"Title or SKU"</label>
                <input id="filter" name="q" type="search" value=part.q.clone() placeholder="Title or SKU"/>
                <button type="submit">"Filter"</button>
            </form>
            {list}
            <NextPage href=next/>
        }
    })
    .layout(Layout::Vendor("/vendor/products"))
}

#[component]
fn Line(row: StockRow, typed: Option<Row>, errors: FieldErrors) -> impl IntoView {
    let id = row.id;
    let price = Money::new(row.regular_minor, CURRENCY);
    let typed = typed.unwrap_or_else(|| Row {
        price: price.plain(),
        stock: row.on_hand.to_string(),
        seen_price: row.regular_minor.to_string(),
        seen_stock: row.on_hand.to_string(),
    });
    let cell = |field: &'static str, label: &str, value: String, inputmode: &'static str| {
        let name = format!("{field}[{id}]");
        let error = errors.get(&name).map(ToOwned::to_owned);
        let (place, about) = (format!("f-{name}"), format!("f-{name}-error"));
        view! {
            <td class="cell-input">
                <input id=place name=name value=value inputmode=inputmode aria-label=format!("{label} of {}", row.sku) required=true
                    aria-invalid=error.is_some().then_some("true") aria-describedby=error.is_some().then(|| about.clone())/>
                {error.map(|error| view! { <span class="field-error" id=about>{error}</span> })}
            </td>
        }
    };
    let price_cell = cell("price", "Price", typed.price, "decimal");
    let stock_cell = cell("stock", "On hand", typed.stock, "numeric");
    let options = (!row.options.is_empty()).then(|| view! { " " <span class="soft">{row.options.clone()}</span> });
    let reduced =
        (row.off_bp > 0).then(|| view! { " " <span class="soft below">{format!("now {} off", BasisPoints(row.off_bp))}</span> });
    view! {
        <tr>
            <th scope="row"><code>{row.sku.clone()}</code></th>
            <td class="wrap"><a href=format!("/vendor/products/{}", row.product_id)>{row.title.clone()}</a> {options} {reduced}</td>
            {price_cell}
            {stock_cell}
            <td class="number minor">
                {row.held}
                <input type="hidden" name=format!("seen_price[{id}]") value=typed.seen_price/>
                <input type="hidden" name=format!("seen_stock[{id}]") value=typed.seen_stock/>
            </td>
        </tr>
    }
}
