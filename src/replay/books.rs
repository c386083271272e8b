//! What the database and the sandbox say of the invoices that were bought, against the invoices themselves.

use super::{Purchase, Retail, vendor_slug};
use crate::sandbox::stripe::controls::charged;
use sqlx::PgPool;
use std::collections::{BTreeMap, HashMap, HashSet};
use uuid::Uuid;

/// The address that tells which invoice an order is for.
pub fn email_of(invoice: &str) -> String {
    format!("invoice-{invoice}@replay.example.com")
}

/// The variants of the stalls, in the order of [`Retail::goods`].
///
/// # Errors
/// When the database does not answer, or goods are missing from the shelves.
pub async fn variants(pool: &PgPool, retail: &Retail) -> anyhow::Result<Vec<Uuid>> {
    let rows = sqlx::query!(
        "select x.id, x.sku from variants x join vendors v on v.id = x.vendor_id where v.slug like 'stall-__' and not x.archived"
    );
    let by_sku: HashMap<String, Uuid> = rows.fetch_all(pool).await?.into_iter().map(|r| (r.sku, r.id)).collect();
    let found = retail.goods.iter().map(|goods| {
        let sku = goods.sku();
        by_sku.get(&sku).copied().ok_or_else(|| anyhow::anyhow!("{sku} is not for sale; was another file replayed here before?"))
    });
    found.collect()
}

/// How far an earlier run came.
#[derive(Debug, Default)]
pub struct Before {
    /// Addresses of invoices that are bought and paid.
    pub paid: HashSet<String>,
    /// Address to the hosted page of an order that waits to be paid.
    pub open: HashMap<String, String>,
}

/// Looks up what an earlier run bought.
///
/// # Errors
/// When the database does not answer.
pub async fn before(pool: &PgPool) -> sqlx::Result<Before> {
    let rows = sqlx::query!(
        r#"select o.email, o.status, p.url as "url?" from orders o
           left join payments p on p.order_id = o.id and p.state = 'open' and o.status = 'pending' and o.hold_expires_at > now()
           where o.email like 'invoice-%@replay.example.com' and (o.status = 'placed' or p.url is not null)"#
    );
    let mut before = Before::default();
    for row in rows.fetch_all(pool).await? {
        match row.url {
            _ if row.status == "placed" => {
                before.paid.insert(row.email);
            }
            Some(url) => {
                before.open.insert(row.email, url);
            }
            None => {}
        }
    }
    Ok(before)
}

/// Sums of what was compared, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub invoices: i64,
    pub orders: i64,
    pub vendor_orders: i64,
    /// Captured less refunded, at the sandbox.
    pub charges: i64,
}

/// Compares every invoice of `purchases` with its order, the order's parts and its charge. The differences, in words.
///
/// # Errors
/// When the database does not answer.
pub async fn compare(pool: &PgPool, retail: &Retail, purchases: &[Purchase]) -> sqlx::Result<(Sums, Vec<String>)> {
    let orders = sqlx::query!(
        r#"select o.id, o.email, o.total_minor, o.payment_status, p.stripe_intent_id as "intent?" from orders o
           left join payments p on p.order_id = o.id and p.state = 'paid'
           where o.status = 'placed' and o.email like 'invoice-%@replay.example.com'"#
    );
    let parts = sqlx::query!(
        "select v.order_id, v.vendor_slug, v.total_minor from vendor_orders v join orders o on o.id = v.order_id
         where o.status = 'placed' and o.email like 'invoice-%@replay.example.com'"
    );
    let at_stripe = charged(pool).await?;
    let mut parts_of: HashMap<Uuid, BTreeMap<String, i64>> = HashMap::new();
    for part in parts.fetch_all(pool).await? {
        parts_of.entry(part.order_id).or_default().insert(part.vendor_slug, part.total_minor);
    }
    let mut by_email: HashMap<String, Vec<_>> = HashMap::new();
    for order in orders.fetch_all(pool).await? {
        by_email.entry(order.email.clone()).or_default().push(order);
    }
    let (mut sums, mut wrong) = (Sums::default(), Vec::new());
    for purchase in purchases {
        let (invoice, total) = (&purchase.invoice, retail.total(purchase));
        sums.invoices += total;
        let found = by_email.remove(&email_of(invoice)).unwrap_or_default();
        if found.len() != 1 {
            wrong.push(format!("invoice {invoice} was bought {} times", found.len()));
        }
        for order in found {
            let charged = order.intent.and_then(|intent| at_stripe.get(&intent)).copied().unwrap_or_default();
            let parts = parts_of.remove(&order.id).unwrap_or_default();
            sums.orders += order.total_minor;
            sums.vendor_orders += parts.values().sum::<i64>();
            sums.charges += charged;
            if order.total_minor != total {
                wrong.push(format!("invoice {invoice} comes to {total}, its order to {}", order.total_minor));
            }
            let expected: BTreeMap<String, i64> =
                retail.by_vendor(purchase).into_iter().map(|(vendor, minor)| (vendor_slug(vendor), minor)).collect();
            if parts != expected {
                wrong.push(format!("invoice {invoice} comes to {expected:?} at its vendors, its order to {parts:?}"));
            }
            if charged != total || order.payment_status != "paid" {
                wrong.push(format!(
                    "invoice {invoice} comes to {total}, its card was charged {charged} ({})",
                    order.payment_status
                ));
            }
        }
    }
    let known: HashSet<String> = retail.purchases.iter().map(|p| email_of(&p.invoice)).collect();
    for email in by_email.into_keys().filter(|email| !known.contains(email)) {
        wrong.push(format!("{email} is an order for no invoice of this file"));
    }
    Ok((sums, wrong))
}
