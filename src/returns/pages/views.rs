//! Components of return pages, for all who read them.

use super::super::model::{Party, ReturnDetail, ReturnLine, ReturnReason, ReturnRow, ReturnState};
use crate::{
    orders::model::Event,
    ui::{Badge, Picture, TableFrame, Tone, When},
};
use leptos::prelude::*;

/// A state as this party reads it: who has to do something comes first.
pub fn state_words(state: ReturnState, by: Party) -> (Tone, &'static str) {
    use {Party::*, ReturnState as S};
    match (state, by) {
        (S::Asked, Vendor) => (Tone::Warn, "waits for you"),
        (S::Asked, _) => (Tone::Neutral, "waits for the vendor"),
        (S::Question, Shopper) => (Tone::Warn, "a question for you"),
        (S::Question, _) => (Tone::Neutral, "waits for the shopper"),
        (S::Accepted, Shopper) => (Tone::Good, "accepted: send it back"),
        (S::Accepted, _) => (Tone::Neutral, "accepted, not sent yet"),
        (S::Sent, Vendor) => (Tone::Warn, "on its way to you"),
        (S::Sent, _) => (Tone::Neutral, "on its way back"),
        (S::Received, Shopper) => (Tone::Good, "received and paid back"),
        (S::Received, _) => (Tone::Good, "received"),
        (S::Refused, _) => (Tone::Bad, "refused"),
        (S::Appealed, Operator) => (Tone::Warn, "waits for you"),
        (S::Appealed, _) => (Tone::Neutral, "Souk decides"),
        (S::Withdrawn, _) => (Tone::Neutral, "withdrawn"),
    }
}

/// A table of returns; `base` is the address of the list, to which the id is added.
#[component]
pub fn ReturnRows(rows: Vec<ReturnRow>, by: Party, base: &'static str) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let (tone, label) = state_words(row.state, by);
            let pieces = if row.pieces == 1 { "1 piece".to_owned() } else { format!("{} pieces", row.pieces) };
            let vendor = (by == Party::Operator).then(|| view! { <span class="soft below">{row.vendor_name}</span> });
            view! {
                <tr>
                    <th scope="row"><a href=format!("{base}/{}", row.id)>{format!("Order {}", row.number)}</a> {vendor}</th>
                    <td>{row.title} <span class="soft below">{pieces}</span></td>
                    <td class="minor">{row.ship_name}</td>
                    <td class="minor">{reason_words(row.reason)}</td>
                    <td><Badge tone=tone label=label/></td>
                    <td><When at=row.changed_at day_only=true/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame label="Returns">
            <table>
                <thead><tr>
                    <th scope="col">"Order"</th>
                    <th scope="col">"Goods"</th>
                    <th scope="col" class="minor">"Shopper"</th>
                    <th scope="col" class="minor">"Reason"</th>
                    <th scope="col">"State"</th>
                    <th scope="col">"Since"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </TableFrame>
    }
}

/// A reason as others than the shopper read it.
fn reason_words(reason: ReturnReason) -> &'static str {
    match reason {
        ReturnReason::Damaged => "damaged",
        ReturnReason::Wrong => "not what was ordered",
        ReturnReason::NotAsDescribed => "not as described",
        ReturnReason::Unwanted => "not wanted any more",
        ReturnReason::Other => "something else",
    }
}

/// What a return is about. `pictures` is the address of its pictures, `query` what has to follow it.
#[component]
pub fn About<'a>(detail: &'a ReturnDetail, by: Party, pictures: String, query: String) -> impl IntoView + use<> {
    let row = &detail.row;
    let (tone, label) = state_words(row.state, by);
    let reason = if by == Party::Shopper { row.reason.label() } else { reason_words(row.reason) };
    let lines = detail
        .lines
        .iter()
        .map(|line| view! { <LineRow line=line.clone() done=row.state == ReturnState::Received/> })
        .collect_view();
    let shown = detail
        .pictures
        .iter()
        .enumerate()
        .map(|(i, p)| {
            let large = format!("{pictures}/{}/960{query}", p.id);
            let small = format!("{pictures}/{}/320{query}", p.id);
            view! {
                <li><a href=large>
                    <img src=small alt=format!("Picture {} of the goods, by the shopper", i + 1) width=p.width height=p.height loading="lazy"/>
                </a></li>
            }
        })
        .collect_view();
    let carried =
        [detail.carrier.as_str(), detail.tracking.as_str()].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join(", ");
    let refund = detail.refunded().zip(detail.refund.as_ref()).map(|(money, (_, state))| {
        let word = match state.as_str() {
            "succeeded" => "sent back",
            "failed" => "could not be sent back",
            _ => "on its way back",
        };
        view! { <dt>"Money"</dt><dd>{format!("{money} {word}")}</dd> }
    });
    view! {
        <dl class="facts">
            <dt>"State"</dt><dd><Badge tone=tone label=label/></dd>
            <dt>"Reason"</dt><dd>{reason}</dd>
            {(!detail.words.is_empty()).then(|| view! { <dt>"In their words"</dt><dd class="said">{detail.words.clone()}</dd> })}
            <dt>"Asked"</dt><dd><When at=row.asked_at/></dd>
            {(!detail.send_to.is_empty()).then(|| view! { <dt>"To be sent to"</dt><dd class="said">{detail.send_to.clone()}</dd> })}
            {(!carried.is_empty()).then(|| view! { <dt>"Sent with"</dt><dd>{carried}</dd> })}
            {refund}
        </dl>
        <ul class="return-lines">{lines}</ul>
        {(!detail.pictures.is_empty()).then(|| view! { <ul class="return-pictures">{shown}</ul> })}
    }
}

#[component]
fn LineRow(line: ReturnLine, done: bool) -> impl IntoView {
    let came = done.then(|| {
        let shelf = if line.restocked > 0 { format!(", {} back on the shelf", line.restocked) } else { String::new() };
        view! { <p class="soft">{format!("{} came{shelf}", line.received)}</p> }
    });
    view! {
        <li>
            <Picture id=line.picture_id alt="" sizes="4.5rem"/>
            <div>
                <p>{format!("{} × {}", line.quantity, line.title)} " " <span class="soft">{line.options}</span></p>
                {came}
            </div>
        </li>
    }
}

/// What was said and done, oldest first.
#[component]
pub fn Talk(events: Vec<Event>) -> impl IntoView {
    let items = events
        .into_iter()
        .filter_map(|event| {
            let text = |name: &str| event.detail[name].as_str().unwrap_or_default().to_owned();
            let by = text("by");
            let title = match event.kind.as_str() {
                "return_asked" => "The shopper asked to send it back".to_owned(),
                "return_questioned" => format!("{by} asked"),
                "return_answered" => "The shopper answered".into(),
                "return_accepted" => format!("{by} accepted it, to be sent to"),
                "return_refused" => format!("{by} refused it"),
                "return_appealed" => "The shopper asked Souk to decide".into(),
                "return_sent" => "The shopper sent it back".into(),
                "return_received" => format!("{by} has it"),
                "return_withdrawn" => "The shopper keeps it".into(),
                _ => return None,
            };
            let words = text("words");
            let words = (!words.is_empty()).then(|| view! { <p class="said">{words}</p> });
            Some(view! { <li><p>{title} <span class="soft">" · " <When at=event.at/></span></p> {words}</li> })
        })
        .collect_view();
    view! {
        <section class="order-history" aria-labelledby="talk"><h2 id="talk">"What happened"</h2> <ol class="timeline">{items}</ol></section>
    }
}
