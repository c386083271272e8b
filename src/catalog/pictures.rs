//! Pictures of products: stored, ordered, described and removed by the product's vendor. The objects of a picture stand
//! in the store before its row does, and go after it, so that no page ever names an object that is not there.

mod process;

pub use process::{BadPicture, MAX_BYTES, Processed, fit, process};

use super::limits::{AltText, MAX_PICTURES};
use crate::{
    error::{AppError, Refusal},
    ids::{PictureId, ProductId, VendorId},
    server::{
        auth::{Manager, Vendor},
        errors::internal,
        jobs,
        state::App,
    },
    ui::PICTURE_WIDTHS,
};
use bytes::Bytes;
use sqlx::PgConnection;
use tokio::sync::Semaphore;

/// Decoding takes hundreds of megabytes at worst: this many at a time, the others wait.
static DECODERS: Semaphore = Semaphore::const_new(2);

/// The store's key of one width of a picture.
fn key(picture: PictureId, width: u32) -> String {
    format!("pictures/{picture}/{width}.webp")
}

/// A picture as its vendor sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductPicture {
    pub id: PictureId,
    pub alt: String,
    /// The option's value that it shows, such as a colour; `None`: nothing in particular.
    pub shows: Option<String>,
    /// Of the largest file, in pixels.
    pub width: i32,
    pub height: i32,
}

/// The pictures of the vendor's product in their order, the main one first; not found where it is another's.
pub async fn list(app: &App, vendor: &Vendor, product: ProductId) -> Result<Vec<ProductPicture>, AppError> {
    let owned = sqlx::query_scalar!(
        r#"select exists (select 1 from products where id = $1 and vendor_id = $2) as "owned!""#,
        product.uuid(),
        vendor.id().uuid()
    );
    if !owned.fetch_one(&app.pool).await? {
        return Err(AppError::NotFound);
    }
    Ok(sqlx::query_as!(
        ProductPicture,
        r#"select id as "id: PictureId", alt, shows, width, height from pictures where product_id = $1 order by position, id"#,
        product.uuid()
    )
    .fetch_all(&app.pool)
    .await?)
}

/// Checks, re-encodes and keeps one upload as the product's last picture. A refusal stands at the field `pictures`,
/// and then nothing was kept.
pub async fn store(app: &App, vendor: &Manager, product: ProductId, bytes: Bytes, alt: &AltText) -> Result<PictureId, AppError> {
    // Before the expensive part: whose product, and is there room.
    let count = sqlx::query_scalar!(
        r#"select (select count(*) from pictures where product_id = p.id) as "count!"
           from products p where p.id = $1 and p.vendor_id = $2"#,
        product.uuid(),
        vendor.id().uuid()
    );
    if count.fetch_one(&app.pool).await? >= MAX_PICTURES {
        return Err(full());
    }
    let processed = process_apart(bytes).await?.map_err(|bad| AppError::field("pictures", bad.to_string()))?;
    let picture = PictureId::new();
    let kept = keep(app, vendor.id(), product, picture, &processed, alt).await;
    if kept.is_err() {
        // What was already uploaded goes again.
        jobs::enqueue(&app.pool, &jobs::Job::DeletePicture { picture }, None).await?;
    }
    kept.map(|()| picture)
}

fn full() -> AppError {
    AppError::field("pictures", format!("A product has at most {MAX_PICTURES} pictures."))
}

/// [`process`] on a thread where it may take its time.
pub async fn process_apart(bytes: Bytes) -> Result<Result<Processed, BadPicture>, AppError> {
    let turn = DECODERS.acquire().await.map_err(internal)?;
    let done = tokio::task::spawn_blocking(move || {
        // Held by the work, not by the request: someone who hangs up does not make room for one more.
        let _turn = turn;
        process(&bytes)
    })
    .await;
    // A decoder that panics has met a picture that it does not understand.
    Ok(done.unwrap_or(Err(BadPicture::Damaged)))
}

/// Uploads first, then the row: a failure in between leaves objects that nobody names, never a name without objects.
async fn keep(
    app: &App,
    vendor: VendorId,
    product: ProductId,
    picture: PictureId,
    processed: &Processed,
    alt: &AltText,
) -> Result<(), AppError> {
    if let Err(error) = upload(app, picture, processed).await {
        tracing::error!(error = format!("{error:#}"), "a picture was not kept");
        return Err(Refusal::StoreUnavailable.into());
    }
    let mut tx = app.pool.begin().await?;
    // One picture at a time for a product, so that the count holds.
    owned(&mut tx, vendor, product).await?;
    if !insert(&mut tx, product, picture, processed, alt).await? {
        return Err(full());
    }
    tx.commit().await?;
    Ok(())
}

/// Puts every width of a processed picture into the store. For the seed, which has its own rows; pages use [`store`].
pub async fn upload(app: &App, picture: PictureId, processed: &Processed) -> anyhow::Result<()> {
    for (width, file) in &processed.files {
        app.storage.put(&key(picture, *width), file.clone(), "image/webp").await?;
    }
    Ok(())
}

/// Adds the row of an uploaded picture behind the others. `false` where the product has all the pictures it may have.
pub async fn insert(
    tx: &mut PgConnection,
    product: ProductId,
    picture: PictureId,
    processed: &Processed,
    alt: &AltText,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into pictures (id, product_id, position, alt, widths, width, height)
         select $1, $2, coalesce(max(position) + 1, 0), $3, $4, $5, $6 from pictures where product_id = $2
         having count(*) < $7",
        picture.uuid(),
        product.uuid(),
        alt.as_str(),
        &PICTURE_WIDTHS.map(|w| w as i32),
        processed.width as i32,
        processed.height as i32,
        MAX_PICTURES
    )
    .execute(tx)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Locks the vendor's product, or finds nothing.
async fn owned(tx: &mut PgConnection, vendor: VendorId, product: ProductId) -> sqlx::Result<()> {
    sqlx::query_scalar!(
        "select id from products where id = $1 and vendor_id = $2 for no key update",
        product.uuid(),
        vendor.uuid()
    )
    .fetch_one(tx)
    .await?;
    Ok(())
}

/// Which way a picture moves among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    Earlier,
    Later,
    First,
}

/// Moves a picture one place, or to the front. Beyond either end it stays where it is.
pub async fn shift(app: &App, vendor: &Manager, product: ProductId, picture: PictureId, way: Move) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    owned(&mut tx, vendor.id(), product).await?;
    let mut ids = sqlx::query_scalar!("select id from pictures where product_id = $1 order by position, id", product.uuid())
        .fetch_all(&mut *tx)
        .await?;
    let at = ids.iter().position(|id| *id == picture.uuid()).ok_or(AppError::NotFound)?;
    let to = match way {
        Move::Earlier => at.saturating_sub(1),
        Move::Later => (at + 1).min(ids.len() - 1),
        Move::First => 0,
    };
    let id = ids.remove(at);
    ids.insert(to, id);
    sqlx::query!(
        "update pictures p set position = x.place - 1
         from unnest($2::uuid[]) with ordinality as x(id, place)
         where p.product_id = $1 and p.id = x.id and p.position <> x.place - 1",
        product.uuid(),
        &ids
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}

/// Says what a picture shows: in words, and which value of an option. A value that no variant has is none.
pub async fn describe(
    app: &App,
    vendor: &Manager,
    product: ProductId,
    picture: PictureId,
    alt: &AltText,
    shows: Option<&str>,
) -> Result<(), AppError> {
    let done = sqlx::query!(
        "update pictures i set alt = $4,
                shows = (select $5 where exists (select 1 from variants v
                         where v.product_id = i.product_id and not v.archived and $5 = any(v.option_values)))
         from products p
         where i.id = $3 and i.product_id = $1 and p.id = i.product_id and p.vendor_id = $2",
        product.uuid(),
        vendor.id().uuid(),
        picture.uuid(),
        alt.as_str(),
        shows
    )
    .execute(&app.pool)
    .await?;
    if done.rows_affected() == 0 { Err(AppError::NotFound) } else { Ok(()) }
}

/// Removes a picture: the row now, its objects by a job of the same transaction.
pub async fn delete(app: &App, vendor: &Manager, product: ProductId, picture: PictureId) -> Result<(), AppError> {
    let mut tx = app.pool.begin().await?;
    let gone = sqlx::query!(
        "delete from pictures i using products p
         where i.id = $3 and i.product_id = $1 and p.id = i.product_id and p.vendor_id = $2",
        product.uuid(),
        vendor.id().uuid(),
        picture.uuid()
    )
    .execute(&mut *tx)
    .await?;
    if gone.rows_affected() == 0 {
        return Err(AppError::NotFound);
    }
    jobs::enqueue(&mut *tx, &jobs::Job::DeletePicture { picture }, None).await?;
    tx.commit().await?;
    Ok(())
}

/// Removes every width of a deleted picture from the store.
pub async fn delete_objects(app: &App, picture: PictureId) -> anyhow::Result<()> {
    for width in PICTURE_WIDTHS {
        app.storage.delete(&key(picture, width)).await?;
    }
    Ok(())
}
