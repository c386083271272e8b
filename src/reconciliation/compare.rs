//! Comparing: what both sides say of each row of ours, and of what only Stripe knows. A difference is written down with what would make
//! the two agree, and nothing more is done about it.

use super::model::{Found, Subject, What};
use crate::{
    ids::{DifferenceId, OrderId, ReconciliationId, VendorId},
    money::Currency,
    server::state::App,
};
use sqlx::PgConnection;
use std::time::Duration;

/// One comparison at a time.
const LOCK: i64 = 29;

/// Finds rows of ours for entries that had none yet.
async fn recognise(tx: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!(
        "update stripe_entries e set cause_id = k.id
         from (select e.id as entry, case e.touches
                   when 'payment' then (select p.id from payments p where p.stripe_intent_id = e.reference)
                   when 'refund' then (select r.id from refunds r where r.stripe_refund_id = e.reference)
                   when 'dispute' then (select d.id from disputes d where d.stripe_dispute_id = e.reference)
                   when 'transfer' then (select t.id from transfers t where t.stripe_transfer_id = e.reference)
                   when 'transfer_reversal' then (select v.id from transfer_reversals v where v.stripe_reversal_id = e.reference)
                   when 'payout' then (select p.id from payouts p where p.stripe_payout_id = e.reference) end as id
               from stripe_entries e where e.cause_id is null and e.reference is not null) k
         where e.id = k.entry and k.id is not null"
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Both sides of everything that they say different things of. What moved less than `rest` ago is still on its way from one to the other.
async fn differing(tx: &mut PgConnection, rest: Duration) -> sqlx::Result<Vec<(Found, bool)>> {
    let rows = sqlx::query!(
        r#"with books as (
               select case when a.kind = 'connected' then coalesce(v.stripe_account_id, '?') else '' end as account, t.currency,
                      case when t.cause = 'correction' then d.cause else t.cause end as cause,
                      case when t.cause = 'correction' then d.cause_id else t.cause_id end as cause_id,
                      d.entry_id, a.kind, e.amount_minor, t.at
               from ledger_entries e
               join ledger_accounts a on a.id = e.account_id and a.kind in ('cash', 'stripe_fees', 'connected')
               join ledger_transactions t on t.id = e.transaction_id
               -- what a person had booked because of a difference counts to what that was of
               left join reconciliation_differences d on t.cause = 'correction' and d.id = t.cause_id
               left join vendor_accounts v on a.kind = 'connected' and v.vendor_id = a.vendor_id
               where t.cause <> 'correction' or d.id is not null
           ), here as (
               -- Without its fee: what Cash lost to it is added again.
               select account, currency, cause, cause_id, entry_id, sum(amount_minor)::bigint as money,
                      coalesce(sum(amount_minor) filter (where kind = 'stripe_fees'), 0)::bigint as fee, max(at) as at
               from books b
               -- The demo's payments and refunds are known to our own sandbox alone: where Stripe has no entry of one, it never was there.
               where exists (select 1 from stripe_entries s where s.cause_id = b.cause_id)
                  or (not exists (select 1 from payments p where b.cause = 'payment' and p.id = b.cause_id and p.stripe_intent_id like 'pi\_demo\_%')
                      and not exists (select 1 from refunds r where b.cause = 'refund' and r.id = b.cause_id and r.stripe_refund_id like 're\_demo\_%'))
               group by 1, 2, 3, 4, 5
           ), there as (
               select account, currency, case when cause_id is not null then touches end as cause, cause_id,
                      case when cause_id is null then id end as entry_id,
                      -- A vendor's account bears no fees in our books.
                      sum(case when account = '' then amount_minor else amount_minor - fee_minor end)::bigint as money,
                      sum(case when account = '' then fee_minor else 0 end)::bigint as fee, max(created_at) as at, min(kind) as kind
               from stripe_entries group by 1, 2, 3, 4, 5
           ), both_sides as (
               select coalesce(h.account, t.account) as account, coalesce(h.currency, t.currency) as currency,
                      coalesce(h.cause, t.cause) as cause, coalesce(h.cause_id, t.cause_id) as cause_id,
                      coalesce(h.entry_id, t.entry_id) as entry_id, t.kind,
                      coalesce(h.money, 0) as here_money, coalesce(t.money, 0) as there_money,
                      coalesce(h.fee, 0) as here_fee, coalesce(t.fee, 0) as there_fee,
                      greatest(h.at, t.at) between now() - make_interval(secs => $1) and now() as young
               from here h full join there t
                 on h.account = t.account and h.currency = t.currency
                and coalesce(h.entry_id, h.cause || h.cause_id) = coalesce(t.entry_id, t.cause || t.cause_id)
           )
           select b.account as "account!", b.currency as "currency!: Currency", b.cause, b.cause_id, b.entry_id, b.kind,
                  b.here_money as "here_money!", b.there_money as "there_money!", b.here_fee as "here_fee!", b.there_fee as "there_fee!",
                  b.young as "young!",
                  coalesce((select a.vendor_id from vendor_accounts a where a.stripe_account_id = b.account),
                           case b.cause when 'transfer' then (select t.vendor_id from transfers t where t.id = b.cause_id)
                                        when 'transfer_reversal' then (select v.vendor_id from transfer_reversals v where v.id = b.cause_id)
                                        when 'payout' then (select p.vendor_id from payouts p where p.id = b.cause_id) end)
                      as "vendor?: VendorId",
                  case b.cause when 'payment' then (select p.order_id from payments p where p.id = b.cause_id)
                               when 'refund' then (select p.order_id from refunds r join payments p on p.id = r.payment_id where r.id = b.cause_id)
                               when 'dispute' then (select d.order_id from disputes d where d.id = b.cause_id) end as "order?: OrderId"
           from both_sides b where b.here_money <> b.there_money or b.here_fee <> b.there_fee"#,
        rest.as_secs_f64()
    )
    .fetch_all(tx)
    .await?;
    let mut found = Vec::new();
    for row in rows {
        let subject = match (row.cause, row.cause_id, row.entry_id) {
            (Some(cause), Some(id), _) => Subject::Row { cause, id },
            (_, _, Some(entry)) => Subject::Entry(entry),
            _ => continue,
        };
        for (what, here, there) in [(What::Money, row.here_money, row.there_money), (What::Fee, row.here_fee, row.there_fee)] {
            if here != there {
                let one = Found {
                    account: row.account.clone(),
                    vendor: row.vendor,
                    order: row.order,
                    subject: subject.clone(),
                    currency: row.currency,
                    what,
                    here,
                    there,
                    kind: row.kind.clone(),
                };
                found.push((one, row.young));
            }
        }
    }
    Ok(found)
}

/// Compares everything and writes down what differs; a difference that is none any more is gone. Answers how many are open.
pub(super) async fn compare(app: &App, run: ReconciliationId, rest: Duration) -> anyhow::Result<i64> {
    let mut tx = app.pool.begin().await?;
    sqlx::query!("select pg_advisory_xact_lock($1)", LOCK).execute(&mut *tx).await?;
    recognise(&mut tx).await?;
    let found = differing(&mut tx, rest).await?;
    let open = sqlx::query!(
        r#"select id as "id: DifferenceId", account, cause, cause_id, entry_id, currency, what as "what: What", here_minor, there_minor,
                  state = 'open' as "open!"
           from reconciliation_differences where state in ('open', 'explained')"#
    )
    .fetch_all(&mut *tx)
    .await?;
    let known: Vec<Known<'_>> = open
        .iter()
        .map(|d| Known {
            id: d.id,
            account: &d.account,
            cause: d.cause.as_deref(),
            cause_id: d.cause_id,
            entry: d.entry_id.as_deref(),
            currency: &d.currency,
            what: d.what,
            sides: (d.here_minor, d.there_minor),
            open: d.open,
        })
        .collect();
    let mut seen = Vec::new();
    for (found, young) in &found {
        let (cause, cause_id, entry) = match &found.subject {
            Subject::Row { cause, id } => (Some(cause.as_str()), Some(*id), None),
            Subject::Entry(entry) => (None, None, Some(entry.as_str())),
        };
        let same = |d: &&Known<'_>| {
            d.account == found.account
                && (d.cause, d.cause_id, d.entry) == (cause, cause_id, entry)
                && d.what == found.what
                && d.currency == found.currency.code()
        };
        let sides = (found.here, found.there);
        if known.iter().filter(same).any(|d| !d.open && d.sides == sides) {
            continue;
        }
        match known.iter().filter(same).find(|d| d.open) {
            Some(d) => {
                seen.push(d.id.uuid());
                update(&mut tx, d.id, run, found).await?;
            }
            None if *young => {}
            None => seen.push(insert(&mut tx, run, found).await?.uuid()),
        }
    }
    sqlx::query!(
        "update reconciliation_differences set state = 'gone', decided_at = now() where state = 'open' and id <> all($1)",
        &seen
    )
    .execute(&mut *tx)
    .await?;
    let left = sqlx::query_scalar!(r#"select count(*) as "left!" from reconciliation_differences where state = 'open'"#)
        .fetch_one(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(left)
}

/// A difference that was written down before.
struct Known<'a> {
    id: DifferenceId,
    account: &'a str,
    cause: Option<&'a str>,
    cause_id: Option<uuid::Uuid>,
    entry: Option<&'a str>,
    currency: &'a str,
    what: What,
    sides: (i64, i64),
    open: bool,
}

async fn update(tx: &mut PgConnection, id: DifferenceId, run: ReconciliationId, found: &Found) -> sqlx::Result<()> {
    let suggestion = found.suggestion();
    sqlx::query!(
        "update reconciliation_differences set seen_by = $2, here_minor = $3, there_minor = $4, debit = $5, debit_vendor = $6, credit = $7,
                credit_vendor = $8, memo = $9 where id = $1",
        id.uuid(),
        run.uuid(),
        found.here,
        found.there,
        suggestion.debit.kind(),
        suggestion.debit.vendor().map(VendorId::uuid),
        suggestion.credit.kind(),
        suggestion.credit.vendor().map(VendorId::uuid),
        found.memo()
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn insert(tx: &mut PgConnection, run: ReconciliationId, found: &Found) -> sqlx::Result<DifferenceId> {
    let id = DifferenceId::new();
    let suggestion = found.suggestion();
    let (cause, cause_id, entry) = match &found.subject {
        Subject::Row { cause, id } => (Some(cause.as_str()), Some(*id), None),
        Subject::Entry(entry) => (None, None, Some(entry.as_str())),
    };
    sqlx::query!(
        "insert into reconciliation_differences (id, run_id, seen_by, account, vendor_id, cause, cause_id, entry_id, order_id, what, currency,
                                                 here_minor, there_minor, debit, debit_vendor, credit, credit_vendor, memo)
         values ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        id.uuid(),
        run.uuid(),
        found.account,
        found.vendor.map(VendorId::uuid),
        cause,
        cause_id,
        entry,
        found.order.map(OrderId::uuid),
        found.what.as_str(),
        found.currency.code(),
        found.here,
        found.there,
        suggestion.debit.kind(),
        suggestion.debit.vendor().map(VendorId::uuid),
        suggestion.credit.kind(),
        suggestion.credit.vendor().map(VendorId::uuid),
        found.memo()
    )
    .execute(tx)
    .await?;
    Ok(id)
}
