//! Papers as links on the pages of orders.

use crate::documents::model::DocumentRow;
use leptos::prelude::*;

/// The papers of an order, each to download; nothing where there is none. `address` is what stands in front of a paper's id.
#[component]
pub fn DocumentLinks(
    documents: Vec<DocumentRow>,
    address: String,
    #[prop(optional_no_strip)] token: Option<String>,
) -> impl IntoView {
    if documents.is_empty() {
        return ().into_any();
    }
    let end = token.map(|token| format!("?token={token}")).unwrap_or_default();
    let items = documents
        .into_iter()
        .map(|d| {
            let total = d.total().to_string();
            view! {
                <li>
                    <a href=format!("{address}/{}{end}", d.id) download="">{d.kind.title()} " " {d.number}</a>
                    <span class="soft">{format!(" from {}, {total}, PDF", d.vendor_name)}</span>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="order-papers" aria-labelledby="papers">
            <h2 id="papers">"Invoices"</h2>
            <ul class="plain-list">{items}</ul>
        </section>
    }
    .into_any()
}
