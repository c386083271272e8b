//! How a cart looks: one parcel per vendor, a problem at its line with the way out beside it, and the totals.

use super::{
    islands::LineQuantity,
    model::{CartLine, CartView, Parcel, Problem, line_total_id},
};
use crate::{
    ids::{CartLineId, VariantId},
    ui::{Empty, Notice, Picture, Price, Tone},
    vendors::model::holiday_sentence,
};
use leptos::prelude::*;

/// A change that was refused, so that the page keeps what was typed and says why.
#[derive(Debug, Clone)]
pub enum Refused {
    /// Something could not be added.
    Add {
        message: String,
        variant: VariantId,
        /// The page it is on
        product_slug: String,
        title: String,
        /// How many more could be added; 0 where none can
        possible: i32,
    },
    /// A line could not get this quantity.
    Quantity { line: CartLineId, typed: String, message: String },
}

/// The whole page below its frame.
#[component]
pub fn CartPage(cart: CartView, refused: Option<Refused>) -> impl IntoView {
    let add = match &refused {
        Some(add @ Refused::Add { .. }) => Some(view! { <RefusedAdd add=add.clone()/> }),
        _ => None,
    };
    if cart.is_empty() {
        return view! {
            <h1>"Your cart"</h1>
            {add}
            <Empty title="Nothing in it yet">
                <p>"What you add stays here for 60 days, also when you close the browser."</p>
                <p><a class="button button-main" href="/products">"Look at the goods"</a></p>
            </Empty>
        }
        .into_any();
    }
    let parcels = cart
        .parcels
        .iter()
        .map(|parcel| view! { <ParcelBlock cart=cart.clone() parcel=parcel.clone() refused=refused.clone()/> })
        .collect_view();
    view! {
        <h1>"Your cart"</h1>
        {add}
        <div class="cart">
            <div class="cart-parcels">{parcels}</div>
            <Summary cart=cart/>
        </div>
    }
    .into_any()
}

#[component]
fn RefusedAdd(add: Refused) -> impl IntoView {
    let Refused::Add { message, variant, product_slug, title, possible } = add else { return ().into_any() };
    let add_possible = (possible > 0).then(|| {
        view! {
            <form method="post" action="/cart/items">
                <input type="hidden" name="variant_id" value=variant.to_string()/>
                <input type="hidden" name="quantity" value=possible/>
                <button type="submit">{format!("Add {possible} instead")}</button>
            </form>
        }
    });
    view! {
        <Notice tone=Tone::Bad>
            <p><strong>{message}</strong>" Your cart is as it was."</p>
            <div class="actions">
                {add_possible} <a href=format!("/products/{product_slug}")>{format!("Back to {title}")}</a>
            </div>
        </Notice>
    }
    .into_any()
}

#[component]
fn ParcelBlock(cart: CartView, parcel: Parcel, refused: Option<Refused>) -> impl IntoView {
    let slug = parcel.vendor_slug.clone();
    let heading = format!("parcel-{slug}");
    let sends = parcel.buyable().next().is_some();
    let method = parcel.method(None).filter(|_| sends).map(|m| format!("{}, {}", m.name, m.days()));
    let lines = parcel
        .lines
        .iter()
        .map(|line| {
            let refused = match &refused {
                Some(Refused::Quantity { line: id, typed, message }) if *id == line.id => Some((typed.clone(), message.clone())),
                _ => None,
            };
            view! { <LineBlock cart=cart.clone() line=line.clone() refused=refused/> }
        })
        .collect_view();
    view! {
        <section class="parcel" aria-labelledby=heading.clone()>
            <h2 id=heading.clone()>"Parcel from " <a href=format!("/vendors/{slug}")>{parcel.vendor_name.clone()}</a></h2>
            <ul class="cart-lines">{lines}</ul>
            {method.map(|method| view! {
                <dl class="totals parcel-totals">
                    <dt>"Items"</dt>
                    <dd id=format!("parcel-{slug}-items")>{cart.money(parcel.items_minor()).to_string()}</dd>
                    <dt>"Shipping " <span class="soft">{format!("({method})")}</span></dt>
                    <dd id=format!("parcel-{slug}-shipping")>{cart.shipping_text(&parcel)}</dd>
                </dl>
                <p class="hint" id=format!("parcel-{slug}-free")>{cart.free_text(&parcel)}</p>
            })}
        </section>
    }
}

#[component]
fn LineBlock(cart: CartView, line: CartLine, refused: Option<(String, String)>) -> impl IntoView {
    let problem = line.problem();
    let counted = line.buyable();
    let editable =
        !matches!(problem, Some(Problem::Unavailable | Problem::OnHoliday { .. } | Problem::SoldOut | Problem::FewerLeft { .. }));
    let (typed, error) = refused.unzip();
    let title = line.title.clone();
    let options = line.options().map(|(name, value)| view! { <li>{format!("{name}: {value}")}</li> }).collect_view();
    let quantity = if editable {
        view! {
            <LineQuantity line=line.id quantity=line.quantity most=line.most() label=title.clone() typed=typed error=error/>
        }
        .into_any()
    } else {
        let error = error.map(|e| view! { <p class="field-error" role="alert">{e}</p> });
        view! { <p class="quantity-fixed">{format!("Quantity {}", line.quantity)}</p> {error} }.into_any()
    };
    let total = if counted {
        view! { <p class="cart-line-total" id=line_total_id(line.id)>{cart.money(line.total_minor()).to_string()}</p> }.into_any()
    } else {
        view! { <p class="cart-line-total soft">"not counted"</p> }.into_any()
    };
    let title_view = if line.for_sale {
        view! { <a href=format!("/products/{}", line.product_slug)>{title.clone()}</a> }.into_any()
    } else {
        view! { <span>{title.clone()}</span> }.into_any()
    };
    view! {
        <li class="cart-line" class:cart-line-out=!counted id=format!("line-{}", line.id)>
            <div class="cart-line-picture">
                <Picture id=line.picture_id alt=line.picture_alt.clone().unwrap_or_default() sizes="6rem"/>
            </div>
            <div class="cart-line-what">
                <h3>{title_view}</h3>
                <ul class="cart-line-options">{options}</ul>
                <p><Price money=cart.money(line.price_minor)/> <span class="soft">" each"</span></p>
            </div>
            <div class="cart-line-change">
                {quantity}
                // Where a problem is told, the way out stands beside it.
                {(!problem.is_some_and(Problem::blocks)).then(|| view! { <RemoveForm line=line.id title=title.clone()/> })}
            </div>
            {total}
            {problem.map(|problem| view! { <ProblemBlock cart=cart.clone() line=line.clone() problem=problem/> })}
        </li>
    }
}

#[component]
fn RemoveForm(line: CartLineId, title: String) -> impl IntoView {
    view! {
        <form method="post" action=format!("/cart/items/{line}/remove")>
            <button type="submit" class="button-link">"Remove" <span class="visually-hidden">{format!(" {title}")}</span></button>
        </form>
    }
}

/// What is the matter with a line, and the button that settles it.
#[component]
fn ProblemBlock(cart: CartView, line: CartLine, problem: Problem) -> impl IntoView {
    let money = |minor| cart.money(minor).to_string();
    let (tone, text) = match problem {
        Problem::Unavailable => (Tone::Warn, "This is no longer for sale, so it is not counted.".to_owned()),
        Problem::OnHoliday { until } => {
            (Tone::Warn, format!("{} Until then it stays here and is not counted.", holiday_sentence(&line.vendor_name, until)))
        }
        Problem::SoldOut => {
            (Tone::Warn, "This is sold out, so it is not counted. It can stay here in case it comes back.".to_owned())
        }
        Problem::FewerLeft { left } => (
            Tone::Warn,
            format!("You wanted {}, and only {left} {} left. It is not counted until you choose.", line.quantity, is_are(left)),
        ),
        Problem::PriceRose { was, now } => (
            Tone::Warn,
            format!("The price rose from {} to {}. It is not counted until you accept that.", money(was), money(now)),
        ),
        Problem::PriceFell { was, now } => {
            (Tone::Good, format!("The price fell from {} to {}. You pay the lower one.", money(was), money(now)))
        }
    };
    let way_out = match problem {
        Problem::FewerLeft { left } => Some(
            view! {
                <form method="post" action=format!("/cart/items/{}", line.id)>
                    <input type="hidden" name="quantity" value=left/>
                    <button type="submit">{format!("Take {left}")}</button>
                </form>
            }
            .into_any(),
        ),
        Problem::PriceRose { now, .. } => Some(
            view! {
                <form method="post" action=format!("/cart/items/{}/accept", line.id)>
                    <input type="hidden" name="price_minor" value=now/>
                    <button type="submit">{format!("Accept {}", money(now))}</button>
                </form>
            }
            .into_any(),
        ),
        _ => None,
    };
    let remove = problem.blocks().then(|| {
        view! {
            <form method="post" action=format!("/cart/items/{}/remove", line.id)>
                <button type="submit" class="button-quiet">{"Remove it"}</button>
            </form>
        }
    });
    let tone_class = if tone == Tone::Good { "line-note line-note-good" } else { "line-note line-note-warn" };
    view! {
        <div class=tone_class>
            <p>{text}</p>
            <div class="actions">{way_out} {remove}</div>
        </div>
    }
}

fn is_are(n: i32) -> &'static str {
    if n == 1 { "is" } else { "are" }
}

#[component]
fn Summary(cart: CartView) -> impl IntoView {
    let waiting = cart.lines().filter(|l| !l.buyable()).count();
    let shipping = cart.shipping_minor();
    let checkout = if cart.any_buyable() {
        view! { <a class="button button-main" href="/checkout">"Go to checkout"</a> }.into_any()
    } else {
        view! { <p>"Nothing in the cart can be bought as it stands. Each line says why."</p> }.into_any()
    };
    let note = (waiting > 0 && cart.any_buyable()).then(|| {
        let text = match waiting {
            1 => "One line is not counted. You can buy the rest now.".to_owned(),
            n => format!("{n} lines are not counted. You can buy the rest now."),
        };
        view! { <p class="hint">{text}</p> }
    });
    view! {
        <section class="cart-summary" aria-labelledby="cart-summary">
            <h2 id="cart-summary">"Total"</h2>
            <dl class="totals">
                <dt>"Items"</dt>
                <dd id="cart-items">{cart.money(cart.items_minor()).to_string()}</dd>
                <dt>"Shipping"</dt>
                <dd id="cart-shipping">{if shipping == 0 { "Free".to_owned() } else { cart.money(shipping).to_string() }}</dd>
                <dt class="total">"Together"</dt>
                <dd class="total" id="cart-total" aria-live="polite">{cart.money(cart.total_minor()).to_string()}</dd>
            </dl>
            <p class="hint">"VAT is included. Shipping can be chosen in the next step."</p>
            {note}
            {checkout}
        </section>
    }
}
