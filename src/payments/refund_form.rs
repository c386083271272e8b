//! The form that gives money of a parcel back: the same for its vendor and for the operator. It says what is left, keeps what was
//! typed, and says no at the field.

use super::{
    RefundNote, Refundable,
    parts::{SoldParcel, TooMuch, Wanted},
};
use crate::{
    error::{AppError, FieldErrors, Refusal},
    ids::{OrderLineId, VendorOrderId},
    money::{Currency, Money},
    ui::Field,
};
use leptos::prelude::*;
use std::collections::HashMap;

/// The form as typed: `back[{line}]`, `shipping[{parcel}]`, `reason[{parcel}]`, so that several fit on one page.
#[derive(Debug, Clone, Default)]
pub struct RefundForm {
    lines: HashMap<OrderLineId, String>,
    shipping: String,
    pub reason: String,
}

fn key<T: std::str::FromStr>(name: &str, prefix: &str) -> Option<T> {
    name.strip_prefix(prefix)?.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

impl RefundForm {
    pub fn from_pairs(parcel: VendorOrderId, pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            if key(&name, "shipping") == Some(parcel) {
                form.shipping = value;
            } else if key(&name, "reason") == Some(parcel) {
                form.reason = value;
            } else if let Some(line) = key(&name, "back") {
                form.lines.insert(line, value);
            }
        }
        form
    }

    /// What is wanted; an error at each field that says no number.
    pub fn wanted(&self, parcel: VendorOrderId, currency: Currency) -> Result<Wanted, FieldErrors> {
        let mut errors = FieldErrors::default();
        let mut wanted = Wanted::default();
        for (line, typed) in &self.lines {
            match typed.trim() {
                "" => {}
                typed => match typed.parse::<i32>().ok().filter(|n| (0..=999).contains(n)) {
                    Some(0) => {}
                    Some(quantity) => {
                        wanted.lines.insert(*line, quantity);
                    }
                    None => errors.add(&format!("back[{line}]"), "Write a whole number of pieces."),
                },
            }
        }
        if !self.shipping.trim().is_empty() {
            let shipping = errors.take(&format!("shipping[{parcel}]"), Money::parse(&self.shipping, currency));
            wanted.shipping_minor = shipping.map_or(0, |m| m.minor);
        }
        if errors.is_empty() { Ok(wanted) } else { Err(errors) }
    }
}

/// Where on the form a refusal belongs, as the parcel stands now; `None` for what the form cannot mend.
pub fn errors_of(
    error: AppError,
    parcel: VendorOrderId,
    now: Option<&Refundable>,
    wanted: &Wanted,
) -> Result<FieldErrors, AppError> {
    match error {
        AppError::Invalid(errors) => {
            let mut named = FieldErrors::default();
            for (field, message) in errors.iter() {
                let field = if field == "reason" { format!("reason[{parcel}]") } else { field.to_owned() };
                named.add(&field, message);
            }
            Ok(named)
        }
        AppError::Conflict(refusal) => Ok(match (refusal, now) {
            (Refusal::RefundsTooMuch, Some(now)) => too_much(&now.parcel, now.currency, wanted),
            (refusal, _) => FieldErrors::one("", refusal.to_string()),
        }),
        other => Err(other),
    }
}

fn too_much(parcel: &SoldParcel, currency: Currency, wanted: &Wanted) -> FieldErrors {
    match parcel.parts(wanted) {
        Err(TooMuch::Pieces { line, left: 0 }) => FieldErrors::one(&format!("back[{line}]"), "All of it went back before."),
        Err(TooMuch::Pieces { line, left }) => {
            FieldErrors::one(&format!("back[{line}]"), format!("At most {left} can still go back."))
        }
        Err(TooMuch::Shipping { left }) => FieldErrors::one(
            &format!("shipping[{}]", parcel.id),
            format!("At most {} can still go back.", Money::new(left, currency)),
        ),
        Err(TooMuch::NoSuchLine) | Ok(_) => FieldErrors::one("", Refusal::RefundsTooMuch.to_string()),
    }
}

/// The form, folded away until it is needed. `hidden` are further fields that its address wants.
#[component]
pub fn RefundFields(
    action: String,
    of: Refundable,
    typed: RefundForm,
    errors: FieldErrors,
    #[prop(optional)] hidden: Vec<(&'static str, String)>,
) -> impl IntoView {
    let Refundable { parcel, currency } = of;
    let money = |minor| Money::new(minor, currency);
    let id = parcel.id;
    let all = money(parcel.left().amount);
    let open = !errors.is_empty();
    let shipping_left = parcel.shipping_left();
    let rows = parcel
        .lines
        .iter()
        .filter(|line| line.left() > 0)
        .map(|line| {
            let name = format!("back[{}]", line.id);
            let value = typed.lines.get(&line.id).cloned().unwrap_or_else(|| "0".into());
            let error =
                errors.get(&name).map(|e| view! { <p class="field-error" id=format!("f-{name}-error")>{e.to_owned()}</p> });
            let worth = money(line.sold.less(line.back).amount);
            view! {
                <div class="ship-line">
                    <label for=format!("f-{name}")>{line.title.clone()} <span class="soft">{format!(", {worth} in all")}</span></label>
                    <input id=format!("f-{name}") name=name.clone() value=value inputmode="numeric" autocomplete="off"
                        aria-invalid=error.as_ref().map(|_| "true") aria-describedby=error.as_ref().map(|_| format!("f-{name}-error"))/>
                    <span class="soft">{format!("of {}", line.left())}</span>
                    {error}
                </div>
            }
        })
        .collect_view();
    let hidden = hidden.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view();
    view! {
        <details class="refund" open=open>
            <summary>"Give money back"</summary>
            <form method="post" action=action class="ship-form">
                {hidden}
                <p class="soft">{format!("At most {all} of this parcel can still go back to the shopper.")}</p>
                {rows}
                {(shipping_left > 0).then(|| view! {
                    <Field label=format!("Shipping, at most {}", money(shipping_left)) name=format!("shipping[{id}]") value=typed.shipping
                        errors=errors.clone() inputmode="decimal"/>
                })}
                <Field label="Reason, which the shopper reads" name=format!("reason[{id}]") value=typed.reason errors=errors
                    maxlength=RefundNote::MAX required=true/>
                <button class="button-danger">"Give it back"</button>
                <p class="hint">"The money goes back to the card; that cannot be undone. Our fee goes back in proportion."</p>
            </form>
        </details>
    }
}
