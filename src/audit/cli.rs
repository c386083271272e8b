//! `souk verify audit`: what is wrong with the log, entry by entry, and a hash to write down.

use super::verify;
use sqlx::PgPool;

/// Prints every flaw and the head of the chain. Changes nothing.
///
/// # Errors
/// When there is a flaw, when `noted` is no hash of the chain, or when the database does not answer.
pub async fn run(pool: &PgPool, noted: Option<&str>) -> anyhow::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
    let verdict = verify(&mut tx, noted).await?;
    tx.rollback().await?;
    for flaw in &verdict.flaws {
        println!("BROKEN  {flaw}");
    }
    println!("{} entries are chained, {} wait for the next round.", verdict.chained, verdict.waiting);
    if !verdict.head.is_empty() {
        println!("Head: {}", verdict.head);
        println!(
            "Keep it where this database cannot be changed; `souk verify audit --head` checks later that the log goes on from it."
        );
    }
    anyhow::ensure!(verdict.known_head, "the chain does not have the hash that was noted: it was cut or written anew");
    anyhow::ensure!(verdict.flaws.is_empty(), "the audit log has {} flaws", verdict.flaws.len());
    println!("Every entry stands as it was written.");
    Ok(())
}
