//! Beginning and ending by the clock. Every node may do it; each promotion turns once.

use crate::{
    ids::{PromotionId, VendorId},
    server::state::App,
};
use sqlx::{PgConnection, PgPool};

/// Ends what is over, then begins what is due: prices are at most a housekeeping late.
///
/// # Errors
/// When the database does not answer; the next housekeeping goes on.
pub async fn sweep(app: &App) -> anyhow::Result<()> {
    end_due(&app.pool).await?;
    begin_due(&app.pool).await?;
    Ok(())
}

/// Begins every promotion whose time has come: it takes in what is for sale now, and the prices follow. One whose whole time went by
/// unseen never begins.
pub(super) async fn begin_due(pool: &PgPool) -> sqlx::Result<()> {
    loop {
        let mut tx = pool.begin().await?;
        let due = sqlx::query!(
            r#"update promotions set state = case when ends_at <= now() then 'ended' else 'running' end
               where id = (select id from promotions where state = 'planned' and starts_at <= now()
                           order by starts_at, id limit 1 for no key update skip locked)
               returning id as "id: PromotionId", vendor_id as "vendor: VendorId""#
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(due) = due else { return tx.rollback().await };
        sqlx::query!(
            "insert into promotion_variants
             select p.id, v.id from promotions p join products d on d.vendor_id = p.vendor_id and d.status = 'published'
             join categories c on c.id = d.category_id join variants v on v.product_id = d.id and not v.archived
             where p.id = $1 and p.state = 'running' and (p.product_id is null or d.id = p.product_id)
               and (p.category_id is null or p.category_id = any(c.path))",
            due.id.uuid()
        )
        .execute(&mut *tx)
        .await?;
        apply(&mut tx, due.vendor).await?;
        tx.commit().await?;
    }
}

async fn end_due(pool: &PgPool) -> sqlx::Result<()> {
    loop {
        let mut tx = pool.begin().await?;
        let due = sqlx::query!(
            r#"select id as "id: PromotionId", vendor_id as "vendor: VendorId" from promotions
               where state = 'running' and ends_at <= now() order by ends_at, id limit 1 for no key update skip locked"#
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(due) = due else { return tx.rollback().await };
        end(&mut tx, due.id, due.vendor).await?;
        tx.commit().await?;
    }
}

/// Ends one whose row is locked.
pub(super) async fn end(tx: &mut PgConnection, id: PromotionId, vendor: VendorId) -> sqlx::Result<()> {
    sqlx::query!("update promotions set state = 'ended' where id = $1", id.uuid()).execute(&mut *tx).await?;
    apply(tx, vendor).await
}

async fn apply(tx: &mut PgConnection, vendor: VendorId) -> sqlx::Result<()> {
    sqlx::query!("select apply_promotions($1)", vendor.uuid()).execute(tx).await?;
    Ok(())
}
