//! `souk prove crash`: the program is killed while people buy, again and again, half of the times in the moment in which somebody
//! has paid and the shop does not know it yet.

use super::{
    Finding, cli, judge,
    node::Node,
    stand::{PRICE_MINOR, Stand, free_address},
};
use crate::{
    sandbox::stripe::Controls,
    server::state::App,
    shopper::{Basket, Shop, Step},
};
use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use sqlx::PgPool;
use std::{
    path::PathBuf,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::sync::Notify;
use uuid::Uuid;

/// How many checkouts, and how many kills among them.
#[derive(Debug, Clone)]
pub struct Crash {
    pub checkouts: usize,
    pub kills: usize,
    /// The program to kill.
    pub program: PathBuf,
}

/// So many people buy at once.
const AT_ONCE: usize = 8;
/// How many things are for sale.
const GOODS: usize = 6;
/// A customer tries again for so long: long enough for any number of kills.
const PATIENCE: Duration = Duration::from_secs(180);
/// Webhooks leave so late, so that there is a time between a charge and its webhook.
const WEBHOOK_DELAY_MS: i64 = 400;
/// At random moments: at most so long after the program opened and people went on.
const LONGEST_LIFE_MS: u64 = 250;
/// Of so many people one turns back at the hosted page and never pays.
const TURNS_BACK: usize = 7;

/// What was done.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    pub paid: usize,
    pub sold_out: usize,
    pub turned_back: usize,
    pub kills: usize,
    /// Kills after which Stripe had money of which the shop did not know.
    pub between_charge_and_webhook: usize,
}

/// Kills, prints what happened and what was found.
///
/// # Errors
/// When a law is broken, a buyer could not end their purchase, or nothing could be tried.
pub async fn run(app: &App, what: &Crash) -> anyhow::Result<()> {
    let (done, findings) = prove(app, what).await?;
    println!(
        "{} checkouts, {} kills, {} of them while Stripe had money that the shop did not know of: {} paid, {} sold out, {} turned back.",
        what.checkouts, done.kills, done.between_charge_and_webhook, done.paid, done.sold_out, done.turned_back
    );
    cli::tell(&findings)
}

/// What was done, and what was found then.
///
/// # Errors
/// As [`run`].
pub async fn prove(app: &App, what: &Crash) -> anyhow::Result<(Done, Vec<Finding>)> {
    // Enough for most, not for all: some learn that it is sold out.
    let stock = i32::try_from(what.checkouts * 5 / 4 / GOODS)?.max(2);
    let mut stand = Stand::build(&app.pool, &app.config, free_address()?, GOODS, stock, None).await?;
    stand.config.sweep_after = Duration::ZERO;
    let log = std::env::temp_dir().join(format!("souk-proof-{}.log", Uuid::now_v7()));
    let result = storm(&stand, what, stock, log.clone()).await;
    stand.clear().await?;
    let clean = result.as_ref().is_ok_and(|(_, findings)| findings.iter().all(|f| f.violations == 0));
    match clean {
        true => std::fs::remove_file(&log)?,
        false => println!("What the program said is kept in {}.", log.display()),
    }
    result
}

async fn storm(stand: &Stand, what: &Crash, stock: i32, log: PathBuf) -> anyhow::Result<(Done, Vec<Finding>)> {
    let late = Controls { webhook_delay_ms: WEBHOOK_DELAY_MS, ..Controls::default() };
    stand.stripe.sandbox.set_controls(&late).await?;
    let mut node = Node::new(&what.program, stand.config.clone(), log)?;
    node.start().await?;

    let crowd = Crowd::default();
    let killing = kill_again_and_again(&mut node, stand, what, &crowd);
    let ((), between_charge_and_webhook) = tokio::try_join!(crowd.buy(stand, what.checkouts), killing)?;
    let (paid, sold_out) = (crowd.paid.load(Ordering::Relaxed), crowd.sold_out.load(Ordering::Relaxed));
    let turned_back = what.checkouts - paid - sold_out;
    let done = Done { paid, sold_out, turned_back, kills: what.kills, between_charge_and_webhook };

    // The last kill; then time passes until every hold is over.
    node.kill().await?;
    let_time_pass(&stand.pool).await?;
    sqlx::query!("update orders set hold_expires_at = now() where status = 'pending'").execute(&stand.pool).await?;
    node.start().await?;
    // Where something does not come to rest, the laws say what.
    judge::at_rest(&stand.pool).await?;
    node.kill().await?;

    let mut findings = judge::judge(&stand.pool, stock).await?;
    let placed = sqlx::query_scalar!(r#"select count(*) as "n!" from orders where status = 'placed'"#);
    let placed = usize::try_from(placed.fetch_one(&stand.pool).await?)?;
    let lost = i64::try_from(placed.abs_diff(done.paid))?;
    findings.push(Finding { law: "Crowd: everybody who paid has an order, and nobody else", violations: lost });
    findings.push(Finding { law: "Program: it never panicked", violations: i64::try_from(node.panics()?)? });
    Ok((done, findings))
}

/// Where the buyers are.
#[derive(Default)]
struct Crowd {
    begun: AtomicUsize,
    paid: AtomicUsize,
    sold_out: AtomicUsize,
    /// Somebody's card was taken this moment.
    charged: Notify,
    /// Nobody buys any more.
    gone: tokio_util::sync::CancellationToken,
}

impl Crowd {
    async fn buy(&self, stand: &Stand, checkouts: usize) -> anyhow::Result<()> {
        let shop = Shop::at(&stand.config.base_url)?.patient(PATIENCE);
        let result = stream::iter(0..checkouts)
            .map(|number| self.one(&shop, stand, number))
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await;
        self.gone.cancel();
        result
    }

    async fn one(&self, shop: &Shop, stand: &Stand, number: usize) -> anyhow::Result<()> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        // One thing, or two things of two vendors.
        let things = stand.variants.iter().cycle().skip(number % stand.variants.len()).take(1 + number % 2);
        let lines: Vec<(Uuid, i32)> = things.map(|variant| (*variant, 1)).collect();
        let total_minor = PRICE_MINOR * i64::try_from(lines.len())?;
        let basket = Basket { lines, email: format!("buyer-{number}@example.com"), total_minor };
        let purchase = async {
            let Step::Done(cart) = shop.fill(&basket).await? else { return Ok(Step::SoldOut) };
            let Step::Done(page) = shop.order(&cart, &basket).await? else { return Ok(Step::SoldOut) };
            if number % TURNS_BACK == TURNS_BACK - 1 {
                return Ok(Step::Done(()));
            }
            let back = shop.hand_over_the_card(&page).await?;
            self.paid.fetch_add(1, Ordering::Relaxed);
            self.charged.notify_waiters();
            shop.come_back(&back).await?;
            anyhow::Ok(Step::Done(()))
        };
        let outcome = purchase.await.with_context(|| format!("buyer {number}"))?;
        if outcome == Step::SoldOut {
            self.sold_out.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Kills spread over all checkouts: one at a random moment, the next when somebody has just paid. Answers after how many
/// of them Stripe knew more than the shop.
async fn kill_again_and_again(node: &mut Node, stand: &Stand, what: &Crash, crowd: &Crowd) -> anyhow::Result<usize> {
    let mut between = 0;
    for kill in 0..what.kills {
        let due = kill * what.checkouts / what.kills.max(1);
        while crowd.begun.load(Ordering::Relaxed) < due && !crowd.gone.is_cancelled() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if kill % 2 == 0 {
            tokio::time::sleep(Duration::from_millis(rand::random_range(0..LONGEST_LIFE_MS))).await;
        } else {
            tokio::select! {
                () = crowd.charged.notified() => {}
                () = crowd.gone.cancelled() => {}
            }
        }
        node.kill().await?;
        let known = judge::money_without_an_order(&stand.pool).await?;
        between += usize::from(known.unaccounted > 0);
        let_time_pass(&stand.pool).await?;
        node.start().await?;
    }
    Ok(between)
}

/// What some minutes do between a kill and the next start: the leases of the dead are over, and what waits to be tried again is due.
async fn let_time_pass(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::query!("update jobs set lease_until = now() where state = 'running'").execute(pool).await?;
    sqlx::query!("update jobs set run_at = now() where state = 'queued'").execute(pool).await?;
    sqlx::query!("update idempotency_keys set lease_until = now() where status is null").execute(pool).await?;
    sqlx::query("update stripe_sandbox.deliveries set next_at = now() where state = 'pending'").execute(pool).await?;
    Ok(())
}
