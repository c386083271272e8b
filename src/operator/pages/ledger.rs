//! The books: what every account holds, every transaction with its entries, and the form that books by hand.

use super::{
    choice, cursor,
    list::{
        Head::{self, Number, Text},
        List, Table, next_page,
    },
    orders::owned,
    words,
};
use crate::{
    error::{AppError, FieldErrors},
    ids::VendorId,
    ledger::{
        corrections::{Correction, Memo, correct},
        model::Account,
        reading::{self, Balance, Transaction, Wanted},
        rules::vendor_of,
    },
    money::{Currency, Money},
    operator::{
        Cursor,
        queries::{PAGE, Rows},
    },
    server::{
        auth::Operator,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{ErrorSummary, Field, Price, Select, When},
};
use axum::{
    Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;
use uuid::Uuid;

const HERE: &str = "/operator/ledger";

/// Every kind of account and what people call it; the first one is for a filter.
const KINDS: &[(&str, &str)] = &[
    ("", "Any account"),
    ("cash", "Cash at Stripe"),
    ("bank", "Our own bank"),
    ("refunds_due", "Refunds on their way"),
    ("commission", "Commission"),
    ("commission_vat", "VAT on commission"),
    ("stripe_fees", "Stripe's fees"),
    ("discounts", "Discounts that we pay"),
    ("losses", "Losses"),
    ("suspense", "Not explained yet"),
    ("vendor_pending", "Vendors: pending"),
    ("vendor_payable", "Vendors: payable"),
    ("disputes_held", "Vendors: held for disputes"),
    ("connected", "Vendors: at Stripe"),
    ("payouts_in_transit", "Vendors: on the way to the bank"),
];

pub fn kind_words(kind: &str) -> String {
    KINDS.iter().find(|(value, _)| *value == kind).map_or_else(|| words(kind), |(_, label)| (*label).to_owned())
}

/// The account of this kind. The vendor's kinds need to know whose.
fn account(kind: &str, vendor: Option<VendorId>) -> Result<Account, (&'static str, &'static str)> {
    let of = |make: fn(VendorId) -> Account| vendor.map(make).ok_or(("vendor", "Say whose account it is."));
    match kind {
        "cash" => Ok(Account::Cash),
        "bank" => Ok(Account::Bank),
        "refunds_due" => Ok(Account::RefundsDue),
        "commission" => Ok(Account::Commission),
        "commission_vat" => Ok(Account::CommissionVat),
        "stripe_fees" => Ok(Account::StripeFees),
        "discounts" => Ok(Account::Discounts),
        "losses" => Ok(Account::Losses),
        "suspense" => Ok(Account::Suspense),
        "vendor_pending" => of(Account::VendorPending),
        "vendor_payable" => of(Account::VendorPayable),
        "disputes_held" => of(Account::DisputesHeld),
        "connected" => of(Account::Connected),
        "payouts_in_transit" => of(Account::PayoutsInTransit),
        _ => Err(("", "Choose an account.")),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// an order's number
    find: String,
    /// a kind of account
    account: String,
    /// the address of a shop
    vendor: String,
    after: String,
}

/// `GET /operator/ledger`
pub async fn list(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Query(filter): Query<Filter>,
) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(page(&app, &by, filter, CorrectionForm::blank(), FieldErrors::default()).await?.notice(notice))
}

/// A correction, as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CorrectionForm {
    key: String,
    debit: String,
    debit_vendor: String,
    credit: String,
    credit_vendor: String,
    amount: String,
    memo: String,
}

impl CorrectionForm {
    fn blank() -> Self {
        Self { key: Uuid::now_v7().to_string(), ..Self::default() }
    }

    async fn read(&self, app: &App, by: &Operator) -> Result<Correction, AppError> {
        let mut errors = FieldErrors::default();
        let key = self.key.parse().map_err(|_| AppError::BadRequest("The form has no key.".into()))?;
        let debit = side(app, by, "debit", &self.debit, &self.debit_vendor, &mut errors).await?;
        let credit = side(app, by, "credit", &self.credit, &self.credit_vendor, &mut errors).await?;
        if debit.is_some() && debit == credit {
            errors.add("credit", "From an account to itself nothing moves.");
        }
        let amount = errors.take("amount", Money::parse(&self.amount, app.config.currency));
        if amount.is_some_and(|a| a.minor == 0) {
            errors.add("amount", "Write an amount above zero.");
        }
        let memo = errors.take("memo", self.memo.parse::<Memo>());
        let (Some(debit), Some(credit), Some(amount), Some(memo)) = (debit, credit, amount, memo) else {
            return Err(errors.into());
        };
        errors.check()?;
        Ok(Correction { key, debit, credit, amount, memo })
    }
}

/// One side of a correction; what is wrong with it is noted at its fields.
async fn side(
    app: &App,
    by: &Operator,
    field: &str,
    kind: &str,
    vendor: &str,
    errors: &mut FieldErrors,
) -> Result<Option<Account>, AppError> {
    let vendor = vendor.trim();
    let whose = match vendor {
        "" => None,
        slug if slug.contains('\0') => None,
        slug => vendor_of(&app.pool, by, slug).await?,
    };
    if !vendor.is_empty() && whose.is_none() {
        errors.add(&format!("{field}_vendor"), "There is no shop with this address.");
        return Ok(None);
    }
    match account(kind, whose) {
        Ok(account) if account.vendor().is_none() && whose.is_some() => {
            errors.add(&format!("{field}_vendor"), "This account is the market's own. Leave this empty.");
            Ok(None)
        }
        Ok(account) => Ok(Some(account)),
        Err((part, message)) => {
            let at = if part.is_empty() { field.to_owned() } else { format!("{field}_{part}") };
            errors.add(&at, message);
            Ok(None)
        }
    }
}

/// `POST /operator/ledger`: books a correction.
pub async fn book(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Form(form): Form<CorrectionForm>,
) -> Result<Response, AppError> {
    match form.read(&app, &by).await {
        Ok(correction) => {
            let booked = correct(&app, &by, &correction).await?;
            flash::put(&session, if booked { "Booked." } else { "That was booked before; nothing was changed." }).await?;
            Ok(Redirect::to(HERE).into_response())
        }
        Err(AppError::Invalid(errors)) => {
            let page = page(&app, &by, Filter::default(), form, errors).await?;
            Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(other) => Err(other),
    }
}

async fn page(app: &App, by: &Operator, filter: Filter, form: CorrectionForm, errors: FieldErrors) -> Result<Page, AppError> {
    let kind = choice(&filter.account, KINDS)?;
    let vendor = match filter.vendor.trim() {
        "" => None,
        slug if slug.contains('\0') => return Err(AppError::NotFound),
        slug => Some(vendor_of(&app.pool, by, slug).await?),
    };
    let order = match filter.find.trim() {
        "" => None,
        number => match number.parse() {
            Ok(number) => Some(reading::order_of(&app.pool, by, number).await?),
            Err(_) => return Err(AppError::BadRequest("Look for an order by its number.".into())),
        },
    };
    let after = cursor(&filter.after)?.map(|c: Cursor<_>| (c.at, c.id));
    // A shop or an order that is not there has no transactions.
    let found = match (vendor, order) {
        (Some(None), _) | (_, Some(None)) => Vec::new(),
        (vendor, order) => {
            let wanted = Wanted { kind, vendor: vendor.flatten(), order: order.flatten() };
            reading::transactions(&app.pool, by, &wanted, after, PAGE + 1).await?
        }
    };
    let found = Rows::from(found);
    let balances = match vendor {
        Some(None) => Vec::new(),
        vendor => reading::balances(&app.pool, by, vendor.flatten()).await?,
    };
    let currency = app.config.currency;
    Ok(Page::new("Ledger", move || {
        let filters = [("find", filter.find.as_str()), ("account", &filter.account), ("vendor", &filter.vendor)];
        let next = next_page(HERE, &filters, &found, |t| Cursor { at: t.at, id: t.id }.to_string());
        let whose = if filter.vendor.is_empty() { "Balances".to_owned() } else { format!("Balances of {}", filter.vendor) };
        view! {
            <h1>"Ledger"</h1>
            <ErrorSummary errors=errors.clone()/>
            <form class="finder" role="search" aria-label="Transactions">
                <Field label="Order number" name="find" value=filter.find.clone() inputmode="numeric" maxlength=20/>
                <Select label="Account" name="account" options=owned(KINDS) value=filter.account.clone()/>
                <Field label="Shop's address" name="vendor" value=filter.vendor.clone() maxlength=60/>
                <button type="submit">"Find"</button>
            </form>
            <h2>{whose}</h2>
            <Balances balances=balances/>
            <h2>"Transactions"</h2>
            <div class="transactions"><List list=found row=row label="Transactions" head=HEAD next=next
                none="No such transaction" hint="What is paid, refunded, transferred and paid out is booked here, to the penny."/></div>
            <h2 id="correct">"Book a correction"</h2>
            <CorrectionFields form=form errors=errors currency=currency/>
        }
    })
    .layout(Layout::Operator(HERE)))
}

const BALANCES: &[Head] = &[Text("Account"), Number("Has, or cost"), Number("Owes, or earned")];

/// A balance in the column of its side.
#[component]
fn Balances(balances: Vec<Balance>) -> impl IntoView {
    let rows = balances
        .into_iter()
        .map(|b| {
            let money = b.money();
            let positive = Money::new(money.minor.abs(), money.currency);
            let (debit, credit) = if money.minor >= 0 { (Some(positive), None) } else { (None, Some(positive)) };
            let cell =
                |money: Option<Money>| view! { <td class="number">{money.map(|money| view! { <Price money=money/> })}</td> };
            view! {
                <tr>
                    <th scope="row"><a href=format!("{HERE}?account={}", b.kind)>{kind_words(&b.kind)}</a></th>
                    {cell(debit)}
                    {cell(credit)}
                </tr>
            }
        })
        .collect_view();
    view! { <Table label="Balances" head=BALANCES>{rows}</Table> }
}

const HEAD: &[Head] = &[Text("When"), Text("Why"), Text("Order"), Text("Account"), Number("Debit"), Number("Credit")];

/// A transaction: its head beside the first entry, and a row for each.
fn row(t: Transaction) -> impl IntoView {
    let Transaction { cause, step, currency, order_id, order_number, memo, actor, at, reverses, entries, .. } = t;
    let span = entries.len();
    let why = match (cause.as_str(), step.as_str()) {
        ("correction", _) => "Correction".to_owned(),
        (cause, "") => sentence(cause),
        (cause, step) => format!("{}: {}", sentence(cause), words(step)),
    };
    let order = order_id.zip(order_number).map(|(id, number)| view! { <a href=format!("/operator/orders/{id}")>{number}</a> });
    let memo = (!memo.is_empty()).then(|| view! { <span class="soft below">{memo}</span> });
    let actor = actor.map(|name| view! { <span class="soft below">{format!("by {name}")}</span> });
    let reverses = reverses.map(|_| view! { <span class="soft below">"takes one back"</span> });
    let mut head = Some(view! {
        <td rowspan=span><When at=at/></td>
        <td rowspan=span class="wrap">{why} {reverses} {memo} {actor}</td>
        <td rowspan=span>{order}</td>
    });
    entries
        .into_iter()
        .map(|e| {
            let money = Money::new(e.amount_minor.abs(), currency);
            let amount = move || view! { <Price money=money/> };
            let (debit, credit) = if e.amount_minor > 0 { (Some(amount()), None) } else { (None, Some(amount())) };
            let head = head.take();
            view! {
                <tr>
                    {head}
                    <td>{kind_words(&e.kind)} {e.vendor.map(|name| view! { " " <span class="soft">{name}</span> })}</td>
                    <td class="number">{debit}</td>
                    <td class="number">{credit}</td>
                </tr>
            }
        })
        .collect_view()
}

/// `transfer_reversal` is "Transfer reversal".
fn sentence(cause: &str) -> String {
    let words = words(cause);
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[component]
fn CorrectionFields(form: CorrectionForm, errors: FieldErrors, currency: Currency) -> impl IntoView {
    let kinds = || {
        let mut kinds = owned(KINDS);
        if let Some(first) = kinds.first_mut() {
            first.1 = "Choose an account".into();
        }
        kinds
    };
    view! {
        <form method="post" action=HERE class="rule-form">
            <p class="hint">"Nothing is ever taken out of the books: a mistake is put right by booking the other way, and saying why."</p>
            <input type="hidden" name="key" value=form.key/>
            <div class="field-row">
                <Select label="Debit" name="debit" options=kinds() value=form.debit errors=errors.clone()
                    hint="Gets more: what we have, or what it cost"/>
                <Field label="Whose, where it is a vendor's" name="debit_vendor" value=form.debit_vendor errors=errors.clone() maxlength=60
                    hint="The shop's address, such as mill"/>
            </div>
            <div class="field-row">
                <Select label="Credit" name="credit" options=kinds() value=form.credit errors=errors.clone()
                    hint="Gives it: what we owe, or what we earn, grows"/>
                <Field label="Whose, where it is a vendor's" name="credit_vendor" value=form.credit_vendor errors=errors.clone()
                    maxlength=60 hint="The shop's address, such as mill"/>
            </div>
            <Field label=format!("Amount, {}", currency.code()) name="amount" value=form.amount errors=errors.clone() inputmode="decimal"
                required=true/>
            <Field label="Why" name="memo" value=form.memo errors=errors required=true maxlength=Memo::MAX/>
            <button class="button-main">"Book it"</button>
        </form>
    }
}
