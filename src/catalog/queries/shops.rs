//! Vendors' shops and the category tree, as everyone may see them.

use super::{Key, product::holiday};
use crate::{
    catalog::model::{Category, CategoryTree, Delivery, Shop, ShopCard},
    error::AppError,
    ids::{CategoryId, PictureId, VendorId},
    money::{Currency, Money},
    server::{cursor, state::App},
};
use sqlx::PgPool;

/// The whole tree; a few dozen rows.
pub async fn tree(pool: &PgPool) -> sqlx::Result<CategoryTree> {
    sqlx::query_as!(
        Category,
        r#"select id as "id: CategoryId", parent_id as "parent_id: CategoryId", slug, name
           from categories order by cardinality(path), position, name, id"#
    )
    .fetch_all(pool)
    .await
    .map(CategoryTree)
}

/// A category at the root, with a picture of something newly arrived in it.
#[derive(Debug, Clone)]
pub struct Department {
    pub slug: String,
    pub name: String,
    pub picture_id: Option<PictureId>,
    /// Names of what stands below it, in their order.
    pub below: Vec<String>,
}

/// The departments that hold any goods.
pub async fn departments(pool: &PgPool) -> sqlx::Result<Vec<Department>> {
    sqlx::query_as!(
        Department,
        r#"select c.slug, c.name, p.picture_id as "picture_id: PictureId",
                  array(select b.name from categories b where b.parent_id = c.id order by b.position, b.name) as "below!"
           from categories c
           -- along the index listings_department, whose order this is
           join lateral (select l.picture_id from listings l where l.category_path[1] = c.id
                         order by l.picture_id is null, l.in_stock desc, l.published_at desc, l.product_id limit 1) p on true
           where c.parent_id is null order by c.position, c.name"#
    )
    .fetch_all(pool)
    .await
}

/// The shop of an approved vendor.
pub async fn shop(pool: &PgPool, key: &Key, currency: Currency) -> sqlx::Result<Option<Shop>> {
    let (id, slug) = key.parts();
    let row = sqlx::query!(
        r#"select v.id as "id: VendorId", v.slug, v.name, v.tagline, v.description, v.country,
                  s.name as "shipping?", s.price_minor as "shipping_minor?", s.free_over_minor, s.min_days as "min_days?",
                  s.max_days as "max_days?",
                  on_holiday(v.holiday_from, v.holiday_until) as "away!", v.holiday_from, v.holiday_until, v.holiday_message
           from vendors v
           left join lateral (select * from shipping_methods where vendor_id = v.id order by position, code limit 1) s on true
           where v.status = 'approved' and (v.id = $1 or v.slug = $2)"#,
        id,
        slug
    )
    .fetch_optional(pool)
    .await?;
    let money = |minor| Money::new(minor, currency);
    Ok(row.map(|r| Shop {
        id: r.id,
        slug: r.slug,
        name: r.name,
        tagline: r.tagline,
        description: r.description,
        country: r.country,
        holiday: holiday(r.away, r.holiday_from, r.holiday_until, r.holiday_message),
        delivery: match (r.shipping, r.shipping_minor, r.min_days, r.max_days) {
            (Some(name), Some(price), Some(min_days), Some(max_days)) => {
                Some(Delivery { name, price: money(price), free_over: r.free_over_minor.map(money), min_days, max_days })
            }
            _ => None,
        },
    }))
}

/// One page of the vendors.
#[derive(Debug, Clone)]
pub struct ShopsPage {
    pub shops: Vec<ShopCard>,
    pub next: Option<String>,
}

/// How many vendors stand on a page.
const SHOPS: i64 = 30;

/// The approved vendors by name.
pub async fn shops(app: &App, after: Option<&str>) -> Result<ShopsPage, AppError> {
    let secret = &app.config.secret;
    let (name, id) = after.map(|c| cursor::open::<(String, VendorId)>(secret, "shops", c)).transpose()?.unzip();
    let mut shops = sqlx::query_as!(
        ShopCard,
        r#"select v.id as "id: VendorId", v.slug, v.name, v.tagline, v.country,
                  (select count(*) from listings l where l.vendor_id = v.id) as "goods!",
                  array(select l.picture_id from listings l where l.vendor_id = v.id and l.picture_id is not null
                        order by l.published_at desc, l.product_id desc limit 3) as "pictures!: Vec<PictureId>"
           from vendors v
           where v.status = 'approved' and ($1::text is null or (v.name, v.id) > ($1, $2))
           order by v.name, v.id limit $3"#,
        name,
        id.map(VendorId::uuid),
        SHOPS + 1
    )
    .fetch_all(&app.pool)
    .await?;
    let more = shops.len() as i64 > SHOPS;
    shops.truncate(SHOPS as usize);
    let next = match shops.last().filter(|_| more) {
        Some(last) => Some(cursor::seal(secret, "shops", &(&last.name, last.id))?),
        None => None,
    };
    Ok(ShopsPage { shops, next })
}

/// A few vendors for the entrance: those who say who they are and have something to show, lately active ones first.
pub async fn shops_with_character(pool: &PgPool) -> sqlx::Result<Vec<ShopCard>> {
    sqlx::query_as!(
        ShopCard,
        // The latest of each vendor is one step in an index; only of the chosen all goods are counted.
        r#"select v.id as "id: VendorId", v.slug, v.name, v.tagline, v.country,
                  (select count(*) from listings l where l.vendor_id = v.id) as "goods!",
                  array(select l.picture_id from listings l where l.vendor_id = v.id and l.picture_id is not null
                        order by l.published_at desc, l.product_id desc limit 3) as "pictures!: Vec<PictureId>"
           from (select v.*, n.published_at as latest from vendors v
                 join lateral (select l.published_at from listings l where l.vendor_id = v.id
                               order by l.published_at desc, l.product_id desc limit 1) n on true
                 where v.status = 'approved'
                 order by v.tagline = '', n.published_at desc, v.id limit 6) v
           order by v.tagline = '', v.latest desc, v.id"#
    )
    .fetch_all(pool)
    .await
}
