//! The second part of a replay: every cancellation that matches a purchase becomes a refund, asked for by its vendor. What an earlier run
//! asked for is found by its reason.

use super::{Cancellation, Purchase, Retail, books::email_of, seller::Seller, shop::vendor_slug};
use crate::shopper::Shop;
use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use sqlx::PgPool;
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// What a refund says of itself.
fn reason(invoice: &str) -> String {
    format!("Cancelled by invoice {invoice}")
}

/// A refund that is not asked for yet.
struct Due {
    vendor: usize,
    parcel: Uuid,
    lines: Vec<(Uuid, i32)>,
    reason: String,
}

/// The cancellations of these purchases, which are the first ones of the file.
pub fn of<'r>(retail: &'r Retail, purchases: &[Purchase]) -> Vec<&'r Cancellation> {
    retail.cancellations.iter().filter(|c| c.purchase < purchases.len()).collect()
}

/// Has vendors give back what was cancelled of these purchases and was not given back before; answers how many refunds that were.
///
/// # Errors
/// When the shop refuses one, or the database does not answer.
pub async fn give_back(
    pool: &PgPool,
    shop: &Shop,
    retail: &Retail,
    purchases: &[Purchase],
    concurrency: usize,
) -> anyhow::Result<usize> {
    let mut by_vendor: BTreeMap<usize, Vec<Due>> = BTreeMap::new();
    for due in due(pool, retail, purchases).await? {
        by_vendor.entry(due.vendor).or_default().push(due);
    }
    let mut given = 0;
    for (vendor, refunds) in by_vendor {
        let seller = Seller::sign_in(shop, &vendor_slug(vendor)).await?;
        given += refunds.len();
        stream::iter(refunds.iter().map(|due| async {
            let done = seller.give_back(due.parcel, &due.lines, &due.reason).await;
            done.with_context(|| due.reason.clone())
        }))
        .buffer_unordered(concurrency.max(1))
        .try_collect::<()>()
        .await?;
    }
    Ok(given)
}

async fn due(pool: &PgPool, retail: &Retail, purchases: &[Purchase]) -> anyhow::Result<Vec<Due>> {
    let wanted = of(retail, purchases);
    let emails: Vec<String> = wanted.iter().map(|c| email_of(&purchases[c.purchase].invoice)).collect();
    let sold = sqlx::query!(
        "select o.email, l.sku, l.id as line, l.vendor_order_id as parcel
         from orders o join order_lines l on l.order_id = o.id where o.status = 'placed' and o.email = any($1)",
        &emails
    );
    let sold: HashMap<(String, String), (Uuid, Uuid)> =
        sold.fetch_all(pool).await?.into_iter().map(|r| ((r.email, r.sku), (r.parcel, r.line))).collect();
    let before = sqlx::query!(
        r#"select distinct p.vendor_order_id as "parcel!", r.note from refunds r join refund_parts p on p.refund_id = r.id
           where r.reason = 'vendor' and r.state <> 'failed' and r.note like 'Cancelled by invoice %' and p.vendor_order_id is not null"#
    );
    let before: HashSet<(Uuid, String)> = before.fetch_all(pool).await?.into_iter().map(|r| (r.parcel, r.note)).collect();
    let mut due = Vec::new();
    for (cancellation, email) in wanted.into_iter().zip(emails) {
        let (mut parcel, mut lines) = (None, Vec::with_capacity(cancellation.lines.len()));
        for (goods, quantity) in &cancellation.lines {
            let found = sold.get(&(email.clone(), retail.goods[*goods].sku()));
            let (of, line) = found.with_context(|| format!("{} takes back what {email} did not buy", cancellation.invoice))?;
            parcel = Some(*of);
            lines.push((*line, *quantity));
        }
        let (parcel, reason) = (parcel.context("a cancellation has lines")?, reason(&cancellation.invoice));
        if !before.contains(&(parcel, reason.clone())) {
            due.push(Due { vendor: cancellation.vendor, parcel, lines, reason });
        }
    }
    Ok(due)
}
