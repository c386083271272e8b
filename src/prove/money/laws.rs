//! What must be true of the money once a market is at rest, whatever happened before: statements over the shop's tables, its books and
//! Stripe's, which the sandbox keeps in the same database. Beside them stand the laws of `souk verify`.

use super::super::Finding;
use crate::ledger;
use sqlx::PgPool;

/// Owed to each vendor by the books.
const OWED: &str = "select v.id as vendor,
    -coalesce(sum(b.minor) filter (where b.kind in ('vendor_pending', 'vendor_payable', 'disputes_held')), 0) as owed,
    -coalesce(sum(b.minor) filter (where b.kind in ('vendor_payable', 'disputes_held')), 0) as available,
    coalesce(sum(b.minor) filter (where b.kind = 'connected'), 0) as connected,
    coalesce(sum(b.minor) filter (where b.kind = 'payouts_in_transit'), 0) as in_transit
  from vendors v left join (
    select a.vendor_id, a.kind, sum(e.amount_minor) as minor
    from ledger_accounts a join ledger_entries e on e.account_id = a.id group by 1, 2) b on b.vendor_id = v.id group by 1";

/// What each parcel of a paid order leaves its vendor, by the figures that were frozen when it was sold.
const NET: &str = "select v.id, v.vendor_id, v.order_id, v.released_at is not null as released,
    v.total_minor - v.fee_minor - v.fee_vat_minor
      + (select sum(l.platform_discount_minor) from order_lines l where l.vendor_order_id = v.id) as net
  from vendor_orders v where exists (select 1 from payments p where p.order_id = v.order_id and p.state = 'paid'
    and not exists (select 1 from ledger_transactions t where t.cause = 'payment' and t.cause_id = p.id and t.step = 'called_off'))";

/// `(what must hold, statement that answers with one count of violations)`; `{owed}` and `{net}` stand for the two above.
const LAWS: &[(&str, &str)] = &[
    (
        "Money: every transaction of the books sums to zero",
        "select count(*) from (select transaction_id from ledger_entries group by 1 having sum(amount_minor) <> 0) x",
    ),
    (
        "Money: the books sum to zero in each currency",
        "select count(*) from (select a.currency from ledger_entries e join ledger_accounts a on a.id = e.account_id
                               group by 1 having sum(e.amount_minor) <> 0) x",
    ),
    (
        "Money: what a vendor is owed is what was sold, less what went back, what banks hold and what was paid out",
        "select count(*) from ({owed}) b where b.owed <>
           coalesce((select sum(n.net) from ({net}) n where n.vendor_id = b.vendor), 0)
         - coalesce((select sum(p.amount_minor + p.platform_discount_minor - p.fee_minor - p.fee_vat_minor)
                     from refund_parts p join refunds r on r.id = p.refund_id and r.state <> 'failed'
                     join vendor_orders v on v.id = p.vendor_order_id where v.vendor_id = b.vendor), 0)
         - coalesce((select sum(case when d.status = 'lost' then p.amount_minor + p.platform_discount_minor - p.fee_minor - p.fee_vat_minor
                                     when d.reinstated_minor is null then p.amount_minor else 0 end)
                     from dispute_parts p join disputes d on d.id = p.dispute_id and d.withdrawn_minor is not null
                     join vendor_orders v on v.id = p.vendor_order_id where v.vendor_id = b.vendor), 0)
         - coalesce((select sum(p.amount_minor) from payouts p where p.vendor_id = b.vendor and p.state = 'paid'), 0)
         - coalesce((select sum(e.amount_minor) from ledger_entries e join ledger_accounts a on a.id = e.account_id
                     join ledger_transactions t on t.id = e.transaction_id and t.cause = 'correction'
                     where a.vendor_id = b.vendor and a.kind in ('vendor_pending', 'vendor_payable')), 0)",
    ),
    (
        "Money: no vendor got more than the frozen net of what was released to it",
        "select count(*) from ({owed}) b where
           b.connected + b.in_transit
         + coalesce((select sum(p.amount_minor) from payouts p where p.vendor_id = b.vendor and p.state = 'paid'), 0) >
           coalesce((select sum(n.net) from ({net}) n where n.vendor_id = b.vendor and n.released), 0)
         - coalesce((select sum(e.amount_minor) from ledger_entries e join ledger_accounts a on a.id = e.account_id
                     join ledger_transactions t on t.id = e.transaction_id and t.cause = 'correction'
                     where a.vendor_id = b.vendor and a.kind = 'vendor_payable' and e.amount_minor < 0), 0)",
    ),
    (
        "Money: an order that was called off leaves nothing with its vendors, unless a bank decides or did not take it back",
        "select count(*) from vendor_orders v join orders o on o.id = v.order_id and o.status = 'cancelled'
         where 0 <> coalesce((select sum(e.amount_minor) from ledger_entries e join ledger_accounts a on a.id = e.account_id
                              where e.vendor_order_id = v.id and a.kind <> 'cash'
                                and (a.vendor_id is not null or a.kind in ('commission', 'commission_vat', 'discounts'))), 0)
            and not exists (select 1 from payments p join disputes d on d.payment_id = p.id
                            where p.order_id = o.id and d.status in ('needs_response', 'under_review', 'lost'))
            and not exists (select 1 from payments p join refunds r on r.payment_id = p.id
                            where p.order_id = o.id and r.state = 'failed' and r.stripe_refund_id is not null)",
    ),
    (
        "Stripe: our balance there is Cash in the books, less what refunds are waiting for at banks",
        "select count(*) from (select
             coalesce((select sum(net) from stripe_sandbox.objects where kind = 'balance_transaction' and owner = ''), 0) as there,
             coalesce((select sum(e.amount_minor) from ledger_entries e join ledger_accounts a on a.id = e.account_id and a.kind = 'cash'), 0)
           - coalesce((select sum(amount_minor) from refunds where state = 'pending' and stripe_refund_id is not null), 0) as here) x
         where there <> here",
    ),
    (
        "Stripe: the balance of each vendor's account there is Connected in the books",
        "select count(*) from ({owed}) b left join vendor_accounts c on c.vendor_id = b.vendor where b.connected <>
         coalesce((select sum(net) from stripe_sandbox.objects where kind = 'balance_transaction' and owner = c.stripe_account_id), 0)",
    ),
    (
        "Stripe: a refund stands there as it stands here",
        "select count(*) from refunds r left join stripe_sandbox.objects s on s.id = r.stripe_refund_id
         where r.state <> case coalesce(s.status, s.doc->>'status', 'failed') when 'canceled' then 'failed'
                               else coalesce(s.status, s.doc->>'status', 'failed') end",
    ),
    (
        "Stripe: every refund there is one here, unless it failed before anybody asked",
        "select count(*) from stripe_sandbox.objects s where s.kind = 'refund' and s.owner = '' and s.doc->>'status' in ('succeeded', 'pending')
         and not exists (select 1 from refunds r where r.stripe_refund_id = s.id)",
    ),
    (
        "Stripe: what a charge says went back is what went back here",
        "select count(*) from payments p join stripe_sandbox.objects c on c.kind = 'charge' and c.payment_intent = p.stripe_intent_id
             and c.doc->>'status' = 'succeeded'
         where (c.doc->>'amount_refunded')::bigint <>
         coalesce((select sum(r.amount_minor) from refunds r where r.payment_id = p.id and r.state <> 'failed'), 0)",
    ),
    (
        "Stripe: a dispute stands there as it stands here, and there is none that is not here",
        "select count(*) from stripe_sandbox.objects s left join disputes d on d.stripe_dispute_id = s.id
         where s.kind = 'dispute' and d.status is distinct from s.doc->>'status'",
    ),
    (
        "Stripe: a payout stands there as it stands here",
        "select count(*) from payouts p left join stripe_sandbox.objects s on s.id = p.stripe_payout_id
         where not case p.state when 'sent' then coalesce(s.doc->>'status' in ('pending', 'in_transit'), false)
                                when 'paid' then coalesce(s.doc->>'status' = 'paid', false)
                                when 'booked' then false
                                else coalesce(s.doc->>'status' in ('failed', 'canceled'), true) end",
    ),
    (
        "Statuses: an order says of its payment what payments, refunds and banks say",
        "select count(*) from orders o left join lateral (
             select p.state, p.amount_minor,
                    coalesce((select sum(r.amount_minor) from refunds r where r.payment_id = p.id and r.state <> 'failed'), 0)
                  + coalesce((select sum(d.amount_minor) from disputes d where d.payment_id = p.id and d.status = 'lost'), 0) as back
             from payments p where p.order_id = o.id and p.state in ('paid', 'surplus') order by p.state, p.attempt desc limit 1) f on true
         where case when f.state is null then o.payment_status not in ('unpaid', 'failed', 'processing')
                    else o.payment_status <> case when f.back = 0 then 'paid' when f.back < f.amount_minor then 'partially_refunded'
                                                  else 'refunded' end end",
    ),
    (
        "Statuses: a parcel is released where its money became payable, and only then",
        "select count(*) from vendor_orders v where (v.released_at is not null) <> exists
         (select 1 from ledger_transactions t where t.cause = 'release' and t.cause_id = v.id)",
    ),
    (
        "Levels: at rest a vendor has at Stripe what it can be paid, unless Stripe refused to move it",
        "select count(*) from ({owed}) b join vendor_accounts c on c.vendor_id = b.vendor and c.payouts_enabled
         cross join lateral (select greatest(b.available, 0) - b.connected - b.in_transit as missing,
             coalesce((select sum(p.amount_minor) from payouts p where p.vendor_id = b.vendor and p.state = 'booked'), 0) as booked) m
         where m.missing > 0 and coalesce((select t.state from transfers t where t.vendor_id = b.vendor
                                           order by t.created_at desc, t.id desc limit 1), '') <> 'failed'
            or m.missing < 0 and least(-m.missing, b.connected - m.booked) > 0
               and coalesce((select r.state from transfer_reversals r where r.vendor_id = b.vendor
                             order by r.created_at desc, r.id desc limit 1), '') <> 'failed'",
    ),
    (
        "Snapshots: what was written down and what came since is what all entries sum to",
        "select count(*) from ledger_accounts a where ledger_balance(a.id) <>
         coalesce((select sum(e.amount_minor) from ledger_entries e where e.account_id = a.id), 0)",
    ),
    (
        "Rest: no job that is due is left, and none gave up",
        "select count(*) from jobs where state <> 'done' and run_at < now() + interval '1 year'",
    ),
    ("Rest: every event was handled", "select count(*) from webhook_events where state <> 'done'"),
];

/// Counts the violations of the laws of money in a market at rest. Takes a snapshot of the books on the way; changes nothing else.
///
/// # Errors
/// When the database does not answer.
pub async fn check(pool: &PgPool) -> sqlx::Result<Vec<Finding>> {
    let mut findings = Vec::with_capacity(LAWS.len());
    for (law, statement) in LAWS {
        let statement = statement.replace("{owed}", OWED).replace("{net}", NET);
        let violations = sqlx::query_scalar(sqlx::AssertSqlSafe(statement)).fetch_one(pool).await?;
        findings.push(Finding { law, violations });
    }
    let mut tx = pool.begin().await?;
    ledger::snapshot(&mut tx).await?;
    tx.commit().await?;
    Ok(findings)
}
