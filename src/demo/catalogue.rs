//! Categories, products, variants, stock and the rows of pictures: a handful of statements for the whole market.

use super::{dice::Dice, people::People, pictures, world::Category, world::World};
use crate::{money::Currency, ui::PICTURE_WIDTHS};
use sqlx::PgConnection;
use std::collections::HashMap;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Between the values of one variant, where a column holds them as one text.
const BETWEEN: &str = "\u{1f}";

/// One variant as orders need it.
#[derive(Debug, Clone)]
pub struct Good {
    pub variant: Uuid,
    pub product: Uuid,
    pub picture: Option<Uuid>,
    pub slug: String,
    pub title: String,
    pub sku: String,
    /// `{"Size": "M"}`
    pub options: serde_json::Value,
    pub price: i64,
    pub stock: i32,
    pub published_at: OffsetDateTime,
}

#[derive(Debug, Default)]
pub struct Goods {
    pub products: usize,
    pub pictures: usize,
    pub variants: Vec<Good>,
    /// Where in `variants` each seller's are, by the seller's place in the file.
    pub of_seller: Vec<Vec<usize>>,
}

#[derive(Default)]
struct Products {
    id: Vec<Uuid>,
    vendor: Vec<Uuid>,
    category: Vec<Uuid>,
    slug: Vec<String>,
    title: Vec<String>,
    description: Vec<String>,
    option_names: Vec<String>,
    published_at: Vec<OffsetDateTime>,
}

#[derive(Default)]
struct Variants {
    id: Vec<Uuid>,
    product: Vec<Uuid>,
    vendor: Vec<Uuid>,
    sku: Vec<String>,
    option_values: Vec<String>,
    price: Vec<i64>,
    position: Vec<i32>,
    stock: Vec<i32>,
}

#[derive(Default)]
struct Pictures {
    id: Vec<Uuid>,
    product: Vec<Uuid>,
    position: Vec<i32>,
    alt: Vec<String>,
    shows: Vec<Option<String>>,
}

pub async fn write(
    tx: &mut PgConnection,
    world: &World,
    people: &People,
    seed: u64,
    now: OffsetDateTime,
    currency: Currency,
) -> anyhow::Result<Goods> {
    let categories = categories(tx, world, now, seed).await?;
    let mut dice = Dice::new(seed, "catalogue");
    let (mut products, mut variants, mut shown) = (Products::default(), Variants::default(), Pictures::default());
    let mut goods = Goods::default();
    for (vendor, seller) in world.vendors.iter().zip(&people.sellers) {
        let mut of_seller = Vec::new();
        for product in &vendor.products {
            // Most have been here for a while, some came this fortnight.
            let age = if dice.chance(12) { dice.between(1, 13) } else { dice.between(20, 420) };
            let at = now - Duration::days(age) - Duration::minutes(dice.between(0, 1400));
            let id = dice.id(at);
            let category = categories
                .get(product.category.as_str())
                .ok_or_else(|| anyhow::anyhow!("{}: there is no category {}", product.slug, product.category))?;
            products.id.push(id);
            products.vendor.push(seller.vendor);
            products.category.push(*category);
            products.slug.push(product.slug.clone());
            products.title.push(product.title.clone());
            products.description.push(product.description.clone());
            products.option_names.push(product.options.join(BETWEEN));
            products.published_at.push(at);
            for (position, picture) in product.pictures.iter().enumerate() {
                shown.id.push(pictures::id(seed, &picture.file).uuid());
                shown.product.push(id);
                shown.position.push(position as i32);
                shown.alt.push(picture.alt.clone());
                shown.shows.push(picture.shows.clone());
            }
            for (position, variant) in product.variants.iter().enumerate() {
                let variant_id = dice.id(at);
                variants.id.push(variant_id);
                variants.product.push(id);
                variants.vendor.push(seller.vendor);
                variants.sku.push(variant.sku.clone());
                variants.option_values.push(variant.options.join(BETWEEN));
                variants.price.push(variant.price);
                variants.position.push(position as i32);
                variants.stock.push(variant.stock);
                let options: serde_json::Map<_, _> =
                    product.options.iter().cloned().zip(variant.options.iter().map(|v| v.as_str().into())).collect();
                of_seller.push(goods.variants.len());
                goods.variants.push(Good {
                    variant: variant_id,
                    product: id,
                    picture: product.picture_of(variant).map(|p| pictures::id(seed, &p.file).uuid()),
                    slug: product.slug.clone(),
                    title: product.title.clone(),
                    sku: variant.sku.clone(),
                    options: options.into(),
                    price: variant.price,
                    stock: variant.stock,
                    published_at: at,
                });
            }
        }
        goods.of_seller.push(of_seller);
    }
    goods.products = products.id.len();
    goods.pictures = shown.id.len();
    products.insert(tx).await?;
    variants.insert(tx, currency).await?;
    shown.insert(tx, now).await?;
    // Last, so that each row of the listings is made once and not with every part of its product.
    sqlx::query!("update products set status = 'published' where id = any($1)", &products.id).execute(tx).await?;
    Ok(goods)
}

/// The tree, level by level, since each row needs its parent's path. Categories that are there already are used.
async fn categories(tx: &mut PgConnection, world: &World, now: OffsetDateTime, seed: u64) -> sqlx::Result<HashMap<String, Uuid>> {
    let mut dice = Dice::new(seed, "categories");
    let mut known = HashMap::new();
    let mut level: Vec<(Option<Uuid>, &[Category])> = vec![(None, &world.categories)];
    while !level.is_empty() {
        let (mut ids, mut parents, mut slugs, mut names, mut positions) = (vec![], vec![], vec![], vec![], vec![]);
        let mut below = Vec::new();
        for (parent, categories) in level {
            for (position, category) in categories.iter().enumerate() {
                ids.push(dice.id(now));
                parents.push(parent);
                slugs.push(category.slug.clone());
                names.push(category.name.clone());
                positions.push(position as i32);
                below.push((category.slug.as_str(), category.children.as_slice()));
            }
        }
        sqlx::query!(
            "insert into categories (id, parent_id, slug, name, position)
             select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int[]) on conflict (slug) do nothing",
            &ids,
            &parents as &[Option<Uuid>],
            &slugs,
            &names,
            &positions
        )
        .execute(&mut *tx)
        .await?;
        let rows = sqlx::query!("select slug, id from categories where slug = any($1)", &slugs).fetch_all(&mut *tx).await?;
        known.extend(rows.into_iter().map(|r| (r.slug, r.id)));
        level = below.into_iter().filter(|(_, c)| !c.is_empty()).map(|(slug, c)| (known.get(slug).copied(), c)).collect();
    }
    Ok(known)
}

impl Products {
    async fn insert(&self, tx: &mut PgConnection) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into products (id, vendor_id, category_id, slug, title, description, option_names, created_at, updated_at, published_at)
             select p.id, p.vendor, p.category, p.slug, p.title, p.description, string_to_array(p.options, $9), p.at, p.at, p.at
             from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
                  p(id, vendor, category, slug, title, description, options, at)",
            &self.id,
            &self.vendor,
            &self.category,
            &self.slug,
            &self.title,
            &self.description,
            &self.option_names,
            &self.published_at,
            BETWEEN
        )
        .execute(tx)
        .await?;
        Ok(())
    }
}

impl Variants {
    async fn insert(&self, tx: &mut PgConnection, currency: Currency) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into variants (id, product_id, vendor_id, sku, option_values, price_minor, position, currency)
             select v.id, v.product, v.vendor, v.sku, string_to_array(v.options, $8), v.price, v.position, $9
             from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::int[])
                  v(id, product, vendor, sku, options, price, position)",
            &self.id,
            &self.product,
            &self.vendor,
            &self.sku,
            &self.option_values,
            &self.price,
            &self.position,
            BETWEEN,
            currency.code()
        )
        .execute(&mut *tx)
        .await?;
        sqlx::query!(
            "insert into stock (variant_id, on_hand) select * from unnest($1::uuid[], $2::int[])",
            &self.id,
            &self.stock
        )
        .execute(tx)
        .await?;
        Ok(())
    }
}

impl Pictures {
    async fn insert(&self, tx: &mut PgConnection, now: OffsetDateTime) -> sqlx::Result<()> {
        sqlx::query!(
            "insert into pictures (id, product_id, position, alt, shows, widths, width, height, created_at)
             select p.*, $6::int[], $7::int, $7::int, $8::timestamptz
             from unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[]) p",
            &self.id,
            &self.product,
            &self.position,
            &self.alt,
            &self.shows as &[Option<String>],
            &PICTURE_WIDTHS.map(|w| w as i32),
            pictures::SIDE as i32,
            now
        )
        .execute(tx)
        .await?;
        Ok(())
    }
}
