//! The pages of one's own account, and the public profile.

mod addresses;
mod home;
mod settings;
mod signing;

use crate::server::state::App;
use axum::{
    Router,
    routing::{get, post},
};
use leptos::prelude::*;

/// The addresses of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/register", get(signing::register_page).post(signing::register))
        .route("/sign-in", get(signing::sign_in_page).post(signing::sign_in))
        .route("/sign-out", post(signing::sign_out))
        .route("/account", get(home::account))
        .route("/account/orders", get(home::order_history))
        .route("/account/profile", get(settings::profile_page).post(settings::profile))
        .route("/account/password", get(settings::password_page).post(settings::password))
        .route("/account/sign-out-everywhere", post(settings::sign_out_everywhere))
        .route("/account/preferences", get(settings::preferences_page).post(settings::preferences))
        .route("/account/addresses", get(addresses::list))
        .route("/account/addresses/new", get(addresses::new_page).post(addresses::create))
        .route("/account/addresses/{id}", get(addresses::edit_page).post(addresses::change))
        .route("/account/addresses/{id}/delete", post(addresses::delete))
        .route("/account/addresses/{id}/prefer", post(addresses::prefer))
        .route("/users/{handle}", get(home::public_profile))
}

/// The sections of the account: address and label.
const SECTIONS: &[(&str, &str)] = &[
    ("/account", "Overview"),
    ("/account/orders", "Orders"),
    ("/account/addresses", "Addresses"),
    ("/account/profile", "Profile"),
    ("/account/password", "Password"),
    ("/account/preferences", "Preferences"),
    ("/account/vendor", "Sell on Souk"),
];

/// The frame of every page of one's account: its sections, a heading, and the content.
#[component]
pub fn AccountFrame(
    /// the address of the section
    here: &'static str,
    #[prop(into)] title: String,
    children: Children,
) -> impl IntoView {
    let links = SECTIONS
        .iter()
        .map(|(href, text)| view! { <li><a href=*href aria-current=(*href == here).then_some("page")>{*text}</a></li> })
        .collect_view();
    view! {
        <div class="account">
            <nav class="account-nav" aria-label="Your account"><ul>{links}</ul></nav>
            <div class="account-body">
                <h1>{title}</h1>
                {children()}
            </div>
        </div>
    }
}
