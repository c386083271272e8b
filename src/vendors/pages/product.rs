//! A product at its vendor's: the form, empty or as it stands, and what its buttons do.

use super::{
    earnings::show_net,
    product_facts::ProductFacts,
    product_form::{Action, ProductForm},
    product_view::{ProductView, Standing},
};
use crate::{
    catalog::editing::{
        self, ProductStatus, Stamp,
        queries::{self, EditableProduct, EditableVariant},
    },
    catalog::pictures,
    error::{AppError, FieldErrors, Refusal},
    ids::ProductId,
    server::{
        auth::Manager,
        flash,
        page::{Layout, Page},
        state::App,
    },
    vendors::desk::Desk,
};
use axum::{
    extract::{Form, Path, State},
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

/// What a form's submission came to, when it did not come to a redirect.
#[derive(Default)]
struct Outcome {
    errors: FieldErrors,
    /// A sentence above the form: what was made, or what somebody else did.
    note: Option<String>,
    /// What stands now where it differs from what was typed.
    differs: Vec<(String, String)>,
    status: StatusCode,
}

/// `GET /vendor/products/new`
pub async fn blank(State(app): State<App>, Desk(vendor): Desk<Manager>) -> Result<Page, AppError> {
    page(&app, &vendor, None, ProductForm::blank(), Outcome::default()).await
}

/// `POST /vendor/products`
pub async fn create(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let mut form = ProductForm::from_pairs(pairs);
    if form.action == Action::Generate {
        let outcome = generated(&mut form);
        return Ok(page(&app, &vendor, None, form, outcome).await?.into_response());
    }
    let publish = form.action == Action::Publish;
    let created = match form.read() {
        Ok(draft) => editing::create(&app, &vendor, &draft, publish).await,
        Err(error) => Err(error),
    };
    match created {
        Ok(id) => {
            let said = if publish { "Your product is on sale." } else { "Your draft is kept." };
            flash::put(&session, &format!("{said} Now add its pictures.")).await?;
            Ok(Redirect::to(&format!("/vendor/products/{id}/pictures")).into_response())
        }
        Err(error) => {
            let outcome = Outcome { errors: fields(error)?, status: StatusCode::UNPROCESSABLE_ENTITY, ..Outcome::default() };
            Ok(page(&app, &vendor, None, form, outcome).await?.into_response())
        }
    }
}

/// `GET /vendor/products/{product}`: to work on, or for who may not, to read.
pub async fn show(
    State(app): State<App>,
    Desk(vendor): Desk,
    session: Session,
    Path(id): Path<ProductId>,
) -> Result<Page, AppError> {
    let (product, variants) = queries::product(&app.pool, &vendor, id).await?;
    let Some(manager) = vendor.manager() else {
        let pictures = pictures::list(&app, &vendor, id).await?;
        return Ok(Page::new(product.title.clone(), move || {
            view! { <ProductFacts product=product variants=variants pictures=pictures/> }
        })
        .layout(Layout::Vendor("/vendor/products")));
    };
    let form = ProductForm::of(&product, &variants);
    let notice = flash::take(&session).await?;
    Ok(page(&app, &manager, Some(product), form, Outcome::default()).await?.notice(notice))
}

/// `POST /vendor/products/{product}`
pub async fn save(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path(id): Path<ProductId>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, AppError> {
    let (product, variants) = queries::product(&app.pool, &vendor, id).await?;
    let mut form = ProductForm::from_pairs(pairs);
    if form.action == Action::Generate {
        let outcome = generated(&mut form);
        show_held(&mut form, &variants);
        return Ok(page(&app, &vendor, Some(product), form, outcome).await?.into_response());
    }
    let publish = form.action == Action::Publish;
    let saved = match (form.read(), form.stamp.parse::<Stamp>()) {
        (Ok(draft), Ok(seen)) => editing::edit(&app, &vendor, id, seen, &draft, publish).await,
        (Ok(_), Err(stale)) => Err(stale.into()),
        (Err(error), _) => Err(error),
    };
    let outcome = match saved {
        Ok(()) => {
            flash::put(&session, if publish { "Saved, and on sale." } else { "Saved." }).await?;
            return Ok(Redirect::to(&format!("/vendor/products/{id}")).into_response());
        }
        Err(AppError::Conflict(Refusal::Stale)) => {
            let (product, variants) = queries::product(&app.pool, &vendor, id).await?;
            let outcome = overtaken(&app, &mut form, &product, &variants).await?;
            return Ok(page(&app, &vendor, Some(product), form, outcome).await?.into_response());
        }
        Err(error) => Outcome { errors: fields(error)?, status: StatusCode::UNPROCESSABLE_ENTITY, ..Outcome::default() },
    };
    show_held(&mut form, &variants);
    Ok(page(&app, &vendor, Some(product), form, outcome).await?.into_response())
}

#[derive(Deserialize)]
pub struct StatusForm {
    status: String,
}

/// `POST /vendor/products/{product}/status`: publish, take off sale, archive, bring back. Each can be undone by another.
pub async fn set_status(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path(id): Path<ProductId>,
    Form(form): Form<StatusForm>,
) -> Result<Redirect, AppError> {
    let said = match form.status.parse() {
        Ok(ProductStatus::Published) => {
            editing::publish(&app, &vendor, id).await?;
            "On sale."
        }
        Ok(ProductStatus::Draft) => {
            editing::unpublish(&app, &vendor, id).await?;
            "Off sale, and kept as a draft."
        }
        Ok(ProductStatus::Archived) => {
            editing::archive(&app, &vendor, id).await?;
            "Archived. You can bring it back below whenever you like."
        }
        Err(()) => return Err(AppError::BadRequest("There is no such status.".into())),
    };
    flash::put(&session, said).await?;
    Ok(Redirect::to(&format!("/vendor/products/{id}")))
}

/// The errors that belong into the form; others are the request's own answer.
fn fields(error: AppError) -> Result<FieldErrors, AppError> {
    match error {
        AppError::Invalid(errors) => Ok(errors),
        AppError::Conflict(refusal @ Refusal::NothingToPublish) => Ok(FieldErrors::one("variants", refusal.to_string())),
        other => Err(other),
    }
}

fn generated(form: &mut ProductForm) -> Outcome {
    match form.generate() {
        Ok(leaving) => {
            let count = match form.variants.len() {
                1 => "Here is the one variant".to_owned(),
                n => format!("Here are the {n} variants"),
            };
            let leaving = match leaving {
                0 => String::new(),
                1 => " One variant no longer fits and leaves when you save.".to_owned(),
                n => format!(" {n} variants no longer fit and leave when you save."),
            };
            let note = format!("{count} that your options make. Nothing is saved yet.{leaving}");
            Outcome { note: Some(note), ..Outcome::default() }
        }
        Err(errors) => Outcome { errors, status: StatusCode::UNPROCESSABLE_ENTITY, ..Outcome::default() },
    }
}

/// What is held is not part of the form; it is shown beside the stock.
fn show_held(form: &mut ProductForm, variants: &[EditableVariant]) {
    for row in &mut form.variants {
        row.held = variants.iter().find(|v| v.id.to_string() == row.id).map_or(0, |v| v.held);
    }
}

/// Somebody saved first: what was typed stays in the form, what stands is told beside it, and saving again is meant.
async fn overtaken(
    app: &App,
    form: &mut ProductForm,
    product: &EditableProduct,
    variants: &[EditableVariant],
) -> Result<Outcome, AppError> {
    let standing = ProductForm::of(product, variants);
    let categories = queries::category_choices(&app.pool).await?;
    let category = categories.iter().find(|(id, _)| *id == product.category_id).map_or("", |(_, label)| label);
    let differs = form.differences(&standing, category);
    form.stamp = standing.stamp;
    for row in &mut form.variants {
        // What is gone would be written anew; what is there is compared with what stands now.
        match standing.variants.iter().find(|s| s.id == row.id) {
            Some(now) => row.seen.clone_from(&now.seen),
            None => row.id.clear(),
        }
    }
    show_held(form, variants);
    Ok(Outcome { note: Some(Refusal::Stale.to_string()), differs, status: StatusCode::CONFLICT, ..Outcome::default() })
}

async fn page(
    app: &App,
    vendor: &Manager,
    product: Option<EditableProduct>,
    mut form: ProductForm,
    outcome: Outcome,
) -> Result<Page, AppError> {
    show_net(app, vendor, &mut form, product.as_ref().map(|p| p.id)).await?;
    let categories = queries::category_choices(&app.pool).await?;
    let title = product.as_ref().map_or_else(|| "New product".to_owned(), |p| p.title.clone());
    let Outcome { errors, note, differs, status } = outcome;
    Ok(Page::new(title, move || {
        let standing =
            product.map(|p| Standing { id: p.id, slug: p.slug, title: p.title, status: p.status, pictures: p.pictures });
        view! { <ProductView standing=standing form=form errors=errors categories=categories note=note differs=differs/> }
    })
    .layout(Layout::Vendor("/vendor/products"))
    .status(status))
}
