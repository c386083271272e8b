//! The personal part of every page.

use leptos::prelude::*;

/// Cart and account links; who is signed in is loaded in the browser, so that the page itself is the same for everyone.
#[island]
pub fn PersonalNav() -> impl IntoView {
    view! {
        <a href="/cart">"Cart"</a>
        <a href="/account">"Account"</a>
    }
}
