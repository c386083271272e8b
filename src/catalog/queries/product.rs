//! One product, whole, in one query: its variants and pictures come with it as JSON, because asking once more costs more than that.

use crate::{
    catalog::{
        model::{CategoryLink, Delivery, PictureOf, ProductPage, Variant},
        slug::Slug,
    },
    ids::{CategoryId, PictureId, ProductId, VendorId},
    money::{Currency, Money},
    vendors::model::Holiday,
};
use sqlx::{PgPool, types::Json};
use time::Date;

/// How an address or a program names a product, a shop or a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    Id(uuid::Uuid),
    Slug(Slug),
}

impl Key {
    /// `None` for what can be neither: there is nothing of that name.
    pub fn parse(text: &str) -> Option<Self> {
        // Of the spellings of a UUID only the usual one is an address of ours.
        let id = (text.len() == 36).then(|| uuid::Uuid::try_parse(text).ok()).flatten();
        id.map(Self::Id).or_else(|| text.parse().ok().map(Self::Slug))
    }

    /// The two halves for `id = $1 or slug = $2`.
    pub fn parts(&self) -> (Option<uuid::Uuid>, Option<&str>) {
        match self {
            Key::Id(id) => (Some(*id), None),
            Key::Slug(slug) => (None, Some(slug.as_str())),
        }
    }
}

/// A product that can be seen: published, by an approved vendor, with at least one variant. `None` for any other.
pub async fn product(pool: &PgPool, key: &Key) -> sqlx::Result<Option<ProductPage>> {
    let (id, slug) = key.parts();
    let row = sqlx::query!(
        r#"select p.id as "id: ProductId", p.slug, p.title, p.description, p.option_names, p.updated_at,
                  v.id as "vendor_id: VendorId", v.slug as vendor_slug, v.name as vendor_name, v.tagline, v.country,
                  p.category_id as "category_id: CategoryId", l.currency as "currency: Currency",
                  array(select c.slug from unnest(l.category_path) with ordinality as n(id, level)
                        join categories c on c.id = n.id order by level) as "category_slugs!",
                  array(select c.name from unnest(l.category_path) with ordinality as n(id, level)
                        join categories c on c.id = n.id order by level) as "category_names!",
                  s.name as "shipping?", s.price_minor as "shipping_minor?", s.free_over_minor, s.min_days as "min_days?",
                  s.max_days as "max_days?",
                  on_holiday(v.holiday_from, v.holiday_until) as "away!", v.holiday_from, v.holiday_until, v.holiday_message,
                  coalesce((select json_agg(json_build_object('id', a.id, 'sku', a.sku, 'option_values', a.option_values,
                                'price_minor', a.price_minor,
                                'prior_minor', case when a.prior_minor > a.price_minor then a.prior_minor end, 'currency', a.currency, 'available', k.free,
                                'picture_id', picture_of(p.id, a.option_values)) order by a.position, a.id)
                            from variants a join stock k on k.variant_id = a.id where a.product_id = p.id and not a.archived), '[]')
                      as "variants!: Json<Vec<Variant>>",
                  coalesce((select json_agg(json_build_object('id', i.id, 'alt', i.alt, 'width', i.width, 'height', i.height)
                                order by i.position, i.id) from pictures i where i.product_id = p.id), '[]')
                      as "pictures!: Json<Vec<PictureOf>>"
           from listings l
           join products p on p.id = l.product_id
           join vendors v on v.id = l.vendor_id
           left join lateral (select * from shipping_methods where vendor_id = v.id order by position, code limit 1) s on true
           where p.id = $1 or p.slug = $2"#,
        id,
        slug
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };

    let money = |minor| Money::new(minor, row.currency);
    let delivery = match (row.shipping, row.shipping_minor, row.min_days, row.max_days) {
        (Some(name), Some(price), Some(min_days), Some(max_days)) => {
            Some(Delivery { name, price: money(price), free_over: row.free_over_minor.map(money), min_days, max_days })
        }
        _ => None,
    };
    Ok(Some(ProductPage {
        id: row.id,
        slug: row.slug,
        title: row.title,
        description: row.description,
        vendor_id: row.vendor_id,
        vendor_slug: row.vendor_slug,
        vendor_name: row.vendor_name,
        vendor_tagline: row.tagline,
        vendor_country: row.country,
        category_id: row.category_id,
        categories: row
            .category_slugs
            .into_iter()
            .zip(row.category_names)
            .map(|(slug, name)| CategoryLink { slug, name })
            .collect(),
        option_names: row.option_names,
        delivery,
        holiday: holiday(row.away, row.holiday_from, row.holiday_until, row.holiday_message),
        variants: row.variants.0,
        pictures: row.pictures.0,
        updated_at: row.updated_at,
    }))
}

/// The holiday that a shop is on, from its columns.
pub(super) fn holiday(away: bool, from: Option<Date>, until: Option<Date>, message: String) -> Option<Holiday> {
    from.zip(until).filter(|_| away).map(|(from, until)| Holiday { from, until, message })
}

/// The pictures of a product in their order.
pub async fn gallery(pool: &PgPool, product: ProductId) -> sqlx::Result<Vec<PictureOf>> {
    sqlx::query_as!(
        PictureOf,
        r#"select id as "id: PictureId", alt, width, height from pictures where product_id = $1 order by position, id"#,
        product.uuid()
    )
    .fetch_all(pool)
    .await
}

/// These pictures, in no order.
pub async fn pictures(pool: &PgPool, ids: &[PictureId]) -> sqlx::Result<Vec<PictureOf>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.uuid()).collect();
    sqlx::query_as!(PictureOf, r#"select id as "id: PictureId", alt, width, height from pictures where id = any($1)"#, &ids)
        .fetch_all(pool)
        .await
}
