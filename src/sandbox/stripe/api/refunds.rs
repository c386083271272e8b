//! `/v1/refunds`.

use serde_json::{Value, json};

use super::Call;
use crate::sandbox::stripe::error::ApiError;
use crate::sandbox::stripe::params::Params;
use crate::sandbox::stripe::refunds::{self, RefundRequest};
use crate::sandbox::stripe::store;

const REASONS: &[&str] = &["duplicate", "fraudulent", "requested_by_customer"];

pub async fn create(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    let (charge, intent) = (params.text("charge")?, params.text("payment_intent")?);
    let request = RefundRequest {
        amount: params.integer("amount")?,
        reason: params.word("reason", REASONS)?,
        metadata: params.metadata(&json!({}))?,
    };
    params.refuse(&["reverse_transfer", "refund_application_fee", "origin", "customer", "currency", "instructions_email"])?;
    params.finish()?;
    let charge = match (charge, intent) {
        (Some(charge), None) => charge,
        (None, Some(intent)) => paid_charge(call, &intent).await?,
        (Some(charge), Some(intent)) => {
            let found = store::load(call.conn, "charge", &charge, "charge").await?;
            if found.text("payment_intent") != intent {
                return Err(ApiError::param(
                    "charge",
                    None,
                    format!("Charge {charge} does not belong to PaymentIntent {intent}."),
                ));
            }
            charge
        }
        (None, None) => {
            return Err(ApiError::code(
                "parameter_missing",
                "One of the following params should be provided for this request: payment_intent or charge.",
            ));
        }
    };
    Ok(refunds::refund(call.conn, &call.cause, &charge, request).await?.doc)
}

async fn paid_charge(call: &mut Call<'_>, id: &str) -> Result<String, ApiError> {
    let intent = store::load(call.conn, "payment_intent", id, "payment_intent").await?;
    match (intent.text("status"), intent.doc["latest_charge"].as_str()) {
        ("succeeded", Some(charge)) => Ok(charge.to_owned()),
        _ => Err(ApiError::param(
            "payment_intent",
            None,
            format!("This PaymentIntent ({id}) does not have a successful charge to refund."),
        )),
    }
}

pub async fn retrieve(call: &mut Call<'_>, id: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    Ok(store::load_of(call.conn, call.cause.account.as_deref(), "refund", id, "id").await?.doc)
}

/// Stripe's API calls off only what waits for the shopper (`requires_action`), which no card's refund does. One that waits for
/// the bank is called off in the dashboard; here, on the control page.
pub async fn cancel(call: &mut Call<'_>, id: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    let refund = store::load(call.conn, "refund", id, "refund").await?;
    Err(ApiError::invalid(format!(
        "Refund {id} cannot be canceled: its status is {}, and only refunds with the status requires_action can be.",
        refund.text("status")
    )))
}

pub async fn update(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    let mut refund = store::lock(call.conn, "refund", id, "id").await?;
    refund.doc["metadata"] = params.metadata(&refund.doc["metadata"])?;
    params.finish()?;
    store::save(call.conn, &refund).await?;
    Ok(refund.doc)
}

pub async fn list(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    let mut filters = vec![("kind", "refund".to_owned()), call.owned()];
    for column in ["payment_intent", "charge"] {
        if let Some(id) = params.text(column)? {
            filters.push((column, id));
        }
    }
    let found = store::page(call.conn, "objects", "/v1/refunds", &filters, None, &mut params).await?;
    params.finish()?;
    Ok(found)
}
