//! Vendors' money: every payout, whose balance is below zero and for how long, what Stripe refused, and the run by hand.

use super::{
    choice, cursor,
    list::{
        Head::{self, Minor, Number, Text, Unseen},
        List, Table, Tabs, next_page,
    },
};
use crate::{
    error::AppError,
    ids::{VendorId, VendorOrderId},
    money::{Currency, Money},
    operator::Cursor,
    payouts::{
        self, Candidate, Deliverer,
        model::{PayoutRow, Turn, day},
        pages::{StateBadge, failed},
        queries::{self, FailedMove, Negative, VendorMoney},
    },
    server::{
        auth::Operator,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Badge, Price, Tone, When},
    vendors::model::age,
};
use axum::{
    Form,
    extract::{Path, Query, State},
    response::Redirect,
};
use leptos::prelude::*;
use serde::Deserialize;
use time::OffsetDateTime;
use tower_sessions::Session;

const HERE: &str = "/operator/payouts";
const VENDORS: &str = "/operator/payouts/vendors";
const STATES: &[(&str, &str)] = &[
    ("", "All"),
    ("booked", "Being sent"),
    ("sent", "On the way"),
    ("paid", "Paid"),
    ("failed", "Failed"),
    ("returned", "Sent back"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    state: String,
    after: String,
}

/// `GET /operator/payouts`
pub async fn list(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Query(filter): Query<Filter>,
) -> Result<Page, AppError> {
    let currency = app.config.currency;
    let state = choice(&filter.state, STATES)?;
    let rows = queries::payouts(&app.pool, &by, state, cursor(&filter.after)?.as_ref()).await?;
    let negatives = queries::negatives(&app.pool, &by, currency).await?;
    let refused = queries::failed_moves(&app.pool, &by).await?;
    let notice = flash::take(&session).await?;
    let now = OffsetDateTime::now_utc();
    Ok(Page::new("Payouts", move || {
        let next = next_page(HERE, &[("state", &filter.state)], &rows, |p| Cursor { at: p.created_at, id: p.id }.to_string());
        view! {
            <div class="desk-head">
                <h1>"Payouts"</h1>
                <a href=VENDORS>"Balances of all vendors"</a>
                <a class="button" href=format!("{HERE}/run")>"Pay now"</a>
            </div>
            <Negatives rows=negatives now=now currency=currency/>
            <Refused rows=refused currency=currency/>
            <Tabs path=HERE name="state" choices=STATES chosen=filter.state label="State"/>
            <List list=rows row=row label="Payouts" head=HEAD next=next
                none="No payouts here" hint="Vendors are paid by themselves, on the days that they chose."/>
        }
    })
    .layout(Layout::Operator(HERE))
    .notice(notice))
}

const HEAD: &[Head] =
    &[Text("Booked"), Text("Vendor"), Number("Amount"), Text("State"), Text("At the bank"), Minor("To"), Minor("At Stripe")];

fn row(p: PayoutRow) -> impl IntoView {
    let (why, amount) = (failed(&p), p.amount());
    view! {
        <tr>
            <td><When at=p.created_at/></td>
            <td><a href=format!("/operator/vendors/{}", p.vendor_id)>{p.vendor_name}</a></td>
            <td class="number"><Price money=amount/></td>
            <td class="wrap"><StateBadge state=p.state/> {why.map(|w| view! { <span class="soft below">{w}</span> })}</td>
            <td>{p.arrives_on.map(day)}</td>
            <td class="minor">{p.bank}</td>
            <td class="minor"><code>{p.stripe_payout_id.unwrap_or_default()}</code></td>
        </tr>
    }
}

#[component]
fn Negatives(rows: Vec<Negative>, now: OffsetDateTime, currency: Currency) -> impl IntoView {
    (!rows.is_empty()).then(|| {
        let rows = rows
            .into_iter()
            .map(|n| {
                view! {
                    <tr>
                        <td><a href=format!("/operator/vendors/{}", n.id)>{n.name}</a></td>
                        <td class="number"><Price money=Money::new(n.available_minor, currency)/></td>
                        <td><Badge tone=Tone::Bad label=age((now - n.since).whole_hours())/></td>
                        <td>"since " <When at=n.since day_only=true/></td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <section>
                <h2>"Paid more than they earned"</h2>
                <p class="hint">"Refunds and disputes after a payout. The next sales make it up by themselves."</p>
                <Table label="Balances below zero" head=&[Text("Vendor"), Number("Balance"), Text("For"), Text("Since")]>{rows}</Table>
            </section>
        }
    })
}

#[component]
fn Refused(rows: Vec<FailedMove>, currency: Currency) -> impl IntoView {
    (!rows.is_empty()).then(|| {
        let rows = rows
            .into_iter()
            .map(|m| {
                let what = if m.back { "back from" } else { "to" };
                view! {
                    <tr>
                        <td>{format!("{what} {}", m.vendor_name)}</td>
                        <td class="number"><Price money=Money::new(m.amount_minor, currency)/></td>
                        <td class="wrap">{m.failure}</td>
                        <td><When at=m.at/></td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <section>
                <h2>"Stripe did not move"</h2>
                <p class="hint">"Tried again every hour."</p>
                <Table label="Transfers that Stripe refused" head=&[Text("Money"), Number("Amount"), Text("Stripe says"), Text("When")]>{rows}</Table>
            </section>
        }
    })
}

/// `GET /operator/payouts/run`: what would be paid to whom, and why not to the others.
pub async fn look(State(app): State<App>, _by: Operator) -> Result<Page, AppError> {
    let currency = app.config.currency;
    let found = payouts::look(&app, Turn::Everybody, OffsetDateTime::now_utc()).await;
    let candidates = found.map_err(|error| {
        tracing::warn!(error = format!("{error:#}"), "the payouts could not be looked at");
        AppError::from(crate::error::Refusal::StripeUnavailable)
    })?;
    Ok(Page::new("Pay now", move || {
        let sum: i64 = candidates.iter().filter_map(|c| c.decision.ok()).sum();
        let some = sum > 0;
        let rows = candidates.into_iter().map(|c| candidate(c, currency)).collect_view();
        view! {
            <h1>"Pay now"</h1>
            <p>"Everybody who can be paid, whatever day they chose: " <strong><Price money=Money::new(sum, currency)/></strong> " in all."</p>
            <Table label="What would be paid" head=&[Text("Vendor"), Number("Owed"), Number("Paid now"), Text("Why not")]>{rows}</Table>
            {some.then(|| view! {
                <form method="post" action=format!("{HERE}/run")><button class="button-main">"Pay " {Money::new(sum, currency).to_string()} " now"</button></form>
            })}
            <p><a href=HERE>"Back"</a></p>
        }
    })
    .layout(Layout::Operator(HERE)))
}

fn candidate(c: Candidate, currency: Currency) -> impl IntoView {
    let paid = c.decision.ok().map(|minor| view! { <Price money=Money::new(minor, currency)/> });
    let why = c.decision.err().map(|wait| wait.words(currency));
    view! {
        <tr>
            <td><a href=format!("/operator/vendors/{}", c.vendor)>{c.name}</a></td>
            <td class="number"><Price money=Money::new(c.owed_minor, currency)/></td>
            <td class="number">{paid}</td>
            <td class="wrap">{why}</td>
        </tr>
    }
}

/// `POST /operator/payouts/run`
pub async fn run(State(app): State<App>, by: Operator, session: Session) -> Result<Redirect, AppError> {
    let booked = payouts::run_everybody(&app, Some(by.id()), OffsetDateTime::now_utc()).await.map_err(|error| {
        tracing::error!(operator = %by.id(), error = format!("{error:#}"), "a payout run failed");
        AppError::Internal
    })?;
    let sentence = match booked {
        0 => "Nobody could be paid.".to_owned(),
        1 => "1 payout is booked.".to_owned(),
        n => format!("{n} payouts are booked."),
    };
    flash::put(&session, &sentence).await?;
    Ok(Redirect::to(HERE))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct After {
    after: String,
}

/// `GET /operator/payouts/vendors`
pub async fn vendors(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Query(part): Query<After>,
) -> Result<Page, AppError> {
    let after = Some(part.after.as_str()).filter(|a| !a.is_empty());
    let currency = app.config.currency;
    let list = queries::vendors(&app.pool, &by, currency, after, None).await?;
    let shops = app.config.payouts.holding_days;
    let notice = flash::take(&session).await?;
    Ok(Page::new("Balances of all vendors", move || {
        let next = next_page(VENDORS, &[], &list, |v| v.slug.clone());
        let rows = list.rows.into_iter().map(|v| vendor(v, currency, shops)).collect_view();
        view! {
            <div class="desk-head"><h1>"Balances of all vendors"</h1> <a href=HERE>"Payouts"</a></div>
            <Table label="Balances" head=BALANCES>{rows}</Table>
            <crate::ui::NextPage href=next/>
        }
    })
    .layout(Layout::Operator(HERE))
    .notice(notice))
}

const BALANCES: &[Head] = &[
    Text("Vendor"),
    Number("Pending"),
    Number("Payable"),
    Number("Held"),
    Number("At Stripe"),
    Number("On the way"),
    Text("Account"),
    Minor("Next payout"),
    Unseen("Holding days"),
];

fn vendor(v: VendorMoney, currency: Currency, shops: u16) -> impl IntoView {
    let money = |minor| view! { <td class="number"><Price money=Money::new(minor, currency)/></td> };
    let (tone, label) = match (v.payouts_enabled, v.stopped) {
        (None, _) => (Tone::Neutral, "none"),
        (Some(false), _) => (Tone::Warn, "not ready"),
        (Some(true), true) => (Tone::Bad, "stopped"),
        (Some(true), false) => (Tone::Good, "ready"),
    };
    let next = v.next_payout_on.filter(|_| v.payouts_enabled == Some(true)).map(day);
    let id = format!("f-days-{}", v.id);
    view! {
        <tr>
            <th scope="row"><a href=format!("/operator/vendors/{}", v.id)>{v.name.clone()}</a></th>
            {money(v.balances.pending)} {money(v.balances.payable)} {money(v.balances.held)}
            {money(v.balances.connected)} {money(v.balances.in_transit)}
            <td><Badge tone=tone label=label/></td>
            <td class="minor">{next}</td>
            <td>
                <form method="post" action=format!("{VENDORS}/{}", v.id) class="holding">
                    <label for=id.clone()>"Held, days" <span class="visually-hidden">{format!(" of {}", v.name)}</span></label>
                    <input id=id name="days" inputmode="numeric" size="3" maxlength="3" autocomplete="off"
                        value=v.holding_days.map(|d| d.to_string()) placeholder=shops.to_string()/>
                    <button>"Set" <span class="visually-hidden">{format!(" for {}", v.name)}</span></button>
                </form>
            </td>
        </tr>
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct HoldForm {
    days: String,
}

/// `GET /operator/payouts/vendors/{id}`: the form's address, opened as a page.
pub async fn back(_by: Operator) -> Redirect {
    Redirect::to(VENDORS)
}

/// `POST /operator/payouts/vendors/{id}`: how long a new vendor's money is held; empty: as everywhere.
pub async fn hold(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Path(id): Path<VendorId>,
    Form(form): Form<HoldForm>,
) -> Result<Redirect, AppError> {
    let days = match form.days.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| AppError::field("days", "Write 0 to 365 days.")),
    };
    let done = match days {
        Ok(days) => payouts::settings::hold(&app, &by, id, days).await,
        Err(error) => Err(error),
    };
    let sentence = match done {
        Ok(()) => "Saved.".to_owned(),
        Err(AppError::Invalid(errors)) => errors.get("days").unwrap_or_default().to_owned(),
        Err(error) => return Err(error),
    };
    flash::put(&session, &sentence).await?;
    Ok(Redirect::to(VENDORS))
}

/// `POST /operator/parcels/{parcel}/delivered`: the operator knows that a parcel has arrived.
pub async fn delivered(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Path(parcel): Path<VendorOrderId>,
) -> Result<Redirect, AppError> {
    let order = match payouts::delivered(&app, parcel, Deliverer::Operator(&by)).await {
        Ok(order) => order,
        Err(AppError::Conflict(refusal)) => {
            flash::put(&session, &refusal.to_string()).await?;
            return Ok(Redirect::to("/operator/orders"));
        }
        Err(error) => return Err(error),
    };
    flash::put(&session, "Arrived. The vendor's money is released.").await?;
    Ok(Redirect::to(&format!("/operator/orders/{order}")))
}
