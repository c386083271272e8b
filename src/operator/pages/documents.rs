//! Every paper that was issued, by whom and about what.

use super::{
    choice, cursor,
    list::{
        Head::{self, Minor, Number, Text},
        List, Tabs, next_page,
    },
};
use crate::{
    documents::{
        model::{DocumentRow, Kind, day_text},
        pages::answer,
        queries,
    },
    error::AppError,
    ids::DocumentId,
    operator::{
        Cursor,
        queries::{PAGE, Rows},
    },
    server::{
        auth::Operator,
        page::{Layout, Page},
        state::App,
    },
};
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;

const HERE: &str = "/operator/documents";
const KINDS: &[(&str, &str)] = &[
    ("", "All"),
    ("invoice", "Invoices"),
    ("credit_note", "Credit notes"),
    ("commission_invoice", "Commission"),
    ("statement", "Statements"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    kind: String,
    after: String,
}

/// `GET /operator/documents`
pub async fn list(State(app): State<App>, by: Operator, Query(filter): Query<Filter>) -> Result<Page, AppError> {
    let kind = choice(&filter.kind, KINDS)?.and_then(|kind| Kind::ALL.into_iter().find(|k| k.as_str() == kind));
    let after = cursor(&filter.after)?.map(|c: Cursor<DocumentId>| (c.at, c.id));
    let documents = Rows::from(queries::all_after(&app.pool, &by, kind, after, PAGE + 1).await?);
    Ok(Page::new("Documents", move || {
        let next = next_page(HERE, &[("kind", &filter.kind)], &documents, |d| Cursor { at: d.issued_at, id: d.id }.to_string());
        view! {
            <h1>"Documents"</h1>
            <Tabs path=HERE name="kind" choices=KINDS chosen=filter.kind label="Kind"/>
            <List list=documents row=row label="Documents" head=HEAD next=next
                none="No document here" hint="Invoices are written when orders are paid, credit notes when money has gone back."/>
        }
    })
    .layout(Layout::Operator(HERE)))
}

const HEAD: &[Head] = &[Text("Number"), Text("What"), Text("Shop"), Text("About"), Minor("Date"), Number("Total")];

fn row(d: DocumentRow) -> impl IntoView {
    let (about, total) = (d.about(), d.total().to_string());
    view! {
        <tr>
            <td><a href=format!("{HERE}/{}", d.id) download="">{d.number}</a></td>
            <td>{d.kind.title()}</td>
            <td>{d.vendor_name}</td>
            <td>{about}</td>
            <td class="minor">{day_text(d.issued_on)}</td>
            <td class="number">{total}</td>
        </tr>
    }
}

/// `GET /operator/documents/{document}`
pub async fn download(State(app): State<App>, by: Operator, Path(document): Path<DocumentId>) -> Result<Response, AppError> {
    queries::file_for_operator(&app.pool, &by, document).await.map(answer)
}
