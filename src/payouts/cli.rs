//! `souk payouts`: what would be paid to whom and why not to the others, or paying it.

use super::{model::Turn, run};
use crate::{money::Money, server::state::App};
use time::OffsetDateTime;

/// What to do.
#[derive(Debug, Clone, Copy)]
pub struct Payouts {
    /// Say it, do nothing.
    pub dry_run: bool,
    /// Also those whose day it is not.
    pub everybody: bool,
}

pub async fn run(app: &App, what: Payouts) -> anyhow::Result<()> {
    let now = OffsetDateTime::now_utc();
    let turn = if what.everybody { Turn::Everybody } else { Turn::Scheduled };
    let money = |minor| Money::new(minor, app.config.currency).to_string();
    let candidates = run::look(app, turn, now).await?;
    let name = candidates.iter().map(|c| c.name.chars().count()).max().unwrap_or(0).max(6);
    println!("{:name$}  {:>14}  {:>14}", "Vendor", "Owed", "Paid now");
    let mut sum = 0;
    for candidate in &candidates {
        let (paid, why) = match candidate.decision {
            Ok(amount) => {
                sum += amount;
                (money(amount), String::new())
            }
            Err(wait) => ("-".to_owned(), wait.words(app.config.currency)),
        };
        println!("{:name$}  {:>14}  {paid:>14}  {why}", candidate.name, money(candidate.owed_minor));
    }
    println!("In all {}.", money(sum));
    if what.dry_run {
        return Ok(());
    }
    let booked = match turn {
        Turn::Scheduled => run::run_due(app, now).await?,
        Turn::Everybody => run::run_everybody(app, None, now).await?,
    };
    println!("{booked} payouts are booked. The running server sends them.");
    Ok(())
}
