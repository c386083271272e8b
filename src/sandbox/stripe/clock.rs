//! The sandbox's clock: the machine's, moved forward as far as the operator asked. Whatever in the sandbox depends on time reads it
//! through `ids::now`, and what its passing brings about (a payout arrives, a session expires) happens here.

use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::PgPool;

use super::error::ApiError;
use super::store::{self, Stored};
use super::{Sandbox, disputes, expiry, ids, payouts, refunds};

tokio::task_local! {
    static AHEAD: i64;
}

/// How many things follow from each other in one move of the clock at most: a payout is handed to the bank and then arrives.
const ROUNDS: usize = 10;
/// A hundred years.
const FURTHEST: i64 = 100 * 365 * 86_400;

/// Seconds by which the clock of the sandbox that is at work here is ahead of the machine's.
pub fn ahead() -> i64 {
    AHEAD.try_with(|ahead| *ahead).unwrap_or(0)
}

/// How far the clock has been moved.
pub async fn load(pool: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar("select clock_ahead_s from stripe_sandbox.controls").fetch_one(pool).await
}

/// Looks every second, for ever. Ends when its task is aborted.
pub async fn run(sandbox: Sandbox) {
    loop {
        if let Err(error) = tick(&sandbox).await {
            tracing::warn!(%error, "the Stripe sandbox could not look at its clock");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn tick(sandbox: &Sandbox) -> sqlx::Result<()> {
    // another program may have moved it
    sandbox.ahead.store(load(&sandbox.pool).await?, Ordering::Relaxed);
    sandbox.in_its_time(catch_up(sandbox)).await?;
    sqlx::query("delete from stripe_sandbox.idempotency where created_at < now() - interval '24 hours'")
        .execute(&sandbox.pool)
        .await?;
    Ok(())
}

impl Sandbox {
    /// Does something at the sandbox's own time.
    pub(super) async fn in_its_time<F: Future>(&self, work: F) -> F::Output {
        AHEAD.scope(self.ahead.load(Ordering::Relaxed), work).await
    }

    /// Seconds since 1970 by the sandbox's clock.
    pub async fn now(&self) -> i64 {
        self.in_its_time(async { ids::now() }).await
    }

    /// Moves the clock forward, and lets everything happen that has come due. Answers how far it is ahead of the machine's now.
    pub async fn advance(&self, seconds: i64) -> Result<i64, String> {
        if seconds < 0 {
            return Err("The clock only moves forward.".into());
        }
        let moved = "update stripe_sandbox.controls set clock_ahead_s = least(clock_ahead_s + $1, $2) returning clock_ahead_s";
        let moved = sqlx::query_scalar(moved).bind(seconds.min(FURTHEST)).bind(FURTHEST).fetch_one(&self.pool);
        let done = async {
            let ahead = moved.await?;
            self.ahead.store(ahead, Ordering::Relaxed);
            self.in_its_time(catch_up(self)).await?;
            Ok::<_, sqlx::Error>(ahead)
        };
        done.await.map_err(|error| ApiError::from(error).message)
    }
}

/// Lets happen what is due, and what comes due by that.
async fn catch_up(sandbox: &Sandbox) -> sqlx::Result<()> {
    expiry::expire_due(sandbox).await?;
    for _ in 0..ROUNDS {
        if fire_due(sandbox).await? == 0 {
            break;
        }
    }
    Ok(())
}

/// Fires what is due, one object per transaction. Answers how many did something.
async fn fire_due(sandbox: &Sandbox) -> sqlx::Result<usize> {
    let due: Vec<(String, String)> =
        sqlx::query_as("select id, kind from stripe_sandbox.objects where due_at <= $1 order by due_at limit 1000")
            .bind(ids::now())
            .fetch_all(&sandbox.pool)
            .await?;
    let mut fired = 0;
    for (id, kind) in &due {
        match fire(sandbox, id, kind).await {
            Ok(()) => fired += 1,
            Err(error) => tracing::warn!(%id, error = %error.message, "the Stripe sandbox could not do what was due"),
        }
    }
    if fired > 0 {
        sandbox.wake.notify_one();
    }
    Ok(fired)
}

async fn fire(sandbox: &Sandbox, id: &str, kind: &str) -> Result<(), ApiError> {
    let cause = sandbox.page_cause();
    let mut tx = sandbox.pool.begin().await?;
    match kind {
        "refund" => refunds::on_time(&mut tx, &cause, id).await?,
        "payout" => payouts::on_time(&mut tx, &cause, id).await?,
        "dispute" => disputes::on_time(&mut tx, &cause, id).await?,
        _ => {
            // nothing follows by itself here
            let mut object = store::lock(&mut tx, kind, id, "id").await?;
            plan(&mut object, None);
            store::save(&mut tx, &object).await?;
        }
    }
    Ok(tx.commit().await?)
}

/// Notes when Stripe does by itself what comes next; none: nothing does.
pub fn plan(object: &mut Stored, at: Option<i64>) {
    object.hidden["due_at"] = at.into();
}

/// True if what comes next is due by now.
pub fn is_due(object: &Stored) -> bool {
    object.due_at().is_some_and(|at| at <= ids::now())
}
