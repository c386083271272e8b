//! Everything that can go wrong for a person, as closed, serialisable types without driver text.

use crate::money::Money;
use serde::{Deserialize, Serialize};
use server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};

/// The answer to a request that cannot be met. Each has one HTTP status, given by [`AppError::status`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum AppError {
    /// 401, or for a page the way to the sign-in form and back.
    #[error("Please sign in first.")]
    Unauthenticated,
    /// 403: signed in, without the role.
    #[error("Your account may not do this.")]
    Forbidden,
    /// 404: not there, or not yours.
    #[error("We could not find that.")]
    NotFound,
    /// 400: the request itself is malformed (a bad id, an unknown sort, a cursor of another list).
    #[error("{0}")]
    BadRequest(String),
    /// 422: fields to mend.
    #[error("Please check the marked fields.")]
    Invalid(FieldErrors),
    /// 409, with few exceptions: understood, and refused for a reason a person can act on.
    #[error("{0}")]
    Conflict(Refusal),
    /// 500: logged where it happened; the person learns only that it was not their fault.
    #[error("Something went wrong on our side. Nothing was changed; please try again.")]
    Internal,
    /// The browser could not reach us.
    #[error("You seem to be offline. Please try again.")]
    Offline,
}

impl AppError {
    pub fn status(&self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::BadRequest(_) => 400,
            Self::Invalid(_) => 422,
            Self::Conflict(Refusal::TooManyAttempts { .. }) => 429,
            Self::Conflict(Refusal::WrongCredentials) => 401,
            Self::Conflict(Refusal::KeyReused) => 422,
            Self::Conflict(Refusal::PaymentUnavailable | Refusal::StoreUnavailable | Refusal::StripeUnavailable) => 503,
            Self::Conflict(_) => 409,
            Self::Internal => 500,
            Self::Offline => 503,
        }
    }

    /// One field's error.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(FieldErrors::one(field, message))
    }
}

impl From<Refusal> for AppError {
    fn from(refusal: Refusal) -> Self {
        Self::Conflict(refusal)
    }
}

impl From<FieldErrors> for AppError {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors)
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) => Self::Offline,
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                Self::BadRequest("The request could not be read.".into())
            }
            _ => Self::Internal,
        }
    }
}

/// Every "no" that a person can meet although what they sent was well formed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Refusal {
    #[error("Your cart is empty.")]
    CartEmpty,
    #[error("{}", sold_out(title, *left))]
    SoldOut { title: String, left: i32 },
    #[error("{title} is no longer for sale.")]
    Unavailable { title: String },
    /// In the words of `vendors::model::holiday_sentence`. Islands are told by [`AppError::BadRequest`] instead: reading one more variant
    /// would make every shopper's program larger.
    #[serde(skip_deserializing)]
    #[error("{sentence}")]
    OnHoliday { sentence: String },
    #[error("The total changed from {was} to {now}. Please look at your order once more.")]
    PriceChanged { was: Money, now: Money },
    #[error("This order was already paid.")]
    AlreadyPaid,
    #[error("This order is closed and can no longer be paid.")]
    OrderClosed,
    #[error("A parcel of this order is already on its way, so it can no longer be cancelled.")]
    AlreadyShipped,
    #[error("More than what is left to ship.")]
    ShipsTooMuch,
    #[error("This order is not paid, so it must not be shipped.")]
    NotPaid,
    #[error("This order was cancelled or refunded, so it must not be shipped.")]
    OrderCancelled,
    #[error("This order is not paid, so nothing can be given back.")]
    NotPaidYet,
    #[error("More than what is left to give back.")]
    RefundsTooMuch,
    #[error(
        "A bank has been asked to take the money of this order back. What it holds or has taken cannot be given back from here."
    )]
    Disputed,
    #[error("The evidence was sent; it can no longer be changed.")]
    EvidenceSent,
    #[error("This dispute is decided; the bank takes no more evidence.")]
    DisputeClosed,
    #[error("More than what can still be returned.")]
    ReturnsTooMuch,
    #[error("The payment service does not answer. Your order is kept; please try again in a minute.")]
    PaymentUnavailable,
    #[error("Stripe does not answer. Nothing was changed; please try again in a minute.")]
    StripeUnavailable,
    #[error("Something of this parcel was not sent yet, so it cannot have arrived.")]
    NotSent,
    #[error("It could not be kept, because the picture store is away or full. Please try again in a few minutes.")]
    StoreUnavailable,
    #[error("Too many attempts. Please wait {} and try again.", minutes(*retry_after_seconds))]
    TooManyAttempts { retry_after_seconds: u32 },
    #[error("That e-mail address and password do not match.")]
    WrongCredentials,
    #[error("You have already applied to sell.")]
    AlreadyApplied,
    #[error("Your shop is not open yet.")]
    VendorNotApproved,
    #[error("Someone changed this while you were editing. Here is how it stands now.")]
    Stale,
    #[error("That was already decided.")]
    AlreadyDecided,
    #[error("A product needs at least one variant before it can be published.")]
    NothingToPublish,
    #[error("This Idempotency-Key was used for another request.")]
    KeyReused,
    #[error("The first request with this Idempotency-Key is still running. Please ask again in a moment.")]
    StillRunning,
}

impl Refusal {
    /// A stable name for `/problems/{slug}` and for tests: `sold-out`.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::CartEmpty => "cart-empty",
            Self::SoldOut { .. } => "sold-out",
            Self::Unavailable { .. } => "unavailable",
            Self::OnHoliday { .. } => "on-holiday",
            Self::PriceChanged { .. } => "price-changed",
            Self::AlreadyPaid => "already-paid",
            Self::OrderClosed => "order-closed",
            Self::AlreadyShipped => "already-shipped",
            Self::ShipsTooMuch => "ships-too-much",
            Self::NotPaid => "not-paid",
            Self::OrderCancelled => "order-cancelled",
            Self::NotPaidYet => "not-paid-yet",
            Self::RefundsTooMuch => "refunds-too-much",
            Self::Disputed => "disputed",
            Self::EvidenceSent => "evidence-sent",
            Self::DisputeClosed => "dispute-closed",
            Self::ReturnsTooMuch => "returns-too-much",
            Self::PaymentUnavailable => "payment-unavailable",
            Self::StripeUnavailable => "stripe-unavailable",
            Self::NotSent => "not-sent",
            Self::StoreUnavailable => "store-unavailable",
            Self::TooManyAttempts { .. } => "too-many-attempts",
            Self::WrongCredentials => "wrong-credentials",
            Self::AlreadyApplied => "already-applied",
            Self::VendorNotApproved => "vendor-not-approved",
            Self::Stale => "stale",
            Self::AlreadyDecided => "already-decided",
            Self::NothingToPublish => "nothing-to-publish",
            Self::KeyReused => "idempotency-key-reused",
            Self::StillRunning => "still-running",
        }
    }
}

fn sold_out(title: &str, left: i32) -> String {
    match left {
        ..=0 => format!("{title} is sold out."),
        1 => format!("There is only one {title} left."),
        left => format!("There are only {left} left of {title}."),
    }
}

fn minutes(seconds: u32) -> String {
    match seconds.div_ceil(60) {
        1 => "a minute".into(),
        m => format!("{m} minutes"),
    }
}

/// What is wrong, field by field, in the order of the form. A field is named as its form control is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldErrors(Vec<(String, String)>);

impl FieldErrors {
    pub fn one(field: &str, message: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(field, message);
        errors
    }

    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push((field.into(), message.into()));
    }

    /// The first message for a field.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(f, _)| f == field).map(|(_, m)| m.as_str())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(f, m)| (f.as_str(), m.as_str()))
    }

    /// Keeps a parsed value, or notes why it is none: `let name = errors.take("name", form.name.parse::<PersonName>());`
    pub fn take<T, E: std::fmt::Display>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|e| self.add(field, e.to_string())).ok()
    }

    /// `Err` when anything was noted.
    pub fn check(self) -> Result<(), AppError> {
        if self.is_empty() { Ok(()) } else { Err(AppError::Invalid(self)) }
    }
}
