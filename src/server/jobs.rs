//! Work for later, in PostgreSQL: enqueued in the business transaction, taken with `for update skip locked`, leased so
//! that a killed node's work is taken over, retried with backoff.

use super::state::App;
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// What can be done later. A new kind is a variant here and an arm in [`run`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", content = "payload", rename_all = "snake_case")]
pub enum Job {
    /// Send one mail of the outbox.
    SendMail { mail: crate::ids::MailId },
    /// Handle one stored webhook event.
    HandleWebhook { event: String },
    /// Ask Stripe for a refund that is booked.
    Refund { refund: crate::ids::RefundId },
    /// Tell Stripe that nobody will pay this attempt any more.
    ExpireSession { payment: crate::ids::PaymentId },
    /// Bring a vendor's money at Stripe to where it should be.
    SettleVendor { vendor: crate::ids::VendorId },
    /// Ask Stripe for a payout that is booked.
    Payout { payout: crate::ids::PayoutId },
    /// Carry the evidence of a dispute to Stripe.
    SendEvidence { dispute: crate::ids::DisputeId },
    /// Compare the books with Stripe.
    Reconcile { run: crate::ids::ReconciliationId },
    /// Remove a deleted picture's objects from the store.
    DeletePicture { picture: crate::ids::PictureId },
    /// Write the invoices of a paid order.
    IssueInvoices { order: crate::ids::OrderId },
    /// Write the credit notes of a refund that succeeded.
    IssueCreditNotes { refund: crate::ids::RefundId },
    /// Write a vendor's commission invoice of a month that is over.
    IssueCommissionInvoice { vendor: crate::ids::VendorId, year: i32, month: u8 },
    /// Go on with a vendor's import for a few seconds.
    Import { import: crate::ids::ImportId },
}

impl Job {
    fn kind(&self) -> &'static str {
        match self {
            Job::SendMail { .. } => "send_mail",
            Job::HandleWebhook { .. } => "handle_webhook",
            Job::Refund { .. } => "refund",
            Job::ExpireSession { .. } => "expire_session",
            Job::SettleVendor { .. } => "settle_vendor",
            Job::Payout { .. } => "payout",
            Job::SendEvidence { .. } => "send_evidence",
            Job::Reconcile { .. } => "reconcile",
            Job::DeletePicture { .. } => "delete_picture",
            Job::IssueInvoices { .. } => "issue_invoices",
            Job::IssueCreditNotes { .. } => "issue_credit_notes",
            Job::IssueCommissionInvoice { .. } => "issue_commission_invoice",
            Job::Import { .. } => "import",
        }
    }
}

async fn run(app: &App, job: Job) -> anyhow::Result<()> {
    match job {
        Job::SendMail { mail } => super::mail::send(app, mail).await,
        Job::HandleWebhook { event } => crate::payments::webhook::handle(app, &event).await,
        Job::Refund { refund } => crate::payments::refund(app, refund).await,
        Job::ExpireSession { payment } => crate::payments::expire_session(app, payment).await,
        Job::SettleVendor { vendor } => crate::payouts::settle_vendor(app, vendor).await,
        Job::Payout { payout } => crate::payouts::payout(app, payout).await,
        Job::SendEvidence { dispute } => crate::disputes::send_evidence(app, dispute).await,
        Job::Reconcile { run } => crate::reconciliation::reconcile(app, run).await,
        Job::DeletePicture { picture } => crate::catalog::pictures::delete_objects(app, picture).await,
        Job::IssueInvoices { order } => crate::documents::issue_invoices(app, order).await,
        Job::IssueCreditNotes { refund } => crate::documents::issue_credit_notes(app, refund).await,
        Job::IssueCommissionInvoice { vendor, year, month } => {
            crate::documents::issue_commission_invoice(app, vendor, year, month).await
        }
        Job::Import { import } => crate::imports::go_on(app, import).await,
    }
}

/// Puts a job into the queue, in the caller's transaction. Two queued jobs never share a `key`.
pub async fn enqueue(db: impl PgExecutor<'_>, job: &Job, key: Option<&str>) -> sqlx::Result<()> {
    let payload = serde_json::to_value(job).map_err(|e| sqlx::Error::Encode(e.into()))?;
    sqlx::query!(
        "insert into jobs (kind, payload, key) values ($1, $2, $3) on conflict (key) where state = 'queued' do nothing",
        job.kind(),
        payload,
        key
    )
    .execute(db)
    .await?;
    Ok(())
}

const LEASE: Duration = Duration::from_secs(120);
/// How many jobs a node runs at a time: most of what they do is waiting for Stripe, a mail server or the database.
const AT_ONCE: usize = 4;
/// How often an empty queue is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// How long housekeeping rests.
const SWEEP: Duration = Duration::from_secs(10);

/// A job that is this node's until its lease ends.
struct Taken {
    id: i64,
    kind: String,
    payload: serde_json::Value,
    attempts: i32,
    max_attempts: i32,
}

async fn take(app: &App) -> sqlx::Result<Option<Taken>> {
    sqlx::query_as!(
        Taken,
        r#"update jobs set state = 'running', attempts = attempts + 1, lease_until = now() + make_interval(secs => $1)
           where id = (select id from jobs
                       where (state = 'queued' and run_at <= now()) or (state = 'running' and lease_until < now())
                       order by run_at limit 1 for update skip locked)
           returning id, kind, payload, attempts, max_attempts"#,
        LEASE.as_secs_f64()
    )
    .fetch_optional(&app.pool)
    .await
}

async fn perform(app: &App, taken: Taken) -> sqlx::Result<()> {
    let span = tracing::error_span!("job", job = taken.id, kind = taken.kind);
    let outcome = match serde_json::from_value::<Job>(taken.payload) {
        Ok(job) => tokio::time::timeout(LEASE, run(app, job))
            .instrument(span.clone())
            .await
            .unwrap_or_else(|_| Err(anyhow::anyhow!("took longer than its lease"))),
        Err(error) => Err(error.into()),
    };
    app.live.wrote();
    match outcome {
        Ok(()) => {
            sqlx::query!("update jobs set state = 'done', finished_at = now(), last_error = null where id = $1", taken.id)
                .execute(&app.pool)
                .await?;
        }
        Err(error) => {
            let last = taken.attempts >= taken.max_attempts;
            tracing::warn!(parent: &span, attempt = taken.attempts, error = format!("{error:#}"), "job failed");
            // 2, 4, 8 ... seconds, at most an hour
            let wait = f64::from(1u32 << taken.attempts.clamp(1, 12).unsigned_abs()).min(3600.0);
            sqlx::query!(
                "update jobs set state = case when $2 then 'failed' else 'queued' end, last_error = $3,
                        run_at = now() + make_interval(secs => $4), finished_at = case when $2 then now() end,
                        -- a retry that would clash with a newer job of the same key gives its key up
                        key = case when exists (select 1 from jobs j where j.key = jobs.key and j.id <> jobs.id and j.state = 'queued') then null else key end
                 where id = $1",
                taken.id,
                last,
                format!("{error:#}"),
                wait
            )
            .execute(&app.pool)
            .await?;
        }
    }
    Ok(())
}

/// Runs everything that is due now, one after the other; tests call it instead of waiting. Returns how many jobs ran.
pub async fn drain(app: &App) -> sqlx::Result<usize> {
    let mut done = 0;
    while let Some(taken) = take(app).await? {
        perform(app, taken).await?;
        done += 1;
    }
    Ok(done)
}

/// The worker: due jobs at once, several at a time, and housekeeping beside them, until cancelled; what runs then runs to its end.
/// Several nodes may run it.
pub async fn work(app: App, stop: CancellationToken) {
    tokio::join!(run_due(&app, &stop), housekeeping(&app, &stop));
}

async fn run_due(app: &App, stop: &CancellationToken) {
    let mut running = JoinSet::new();
    while !stop.is_cancelled() {
        if running.len() == AT_ONCE {
            over(running.join_next().await);
        }
        match take(app).await {
            Ok(Some(taken)) => {
                let app = app.clone();
                running.spawn(async move { perform(&app, taken).await });
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the job queue cannot be read"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
        while let Some(ended) = running.try_join_next() {
            over(Some(ended));
        }
    }
    while let Some(ended) = running.join_next().await {
        over(Some(ended));
    }
}

/// What could not be written down is taken over when its lease ends.
fn over(ended: Option<Result<sqlx::Result<()>, JoinError>>) {
    match ended {
        Some(Err(error)) => tracing::error!(%error, "a job broke off"),
        Some(Ok(Err(error))) => tracing::warn!(%error, "what became of a job could not be written down"),
        Some(Ok(Ok(()))) | None => {}
    }
}

async fn housekeeping(app: &App, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        sweep(app).await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(SWEEP) => {}
        }
    }
}

/// Housekeeping: unpaid orders expire, open payments are asked about, the books are caught up with, old rows go.
pub async fn sweep(app: &App) {
    let log = |what: &str, result: anyhow::Result<()>| {
        if let Err(error) = result {
            tracing::warn!(error = format!("{error:#}"), "{what} failed; it is tried again");
        }
    };
    log("sweeping payments", crate::payments::sweep(app).await);
    log("keeping the books", crate::ledger::sweep(app).await);
    log("releasing and paying out", crate::payouts::sweep(app, time::OffsetDateTime::now_utc()).await);
    log("asking about disputes", crate::disputes::sweep(app).await);
    log("the nightly reconciliation", crate::reconciliation::nightly(app, time::OffsetDateTime::now_utc()).await);
    log("putting back what stands aside", crate::checkout::rush::sweep(app).await);
    log("beginning and ending holidays", crate::vendors::holiday::sweep(app).await);
    log("closing months", crate::documents::close_months(app, time::OffsetDateTime::now_utc()).await);
    log("forgetting old imports", crate::imports::sweep(app).await);
    log("chaining the audit log", crate::audit::chain(&app.pool).await.map(drop));
    log("beginning and ending promotions", crate::promotions::sweep(app).await);
    log("adding up figures", crate::figures::sweep(app).await);
    log("tidying", tidy(app).await);
}

async fn tidy(app: &App) -> anyhow::Result<()> {
    sqlx::query!("delete from sessions where expires_at < now()").execute(&app.pool).await?;
    sqlx::query!("delete from sign_in_failures where failed_at < now() - interval '1 day'").execute(&app.pool).await?;
    sqlx::query!("delete from idempotency_keys where created_at < now() - interval '24 hours'").execute(&app.pool).await?;
    sqlx::query!("delete from jobs where state = 'done' and finished_at < now() - interval '7 days'").execute(&app.pool).await?;
    sqlx::query!("delete from carts where user_id is null and updated_at < now() - interval '60 days'")
        .execute(&app.pool)
        .await?;
    crate::live::hub::tidy(&app.pool).await?;
    Ok(())
}
