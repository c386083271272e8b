//! Rows into tables: one transaction for a batch, one savepoint for a row.

use super::{Pending, Summary, Told, row::Row};
use crate::{
    audit,
    catalog::{
        limits::{AltText, MAX_VARIANTS},
        pictures::{self, Processed},
        slug::Slug,
    },
    ids::{PictureId, ProductId, VariantId, VendorId},
    server::{errors::violates, state::App},
    text::slugify,
};
use serde_json::json;
use sqlx::{Acquire, PgConnection};
use std::path::Path;

/// What became of one row.
enum Done {
    Created,
    Updated,
}

/// Why a row was not written: its own fault, or the database's.
enum Failed {
    Refused(String),
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

fn refused<T>(why: impl Into<String>) -> Result<T, Failed> {
    Err(Failed::Refused(why.into()))
}

/// The SKUs that a dry run would have made in batches before, which the database has forgotten by then. It keeps them in a
/// temporary table on a connection of its own, so that a file of any length may be tried; the table goes with the value.
pub struct Made(PgConnection);

impl Made {
    pub async fn none(app: &App) -> sqlx::Result<Self> {
        let mut db = app.pool.acquire().await?.detach();
        // Not checked at compile time, like the insert below: the table is in no migration.
        sqlx::query("create temporary table made (sku text primary key)").execute(&mut db).await?;
        Ok(Self(db))
    }

    /// Adds them, and answers how many are new.
    async fn add(&mut self, skus: &[String]) -> sqlx::Result<u64> {
        let insert = sqlx::query("insert into made select unnest($1::text[]) on conflict do nothing");
        Ok(insert.bind(skus).execute(&mut self.0).await?.rows_affected())
    }
}

/// Writes a batch and how far the run came, together or not at all; in a dry run, which brings `made`, not at all.
pub async fn batch(
    app: &App,
    vendor: VendorId,
    digest: &[u8],
    folder: &Path,
    rows: Vec<Pending>,
    made: Option<&mut Made>,
    tell: &mut impl FnMut(Told),
) -> anyhow::Result<Summary> {
    let mut done = Summary::default();
    let mut created = Vec::new();
    let count = rows.len() as i64;
    let mut tx = app.pool.begin().await?;
    for Pending { line, row } in rows {
        let outcome = match row {
            Err(why) => Err(Failed::Refused(why)),
            Ok(row) => {
                let mut savepoint = tx.begin().await?;
                let outcome = one(app, &mut savepoint, vendor, folder, &row, made.is_some()).await;
                if let Ok(Done::Created) = outcome {
                    created.push(row.sku.to_string());
                }
                match &outcome {
                    Ok(_) => savepoint.commit().await?,
                    Err(_) => savepoint.rollback().await?,
                }
                outcome
            }
        };
        match outcome {
            Ok(Done::Created) => {}
            Ok(Done::Updated) => done.updated += 1,
            Err(Failed::Refused(why)) => {
                done.refused += 1;
                tell(Told::Refused { line, why });
            }
            Err(Failed::Database(error)) => return Err(error.into()),
        }
    }
    done.created = created.len() as u64;
    if let Some(made) = made {
        tx.rollback().await?;
        let new = made.add(&created).await?;
        done.updated += done.created - new;
        done.created = new;
        return Ok(done);
    }
    sqlx::query!(
        "update import_runs set rows_done = rows_done + $3, created = created + $4, updated = updated + $5, refused = refused + $6
         where vendor_id = $1 and digest = $2",
        vendor.uuid(),
        digest,
        count,
        done.created as i64,
        done.updated as i64,
        done.refused as i64
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(done)
}

async fn one(
    app: &App,
    tx: &mut PgConnection,
    vendor: VendorId,
    folder: &Path,
    row: &Row,
    dry_run: bool,
) -> Result<Done, Failed> {
    let picture = match &row.image {
        Some(image) => Some(read_picture(folder.join(image)).await?),
        None => None,
    };
    let known = sqlx::query!(
        r#"select v.id as "variant: VariantId", p.id as "product: ProductId", p.option_names
           from variants v join products p on p.id = v.product_id where v.vendor_id = $1 and v.sku = $2 for no key update of v, p"#,
        vendor.uuid(),
        row.sku.as_str()
    )
    .fetch_optional(&mut *tx)
    .await?;
    let (product, done) = match known {
        Some(known) => {
            let values = in_order_of(&known.option_names, row)?;
            update(tx, known.product, known.variant, row, &values).await?;
            (known.product, Done::Updated)
        }
        None => {
            let (product, names) = product_for(tx, vendor, row).await?;
            let values = in_order_of(&names, row)?;
            add_variant(app, tx, vendor, product, row, &values).await?;
            (product, Done::Created)
        }
    };
    if let Some(picture) = picture {
        give_picture(app, tx, product, row, &picture, dry_run).await?;
    }
    Ok(done)
}

/// The row's values in the order of the product's options.
fn in_order_of(names: &[String], row: &Row) -> Result<Vec<String>, Failed> {
    let value = |name: &String| row.option_names.iter().position(|n| n == name).and_then(|i| row.option_values.get(i)).cloned();
    let values: Option<Vec<String>> = names.iter().map(value).collect();
    match values {
        Some(values) if values.len() == row.option_names.len() => Ok(values),
        _ if names.is_empty() => refused("options: this product comes in one kind only."),
        _ => refused(format!("options: this product has {}.", names.join(", "))),
    }
}

async fn update(
    tx: &mut PgConnection,
    product: ProductId,
    variant: VariantId,
    row: &Row,
    values: &[String],
) -> Result<(), Failed> {
    let was = sqlx::query_scalar!(
        r#"with old as (select id, regular_minor from variants where id = $1)
           update variants v set regular_minor = $2, option_values = $3, archived = false from old
           where v.id = old.id and (v.regular_minor, v.option_values, v.archived) is distinct from ($2, $3, false)
           returning old.regular_minor as "was!""#,
        variant.uuid(),
        row.price_minor,
        values
    )
    .fetch_optional(&mut *tx)
    .await
    .map_err(taken)?;
    if let Some(was) = was.filter(|was| *was != row.price_minor) {
        let detail = json!({ "was": was, "now": row.price_minor, "by": "an import" });
        audit::record(tx, None, "product.repriced", ("variant", variant), detail).await?;
    }
    // What stands aside is held by nobody yet.
    sqlx::query!("select put_pieces_back(variant_id) from stock where variant_id = $1 and set_aside", variant.uuid())
        .execute(&mut *tx)
        .await?;
    sqlx::query!(
        "update stock set on_hand = greatest($2, held) where variant_id = $1 and on_hand <> greatest($2, held)",
        variant.uuid(),
        row.stock.units()
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "update products set title = $2, description = $3, category_id = $4, updated_at = now()
         where id = $1 and (title, description, category_id) is distinct from ($2, $3, $4)",
        product.uuid(),
        row.title.as_str(),
        row.description.as_str(),
        row.category.uuid()
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The product that a new variant belongs to, and its options: the vendor's product of that title where both have
/// options, else a new one.
async fn product_for(tx: &mut PgConnection, vendor: VendorId, row: &Row) -> Result<(ProductId, Vec<String>), Failed> {
    if !row.option_names.is_empty() {
        let same = sqlx::query!(
            r#"select id as "id: ProductId", option_names from products
               where vendor_id = $1 and title = $2 and cardinality(option_names) > 0 and status <> 'archived'
               order by created_at limit 1 for no key update"#,
            vendor.uuid(),
            row.title.as_str()
        )
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(same) = same {
            return Ok((same.id, same.option_names));
        }
    }
    let id = ProductId::new();
    let slug = free_slug(tx, row).await?;
    sqlx::query!(
        "insert into products (id, vendor_id, category_id, slug, title, description, status, option_names, published_at)
         values ($1, $2, $3, $4, $5, $6, 'published', $7, now())",
        id.uuid(),
        vendor.uuid(),
        row.category.uuid(),
        slug,
        row.title.as_str(),
        row.description.as_str(),
        &row.option_names
    )
    .execute(tx)
    .await
    .map_err(|e| {
        if violates(&e, "products_slug_key") {
            Failed::Refused("title: its address is taken just now; import again.".into())
        } else {
            e.into()
        }
    })?;
    Ok((id, row.option_names.clone()))
}

/// From the title; with the SKU, and then with a random end, where that is taken.
async fn free_slug(tx: &mut PgConnection, row: &Row) -> sqlx::Result<String> {
    let title = slugify(row.title.as_str(), Slug::OF_TITLE);
    let with_sku = slugify(&format!("{title} {}", row.sku.as_str()), Slug::MAX);
    for slug in [title, with_sku] {
        if slug.len() >= 2 {
            let taken = sqlx::query_scalar!(r#"select exists (select 1 from products where slug = $1) as "taken!""#, slug);
            if !taken.fetch_one(&mut *tx).await? {
                return Ok(slug);
            }
        }
    }
    Ok(format!("item-{}", uuid::Uuid::now_v7().simple()))
}

async fn add_variant(
    app: &App,
    tx: &mut PgConnection,
    vendor: VendorId,
    product: ProductId,
    row: &Row,
    values: &[String],
) -> Result<(), Failed> {
    let variant = VariantId::new();
    let inserted = sqlx::query!(
        "insert into variants (id, product_id, vendor_id, sku, option_values, price_minor, currency, position)
         select $1, $2, $3, $4, $5, $6, $7, coalesce(max(position) + 1, 0) from variants where product_id = $2
         having count(*) filter (where not archived) < $8",
        variant.uuid(),
        product.uuid(),
        vendor.uuid(),
        row.sku.as_str(),
        values,
        row.price_minor,
        app.config.currency.code(),
        MAX_VARIANTS as i64
    )
    .execute(&mut *tx)
    .await
    .map_err(taken)?;
    if inserted.rows_affected() == 0 {
        return refused(format!("options: a product has at most {MAX_VARIANTS} variants."));
    }
    sqlx::query!("insert into stock (variant_id, on_hand) values ($1, $2)", variant.uuid(), row.stock.units())
        .execute(tx)
        .await?;
    Ok(())
}

fn taken(error: sqlx::Error) -> Failed {
    if violates(&error, "variants_options_key") {
        return Failed::Refused("options: another SKU of this product has these already.".into());
    }
    error.into()
}

/// Reads and re-encodes a picture as if it had been uploaded.
async fn read_picture(path: std::path::PathBuf) -> Result<Processed, Failed> {
    let done = tokio::task::spawn_blocking(move || {
        let size = std::fs::metadata(&path).map_err(|_| "image: there is no such file.".to_owned())?.len();
        if size > pictures::MAX_BYTES as u64 {
            return Err(format!("image: {}", pictures::BadPicture::TooLarge));
        }
        let bytes = std::fs::read(&path).map_err(|_| "image: this file cannot be read.".to_owned())?;
        pictures::process(&bytes).map_err(|bad| format!("image: {bad}"))
    });
    done.await.unwrap_or_else(|_| Err(format!("image: {}", pictures::BadPicture::Damaged))).map_err(Failed::Refused)
}

/// Only where the product has none, so that a second run adds nothing.
async fn give_picture(
    app: &App,
    tx: &mut PgConnection,
    product: ProductId,
    row: &Row,
    picture: &Processed,
    dry_run: bool,
) -> Result<(), Failed> {
    let has = sqlx::query_scalar!(r#"select exists (select 1 from pictures where product_id = $1) as "has!""#, product.uuid());
    if has.fetch_one(&mut *tx).await? || dry_run {
        return Ok(());
    }
    let id = PictureId::new();
    if let Err(error) = pictures::upload(app, id, picture).await {
        tracing::error!(%error, "a picture of an import was not stored");
        return refused("image: the store did not take it; import again.");
    }
    let alt: AltText =
        row.title.as_str().parse().map_err(|_| Failed::Refused("image: the title does not describe it.".into()))?;
    pictures::insert(tx, product, id, picture, &alt).await?;
    Ok(())
}
