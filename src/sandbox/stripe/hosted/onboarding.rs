//! Where an account link leads: Stripe asks who is to be paid, and where to. And where a login link leads: the account's own dashboard.

use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::onboarding_view::{self, Shown};
use super::{Trouble, clean, see_other};
use crate::sandbox::stripe::accounts::{self, Details};
use crate::sandbox::stripe::banks::{Bank, currency_of};
use crate::sandbox::stripe::cards::Problems;
use crate::sandbox::stripe::error::ApiError;
use crate::sandbox::stripe::store::{self, Stored};
use crate::sandbox::stripe::{Sandbox, balance, ids};

/// Seconds that a dashboard stays open.
const DASHBOARD_LIVES: i64 = 3600;

/// The form as it was typed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Typed {
    pub business_type: String,
    pub name: String,
    pub line1: String,
    pub city: String,
    pub postal_code: String,
    pub tax_number: String,
    pub routing_number: String,
    pub account_number: String,
    /// which button: `later` leaves out what is empty
    pub button: String,
}

impl Typed {
    /// What the platform has said of the account already.
    fn of(account: &Stored) -> Self {
        let kind = account.doc["business_type"].as_str().unwrap_or("individual");
        let who = &account.hidden["identity"][if kind == "individual" { "individual" } else { "company" }];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let name = match kind {
            "individual" => format!("{} {}", text(&who["first_name"]), text(&who["last_name"])).trim().to_owned(),
            _ => text(&who["name"]),
        };
        Self {
            business_type: kind.to_owned(),
            name,
            line1: text(&who["address"]["line1"]),
            city: text(&who["address"]["city"]),
            postal_code: text(&who["address"]["postal_code"]),
            ..Self::default()
        }
    }

    /// The details, or what is wrong with each field.
    fn check(&self, account: &Stored) -> Result<Details, Problems> {
        let mut problems = Problems::new();
        let (later, company) = (self.button == "later", self.business_type == "company");
        let mut required = |field: &'static str, value: &str, message: &'static str| {
            let value = clean(value);
            if value.is_none() {
                problems.push((field, message));
            }
            value
        };
        let name = required("name", &self.name, "The name is required.");
        let line1 = required("line1", &self.line1, "The street is required.");
        let city = required("city", &self.city, "The town or city is required.");
        let postal_code = required("postal_code", &self.postal_code, "The postcode is required.");
        let known = account.hidden["identity"][if company { "company" } else { "individual" }].clone();
        let tax_field = if company { "tax_id" } else { "id_number" };
        let mut tax = clean(&self.tax_number).or_else(|| known[tax_field].as_str().map(str::to_owned));
        if tax.is_none() && !later {
            tax = required("tax_number", "", "The tax number is required.");
        }
        let split = name.as_deref().and_then(|name| name.rsplit_once(' '));
        if !company && name.is_some() && split.is_none() {
            problems.push(("name", "First and last name are required."));
        }
        let has_bank = account.doc["external_accounts"]["data"].as_array().is_some_and(|all| !all.is_empty());
        let empty = clean(&self.account_number).is_none();
        let bank = if empty && (has_bank || later) {
            None
        } else {
            let country = account.text("country");
            Bank::new(country, currency_of(country), &self.routing_number, &self.account_number)
                .map_err(|problem| problems.push(problem))
                .ok()
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut identity = json!({ "address": { "line1": line1, "city": city, "postal_code": postal_code } });
        if company {
            identity["name"] = json!(name);
        } else if let Some((first, last)) = split {
            identity["first_name"] = json!(first);
            identity["last_name"] = json!(last);
        }
        if let Some(tax) = tax {
            identity[tax_field] = json!(tax);
        }
        let holder = name;
        let bank =
            bank.map(|bank| Bank { holder, holder_type: Some(if company { "company" } else { "individual" }.into()), ..bank });
        Ok(Details { business_type: if company { "company" } else { "individual" }.into(), identity, bank })
    }
}

/// A link and the account it is for.
async fn opened(conn: &mut PgConnection, kind: &str, account: &str, secret: &str) -> Result<(Stored, Stored), ApiError> {
    let link = store::lock(conn, kind, secret, "link").await?;
    if link.owner() != Some(account) {
        return Err(ApiError::missing(kind, secret, "link"));
    }
    let account = store::lock(conn, "account", account, "account").await?;
    Ok((link, account))
}

/// Whether an account link no longer leads to the form: it was used, or not opened in time.
fn is_spent(link: &Stored) -> bool {
    link.hidden["used"] == true || (link.hidden["opened"] != true && link.amount("expires_at") <= ids::now())
}

fn way(link: &Stored, which: &str) -> Response {
    see_other(link.hidden[which].as_str().unwrap_or_default())
}

pub async fn show(State(sandbox): State<Sandbox>, Path((account, secret)): Path<(String, String)>) -> Result<Response, Trouble> {
    let mut tx = sandbox.pool.begin().await?;
    let (mut link, account) = opened(&mut tx, "account_link", &account, &secret).await?;
    if is_spent(&link) {
        return Ok(way(&link, "refresh_url"));
    }
    link.hidden["opened"] = json!(true);
    store::save(&mut tx, &link).await?;
    tx.commit().await?;
    let back = link.hidden["return_url"].as_str();
    let shown = Shown { account: &account, typed: &Typed::of(&account), problems: &Problems::new(), back };
    Ok(onboarding_view::setup(StatusCode::OK, &shown))
}

pub async fn submit(
    State(sandbox): State<Sandbox>,
    Path((account, secret)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Result<Response, Trouble> {
    let mut tx = sandbox.pool.begin().await?;
    let (mut link, mut account) = opened(&mut tx, "account_link", &account, &secret).await?;
    if is_spent(&link) {
        return Ok(way(&link, "refresh_url"));
    }
    let details = match typed.check(&account) {
        Ok(details) => details,
        Err(problems) => {
            let back = link.hidden["return_url"].as_str();
            let shown = Shown { account: &account, typed: &typed, problems: &problems, back };
            return Ok(onboarding_view::setup(StatusCode::UNPROCESSABLE_ENTITY, &shown));
        }
    };
    link.hidden["used"] = json!(true);
    store::save(&mut tx, &link).await?;
    accounts::onboard(&mut tx, &sandbox.page_cause(), &mut account, details).await?;
    tx.commit().await?;
    sandbox.wake.notify_one();
    Ok(way(&link, "return_url"))
}

/// The account's dashboard, as long as its link is good.
async fn at_dashboard(conn: &mut PgConnection, account: &str, secret: &str) -> Result<Stored, ApiError> {
    let (link, account) = opened(conn, "login_link", account, secret).await?;
    if link.amount("created") + DASHBOARD_LIVES < ids::now() {
        return Err(ApiError::invalid("This link has expired. Ask the shop for another one."));
    }
    Ok(account)
}

async fn dashboard_page(
    conn: &mut PgConnection,
    status: StatusCode,
    account: &Stored,
    typed: &Typed,
    problems: &Problems,
) -> Result<Response, Trouble> {
    let funds = balance::document(conn, Some(account.id()), account.text("default_currency")).await?;
    let payouts: Vec<Value> = sqlx::query_scalar(
        "select doc from stripe_sandbox.objects where owner = $1 and owner <> '' and kind = 'payout' order by seq desc limit 20",
    )
    .bind(account.id())
    .fetch_all(conn)
    .await?;
    Ok(onboarding_view::dashboard(status, &Shown { account, typed, problems, back: None }, &funds, &payouts))
}

pub async fn dashboard(
    State(sandbox): State<Sandbox>,
    Path((account, secret)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let mut tx = sandbox.pool.begin().await?;
    let account = at_dashboard(&mut tx, &account, &secret).await?;
    dashboard_page(&mut tx, StatusCode::OK, &account, &Typed::of(&account), &Problems::new()).await
}

pub async fn change(
    State(sandbox): State<Sandbox>,
    Path((id, secret)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Result<Response, Trouble> {
    let mut tx = sandbox.pool.begin().await?;
    let mut account = at_dashboard(&mut tx, &id, &secret).await?;
    let details = match typed.check(&account) {
        Ok(details) => details,
        Err(problems) => return dashboard_page(&mut tx, StatusCode::UNPROCESSABLE_ENTITY, &account, &typed, &problems).await,
    };
    accounts::onboard(&mut tx, &sandbox.page_cause(), &mut account, details).await?;
    tx.commit().await?;
    sandbox.wake.notify_one();
    Ok(see_other(&format!("/express/{id}/{secret}")))
}
