//! Stripe's error objects: type, code, parameter, message, and the HTTP status each one comes with.

use axum::http::StatusCode;
use serde_json::{Value, json};

/// An answer of the API that is not the object asked for.
#[derive(Debug, Clone)]
pub struct ApiError {
    pub status: StatusCode,
    pub kind: &'static str,
    pub code: Option<String>,
    pub param: Option<String>,
    pub message: String,
    /// Fields that only card errors have: `decline_code`, `charge`, `payment_intent`, ...
    pub more: Vec<(&'static str, Value)>,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, code: Option<&str>, param: Option<&str>, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            code: code.map(str::to_owned),
            param: param.map(str::to_owned),
            message: message.into(),
            more: Vec::new(),
        }
    }

    /// 400 without a parameter to blame.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", None, None, message)
    }

    /// 400 for one parameter.
    pub fn param(param: impl AsRef<str>, code: Option<&str>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", code, Some(param.as_ref()), message)
    }

    /// 400 with a code and no parameter.
    pub fn code(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", Some(code), None, message)
    }

    /// 404: `No such payment_intent: 'pi_…'`.
    pub fn missing(kind: &str, id: &str, param: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "invalid_request_error",
            Some("resource_missing"),
            Some(param),
            format!("No such {kind}: '{id}'"),
        )
    }

    /// 400: a real parameter of Stripe that this sandbox does not act on. Better refused than ignored.
    pub fn uncovered(param: &str) -> Self {
        Self::param(param, None, format!("The sandbox does not cover the parameter {param}; Stripe itself does."))
    }

    pub fn unauthorised(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_request_error", None, None, message)
    }

    /// 403: `Stripe-Account` names an account that is not there, or not this key's.
    pub fn no_access(key: &str, account: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "invalid_request_error",
            Some("account_invalid"),
            None,
            format!(
                "The provided key '{key}' does not have access to account '{account}' (or that account does not exist). Application access may have \
                 been revoked."
            ),
        )
    }

    pub fn unknown_address(method: &str, path: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "invalid_request_error",
            None,
            None,
            format!(
                "Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove the trailing slash. If you are trying to \
                 retrieve an object, make sure you passed a valid (non-empty) identifier in your code. Please see https://stripe.com/docs or we \
                 can help at https://support.stripe.com/."
            ),
        )
    }

    pub fn other_parameters(key: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "idempotency_error",
            None,
            None,
            format!(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than \
                 '{key}' if you meant to execute a different request."
            ),
        )
    }

    pub fn still_running(key: &str) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "idempotency_error",
            Some("idempotency_key_in_use"),
            None,
            format!(
                "There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other \
                 request is still going through): {key}. Please try again later."
            ),
        )
    }

    /// 402 with everything a payment intent's `last_payment_error` says.
    pub fn card(problem: &Value, intent: &Value) -> Self {
        let text = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
        let mut more: Vec<(&'static str, Value)> =
            ["charge", "decline_code", "network_decline_code", "advice_code", "payment_method"]
                .into_iter()
                .filter(|key| !problem[*key].is_null())
                .map(|key| (key, problem[key].clone()))
                .collect();
        more.push(("payment_intent", intent.clone()));
        Self {
            status: StatusCode::PAYMENT_REQUIRED,
            kind: if problem["type"] == "card_error" { "card_error" } else { "invalid_request_error" },
            code: Some(text("code")),
            param: problem["param"].as_str().map(str::to_owned),
            message: text("message"),
            more,
        }
    }

    /// 500, as asked for on the control page.
    pub fn injected() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "api_error",
            None,
            None,
            "An unknown error occurred (the sandbox was asked to fail).",
        )
    }

    /// True when Stripe keeps this answer for its idempotency key: the request had begun to do something.
    pub fn is_kept(&self) -> bool {
        self.status == StatusCode::PAYMENT_REQUIRED
    }

    /// The body: `{"error": {...}}`.
    pub fn body(&self, request_id: &str) -> Value {
        let mut error = json!({ "type": self.kind, "message": self.message });
        if let Some(code) = &self.code {
            error["code"] = json!(code);
            error["doc_url"] = json!(format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")));
        }
        if let Some(param) = &self.param {
            error["param"] = json!(param);
        }
        for (key, value) in &self.more {
            error[*key] = value.clone();
        }
        error["request_log_url"] = json!(format!("https://dashboard.stripe.com/test/logs/{request_id}"));
        json!({ "error": error })
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "the Stripe sandbox could not use its database");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "api_error", None, None, "An unknown error occurred.")
    }
}
