//! Jobs, webhooks, and what is stuck.

use super::{PAGE, Rows};
use crate::{
    ids::{OrderId, VendorId},
    money::{Currency, Money},
    operator::Cursor,
    server::auth::Operator,
};
use sqlx::{PgExecutor, PgPool};
use time::OffsetDateTime;

/// A line of the list of jobs.
pub struct JobRow {
    pub id: i64,
    pub kind: String,
    pub payload: serde_json::Value,
    pub state: String,
    pub attempts: i32,
    pub max_attempts: i32,
    pub last_error: Option<String>,
    pub run_at: OffsetDateTime,
    pub created_at: OffsetDateTime,
}

pub async fn jobs(db: &PgPool, _proof: &Operator, state: Option<&str>, before: Option<i64>) -> sqlx::Result<Rows<JobRow>> {
    sqlx::query_as!(
        JobRow,
        "select id, kind, payload, state, attempts, max_attempts, last_error, run_at, created_at from jobs
         where ($1::text is null or state = $1) and ($2::bigint is null or id < $2) order by id desc limit $3",
        state,
        before,
        PAGE + 1
    )
    .fetch_all(db)
    .await
    .map(Rows::from)
}

/// Gives a job that was given up, or that waits for its next try, a fresh set of tries, now. `false` when it is neither.
pub async fn retry_job(db: impl PgExecutor<'_>, _proof: &Operator, id: i64) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update jobs set state = 'queued', run_at = now(), attempts = 0, finished_at = null,
                -- a job with the same key may have been queued since; this one then goes without
                key = case when exists (select 1 from jobs j where j.key = jobs.key and j.id <> jobs.id and j.state = 'queued')
                           then null else key end
         where id = $1 and (state = 'failed' or (state = 'queued' and attempts > 0))",
        id
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A line of the list of stored webhooks.
pub struct WebhookRow {
    pub id: String,
    pub kind: String,
    pub state: String,
    pub attempts: i32,
    pub deliveries: i32,
    pub last_error: Option<String>,
    pub received_at: OffsetDateTime,
}

pub async fn webhooks(
    db: &PgPool,
    _proof: &Operator,
    state: Option<&str>,
    after: Option<&Cursor<String>>,
) -> sqlx::Result<Rows<WebhookRow>> {
    sqlx::query_as!(
        WebhookRow,
        "select id, kind, state, attempts, deliveries, last_error, received_at from webhook_events
         where ($1::text is null or state = $1) and ($2::timestamptz is null or (received_at, id) < ($2, $3))
         order by received_at desc, id desc limit $4",
        state,
        after.map(|c| c.at),
        after.map(|c| c.id.as_str()),
        PAGE + 1
    )
    .fetch_all(db)
    .await
    .map(Rows::from)
}

/// A stored webhook with what Stripe sent.
pub struct WebhookDetail {
    pub id: String,
    pub kind: String,
    pub payload: String,
    pub state: String,
    pub attempts: i32,
    pub deliveries: i32,
    pub last_error: Option<String>,
    pub received_at: OffsetDateTime,
    pub handled_at: Option<OffsetDateTime>,
}

pub async fn webhook(db: &PgPool, _proof: &Operator, id: &str) -> sqlx::Result<Option<WebhookDetail>> {
    sqlx::query_as!(
        WebhookDetail,
        "select id, kind, payload, state, attempts, deliveries, last_error, received_at, handled_at from webhook_events where id = $1",
        id
    )
    .fetch_optional(db)
    .await
}

/// A shop that waits for a decision.
pub struct PendingVendor {
    pub id: VendorId,
    pub name: String,
    pub applied_at: OffsetDateTime,
}

/// A payment that ought to have ended and has not: the sweeper asks Stripe about it again and again, in vain.
pub struct StuckPayment {
    pub order_id: OrderId,
    pub number: i64,
    pub state: String,
    pub amount_minor: i64,
    pub currency: Currency,
    pub created_at: OffsetDateTime,
}

impl StuckPayment {
    pub fn amount(&self) -> Money {
        Money::new(self.amount_minor, self.currency)
    }
}

/// A refund that Stripe did not carry out.
pub struct FailedRefund {
    pub order_id: OrderId,
    pub number: i64,
    pub amount_minor: i64,
    pub currency: Currency,
    pub created_at: OffsetDateTime,
}

impl FailedRefund {
    pub fn amount(&self) -> Money {
        Money::new(self.amount_minor, self.currency)
    }
}

/// What needs a person, the oldest first, at most a page of each.
pub struct Inbox {
    pub vendors: Vec<PendingVendor>,
    pub webhooks: Vec<WebhookRow>,
    pub jobs: Vec<JobRow>,
    pub payments: Vec<StuckPayment>,
    pub refunds: Vec<FailedRefund>,
}

impl Inbox {
    pub fn is_empty(&self) -> bool {
        self.vendors.is_empty()
            && self.webhooks.is_empty()
            && self.jobs.is_empty()
            && self.payments.is_empty()
            && self.refunds.is_empty()
    }
}

pub async fn inbox(db: &PgPool, _proof: &Operator) -> sqlx::Result<Inbox> {
    let vendors = sqlx::query_as!(
        PendingVendor,
        r#"select id as "id: VendorId", name, applied_at from vendors where status = 'pending' order by applied_at limit $1"#,
        PAGE
    )
    .fetch_all(db);
    let webhooks = sqlx::query_as!(
        WebhookRow,
        "select id, kind, state, attempts, deliveries, last_error, received_at from webhook_events
         where state = 'failed' order by received_at limit $1",
        PAGE
    )
    .fetch_all(db);
    let jobs = sqlx::query_as!(
        JobRow,
        "select id, kind, payload, state, attempts, max_attempts, last_error, run_at, created_at from jobs
         where state = 'failed' order by id limit $1",
        PAGE
    )
    .fetch_all(db);
    // An hour past its end every honest payment has been settled or cancelled by the sweeper; a slow bank may take days.
    let payments = sqlx::query_as!(
        StuckPayment,
        r#"select o.id as "order_id: OrderId", o.number, p.state, p.amount_minor, p.currency as "currency: Currency", p.created_at
           from payments p join orders o on o.id = p.order_id
           where (p.state in ('opening', 'open') and p.expires_at < now() - interval '1 hour')
              or (p.state = 'processing' and p.created_at < now() - interval '7 days')
           order by p.created_at limit $1"#,
        PAGE
    )
    .fetch_all(db);
    let refunds = sqlx::query_as!(
        FailedRefund,
        r#"select o.id as "order_id: OrderId", o.number, r.amount_minor, p.currency as "currency: Currency", r.created_at
           from refunds r join payments p on p.id = r.payment_id join orders o on o.id = p.order_id
           where r.state = 'failed' order by r.created_at limit $1"#,
        PAGE
    )
    .fetch_all(db);
    let (vendors, webhooks, jobs, payments, refunds) = tokio::try_join!(vendors, webhooks, jobs, payments, refunds)?;
    Ok(Inbox { vendors, webhooks, jobs, payments, refunds })
}
