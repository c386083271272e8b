//! `souk replay FILE`: buys the invoices of a file from a running shop and compares the books. Stopped, it goes on where it was.

use super::{
    Purchase, Retail,
    books::{self, Before},
    open, read,
};
use crate::{
    money::Money,
    server::state::App,
    shopper::{Basket, Shop, Step},
};
use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use std::{path::PathBuf, time::Instant};
use uuid::Uuid;

/// What to replay, and how hard.
#[derive(Debug, Clone)]
pub struct Replay {
    pub file: PathBuf,
    /// Only the first so many purchases.
    pub limit: Option<usize>,
    /// So many customers at once.
    pub concurrency: usize,
}

/// Replays, prints what was done, and compares to the penny.
///
/// # Errors
/// When a purchase does not go through, or anything differs from the invoices.
pub async fn run(app: &App, what: &Replay) -> anyhow::Result<()> {
    let shop = Shop::at(&app.config.base_url)?;
    shop.greet().await?;
    let file = what.file.clone();
    let retail = tokio::task::spawn_blocking(move || read(&file)).await??;
    let wanted = retail.purchases.len().min(what.limit.unwrap_or(usize::MAX));
    let purchases = retail.purchases.get(..wanted).unwrap_or_default();
    describe(&retail, wanted);

    let folder = tempfolder()?;
    let opened = open(app, &retail, &folder).await;
    std::fs::remove_dir_all(&folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    opened?;
    let variants = books::variants(&app.pool, &retail).await?;
    let before = books::before(&app.pool).await?;
    let rest: Vec<&Purchase> = purchases.iter().filter(|p| !before.paid.contains(&books::email_of(&p.invoice))).collect();
    if rest.len() < wanted {
        println!("{} of them were bought before.", wanted - rest.len());
    }
    let began = Instant::now();
    let bought = tokio::select! {
        done = buy_all(&shop, &retail, &rest, &variants, &before, what.concurrency) => done?,
        _ = tokio::signal::ctrl_c() => anyhow::bail!("stopped; run it again to go on"),
    };
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "Bought {bought} invoices in {}: {:.1} a second.",
        HumanDuration(began.elapsed()),
        bought as f64 / seconds.max(0.001)
    );
    judge(app, &retail, purchases).await
}

fn describe(retail: &Retail, wanted: usize) {
    println!(
        "{} rows: {} purchases of {} goods; {} are bought now. {} invoices are no purchase.",
        retail.rows,
        retail.purchases.len(),
        retail.goods.len(),
        wanted,
        retail.no_purchase
    );
    for (skip, rows) in &retail.skipped {
        println!("  left out: {rows:>7} rows, {}", skip.label());
    }
}

async fn buy_all(
    shop: &Shop,
    retail: &Retail,
    rest: &[&Purchase],
    variants: &[Uuid],
    before: &Before,
    concurrency: usize,
) -> anyhow::Result<usize> {
    let style = "{pos:>6} of {len} {wide_bar} {per_sec}, {eta} left";
    let bar = ProgressBar::new(rest.len() as u64).with_style(ProgressStyle::with_template(style)?);
    let tasks = rest.iter().map(|purchase| {
        let bar = &bar;
        async move {
            let email = books::email_of(&purchase.invoice);
            let done = async {
                if let Some(page) = before.open.get(&email) {
                    return shop.pay(page).await;
                }
                let lines = purchase.lines.iter().filter_map(|(goods, quantity)| Some((*variants.get(*goods)?, *quantity)));
                let basket = Basket { lines: lines.collect(), email, total_minor: retail.total(purchase) };
                match shop.buy(&basket).await? {
                    Step::Done(()) => Ok(()),
                    Step::SoldOut => anyhow::bail!("a shelf is empty that the file says is not"),
                }
            };
            done.await.with_context(|| format!("invoice {}", purchase.invoice))?;
            bar.inc(1);
            anyhow::Ok(())
        }
    });
    stream::iter(tasks).buffer_unordered(concurrency.max(1)).try_collect::<()>().await?;
    bar.finish_and_clear();
    Ok(rest.len())
}

async fn judge(app: &App, retail: &Retail, purchases: &[Purchase]) -> anyhow::Result<()> {
    let (sums, wrong) = books::compare(&app.pool, retail, purchases).await?;
    let money = |minor| Money::new(minor, app.config.currency);
    println!("  invoices      {:>16}", money(sums.invoices).to_string());
    println!("  orders        {:>16}", money(sums.orders).to_string());
    println!("  vendor orders {:>16}", money(sums.vendor_orders).to_string());
    println!("  charges       {:>16}", money(sums.charges).to_string());
    for difference in wrong.iter().take(50) {
        println!("  differs: {difference}");
    }
    anyhow::ensure!(wrong.is_empty(), "differences between the invoices and the books: {}", wrong.len());
    println!("Every penny is where the invoices say.");
    Ok(())
}

fn tempfolder() -> anyhow::Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("souk-replay-{}", Uuid::now_v7()));
    std::fs::create_dir(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok(folder)
}
