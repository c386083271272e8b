//! A deterministic catalogue of any size: twenty categories, two hundred vendors, two variants of each product.

use crate::client::Wish;
use sqlx::PgPool;

const VENDORS: &str = "
with owners as (
    insert into users (id, handle, name, email, password_hash)
    select md5('owner' || n)::uuid, 'owner-' || n, 'Owner ' || n, 'owner-' || n || '@example.com', 'nobody signs in'
    from generate_series(1, 200) n returning id
), made as (
    insert into vendors (id, owner_id, slug, name, tagline, country, status, decided_at)
    select md5('vendor' || n)::uuid, md5('owner' || n)::uuid, 'vendor-' || n, 'Vendor ' || n, 'A bench', 'GB', 'approved', now()
    from generate_series(1, 200) n returning id
)
insert into shipping_methods (id, vendor_id, code, name, price_minor, min_days, max_days)
select gen_random_uuid(), id, 'standard', 'Standard', 395, 2, 4 from made";

const CATEGORIES: &str = "
insert into categories (id, slug, name) select md5('category' || n)::uuid, 'category-' || n, 'Category ' || n from generate_series(1, 20) n";

/// A common word stands in a quarter of all titles, a rare one in one of 5,000.
const PRODUCTS: &str = "
insert into products (id, vendor_id, category_id, slug, title, description, status, option_names, published_at)
select md5('product' || n)::uuid, md5('vendor' || (n * 31 % 200 + 1))::uuid, md5('category' || (n * 7 % 20 + 1))::uuid, 'product-' || n,
       (array['Oak', 'Blue', 'Round', 'Folded', 'Quiet', 'Northern', 'Plain'])[n * 13 % 7 + 1] || ' ' ||
       (array['bowl', 'lamp', 'basket', 'blanket'])[n % 4 + 1] || ' ' || (array['linen', 'stoneware', 'wool', 'brass', 'willow'])[n * 11 % 5 + 1]
       || case when n % 5000 = 77 then ' zephyr' else '' end || ' ' || n,
       'Made by hand, from one piece, and sent in paper. Number ' || n || ' of its kind.', 'published', '{Size}',
       timestamptz '2026-01-01' + n * interval '7 seconds'
from generate_series(1, $1::int) n";

const VARIANTS: &str = "
insert into variants (id, product_id, vendor_id, sku, option_values, price_minor, currency, position)
select md5('variant' || n || size)::uuid, md5('product' || n)::uuid, md5('vendor' || (n * 31 % 200 + 1))::uuid, 'B-' || n || '-' || size,
       array[size], 500 + n * 37 % 9000 + case size when 'Large' then 400 else 0 end, 'GBP', case size when 'Large' then 1 else 0 end
from generate_series(1, $1::int) n, unnest(array['Small', 'Large']) size";

const STOCK: &str = "
insert into stock (variant_id, on_hand)
select md5('variant' || n || size)::uuid, 1000 from generate_series(1, $1::int) n, unnest(array['Small', 'Large']) size";

pub async fn build(pool: &PgPool, size: usize) -> anyhow::Result<()> {
    let mut db = pool.acquire().await?;
    let size = i32::try_from(size)?;
    sqlx::query(VENDORS).execute(&mut *db).await?;
    sqlx::query(CATEGORIES).execute(&mut *db).await?;
    // One refresh for each product instead of one for each of its rows.
    sqlx::query("set session_replication_role = replica").execute(&mut *db).await?;
    for statement in [PRODUCTS, VARIANTS, STOCK] {
        sqlx::query(statement).bind(size).execute(&mut *db).await?;
    }
    sqlx::query("set session_replication_role = default").execute(&mut *db).await?;
    sqlx::query("select count(refresh_listing(id)) from products where slug like 'product-%'").execute(&mut *db).await?;
    sqlx::query("vacuum analyze").execute(&mut *db).await?;
    Ok(())
}

/// Calls that put a thing into a new cart.
pub async fn additions(pool: &PgPool) -> anyhow::Result<Vec<Wish>> {
    let add = |variant| Wish::post("/api/v1/cart/items", format!("{{\"variant_id\": \"{variant}\", \"quantity\": 1}}"));
    Ok(goods(pool, 1000).await?.into_iter().map(add).collect())
}

/// So many variants of the catalogue, of different products.
pub async fn goods(pool: &PgPool, many: i64) -> anyhow::Result<Vec<uuid::Uuid>> {
    Ok(sqlx::query_scalar("select id from variants where sku like 'B-%-Small' order by md5(sku) limit $1")
        .bind(many)
        .fetch_all(pool)
        .await?)
}

/// What is asked for: its name, whether pages of it are kept, and addresses that take turns.
pub async fn pages(pool: &PgPool) -> anyhow::Result<Vec<(&'static str, bool, Vec<Wish>)>> {
    let slugs: Vec<String> =
        sqlx::query_scalar("select slug from products where slug like 'product-%' order by md5(slug) limit 50")
            .fetch_all(pool)
            .await?;
    let each = |prefix: &str| slugs.iter().map(|slug| Wish::get(&format!("{prefix}{slug}"))).collect::<Vec<_>>();
    let one = |path: &str| vec![Wish::get(path)];
    Ok(vec![
        ("home", true, one("/")),
        ("list", true, one("/products")),
        ("list (REST)", true, one("/api/v1/products")),
        ("category + filter", true, one("/categories/category-8?in_stock=true&sort=price&min_price=20")),
        ("search, common word", true, one("/search?q=bowl")),
        ("search, rare word", true, one("/search?q=zephyr")),
        ("search, misspelt word", true, one("/search?q=stonewear")),
        ("product", true, each("/products/")),
        ("product (REST)", true, each("/api/v1/products/")),
    ])
}
