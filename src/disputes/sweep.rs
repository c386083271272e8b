//! What nobody tells us of a dispute is asked for: one whose event was lost still ends, and evidence whose job gave up is sent.

use super::sync::sync_dispute;
use crate::{
    ids::DisputeId,
    server::{
        jobs::{self, Job},
        state::App,
    },
};

/// How many disputes one run asks about.
const PER_RUN: i64 = 20;

/// Asks about open disputes, each once an hour, and about those that are decided and whose money has not moved yet.
pub async fn sweep(app: &App) -> anyhow::Result<()> {
    let mut due = sqlx::query_scalar!(
        r#"update disputes set asked_at = now() where id in (
               select id from disputes
               where (asked_at is null or asked_at < now() - interval '1 hour') and opened_at < now() - interval '1 hour'
                 and (status in ('warning_needs_response', 'warning_under_review', 'needs_response', 'under_review')
                      or (status = 'won' and withdrawn_minor is not null and reinstated_minor is null)
                      or (status = 'lost' and withdrawn_minor is null))
               order by asked_at nulls first limit $1 for update skip locked)
           returning stripe_dispute_id"#,
        PER_RUN
    )
    .fetch_all(&app.pool)
    .await?;
    due.extend(
        sqlx::query_scalar!(
            "update foreign_disputes set asked_at = now() where stripe_dispute_id in (
                 select stripe_dispute_id from foreign_disputes
                 where (asked_at is null or asked_at < now() - interval '1 hour') and opened_at < now() - interval '1 hour'
                   and status in ('warning_needs_response', 'warning_under_review', 'needs_response', 'under_review')
                 order by asked_at nulls first limit $1 for update skip locked)
             returning stripe_dispute_id",
            PER_RUN
        )
        .fetch_all(&app.pool)
        .await?,
    );
    for dispute in due {
        if let Err(error) = sync_dispute(app, &dispute).await {
            tracing::warn!(dispute, error = format!("{error:#}"), "a dispute could not be read; it is asked about again");
        }
    }
    let unsent = sqlx::query_scalar!(
        r#"select d.id as "id: DisputeId" from disputes d
           where d.submitted_at < now() - interval '10 minutes' and d.sent_at is null
             and not exists (select 1 from jobs j where j.key = 'evidence:' || d.id
                             and (j.state in ('queued', 'running') or j.finished_at > now() - interval '1 hour'))
           limit $1"#,
        PER_RUN
    )
    .fetch_all(&app.pool)
    .await?;
    for dispute in unsent {
        jobs::enqueue(&app.pool, &Job::SendEvidence { dispute }, Some(&format!("evidence:{dispute}"))).await?;
    }
    Ok(())
}
