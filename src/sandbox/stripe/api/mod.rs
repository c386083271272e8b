//! Stripe's HTTP API under `/v1`: key, version, idempotency, expansion and errors once for every call; the calls in the files beside.

mod accounts;
mod balance;
mod charges;
mod disputes;
mod events;
mod expand;
mod files;
mod idempotency;
mod intents;
mod payouts;
mod refunds;
mod sessions;
mod transfers;

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{any, get};
use base64::Engine;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;

use super::controls::Controls;
use super::error::ApiError;
use super::params::Params;
use super::{API_VERSION, Cause, Sandbox, form, ids, store};

const LARGEST_BODY: usize = 1024 * 1024;
/// Of a request with a file.
const LARGEST_UPLOAD: usize = 16 * 1024 * 1024;

pub fn router() -> Router<Sandbox> {
    Router::new().route("/v1/files/{id}/contents", get(files::contents)).route("/v1/{*path}", any(handle))
}

/// What a call needs beside its parameters.
struct Call<'a> {
    sandbox: &'a Sandbox,
    conn: &'a mut PgConnection,
    /// also says at which connected account the call is made
    cause: Cause,
    /// the secret key as errors show it
    key: String,
    /// the file of a multipart request
    upload: Option<files::Upload>,
}

impl Call<'_> {
    /// Narrows a list to what belongs to the account that is spoken for.
    fn owned(&self) -> store::Filter<'static> {
        ("owner", self.cause.account.clone().unwrap_or_default())
    }
}

/// A request as it was read, before anything is done.
struct Asked {
    method: Method,
    path: String,
    params: Params,
    cause: Cause,
    key: String,
    upload: Option<files::Upload>,
}

/// An answer that is ready to be sent: maybe one that was given before.
struct Answer {
    status: StatusCode,
    body: String,
    /// the request that gave this answer first
    replayed_from: Option<String>,
    should_retry: Option<bool>,
}

impl Answer {
    fn ok(value: &Value) -> Self {
        Self { status: StatusCode::OK, body: pretty(value), replayed_from: None, should_retry: None }
    }

    fn error(error: &ApiError, request_id: &str) -> Self {
        let should_retry = match error.status {
            StatusCode::CONFLICT | StatusCode::INTERNAL_SERVER_ERROR => Some(true),
            _ => Some(false),
        };
        Self { status: error.status, body: pretty(&error.body(request_id)), replayed_from: None, should_retry }
    }
}

/// Stripe answers indented JSON.
fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

async fn handle(State(sandbox): State<Sandbox>, request: Request) -> Response {
    let request_id = ids::request();
    let headers = request.headers().clone();
    let answer = answer(&sandbox, request, &request_id).await.unwrap_or_else(|error| Answer::error(&error, &request_id));
    if let Ok(controls) = Controls::load(&sandbox.pool).await
        && controls.api_hang_ms > 0
    {
        // after the work is done: a caller that gives up waiting has nevertheless been obeyed
        tokio::time::sleep(Duration::from_millis(controls.api_hang_ms.unsigned_abs())).await;
    }
    respond(answer, &request_id, &headers)
}

fn respond(answer: Answer, request_id: &str, asked: &HeaderMap) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set("content-type", "application/json");
    set("cache-control", "no-cache, no-store");
    set("request-id", request_id);
    set("stripe-version", asked.get("stripe-version").and_then(|v| v.to_str().ok()).unwrap_or(API_VERSION));
    if let Some(key) = asked.get("idempotency-key").and_then(|v| v.to_str().ok()) {
        set("idempotency-key", key);
        set("original-request", answer.replayed_from.as_deref().unwrap_or(request_id));
    }
    if answer.replayed_from.is_some() {
        set("idempotent-replayed", "true");
    }
    if let Some(should) = answer.should_retry {
        set("stripe-should-retry", if should { "true" } else { "false" });
    }
    response
}

async fn answer(sandbox: &Sandbox, request: Request, request_id: &str) -> Result<Answer, ApiError> {
    let (parts, body) = request.into_parts();
    let key = key(&parts.headers)?;
    check_version(&parts.headers)?;
    if Controls::take_failure(&sandbox.pool).await? {
        return Err(ApiError::injected());
    }
    let account = connected(sandbox, &parts.headers, &key).await?;
    let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let multipart = path == "/v1/files" && kind.starts_with("multipart/form-data");
    let largest = if multipart { LARGEST_UPLOAD } else { LARGEST_BODY };
    let body = to_bytes(body, largest).await.map_err(|_| ApiError::invalid("The request body is too large."))?;
    let (tree, upload) = if method == Method::POST && multipart {
        files::read(kind, body.to_vec()).await?
    } else if method == Method::POST {
        if !body.is_empty() && !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(ApiError::invalid(
                "Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any questions, we can help \
                 at https://support.stripe.com/.",
            ));
        }
        (form::decode(&body)?, None)
    } else {
        (form::decode(parts.uri.query().unwrap_or_default().as_bytes())?, None)
    };

    let once = idempotency_key(&method, &parts.headers)?;
    let claim = match &once {
        None => None,
        Some(once) => {
            let file = upload.as_ref().map(|upload| hex::encode(Sha256::digest(&upload.content))).unwrap_or_default();
            let fingerprint = hex::encode(Sha256::digest(format!("{path}\u{1}{}\u{1}{file}", form::canonical(&tree))));
            // each key has answers of its own, and each connected account too
            let caller = hex::encode(Sha256::digest(format!("{key}\u{1}{}", account.as_deref().unwrap_or_default())));
            match idempotency::claim(&sandbox.pool, &caller, once, &fingerprint, request_id).await? {
                idempotency::Claim::Ours(claim) => Some(claim),
                idempotency::Claim::Answered(answer) => return Ok(answer),
            }
        }
    };
    let cause = Cause { request_id: Some(request_id.to_owned()), idempotency_key: once, account, ..sandbox.page_cause() };
    let asked = Asked { method, path, params: Params::new(tree), cause, key: hidden(&key), upload };
    let done = execute(sandbox, asked, claim.as_ref(), request_id).await;
    if let (Err(_), Some(claim)) = (&done, &claim) {
        // nothing was done, so the key may be used again
        claim.release(&sandbox.pool).await?;
    }
    sandbox.wake.notify_one();
    done
}

/// Does the work and keeps its answer in one transaction: an answer is promised if and only if its effects are there.
async fn execute(
    sandbox: &Sandbox,
    asked: Asked,
    claim: Option<&idempotency::Ours>,
    request_id: &str,
) -> Result<Answer, ApiError> {
    let Asked { method, path, mut params, cause, key, upload } = asked;
    let mut tx = sandbox.pool.begin().await?;
    let expand = params.texts("expand")?.unwrap_or_default();
    let mut call = Call { sandbox, conn: &mut tx, cause, key, upload };
    let answer = match dispatch(&mut call, &method, &path, params).await {
        Ok(mut value) => {
            expand::expand(&mut tx, &mut value, &expand).await?;
            Answer::ok(&value)
        }
        // a decline is an answer too: the attempt stays
        Err(error) if error.is_kept() => Answer::error(&error, request_id),
        Err(error) => return Err(error),
    };
    if let Some(claim) = claim {
        claim.keep(&mut tx, &answer).await?;
    }
    tx.commit().await?;
    Ok(answer)
}

/// What may be asked for in the name of a connected account: all of Stripe's API may; here, what a platform needs.
fn allowed_at_accounts(method: &Method, first: &str) -> bool {
    match *method {
        Method::GET => {
            let known =
                ["account", "accounts", "balance", "balance_transactions", "charges", "events", "files", "payouts", "refunds"];
            known.contains(&first)
        }
        _ => ["accounts", "files", "payouts"].contains(&first),
    }
}

async fn dispatch(call: &mut Call<'_>, method: &Method, path: &str, params: Params) -> Result<Value, ApiError> {
    let segments: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    if call.cause.account.is_some() && !allowed_at_accounts(method, segments.first().copied().unwrap_or_default()) {
        return Err(ApiError::invalid(format!(
            "The sandbox does not cover {method} {path} with the header Stripe-Account; Stripe itself does."
        )));
    }
    match (method.as_str(), segments.as_slice()) {
        ("POST", ["checkout", "sessions"]) => sessions::create(call, params).await,
        ("GET", ["checkout", "sessions"]) => sessions::list(call, params).await,
        ("GET", ["checkout", "sessions", id]) => sessions::retrieve(call, id, params).await,
        ("POST", ["checkout", "sessions", id]) => sessions::update(call, id, params).await,
        ("POST", ["checkout", "sessions", id, "expire"]) => sessions::expire(call, id, params).await,
        ("GET", ["checkout", "sessions", id, "line_items"]) => sessions::line_items(call, id, params).await,
        ("POST", ["payment_intents"]) => intents::create(call, params).await,
        ("GET", ["payment_intents"]) => intents::list(call, params).await,
        ("GET", ["payment_intents", id]) => intents::retrieve(call, id, params).await,
        ("POST", ["payment_intents", id]) => intents::update(call, id, params).await,
        ("POST", ["payment_intents", id, "confirm"]) => intents::confirm(call, id, params).await,
        ("POST", ["payment_intents", id, "cancel"]) => intents::cancel(call, id, params).await,
        ("GET", ["charges"]) => charges::list(call, params).await,
        ("GET", ["charges", id]) => charges::retrieve(call, id, params).await,
        ("POST", ["charges", id]) => charges::update(call, id, params).await,
        ("GET", ["charges", id, "refunds"]) => charges::refunds(call, id, params).await,
        ("POST", ["refunds"]) => refunds::create(call, params).await,
        ("GET", ["refunds"]) => refunds::list(call, params).await,
        ("GET", ["refunds", id]) => refunds::retrieve(call, id, params).await,
        ("POST", ["refunds", id]) => refunds::update(call, id, params).await,
        ("POST", ["refunds", id, "cancel"]) => refunds::cancel(call, id, params).await,
        ("POST", ["accounts"]) => accounts::create(call, params).await,
        ("GET", ["accounts"]) => accounts::list(call, params).await,
        ("GET", ["accounts", id]) => accounts::retrieve(call, id, params).await,
        ("POST", ["accounts", id]) => accounts::update(call, id, params).await,
        ("GET", ["accounts", id, "external_accounts"]) => accounts::banks(call, id, params).await,
        ("POST", ["accounts", id, "external_accounts"]) => accounts::add_bank(call, id, params).await,
        ("GET", ["accounts", id, "external_accounts", bank]) => accounts::bank_of(call, id, bank, params).await,
        ("POST", ["accounts", id, "login_links"]) => accounts::login(call, id, params).await,
        ("GET", ["account"]) => accounts::own(call, params).await,
        ("POST", ["account_links"]) => accounts::link(call, params).await,
        ("POST", ["transfers"]) => transfers::create(call, params).await,
        ("GET", ["transfers"]) => transfers::list(call, params).await,
        ("GET", ["transfers", id]) => transfers::retrieve(call, id, params).await,
        ("POST", ["transfers", id]) => transfers::update(call, id, params).await,
        ("POST", ["transfers", id, "reversals"]) => transfers::reverse(call, id, params).await,
        ("GET", ["transfers", id, "reversals"]) => transfers::reversals(call, id, params).await,
        ("GET", ["transfers", id, "reversals", reversal]) => transfers::reversal(call, id, reversal, params).await,
        ("POST", ["transfers", id, "reversals", reversal]) => transfers::update_reversal(call, id, reversal, params).await,
        ("POST", ["payouts"]) => payouts::create(call, params).await,
        ("GET", ["payouts"]) => payouts::list(call, params).await,
        ("GET", ["payouts", id]) => payouts::retrieve(call, id, params).await,
        ("POST", ["payouts", id]) => payouts::update(call, id, params).await,
        ("POST", ["payouts", id, "cancel"]) => payouts::cancel(call, id, params).await,
        ("GET", ["disputes"]) => disputes::list(call, params).await,
        ("GET", ["disputes", id]) => disputes::retrieve(call, id, params).await,
        ("POST", ["disputes", id]) => disputes::update(call, id, params).await,
        ("POST", ["disputes", id, "close"]) => disputes::close(call, id, params).await,
        ("POST", ["files"]) => files::create(call, params).await,
        ("GET", ["files"]) => files::list(call, params).await,
        ("GET", ["files", id]) => files::retrieve(call, id, params).await,
        ("GET", ["balance"]) => balance::retrieve(call, params).await,
        ("GET", ["events"]) => events::list(call, params).await,
        ("GET", ["events", id]) => events::retrieve(call, id, params).await,
        ("GET", ["balance_transactions"]) => balance::entries(call, params).await,
        ("GET", ["balance_transactions", id]) => balance::entry(call, id, params).await,
        ("GET", ["payment_methods", id]) => plain(call, "payment_method", id, params).await,
        ("GET", ["products", id]) => plain(call, "product", id, params).await,
        ("GET", ["prices", id]) => plain(call, "price", id, params).await,
        _ => Err(ApiError::unknown_address(method.as_str(), path)),
    }
}

/// Retrieves an object that nothing but its id is asked of.
async fn plain(call: &mut Call<'_>, kind: &str, id: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    Ok(store::load(call.conn, kind, id, "id").await?.doc)
}

/// The connected account that the header `Stripe-Account` speaks for.
async fn connected(sandbox: &Sandbox, headers: &HeaderMap, key: &str) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get("stripe-account") else { return Ok(None) };
    let id = value.to_str().unwrap_or_default();
    let mut conn = sandbox.pool.acquire().await?;
    match store::find(&mut conn, "account", id).await? {
        Some(account) => Ok(Some(account.id().to_owned())),
        None => Err(ApiError::no_access(&hidden(key), id)),
    }
}

/// Most of a key is hidden, as Stripe hides it.
fn hidden(key: &str) -> String {
    let shown: String = key.chars().take(8).collect();
    format!("{shown}{}", "*".repeat(key.chars().count().saturating_sub(8).min(24)))
}

/// The secret key of a request: any test key will do.
fn key(headers: &HeaderMap) -> Result<String, ApiError> {
    let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let key = match given.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim().to_owned(),
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("basic") => base64::engine::general_purpose::STANDARD
            .decode(token.trim())
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .map(|pair| pair.split(':').next().unwrap_or_default().to_owned())
            .unwrap_or_default(),
        _ => String::new(),
    };
    if key.is_empty() {
        return Err(ApiError::unauthorised(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: \
             Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/.",
        ));
    }
    let rest = key.strip_prefix("sk_test_").or_else(|| key.strip_prefix("rk_test_"));
    if !rest.is_some_and(|r| !r.is_empty() && r.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')) {
        return Err(ApiError::unauthorised(format!("Invalid API Key provided: {}", hidden(&key))));
    }
    Ok(key)
}

/// `2026-09-30.endive` or an older `2020-08-27`; the answers are those of [`API_VERSION`] in any case.
fn check_version(headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(value) = headers.get("stripe-version") else { return Ok(()) };
    let text = value.to_str().unwrap_or_default();
    let (date, name) = text.split_once('.').unwrap_or((text, "x"));
    let digits =
        |part: Option<&str>, length: usize| part.is_some_and(|p| p.len() == length && p.bytes().all(|b| b.is_ascii_digit()));
    let mut parts = date.split('-');
    let sound = digits(parts.next(), 4)
        && digits(parts.next(), 2)
        && digits(parts.next(), 2)
        && parts.next().is_none()
        && !name.is_empty();
    if sound { Ok(()) } else { Err(ApiError::invalid(format!("Invalid Stripe API version: {text}"))) }
}

fn idempotency_key(method: &Method, headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    if method != Method::POST {
        return Ok(None);
    }
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok("") => Ok(None),
        Ok(key) if key.len() <= 255 => Ok(Some(key.to_owned())),
        _ => Err(ApiError::invalid("Idempotency keys may be at most 255 characters of text.")),
    }
}
