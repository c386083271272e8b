//! Components of order pages: the truth at the top, the parcels, the sums, what happened.

use super::model::{
    Event, FulfilmentStatus, Line, OrderDetail, OrderHead, OrderStatus, Parcel, PaymentStatus, RefundLine, Shipment, Truth,
};
use crate::{
    documents::{model::DocumentRow, pages::DocumentLinks},
    messages::messages_of,
    money::Money,
    post::{Days, tracking_url},
    ui::{Notice, Picture, Price, Tone, When},
};
use leptos::prelude::*;
use time::{OffsetDateTime, UtcOffset};

/// A state of an order as a small label: how it is meant, and what its shopper reads everywhere.
pub fn label(status: OrderStatus, payment: PaymentStatus, fulfilment: FulfilmentStatus) -> (Tone, &'static str) {
    match (status, payment, fulfilment) {
        (OrderStatus::Cancelled, ..) => (Tone::Neutral, "Cancelled"),
        (OrderStatus::Expired, ..) => (Tone::Neutral, "Not paid in time"),
        (OrderStatus::Pending, PaymentStatus::Processing, _) => (Tone::Warn, "Payment on its way"),
        (OrderStatus::Pending, PaymentStatus::Failed, _) => (Tone::Bad, "Payment failed"),
        (OrderStatus::Pending, ..) => (Tone::Warn, "Waiting for payment"),
        (OrderStatus::Placed, PaymentStatus::Refunded, _) => (Tone::Neutral, "Refunded"),
        (OrderStatus::Placed, _, FulfilmentStatus::Unfulfilled) => (Tone::Good, "Paid, being packed"),
        (OrderStatus::Placed, _, FulfilmentStatus::Partial) => (Tone::Good, "Partly sent"),
        (OrderStatus::Placed, _, FulfilmentStatus::Fulfilled) => (Tone::Good, "Sent"),
    }
}

/// What the page of an order is drawn from.
pub struct OrderView {
    pub order: OrderDetail,
    /// Invoices and credit notes.
    pub documents: Vec<DocumentRow>,
    pub truth: Truth,
    /// The browser came back from paying and Stripe did not answer yet.
    pub checking: bool,
    /// The guest's token, kept in the page's own forms and links.
    pub token: Option<String>,
    /// What the last form could not do.
    pub problem: Option<String>,
}

/// The page of an order for the person who made it.
#[component]
pub fn OrderPage(view: OrderView) -> impl IntoView {
    let OrderView { order, documents, truth, checking, token, problem } = view;
    let head = order.head.clone();
    let again = matches!(truth, Truth::Expired { .. } | Truth::Cancelled { .. });
    let cancellable = head.can_be_cancelled() && truth != Truth::Closing;
    let number = head.number;
    let returns = (head.status == OrderStatus::Placed && head.fulfilment_status != FulfilmentStatus::Unfulfilled).then(|| {
        let query = token.as_ref().map(|t| format!("?token={t}")).unwrap_or_default();
        view! { <p><a href=format!("/orders/{}/returns{query}", head.id)>"Return something"</a></p> }
    });
    let coupon_gone = order.refunds.iter().any(|r| r.reason == "coupon_used_up");
    let parcels = order
        .parcels
        .iter()
        .map(|parcel| {
            let messages = messages_of(&order.timeline, parcel.head.id).len();
            view! { <ParcelView parcel=parcel.clone() head=head.clone() messages=messages again=again token=token.clone()/> }
        })
        .collect_view();
    let everything = (again && order.parcels.iter().map(|p| p.lines.len()).sum::<usize>() > 1)
        .then(|| view! { <AllAgain parcels=order.parcels.clone()/> });
    view! {
        <article class="order">
            {problem.map(|p| view! { <Notice tone=Tone::Bad><p>{p}</p></Notice> })}
            <TruthBanner head=head.clone() truth=truth checking=checking coupon_gone=coupon_gone token=token.clone()/>
            <div class="order-columns">
                <div class="order-parcels">{everything} {parcels}</div>
                <aside class="order-side">
                    <section aria-labelledby="sums"><h2 id="sums">"Order " {number}</h2> <Totals head=head.clone() refunds=order.refunds.clone()/></section>
                    <Address head=head.clone()/>
                    <DocumentLinks documents=documents address=format!("/orders/{}/documents", head.id) token=token.clone()/>
                    <section class="order-history" aria-labelledby="history">
                        <h2 id="history">"What happened"</h2>
                        <Timeline events=order.timeline head=head.clone()/>
                    </section>
                    {returns}
                    {cancellable.then(|| view! { <CancelForm head=head.clone() token=token/> })}
                </aside>
            </div>
        </article>
    }
}

/// The truth, large, and the one thing to do about it.
#[component]
fn TruthBanner(head: OrderHead, truth: Truth, checking: bool, coupon_gone: bool, token: Option<String>) -> impl IntoView {
    let id = head.id;
    let until = clock(head.hold_expires_at);
    let total = head.money(head.total_minor);
    let pay = move |label: String| {
        view! {
            <form method="post" action=format!("/orders/{id}/pay")>
                {token.map(|t| view! { <input type="hidden" name="token" value=t/> })}
                <button class="button-main" type="submit">{label}</button>
            </form>
        }
    };
    let returned = "The money goes back to the card you paid with. Banks take 5 to 10 days to show it.";
    let (tone, title, text, action): (&str, &str, Vec<String>, Option<AnyView>) = match truth {
        Truth::ToPay { .. } | Truth::Processing if checking => (
            "warn",
            "We are checking your payment",
            vec![
                "The payment service has not answered yet. This page asks again by itself; please do not pay a second time."
                    .into(),
                "Whatever happens, we write to you.".into(),
            ],
            None,
        ),
        Truth::ToPay { failed: Some(why) } => (
            "bad",
            "Your payment did not go through",
            vec![why, format!("Nothing was charged. Your goods are held for you until {until}.")],
            Some(pay(format!("Try again: pay {total}")).into_any()),
        ),
        Truth::ToPay { failed: None } => (
            "warn",
            "This order is not paid yet",
            vec![format!("Your goods are held for you until {until}.")],
            Some(pay(format!("Pay {total}")).into_any()),
        ),
        Truth::Closing => (
            "warn",
            "The time to pay is over",
            vec!["We are closing this order. If you paid in the last moment, it still counts: this page will say so.".into()],
            None,
        ),
        Truth::Processing => (
            "warn",
            "Your payment is on its way",
            vec!["Your bank has not confirmed it yet. Your goods stay held, and we write to you as soon as it does.".into()],
            None,
        ),
        Truth::Paid => (
            "good",
            "Paid. Thank you",
            vec![
                format!("We have your payment of {total}. A confirmation is on its way to {}.", head.email),
                "What happens next stands at each parcel below.".into(),
            ],
            None,
        ),
        Truth::Sent => {
            ("good", "Everything was sent", vec!["Each parcel below says who carries it and when it is expected.".into()], None)
        }
        Truth::Refunded => ("neutral", "Your money went back", vec![returned.into()], None),
        Truth::Expired { returned: true } => (
            "bad",
            "Your payment came too late",
            vec![
                if coupon_gone {
                    "We could not hold your order any longer, and its coupon has been used up since."
                } else {
                    "We could not hold the goods any longer and they have been sold since."
                }
                .into(),
                returned.into(),
            ],
            None,
        ),
        Truth::Expired { returned: false } => (
            "neutral",
            "This order was not paid in time",
            vec!["Nothing was charged. If you still want the goods, put them into your cart again below.".into()],
            None,
        ),
        Truth::Cancelled { returned: back } => (
            "neutral",
            "This order is cancelled",
            vec![if back { returned.into() } else { "Nothing was charged, and nothing will be sent.".into() }],
            None,
        ),
    };
    let part = (head.payment_status == PaymentStatus::PartiallyRefunded)
        .then(|| view! { <p>"Part of your money went back; the sums say how much."</p> });
    view! {
        <div class=format!("truth truth-{tone}") role="status">
            <p class="truth-number">"Order " {head.number} ", " <When at=head.created_at day_only=true/></p>
            <h1>{title}</h1>
            {text.into_iter().map(|t| view! { <p>{t}</p> }).collect_view()}
            {part}
            {action}
        </div>
    }
}

/// One vendor's parcel: its lines, and what happens next with it.
#[component]
pub fn ParcelView(parcel: Parcel, head: OrderHead, messages: usize, again: bool, token: Option<String>) -> impl IntoView {
    let Parcel { head: own, lines, shipments } = parcel;
    let heading = format!("parcel-{}", own.id);
    let placed = head.status == OrderStatus::Placed && head.payment_status != PaymentStatus::Refunded;
    let (takes, today) = (Days::new(own.min_days, own.max_days), OffsetDateTime::now_utc().date());
    let next = match own.fulfilment_status {
        FulfilmentStatus::Unfulfilled if placed => {
            let from = head.placed_at.unwrap_or(head.created_at);
            let expected = takes.expected(from.date());
            Some(if takes.latest(from.date()) < today {
                format!("Still being packed, later than promised: it was expected {expected}.")
            } else {
                format!("Being packed. Expected {expected} with {}.", own.shipping_name)
            })
        }
        FulfilmentStatus::Partial if placed => Some("Part of it was sent; the rest is being packed.".into()),
        FulfilmentStatus::Unfulfilled if head.status == OrderStatus::Pending => {
            Some(format!("Sent with {} once you have paid; it takes {takes}.", own.shipping_name))
        }
        _ => None,
    };
    let sent = shipments
        .into_iter()
        .map(|s| {
            let sent_on = s.shipped_at.date();
            let expected = takes.expected(sent_on);
            let expected = if takes.latest(sent_on) < today {
                view! { ". It was expected " {expected} ". " <a href="/about/contact">"Has it not come?"</a> }.into_any()
            } else {
                view! { ". Expected " {expected} "." }.into_any()
            };
            let tracking = (!s.tracking.is_empty()).then(|| view! { ", tracking number " <TrackingNumber shipment=s.clone()/> });
            view! {
                <li>
                    <p>"Sent " <When at=s.shipped_at day_only=true/> " with " {s.carrier} {tracking} "."</p>
                    <p class="soft">{s.contents} {expected}</p>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let arrived = match own.delivered_at {
        Some(at) => Some(view! { <p class="parcel-next">"It has arrived: " <When at=at day_only=true/> "."</p> }.into_any()),
        None if own.arrives() && placed => Some(
            view! {
                <form method="post" action=format!("/orders/{}/received", head.id)>
                    {token.clone().map(|t| view! { <input type="hidden" name="token" value=t/> })}
                    <input type="hidden" name="parcel" value=own.id.to_string()/>
                    <button type="submit">"I have it" <span class="visually-hidden">{format!(": the parcel from {}", own.vendor_name)}</span></button>
                </form>
            }
            .into_any(),
        ),
        None => None,
    };
    let write = head.placed_at.is_some().then(|| {
        let token = token.as_ref().map(|t| format!("&token={t}")).unwrap_or_default();
        let count = match messages {
            0 => String::new(),
            1 => " (1 message)".to_owned(),
            n => format!(" ({n} messages)"),
        };
        view! { <p><a class="button button-quiet" href=format!("/orders/{}/messages?parcel={}{token}", head.id, own.id)>{format!("Write to {}{count}", own.vendor_name)}</a></p> }
    });
    let money = move |minor| Money::new(minor, head.currency);
    let rows = lines.into_iter().map(|line| view! { <LineView line=line head=head.clone() again=again/> }).collect_view();
    view! {
        <section class="parcel" aria-labelledby=heading.clone()>
            <h2 id=heading.clone()>"Parcel from " <a href=format!("/vendors/{}", own.vendor_slug)>{own.vendor_name}</a></h2>
            {next.map(|n| view! { <p class="parcel-next">{n}</p> })}
            {(!sent.is_empty()).then(|| view! { <ul class="shipments">{sent}</ul> })}
            {arrived}
            {write}
            <ul class="order-lines">{rows}</ul>
            <p class="parcel-sum soft">
                "Shipping, " {own.shipping_name} ": " <Price money=money(own.shipping_minor)/>
                {(own.discount_minor > 0).then(|| view! { " · Discount: " <Price money=money(-own.discount_minor)/> })}
                " · This parcel: " <Price money=money(own.total_minor)/>
            </p>
        </section>
    }
}

/// The number, as a link where the carrier's own page is known.
#[component]
pub fn TrackingNumber(shipment: Shipment) -> impl IntoView {
    let Shipment { carrier, tracking, .. } = shipment;
    let address = tracking_url(&carrier, &tracking);
    let number = view! { <strong class="tracking">{tracking}</strong> };
    match address {
        Some(address) => view! { <a href=address rel="noopener">{number}</a> }.into_any(),
        None => number.into_any(),
    }
}

#[component]
fn LineView(line: Line, head: OrderHead, again: bool) -> impl IntoView {
    let goods = line.goods_minor();
    let buy = line.variant_id.filter(|_| again).map(|variant| {
        view! {
            <form method="post" action="/cart/items">
                <input type="hidden" name="variant_id" value=variant.to_string()/>
                <input type="hidden" name="quantity" value=line.quantity.to_string()/>
                <button class="button-quiet" type="submit">"Put into the cart again"</button>
            </form>
        }
    });
    view! {
        <li class="order-line">
            <Picture id=line.picture_id alt="" sizes="4.5rem"/>
            <div>
                <p><a href=format!("/products/{}", line.product_slug)>{line.title}</a></p>
                {(!line.options.is_empty()).then(|| view! { <p class="soft">{line.options}</p> })}
                <p class="soft">{line.quantity} " × " <Price money=head.money(line.unit_price_minor)/></p>
                {(line.refunded > 0).then(|| view! { <p class="soft">{format!("{} of them paid back", line.refunded)}</p> })}
                {buy}
            </div>
            <p class="order-line-total"><Price money=head.money(goods)/></p>
        </li>
    }
}

/// Puts all goods of an order that came to nothing into the cart again, with one press.
#[component]
fn AllAgain(parcels: Vec<Parcel>) -> impl IntoView {
    let items = parcels
        .iter()
        .flat_map(|parcel| &parcel.lines)
        .filter_map(|line| line.variant_id.map(|variant| (variant, line.quantity)))
        .map(|(variant, quantity)| view! { <input type="hidden" name=format!("item[{variant}]") value=quantity.to_string()/> })
        .collect_view();
    view! {
        <form method="post" action="/cart/items/again">
            {items}
            <button class="button-main" type="submit">"Put everything into the cart again"</button>
        </form>
    }
}

/// The sums of an order, with what went back.
#[component]
fn Totals(head: OrderHead, refunds: Vec<RefundLine>) -> impl IntoView {
    let back = refunds
        .into_iter()
        .map(|r| {
            let word = match r.state.as_str() {
                "succeeded" => "Refunded",
                "failed" => "Refund that failed",
                _ => "Refund on its way",
            };
            let about: Vec<String> = [r.contents, r.note].into_iter().filter(|t| !t.is_empty()).collect();
            let about = (!about.is_empty()).then(|| view! { <span class="below soft">{about.join(": ")}</span> });
            view! {
                <dt>{word} ", " <When at=r.created_at day_only=true/> " " {about}</dt>
                <dd><Price money=head.money(-r.amount_minor)/></dd>
            }
        })
        .collect_view();
    view! {
        <dl class="totals">
            <dt>"Goods"</dt> <dd><Price money=head.money(head.items_minor)/></dd>
            <dt>"Shipping"</dt> <dd><Price money=head.money(head.shipping_minor)/></dd>
            {(head.discount_minor > 0).then(|| view! { <dt>{head.discount_label()}</dt> <dd><Price money=head.money(-head.discount_minor)/></dd> })}
            <dt class="total">"Total"</dt> <dd class="total"><Price money=head.money(head.total_minor)/></dd>
            <dt class="soft">"VAT included"</dt> <dd class="soft"><Price money=head.money(head.tax_minor)/></dd>
            {back}
        </dl>
    }
}

#[component]
fn Address(head: OrderHead) -> impl IntoView {
    view! {
        <section aria-labelledby="to">
            <h2 id="to">"Where it goes"</h2>
            <address>
                {head.ship_to().into_iter().map(|l| view! { <span>{l}</span> <br/> }).collect_view()}
            </address>
        </section>
    }
}

/// What happened, newest first, in words for the shopper. What concerns only the operator is not shown.
#[component]
fn Timeline(events: Vec<Event>, head: OrderHead) -> impl IntoView {
    let items = events
        .iter()
        .rev()
        .filter_map(|event| {
            words(event, &head).map(|text| view! { <li><p>{text}</p> <p class="soft"><When at=event.at/></p></li> })
        })
        .collect_view();
    view! { <ol class="timeline">{items}</ol> }
}

/// A fact in words for the shopper; `None` for what is not theirs to read.
pub fn words(event: &Event, head: &OrderHead) -> Option<String> {
    if event.detail["operator"] == true {
        return None;
    }
    let text = |name: &str| event.detail[name].as_str().unwrap_or_default().to_owned();
    let amount = || head.money(event.detail["amount"].as_i64().unwrap_or_default());
    Some(match event.kind.as_str() {
        "created" => "You ordered.".into(),
        "paid" => "Paid.".into(),
        "payment_processing" => "Your payment is on its way.".into(),
        "payment_failed" => format!("A payment did not go through: {}", text("message")),
        "payment_returned" => format!("A payment of {} could not be used and goes back.", amount()),
        "expired" => "Not paid in time; the goods went back on the shelf.".into(),
        "cancelled" => "Cancelled.".into(),
        "refund_booked" if text("contents").is_empty() => format!("You get {} back.", amount()),
        "refund_booked" => format!("You get {} back for {}.", amount(), text("contents")),
        "return_asked" => format!("You asked {} to take back {}.", text("vendor"), text("contents")),
        "return_questioned" => format!("{} asked about your return.", text("by")),
        "return_answered" => "You answered.".into(),
        "return_accepted" => format!("{} accepted your return.", text("by")),
        "return_refused" => format!("{} refused your return.", text("by")),
        "return_appealed" => "You asked us to decide about your return.".into(),
        "return_sent" => format!("You sent something back to {}.", text("vendor")),
        "return_received" if event.detail["amount"] == 0 => format!("{} has what you sent back.", text("vendor")),
        "return_received" => format!("{} has what you sent back: {} for {}.", text("vendor"), amount(), text("contents")),
        "return_withdrawn" => "You withdrew your return.".into(),
        "refunded" => format!("{} sent back.", amount()),
        "refund_failed" => format!("Sending {} back did not work; we are looking into it.", amount()),
        "shipped" if text("tracking").is_empty() => format!("{} sent a parcel with {}.", text("vendor"), text("carrier")),
        "message_from_shopper" => "You wrote a message.".into(),
        "message_from_vendor" => "You were written to.".into(),
        "delivered" => format!("The parcel from {} has arrived.", text("vendor")),
        "shipped" => format!("{} sent a parcel with {}, {}.", text("vendor"), text("carrier"), text("tracking")),
        _ => return None,
    })
}

/// Calling the order off takes two presses; what it does is said between them.
#[component]
fn CancelForm(head: OrderHead, token: Option<String>) -> impl IntoView {
    let paid = head.status == OrderStatus::Placed;
    view! {
        <details class="cancel">
            <summary>"Cancel this order"</summary>
            <p>
                {if paid { "Nothing was sent yet. All parcels are cancelled and all your money goes back." } else { "The goods go back on the shelf. Nothing was charged." }}
            </p>
            <form method="post" action=format!("/orders/{}/cancel", head.id)>
                {token.map(|t| view! { <input type="hidden" name="token" value=t/> })}
                <button class="button-danger" type="submit">"Yes, cancel order " {head.number}</button>
            </form>
        </details>
    }
}

/// `14:05 UTC`
fn clock(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{:02}:{:02} UTC", at.hour(), at.minute())
}
