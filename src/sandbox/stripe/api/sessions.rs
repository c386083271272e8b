//! `/v1/checkout/sessions`, in payment mode.

use serde_json::{Value, json};

use super::Call;
use crate::sandbox::stripe::error::ApiError;
use crate::sandbox::stripe::objects::{catalogue, session};
use crate::sandbox::stripe::params::{Params, missing};
use crate::sandbox::stripe::store::{self, Page, Stored};
use crate::sandbox::stripe::{Controls, expiry, ids, money, payments};

const URL: &str = "/v1/checkout/sessions";
/// What Stripe takes in one session.
const MOST_LINES: usize = 100;
const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;
/// How far the caller's clock may be behind ours.
const CLOCK_SLACK: i64 = 10;

/// Only what Stripe's page looks like, or asks beside the payment.
const LOOKS: &[&str] = &[
    "consent_collection",
    "custom_text",
    "customer_creation",
    "branding_settings",
    "phone_number_collection",
    "payment_method_options",
    "payment_method_collection",
    "allow_promotion_codes",
    "adaptive_pricing",
    "saved_payment_method_options",
    "wallet_options",
    "name_collection",
    "origin_context",
];
/// What would change the payment.
const NOT_COVERED: &[&str] = &[
    "after_expiration",
    "automatic_tax",
    "currency",
    "custom_fields",
    "customer",
    "customer_account",
    "customer_update",
    "discounts",
    "excluded_payment_method_types",
    "invoice_creation",
    "managed_payments",
    "optional_items",
    "payment_method_configuration",
    "payment_method_data",
    "permissions",
    "redirect_on_completion",
    "return_url",
    "setup_intent_data",
    "shipping_address_collection",
    "shipping_options",
    "subscription_data",
    "tax_id_collection",
];

pub async fn create(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    params.refuse(NOT_COVERED)?;
    params.ignore(LOOKS);
    let mode = params.word("mode", &["payment", "setup", "subscription"])?.unwrap_or_else(|| "payment".into());
    if mode != "payment" {
        return Err(ApiError::uncovered("mode"));
    }
    let ui_mode = params.word("ui_mode", &["elements", "embedded_page", "form", "hosted_page"])?;
    if ui_mode.is_some_and(|ui| ui != "hosted_page") {
        return Err(ApiError::uncovered("ui_mode"));
    }
    let success_url = params.url("success_url")?.ok_or_else(|| missing("success_url"))?;
    let created = ids::now();
    let expires_at = expiry_time(&mut params, created)?;
    let lines = params.elements("line_items")?.unwrap_or_default();
    let (lines, products, currency) = line_items_of(lines)?;
    let amount = total(&lines, &currency)?;
    let id = ids::session();
    let debit = Controls::read(&mut *call.conn).await?.bank_debit;
    let new = session::NewSession {
        url: format!("{}/pay/{id}", call.sandbox.base()),
        id,
        created,
        expires_at,
        amount,
        success_url,
        cancel_url: params.url("cancel_url")?,
        client_reference_id: reference(&mut params)?,
        customer_email: email(&mut params)?,
        metadata: params.metadata(&json!({}))?,
        payment_method_types: method_types(&mut params, &currency, debit)?,
        locale: params.text("locale")?,
        submit_type: params.word("submit_type", &["auto", "book", "donate", "pay", "subscribe"])?,
        billing_address_collection: params.word("billing_address_collection", &["auto", "required"])?,
        integration_identifier: params.text("integration_identifier")?,
        currency,
    };
    let payment_intent_data = match params.below("payment_intent_data")? {
        Some(below) => intent_data(below)?,
        None => json!({}),
    };
    params.finish()?;
    for product in products {
        store::save(call.conn, &Stored::new(product)).await?;
    }
    let made = Stored {
        doc: session::document(&new),
        hidden: json!({ "line_items": lines, "payment_intent_data": payment_intent_data }),
    };
    store::save(call.conn, &made).await?;
    Ok(made.doc)
}

/// Between 30 minutes and 24 hours from now.
fn expiry_time(params: &mut Params, created: i64) -> Result<i64, ApiError> {
    let Some(at) = params.integer("expires_at")? else { return Ok(created + DAY) };
    let refuse = |bound: &str| {
        ApiError::param("expires_at", None, format!("The `expires_at` timestamp must be {bound} from Checkout Session creation."))
    };
    if at < created + 30 * MINUTE - CLOCK_SLACK {
        return Err(refuse("at least 30 minutes"));
    }
    if at > created + DAY + CLOCK_SLACK {
        return Err(refuse("less than 24 hours"));
    }
    Ok(at)
}

fn reference(params: &mut Params) -> Result<Option<String>, ApiError> {
    match params.text("client_reference_id")? {
        Some(text) if text.chars().count() > 200 => Err(ApiError::param(
            "client_reference_id",
            Some("parameter_invalid_string_length"),
            "Invalid string: client_reference_id must be at most 200 characters",
        )),
        other => Ok(other),
    }
}

fn email(params: &mut Params) -> Result<Option<String>, ApiError> {
    match params.text("customer_email")? {
        Some(text)
            if !text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()) || text.len() > 800 =>
        {
            Err(ApiError::param("customer_email", Some("email_invalid"), format!("Invalid email address: {text}")))
        }
        other => Ok(other),
    }
}

/// Cards always; the slow debit of the currency where it is asked for, or offered by the settings on the control page.
fn method_types(params: &mut Params, currency: &str, offered: bool) -> Result<Vec<String>, ApiError> {
    let debit = payments::bank_debit_of(currency);
    let Some(asked) = params.texts("payment_method_types")? else {
        let slow = debit.filter(|_| offered).map(str::to_owned);
        return Ok(std::iter::once("card".to_owned()).chain(slow).collect());
    };
    match asked.iter().position(|kind| kind != "card" && Some(kind.as_str()) != debit) {
        Some(at) => Err(ApiError::param(
            format!("payment_method_types[{at}]"),
            None,
            format!("The sandbox does not cover the payment method type {} for {currency}.", asked[at]),
        )),
        None => Ok(asked),
    }
}

/// What the caller wants written on the payment itself.
fn intent_data(mut data: Params) -> Result<Value, ApiError> {
    data.refuse(&["application_fee_amount", "on_behalf_of", "transfer_data", "setup_future_usage"])?;
    if data.word("capture_method", &["automatic", "automatic_async", "manual"])?.as_deref() == Some("manual") {
        return Err(ApiError::uncovered(&data.name("capture_method")));
    }
    let mut out = json!({ "metadata": data.metadata(&json!({}))?, "shipping": null });
    for field in ["description", "transfer_group", "receipt_email", "statement_descriptor", "statement_descriptor_suffix"] {
        out[field] = json!(data.text(field)?);
    }
    if let Some(mut shipping) = data.below("shipping")? {
        out["shipping"] = shipping_of(&mut shipping)?;
        shipping.finish()?;
    }
    data.finish()?;
    Ok(out)
}

/// `shipping[name]`, `shipping[address][line1]`, ...
pub fn shipping_of(shipping: &mut Params) -> Result<Value, ApiError> {
    let mut address = json!({});
    let mut given = shipping.below("address")?.unwrap_or_default();
    for field in ["city", "country", "line1", "line2", "postal_code", "state"] {
        address[field] = json!(given.text(field)?);
    }
    given.finish()?;
    Ok(json!({
        "address": address, "carrier": shipping.text("carrier")?, "name": shipping.require("name")?, "phone": shipping.text("phone")?,
        "tracking_number": shipping.text("tracking_number")?,
    }))
}

/// The lines, the products made for them, and their one currency.
fn line_items_of(given: Vec<Params>) -> Result<(Vec<Value>, Vec<Value>, String), ApiError> {
    if given.is_empty() {
        return Err(missing("line_items"));
    }
    if given.len() > MOST_LINES {
        return Err(ApiError::param("line_items", None, format!("A Checkout Session can have at most {MOST_LINES} line items.")));
    }
    let (mut lines, mut products, mut currency) = (Vec::new(), Vec::new(), None::<String>);
    for mut line in given {
        line.refuse(&["price", "adjustable_quantity", "dynamic_tax_rates", "tax_rates"])?;
        let quantity = line.integer("quantity")?.ok_or_else(|| missing(&line.name("quantity")))?;
        if !(1..=999_999).contains(&quantity) {
            return Err(ApiError::param(
                line.name("quantity"),
                Some("parameter_invalid_integer"),
                "This value must be greater than or equal to 1.",
            ));
        }
        let mut price = line.below("price_data")?.ok_or_else(|| missing(&line.name("price_data")))?;
        price.refuse(&["product", "recurring"])?;
        price.ignore(&["tax_behavior"]);
        let its = price.currency("currency")?;
        match &currency {
            Some(first) if *first != its => {
                return Err(ApiError::param(
                    price.name("currency"),
                    None,
                    format!("All line items must have the same currency; found {first} and {its}."),
                ));
            }
            _ => currency = Some(its.clone()),
        }
        let unit_amount = unit_amount(&mut price)?;
        let mut product = price.below("product_data")?.ok_or_else(|| missing(&price.name("product_data")))?;
        product.ignore(&["tax_code", "tax_details", "unit_label"]);
        let name = product.require("name")?;
        let made = catalogue::product(
            &name,
            product.text("description")?.as_deref(),
            &product.texts("images")?.unwrap_or_default(),
            &product.metadata(&json!({}))?,
        );
        product.finish()?;
        price.finish()?;
        let total = unit_amount.checked_mul(quantity).filter(|t| *t <= money::LARGEST).ok_or_else(too_large)?;
        let priced = catalogue::price(made["id"].as_str().unwrap_or_default(), &its, unit_amount);
        let mut item = catalogue::line_item(&name, &priced, quantity, total);
        item["metadata"] = line.metadata(&json!({}))?;
        line.finish()?;
        lines.push(item);
        products.push(made);
    }
    Ok((lines, products, currency.unwrap_or_default()))
}

fn unit_amount(price: &mut Params) -> Result<i64, ApiError> {
    let name = price.name("unit_amount");
    let whole = price.integer("unit_amount")?;
    let decimal = price.text("unit_amount_decimal")?;
    let amount = match (whole, decimal) {
        (Some(amount), None) => amount,
        (None, Some(text)) => text.parse().map_err(|_| ApiError::uncovered(&price.name("unit_amount_decimal")))?,
        (None, None) => return Err(missing(&name)),
        (Some(_), Some(_)) => {
            return Err(ApiError::param(&name, None, "You may only specify one of unit_amount and unit_amount_decimal."));
        }
    };
    if amount < 0 {
        return Err(ApiError::param(&name, Some("parameter_invalid_integer"), "Invalid non-negative integer"));
    }
    if amount > money::LARGEST { Err(too_large()) } else { Ok(amount) }
}

fn too_large() -> ApiError {
    ApiError::code("amount_too_large", "The Checkout Session's total amount must be no more than 999,999.99.")
}

fn total(lines: &[Value], currency: &str) -> Result<i64, ApiError> {
    let amount: i64 = lines.iter().filter_map(|line| line["amount_total"].as_i64()).sum();
    if amount > money::LARGEST {
        return Err(too_large());
    }
    let smallest = money::smallest(currency);
    if amount != 0 && amount < smallest {
        return Err(ApiError::code(
            "amount_too_small",
            format!(
                "The Checkout Session's total amount due must add up to at least {} {currency}",
                money::display(smallest, currency)
            ),
        ));
    }
    Ok(amount)
}

/// The session as it is now: one whose time is over is expired first.
async fn current(call: &mut Call<'_>, id: &str) -> Result<Stored, ApiError> {
    let mut session = store::lock(call.conn, "checkout.session", id, "session").await?;
    if expiry::is_due(&session) {
        payments::expire(call.conn, &call.cause, &mut session).await?;
    }
    Ok(session)
}

pub async fn retrieve(call: &mut Call<'_>, id: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    Ok(current(call, id).await?.doc)
}

pub async fn update(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    let mut session = current(call, id).await?;
    params.refuse(&["collected_information", "shipping_options", "line_items"])?;
    session.doc["metadata"] = params.metadata(&session.doc["metadata"])?;
    params.finish()?;
    store::save(call.conn, &session).await?;
    Ok(session.doc)
}

pub async fn expire(call: &mut Call<'_>, id: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    let mut session = current(call, id).await?;
    if session.text("status") != "open" {
        return Err(ApiError::invalid(format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of {}.",
            session.text("status")
        )));
    }
    payments::expire(call.conn, &call.cause, &mut session).await?;
    Ok(session.doc)
}

pub async fn line_items(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    let page = Page::read(&mut params)?;
    params.finish()?;
    let session = store::load(call.conn, "checkout.session", id, "session").await?;
    let lines = session.hidden["line_items"].as_array().cloned().unwrap_or_default();
    page.cut(&lines, &format!("{URL}/{id}/line_items"))
}

pub async fn list(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    let mut filters = vec![("kind", "checkout.session".to_owned())];
    if let Some(intent) = params.text("payment_intent")? {
        filters.push(("payment_intent", intent));
    }
    if let Some(status) = params.word("status", &["complete", "expired", "open"])? {
        filters.push(("status", status));
    }
    if let Some(mut details) = params.below("customer_details")? {
        filters.push(("doc->'customer_details'->>'email'", details.require("email")?));
        details.finish()?;
    }
    params.refuse(&["customer", "customer_account", "payment_link", "subscription"])?;
    let found = store::page(call.conn, "objects", URL, &filters, None, &mut params).await?;
    params.finish()?;
    Ok(found)
}
