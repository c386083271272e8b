//! `souk verify` and `souk prove`: each law with its count, and an error where one is broken.

use super::{Finding, verify};
use sqlx::PgPool;

/// Prints every law and its violations. Changes nothing.
///
/// # Errors
/// When a law is broken, or the database does not answer.
pub async fn run(pool: &PgPool) -> anyhow::Result<()> {
    tell(&verify(pool).await?)
}

/// Prints findings.
///
/// # Errors
/// When one of them counts violations.
pub fn tell(findings: &[Finding]) -> anyhow::Result<()> {
    for finding in findings {
        let mark = if finding.violations == 0 { "ok" } else { "BROKEN" };
        println!("{mark:>6} {:>6}  {}", finding.violations, finding.law);
    }
    let broken = findings.iter().filter(|f| f.violations > 0).count();
    anyhow::ensure!(broken == 0, "{broken} of {} laws are broken", findings.len());
    println!("All {} laws hold.", findings.len());
    Ok(())
}
