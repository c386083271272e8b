//! Prices, stock and standing of many goods at once: planned, looked at, done in one transaction, and taken back.
//!
//! What was looked at is what is done: the plan is made again under the locks, and where it is another one by then nothing happens.

use super::{ProductStatus, StockLevel};
use crate::{
    audit,
    error::{AppError, Refusal},
    ids::{CatalogChangeId, CategoryId, ProductId, VariantId},
    money::{BasisPoints, MAX_PRICE_MINOR, Money},
    server::auth::Manager,
    vendors::model::CURRENCY,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool, types::Json};
use std::collections::HashMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// The most rows that one change may have.
pub const MOST: usize = 5_000;

/// What is done to each of the goods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// To the nearest penny.
    Raise(BasisPoints),
    Lower(BasisPoints),
    Price(Money),
    Stock(StockLevel),
    /// So many came in.
    Add(StockLevel),
    /// With its name.
    Category(CategoryId, String),
    Status(ProductStatus),
}

impl Action {
    /// `Prices raised by 10 %`
    pub fn title(&self) -> String {
        match self {
            Self::Raise(by) => format!("Prices raised by {by}"),
            Self::Lower(by) => format!("Prices lowered by {by}"),
            Self::Price(price) => format!("Prices set to {price}"),
            Self::Stock(level) => format!("Stock set to {}", level.units()),
            Self::Add(level) => format!("{} added to stock", level.units()),
            Self::Category(_, name) => format!("Moved to {name}"),
            Self::Status(ProductStatus::Published) => "Put on sale".into(),
            Self::Status(ProductStatus::Draft) => "Taken off sale".into(),
            Self::Status(ProductStatus::Archived) => "Archived".into(),
        }
    }
}

/// Which goods of the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Goods {
    These(Vec<ProductId>),
    /// All that the list of products finds, on whichever of its pages.
    Found {
        text: String,
        status: Option<ProductStatus>,
    },
}

/// Which figure of a thing changes; prices and stock are of a variant, the others of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Price,
    Stock,
    Category,
    Status,
}

/// One figure, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub what: What,
    /// Of the variant or the product.
    pub id: Uuid,
    /// `Oak bowl, Large (OAK-L)`
    pub label: String,
    /// Minor units, units, a category's id, a status.
    pub was: String,
    pub now: String,
}

/// What would happen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    pub changes: Vec<Change>,
    /// What cannot be done, in words, each with its label; the rest can.
    pub problems: Vec<(String, String)>,
    /// Rows that are so already.
    pub unchanged: usize,
}

impl Plan {
    /// Another one for every other plan: sent back with the word to go on.
    pub fn fingerprint(&self) -> String {
        let told: Vec<_> = self.changes.iter().map(|c| (c.what, c.id, &c.was, &c.now)).collect();
        hex::encode(Sha256::digest(serde_json::to_vec(&told).unwrap_or_default()))
    }

    fn take(&mut self, what: What, id: Uuid, label: &str, was: String, now: Result<String, String>) {
        match now {
            Ok(now) if now == was => self.unchanged += 1,
            Ok(now) => self.changes.push(Change { what, id, label: label.to_owned(), was, now }),
            Err(problem) => self.problems.push((label.to_owned(), problem)),
        }
    }
}

/// A product of the selection.
#[derive(Debug, Clone)]
pub(super) struct Product {
    id: ProductId,
    title: String,
    status: ProductStatus,
    category_id: CategoryId,
    variants: i64,
}

/// A variant of the selection.
#[derive(Debug, Clone)]
pub(super) struct Variant {
    pub id: VariantId,
    pub label: String,
    pub price_minor: i64,
    pub on_hand: i32,
    pub held: i32,
}

/// What an action makes of the goods.
fn plan(action: &Action, products: &[Product], variants: &[Variant]) -> Plan {
    match action {
        Action::Raise(by) => prices(variants, |was| was + by.of(was)),
        Action::Lower(by) => prices(variants, |was| was - by.of(was)),
        Action::Price(price) => prices(variants, |_| price.minor),
        Action::Stock(level) => shelves(variants, |_| level.units().into()),
        Action::Add(level) => shelves(variants, |was| was + i64::from(level.units())),
        Action::Category(category, _) => {
            let mut plan = Plan::default();
            for p in products {
                plan.take(What::Category, p.id.uuid(), &p.title, p.category_id.to_string(), Ok(category.to_string()));
            }
            plan
        }
        Action::Status(status) => {
            let mut plan = Plan::default();
            for p in products {
                let now = match status {
                    ProductStatus::Published if p.variants == 0 => Err("It has no variant that could be sold.".to_owned()),
                    status => Ok(status.as_str().to_owned()),
                };
                plan.take(What::Status, p.id.uuid(), &p.title, p.status.as_str().to_owned(), now);
            }
            plan
        }
    }
}

fn prices(variants: &[Variant], becomes: impl Fn(i64) -> i64) -> Plan {
    let mut plan = Plan::default();
    for v in variants {
        let now = becomes(v.price_minor);
        let now = match (0..=MAX_PRICE_MINOR).contains(&now) {
            true => Ok(now.to_string()),
            false => Err("This price would be too high.".to_owned()),
        };
        plan.take(What::Price, v.id.uuid(), &v.label, v.price_minor.to_string(), now);
    }
    plan
}

fn shelves(variants: &[Variant], becomes: impl Fn(i64) -> i64) -> Plan {
    let mut plan = Plan::default();
    for v in variants {
        plan.take(What::Stock, v.id.uuid(), &v.label, v.on_hand.to_string(), level(v, becomes(v.on_hand.into())));
    }
    plan
}

/// A number on hand that open orders leave room for.
pub(super) fn level(v: &Variant, now: i64) -> Result<String, String> {
    if now < i64::from(v.held) {
        return Err(format!("{} are held for open orders; at least those must stay.", v.held));
    }
    if now > i64::from(StockLevel::MAX) {
        return Err("This would be more than can be kept.".to_owned());
    }
    Ok(now.to_string())
}

/// What would happen, as things are now.
///
/// # Errors
/// Where it would be too much at once.
pub async fn preview(pool: &PgPool, vendor: &Manager, goods: &Goods, action: &Action) -> Result<Plan, AppError> {
    let mut tx = pool.begin().await?;
    let (products, variants) = lock(&mut tx, vendor, goods).await?;
    tx.rollback().await?;
    Ok(plan(action, &products, &variants))
}

/// Does what was looked at, and says how many rows it changed.
///
/// # Errors
/// [`Refusal::Stale`] where it would do something else by now.
pub async fn apply(pool: &PgPool, vendor: &Manager, goods: &Goods, action: &Action, seen: &str) -> Result<usize, AppError> {
    let mut tx = pool.begin().await?;
    let (products, variants) = lock(&mut tx, vendor, goods).await?;
    let plan = plan(action, &products, &variants);
    if plan.fingerprint() != seen {
        return Err(Refusal::Stale.into());
    }
    write(&mut tx, vendor, &action.title(), &plan.changes).await?;
    tx.commit().await?;
    Ok(plan.changes.len())
}

/// The last thing that the vendor's people did to many goods, if it is young and stands.
#[derive(Debug, Clone)]
pub struct Last {
    pub id: CatalogChangeId,
    pub title: String,
    pub rows: i64,
    pub at: OffsetDateTime,
}

/// What can be taken back with one press: of the last hour.
pub async fn last(pool: &PgPool, vendor: &Manager) -> sqlx::Result<Option<Last>> {
    sqlx::query_as!(
        Last,
        r#"select id as "id: CatalogChangeId", title, jsonb_array_length(rows)::bigint as "rows!", at from catalog_changes c
           where vendor_id = $1 and at > now() - interval '1 hour' and undone_by is null
             and not exists (select 1 from catalog_changes u where u.undone_by = c.id)
           order by at desc, id desc limit 1"#,
        vendor.id().uuid()
    )
    .fetch_optional(pool)
    .await
}

/// Takes a change back, as far as nobody has changed the same since: `(rows taken back, rows left alone)`. Of stock the difference is
/// taken back, so that what was sold stays sold.
///
/// # Errors
/// `NotFound` where it is another's; a refusal where it was taken back already.
pub async fn undo(pool: &PgPool, vendor: &Manager, id: CatalogChangeId) -> Result<(usize, usize), AppError> {
    let mut tx = pool.begin().await?;
    let change = sqlx::query!(
        r#"select title, rows as "rows: Json<Vec<Change>>", undone_by from catalog_changes where id = $1 and vendor_id = $2 for update"#,
        id.uuid(),
        vendor.id().uuid()
    )
    .fetch_optional(&mut *tx)
    .await?
    .ok_or(AppError::NotFound)?;
    if change.undone_by.is_some() {
        return Err(Refusal::Stale.into());
    }
    let rows = change.rows.0;
    let products = products_of(&mut tx, vendor, &rows).await?;
    let (products, variants) = lock(&mut tx, vendor, &Goods::These(products)).await?;
    let products: HashMap<Uuid, &Product> = products.iter().map(|p| (p.id.uuid(), p)).collect();
    let variants: HashMap<Uuid, &Variant> = variants.iter().map(|v| (v.id.uuid(), v)).collect();
    let back: Vec<Change> = rows.iter().filter_map(|row| backwards(row, &products, &variants)).collect();
    let left = rows.len() - back.len();
    let by = write(&mut tx, vendor, &format!("Taken back: {}", change.title), &back).await?;
    sqlx::query!("update catalog_changes set undone_by = $2 where id = $1", id.uuid(), by.uuid()).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok((back.len(), left))
}

/// What takes a row back, as things are now; `None` where somebody has changed it since.
fn backwards(row: &Change, products: &HashMap<Uuid, &Product>, variants: &HashMap<Uuid, &Variant>) -> Option<Change> {
    let was = match row.what {
        What::Price => variants.get(&row.id)?.price_minor.to_string(),
        What::Stock => variants.get(&row.id)?.on_hand.to_string(),
        What::Category => products.get(&row.id)?.category_id.to_string(),
        What::Status => products.get(&row.id)?.status.as_str().to_owned(),
    };
    let now = match row.what {
        What::Stock => {
            let v = variants.get(&row.id)?;
            let difference = row.now.parse::<i64>().ok()? - row.was.parse::<i64>().ok()?;
            level(v, i64::from(v.on_hand) - difference).ok()?
        }
        _ if was == row.now => row.was.clone(),
        _ => return None,
    };
    Some(Change { was, now, ..row.clone() })
}

async fn products_of(tx: &mut PgConnection, vendor: &Manager, rows: &[Change]) -> sqlx::Result<Vec<ProductId>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    sqlx::query_scalar!(
        r#"select id as "id!: ProductId" from (
               select id from products where vendor_id = $1 and id = any($2)
               union select product_id from variants where vendor_id = $1 and id = any($2)) x"#,
        vendor.id().uuid(),
        &ids
    )
    .fetch_all(tx)
    .await
}

/// Locks the goods until the transaction ends: products, then their stock, both in the order of their ids, as an edit does.
pub(super) async fn lock(
    tx: &mut PgConnection,
    vendor: &Manager,
    goods: &Goods,
) -> Result<(Vec<Product>, Vec<Variant>), AppError> {
    let (ids, text, status) = match goods {
        Goods::These(ids) => (Some(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>()), "", None),
        Goods::Found { text, status } => (None, text.as_str(), *status),
    };
    let products = sqlx::query_as!(
        Product,
        r#"select p.id as "id: ProductId", p.title, p.status as "status: ProductStatus", p.category_id as "category_id: CategoryId",
                  (select count(*) from variants v where v.product_id = p.id and not v.archived) as "variants!"
           from products p where p.vendor_id = $1
             and case when $2::uuid[] is not null then p.id = any($2) else
                 ($3 = '' or position(lower($3) in lower(p.title)) > 0 or exists (
                     select 1 from variants v where v.product_id = p.id and not v.archived and position(lower($3) in lower(v.sku)) > 0))
                 and case when $4::text is null then p.status <> 'archived' else p.status = $4 end end
           order by p.id limit $5 for no key update"#,
        vendor.id().uuid(),
        ids.as_deref(),
        text,
        status.map(ProductStatus::as_str),
        MOST as i64 + 1
    )
    .fetch_all(&mut *tx)
    .await?;
    let own: Vec<Uuid> = products.iter().map(|p| p.id.uuid()).collect();
    let variants = lock_variants(tx, vendor, &own).await?;
    if products.len() > MOST || variants.len() > MOST {
        return Err(AppError::BadRequest(format!("These are more than {MOST} at once. Choose fewer, or import a file.")));
    }
    Ok((products, variants))
}

async fn lock_variants(tx: &mut PgConnection, vendor: &Manager, products: &[Uuid]) -> sqlx::Result<Vec<Variant>> {
    sqlx::query!(
        "select put_pieces_back(s.variant_id) from variants v join stock s on s.variant_id = v.id
         where v.product_id = any($1) and s.set_aside order by v.id",
        products
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query_as!(
        Variant,
        r#"select v.id as "id: VariantId", v.regular_minor as price_minor, s.on_hand, s.held,
                  p.title || case when v.option_values <> '{}' then ', ' || array_to_string(v.option_values, ', ') else '' end
                      || ' (' || v.sku || ')' as "label!"
           from variants v join products p on p.id = v.product_id join stock s on s.variant_id = v.id
           where v.product_id = any($1) and v.vendor_id = $2 and not v.archived
           order by v.id limit $3 for update of s"#,
        products,
        vendor.id().uuid(),
        MOST as i64 + 1
    )
    .fetch_all(tx)
    .await
}

/// Writes what is locked, and notes it so that it can be taken back.
pub(super) async fn write(
    tx: &mut PgConnection,
    vendor: &Manager,
    title: &str,
    changes: &[Change],
) -> Result<CatalogChangeId, AppError> {
    let of = |what: What| -> (Vec<Uuid>, Vec<String>) {
        changes.iter().filter(|c| c.what == what).map(|c| (c.id, c.now.clone())).unzip()
    };
    let (ids, now) = of(What::Price);
    sqlx::query!(
        "update variants v set regular_minor = x.now::bigint from unnest($1::uuid[], $2::text[]) x (id, now) where v.id = x.id and v.vendor_id = $3",
        &ids,
        &now,
        vendor.id().uuid()
    )
    .execute(&mut *tx)
    .await?;
    let (ids, now) = of(What::Stock);
    sqlx::query!(
        "update stock s set on_hand = x.now::int from unnest($1::uuid[], $2::text[]) x (id, now), variants v
         where s.variant_id = x.id and v.id = x.id and v.vendor_id = $3",
        &ids,
        &now,
        vendor.id().uuid()
    )
    .execute(&mut *tx)
    .await?;
    let (categories, category) = of(What::Category);
    let (statuses, status) = of(What::Status);
    sqlx::query!(
        "update products p set category_id = coalesce(c.now::uuid, p.category_id), status = coalesce(s.now, p.status),
                published_at = case when s.now = 'published' then coalesce(p.published_at, now()) else p.published_at end,
                updated_at = greatest(clock_timestamp(), p.updated_at + interval '1 microsecond')
         from products x left join unnest($1::uuid[], $2::text[]) c (id, now) on c.id = x.id
         left join unnest($3::uuid[], $4::text[]) s (id, now) on s.id = x.id
         where x.id = p.id and p.vendor_id = $6
           and (p.id = any($1) or p.id = any($3) or exists (select 1 from variants v where v.product_id = p.id and v.id = any($5)))",
        &categories,
        &category,
        &statuses,
        &status,
        &changes.iter().filter(|c| matches!(c.what, What::Price | What::Stock)).map(|c| c.id).collect::<Vec<_>>(),
        vendor.id().uuid()
    )
    .execute(&mut *tx)
    .await?;
    let id = CatalogChangeId::new();
    let actor = vendor.customer().id();
    sqlx::query!(
        "insert into catalog_changes (id, vendor_id, actor_id, title, rows) values ($1, $2, $3, $4, $5)",
        id.uuid(),
        vendor.id().uuid(),
        actor.uuid(),
        title,
        Json(changes) as _
    )
    .execute(&mut *tx)
    .await?;
    let repriced: Vec<_> = changes.iter().filter(|c| c.what == What::Price).map(|c| (c.id, &c.was, &c.now)).collect();
    if !repriced.is_empty() {
        let detail = json!({ "what": title, "currency": CURRENCY, "variants": repriced });
        audit::record(tx, Some(actor), "products.repriced", ("catalog_change", id), detail).await?;
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(price_minor: i64, on_hand: i32, held: i32) -> Variant {
        Variant { id: VariantId::new(), label: "Bowl (B)".into(), price_minor, on_hand, held }
    }

    fn becomes(action: Action, variant: Variant) -> Result<String, String> {
        let plan = plan(&action, &[], std::slice::from_ref(&variant));
        match (plan.changes.first(), plan.problems.first()) {
            (Some(change), _) => Ok(change.now.clone()),
            (_, Some((_, problem))) => Err(problem.clone()),
            _ => Ok("as it was".into()),
        }
    }

    #[test]
    fn prices_go_to_the_nearest_penny_and_no_further_than_they_may() {
        assert_eq!(becomes(Action::Raise(BasisPoints(1_000)), variant(1_005, 1, 0)), Ok("1106".into()));
        assert_eq!(becomes(Action::Lower(BasisPoints(10_000)), variant(1_005, 1, 0)), Ok("0".into()));
        assert_eq!(becomes(Action::Raise(BasisPoints(0)), variant(1_005, 1, 0)), Ok("as it was".into()));
        assert!(becomes(Action::Raise(BasisPoints(10_000)), variant(MAX_PRICE_MINOR, 1, 0)).is_err());
    }

    #[test]
    fn stock_keeps_what_orders_hold() {
        let stock = |units: i64| StockLevel::try_from(units).unwrap();
        assert_eq!(becomes(Action::Stock(stock(3)), variant(1, 9, 3)), Ok("3".into()));
        assert!(becomes(Action::Stock(stock(2)), variant(1, 9, 3)).unwrap_err().starts_with("3 are held"));
        assert_eq!(becomes(Action::Add(stock(2)), variant(1, 9, 3)), Ok("11".into()));
        assert!(becomes(Action::Add(stock(10_000_000)), variant(1, 9, 3)).is_err());
    }

    #[test]
    fn taking_back_leaves_what_others_did() {
        let v = variant(1_200, 7, 0);
        let price = Change { what: What::Price, id: v.id.uuid(), label: String::new(), was: "1000".into(), now: "1200".into() };
        let stock = Change { what: What::Stock, was: "4".into(), now: "9".into(), ..price.clone() };
        let (none, variants) = (HashMap::new(), HashMap::from([(v.id.uuid(), &v)]));
        assert_eq!(backwards(&price, &none, &variants).map(|c| c.now), Some("1000".into()));
        // Two were sold since: of the seven that are left five go.
        assert_eq!(backwards(&stock, &none, &variants).map(|c| c.now), Some("2".into()));
        let other = Change { now: "1300".into(), ..price };
        assert_eq!(backwards(&other, &none, &variants), None);
    }

    #[test]
    fn another_plan_has_another_fingerprint() {
        let one = plan(&Action::Raise(BasisPoints(1_000)), &[], &[variant(1_000, 1, 0)]);
        let mut other = one.clone();
        assert_eq!(one.fingerprint(), other.fingerprint());
        other.changes[0].was = "1001".into();
        assert_ne!(one.fingerprint(), other.fingerprint());
    }
}
