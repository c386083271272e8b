//! The hosted pages: a card form, the 3-D Secure page, the onboarding of connected accounts and their dashboard, and the ways back to the
//! shop. Plain forms; a browser without script can pay and be paid.

mod onboarding;
mod onboarding_view;
mod view;

use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::cards::{Problems, Typed};
use super::error::ApiError;
use super::objects::Billing;
use super::payments::{self, Attempt};
use super::store::{self, Stored};
use super::{Cause, Sandbox, expiry, html};
use view::Shown;

pub fn router() -> Router<Sandbox> {
    Router::new()
        .route("/pay/{session}", get(show).post(pay))
        .route("/authenticate/{intent}", get(challenge).post(answer))
        .route("/setup/{account}/{secret}", get(onboarding::show).post(onboarding::submit))
        .route("/express/{account}/{secret}", get(onboarding::dashboard).post(onboarding::change))
        .route("/_sandbox/style.css", get(html::style))
}

/// What a page cannot go on with.
struct Trouble(ApiError);

impl From<ApiError> for Trouble {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        view::trouble(self.0.status, &self.0.message)
    }
}

/// 303 to an address that came from outside, if it can be a header at all.
fn see_other(address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(value) => (StatusCode::SEE_OTHER, [(header::LOCATION, value)]).into_response(),
        Err(_) => view::trouble(StatusCode::BAD_REQUEST, "The shop gave an address that cannot be opened."),
    }
}

/// `success_url` with the session's id where the shop asked for it.
fn success_url(session: &Stored) -> String {
    session.text("success_url").replace("{CHECKOUT_SESSION_ID}", session.id())
}

/// Locks a session, and expires it if its time is over.
async fn locked(conn: &mut PgConnection, cause: &Cause, id: &str) -> Result<Stored, ApiError> {
    let mut session = store::lock(conn, "checkout.session", id, "session").await?;
    if expiry::is_due(&session) {
        payments::expire(conn, cause, &mut session).await?;
    }
    Ok(session)
}

async fn show(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, Trouble> {
    let mut tx = sandbox.pool.begin().await?;
    let session = locked(&mut tx, &sandbox.page_cause(), &id).await?;
    let intent = match session.doc["payment_intent"].as_str() {
        Some(id) => Some(store::load(&mut tx, "payment_intent", id, "intent").await?),
        None => None,
    };
    tx.commit().await?;
    sandbox.wake.notify_one();
    Ok(match session.text("status") {
        "complete" => see_other(&success_url(&session)),
        "open" => {
            let problem = intent.as_ref().map(|intent| &intent.doc["last_payment_error"]).filter(|problem| !problem.is_null());
            view::pay(
                StatusCode::OK,
                &Shown { session: &session, typed: &Typed::default(), problems: &Problems::new(), refusal: problem },
            )
        }
        _ => view::closed(&session),
    })
}

/// The fields of the page, and which of its buttons was pressed.
#[derive(Deserialize)]
struct Posted {
    #[serde(flatten)]
    typed: Typed,
    #[serde(default)]
    method: String,
}

async fn pay(State(sandbox): State<Sandbox>, Path(id): Path<String>, Form(posted): Form<Posted>) -> Result<Response, Trouble> {
    let cause = sandbox.page_cause();
    let mut tx = sandbox.pool.begin().await?;
    // a second click waits here, and then finds the session complete
    let mut session = locked(&mut tx, &cause, &id).await?;
    let response = match session.text("status") {
        "complete" => see_other(&success_url(&session)),
        "open" => attempt(&mut tx, &cause, &sandbox, &mut session, &posted).await?,
        _ => view::closed(&session),
    };
    tx.commit().await?;
    sandbox.wake.notify_one();
    Ok(response)
}

/// What somebody typed, as it can be kept: without control characters, and not endless.
fn clean(typed: &str) -> Option<String> {
    let text: String = typed.trim().chars().filter(|c| !c.is_control()).take(254).collect();
    if text.is_empty() { None } else { Some(text) }
}

async fn attempt(
    conn: &mut PgConnection,
    cause: &Cause,
    sandbox: &Sandbox,
    session: &mut Stored,
    posted: &Posted,
) -> Result<Response, Trouble> {
    let typed = &posted.typed;
    let known = session.doc["customer_email"].as_str().map(str::to_owned);
    let wanted = known.is_none();
    let billing = Billing { email: known.or_else(|| clean(&typed.email)), name: clean(&typed.name) };
    if session.amount("amount_total") == 0 {
        payments::complete(conn, cause, session, &billing, "no_payment_required").await?;
        return Ok(see_other(&success_url(session)));
    }
    let types = session.doc["payment_method_types"].as_array().cloned().unwrap_or_default();
    if posted.method != "card" && types.iter().any(|kind| *kind == json!(posted.method)) && !posted.method.is_empty() {
        payments::start_debit(conn, cause, session, &posted.method, &billing).await?;
        return Ok(see_other(&success_url(session)));
    }
    let card = match typed.check(wanted, OffsetDateTime::now_utc()) {
        Ok(card) => card,
        Err(problems) => {
            let shown = Shown { session, typed, problems: &problems, refusal: None };
            return Ok(view::pay(StatusCode::UNPROCESSABLE_ENTITY, &shown));
        }
    };
    let mut intent = payments::intent_of_session(conn, cause, session).await?;
    match payments::try_card(conn, cause, &mut intent, &card, &billing, sandbox.base(), None).await? {
        Attempt::Succeeded => finish(conn, cause, session, &intent, &billing).await,
        Attempt::Challenge => Ok(see_other(&format!("/authenticate/{}", intent.id()))),
        Attempt::Failed(problem) => {
            let shown = Shown { session, typed, problems: &Problems::new(), refusal: Some(&problem) };
            Ok(view::pay(StatusCode::PAYMENT_REQUIRED, &shown))
        }
    }
}

async fn finish(
    conn: &mut PgConnection,
    cause: &Cause,
    session: &mut Stored,
    intent: &Stored,
    billing: &Billing,
) -> Result<Response, Trouble> {
    payments::complete(conn, cause, session, billing, "paid").await?;
    payments::book(conn, cause, intent).await?;
    Ok(see_other(&success_url(session)))
}

async fn challenge(State(sandbox): State<Sandbox>, Path(id): Path<String>) -> Result<Response, Trouble> {
    let mut conn = sandbox.pool.acquire().await?;
    let intent = store::load(&mut conn, "payment_intent", &id, "intent").await?;
    if intent.text("status") != "requires_action" {
        return Ok(way_back(&intent));
    }
    Ok(view::challenge(&intent))
}

/// Where somebody goes whose challenge is not (or no longer) asked.
fn way_back(intent: &Stored) -> Response {
    match intent.hidden["session"].as_str() {
        Some(session) => see_other(&format!("/pay/{session}")),
        None => view::trouble(StatusCode::CONFLICT, "This payment no longer waits for you to approve it."),
    }
}

#[derive(Deserialize)]
struct Answered {
    answer: String,
}

async fn answer(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    Form(answered): Form<Answered>,
) -> Result<Response, Trouble> {
    let cause = sandbox.page_cause();
    let approved = answered.answer == "approve";
    let mut tx = sandbox.pool.begin().await?;
    let owner = store::load(&mut tx, "payment_intent", &id, "intent").await?.hidden["session"].as_str().map(str::to_owned);
    // always the session's lock before the intent's
    let response = match owner {
        Some(session_id) => {
            let mut session = locked(&mut tx, &cause, &session_id).await?;
            let mut intent = store::lock(&mut tx, "payment_intent", &id, "intent").await?;
            if intent.text("status") != "requires_action" {
                way_back(&intent)
            } else {
                let billing = Billing::from_details(&intent.hidden["waiting"]);
                match payments::answer_challenge(&mut tx, &cause, &mut intent, approved).await? {
                    Attempt::Succeeded => finish(&mut tx, &cause, &mut session, &intent, &billing).await?,
                    Attempt::Challenge | Attempt::Failed(_) => see_other(&format!("/pay/{session_id}")),
                }
            }
        }
        None => {
            let mut intent = store::lock(&mut tx, "payment_intent", &id, "intent").await?;
            if intent.text("status") != "requires_action" {
                way_back(&intent)
            } else {
                bare(&mut tx, &cause, &mut intent, approved).await?
            }
        }
    };
    tx.commit().await?;
    sandbox.wake.notify_one();
    Ok(response)
}

/// An intent without a session: the shop's `return_url` hears how it went.
async fn bare(conn: &mut PgConnection, cause: &Cause, intent: &mut Stored, approved: bool) -> Result<Response, Trouble> {
    let return_url = intent.hidden["waiting"]["return_url"].as_str().map(str::to_owned);
    let status = match payments::answer_challenge(conn, cause, intent, approved).await? {
        Attempt::Succeeded => {
            payments::book(conn, cause, intent).await?;
            "succeeded"
        }
        Attempt::Challenge | Attempt::Failed(_) => "failed",
    };
    Ok(match return_url {
        Some(url) => {
            let joint = if url.contains('?') { '&' } else { '?' };
            let (id, secret) = (intent.id(), intent.text("client_secret"));
            see_other(&format!("{url}{joint}payment_intent={id}&payment_intent_client_secret={secret}&redirect_status={status}"))
        }
        None => view::trouble(StatusCode::OK, "Thank you. You may close this page."),
    })
}

/// The line items that Stripe keeps for a session.
fn lines(session: &Stored) -> &[Value] {
    session.hidden["line_items"].as_array().map(Vec::as_slice).unwrap_or_default()
}
