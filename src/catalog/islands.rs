//! What of the catalogue is interactive in the browser.

use leptos::prelude::*;

/// The search input of the header.
#[island]
pub fn SearchBox() -> impl IntoView {
    view! { <input id="q" name="q" type="search" autocomplete="off"/> }
}
