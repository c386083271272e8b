//! What the shop says of itself: how goods come and go back, who to turn to, the terms, and what is kept about people. All of
//! it stands here, so that no other page promises anything else.

use crate::{
    server::{page::Page, state::App},
    ui::Breadcrumbs,
};
use axum::{Router, routing::get};
use leptos::prelude::*;

/// The pages, for the footer: address and label.
pub const LINKS: &[(&str, &str)] = &[
    ("/about/delivery", "Delivery and returns"),
    ("/about/contact", "Contact"),
    ("/about/terms", "Terms"),
    ("/about/privacy", "Privacy"),
];

/// The addresses of this page family.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/about/delivery", get(delivery))
        .route("/about/contact", get(contact))
        .route("/about/terms", get(terms))
        .route("/about/privacy", get(privacy))
}

/// Where people write to.
const MAIL: &str = "hello@souk.example";

async fn delivery() -> Page {
    let returns = [
        "You may send anything back within 30 days of its arrival, unused and as it came. Food, seeds and cut flowers are excepted, unless they came damaged.",
        "Write to us with the number of your order. We tell the vendor, who sends you the address to send it to. You pay for sending it back; where something was broken or wrong, the vendor does.",
        "When the vendor has it, your money goes back to the card you paid with, with what the first delivery cost. Banks take 5 to 10 days to show it.",
    ];
    let delivery = [
        "Every vendor sends its own goods. When you buy from three of them, three parcels come, each with its own shipping and its own date. Your cart shows both before you pay.",
        "The dates count working days from the day you pay. A mail tells you when a parcel leaves, who carries it, and its tracking number if it has one; the page of your order says the same.",
        "Vendors send to the countries that you can choose at the checkout. Prices include the VAT of the country that the parcel goes to, so nothing is added at the door within them.",
    ];
    let late = [
        "A parcel that is later than its date is not lost yet, but we want to know: write to us and we ask the vendor and the carrier. If it has not come ten working days after its date, you choose between another one and your money.",
        "As long as nothing was sent, you can cancel an order on its page, and all of the money goes back.",
    ];
    page(
        "/about/delivery",
        "How parcels come from the vendors of Souk, and how anything can go back within 30 days.",
        vec![("How it comes", delivery.into()), ("If it is late", late.into()), ("Sending it back", returns.into())],
    )
}

async fn contact() -> Page {
    let write = [
        "Write to hello@souk.example, with the number of your order if it is about one. A person reads it and answers by the next working day, Monday to Friday.",
        "By post: Souk Market Ltd, 4 Arcade Row, Hull HU1 1AA, United Kingdom.",
    ];
    let order = [
        "About a parcel, something broken, or sending something back: write to us rather than to the vendor. We know whom to ask, and we stay until it is settled.",
        "Your confirmation mail has a link to your order. With an account, all of your orders stand there.",
    ];
    let sell = [
        "You make or choose good things? Apply from your account, under “Sell on Souk”. We look at every shop and answer within three working days.",
    ];
    page(
        "/about/contact",
        "How to reach the people of Souk.",
        vec![("Write to us", write.into()), ("About an order", order.into()), ("Selling here", sell.into())],
    )
}

async fn terms() -> Page {
    let contract = [
        "Souk is a market hall: the goods belong to the vendors. When you pay, you make one contract with each vendor whose goods are in your order. Souk Market Ltd takes the payment for them and answers for the way here.",
        "A price holds from the moment the order is placed. Goods are held for you while you pay, and go back on the shelf when the time shown at the checkout is over.",
    ];
    let prices = [
        "All prices include VAT. Shipping is shown for each parcel before you pay. You pay by card; our payment service is Stripe, and we never see your card number.",
        "If the price of something in your cart changes, it is counted only once you have accepted the new one.",
    ];
    let rights = [
        "You may withdraw within 30 days of the arrival of the last parcel, as “Delivery and returns” describes. Your rights by law when goods are faulty stay as they are, whatever stands here.",
        "Vendors may sell only what is theirs to sell, and describe it truly. We close shops that do not.",
    ];
    let law = [
        "The law of England and Wales applies, and that of your own country where it protects you better. This is a demonstration shop: nothing here is really sold.",
    ];
    page(
        "/about/terms",
        "What you, the vendors and Souk owe each other.",
        vec![
            ("Who sells", contract.into()),
            ("Prices and payment", prices.into()),
            ("Your rights", rights.into()),
            ("The small rest", law.into()),
        ],
    )
}

async fn privacy() -> Page {
    let kept = [
        "What you tell us when you order: your name, where parcels go, your e-mail address, and what you bought. With an account also your address book, and your password in a form from which nobody can read it.",
        "A vendor sees the name and the address for its own parcels, and nothing else of your order. Stripe sees your e-mail address and your card; we see neither the number nor the code.",
    ];
    let cookies = [
        "Two cookies, both needed: one remembers your cart for 60 days, the other that you are signed in. A choice of light or dark stays in your browser. There are no advertisements here, nothing that follows you to other sites, and so no banner to click away.",
    ];
    let gone = [
        "A cart that nobody touches is forgotten after 60 days. Orders stay for seven years, because tax law asks for it. You can see and change what your account holds at any time.",
        "Write to hello@souk.example to have a copy of everything or to have it deleted. If we do not do right by you, the Information Commissioner in the United Kingdom, or the authority of your country, will listen.",
    ];
    page(
        "/about/privacy",
        "What Souk keeps about you, for how long, and who sees it.",
        vec![("What is kept", kept.into()), ("Cookies", cookies.into()), ("How long, and your say", gone.into())],
    )
}

/// One of the pages: its sections are a heading and paragraphs each.
fn page(path: &'static str, description: &'static str, sections: Vec<(&'static str, Vec<&'static str>)>) -> Page {
    let title = LINKS.iter().find(|(href, _)| *href == path).map_or("Souk", |(_, label)| *label);
    Page::new(title, move || {
        let sections = sections
            .into_iter()
            .map(|(heading, texts)| {
                let texts = texts.into_iter().map(|t| view! { <p>{linked(t)}</p> }).collect_view();
                view! { <section><h2>{heading}</h2> {texts}</section> }
            })
            .collect_view();
        let others = LINKS
            .iter()
            .map(|(href, label)| view! { <li><a href=*href aria-current=(*href == path).then_some("page")>{*label}</a></li> })
            .collect_view();
        view! {
            <Breadcrumbs trail=vec![("/".into(), "Souk".into()), (path.into(), title.into())]/>
            <div class="account">
                <nav class="account-nav" aria-label="About Souk"><ul>{others}</ul></nav>
                <article class="about"><h1>{title}</h1> {sections}</article>
            </div>
        }
    })
    .public(description, path)
}

/// A text with our address as a link.
fn linked(text: &'static str) -> AnyView {
    match text.split_once(MAIL) {
        Some((before, after)) => view! { {before} <a href=format!("mailto:{MAIL}")>{MAIL}</a> {after} }.into_any(),
        None => text.into_any(),
    }
}
