//! `souk prove money`: random histories of purchases, refunds, disputes, releases, transfers, payouts and corrections, each step by the
//! program's own functions against PostgreSQL and the Stripe sandbox; after each history the laws of money, and after each batch all of
//! `souk verify` and a comparison of the books with Stripe's entries.
//!
//! # Batches
//!
//! A batch of histories has a database and a sandbox of its own, which are gone afterwards: however many histories there are, what is
//! held and searched stays small. Vendors, goods and coupons are set up once for each, and debts of vendors go on from one history to
//! the next. Batch `b` of seed `s` is the first one of seed `s + b`, so that whatever is found can be seen again in a moment.
//!
//! # What is left out
//!
//! Letters and papers: their jobs are never due here. Killing the program is `souk prove crash`.

pub mod buy;
mod laws;
mod market;
mod rest;
pub mod steps;
mod walk;

use super::{Finding, stand::Stand, verify};
use crate::{audit, demo::Dice, reconciliation, server::state::App};
use anyhow::Context;
use std::time::Instant;
use tokio::task::JoinSet;

pub use laws::check;
pub use market::{Market, Seller};
pub use rest::Heard;
pub use walk::Walk;

/// How many histories, and from which number they are thrown.
#[derive(Debug, Clone, Copy)]
pub struct Money {
    pub histories: usize,
    pub seed: u64,
}

/// So many histories share a database.
const BATCH: usize = 50;
/// So many batches are under way at once.
const AT_ONCE: usize = 3;
/// After so many histories it is said how far it is.
const TELL: usize = 1000;

/// What was done, for the reader to see that it was something.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    pub histories: usize,
    /// Steps that did something, and those that the shop or Stripe refused, or that found nothing to do.
    pub steps: usize,
    pub refused: usize,
    pub orders: i64,
    pub refunds: i64,
    pub refunds_failed: i64,
    pub disputes: i64,
    pub transfers: i64,
    pub reversals: i64,
    pub payouts: i64,
    pub payouts_failed: i64,
    pub entries: i64,
}

impl Done {
    fn add(&mut self, other: &Self) {
        self.histories += other.histories;
        self.steps += other.steps;
        self.refused += other.refused;
        self.orders += other.orders;
        self.refunds += other.refunds;
        self.refunds_failed += other.refunds_failed;
        self.disputes += other.disputes;
        self.transfers += other.transfers;
        self.reversals += other.reversals;
        self.payouts += other.payouts;
        self.payouts_failed += other.payouts_failed;
        self.entries += other.entries;
    }
}

/// A history after which something was not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// With this seed it is history `number` of the first batch, counted from zero.
    pub seed: u64,
    pub number: usize,
    /// Each step with what became of it.
    pub steps: Vec<String>,
    /// The laws that were broken, and how often; or what failed.
    pub what: Vec<String>,
}

/// Lives through histories, and prints what was done and found.
///
/// # Errors
/// When a law is broken or a step failed that may only be refused: with the seed and the history.
pub async fn run(app: &App, what: Money) -> anyhow::Result<()> {
    println!("{} histories of seed {}, {BATCH} to a database, {AT_ONCE} databases at once.", what.histories, what.seed);
    let began = Instant::now();
    let (done, broken) = prove(app, what).await?;
    tell(&done, began);
    println!(
        "  {} steps were taken, {} refused or without an object: {} orders paid, {} refunds ({} of them failed), {} disputes, \
         {} transfers, {} reversals, {} payouts ({} failed or came back), {} entries in the books.",
        done.steps,
        done.refused,
        done.orders,
        done.refunds,
        done.refunds_failed,
        done.disputes,
        done.transfers,
        done.reversals,
        done.payouts,
        done.payouts_failed,
        done.entries
    );
    verdict(&broken)
}

/// Prints what was found.
///
/// # Errors
/// When something was.
pub fn verdict(broken: &[Broken]) -> anyhow::Result<()> {
    for found in broken {
        let Broken { seed, number, steps, what } = found;
        println!(
            "BROKEN by history {number} of seed {seed}; see it again: souk prove money --seed {seed} --histories {}",
            number + 1
        );
        steps.iter().for_each(|step| println!("  {step}"));
        what.iter().for_each(|law| println!("  => {law}"));
    }
    anyhow::ensure!(broken.is_empty(), "histories that broke something: {}", broken.len());
    println!("Every law of money holds after each of them.");
    Ok(())
}

fn tell(done: &Done, began: Instant) {
    let seconds = began.elapsed().as_secs_f64().max(0.001);
    println!("{} histories in {seconds:.0} seconds: {:.1} a second.", done.histories, done.histories as f64 / seconds);
}

/// What was done, and the histories that broke something: of each batch the first, and no batch is begun after one was found.
///
/// # Errors
/// When no database can be made, or it does not answer.
pub async fn prove(app: &App, what: Money) -> anyhow::Result<(Done, Vec<Broken>)> {
    let began = Instant::now();
    let (mut done, mut broken) = (Done::default(), Vec::new());
    let mut batches = (0..what.histories.div_ceil(BATCH)).map(|batch| {
        let seed = what.seed.wrapping_add(batch as u64);
        (seed, BATCH.min(what.histories - batch * BATCH))
    });
    let mut running = JoinSet::new();
    loop {
        while running.len() < AT_ONCE
            && broken.is_empty()
            && let Some((seed, histories)) = batches.next()
        {
            let app = app.clone();
            running.spawn(async move { batch(&app, seed, histories).await });
        }
        let Some(ended) = running.join_next().await else { return Ok((done, broken)) };
        let (more, found) = ended??;
        let told = done.histories / TELL;
        done.add(&more);
        broken.extend(found);
        if done.histories / TELL > told {
            tell(&done, began);
        }
    }
}

/// Lives through a batch of histories in a stand of its own.
async fn batch(app: &App, seed: u64, histories: usize) -> anyhow::Result<(Done, Option<Broken>)> {
    let stand = Stand::silent(&app.pool, &app.config).await?;
    let lived = live(&stand, seed, histories).await;
    stand.clear().await?;
    lived
}

async fn live(stand: &Stand, seed: u64, histories: usize) -> anyhow::Result<(Done, Option<Broken>)> {
    let market = Market::open(stand).await.context("a market cannot be opened")?;
    let (mut heard, mut done) = (Heard::default(), Done::default());
    let mut broken = None;
    for number in 0..histories {
        let steps = steps::history(seed, number, market.goods.len(), market.coupons.len());
        let mut walk = Walk::new(&mut heard, Dice::new(seed, &format!("walk {number}")), format!("history-{number}"));
        let mut what = match walk.walk(&market, &steps).await {
            Ok(()) => broken_laws(check(&market.app.pool).await?),
            Err(error) => vec![format!("it failed: {error:#}")],
        };
        done.histories += 1;
        let Walk { told, done: taken, refused, .. } = walk;
        done.steps += taken;
        done.refused += refused;
        if what.is_empty() && number + 1 == histories {
            what = at_the_end(&market, &mut heard).await?;
        }
        if !what.is_empty() {
            broken = Some(Broken { seed, number, steps: told, what });
            break;
        }
    }
    count(&market, &mut done).await?;
    Ok((done, broken))
}

fn broken_laws(findings: Vec<Finding>) -> Vec<String> {
    findings.into_iter().filter(|f| f.violations > 0).map(|f| format!("{} ({})", f.law, f.violations)).collect()
}

/// So many seconds pass at Stripe before the last look: every bank has answered by then.
const A_WEEK: i64 = 7 * 86_400;

/// What is looked at once for a batch, when banks have ended what was under way: the laws of money and of `souk verify`, and every entry of
/// Stripe's balances beside the books.
///
/// # Errors
/// When the database or the sandbox does not answer.
pub async fn at_the_end(market: &Market, heard: &mut Heard) -> anyhow::Result<Vec<String>> {
    let pool = &market.app.pool;
    market.sandbox.advance(A_WEEK).await.map_err(anyhow::Error::msg)?;
    market.come_to_rest(heard, &mut Dice::new(0, "the end")).await?;
    audit::chain(pool).await?;
    let mut what = broken_laws(check(pool).await?);
    what.extend(broken_laws(verify(pool).await?));
    reconciliation::ask(&market.app, &market.operator).await?;
    while crate::server::jobs::drain(&market.app).await? > 0 {}
    let differences = sqlx::query_scalar!("select memo from reconciliation_differences where state = 'open'");
    what.extend(differences.fetch_all(pool).await?.into_iter().map(|memo| format!("Reconciliation: {memo}")));
    let compared = sqlx::query_scalar!(r#"select count(*) as "n!" from reconciliations where state = 'done' and entries > 0"#);
    if compared.fetch_one(pool).await? == 0 {
        what.push("Reconciliation: nothing was compared".into());
    }
    Ok(what)
}

async fn count(market: &Market, done: &mut Done) -> sqlx::Result<()> {
    let row = sqlx::query!(
        r#"select (select count(*) from payments where state in ('paid', 'surplus')) as "orders!",
                  (select count(*) from refunds) as "refunds!", (select count(*) from refunds where state = 'failed') as "refunds_failed!",
                  (select count(*) from disputes) as "disputes!", (select count(*) from transfers where state = 'made') as "transfers!",
                  (select count(*) from transfer_reversals where state = 'made') as "reversals!", (select count(*) from payouts) as "payouts!",
                  (select count(*) from payouts where state in ('failed', 'returned')) as "payouts_failed!",
                  (select count(*) from ledger_entries) as "entries!""#
    )
    .fetch_one(&market.app.pool)
    .await?;
    *done = Done {
        orders: row.orders,
        refunds: row.refunds,
        refunds_failed: row.refunds_failed,
        disputes: row.disputes,
        transfers: row.transfers,
        reversals: row.reversals,
        payouts: row.payouts,
        payouts_failed: row.payouts_failed,
        entries: row.entries,
        ..*done
    };
    Ok(())
}
