//! The balance of the platform and of each connected account: entries that are only ever added, and their sums by currency.
//! What is pending becomes available by the clock alone.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};

use super::error::ApiError;
use super::ids;
use super::objects::entry::{self, NewEntry};
use super::store::{self, Stored};

/// What an account has in one currency, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Funds {
    pub available: i64,
    pub pending: i64,
}

impl Funds {
    pub fn total(&self) -> i64 {
        self.available + self.pending
    }
}

/// What an account has by currency; none is the platform. For those who compare Stripe's books with their own.
pub async fn funds(pool: &PgPool, account: Option<&str>) -> sqlx::Result<BTreeMap<String, Funds>> {
    let ahead = super::clock::load(pool).await?;
    let now = time::OffsetDateTime::now_utc().unix_timestamp() + ahead;
    let mut conn = pool.acquire().await?;
    sums(&mut conn, account, now).await
}

async fn sums(conn: &mut PgConnection, owner: Option<&str>, now: i64) -> sqlx::Result<BTreeMap<String, Funds>> {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "select currency, coalesce(sum(net) filter (where available_on <= $2), 0)::bigint,
                coalesce(sum(net) filter (where available_on > $2), 0)::bigint
         from stripe_sandbox.objects where kind = 'balance_transaction' and owner = $1 group by currency",
    )
    .bind(owner.unwrap_or_default())
    .bind(now)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(currency, available, pending)| (currency, Funds { available, pending })).collect())
}

/// Writes an entry; answers its id.
pub async fn enter(conn: &mut PgConnection, new: NewEntry<'_>) -> sqlx::Result<String> {
    let made = Stored { hidden: json!({ "account": new.owner }), doc: entry::document(&new) };
    store::save(conn, &made).await?;
    Ok(made.id().to_owned())
}

/// What an account has in a currency, with nobody else spending of it until the transaction ends.
pub async fn hold(conn: &mut PgConnection, owner: Option<&str>, currency: &str) -> sqlx::Result<Funds> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended('stripe_sandbox.balance:' || $1, 0))")
        .bind(owner.unwrap_or_default())
        .execute(&mut *conn)
        .await?;
    Ok(sums(conn, owner, ids::now()).await?.get(currency).copied().unwrap_or_default())
}

/// From when on the money of a payment that is taken now can be spent, as the control page has set it.
pub async fn settles_at(conn: &mut PgConnection) -> sqlx::Result<i64> {
    let days: i32 = sqlx::query_scalar("select settle_days from stripe_sandbox.controls").fetch_one(conn).await?;
    Ok(ids::now() + i64::from(days) * 86_400)
}

/// The balance as `GET /v1/balance` answers it. An account without any entry has nothing, in its own currency.
pub async fn document(conn: &mut PgConnection, owner: Option<&str>, currency: &str) -> sqlx::Result<Value> {
    let mut all = sums(conn, owner, ids::now()).await?;
    if all.is_empty() {
        all.insert(currency.to_owned(), Funds::default());
    }
    let list = |amount: fn(&Funds) -> i64| -> Vec<Value> {
        all.iter()
            .map(|(currency, funds)| json!({ "amount": amount(funds), "currency": currency, "source_types": { "card": amount(funds) } }))
            .collect()
    };
    let reserved: Vec<Value> = all.keys().map(|currency| json!({ "amount": 0, "currency": currency })).collect();
    Ok(json!({
        "object": "balance", "available": list(|funds| funds.available), "connect_reserved": reserved, "livemode": false,
        "pending": list(|funds| funds.pending), "refund_and_dispute_prefunding": { "available": [], "pending": [] },
    }))
}

/// 400: there is not enough to spend.
pub fn insufficient(message: &str) -> ApiError {
    ApiError::code("balance_insufficient", message)
}
