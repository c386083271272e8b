//! `Idempotency-Key`: a request that creates or moves money, sent again with the same key, gets the first one's answer. The
//! answers stand in PostgreSQL, so that this holds across nodes and restarts.

use super::contract::Contract;
use crate::{
    cart::CartCookie,
    error::{AppError, Refusal},
    server::{
        auth::MaybeCustomer,
        errors::{as_problem, internal},
        router::FORM_LIMIT,
        state::App,
        token::Token,
    },
};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts};
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};
use utoipa::{
    IntoParams,
    openapi::{ObjectBuilder, Type, path::Parameter, path::ParameterBuilder, path::ParameterIn},
};
use uuid::Uuid;

/// Nobody runs a request for longer; after that it counts as lost and may be taken over.
const LEASE: Duration = Duration::from_secs(120);
/// What of an answer is kept beside its status and body.
const KEPT: [HeaderName; 4] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG, header::RETRY_AFTER];
/// The largest answer that is kept.
const ANSWER_LIMIT: usize = 2 * 1024 * 1024;

/// Stands among a call's parameters in the document: such a call runs once for a key.
pub struct IdempotencyKey;

impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some("^[!-~]([ -~]*[!-~])?$"));
        let parameter = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .description(Some(
                "Any text that is new for each purchase or change, such as a UUID. Sent again within 24 hours with the same \
                 request, it brings the same answer, and nothing is done twice.",
            ))
            .schema(Some(text))
            .build();
        vec![parameter]
    }
}

/// In the request's extensions: a UUID that is the same for every run of it. The checkout's own key.
#[derive(Debug, Clone, Copy)]
pub struct OnceKey(pub Uuid);

/// Whose key it is, and for what.
struct Claim {
    owner: String,
    key: String,
    fingerprint: Vec<u8>,
}

/// The layer around all calls; it acts where the document names the header and the client sent it.
pub(super) async fn once(
    State((app, contract)): State<(App, Arc<Contract>)>,
    request: Request,
    next: Next,
) -> Result<Response, Response> {
    let Some(key) = request.headers().get("idempotency-key").cloned().filter(|_| contract.once(&request)) else {
        return Ok(next.run(request).await);
    };
    let key = key.to_str().ok().filter(|k| (1..=255).contains(&k.len()) && k.bytes().all(|b| (b' '..=b'~').contains(&b)));
    let key = key
        .map(str::to_owned)
        .ok_or_else(|| AppError::BadRequest("Idempotency-Key: 1 to 255 printable ASCII characters.".into()).into_response())?;
    let (mut parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, FORM_LIMIT).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
    let Some(owner) = owner(&app, &mut parts).await.map_err(IntoResponse::into_response)? else {
        // Somebody without any name: there is nobody to keep an answer for, and nothing that could happen twice.
        return Ok(next.run(Request::from_parts(parts, Body::from(body))).await);
    };
    let claim = Claim { owner, key, fingerprint: fingerprint(&parts, &body) };
    match claim.begin(&app).await.map_err(IntoResponse::into_response)? {
        Begun::Before(answer) => Ok(answer),
        Begun::Now(id) => {
            parts.extensions.insert(OnceKey(id));
            let request = Request::from_parts(parts, Body::from(body));
            // In a task of its own: what was begun ends, and its answer is kept, though the client hangs up.
            let run = tokio::spawn(async move { claim.run(&app, request, next).await });
            run.await.map_err(|error| internal(error).into_response())
        }
    }
}

/// `None` for a client without an account, a cart or an order.
async fn owner(app: &App, parts: &mut Parts) -> Result<Option<String>, AppError> {
    if let Some(user) = MaybeCustomer::from_request_parts(parts, app).await?.id() {
        return Ok(Some(format!("user:{user}")));
    }
    if let Some(token) = CartCookie::from_request_parts(parts, app).await?.token() {
        return Ok(Some(format!("cart:{}", hex::encode(token.hash()))));
    }
    let query = parts.uri.query().unwrap_or_default();
    let link = super::params::pairs(query)?.into_iter().find(|(name, _)| name == "token");
    let link = link.and_then(|(_, value)| value.parse::<Token>().ok());
    Ok(link.map(|token| format!("order:{}", hex::encode(token.hash()))))
}

fn fingerprint(parts: &Parts, body: &Bytes) -> Vec<u8> {
    let address = parts.uri.path_and_query().map_or("", |p| p.as_str());
    let mut hash = Sha256::new();
    for part in [parts.method.as_str().as_bytes(), address.as_bytes(), body] {
        // The length keeps ("ab", "c") apart from ("a", "bc").
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().to_vec()
}

enum Begun {
    /// It runs now, under this id.
    Now(Uuid),
    /// It ran; this is what it answered.
    Before(Response),
}

impl Claim {
    /// Takes the key, or finds what came of it. A key that is a day old is free again, and one whose request was lost with its
    /// node goes on under the same id.
    async fn begin(&self, app: &App) -> Result<Begun, AppError> {
        let taken = sqlx::query_scalar!(
            "insert into idempotency_keys as k (owner, key, id, fingerprint, lease_until)
             values ($1, $2, $3, $4, now() + make_interval(secs => $5))
             on conflict (owner, key) do update
                 set lease_until = excluded.lease_until, fingerprint = excluded.fingerprint, status = null,
                     id = case when k.created_at < now() - interval '24 hours' then excluded.id else k.id end,
                     created_at = case when k.created_at < now() - interval '24 hours' then now() else k.created_at end
                 where k.created_at < now() - interval '24 hours'
                    or (k.status is null and k.lease_until < now() and k.fingerprint = excluded.fingerprint)
             returning id",
            self.owner,
            self.key,
            Uuid::now_v7(),
            self.fingerprint,
            LEASE.as_secs_f64()
        )
        .fetch_optional(&app.pool)
        .await?;
        if let Some(id) = taken {
            return Ok(Begun::Now(id));
        }
        let kept = sqlx::query!(
            "select fingerprint, status, headers, body from idempotency_keys where owner = $1 and key = $2",
            self.owner,
            self.key
        )
        .fetch_optional(&app.pool)
        .await?;
        match kept {
            Some(kept) if kept.fingerprint != self.fingerprint => Err(Refusal::KeyReused.into()),
            Some(kept) => match kept.status.and_then(|s| u16::try_from(s).ok()) {
                Some(status) => Ok(Begun::Before(replay(status, kept.headers, kept.body)?)),
                None => Err(Refusal::StillRunning.into()),
            },
            // Tidied away between the two statements.
            None => Err(Refusal::StillRunning.into()),
        }
    }

    /// Runs the request and keeps its answer. What was our own failure is not kept: the next try runs again.
    async fn run(self, app: &App, request: Request, next: Next) -> Response {
        let response = match tokio::time::timeout(LEASE, next.run(request)).await {
            Ok(response) => as_problem(response),
            Err(_) => as_problem(internal("a request took longer than its lease").into_response()),
        };
        let final_word = !response.status().is_server_error() && response.status() != StatusCode::TOO_MANY_REQUESTS;
        let (parts, body) = response.into_parts();
        let Ok(body) = axum::body::to_bytes(body, ANSWER_LIMIT).await else {
            return as_problem(internal("an answer is too large to be kept").into_response());
        };
        let kept = if final_word { self.keep(app, &parts, &body).await } else { self.let_go(app).await };
        if let Err(error) = kept {
            // The request was met; repeated after its lease, it runs again and finds what it made.
            tracing::error!(%error, "an answer was not kept");
        }
        Response::from_parts(parts, Body::from(body))
    }

    async fn keep(&self, app: &App, answer: &http::response::Parts, body: &Bytes) -> sqlx::Result<()> {
        let kept = KEPT.iter().filter_map(|name| Some((name.as_str(), answer.headers.get(name)?.to_str().ok()?)));
        let headers = serde_json::to_value(kept.collect::<Vec<_>>()).map_err(|e| sqlx::Error::Encode(e.into()))?;
        sqlx::query!(
            "update idempotency_keys set status = $3, headers = $4, body = $5 where owner = $1 and key = $2",
            self.owner,
            self.key,
            i16::try_from(answer.status.as_u16()).unwrap_or(500),
            headers,
            &body[..]
        )
        .execute(&app.pool)
        .await?;
        Ok(())
    }

    /// Ends the lease: the next try goes on at once, under the same id, so that it finds what this one made.
    async fn let_go(&self, app: &App) -> sqlx::Result<()> {
        sqlx::query!(
            "update idempotency_keys set lease_until = now() where owner = $1 and key = $2 and status is null",
            self.owner,
            self.key
        )
        .execute(&app.pool)
        .await?;
        Ok(())
    }
}

/// The answer as it was, marked as a repetition.
fn replay(status: u16, headers: serde_json::Value, body: Vec<u8>) -> Result<Response, AppError> {
    let kept: Vec<(String, String)> = serde_json::from_value(headers).map_err(internal)?;
    let mut headers = HeaderMap::new();
    for (name, value) in kept {
        headers.insert(HeaderName::try_from(name).map_err(internal)?, HeaderValue::try_from(value).map_err(internal)?);
    }
    headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    let status = StatusCode::from_u16(status).map_err(internal)?;
    let mut response = (status, headers, body).into_response();
    response.extensions_mut().insert(crate::server::errors::Presented);
    Ok(response)
}
