//! Being paid: what is owed and where it is, the account at Stripe, the days of payment, and every payout.

use crate::{
    error::{AppError, FieldErrors},
    ids::{PayoutId, VendorOrderId},
    money::Money,
    payouts::{
        Deliverer, accounts,
        model::{
            Balances, PayoutRow, PayoutState, Schedule, Settings, Wait, day, disabled_words, failure_words, requirement_words,
        },
        queries::{self, OwnAccount},
        release, run, settings,
    },
    server::{
        auth::{Manager, Owner},
        cursor, flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Badge, Empty, ErrorSummary, Field, NextPage, Notice, Select, TableFrame, Tone, When},
    vendors::desk::Desk,
};
use axum::{
    extract::{Form, Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use time::{Date, OffsetDateTime, Weekday};
use tower_sessions::Session;

const HERE: &str = "/vendor/payouts";
/// Payouts of one page.
const PAGE: usize = 20;
const LIST: &str = "own payouts";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Part {
    after: String,
}

/// `GET /vendor/payouts`
pub async fn show(
    State(app): State<App>,
    Desk(vendor): Desk<Owner>,
    session: Session,
    Query(part): Query<Part>,
) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(page(&app, &vendor, &part, None, FieldErrors::default()).await?.notice(notice))
}

/// A form's address, opened or reloaded as a page: back to where the form is.
pub async fn back(Desk(_): Desk<Owner>) -> Redirect {
    Redirect::to(HERE)
}

/// `POST /vendor/payouts/account`: to Stripe's own pages, where the account is opened.
pub async fn set_up(State(app): State<App>, Desk(vendor): Desk<Owner>) -> Result<Response, AppError> {
    let url = accounts::set_up(&app, &vendor).await;
    away(&app, &vendor, url).await
}

/// `GET /vendor/payouts/refresh`: the link to Stripe was too old or used; here is another one.
pub async fn refresh(State(app): State<App>, Desk(vendor): Desk<Owner>) -> Result<Response, AppError> {
    // Nobody who never asked for an account gets one by following a link.
    if queries::own_account(&app.pool, &vendor).await?.is_none() {
        return Ok(Redirect::to(HERE).into_response());
    }
    set_up(State(app), Desk(vendor)).await
}

/// `POST /vendor/payouts/dashboard`: to the vendor's own pages at Stripe.
pub async fn dashboard(State(app): State<App>, Desk(vendor): Desk<Owner>) -> Result<Response, AppError> {
    let url = accounts::dashboard(&app, &vendor).await;
    away(&app, &vendor, url).await
}

async fn away(app: &App, vendor: &Owner, url: Result<String, AppError>) -> Result<Response, AppError> {
    let (errors, status) = match url {
        Ok(url) => return Ok(Redirect::to(&url).into_response()),
        Err(AppError::Invalid(errors)) => (errors, StatusCode::UNPROCESSABLE_ENTITY),
        Err(AppError::Conflict(refusal)) => (FieldErrors::one("", refusal.to_string()), StatusCode::SERVICE_UNAVAILABLE),
        Err(error) => return Err(error),
    };
    Ok(page(app, vendor, &Part::default(), None, errors).await?.status(status).into_response())
}

/// `GET /vendor/payouts/return`: the browser comes back from Stripe. What it claims counts for nothing; Stripe is asked.
pub async fn returned(State(app): State<App>, Desk(vendor): Desk<Owner>, session: Session) -> Result<Redirect, AppError> {
    if let Err(error) = super::super::sync_account_of(&app, vendor.id()).await {
        tracing::warn!(vendor = %vendor.id(), error = format!("{error:#}"), "Stripe does not say yet how an account stands");
        flash::put(&session, "Stripe has not told us yet how your account stands. We ask again by ourselves.").await?;
    }
    Ok(Redirect::to(HERE))
}

/// `POST /vendor/payouts/again`
pub async fn again(State(app): State<App>, Desk(vendor): Desk<Owner>, session: Session) -> Result<Redirect, AppError> {
    if accounts::try_again(&app, &vendor).await? {
        flash::put(&session, "We try again with your next payout.").await?;
    }
    Ok(Redirect::to(HERE))
}

/// The days of payment, as typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SettingsForm {
    schedule: String,
    weekday: String,
    month_day: String,
    minimum: String,
}

impl SettingsForm {
    fn of(settings: &Settings, app: &App) -> Self {
        let (name, weekday, month_day) = settings.schedule.parts();
        Self {
            schedule: name.into(),
            weekday: weekday.unwrap_or(1).to_string(),
            month_day: month_day.unwrap_or(1).to_string(),
            minimum: Money::new(settings.minimum_minor, app.config.currency).plain(),
        }
    }

    fn read(&self, app: &App) -> Result<(Schedule, i64), FieldErrors> {
        let mut errors = FieldErrors::default();
        let number = |text: &str| text.trim().parse::<i32>().ok();
        let schedule = Schedule::from_parts(&self.schedule, number(&self.weekday), number(&self.month_day));
        if schedule.is_none() {
            match self.schedule.as_str() {
                "weekly" => errors.add("weekday", "Choose a day of the week."),
                "monthly" => errors.add("month_day", "Write a day of the month, 1 to 31."),
                _ => errors.add("schedule", "Choose how often."),
            }
        }
        let minimum = errors.take("minimum", Money::parse(&self.minimum, app.config.currency));
        match (schedule, minimum) {
            (Some(schedule), Some(minimum)) => Ok((schedule, minimum.minor)),
            _ => Err(errors),
        }
    }
}

/// `POST /vendor/payouts/settings`
pub async fn choose(
    State(app): State<App>,
    Desk(vendor): Desk<Owner>,
    session: Session,
    Form(form): Form<SettingsForm>,
) -> Result<Response, AppError> {
    match form.read(&app) {
        Ok((schedule, minimum)) => {
            settings::choose(&app, &vendor, schedule, minimum, OffsetDateTime::now_utc()).await?;
            flash::put(&session, "Saved.").await?;
            Ok(Redirect::to(HERE).into_response())
        }
        Err(errors) => {
            let page = page(&app, &vendor, &Part::default(), Some(form), errors).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

/// `POST /vendor/orders/{order}/delivered`: the vendor knows that its parcel has arrived.
pub async fn delivered(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path(parcel): Path<VendorOrderId>,
) -> Result<Redirect, AppError> {
    let sentence = match release::delivered(&app, parcel, Deliverer::Vendor(&vendor)).await {
        Ok(_) => "Arrived. The money of this order can be paid out.".to_owned(),
        Err(AppError::Conflict(refusal)) => refusal.to_string(),
        Err(error) => return Err(error),
    };
    flash::put(&session, &sentence).await?;
    Ok(Redirect::to(&format!("/vendor/orders/{parcel}")))
}

async fn page(
    app: &App,
    vendor: &Owner,
    part: &Part,
    typed: Option<SettingsForm>,
    errors: FieldErrors,
) -> Result<Page, AppError> {
    let currency = app.config.currency;
    let after: Option<(OffsetDateTime, PayoutId)> = match part.after.as_str() {
        "" => None,
        after => Some(cursor::open(&app.config.secret, LIST, after)?),
    };
    let account = queries::own_account(&app.pool, vendor).await?;
    let (standing, outlook) = run::outlook(app, vendor.id(), OffsetDateTime::now_utc()).await?;
    let mut rows = queries::own_payouts(&app.pool, vendor, after, PAGE as i64 + 1).await?;
    let more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = match rows.last().filter(|_| more) {
        Some(last) => Some(format!("{HERE}?after={}", cursor::seal(&app.config.secret, LIST, &(last.created_at, last.id))?)),
        None => None,
    };
    let form = typed.unwrap_or_else(|| SettingsForm::of(&standing.settings, app));
    Ok(Page::new("Payouts", move || {
        let money = move |minor| Money::new(minor, currency);
        let coming = match outlook {
            Ok(amount) => format!("{} goes to your bank on {}.", money(amount), day(standing.next_payout_on)),
            Err(Wait::Nothing) if standing.balances.pending > 0 => {
                "Nothing to pay out yet: what you sold is released when it has arrived.".to_owned()
            }
            Err(Wait::Nothing) => "Nothing to pay out. What you sell stands here as soon as it is paid.".to_owned(),
            Err(Wait::OnTheWay) => {
                format!("A payout is on its way to your bank. The next one is on {}.", day(standing.next_payout_on))
            }
            Err(Wait::NoAccount) => "Your money waits for you: set up payouts, so that we know where to send it.".to_owned(),
            Err(Wait::BelowMinimum(0, _)) => {
                format!("It is being sent to your account at Stripe; the next payout is on {}.", day(standing.next_payout_on))
            }
            Err(wait) => format!("The next payout waits: {}.", wait.words(currency)),
        };
        let stopped = account.as_ref().is_some_and(|a| a.stopped_at.is_some());
        let failed = rows.iter().find(|r| matches!(r.state, PayoutState::Failed | PayoutState::Returned)).cloned();
        view! {
            <div class="desk-head"><h1>"Payouts"</h1> <a href="/vendor/statements">"Statements"</a></div>
            <ErrorSummary errors=errors.clone()/>
            {stopped.then(|| view! { <Stopped failed=failed/> })}
            <section aria-labelledby="balance">
                <h2 id="balance">"Your balance"</h2>
                <div id="live-balance" data-live="now">
                    <Numbers balances=standing.balances money=money/>
                    <p>{coming}</p>
                </div>
            </section>
            <section aria-labelledby="account" class="stripe-account">
                <h2 id="account">"Your account at Stripe"</h2>
                <Account account=account/>
            </section>
            <section aria-labelledby="days">
                <h2 id="days">"When you are paid"</h2>
                <Days form=form errors=errors/>
            </section>
            <section aria-labelledby="payouts">
                <h2 id="payouts">"Payouts so far"</h2>
                <div id="live-list" data-live="asked">
                    <Rows rows=rows/>
                    <NextPage href=next/>
                </div>
            </section>
        }
    })
    .layout(Layout::Vendor(HERE)))
}

#[component]
fn Numbers(balances: Balances, money: impl Fn(i64) -> Money + Copy + Send + 'static) -> impl IntoView {
    let number = move |label: &'static str, minor: i64, words: &'static str| {
        view! {
            <div>
                <p class="number-label">{label}</p>
                <p class="number-large">{money(minor).to_string()}</p>
                <p class="soft">{words}</p>
            </div>
        }
    };
    view! {
        <div class="numbers">
            {number("Not released yet", balances.pending, "sold, not arrived")}
            {number("To be paid out", balances.available() - balances.in_transit, "released, less what is on its way")}
            {number("On the way", balances.in_transit, "to your bank")}
            {(balances.held != 0).then(|| number("Held", balances.held, "while banks decide disputes"))}
        </div>
    }
}

/// The last payout did not arrive: what to do, and the button for it.
#[component]
fn Stopped(failed: Option<PayoutRow>) -> impl IntoView {
    let why = failed.map(|row| {
        let words = failure_words(row.failure_code.as_deref().unwrap_or_default(), row.failure.as_deref().unwrap_or_default());
        format!("{} did not arrive. {words}", row.amount())
    });
    view! {
        <Notice tone=Tone::Bad>
            <p><strong>"Your payouts have stopped. "</strong> {why}</p>
            <p>"The money is back in your balance. Give another bank account at Stripe, and it goes out with the next payout; or let us try the same one again."</p>
            <form method="post" action=format!("{HERE}/again")><button>"Try again"</button></form>
        </Notice>
    }
}

#[component]
fn Account(account: Option<OwnAccount>) -> impl IntoView {
    let set_up = |label: &'static str| {
        view! {
            <form method="post" action=format!("{HERE}/account")><button class="button-main">{label}</button></form>
        }
    };
    let Some(account) = account.filter(|a| a.made) else {
        return view! {
            <p>"Stripe pays you for us, straight to your bank. It asks who you are, as the law wants it; that takes about ten minutes."</p>
            {set_up("Set up payouts")}
        }
        .into_any();
    };
    let due = requirement_words(&account.requirements_due);
    let (tone, label) = match (account.payouts_enabled, account.details_submitted) {
        (true, _) if due.is_empty() => (Tone::Good, "ready"),
        (true, _) => (Tone::Warn, "ready, with a question open"),
        (false, true) if due.is_empty() => (Tone::Warn, "being checked"),
        (false, _) => (Tone::Bad, "not ready"),
    };
    let disabled = (!account.payouts_enabled).then(|| {
        view! { <p>{disabled_words(account.disabled_reason.as_deref().unwrap_or_default())}</p> }
    });
    let unfinished = !due.is_empty() || !account.details_submitted;
    let list = (!due.is_empty()).then(|| {
        view! {
            <p>"Stripe needs to know:"</p>
            <ul>{due.into_iter().map(|d| view! { <li>{d}</li> }).collect_view()}</ul>
        }
    });
    let bank = (!account.bank.is_empty()).then(|| view! { <p>"Paid to: " <strong>{account.bank.clone()}</strong></p> });
    view! {
        <p><Badge tone=tone label=label/></p>
        {disabled}
        {list}
        {bank}
        <div class="actions">
            {unfinished.then(|| set_up("Go on at Stripe"))}
            {account.details_submitted.then(|| view! {
                <form method="post" action=format!("{HERE}/dashboard")><button>"Bank account and papers at Stripe"</button></form>
            })}
        </div>
    }
    .into_any()
}

#[component]
fn Days(form: SettingsForm, errors: FieldErrors) -> impl IntoView {
    let often = [("daily", "Every day"), ("weekly", "Every week"), ("monthly", "Every month")];
    let often = often.map(|(v, l)| (v.to_owned(), l.to_owned())).to_vec();
    let weekdays = (1..=7).map(|n| (n.to_string(), Weekday::Monday.nth_next(n - 1).to_string())).collect();
    view! {
        <form method="post" action=format!("{HERE}/settings") class="shop-form">
            <Select label="How often" name="schedule" options=often value=form.schedule errors=errors.clone()/>
            <Select label="If every week, on" name="weekday" options=weekdays value=form.weekday errors=errors.clone()/>
            <Field label="If every month, on day" name="month_day" value=form.month_day errors=errors.clone() inputmode="numeric"
                hint="1 to 31; a shorter month pays on its last day." maxlength=2/>
            <Field label="Not less than, £" name="minimum" value=form.minimum errors=errors inputmode="decimal" required=true
                hint="Less is kept for the next payout. Days are in UTC."/>
            <button class="button-main">"Save"</button>
        </form>
    }
}

#[component]
fn Rows(rows: Vec<PayoutRow>) -> impl IntoView {
    if rows.is_empty() {
        return view! { <Empty title="No payouts yet"><p>"Each payout to your bank will stand here, with the day on which it arrives."</p></Empty> }.into_any();
    }
    let rows = rows
        .into_iter()
        .map(|row| {
            let amount = row.amount().to_string();
            let why = failed(&row);
            let arrives = row.arrives_on.filter(|_| matches!(row.state, PayoutState::Sent | PayoutState::Paid));
            view! {
                <tr>
                    <th scope="row"><When at=row.created_at day_only=true/></th>
                    <td class="number">{amount}</td>
                    <td><StateBadge state=row.state/> {why.map(|w| view! { <span class="soft below">{w}</span> })}</td>
                    <td>{arrives.map(|d: Date| day(d))}</td>
                    <td class="minor">{row.bank}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame label="Payouts">
            <table>
                <thead><tr>
                    <th scope="col">"Sent"</th>
                    <th scope="col" class="number">"Amount"</th>
                    <th scope="col">"State"</th>
                    <th scope="col">"At the bank"</th>
                    <th scope="col" class="minor">"To"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </TableFrame>
    }
    .into_any()
}

/// Why a payout did not arrive, where it did not.
pub fn failed(row: &PayoutRow) -> Option<String> {
    matches!(row.state, PayoutState::Failed | PayoutState::Returned)
        .then(|| failure_words(row.failure_code.as_deref().unwrap_or_default(), row.failure.as_deref().unwrap_or_default()))
}

/// A payout's state as a small label.
#[component]
pub fn StateBadge(state: PayoutState) -> impl IntoView {
    let tone = match state {
        PayoutState::Booked | PayoutState::Sent => Tone::Warn,
        PayoutState::Paid => Tone::Good,
        PayoutState::Failed | PayoutState::Returned => Tone::Bad,
    };
    view! { <Badge tone=tone label=state.words()/> }
}
