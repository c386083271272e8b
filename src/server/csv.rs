//! CSV as an answer, sent while it is read.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use http::{HeaderValue, header};

/// Excel takes a file for UTF-8 that begins so; our import passes over it.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file of this name to save. Where the stream fails the answer breaks off, so that half a file is never taken for a whole one.
pub fn answer(name: &str, pieces: impl Stream<Item = anyhow::Result<Bytes>> + Send + 'static) -> Response {
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' }).collect();
    let pieces = pieces.inspect_err(|error| tracing::error!(error = format!("{error:#}"), "a CSV file breaks off"));
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment"))),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}

/// Rows on their way into a piece of a file.
pub struct Piece(csv::Writer<Vec<u8>>);

impl Piece {
    pub fn new(separator: u8) -> Self {
        Self(csv::WriterBuilder::new().flexible(true).delimiter(separator).from_writer(Vec::new()))
    }

    /// The beginning of a file, with the names of its columns.
    ///
    /// # Errors
    /// Never in memory.
    pub fn first<T: AsRef<[u8]>>(separator: u8, names: impl IntoIterator<Item = T>) -> anyhow::Result<Self> {
        let mut piece = Self(csv::WriterBuilder::new().flexible(true).delimiter(separator).from_writer(BYTE_ORDER_MARK.to_vec()));
        piece.row(names)?;
        Ok(piece)
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Never in memory.
    pub fn row<T: AsRef<[u8]>>(&mut self, cells: impl IntoIterator<Item = T>) -> anyhow::Result<()> {
        Ok(self.0.write_record(cells)?)
    }

    /// What it has become.
    ///
    /// # Errors
    /// Never in memory.
    pub fn done(self) -> anyhow::Result<Bytes> {
        Ok(self.0.into_inner().map_err(|error| error.into_error())?.into())
    }
}
