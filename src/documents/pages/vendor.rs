//! A vendor's papers: what it issued to shoppers, and what the platform wrote to it.

use super::answer;
use crate::{
    documents::{
        model::{DocumentRow, Kind, day_text},
        packing_slip, queries,
    },
    error::AppError,
    ids::{DocumentId, VendorOrderId},
    server::{
        auth::Manager,
        page::{Layout, Page},
        state::App,
    },
    ui::{Empty, NextPage, TableFrame},
    vendors::{
        desk::{Desk, not_theirs},
        role::TeamRole,
    },
};
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

const HERE: &str = "/vendor/documents";
const KINDS: [(Option<Kind>, &str); 5] = [
    (None, "All"),
    (Some(Kind::Invoice), "Invoices"),
    (Some(Kind::CreditNote), "Credit notes"),
    (Some(Kind::CommissionInvoice), "Commission"),
    (Some(Kind::Statement), "Statements"),
];

#[derive(Deserialize)]
pub struct Filter {
    kind: Option<Kind>,
    #[serde(default)]
    page: u32,
}

fn address(kind: Option<Kind>, page: u32) -> String {
    let kind = kind.map(|k| format!("kind={}", k.as_str()));
    let page = (page > 0).then(|| format!("page={page}"));
    let query: Vec<_> = [kind, page].into_iter().flatten().collect();
    if query.is_empty() { HERE.to_owned() } else { format!("{HERE}?{}", query.join("&")) }
}

/// `GET /vendor/documents?kind=invoice&page=0`
pub async fn list(State(app): State<App>, Desk(vendor): Desk<Manager>, Query(filter): Query<Filter>) -> Result<Page, AppError> {
    let (rows, more) = queries::of_vendor(&app.pool, &vendor, filter.kind, filter.page).await?;
    Ok(Page::new("Documents", move || {
        let tabs = KINDS
            .map(|(kind, label)| {
                let here = (kind == filter.kind).then_some("page");
                view! { <li><a href=address(kind, 0) aria-current=here>{label}</a></li> }
            })
            .into_iter()
            .collect_view();
        let list = if rows.is_empty() {
            view! {
                <Empty title="Nothing here yet">
                    <p>"An invoice is written for each of your orders when it is paid, and a credit note when money goes back."</p>
                    <p><a href="/vendor/shop#invoices">"Say what stands on your invoices"</a></p>
                </Empty>
            }
            .into_any()
        } else {
            view! { <Rows rows=rows/> }.into_any()
        };
        view! {
            <div class="desk-head">
                <h1>"Documents"</h1>
                <a href="/vendor/shop#invoices">"What stands on your invoices"</a>
            </div>
            <nav class="tabs" aria-label="Kind"><ul>{tabs}</ul></nav>
            {list}
            <NextPage href=more.then(|| address(filter.kind, filter.page.saturating_add(1)))/>
        }
    })
    .layout(Layout::Vendor(HERE)))
}

#[component]
fn Rows(rows: Vec<DocumentRow>) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|d| {
            let (about, total) = (d.about(), d.total().to_string());
            let about = match d.vendor_order_id {
                Some(order) => view! { <a href=format!("/vendor/orders/{order}")>{about}</a> }.into_any(),
                None => about.into_any(),
            };
            view! {
                <tr>
                    <th scope="row"><a href=format!("{HERE}/{}", d.id) download="">{d.number}</a></th>
                    <td>{d.kind.title()}</td>
                    <td>{about}</td>
                    <td class="minor">{day_text(d.issued_on)}</td>
                    <td class="number">{total}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame label="Documents">
            <table>
                <thead><tr>
                    <th scope="col">"Number"</th>
                    <th scope="col">"What"</th>
                    <th scope="col">"About"</th>
                    <th scope="col" class="minor">"Date"</th>
                    <th scope="col" class="number">"Total"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </TableFrame>
    }
}

/// `GET /vendor/documents/{document}`
pub async fn download(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    Path(document): Path<DocumentId>,
) -> Result<Response, AppError> {
    match queries::file_of_vendor(&app.pool, &vendor, document).await {
        Err(AppError::Forbidden) => Ok(not_theirs(&app, &vendor, TeamRole::Owner).await?.into_response()),
        file => file.map(answer),
    }
}

/// `GET /vendor/orders/{order}/packing-slip.pdf`
pub async fn slip(State(app): State<App>, Desk(vendor): Desk, Path(order): Path<VendorOrderId>) -> Result<Response, AppError> {
    let (number, pdf) = packing_slip(&app, &vendor, order).await?;
    Ok(super::pdf(&format!("Packing-slip-{number}"), pdf))
}
