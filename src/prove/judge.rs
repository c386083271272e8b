//! What must be true of a crowd's purchases once everything has come to rest, whatever was done to the program meanwhile.

use super::{Finding, verify};
use crate::sandbox::stripe::controls::charged;
use sqlx::PgPool;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// `(what must hold, statement that answers with one count of violations)`
const OF_A_CROWD: &[(&str, &str)] = &[
    ("Rest: every order is paid or closed", "select count(*) from orders where status = 'pending'"),
    (
        "Rest: no payment is under way",
        "select count(*) from payments where state in ('opening', 'open', 'processing')",
    ),
    ("Rest: no job is left or gave up", "select count(*) from jobs where state <> 'done'"),
    ("Stock: nothing is held any more", "select count(*) from stock where held <> 0"),
    (
        "Orders: nobody has two for one checkout",
        "select count(*) from (select email from orders where status = 'placed' group by email having count(*) > 1) twice",
    ),
    (
        "Orders: each says once that it is paid, and one that is not paid never says it",
        "select count(*) from orders o where
         (select count(*) from order_events e where e.order_id = o.id and e.kind = 'paid') <> case o.status when 'placed' then 1 else 0 end",
    ),
    (
        "Letters: each paid order told its shopper once",
        "select count(*) from orders o where o.status = 'placed' and
         (select count(*) from outbox m where m.recipient = o.email and m.subject like 'Order % is paid') <> 1",
    ),
    (
        "Webhooks: every stored event was handled",
        "select count(*) from webhook_events where state <> 'done' or handled_at is null",
    ),
];

/// What is left is what there was, less what was paid; $1 is the stock that each variant began with.
const STOCK_IS_WHAT_WAS_NOT_PAID: &str = "select count(*) from stock s where s.on_hand <> $1 -
     (select coalesce(sum(l.quantity), 0) from order_lines l join orders o on o.id = l.order_id
      where l.variant_id = s.variant_id and o.status = 'placed')";

/// How long everything may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until nothing is left to do; `false` when that does not happen.
///
/// # Errors
/// When the database does not answer.
pub async fn at_rest(pool: &PgPool) -> sqlx::Result<bool> {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let busy: i64 = sqlx::query_scalar(
            "select (select count(*) from orders where status = 'pending')
                  + (select count(*) from payments where state in ('opening', 'open', 'processing'))
                  + (select count(*) from jobs where state in ('queued', 'running'))
                  + (select count(*) from webhook_events where state = 'pending')
                  + (select count(*) from stripe_sandbox.deliveries where state in ('pending', 'held'))",
        )
        .fetch_one(pool)
        .await?;
        if busy == 0 {
            return Ok(true);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(false)
}

/// All laws of `souk verify`, those of a crowd, and Stripe's side of the books. `stock` is what each variant began with.
///
/// # Errors
/// When the database does not answer.
pub async fn judge(pool: &PgPool, stock: i32) -> sqlx::Result<Vec<Finding>> {
    let mut findings = verify(pool).await?;
    for (law, statement) in OF_A_CROWD {
        findings.push(Finding { law, violations: sqlx::query_scalar(*statement).fetch_one(pool).await? });
    }
    let violations = sqlx::query_scalar(STOCK_IS_WHAT_WAS_NOT_PAID).bind(stock).fetch_one(pool).await?;
    findings.push(Finding { law: "Stock: what is left is what there was, less what was paid", violations });
    let unknown = money_without_an_order(pool).await?;
    findings.push(Finding { law: "Charges: nobody was charged without an order", violations: unknown.unaccounted });
    findings.push(Finding { law: "Charges: every paid order was charged once, and no more", violations: unknown.uncharged });
    Ok(findings)
}

/// Where the sandbox's books and ours differ.
pub struct Difference {
    /// Payments at Stripe whose money no placed order of ours knows.
    pub unaccounted: i64,
    /// Placed orders whose total is not what Stripe has.
    pub uncharged: i64,
}

/// Compares what Stripe has with what the orders say.
///
/// # Errors
/// When the database does not answer.
pub async fn money_without_an_order(pool: &PgPool) -> sqlx::Result<Difference> {
    let rows = sqlx::query!(
        r#"select p.stripe_intent_id, o.total_minor from orders o
           left join payments p on p.order_id = o.id and p.state = 'paid' where o.status = 'placed'"#
    );
    let mut at_stripe: HashMap<String, i64> = charged(pool).await?;
    let mut uncharged = 0;
    for row in rows.fetch_all(pool).await? {
        let has = row.stripe_intent_id.and_then(|intent| at_stripe.remove(&intent));
        uncharged += i64::from(has != Some(row.total_minor));
    }
    let unaccounted = at_stripe.values().filter(|minor| **minor != 0).count();
    Ok(Difference { unaccounted: i64::try_from(unaccounted).unwrap_or(i64::MAX), uncharged })
}
