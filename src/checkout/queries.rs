//! SQL that makes an order: everything here runs in the one transaction of [`super::place`].

use super::{
    model::{Quote, QuotedLine, QuotedParcel},
    place::CheckoutRequest,
};
use crate::{
    ids::{CartId, OrderId, OrderLineId, UserId, VariantId, VendorOrderId},
    money::BasisPoints,
    server::token::Token,
};
use serde_json::{Map, Value};
use sqlx::{PgConnection, PgExecutor};
use std::time::Duration;
use uuid::Uuid;

/// An order that a checkout form made before.
pub struct Earlier {
    pub id: OrderId,
    pub number: i64,
    pub user: Option<UserId>,
    pub cart: Option<CartId>,
}

pub async fn earlier(db: impl PgExecutor<'_>, key: Uuid) -> sqlx::Result<Option<Earlier>> {
    sqlx::query_as!(
        Earlier,
        r#"select id as "id: OrderId", number, user_id as "user: UserId", cart_id as "cart: CartId" from orders
           where checkout_key = $1"#,
        key
    )
    .fetch_optional(db)
    .await
}

/// Unpaid orders of this cart whose place a new one takes, oldest first, locked. One whose money is on its way stays.
pub async fn replaced(db: impl PgExecutor<'_>, cart: CartId) -> sqlx::Result<Vec<OrderId>> {
    sqlx::query_scalar!(
        r#"select o.id as "id: OrderId" from orders o
           where o.cart_id = $1 and o.status = 'pending'
             and not exists (select 1 from payments p where p.order_id = o.id and p.state in ('processing', 'paid'))
           order by o.id for update"#,
        cart.uuid()
    )
    .fetch_all(db)
    .await
}

/// Locks the stock of some variants and of what some orders hold, in id order, so that two checkouts never wait in a circle.
pub async fn lock_stock(db: impl PgExecutor<'_>, orders: &[OrderId], variants: &[VariantId]) -> sqlx::Result<()> {
    let orders: Vec<Uuid> = orders.iter().map(|o| o.uuid()).collect();
    let variants: Vec<Uuid> = variants.iter().map(|v| v.uuid()).collect();
    sqlx::query!(
        "select 1 as one from stock
         where variant_id = any($2)
            or variant_id in (select variant_id from stock_holds where order_id = any($1) and state = 'held')
         order by variant_id for update",
        &orders,
        &variants
    )
    .fetch_all(db)
    .await?;
    Ok(())
}

/// What an order's row holds beside what was asked for.
pub struct NewOrder<'a> {
    pub id: OrderId,
    pub user: Option<UserId>,
    pub cart: CartId,
    /// Lets a guest read it; only its hash is kept.
    pub token: &'a Token,
    /// How long its stock is held.
    pub hold: Duration,
}

/// The order's own row; its number, or `None` where another request with the same key was faster.
pub async fn insert_order(
    db: impl PgExecutor<'_>,
    new: NewOrder<'_>,
    request: &CheckoutRequest,
    quote: &Quote,
) -> sqlx::Result<Option<i64>> {
    let to = &request.address;
    sqlx::query_scalar!(
        "insert into orders (id, user_id, email, token_hash, checkout_key, cart_id, currency, items_minor, shipping_minor,
                             discount_minor, tax_minor, total_minor, ship_name, ship_line1, ship_line2, ship_city,
                             ship_postal_code, ship_country, hold_expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 now() + make_interval(secs => $19))
         on conflict (checkout_key) do nothing returning number",
        new.id.uuid(),
        new.user.map(UserId::uuid),
        request.email.as_str(),
        new.token.hash(),
        request.key,
        new.cart.uuid(),
        quote.currency.code(),
        quote.sums.items_minor,
        quote.sums.shipping_minor,
        quote.sums.discount_minor,
        quote.sums.tax_minor,
        quote.sums.total_minor,
        to.name.as_str(),
        to.line1.as_str(),
        to.line2.as_ref().map_or("", |l| l.as_str()),
        to.city.as_str(),
        to.postal_code.as_str(),
        to.country,
        new.hold.as_secs_f64()
    )
    .fetch_optional(db)
    .await
}

/// One vendor's part with its lines.
pub async fn insert_parcel(db: &mut PgConnection, order: OrderId, parcel: &QuotedParcel, rate: BasisPoints) -> sqlx::Result<()> {
    let id = VendorOrderId::new();
    let (method, sums) = (&parcel.method, &parcel.sums);
    sqlx::query!(
        "insert into vendor_orders (id, order_id, vendor_id, vendor_name, vendor_slug, shipping_code, shipping_name, min_days,
                                    max_days, items_minor, shipping_minor, discount_minor, tax_minor, total_minor)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        id.uuid(),
        order.uuid(),
        parcel.vendor_id.uuid(),
        parcel.vendor_name,
        parcel.vendor_slug,
        method.code,
        method.name,
        method.min_days,
        method.max_days,
        sums.items_minor,
        sums.shipping_minor,
        sums.discount_minor,
        sums.tax_minor,
        sums.total_minor
    )
    .execute(&mut *db)
    .await?;
    for (position, line) in (0i32..).zip(&parcel.lines) {
        insert_line(&mut *db, order, id, line, rate, position).await?;
    }
    Ok(())
}

async fn insert_line(
    db: impl PgExecutor<'_>,
    order: OrderId,
    vendor_order: VendorOrderId,
    quoted: &QuotedLine,
    rate: BasisPoints,
    position: i32,
) -> sqlx::Result<()> {
    let line = &quoted.line;
    let options: Map<String, Value> = line.options().map(|(name, value)| (name.to_owned(), value.into())).collect();
    sqlx::query!(
        "insert into order_lines (id, order_id, vendor_order_id, product_id, variant_id, product_slug, title, sku, options,
                                  picture_id, quantity, unit_price_minor, discount_minor, tax_rate_bp, tax_minor, total_minor,
                                  position)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
        OrderLineId::new().uuid(),
        order.uuid(),
        vendor_order.uuid(),
        line.product_id.uuid(),
        line.variant_id.uuid(),
        line.product_slug,
        line.title,
        line.sku,
        Value::Object(options),
        line.picture_id.map(|p| p.uuid()),
        line.quantity,
        line.price_minor,
        quoted.discount_minor,
        rate.0,
        quoted.tax_minor,
        quoted.total_minor,
        position
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Holds stock for an order. `false`, and nothing is changed, where there is less than that.
pub async fn hold(db: &mut PgConnection, order: OrderId, variant: VariantId, quantity: i32) -> sqlx::Result<bool> {
    let held = sqlx::query!(
        "update stock set held = held + $2 where variant_id = $1 and on_hand - held >= $2",
        variant.uuid(),
        quantity
    )
    .execute(&mut *db)
    .await?;
    if held.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "insert into stock_holds (order_id, variant_id, quantity) values ($1, $2, $3)",
        order.uuid(),
        variant.uuid(),
        quantity
    )
    .execute(&mut *db)
    .await?;
    Ok(true)
}

/// How many of a variant are there for others now.
pub async fn left(db: impl PgExecutor<'_>, variant: VariantId) -> sqlx::Result<i32> {
    sqlx::query_scalar!(r#"select on_hand - held as "left!" from stock where variant_id = $1"#, variant.uuid())
        .fetch_one(db)
        .await
}
