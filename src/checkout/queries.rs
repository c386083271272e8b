//! SQL that makes an order: everything here runs in the one transaction of [`super::place`].

use super::{model::Quote, place::CheckoutRequest};
use crate::{
    coupons::model::Offer,
    ids::{CartId, CommissionRuleId, OrderId, OrderLineId, UserId, VariantId, VendorOrderId},
    ledger::commission::{Fees, Rule},
    money::BasisPoints,
    server::token::Token,
};
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::{PgExecutor, types::Json};
use std::time::Duration;
use uuid::Uuid;

/// What is known before the cart is looked at.
pub struct Known {
    /// The VAT of the country, if we ship there.
    pub rate: Option<BasisPoints>,
    /// The order that this key made before.
    pub earlier: Option<Earlier>,
    /// The rules of the commission that are in force today, in their order.
    pub rules: Vec<Rule>,
    /// What the code that was asked for offers.
    pub offer: Option<Offer>,
}

/// An order that a checkout form made before.
pub struct Earlier {
    pub id: OrderId,
    pub number: i64,
    pub user: Option<UserId>,
    pub cart: Option<CartId>,
}

/// `person` is whom a coupon's limits count.
pub async fn known(db: impl PgExecutor<'_>, request: &CheckoutRequest, cart: CartId, person: &str) -> sqlx::Result<Known> {
    let row = sqlx::query!(
        r#"select (select vat_rate_bp from countries where code = $2) as rate, o.id as "id?: OrderId", o.number as "number?",
                  o.user_id as "user?: UserId", o.cart_id as "cart?: CartId",
                  (select jsonb_agg(to_jsonb(r) order by r.position) from commission_rules r
                   where r.archived_at is null and coalesce(r.starts_on <= today, true) and coalesce(today <= r.ends_on, true))
                      as "rules: Json<Vec<Rule>>",
                  case when $3::text is not null then coupon_offered($3, $4, $5) end as "offer: Json<Offer>"
           from (values ((now() at time zone 'UTC')::date)) as one (today) left join orders o on o.checkout_key = $1"#,
        request.key,
        request.address.country,
        request.coupon.as_ref().map(|code| code.as_str()),
        person,
        cart.uuid()
    )
    .fetch_one(db)
    .await?;
    let earlier = row.id.zip(row.number).map(|(id, number)| Earlier { id, number, user: row.user, cart: row.cart });
    let rules = row.rules.map(|Json(rules)| rules).unwrap_or_default();
    Ok(Known { rate: row.rate.map(BasisPoints), earlier, rules, offer: row.offer.map(|Json(offer)| offer) })
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
    /// The commission of each parcel, in the quote's order.
    pub fees: &'a [Fees<'a>],
}

/// One vendor's part, as the statement below reads it.
#[derive(Serialize)]
struct Parcel<'a> {
    id: Uuid,
    vendor_id: Uuid,
    vendor_name: &'a str,
    vendor_slug: &'a str,
    shipping_code: &'a str,
    shipping_name: &'a str,
    min_days: i32,
    max_days: i32,
    items_minor: i64,
    shipping_minor: i64,
    discount_minor: i64,
    tax_minor: i64,
    total_minor: i64,
    fee_minor: i64,
    fee_vat_minor: i64,
    shipping_fee_minor: i64,
    shipping_fee_vat_minor: i64,
}

/// One line, as the statement below reads it.
#[derive(Serialize)]
struct Line<'a> {
    id: Uuid,
    vendor_order_id: Uuid,
    product_id: Uuid,
    variant_id: Uuid,
    product_slug: &'a str,
    title: &'a str,
    sku: &'a str,
    options: Map<String, Value>,
    picture_id: Option<Uuid>,
    quantity: i32,
    unit_price_minor: i64,
    discount_minor: i64,
    platform_discount_minor: i64,
    tax_minor: i64,
    total_minor: i64,
    position: i32,
    commission_rule_id: Option<CommissionRuleId>,
    commission_rule: &'a str,
    fee_minor: i64,
    fee_vat_minor: i64,
}

fn parts<'a>(quote: &'a Quote, fees: &'a [Fees<'a>]) -> (Vec<Parcel<'a>>, Vec<Line<'a>>) {
    let (mut parcels, mut lines) = (Vec::new(), Vec::new());
    for (quoted, fees) in quote.parcels.iter().zip(fees) {
        let id = VendorOrderId::new().uuid();
        let (method, sums, fee) = (&quoted.method, &quoted.sums, fees.total());
        parcels.push(Parcel {
            id,
            vendor_id: quoted.vendor_id.uuid(),
            vendor_name: &quoted.vendor_name,
            vendor_slug: &quoted.vendor_slug,
            shipping_code: &method.code,
            shipping_name: &method.name,
            min_days: method.min_days,
            max_days: method.max_days,
            items_minor: sums.items_minor,
            shipping_minor: sums.shipping_minor,
            discount_minor: sums.discount_minor,
            tax_minor: sums.tax_minor,
            total_minor: sums.total_minor,
            fee_minor: fee.fee_minor,
            fee_vat_minor: fee.vat_minor,
            shipping_fee_minor: fees.shipping.fee_minor,
            shipping_fee_vat_minor: fees.shipping.vat_minor,
        });
        lines.extend((0i32..).zip(quoted.lines.iter().zip(&fees.lines)).map(|(position, (quoted, (rule, fee)))| {
            let line = &quoted.line;
            Line {
                id: OrderLineId::new().uuid(),
                vendor_order_id: id,
                product_id: line.product_id.uuid(),
                variant_id: line.variant_id.uuid(),
                product_slug: &line.product_slug,
                title: &line.title,
                sku: &line.sku,
                options: line.options().map(|(name, value)| (name.to_owned(), value.into())).collect(),
                picture_id: line.picture_id.map(|p| p.uuid()),
                quantity: line.quantity,
                unit_price_minor: line.price_minor,
                discount_minor: quoted.discount_minor,
                platform_discount_minor: quoted.platform_discount_minor,
                tax_minor: quoted.tax_minor,
                total_minor: quoted.total_minor,
                position,
                commission_rule_id: rule.and_then(|r| r.id),
                commission_rule: rule.map_or("", |r| r.name.as_str()),
                fee_minor: fee.fee_minor,
                fee_vat_minor: fee.vat_minor,
            }
        }));
    }
    (parcels, lines)
}

/// The order with its vendors' parts and their lines, in one statement; its number, or `None` where another request with the same key
/// was faster.
pub async fn insert_order(
    db: impl PgExecutor<'_>,
    new: NewOrder<'_>,
    request: &CheckoutRequest,
    quote: &Quote,
    rate: BasisPoints,
) -> sqlx::Result<Option<i64>> {
    let to = &request.address;
    let (parcels, lines) = parts(quote, new.fees);
    let json = |value: Result<Value, serde_json::Error>| value.map_err(|e| sqlx::Error::Encode(e.into()));
    sqlx::query_scalar!(
        r#"with made as (
               insert into orders (id, user_id, email, token_hash, checkout_key, cart_id, currency, items_minor, shipping_minor,
                                   discount_minor, tax_minor, total_minor, ship_name, ship_line1, ship_line2, ship_city,
                                   ship_postal_code, ship_country, hold_expires_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                       now() + make_interval(secs => $19))
               on conflict (checkout_key) do nothing returning id, number
           ), parts as (
               insert into vendor_orders (id, order_id, vendor_id, vendor_name, vendor_slug, shipping_code, shipping_name, min_days,
                                          max_days, items_minor, shipping_minor, discount_minor, tax_minor, total_minor,
                                          fee_minor, fee_vat_minor, shipping_fee_minor, shipping_fee_vat_minor)
               select p.id, made.id, p.vendor_id, p.vendor_name, p.vendor_slug, p.shipping_code, p.shipping_name, p.min_days,
                      p.max_days, p.items_minor, p.shipping_minor, p.discount_minor, p.tax_minor, p.total_minor,
                      p.fee_minor, p.fee_vat_minor, p.shipping_fee_minor, p.shipping_fee_vat_minor
               from made, jsonb_to_recordset($20) as p (id uuid, vendor_id uuid, vendor_name text, vendor_slug text, shipping_code text,
                   shipping_name text, min_days int, max_days int, items_minor bigint, shipping_minor bigint, discount_minor bigint,
                   tax_minor bigint, total_minor bigint, fee_minor bigint, fee_vat_minor bigint, shipping_fee_minor bigint,
                   shipping_fee_vat_minor bigint)
           ), lines as (
               insert into order_lines (id, order_id, vendor_order_id, product_id, variant_id, product_slug, title, sku, options,
                                        picture_id, quantity, unit_price_minor, discount_minor, platform_discount_minor, tax_rate_bp,
                                        tax_minor, total_minor, position, commission_rule_id, commission_rule, fee_minor, fee_vat_minor)
               select l.id, made.id, l.vendor_order_id, l.product_id, l.variant_id, l.product_slug, l.title, l.sku, l.options,
                      l.picture_id, l.quantity, l.unit_price_minor, l.discount_minor, l.platform_discount_minor, $22, l.tax_minor,
                      l.total_minor, l.position, l.commission_rule_id, l.commission_rule, l.fee_minor, l.fee_vat_minor
               from made, jsonb_to_recordset($21) as l (id uuid, vendor_order_id uuid, product_id uuid, variant_id uuid,
                   product_slug text, title text, sku text, options jsonb, picture_id uuid, quantity int, unit_price_minor bigint,
                   discount_minor bigint, platform_discount_minor bigint, tax_minor bigint, total_minor bigint, position int,
                   commission_rule_id uuid, commission_rule text, fee_minor bigint, fee_vat_minor bigint)
           )
           select number from made"#,
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
        new.hold.as_secs_f64(),
        json(serde_json::to_value(&parcels))?,
        json(serde_json::to_value(&lines))?,
        rate.0
    )
    .fetch_optional(db)
    .await
}

/// Holds stock of one thing for an order, unless it is short or somebody else's order has its row at this moment; `false` then.
pub async fn hold_if_idle(db: impl PgExecutor<'_>, order: OrderId, variant: VariantId, quantity: i32) -> sqlx::Result<bool> {
    let held = sqlx::query!(
        "with locked as (
             select variant_id from stock where variant_id = $2 and on_hand - held >= $3 for update skip locked
         ), taken as (
             update stock s set held = s.held + $3 from locked l where s.variant_id = l.variant_id returning s.variant_id
         )
         insert into stock_holds (order_id, variant_id, quantity) select $1, variant_id, $3 from taken",
        order.uuid(),
        variant.uuid(),
        quantity
    )
    .execute(db)
    .await?;
    Ok(held.rows_affected() == 1)
}

/// Holds stock for an order, in id order of the variants, so that two checkouts never wait in a circle. Answers the variants that were
/// held: where one is missing there is less of it than wanted, and the caller must undo the whole.
pub async fn hold(db: impl PgExecutor<'_>, order: OrderId, wanted: &[(VariantId, i32)]) -> sqlx::Result<Vec<VariantId>> {
    let variants: Vec<Uuid> = wanted.iter().map(|(variant, _)| variant.uuid()).collect();
    let quantities: Vec<i32> = wanted.iter().map(|(_, quantity)| *quantity).collect();
    sqlx::query_scalar!(
        r#"with wanted as (
               select * from unnest($2::uuid[], $3::int[]) as w (variant_id, quantity)
           ), locked as (
               select s.variant_id, w.quantity from stock s join wanted w on w.variant_id = s.variant_id
               where s.on_hand - s.held >= w.quantity order by s.variant_id for update of s
           ), taken as (
               update stock s set held = s.held + l.quantity from locked l where s.variant_id = l.variant_id
               returning s.variant_id, l.quantity
           )
           insert into stock_holds (order_id, variant_id, quantity) select $1, variant_id, quantity from taken
           returning variant_id as "variant: VariantId""#,
        order.uuid(),
        &variants,
        &quantities
    )
    .fetch_all(db)
    .await
}

/// How many of a variant are there for others now.
pub async fn left(db: impl PgExecutor<'_>, variant: VariantId) -> sqlx::Result<i32> {
    sqlx::query_scalar!(r#"select s.free as "left!" from stock s where variant_id = $1"#, variant.uuid()).fetch_one(db).await
}
