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
        "Teams: every shop has an owner, and its letters go to one of its owners",
        "select count(*) from vendors v where not exists
         (select 1 from vendor_members m where m.vendor_id = v.id and m.user_id = v.owner_id and m.role = 'owner')",
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
        "Payments: money that no order took goes back whole, unless a bank decides or did not take it",
        "select count(*) from payments p where p.state = 'surplus' and p.amount_minor <>
         (select coalesce(sum(r.amount_minor), 0) from refunds r where r.payment_id = p.id and r.state <> 'failed')
         and not exists (select 1 from disputes d where d.payment_id = p.id and d.status in ('needs_response', 'under_review', 'lost'))
         and not exists (select 1 from refunds r where r.payment_id = p.id and r.state = 'failed' and r.stripe_refund_id is not null)",
    ),
    (
        "Payments: a cancelled order that was paid gets all of it back, unless a bank decides or did not take it",
        "select count(*) from payments p join orders o on o.id = p.order_id where p.state = 'paid' and o.status = 'cancelled' and p.amount_minor <>
         (select coalesce(sum(r.amount_minor), 0) from refunds r where r.payment_id = p.id and r.state <> 'failed')
         and not exists (select 1 from disputes d where d.payment_id = p.id and d.status in ('needs_response', 'under_review', 'lost'))
         and not exists (select 1 from refunds r where r.payment_id = p.id and r.state = 'failed' and r.stripe_refund_id is not null)",
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
        "Commission: fees of lines and shipping sum to their vendor order",
        "select count(*) from vendor_orders v where (v.fee_minor - v.shipping_fee_minor, v.fee_vat_minor - v.shipping_fee_vat_minor) is distinct from
         (select (coalesce(sum(l.fee_minor), 0)::bigint, coalesce(sum(l.fee_vat_minor), 0)::bigint)
          from order_lines l where l.vendor_order_id = v.id)",
    ),
    (
        "Commission: there is one rule that matches everything, and it is asked last",
        "select abs(1 - count(*)) + count(*) filter (where r.position < (select max(position) from commission_rules))
         from commission_rules r where r.fallback and r.archived_at is null",
    ),
    (
        "Coupons: what an order has off is what its coupon took off",
        "select count(*) from orders o left join coupon_claims k on k.order_id = o.id where o.discount_minor <> coalesce(k.amount_minor, 0)",
    ),
    (
        "Coupons: what the market pays of a discount sums over the lines, each within its own",
        "select count(*) from (select order_id, sum(platform_discount_minor) as paid, bool_or(platform_discount_minor > discount_minor) as bad
                               from order_lines group by 1) l
         left join coupon_claims k using (order_id) where l.bad or l.paid <> coalesce(k.platform_minor, 0)",
    ),
    (
        "Coupons: unpaid orders hold theirs, paid orders have taken it, closed orders have given it back",
        "select count(*) from coupon_claims k join orders o on o.id = k.order_id
         where k.state <> case o.status when 'pending' then 'held' when 'placed' then 'taken' else 'released' end",
    ),
    (
        "Coupons: none is used more often than its limits, and every use is counted",
        "select (select count(*) from coupons c where c.limit_total is not null and (c.used > c.limit_total or c.used <>
                    (select count(*) from coupon_claims k where k.coupon_id = c.id and k.state <> 'released')))
              + (select count(*) from (select coupon_id, person, count(*) as uses from coupon_claims where state <> 'released' group by 1, 2) k
                 join coupons c on c.id = k.coupon_id and c.limit_person is not null
                 full join coupon_people p on p.coupon_id = k.coupon_id and p.person = k.person
                 where coalesce(k.uses, 0) is distinct from p.used or k.uses > c.limit_person)",
    ),
    (
        "Ledger: a transaction has two entries at least, of its currency, that sum to zero",
        "select count(*) from ledger_transactions t where
         (select count(*) < 2 or sum(e.amount_minor) <> 0 or bool_or(a.currency <> t.currency)
          from ledger_entries e join ledger_accounts a on a.id = e.account_id where e.transaction_id = t.id)",
    ),
    (
        "Ledger: a balance that was written down is the sum of its entries",
        "select count(*) from ledger_snapshots s where s.balance_minor <>
         coalesce((select sum(e.amount_minor) from ledger_entries e where e.account_id = s.account_id and e.id <= s.through_entry), 0)",
    ),
    (
        "Ledger: what was paid is booked once, with its own total",
        "select count(*) from payments p where p.state in ('paid', 'surplus') and p.amount_minor > 0 and p.amount_minor is distinct from
         (select sum(e.amount_minor) from ledger_transactions t join ledger_entries e on e.transaction_id = t.id
          join ledger_accounts a on a.id = e.account_id and a.kind = 'cash'
          where t.cause = 'payment' and t.cause_id = p.id and t.step in ('sale', 'surplus'))",
    ),
    (
        "Ledger: nothing is booked as paid that was not",
        "select count(*) from ledger_transactions t where t.cause = 'payment' and not exists
         (select 1 from payments p where p.id = t.cause_id and p.booked_at is not null
          and t.step = any(case p.state when 'paid' then array['sale', 'fee', 'called_off'] when 'surplus' then array['surplus', 'fee'] end))",
    ),
    (
        "Ledger: what Stripe kept is booked where it is known",
        "select count(*) from payments p where coalesce(p.stripe_fee_minor, 0) <>
         coalesce((select sum(e.amount_minor) from ledger_transactions t join ledger_entries e on e.transaction_id = t.id
          join ledger_accounts a on a.id = e.account_id and a.kind = 'stripe_fees'
          where t.cause = 'payment' and t.cause_id = p.id and t.step = 'fee'), 0)",
    ),
    (
        "Ledger: a sale gives every vendor what its frozen figures leave it",
        "select count(*) from payments p join vendor_orders v on v.order_id = p.order_id where p.state = 'paid' and p.booked_at is not null and
         v.total_minor - v.fee_minor - v.fee_vat_minor +
             (select coalesce(sum(l.platform_discount_minor), 0) from order_lines l where l.vendor_order_id = v.id) <>
         (select coalesce(-sum(e.amount_minor), 0) from ledger_transactions t join ledger_entries e on e.transaction_id = t.id
          join ledger_accounts a on a.id = e.account_id and a.kind = 'vendor_pending'
          where t.cause = 'payment' and t.cause_id = p.id and t.step = 'sale' and e.vendor_order_id = v.id)",
    ),
    (
        "Ledger: no vendor is booked more for a sale than its frozen figures leave it",
        "select count(*) from (
             select e.vendor_order_id as id, -sum(e.amount_minor) as booked from ledger_entries e
             join ledger_accounts a on a.id = e.account_id and a.kind in ('vendor_pending', 'vendor_payable')
             where e.vendor_order_id is not null group by 1) b
         join vendor_orders v on v.id = b.id where b.booked > v.total_minor - v.fee_minor - v.fee_vat_minor +
             (select coalesce(sum(l.platform_discount_minor), 0) from order_lines l where l.vendor_order_id = v.id)",
    ),
    (
        "Release: a parcel is released where the books say so, and nothing of it is pending then",
        "select count(*) from vendor_orders v where (v.released_at is not null) <> exists
         (select 1 from ledger_transactions t where t.cause = 'release' and t.cause_id = v.id)
         or v.released_at is not null and 0 <> coalesce((select sum(e.amount_minor) from ledger_entries e
             join ledger_accounts a on a.id = e.account_id and a.kind = 'vendor_pending' where e.vendor_order_id = v.id), 0)",
    ),
    (
        "Transfers: what was made is booked, and nothing else",
        "select count(*) from (select id, amount_minor, state, 'transfer' as cause, 1 as sign from transfers
             union all select id, amount_minor, state, 'transfer_reversal', -1 from transfer_reversals) m
         where case m.state when 'made' then m.sign * m.amount_minor else 0 end <>
         coalesce((select sum(e.amount_minor) from ledger_transactions t join ledger_entries e on e.transaction_id = t.id
          join ledger_accounts a on a.id = e.account_id and a.kind = 'connected' where t.cause = m.cause and t.cause_id = m.id), 0)",
    ),
    (
        "Payouts: what is on its way, and what banks have, is booked as it stands",
        "select count(*) from payouts p where
         (case p.state when 'sent' then p.amount_minor else 0 end, case p.state when 'paid' then p.amount_minor else 0 end) is distinct from
         (select (coalesce(sum(e.amount_minor) filter (where a.kind = 'payouts_in_transit'), 0)::bigint,
                  coalesce(sum(e.amount_minor) filter (where a.kind = 'vendor_payable'), 0)::bigint)
          from ledger_transactions t join ledger_entries e on e.transaction_id = t.id join ledger_accounts a on a.id = e.account_id
          where t.cause = 'payout' and t.cause_id = p.id)",
    ),
    (
        "Payouts: nobody's account at Stripe, nor what is on its way from it, is below nothing",
        "select count(*) from ledger_accounts a where a.kind in ('connected', 'payouts_in_transit') and ledger_balance(a.id) < 0",
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
        "Documents: facts and bytes are those that the audit log noted",
        // What was issued before papers were drawn on demand was noted by its bytes alone.
        "select count(*) from documents d where not exists
         (select 1 from audit_log a where a.action = 'document.issued' and a.subject_id = d.id::text and
          (a.detail ? 'sha256' or a.detail ->> 'content' = encode(sha256(convert_to(d.content::text, 'UTF8')), 'hex')))
         or d.pdf is not null and not exists
         (select 1 from audit_log a where a.action in ('document.issued', 'document.drawn') and a.subject_id = d.id::text and
          a.detail ->> 'sha256' = encode(sha256(d.pdf), 'hex'))",
    ),
    (
        "Jobs: one that runs has a lease, one that ended says when",
        "select count(*) from jobs where (state = 'running' and lease_until is null) or (state in ('done', 'failed') and finished_at is null)",
    ),
    (
        "Refunds: the parts of a refund sum to it",
        "select count(*) from refunds r where r.amount_minor <>
         (select coalesce(sum(p.amount_minor), 0) from refund_parts p where p.refund_id = r.id)",
    ),
    (
        "Refunds: never more pieces back than were sold",
        "select count(*) from order_lines l where l.quantity <
         (select sum(p.quantity) from refund_parts p join refunds r on r.id = p.refund_id where p.line_id = l.id and r.state <> 'failed')",
    ),
    (
        "Refunds: never more fees back than were taken of a parcel",
        "select count(*) from vendor_orders v where exists
         (select 1 from refund_parts p join refunds r on r.id = p.refund_id where p.vendor_order_id = v.id and r.state <> 'failed'
          having sum(p.fee_minor) > v.fee_minor or sum(p.fee_vat_minor) > v.fee_vat_minor or sum(p.amount_minor) > v.total_minor)",
    ),
    (
        "Refunds: the books say of a refund what it says itself",
        "select count(*) from refunds r join payments p on p.id = r.payment_id
         where exists (select 1 from ledger_transactions t where t.cause = 'payment' and t.cause_id = p.id and t.step in ('sale', 'surplus'))
           and ((r.state <> 'failed' and p.state <> 'surplus' and not exists
                 (select 1 from ledger_transactions t where t.cause = 'refund' and t.cause_id = r.id and t.step = 'booked'))
             or (select coalesce(sum(e.amount_minor), 0) from ledger_transactions t join ledger_entries e on e.transaction_id = t.id
                 join ledger_accounts a on a.id = e.account_id and a.kind = 'refunds_due' where t.cause = 'refund' and t.cause_id = r.id)
              <> case when p.state = 'surplus' then case r.state when 'succeeded' then r.amount_minor else 0 end
                      else case r.state when 'pending' then -r.amount_minor else 0 end end)",
    ),
    (
        "Returns: no more on its way back than was sent",
        "select count(*) from order_lines l where
         (select coalesce(sum(case t.state when 'received' then x.received else x.quantity end), 0)
          from return_lines x join returns t on t.id = x.return_id where x.line_id = l.id and t.state not in ('refused', 'withdrawn'))
         > (select coalesce(sum(s.quantity), 0) from shipment_lines s where s.line_id = l.id)",
    ),
    (
        "Disputes: the parts of a dispute sum to it",
        "select count(*) from disputes d where d.amount_minor <>
         (select coalesce(sum(p.amount_minor), 0) from dispute_parts p where p.dispute_id = d.id)",
    ),
    (
        "Disputes: the parts are of parcels of its own order",
        "select count(*) from dispute_parts p join disputes d on d.id = p.dispute_id join vendor_orders v on v.id = p.vendor_order_id
         where v.order_id <> d.order_id",
    ),
    (
        "Disputes: never more taken and given back of a parcel than was sold",
        "select count(*) from vendor_orders v where exists (select 1 from given_back b where b.vendor_order_id = v.id
         having sum(b.amount_minor) > v.total_minor or sum(b.fee_minor) > v.fee_minor or sum(b.fee_vat_minor) > v.fee_vat_minor)",
    ),
    (
        "Disputes: what is held from a vendor is what banks hold of its sales, and nothing else",
        "select count(*) from (
             select a.vendor_id, sum(e.amount_minor) as held from ledger_accounts a join ledger_entries e on e.account_id = a.id
             join ledger_transactions t on t.id = e.transaction_id and t.cause <> 'correction'
             where a.kind = 'disputes_held' group by 1) b
         full join (
             select v.vendor_id, sum(p.amount_minor) as held from disputes d join dispute_parts p on p.dispute_id = d.id
             join vendor_orders v on v.id = p.vendor_order_id
             where d.withdrawn_minor is not null and d.reinstated_minor is null and d.status <> 'lost'
               and exists (select 1 from payments x where x.id = d.payment_id and x.booked_at is not null) group by 1) d using (vendor_id)
         where coalesce(b.held, 0) <> coalesce(d.held, 0)",
    ),
    (
        "Disputes: the books say of a dispute what Stripe said of it",
        "select count(*) from disputes d join payments p on p.id = d.payment_id and p.booked_at is not null where
         (select coalesce(sum(e.amount_minor), 0) from ledger_transactions t join ledger_entries e on e.transaction_id = t.id
          join ledger_accounts a on a.id = e.account_id and a.kind = 'cash' where t.cause = 'dispute' and t.cause_id = d.id)
         <> coalesce(d.reinstated_minor, 0) - coalesce(d.withdrawn_minor, 0) - case when d.withdrawn_minor is null then 0 else d.fee_minor end",
    ),
    (
        "Prices: what a variant costs is the last of its history",
        "select count(*) from variants v where v.price_minor is distinct from
         (select h.price_minor from price_history h where h.variant_id = v.id order by h.id desc limit 1)",
    ),
    (
        "Prices: a variant is reduced by the running promotion of its own that takes most off, and by no other",
        "select count(*) from variants v where v.off_bp <> coalesce(
             (select max(p.off_bp) from promotion_variants m join promotions p on p.id = m.promotion_id and p.state = 'running'
              where m.variant_id = v.id and p.vendor_id = v.vendor_id), 0)",
    ),
    (
        "Prices: what is said beside a reduced price is the lowest of the thirty days before",
        "select count(*) from variants v where v.prior_minor <> lowest_before(v.id, v.reduced_since)",
    ),
    (
        "Figures: a vendor's day is the sum of what happened in it",
        "select count(*) from
         (select * from vendor_day_facts where (orders, pieces, revenue_minor, refunds_minor, returns) <> (0, 0, 0, 0, 0)) f
         full join (select * from vendor_day_figures where (orders, pieces, revenue_minor, refunds_minor, returns) <> (0, 0, 0, 0, 0)) g
             using (vendor_id, day)
         where (f.orders, f.pieces, f.revenue_minor, f.refunds_minor, f.returns)
             is distinct from (g.orders, g.pieces, g.revenue_minor, g.refunds_minor, g.returns)",
    ),
    (
        "Figures: a product's day is the sum of what was sold of it",
        "select count(*) from (select * from product_day_facts where (pieces, revenue_minor) <> (0, 0)) f
         full join (select g.* from product_day_figures g join products p on p.id = g.product_id
                    where (g.pieces, g.revenue_minor) <> (0, 0)) g using (vendor_id, day, product_id)
         where (f.pieces, f.revenue_minor) is distinct from (g.pieces, g.revenue_minor)",
    ),
    (
        "Reconciliation: what was booked to make the books agree is booked once, as a person decided",
        "select count(*) from reconciliation_differences d where (d.state = 'booked') is distinct from
         exists (select 1 from ledger_transactions t where t.cause = 'correction' and t.cause_id = d.id and t.actor_id is not distinct from d.decided_by)",
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
