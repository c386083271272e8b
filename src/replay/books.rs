//! What the database and the sandbox say of the invoices that were bought, against the invoices themselves.

use super::{Purchase, Retail, refunds, vendor_slug};
use crate::sandbox::stripe::controls::{charged, moved};
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
    /// What the file says that was bought, and what of it was taken back.
    pub invoices: i64,
    pub cancelled: i64,
    pub orders: i64,
    pub vendor_orders: i64,
    /// By the shop's own rows.
    pub refunds: i64,
    /// Captured less refunded, at the sandbox.
    pub charges: i64,
    /// What the market has kept of it, and the VAT on that.
    pub commission: i64,
    /// What came in, less Stripe's fees and what went back: by the books, and on our balance at the sandbox.
    pub cash: i64,
    pub at_stripe: i64,
}

/// An order as the comparison needs it.
struct Order {
    id: Uuid,
    total: i64,
    payment_status: String,
    intent: Option<String>,
    refunds: i64,
    cash: i64,
    commission: i64,
}

/// A vendor's part of an order: what it comes to, and what went back of it.
type Parts = BTreeMap<String, (i64, i64)>;

/// Compares every invoice of `purchases`, and what was cancelled of it, with its order, the order's parts, its refunds, its charge and its
/// place in the books. The invoices that differ, in words.
///
/// # Errors
/// When the database does not answer.
pub async fn compare(pool: &PgPool, retail: &Retail, purchases: &[Purchase]) -> sqlx::Result<(Sums, Vec<String>)> {
    let mut orders = orders(pool).await?;
    let mut parts = parts(pool).await?;
    let (charged, moved) = (charged(pool).await?, moved(pool).await?);
    let mut cancelled: HashMap<usize, Parts> = HashMap::new();
    for cancellation in refunds::of(retail, purchases) {
        let back = cancelled.entry(cancellation.purchase).or_default();
        back.entry(vendor_slug(cancellation.vendor)).or_default().1 += retail.given_back(cancellation);
    }
    let (mut sums, mut wrong) = (Sums::default(), Vec::new());
    for (place, purchase) in purchases.iter().enumerate() {
        let (invoice, total) = (&purchase.invoice, retail.total(purchase));
        let mut expected = cancelled.remove(&place).unwrap_or_default();
        let back: i64 = expected.values().map(|(_, back)| back).sum();
        for (vendor, minor) in retail.by_vendor(purchase) {
            expected.entry(vendor_slug(vendor)).or_default().0 = minor;
        }
        sums.invoices += total;
        sums.cancelled += back;
        let found = orders.remove(&email_of(invoice)).unwrap_or_default();
        if found.len() != 1 {
            wrong.push(format!("invoice {invoice} was bought {} times", found.len()));
        }
        for order in found {
            let at = |of: &HashMap<String, i64>| order.intent.as_ref().and_then(|i| of.get(i)).copied().unwrap_or_default();
            let (charge, at_stripe) = (at(&charged), at(&moved));
            let has = parts.remove(&order.id).unwrap_or_default();
            sums.orders += order.total;
            sums.vendor_orders += has.values().map(|(total, _)| total).sum::<i64>();
            sums.refunds += order.refunds;
            sums.charges += charge;
            sums.commission += order.commission;
            sums.cash += order.cash;
            sums.at_stripe += at_stripe;
            let mut differs = Vec::new();
            if order.total != total || order.refunds != back {
                differs.push(format!("its order to {} less {}", order.total, order.refunds));
            }
            if has != expected {
                differs.push(format!("at its vendors to {expected:?}, the order's parts to {has:?}"));
            }
            if charge != total - back {
                differs.push(format!("its card was charged {charge}"));
            }
            if order.cash != at_stripe {
                differs.push(format!("the books have {} of it, Stripe {at_stripe}", order.cash));
            }
            let says = if back == 0 {
                "paid"
            } else if back < total {
                "partially_refunded"
            } else {
                "refunded"
            };
            if order.payment_status != says {
                differs.push(format!("its order says {} instead of {says}", order.payment_status));
            }
            if !differs.is_empty() {
                wrong.push(format!("invoice {invoice} comes to {total} less {back}; {}", differs.join("; ")));
            }
        }
    }
    let known: HashSet<String> = retail.purchases.iter().map(|p| email_of(&p.invoice)).collect();
    for email in orders.into_keys().filter(|email| !known.contains(email)) {
        wrong.push(format!("{email} is an order for no invoice of this file"));
    }
    Ok((sums, wrong))
}

/// The orders of a replay, by their address.
async fn orders(pool: &PgPool) -> sqlx::Result<HashMap<String, Vec<Order>>> {
    let rows = sqlx::query!(
        r#"with booked as (
               select t.order_id, sum(e.amount_minor) filter (where a.kind = 'cash')::bigint as cash,
                      -sum(e.amount_minor) filter (where a.kind in ('commission', 'commission_vat'))::bigint as commission
               from ledger_transactions t join ledger_entries e on e.transaction_id = t.id join ledger_accounts a on a.id = e.account_id
               where t.cause in ('payment', 'refund') group by 1
           )
           select o.id, o.email, o.total_minor, o.payment_status, p.stripe_intent_id as "intent?", coalesce(b.cash, 0) as "cash!",
                  coalesce(b.commission, 0) as "commission!",
                  coalesce((select sum(r.amount_minor) from refunds r where r.payment_id = p.id and r.state = 'succeeded'), 0)::bigint
                      as "refunds!"
           from orders o left join payments p on p.order_id = o.id and p.state = 'paid' left join booked b on b.order_id = o.id
           where o.status = 'placed' and o.email like 'invoice-%@replay.example.com'"#
    );
    let mut orders: HashMap<String, Vec<Order>> = HashMap::new();
    for r in rows.fetch_all(pool).await? {
        orders.entry(r.email).or_default().push(Order {
            id: r.id,
            total: r.total_minor,
            payment_status: r.payment_status,
            intent: r.intent,
            refunds: r.refunds,
            cash: r.cash,
            commission: r.commission,
        });
    }
    Ok(orders)
}

/// The parts of these orders, by order and vendor.
async fn parts(pool: &PgPool) -> sqlx::Result<HashMap<Uuid, Parts>> {
    let rows = sqlx::query!(
        r#"select v.order_id, v.vendor_slug, v.total_minor,
                  coalesce((select sum(x.amount_minor) from refund_parts x join refunds r on r.id = x.refund_id and r.state = 'succeeded'
                            where x.vendor_order_id = v.id), 0)::bigint as "back!"
           from vendor_orders v join orders o on o.id = v.order_id
           where o.status = 'placed' and o.email like 'invoice-%@replay.example.com'"#
    );
    let mut parts: HashMap<Uuid, Parts> = HashMap::new();
    for part in rows.fetch_all(pool).await? {
        parts.entry(part.order_id).or_default().insert(part.vendor_slug, (part.total_minor, part.back));
    }
    Ok(parts)
}
