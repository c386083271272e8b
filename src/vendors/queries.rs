//! The SQL of the vendor's desk apart from products and orders. Everything starts from the vendor.

use super::model::{CURRENCY, LegalDraft, MAX_METHODS, MethodDraft, ShopDraft};
use crate::{
    audit,
    error::AppError,
    ids::{PictureId, ProductId, ShippingMethodId},
    money::Money,
    server::auth::{Manager, Owner, Vendor},
    text::slugify,
};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};

/// What the vendor says of its shop.
#[derive(Debug, Clone)]
pub struct ShopText {
    pub name: String,
    pub tagline: String,
    pub description: String,
}

pub async fn shop_text(pool: &PgPool, vendor: &Vendor) -> sqlx::Result<ShopText> {
    sqlx::query_as!(ShopText, "select name, tagline, description from vendors where id = $1", vendor.id().uuid())
        .fetch_one(pool)
        .await
}

/// The address of the shop stays: links to it are out in the world.
pub async fn describe_shop(pool: &PgPool, vendor: &Manager, draft: &ShopDraft) -> sqlx::Result<()> {
    sqlx::query!(
        "update vendors set name = $2, tagline = $3, description = $4 where id = $1",
        vendor.id().uuid(),
        draft.name.as_str(),
        draft.tagline.as_str(),
        draft.description.as_str()
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// What stands on the vendor's invoices.
#[derive(Debug, Clone)]
pub struct Legal {
    pub name: String,
    pub line1: String,
    pub line2: String,
    pub city: String,
    pub postal_code: String,
    pub vat_number: String,
}

pub async fn legal(pool: &PgPool, vendor: &Owner) -> sqlx::Result<Legal> {
    sqlx::query_as!(
        Legal,
        "select legal_name as name, legal_line1 as line1, legal_line2 as line2, legal_city as city, legal_postal_code as postal_code, vat_number
         from vendors where id = $1",
        vendor.id().uuid()
    )
    .fetch_one(pool)
    .await
}

/// From the next invoice on; what is issued stays.
pub async fn set_legal(pool: &PgPool, vendor: &Owner, draft: &LegalDraft) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query!(
        "update vendors set legal_name = $2, legal_line1 = $3, legal_line2 = $4, legal_city = $5, legal_postal_code = $6, vat_number = $7
         where id = $1",
        vendor.id().uuid(),
        draft.name.as_str(),
        draft.line1.as_str(),
        draft.line2.as_str(),
        draft.city.as_str(),
        draft.postal_code.as_str(),
        draft.vat_number.as_str()
    )
    .execute(&mut *tx)
    .await?;
    let by = Some(vendor.customer().id());
    let detail = json!({ "name": draft.name.as_str(), "vat_number": draft.vat_number.as_str() });
    audit::record(&mut tx, by, "vendor.legal_details_set", ("vendor", vendor.id()), detail).await?;
    tx.commit().await
}

/// One way in which the vendor ships.
#[derive(Debug, Clone)]
pub struct Method {
    pub id: ShippingMethodId,
    pub name: String,
    pub price_minor: i64,
    pub free_over_minor: Option<i64>,
    pub min_days: i32,
    pub max_days: i32,
}

impl Method {
    pub fn price(&self) -> Money {
        Money::new(self.price_minor, CURRENCY)
    }

    pub fn free_over(&self) -> Option<Money> {
        self.free_over_minor.map(|minor| Money::new(minor, CURRENCY))
    }
}

/// In the order in which the shopper sees them.
pub async fn methods(pool: &PgPool, vendor: &Vendor) -> sqlx::Result<Vec<Method>> {
    sqlx::query_as!(
        Method,
        r#"select id as "id: ShippingMethodId", name, price_minor, free_over_minor, min_days, max_days
           from shipping_methods where vendor_id = $1 order by position, id"#,
        vendor.id().uuid()
    )
    .fetch_all(pool)
    .await
}

/// Adds a way to ship behind the others. Its code, which orders keep, comes from its first name and never changes.
pub async fn add_method(pool: &PgPool, vendor: &Manager, draft: &MethodDraft) -> Result<(), AppError> {
    let mut tx = pool.begin().await?;
    // One at a time for a vendor, so that the count and the codes hold.
    sqlx::query!("select id from vendors where id = $1 for no key update", vendor.id().uuid()).fetch_one(&mut *tx).await?;
    let codes = sqlx::query_scalar!("select code from shipping_methods where vendor_id = $1", vendor.id().uuid())
        .fetch_all(&mut *tx)
        .await?;
    if codes.len() as i64 >= MAX_METHODS {
        return Err(AppError::field("method", format!("A shop has at most {MAX_METHODS} ways to ship.")));
    }
    let mut name = slugify(draft.name.as_str(), 36);
    if name.is_empty() {
        name.push_str("post");
    }
    let code = (1..)
        .map(|n| if n == 1 { name.clone() } else { format!("{name}-{n}") })
        .find(|code| !codes.contains(code))
        .unwrap_or(name);
    let id = ShippingMethodId::new();
    sqlx::query!(
        "insert into shipping_methods (id, vendor_id, code, name, price_minor, free_over_minor, min_days, max_days, position)
         select $1, $2, $3, $4, $5, $6, $7, $8, coalesce(max(position) + 1, 0) from shipping_methods where vendor_id = $2",
        id.uuid(),
        vendor.id().uuid(),
        code,
        draft.name.as_str(),
        draft.price.minor,
        draft.free_over.map(|m| m.minor),
        draft.days.least(),
        draft.days.most()
    )
    .execute(&mut *tx)
    .await?;
    note(&mut tx, vendor, "shipping.added", id, prices(draft.price.minor, draft.free_over.map(|m| m.minor))).await?;
    tx.commit().await?;
    Ok(())
}

pub async fn edit_method(pool: &PgPool, vendor: &Manager, method: ShippingMethodId, draft: &MethodDraft) -> Result<(), AppError> {
    let mut tx = pool.begin().await?;
    let before = sqlx::query!(
        "select price_minor, free_over_minor from shipping_methods where id = $1 and vendor_id = $2 for no key update",
        method.uuid(),
        vendor.id().uuid()
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(AppError::NotFound)?;
    sqlx::query!(
        "update shipping_methods set name = $3, price_minor = $4, free_over_minor = $5, min_days = $6, max_days = $7
         where id = $1 and vendor_id = $2",
        method.uuid(),
        vendor.id().uuid(),
        draft.name.as_str(),
        draft.price.minor,
        draft.free_over.map(|m| m.minor),
        draft.days.least(),
        draft.days.most()
    )
    .execute(&mut *tx)
    .await?;
    let (was, now) = ((before.price_minor, before.free_over_minor), (draft.price.minor, draft.free_over.map(|m| m.minor)));
    if was != now {
        note(&mut tx, vendor, "shipping.repriced", method, json!({ "was": prices(was.0, was.1), "now": prices(now.0, now.1) }))
            .await?;
    }
    tx.commit().await?;
    Ok(())
}

fn prices(price: i64, free_over: Option<i64>) -> Value {
    json!({ "price": price, "free_over": free_over })
}

/// What a vendor changed about shipping, for the audit log.
async fn note(
    tx: &mut PgConnection,
    vendor: &Manager,
    action: &str,
    method: ShippingMethodId,
    mut detail: Value,
) -> sqlx::Result<()> {
    detail["vendor"] = json!(vendor.id());
    audit::record(tx, Some(vendor.customer().id()), action, ("shipping_method", method), detail).await
}

/// Removes a way to ship; orders keep what they were promised. The last one stays: without it nobody could order.
pub async fn remove_method(pool: &PgPool, vendor: &Manager, method: ShippingMethodId) -> Result<(), AppError> {
    let mut tx = pool.begin().await?;
    sqlx::query!("select id from vendors where id = $1 for no key update", vendor.id().uuid()).fetch_one(&mut *tx).await?;
    let gone = sqlx::query!("delete from shipping_methods where id = $1 and vendor_id = $2", method.uuid(), vendor.id().uuid())
        .execute(&mut *tx)
        .await?;
    if gone.rows_affected() == 0 {
        return Err(AppError::NotFound);
    }
    let left = sqlx::query_scalar!(r#"select count(*) as "n!" from shipping_methods where vendor_id = $1"#, vendor.id().uuid())
        .fetch_one(&mut *tx)
        .await?;
    if left == 0 {
        return Err(AppError::field("", "This is the only way you ship. Add another one first."));
    }
    note(&mut tx, vendor, "shipping.removed", method, json!({})).await?;
    tx.commit().await?;
    Ok(())
}

/// What was sold of one variant, as it was called when it was sold last.
#[derive(Debug, Clone)]
pub struct Sold {
    /// `None` where the product is gone.
    pub product_id: Option<ProductId>,
    pub picture_id: Option<PictureId>,
    pub title: String,
    pub options: String,
    pub sku: String,
    pub pieces: i64,
    pub orders: i64,
    /// After discounts, VAT included, in [`CURRENCY`].
    pub total_minor: i64,
}

/// What was sold in the last `days`, by SKU, what brought most first; at most 500.
pub async fn sold(pool: &PgPool, vendor: &Manager, days: i32) -> sqlx::Result<Vec<Sold>> {
    sqlx::query_as!(
        Sold,
        r#"select (array_agg(l.product_id order by o.placed_at desc))[1] as "product_id?: ProductId",
                  (array_agg(l.picture_id order by o.placed_at desc))[1] as "picture_id?: PictureId",
                  (array_agg(l.title order by o.placed_at desc))[1] as "title!",
                  coalesce((array_agg((select string_agg(x.value, ', ' order by x.key) from jsonb_each_text(l.options) x)
                                      order by o.placed_at desc))[1], '') as "options!",
                  l.sku, sum(l.quantity) as "pieces!", count(distinct o.id) as "orders!", sum(l.total_minor)::bigint as "total_minor!"
           from vendor_orders v
           join orders o on o.id = v.order_id and o.status = 'placed' and o.payment_status <> 'refunded'
           join order_lines l on l.vendor_order_id = v.id
           where v.vendor_id = $1 and o.placed_at > now() - make_interval(days => $2)
           group by l.sku
           order by sum(l.total_minor) desc, l.sku limit 500"#,
        vendor.id().uuid(),
        days
    )
    .fetch_all(pool)
    .await
}
