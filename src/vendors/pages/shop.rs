//! The shop itself: its name and words, and how it ships.

use super::{
    holiday::{HolidayFields, HolidayForm},
    legal::{LegalFields, LegalForm},
};
use crate::{
    error::{AppError, FieldErrors},
    ids::ShippingMethodId,
    money::Money,
    post::{BadDays, Days},
    server::{
        auth::Manager,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{ErrorSummary, Field, TextArea},
    vendors::{
        desk::Desk,
        holiday,
        model::{About, CURRENCY, MethodDraft, MethodName, ShopDraft, ShopName, Tagline},
        queries::{self, Method, ShopText},
    },
};
use axum::{
    extract::{Form, Path, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

pub const HERE: &str = "/vendor/shop";

/// What of the page was typed, and what is wrong with it. A field of an existing method is named `{field}-{id}`.
#[derive(Default)]
struct Typed {
    shop: Option<ShopForm>,
    method: Option<(Option<ShippingMethodId>, MethodForm)>,
    legal: Option<LegalForm>,
    holiday: Option<HolidayForm>,
    errors: FieldErrors,
}

/// `GET /vendor/shop`
pub async fn show(State(app): State<App>, Desk(vendor): Desk<Manager>, session: Session) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(page(&app, &vendor, Typed::default()).await?.notice(notice))
}

#[derive(Deserialize, Clone)]
pub struct ShopForm {
    name: String,
    #[serde(default)]
    tagline: String,
    #[serde(default)]
    description: String,
}

/// `POST /vendor/shop`
pub async fn describe(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Form(form): Form<ShopForm>,
) -> Result<Response, AppError> {
    let mut errors = FieldErrors::default();
    let name = errors.take("name", form.name.parse::<ShopName>());
    let tagline = errors.take("tagline", form.tagline.parse::<Tagline>());
    let description = errors.take("description", form.description.parse::<About>());
    let (Some(name), Some(tagline), Some(description)) = (name, tagline, description) else {
        return refused(&app, &vendor, Typed { shop: Some(form), errors, ..Typed::default() }).await;
    };
    queries::describe_shop(&app.pool, &vendor, &ShopDraft { name, tagline, description }).await?;
    flash::put(&session, "Your shop's page is saved.").await?;
    Ok(Redirect::to(HERE).into_response())
}

#[derive(Deserialize, Clone, Default)]
pub struct MethodForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    price: String,
    #[serde(default)]
    free_over: String,
    #[serde(default)]
    min_days: String,
    #[serde(default)]
    max_days: String,
    /// `remove`, or anything else to save
    #[serde(default)]
    action: String,
}

impl MethodForm {
    fn of(method: &Method) -> Self {
        Self {
            name: method.name.clone(),
            price: method.price().plain(),
            free_over: method.free_over().map(|m| m.plain()).unwrap_or_default(),
            min_days: method.min_days.to_string(),
            max_days: method.max_days.to_string(),
            action: String::new(),
        }
    }

    fn read(&self, end: &str) -> Result<MethodDraft, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.take(&format!("method{end}"), self.name.parse::<MethodName>());
        let price = errors.take(&format!("price{end}"), Money::parse(&self.price, CURRENCY));
        let free_over = match self.free_over.trim() {
            "" => Some(None),
            amount => errors.take(&format!("free_over{end}"), Money::parse(amount, CURRENCY)).map(Some),
        };
        let days = Days::parse(&self.min_days, &self.max_days);
        let field = if days == Err(BadDays::Most) { "max_days" } else { "min_days" };
        let days = errors.take(&format!("{field}{end}"), days);
        match (name, price, free_over, days) {
            (Some(name), Some(price), Some(free_over), Some(days)) => Ok(MethodDraft { name, price, free_over, days }),
            _ => Err(errors),
        }
    }
}

/// `POST /vendor/shop/shipping`
pub async fn add_method(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Form(form): Form<MethodForm>,
) -> Result<Response, AppError> {
    let added = match form.read("") {
        Ok(draft) => queries::add_method(&app.pool, &vendor, &draft).await,
        Err(errors) => Err(errors.into()),
    };
    match added {
        Ok(()) => {
            flash::put(&session, "Added.").await?;
            Ok(Redirect::to(HERE).into_response())
        }
        Err(AppError::Invalid(errors)) => {
            refused(&app, &vendor, Typed { method: Some((None, form)), errors, ..Typed::default() }).await
        }
        Err(error) => Err(error),
    }
}

/// `POST /vendor/shop/shipping/{method}`: saves it, or removes it.
pub async fn edit_method(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path(id): Path<ShippingMethodId>,
    Form(form): Form<MethodForm>,
) -> Result<Response, AppError> {
    let remove = form.action == "remove";
    let done = if remove {
        queries::remove_method(&app.pool, &vendor, id).await
    } else {
        match form.read(&format!("-{id}")) {
            Ok(draft) => queries::edit_method(&app.pool, &vendor, id, &draft).await,
            Err(errors) => Err(errors.into()),
        }
    };
    match done {
        Ok(()) => {
            flash::put(&session, if remove { "Removed. Orders that chose it keep it." } else { "Saved." }).await?;
            Ok(Redirect::to(HERE).into_response())
        }
        Err(AppError::Invalid(errors)) => {
            // Another vendor's method is not found, whatever was typed.
            if !queries::methods(&app.pool, &vendor).await?.iter().any(|m| m.id == id) {
                return Err(AppError::NotFound);
            }
            refused(&app, &vendor, Typed { method: Some((Some(id), form)), errors, ..Typed::default() }).await
        }
        Err(error) => Err(error),
    }
}

/// A form's address, opened or reloaded as a page: back to where the form is.
pub async fn back(Desk(_): Desk<Manager>) -> Redirect {
    Redirect::to(HERE)
}

/// As [`back`], and another vendor's method is not found.
pub async fn back_from_method(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    Path(id): Path<ShippingMethodId>,
) -> Result<Redirect, AppError> {
    let own = queries::methods(&app.pool, &vendor).await?.iter().any(|m| m.id == id);
    if own { Ok(Redirect::to(HERE)) } else { Err(AppError::NotFound) }
}

/// The page with what was typed about invoices, and what is wrong with it.
pub async fn refuse_legal(app: &App, vendor: &Manager, form: LegalForm, errors: FieldErrors) -> Result<Response, AppError> {
    refused(app, vendor, Typed { legal: Some(form), errors, ..Typed::default() }).await
}

/// The page with what was typed about a holiday, and what is wrong with it.
pub async fn refuse_holiday(app: &App, vendor: &Manager, form: HolidayForm, errors: FieldErrors) -> Result<Response, AppError> {
    refused(app, vendor, Typed { holiday: Some(form), errors, ..Typed::default() }).await
}

async fn refused(app: &App, vendor: &Manager, typed: Typed) -> Result<Response, AppError> {
    Ok(page(app, vendor, typed).await?.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

async fn page(app: &App, vendor: &Manager, typed: Typed) -> Result<Page, AppError> {
    let ShopText { name, tagline, description } = queries::shop_text(&app.pool, vendor).await?;
    let methods = queries::methods(&app.pool, vendor).await?;
    let address = format!("/vendors/{}", vendor.slug());
    // What stands on invoices is an owner's matter.
    let legal = match vendor.owner() {
        Some(owner) => Some(queries::legal(&app.pool, &owner).await?),
        None => None,
    };
    let holiday = holiday::of(&app.pool, vendor).await?;
    let Typed { shop, method, legal: typed_legal, holiday: typed_holiday, errors } = typed;
    Ok(Page::new("Your shop", move || {
        let holiday = typed_holiday.or(holiday.as_ref().map(HolidayForm::of)).unwrap_or_default();
        let shop = shop.unwrap_or(ShopForm { name, tagline, description });
        let (typed_id, typed_method) = method.map_or((None, None), |(id, form)| (Some(id), Some(form)));
        let forms = methods
            .iter()
            .map(|m| {
                let form = match &typed_method {
                    Some(form) if typed_id == Some(Some(m.id)) => form.clone(),
                    _ => MethodForm::of(m),
                };
                view! { <MethodFields id=Some(m.id) form=form errors=errors.clone()/> }
            })
            .collect_view();
        let new = typed_method.filter(|_| typed_id == Some(None)).unwrap_or_default();
        view! {
            <div class="desk-head">
                <h1>"Your shop"</h1>
                <a href=address>"See it as shoppers do"</a>
            </div>
            <ErrorSummary errors=errors.clone()/>
            <form method="post" action=HERE class="shop-form">
                <Field label="Name" name="name" value=shop.name errors=errors.clone() required=true maxlength=ShopName::MAX/>
                <Field label="In one line" name="tagline" value=shop.tagline errors=errors.clone() maxlength=Tagline::MAX/>
                <TextArea label="About you" name="description" value=shop.description errors=errors.clone() rows=8 maxlength=About::MAX
                    hint="Who makes the goods, where, and how. An empty line starts a new paragraph."/>
                <button class="button-main">"Save"</button>
            </form>
            <HolidayFields form=holiday errors=errors.clone()/>
            {legal.map(|legal| view! { <LegalFields form=typed_legal.unwrap_or_else(|| legal.into()) errors=errors.clone()/> })}
            <section class="shipping" aria-labelledby="shipping">
                <h2 id="shipping">"How you ship"</h2>
                <p class="hint">"Shoppers choose one of these for each parcel from you. The first one is shown with your goods."</p>
                {forms}
                <h3>"Another way to ship"</h3>
                <MethodFields id=None form=new errors=errors.clone()/>
            </section>
        }
    })
    .layout(Layout::Vendor(HERE)))
}

#[component]
fn MethodFields(id: Option<ShippingMethodId>, form: MethodForm, errors: FieldErrors) -> impl IntoView {
    let end = id.map(|id| format!("-{id}")).unwrap_or_default();
    let action = id.map_or_else(|| format!("{HERE}/shipping"), |id| format!("{HERE}/shipping/{id}"));
    // Several forms of this page have a field of the same name: the id, which errors link to, tells them apart.
    let field = |label: &'static str, name: &'static str, key: &str, value: String, inputmode: &'static str, required: bool| {
        let key = format!("{key}{end}");
        let error = errors.get(&key).map(|e| view! { <p class="field-error" id=format!("f-{key}-error")>{e.to_owned()}</p> });
        let about = error.as_ref().map(|_| format!("f-{key}-error"));
        view! {
            <div class="field">
                <label for=format!("f-{key}")>{label}</label>
                <input id=format!("f-{key}") name=name value=value inputmode=inputmode required=required autocomplete="off"
                    aria-invalid=error.as_ref().map(|_| "true") aria-describedby=about/>
                {error}
            </div>
        }
    };
    let buttons = match id {
        Some(_) => view! {
            <button name="action" value="save">"Save"</button>
            // The name and the days need not be right to remove it.
            <button class="button-quiet button-danger" name="action" value="remove" formnovalidate>"Remove"</button>
        }
        .into_any(),
        None => view! { <button name="action" value="save">"Add"</button> }.into_any(),
    };
    view! {
        <form method="post" action=action class="method-form">
            {field("Name", "name", "method", form.name, "text", true)}
            {field("Price, £", "price", "price", form.price, "decimal", true)}
            {field("Free over, £", "free_over", "free_over", form.free_over, "decimal", false)}
            {field("Days, at least", "min_days", "min_days", form.min_days, "numeric", true)}
            {field("at most", "max_days", "max_days", form.max_days, "numeric", true)}
            <div class="actions">{buttons}</div>
        </form>
    }
}
