//! The platform's statement to a vendor about a time. What moved is told by `payouts`; here it is numbered, drawn and kept.

use super::{
    issue::{About, issue},
    model::{Movement, Paper, StatementPaper},
    party,
};
use crate::{
    ids::{DocumentId, VendorId},
    money::Currency,
    server::config::Config,
};
use sqlx::PgConnection;
use time::Date;

/// A statement without its two sides: `opening + movements = closing`, above zero is the vendor's.
#[derive(Debug, Clone)]
pub struct Statement {
    pub vendor: VendorId,
    /// First and last day.
    pub from: Date,
    pub until: Date,
    pub currency: Currency,
    pub opening_minor: i64,
    pub movements: Vec<Movement>,
    pub closing_minor: i64,
}

impl Statement {
    /// The paper, with both sides as they are called now.
    pub async fn paper(self, tx: &mut PgConnection, config: &Config) -> sqlx::Result<StatementPaper> {
        Ok(StatementPaper {
            platform: party::platform(config),
            vendor: party::vendor(tx, self.vendor).await?,
            from: self.from,
            until: self.until,
            currency: self.currency,
            opening_minor: self.opening_minor,
            movements: self.movements,
            closing_minor: self.closing_minor,
        })
    }
}

/// Issues a statement in the caller's transaction. `None` where this vendor's statement of this time and currency is issued already.
///
/// # Errors
/// When opening and movements do not make the closing balance, or the database does not answer.
pub async fn issue_statement(tx: &mut PgConnection, config: &Config, statement: Statement) -> anyhow::Result<Option<DocumentId>> {
    let moved: i64 = statement.movements.iter().map(|m| m.amount_minor).sum();
    anyhow::ensure!(
        statement.opening_minor + moved == statement.closing_minor,
        "a statement of {} does not add up: {} and {moved} are not {}",
        statement.vendor,
        statement.opening_minor,
        statement.closing_minor
    );
    let about = About { period: Some((statement.from, statement.until)), ..About::default() };
    let vendor = statement.vendor;
    let paper = statement.paper(tx, config).await?;
    issue(tx, vendor, about, Paper::Statement(paper)).await
}
