//! Stripe as this slice needs it: the entries of its balances, and what they hold.

use crate::{money::Currency, payments::GatewayError, server::state::App};
use stripe::StripeRequest;
use stripe_core::{balance::RetrieveForMyAccountBalance, balance_transaction::ListBalanceTransaction};
use stripe_shared::{AccountId, BalanceTransaction, BalanceTransactionSource};
use stripe_types::{Expandable, RangeBoundsTs, RangeQueryTs};
use time::OffsetDateTime;

type Result<T> = std::result::Result<T, GatewayError>;

/// Of which of our tables a row moved it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touches {
    Payment,
    Refund,
    Dispute,
    Transfer,
    TransferReversal,
    Payout,
}

impl Touches {
    /// As the cause is called in the books.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Transfer => "transfer",
            Self::TransferReversal => "transfer_reversal",
            Self::Payout => "payout",
        }
    }
}

/// One entry of a balance, in our words.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: String,
    pub kind: String,
    /// What it moves besides the fee.
    pub amount_minor: i64,
    /// Above zero: Stripe keeps it.
    pub fee_minor: i64,
    /// Upper case, as we write it.
    pub currency: String,
    /// What moved it, and Stripe's id of that as our row would know it.
    pub source: Option<(Touches, String)>,
    pub description: String,
    pub created_at: OffsetDateTime,
}

impl From<BalanceTransaction> for Entry {
    fn from(entry: BalanceTransaction) -> Self {
        let kind = entry.type_.as_str().to_owned();
        // Of these the amount itself is a fee.
        let only_fee = matches!(kind.as_str(), "stripe_fee" | "stripe_fx_fee" | "tax_fee");
        let (amount_minor, fee_minor) = if only_fee { (0, entry.fee - entry.amount) } else { (entry.amount, entry.fee) };
        Self {
            amount_minor,
            fee_minor,
            currency: entry.currency.to_string().to_uppercase(),
            source: entry.source.as_ref().and_then(source),
            description: entry.description.unwrap_or_default().chars().filter(|c| !c.is_control()).take(300).collect(),
            created_at: OffsetDateTime::from_unix_timestamp(entry.created).unwrap_or_else(|_| OffsetDateTime::now_utc()),
            id: entry.id.to_string(),
            kind,
        }
    }
}

/// A charge is known to us by its PaymentIntent, and at a vendor's account by the transfer that it is; a refund there by the reversal.
fn source(source: &Expandable<BalanceTransactionSource>) -> Option<(Touches, String)> {
    match source.as_object()? {
        BalanceTransactionSource::Charge(charge) => match (&charge.payment_intent, &charge.source_transfer) {
            (_, Some(transfer)) => Some((Touches::Transfer, transfer.id().to_string())),
            (Some(intent), None) => Some((Touches::Payment, intent.id().to_string())),
            (None, None) => None,
        },
        BalanceTransactionSource::Refund(refund) => match &refund.source_transfer_reversal {
            Some(reversal) => Some((Touches::TransferReversal, reversal.id().to_string())),
            None => Some((Touches::Refund, refund.id.to_string())),
        },
        BalanceTransactionSource::Dispute(dispute) => Some((Touches::Dispute, dispute.id.to_string())),
        BalanceTransactionSource::Transfer(transfer) => Some((Touches::Transfer, transfer.id.to_string())),
        BalanceTransactionSource::TransferReversal(reversal) => Some((Touches::TransferReversal, reversal.id.to_string())),
        BalanceTransactionSource::Payout(payout) => Some((Touches::Payout, payout.id.to_string())),
        _ => None,
    }
}

/// A page of entries of our balance (`""`) or of a vendor's account, the newest first: those from one moment on, and before another where
/// one is given. The flag says whether there are more after the last.
pub async fn entries(
    app: &App,
    account: &str,
    from: OffsetDateTime,
    before: Option<OffsetDateTime>,
    after: Option<&str>,
) -> Result<(Vec<Entry>, bool)> {
    let between =
        RangeBoundsTs { gte: Some(from.unix_timestamp()), lt: before.map(OffsetDateTime::unix_timestamp), ..Default::default() };
    let mut list =
        ListBalanceTransaction::new().created(RangeQueryTs::Bounds(between)).limit(100).expand(vec!["data.source".to_owned()]);
    if let Some(after) = after {
        list = list.starting_after(after);
    }
    let mut list = list.customize();
    if !account.is_empty() {
        list = list.account_id(AccountId::from(account));
    }
    let page = list.send(&app.stripe).await?;
    Ok((page.data.into_iter().map(Entry::from).collect(), page.has_more))
}

/// What Stripe holds for us in a currency: what can be spent, and what is on its way to be.
pub async fn held(app: &App, currency: Currency) -> Result<i64> {
    let balance = RetrieveForMyAccountBalance::new().send(&app.stripe).await?;
    let ours = balance.available.iter().chain(&balance.pending);
    Ok(ours.filter(|a| a.currency.to_string().eq_ignore_ascii_case(currency.code())).map(|a| a.amount).sum())
}
