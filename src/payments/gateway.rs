//! Stripe as this slice needs it: few calls, answered in few words. Everything else of Stripe's objects stays in here.

use crate::{
    ids::{OrderId, PaymentId, RefundId},
    server::state::App,
};
use std::{collections::HashMap, time::Duration};
use stripe::{IdempotencyKey, RequestStrategy, StripeError, StripeRequest};
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionLineItems, CreateCheckoutSessionLineItemsPriceData,
    CreateCheckoutSessionPaymentIntentData, ExpireCheckoutSession, ProductData, RetrieveCheckoutSession,
};
use stripe_core::{
    payment_intent::RetrievePaymentIntent,
    refund::{CreateRefund, ListRefund, RetrieveRefund},
};
use stripe_shared::{
    CheckoutSession, CheckoutSessionMode, CheckoutSessionPaymentStatus, CheckoutSessionStatus, PaymentIntentStatus,
};
use time::OffsetDateTime;

/// Why Stripe gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// No answer, or one that says "later": trying again with the same key is right.
    #[error("Stripe does not answer: {0}")]
    Away(String),
    /// The same request is being handled at this moment.
    #[error("Stripe is still busy with the same request")]
    Busy,
    /// Stripe understood and says no; trying again would not help.
    #[error("Stripe refuses ({status}, {code}): {message}")]
    Refused { status: u16, code: String, message: String },
}

impl From<StripeError> for GatewayError {
    fn from(error: StripeError) -> Self {
        match error {
            StripeError::Stripe(error, 409) => {
                tracing::debug!(message = error.message, "Stripe answers 409");
                Self::Busy
            }
            StripeError::Stripe(error, status) if status == 429 || status >= 500 => {
                Self::Away(error.message.unwrap_or_else(|| format!("status {status}")))
            }
            StripeError::Stripe(error, status) => Self::Refused {
                status,
                code: error.code.map(|c| c.as_str().to_owned()).unwrap_or_default(),
                message: error.message.unwrap_or_default(),
            },
            other => Self::Away(other.to_string()),
        }
    }
}

type Result<T> = std::result::Result<T, GatewayError>;

/// How an attempt stands at Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The page is open; `refused` is why the last card on it was declined, if one was.
    Open {
        refused: Option<String>,
    },
    /// Handed in with a slow method; the money is on its way.
    Processing,
    Paid,
    /// Handed in, and the money did not come.
    Failed {
        why: String,
    },
    /// Closed without payment.
    Expired,
}

/// A Checkout Session in our words.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: String,
    /// Our attempt, from the session's metadata; `None` for a session that is not ours.
    pub payment: Option<PaymentId>,
    pub intent: Option<String>,
    pub url: Option<String>,
    pub amount_minor: i64,
    /// Upper case, as we write it.
    pub currency: String,
    pub standing: Standing,
}

impl From<CheckoutSession> for Session {
    fn from(session: CheckoutSession) -> Self {
        let intent = session.payment_intent.as_ref();
        let object = intent.and_then(|i| i.as_object());
        let refusal = || object.and_then(|i| i.last_payment_error.as_ref()).map(|e| reason(e));
        let standing = match (&session.payment_status, session.status.as_ref(), object.map(|i| &i.status)) {
            (
                CheckoutSessionPaymentStatus::Paid | CheckoutSessionPaymentStatus::NoPaymentRequired,
                Some(CheckoutSessionStatus::Complete),
                _,
            ) => Standing::Paid,
            (_, Some(CheckoutSessionStatus::Complete), Some(PaymentIntentStatus::Processing)) => Standing::Processing,
            (_, Some(CheckoutSessionStatus::Complete), Some(PaymentIntentStatus::Succeeded)) => Standing::Paid,
            (
                _,
                Some(CheckoutSessionStatus::Complete),
                Some(PaymentIntentStatus::RequiresPaymentMethod | PaymentIntentStatus::Canceled),
            ) => Standing::Failed { why: refusal().unwrap_or_else(|| "The payment did not go through.".into()) },
            // Handed in, and no word on the intent: as good as on its way, and asked about again.
            (_, Some(CheckoutSessionStatus::Complete), _) => Standing::Processing,
            (_, Some(CheckoutSessionStatus::Expired), _) => Standing::Expired,
            _ => Standing::Open { refused: refusal() },
        };
        Self {
            payment: session.metadata.as_ref().and_then(|m| m.get("payment_id")).and_then(|id| id.parse().ok()),
            intent: intent.map(|i| i.id().to_string()),
            url: session.url,
            amount_minor: session.amount_total.unwrap_or_default(),
            currency: session.currency.map(|c| c.to_string().to_uppercase()).unwrap_or_default(),
            standing,
            id: session.id.to_string(),
        }
    }
}

/// Stripe's words for the shopper, or ours where it has none.
fn reason(error: &stripe_shared::ApiErrors) -> String {
    let message = error.message.as_deref().map(str::trim).filter(|m| !m.is_empty());
    message.unwrap_or("Your card was declined.").chars().take(300).collect()
}

/// One line of the hosted page.
pub struct Item {
    pub name: String,
    pub quantity: i32,
    pub unit_minor: i64,
}

/// Everything a Checkout Session is made from. It must come out the same on every retry of one attempt, because Stripe
/// compares it with what it saw under the same idempotency key: it is read from frozen rows only.
pub struct NewSession {
    pub payment: PaymentId,
    pub order: OrderId,
    pub number: i64,
    pub idempotency_key: String,
    pub email: String,
    pub currency: String,
    pub items: Vec<Item>,
    pub expires_at: OffsetDateTime,
    pub success_url: String,
    pub cancel_url: String,
}

/// Opens a hosted page for an attempt, or finds the one that was opened with the same key.
pub async fn create_session(app: &App, new: NewSession) -> Result<Session> {
    let metadata = HashMap::from([
        ("order_id".to_owned(), new.order.to_string()),
        ("order_number".to_owned(), new.number.to_string()),
        ("payment_id".to_owned(), new.payment.to_string()),
    ]);
    let currency = new.currency.to_lowercase();
    let items: Vec<_> = new
        .items
        .into_iter()
        .map(|item| {
            // Stripe's type reads any text; a currency that it does not know is refused by Stripe.
            let Ok(currency) = currency.parse();
            let price = CreateCheckoutSessionLineItemsPriceData {
                currency,
                unit_amount: Some(item.unit_minor),
                product_data: Some(ProductData::new(item.name)),
                product: None,
                recurring: None,
                tax_behavior: None,
                unit_amount_decimal: None,
            };
            let mut line = CreateCheckoutSessionLineItems::new();
            line.price_data = Some(price);
            line.quantity = Some(u64::from(item.quantity.unsigned_abs()));
            line
        })
        .collect();
    let mut intent = CreateCheckoutSessionPaymentIntentData::new();
    intent.metadata = Some(metadata.clone());
    let session = CreateCheckoutSession::new()
        .mode(CheckoutSessionMode::Payment)
        .line_items(items)
        .client_reference_id(new.order.to_string())
        .metadata(metadata)
        .payment_intent_data(intent)
        .customer_email(new.email)
        .expires_at(new.expires_at.unix_timestamp())
        .success_url(new.success_url)
        .cancel_url(new.cancel_url)
        .customize()
        .request_strategy(idempotent(&new.idempotency_key)?)
        // A person waits for this one.
        .timeout(Duration::from_secs(12))
        .send(&app.stripe)
        .await?;
    Ok(session.into())
}

/// With this key, a repeat of a request is the same request.
pub fn idempotent(text: &str) -> Result<RequestStrategy> {
    let key = IdempotencyKey::new(text).map_err(|e| GatewayError::Refused {
        status: 400,
        code: "idempotency_key".into(),
        message: e.to_string(),
    })?;
    Ok(RequestStrategy::Idempotent(key))
}

/// How a session stands now.
pub async fn session(app: &App, id: &str) -> Result<Session> {
    Ok(RetrieveCheckoutSession::new(id).expand(vec!["payment_intent".to_owned()]).send(&app.stripe).await?.into())
}

/// Closes an open session, so that nobody can pay it any more. Stripe refuses where it is not open.
pub async fn expire(app: &App, id: &str) -> Result<Session> {
    Ok(ExpireCheckoutSession::new(id).expand(vec!["payment_intent".to_owned()]).send(&app.stripe).await?.into())
}

/// The attempt that a PaymentIntent belongs to, from the metadata that we put there.
pub async fn payment_of_intent(app: &App, intent: &str) -> Result<Option<PaymentId>> {
    let intent = RetrievePaymentIntent::new(intent).send(&app.stripe).await?;
    Ok(intent.metadata.get("payment_id").and_then(|id| id.parse().ok()))
}

/// What Stripe kept of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub fee_minor: i64,
    /// Upper case: the currency of our balance at Stripe, in which the fee is reckoned.
    pub currency: String,
    pub at: OffsetDateTime,
}

/// What Stripe kept of the payment of an intent; `None` until it has reckoned.
pub async fn kept(app: &App, intent: &str) -> Result<Option<Kept>> {
    let expand = vec!["latest_charge.balance_transaction".to_owned()];
    let intent = RetrievePaymentIntent::new(intent).expand(expand).send(&app.stripe).await?;
    let charge = intent.latest_charge.as_ref().and_then(|c| c.as_object());
    let entry = charge.and_then(|c| c.balance_transaction.as_ref()).and_then(|b| b.as_object());
    Ok(entry.map(|entry| Kept {
        fee_minor: entry.fee,
        currency: entry.currency.to_string().to_uppercase(),
        at: OffsetDateTime::from_unix_timestamp(entry.created).unwrap_or_else(|_| OffsetDateTime::now_utc()),
    }))
}

/// How a refund stands at Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundStanding {
    Pending,
    Succeeded,
    Failed,
}

impl RefundStanding {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// A refund in our words.
#[derive(Debug, Clone)]
pub struct Refund {
    pub id: String,
    /// Our booking, from the metadata; `None` when it was made elsewhere, as in Stripe's dashboard.
    pub booked: Option<RefundId>,
    pub amount_minor: i64,
    pub standing: RefundStanding,
}

impl From<stripe_shared::Refund> for Refund {
    fn from(refund: stripe_shared::Refund) -> Self {
        let standing = match refund.status.as_deref() {
            Some("succeeded") => RefundStanding::Succeeded,
            Some("failed" | "canceled") => RefundStanding::Failed,
            _ => RefundStanding::Pending,
        };
        let booked = refund.metadata.as_ref().and_then(|m| m.get("refund_id")).and_then(|id| id.parse().ok());
        Self { id: refund.id.to_string(), booked, amount_minor: refund.amount, standing }
    }
}

/// Asks for a booked refund; the key makes a repeat the same refund.
pub async fn create_refund(
    app: &App,
    intent: &str,
    amount_minor: i64,
    booked: RefundId,
    idempotency_key: &str,
) -> Result<Refund> {
    let refund = CreateRefund::new()
        .payment_intent(intent)
        .amount(amount_minor)
        .metadata(HashMap::from([("refund_id".to_owned(), booked.to_string())]))
        .customize()
        .request_strategy(idempotent(idempotency_key)?)
        .send(&app.stripe)
        .await?;
    Ok(refund.into())
}

pub async fn refund(app: &App, id: &str) -> Result<Refund> {
    Ok(RetrieveRefund::new(id).send(&app.stripe).await?.into())
}

/// The PaymentIntent of a refund, for events that name only the refund.
pub async fn intent_of_refund(app: &App, id: &str) -> Result<Option<String>> {
    let refund = RetrieveRefund::new(id).send(&app.stripe).await?;
    Ok(refund.payment_intent.map(|i| i.id().to_string()))
}

/// Every refund of a PaymentIntent, whoever made it, oldest first.
pub async fn refunds(app: &App, intent: &str) -> Result<Vec<Refund>> {
    let mut all = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut list = ListRefund::new().payment_intent(intent).limit(100);
        if let Some(last) = after {
            list = list.starting_after(last);
        }
        let page = list.send(&app.stripe).await?;
        let more = page.has_more;
        all.extend(page.data.into_iter().map(Refund::from));
        after = all.last().map(|r| r.id.clone());
        if !more || after.is_none() {
            break;
        }
    }
    all.reverse();
    Ok(all)
}
