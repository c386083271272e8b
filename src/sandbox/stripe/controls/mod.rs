//! What a developer may do to the sandbox: disturb its webhooks, make its API fail, act as if from Stripe's dashboard.
//! The functions here serve the control page of the shop and the addresses under `/_sandbox` alike.

pub mod json;
mod money;
mod money_pages;
mod pages;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::postgres::PgRow;
use sqlx::{Executor, PgPool, Postgres, Row};

use super::payments;
use super::refunds::{self, RefundRequest};
use super::{Sandbox, deliveries, store};

pub use super::refunds::RefundEnd;
pub use money::{Money, PayoutOutcome};
pub use pages::controls_router;

/// The disturbances that are switched on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Controls {
    /// webhooks leave so many milliseconds late
    pub webhook_delay_ms: i64,
    /// so many extra copies of each webhook
    pub webhook_repeat: i32,
    /// so many of the next events are never sent; -1 means all
    pub webhook_drop: i32,
    /// webhooks are collected for a moment and sent in another order
    pub webhook_reorder: bool,
    /// so many of the next API requests are answered 500 without being carried out
    pub api_fail: i32,
    /// API answers come so many milliseconds late, after the work is done
    pub api_hang_ms: i64,
    /// new sessions offer the slow bank debit of their currency beside cards
    pub bank_debit: bool,
    /// days until the money of a card payment can be spent; 0: at once
    pub settle_days: i32,
}

impl Controls {
    /// Reads the switches within a transaction.
    pub(super) async fn read<'e>(executor: impl Executor<'e, Database = Postgres>) -> sqlx::Result<Self> {
        let row = sqlx::query("select * from stripe_sandbox.controls").fetch_one(executor).await?;
        Self::of(&row)
    }

    /// Reads the switches.
    pub async fn load(pool: &PgPool) -> sqlx::Result<Self> {
        Self::read(pool).await
    }

    fn of(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            webhook_delay_ms: row.try_get("webhook_delay_ms")?,
            webhook_repeat: row.try_get("webhook_repeat")?,
            webhook_drop: row.try_get("webhook_drop")?,
            webhook_reorder: row.try_get("webhook_reorder")?,
            api_fail: row.try_get("api_fail")?,
            api_hang_ms: row.try_get("api_hang_ms")?,
            bank_debit: row.try_get("bank_debit")?,
            settle_days: row.try_get("settle_days")?,
        })
    }

    /// The switches with every number brought into its bounds.
    fn bounded(&self) -> Self {
        Self {
            webhook_delay_ms: self.webhook_delay_ms.clamp(0, 3_600_000),
            webhook_repeat: self.webhook_repeat.clamp(0, 20),
            webhook_drop: self.webhook_drop.clamp(-1, 100_000),
            webhook_reorder: self.webhook_reorder,
            api_fail: self.api_fail.clamp(0, 100_000),
            api_hang_ms: self.api_hang_ms.clamp(0, 600_000),
            bank_debit: self.bank_debit,
            settle_days: self.settle_days.clamp(0, 30),
        }
    }

    /// Takes one of the failures that were asked for, if any is left.
    pub(super) async fn take_failure(pool: &PgPool) -> sqlx::Result<bool> {
        let taken =
            sqlx::query("update stripe_sandbox.controls set api_fail = api_fail - 1 where api_fail > 0").execute(pool).await?;
        Ok(taken.rows_affected() > 0)
    }
}

/// A webhook as the control page shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    pub id: i64,
    pub event: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// pending, held, delivered, failed, dropped
    pub state: String,
    pub attempts: i32,
    pub status: Option<i32>,
    pub error: Option<String>,
    /// seconds since 1970
    pub created: i64,
}

/// A payment as the control page shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Payment {
    pub session: Value,
    pub charge: Option<Value>,
}

/// What every payment intent was charged less what went back, in minor units: Stripe's side of the books.
pub async fn charged(pool: &PgPool) -> sqlx::Result<HashMap<String, i64>> {
    sqlx::query_as(
        "select payment_intent, sum((doc->>'amount_captured')::bigint - (doc->>'amount_refunded')::bigint)::bigint
         from stripe_sandbox.objects where kind = 'charge' and payment_intent is not null group by 1",
    )
    .fetch_all(pool)
    .await
    .map(|rows: Vec<(String, i64)>| rows.into_iter().collect())
}

/// What every payment intent has moved on the platform's balance, in minor units: what came in, less Stripe's fee and what went back.
pub async fn moved(pool: &PgPool) -> sqlx::Result<HashMap<String, i64>> {
    sqlx::query_as(
        "select o.payment_intent, sum(b.net)::bigint from stripe_sandbox.objects b
         join stripe_sandbox.objects o on o.id = b.doc->>'source' and o.kind in ('charge', 'refund')
         where b.kind = 'balance_transaction' and b.owner = '' and o.payment_intent is not null group by 1",
    )
    .fetch_all(pool)
    .await
    .map(|rows: Vec<(String, i64)>| rows.into_iter().collect())
}

impl Sandbox {
    pub async fn controls(&self) -> sqlx::Result<Controls> {
        Controls::load(&self.pool).await
    }

    /// Sets all switches at once; numbers out of bounds are brought into them.
    pub async fn set_controls(&self, controls: &Controls) -> sqlx::Result<Controls> {
        let c = controls.bounded();
        sqlx::query(
            "update stripe_sandbox.controls set webhook_delay_ms = $1, webhook_repeat = $2, webhook_drop = $3, webhook_reorder = $4,
                 api_fail = $5, api_hang_ms = $6, bank_debit = $7, settle_days = $8",
        )
        .bind(c.webhook_delay_ms)
        .bind(c.webhook_repeat)
        .bind(c.webhook_drop)
        .bind(c.webhook_reorder)
        .bind(c.api_fail)
        .bind(c.api_hang_ms)
        .bind(c.bank_debit)
        .bind(c.settle_days)
        .execute(&self.pool)
        .await?;
        Ok(c)
    }

    /// The newest webhooks first.
    pub async fn deliveries(&self, limit: i64) -> sqlx::Result<Vec<Delivery>> {
        sqlx::query(
            "select d.id, d.event_id, e.type, d.state, d.attempts, d.status, d.error, extract(epoch from d.created_at)::bigint as created
             from stripe_sandbox.deliveries d join stripe_sandbox.events e on e.id = d.event_id order by d.id desc limit $1",
        )
        .bind(limit.clamp(1, 1000))
        .fetch_all(&self.pool)
        .await?
        .iter()
        .map(|row| {
            Ok(Delivery {
                id: row.try_get("id")?,
                event: row.try_get("event_id")?,
                kind: row.try_get("type")?,
                state: row.try_get("state")?,
                attempts: row.try_get("attempts")?,
                status: row.try_get("status")?,
                error: row.try_get("error")?,
                created: row.try_get("created")?,
            })
        })
        .collect()
    }

    /// Sends an event once more, whatever became of it before. False: there is no such event.
    pub async fn redeliver(&self, event: &str) -> sqlx::Result<bool> {
        let made =
            sqlx::query("insert into stripe_sandbox.deliveries (event_id) select id from stripe_sandbox.events where id = $1")
                .bind(store::bindable(event))
                .execute(&self.pool)
                .await?;
        self.wake.notify_one();
        Ok(made.rows_affected() > 0)
    }

    /// Lets the collected webhooks go now, in another order than they came. Answers how many.
    pub async fn release_held(&self) -> sqlx::Result<usize> {
        let released = deliveries::release_held(&self.pool, true).await?;
        self.wake.notify_one();
        Ok(released)
    }

    /// Refunds a payment as a person in Stripe's dashboard would: nobody at the shop asked for it.
    pub async fn refund_from_dashboard(&self, payment_intent: &str, amount: Option<i64>) -> Result<Value, String> {
        self.told(async {
            let mut tx = self.pool.begin().await?;
            let intent = store::load(&mut tx, "payment_intent", payment_intent, "payment_intent").await?;
            let request = RefundRequest { amount, reason: Some("requested_by_customer".into()), metadata: json!({}) };
            let made = refunds::refund(&mut tx, &self.page_cause(), intent.text("latest_charge"), request).await?;
            tx.commit().await?;
            Ok(made.doc)
        })
        .await
    }

    /// Lets the bank answer a slow debit.
    pub async fn end_debit(&self, session: &str, paid: bool) -> Result<(), String> {
        self.told(async {
            let mut tx = self.pool.begin().await?;
            payments::end_debit(&mut tx, &self.page_cause(), session, paid).await?;
            Ok(tx.commit().await?)
        })
        .await
    }

    /// Lets the time of an open session be over in so many seconds; Stripe's API itself allows no less than half an hour.
    pub async fn expire_in(&self, session: &str, seconds: i64) -> Result<Value, String> {
        self.told(async {
            let mut tx = self.pool.begin().await?;
            let mut found = store::lock(&mut tx, "checkout.session", session, "session").await?;
            found.doc["expires_at"] = json!(super::ids::now() + seconds.clamp(0, 86_400));
            store::save(&mut tx, &found).await?;
            tx.commit().await?;
            Ok(found.doc)
        })
        .await
    }

    /// The newest sessions with their latest charge.
    pub async fn payments(&self, limit: i64) -> sqlx::Result<Vec<Payment>> {
        sqlx::query(
            "select s.doc as session, c.doc as charge from stripe_sandbox.objects s
             left join stripe_sandbox.objects i on i.id = s.payment_intent
             left join stripe_sandbox.objects c on c.id = i.doc->>'latest_charge'
             where s.kind = 'checkout.session' order by s.seq desc limit $1",
        )
        .bind(limit.clamp(1, 1000))
        .fetch_all(&self.pool)
        .await?
        .iter()
        .map(|row| Ok(Payment { session: row.try_get("session")?, charge: row.try_get("charge")? }))
        .collect()
    }
}
