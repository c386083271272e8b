//! Many parcels sent at once: a list of tracking numbers is pasted, looked at, and done.

use super::today::pieces;
use crate::{
    error::{AppError, FieldErrors},
    orders::{
        Carrier,
        pasted::{self, Ready, Wrong},
    },
    server::{
        flash,
        page::{Layout, Page},
        state::App,
    },
    ui::{Breadcrumbs, ErrorSummary, Field, Notice, TableFrame, TextArea, Tone},
    vendors::desk::Desk,
};
use axum::{
    Form,
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::StatusCode;
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;

const HERE: &str = "/vendor/orders/ship";

/// The form, as typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ManyForm {
    list: String,
    carrier: String,
    /// `send` once it was looked at.
    step: String,
}

/// `GET /vendor/orders/ship`
pub async fn blank(Desk(_): Desk) -> Page {
    page(ManyForm::default(), FieldErrors::default(), Vec::new(), Vec::new())
}

/// `POST /vendor/orders/ship`: looks the list up, or sends what was looked at.
pub async fn ship(
    State(app): State<App>,
    Desk(vendor): Desk,
    session: Session,
    Form(mut form): Form<ManyForm>,
) -> Result<Response, AppError> {
    let mut errors = FieldErrors::default();
    let carrier = errors.take("carrier", form.carrier.parse::<Carrier>());
    let (list, mut wrong) = pasted::read(&form.list);
    if list.is_empty() && wrong.is_empty() {
        errors.add("list", "Paste a list: an order and its tracking number in each line.");
    }
    let (ready, unknown) = pasted::look_up(&app.pool, &vendor, list).await?;
    wrong.extend(unknown);
    let Some(carrier) = carrier.filter(|_| errors.is_empty()) else {
        wrong.sort_by_key(|w| w.line);
        return Ok(page(form, errors, Vec::new(), wrong).status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
    };
    if form.step != "send" || ready.is_empty() {
        wrong.sort_by_key(|w| w.line);
        return Ok(page(form, errors, ready, wrong).into_response());
    }
    let (sent, refused) = pasted::send(&app, &vendor, &ready, carrier.as_str()).await?;
    wrong.extend(refused);
    wrong.sort_by_key(|w| w.line);
    let said = if sent == 1 { "1 parcel is on its way.".to_owned() } else { format!("{sent} parcels are on their way.") };
    if wrong.is_empty() {
        flash::put(&session, &said).await?;
        return Ok(Redirect::to("/vendor/orders").into_response());
    }
    // What is left of the list is what could not be sent.
    form.list = wrong.iter().map(|w| format!("{}\n", w.text)).collect();
    form.step.clear();
    Ok(page(form, errors, Vec::new(), wrong).notice(Some(said)).into_response())
}

fn page(form: ManyForm, errors: FieldErrors, ready: Vec<Ready>, wrong: Vec<Wrong>) -> Page {
    Page::new("Ship many", move || {
        let trail = vec![("/vendor/orders".to_owned(), "Orders".to_owned()), (String::new(), "Ship many".to_owned())];
        let wrong = (!wrong.is_empty()).then(|| {
            let lines = wrong.into_iter().map(|w| view! { <li>{format!("Line {}, {}: {}", w.line, w.text, w.why)}</li> }).collect_view();
            view! { <Notice tone=Tone::Warn><p>"These cannot be sent:"</p> <ul>{lines}</ul></Notice> }
        });
        let looked = !ready.is_empty();
        let planned = looked.then(|| view! { <Planned form=form.clone() ready=ready/> });
        view! {
            <Breadcrumbs trail=trail/>
            <div class="desk-head"><h1>"Ship many"</h1></div>
            <ErrorSummary errors=errors.clone()/>
            {wrong}
            {planned}
            <form method="post" action=HERE class="rule-form">
                <TextArea label="Orders and their tracking numbers" name="list" value=form.list.clone() errors=errors.clone() rows=10 required=true
                    hint="One in each line, with a comma, a tab or a space between them: 100123, JD0002 4471. A third column is the carrier, where it is another one. All that is left of each order is sent."/>
                <div class="field-row">
                    <Field label="Carrier" name="carrier" value=form.carrier.clone() errors=errors required=true maxlength=Carrier::MAX/>
                </div>
                <button class:button-main=!looked>{if looked { "Look again" } else { "Look at it first" }}</button>
            </form>
        }
    })
    .layout(Layout::Vendor("/vendor/orders"))
}

#[component]
fn Planned(form: ManyForm, ready: Vec<Ready>) -> impl IntoView {
    let count = ready.len();
    let rows = ready
        .into_iter()
        .map(|parcel| {
            let (carrier, tracking) = (parcel.pasted.carrier.clone(), parcel.pasted.tracking.clone());
            let carrier = if carrier.is_empty() { form.carrier.clone() } else { carrier };
            view! {
                <tr>
                    <th scope="row"><a href=format!("/vendor/orders/{}", parcel.id)>{parcel.pasted.number}</a></th>
                    <td>{parcel.ship_name.clone()}</td>
                    <td class="number">{pieces(parcel.pieces())}</td>
                    <td>{carrier}</td>
                    <td><code>{tracking}</code></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <section aria-labelledby="planned">
            <h2 id="planned">{if count == 1 { "1 parcel to send".to_owned() } else { format!("{count} parcels to send") }}</h2>
            <TableFrame label="Parcels to send">
                <table>
                    <thead><tr>
                        <th scope="col">"Order"</th> <th scope="col">"For"</th> <th scope="col" class="number">"Pieces"</th>
                        <th scope="col">"Carrier"</th> <th scope="col">"Tracking"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </TableFrame>
            <form method="post" action=HERE class="actions">
                <input type="hidden" name="list" value=form.list/>
                <input type="hidden" name="carrier" value=form.carrier/>
                <button class="button-main" name="step" value="send" data-autofocus="">{if count == 1 { "Send it".to_owned() } else { format!("Send these {count}") }}</button>
            </form>
        </section>
    }
}
