//! The pictures of a product: upload several at once, put them in order, say what they show, remove them.

use super::product_view::{ProductHead, Standing};
use crate::{
    catalog::{
        editing::queries::{self, EditableVariant},
        limits::{AltText, MAX_PICTURES},
        pictures::{self, MAX_BYTES, Move, ProductPicture},
    },
    error::{AppError, FieldErrors, Refusal},
    ids::{PictureId, ProductId},
    server::{
        auth::Manager,
        flash,
        page::{Layout, Page},
        state::App,
        upload,
    },
    ui::{ErrorSummary, Notice, Select, Tone, picture_url},
    vendors::desk::Desk,
};
use axum::{
    extract::{Form, Multipart, Path, State, multipart::MultipartError},
    response::{IntoResponse, Redirect, Response},
};
use bytes::Bytes;
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

/// `GET /vendor/products/{product}/pictures`
pub async fn show(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path(id): Path<ProductId>,
) -> Result<Page, AppError> {
    let notice = flash::take(&session).await?;
    Ok(page(&app, &vendor, id, FieldErrors::default(), String::new()).await?.notice(notice))
}

/// `POST /vendor/products/{product}/pictures`: every file stands for itself. Those that are pictures are kept, and for each
/// other one the page says why not.
pub async fn upload(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path(id): Path<ProductId>,
    mut form: Multipart,
) -> Result<Response, AppError> {
    // Whose product it is comes before reading what was sent.
    queries::product(&app.pool, &vendor, id).await?;
    let mut errors = FieldErrors::default();
    let mut kept = 0;
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    loop {
        let field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => break,
            Err(error) => {
                errors.add("pictures", unread(&error));
                break;
            }
        };
        if field.name() != Some("pictures") {
            continue;
        }
        let name: String = field.file_name().unwrap_or_default().chars().filter(|c| !c.is_control()).take(80).collect();
        let bytes = match upload::field(field, MAX_BYTES).await {
            Ok(bytes) => bytes,
            Err(error) => {
                errors.add("pictures", unread(&error));
                break;
            }
        };
        // A form that was sent without choosing a file has one nameless, empty part.
        if name.is_empty() && bytes.as_ref().is_some_and(Bytes::is_empty) {
            continue;
        }
        let stored = match bytes {
            Some(bytes) => pictures::store(&app, &vendor, id, bytes, &AltText::empty()).await,
            None => Err(AppError::field("pictures", pictures::BadPicture::TooLarge.to_string())),
        };
        match stored {
            Ok(_) => kept += 1,
            Err(AppError::Invalid(refused)) => {
                for (_, why) in refused.iter() {
                    errors.add("pictures", format!("{name}: {why}"));
                }
            }
            // The next ones would wait for the same store.
            Err(AppError::Conflict(refusal @ Refusal::StoreUnavailable)) => {
                errors.add("pictures", format!("{name}: {refusal}"));
                status = StatusCode::SERVICE_UNAVAILABLE;
                break;
            }
            Err(error) => return Err(error),
        }
    }
    if kept == 0 && errors.is_empty() {
        errors.add("pictures", "Choose one or more files first.");
    }
    let said = match kept {
        0 => String::new(),
        1 => "One picture was added.".to_owned(),
        n => format!("{n} pictures were added."),
    };
    if errors.is_empty() {
        flash::put(&session, &format!("{said} Say what it shows, for those who do not see it.")).await?;
        return Ok(Redirect::to(&format!("/vendor/products/{id}/pictures")).into_response());
    }
    let page = page(&app, &vendor, id, errors, said).await?;
    Ok(page.status(status).into_response())
}

fn unread(error: &MultipartError) -> &'static str {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        "These files are larger than 11 MB together. Send fewer at a time."
    } else {
        "The upload broke off. Please send the rest again."
    }
}

#[derive(Deserialize)]
pub struct Change {
    action: String,
    #[serde(default)]
    alt: String,
    /// A value of one of the product's options; empty: nothing in particular.
    #[serde(default)]
    shows: String,
}

/// `POST /vendor/products/{product}/pictures/{picture}`
pub async fn change(
    State(app): State<App>,
    Desk(vendor): Desk<Manager>,
    session: Session,
    Path((id, picture)): Path<(ProductId, PictureId)>,
    Form(form): Form<Change>,
) -> Result<Response, AppError> {
    let said = match form.action.as_str() {
        "describe" => match form.alt.parse::<AltText>() {
            Ok(alt) => {
                let shows = Some(form.shows.as_str()).filter(|s| !s.is_empty() && !s.contains('\0'));
                pictures::describe(&app, &vendor, id, picture, &alt, shows).await?;
                "Saved."
            }
            Err(bad) => {
                let errors = FieldErrors::one(&format!("alt-{picture}"), bad.to_string());
                let page = page(&app, &vendor, id, errors, String::new()).await?;
                return Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
            }
        },
        "delete" => {
            pictures::delete(&app, &vendor, id, picture).await?;
            "The picture is gone."
        }
        way => {
            let way = match way {
                "earlier" => Move::Earlier,
                "later" => Move::Later,
                "first" => Move::First,
                _ => return Err(AppError::BadRequest("There is no such action.".into())),
            };
            pictures::shift(&app, &vendor, id, picture, way).await?;
            "Moved."
        }
    };
    flash::put(&session, said).await?;
    Ok(Redirect::to(&format!("/vendor/products/{id}/pictures")).into_response())
}

async fn page(app: &App, vendor: &Manager, id: ProductId, errors: FieldErrors, said: String) -> Result<Page, AppError> {
    let (product, variants) = queries::product(&app.pool, vendor, id).await?;
    let choices = choices(&product.option_names, &variants);
    let pictures = pictures::list(app, vendor, id).await?;
    Ok(Page::new(format!("Pictures of {}", product.title), move || {
        let standing = Standing {
            id: product.id,
            slug: product.slug,
            title: product.title,
            status: product.status,
            pictures: product.pictures,
        };
        let last = pictures.len().saturating_sub(1);
        let room = MAX_PICTURES - pictures.len() as i64;
        let cards = pictures
            .into_iter()
            .enumerate()
            .map(|(i, picture)| view! {
                <PictureCard product=id picture=picture choices=choices.clone() first=i == 0 last=i == last errors=errors.clone()/>
            })
            .collect_view();
        view! {
            <ProductHead standing=Some(standing) here="pictures"/>
            <ErrorSummary errors=errors.clone()/>
            {(!said.is_empty()).then(|| view! { <Notice tone=Tone::Good>{said}</Notice> })}
            <Upload id=id room=room/>
            <ol class="picture-cards">{cards}</ol>
        }
    })
    .layout(Layout::Vendor("/vendor/products")))
}

#[component]
fn Upload(id: ProductId, room: i64) -> impl IntoView {
    if room <= 0 {
        return view! { <p class="hint">{format!("A product has at most {MAX_PICTURES} pictures. Remove one to add another.")}</p> }.into_any();
    }
    view! {
        <form class="upload" method="post" enctype="multipart/form-data" action=format!("/vendor/products/{id}/pictures")>
            <label for="f-pictures">"Add pictures"</label>
            <input id="f-pictures" type="file" name="pictures" multiple accept="image/jpeg,image/png,image/webp" required
                aria-describedby="f-pictures-hint"/>
            <button class="button-main">"Upload"</button>
            <p class="hint" id="f-pictures-hint">
                {format!("JPEG, PNG or WebP, up to 10 MB and 40 megapixels; room for {room} more. A square crop is shown in lists. The first one is the main picture. Place and camera data are removed.")}
            </p>
        </form>
    }
    .into_any()
}

/// What a picture can show of all that can be chosen: each value once, with its option; nothing where nothing is chosen.
fn choices(options: &[String], variants: &[EditableVariant]) -> Vec<(String, String)> {
    let mut choices: Vec<(String, String)> = Vec::new();
    for (i, option) in options.iter().enumerate() {
        for value in variants.iter().filter_map(|v| v.option_values.get(i)) {
            if !choices.iter().any(|(known, _)| known == value) {
                choices.push((value.clone(), format!("{option}: {value}")));
            }
        }
    }
    if !choices.is_empty() {
        choices.insert(0, (String::new(), "Nothing in particular".into()));
    }
    choices
}

#[component]
fn PictureCard(
    product: ProductId,
    picture: ProductPicture,
    choices: Vec<(String, String)>,
    first: bool,
    last: bool,
    errors: FieldErrors,
) -> impl IntoView {
    let id = picture.id;
    let name = format!("alt-{id}");
    let error = errors.get(&name).map(|e| view! { <p class="field-error" id=format!("f-{name}-error")>{e.to_owned()}</p> });
    let about = error.as_ref().map(|_| format!("f-{name}-error"));
    let shows = (!choices.is_empty()).then(|| {
        let value = picture.shows.clone().unwrap_or_default();
        view! {
            <Select id=format!("f-shows-{id}") label="Shown to those who choose" name="shows" options=choices value=value/>
        }
    });
    let missing = picture.alt.is_empty().then(|| view! { <p class="hint">"Not described yet."</p> });
    view! {
        <li>
            <img src=picture_url(id, 320) alt=picture.alt.clone() width=picture.width height=picture.height loading="lazy" decoding="async"/>
            <form method="post" action=format!("/vendor/products/{product}/pictures/{id}")>
                <label for=format!("f-{name}")>{if first { "Main picture: what it shows" } else { "What it shows" }}</label>
                <div class="beside">
                    <input id=format!("f-{name}") name="alt" value=picture.alt maxlength=AltText::MAX
                        aria-invalid=error.as_ref().map(|_| "true") aria-describedby=about/>
                    <button name="action" value="describe">"Save"</button>
                </div>
                {error} {missing} {shows}
                <div class="actions">
                    {(!first).then(|| view! {
                        <button class="button-quiet" name="action" value="first">"Make main"</button>
                        <button class="button-quiet" name="action" value="earlier">"Move up"</button>
                    })}
                    {(!last).then(|| view! { <button class="button-quiet" name="action" value="later">"Move down"</button> })}
                    <button class="button-quiet button-danger" name="action" value="delete">"Remove"</button>
                </div>
            </form>
        </li>
    }
}
