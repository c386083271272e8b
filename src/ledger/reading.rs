//! Reading the books: balances, and transactions with their entries. For the operator.

use crate::{
    ids::{LedgerTransactionId, OrderId, VendorId},
    money::{Currency, Money},
    server::auth::Operator,
};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

/// What an account, or all of a kind together, holds now.
#[derive(Debug, Clone)]
pub struct Balance {
    /// as `Account::kind` says it
    pub kind: String,
    pub currency: Currency,
    /// Debits less credits, in minor units.
    pub balance_minor: i64,
}

impl Balance {
    pub fn money(&self) -> Money {
        Money::new(self.balance_minor, self.currency)
    }
}

/// What the platform's accounts hold, and those of all vendors together, kind by kind; of one vendor's alone where one is named.
pub async fn balances(pool: &PgPool, _proof: &Operator, vendor: Option<VendorId>) -> sqlx::Result<Vec<Balance>> {
    sqlx::query_as!(
        Balance,
        r#"select kind, currency as "currency: Currency", sum(ledger_balance(id))::bigint as "balance_minor!"
           from ledger_accounts where $1::uuid is null or vendor_id = $1 group by kind, currency, (vendor_id is null)
           order by (vendor_id is null) desc, min(id)"#,
        vendor.map(|v| v.uuid())
    )
    .fetch_all(pool)
    .await
}

/// Which transactions are looked for; `None`: all.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub kind: Option<&'static str>,
    pub vendor: Option<VendorId>,
    pub order: Option<OrderId>,
}

/// A transaction without its entries.
#[derive(Debug, Clone)]
pub struct Transaction {
    pub id: LedgerTransactionId,
    pub cause: String,
    pub step: String,
    pub currency: Currency,
    pub order_id: Option<OrderId>,
    pub order_number: Option<i64>,
    pub reverses: Option<LedgerTransactionId>,
    pub memo: String,
    /// Who booked it, where a person did.
    pub actor: Option<String>,
    pub at: OffsetDateTime,
    /// In the order in which they were written.
    pub entries: Vec<ReadEntry>,
}

/// One side of a transaction.
#[derive(Debug, Clone)]
pub struct ReadEntry {
    pub kind: String,
    pub vendor: Option<String>,
    /// Debit above zero, credit below.
    pub amount_minor: i64,
}

/// At most `limit` transactions, the newest first, those after one of this time and id.
pub async fn transactions(
    pool: &PgPool,
    _proof: &Operator,
    wanted: &Wanted,
    after: Option<(OffsetDateTime, LedgerTransactionId)>,
    limit: i64,
) -> sqlx::Result<Vec<Transaction>> {
    let rows = sqlx::query!(
        r#"select t.id as "id: LedgerTransactionId", t.cause, t.step, t.currency as "currency: Currency", t.order_id as "order_id: OrderId",
                  o.number as "number?", t.reverses as "reverses: LedgerTransactionId", t.memo, u.name as "actor?", t.at
           from ledger_transactions t left join orders o on o.id = t.order_id left join users u on u.id = t.actor_id
           where ($1::text is null and $2::uuid is null or exists (
                     select 1 from ledger_entries e join ledger_accounts a on a.id = e.account_id
                     where e.transaction_id = t.id and ($1::text is null or a.kind = $1) and ($2::uuid is null or a.vendor_id = $2)))
             and ($3::uuid is null or t.order_id = $3)
             and ($4::timestamptz is null or (t.at, t.id) < ($4, $5))
           order by t.at desc, t.id desc limit $6"#,
        wanted.kind,
        wanted.vendor.map(|v| v.uuid()),
        wanted.order.map(|o| o.uuid()),
        after.map(|(at, _)| at),
        after.map(|(_, id)| id.uuid()),
        limit
    )
    .fetch_all(pool)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|r| r.id.uuid()).collect();
    let entries = sqlx::query!(
        r#"select e.transaction_id as "transaction: LedgerTransactionId", a.kind, v.name as "vendor?", e.amount_minor
           from ledger_entries e join ledger_accounts a on a.id = e.account_id left join vendors v on v.id = a.vendor_id
           where e.transaction_id = any($1) order by e.amount_minor < 0, e.id"#,
        &ids
    )
    .fetch_all(pool)
    .await?;
    let mut transactions: Vec<Transaction> = rows
        .into_iter()
        .map(|r| Transaction {
            id: r.id,
            cause: r.cause,
            step: r.step,
            currency: r.currency,
            order_id: r.order_id,
            order_number: r.number,
            reverses: r.reverses,
            memo: r.memo,
            actor: r.actor,
            at: r.at,
            entries: Vec::new(),
        })
        .collect();
    for entry in entries {
        if let Some(of) = transactions.iter_mut().find(|t| t.id == entry.transaction) {
            of.entries.push(ReadEntry { kind: entry.kind, vendor: entry.vendor, amount_minor: entry.amount_minor });
        }
    }
    Ok(transactions)
}

/// The order with this number.
pub async fn order_of(pool: &PgPool, _proof: &Operator, number: i64) -> sqlx::Result<Option<OrderId>> {
    sqlx::query_scalar!(r#"select id as "id: OrderId" from orders where number = $1"#, number).fetch_optional(pool).await
}
