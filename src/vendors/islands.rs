//! What makes the desk's tables quick under the fingers.

use leptos::{ev, prelude::*, wasm_bindgen::JsCast};
use web_sys::{Element, HtmlInputElement};

/// Arrow keys walk through a table that is typed into (`data-grid`), column by column; Ctrl+D takes what stands above. What differs from
/// what was there is marked. Without script the Tab key does, as everywhere.
#[island]
pub fn GridKeys() -> impl IntoView {
    let awake = RwSignal::new(false);
    Effect::new(move || {
        awake.set(true);
        let keys = window_event_listener(ev::keydown, |event| {
            let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) else { return };
            let down = match event.key().as_str() {
                "ArrowDown" => true,
                "ArrowUp" => false,
                "d" if event.ctrl_key() || event.meta_key() => {
                    if let Some(above) = neighbour(&input, false) {
                        event.prevent_default();
                        input.set_value(&above.value());
                        input.select();
                        mark(&input);
                    }
                    return;
                }
                _ => return,
            };
            if let Some(next) = neighbour(&input, down) {
                event.prevent_default();
                _ = next.focus();
                next.select();
            }
        });
        let typing = window_event_listener(ev::input, |event| {
            if let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) {
                mark(&input);
            }
        });
        on_cleanup(move || {
            keys.remove();
            typing.remove();
        });
    });
    view! { <p class="hint" hidden=move || !awake.get()>"Arrow keys walk up and down, Ctrl+D repeats what stands above, Enter saves."</p> }
}

/// The control of the same column in the next row, or the one before.
fn neighbour(input: &HtmlInputElement, down: bool) -> Option<HtmlInputElement> {
    let row = row_of(input)?;
    let (field, _) = input.name().split_once('[').map(|(field, id)| (field.to_owned(), id.to_owned()))?;
    let next = if down { row.next_element_sibling() } else { row.previous_element_sibling() }?;
    next.query_selector(&format!("input[name^='{field}[']")).ok()??.dyn_into().ok()
}

fn row_of(input: &HtmlInputElement) -> Option<Element> {
    input.closest("[data-grid] tbody tr").ok()?
}

fn mark(input: &HtmlInputElement) {
    if row_of(input).is_some() {
        _ = input.toggle_attribute_with_force("data-changed", input.value() != input.default_value());
    }
}
