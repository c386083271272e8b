//! The line at the top of an open dashboard: what happened since the page was drawn, and the way to see it without a reload.
//!
//! A part of a page that may be drawn anew has an id and says when with `data-live`: `now` for figures that nobody works in, `asked`
//! for lists, which must not jump under the pointer. Such parts hold no islands.

use super::model::{Since, Told, line};
use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_bindgen::{JsCast, JsValue, closure::Closure},
};
use std::time::Duration;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DomParser, EventSource, MessageEvent, Response, SupportedType};

/// What comes close together is shown as one.
const GATHER: Duration = Duration::from_millis(150);
/// How often to ask where nothing can be heard.
const ASK: Duration = Duration::from_secs(10);
/// Parts of the page, by when they may be drawn anew.
const AT_ONCE: &str = "[data-live='now'][id]";
const ALL: &str = "[data-live][id]";

/// See the module. Without script there is no line, and a reload shows the same.
#[island]
pub fn LiveLine(
    /// When the page was drawn, in milliseconds since 1970
    drawn: i64,
) -> impl IntoView {
    let news = RwSignal::new(Vec::<Told>::new());
    Effect::new(move || {
        let title = document().title();
        Effect::new(move || {
            let count = news.with(Vec::len);
            document().set_title(&if count == 0 { title.clone() } else { format!("• {title}") });
        });
        follow(drawn, news);
    });
    let show = move |_| {
        spawn_local(async move {
            if redraw(ALL).await.is_err() {
                _ = window().location().reload();
            }
            news.set(Vec::new());
        });
    };
    view! {
        <div class="live-line" role="status" hidden=move || news.with(Vec::is_empty)>
            <span>{move || news.with(|told| line(told))}</span>
            <button type="button" class="button" on:click=show>"Show"</button>
        </div>
    }
}

/// Hears what happens; asks every few seconds where that cannot be heard.
fn follow(drawn: i64, news: RwSignal<Vec<Told>>) {
    let place = StoredValue::new(format!("drawn={drawn}"));
    let Ok(source) = EventSource::new(&format!("/vendor/events?drawn={drawn}")) else { return ask(place, news) };
    let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        if let Some(since) = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok()) {
            take(since, place, news);
        }
    });
    _ = source.add_event_listener_with_callback("told", heard.as_ref().unchecked_ref());
    heard.forget();
    let stream = source.clone();
    let failed = Closure::<dyn Fn()>::new(move || {
        // Otherwise the browser tries again by itself.
        if stream.ready_state() == EventSource::CLOSED {
            ask(place, news);
        }
    });
    source.set_onerror(Some(failed.as_ref().unchecked_ref()));
    failed.forget();
    // The connection of a page that waits in the browser's history would stand in the way of others.
    let leaving = window_event_listener(leptos::ev::pagehide, move |_| source.close());
    on_cleanup(move || leaving.remove());
}

fn ask(place: StoredValue<String>, news: RwSignal<Vec<Told>>) {
    let asking = move || {
        spawn_local(async move {
            let address = format!("/vendor/events?{}", place.get_value());
            if let Ok(text) = fetch(&address).await
                && let Ok(since) = serde_json::from_str(&text)
            {
                take(since, place, news);
            }
        });
    };
    _ = set_interval_with_handle(asking, ASK);
}

/// Keeps what is new of it, and shows it soon.
fn take(since: Since, place: StoredValue<String>, news: RwSignal<Vec<Told>>) {
    place.set_value(format!("after={}", since.after));
    let fresh: Vec<Told> =
        news.with_untracked(|known| since.told.into_iter().filter(|t| !known.iter().any(|k| k.id == t.id)).collect());
    if fresh.is_empty() {
        return;
    }
    news.update(|known| known.extend(fresh));
    let count = news.with_untracked(Vec::len);
    set_timeout(
        move || {
            // Only the last of a burst draws.
            if news.with_untracked(Vec::len) == count {
                spawn_local(async move {
                    // What cannot be fetched now comes with the next event, or with "Show".
                    _ = redraw(AT_ONCE).await;
                });
            }
        },
        GATHER,
    );
}

/// Brings the parts of the page that fit `selector` up to date.
async fn redraw(selector: &str) -> Result<(), JsValue> {
    let text = fetch(&window().location().href()?).await?;
    let page = DomParser::new()?.parse_from_string(&text, SupportedType::TextHtml)?;
    let parts = document().query_selector_all(selector)?;
    for part in (0..parts.length()).filter_map(|n| parts.item(n)?.dyn_into::<web_sys::Element>().ok()) {
        if let Some(new) = page.get_element_by_id(&part.id()) {
            let html = new.inner_html();
            if part.inner_html() != html {
                part.set_inner_html(&html);
            }
        }
    }
    Ok(())
}

async fn fetch(address: &str) -> Result<String, JsValue> {
    let response: Response = JsFuture::from(window().fetch_with_str(address)).await?.dyn_into()?;
    if !response.ok() {
        return Err(JsValue::from_f64(response.status().into()));
    }
    Ok(JsFuture::from(response.text()?).await?.as_string().unwrap_or_default())
}
