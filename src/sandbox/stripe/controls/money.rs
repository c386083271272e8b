//! What a developer lets happen to money: shoppers dispute and banks decide, refunds come back, payouts arrive or do not.

use serde::Serialize;
use serde_json::Value;
use sqlx::Row;

use crate::sandbox::stripe::error::ApiError;
use crate::sandbox::stripe::payouts::{self, PayoutEnd};
use crate::sandbox::stripe::refunds::{self, RefundEnd};
use crate::sandbox::stripe::{Sandbox, accounts, banks, disputes, store};

/// What the control page shows of money that is under way, newest first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Money {
    pub accounts: Vec<Value>,
    pub refunds: Vec<Value>,
    pub disputes: Vec<Value>,
    pub payouts: Vec<Value>,
}

/// What becomes of a payout, in the words of the controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayoutOutcome {
    Paid,
    /// also after it was paid: the bank sends it back
    Failed,
    Canceled,
}

impl Sandbox {
    /// The shopper asks the bank for the money back. None: all that has not been refunded.
    pub async fn dispute(&self, payment_intent: &str, amount: Option<i64>, reason: Option<&str>) -> Result<Value, String> {
        let reason = reason.unwrap_or("fraudulent");
        if !disputes::REASONS.contains(&reason) {
            return Err(format!("There is no reason {reason} for a dispute: {}.", disputes::REASONS.join(", ")));
        }
        self.told(async {
            let mut tx = self.pool.begin().await?;
            let intent = store::load(&mut tx, "payment_intent", payment_intent, "payment_intent").await?;
            let made = disputes::open(&mut tx, &self.page_cause(), intent.text("latest_charge"), amount, reason).await?;
            tx.commit().await?;
            Ok(made.doc)
        })
        .await
    }

    /// The bank decides a dispute.
    pub async fn decide_dispute(&self, id: &str, won: bool) -> Result<Value, String> {
        self.told(async {
            let mut tx = self.pool.begin().await?;
            let made = disputes::decide(&mut tx, &self.page_cause(), id, won).await?;
            tx.commit().await?;
            Ok(made.doc)
        })
        .await
    }

    /// The bank settles a refund or sends it back, or somebody in the dashboard calls it off.
    pub async fn end_refund(&self, id: &str, end: RefundEnd) -> Result<Value, String> {
        self.told(async {
            let mut tx = self.pool.begin().await?;
            let made = refunds::end(&mut tx, &self.page_cause(), id, end).await?;
            tx.commit().await?;
            Ok(made.doc)
        })
        .await
    }

    /// The bank takes a payout, or sends it back: with a code of Stripe's, or `account_closed`.
    pub async fn end_payout(&self, id: &str, outcome: PayoutOutcome, code: Option<&str>) -> Result<Value, String> {
        let end = match outcome {
            PayoutOutcome::Paid => PayoutEnd::Paid,
            PayoutOutcome::Failed => PayoutEnd::Failed(banks::failure(code.unwrap_or("account_closed")).0),
            PayoutOutcome::Canceled => PayoutEnd::Canceled,
        };
        self.told(async {
            let mut tx = self.pool.begin().await?;
            let made = payouts::end(&mut tx, &self.page_cause(), id, end).await?;
            tx.commit().await?;
            Ok(made.doc)
        })
        .await
    }

    /// A person sells and is paid: what the onboarding page collects, said at once. `number` is a test number of a bank account
    /// in the United Kingdom; none: the one to which payouts arrive.
    pub async fn onboard(&self, account: &str, number: Option<&str>) -> Result<Value, String> {
        let bank =
            banks::Bank::new("GB", "gbp", "108800", number.unwrap_or("00012345")).map_err(|(_, message)| message.to_owned())?;
        let identity = serde_json::json!({
            "first_name": "Ada", "last_name": "Lovelace", "id_number": "1234567890",
            "address": { "line1": "12 St James’s Square", "city": "London", "postal_code": "SW1Y 4JH" },
        });
        self.told(async {
            let mut tx = self.pool.begin().await?;
            let mut account = store::lock(&mut tx, "account", account, "account").await?;
            let details = accounts::Details { business_type: "individual".into(), identity, bank: Some(bank) };
            accounts::onboard(&mut tx, &self.page_cause(), &mut account, details).await?;
            tx.commit().await?;
            Ok(account.doc)
        })
        .await
    }

    /// The money that is under way.
    pub async fn money(&self, limit: i64) -> sqlx::Result<Money> {
        let mut money = Money::default();
        let kinds = [
            ("account", &mut money.accounts),
            ("refund", &mut money.refunds),
            ("dispute", &mut money.disputes),
            ("payout", &mut money.payouts),
        ];
        for (kind, list) in kinds {
            let rows = sqlx::query(
                "select doc, owner from stripe_sandbox.objects where kind = $1 and ($1 <> 'refund' or owner = '') order by seq desc limit $2",
            )
            .bind(kind)
            .bind(limit.clamp(1, 1000))
            .fetch_all(&self.pool)
            .await?;
            for row in rows {
                let mut doc: Value = row.try_get("doc")?;
                if kind == "payout" {
                    doc["account"] = row.try_get::<String, _>("owner")?.into();
                }
                list.push(doc);
            }
        }
        Ok(money)
    }

    /// Waits for something that is done from outside the API, at the sandbox's own time. An error is the sentence to show.
    pub(super) async fn told<T>(&self, work: impl Future<Output = Result<T, ApiError>>) -> Result<T, String> {
        let done = self.in_its_time(work).await.map_err(|error| error.message)?;
        self.wake.notify_one();
        Ok(done)
    }
}
