//! The vendor's orders: what is to be shipped first, and one order with its address, its lines and the shipping form.

use super::{
    earnings::Earnings,
    ship_form::{ShipFields, ShipForm},
};
use crate::{
    disputes::{self, pages::OfOrder},
    documents::{self, pages::DocumentLinks},
    error::{AppError, FieldErrors},
    ids::VendorOrderId,
    ledger,
    messages::is_message,
    money::{Currency, Money},
    orders::{
        self, TrackingNumber,
        history::History,
        model::{
            FulfilmentStatus, Line, OrderStatus, ParcelHead, PaymentStatus, RefundLine, VendorOrderDetail, VendorOrderFilter,
            VendorOrderSummary, vendor_words,
        },
        queries,
    },
    payments::{
        self, Giver,
        refund_form::{RefundFields, RefundForm, errors_of},
    },
    post::Days,
    server::{
        auth::{Manager, Vendor},
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Badge, Breadcrumbs, Empty, ErrorSummary, NextPage, Picture, TableFrame, Tone, When},
    vendors::{desk::Desk, model::age},
};
use axum::{
    extract::{Form, Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use time::OffsetDateTime;
use tower_sessions::Session;

const HERE: &str = "/vendor/orders";
#[derive(Deserialize)]
pub struct Filter {
    #[serde(default)]
    show: VendorOrderFilter,
    #[serde(default)]
    page: u32,
}

/// `/vendor/orders?show=to_ship&page=0`
pub async fn list(
    State(app): State<App>,
    Desk(vendor): Desk,
    session: Session,
    Query(filter): Query<Filter>,
) -> Result<Page, AppError> {
    let (rows, more) = queries::vendor_orders(&app.pool, &vendor, filter.show, filter.page).await?;
    let to_ship = queries::count_to_ship(&app.pool, &vendor).await?;
    let notice = flash::take(&session).await?;
    let now = OffsetDateTime::now_utc();
    Ok(Page::new("Orders", move || {
        let tabs = [
            (VendorOrderFilter::ToShip, "To ship", Some(to_ship)),
            (VendorOrderFilter::Shipped, "Shipped", None),
            (VendorOrderFilter::All, "All", None),
        ]
        .map(|(show, label, count)| {
            view! {
                <li><a href=address(show, 0) aria-current=(show == filter.show).then_some("page")>
                    {label} {count.map(|c| view! { " " <span class="count">{c}</span> })}
                </a></li>
            }
        })
        .into_iter()
        .collect_view();
        let list = if rows.is_empty() {
            view! {
                <Empty title=if filter.show == VendorOrderFilter::ToShip { "Nothing to ship" } else { "No orders yet" }>
                    <p>"Orders appear here once they are paid."</p>
                </Empty>
            }
            .into_any()
        } else {
            view! { <OrderRows rows=rows now=now/> }.into_any()
        };
        view! {
            <div class="desk-head">
                <h1>"Orders"</h1>
                <a class="button" href=format!("{HERE}.csv?show={}", name(filter.show)) download>"Export CSV"</a>
                <a class="button" href="/vendor/orders/ship">"Ship many"</a>
            </div>
            <nav class="tabs" aria-label="Which orders"><ul id="live-tabs" data-live="now">{tabs}</ul></nav>
            <div id="live-list" data-live="asked">
                {list}
                <NextPage href=more.then(|| address(filter.show, filter.page.saturating_add(1)))/>
            </div>
        }
    })
    .layout(Layout::Vendor(HERE))
    .notice(notice))
}

/// `/vendor/orders.csv?show=to_ship`: what the list has, all of it, one row for a line of an order.
pub async fn export(State(app): State<App>, Desk(vendor): Desk, Query(filter): Query<Filter>) -> Response {
    orders::export::orders(app, vendor, filter.show)
}

fn name(show: VendorOrderFilter) -> &'static str {
    match show {
        VendorOrderFilter::ToShip => "to_ship",
        VendorOrderFilter::Shipped => "shipped",
        VendorOrderFilter::All => "all",
    }
}

fn address(show: VendorOrderFilter, page: u32) -> String {
    let show = name(show);
    if page == 0 { format!("{HERE}?show={show}") } else { format!("{HERE}?show={show}&page={page}") }
}

#[component]
fn OrderRows(rows: Vec<VendorOrderSummary>, now: OffsetDateTime) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let placed = row.placed_at.unwrap_or(row.created_at);
            let (tone, label) = state(row.status, row.payment_status, row.fulfilment_status);
            let waiting = ships(row.status, row.payment_status, row.fulfilment_status)
                .then(|| view! { <span class="soft">{age((now - placed).whole_hours())}</span> });
            let total = row.total().to_string();
            view! {
                <tr>
                    <th scope="row"><a href=format!("{HERE}/{}", row.id)>{row.number}</a></th>
                    <td><When at=placed day_only=true/> " " {waiting}</td>
                    <td>{row.ship_name}<span class="soft minor">{format!(", {}", row.ship_country)}</span></td>
                    <td class="minor">{row.shipping_name}</td>
                    <td class="number">{row.pieces}</td>
                    <td class="number">{total}</td>
                    <td><Badge tone=tone label=label/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame label="Orders">
            <table>
                <thead><tr>
                    <th scope="col">"Order"</th>
                    <th scope="col">"Paid"</th>
                    <th scope="col">"For"</th>
                    <th scope="col" class="minor">"Shipping"</th>
                    <th scope="col" class="number">"Pieces"</th>
                    <th scope="col" class="number">"Total"</th>
                    <th scope="col">"State"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </TableFrame>
    }
}

/// Whether something of it is to be sent.
fn ships(status: OrderStatus, payment: PaymentStatus, fulfilment: FulfilmentStatus) -> bool {
    status == OrderStatus::Placed && payment != PaymentStatus::Refunded && fulfilment != FulfilmentStatus::Fulfilled
}

/// An order's state in the vendor's words.
fn state(status: OrderStatus, payment: PaymentStatus, fulfilment: FulfilmentStatus) -> (Tone, &'static str) {
    let tone = match (status, payment, fulfilment) {
        (OrderStatus::Cancelled | OrderStatus::Expired | OrderStatus::Pending, ..) | (_, PaymentStatus::Refunded, _) => {
            Tone::Neutral
        }
        (.., FulfilmentStatus::Fulfilled) => Tone::Good,
        (.., FulfilmentStatus::Partial | FulfilmentStatus::Unfulfilled) => Tone::Warn,
    };
    (tone, vendor_words(status, payment, fulfilment))
}

/// `GET /vendor/orders/{order}`
pub async fn show(
    State(app): State<App>,
    Desk(vendor): Desk,
    session: Session,
    Path(id): Path<VendorOrderId>,
) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(page(&app, &vendor, id, Typed::default(), FieldErrors::default()).await?.notice(notice))
}

/// What was typed into a form that was refused.
#[derive(Default)]
struct Typed {
    ship: Option<ShipForm>,
    refund: Option<RefundForm>,
}

/// The shipping form's address, opened or reloaded as a page: back to the order.
pub async fn back(State(app): State<App>, Desk(vendor): Desk, Path(id): Path<VendorOrderId>) -> Result<Redirect, AppError> {
    queries::vendor_order(&app.pool, &vendor, id).await?;
    Ok(Redirect::to(&format!("{HERE}/{id}")))
}

/// `POST /vendor/orders/{order}/shipments`
pub async fn ship(
    State(app): State<App>,
    Desk(vendor): Desk,
    session: Session,
    Path(id): Path<VendorOrderId>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let form = ShipForm::from_pairs(pairs);
    let shipped = match form.quantities() {
        Ok(lines) => orders::ship(&app, &vendor, id, &lines, &form.carrier, &form.tracking).await,
        Err(errors) => Err(errors.into()),
    };
    let (errors, status) = match shipped {
        Ok(_) => {
            flash::put(&session, "Shipped. The shopper has been told.").await?;
            return Ok(Redirect::to(&format!("{HERE}/{id}")).into_response());
        }
        Err(AppError::Invalid(errors)) => (errors, StatusCode::UNPROCESSABLE_ENTITY),
        // The page that follows shows how it stands now.
        Err(AppError::Conflict(refusal)) => (FieldErrors::one("", refusal.to_string()), StatusCode::CONFLICT),
        Err(error) => return Err(error),
    };
    Ok(page(&app, &vendor, id, Typed { ship: Some(form), refund: None }, errors).await?.status(status).into_response())
}

/// `POST /vendor/orders/{order}/refunds`
pub async fn refund(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path(id): Path<VendorOrderId>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let currency = queries::vendor_order(&app.pool, &vendor, id).await?.head.currency;
    let by = Giver::Vendor(&vendor);
    let form = RefundForm::from_pairs(id, pairs);
    let wanted = match form.wanted(id, currency) {
        Ok(wanted) => wanted,
        Err(errors) => {
            let page = page(&app, &vendor, id, Typed { ship: None, refund: Some(form) }, errors).await?;
            return Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
        }
    };
    let error = match payments::give_back(&app, by, id, &wanted, &form.reason).await {
        Ok(_) => {
            flash::put(&session, "The money goes back. The shopper has been told.").await?;
            return Ok(Redirect::to(&format!("{HERE}/{id}")).into_response());
        }
        Err(error) => error,
    };
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::CONFLICT);
    let now = payments::refundable(&app.pool, by, id).await?;
    let errors = errors_of(error, id, now.as_ref(), &wanted)?;
    Ok(page(&app, &vendor, id, Typed { ship: None, refund: Some(form) }, errors).await?.status(status).into_response())
}

async fn page(app: &App, vendor: &Vendor, id: VendorOrderId, typed: Typed, errors: FieldErrors) -> Result<Page, AppError> {
    let VendorOrderDetail { head, parcel, timeline, refunds } = queries::vendor_order(&app.pool, vendor, id).await?;
    // What the shop gets of it, what a bank asks back, and giving money back are not a fulfiller's matter.
    let manager = vendor.manager();
    let (refundable, disputes, explanation) = match &manager {
        Some(manager) => (
            payments::refundable(&app.pool, Giver::Vendor(manager), id).await?,
            disputes::queries::of_order(&app.pool, disputes::queries::Scope::vendor(manager), head.id).await?,
            Some(ledger::explain::sale(&app.pool, manager, id).await?),
        ),
        None => Default::default(),
    };
    let manages = manager.is_some();
    let refund_errors = if typed.refund.is_some() { errors.clone() } else { FieldErrors::default() };
    let documents = documents::queries::of_vendor_order(&app.pool, vendor, id).await?;
    let messages = timeline.iter().filter(|event| is_message(event)).count();
    let title = format!("Order {}", head.number);
    let sender = format!("From {}", vendor.name());
    Ok(Page::new(title.clone(), move || {
        let trail = vec![(HERE.to_owned(), "Orders".to_owned()), (String::new(), title.clone())];
        let (tone, label) = state(head.status, head.payment_status, parcel.head.fulfilment_status);
        let to_ship = ships(head.status, head.payment_status, parcel.head.fulfilment_status)
            && parcel.lines.iter().any(|l| l.left_to_ship() > 0);
        let promise = Days::new(parcel.head.min_days, parcel.head.max_days);
        let address = head.ship_to().into_iter().map(|line| view! { <span>{line}</span> }).collect_view();
        let money = |minor: i64| Money::new(minor, head.currency).to_string();
        let who_pays = who_pays(&parcel.head, head.currency).filter(|_| manages);
        let lines = parcel.lines.iter().map(|line| view! { <LineRow line=line.clone() to_ship=to_ship total=money(line.goods_minor())/> }).collect_view();
        let shipments = parcel
            .shipments
            .iter()
            .map(|s| {
                let tracking = (!s.tracking.is_empty()).then(|| view! { ", tracking number " <TrackingNumber shipment=s.clone()/> });
                view! {
                    <li><strong>{s.carrier.clone()}</strong> {tracking} <br/> {s.contents.clone()} " · " <When at=s.shipped_at/></li>
                }
            })
            .collect_view();
        let any_shipped = !parcel.shipments.is_empty();
        view! {
            <div class="packing-slip">
            <p class="only-print">{sender}</p>
            <Breadcrumbs trail=trail/>
            <div class="product-head"><h1>{title}</h1> <Badge tone=tone label=label/></div>
            <ErrorSummary errors=errors.clone()/>
            <OfOrder disputes=disputes base="/vendor/disputes"/>
            <div class="order-columns">
                <section aria-labelledby="lines">
                    <h2 id="lines">"What was ordered"</h2>
                    <table class="order-lines">
                        <thead><tr>
                            <th class="thumb"><span class="visually-hidden">"Picture"</span></th>
                            <th scope="col">"Product"</th>
                            <th scope="col" class="number">"Pieces"</th>
                            {to_ship.then(|| view! { <th scope="col" class="number left">"Left to ship"</th> })}
                            <th scope="col" class="number minor">"Amount"</th>
                        </tr></thead>
                        <tbody>{lines}</tbody>
                    </table>
                    <dl class="totals">
                        <dt>"Goods"</dt> <dd>{money(head.items_minor)}</dd>
                        {(head.discount_minor > 0).then(|| view! { <dt>{head.discount_label()}</dt> <dd>{money(-head.discount_minor)}</dd> })}
                        <dt>{parcel.head.shipping_name.clone()}</dt> <dd>{money(head.shipping_minor)}</dd>
                        <dt class="total">"Total"</dt> <dd class="total">{money(head.total_minor)}</dd>
                        <dt class="soft">"VAT included"</dt> <dd class="soft">{money(head.tax_minor)}</dd>
                        <GivenBack refunds=refunds currency=head.currency/>
                    </dl>
                    {who_pays.map(|text| view! { <p class="hint who-pays">{text}</p> })}
                    {to_ship.then(|| view! { <ShipFields id=id lines=parcel.lines.clone() typed=typed.ship.unwrap_or_default() errors=errors.clone()/> })}
                    {explanation.map(|explanation| view! { <Earnings explanation=explanation/> })}
                    {refundable.map(|of| view! {
                        <RefundFields action=format!("{HERE}/{id}/refunds") of=of typed=typed.refund.unwrap_or_default() errors=refund_errors/>
                    })}
                </section>
                <div>
                    <section aria-labelledby="to">
                        <h2 id="to">"Ship to"</h2>
                        <address class="address">{address}</address>
                        <p class="soft">{format!("{}, promised in {promise}", parcel.head.shipping_name)}</p>
                        {head.placed_at.map(|at| view! { <p class="soft">"Paid "<When at=at/></p> })}
                        <p><a href=format!("{HERE}/{id}/packing-slip.pdf") download="">"Packing slip (PDF)"</a></p>
                        <p><a href=format!("{HERE}/{id}/messages")>{match messages {
                            0 => "Write to the shopper".to_owned(),
                            1 => "1 message".to_owned(),
                            n => format!("{n} messages"),
                        }}</a></p>
                    </section>
                    {any_shipped.then(|| view! {
                        <section class="order-sent" aria-labelledby="parcels"><h2 id="parcels">"Parcels sent"</h2> <ul class="plain-list">{shipments}</ul></section>
                    })}
                    {(manages && parcel.head.arrives()).then(|| view! {
                        <form method="post" action=format!("{HERE}/{id}/delivered")>
                            <button>"It has arrived"</button>
                            <p class="hint">"Then its money can be paid out. By itself that happens some days after you sent it."</p>
                        </form>
                    })}
                    {parcel.head.released_at.filter(|_| manages).map(|at| view! { <p class="soft">"Released for payout " <When at=at day_only=true/></p> })}
                    {manages.then(|| view! { <DocumentLinks documents=documents address="/vendor/documents".to_owned()/> })}
                    <div id="live-history" data-live="asked"><History events=timeline/></div>
                </div>
            </div>
            </div>
        }
    })
    .layout(Layout::Vendor(HERE)))
}

/// What went back of the parcel, below its total.
#[component]
fn GivenBack(refunds: Vec<RefundLine>, currency: Currency) -> impl IntoView {
    refunds
        .into_iter()
        .map(|r| {
            let word = match r.state.as_str() {
                "succeeded" => "Given back",
                "failed" => "Did not go back",
                _ => "Going back",
            };
            let about: Vec<String> = [r.contents, r.note].into_iter().filter(|t| !t.is_empty()).collect();
            view! {
                <dt>{word} ", " <When at=r.created_at day_only=true/> " " <span class="below soft">{about.join(": ")}</span></dt>
                <dd>{Money::new(-r.amount_minor, currency).to_string()}</dd>
            }
        })
        .collect_view()
}

/// Who pays for the discount on a parcel, in a sentence for its vendor.
fn who_pays(parcel: &ParcelHead, currency: Currency) -> Option<String> {
    let (all, ours) = (parcel.discount_minor, parcel.platform_discount_minor);
    let money = |minor: i64| Money::new(minor, currency);
    Some(match all - ours {
        _ if all == 0 => return None,
        0 => "We pay for this discount: you get the full price.".into(),
        yours if ours == 0 => format!("You pay for this discount: {}.", money(yours)),
        yours => format!("We pay {} of this discount, and you pay {}.", money(ours), money(yours)),
    })
}

#[component]
fn LineRow(line: Line, to_ship: bool, total: String) -> impl IntoView {
    let left = line.left_to_ship();
    let back = (line.refunded > 0).then(|| view! { <br/> <span class="soft">{format!("{} paid back", line.refunded)}</span> });
    let options = (!line.options.is_empty()).then(|| view! { <br/> <span class="soft">{line.options}</span> });
    view! {
        <tr>
            <td class="thumb"><Picture id=line.picture_id alt="" sizes="2.25rem"/></td>
            <th scope="row">{line.title} " " <span class="soft">{line.sku}</span> {options} {back}</th>
            <td class="number">{line.quantity}</td>
            {to_ship.then(|| view! { <td class="number left">{left}</td> })}
            <td class="number minor">{total}</td>
        </tr>
    }
}
