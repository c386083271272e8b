//! Files that are evidence: read from a form, checked by their first bytes, kept as they are in the store. Private: only the pages of those
//! who may see a dispute serve them.

use super::model::{DisputeFile, FileName, MAX_BYTES, Place, media_type};
use crate::{
    error::{AppError, FieldErrors},
    ids::DisputeFileId,
    server::{state::App, upload},
};
use axum::{
    extract::{Multipart, multipart::MultipartError},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};

/// The largest form with a file.
pub const UPLOAD_LIMIT: usize = MAX_BYTES as usize + 64 * 1024;

/// A file that may be evidence.
#[derive(Debug)]
pub struct Upload {
    pub place: Place,
    pub name: FileName,
    pub media_type: &'static str,
    pub content: Bytes,
}

pub(super) fn key(file: DisputeFileId) -> String {
    format!("disputes/{file}")
}

/// Reads the form of one file: what it shows, and the file. The chosen place comes back also where the file is refused.
pub async fn read(mut form: Multipart) -> (String, Result<Upload, AppError>) {
    let (mut place, mut file) = (String::new(), None);
    let mut errors = FieldErrors::default();
    loop {
        let field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => break,
            Err(error) => return (place, Err(AppError::field("file", unread(&error)))),
        };
        match field.name() {
            Some("file") => {
                let name: String = field.file_name().unwrap_or_default().chars().filter(|c| !c.is_control()).take(100).collect();
                match upload::field(field, MAX_BYTES as usize).await {
                    // A form that was sent without choosing a file has one nameless, empty part.
                    Ok(Some(content)) if name.is_empty() && content.is_empty() => {}
                    Ok(Some(content)) => file = Some((name, content)),
                    Ok(None) => errors.add("file", "This file is larger than 4.5 MB."),
                    Err(error) => return (place, Err(AppError::field("file", unread(&error)))),
                }
            }
            Some("place") => match upload::field(field, 100).await {
                Ok(text) => place = text.map(|t| String::from_utf8_lossy(&t).into_owned()).unwrap_or_default(),
                Err(error) => return (place, Err(AppError::field("file", unread(&error)))),
            },
            _ => {}
        }
    }
    let chosen = Place::parse(&place);
    if chosen.is_none() {
        errors.add("place", "Please choose one.");
    }
    let kind = file.as_ref().and_then(|(_, content)| media_type(content));
    let name = match &file {
        None if errors.get("file").is_none() => {
            errors.add("file", "Please choose a file.");
            None
        }
        Some(_) if kind.is_none() => {
            errors.add("file", "This is no PDF, JPEG or PNG.");
            None
        }
        Some((name, _)) => errors.take("file", if name.trim().is_empty() { "file".parse() } else { name.parse::<FileName>() }),
        None => None,
    };
    match (chosen, name, kind, file) {
        (Some(chosen), Some(name), Some(media_type), Some((_, content))) => {
            (place, Ok(Upload { place: chosen, name, media_type, content }))
        }
        _ => (place, Err(errors.into())),
    }
}

fn unread(error: &MultipartError) -> String {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        "This file is larger than 4.5 MB.".into()
    } else {
        "The upload broke off. Please send it again.".into()
    }
}

/// A file, for who may see it: never run, and saved rather than shown by a browser that does not know better.
pub(super) async fn serve(app: &App, file: &DisputeFile) -> Result<Response, AppError> {
    let (bytes, _) = app.storage.get(&key(file.id)).await?.ok_or(AppError::NotFound)?;
    let name: String =
        file.name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' }).collect();
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_str(&file.media_type).unwrap_or(HeaderValue::from_static("application/octet-stream")),
        ),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_str(&format!("inline; filename=\"{name}\"")).unwrap_or(HeaderValue::from_static("attachment")),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ];
    Ok((headers, bytes).into_response())
}
