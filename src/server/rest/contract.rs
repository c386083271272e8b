//! The document says what every call takes, and here it is kept to: what all calls have in common is written into it once, and
//! what it does not name is refused.

use super::params::pairs;
use crate::error::AppError;
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// The answers that calls share: status, name, when.
const SHARED: [(&str, &str); 9] = [
    ("400", "The request is malformed: the address, the query, a cursor, a header, or JSON that cannot be read."),
    ("401", "Not signed in, or the token is not valid."),
    ("403", "Signed in without the role, a token that may only read, or a browser's request from a foreign page."),
    ("404", "Not there, or not yours."),
    ("409", "Understood and refused; `type` says why."),
    ("413", "The body is larger than 256 KiB."),
    ("415", "The body is not `application/json`."),
    ("422", "A field does not fit; `errors` says which and why. Or the Idempotency-Key was used for another request."),
    ("429", "Too many requests, or too many attempts to sign in; see `Retry-After`."),
];

/// What each call takes, by method and path.
pub(super) struct Contract(HashMap<(String, String), Call>);

struct Call {
    parameters: HashSet<String>,
    /// Whether it listens to an `Idempotency-Key`.
    once: bool,
}

impl Contract {
    pub fn of(document: &Value) -> Self {
        let named = |call: &Value, place: &str| -> HashSet<String> {
            let all = call["parameters"].as_array().into_iter().flatten();
            all.filter(|p| p["in"] == place).filter_map(|p| p["name"].as_str()).map(str::to_owned).collect()
        };
        let paths = document["paths"].as_object().into_iter().flatten();
        let calls = paths.flat_map(|(path, item)| {
            let item = item.as_object().into_iter().flatten();
            item.map(move |(method, call)| {
                let once = named(call, "header").contains("Idempotency-Key");
                ((method.to_uppercase(), path.clone()), Call { parameters: named(call, "query"), once })
            })
        });
        Self(calls.collect())
    }

    fn call(&self, request: &Request) -> Option<&Call> {
        let path = request.extensions().get::<MatchedPath>()?.as_str();
        // HEAD is answered as GET.
        let method = if request.method() == http::Method::HEAD { "GET" } else { request.method().as_str() };
        self.0.get(&(method.to_owned(), path.to_owned()))
    }

    pub fn once(&self, request: &Request) -> bool {
        self.call(request).is_some_and(|call| call.once)
    }
}

/// The layer that refuses parameters which the document does not name.
pub(super) async fn known_parameters(State(contract): State<Arc<Contract>>, request: Request, next: Next) -> Response {
    let Some(call) = contract.call(&request) else { return next.run(request).await };
    match pairs(request.uri().query().unwrap_or_default()) {
        Err(error) => error.into_response(),
        Ok(pairs) => match pairs.iter().find(|(name, _)| !call.parameters.contains(name)) {
            Some((name, _)) => AppError::BadRequest(format!("{name}: this parameter is not known.")).into_response(),
            None => next.run(request).await,
        },
    }
}

/// Writes into every call the answers that it shares with others.
pub(super) fn complete(document: &mut Value) {
    for (status, when) in SHARED {
        document["components"]["responses"][name(status)] = json!({
            "description": when,
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        });
    }
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for (path, item) in paths {
        let Some(item) = item.as_object_mut() else { continue };
        for (method, call) in item {
            let mut answers = vec!["400", "401", "429"];
            if method != "get" {
                answers.push("403");
            }
            if path.contains('{') {
                answers.push("404");
            }
            if call.get("requestBody").is_some() {
                answers.extend(["413", "415", "422"]);
            }
            let headers = call["parameters"].as_array().into_iter().flatten();
            if headers.into_iter().any(|p| p["name"] == "Idempotency-Key") {
                answers.extend(["409", "413", "422"]);
            }
            // Where nobody need sign in, the document says so, too.
            if call.get("security").is_none() {
                call["security"] = json!([]);
            }
            // A call names what else it answers by status alone; the words are the shared ones unless it has its own.
            let own = call["responses"].as_object().into_iter().flatten();
            let bare: Vec<String> = own
                .filter(|(status, answer)| status.as_str() >= "400" && answer.get("content").is_none())
                .map(|(status, _)| status.clone())
                .collect();
            for status in answers.into_iter().map(str::to_owned).chain(bare) {
                let own = call["responses"][&status]["description"].as_str().unwrap_or_default();
                if own.is_empty() {
                    call["responses"][&status] = json!({ "$ref": format!("#/components/responses/{}", name(&status)) });
                } else {
                    call["responses"][&status] = json!({
                        "description": own,
                        "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
                    });
                }
            }
        }
    }
}

/// `NotFound` for 404.
fn name(status: &str) -> String {
    let code = http::StatusCode::from_bytes(status.as_bytes()).ok();
    let words = code.and_then(|c| c.canonical_reason()).unwrap_or(status);
    words.split([' ', '-']).collect()
}
