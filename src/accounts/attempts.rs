//! How often a password may be guessed: per account and per network address, counted in PostgreSQL so that all nodes
//! count together. An attempt is noted as failed before the password is looked at and taken back when it succeeds, so a
//! thousand guesses at once get no further than a thousand in a row.

use super::Email;
use crate::{
    error::{AppError, Refusal},
    server::auth::ClientAddress,
};
use sqlx::{PgConnection, PgPool};
use std::net::IpAddr;
use time::OffsetDateTime;

/// Failures of one account within the window; the next attempt waits.
const PER_ACCOUNT: i64 = 5;
/// Failures from one address within the window.
const PER_ADDRESS: i64 = 30;
/// Minutes that a failure counts.
const WINDOW_MINUTES: i32 = 15;

/// One guess, noted as failed until [`Attempt::succeeded`].
pub(super) struct Attempt {
    account: String,
    address: String,
    noted_at: OffsetDateTime,
}

impl Attempt {
    /// Notes the attempt, or refuses it with the time to wait. Known and unknown accounts are counted alike.
    pub async fn begin(pool: &PgPool, email: &Email, from: ClientAddress) -> Result<Self, AppError> {
        let scopes = scopes(email, from);
        let mut tx = pool.begin().await?;
        let mut wait = 0;
        for (scope, most) in &scopes {
            sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))", scope).execute(&mut *tx).await?;
            wait = wait.max(seconds_to_wait(&mut tx, scope, *most).await?);
        }
        refuse_if(wait)?;
        let [(account, _), (address, _)] = scopes;
        let noted_at = OffsetDateTime::now_utc();
        sqlx::query!("insert into sign_in_failures (scope, failed_at) values ($1, $3), ($2, $3)", account, address, noted_at)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Self { account, address, noted_at })
    }

    /// The password was right: the account starts afresh, and this attempt no longer counts against the address. The
    /// address keeps its other failures, or one own account would let it guess at others without end.
    pub async fn succeeded(self, tx: &mut PgConnection) -> sqlx::Result<()> {
        sqlx::query!(
            "delete from sign_in_failures where scope = $1 or (scope = $2 and failed_at = $3)",
            self.account,
            self.address,
            self.noted_at
        )
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// Refuses like [`Attempt::begin`] and notes nothing: for a registration with an address that has no account, which is
/// no guess, but must be refused wherever a known address would be.
pub(super) async fn check(pool: &PgPool, email: &Email, from: ClientAddress) -> Result<(), AppError> {
    let mut db = pool.acquire().await?;
    let mut wait = 0;
    for (scope, most) in scopes(email, from) {
        wait = wait.max(seconds_to_wait(&mut db, &scope, most).await?);
    }
    refuse_if(wait)
}

/// What an attempt counts against, always the account first: attempts that share both scopes cannot wait for each other
/// in a circle.
fn scopes(email: &Email, from: ClientAddress) -> [(String, i64); 2] {
    [(format!("account:{email}"), PER_ACCOUNT), (format!("address:{}", network(from.0)), PER_ADDRESS)]
}

fn refuse_if(wait: i32) -> Result<(), AppError> {
    if wait > 0 { Err(Refusal::TooManyAttempts { retry_after_seconds: wait.unsigned_abs() }.into()) } else { Ok(()) }
}

/// Seconds until fewer than `most` failures of the scope lie within the window; 0: now.
async fn seconds_to_wait(db: &mut PgConnection, scope: &str, most: i64) -> sqlx::Result<i32> {
    let wait = sqlx::query_scalar!(
        r#"select ceil(extract(epoch from failed_at + make_interval(mins => $3) - clock_timestamp()))::int as "seconds!"
           from sign_in_failures where scope = $1 and failed_at > clock_timestamp() - make_interval(mins => $3)
           order by failed_at desc offset $2 limit 1"#,
        scope,
        most - 1,
        WINDOW_MINUTES
    )
    .fetch_optional(db)
    .await?;
    Ok(wait.unwrap_or(0))
}

/// Whom an address stands for: one IPv4 address, or an IPv6 /64, which is what one customer of a provider gets.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_customer_is_one_network() {
        assert_eq!(network("2001:db8:1:2:3::4".parse().unwrap()), network("2001:db8:1:2:ffff::1".parse().unwrap()));
        assert_ne!(network("2001:db8:1:2::1".parse().unwrap()), network("2001:db8:1:3::1".parse().unwrap()));
        assert_eq!(network("::ffff:192.0.2.1".parse().unwrap()), "192.0.2.1");
    }
}
