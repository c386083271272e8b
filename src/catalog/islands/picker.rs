//! Choosing a variant and putting it into the cart. Every option is a link to the page that shows it, so that the page does
//! all this without script as well; here the page stays where it is.

use crate::{
    cart::actions::add_to_cart,
    catalog::model::{Variant, choose, picture_anchor, stock_words},
    ids::{PictureId, VariantId},
};
use leptos::{
    ev,
    prelude::*,
    task::spawn_local,
    wasm_bindgen::{JsCast, JsValue},
};

/// What adding to the cart came to.
#[derive(Clone, PartialEq)]
enum Outcome {
    Nothing,
    Added(String),
    Refused(String),
}

/// `page` is the product's address, `options` are names with their values; `chosen` is the variant shown first.
#[island]
pub fn VariantPicker(
    page: String,
    options: Vec<(String, Vec<String>)>,
    variants: Vec<Variant>,
    chosen: VariantId,
) -> impl IntoView {
    let variants = StoredValue::new(variants);
    let page = StoredValue::new(page);
    let chosen = RwSignal::new(chosen);
    let outcome = RwSignal::new(Outcome::Nothing);
    let busy = RwSignal::new(false);

    let now = move || variants.with_value(|all| all.iter().find(|v| v.id == chosen.get()).or_else(|| all.first()).cloned());
    let available = move || now().map_or(0, |v| v.available);
    let price = move || now().map(|v| v.price().to_string()).unwrap_or_default();
    let about = move || match now().and_then(|v| v.was()) {
        Some(was) => format!(" incl. VAT; lowest price of the 30 days before: {was}"),
        None => " incl. VAT".to_owned(),
    };

    let groups = options
        .into_iter()
        .enumerate()
        .map(|(i, (name, values))| {
            let of_now = move || now().and_then(|v| v.option_values.get(i).cloned()).unwrap_or_default();
            let chips = values
                .into_iter()
                .map(|value| {
                    let value = StoredValue::new(value);
                    let leads = move || {
                        let now = now()?;
                        value.with_value(|value| variants.with_value(|all| choose(all, &now, i, value).cloned()))
                    };
                    let href = move || leads().map(|v| page.with_value(|p| format!("{p}?variant={}", v.id)));
                    let here = move || value.with_value(|v| *v == of_now());
                    let gone = move || leads().is_none_or(|v| v.available <= 0);
                    let press = move |event: ev::MouseEvent| {
                        // With a key held a link opens elsewhere, as links do.
                        if event.ctrl_key() || event.meta_key() || event.shift_key() {
                            return;
                        }
                        let Some(next) = leads() else { return };
                        event.prevent_default();
                        outcome.set(Outcome::Nothing);
                        chosen.set(next.id);
                        if let Some(picture) = next.picture_id {
                            bring(picture);
                        }
                        // The address follows the choice; without a history it just stays.
                        let address = page.with_value(|p| format!("{p}?variant={}", next.id));
                        let _ = window().history().and_then(|h| h.replace_state_with_url(&JsValue::NULL, "", Some(&address)));
                    };
                    view! {
                        <li>
                            <a
                                class="option-chip"
                                class:option-gone=gone
                                href=href
                                aria-current=move || here().then_some("true")
                                on:click=press
                            >
                                <span>{value.get_value()}</span>
                                {move || gone().then(|| view! { <small>"sold out"</small> })}
                            </a>
                        </li>
                    }
                })
                .collect_view();
            let (label, heading) = (format!("option-{i}"), format!("option-{i}"));
            view! {
                <div class="option" role="group" aria-labelledby=label>
                    <p class="option-name" id=heading>{name} ": " <strong dir="auto">{of_now}</strong></p>
                    <ul class="option-chips">{chips}</ul>
                </div>
            }
        })
        .collect_view();

    let quantity = NodeRef::<leptos::html::Input>::new();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if busy.get() {
            return;
        }
        let wanted = quantity.get().and_then(|input| input.value().trim().parse::<i32>().ok()).unwrap_or(0);
        let variant = chosen.get();
        busy.set(true);
        outcome.set(Outcome::Nothing);
        spawn_local(async move {
            match add_to_cart(variant, wanted).await {
                Ok(change) => {
                    announce(change.count);
                    outcome.set(Outcome::Added(change.message));
                }
                Err(error) => outcome.set(Outcome::Refused(refusal(error))),
            }
            busy.set(false);
        });
    };

    view! {
        <div class="buy">
            <p class="buy-price"><span class="price">{price}</span> <span class="soft">{about}</span></p>
            {groups}
            <p class="buy-stock" id="buy-stock" data-stock=move || match available() { ..=0 => "none", 1..=5 => "few", _ => "enough" }>
                {move || stock_words(available())}
            </p>
            <form class="buy-form" method="post" action="/cart/items" on:submit=submit>
                <input type="hidden" name="variant_id" value=move || chosen.get().to_string()/>
                <label for="f-quantity">"Quantity"</label>
                <input
                    id="f-quantity"
                    name="quantity"
                    type="number"
                    inputmode="numeric"
                    value="1"
                    min="1"
                    max=move || available().clamp(1, 999)
                    required=true
                    node_ref=quantity
                />
                <button class="button-main" type="submit" aria-describedby="buy-stock" disabled=move || available() <= 0>
                    {move || if available() <= 0 { "Sold out" } else { "Add to cart" }}
                </button>
            </form>
            <p class="buy-outcome" role="status">
                {move || match outcome.get() {
                    Outcome::Nothing => ().into_any(),
                    Outcome::Added(message) => view! { <span class="buy-added">{message} " " <a href="/cart">"View cart"</a></span> }.into_any(),
                    Outcome::Refused(message) => view! { <span class="field-error">{message}</span> }.into_any(),
                }}
            </p>
        </div>
    }
}

/// The field's own sentence where there is one.
fn refusal(error: crate::error::AppError) -> String {
    match &error {
        crate::error::AppError::Invalid(fields) => {
            fields.iter().next().map_or_else(|| error.to_string(), |(_, message)| message.to_owned())
        }
        _ => error.to_string(),
    }
}

/// Moves the gallery to a picture, and only the gallery: what is being read stays where it is.
fn bring(picture: PictureId) {
    let item = document().get_element_by_id(&picture_anchor(picture));
    let Some(item) = item.and_then(|i| i.dyn_into::<web_sys::HtmlElement>().ok()) else { return };
    if let Some(strip) = item.parent_element() {
        strip.set_scroll_left(item.offset_left());
    }
}

/// Tells the page that the cart now holds `count` things; the header listens.
fn announce(count: i64) {
    let about = web_sys::CustomEventInit::new();
    about.set_detail(&JsValue::from_f64(count as f64));
    // Nobody listens where the event cannot be made; the next page shows the count.
    if let Ok(event) = web_sys::CustomEvent::new_with_event_init_dict("souk:cart", &about) {
        let _ = window().dispatch_event(&event);
    }
}
