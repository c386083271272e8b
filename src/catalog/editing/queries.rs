//! The SQL of the vendor's side of the catalogue. Everything starts from the vendor: another's product is not found.

use super::{ProductDraft, ProductStatus, Sku};
use crate::{
    ids::{CategoryId, PictureId, ProductId, VariantId},
    money::{Currency, Money},
    server::auth::{Manager, Vendor},
};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// A product under its lock.
pub(super) struct Locked {
    pub slug: String,
    pub title: String,
    pub status: ProductStatus,
    pub updated_at: OffsetDateTime,
    pub published_at: Option<OffsetDateTime>,
}

/// Locks the vendor's product until the transaction ends. `RowNotFound` where it is another's.
pub(super) async fn lock(tx: &mut PgConnection, vendor: &Vendor, product: ProductId) -> sqlx::Result<Locked> {
    sqlx::query_as!(
        Locked,
        r#"select slug, title, status as "status: ProductStatus", updated_at, published_at
           from products where id = $1 and vendor_id = $2 for no key update"#,
        product.uuid(),
        vendor.id().uuid()
    )
    .fetch_one(tx)
    .await
}

/// `false` where the address is taken.
pub(super) async fn insert(
    tx: &mut PgConnection,
    vendor: &Vendor,
    id: ProductId,
    slug: &str,
    draft: &ProductDraft,
) -> sqlx::Result<bool> {
    let options: Vec<String> = draft.options.iter().map(ToString::to_string).collect();
    let done = sqlx::query!(
        "insert into products (id, vendor_id, category_id, slug, title, description, option_names)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (slug) do nothing",
        id.uuid(),
        vendor.id().uuid(),
        draft.category.uuid(),
        slug,
        draft.title.as_str(),
        draft.description.as_str(),
        &options
    )
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn slug_is_free(tx: &mut PgConnection, product: ProductId, slug: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select not exists (select 1 from products where slug = $1 and id <> $2) as "free!""#,
        slug,
        product.uuid()
    )
    .fetch_one(tx)
    .await
}

/// A locked product becomes what the draft says; its stamp always moves on.
pub(super) async fn update(tx: &mut PgConnection, product: ProductId, slug: &str, draft: &ProductDraft) -> sqlx::Result<()> {
    let options: Vec<String> = draft.options.iter().map(ToString::to_string).collect();
    sqlx::query!(
        "update products set slug = $2, title = $3, description = $4, category_id = $5, option_names = $6,
                updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')
         where id = $1",
        product.uuid(),
        slug,
        draft.title.as_str(),
        draft.description.as_str(),
        draft.category.uuid(),
        &options
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Moves a locked product to a status; nothing changes where it has it already.
pub(super) async fn set_status(
    tx: &mut PgConnection,
    vendor: &Vendor,
    product: ProductId,
    status: ProductStatus,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update products set status = $3,
                published_at = case when $3 = 'published' then coalesce(published_at, now()) else published_at end,
                updated_at = greatest(clock_timestamp(), updated_at + interval '1 microsecond')
         where id = $1 and vendor_id = $2 and status <> $3",
        product.uuid(),
        vendor.id().uuid(),
        status.as_str()
    )
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn has_variants(tx: &mut PgConnection, product: ProductId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select 1 from variants where product_id = $1 and not archived) as "has!""#,
        product.uuid()
    )
    .fetch_one(tx)
    .await
}

/// The title of the vendor's product in which this SKU stands.
pub(super) async fn title_with_sku(pool: &PgPool, vendor: &Vendor, sku: &Sku) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "select p.title from variants v join products p on p.id = v.product_id where v.vendor_id = $1 and v.sku = $2",
        vendor.id().uuid(),
        sku.as_str()
    )
    .fetch_optional(pool)
    .await
}

/// A product as its vendor edits it.
#[derive(Debug, Clone)]
pub struct EditableProduct {
    pub id: ProductId,
    pub slug: String,
    pub title: String,
    pub description: String,
    pub category_id: CategoryId,
    pub status: ProductStatus,
    pub option_names: Vec<String>,
    pub updated_at: OffsetDateTime,
    pub pictures: i64,
}

/// A variant that is for sale, as its vendor edits it.
#[derive(Debug, Clone)]
pub struct EditableVariant {
    pub id: VariantId,
    pub sku: String,
    pub option_values: Vec<String>,
    /// Without what a promotion takes off.
    pub price_minor: i64,
    /// What a promotion takes off now.
    pub off_bp: i32,
    pub currency: String,
    pub on_hand: i32,
    /// For open orders.
    pub held: i32,
}

impl EditableVariant {
    pub fn price(&self) -> Money {
        money(self.price_minor, &self.currency)
    }
}

/// The column's check lets only codes through.
fn money(minor: i64, currency: &str) -> Money {
    Money::new(minor, currency.parse().unwrap_or(Currency::GBP))
}

/// The vendor's product with its variants in their order. `RowNotFound` where it is another's.
pub async fn product(
    pool: &PgPool,
    vendor: &Vendor,
    product: ProductId,
) -> sqlx::Result<(EditableProduct, Vec<EditableVariant>)> {
    let found = sqlx::query_as!(
        EditableProduct,
        r#"select id as "id: ProductId", slug, title, description, category_id as "category_id: CategoryId",
                  status as "status: ProductStatus", option_names, updated_at,
                  (select count(*) from pictures where product_id = products.id) as "pictures!"
           from products where id = $1 and vendor_id = $2"#,
        product.uuid(),
        vendor.id().uuid()
    )
    .fetch_one(pool)
    .await?;
    let variants = sqlx::query_as!(
        EditableVariant,
        r#"select v.id as "id: VariantId", v.sku, v.option_values, v.regular_minor as price_minor, v.off_bp, v.currency, s.on_hand, s.held - s.aside as "held!"
           from variants v join stock s on s.variant_id = v.id
           where v.product_id = $1 and not v.archived order by v.position, v.id"#,
        product.uuid()
    )
    .fetch_all(pool)
    .await?;
    Ok((found, variants))
}

/// One row of the vendor's product list.
#[derive(Debug, Clone)]
pub struct ProductRow {
    pub id: ProductId,
    pub title: String,
    pub status: ProductStatus,
    pub updated_at: OffsetDateTime,
    pub picture_id: Option<PictureId>,
    /// Of the cheapest and the dearest variant, without what a promotion takes off; `None` without variants.
    pub low_minor: Option<i64>,
    pub high_minor: Option<i64>,
    /// The most that a promotion takes off one of them now.
    pub off_bp: i32,
    pub currency: Option<String>,
    pub variants: i64,
    /// Units that can be bought now.
    pub available: i64,
    /// Variants of which nothing can be bought now.
    pub sold_out: i64,
}

impl ProductRow {
    /// The lowest price, and whether another variant costs more.
    pub fn price(&self) -> Option<(Money, bool)> {
        let low = self.low_minor?;
        Some((money(low, self.currency.as_deref().unwrap_or("GBP")), self.high_minor != Some(low)))
    }
}

/// One variant in the list of prices and stock.
#[derive(Debug, Clone)]
pub struct StockRow {
    pub id: VariantId,
    pub product_id: ProductId,
    pub title: String,
    pub options: String,
    pub sku: String,
    /// Without what a promotion takes off, in the currency of vendors' prices.
    pub regular_minor: i64,
    pub off_bp: i32,
    pub on_hand: i32,
    /// For open orders.
    pub held: i32,
}

/// The vendor's variants in the order of their SKUs, those after this one; `text` looks into titles and SKUs.
pub async fn stock_rows(pool: &PgPool, vendor: &Manager, text: &str, after: &str, limit: i64) -> sqlx::Result<Vec<StockRow>> {
    sqlx::query_as!(
        StockRow,
        r#"select v.id as "id: VariantId", v.product_id as "product_id: ProductId", p.title,
                  array_to_string(v.option_values, ', ') as "options!", v.sku, v.regular_minor, v.off_bp, s.on_hand, s.held - s.aside as "held!"
           from variants v join products p on p.id = v.product_id and p.status <> 'archived' join stock s on s.variant_id = v.id
           where v.vendor_id = $1 and not v.archived and v.sku > $3
             and ($2 = '' or position(lower($2) in lower(p.title)) > 0 or position(lower($2) in lower(v.sku)) > 0)
           order by v.sku limit $4"#,
        vendor.id().uuid(),
        text,
        after,
        limit
    )
    .fetch_all(pool)
    .await
}

/// The vendor's products, last changed first; `text` looks into titles and SKUs. `after` is the last row of the page before.
pub async fn list(
    pool: &PgPool,
    vendor: &Vendor,
    text: &str,
    status: Option<ProductStatus>,
    after: Option<(OffsetDateTime, Uuid)>,
    limit: i64,
) -> sqlx::Result<Vec<ProductRow>> {
    sqlx::query_as!(
        ProductRow,
        r#"select p.id as "id: ProductId", p.title, p.status as "status: ProductStatus", p.updated_at,
                  (select i.id from pictures i where i.product_id = p.id order by i.position, i.id limit 1) as "picture_id: PictureId",
                  a.low_minor, a.high_minor, coalesce(a.off_bp, 0) as "off_bp!", a.currency,
                  a.variants as "variants!", a.available as "available!", a.sold_out as "sold_out!"
           from products p
           cross join lateral (
               select min(v.regular_minor) as low_minor, max(v.regular_minor) as high_minor, max(v.off_bp) as off_bp, min(v.currency) as currency,
                      count(*) as variants, coalesce(sum(s.free), 0) as available,
                      count(*) filter (where s.free = 0) as sold_out
               from variants v join stock s on s.variant_id = v.id where v.product_id = p.id and not v.archived) a
           where p.vendor_id = $1
             and ($2 = '' or position(lower($2) in lower(p.title)) > 0 or exists (
                     select 1 from variants v where v.product_id = p.id and not v.archived and position(lower($2) in lower(v.sku)) > 0))
             and case when $3::text is null then p.status <> 'archived' else p.status = $3 end
             and ($4::timestamptz is null or (p.updated_at, p.id) < ($4, $5))
           order by p.updated_at desc, p.id desc limit $6"#,
        vendor.id().uuid(),
        text,
        status.map(ProductStatus::as_str),
        after.map(|(at, _)| at),
        after.map(|(_, id)| id),
        limit
    )
    .fetch_all(pool)
    .await
}

/// How many products stand in each status: drafts, published, archived.
pub async fn counts(pool: &PgPool, vendor: &Vendor) -> sqlx::Result<(i64, i64, i64)> {
    let row = sqlx::query!(
        r#"select count(*) filter (where status = 'draft') as "drafts!", count(*) filter (where status = 'published') as "published!",
                  count(*) filter (where status = 'archived') as "archived!"
           from products where vendor_id = $1"#,
        vendor.id().uuid()
    )
    .fetch_one(pool)
    .await?;
    Ok((row.drafts, row.published, row.archived))
}

/// Every category with its path written out, in the order of the tree: `Kitchen › Bowls`.
pub async fn category_choices(pool: &PgPool) -> sqlx::Result<Vec<(CategoryId, String)>> {
    let rows = sqlx::query!(
        r#"select c.id as "id: CategoryId", string_agg(up.name, ' › ' order by array_length(up.path, 1)) as "label!"
           from categories c join categories up on up.id = any(c.path)
           group by c.id
           order by string_agg(lpad(up.position::text, 6, '0') || up.name, '/' order by array_length(up.path, 1))"#
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|r| (r.id, r.label)).collect())
}
