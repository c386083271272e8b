//! The pictures of a return: re-encoded as all pictures are, and private, so that they are served by the pages of those who may see
//! the return, never from `/media`.

use crate::{
    catalog::pictures::{Processed, process_apart},
    error::{AppError, Refusal},
    ids::ReturnPictureId,
    server::state::App,
    ui::PICTURE_WIDTHS,
};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, header};

fn key(picture: ReturnPictureId, width: u32) -> String {
    format!("returns/{picture}/{width}.webp")
}

/// A picture in the store that no row names yet.
pub struct Kept {
    pub id: ReturnPictureId,
    pub width: i32,
    pub height: i32,
}

/// Checks and re-encodes uploads `(file name, bytes)`, and keeps them. A refusal stands at the field `pictures`, and then none is kept.
pub async fn keep(app: &App, uploads: Vec<(String, Bytes)>) -> Result<Vec<Kept>, AppError> {
    let mut processed = Vec::with_capacity(uploads.len());
    for (name, bytes) in uploads {
        let picture = process_apart(bytes).await?;
        processed.push(picture.map_err(|bad| AppError::field("pictures", format!("{name}: {bad}")))?);
    }
    let mut kept = Vec::with_capacity(processed.len());
    for picture in processed {
        let id = ReturnPictureId::new();
        kept.push(Kept { id, width: picture.width as i32, height: picture.height as i32 });
        if let Err(error) = put(app, id, picture).await {
            tracing::error!(error = format!("{error:#}"), "a picture was not kept");
            forget(app, &kept).await;
            return Err(Refusal::StoreUnavailable.into());
        }
    }
    Ok(kept)
}

async fn put(app: &App, id: ReturnPictureId, picture: Processed) -> anyhow::Result<()> {
    for (width, file) in picture.files {
        app.storage.put(&key(id, width), file, "image/webp").await?;
    }
    Ok(())
}

/// Removes pictures that no row names after all, as far as the store lets us; what stays there nobody can ask for.
pub async fn forget(app: &App, pictures: &[Kept]) {
    for (picture, width) in pictures.iter().flat_map(|p| PICTURE_WIDTHS.map(|w| (p.id, w))) {
        if let Err(error) = app.storage.delete(&key(picture, width)).await {
            tracing::warn!(%picture, error = format!("{error:#}"), "a picture that nobody needs stays in the store");
        }
    }
}

/// One width of a picture, for who may see it.
pub async fn serve(app: &App, picture: ReturnPictureId, width: u32) -> Result<Response, AppError> {
    if !PICTURE_WIDTHS.contains(&width) {
        return Err(AppError::NotFound);
    }
    let (bytes, _) = app.storage.get(&key(picture, width)).await?.ok_or(AppError::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/webp")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ];
    Ok((headers, bytes).into_response())
}
