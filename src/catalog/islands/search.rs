//! The search input of the header, with suggestions while typing: a combobox as WAI-ARIA describes it.

use crate::catalog::{actions::suggest_goods, limits::SEARCH_MAX, model::Suggestion};
use leptos::{ev, leptos_dom::helpers::TimeoutHandle, prelude::*, task::spawn_local};
use std::time::Duration;

/// Waits for a pause in the typing before it asks.
const PAUSE: Duration = Duration::from_millis(160);

/// An ordinary search input of the form around it; `current` is what the page searched for.
#[island]
pub fn SearchBox(current: String) -> impl IntoView {
    let offers = RwSignal::new(Vec::<Suggestion>::new());
    let active = RwSignal::new(None::<usize>);
    let latest = StoredValue::new(String::new());
    let timer = StoredValue::new(None::<TimeoutHandle>);

    let close = move || {
        offers.set(Vec::new());
        active.set(None);
    };
    let ask = move |text: String| {
        spawn_local(async move {
            // A failed suggestion is no news: the form still searches.
            let found = suggest_goods(text.clone()).await.unwrap_or_default();
            if latest.get_value() == text {
                active.set(None);
                offers.set(found);
            }
        });
    };
    let typed = move |event: ev::Event| {
        let text = event_target_value(&event).trim().to_owned();
        latest.set_value(text.clone());
        if let Some(timer) = timer.try_update_value(Option::take).flatten() {
            timer.clear();
        }
        if text.chars().count() < 2 {
            close();
        } else {
            timer.set_value(set_timeout_with_handle(move || ask(text), PAUSE).ok());
        }
    };
    let leave = move || {
        latest.set_value(String::new());
        close();
    };
    let go = move |i: usize| {
        if let Some(href) = offers.with(|o| o.get(i).map(|s| s.href.clone())) {
            // An address of our own; a failure to go there leaves the form as it is.
            let _ = window().location().assign(&href);
        }
    };
    let pressed = move |event: ev::KeyboardEvent| {
        let count = offers.with(Vec::len);
        if count == 0 {
            return;
        }
        let now = active.get();
        match event.key().as_str() {
            "ArrowDown" => active.set(Some(now.map_or(0, |i| (i + 1) % count))),
            "ArrowUp" => active.set(Some(now.map_or(count - 1, |i| (i + count - 1) % count))),
            "Escape" => leave(),
            "Enter" => {
                let Some(i) = now else { return };
                go(i);
            }
            _ => return,
        }
        event.prevent_default();
    };
    let open = move || offers.with(|o| !o.is_empty());
    let list = move || {
        offers
            .get()
            .into_iter()
            .enumerate()
            .map(|(i, s)| {
                let chosen = move || active.get() == Some(i);
                view! {
                    // Pressing must not take the focus away before the click arrives.
                    <li
                        id=format!("offer-{i}")
                        role="option"
                        aria-selected=move || if chosen() { "true" } else { "false" }
                        on:mousedown=|e| e.prevent_default()
                        on:click=move |_| go(i)
                    >
                        <span dir="auto">{s.label}</span>
                        <span class="offer-detail" dir="auto">{s.detail}</span>
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <input
            id="q"
            name="q"
            type="search"
            value=current
            maxlength=SEARCH_MAX.to_string()
            placeholder="Search the market"
            autocomplete="off"
            spellcheck="false"
            enterkeyhint="search"
            dir="auto"
            role="combobox"
            aria-autocomplete="list"
            aria-controls="offers"
            aria-expanded=move || if open() { "true" } else { "false" }
            aria-activedescendant=move || active.get().map(|i| format!("offer-{i}"))
            on:input=typed
            on:keydown=pressed
            on:blur=move |_| leave()
        />
        <ul id="offers" class="offers" role="listbox" aria-label="Suggestions" hidden=move || !open()>{list}</ul>
    }
}
