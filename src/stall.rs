//! A vendor of a market that is made up for a replay or a proof: approved, and ships for nothing.

use sqlx::PgConnection;
use uuid::Uuid;

/// Opens the shop, unless one of this address is there; its owner signs in as `{slug}@example.com`, if the hash lets anybody in.
pub async fn open(tx: &mut PgConnection, slug: &str, name: &str, tagline: &str, password_hash: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "with owner as (
             insert into users (id, handle, name, email, password_hash) values ($1, $2, $3, $2 || '@example.com', $4)
             on conflict do nothing returning id
         ), stall as (
             insert into vendors (id, owner_id, slug, name, tagline, country, status, decided_at)
             select $5, id, $2, $3, $6, 'GB', 'approved', now() from owner returning id
         )
         insert into shipping_methods (id, vendor_id, code, name, price_minor, min_days, max_days)
         select $7, id, 'included', 'Included', 0, 1, 3 from stall",
        Uuid::now_v7(),
        slug,
        name,
        password_hash,
        Uuid::now_v7(),
        tagline,
        Uuid::now_v7()
    )
    .execute(tx)
    .await?;
    Ok(())
}
