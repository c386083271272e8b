//! Components of dispute pages, for all who read them.

use super::super::{
    model::{DisputeDetail, DisputeFile, DisputeRow, DisputeStatus, MAX_BYTES, Place, reason_words},
    queries::Which,
};
use crate::{
    error::FieldErrors,
    ids::VendorId,
    money::Money,
    ui::{Badge, Empty, NextPage, Notice, Price, Select, TableFrame, Tone, When},
};
use leptos::prelude::*;
use serde::Deserialize;

/// How a dispute stands, as a small label.
#[component]
pub fn StateBadge<'a>(row: &'a DisputeRow) -> impl IntoView + use<> {
    let (tone, label) = match row.status {
        status if status.wants_evidence() && row.submitted_at.is_some() => (Tone::Neutral, "evidence on its way"),
        status if status.wants_evidence() => (Tone::Warn, status.words()),
        DisputeStatus::Won => (Tone::Good, "won"),
        DisputeStatus::Lost => (Tone::Bad, "lost"),
        status => (Tone::Neutral, status.words()),
    };
    view! { <Badge tone=tone label=label/> }
}

/// Which disputes a list shows; `page` counts from 0.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    #[serde(default)]
    pub show: Which,
    #[serde(default)]
    pub page: u32,
}

/// A list of disputes with its tabs; `base` is its address, `hint` says when something will stand here.
#[component]
pub fn DisputeList(rows: Vec<DisputeRow>, more: bool, filter: Filter, base: &'static str, hint: &'static str) -> impl IntoView {
    let tabs = [(Which::Open, "open", "Open"), (Which::All, "all", "All")]
        .map(|(which, value, label)| {
            view! { <li><a href=format!("{base}?show={value}") aria-current=(which == filter.show).then_some("page")>{label}</a></li> }
        })
        .into_iter()
        .collect_view();
    let show = if filter.show == Which::All { "all" } else { "open" };
    let list = if rows.is_empty() {
        view! { <Empty title="No disputes"><p>{hint}</p></Empty> }.into_any()
    } else {
        view! { <DisputeRows rows=rows base=base/> }.into_any()
    };
    view! {
        <nav class="tabs" aria-label="Which disputes"><ul>{tabs}</ul></nav>
        {list}
        <NextPage href=more.then(|| format!("{base}?show={show}&page={}", filter.page.saturating_add(1)))/>
    }
}

/// A table of disputes; `base` is the address of the list, to which the id is added.
#[component]
fn DisputeRows(rows: Vec<DisputeRow>, base: &'static str) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let due = row.takes_evidence().then_some(row.evidence_due_at).flatten();
            view! {
                <tr>
                    <th scope="row"><a href=format!("{base}/{}", row.id)>{format!("Order {}", row.number)}</a></th>
                    <td class="number"><Price money=row.amount()/></td>
                    <td class="wrap minor">{reason_words(&row.reason)}</td>
                    <td><StateBadge row=&row/></td>
                    <td>{due.map(|at| view! { <When at=at day_only=true/> })}</td>
                    <td class="minor"><When at=row.opened_at day_only=true/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame label="Disputes">
            <table>
                <thead><tr>
                    <th scope="col">"Order"</th>
                    <th scope="col" class="number">"Amount"</th>
                    <th scope="col" class="minor">"The bank's reason"</th>
                    <th scope="col">"State"</th>
                    <th scope="col">"Evidence by"</th>
                    <th scope="col" class="minor">"Since"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </TableFrame>
    }
}

/// What stands on the page of an order that is or was disputed; nothing where it never was.
#[component]
pub fn OfOrder(disputes: Vec<DisputeRow>, base: &'static str) -> impl IntoView {
    disputes
        .into_iter()
        .map(|row| {
            let tone = match row.status {
                DisputeStatus::Won | DisputeStatus::WarningClosed | DisputeStatus::Prevented => Tone::Neutral,
                DisputeStatus::Lost => Tone::Bad,
                _ => Tone::Warn,
            };
            let amount = row.amount();
            let says = match row.status {
                DisputeStatus::Won => format!("Disputed, and won: {amount} came back."),
                DisputeStatus::Lost => format!("Disputed, and lost: the bank gave {amount} back to the shopper."),
                DisputeStatus::WarningClosed | DisputeStatus::Prevented => {
                    "The bank asked about the payment, and took nothing.".into()
                }
                DisputeStatus::WarningNeedsResponse | DisputeStatus::WarningUnderReview => {
                    format!("Disputed: the bank asks about {amount}.")
                }
                _ => format!("Disputed: the bank holds {amount} until it has decided."),
            };
            view! { <Notice tone=tone><p>{says} " " <a href=format!("{base}/{}", row.id)>"The dispute"</a></p></Notice> }
        })
        .collect_view()
}

/// What a dispute is about.
#[component]
pub fn About<'a>(detail: &'a DisputeDetail, for_operator: bool) -> impl IntoView + use<> {
    let row = &detail.row;
    let due = row.takes_evidence().then_some(row.evidence_due_at).flatten();
    let fee = (for_operator && detail.fee_minor > 0).then(|| Money::new(detail.fee_minor, row.currency));
    let money = match (row.status, detail.withdrawn_at, detail.reinstated_at) {
        (_, None, _) => Some("Nothing has moved.".to_owned()),
        (DisputeStatus::Lost, ..) => Some("The shopper has it, as if it had been refunded.".into()),
        (_, _, Some(_)) => Some("It came back.".into()),
        (_, Some(_), None) => Some("The bank holds it until it has decided.".into()),
    };
    view! {
        <dl class="facts">
            <dt>"State"</dt><dd><StateBadge row=row/></dd>
            <dt>{if for_operator { "Amount" } else { "Of what you sold" }}</dt><dd><Price money=row.amount()/></dd>
            <dt>"The bank's reason"</dt><dd>{reason_words(&row.reason)}</dd>
            {due.map(|at| view! { <dt>"Evidence is due"</dt><dd><strong><When at=at/></strong></dd> })}
            <dt>"Money"</dt><dd>{money}</dd>
            {fee.map(|fee| view! { <dt>"Stripe's fee"</dt><dd><Price money=fee/></dd> })}
            <dt>"Since"</dt><dd><When at=row.opened_at/></dd>
            {row.submitted_at.map(|at| view! { <dt>"Evidence sent"</dt><dd><When at=at/></dd> })}
            {detail.closed_at.map(|at| view! { <dt>"Decided"</dt><dd><When at=at/></dd> })}
            {for_operator.then(|| view! { <dt>"At Stripe"</dt><dd><code>{detail.stripe_dispute_id.clone()}</code></dd> })}
        </dl>
    }
}

/// The files, each with a way to read it, and to take it away while that is possible. `own` is whose can be taken away; none: all.
#[component]
pub fn Files(files: Vec<DisputeFile>, here: String, open: bool, own: Option<VendorId>) -> impl IntoView {
    if files.is_empty() {
        return view! { <p class="soft">"No files yet."</p> }.into_any();
    }
    let rows = files
        .into_iter()
        .map(|f| {
            let by = f.vendor_name.clone().map(|name| format!(", from {name}"));
            let size = f.size();
            let remove = (open && (own.is_none() || own == f.vendor)).then(|| {
                view! {
                    <form method="post" action=format!("{here}/files/{}/remove", f.id)>
                        <button class="button-quiet" aria-label=format!("Take {} away", f.name)>"Take away"</button>
                    </form>
                }
            });
            view! {
                <li>
                    <div>
                        <a href=format!("{here}/files/{}", f.id)>{f.name.clone()}</a>
                        <span class="soft below">{f.place.label()} {by} ", " {size}</span>
                    </div>
                    {remove}
                </li>
            }
        })
        .collect_view();
    view! { <ul class="evidence-files">{rows}</ul> }.into_any()
}

/// The form that adds a file.
#[component]
pub fn AddFile(action: String, place: String, errors: FieldErrors) -> impl IntoView {
    let mut places = vec![(String::new(), "Please choose".to_owned())];
    places.extend(Place::ALL.map(|p| (p.as_str().to_owned(), p.label().to_owned())));
    let said = errors.get("file").map(|e| view! { <p class="field-error" id="f-file-error">{e.to_owned()}</p> });
    let about = if said.is_some() { "f-file-hint f-file-error" } else { "f-file-hint" };
    let invalid = said.as_ref().map(|_| "true");
    view! {
        <form method="post" action=action enctype="multipart/form-data" class="evidence-form">
            <h3>"Add a file"</h3>
            <Select label="What it shows" name="place" options=places value=place errors=errors.clone()/>
            <div class="field">
                <label for="f-file">"File"</label>
                <input id="f-file" type="file" name="file" accept="application/pdf,image/jpeg,image/png" required
                    aria-invalid=invalid aria-describedby=about/>
                <p class="hint" id="f-file-hint">
                    {format!("PDF, JPEG or PNG. All files together may have {}.{} MB.", MAX_BYTES / 1_000_000, MAX_BYTES % 1_000_000 / 100_000)}
                </p>
                {said}
            </div>
            <button>"Add the file"</button>
        </form>
    }
}
