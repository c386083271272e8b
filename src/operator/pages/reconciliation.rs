//! Where the books and Stripe differ: the runs that compared them, each difference with a booking that would make them agree, and the
//! buttons of the one who decides.

use super::{
    choice,
    ledger::kind_words,
    list::{
        Head::{self, Minor, Number, Text},
        Table, Tabs,
    },
};
use crate::{
    error::{AppError, FieldErrors},
    ids::DifferenceId,
    ledger::corrections::Memo,
    money::{Currency, Money},
    reconciliation::{
        self,
        model::{Difference, DifferenceState, Explanation, Run},
        queries,
    },
    server::{
        auth::Operator,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Badge, Empty, ErrorSummary, Field, Notice, Price, Tone, When},
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

const HERE: &str = "/operator/reconciliation";
const SHOWN: &[(&str, &str)] = &[("", "Open"), ("all", "All")];

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    show: String,
}

/// `GET /operator/reconciliation?show=all`
pub async fn list(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Query(filter): Query<Filter>,
) -> Result<Page, AppError> {
    let all = choice(&filter.show, SHOWN)?.is_some();
    let differences = queries::differences(&app.pool, &by, all).await?;
    let runs = queries::runs(&app.pool, &by).await?;
    let notice = flash::take(&session).await?;
    let currency = app.config.currency;
    Ok(Page::new("Reconciliation", move || {
        let found = if differences.is_empty() {
            let title = if runs.iter().any(|r| r.done) { "The books and Stripe agree" } else { "Nothing was compared yet" };
            view! {
                <Empty title=title>
                    <p>"Every night each entry of Stripe's balances is compared with the books. Where they differ, that stands here, with what would make them agree; nothing is booked until you say so."</p>
                </Empty>
            }
            .into_any()
        } else {
            let rows = differences.into_iter().map(row).collect_view();
            view! { <Table label="Differences" head=HEAD>{rows}</Table> }.into_any()
        };
        let runs_table = (!runs.is_empty()).then(|| {
            let rows = runs.into_iter().map(|r| run_row(r, currency)).collect_view();
            view! { <h2>"Runs"</h2> <Table label="Runs" head=RUNS>{rows}</Table> }
        });
        view! {
            <div class="desk-head">
                <h1>"Reconciliation"</h1>
                <form method="post" action=HERE><button>"Compare now"</button></form>
            </div>
            <Tabs path=HERE name="show" choices=SHOWN chosen=filter.show label="Differences"/>
            {found}
            {runs_table}
        }
    })
    .layout(Layout::Operator(HERE))
    .notice(notice))
}

const HEAD: &[Head] = &[
    Text("What"),
    Text("Order"),
    Number("The books"),
    Number("Stripe"),
    Text("State"),
    Minor("Vendor's account"),
    Minor("Found"),
];

fn row(d: Difference) -> impl IntoView {
    let order = d.order.zip(d.number).map(|(id, number)| view! { <a href=format!("/operator/orders/{id}")>{number}</a> });
    let (here, there) = (d.here(), d.there());
    view! {
        <tr>
            <th scope="row" class="wrap"><a href=format!("{HERE}/{}", d.id)>{d.title()}</a></th>
            <td>{order}</td>
            <td class="number"><Price money=here/></td>
            <td class="number"><Price money=there/></td>
            <td><StateBadge state=d.state/></td>
            <td class="minor">{d.vendor_name.filter(|_| !d.account.is_empty())}</td>
            <td class="minor"><When at=d.found_at day_only=true/></td>
        </tr>
    }
}

#[component]
fn StateBadge(state: DifferenceState) -> impl IntoView {
    let (tone, label) = match state {
        DifferenceState::Open => (Tone::Warn, "open"),
        DifferenceState::Booked => (Tone::Good, "booked"),
        DifferenceState::Explained => (Tone::Neutral, "explained"),
        DifferenceState::Gone => (Tone::Neutral, "they agree now"),
    };
    view! { <Badge tone=tone label=label/> }
}

const RUNS: &[Head] = &[
    Text("When"),
    Text("Why"),
    Number("New entries"),
    Number("Open differences"),
    Number("Cash by the books"),
    Number("Cash at Stripe"),
];

fn run_row(r: Run, currency: Currency) -> impl IntoView {
    let why = match (&r.night, &r.asked_by) {
        (Some(night), _) => format!("the night of {} {} {}", night.day(), night.month(), night.year()),
        (None, Some(name)) => format!("for {name}"),
        (None, None) => "at the command line".into(),
    };
    let running = (!r.done).then(|| match &r.failure {
        Some(_) => view! { <Badge tone=Tone::Bad label="failed, is tried again"/> }.into_any(),
        None => view! { <Badge tone=Tone::Warn label="running"/> }.into_any(),
    });
    let failure = r.failure.clone().map(|why| view! { <span class="soft below">{why}</span> });
    let money = |minor: Option<i64>| minor.map(|minor| view! { <Price money=Money::new(minor, currency)/> });
    let apart = (r.done && r.cash_minor != r.stripe_minor).then(|| view! { " " <Badge tone=Tone::Warn label="differ"/> });
    view! {
        <tr>
            <td><When at=r.started_at/> " " {running}</td>
            <td class="wrap">{why} {failure}</td>
            <td class="number">{r.entries}</td>
            <td class="number">{r.done.then_some(r.differences)}</td>
            <td class="number">{money(r.cash_minor)}</td>
            <td class="number">{money(r.stripe_minor)} {apart}</td>
        </tr>
    }
}

/// `POST /operator/reconciliation`: compares now.
pub async fn compare(State(app): State<App>, by: Operator, session: Session) -> Result<Redirect, AppError> {
    reconciliation::ask(&app, &by).await?;
    flash::put(&session, "It is being compared. This page shows what was found when you open it again.").await?;
    Ok(Redirect::to(HERE))
}

/// What was typed into a form that was refused.
#[derive(Default)]
struct Typed {
    memo: Option<String>,
    why: String,
}

/// `GET /operator/reconciliation/{id}`
pub async fn detail(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Path(id): Path<DifferenceId>,
) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(draw(&app, &by, id, Typed::default(), FieldErrors::default()).await?.notice(notice))
}

/// A form's address, opened or reloaded as a page: back to the difference.
pub async fn back(State(app): State<App>, by: Operator, Path(id): Path<DifferenceId>) -> Result<Redirect, AppError> {
    queries::difference(&app.pool, &by, id).await?;
    Ok(Redirect::to(&format!("{HERE}/{id}")))
}

#[derive(Deserialize)]
pub struct BookForm {
    #[serde(default)]
    memo: String,
    /// what the page showed, in minor units
    amount: i64,
}

/// `POST /operator/reconciliation/{id}/book`
pub async fn book(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Path(id): Path<DifferenceId>,
    Form(form): Form<BookForm>,
) -> Result<Response, AppError> {
    let done = reconciliation::book(&app, &by, id, form.amount, &form.memo).await;
    answer(&app, &by, &session, id, done.map(|()| "Booked."), Typed { memo: Some(form.memo), ..Typed::default() }).await
}

#[derive(Deserialize)]
pub struct ExplainForm {
    #[serde(default)]
    why: String,
}

/// `POST /operator/reconciliation/{id}/explain`
pub async fn explain(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Path(id): Path<DifferenceId>,
    Form(form): Form<ExplainForm>,
) -> Result<Response, AppError> {
    let done = reconciliation::explain(&app, &by, id, &form.why).await;
    let said = done.map(|()| "Explained. Nothing was booked.");
    answer(&app, &by, &session, id, said, Typed { why: form.why, ..Typed::default() }).await
}

/// `POST /operator/reconciliation/{id}/read`
pub async fn read(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Path(id): Path<DifferenceId>,
) -> Result<Response, AppError> {
    let done = reconciliation::again(&app, &by, id).await.map(|gone| {
        if gone {
            "Read from Stripe and booked as what it is. The two agree now."
        } else {
            "Read from Stripe. The two still differ."
        }
    });
    answer(&app, &by, &session, id, done, Typed::default()).await
}

async fn answer(
    app: &App,
    by: &Operator,
    session: &Session,
    id: DifferenceId,
    done: Result<&'static str, AppError>,
    typed: Typed,
) -> Result<Response, AppError> {
    let error = match done {
        Ok(said) => {
            flash::put(session, said).await?;
            return Ok(Redirect::to(&format!("{HERE}/{id}")).into_response());
        }
        Err(error) => error,
    };
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::CONFLICT);
    let errors = match error {
        AppError::Invalid(errors) => errors,
        AppError::Conflict(refusal) => FieldErrors::one("", refusal.to_string()),
        other => return Err(other),
    };
    Ok(draw(app, by, id, typed, errors).await?.status(status).into_response())
}

async fn draw(app: &App, by: &Operator, id: DifferenceId, typed: Typed, errors: FieldErrors) -> Result<Page, AppError> {
    let difference = queries::difference(&app.pool, by, id).await?;
    let debit_of = name_of(app, by, difference.debit_vendor).await?;
    let credit_of = name_of(app, by, difference.credit_vendor).await?;
    Ok(Page::new(difference.title(), move || {
        let d = difference;
        let here = format!("{HERE}/{id}");
        let order =
            d.order.zip(d.number).map(|(id, number)| view! { <dt>"Order"</dt><dd><a href=format!("/operator/orders/{id}")>{number}</a></dd> });
        let vendor = d.vendor_name.clone().map(|name| view! { <dt>"Vendor"</dt><dd>{name}</dd> });
        let entry = d.entry.clone().map(|id| view! { <dt>"Entry at Stripe"</dt><dd><code>{id}</code></dd> });
        let reference = d.reference.clone().map(|id| view! { <dt>"Moved by"</dt><dd><code>{id}</code></dd> });
        let decided = d.decided_at.map(|at| {
            let by = d.decided_by.clone().map(|name| format!(" by {name}"));
            view! {
                <dt>"Decided"</dt><dd><When at=at/> {by}</dd>
                {(!d.note.is_empty()).then(|| view! { <dt>"Why"</dt><dd>{d.note.clone()}</dd> })}
            }
        });
        let whose = |kind: &str, of: &Option<String>| match of {
            Some(name) => format!("{}, {name}", kind_words(kind)),
            None => kind_words(kind),
        };
        let forms = (d.state == DifferenceState::Open).then(|| {
            let (amount, debit, credit) = (d.amount(), whose(&d.debit, &debit_of), whose(&d.credit, &credit_of));
            let read = d.can_be_read().then(|| {
                view! {
                    <form method="post" action=format!("{here}/read") class="evidence-form">
                        <h2>"Ask Stripe what it was"</h2>
                        <p class="hint">"Most differences are an event that was lost. Read from Stripe, it is booked as what it is, with all that follows from it."</p>
                        <button class="button-main">"Read it from Stripe"</button>
                    </form>
                }
            });
            view! {
                {read}
                <form method="post" action=format!("{here}/book") class="evidence-form">
                    <h2>"Book a correction"</h2>
                    <Notice tone=Tone::Neutral>
                        <p>{format!("{amount} from {credit} to {debit}")}</p>
                    </Notice>
                    <input type="hidden" name="amount" value=amount.minor.to_string()/>
                    <Field label="Why" name="memo" value=typed.memo.unwrap_or_else(|| d.memo.clone()) errors=errors.clone() required=true
                        maxlength=Memo::MAX/>
                    <button class="button-danger">"Book it"</button>
                </form>
                <form method="post" action=format!("{here}/explain") class="evidence-form">
                    <h2>"Nothing to book"</h2>
                    <Field label="Why it is right as it is" name="why" value=typed.why errors=errors.clone() required=true maxlength=Explanation::MAX/>
                    <button>"Mark as explained"</button>
                </form>
            }
        });
        view! {
            <h1>{d.title()}</h1>
            <ErrorSummary errors=errors.clone()/>
            <p>{d.memo.clone()}</p>
            <dl class="facts">
                <dt>"State"</dt><dd><StateBadge state=d.state/></dd>
                <dt>"The books"</dt><dd><Price money=d.here()/></dd>
                <dt>"Stripe"</dt><dd><Price money=d.there()/></dd>
                {order} {vendor} {entry} {reference}
                <dt>"Found"</dt><dd><When at=d.found_at/></dd>
                {decided}
            </dl>
            {forms}
        }
    })
    .layout(Layout::Operator(HERE)))
}

async fn name_of(app: &App, by: &Operator, vendor: Option<crate::ids::VendorId>) -> Result<Option<String>, AppError> {
    match vendor {
        Some(vendor) => Ok(crate::operator::queries::vendor(&app.pool, by, vendor).await?.map(|v| v.name)),
        None => Ok(None),
    }
}
