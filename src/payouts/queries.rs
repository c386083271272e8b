//! What is read of vendors' money. A vendor's own starts from its proof; what jobs read starts from an id, and no page calls that.

use super::model::{Balances, PayoutRow, PayoutState};
use crate::{
    ids::{PayoutId, VendorId},
    money::Currency,
    operator::{
        Cursor,
        queries::{PAGE, Rows},
    },
    server::auth::{Operator, Owner},
};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::{Date, OffsetDateTime};

/// A vendor's accounts in the books, each as people think of it: owed to it is above zero.
pub(super) async fn balances(db: impl PgExecutor<'_>, vendor: VendorId, currency: Currency) -> sqlx::Result<Balances> {
    sqlx::query_as!(
        Balances,
        r#"select coalesce(-sum(x.minor) filter (where x.kind = 'vendor_pending'), 0)::bigint as "pending!",
                  coalesce(-sum(x.minor) filter (where x.kind = 'vendor_payable'), 0)::bigint as "payable!",
                  coalesce(sum(x.minor) filter (where x.kind = 'disputes_held'), 0)::bigint as "held!",
                  coalesce(sum(x.minor) filter (where x.kind = 'connected'), 0)::bigint as "connected!",
                  coalesce(sum(x.minor) filter (where x.kind = 'payouts_in_transit'), 0)::bigint as "in_transit!"
           from (select kind, ledger_balance(id) as minor from ledger_accounts where vendor_id = $1 and currency = $2) x"#,
        vendor.uuid(),
        currency.code()
    )
    .fetch_one(db)
    .await
}

/// What a payout is booked for that Stripe has not answered yet: that money is spoken for.
pub(super) async fn booked(db: &mut PgConnection, vendor: VendorId) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select coalesce(sum(amount_minor), 0)::bigint as "sum!" from payouts where vendor_id = $1 and state = 'booked'"#,
        vendor.uuid()
    )
    .fetch_one(db)
    .await
}

/// Every vendor that is owed something released, or owes, by name.
pub(super) async fn with_money(db: &PgPool, currency: Currency) -> sqlx::Result<Vec<(VendorId, String)>> {
    let rows = sqlx::query!(
        r#"select v.id as "id: VendorId", v.name from vendors v
           where exists (select 1 from ledger_accounts a where a.vendor_id = v.id and a.currency = $1
                         and a.kind in ('vendor_payable', 'disputes_held', 'connected', 'payouts_in_transit') and ledger_balance(a.id) <> 0)
           order by v.name, v.id"#,
        currency.code()
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|r| (r.id, r.name)).collect())
}

/// A vendor's own balances.
pub async fn own_balances(db: impl PgExecutor<'_>, vendor: &Owner, currency: Currency) -> sqlx::Result<Balances> {
    balances(db, vendor.id(), currency).await
}

/// A vendor's account at Stripe, as its page shows it.
#[derive(Debug, Clone)]
pub struct OwnAccount {
    /// Stripe has answered.
    pub made: bool,
    pub payouts_enabled: bool,
    pub details_submitted: bool,
    pub requirements_due: Vec<String>,
    pub disabled_reason: Option<String>,
    pub bank: String,
    pub stopped_at: Option<OffsetDateTime>,
    pub next_payout_on: Date,
}

pub async fn own_account(db: &PgPool, vendor: &Owner) -> sqlx::Result<Option<OwnAccount>> {
    sqlx::query_as!(
        OwnAccount,
        r#"select stripe_account_id is not null as "made!", payouts_enabled, details_submitted, requirements_due, disabled_reason, bank,
                  stopped_at, next_payout_on
           from vendor_accounts where vendor_id = $1"#,
        vendor.id().uuid()
    )
    .fetch_optional(db)
    .await
}

/// A vendor's own payouts, newest first, those after the one that was booked then.
pub async fn own_payouts(
    db: &PgPool,
    vendor: &Owner,
    after: Option<(OffsetDateTime, PayoutId)>,
    limit: i64,
) -> sqlx::Result<Vec<PayoutRow>> {
    payout_rows(db, Some(vendor.id()), None, false, after, limit).await
}

/// A page of all payouts, of a state or of every one.
pub async fn payouts(
    db: &PgPool,
    _proof: &Operator,
    state: Option<&str>,
    after: Option<&Cursor<PayoutId>>,
) -> sqlx::Result<Rows<PayoutRow>> {
    payout_rows(db, None, state, false, after.map(|c| (c.at, c.id)), PAGE + 1).await.map(Rows::from)
}

/// Of every vendor whose payouts have stopped the payout that stopped them, the newest first; at most a page.
pub async fn stopped(db: &PgPool, _proof: &Operator) -> sqlx::Result<Vec<PayoutRow>> {
    payout_rows(db, None, None, true, None, PAGE).await
}

async fn payout_rows(
    db: &PgPool,
    vendor: Option<VendorId>,
    state: Option<&str>,
    stopped: bool,
    after: Option<(OffsetDateTime, PayoutId)>,
    limit: i64,
) -> sqlx::Result<Vec<PayoutRow>> {
    sqlx::query_as!(
        PayoutRow,
        r#"select p.id as "id: PayoutId", p.vendor_id as "vendor_id: VendorId", v.name as vendor_name, p.amount_minor,
                  p.currency as "currency: Currency", p.state as "state: PayoutState", p.bank, p.stripe_payout_id, p.arrives_on,
                  p.failure_code, p.failure, p.created_at
           from payouts p join vendors v on v.id = p.vendor_id
           where ($1::uuid is null or p.vendor_id = $1) and ($2::text is null or p.state = $2)
             and ($3::timestamptz is null or (p.created_at, p.id) < ($3, $4))
             and (not $6 or p.id = (select f.id from payouts f join vendor_accounts c on c.vendor_id = f.vendor_id and c.stopped_at is not null
                                    where f.vendor_id = p.vendor_id and f.state in ('failed', 'returned')
                                    order by f.settled_at desc, f.id desc limit 1))
           order by p.created_at desc, p.id desc limit $5"#,
        vendor.map(VendorId::uuid),
        state,
        after.map(|(at, _)| at),
        after.map(|(_, id)| id.uuid()),
        limit,
        stopped
    )
    .fetch_all(db)
    .await
}

/// A vendor with its balances and where its account stands, as the operator's list shows it.
#[derive(Debug, Clone)]
pub struct VendorMoney {
    pub id: VendorId,
    pub slug: String,
    pub name: String,
    pub balances: Balances,
    /// `None`: it has none.
    pub payouts_enabled: Option<bool>,
    pub stopped: bool,
    pub next_payout_on: Option<Date>,
    /// As the operator set them; `None`: as the shop does.
    pub holding_days: Option<i32>,
}

/// A page of the vendors by name, those after this one; or one of them.
pub async fn vendors(
    db: &PgPool,
    _proof: &Operator,
    currency: Currency,
    after: Option<&str>,
    only: Option<VendorId>,
) -> sqlx::Result<Rows<VendorMoney>> {
    let rows = sqlx::query!(
        r#"select v.id as "id: VendorId", v.slug, v.name, c.payouts_enabled as "enabled?", c.stopped_at is not null as "stopped!",
                  c.next_payout_on as "next?", s.holding_days as "holding?",
                  coalesce(x.pending, 0) as "pending!", coalesce(x.payable, 0) as "payable!", coalesce(x.held, 0) as "held!",
                  coalesce(x.connected, 0) as "connected!", coalesce(x.in_transit, 0) as "in_transit!"
           from vendors v left join vendor_accounts c on c.vendor_id = v.id left join payout_settings s on s.vendor_id = v.id
           left join lateral (
               select -sum(b.minor) filter (where b.kind = 'vendor_pending')::bigint as pending,
                      -sum(b.minor) filter (where b.kind = 'vendor_payable')::bigint as payable,
                      sum(b.minor) filter (where b.kind = 'disputes_held')::bigint as held,
                      sum(b.minor) filter (where b.kind = 'connected')::bigint as connected,
                      sum(b.minor) filter (where b.kind = 'payouts_in_transit')::bigint as in_transit
               from (select kind, ledger_balance(id) as minor from ledger_accounts where vendor_id = v.id and currency = $1) b) x on true
           where v.status in ('approved', 'suspended') and ($2::text is null or v.slug > $2) and ($3::uuid is null or v.id = $3)
           order by v.slug limit $4"#,
        currency.code(),
        after,
        only.map(VendorId::uuid),
        PAGE + 1
    )
    .fetch_all(db)
    .await?;
    let rows: Vec<_> = rows
        .into_iter()
        .map(|r| VendorMoney {
            id: r.id,
            slug: r.slug,
            name: r.name,
            balances: Balances {
                pending: r.pending,
                payable: r.payable,
                held: r.held,
                connected: r.connected,
                in_transit: r.in_transit,
            },
            payouts_enabled: r.enabled,
            stopped: r.stopped,
            next_payout_on: r.next,
            holding_days: r.holding,
        })
        .collect();
    Ok(Rows::from(rows))
}

/// A vendor that has had more than it earned.
#[derive(Debug, Clone)]
pub struct Negative {
    pub id: VendorId,
    pub name: String,
    /// What can be paid out: below zero.
    pub available_minor: i64,
    /// Since when it has been below zero.
    pub since: OffsetDateTime,
}

/// Vendors whose balance is below zero, for the longest time first; at most 50.
pub async fn negatives(db: &PgPool, _proof: &Operator, currency: Currency) -> sqlx::Result<Vec<Negative>> {
    sqlx::query_as!(
        Negative,
        r#"with below as (
               select a.vendor_id, -sum(ledger_balance(a.id))::bigint as available from ledger_accounts a
               where a.kind in ('vendor_payable', 'disputes_held') and a.currency = $1 and a.vendor_id is not null
               group by a.vendor_id having sum(ledger_balance(a.id)) > 0
           ), running as (
               select b.vendor_id, e.id, t.at, -sum(e.amount_minor) over (partition by b.vendor_id order by e.id) as available
               from below b join ledger_accounts a on a.vendor_id = b.vendor_id and a.currency = $1
                    and a.kind in ('vendor_payable', 'disputes_held')
               join ledger_entries e on e.account_id = a.id join ledger_transactions t on t.id = e.transaction_id
           )
           select v.id as "id: VendorId", v.name, b.available as "available_minor!",
                  (select min(r.at) from running r where r.vendor_id = b.vendor_id and r.id >
                       coalesce((select max(z.id) from running z where z.vendor_id = b.vendor_id and z.available >= 0), 0)) as "since!"
           from below b join vendors v on v.id = b.vendor_id order by 4, v.name limit 50"#,
        currency.code()
    )
    .fetch_all(db)
    .await
}

/// A transfer, or a reversal of one, that Stripe refused lately.
#[derive(Debug, Clone)]
pub struct FailedMove {
    pub vendor_name: String,
    pub back: bool,
    pub amount_minor: i64,
    pub failure: String,
    pub at: OffsetDateTime,
}

/// What Stripe refused to move in the last week and has not moved since, one for a vendor; at most 50.
pub async fn failed_moves(db: &PgPool, _proof: &Operator) -> sqlx::Result<Vec<FailedMove>> {
    sqlx::query_as!(
        FailedMove,
        r#"select v.name as "vendor_name!", x.back as "back!", x.amount_minor as "amount_minor!", coalesce(x.failure, '') as "failure!",
                  x.created_at as "at!"
           from (select distinct on (vendor_id) * from (
                     select vendor_id, false as back, amount_minor, state, failure, created_at from transfers
                     where created_at > now() - interval '7 days'
                     union all
                     select vendor_id, true, amount_minor, state, failure, created_at from transfer_reversals
                     where created_at > now() - interval '7 days') both_ways
                 order by vendor_id, created_at desc) x
           join vendors v on v.id = x.vendor_id where x.state = 'failed' order by x.created_at desc limit 50"#
    )
    .fetch_all(db)
    .await
}
