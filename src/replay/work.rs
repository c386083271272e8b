//! Waiting until Stripe and the shop have done what was asked of them. A replay runs due jobs itself meanwhile, as any node may.

use crate::server::{jobs, state::App};
use std::time::{Duration, Instant};

/// How long nothing may change before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(120);
const BREATH: Duration = Duration::from_millis(100);

/// Works and waits until refunds and payouts of the replay have their answers, Stripe's fees are known, and no event waits.
///
/// # Errors
/// When that does not come about, or the database does not answer.
pub async fn at_rest(app: &App) -> anyhow::Result<()> {
    let (mut left, mut since) = (i64::MAX, Instant::now());
    loop {
        jobs::drain(app).await?;
        let open = sqlx::query_scalar!(
            r#"with own as (
                   select p.id, p.stripe_fee_minor from payments p join orders o on o.id = p.order_id
                   where p.state in ('paid', 'surplus') and o.email like 'invoice-%@replay.example.com'
               )
               select (select count(*) from own where stripe_fee_minor is null)
                    + (select count(*) from refunds r join own on own.id = r.payment_id where r.state = 'pending')
                    + (select count(*) from payouts p join vendors v on v.id = p.vendor_id and v.slug like 'stall-__' where p.state = 'booked')
                    + (select count(*) from webhook_events where state = 'pending')
                    + (select count(*) from jobs where state in ('queued', 'running') and run_at <= now()) as "open!""#
        )
        .fetch_one(&app.pool)
        .await?;
        if open == 0 {
            return Ok(());
        }
        if open < left {
            (left, since) = (open, Instant::now());
        }
        anyhow::ensure!(since.elapsed() < PATIENCE, "{open} things are still under way, and nothing happens any more");
        tokio::time::sleep(BREATH).await;
    }
}
