//! `/v1/accounts`, `/v1/account_links`: connected accounts, the way to their onboarding, and the way to their dashboard.

use serde_json::{Value, json};

use super::Call;
use crate::sandbox::stripe::accounts::{self, identify};
use crate::sandbox::stripe::banks::{Bank, currency_of};
use crate::sandbox::stripe::error::ApiError;
use crate::sandbox::stripe::ids;
use crate::sandbox::stripe::objects::account::{self, Controller};
use crate::sandbox::stripe::params::{Params, missing};
use crate::sandbox::stripe::store::{self, Page, Stored};

const URL: &str = "/v1/accounts";
/// Seconds that an account link can be opened.
const LINK_LIVES: i64 = 300;
const CAPABILITIES: &[&str] = &["card_payments", "transfers", "bacs_debit_payments", "sepa_debit_payments"];

pub async fn create(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    is_platform(call)?;
    let controller = controller(&mut params)?;
    let country = params.text("country")?.unwrap_or_else(|| "GB".into());
    if country.len() != 2 || !country.bytes().all(|b| b.is_ascii_uppercase()) {
        return Err(ApiError::param(
            "country",
            Some("country_unsupported"),
            format!(
                "Country '{country}' is unknown. Try using a 2-character alphanumeric country code instead, such as 'US', 'EG', or 'GB'. A full \
                 list of country codes is available at https://en.wikipedia.org/wiki/ISO_3166-1_alpha-2."
            ),
        ));
    }
    let email = email(&mut params)?;
    let mut made = Stored::new(account::document(&controller, &country, currency_of(&country), email.as_deref()));
    made.doc["capabilities"] = json!({ "card_payments": "inactive", "transfers": "inactive" });
    change(call, &mut made, params).await?;
    // a new account is no change of one: the caller knows
    accounts::derive(&mut made);
    store::save(call.conn, &made).await?;
    Ok(made.doc)
}

/// Connected accounts have none of their own.
fn is_platform(call: &Call<'_>) -> Result<(), ApiError> {
    match call.cause.account {
        None => Ok(()),
        Some(_) => Err(ApiError::invalid("Only the platform has connected accounts in the sandbox.")),
    }
}

/// `type`, or what replaces it: who pays fees, bears losses, collects requirements, and what dashboard there is.
fn controller(params: &mut Params) -> Result<Controller, ApiError> {
    let kind = params.word("type", &["custom", "express", "standard"])?;
    let Some(mut below) = params.below("controller")? else {
        return Ok(Controller::of_type(kind.as_deref().unwrap_or("standard")));
    };
    if kind.is_some() {
        return Err(ApiError::param(
            "type",
            None,
            "You may not provide the `type` parameter and `controller` parameters together.",
        ));
    }
    let mut inner = |field: &str, key: &str, words: &[&str], default: &str| -> Result<String, ApiError> {
        let Some(mut fields) = below.below(field)? else { return Ok(default.to_owned()) };
        let word = fields.word(key, words)?;
        fields.finish()?;
        Ok(word.unwrap_or_else(|| default.to_owned()))
    };
    let controller = Controller {
        fees: inner("fees", "payer", &["account", "application"], "account")?,
        losses: inner("losses", "payments", &["application", "stripe"], "stripe")?,
        dashboard: inner("stripe_dashboard", "type", &["express", "full", "none"], "full")?,
        requirements: below.word("requirement_collection", &["application", "stripe"])?.unwrap_or_else(|| "stripe".into()),
    };
    below.finish()?;
    Ok(controller)
}

fn email(params: &mut Params) -> Result<Option<String>, ApiError> {
    match params.text("email")? {
        Some(text) if !text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()) => {
            Err(ApiError::param("email", Some("email_invalid"), format!("Invalid email address: {text}")))
        }
        other => Ok(other),
    }
}

/// What both creating and updating take. Everything is read before anything is written.
async fn change(call: &mut Call<'_>, account: &mut Stored, mut params: Params) -> Result<(), ApiError> {
    params.refuse(&["account_token", "documents", "groups"])?;
    account.doc["metadata"] = params.metadata(&account.doc["metadata"])?;
    if let Some(kind) = params.word("business_type", &["company", "government_entity", "individual", "non_profit"])? {
        account.doc["business_type"] = json!(kind);
    }
    if let Some(mut asked) = params.below("capabilities")? {
        for capability in CAPABILITIES {
            if let Some(mut wish) = asked.below(capability)? {
                let requested = wish.boolean("requested")?.unwrap_or(false);
                wish.finish()?;
                match account.doc["capabilities"].as_object_mut() {
                    Some(all) if requested => drop(all.insert((*capability).to_owned(), json!("inactive"))),
                    Some(all) => drop(all.remove(*capability)),
                    None => {}
                }
            }
        }
        asked.finish()?;
    }
    if let Some(profile) = params.below("business_profile")? {
        describe(&mut account.doc["business_profile"], profile)?;
    }
    if let Some(settings) = params.below("settings")? {
        set(&mut account.doc["settings"], settings)?;
    }
    if let Some(mut accepted) = params.below("tos_acceptance")? {
        accepted.ignore(&["service_agreement"]);
        for field in ["ip", "user_agent"] {
            if let Some(text) = accepted.text(field)? {
                account.doc["tos_acceptance"][field] = json!(text);
            }
        }
        if let Some(date) = accepted.integer("date")? {
            account.doc["tos_acceptance"]["date"] = json!(date);
        }
        accepted.finish()?;
    }
    for who in ["company", "individual"] {
        if let Some(given) = params.tree(who)? {
            identify(account, who, given);
        }
    }
    let currency = params.text("default_currency")?;
    let bank = params.has("external_account").then(|| bank(&mut params, account)).transpose()?;
    params.finish()?;
    if let Some(currency) = currency {
        account.doc["default_currency"] = json!(currency.to_lowercase());
    }
    if let Some(bank) = bank {
        accounts::set_bank(call.conn, &call.cause, account, &bank, &json!({})).await?;
    }
    Ok(())
}

/// `business_profile`: what the shop says of itself.
fn describe(known: &mut Value, mut profile: Params) -> Result<(), ApiError> {
    for field in ["mcc", "name", "product_description", "support_email", "support_phone", "support_url", "url"] {
        if let Some(text) = profile.clearable(field, 5000)? {
            known[field] = json!(text);
        }
    }
    profile.ignore(&["annual_revenue", "estimated_worker_count", "minority_owned_business_designation", "support_address"]);
    profile.finish()
}

/// `settings`: of them only those of payouts mean something here.
fn set(known: &mut Value, mut settings: Params) -> Result<(), ApiError> {
    settings.ignore(&[
        "bacs_debit_payments",
        "branding",
        "card_issuing",
        "card_payments",
        "dashboard",
        "invoices",
        "payments",
        "sepa_debit_payments",
    ]);
    if let Some(mut payouts) = settings.below("payouts")? {
        let known = &mut known["payouts"];
        if let Some(debit) = payouts.boolean("debit_negative_balances")? {
            known["debit_negative_balances"] = json!(debit);
        }
        if let Some(text) = payouts.text("statement_descriptor")? {
            known["statement_descriptor"] = json!(text);
        }
        if let Some(mut schedule) = payouts.below("schedule")? {
            let known = &mut known["schedule"];
            if let Some(interval) = schedule.word("interval", &["daily", "manual", "monthly", "weekly"])? {
                *known = json!({ "delay_days": known["delay_days"], "interval": interval });
            }
            if let Some(days) = schedule.text("delay_days")?.filter(|text| text != "minimum") {
                let name = schedule.name("delay_days");
                let days: u32 = days
                    .parse()
                    .map_err(|_| ApiError::param(&name, Some("parameter_invalid_integer"), format!("Invalid integer: {days}")))?;
                known["delay_days"] = json!(days);
            }
            if let Some(anchor) = schedule.text("weekly_anchor")? {
                known["weekly_anchor"] = json!(anchor);
            }
            if let Some(day) = schedule.integer("monthly_anchor")? {
                known["monthly_anchor"] = json!(day);
            }
            if let Some(days) = schedule.texts("weekly_payout_days")? {
                known["weekly_payout_days"] = json!(days);
            }
            schedule.refuse(&["monthly_payout_days"])?;
            schedule.finish()?;
        }
        payouts.finish()?;
    }
    settings.finish()
}

/// `external_account`: a bank account by its number.
fn bank(params: &mut Params, account: &Stored) -> Result<Bank, ApiError> {
    let Some(mut below) = params.below("external_account")? else { return Err(missing("external_account")) };
    if below.word("object", &["bank_account", "card"])?.is_some_and(|kind| kind == "card") {
        return Err(ApiError::uncovered(&below.name("object")));
    }
    let country = below.text("country")?.unwrap_or_else(|| account.text("country").to_owned());
    let currency = below.text("currency")?.map_or_else(|| currency_of(&country).to_owned(), |text| text.to_lowercase());
    let (routing, number) = (below.text("routing_number")?.unwrap_or_default(), below.require("account_number")?);
    let mut bank = Bank::new(&country, &currency, &routing, &number).map_err(|(field, message)| {
        let code = if field == "account_number" { "account_number_invalid" } else { "routing_number_invalid" };
        ApiError::param(below.name(field), Some(code), message)
    })?;
    bank.holder = below.text("account_holder_name")?;
    bank.holder_type = below.word("account_holder_type", &["company", "individual"])?;
    below.finish()?;
    Ok(bank)
}

pub async fn retrieve(call: &mut Call<'_>, id: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    Ok(known(call, id).await?.doc)
}

/// `GET /v1/account`: the account that is spoken for. The platform has no account object here.
pub async fn own(call: &mut Call<'_>, params: Params) -> Result<Value, ApiError> {
    match call.cause.account.clone() {
        Some(id) => retrieve(call, &id, params).await,
        None => Err(ApiError::unknown_address("GET", "/v1/account")),
    }
}

/// An account that the caller may see; of another Stripe says what it says of one that is not there.
async fn known(call: &mut Call<'_>, id: &str) -> Result<Stored, ApiError> {
    let found =
        store::find(call.conn, "account", id).await?.filter(|_| call.cause.account.as_deref().is_none_or(|own| own == id));
    found.ok_or_else(|| ApiError::no_access(&call.key, id))
}

async fn locked(call: &mut Call<'_>, id: &str) -> Result<Stored, ApiError> {
    known(call, id).await?;
    store::lock(call.conn, "account", id, "account").await
}

pub async fn update(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    let mut account = locked(call, id).await?;
    let before = account.doc.clone();
    if let Some(email) = email(&mut params)? {
        account.doc["email"] = json!(email);
    }
    change(call, &mut account, params).await?;
    accounts::save(call.conn, &call.cause, &mut account, &before).await?;
    Ok(account.doc)
}

pub async fn list(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    is_platform(call)?;
    let found = store::page(call.conn, "objects", URL, &[("kind", "account".to_owned())], None, &mut params).await?;
    params.finish()?;
    Ok(found)
}

pub async fn banks(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    let (page, kind) = (Page::read(&mut params)?, params.word("object", &["bank_account", "card"])?);
    params.finish()?;
    let account = known(call, id).await?;
    let all = account.doc["external_accounts"]["data"].as_array().cloned().unwrap_or_default();
    let none = kind.is_some_and(|kind| kind == "card");
    page.cut(if none { &[] } else { &all }, &format!("{URL}/{id}/external_accounts"))
}

pub async fn bank_of(call: &mut Call<'_>, id: &str, bank: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    known(call, id).await?;
    Ok(store::load_of(call.conn, Some(id), "bank_account", bank, "id").await?.doc)
}

pub async fn add_bank(call: &mut Call<'_>, id: &str, mut params: Params) -> Result<Value, ApiError> {
    let mut account = locked(call, id).await?;
    let before = account.doc.clone();
    params.ignore(&["default_for_currency"]);
    let (bank, metadata) = (bank(&mut params, &account)?, params.metadata(&json!({}))?);
    params.finish()?;
    let made = accounts::set_bank(call.conn, &call.cause, &mut account, &bank, &metadata).await?;
    accounts::save(call.conn, &call.cause, &mut account, &before).await?;
    Ok(made.doc)
}

/// `POST /v1/account_links`: an address to send the account's owner to, once and soon.
pub async fn link(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    let account = params.require("account")?;
    let kind = params.word("type", &["account_onboarding", "account_update"])?.ok_or_else(|| missing("type"))?;
    let urls = (params.url("refresh_url")?, params.url("return_url")?);
    let (Some(refresh_url), Some(return_url)) = urls else {
        return Err(missing(if urls.0.is_none() { "refresh_url" } else { "return_url" }));
    };
    params.ignore(&["collect", "collection_options"]);
    params.finish()?;
    let account = known(call, &account).await?;
    if kind == "account_update" && account.doc["controller"]["requirement_collection"] != "application" {
        return Err(ApiError::param(
            "type",
            None,
            "You cannot create `account_update` type Account Links for this account. Valid types for this account include `account_onboarding`.",
        ));
    }
    let (secret, created) = (ids::secret(), ids::now());
    let expires_at = created + LINK_LIVES;
    let url = format!("{}/setup/{}/{secret}", call.sandbox.base(), account.id());
    let kept = Stored {
        doc: json!({ "id": secret, "object": "account_link", "created": created, "expires_at": expires_at, "url": url }),
        hidden: json!({ "account": account.id(), "refresh_url": refresh_url, "return_url": return_url }),
    };
    store::save(call.conn, &kept).await?;
    // it has no id: only the address is told
    Ok(json!({ "object": "account_link", "created": created, "expires_at": expires_at, "url": url }))
}

/// `POST /v1/accounts/{id}/login_links`: an address of the account's own dashboard.
pub async fn login(call: &mut Call<'_>, id: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    let account = known(call, id).await?;
    if account.doc["controller"]["stripe_dashboard"]["type"] != "express" {
        return Err(ApiError::invalid(
            "Cannot create a login link for an account that does not have access to the Express Dashboard.",
        ));
    }
    if account.doc["details_submitted"] != true {
        return Err(ApiError::invalid("Cannot create a login link for an account that has not completed onboarding."));
    }
    let (secret, created) = (ids::secret(), ids::now());
    let url = format!("{}/express/{id}/{secret}", call.sandbox.base());
    let kept = Stored {
        doc: json!({ "id": secret, "object": "login_link", "created": created, "url": url }),
        hidden: json!({ "account": id }),
    };
    store::save(call.conn, &kept).await?;
    Ok(json!({ "object": "login_link", "created": created, "url": url }))
}
