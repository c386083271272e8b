//! What happens to a connected account: it is made, answers what Stripe asks of it, gets a bank account, changes.
//! Whether it may be paid follows from what is known of it. Events happen at the account (`account` in the event).

use serde_json::{Map, Value, json};
use sqlx::PgConnection;

use super::banks::Bank;
use super::events::{changed, emit};
use super::objects::{account, payout};
use super::store::{self, Stored};
use super::{Cause, ids};

const INDIVIDUAL: &[&str] = &[
    "individual.first_name",
    "individual.last_name",
    "individual.address.line1",
    "individual.address.city",
    "individual.address.postal_code",
    "individual.id_number",
];
const COMPANY: &[&str] =
    &["company.name", "company.address.line1", "company.address.city", "company.address.postal_code", "company.tax_id"];
const BANK: &str = "external_account";

/// What Stripe still asks of an account.
fn missing(account: &Stored) -> Vec<&'static str> {
    // who stands behind the account is not shown to the platform, as with Stripe's Express accounts
    let known =
        |path: &str| account.hidden["identity"].pointer(&format!("/{}", path.replace('.', "/"))).is_some_and(Value::is_string);
    let mut due = Vec::new();
    let asked = match account.doc["business_type"].as_str() {
        None => {
            due.push("business_type");
            &[]
        }
        Some("individual") => INDIVIDUAL,
        Some(_) => COMPANY,
    };
    if account.doc["external_accounts"]["data"].as_array().is_none_or(Vec::is_empty) {
        due.push(BANK);
    }
    due.extend(asked.iter().copied().filter(|path| !known(path)));
    if account.doc["tos_acceptance"]["date"].is_null() {
        due.extend(["tos_acceptance.date", "tos_acceptance.ip"]);
    }
    due
}

/// Brings everything up to date that follows from what is known of an account.
pub fn derive(account: &mut Stored) {
    let due = missing(account);
    let ours = account.doc["controller"]["requirement_collection"] == "application";
    let submitted = account.hidden["submitted"] == true || (ours && due.is_empty());
    let sells = submitted && due.iter().all(|what| *what == BANK);
    account.doc["details_submitted"] = json!(submitted);
    account.doc["charges_enabled"] = json!(sells);
    account.doc["payouts_enabled"] = json!(submitted && due.is_empty());
    account.doc["requirements"] = account::requirements(&due, (!due.is_empty()).then_some("requirements.past_due"));
    if let Some(capabilities) = account.doc["capabilities"].as_object_mut() {
        for status in capabilities.values_mut() {
            *status = json!(if sells { "active" } else { "inactive" });
        }
    }
}

/// Saves an account with all that follows, and says so if anything changed.
pub async fn save(conn: &mut PgConnection, cause: &Cause, account: &mut Stored, before: &Value) -> sqlx::Result<()> {
    derive(account);
    store::save(conn, account).await?;
    if account.doc != *before {
        let cause = cause.at(Some(account.id()));
        emit(conn, &cause, "account.updated", &account.doc, Some(changed(before, &account.doc))).await?;
    }
    Ok(())
}

/// Merges what is known of the person or company behind an account. An empty text takes it away again.
pub fn identify(account: &mut Stored, who: &str, given: Value) {
    fn merge(known: &mut Map<String, Value>, given: Value) {
        let Value::Object(given) = given else { return };
        for (field, value) in given {
            match value {
                Value::Object(_) => {
                    let below = known.entry(field).or_insert_with(|| json!({}));
                    if let Some(below) = below.as_object_mut() {
                        merge(below, value);
                    }
                }
                Value::String(text) if text.trim().is_empty() => drop(known.remove(&field)),
                value => drop(known.insert(field, value)),
            }
        }
    }
    let identity = &mut account.hidden["identity"];
    if !identity.is_object() {
        *identity = json!({});
    }
    if let Some(identity) = identity.as_object_mut() {
        merge(identity, json!({ who: given }));
    }
}

/// Gives an account the bank account its payouts go to, in place of the one it had in that currency. The account is not saved.
pub async fn set_bank(
    conn: &mut PgConnection,
    cause: &Cause,
    account: &mut Stored,
    bank: &Bank,
    metadata: &Value,
) -> sqlx::Result<Stored> {
    let made = Stored {
        doc: payout::bank_account(account.id(), bank, metadata),
        hidden: json!({ "account": account.id(), "failure": bank.failure }),
    };
    store::save(conn, &made).await?;
    let list = &mut account.doc["external_accounts"];
    if let Some(all) = list["data"].as_array_mut() {
        all.retain(|one| one["currency"] != bank.currency.as_str());
        all.insert(0, made.doc.clone());
        list["total_count"] = json!(list["data"].as_array().map(Vec::len));
    }
    emit(conn, &cause.at(Some(account.id())), "account.external_account.created", &made.doc, None).await?;
    Ok(made)
}

/// A payout did not arrive: Stripe marks the bank account.
pub async fn bank_refused(
    conn: &mut PgConnection,
    cause: &Cause,
    account: &str,
    bank: &str,
) -> Result<(), super::error::ApiError> {
    let mut account = store::lock(conn, "account", account, "account").await?;
    let mut bank = store::lock(conn, "bank_account", bank, "destination").await?;
    let before = bank.doc.clone();
    bank.doc["status"] = json!("errored");
    store::save(conn, &bank).await?;
    let shown = account.doc["external_accounts"]["data"].as_array_mut().into_iter().flatten();
    shown.filter(|one| one["id"] == bank.doc["id"]).for_each(|one| one["status"] = json!("errored"));
    store::save(conn, &account).await?;
    let cause = cause.at(Some(account.id()));
    let previous = Some(changed(&before, &bank.doc));
    emit(conn, &cause, "account.external_account.updated", &bank.doc, previous).await?;
    Ok(())
}

/// What the onboarding page has collected.
pub struct Details {
    pub business_type: String,
    /// `individual` or `company`, and what is known of it
    pub identity: Value,
    pub bank: Option<Bank>,
}

/// Takes in what somebody has said at the onboarding page, and that they agree to Stripe's terms.
pub async fn onboard(conn: &mut PgConnection, cause: &Cause, account: &mut Stored, details: Details) -> sqlx::Result<()> {
    let before = account.doc.clone();
    account.doc["business_type"] = json!(details.business_type);
    let who = if details.business_type == "individual" { "individual" } else { "company" };
    identify(account, who, details.identity);
    account.hidden["submitted"] = json!(true);
    account.doc["tos_acceptance"] = json!({ "date": ids::now(), "ip": "127.0.0.1", "user_agent": null });
    if let Some(bank) = &details.bank {
        set_bank(conn, cause, account, bank, &json!({})).await?;
    }
    save(conn, cause, account, &before).await
}
