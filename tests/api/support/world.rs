//! The standard world: people, three approved vendors, and goods with known prices and stock.

use sqlx::PgPool;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The password of everybody here.
pub const PASSWORD: &str = "market day";
/// Its argon2id hash, made once with the program's own parameters.
const PASSWORD_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c291ay10ZXN0LXNhbHQ$yqfNRAA99mvBDF6Rk2lwdumtVDuFFFOxDUyUm6Km9ow";

/// One vendor and the ids of what it sells.
pub struct TestVendor {
    pub id: Uuid,
    pub owner: Uuid,
    /// by SKU
    pub variants: BTreeMap<String, Uuid>,
    /// by slug
    pub products: BTreeMap<String, Uuid>,
}

/// What [`World::build`] made. Each vendor `v` sells `v-plain` (SKU `V-PLAIN`, £10.00, 100 in stock), `v-choice` (SKUs
/// `V-SMALL` £12.50 with 10 and `V-LARGE` £19.99 with 3 in stock) and `v-last` (SKU `V-LAST`, £7.77, 1 in stock).
/// Shipping: `standard` £3.95, free over £50; `express` £8.50.
pub struct World {
    pub people: BTreeMap<String, Uuid>,
    pub vendors: BTreeMap<String, TestVendor>,
    pub category: Uuid,
}

impl World {
    pub fn variant(&self, sku: &str) -> Uuid {
        *self.vendors.values().find_map(|v| v.variants.get(sku)).unwrap_or_else(|| panic!("no SKU {sku} in this world"))
    }

    pub async fn build(pool: &PgPool) -> Self {
        let mut people = BTreeMap::new();
        for name in ["ada", "bob", "operator", "mill", "kiln", "orchard"] {
            let id = Uuid::now_v7();
            sqlx::query("insert into users (id, handle, name, email, password_hash, operator) values ($1, $2, $3, $4, $5, $6)")
                .bind(id)
                .bind(name)
                .bind(format!("{}{}", name[..1].to_uppercase(), &name[1..]))
                .bind(format!("{name}@example.com"))
                .bind(PASSWORD_HASH)
                .bind(name == "operator")
                .execute(pool)
                .await
                .expect("a person");
            people.insert(name.to_owned(), id);
        }
        let (root, category) = (Uuid::now_v7(), Uuid::now_v7());
        sqlx::query("insert into categories (id, parent_id, slug, name) values ($1, null, 'home', 'Home')")
            .bind(root)
            .execute(pool)
            .await
            .expect("a category");
        sqlx::query("insert into categories (id, parent_id, slug, name) values ($1, $2, 'kitchen', 'Kitchen')")
            .bind(category)
            .bind(root)
            .execute(pool)
            .await
            .expect("a category");
        let mut vendors = BTreeMap::new();
        for slug in ["mill", "kiln", "orchard"] {
            vendors.insert(slug.to_owned(), vendor(pool, slug, people[slug], category).await);
        }
        Self { people, vendors, category }
    }
}

async fn vendor(pool: &PgPool, slug: &str, owner: Uuid, category: Uuid) -> TestVendor {
    let id = Uuid::now_v7();
    sqlx::query(
        "insert into vendors (id, owner_id, slug, name, tagline, country, status, decided_at)
         values ($1, $2, $3, $4, 'Made by hand', 'GB', 'approved', now())",
    )
    .bind(id)
    .bind(owner)
    .bind(slug)
    .bind(format!("The {slug}"))
    .execute(pool)
    .await
    .expect("a vendor");
    for (code, name, price, free_over, days) in
        [("standard", "Standard", 395, Some(5000i64), (2, 4)), ("express", "Express", 850, None, (1, 1))]
    {
        sqlx::query(
            "insert into shipping_methods (id, vendor_id, code, name, price_minor, free_over_minor, min_days, max_days, position)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(Uuid::now_v7())
        .bind(id)
        .bind(code)
        .bind(name)
        .bind(i64::from(price))
        .bind(free_over)
        .bind(days.0)
        .bind(days.1)
        .bind(i32::from(code == "express"))
        .execute(pool)
        .await
        .expect("a shipping method");
    }
    let mut made = TestVendor { id, owner, variants: BTreeMap::new(), products: BTreeMap::new() };
    let upper = slug.to_uppercase();
    let none: &[&str] = &[];
    let size: &[&str] = &["Size"];
    for (name, options, variants) in [
        ("plain", none, vec![("PLAIN", vec![], 1000i64, 100)]),
        ("choice", size, vec![("SMALL", vec!["Small"], 1250, 10), ("LARGE", vec!["Large"], 1999, 3)]),
        ("last", none, vec![("LAST", vec![], 777, 1)]),
    ] {
        let product = Uuid::now_v7();
        sqlx::query(
            "insert into products (id, vendor_id, category_id, slug, title, description, status, option_names, published_at)
             values ($1, $2, $3, $4, $5, $6, 'published', $7, now())",
        )
        .bind(product)
        .bind(id)
        .bind(category)
        .bind(format!("{slug}-{name}"))
        .bind(format!("The {slug}'s {name} bowl"))
        .bind("Turned from one piece.")
        .bind(options)
        .execute(pool)
        .await
        .expect("a product");
        made.products.insert(format!("{slug}-{name}"), product);
        for (position, (sku, values, price, stock)) in variants.into_iter().enumerate() {
            let variant = Uuid::now_v7();
            let sku = format!("{upper}-{sku}");
            sqlx::query(
                "insert into variants (id, product_id, vendor_id, sku, option_values, price_minor, currency, position)
                 values ($1, $2, $3, $4, $5, $6, 'GBP', $7)",
            )
            .bind(variant)
            .bind(product)
            .bind(id)
            .bind(&sku)
            .bind(&values)
            .bind(price)
            .bind(position as i32)
            .execute(pool)
            .await
            .expect("a variant");
            sqlx::query("insert into stock (variant_id, on_hand) values ($1, $2)")
                .bind(variant)
                .bind(stock)
                .execute(pool)
                .await
                .expect("stock");
            made.variants.insert(sku, variant);
        }
    }
    made
}

#[tokio::test]
async fn the_known_password_fits_its_hash() {
    let passwords = souk::server::password::Passwords::new(1).expect("argon2");
    assert!(passwords.verify(PASSWORD.into(), Some(PASSWORD_HASH.into())).await.expect("argon2"));
}
