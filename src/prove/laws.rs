//! The laws that rows of different tables keep together, each as one statement that counts the rows which break it. What one row
//! can break by itself is refused by a constraint and needs no law here.

use crate::audit;
use sqlx::{PgPool, Row};

/// One law and how often it is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub law: &'static str,
    pub violations: i64,
}

/// `(what must hold, statement that answers with one count of violations)`
const LAWS: &[(&str, &str)] = &[
    (
        "Stock: what a shelf says is held is what open orders hold of it, and what stands aside",
        "select count(*) from stock s where s.held <> count_aside(s.variant_id) +
         coalesce((select sum(h.quantity) from stock_holds h where h.variant_id = s.variant_id and h.state = 'held'), 0)",
    ),
    (
        "Stock: pieces stand aside only where the shelf says so",
        "select count(*) from stock s where not s.set_aside and count_aside(s.variant_id) > 0",
    ),
    (
        "Holds: unpaid orders hold, paid orders have taken, closed orders have given back",
        "select count(*) from stock_holds h join orders o on o.id = h.order_id
         where h.state <> case o.status when 'pending' then 'held' when 'placed' then 'taken' else 'released' end",
    ),
    (
        "Holds: an order holds exactly what its lines sell",
        "select count(*) from
         (select order_id, variant_id, sum(quantity) as sold from order_lines where variant_id is not null group by 1, 2) l
         full join stock_holds h using (order_id, variant_id) where l.sold is distinct from h.quantity
             and exists (select 1 from order_lines x where x.order_id = coalesce(l.order_id, h.order_id) and x.variant_id is not null)",
    ),
    (
        "Orders: vendor orders sum to their order",
        "select count(*) from orders o where (o.items_minor, o.shipping_minor, o.discount_minor, o.tax_minor, o.total_minor) is distinct from
         (select (coalesce(sum(items_minor), 0)::bigint, coalesce(sum(shipping_minor), 0)::bigint, coalesce(sum(discount_minor), 0)::bigint,
                  coalesce(sum(tax_minor), 0)::bigint, coalesce(sum(total_minor), 0)::bigint)
          from vendor_orders v where v.order_id = o.id)",
    ),
    (
        "Orders: lines sum to their vendor order",
        "select count(*) from vendor_orders v where (v.items_minor, v.discount_minor) is distinct from
         (select (coalesce(sum(quantity * unit_price_minor), 0)::bigint, coalesce(sum(discount_minor), 0)::bigint)
          from order_lines l where l.vendor_order_id = v.id)",
    ),
    (
        "Orders: every vendor order has lines, and only of its own order",
        "select count(*) from vendor_orders v where not exists
         (select 1 from order_lines l where l.vendor_order_id = v.id and l.order_id = v.order_id)
         or exists (select 1 from order_lines l where l.vendor_order_id = v.id and l.order_id <> v.order_id)",
    ),
    (
        "Payments: a placed order was paid once, with its own total and currency",
        "select count(*) from orders o where o.status = 'placed' and not exists
         (select 1 from payments p where p.order_id = o.id and p.state = 'paid' and p.amount_minor = o.total_minor and p.currency = o.currency)",
    ),
    (
        "Payments: a paid attempt belongs to an order that took it",
        "select count(*) from payments p join orders o on o.id = p.order_id where p.state = 'paid' and o.placed_at is null",
    ),
    (
        "Payments: money that no order took goes back whole",
        "select count(*) from payments p where p.state = 'surplus' and p.amount_minor <>
         (select coalesce(sum(r.amount_minor), 0) from refunds r where r.payment_id = p.id and r.state <> 'failed')",
    ),
    (
        "Payments: a cancelled order that was paid gets all of it back",
        "select count(*) from payments p join orders o on o.id = p.order_id where p.state = 'paid' and o.status = 'cancelled' and p.amount_minor <>
         (select coalesce(sum(r.amount_minor), 0) from refunds r where r.payment_id = p.id and r.state <> 'failed')",
    ),
    (
        "Refunds: never more than was paid",
        "select count(*) from payments p where p.amount_minor <
         (select sum(r.amount_minor) from refunds r where r.payment_id = p.id and r.state <> 'failed')",
    ),
    (
        "Refunds: money that went back came in before",
        "select count(*) from refunds r join payments p on p.id = r.payment_id where p.state not in ('paid', 'surplus')",
    ),
    (
        "Fulfilment: never more shipped than sold",
        "select count(*) from order_lines l where l.quantity < (select sum(s.quantity) from shipment_lines s where s.line_id = l.id)",
    ),
    (
        "Fulfilment: an order says what its shipments say",
        "select count(*) from orders o where o.fulfilment_status <> (
             select case when coalesce(sum(s.quantity), 0) = 0 then 'unfulfilled'
                         when coalesce(sum(s.quantity), 0) = (select sum(quantity) from order_lines where order_id = o.id) then 'fulfilled'
                         else 'partial' end
             from order_lines l left join shipment_lines s on s.line_id = l.id where l.order_id = o.id)",
    ),
    (
        "Fulfilment: nothing leaves that was not paid",
        "select count(*) from shipments s join vendor_orders v on v.id = s.vendor_order_id join orders o on o.id = v.order_id
         where o.placed_at is null",
    ),
    (
        "Catalogue: a list shows the published products of approved vendors, at today's price and stock",
        "select count(*) from (
             select p.id, min(x.price_minor) as low, bool_or(s.on_hand > s.held) as in_stock from products p
             join vendors v on v.id = p.vendor_id and v.status = 'approved'
             join variants x on x.product_id = p.id and not x.archived join stock s on s.variant_id = x.id
             where p.status = 'published' group by p.id) t
         full join listings l on l.product_id = t.id
         where (l.price_minor, l.in_stock) is distinct from (t.low, t.in_stock)",
    ),
    (
        "Webhooks: an event that waits has a job that will handle it",
        "select count(*) from webhook_events e where e.state = 'pending' and not exists
         (select 1 from jobs j where j.kind = 'handle_webhook' and j.state in ('queued', 'running') and j.payload #>> '{payload,event}' = e.id)",
    ),
    (
        "Webhooks: an event that is done says when",
        "select count(*) from webhook_events where state = 'done' and handled_at is null",
    ),
    (
        "Idempotency: a request that made an order and keeps its answer keeps one that says so",
        "select count(*) from idempotency_keys k join orders o on o.checkout_key = k.id
         where k.status is not null and k.status not between 200 and 299",
    ),
    (
        "Documents: the numbers of an issuer's year run from one without a gap",
        "select count(*) from document_counters c where c.last <>
         (select count(*) from documents d where d.issuer_id is not distinct from c.issuer_id and d.kind = c.kind and d.year = c.year)
         or c.last <> (select coalesce(max(d.sequence), 0) from documents d
                       where d.issuer_id is not distinct from c.issuer_id and d.kind = c.kind and d.year = c.year)",
    ),
    (
        "Documents: every one belongs to a series that was counted",
        "select count(*) from documents d where not exists
         (select 1 from document_counters c where c.issuer_id is not distinct from d.issuer_id and c.kind = d.kind and c.year = d.year)",
    ),
    (
        "Documents: an invoice says what its vendor order says",
        "select count(*) from documents d join vendor_orders v on v.id = d.vendor_order_id
         where d.kind = 'invoice' and (d.total_minor, d.tax_minor) is distinct from (v.total_minor, v.tax_minor)",
    ),
    (
        "Documents: credit notes never exceed their invoice",
        "select count(*) from documents i join lateral
         (select coalesce(sum(c.total_minor), 0) as total, coalesce(sum(c.tax_minor), 0) as tax from documents c
          where c.kind = 'credit_note' and c.vendor_order_id = i.vendor_order_id) c on c.total > i.total_minor or c.tax > i.tax_minor
         where i.kind = 'invoice'",
    ),
    (
        "Documents: the bytes are those that the audit log noted when they were issued",
        "select count(*) from documents d where not exists
         (select 1 from audit_log a where a.action = 'document.issued' and a.subject_id = d.id::text and a.detail ->> 'sha256' = encode(sha256(d.pdf), 'hex'))",
    ),
    (
        "Jobs: one that runs has a lease, one that ended says when",
        "select count(*) from jobs where (state = 'running' and lease_until is null) or (state in ('done', 'failed') and finished_at is null)",
    ),
];

/// Counts the violations of every law, all in one moment of the database. Changes nothing.
pub async fn verify(pool: &PgPool) -> sqlx::Result<Vec<Finding>> {
    let mut tx = pool.begin().await?;
    sqlx::query("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
    let mut findings = Vec::with_capacity(LAWS.len());
    for (law, statement) in LAWS {
        let violations = sqlx::query(*statement).fetch_one(&mut *tx).await?.try_get(0)?;
        findings.push(Finding { law, violations });
    }
    let audit = audit::verify(&mut tx, None).await?;
    let violations = i64::try_from(audit.flaws.len()).unwrap_or(i64::MAX);
    findings.push(Finding { law: "Audit: every entry of the log stands as it was written", violations });
    tx.rollback().await?;
    Ok(findings)
}
