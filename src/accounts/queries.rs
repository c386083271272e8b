//! The SQL of accounts. What belongs to a person is found through the proof of who asks.

use super::{
    Address, Country, Email, Handle, PersonName, PostalAddress, Preferences, Theme,
    model::{MAX_ADDRESSES, NotOffered},
};
use crate::{
    error::AppError,
    ids::{AddressId, UserId},
    server::{auth::Customer, errors::violates},
};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;

/// What signing in needs of an account.
pub(super) struct Credentials {
    pub id: UserId,
    pub password_hash: String,
}

pub(super) async fn credentials(db: impl PgExecutor<'_>, email: &Email) -> sqlx::Result<Option<Credentials>> {
    sqlx::query_as!(Credentials, r#"select id as "id: UserId", password_hash from users where email = $1"#, email.as_str())
        .fetch_optional(db)
        .await
}

pub(super) async fn password_hash(db: impl PgExecutor<'_>, user: UserId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("select password_hash from users where id = $1", user.uuid()).fetch_optional(db).await
}

/// `None` when the handle is taken; a taken e-mail address is the error `users_email_key`.
pub(super) async fn insert_user(
    db: impl PgExecutor<'_>,
    handle: &Handle,
    name: &PersonName,
    email: &Email,
    password_hash: &str,
) -> sqlx::Result<Option<UserId>> {
    sqlx::query_scalar!(
        r#"insert into users (id, handle, name, email, password_hash) values ($1, $2, $3, $4, $5)
           on conflict (handle) do nothing returning id as "id: UserId""#,
        UserId::new().uuid(),
        handle.as_str(),
        name.as_str(),
        email.as_str(),
        password_hash
    )
    .fetch_optional(db)
    .await
}

pub(super) async fn set_password(db: impl PgExecutor<'_>, user: UserId, password_hash: &str) -> sqlx::Result<()> {
    sqlx::query!("update users set password_hash = $2 where id = $1", user.uuid(), password_hash).execute(db).await?;
    Ok(())
}

/// Ends every session of a person. A session that is being saved meanwhile stays ended: saving never inserts.
pub(super) async fn end_sessions(db: impl PgExecutor<'_>, user: UserId) -> sqlx::Result<u64> {
    Ok(sqlx::query!("delete from sessions where user_id = $1", user.uuid()).execute(db).await?.rows_affected())
}

/// Changes what is public about a person. A field error at `handle` when another has it.
pub async fn set_profile(db: impl PgExecutor<'_>, who: &Customer, name: &PersonName, handle: &Handle) -> Result<(), AppError> {
    let done =
        sqlx::query!("update users set name = $2, handle = $3 where id = $1", who.id().uuid(), name.as_str(), handle.as_str())
            .execute(db)
            .await;
    match done {
        Err(error) if violates(&error, "users_handle_key") => Err(AppError::field("handle", "Someone else has this public name")),
        done => Ok(done.map(drop)?),
    }
}

pub async fn preferences(db: impl PgExecutor<'_>, user: UserId) -> sqlx::Result<Preferences> {
    let row = sqlx::query!("select language, currency, theme, notify_orders, notify_news from users where id = $1", user.uuid())
        .fetch_one(db)
        .await?;
    Ok(Preferences {
        language: row.language,
        currency: row.currency,
        theme: row.theme.parse().map_err(|e: NotOffered| sqlx::Error::Decode(e.into()))?,
        notify_orders: row.notify_orders,
        notify_news: row.notify_news,
    })
}

pub async fn theme(db: impl PgExecutor<'_>, user: UserId) -> sqlx::Result<Theme> {
    let theme = sqlx::query_scalar!("select theme from users where id = $1", user.uuid()).fetch_one(db).await?;
    theme.parse().map_err(|e: NotOffered| sqlx::Error::Decode(e.into()))
}

pub async fn set_preferences(db: impl PgExecutor<'_>, who: &Customer, p: &Preferences) -> sqlx::Result<()> {
    sqlx::query!(
        "update users set language = $2, currency = $3, theme = $4, notify_orders = $5, notify_news = $6 where id = $1",
        who.id().uuid(),
        p.language,
        p.currency,
        p.theme.as_str(),
        p.notify_orders,
        p.notify_news
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What anybody may know of a person.
pub struct PublicProfile {
    pub handle: String,
    pub name: String,
    pub created_at: OffsetDateTime,
    /// slug and name of an open shop
    pub vendor_slug: Option<String>,
    pub vendor_name: Option<String>,
}

pub async fn public_profile(db: impl PgExecutor<'_>, handle: &Handle) -> sqlx::Result<Option<PublicProfile>> {
    sqlx::query_as!(
        PublicProfile,
        r#"select u.handle, u.name, u.created_at, v.slug as "vendor_slug?", v.name as "vendor_name?"
           from users u left join vendors v on v.owner_id = u.id and v.status = 'approved' where u.handle = $1"#,
        handle.as_str()
    )
    .fetch_optional(db)
    .await
}

/// The countries we ship to, by name.
pub async fn countries(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Country>> {
    sqlx::query_as!(Country, "select code, name from countries order by name").fetch_all(db).await
}

/// The address book, the preferred entry first.
pub async fn addresses(db: impl PgExecutor<'_>, who: &Customer) -> sqlx::Result<Vec<Address>> {
    sqlx::query_as!(
        Address,
        r#"select id as "id: AddressId", name, line1, line2, city, postal_code, country, preferred
           from addresses where user_id = $1 order by preferred desc, id"#,
        who.id().uuid()
    )
    .fetch_all(db)
    .await
}

pub async fn address(db: impl PgExecutor<'_>, who: &Customer, id: AddressId) -> sqlx::Result<Option<Address>> {
    sqlx::query_as!(
        Address,
        r#"select id as "id: AddressId", name, line1, line2, city, postal_code, country, preferred
           from addresses where user_id = $1 and id = $2"#,
        who.id().uuid(),
        id.uuid()
    )
    .fetch_optional(db)
    .await
}

/// Adds an entry; the first one is preferred by itself. `None` when the book is full.
pub async fn add_address(
    db: &mut PgConnection,
    who: &Customer,
    a: &PostalAddress,
    preferred: bool,
) -> sqlx::Result<Option<AddressId>> {
    lock_book(db, who).await?;
    let count = sqlx::query_scalar!(r#"select count(*) as "n!" from addresses where user_id = $1"#, who.id().uuid())
        .fetch_one(&mut *db)
        .await?;
    if count >= MAX_ADDRESSES {
        return Ok(None);
    }
    let id = AddressId::new();
    sqlx::query!(
        "insert into addresses (id, user_id, name, line1, line2, city, postal_code, country)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        id.uuid(),
        who.id().uuid(),
        a.name.as_str(),
        a.line1.as_str(),
        a.line2.as_ref().map_or("", |l| l.as_str()),
        a.city.as_str(),
        a.postal_code.as_str(),
        a.country
    )
    .execute(&mut *db)
    .await?;
    if preferred || count == 0 {
        prefer_address(db, who, id).await?;
    }
    Ok(Some(id))
}

/// `false` when the person has no such entry.
pub async fn change_address(db: impl PgExecutor<'_>, who: &Customer, id: AddressId, a: &PostalAddress) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update addresses set name = $3, line1 = $4, line2 = $5, city = $6, postal_code = $7, country = $8
         where user_id = $1 and id = $2",
        who.id().uuid(),
        id.uuid(),
        a.name.as_str(),
        a.line1.as_str(),
        a.line2.as_ref().map_or("", |l| l.as_str()),
        a.city.as_str(),
        a.postal_code.as_str(),
        a.country
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// `false` when the person has no such entry.
pub async fn delete_address(db: impl PgExecutor<'_>, who: &Customer, id: AddressId) -> sqlx::Result<bool> {
    let done =
        sqlx::query!("delete from addresses where user_id = $1 and id = $2", who.id().uuid(), id.uuid()).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

/// Makes one entry the preferred one. `false` when the person has no such entry; then nothing changes.
pub async fn prefer_address(db: &mut PgConnection, who: &Customer, id: AddressId) -> sqlx::Result<bool> {
    lock_book(db, who).await?;
    if address(&mut *db, who, id).await?.is_none() {
        return Ok(false);
    }
    // Two statements, because the unique index on the preferred entry is checked row by row.
    sqlx::query!("update addresses set preferred = false where user_id = $1 and preferred", who.id().uuid())
        .execute(&mut *db)
        .await?;
    sqlx::query!("update addresses set preferred = true where user_id = $1 and id = $2", who.id().uuid(), id.uuid())
        .execute(&mut *db)
        .await?;
    Ok(true)
}

/// Changes to one address book wait for each other.
async fn lock_book(db: &mut PgConnection, who: &Customer) -> sqlx::Result<()> {
    sqlx::query!("select id from users where id = $1 for no key update", who.id().uuid()).fetch_optional(db).await?;
    Ok(())
}
