//! A vendor's balance and payouts for programs.

use super::{
    model::{PayoutRow, PayoutState},
    queries,
};
use crate::{
    error::AppError,
    ids::PayoutId,
    money::Money,
    server::{
        auth::Owner,
        rest::{List, Page, Params},
        state::App,
    },
};
use axum::{Json, extract::State};
use serde::Serialize;
use time::{Date, OffsetDateTime};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The calls of this slice.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(balance)).routes(routes!(list))
}

/// What a vendor is owed, and where it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct VendorBalance {
    /// Sold, and not released yet: the parcels have not arrived.
    pending: Money,
    /// Released and not paid out; below zero, more was paid out than earned.
    payable: Money,
    /// Taken by banks while they decide disputes.
    held: Money,
    /// `payable` less `held`: what can be paid out.
    available: Money,
    /// Of it in the vendor's account at Stripe.
    at_stripe: Money,
    /// Of it on the way from there to the vendor's bank.
    in_transit: Money,
    /// Whether Stripe pays the vendor out; what is missing stands on `/vendor/payouts`.
    payouts_enabled: bool,
    #[schema(required, value_type = Option<String>, format = Date)]
    next_payout_on: Option<String>,
}

/// The vendor's balance
#[utoipa::path(get, path = "/vendor/balance", tag = "vendor", operation_id = "getVendorBalance",
    responses((status = 200, body = VendorBalance), (status = 403)), security(("bearer" = []), ("session" = [])))]
pub async fn balance(State(app): State<App>, vendor: Owner) -> Result<Json<VendorBalance>, AppError> {
    let currency = app.config.currency;
    let balances = queries::own_balances(&app.pool, &vendor, currency).await?;
    let account = queries::own_account(&app.pool, &vendor).await?;
    let money = |minor| Money::new(minor, currency);
    let enabled = account.as_ref().is_some_and(|a| a.payouts_enabled);
    Ok(Json(VendorBalance {
        pending: money(balances.pending),
        payable: money(balances.payable),
        held: money(balances.held),
        available: money(balances.available()),
        at_stripe: money(balances.connected),
        in_transit: money(balances.in_transit),
        payouts_enabled: enabled,
        next_payout_on: account.filter(|_| enabled).map(|a| a.next_payout_on.to_string()),
    }))
}

/// A payout to the vendor's bank.
#[derive(Debug, Serialize, ToSchema)]
pub struct VendorPayout {
    id: PayoutId,
    amount: Money,
    state: PayoutState,
    /// Where it goes, as its owner knows it: a bank's name and the last four digits.
    bank: String,
    /// When the bank has it, as Stripe expects.
    #[schema(required, value_type = Option<String>, format = Date)]
    arrives_on: Option<String>,
    /// Why it did not arrive: Stripe's code.
    #[schema(required)]
    failure_code: Option<String>,
    /// The same in words.
    #[schema(required)]
    failure: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl VendorPayout {
    fn of(row: PayoutRow) -> Self {
        Self {
            id: row.id,
            amount: row.amount(),
            state: row.state,
            bank: row.bank,
            arrives_on: row.arrives_on.as_ref().map(Date::to_string),
            failure_code: row.failure_code,
            failure: row.failure,
            created_at: row.created_at,
        }
    }
}

/// The vendor's payouts, newest first
#[utoipa::path(get, path = "/vendor/payouts", tag = "vendor", operation_id = "listVendorPayouts", params(Page),
    responses((status = 200, body = List<VendorPayout>), (status = 403)), security(("bearer" = []), ("session" = [])))]
pub async fn list(
    State(app): State<App>,
    vendor: Owner,
    Params(page): Params<Page>,
) -> Result<Json<List<VendorPayout>>, AppError> {
    const NAME: &str = "vendor payouts";
    let limit = page.limit()?;
    let rows = queries::own_payouts(&app.pool, &vendor, page.position(&app, NAME)?, limit + 1).await?;
    List::page(&app, NAME, limit, rows, |p| (p.created_at, p.id), VendorPayout::of).map(Json)
}
