//! The address book. Every entry is found through its owner; another's is not found.

use super::AccountFrame;
use crate::{
    accounts::{Address, AddressForm, AddressLine, City, Country, MAX_ADDRESSES, PersonName, PostalCode, queries},
    error::{AppError, FieldErrors},
    ids::AddressId,
    server::{auth::Customer, flash, page::Page, state::App},
    ui::{Badge, Checkbox, Empty, ErrorSummary, Field, Select, Tone},
};
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

const LIST: &str = "/account/addresses";

/// `GET /account/addresses`
pub async fn list(State(app): State<App>, who: Customer, session: Session) -> Result<Page, AppError> {
    let addresses = queries::addresses(&app.pool, &who).await?;
    let countries = queries::countries(&app.pool).await?;
    let notice = flash::take(&session).await?;
    Ok(Page::new("Addresses", move || {
        let none = addresses.is_empty();
        let entries = addresses.into_iter().map(|a| view! { <Entry address=a countries=&countries/> }).collect_view();
        view! {
            <AccountFrame here=LIST title="Addresses">
                {none.then(|| view! {
                    <Empty title="No address yet"><p>"Keep one here, and the checkout is filled in for you."</p></Empty>
                })}
                <ul class="address-book">{entries}</ul>
                <p><a class="button" href="/account/addresses/new">"Add an address"</a></p>
            </AccountFrame>
        }
    })
    .notice(notice))
}

#[component]
fn Entry<'a>(address: Address, countries: &'a [Country]) -> impl IntoView + use<> {
    let lines = address.lines(countries).into_iter().skip(1).map(|line| view! { <br/> {line} }).collect_view();
    let Address { id, name, line1, preferred, .. } = address;
    // "Edit" alone would say the same for every entry to someone who cannot see where it stands.
    let whose = format!(", {name}, {line1}");
    let action = |what: &str| format!("{LIST}/{id}/{what}");
    view! {
        <li>
            <address>
                <strong>{name}</strong> {lines}
            </address>
            {preferred.then(|| view! { <Badge tone=Tone::Good label="Preferred"/> })}
            <div class="actions">
                <a href=format!("{LIST}/{id}")>"Edit" <span class="visually-hidden">{whose.clone()}</span></a>
                {(!preferred).then(|| view! {
                    <form method="post" action=action("prefer")>
                        <button class="button-link" type="submit">"Prefer this" <span class="visually-hidden">{whose.clone()}</span></button>
                    </form>
                })}
                <form method="post" action=action("delete")>
                    <button class="button-link" type="submit">"Delete" <span class="visually-hidden">{whose.clone()}</span></button>
                </form>
            </div>
        </li>
    }
}

/// The form of one entry, as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct EntryForm {
    #[serde(flatten)]
    address: AddressForm,
    preferred: Option<String>,
}

/// `GET /account/addresses/new`
pub async fn new_page(State(app): State<App>, who: Customer) -> Result<Page, AppError> {
    let countries = queries::countries(&app.pool).await?;
    let address = AddressForm { name: who.name().to_owned(), country: "GB".into(), ..Default::default() };
    Ok(draw(None, EntryForm { address, preferred: None }, countries, FieldErrors::default()))
}

/// `POST /account/addresses/new`
pub async fn create(
    State(app): State<App>,
    who: Customer,
    session: Session,
    Form(form): Form<EntryForm>,
) -> Result<Response, AppError> {
    let countries = queries::countries(&app.pool).await?;
    let mut errors = FieldErrors::default();
    if let Some(address) = form.address.parse(&countries, &mut errors) {
        let mut tx = app.pool.begin().await?;
        if queries::add_address(&mut tx, &who, &address, form.preferred.is_some()).await?.is_some() {
            tx.commit().await?;
            return saved(&session, "The address is saved.").await;
        }
        errors.add("", format!("An address book holds {MAX_ADDRESSES} addresses. Please delete one first."));
    }
    Ok(draw(None, form, countries, errors).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

/// `GET /account/addresses/{id}`
pub async fn edit_page(State(app): State<App>, who: Customer, Path(id): Path<AddressId>) -> Result<Page, AppError> {
    let address = queries::address(&app.pool, &who, id).await?.ok_or(AppError::NotFound)?;
    let form = EntryForm { address: (&address).into(), preferred: address.preferred.then(|| "on".into()) };
    Ok(draw(Some(id), form, queries::countries(&app.pool).await?, FieldErrors::default()))
}

/// `POST /account/addresses/{id}`
pub async fn change(
    State(app): State<App>,
    who: Customer,
    session: Session,
    Path(id): Path<AddressId>,
    Form(form): Form<EntryForm>,
) -> Result<Response, AppError> {
    queries::address(&app.pool, &who, id).await?.ok_or(AppError::NotFound)?;
    let countries = queries::countries(&app.pool).await?;
    let mut errors = FieldErrors::default();
    let Some(address) = form.address.parse(&countries, &mut errors) else {
        return Ok(draw(Some(id), form, countries, errors).status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
    };
    let mut tx = app.pool.begin().await?;
    if !queries::change_address(&mut *tx, &who, id, &address).await? {
        return Err(AppError::NotFound);
    }
    if form.preferred.is_some() {
        queries::prefer_address(&mut tx, &who, id).await?;
    }
    tx.commit().await?;
    saved(&session, "The address is saved.").await
}

/// `POST /account/addresses/{id}/delete`
pub async fn delete(
    State(app): State<App>,
    who: Customer,
    session: Session,
    Path(id): Path<AddressId>,
) -> Result<Response, AppError> {
    if !queries::delete_address(&app.pool, &who, id).await? {
        return Err(AppError::NotFound);
    }
    saved(&session, "The address is deleted.").await
}

/// `POST /account/addresses/{id}/prefer`
pub async fn prefer(
    State(app): State<App>,
    who: Customer,
    session: Session,
    Path(id): Path<AddressId>,
) -> Result<Response, AppError> {
    let mut tx = app.pool.begin().await?;
    if !queries::prefer_address(&mut tx, &who, id).await? {
        return Err(AppError::NotFound);
    }
    tx.commit().await?;
    saved(&session, "This is now your preferred address.").await
}

async fn saved(session: &Session, sentence: &str) -> Result<Response, AppError> {
    flash::put(session, sentence).await?;
    Ok(Redirect::to(LIST).into_response())
}

fn draw(id: Option<AddressId>, form: EntryForm, countries: Vec<Country>, errors: FieldErrors) -> Page {
    let title = if id.is_some() { "Edit address" } else { "New address" };
    Page::new(title, move || {
        let EntryForm { address: a, preferred } = form;
        view! {
            <AccountFrame here=LIST title=title>
                <ErrorSummary errors=errors.clone()/>
                <form method="post" class="account-form">
                    <AddressFields address=a countries=countries errors=errors/>
                    <Checkbox label="Prefer this address" name="preferred" checked=preferred.is_some()/>
                    <p class="actions">
                        <button class="button-main" type="submit">"Save address"</button>
                        <a href=LIST>"Back to your addresses"</a>
                    </p>
                </form>
            </AccountFrame>
        }
    })
}

/// The fields of a postal address, in the order in which it is written on a parcel.
#[component]
fn AddressFields(address: AddressForm, countries: Vec<Country>, errors: FieldErrors) -> impl IntoView {
    let options = countries.into_iter().map(|c| (c.code, c.name)).collect::<Vec<_>>();
    let AddressForm { name, line1, line2, city, postal_code, country } = address;
    view! {
        <Field label="Name" name="name" value=name errors=errors.clone() autocomplete="name" required=true maxlength=PersonName::MAX/>
        <Field label="Street and house" name="line1" value=line1 errors=errors.clone() autocomplete="address-line1" required=true
            maxlength=AddressLine::MAX/>
        <Field label="Second line" name="line2" value=line2 errors=errors.clone() autocomplete="address-line2"
            maxlength=AddressLine::MAX/>
        <div class="field-row">
            <Field label="Town or city" name="city" value=city errors=errors.clone() autocomplete="address-level2" required=true
                maxlength=City::MAX/>
            <Field label="Postcode" name="postal_code" value=postal_code errors=errors.clone() autocomplete="postal-code" required=true
                maxlength=PostalCode::MAX/>
        </div>
        <Select label="Country" name="country" options=options value=country errors=errors autocomplete="country"/>
    }
}
