//! The vendor's coupons: made, used, ended. Each is for the vendor's own goods, and the vendor pays for it.

use crate::{
    catalog::editing::queries::category_choices,
    coupons::{
        form::CouponForm,
        queries,
        views::{CouponFields, CouponTable},
    },
    error::{AppError, FieldErrors},
    ids::CouponId,
    server::{
        auth::Manager,
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{ErrorSummary, NextPage},
    vendors::{desk::Desk, model::CURRENCY},
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

const HERE: &str = "/vendor/coupons";

#[derive(Deserialize)]
pub struct Which {
    #[serde(default)]
    page: u32,
}

/// `GET /vendor/coupons?page=0`
pub async fn list(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Query(which): Query<Which>,
) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(page(&app, &vendor, which.page, CouponForm::default(), FieldErrors::default()).await?.notice(notice))
}

/// `POST /vendor/coupons`
pub async fn add(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Form(form): Form<CouponForm>,
) -> Result<Response, AppError> {
    let categories = category_choices(&app.pool).await?;
    let made = match form.read(CURRENCY, &categories, Ok(None)) {
        Ok(draft) => queries::add_own(&app.pool, &vendor, &draft).await,
        Err(errors) => Err(errors.into()),
    };
    match made {
        Ok(_) => {
            flash::put(&session, "Made. Whoever knows the code can use it at the checkout.").await?;
            Ok(Redirect::to(HERE).into_response())
        }
        Err(AppError::Invalid(errors)) => {
            Ok(page(&app, &vendor, 0, form, errors).await?.status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
        Err(error) => Err(error),
    }
}

/// `POST /vendor/coupons/{id}`: ends it.
pub async fn end(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path(id): Path<CouponId>,
) -> Result<Redirect, AppError> {
    queries::end_own(&app.pool, &vendor, id).await?;
    flash::put(&session, "Ended. Orders that have used it keep their discount.").await?;
    Ok(Redirect::to(HERE))
}

async fn page(app: &App, vendor: &Manager, number: u32, form: CouponForm, errors: FieldErrors) -> Result<Page, AppError> {
    let (rows, more) = queries::own(&app.pool, vendor, number).await?;
    let categories = category_choices(&app.pool).await?;
    Ok(Page::new("Coupons", move || {
        view! {
            <div class="desk-head"><h1>"Coupons"</h1></div>
            <ErrorSummary errors=errors.clone()/>
            <p>"A coupon takes something off your own goods, and you pay for it: we take our fee of what is left."</p>
            <CouponTable rows=rows desk=HERE all=false/>
            <NextPage href=more.then(|| format!("{HERE}?page={}", number.saturating_add(1)))/>
            <section aria-labelledby="new-coupon">
                <h2 id="new-coupon">"Another coupon"</h2>
                <CouponFields form=form errors=errors categories=categories currency=CURRENCY action=HERE operator=false/>
            </section>
        }
    })
    .layout(Layout::Vendor(HERE)))
}
