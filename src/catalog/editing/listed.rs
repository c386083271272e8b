//! Prices and stock typed into a list, saved together: written, noted and taken back as what is done to many.

use super::{
    StockLevel,
    bulk::{Change, Goods, Variant, What, level, lock, write},
};
use crate::{
    error::AppError,
    ids::{ProductId, VariantId},
    money::Money,
    server::auth::Manager,
    vendors::model::CURRENCY,
};
use sqlx::PgPool;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What somebody typed for one variant in a list, beside what they saw.
#[derive(Debug, Clone)]
pub struct Typed {
    pub id: VariantId,
    pub price: Money,
    pub seen_price: i64,
    pub stock: StockLevel,
    pub seen_stock: i32,
}

/// What became of what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edited {
    /// So many figures changed.
    Saved(usize),
    /// Nothing was: field (`price` or `stock`), variant, and why.
    Refused(Vec<(&'static str, VariantId, String)>),
}

/// Saves what was typed into a list, all of it or nothing. A price that somebody else changed meanwhile is a conflict; of stock the
/// difference counts, so that what was sold stays sold.
///
/// # Errors
/// `NotFound` where a variant is another's.
pub async fn edit(pool: &PgPool, vendor: &Manager, typed: &[Typed]) -> Result<Edited, AppError> {
    let changed: Vec<&Typed> =
        typed.iter().filter(|t| t.price.minor != t.seen_price || t.stock.units() != t.seen_stock).collect();
    let mut tx = pool.begin().await?;
    let ids: Vec<Uuid> = changed.iter().map(|t| t.id.uuid()).collect();
    let products = sqlx::query_scalar!(
        r#"select distinct product_id as "id: ProductId" from variants where vendor_id = $1 and id = any($2) and not archived"#,
        vendor.id().uuid(),
        &ids
    )
    .fetch_all(&mut *tx)
    .await?;
    let (_, variants) = lock(&mut tx, vendor, &Goods::These(products)).await?;
    let variants: HashMap<VariantId, &Variant> = variants.iter().map(|v| (v.id, v)).collect();
    let (mut changes, mut refused, mut twice) = (Vec::new(), Vec::new(), HashSet::new());
    for t in changed.into_iter().filter(|t| twice.insert(t.id)) {
        let v = variants.get(&t.id).ok_or(AppError::NotFound)?;
        if t.price.minor != t.seen_price {
            if v.price_minor == t.seen_price {
                changes.push(row(What::Price, v, v.price_minor.to_string(), t.price.minor.to_string()));
            } else if v.price_minor != t.price.minor {
                let (now, saw) = (Money::new(v.price_minor, CURRENCY), Money::new(t.seen_price, CURRENCY));
                refused.push((
                    "price",
                    t.id,
                    format!("Somebody changed it to {now} meanwhile; you saw {saw}. Save again to replace it."),
                ));
            }
        }
        let wanted = i64::from(v.on_hand) + i64::from(t.stock.units()) - i64::from(t.seen_stock);
        if t.stock.units() != t.seen_stock {
            match level(v, wanted) {
                Ok(now) => changes.push(row(What::Stock, v, v.on_hand.to_string(), now)),
                Err(why) => refused.push(("stock", t.id, why)),
            }
        }
    }
    if !refused.is_empty() {
        return Ok(Edited::Refused(refused));
    }
    if !changes.is_empty() {
        write(&mut tx, vendor, "Prices and stock edited", &changes).await?;
    }
    tx.commit().await?;
    Ok(Edited::Saved(changes.len()))
}

fn row(what: What, v: &Variant, was: String, now: String) -> Change {
    Change { what, id: v.id.uuid(), label: v.label.clone(), was, now }
}
