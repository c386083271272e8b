//! From the variants that stand to the variants that shall be, in one transaction and with as few writes as possible.

use super::{ProductDraft, VariantDraft};
use crate::{
    audit,
    error::{AppError, FieldErrors},
    ids::{ProductId, VariantId, VendorId},
    server::auth::Vendor,
};
use serde_json::json;
use sqlx::PgConnection;

/// Why the variants could not be saved.
pub(super) enum SaveError {
    /// Said already, at its field.
    Refused(AppError),
    /// The database refused the row with this number.
    Row(usize, sqlx::Error),
}

impl From<sqlx::Error> for SaveError {
    fn from(error: sqlx::Error) -> Self {
        Self::Refused(error.into())
    }
}

/// A variant as it stands, its stock locked.
struct Standing {
    id: VariantId,
    sku: String,
    option_values: Vec<String>,
    /// Without what a promotion takes off.
    price_minor: i64,
    currency: String,
    position: i32,
    archived: bool,
    on_hand: i32,
    held: i32,
}

/// Makes the product's variants what the draft says. The stock rows are locked first and in the order of their ids, as
/// an order that is being placed does; so neither waits for the other in a circle.
pub(super) async fn save_variants(
    tx: &mut PgConnection,
    vendor: &Vendor,
    product: ProductId,
    draft: &ProductDraft,
) -> Result<(), SaveError> {
    sqlx::query!(
        "select put_pieces_back(s.variant_id) from variants v join stock s on s.variant_id = v.id
         where v.product_id = $1 and s.set_aside order by v.id",
        product.uuid()
    )
    .execute(&mut *tx)
    .await?;
    let standing = sqlx::query_as!(
        Standing,
        r#"select v.id as "id: VariantId", v.sku, v.option_values, v.regular_minor as price_minor, v.currency, v.position, v.archived,
                  s.on_hand, s.held
           from variants v join stock s on s.variant_id = v.id
           where v.product_id = $1 and v.vendor_id = $2 order by v.id for update of s"#,
        product.uuid(),
        vendor.id().uuid()
    )
    .fetch_all(&mut *tx)
    .await?;
    let claimed = claim(&standing, &draft.variants).map_err(SaveError::Refused)?;
    let levels = levels(&standing, &draft.variants, &claimed).map_err(SaveError::Refused)?;

    let leaving: Vec<_> = (0..standing.len())
        .filter(|i| !standing[*i].archived && !claimed.contains(&Some(*i)))
        .map(|i| standing[i].id.uuid())
        .collect();
    retire(tx, &leaving).await?;
    make_room(tx, &standing, &draft.variants, &claimed).await?;
    for (i, (variant, level)) in draft.variants.iter().zip(levels).enumerate() {
        let place = i as i32;
        let saved = match claimed[i].map(|at| &standing[at]) {
            Some(now) => change(tx, vendor, now, variant, place, level).await,
            None => add(tx, vendor.id(), product, variant, place, level).await,
        };
        saved.map_err(|error| SaveError::Row(i, error))?;
    }
    Ok(())
}

/// For each row of the draft, which standing variant it means: by id, else by SKU, so that a variant which was taken out
/// comes back with its history. An id of another product is not found.
fn claim(standing: &[Standing], rows: &[VariantDraft]) -> Result<Vec<Option<usize>>, AppError> {
    let mut claimed = Vec::with_capacity(rows.len());
    for row in rows {
        claimed.push(match row.id {
            Some(id) => Some(standing.iter().position(|s| s.id == id).ok_or(AppError::NotFound)?),
            None => None,
        });
    }
    for (i, row) in rows.iter().enumerate() {
        if claimed[i].is_none() {
            let same = standing.iter().position(|s| s.sku == row.sku.as_str());
            claimed[i] = same.filter(|at| !claimed.contains(&Some(*at)));
        }
    }
    Ok(claimed)
}

/// What will be on hand, row by row; an error where open orders hold more than would be left.
fn levels(standing: &[Standing], rows: &[VariantDraft], claimed: &[Option<usize>]) -> Result<Vec<i32>, AppError> {
    let mut errors = FieldErrors::default();
    let mut levels = Vec::with_capacity(rows.len());
    for (i, row) in rows.iter().enumerate() {
        let wanted = row.stock.units();
        let level = match (claimed[i].map(|at| &standing[at]), row.seen) {
            (Some(now), Some(seen)) => now.on_hand + (wanted - seen.units()),
            _ => wanted,
        };
        let held = claimed[i].map_or(0, |at| standing[at].held);
        if level < held {
            let on_hand = claimed[i].map_or(0, |at| standing[at].on_hand);
            errors.add(
                &format!("variants[{i}][stock]"),
                format!("{held} of the {on_hand} on hand are held for open orders; at least those must stay."),
            );
        } else if level > super::StockLevel::MAX {
            errors.add(&format!("variants[{i}][stock]"), super::super::limits::BadStock.to_string());
        }
        levels.push(level);
    }
    errors.check().map(|()| levels)
}

/// Variants that leave: those that no order knows are deleted, the others archived with their history.
async fn retire(tx: &mut PgConnection, leaving: &[uuid::Uuid]) -> sqlx::Result<()> {
    if leaving.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "delete from variants v where id = any($1)
           and not exists (select 1 from order_lines where variant_id = v.id)
           and not exists (select 1 from stock_holds where variant_id = v.id)",
        leaving
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("update variants set archived = true where id = any($1)", leaving).execute(tx).await?;
    Ok(())
}

/// Two rows may swap their SKUs or options, and each write is checked at once: whoever changes steps aside first.
async fn make_room(
    tx: &mut PgConnection,
    standing: &[Standing],
    rows: &[VariantDraft],
    claimed: &[Option<usize>],
) -> sqlx::Result<()> {
    let moving: Vec<_> = rows
        .iter()
        .zip(claimed)
        .filter_map(|(row, at)| at.map(|at| (row, &standing[at])))
        .filter(|(row, now)| !now.archived && (now.sku != row.sku.as_str() || now.option_values != texts(row)))
        .map(|(_, now)| now.id.uuid())
        .collect();
    if moving.len() > 1 {
        sqlx::query!("update variants set sku = id::text, option_values = array[id::text] where id = any($1)", &moving)
            .execute(tx)
            .await?;
    }
    Ok(())
}

fn texts(row: &VariantDraft) -> Vec<String> {
    row.values.iter().map(ToString::to_string).collect()
}

async fn change(
    tx: &mut PgConnection,
    vendor: &Vendor,
    now: &Standing,
    row: &VariantDraft,
    place: i32,
    level: i32,
) -> sqlx::Result<()> {
    let values = texts(row);
    let same = now.sku == row.sku.as_str()
        && now.option_values == values
        && now.price_minor == row.price.minor
        && now.currency == row.price.currency.code()
        && now.position == place
        && !now.archived;
    if !same {
        sqlx::query!(
            "update variants set sku = $2, option_values = $3, regular_minor = $4, currency = $5, position = $6, archived = false
             where id = $1",
            now.id.uuid(),
            row.sku.as_str(),
            &values,
            row.price.minor,
            row.price.currency.code(),
            place
        )
        .execute(&mut *tx)
        .await?;
    }
    if now.price_minor != row.price.minor || now.currency != row.price.currency.code() {
        let detail = json!({ "was": now.price_minor, "now": row.price.minor, "currency": row.price.currency, "sku": row.sku });
        audit::record(tx, Some(vendor.customer().id()), "product.repriced", ("variant", now.id), detail).await?;
    }
    if now.on_hand != level {
        sqlx::query!("update stock set on_hand = $2 where variant_id = $1", now.id.uuid(), level).execute(tx).await?;
    }
    Ok(())
}

async fn add(
    tx: &mut PgConnection,
    vendor: VendorId,
    product: ProductId,
    row: &VariantDraft,
    place: i32,
    level: i32,
) -> sqlx::Result<()> {
    let id = VariantId::new();
    sqlx::query!(
        "insert into variants (id, product_id, vendor_id, sku, option_values, price_minor, currency, position)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        id.uuid(),
        product.uuid(),
        vendor.uuid(),
        row.sku.as_str(),
        &texts(row),
        row.price.minor,
        row.price.currency.code(),
        place
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!("insert into stock (variant_id, on_hand) values ($1, $2)", id.uuid(), level).execute(tx).await?;
    Ok(())
}
