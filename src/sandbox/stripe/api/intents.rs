//! `/v1/payment_intents`: made by the caller, or by a session.

use serde_json::{Value, json};

use super::Call;
use crate::sandbox::stripe::cards::Card;
use crate::sandbox::stripe::error::ApiError;
use crate::sandbox::stripe::events::emit;
use crate::sandbox::stripe::objects::{Billing, intent};
use crate::sandbox::stripe::params::{Params, missing};
use crate::sandbox::stripe::payments::{self, Attempt, unexpected_state};
use crate::sandbox::stripe::store::{self, Stored};
use crate::sandbox::stripe::{money, objects};

const URL: &str = "/v1/payment_intents";
const REASONS: &[&str] = &["abandoned", "duplicate", "fraudulent", "requested_by_customer"];
const NOT_COVERED: &[&str] = &[
    "application_fee_amount",
    "confirmation_token",
    "customer",
    "customer_account",
    "mandate",
    "mandate_data",
    "off_session",
    "on_behalf_of",
    "payment_method_data",
    "setup_future_usage",
    "transfer_data",
];

pub async fn create(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    params.refuse(NOT_COVERED)?;
    params.ignore(&["payment_method_options", "use_stripe_sdk", "error_on_requires_action"]);
    let amount = params.integer("amount")?.ok_or_else(|| missing("amount"))?;
    let currency = params.currency("currency")?;
    check_amount(amount, &currency)?;
    let types = params.texts("payment_method_types")?;
    if let Some(at) = types.as_ref().and_then(|types| types.iter().position(|kind| kind != "card")) {
        return Err(ApiError::uncovered(&format!("payment_method_types[{at}]")));
    }
    let automatic = match params.below("automatic_payment_methods")? {
        Some(mut below) => {
            below.ignore(&["allow_redirects"]);
            let enabled = below.boolean("enabled")?.ok_or_else(|| missing("automatic_payment_methods[enabled]"))?;
            below.finish()?;
            enabled
        }
        None => types.is_none(),
    };
    let capture = params.word("capture_method", &["automatic", "automatic_async", "manual"])?;
    if capture.as_deref() == Some("manual") {
        return Err(ApiError::uncovered("capture_method"));
    }
    let shipping = match params.below("shipping")? {
        Some(mut below) => {
            let shipping = super::sessions::shipping_of(&mut below)?;
            below.finish()?;
            shipping
        }
        None => Value::Null,
    };
    let doc = intent::document(&intent::NewIntent {
        amount,
        currency,
        capture_method: if capture.as_deref() == Some("automatic") { "automatic" } else { "automatic_async" },
        automatic,
        payment_method_types: types.unwrap_or_else(|| vec!["card".into()]),
        description: params.text("description")?,
        metadata: params.metadata(&json!({}))?,
        receipt_email: params.text("receipt_email")?,
        transfer_group: params.text("transfer_group")?,
        statement_descriptor: params.text("statement_descriptor")?,
        statement_descriptor_suffix: params.text("statement_descriptor_suffix")?,
        shipping,
    });
    let mut made = Stored::new(doc);
    let confirm = params.boolean("confirm")?.unwrap_or(false);
    let method = params.text("payment_method")?;
    let return_url = params.url("return_url")?;
    params.finish()?;
    store::save(call.conn, &made).await?;
    emit(call.conn, &call.cause, "payment_intent.created", &made.doc, None).await?;
    match (confirm, method) {
        (true, method) => confirm_with(call, &mut made, method, return_url).await,
        (false, Some(method)) => {
            choose(call, &mut made, &method).await?;
            Ok(made.doc)
        }
        (false, None) => Ok(made.doc),
    }
}

fn check_amount(amount: i64, currency: &str) -> Result<(), ApiError> {
    if amount < 1 {
        return Err(ApiError::param(
            "amount",
            Some("parameter_invalid_integer"),
            "This value must be greater than or equal to 1.",
        ));
    }
    if amount < money::smallest(currency) {
        let smallest = money::display(money::smallest(currency), currency);
        return Err(ApiError::param(
            "amount",
            Some("amount_too_small"),
            format!("Amount must be at least {smallest} {currency}"),
        ));
    }
    if amount > money::LARGEST {
        return Err(ApiError::param("amount", Some("amount_too_large"), "Amount must be no more than 999,999.99"));
    }
    Ok(())
}

/// Notes a test card on an intent that is not confirmed yet.
async fn choose(call: &mut Call<'_>, intent: &mut Stored, method: &str) -> Result<Card, ApiError> {
    let card = Card::of_method(method).ok_or_else(|| {
        ApiError::param("payment_method", Some("resource_missing"), format!("No such PaymentMethod: '{method}'"))
    })?;
    let chosen = Stored::new(objects::method::card(&card, &Billing::default()));
    store::save(call.conn, &chosen).await?;
    intent.doc["payment_method"] = json!(chosen.id());
    intent.doc["status"] = json!("requires_confirmation");
    intent.hidden["card"] = json!(card);
    store::save(call.conn, intent).await?;
    Ok(card)
}

async fn confirm_with(
    call: &mut Call<'_>,
    intent: &mut Stored,
    method: Option<String>,
    return_url: Option<String>,
) -> Result<Value, ApiError> {
    let card = match &method {
        Some(method) => Card::of_method(method)
            .ok_or_else(|| ApiError::param("payment_method", Some("resource_missing"), format!("No such PaymentMethod: '{method}'")))?,
        None => serde_json::from_value(intent.hidden["card"].clone()).map_err(|_| {
            ApiError::code(
                "payment_intent_unexpected_state",
                "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment \
                 method and then confirm it again, or confirm it again directly with a payment method.",
            )
        })?,
    };
    if intent.doc["automatic_payment_methods"]["enabled"] == true && return_url.is_none() && card.challenge {
        return Err(ApiError::param(
            "return_url",
            None,
            "This PaymentIntent needs a return_url, because its payment method may redirect.",
        ));
    }
    let base = call.sandbox.base().to_owned();
    let billing = Billing::default();
    match payments::try_card(call.conn, &call.cause, intent, &card, &billing, &base, return_url.as_deref()).await? {
        Attempt::Succeeded => {
            let answered = intent.doc.clone();
            payments::book(call.conn, &call.cause, intent).await?;
            Ok(answered)
        }
        Attempt::Challenge => Ok(intent.doc.clone()),
        Attempt::Failed(problem) => Err(ApiError::card(&problem, &intent.doc)),
    }
}

pub async fn confirm(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    params.refuse(NOT_COVERED)?;
    params.ignore(&["payment_method_options", "use_stripe_sdk", "error_on_requires_action"]);
    let (method, return_url) = (params.text("payment_method")?, params.url("return_url")?);
    params.finish()?;
    let mut intent = store::lock(call.conn, "payment_intent", id, "intent").await?;
    if intent.hidden["session"].is_string() {
        return Err(ApiError::invalid("This PaymentIntent belongs to a Checkout Session and is confirmed there."));
    }
    if !matches!(intent.text("status"), "requires_payment_method" | "requires_confirmation" | "requires_action") {
        return Err(unexpected_state(&intent, "confirmed"));
    }
    confirm_with(call, &mut intent, method, return_url).await
}

pub async fn cancel(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    let reason = params.word("cancellation_reason", REASONS)?;
    params.finish()?;
    let mut intent = store::lock(call.conn, "payment_intent", id, "intent").await?;
    if intent.hidden["session"].is_string() && intent.text("status") != "canceled" {
        let mut error = ApiError::code(
            "payment_intent_unexpected_state",
            "You cannot cancel this PaymentIntent because it was created by Checkout. Expire the Checkout Session instead.",
        );
        error.more.push(("payment_intent", intent.doc.clone()));
        return Err(error);
    }
    if !matches!(intent.text("status"), "requires_payment_method" | "requires_confirmation" | "requires_action") {
        return Err(unexpected_state(&intent, "canceled"));
    }
    payments::cancel(call.conn, &call.cause, &mut intent, reason.as_deref()).await?;
    Ok(intent.doc)
}

pub async fn retrieve(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    let secret = params.text("client_secret")?;
    params.finish()?;
    let intent = store::load(call.conn, "payment_intent", id, "intent").await?;
    match secret {
        Some(secret) if secret != intent.text("client_secret") => Err(ApiError::param(
            "client_secret",
            None,
            "The client_secret provided does not match the client_secret associated with the PaymentIntent.",
        )),
        _ => Ok(intent.doc),
    }
}

pub async fn update(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    params.refuse(NOT_COVERED)?;
    let mut intent = store::lock(call.conn, "payment_intent", id, "intent").await?;
    intent.doc["metadata"] = params.metadata(&intent.doc["metadata"])?;
    for field in ["description", "receipt_email", "transfer_group", "statement_descriptor", "statement_descriptor_suffix"] {
        if let Some(text) = params.text(field)? {
            intent.doc[field] = json!(text);
        }
    }
    if let Some(amount) = params.integer("amount")? {
        check_amount(amount, intent.text("currency"))?;
        if !matches!(intent.text("status"), "requires_payment_method" | "requires_confirmation") {
            return Err(unexpected_state(&intent, "changed"));
        }
        intent.doc["amount"] = json!(amount);
    }
    let method = params.text("payment_method")?;
    params.finish()?;
    store::save(call.conn, &intent).await?;
    if let Some(method) = method {
        choose(call, &mut intent, &method).await?;
    }
    Ok(intent.doc)
}

pub async fn list(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    params.refuse(&["customer", "customer_account"])?;
    let found = store::page(call.conn, "objects", URL, &[("kind", "payment_intent".to_owned())], None, &mut params).await?;
    params.finish()?;
    Ok(found)
}
