//! `souk replay FILE`: buys the invoices of a file from a running shop, gives back what was cancelled, pays the vendors, and compares the
//! books. Stopped, it goes on where it was.

use super::{
    Purchase, Retail,
    books::{self, Before},
    open, payouts, read, refunds, work,
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
    /// Also send every parcel and pay the vendors.
    pub pay_out: bool,
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
    tokio::select! {
        done = all(app, &shop, &retail, purchases, (&rest, &variants, &before), what) => done?,
        _ = tokio::signal::ctrl_c() => anyhow::bail!("stopped; run it again to go on"),
    }
    judge(app, &retail, purchases, what.pay_out).await
}

/// Buys, gives back, pays out; each goes on where an earlier run was.
async fn all(
    app: &App,
    shop: &Shop,
    retail: &Retail,
    purchases: &[Purchase],
    (rest, variants, before): (&[&Purchase], &[Uuid], &Before),
    what: &Replay,
) -> anyhow::Result<()> {
    let began = Instant::now();
    let bought = buy_all(shop, retail, rest, variants, before, what.concurrency).await?;
    told("Bought", bought, "invoices", began);
    let began = Instant::now();
    let given = refunds::give_back(&app.pool, shop, retail, purchases, what.concurrency).await?;
    work::at_rest(app).await?;
    told("Gave back", given, "cancellations", began);
    if what.pay_out {
        let began = Instant::now();
        payouts::pay_out(app, shop, retail, what.concurrency).await?;
        println!("Sent what was left, and paid the vendors, in {}.", HumanDuration(began.elapsed()));
    }
    Ok(())
}

fn told(did: &str, count: usize, what: &str, began: Instant) {
    let rate = count as f64 / began.elapsed().as_secs_f64().max(0.001);
    println!("{did} {count} {what} in {}: {rate:.1} a second.", HumanDuration(began.elapsed()));
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
    let now = retail.cancellations.iter().filter(|c| c.purchase < wanted).count();
    println!(
        "{} refunds for what was cancelled of all purchases; {now} of these are for what is bought now.",
        retail.cancellations.len()
    );
    for (why, rows) in &retail.unmatched {
        println!("  unmatched: {rows:>6} cancelled rows {}", why.label());
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

async fn judge(app: &App, retail: &Retail, purchases: &[Purchase], paid_out: bool) -> anyhow::Result<()> {
    let (sums, mut wrong) = books::compare(&app.pool, retail, purchases).await?;
    let (paid, of_vendors) = payouts::compare(app).await?;
    wrong.extend(of_vendors);
    let money = |minor| Money::new(minor, app.config.currency).to_string();
    for (what, minor) in [
        ("invoices", sums.invoices),
        ("orders", sums.orders),
        ("vendor orders", sums.vendor_orders),
        ("cancelled", sums.cancelled),
        ("refunds", sums.refunds),
        ("charges less refunds", sums.charges),
        ("commission with VAT", sums.commission),
        ("cash by the books", sums.cash),
        ("cash at Stripe", sums.at_stripe),
        ("vendors earned", paid.earned),
        ("vendors have at banks", paid.paid_out),
        ("vendors are owed", paid.owed),
    ] {
        println!("  {what:<22} {:>16}", money(minor));
    }
    if paid_out && paid.earned > 0 && paid.paid_out == 0 {
        wrong.push("no vendor was paid".into());
    }
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
