//! Giving entries their places in the chain. One node at a time does it, a few seconds after they are written: a chain that is made in
//! the transaction of the change would let one change in the whole shop come to its end at a time. What this costs is a window of
//! seconds in which the last entries are not chained; `verify` knows which those are.

use super::entry::{BEGINNING, Entry, Hash};
use anyhow::Context;
use sqlx::PgPool;

/// Held by whoever chains.
const LOCK: i64 = 27;
/// Entries in one transaction.
const BATCH: i64 = 500;

/// Chains what waits, in the order in which it was written as far as it has come to its end. Answers how many entries that were.
///
/// # Errors
/// When the database does not answer, or a chain is found that no program of ours wrote.
pub async fn chain(pool: &PgPool) -> anyhow::Result<usize> {
    let mut chained = 0;
    loop {
        let some = batch(pool).await?;
        chained += some;
        if some < BATCH as usize {
            return Ok(chained);
        }
    }
}

async fn batch(pool: &PgPool) -> anyhow::Result<usize> {
    let mut tx = pool.begin().await?;
    sqlx::query!("select pg_advisory_xact_lock($1)", LOCK).execute(&mut *tx).await?;
    // An entry that is gone keeps waiting: that is how it is missed.
    let entries = sqlx::query_as!(
        Entry,
        "select a.id, a.at, a.actor_id, a.action, a.subject_kind, a.subject_id, a.detail
         from audit_waiting w join audit_log a on a.id = w.entry_id order by a.id limit $1",
        BATCH
    )
    .fetch_all(&mut *tx)
    .await?;
    if entries.is_empty() {
        return Ok(0);
    }
    let head =
        sqlx::query!("select position, hash from audit_chain order by position desc limit 1").fetch_optional(&mut *tx).await?;
    let (first, mut head) = match head {
        Some(head) => (head.position + 1, Hash::try_from(head.hash.as_slice()).context("the chain ends in no hash")?),
        None => (1, BEGINNING),
    };
    let (mut previous, mut hashes) = (Vec::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
    for entry in &entries {
        previous.push(head.to_vec());
        head = entry.hash(&head);
        hashes.push(head.to_vec());
    }
    let ids: Vec<i64> = entries.iter().map(|entry| entry.id).collect();
    sqlx::query!(
        "insert into audit_chain (position, entry_id, previous, hash)
         select $1 + n - 1, entry_id, previous, hash
         from unnest($2::bigint[], $3::bytea[], $4::bytea[]) with ordinality as c (entry_id, previous, hash, n)",
        first,
        &ids,
        &previous,
        &hashes
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("delete from audit_waiting where entry_id = any($1)", &ids).execute(&mut *tx).await?;
    tx.commit().await?;
    // In the log, where whoever changes the database does not reach it: `souk verify audit --head` goes back to it.
    tracing::info!(position = first + ids.len() as i64 - 1, head = hex::encode(head), "the audit log is chained");
    Ok(ids.len())
}
