//! What is read of comparisons, by the operator.

use super::model::{Difference, DifferenceState, Run, What};
use crate::{
    error::AppError,
    ids::{DifferenceId, OrderId, ReconciliationId, VendorId},
    money::Currency,
    server::auth::Operator,
};
use sqlx::{PgExecutor, PgPool};

/// How many runs, and how many differences, a page shows.
const PAGE: i64 = 100;
const RUNS: i64 = 14;

/// The latest runs, the newest first.
pub async fn runs(pool: &PgPool, _proof: &Operator) -> sqlx::Result<Vec<Run>> {
    sqlx::query_as!(
        Run,
        r#"select r.id as "id: ReconciliationId", r.night, u.name as "asked_by?", r.state = 'done' as "done!", r.entries, r.differences,
                  r.cash_minor, r.stripe_minor, r.failure, r.started_at, r.ended_at
           from reconciliations r left join users u on u.id = r.asked_by order by r.started_at desc, r.id desc limit $1"#,
        RUNS
    )
    .fetch_all(pool)
    .await
}

/// How many differences are open.
pub async fn open_count(pool: &PgPool, _proof: &Operator) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from reconciliation_differences where state = 'open'"#)
        .fetch_one(pool)
        .await
}

/// Open differences, or all that are not gone by themselves, the newest first; the first hundred.
pub async fn differences(pool: &PgPool, proof: &Operator, all: bool) -> sqlx::Result<Vec<Difference>> {
    rows(pool, proof, None, all).await
}

pub async fn difference(db: impl PgExecutor<'_>, proof: &Operator, id: DifferenceId) -> Result<Difference, AppError> {
    rows(db, proof, Some(id), true).await?.pop().ok_or(AppError::NotFound)
}

async fn rows(db: impl PgExecutor<'_>, _proof: &Operator, id: Option<DifferenceId>, all: bool) -> sqlx::Result<Vec<Difference>> {
    sqlx::query_as!(
        Difference,
        r#"select d.id as "id: DifferenceId", d.run_id as "run: ReconciliationId", d.account, v.name as "vendor_name?", d.cause, d.cause_id,
                  d.entry_id as entry, e.kind as "entry_kind?", e.touches as "touches?", e.reference as "reference?",
                  d.order_id as "order: OrderId", o.number as "number?", d.what as "what: What", d.currency as "currency: Currency",
                  d.here_minor, d.there_minor, d.debit, d.debit_vendor as "debit_vendor: VendorId", d.credit,
                  d.credit_vendor as "credit_vendor: VendorId", d.memo, d.state as "state: DifferenceState", d.note,
                  u.name as "decided_by?", d.decided_at, d.found_at
           from reconciliation_differences d left join stripe_entries e on e.id = d.entry_id left join vendors v on v.id = d.vendor_id
           left join orders o on o.id = d.order_id left join users u on u.id = d.decided_by
           where ($1::uuid is null or d.id = $1) and ($2 or d.state = 'open')
           order by d.state = 'open' desc, d.found_at desc, d.id desc limit $3"#,
        id.map(DifferenceId::uuid),
        all,
        PAGE
    )
    .fetch_all(db)
    .await
}
