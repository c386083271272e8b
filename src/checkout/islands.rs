//! What of the checkout is interactive in the browser: totals that follow the choices at once.

use super::actions::quote_checkout;
use leptos::{ev::Event, prelude::*, task::spawn_local, wasm_bindgen::JsCast};
use web_sys::{FormData, HtmlElement, HtmlFormElement, HtmlInputElement};

/// Choices that change what the order costs.
const PRICED: [&str; 2] = ["address_id", "country"];

/// Stands around the steps. Without script it is a button that computes the totals anew; with script they follow each choice.
#[island]
pub fn LiveTotals(
    /// The vendors of the order
    slugs: Vec<String>,
    /// The lines of the order, as the form has them
    lines: String,
    /// The code that the page was reckoned with, empty for none: one that was only typed must not change the total unseen
    coupon: String,
    children: Children,
) -> impl IntoView {
    let awake = RwSignal::new(false);
    let turn = RwSignal::new(0u32);
    Effect::new(move || awake.set(true));

    let recompute = move |event: Event| {
        let Some(field) = event.target().and_then(|t| t.dyn_into::<HtmlElement>().ok()) else { return };
        let name = field.get_attribute("name").unwrap_or_default();
        if !PRICED.contains(&name.as_str()) && !name.starts_with("shipping-") {
            return;
        }
        let Some(form) = field.closest("form").ok().flatten().and_then(|f| f.dyn_into::<HtmlFormElement>().ok()) else { return };
        let Ok(typed) = FormData::new_with_form(&form) else { return };
        let value = |name: &str| typed.get(name).as_string().unwrap_or_default();
        let (address, country) = (value("address_id"), value("country"));
        let shipping: Vec<String> = slugs.iter().map(|slug| format!("{slug}:{}", value(&format!("shipping-{slug}")))).collect();
        let (lines, coupon) = (lines.clone(), coupon.clone());
        turn.update(|t| *t += 1);
        let mine = turn.get_untracked();
        spawn_local(async move {
            // What cannot be computed now is computed when the form is sent; the refusal then keeps everything typed.
            let Ok(new) = quote_checkout(address, country, shipping.join(" "), lines, coupon).await else { return };
            if mine != turn.get_untracked() {
                return;
            }
            for (id, text) in &new.texts {
                if let Some(element) = document().get_element_by_id(id) {
                    element.set_text_content(Some(text));
                }
            }
            let shown = document().get_element_by_id("expected-total").and_then(|e| e.dyn_into::<HtmlInputElement>().ok());
            if let Some(shown) = shown {
                shown.set_value(&new.total_minor.to_string());
            }
        });
    };

    view! {
        <div class="checkout-steps" on:change=recompute>
            {children()}
            <button type="submit" formaction="/checkout/update" class="button-quiet" hidden=move || awake.get()>
                "Update totals"
            </button>
        </div>
    }
}
