//! Asking to send something back: what may still come back is read twice, before the pictures are kept and under the order's lock.

use super::{
    letters,
    model::{MAX_PICTURES, ReturnReason, ReturnWords},
    pictures, queries,
    steps::{about, lock, too_much},
};
use crate::{
    error::{AppError, FieldErrors},
    ids::{OrderId, OrderLineId, ReturnId, UserId, VendorOrderId},
    orders::{queries::MayRead, record},
    server::state::App,
};
use bytes::Bytes;
use serde_json::json;
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// What a shopper asks to send back.
pub struct Asked {
    pub parcel: VendorOrderId,
    /// Pieces, above zero.
    pub lines: BTreeMap<OrderLineId, i32>,
    pub reason: ReturnReason,
    pub words: ReturnWords,
    /// File name and content, at most [`MAX_PICTURES`].
    pub pictures: Vec<(String, Bytes)>,
}

/// Asks the vendor to take something back.
///
/// # Errors
/// `Invalid` at `lines[{id}]` for more than may come back, at `pictures` for what is no picture, and without any pieces; `NotFound`
/// for another order's line.
pub async fn ask(app: &App, may: MayRead, by: Option<UserId>, asked: Asked) -> Result<ReturnId, AppError> {
    if asked.pictures.len() > MAX_PICTURES {
        return Err(AppError::field("pictures", format!("At most {MAX_PICTURES} pictures.")));
    }
    // Before the expensive part.
    fits(app, &mut *app.pool.acquire().await?, may.order(), &asked).await?;
    let Asked { parcel, lines, reason, words, pictures: uploads } = asked;
    let kept = pictures::keep(app, uploads).await?;
    let asked = Asked { parcel, lines, reason, words, pictures: Vec::new() };
    let done = insert(app, may, by, &asked, &kept).await;
    if done.is_err() {
        pictures::forget(app, &kept).await;
    }
    done
}

/// Whether so much may come back of this parcel; answers `2 × Oak bowl`.
async fn fits(app: &App, db: &mut PgConnection, order: OrderId, asked: &Asked) -> Result<String, AppError> {
    if asked.lines.is_empty() {
        return Err(AppError::field("", "Say how many pieces you send back, at least one."));
    }
    let returnable = queries::returnable(db, order, app.config.return_days).await?;
    let mut errors = FieldErrors::default();
    let mut contents = Vec::new();
    for (line, quantity) in &asked.lines {
        match returnable.iter().find(|r| r.line == *line && r.parcel == asked.parcel) {
            Some(found) if found.left >= *quantity => contents.push(format!("{quantity} × {}", found.title)),
            Some(found) => errors.add(&format!("lines[{line}]"), format!("At most {} can still come back.", found.left)),
            None => {
                let ours = sqlx::query_scalar!(
                    "select 1 from order_lines where id = $1 and order_id = $2 and vendor_order_id = $3",
                    line.uuid(),
                    order.uuid(),
                    asked.parcel.uuid()
                );
                if ours.fetch_optional(&mut *db).await?.is_none() {
                    return Err(AppError::NotFound);
                }
                errors.add("", "None of it can come back any more.");
            }
        }
    }
    errors.check()?;
    Ok(contents.join(", "))
}

async fn insert(
    app: &App,
    may: MayRead,
    by: Option<UserId>,
    asked: &Asked,
    kept: &[pictures::Kept],
) -> Result<ReturnId, AppError> {
    let order = may.order();
    let mut tx = app.pool.begin().await?;
    lock(&mut tx, order).await?;
    let contents = fits(app, &mut tx, order, asked).await?;
    let id = ReturnId::new();
    sqlx::query!(
        "insert into returns (id, vendor_order_id, reason, words) values ($1, $2, $3, $4)",
        id.uuid(),
        asked.parcel.uuid(),
        asked.reason.as_str(),
        asked.words.as_str()
    )
    .execute(&mut *tx)
    .await?;
    for (line, quantity) in &asked.lines {
        sqlx::query!(
            "insert into return_lines (return_id, line_id, quantity) values ($1, $2, $3)",
            id.uuid(),
            line.uuid(),
            quantity
        )
        .execute(&mut *tx)
        .await
        .map_err(too_much)?;
    }
    for (position, picture) in (0i32..).zip(kept) {
        sqlx::query!(
            "insert into return_pictures (id, return_id, position, width, height) values ($1, $2, $3, $4, $5)",
            picture.id.uuid(),
            id.uuid(),
            position,
            picture.width,
            picture.height
        )
        .execute(&mut *tx)
        .await?;
    }
    let about = about(&mut tx, id).await?;
    let words = asked.words.as_str();
    let detail = json!({ "return": id, "contents": contents, "words": words, "vendor": about.vendor_name });
    record(&mut tx, order, Some(asked.parcel), "return_asked", detail, by).await?;
    let mut text = vec![
        format!("The shopper of order {} wants to send back {contents}.", about.number),
        format!("The reason: {}.", asked.reason.label()),
    ];
    text.extend((!words.is_empty()).then(|| words.to_owned()));
    text.push("Please accept it, refuse it with a reason, or ask.".into());
    letters::to_vendor(app, &mut tx, &about, format!("A return of order {}", about.number), text).await?;
    let text = vec![
        format!("We have asked {} to take back {contents} of your order {}.", about.vendor_name, about.number),
        "Please keep the goods until you hear where to send them. We write to you as soon as there is an answer.".into(),
    ];
    letters::to_shopper(app, &mut tx, &about, format!("Your return of order {}", about.number), text).await?;
    tx.commit().await?;
    Ok(id)
}
