//! `souk user`: what the person at the console may do to accounts.

use super::{Email, NewAccount, queries, signing::insert_with_handle};
use crate::{
    audit,
    ids::UserId,
    server::{errors::violates, password::Passwords},
};
use anyhow::Context;
use serde_json::json;
use sqlx::{PgConnection, PgPool};

/// Makes an account.
pub async fn create(
    pool: &PgPool,
    passwords: &Passwords,
    email: &str,
    name: &str,
    password: &str,
    operator: bool,
) -> anyhow::Result<UserId> {
    let new = NewAccount {
        email: email.parse().with_context(|| format!("the e-mail address {email:?}"))?,
        name: name.parse().with_context(|| format!("the name {name:?}"))?,
        password: password.parse().context("the password")?,
    };
    let hash = passwords.hash(new.password.expose().to_owned()).await?;
    let mut tx = pool.begin().await?;
    let user = match insert_with_handle(&mut tx, &new, &hash).await {
        Err(error) if violates(&error, "users_email_key") => anyhow::bail!("{email} already has an account"),
        other => other?,
    };
    sqlx::query!("update users set operator = $2 where id = $1", user.uuid(), operator).execute(&mut *tx).await?;
    if operator {
        note(&mut tx, "operator.appointed", user).await?;
    }
    tx.commit().await?;
    Ok(user)
}

/// Makes someone an operator, or an operator someone like everybody else.
pub async fn set_operator(pool: &PgPool, email: &str, operator: bool) -> anyhow::Result<()> {
    let email: Email = email.parse()?;
    let mut tx = pool.begin().await?;
    let user = sqlx::query_scalar!(
        r#"update users set operator = $2 where email = $1 returning id as "id: UserId""#,
        email.as_str(),
        operator
    )
    .fetch_optional(&mut *tx)
    .await?
    .with_context(|| format!("{email} has no account"))?;
    note(&mut tx, if operator { "operator.appointed" } else { "operator.dismissed" }, user).await?;
    tx.commit().await?;
    Ok(())
}

/// Sets a new password and signs the person out everywhere.
pub async fn set_password(pool: &PgPool, passwords: &Passwords, email: &str, password: &str) -> anyhow::Result<()> {
    let email: Email = email.parse()?;
    let password: super::Password = password.parse().context("the password")?;
    let hash = passwords.hash(password.expose().to_owned()).await?;
    let account = queries::credentials(pool, &email).await?.with_context(|| format!("{email} has no account"))?;
    let mut tx = pool.begin().await?;
    queries::set_password(&mut *tx, account.id, &hash).await?;
    queries::end_sessions(&mut *tx, account.id).await?;
    note(&mut tx, "password.set", account.id).await?;
    tx.commit().await?;
    Ok(())
}

/// Nobody is signed in at a console: the log says that it was there.
async fn note(tx: &mut PgConnection, action: &str, user: UserId) -> sqlx::Result<()> {
    audit::record(tx, None, action, ("user", user), json!({ "by": "the command line" })).await
}
