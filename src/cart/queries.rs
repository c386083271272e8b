//! SQL of carts. Every statement starts from the cart's owner, so another's line is simply not found.

use super::model::{CartLine, MAX_QUANTITY, Quantity, ShippingMethod};
use crate::{
    ids::{CartId, CartLineId, CategoryId, PictureId, ProductId, UserId, VariantId, VendorId},
    money::BasisPoints,
    server::{auth::MaybeCustomer, token::Token},
};
use sqlx::{PgConnection, PgExecutor};

/// Whose cart: of the signed-in person, else of the browser that holds the token. Exactly one is set.
#[derive(Debug, Clone)]
pub struct Owner {
    user: Option<UserId>,
    token_hash: Option<Vec<u8>>,
}

impl Owner {
    /// `None` for a browser that has no cart yet.
    pub fn of(who: &MaybeCustomer, token: Option<&Token>) -> Option<Self> {
        match (who.id(), token) {
            (Some(user), _) => Some(Self::user(user)),
            (None, Some(token)) => Some(Self::browser(token)),
            (None, None) => None,
        }
    }

    pub fn user(user: UserId) -> Self {
        Self { user: Some(user), token_hash: None }
    }

    pub fn browser(token: &Token) -> Self {
        Self { user: None, token_hash: Some(token.hash()) }
    }

    fn user_uuid(&self) -> Option<uuid::Uuid> {
        self.user.map(UserId::uuid)
    }
}

/// The owner's cart, if there is one.
pub async fn find(db: impl PgExecutor<'_>, owner: &Owner) -> sqlx::Result<Option<CartId>> {
    sqlx::query_scalar!(
        r#"select id as "id: CartId" from carts where user_id = $1 or token_hash = $2"#,
        owner.user_uuid(),
        owner.token_hash
    )
    .fetch_optional(db)
    .await
}

/// The owner's cart, locked until the transaction ends, so that one cart makes one order at a time.
pub async fn lock(db: impl PgExecutor<'_>, owner: &Owner) -> sqlx::Result<Option<CartId>> {
    sqlx::query_scalar!(
        r#"select id as "id: CartId" from carts where user_id = $1 or token_hash = $2 for update"#,
        owner.user_uuid(),
        owner.token_hash
    )
    .fetch_optional(db)
    .await
}

/// The owner's cart, made if it is not there; also marks it as used.
pub async fn find_or_create(db: impl PgExecutor<'_>, owner: &Owner) -> sqlx::Result<CartId> {
    let id = CartId::new();
    if let Some(user) = owner.user {
        sqlx::query_scalar!(
            r#"insert into carts (id, user_id) values ($1, $2)
               on conflict (user_id) do update set updated_at = now() returning id as "id: CartId""#,
            id.uuid(),
            user.uuid()
        )
        .fetch_one(db)
        .await
    } else {
        sqlx::query_scalar!(
            r#"insert into carts (id, token_hash) values ($1, $2)
               on conflict (token_hash) do update set updated_at = now() returning id as "id: CartId""#,
            id.uuid(),
            owner.token_hash
        )
        .fetch_one(db)
        .await
    }
}

/// How many things are in the owner's cart.
pub async fn count(db: impl PgExecutor<'_>, owner: &Owner) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select coalesce(sum(l.quantity), 0) as "count!" from carts c join cart_lines l on l.cart_id = c.id
           where c.user_id = $1 or c.token_hash = $2"#,
        owner.user_uuid(),
        owner.token_hash
    )
    .fetch_one(db)
    .await
}

/// Every line of a cart as it stands now, in the order in which they were added. `currency` is the shop's.
pub async fn lines(db: impl PgExecutor<'_>, cart: CartId, currency: &str) -> sqlx::Result<Vec<CartLine>> {
    sqlx::query_as!(
        CartLine,
        r#"select l.id as "id: CartLineId", l.variant_id as "variant_id: VariantId", p.id as "product_id: ProductId",
                  p.slug as product_slug, p.title, a.sku, p.option_names, a.option_values,
                  i.id as "picture_id?: PictureId", i.alt as "picture_alt?",
                  v.id as "vendor_id: VendorId", v.slug as vendor_slug, v.name as vendor_name,
                  l.quantity, a.price_minor, l.seen_price_minor,
                  -- what this cart's own unpaid orders hold is there for it: a new order takes the place of the old one
                  -- (asked order by order: what everybody holds of a thing that everybody wants would be thousands of rows)
                  (s.free + coalesce((
                      select sum((select h.quantity from stock_holds h
                                  where h.order_id = o.id and h.variant_id = a.id and h.state = 'held'))
                      from orders o
                      where o.cart_id = l.cart_id and o.status = 'pending'
                        and not exists (select 1 from payments y where y.order_id = o.id and y.state in ('processing', 'paid'))),
                      0))::int
                      as "available!", s.set_aside,
                  (p.status = 'published' and v.status = 'approved' and not a.archived and a.currency = $2
                      and exists (select 1 from shipping_methods m where m.vendor_id = v.id)) as "for_sale!",
                  case when on_holiday(v.holiday_from, v.holiday_until) then v.holiday_until end as "holiday_until?: time::Date",
                  c.path as "categories: Vec<CategoryId>",
                  coalesce((select n.vat_rate_bp from countries n where n.code = v.country), 0) as "vendor_vat_bp!"
           from cart_lines l
           join variants a on a.id = l.variant_id
           join products p on p.id = a.product_id
           join categories c on c.id = p.category_id
           join vendors v on v.id = p.vendor_id
           join stock s on s.variant_id = a.id
           -- asked line by line: as a condition of the join it would be asked for every picture of the shop
           cross join lateral (select picture_of(p.id, a.option_values) as id offset 0) chosen
           left join pictures i on i.id = chosen.id
           where l.cart_id = $1
           order by l.added_at, l.id"#,
        cart.uuid(),
        currency
    )
    .fetch_all(db)
    .await
}

/// How the vendors of a cart send, each in its own order.
pub async fn shipping_methods(db: impl PgExecutor<'_>, cart: CartId) -> sqlx::Result<Vec<ShippingMethod>> {
    sqlx::query_as!(
        ShippingMethod,
        r#"select m.vendor_id as "vendor_id: VendorId", m.code, m.name, m.price_minor, m.free_over_minor, m.min_days, m.max_days
           from shipping_methods m
           where m.vendor_id in (select a.vendor_id from cart_lines l join variants a on a.id = l.variant_id where l.cart_id = $1)
           order by m.vendor_id, m.position, m.price_minor, m.id"#,
        cart.uuid()
    )
    .fetch_all(db)
    .await
}

/// The VAT rate of a country that we ship to.
pub async fn vat_rate(db: impl PgExecutor<'_>, country: &str) -> sqlx::Result<Option<BasisPoints>> {
    let rate = sqlx::query_scalar!("select vat_rate_bp from countries where code = $1", country).fetch_optional(db).await?;
    Ok(rate.map(BasisPoints))
}

/// What stands in the way of adding a variant.
#[derive(Debug)]
pub struct Stand {
    pub title: String,
    pub vendor_name: String,
    /// Its shop is on holiday until the end of this day.
    pub holiday_until: Option<time::Date>,
    pub product_slug: String,
    pub for_sale: bool,
    pub available: i32,
}

/// How a variant stands; `None` where it is not known or never was public.
pub async fn stand(db: impl PgExecutor<'_>, variant: VariantId, currency: &str) -> sqlx::Result<Option<Stand>> {
    sqlx::query_as!(
        Stand,
        r#"select p.title, v.name as vendor_name,
                  case when on_holiday(v.holiday_from, v.holiday_until) then v.holiday_until end as "holiday_until?: time::Date",
                  p.slug as product_slug, s.free as "available!",
                  (p.status = 'published' and v.status = 'approved' and not a.archived and a.currency = $2
                      and exists (select 1 from shipping_methods m where m.vendor_id = v.id)) as "for_sale!"
           from variants a join products p on p.id = a.product_id join vendors v on v.id = p.vendor_id
           join stock s on s.variant_id = a.id
           where a.id = $1 and p.published_at is not null"#,
        variant.uuid(),
        currency
    )
    .fetch_optional(db)
    .await
}

/// Adds to a line or makes it, in one statement; the sum is capped at [`MAX_QUANTITY`]. `None`, and nothing is changed,
/// where there is less than that, the variant is not for sale or its shop is on holiday: [`stand`] says which. The title, if it was added.
pub async fn add(
    db: &mut PgConnection,
    cart: CartId,
    variant: VariantId,
    quantity: Quantity,
    currency: &str,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"insert into cart_lines (id, cart_id, variant_id, quantity, seen_price_minor)
           select $1, $2, a.id, $4, a.price_minor
           from variants a join products p on p.id = a.product_id join vendors v on v.id = p.vendor_id
           join stock s on s.variant_id = a.id
           where a.id = $3 and p.status = 'published' and v.status = 'approved' and not a.archived and a.currency = $6
             and exists (select 1 from shipping_methods m where m.vendor_id = v.id)
             and not on_holiday(v.holiday_from, v.holiday_until) and s.free >= $4
           on conflict (cart_id, variant_id) do update
               set quantity = least(cart_lines.quantity + excluded.quantity, $5), seen_price_minor = excluded.seen_price_minor
               where least(cart_lines.quantity + excluded.quantity, $5)
                   <= (select f.free from stock f where f.variant_id = excluded.variant_id)
           returning (select p.title from variants a join products p on p.id = a.product_id where a.id = variant_id) as "title!""#,
        CartLineId::new().uuid(),
        cart.uuid(),
        variant.uuid(),
        quantity.get(),
        MAX_QUANTITY,
        currency
    )
    .fetch_optional(db)
    .await
}

/// The cart of a line, if it is the owner's.
pub async fn cart_of(db: impl PgExecutor<'_>, owner: &Owner, line: CartLineId) -> sqlx::Result<Option<CartId>> {
    sqlx::query_scalar!(
        r#"select l.cart_id as "cart: CartId" from cart_lines l join carts c on c.id = l.cart_id
           where l.id = $3 and (c.user_id = $1 or c.token_hash = $2)"#,
        owner.user_uuid(),
        owner.token_hash,
        line.uuid()
    )
    .fetch_optional(db)
    .await
}

/// Sets the quantity of a line of the owner. `false` where there is no such line.
pub async fn set_quantity(db: impl PgExecutor<'_>, owner: &Owner, line: CartLineId, quantity: Quantity) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update cart_lines l set quantity = $4 from carts c
         where l.id = $3 and c.id = l.cart_id and (c.user_id = $1 or c.token_hash = $2)",
        owner.user_uuid(),
        owner.token_hash,
        line.uuid(),
        quantity.get()
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a line out of the owner's cart. The title of what it was, `None` where there is no such line.
pub async fn remove(db: impl PgExecutor<'_>, owner: &Owner, line: CartLineId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "delete from cart_lines l using carts c, variants a, products p
         where l.id = $3 and c.id = l.cart_id and (c.user_id = $1 or c.token_hash = $2)
           and a.id = l.variant_id and p.id = a.product_id
         returning p.title",
        owner.user_uuid(),
        owner.token_hash,
        line.uuid()
    )
    .fetch_optional(db)
    .await
}

/// The shopper accepts the price that was shown, if it still is the price. `false` where it is not, or the line is not theirs.
pub async fn accept_price(db: impl PgExecutor<'_>, owner: &Owner, line: CartLineId, price_minor: i64) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update cart_lines l set seen_price_minor = a.price_minor from carts c, variants a
         where l.id = $3 and c.id = l.cart_id and (c.user_id = $1 or c.token_hash = $2)
           and a.id = l.variant_id and a.price_minor = $4",
        owner.user_uuid(),
        owner.token_hash,
        line.uuid(),
        price_minor
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes everything out of the owner's cart.
pub async fn clear(db: impl PgExecutor<'_>, owner: &Owner) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from cart_lines l using carts c where c.id = l.cart_id and (c.user_id = $1 or c.token_hash = $2)",
        owner.user_uuid(),
        owner.token_hash
    )
    .execute(db)
    .await?;
    Ok(())
}
