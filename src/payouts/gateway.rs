//! Stripe as this slice needs it: accounts of vendors, transfers there and back, and payouts, which belong to those accounts.

use crate::{
    ids::{PayoutId, TransferId, TransferReversalId, VendorId},
    money::Currency,
    payments::{GatewayError, idempotent},
    server::state::App,
};
use std::{collections::HashMap, time::Duration};
use stripe::StripeRequest;
use stripe_connect::{
    account::{
        CreateAccount, CreateAccountBusinessProfile, CreateAccountCapabilities, CreateAccountCapabilitiesTransfers,
        CreateAccountSettings, CreateAccountSettingsPayouts, CreateAccountSettingsPayoutsSchedule,
        CreateAccountSettingsPayoutsScheduleInterval, CreateAccountType, RetrieveAccount,
    },
    account_link::{CreateAccountLink, CreateAccountLinkType},
    login_link::CreateAccountLoginLink,
    transfer::CreateTransfer,
    transfer_reversal::CreateIdTransferReversal,
};
use stripe_core::{
    balance::RetrieveForMyAccountBalance,
    payout::{CreatePayout, RetrievePayout},
};
use stripe_shared::{AccountId, ExternalAccount};
use time::{Date, OffsetDateTime};

type Result<T> = std::result::Result<T, GatewayError>;

/// A person waits for these.
const PATIENCE: Duration = Duration::from_secs(12);

/// A vendor's account in our words.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: String,
    /// Our vendor, from the metadata; `None` for an account that is not ours.
    pub vendor: Option<VendorId>,
    pub charges_enabled: bool,
    pub payouts_enabled: bool,
    pub details_submitted: bool,
    /// What is due now or late, in Stripe's words.
    pub requirements_due: Vec<String>,
    pub disabled_reason: Option<String>,
    /// Where payouts go: Stripe's id, and what its owner knows it by.
    pub bank: Option<(String, String)>,
}

impl From<stripe_shared::Account> for Account {
    fn from(account: stripe_shared::Account) -> Self {
        let requirements = account.requirements;
        let mut due: Vec<String> = Vec::new();
        for list in requirements.iter().flat_map(|r| [r.past_due.as_ref(), r.currently_due.as_ref()]).flatten() {
            due.extend(list.iter().filter(|code| !due.contains(code)).cloned().collect::<Vec<_>>());
        }
        let bank = account.external_accounts.and_then(|list| {
            let mut banks: Vec<_> = list
                .data
                .into_iter()
                .map(|a| match a {
                    ExternalAccount::BankAccount(b) => {
                        let name = b.bank_name.unwrap_or_else(|| "Bank account".into());
                        (b.default_for_currency == Some(true), b.id.to_string(), format!("{name}, ending in {}", b.last4))
                    }
                    ExternalAccount::Card(c) => {
                        (c.default_for_currency == Some(true), c.id.to_string(), format!("{}, ending in {}", c.brand, c.last4))
                    }
                })
                .collect();
            banks.sort_by_key(|(default, ..)| !default);
            banks.into_iter().next().map(|(_, id, name)| (id, name))
        });
        Self {
            vendor: account.metadata.as_ref().and_then(|m| m.get("vendor_id")).and_then(|id| id.parse().ok()),
            charges_enabled: account.charges_enabled.unwrap_or_default(),
            payouts_enabled: account.payouts_enabled.unwrap_or_default(),
            details_submitted: account.details_submitted.unwrap_or_default(),
            requirements_due: due,
            disabled_reason: requirements.and_then(|r| r.disabled_reason).map(|r| r.as_str().to_owned()),
            bank,
            id: account.id.to_string(),
        }
    }
}

/// What a vendor's account is asked for with; from a frozen row, so that a repeat says the same.
pub struct NewAccount {
    pub vendor: VendorId,
    pub country: String,
    pub email: String,
    pub idempotency_key: String,
}

/// Makes a vendor's account, or finds the one that was made with the same key. Stripe pays out nothing by itself: we say when.
pub async fn create_account(app: &App, new: NewAccount) -> Result<Account> {
    let mut transfers = CreateAccountCapabilitiesTransfers::new();
    transfers.requested = Some(true);
    let mut capabilities = CreateAccountCapabilities::new();
    capabilities.transfers = Some(transfers);
    let mut schedule = CreateAccountSettingsPayoutsSchedule::new();
    schedule.interval = Some(CreateAccountSettingsPayoutsScheduleInterval::Manual);
    let mut payouts = CreateAccountSettingsPayouts::new();
    payouts.schedule = Some(schedule);
    let mut settings = CreateAccountSettings::new();
    settings.payouts = Some(payouts);
    let mut profile = CreateAccountBusinessProfile::new();
    profile.product_description = Some("Goods sold on a marketplace".into());
    let account = CreateAccount::new()
        .type_(CreateAccountType::Express)
        .country(new.country)
        .email(new.email)
        .business_profile(profile)
        .capabilities(capabilities)
        .settings(settings)
        .metadata(HashMap::from([("vendor_id".to_owned(), new.vendor.to_string())]))
        .customize()
        .request_strategy(idempotent(&new.idempotency_key)?)
        .timeout(PATIENCE)
        .send(&app.stripe)
        .await?;
    Ok(account.into())
}

pub async fn account(app: &App, id: &str) -> Result<Account> {
    Ok(RetrieveAccount::new(AccountId::from(id)).send(&app.stripe).await?.into())
}

/// The address of Stripe's onboarding, good once and for minutes.
pub async fn onboarding_url(app: &App, account: &str, refresh: &str, back: &str) -> Result<String> {
    let link = CreateAccountLink::new(account, CreateAccountLinkType::AccountOnboarding)
        .refresh_url(refresh)
        .return_url(back)
        .customize()
        .timeout(PATIENCE)
        .send(&app.stripe)
        .await?;
    Ok(link.url)
}

/// The address of the vendor's own pages at Stripe, good once and for minutes.
pub async fn dashboard_url(app: &App, account: &str) -> Result<String> {
    let link = CreateAccountLoginLink::new(AccountId::from(account)).customize().timeout(PATIENCE).send(&app.stripe).await?;
    Ok(link.url)
}

/// Everything that a transfer is made from; of a frozen row.
pub struct NewTransfer<'a> {
    pub id: TransferId,
    pub account: &'a str,
    pub amount_minor: i64,
    pub currency: Currency,
    /// Empty: none.
    pub group: &'a str,
    pub idempotency_key: &'a str,
}

/// Asks for a transfer; the key makes a repeat the same transfer. Answers Stripe's id.
pub async fn transfer(app: &App, new: NewTransfer<'_>) -> Result<String> {
    let Ok(currency) = new.currency.code().to_lowercase().parse::<stripe_types::Currency>();
    let mut ask = CreateTransfer::new(currency, new.account)
        .amount(new.amount_minor)
        .metadata(HashMap::from([("transfer_id".to_owned(), new.id.to_string())]));
    if !new.group.is_empty() {
        ask = ask.transfer_group(new.group);
    }
    let made = ask.customize().request_strategy(idempotent(new.idempotency_key)?).send(&app.stripe).await?;
    Ok(made.id.to_string())
}

/// Asks for a part of a transfer back. Answers Stripe's id.
pub async fn reverse(app: &App, id: TransferReversalId, transfer: &str, amount_minor: i64, key: &str) -> Result<String> {
    let made = CreateIdTransferReversal::new(stripe_shared::TransferId::from(transfer))
        .amount(amount_minor)
        .metadata(HashMap::from([("transfer_reversal_id".to_owned(), id.to_string())]))
        .customize()
        .request_strategy(idempotent(key)?)
        .send(&app.stripe)
        .await?;
    Ok(made.id.to_string())
}

/// What can be paid out of an account now, in minor units of this currency.
pub async fn available(app: &App, account: &str, currency: Currency) -> Result<i64> {
    let balance = RetrieveForMyAccountBalance::new().customize().account_id(AccountId::from(account)).send(&app.stripe).await?;
    let ours = balance.available.iter().filter(|a| a.currency.to_string().eq_ignore_ascii_case(currency.code()));
    Ok(ours.map(|a| a.amount).sum())
}

/// How a payout stands at Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayoutStanding {
    OnItsWay,
    Paid,
    /// It did not arrive, or was called off, or came back.
    Failed,
}

/// A payout in our words.
#[derive(Debug, Clone)]
pub struct Payout {
    pub id: String,
    /// Our booking, from the metadata; `None` when it was made elsewhere.
    pub booked: Option<PayoutId>,
    pub standing: PayoutStanding,
    pub arrives_on: Option<Date>,
    pub failure_code: Option<String>,
    pub failure: Option<String>,
}

impl From<stripe_shared::Payout> for Payout {
    fn from(payout: stripe_shared::Payout) -> Self {
        let standing = match payout.status.as_str() {
            "paid" => PayoutStanding::Paid,
            "failed" | "canceled" => PayoutStanding::Failed,
            _ => PayoutStanding::OnItsWay,
        };
        let called_off = (payout.status == "canceled").then(|| "It was called off at Stripe.".to_owned());
        Self {
            id: payout.id.to_string(),
            booked: payout.metadata.as_ref().and_then(|m| m.get("payout_id")).and_then(|id| id.parse().ok()),
            standing,
            arrives_on: OffsetDateTime::from_unix_timestamp(payout.arrival_date).ok().map(OffsetDateTime::date),
            failure_code: payout.failure_code.or_else(|| called_off.is_some().then(|| "canceled".to_owned())),
            failure: payout.failure_message.or(called_off),
        }
    }
}

/// Everything that a payout is made from; of a frozen row.
pub struct NewPayout<'a> {
    pub id: PayoutId,
    pub account: &'a str,
    pub amount_minor: i64,
    pub currency: Currency,
    pub idempotency_key: &'a str,
}

/// Asks for a payout to the account's bank; the key makes a repeat the same payout.
pub async fn pay_out(app: &App, new: NewPayout<'_>) -> Result<Payout> {
    let Ok(currency) = new.currency.code().to_lowercase().parse::<stripe_types::Currency>();
    let made = CreatePayout::new(new.amount_minor, currency)
        .metadata(HashMap::from([("payout_id".to_owned(), new.id.to_string())]))
        .customize()
        .account_id(AccountId::from(new.account))
        .request_strategy(idempotent(new.idempotency_key)?)
        .send(&app.stripe)
        .await?;
    Ok(made.into())
}

pub async fn payout(app: &App, account: &str, id: &str) -> Result<Payout> {
    let found = RetrievePayout::new(stripe_shared::PayoutId::from(id))
        .customize()
        .account_id(AccountId::from(account))
        .send(&app.stripe)
        .await?;
    Ok(found.into())
}
