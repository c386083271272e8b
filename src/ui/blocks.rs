//! Small blocks that every page uses: prices, pictures, breadcrumbs, badges, notices.

use crate::{ids::PictureId, money::Money};
use leptos::prelude::*;

/// A price. `from` is set where the variants of a product cost differently.
#[component]
pub fn Price(money: Money, #[prop(optional)] from: bool) -> impl IntoView {
    view! {
        <span class="price">
            {from.then_some("from ")} <data value=money.plain()>{money.to_string()}</data>
        </span>
    }
}

/// What something reduced cost before, struck through; in words for those who hear it.
#[component]
pub fn Was(money: Money) -> impl IntoView {
    view! {
        " " <span class="was"><span class="visually-hidden">"; lowest price of the 30 days before: "</span> <s>{money.to_string()}</s></span>
    }
}

/// The widths in which every picture is kept, in pixels.
pub const PICTURE_WIDTHS: [u32; 3] = [320, 640, 960];

/// Where one width of a picture is served.
pub fn picture_url(id: PictureId, width: u32) -> String {
    format!("/media/pictures/{id}/{width}.webp")
}

/// A square picture in three widths, or a quiet placeholder. `sizes` as in HTML. Give `eager` to the first large one of a page.
#[component]
pub fn Picture(
    id: Option<PictureId>,
    #[prop(into)] alt: String,
    #[prop(default = "(min-width: 60rem) 20rem, 50vw")] sizes: &'static str,
    #[prop(optional)] eager: bool,
) -> impl IntoView {
    match id {
        Some(id) => {
            let srcset = PICTURE_WIDTHS.map(|w| format!("{} {w}w", picture_url(id, w))).join(", ");
            view! {
                <img
                    class="picture"
                    src=picture_url(id, 640)
                    srcset=srcset
                    sizes=sizes
                    alt=alt
                    width="640"
                    height="640"
                    loading=if eager { "eager" } else { "lazy" }
                    fetchpriority=eager.then_some("high")
                    decoding="async"
                />
            }
            .into_any()
        }
        None => view! { <span class="picture picture-none" role="img" aria-label="No picture yet"></span> }.into_any(),
    }
}

/// Where one is; `(address, label)`, the last one being the page itself.
#[component]
pub fn Breadcrumbs(trail: Vec<(String, String)>) -> impl IntoView {
    let last = trail.len().saturating_sub(1);
    let items = trail
        .into_iter()
        .enumerate()
        .map(|(i, (href, label))| {
            if i == last {
                view! { <li><span aria-current="page">{label}</span></li> }.into_any()
            } else {
                view! { <li><a href=href>{label}</a></li> }.into_any()
            }
        })
        .collect_view();
    view! { <nav class="breadcrumbs" aria-label="Breadcrumb"><ol>{items}</ol></nav> }
}

/// How a state is meant; colour is never its only sign, the label says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Neutral,
    Good,
    Warn,
    Bad,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Tone::Neutral => "neutral",
            Tone::Good => "good",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
        }
    }
}

/// A state as a small label.
#[component]
pub fn Badge(tone: Tone, #[prop(into)] label: String) -> impl IntoView {
    view! { <span class=format!("badge badge-{}", tone.class())>{label}</span> }
}

/// A message on the page that needs reading.
#[component]
pub fn Notice(tone: Tone, children: Children) -> impl IntoView {
    let role = if tone == Tone::Bad { "alert" } else { "status" };
    view! { <div class=format!("notice notice-{}", tone.class()) role=role>{children()}</div> }
}

/// What stands where a list would be: says what will be here and teaches the next step.
#[component]
pub fn Empty(#[prop(into)] title: String, children: Children) -> impl IntoView {
    view! { <div class="empty"><h2>{title}</h2> {children()}</div> }
}

/// Around a table: a wide one scrolls inside, and takes the focus so that the keyboard can do it. `label` says what is in it.
#[component]
pub fn TableFrame(#[prop(into)] label: String, children: Children) -> impl IntoView {
    view! { <div class="table-frame" tabindex="0" role="region" aria-label=label>{children()}</div> }
}

/// The way to the next page of a list.
#[component]
pub fn NextPage(href: Option<String>) -> impl IntoView {
    href.map(|href| view! { <nav class="next-page" aria-label="More"><a class="button button-quiet" rel="next" href=href>"Next page"</a></nav> })
}

/// A time as a person reads it, with the exact one for machines: `21 November 2026, 14:05 UTC`.
#[component]
pub fn When(at: time::OffsetDateTime, #[prop(optional)] day_only: bool) -> impl IntoView {
    let at = at.to_offset(time::UtcOffset::UTC);
    let day = format!("{} {} {}", at.day(), at.month(), at.year());
    let text = if day_only { day } else { format!("{day}, {:02}:{:02} UTC", at.hour(), at.minute()) };
    let machine = at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default();
    view! { <time datetime=machine data-day=day_only.then_some("")>{text}</time> }
}
