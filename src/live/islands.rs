//! The line at the top of an open dashboard: what happened since the page was drawn, and the way to see it without a reload.
//!
//! A part of a page that may be drawn anew has an id and says when with `data-live`: `now` for figures that nobody works in, `asked`
//! for lists, which must not jump under the pointer. Such parts hold no islands.

use super::model::{Since, Told, line};
use leptos::{
    ev,
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
    let desk = Desk {
        news: RwSignal::new(Vec::new()),
        seen: StoredValue::new(Vec::new()),
        place: StoredValue::new(format!("drawn={drawn}")),
        ear: StoredValue::new_local(None),
    };
    Effect::new(move || {
        let title = document().title();
        Effect::new(move || {
            let calm = desk.news.with(Vec::is_empty);
            document().set_title(&if calm { title.clone() } else { format!("• {title}") });
        });
        desk.listen();
    });
    let show = move |_| {
        spawn_local(async move {
            if redraw(ALL).await.is_err() {
                _ = window().location().reload();
            }
            desk.news.set(Vec::new());
        });
    };
    view! {
        <div class="live-line" role="status" hidden=move || desk.news.with(Vec::is_empty)>
            <span>{move || desk.news.with(|told| line(told))}</span>
            <button type="button" class="button" on:click=show>"Show"</button>
        </div>
    }
}

/// What an open page knows.
#[derive(Clone, Copy)]
struct Desk {
    /// What is not shown yet.
    news: RwSignal<Vec<Told>>,
    /// What was told, by id: it may be told again.
    seen: StoredValue<Vec<i64>>,
    /// From where to go on, as the query of the address.
    place: StoredValue<String>,
    /// Open while the page is in sight.
    ear: StoredValue<Option<EventSource>, LocalStorage>,
}

impl Desk {
    /// Hears while the page is in sight, and asks now and then while it is not, or where nothing can be heard: a browser keeps few
    /// connections to a server, and a row of open tabs must not take them all.
    fn listen(self) {
        self.hear();
        let turned = window_event_listener(ev::Custom::<ev::Event>::new("visibilitychange"), move |_| {
            if document().hidden() { self.close() } else { self.hear() }
        });
        let asking = set_interval_with_handle(move || self.ask(), ASK);
        on_cleanup(move || {
            turned.remove();
            _ = asking.map(|asking| asking.clear());
        });
    }

    fn hears(self) -> bool {
        self.ear.with_value(|ear| ear.as_ref().is_some_and(|ear| ear.ready_state() != EventSource::CLOSED))
    }

    fn close(self) {
        self.ear.update_value(|ear| {
            if let Some(ear) = ear.take() {
                ear.close();
            }
        });
    }

    fn hear(self) {
        if self.hears() || document().hidden() {
            return;
        }
        let Ok(ear) = EventSource::new(&self.address()) else { return };
        let heard = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            if let Some(since) = event.data().as_string().and_then(|text| serde_json::from_str(&text).ok()) {
                self.take(since);
            }
        });
        _ = ear.add_event_listener_with_callback("told", heard.as_ref().unchecked_ref());
        heard.forget();
        self.ear.set_value(Some(ear));
    }

    fn ask(self) {
        if self.hears() {
            return;
        }
        spawn_local(async move {
            if let Ok(text) = fetch(&self.address()).await
                && let Ok(since) = serde_json::from_str(&text)
            {
                self.take(since);
            }
        });
    }

    fn address(self) -> String {
        format!("/vendor/events?{}", self.place.get_value())
    }

    /// Keeps what is new of it, and shows it soon.
    fn take(self, since: Since) {
        self.place.set_value(format!("after={}", since.after));
        let fresh: Vec<Told> =
            self.seen.with_value(|seen| since.told.into_iter().filter(|told| !seen.contains(&told.id)).collect());
        if fresh.is_empty() && !since.stale {
            return;
        }
        self.seen.update_value(|seen| seen.extend(fresh.iter().map(|told| told.id)));
        let said: Vec<Told> = fresh.into_iter().filter(|told| told.kind.is_said()).collect();
        if !said.is_empty() {
            self.news.update(|news| news.extend(said));
        }
        let count = self.seen.with_value(Vec::len);
        set_timeout(
            move || {
                // Only the last of a burst draws.
                if self.seen.with_value(Vec::len) == count {
                    spawn_local(async move {
                        // What cannot be fetched now comes with the next event, or with "Show".
                        _ = redraw(AT_ONCE).await;
                    });
                }
            },
            GATHER,
        );
    }
}

/// Brings the parts of the page that fit `selector` up to date.
async fn redraw(selector: &str) -> Result<(), JsValue> {
    let here = window().location();
    let search = here.search()?;
    let more = if search.is_empty() { "?" } else { "&" };
    let text = fetch(&format!("{}{search}{more}redraw=1", here.pathname()?)).await?;
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
