//! The third part of a replay: vendors open their accounts at Stripe, send what was not taken back, say that it has arrived, and are paid.

use super::{Retail, VENDORS, seller::Seller, shop::vendor_slug, work};
use crate::{payouts, server::state::App, shopper::Shop};
use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// A stall's parcel that its vendor has still to do something for: pieces that did not leave yet, by line.
type Parcels = BTreeMap<Uuid, Vec<(Uuid, i32)>>;

/// What a stall was paid, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Paid {
    /// By the frozen figures of what it sold, less what went back.
    pub earned: i64,
    /// What banks have of it.
    pub paid_out: i64,
    /// What it is owed by the books: less than the least payout, or not released.
    pub owed: i64,
}

/// Pays the stalls: everybody who can be paid is, as by the operator's button on the day when the holding of new vendors is over.
///
/// # Errors
/// When the shop or Stripe refuses, or money does not come to rest.
pub async fn pay_out(app: &App, shop: &Shop, retail: &Retail, concurrency: usize) -> anyhow::Result<()> {
    let stripe = app.config.stripe.as_ref().context("no Stripe is configured")?.api_base.clone();
    let http = reqwest::Client::builder().no_proxy().build()?;
    for vendor in (0..VENDORS).filter(|v| retail.goods.iter().any(|g| g.vendor == *v)) {
        let slug = vendor_slug(vendor);
        let parcels = waiting(&app.pool, &slug).await?;
        let seller = Seller::sign_in(shop, &slug).await?;
        account(app, &http, &stripe, &seller, &slug).await.with_context(|| format!("the account of {slug}"))?;
        let sends = parcels.iter().map(|(parcel, lines)| {
            let seller = &seller;
            async move {
                if !lines.is_empty() {
                    seller.ship(*parcel, lines).await?;
                }
                seller.delivered(*parcel).await
            }
        });
        stream::iter(sends).buffer_unordered(concurrency.max(1)).try_collect::<()>().await?;
    }
    work::at_rest(app).await?;
    let holding = Duration::days(i64::from(app.config.payouts.holding_days) + 1);
    payouts::run_everybody(app, None, OffsetDateTime::now_utc() + holding).await?;
    work::at_rest(app).await?;
    let sent = sqlx::query_scalar!(
        r#"select p.stripe_payout_id as "id!" from payouts p join vendors v on v.id = p.vendor_id
           where v.slug like 'stall-__' and p.state = 'sent' order by p.id"#
    );
    for payout in sent.fetch_all(&app.pool).await? {
        told(&http, &format!("{stripe}_sandbox/payouts/{payout}/end"), &json!({ "outcome": "paid" })).await?;
        // Its event comes, too; read now, nobody has to wait for it.
        let account = sqlx::query_scalar!("select stripe_account_id from payouts where stripe_payout_id = $1", payout);
        payouts::sync_payout(app, &account.fetch_one(&app.pool).await?, &payout).await?;
    }
    work::at_rest(app).await
}

/// Paid parcels of a stall that have not arrived and of which something has left or is to leave.
async fn waiting(pool: &PgPool, slug: &str) -> sqlx::Result<Parcels> {
    let rows = sqlx::query!(
        r#"select v.id as parcel, l.id as line, (l.quantity
                  - coalesce((select sum(s.quantity) from shipment_lines s where s.line_id = l.id), 0)
                  - coalesce((select sum(p.quantity) from refund_parts p join refunds r on r.id = p.refund_id
                              where p.line_id = l.id and r.state <> 'failed'), 0))::int as "left!",
                  v.fulfilment_status <> 'unfulfilled' as "left_before!"
           from vendor_orders v join orders o on o.id = v.order_id join order_lines l on l.vendor_order_id = v.id
           where v.vendor_slug = $1 and v.delivered_at is null and o.status = 'placed' and o.email like 'invoice-%@replay.example.com'"#,
        slug
    );
    let mut parcels = Parcels::new();
    for row in rows.fetch_all(pool).await? {
        if row.left > 0 || row.left_before {
            let lines = parcels.entry(row.parcel).or_default();
            lines.extend((row.left > 0).then_some((row.line, row.left)));
        }
    }
    Ok(parcels)
}

/// Opens a stall's account at Stripe where it has none: asked for at its desk, and told who it is on Stripe's page.
async fn account(app: &App, http: &reqwest::Client, stripe: &str, seller: &Seller<'_>, slug: &str) -> anyhow::Result<()> {
    let known = async || {
        let row = sqlx::query!(
            "select c.stripe_account_id, c.payouts_enabled from vendor_accounts c join vendors v on v.id = c.vendor_id where v.slug = $1",
            slug
        );
        row.fetch_optional(&app.pool).await
    };
    if known().await?.is_some_and(|account| account.payouts_enabled) {
        return Ok(());
    }
    seller.open_account().await?;
    let account = known().await?.and_then(|account| account.stripe_account_id).context("it was not made")?;
    told(http, &format!("{stripe}_sandbox/accounts/{account}/onboard"), &json!({})).await?;
    payouts::sync_account(app, &account).await
}

/// Has the sandbox do something that people or banks would do.
async fn told(http: &reqwest::Client, url: &str, what: &Value) -> anyhow::Result<()> {
    let answer = http.post(url).json(what).send().await.context("the Stripe sandbox does not answer")?;
    let status = answer.status();
    anyhow::ensure!(status.is_success(), "the Stripe sandbox answers {status}: {}", answer.text().await?);
    Ok(())
}

/// What the stalls earned, were paid and are owed, and where that does not agree, in words: of the books with the frozen figures, and with
/// each account at Stripe.
///
/// # Errors
/// When the database does not answer.
pub async fn compare(app: &App) -> anyhow::Result<(Paid, Vec<String>)> {
    let rows = sqlx::query!(
        r#"select v.slug, c.stripe_account_id as "account?",
                  coalesce((select sum(x.total_minor - x.fee_minor - x.fee_vat_minor) from vendor_orders x
                            where x.vendor_id = v.id and exists (select 1 from payments p where p.order_id = x.order_id and p.state = 'paid')),
                           0)::bigint as "sold!",
                  coalesce((select sum(p.amount_minor - p.fee_minor - p.fee_vat_minor) from refund_parts p
                            join refunds r on r.id = p.refund_id and r.state <> 'failed'
                            join vendor_orders x on x.id = p.vendor_order_id where x.vendor_id = v.id), 0)::bigint as "back!",
                  coalesce((select sum(p.amount_minor) from payouts p where p.vendor_id = v.id and p.state = 'paid'), 0)::bigint as "paid!",
                  coalesce(b.owed, 0) as "owed!", coalesce(b.connected, 0) as "connected!"
           from vendors v left join vendor_accounts c on c.vendor_id = v.id
           left join lateral (
               select -sum(ledger_balance(a.id)) filter (where a.kind in ('vendor_pending', 'vendor_payable', 'disputes_held'))::bigint as owed,
                      sum(ledger_balance(a.id)) filter (where a.kind = 'connected')::bigint as connected
               from ledger_accounts a where a.vendor_id = v.id) b on true
           where v.slug like 'stall-__' order by v.slug"#
    )
    .fetch_all(&app.pool)
    .await?;
    let (mut sum, mut wrong) = (Paid::default(), Vec::new());
    let currency = app.config.currency.code().to_lowercase();
    for row in rows {
        let earned = row.sold - row.back;
        sum.earned += earned;
        sum.paid_out += row.paid;
        sum.owed += row.owed;
        if earned != row.paid + row.owed {
            wrong.push(format!("{} earned {earned}, was paid {} and is owed {}", row.slug, row.paid, row.owed));
        }
        let there = match &row.account {
            Some(account) => crate::sandbox::stripe::balance::funds(&app.pool, Some(account)).await?,
            None => BTreeMap::new(),
        };
        let there = there.get(&currency).map_or(0, |funds| funds.total());
        if there != row.connected {
            wrong.push(format!("{} has {} at Stripe by the books, and {there} there", row.slug, row.connected));
        }
    }
    Ok((sum, wrong))
}
