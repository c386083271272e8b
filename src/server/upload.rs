//! What a form with files carries.

use axum::extract::multipart::{Field, MultipartError};
use bytes::{Bytes, BytesMut};

/// One field, no more of it than `most` bytes; `None` where it is larger. The rest is read past, so that the next one is found.
///
/// # Errors
/// When the form is larger than its address takes, or breaks off.
pub async fn field(mut field: Field<'_>, most: usize) -> Result<Option<Bytes>, MultipartError> {
    let mut bytes = BytesMut::new();
    let mut too_large = false;
    while let Some(chunk) = field.chunk().await? {
        too_large |= bytes.len() + chunk.len() > most;
        if !too_large {
            bytes.extend_from_slice(&chunk);
        }
    }
    Ok((!too_large).then(|| bytes.freeze()))
}
