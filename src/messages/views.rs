//! How messages look to both sides.

use crate::{
    catalog::model::paragraphs,
    error::FieldErrors,
    ids::VendorOrderId,
    orders::model::Event,
    ui::{TextArea, When},
};
use leptos::prelude::*;

use super::write::MessageText;

const FROM_SHOPPER: &str = "message_from_shopper";
const FROM_VENDOR: &str = "message_from_vendor";

/// Whether this fact is a message, by whomever.
pub fn is_message(event: &Event) -> bool {
    event.kind == FROM_SHOPPER || event.kind == FROM_VENDOR
}

/// The messages about a parcel, the oldest first.
pub fn messages_of(events: &[Event], parcel: VendorOrderId) -> Vec<Event> {
    events.iter().filter(|event| is_message(event) && event.vendor_order_id == Some(parcel)).cloned().collect()
}

/// What was written, the oldest first. `own` is the kind of those who read.
#[component]
pub fn Thread(messages: Vec<Event>, by_vendor: bool, shopper: String, vendor: String) -> impl IntoView {
    if messages.is_empty() {
        return view! { <p class="soft">"Nothing was written yet."</p> }.into_any();
    }
    let own = if by_vendor { FROM_VENDOR } else { FROM_SHOPPER };
    let items = messages
        .into_iter()
        .map(|message| {
            let who = match (message.kind == own, message.kind == FROM_VENDOR, message.actor) {
                (true, true, Some(name)) => name,
                (true, ..) => "You".to_owned(),
                (false, true, _) => vendor.clone(),
                (false, false, _) => shopper.clone(),
            };
            let text = paragraphs(message.detail["text"].as_str().unwrap_or_default());
            view! {
                <li class="message" class:own={message.kind == own}>
                    <p class="soft">{who} ", " <When at=message.at/></p>
                    <div dir="auto">{text.into_iter().map(|p| view! { <p>{p}</p> }).collect_view()}</div>
                </li>
            }
        })
        .collect_view();
    view! { <ol class="messages">{items}</ol> }.into_any()
}

/// The form that writes one.
#[component]
pub fn MessageForm(
    action: String,
    label: String,
    typed: String,
    errors: FieldErrors,
    /// Fields that go with it.
    hidden: Vec<(&'static str, String)>,
) -> impl IntoView {
    let hidden = hidden.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view();
    view! {
        <form method="post" action=action class="message-form">
            {hidden}
            <TextArea label=label name="text" value=typed errors=errors rows=5 required=true maxlength=MessageText::MAX/>
            <button class="button-main">"Send"</button>
        </form>
    }
}
