//! The form that sends a parcel: as typed, and as drawn.

use super::today::pieces;
use crate::{
    error::FieldErrors,
    ids::{OrderLineId, VendorOrderId},
    orders::{Carrier, Tracking, model::Line},
    ui::Field,
};
use leptos::prelude::*;
use std::collections::HashMap;

/// Offered while typing; any other name may be written.
const CARRIERS: [&str; 8] = ["Royal Mail", "Parcelforce", "DPD", "Evri", "DHL", "UPS", "FedEx", "Yodel"];

/// The shipping form, as typed: `lines[{id}]`, `carrier`, `tracking`.
#[derive(Default)]
pub struct ShipForm {
    pub lines: HashMap<OrderLineId, String>,
    pub carrier: String,
    pub tracking: String,
}

impl ShipForm {
    /// Reads the fields of a posted form; what is none of them is left out.
    pub fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "carrier" => form.carrier = value,
                "tracking" => form.tracking = value,
                name => {
                    let id = name.strip_prefix("lines[").and_then(|n| n.strip_suffix(']')).and_then(|id| id.parse().ok());
                    if let Some(id) = id {
                        form.lines.insert(id, value);
                    }
                }
            }
        }
        form
    }

    /// The pieces to send of each line that something was typed at.
    ///
    /// # Errors
    /// At `lines[{id}]` for what is no number of pieces.
    pub fn quantities(&self) -> Result<Vec<(OrderLineId, i32)>, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut lines = Vec::new();
        for (id, typed) in &self.lines {
            match typed.trim() {
                "" => {}
                typed => match typed.parse::<i32>().ok().filter(|n| (0..=999).contains(n)) {
                    Some(quantity) => lines.push((*id, quantity)),
                    None => errors.add(&format!("lines[{id}]"), "Write a whole number, 0 to leave it for later."),
                },
            }
        }
        if errors.is_empty() { Ok(lines) } else { Err(errors) }
    }
}

/// The form for the lines of which something is left to send.
#[component]
pub fn ShipFields(id: VendorOrderId, lines: Vec<Line>, typed: ShipForm, errors: FieldErrors) -> impl IntoView {
    let rows = lines
        .into_iter()
        .filter(|line| line.left_to_ship() > 0)
        .map(|line| {
            let left = line.left_to_ship();
            let name = format!("lines[{}]", line.id);
            let value = typed.lines.get(&line.id).cloned().unwrap_or_else(|| left.to_string());
            let error =
                errors.get(&name).map(|e| view! { <p class="field-error" id=format!("f-{name}-error")>{e.to_owned()}</p> });
            let about = error.as_ref().map(|_| format!("f-{name}-error"));
            let options = if line.options.is_empty() { String::new() } else { format!(" ({})", line.options) };
            view! {
                <div class="ship-line">
                    <label for=format!("f-{name}")>{line.title} {options}</label>
                    <input id=format!("f-{name}") name=name.clone() value=value inputmode="numeric" autocomplete="off"
                        aria-invalid=error.as_ref().map(|_| "true") aria-describedby=about/>
                    <span class="soft">{format!("of {}", pieces(left.into()))}</span>
                    {error}
                </div>
            }
        })
        .collect_view();
    let carrier_error = errors.get("carrier").map(|e| view! { <p class="field-error" id="f-carrier-error">{e.to_owned()}</p> });
    let carriers = CARRIERS.map(|c| view! { <option value=c></option> }).into_iter().collect_view();
    view! {
        <form method="post" action=format!("/vendor/orders/{id}/shipments") class="ship-form">
            <h2>"Send a parcel"</h2>
            {rows}
            <div class="field-row">
                <div class="field">
                    <label for="f-carrier">"Carrier"</label>
                    <input id="f-carrier" name="carrier" list="carriers" value=typed.carrier required maxlength=Carrier::MAX autocomplete="off"
                        aria-invalid=carrier_error.as_ref().map(|_| "true")
                        aria-describedby=carrier_error.as_ref().map(|_| "f-carrier-error")/>
                    <datalist id="carriers">{carriers}</datalist>
                    {carrier_error}
                </div>
                <Field label="Tracking number" name="tracking" value=typed.tracking errors=errors.clone() maxlength=Tracking::MAX/>
            </div>
            <button class="button-main">"Mark as shipped"</button>
            <p class="hint">"The shopper gets a mail with the carrier and the tracking number. What you leave at 0 can follow in another parcel."</p>
        </form>
    }
}
