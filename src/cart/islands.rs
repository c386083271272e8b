//! What of the cart is interactive in the browser: the quantity of a line.

use super::actions::set_cart_quantity;
use crate::{
    cart::model::{CartUpdate, MAX_QUANTITY},
    ids::CartLineId,
};
use leptos::{prelude::*, task::spawn_local, wasm_bindgen::JsValue};
use std::time::Duration;

/// How long a person may go on pressing before the quantity is saved.
const PAUSE: Duration = Duration::from_millis(250);

/// The quantity of a cart line: a plain form with a button, which in a browser with script becomes a stepper that saves by itself.
#[island]
pub fn LineQuantity(
    line: CartLineId,
    quantity: i32,
    /// How many there are
    most: i32,
    /// What a screen reader calls the field
    label: String,
    /// What was typed and refused, and why
    typed: Option<String>,
    error: Option<String>,
) -> impl IntoView {
    let awake = RwSignal::new(false);
    let shown = RwSignal::new(typed.unwrap_or_else(|| quantity.to_string()));
    let saved = RwSignal::new(quantity);
    let problem = RwSignal::new(error);
    let turn = RwSignal::new(0u32);
    Effect::new(move || awake.set(true));

    let save = move |wanted: i32| {
        turn.update(|t| *t += 1);
        let mine = turn.get_untracked();
        set_timeout(
            move || {
                if mine != turn.get_untracked() || wanted == saved.get_untracked() {
                    return;
                }
                spawn_local(async move {
                    let answer = set_cart_quantity(line, wanted).await;
                    // A later press has its own answer.
                    if mine != turn.get_untracked() {
                        return;
                    }
                    match answer {
                        Ok(update) => {
                            saved.set(wanted);
                            problem.set(None);
                            show(&update);
                        }
                        Err(error) => {
                            shown.set(saved.get_untracked().to_string());
                            problem.set(Some(error.to_string()));
                        }
                    }
                });
            },
            PAUSE,
        );
    };
    let step = move |by: i32| {
        let now = shown.get_untracked().trim().parse().unwrap_or_else(|_| saved.get_untracked());
        let wanted = (now + by).clamp(1, MAX_QUANTITY);
        shown.set(wanted.to_string());
        save(wanted);
    };
    let typed = move |text: String| {
        shown.set(text.clone());
        match text.trim().parse() {
            Ok(wanted) if (1..=MAX_QUANTITY).contains(&wanted) => save(wanted),
            _ => problem.set(Some(format!("Choose a quantity between 1 and {MAX_QUANTITY}."))),
        }
    };
    let at_most = move || shown.get().trim().parse().is_ok_and(|n: i32| n >= most);
    let at_least = move || shown.get().trim() == "1";

    let id = format!("quantity-{line}");
    let error_id = format!("{id}-error");
    view! {
        <form class="quantity" method="post" action=format!("/cart/items/{line}") data-awake=move || awake.get().to_string()>
            <label class="visually-hidden" for=id.clone()>{format!("Quantity of {label}")}</label>
            <button
                type="button"
                class="quantity-step"
                hidden=move || !awake.get()
                disabled=at_least
                aria-label=format!("One less of {label}")
                on:click=move |_| step(-1)
            >
                "−"
            </button>
            <input
                id=id
                name="quantity"
                type="number"
                inputmode="numeric"
                min="1"
                max=most
                autocomplete="off"
                prop:value=move || shown.get()
                value=shown.get_untracked()
                aria-invalid=move || problem.get().map(|_| "true")
                aria-describedby=error_id.clone()
                on:change=move |event| typed(event_target_value(&event))
            />
            <button
                type="button"
                class="quantity-step"
                hidden=move || !awake.get()
                disabled=at_most
                aria-label=format!("One more of {label}")
                on:click=move |_| step(1)
            >
                "+"
            </button>
            <button type="submit" hidden=move || awake.get()>"Update"</button>
            <p class="field-error" id=error_id role="alert" hidden=move || problem.get().is_none()>{move || problem.get()}</p>
        </form>
    }
}

/// Brings the rest of the page up to date, or loads it anew where it has other parts now.
fn show(update: &CartUpdate) {
    if update.reload {
        _ = window().location().reload();
        return;
    }
    announce(update.count);
    for (id, text) in &update.texts {
        if let Some(element) = document().get_element_by_id(id) {
            element.set_text_content(Some(text));
        }
    }
}

/// Tells the header how many things are in the cart now.
fn announce(count: i64) {
    let about = web_sys::CustomEventInit::new();
    about.set_detail(&JsValue::from_f64(count as f64));
    if let Ok(event) = web_sys::CustomEvent::new_with_event_init_dict("souk:cart", &about) {
        _ = window().dispatch_event(&event);
    }
}
