//! Orders: found by number, address or state, and shown with everything that happened to them.

use super::{
    choice, cursor,
    list::{
        Finder,
        Head::{self, Minor, Number, Text},
        List, Raw, Table, next_page,
    },
    words,
};
use crate::{
    accounts::Email,
    disputes::{self, pages::OfOrder},
    error::{AppError, FieldErrors},
    ids::{OrderId, VendorOrderId},
    operator::{
        Cursor,
        queries::{self, OrderFilter, OrderRow, PaymentRow},
    },
    orders::{
        self,
        model::{FulfilmentStatus, OrderDetail, OrderHead, OrderStatus, Parcel, PaymentStatus},
        queries::MayRead,
    },
    payments::{
        self, Giver,
        refund_form::{RefundFields, RefundForm, errors_of},
    },
    server::{
        auth::Operator,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Badge, ErrorSummary, Price, Select, Tone, When},
};
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

const HERE: &str = "/operator/orders";
const STATUSES: &[(&str, &str)] =
    &[("", "Any state"), ("pending", "Not yet paid"), ("placed", "Placed"), ("cancelled", "Cancelled"), ("expired", "Expired")];
const PAYMENTS: &[(&str, &str)] = &[
    ("", "Any payment"),
    ("unpaid", "Unpaid"),
    ("processing", "Processing"),
    ("failed", "Failed"),
    ("paid", "Paid"),
    ("partially_refunded", "Partially refunded"),
    ("refunded", "Refunded"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// an order's number or an e-mail address
    find: String,
    status: String,
    payment: String,
    after: String,
}

impl Filter {
    fn parse(&self) -> Result<OrderFilter, AppError> {
        let mut filter = OrderFilter {
            status: choice(&self.status, STATUSES)?,
            payment: choice(&self.payment, PAYMENTS)?,
            ..Default::default()
        };
        let find = self.find.trim();
        if find.contains('@') {
            let email: Email = find.parse().map_err(|e: crate::accounts::BadEmail| AppError::BadRequest(e.to_string()))?;
            filter.email = Some(email.into());
        } else if !find.is_empty() {
            let number = find.trim_start_matches('#').parse();
            filter.number = Some(number.map_err(|_| AppError::BadRequest("Look for a number or an e-mail address.".into()))?);
        }
        Ok(filter)
    }
}

/// `GET /operator/orders`
pub async fn list(State(app): State<App>, by: Operator, Query(filter): Query<Filter>) -> Result<Page, AppError> {
    let orders = queries::orders(&app.pool, &by, &filter.parse()?, cursor(&filter.after)?.as_ref()).await?;
    Ok(Page::new("Orders", move || {
        let Filter { find, status, payment, .. } = filter;
        let filters = [("find", find.as_str()), ("status", &status), ("payment", &payment)];
        let next = next_page(HERE, &filters, &orders, |o| Cursor { at: o.created_at, id: o.id }.to_string());
        view! {
            <h1>"Orders"</h1>
            <Finder label="Orders" by="Number or e-mail" find=find>
                <Select label="State" name="status" options=owned(STATUSES) value=status/>
                <Select label="Payment" name="payment" options=owned(PAYMENTS) value=payment/>
            </Finder>
            <List list=orders row=row label="Orders" head=HEAD next=next
                none="No such order" hint="Try another number, address or state."/>
        }
    })
    .layout(Layout::Operator(HERE)))
}

const HEAD: &[Head] = &[Text("Number"), Text("When"), Text("E-mail"), Text("State"), Minor("Parcels"), Number("Total")];

fn row(o: OrderRow) -> impl IntoView {
    let total = o.total();
    view! {
        <tr>
            <td><a href=format!("{HERE}/{}", o.id)>{o.number}</a></td>
            <td><When at=o.created_at/></td>
            <td>{o.email}</td>
            <td><States status=o.status payment=o.payment_status fulfilment=o.fulfilment_status/></td>
            <td class="minor">{o.vendors}</td>
            <td class="number"><Price money=total/></td>
        </tr>
    }
}

pub fn owned(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(value, label)| ((*value).to_owned(), (*label).to_owned())).collect()
}

#[component]
fn States(status: OrderStatus, payment: PaymentStatus, fulfilment: FulfilmentStatus) -> impl IntoView {
    let status_tone = match status {
        OrderStatus::Placed => Tone::Good,
        OrderStatus::Pending => Tone::Warn,
        OrderStatus::Cancelled | OrderStatus::Expired => Tone::Neutral,
    };
    let payment_tone = match payment {
        PaymentStatus::Paid => Tone::Good,
        PaymentStatus::Failed => Tone::Bad,
        PaymentStatus::Processing => Tone::Warn,
        PaymentStatus::Unpaid | PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => Tone::Neutral,
    };
    let fulfilment_tone = if fulfilment == FulfilmentStatus::Fulfilled { Tone::Good } else { Tone::Neutral };
    view! {
        <span class="badges">
            <Badge tone=status_tone label=words(status.as_str())/>
            <Badge tone=payment_tone label=words(payment.as_str())/>
            <Badge tone=fulfilment_tone label=words(fulfilment.as_str())/>
        </span>
    }
}

const REFUNDS: &[Head] = &[Text("When"), Text("Why"), Text("Of what"), Text("State"), Number("Amount")];
const LINES: &[Head] =
    &[Text("Item"), Text("SKU"), Number("Sold"), Number("Shipped"), Number("Paid back"), Number("Price"), Number("Total")];
const ATTEMPTS: &[Head] =
    &[Number("Attempt"), Text("State"), Number("Amount"), Text("Failure"), Text("At Stripe"), Text("Begun"), Text("Settled")];

/// `GET /operator/orders/{id}`
pub async fn detail(State(app): State<App>, by: Operator, session: Session, Path(id): Path<OrderId>) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(draw(&app, &by, id, None, FieldErrors::default()).await?.notice(notice))
}

/// `POST /operator/orders/{id}/refunds`, with the parcel in a field beside those of [`RefundForm`]
pub async fn refund(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Path(id): Path<OrderId>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let order = orders::queries::detail(&app.pool, MayRead::operator(&by, id)).await?;
    let parcel = pairs.iter().find(|(name, _)| name == "parcel").and_then(|(_, id)| id.parse().ok());
    let parcel = order.parcels.iter().map(|p| p.head.id).find(|p| Some(*p) == parcel).ok_or(AppError::NotFound)?;
    let giver = Giver::Operator(&by);
    let form = RefundForm::from_pairs(parcel, pairs);
    let wanted = match form.wanted(parcel, order.head.currency) {
        Ok(wanted) => wanted,
        Err(errors) => {
            let page = draw(&app, &by, id, Some((parcel, form)), errors).await?;
            return Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
        }
    };
    let error = match payments::give_back(&app, giver, parcel, &wanted, &form.reason).await {
        Ok(_) => {
            flash::put(&session, "The money goes back. The shopper and the vendor have been told.").await?;
            return Ok(Redirect::to(&format!("{HERE}/{id}")).into_response());
        }
        Err(error) => error,
    };
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::CONFLICT);
    let now = payments::refundable(&app.pool, giver, parcel).await?;
    let errors = errors_of(error, parcel, now.as_ref(), &wanted)?;
    Ok(draw(&app, &by, id, Some((parcel, form)), errors).await?.status(status).into_response())
}

async fn draw(
    app: &App,
    by: &Operator,
    id: OrderId,
    typed: Option<(VendorOrderId, RefundForm)>,
    errors: FieldErrors,
) -> Result<Page, AppError> {
    let order = orders::queries::detail(&app.pool, MayRead::operator(by, id)).await?;
    let payments = queries::payments(&app.pool, by, id).await?;
    let disputes = disputes::queries::of_order(&app.pool, disputes::queries::Scope::operator(by), id).await?;
    let mut refundable = Vec::new();
    for parcel in &order.parcels {
        refundable.extend(payments::refundable(&app.pool, Giver::Operator(by), parcel.head.id).await?);
    }
    Ok(Page::new(format!("Order {}", order.head.number), move || {
        let OrderDetail { head, parcels, timeline, refunds, .. } = order;
        let parcels = parcels
            .into_iter()
            .map(|p| {
                let refund = refundable.iter().find(|r| r.parcel.id == p.head.id).cloned().map(|of| {
                    let (typed, errors) = match &typed {
                        Some((parcel, form)) if *parcel == p.head.id => (form.clone(), errors.clone()),
                        _ => Default::default(),
                    };
                    let hidden = vec![("parcel", p.head.id.to_string())];
                    view! { <RefundFields action=format!("{HERE}/{id}/refunds") of=of typed=typed errors=errors hidden=hidden/> }
                });
                view! { <ParcelPart head=&head parcel=p/> {refund} }
            })
            .collect_view();
        let refunds: Vec<_> = refunds
            .into_iter()
            .map(|r| {
                view! {
                    <tr>
                        <td><When at=r.created_at/></td><td>{words(&r.reason)}</td>
                        <td class="wrap">{r.contents} " " <span class="soft below">{r.note}</span></td><td>{words(&r.state)}</td>
                        <td class="number"><Price money=head.money(r.amount_minor)/></td>
                    </tr>
                }
            })
            .collect();
        let timeline = timeline
            .into_iter()
            .map(|e| {
                let by = e.actor.map(|name| view! { ", by " <span class="by">{name}</span> });
                view! { <tr><td><When at=e.at/></td><td class="wrap">{words(&e.kind)} {by} <Raw label="Details" json=e.detail/></td></tr> }
            })
            .collect_view();
        view! {
            <h1>"Order " {head.number}</h1>
            <ErrorSummary errors=errors.clone()/>
            <States status=head.status payment=head.payment_status fulfilment=head.fulfilment_status/>
            <OfOrder disputes=disputes base="/operator/disputes"/>
            <Facts head=&head/>
            {parcels}
            <h2>"Payments"</h2>
            <Payments head=&head payments=payments/>
            {(!refunds.is_empty()).then(|| view! {
                <h2>"Refunds"</h2>
                <Table label="Refunds" head=REFUNDS>{refunds}</Table>
            })}
            <h2>"What happened"</h2>
            <Table label="What happened">{timeline}</Table>
        }
    })
    .layout(Layout::Operator(HERE)))
}

#[component]
fn Facts<'a>(head: &'a OrderHead) -> impl IntoView + use<> {
    let to = head.ship_to().join(", ");
    let hold = (head.status == OrderStatus::Pending).then_some(head.hold_expires_at);
    view! {
        <dl class="facts">
            <dt>"E-mail"</dt><dd>{head.email.clone()}</dd>
            <dt>"To"</dt><dd>{to}</dd>
            <dt>"Ordered"</dt><dd><When at=head.created_at/></dd>
            {head.placed_at.map(|at| view! { <dt>"Paid"</dt><dd><When at=at/></dd> })}
            {head.closed_at.map(|at| view! { <dt>"Closed"</dt><dd><When at=at/></dd> })}
            {hold.map(|at| view! { <dt>"Stock held until"</dt><dd><When at=at/></dd> })}
            <dt>"Items"</dt><dd><Price money=head.money(head.items_minor)/></dd>
            <dt>"Shipping"</dt><dd><Price money=head.money(head.shipping_minor)/></dd>
            {(head.discount_minor > 0).then(|| view! { <dt>{head.discount_label()}</dt><dd><Price money=head.money(-head.discount_minor)/></dd> })}
            <dt>"VAT included"</dt><dd><Price money=head.money(head.tax_minor)/></dd>
            <dt>"Total"</dt><dd><strong><Price money=head.money(head.total_minor)/></strong></dd>
        </dl>
    }
}

#[component]
fn ParcelPart<'a>(head: &'a OrderHead, parcel: Parcel) -> impl IntoView + use<> {
    let p = parcel.head;
    let lines = parcel
        .lines
        .into_iter()
        .map(|l| {
            view! {
                <tr>
                    <td>{l.title} " " <span class="soft">{l.options}</span></td>
                    <td><code>{l.sku}</code></td>
                    <td class="number">{l.quantity}</td>
                    <td class="number">{l.shipped}</td>
                    <td class="number">{l.refunded}</td>
                    <td class="number"><Price money=head.money(l.unit_price_minor)/></td>
                    <td class="number"><Price money=head.money(l.total_minor)/></td>
                </tr>
            }
        })
        .collect_view();
    let closable = p.complete && p.delivered_at.is_none() && head.status == OrderStatus::Placed;
    let label = if p.arrives() { "It has arrived" } else { "Close it: nothing is left to send" };
    let shipments = parcel
        .shipments
        .into_iter()
        .map(|s| {
            let tracking = if s.tracking.is_empty() { String::new() } else { format!(" {}", s.tracking) };
            view! { <li><When at=s.shipped_at/> ": " {s.contents} " with " {s.carrier} {tracking}</li> }
        })
        .collect_view();
    view! {
        <section>
            <h2>
                <a href=format!("/vendors/{}", p.vendor_slug)>{p.vendor_name}</a> " "
                <Badge tone=Tone::Neutral label=words(p.fulfilment_status.as_str())/>
            </h2>
            <Table label="Lines" head=LINES>{lines}</Table>
            <p>
                {p.shipping_name} ": " <Price money=head.money(p.shipping_minor)/> ", in all "
                <strong><Price money=head.money(p.total_minor)/></strong>
            </p>
            <ul>{shipments}</ul>
            {p.delivered_at.map(|at| view! { <p>"Arrived " <When at=at/></p> })}
            {p.released_at.map(|at| view! { <p>"Released for payout " <When at=at/></p> })}
            {closable.then(|| view! {
                <form method="post" action=format!("/operator/parcels/{}/delivered", p.id)><button>{label}</button></form>
            })}
        </section>
    }
}

#[component]
fn Payments<'a>(head: &'a OrderHead, payments: Vec<PaymentRow>) -> impl IntoView + use<> {
    if payments.is_empty() {
        return view! { <p>"None was begun."</p> }.into_any();
    }
    let rows = payments
        .into_iter()
        .map(|p| {
            view! {
                <tr>
                    <td class="number">{p.attempt}</td>
                    <td>{words(&p.state)}</td>
                    <td class="number"><Price money=head.money(p.amount_minor)/></td>
                    <td class="wrap">{p.failure.unwrap_or_default()}</td>
                    <td><code>{p.stripe_session_id.unwrap_or_default()}</code> " " <code>{p.stripe_intent_id.unwrap_or_default()}</code></td>
                    <td><When at=p.created_at/></td>
                    <td>{p.settled_at.map(|at| view! { <When at=at/> })}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Table label="Payments" head=ATTEMPTS>{rows}</Table>
    }
    .into_any()
}
