//! SQL of making, listing and ending promotions. A vendor sees and ends its own.

use super::{form::Draft, turn};
use crate::{
    audit,
    error::AppError,
    ids::{CategoryId, ProductId, PromotionId},
    money::BasisPoints,
    server::auth::Manager,
};
use serde_json::json;
use sqlx::PgPool;
use time::OffsetDateTime;

/// How many promotions one page of the list holds.
pub const PAGE: i64 = 50;

/// A promotion with the names of what it is for, and what it reduces now.
#[derive(Debug, Clone)]
pub struct PromotionRow {
    pub id: PromotionId,
    pub name: String,
    pub off_bp: i32,
    pub category: Option<String>,
    pub product: Option<String>,
    pub starts_at: OffsetDateTime,
    /// The first moment after it.
    pub ends_at: OffsetDateTime,
    /// `planned`, `running`, `ended`
    pub state: String,
    /// Variants that it took in when it began.
    pub variants: i64,
    /// Those of them that are announced as reduced now: they cost less than in the thirty days before.
    pub announced: i64,
}

impl PromotionRow {
    /// What it takes off: `20 %`.
    pub fn takes(&self) -> String {
        BasisPoints(self.off_bp).to_string()
    }

    /// What it is for: `goods in Kitchen`.
    pub fn scope(&self) -> String {
        match (&self.product, &self.category) {
            (Some(product), _) => product.clone(),
            (None, Some(category)) => format!("goods in {category}"),
            (None, None) => "everything".into(),
        }
    }
}

/// A page of the vendor's promotions, what is not over first; `page` counts from 0. The flag says whether there are more.
pub async fn own(pool: &PgPool, vendor: &Manager, page: u32) -> sqlx::Result<(Vec<PromotionRow>, bool)> {
    let mut rows = sqlx::query_as!(
        PromotionRow,
        r#"select p.id as "id: PromotionId", p.name, p.off_bp, c.name as "category?", d.title as "product?", p.starts_at, p.ends_at, p.state,
                  k.variants as "variants!", k.announced as "announced!"
           from promotions p left join categories c on c.id = p.category_id left join products d on d.id = p.product_id
           cross join lateral (
               select count(*) as variants,
                      count(*) filter (where p.state = 'running' and v.off_bp = p.off_bp and v.prior_minor > v.price_minor) as announced
               from promotion_variants m join variants v on v.id = m.variant_id where m.promotion_id = p.id) k
           where p.vendor_id = $1 order by p.state = 'ended', p.starts_at desc, p.id desc limit $2 offset $3"#,
        vendor.id().uuid(),
        PAGE + 1,
        i64::from(page) * PAGE
    )
    .fetch_all(pool)
    .await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    Ok((rows, more))
}

/// The title of a product of the vendor.
///
/// # Errors
/// `NotFound` where it is another's.
pub async fn title(pool: &PgPool, vendor: &Manager, product: ProductId) -> Result<String, AppError> {
    sqlx::query_scalar!("select title from products where id = $1 and vendor_id = $2", product.uuid(), vendor.id().uuid())
        .fetch_optional(pool)
        .await?
        .ok_or(AppError::NotFound)
}

/// Makes a promotion of the vendor's own goods; one whose time has come begins at once.
///
/// # Errors
/// `NotFound` where its product is another's.
pub async fn add(pool: &PgPool, vendor: &Manager, draft: &Draft) -> Result<PromotionId, AppError> {
    if let Some(product) = draft.product_id {
        title(pool, vendor, product).await?;
    }
    let id = PromotionId::new();
    let mut tx = pool.begin().await?;
    sqlx::query!(
        "insert into promotions (id, vendor_id, name, off_bp, category_id, product_id, starts_at, ends_at, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        id.uuid(),
        vendor.id().uuid(),
        draft.name.as_str(),
        draft.off_bp,
        draft.category_id.map(CategoryId::uuid),
        draft.product_id.map(ProductId::uuid),
        draft.starts_at,
        draft.ends_at,
        vendor.customer().id().uuid()
    )
    .execute(&mut *tx)
    .await?;
    let detail = json!({
        "vendor": vendor.id(), "name": draft.name.as_str(), "off_bp": draft.off_bp, "category": draft.category_id, "product": draft.product_id,
        "starts_at": draft.starts_at.to_string(), "ends_at": draft.ends_at.to_string(),
    });
    audit::record(&mut tx, Some(vendor.customer().id()), "promotion.made", ("promotion", id), detail).await?;
    tx.commit().await?;
    // What cannot begin now begins with the next housekeeping.
    if let Err(error) = turn::begin_due(pool).await {
        tracing::warn!(%error, "a promotion begins later");
    }
    Ok(id)
}

/// Ends a promotion of the vendor, begun or not; its goods cost what they cost without it at once. Ended twice, it stays ended.
///
/// # Errors
/// `NotFound` where it is another's.
pub async fn end(pool: &PgPool, vendor: &Manager, id: PromotionId) -> Result<(), AppError> {
    let mut tx = pool.begin().await?;
    let was = sqlx::query_scalar!(
        "select state from promotions where id = $1 and vendor_id = $2 for no key update",
        id.uuid(),
        vendor.id().uuid()
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(AppError::NotFound)?;
    if was != "ended" {
        turn::end(&mut tx, id, vendor.id()).await?;
        let detail = json!({ "vendor": vendor.id(), "was": was });
        audit::record(&mut tx, Some(vendor.customer().id()), "promotion.ended", ("promotion", id), detail).await?;
    }
    tx.commit().await?;
    Ok(())
}
