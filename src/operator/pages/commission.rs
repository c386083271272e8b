//! What the market keeps: the rules in their order, and what a new one would have brought before it is saved.

use super::list::{
    Head::{Number, Text, Unseen},
    Table,
};
use crate::{
    catalog::editing::queries::category_choices,
    error::{AppError, FieldErrors, Refusal},
    ids::{CategoryId, CommissionRuleId},
    ledger::{
        commission::Rule,
        rules::{self, Draft, NamedRule, RuleName},
        what_if::{self, DAYS, Month, WhatIf},
    },
    money::{BasisPoints, Currency, Money},
    operator::pages::list::Head,
    server::{
        auth::Operator,
        flash,
        page::{Layout, Page},
        state::App,
    },
    text::day,
    ui::{Breadcrumbs, Checkbox, Empty, ErrorSummary, Field, Price, Select},
};
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use time::Date;
use tower_sessions::Session;

const HERE: &str = "/operator/commission";

/// A rule, as typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct RuleForm {
    name: String,
    /// The address of a shop.
    vendor: String,
    category: String,
    /// The address of a product.
    product: String,
    starts_on: String,
    ends_on: String,
    percent: String,
    fixed: String,
    minimum: String,
    cap: String,
    on_shipping: String,
    /// The rule that it is asked before.
    before: String,
    /// `try`, or anything else to save
    action: String,
}

impl RuleForm {
    fn of(rule: &NamedRule, currency: Currency) -> Self {
        let money = |minor: i64| if minor == 0 { String::new() } else { Money::new(minor, currency).plain() };
        let day = |date: Option<Date>| date.map(|d| d.to_string()).unwrap_or_default();
        Self {
            name: rule.name.clone(),
            vendor: rule.vendor_slug.clone().unwrap_or_default(),
            category: rule.category_id.map(|c| c.to_string()).unwrap_or_default(),
            product: rule.product_slug.clone().unwrap_or_default(),
            starts_on: day(rule.starts_on),
            ends_on: day(rule.ends_on),
            percent: BasisPoints(rule.percent_bp).to_string().trim_end_matches(" %").to_owned(),
            fixed: money(rule.fixed_minor),
            minimum: money(rule.minimum_minor),
            cap: rule.cap_minor.map(|cap| Money::new(cap, currency).plain()).unwrap_or_default(),
            on_shipping: if rule.on_shipping { "on".into() } else { String::new() },
            ..Self::default()
        }
    }

    /// The draft that the form describes, or what is wrong with it, field by field. One that matches everything has no conditions.
    async fn read(&self, app: &App, by: &Operator, fallback: bool) -> Result<Draft, AppError> {
        let mut errors = FieldErrors::default();
        let currency = app.config.currency;
        let name = errors.take("name", self.name.parse::<RuleName>());
        let percent = errors.take("percent", self.percent.parse::<BasisPoints>());
        let mut amount = |field: &str, text: &str| match text.trim() {
            "" => Some(None),
            text => errors.take(field, Money::parse(text, currency)).map(|m| Some(m.minor)),
        };
        let fixed = amount("fixed", &self.fixed);
        let minimum = amount("minimum", &self.minimum);
        let cap = amount("cap", &self.cap);
        if let (Some(Some(minimum)), Some(Some(cap))) = (minimum, cap)
            && cap < minimum
        {
            errors.add("cap", "This is less than the minimum.");
        }
        let mut rule = Rule {
            id: None,
            name: String::new(),
            vendor_id: None,
            category_id: None,
            product_id: None,
            starts_on: None,
            ends_on: None,
            percent_bp: percent.map_or(0, |p| p.0),
            fixed_minor: fixed.flatten().unwrap_or_default(),
            minimum_minor: minimum.flatten().unwrap_or_default(),
            cap_minor: cap.flatten(),
            on_shipping: !self.on_shipping.is_empty(),
        };
        if !fallback {
            self.read_conditions(app, by, &mut rule, &mut errors).await?;
        }
        let before = match self.before.as_str() {
            "" => None,
            id => errors.take("before", id.parse::<CommissionRuleId>()),
        };
        let Some(name) = name else { return Err(errors.into()) };
        errors.check()?;
        Ok(Draft { rule: Rule { name: name.to_string(), ..rule }, before })
    }

    async fn read_conditions(&self, app: &App, by: &Operator, rule: &mut Rule, errors: &mut FieldErrors) -> Result<(), AppError> {
        let slug = |text: &str| text.trim().trim_end_matches('/').rsplit('/').next().unwrap_or_default().replace('\0', "");
        match slug(&self.vendor) {
            vendor if vendor.is_empty() => {}
            vendor => match rules::vendor_of(&app.pool, by, &vendor).await? {
                Some(id) => rule.vendor_id = Some(id),
                None => errors.add("vendor", "There is no shop with this address."),
            },
        }
        match slug(&self.product) {
            product if product.is_empty() => {}
            product => match rules::product_of(&app.pool, by, &product).await? {
                Some(id) => rule.product_id = Some(id),
                None => errors.add("product", "There is no product with this address."),
            },
        }
        match self.category.as_str() {
            "" => {}
            category => match category.parse::<CategoryId>() {
                Ok(id) if category_choices(&app.pool).await?.iter().any(|(known, _)| *known == id) => rule.category_id = Some(id),
                _ => errors.add("category", "Please choose a category."),
            },
        }
        rule.starts_on = errors.take("starts_on", day(&self.starts_on)).flatten();
        rule.ends_on = errors.take("ends_on", day(&self.ends_on)).flatten();
        if rule.starts_on.zip(rule.ends_on).is_some_and(|(from, until)| until < from) {
            errors.add("ends_on", "This is before the first day.");
        }
        Ok(())
    }
}

/// What the page shows beside the rules.
#[derive(Default)]
struct Shown {
    form: RuleForm,
    errors: FieldErrors,
    what_if: Option<WhatIf>,
    status: StatusCode,
}

/// `GET /operator/commission`
pub async fn list(State(app): State<App>, by: Operator, session: Session) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(page(&app, &by, None, Shown::default()).await?.notice(notice))
}

/// `GET /operator/commission/{id}`
pub async fn edit(State(app): State<App>, by: Operator, Path(id): Path<CommissionRuleId>) -> Result<Page, AppError> {
    let rule = rules::find(&app.pool, id).await?.ok_or(AppError::NotFound)?;
    let form = RuleForm::of(&rule, app.config.currency);
    page(&app, &by, Some(rule), Shown { form, ..Shown::default() }).await
}

/// `POST /operator/commission`: adds a rule, or tries it.
pub async fn add(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Form(form): Form<RuleForm>,
) -> Result<Response, AppError> {
    let shown = match form.read(&app, &by, false).await {
        Ok(draft) if form.action == "try" => tried(&app, &by, form, draft, None).await?,
        Ok(draft) => {
            rules::add(&app.pool, &by, &draft).await?;
            flash::put(&session, "Added. It decides from the next sale on.").await?;
            return Ok(Redirect::to(HERE).into_response());
        }
        Err(AppError::Invalid(errors)) => Shown { form, errors, status: StatusCode::UNPROCESSABLE_ENTITY, what_if: None },
        Err(other) => return Err(other),
    };
    Ok(page(&app, &by, None, shown).await?.into_response())
}

/// `POST /operator/commission/{id}`: puts the changed rule in its place, or tries it.
pub async fn change(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Path(id): Path<CommissionRuleId>,
    Form(form): Form<RuleForm>,
) -> Result<Response, AppError> {
    let Some(rule) = rules::find(&app.pool, id).await? else {
        let errors = FieldErrors::one("", Refusal::Stale.to_string());
        let shown = Shown { errors, status: StatusCode::CONFLICT, form, what_if: None };
        return Ok(page(&app, &by, None, shown).await?.into_response());
    };
    let shown = match form.read(&app, &by, rule.fallback).await {
        Ok(draft) if form.action == "try" => tried(&app, &by, form, draft, Some(id)).await?,
        Ok(draft) => {
            rules::change(&app.pool, &by, id, &draft).await?;
            flash::put(&session, "Saved. What was sold before keeps the old rule.").await?;
            return Ok(Redirect::to(HERE).into_response());
        }
        Err(AppError::Invalid(errors)) => Shown { form, errors, status: StatusCode::UNPROCESSABLE_ENTITY, what_if: None },
        Err(other) => return Err(other),
    };
    Ok(page(&app, &by, Some(rule), shown).await?.into_response())
}

/// Reckons with the draft what it would have brought. Its window is left aside, or a rule of tomorrow could not be tried.
async fn tried(
    app: &App,
    by: &Operator,
    form: RuleForm,
    mut draft: Draft,
    edited: Option<CommissionRuleId>,
) -> Result<Shown, AppError> {
    (draft.rule.starts_on, draft.rule.ends_on) = (None, None);
    let now = rules::in_order(&app.pool).await?;
    let then = draft.among(&now, edited);
    let now: Vec<Rule> = now.iter().map(NamedRule::rule).collect();
    let what_if = what_if::compare(&app.pool, by, &now, &then).await?;
    Ok(Shown { form, what_if: Some(what_if), ..Shown::default() })
}

#[derive(Debug, Deserialize)]
pub struct Move {
    /// `earlier`, `later` or `archive`
    to: String,
}

/// `POST /operator/commission/{id}/move`
pub async fn move_(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Path(id): Path<CommissionRuleId>,
    Form(form): Form<Move>,
) -> Result<Redirect, AppError> {
    match form.to.as_str() {
        "earlier" => rules::step(&app.pool, &by, id, true).await?,
        "later" => rules::step(&app.pool, &by, id, false).await?,
        "archive" => {
            rules::archive(&app.pool, &by, id).await?;
            flash::put(&session, "Archived. What it decided keeps it.").await?;
        }
        _ => return Err(AppError::BadRequest("That does not exist.".into())),
    }
    Ok(Redirect::to(HERE))
}

/// That address opened as a page: back to the list.
pub async fn back(_by: Operator) -> Redirect {
    Redirect::to(HERE)
}

async fn page(app: &App, _proof: &Operator, edited: Option<NamedRule>, shown: Shown) -> Result<Page, AppError> {
    let list = rules::in_order(&app.pool).await?;
    let categories = category_choices(&app.pool).await?;
    let currency = app.config.currency;
    let Shown { form, errors, what_if, status } = shown;
    let title = edited.as_ref().map_or_else(|| "Commission".to_owned(), |r| r.name.clone());
    Ok(Page::new(title.clone(), move || {
        let figures = what_if.map(|w| view! { <Figures what_if=w currency=currency/> });
        let fields = view! {
            <RuleFields edited=edited.clone() rules=list.clone() categories=categories form=form errors=errors.clone() currency=currency/>
        };
        match edited {
            Some(_) => view! {
                <Breadcrumbs trail=vec![(HERE.to_owned(), "Commission".to_owned()), (String::new(), title.clone())]/>
                <h1>{title}</h1>
                <ErrorSummary errors=errors/>
                {figures}
                {fields}
            }
            .into_any(),
            None => view! {
                <h1>"Commission"</h1>
                <ErrorSummary errors=errors/>
                <p>"The first rule that matches a line decides what we keep of it. What was sold keeps the rule that it was sold under."</p>
                <RuleTable rules=list currency=currency/>
                {figures}
                <section aria-labelledby="new-rule">
                    <h2 id="new-rule">"Another rule"</h2>
                    {fields}
                </section>
            }
            .into_any(),
        }
    })
    .layout(Layout::Operator(HERE))
    .status(status))
}

const RULES: &[Head] = &[Text("Rule"), Text("Matches"), Text("Takes"), Unseen("What to do with it")];

#[component]
fn RuleTable(rules: Vec<NamedRule>, currency: Currency) -> impl IntoView {
    let last = rules.iter().filter(|r| !r.fallback).count().saturating_sub(1);
    let rows = rules
        .into_iter()
        .enumerate()
        .map(|(i, rule)| {
            let button = |to: &'static str, label: &'static str, off: bool| {
                let name = format!("{label}: {}", rule.name);
                view! { <button class="button-quiet" name="to" value=to disabled=off aria-label=name>{label}</button> }
            };
            let moves = (!rule.fallback).then(|| {
                view! {
                    <form method="post" action=format!("{HERE}/{}/move", rule.id) class="rule-moves">
                        {button("earlier", "Up", i == 0)}
                        {button("later", "Down", i == last)}
                        {button("archive", "Archive", false)}
                    </form>
                }
            });
            view! {
                <tr>
                    <th scope="row"><a href=format!("{HERE}/{}", rule.id)>{rule.name.clone()}</a></th>
                    <td class="wrap">{rule.scope()}</td>
                    <td class="wrap">{rule.takes(currency)}</td>
                    <td>{moves}</td>
                </tr>
            }
        })
        .collect_view();
    view! { <Table label="Rules, in the order in which they are asked" head=RULES>{rows}</Table> }
}

#[component]
fn RuleFields(
    edited: Option<NamedRule>,
    rules: Vec<NamedRule>,
    categories: Vec<(CategoryId, String)>,
    form: RuleForm,
    errors: FieldErrors,
    currency: Currency,
) -> impl IntoView {
    let fallback = edited.as_ref().is_some_and(|r| r.fallback);
    let new = edited.is_none();
    let action = edited.map_or_else(|| HERE.to_owned(), |r| format!("{HERE}/{}", r.id));
    let money = |label: &str| format!("{label}, {}", currency.code());
    let mut choices = vec![(String::new(), "Every category".to_owned())];
    choices.extend(categories.into_iter().map(|(id, label)| (id.to_string(), label)));
    let places: Vec<(String, String)> = rules
        .iter()
        .map(|r| {
            let value = if r.fallback { String::new() } else { r.id.to_string() };
            (value, r.name.clone())
        })
        .collect();
    let conditions = (!fallback).then(|| {
        view! {
            <fieldset>
                <legend>"What it matches"</legend>
                <p class="hint">"What you leave empty matches everything."</p>
                <div class="field-row">
                    <Field label="Shop" name="vendor" value=form.vendor.clone() errors=errors.clone() maxlength=200
                        hint="Its address: mill of /vendors/mill"/>
                    <Select label="Category, and all below it" name="category" options=choices value=form.category.clone()
                        errors=errors.clone()/>
                    <Field label="Product" name="product" value=form.product.clone() errors=errors.clone() maxlength=300
                        hint="Its address: oak-bowl of /products/oak-bowl"/>
                </div>
                <div class="field-row">
                    <Field label="First day" name="starts_on" kind="date" value=form.starts_on.clone() errors=errors.clone()/>
                    <Field label="Last day" name="ends_on" kind="date" value=form.ends_on.clone() errors=errors.clone()/>
                </div>
            </fieldset>
        }
    });
    let place = new.then(|| {
        view! { <Select label="Asked before" name="before" options=places value=form.before.clone() errors=errors.clone()/> }
    });
    view! {
        <form method="post" action=action class="rule-form">
            // What Enter presses: a form's first button. It tries, and never saves.
            <button class="visually-hidden" name="action" value="try" tabindex="-1" aria-hidden="true">"Try it"</button>
            <div class="field-row">
                <Field label="Name" name="name" value=form.name.clone() errors=errors.clone() required=true maxlength=RuleName::MAX
                    hint="Vendors read it beside every sale that it decided."/>
                {place}
            </div>
            {conditions}
            <fieldset>
                <legend>"What it takes"</legend>
                <div class="field-row">
                    <Field label="Percent" name="percent" value=form.percent.clone() errors=errors.clone() inputmode="decimal" required=true
                        hint="Of the price with VAT, the vendor's discounts taken off"/>
                    <Field label=money("Beside it, for each piece") name="fixed" value=form.fixed.clone() errors=errors.clone() inputmode="decimal"/>
                </div>
                <div class="field-row">
                    <Field label=money("At least, for each piece") name="minimum" value=form.minimum.clone() errors=errors.clone() inputmode="decimal"/>
                    <Field label=money("At most, for each piece") name="cap" value=form.cap.clone() errors=errors.clone() inputmode="decimal"/>
                </div>
                <Checkbox label="The percentage is taken of shipping too" name="on_shipping" checked=!form.on_shipping.is_empty()/>
            </fieldset>
            <div class="actions">
                <button class="button-main" name="action" value="save">{if new { "Add" } else { "Save" }}</button>
                <button name="action" value="try">"Try it on the last 30 days"</button>
            </div>
        </form>
    }
}

const MONTH: &[Head] = &[
    Text("Shop"),
    Number("Lines"),
    Number("Decided by it"),
    Number("Sold"),
    Number("Fee now"),
    Number("Fee with it"),
    Number("Difference"),
];

#[component]
fn Figures(what_if: WhatIf, currency: Currency) -> impl IntoView {
    let heading = format!("What it would have brought in the last {DAYS} days");
    if what_if.vendors.is_empty() {
        return view! { <Empty title=heading><p>"Nothing was sold in that time, so there is nothing to compare."</p></Empty> }
            .into_any();
    }
    let row = move |label: String, m: &Month, all: bool| {
        let price = move |minor: i64| view! { <Price money=Money::new(minor, currency)/> };
        let sign = (m.difference_minor() > 0).then_some("+");
        view! {
            <tr class:total=all>
                <th scope="row">{label}</th>
                <td class="number">{m.lines}</td>
                <td class="number">{m.decided}</td>
                <td class="number">{price(m.gross_minor)}</td>
                <td class="number">{price(m.fee_now_minor)}</td>
                <td class="number">{price(m.fee_then_minor)}</td>
                <td class="number">{sign}{price(m.difference_minor())}</td>
            </tr>
        }
    };
    let all = row("All shops".into(), &what_if.all, true);
    let rows = what_if.vendors.iter().map(|m| row(m.vendor.clone(), m, false)).collect_view();
    view! {
        <section class="what-if" aria-labelledby="what-if" tabindex="-1" data-autofocus>
            <h2 id="what-if">{heading}</h2>
            <p class="hint">"Nothing is saved yet. Fees without VAT, by today's rules and by today's rules with this one, as if it had been in force all the time."</p>
            <Table label="What it would have brought" head=MONTH>{all}{rows}</Table>
        </section>
    }
    .into_any()
}
