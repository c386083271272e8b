//! Coupons: the market's own, and those of all vendors.

use crate::{
    catalog::editing::queries::category_choices,
    coupons::{
        form::CouponForm,
        queries,
        views::{CouponFields, CouponTable},
    },
    error::{AppError, FieldErrors},
    ids::{CouponId, VendorId},
    ledger::rules,
    server::{
        auth::Operator,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{ErrorSummary, NextPage},
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

const HERE: &str = "/operator/coupons";

#[derive(Deserialize)]
pub struct Which {
    #[serde(default)]
    page: u32,
}

/// `GET /operator/coupons?page=0`
pub async fn list(State(app): State<App>, by: Operator, session: Session, Query(which): Query<Which>) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    let form = CouponForm { platform: "100".into(), ..CouponForm::default() };
    Ok(page(&app, &by, which.page, form, FieldErrors::default()).await?.notice(notice))
}

/// `POST /operator/coupons`
pub async fn add(
    State(app): State<App>,
    by: Operator,
    session: Session,
    Form(form): Form<CouponForm>,
) -> Result<Response, AppError> {
    let categories = category_choices(&app.pool).await?;
    let made = match form.read(app.config.currency, &categories, shop(&app, &by, &form.vendor).await?) {
        Ok(draft) => queries::add(&app.pool, &by, &draft).await,
        Err(errors) => Err(errors.into()),
    };
    match made {
        Ok(_) => {
            flash::put(&session, "Made. Whoever knows the code can use it at the checkout.").await?;
            Ok(Redirect::to(HERE).into_response())
        }
        Err(AppError::Invalid(errors)) => {
            Ok(page(&app, &by, 0, form, errors).await?.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(error) => Err(error),
    }
}

/// The shop whose address was typed.
async fn shop(app: &App, by: &Operator, typed: &str) -> sqlx::Result<Result<Option<VendorId>, &'static str>> {
    let slug = typed.trim().trim_end_matches('/').rsplit('/').next().unwrap_or_default().replace('\0', "");
    if slug.is_empty() {
        return Ok(Ok(None));
    }
    let found = rules::vendor_of(&app.pool, by, &slug).await?;
    Ok(found.map(Some).ok_or("There is no shop with this address."))
}

/// `POST /operator/coupons/{id}`: ends it.
pub async fn end(State(app): State<App>, by: Operator, session: Session, Path(id): Path<CouponId>) -> Result<Redirect, AppError> {
    queries::end(&app.pool, &by, id).await?;
    flash::put(&session, "Ended. Orders that have used it keep their discount.").await?;
    Ok(Redirect::to(HERE))
}

async fn page(app: &App, by: &Operator, number: u32, form: CouponForm, errors: FieldErrors) -> Result<Page, AppError> {
    let (rows, more) = queries::all(&app.pool, by, number).await?;
    let categories = category_choices(&app.pool).await?;
    let currency = app.config.currency;
    Ok(Page::new("Coupons", move || {
        view! {
            <h1>"Coupons"</h1>
            <ErrorSummary errors=errors.clone()/>
            <p>"What we pay of a discount, a vendor gets as if the shopper had paid it; our fee is taken of both."</p>
            <CouponTable rows=rows desk=HERE all=true/>
            <NextPage href=more.then(|| format!("{HERE}?page={}", number.saturating_add(1)))/>
            <section aria-labelledby="new-coupon">
                <h2 id="new-coupon">"Another coupon"</h2>
                <CouponFields form=form errors=errors categories=categories currency=currency action=HERE operator=true/>
            </section>
        }
    })
    .layout(Layout::Operator(HERE)))
}
