//! What stands on the shop's invoices: a part of the shop's page with a form of its own.

use super::shop::{HERE, refuse_legal};
use crate::{
    error::{AppError, FieldErrors},
    server::{auth::Owner, flash, state::App},
    ui::Field,
    vendors::{
        desk::Desk,
        model::{LegalCity, LegalDraft, LegalLine, LegalName, LegalPostalCode, VatNumber},
        queries::{self, Legal},
    },
};
use axum::{
    extract::{Form, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

#[derive(Deserialize, Clone, Default)]
#[serde(default)]
pub struct LegalForm {
    legal_name: String,
    line1: String,
    line2: String,
    city: String,
    postal_code: String,
    vat_number: String,
}

impl From<Legal> for LegalForm {
    fn from(legal: Legal) -> Self {
        let Legal { name, line1, line2, city, postal_code, vat_number } = legal;
        Self { legal_name: name, line1, line2, city, postal_code, vat_number }
    }
}

impl LegalForm {
    fn read(&self) -> Result<LegalDraft, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.take("legal_name", self.legal_name.parse::<LegalName>());
        let line1 = errors.take("line1", self.line1.parse::<LegalLine>());
        let line2 = errors.take("line2", self.line2.parse::<LegalLine>());
        let city = errors.take("city", self.city.parse::<LegalCity>());
        let postal_code = errors.take("postal_code", self.postal_code.parse::<LegalPostalCode>());
        let vat_number = errors.take("vat_number", self.vat_number.parse::<VatNumber>());
        match (name, line1, line2, city, postal_code, vat_number) {
            (Some(name), Some(line1), Some(line2), Some(city), Some(postal_code), Some(vat_number)) => {
                Ok(LegalDraft { name, line1, line2, city, postal_code, vat_number })
            }
            _ => Err(errors),
        }
    }
}

/// `POST /vendor/shop/invoices`
pub async fn save(
    State(app): State<App>,
    Desk(vendor): Desk<Owner>,
    session: Session,
    Form(form): Form<LegalForm>,
) -> Result<Response, AppError> {
    match form.read() {
        Ok(draft) => {
            queries::set_legal(&app.pool, &vendor, &draft).await?;
            flash::put(&session, "Saved. It stands on your invoices from now on.").await?;
            Ok(Redirect::to(HERE).into_response())
        }
        Err(errors) => refuse_legal(&app, &vendor, form, errors).await,
    }
}

#[component]
pub fn LegalFields(form: LegalForm, errors: FieldErrors) -> impl IntoView {
    view! {
        <section class="legal" aria-labelledby="invoices">
            <h2 id="invoices">"On your invoices"</h2>
            <p class="hint">"An invoice in your name is written for each order that is paid. Without these it says your shop's name and country."</p>
            <form method="post" action=format!("{HERE}/invoices") class="shop-form">
                <Field label="Company or full name" name="legal_name" value=form.legal_name errors=errors.clone() maxlength=LegalName::MAX
                    autocomplete="organization"/>
                <Field label="Address" name="line1" value=form.line1 errors=errors.clone() maxlength=LegalLine::MAX autocomplete="address-line1"/>
                <Field label="Address, second line" name="line2" value=form.line2 errors=errors.clone() maxlength=LegalLine::MAX
                    autocomplete="address-line2"/>
                <Field label="Town" name="city" value=form.city errors=errors.clone() maxlength=LegalCity::MAX autocomplete="address-level2"/>
                <Field label="Postcode" name="postal_code" value=form.postal_code errors=errors.clone() maxlength=LegalPostalCode::MAX
                    autocomplete="postal-code"/>
                <Field label="VAT number" name="vat_number" value=form.vat_number errors=errors maxlength=VatNumber::MAX/>
                <button class="button-main">"Save"</button>
            </form>
        </section>
    }
}
