//! What happened to an order, as its vendor reads it.

use super::model::Event;
use crate::ui::When;
use leptos::prelude::*;

/// The timeline in words; nothing where there is none.
#[component]
pub fn History(events: Vec<Event>) -> impl IntoView {
    if events.is_empty() {
        return ().into_any();
    }
    let rows = events
        .into_iter()
        .map(|event| {
            let by = event.actor.map(|name| view! { ", by " <span class="by">{name}</span> });
            view! { <li>{event_words(&event.kind)} {by} " · " <span class="soft"><When at=event.at/></span></li> }
        })
        .collect_view();
    view! { <section class="order-history" aria-labelledby="history"><h2 id="history">"What happened"</h2> <ul class="plain-list">{rows}</ul></section> }
        .into_any()
}

/// A kind of event in words; an unknown one as it is called.
fn event_words(kind: &str) -> String {
    match kind {
        "created" => "Ordered".into(),
        "paid" => "Paid".into(),
        "payment_failed" => "A payment was refused".into(),
        "cancelled" => "Cancelled".into(),
        "expired" => "Not paid in time".into(),
        "refunded" => "Paid back".into(),
        "refund_booked" => "Money is going back".into(),
        "return_asked" => "A return was asked for".into(),
        "return_questioned" => "The shopper was asked about a return".into(),
        "return_answered" => "The shopper answered about a return".into(),
        "return_accepted" => "A return was accepted".into(),
        "return_refused" => "A return was refused".into(),
        "return_appealed" => "The shopper asked Souk about a return".into(),
        "return_sent" => "Something is on its way back".into(),
        "return_received" => "A return came".into(),
        "return_withdrawn" => "A return was withdrawn".into(),
        "disputed" => "Disputed: a bank was asked to take money back".into(),
        "dispute_withdrawn" => "The bank took the money while it decides".into(),
        "dispute_evidence" => "Souk sent evidence to the bank".into(),
        "dispute_reinstated" => "The money came back from the bank".into(),
        "dispute_won" => "The dispute is won".into(),
        "dispute_lost" => "The dispute is lost: the bank gave the money back".into(),
        "dispute_closed" => "The bank asks no more".into(),
        "refunded_in_dashboard" => "Given back by Souk".into(),
        "shipped" => "Parcel sent".into(),
        "delivered" => "Parcel arrived".into(),
        "message_from_shopper" => "The shopper wrote".into(),
        "message_from_vendor" => "The shopper was written to".into(),
        "message_settled" => "No answer was needed".into(),
        other => {
            let words = other.replace('_', " ");
            let mut letters = words.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
        }
    }
}
