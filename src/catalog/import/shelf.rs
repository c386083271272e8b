//! What the vendor's shelf has of the rows of a batch, read in one statement: most rows of most files are as the shop is already.

use super::row::Row;
use crate::ids::{CategoryId, ProductId, VariantId, VendorId};
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// A variant with its product, as far as a row can say something of it.
pub struct OnShelf {
    pub variant: VariantId,
    pub product: ProductId,
    sku: String,
    title: String,
    description: String,
    category: CategoryId,
    option_names: Vec<String>,
    option_values: Vec<String>,
    price_minor: i64,
    archived: bool,
    on_hand: i32,
    held: i32,
}

impl OnShelf {
    /// Whether it is already what the row says.
    pub fn is(&self, row: &Row) -> bool {
        !self.archived
            && self.price_minor == row.price_minor
            && self.on_hand == row.stock.units().max(self.held)
            && self.title == row.title.as_str()
            && self.category == row.category
            && row.description.as_ref().is_none_or(|text| text.as_str() == self.description)
            && in_order_of(&self.option_names, row).as_ref() == Some(&self.option_values)
    }
}

/// The row's values in the order of these options; `None` where the row has others.
pub fn in_order_of(names: &[String], row: &Row) -> Option<Vec<String>> {
    let value = |name: &String| row.option_names.iter().position(|n| n == name).and_then(|i| row.option_values.get(i)).cloned();
    let values: Option<Vec<String>> = names.iter().map(value).collect();
    values.filter(|values| values.len() == row.option_names.len())
}

/// Those of the SKUs that the vendor has, by SKU. Locks nothing.
pub async fn find(tx: &mut PgConnection, vendor: VendorId, skus: &[&str]) -> sqlx::Result<HashMap<String, OnShelf>> {
    let skus: Vec<String> = skus.iter().map(|sku| (*sku).to_owned()).collect();
    let found = sqlx::query_as!(
        OnShelf,
        r#"select v.id as "variant: VariantId", p.id as "product: ProductId", v.sku, p.title, p.description,
                  p.category_id as "category: CategoryId", p.option_names, v.option_values, v.regular_minor as price_minor, v.archived, s.on_hand,
                  -- what stands aside goes back before stock is counted anew
                  s.held - s.aside as "held!"
           from variants v join products p on p.id = v.product_id join stock s on s.variant_id = v.id
           where v.vendor_id = $1 and v.sku = any($2)"#,
        vendor.uuid(),
        &skus
    )
    .fetch_all(tx)
    .await?;
    Ok(found.into_iter().map(|one| (one.sku.clone(), one)).collect())
}

/// Locks these products, then the stock of these variants, each in the order of their ids.
pub async fn lock(tx: &mut PgConnection, products: &[Uuid], variants: &[Uuid]) -> sqlx::Result<()> {
    if variants.is_empty() {
        return Ok(());
    }
    sqlx::query!("select id from products where id = any($1) order by id for no key update", products)
        .fetch_all(&mut *tx)
        .await?;
    sqlx::query!("select variant_id from stock where variant_id = any($1) order by variant_id for no key update", variants)
        .fetch_all(tx)
        .await?;
    Ok(())
}
