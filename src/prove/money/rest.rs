//! What comes by itself: Stripe's events, in any order and more than once, jobs, and the sweeper; and how a market comes to rest.

use super::market::Market;
use crate::{demo::Dice, payouts, sandbox::stripe::signature, server::jobs};
use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::Value;
use sqlx::Row;
use time::OffsetDateTime;
use tower::ServiceExt;

/// So often everything that was put off is tried again before it counts as given up.
const ROUNDS: usize = 12;
/// Of so many events in a hundred another copy comes.
const TWICE: usize = 20;

/// Which of Stripe's events have come in.
#[derive(Debug, Default)]
pub struct Heard {
    /// The last one that was looked at.
    seq: i64,
    /// Those that have happened and did not come in yet.
    waiting: Vec<Value>,
    /// One that came in: it may come again.
    pub earlier: Option<Value>,
}

impl Market {
    /// Lets so many percent of Stripe's events come in that have not yet, in any order, some of them twice.
    ///
    /// # Errors
    /// When the door does not take one.
    pub async fn hear(&self, heard: &mut Heard, percent: usize, dice: &mut Dice) -> anyhow::Result<()> {
        let new = sqlx::query("select seq, doc from stripe_sandbox.events where seq > $1 order by seq")
            .bind(heard.seq)
            .fetch_all(&self.app.pool)
            .await?;
        for row in new {
            heard.seq = row.try_get("seq")?;
            heard.waiting.push(row.try_get("doc")?);
        }
        let count = (heard.waiting.len() * percent).div_ceil(100);
        for _ in 0..count {
            let event = heard.waiting.swap_remove(dice.below(heard.waiting.len()));
            self.tell(&event).await?;
            if dice.chance(TWICE) {
                self.tell(&event).await?;
            }
            heard.earlier = Some(event);
        }
        Ok(())
    }

    /// Stripe posts an event.
    ///
    /// # Errors
    /// When it is not answered 200.
    pub async fn tell(&self, event: &Value) -> anyhow::Result<()> {
        let body = event.to_string();
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let signed = signature(&self.webhook_secret, now, &body);
        let request = Request::post("/webhooks/stripe").header("stripe-signature", signed).body(Body::from(body))?;
        let answer = self.webhooks.clone().oneshot(request).await?;
        anyhow::ensure!(answer.status() == StatusCode::OK, "the webhook answers {}", answer.status());
        Ok(())
    }

    /// Lets everything happen that is under way, and the sweeper look once at each vendor's money.
    ///
    /// # Errors
    /// When the database does not answer, or an event is not taken.
    pub async fn come_to_rest(&self, heard: &mut Heard, dice: &mut Dice) -> anyhow::Result<()> {
        for round in 0..ROUNDS {
            self.hear(heard, 100, dice).await?;
            let done = jobs::drain(&self.app).await?;
            let late = sqlx::query!(
                "update jobs set run_at = now() where state = 'queued' and run_at < now() + interval '1 year' and run_at > now()"
            )
            .execute(&self.app.pool)
            .await?;
            if round == 0 {
                for seller in &self.sellers {
                    payouts::settle_vendor(&self.app, seller.id).await?;
                }
            } else if done == 0 && late.rows_affected() == 0 && heard.waiting.is_empty() {
                break;
            }
        }
        Ok(())
    }
}
