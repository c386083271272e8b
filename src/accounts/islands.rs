//! The personal part of every page.

use super::{Whoami, actions::who_am_i};
use leptos::{ev, prelude::*, task::spawn_local};

/// Cart and account links. The server draws them the same for everyone, so that a page can be kept and shared; the
/// browser asks once who is looking, and then the cart shows its count and the account its name.
///
/// Another island that changes the cart says so with a `souk:cart` event on the window, its new count as the detail.
#[island]
pub fn PersonalNav() -> impl IntoView {
    let person = RwSignal::new(None::<Whoami>);
    Effect::new(move |_| {
        spawn_local(async move {
            // Signed out or unreachable: the plain links stay, and they work.
            if let Ok(whoami) = who_am_i().await {
                person.set(Some(whoami));
            }
        });
        let heard = window_event_listener(ev::Custom::<ev::CustomEvent>::new("souk:cart"), move |event| {
            if let Some(count) = event.detail().as_f64() {
                person.update(|p| p.get_or_insert_default().cart_count = count as i64);
            }
        });
        on_cleanup(move || heard.remove());
    });

    let count = move || person.with(|p| p.as_ref().map_or(0, |p| p.cart_count));
    let label = move || match count() {
        0 => "Cart".to_owned(),
        1 => "Cart, 1 item".to_owned(),
        n => format!("Cart, {n} items"),
    };
    let account = move || {
        person.with(|p| match p {
            None => "Account".to_owned(),
            Some(Whoami { name: Some(name), .. }) => name.clone(),
            Some(_) => "Sign in".to_owned(),
        })
    };
    view! {
        <a class="nav-cart" href="/cart" aria-label=label>
            "Cart"
            <span class="nav-count" hidden=move || count() == 0>{move || count()}</span>
        </a>
        <a class="nav-account" href="/account">{account}</a>
    }
}
