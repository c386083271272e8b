//! The rows that were left out, as they were, with one column more that says why: to be mended and brought again.

use super::{
    model::own_columns,
    queries::{self, Import, RowError},
    source::Source,
};
use crate::{
    catalog::import::{Record, cell, fields},
    error::AppError,
    server::{
        csv::{self, Piece},
        state::App,
    },
};
use anyhow::Context;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;

/// Rows that are read from the database and written at a time.
const PAGE: i64 = 500;

/// Where the answer is.
struct Place {
    app: App,
    import: Import,
    source: Source,
    after: i64,
}

/// The file of errors, read beside the file that came.
pub async fn errors(app: App, import: Import) -> Result<Response, AppError> {
    let (byte, line) = (import.data_at as u64, import.data_line as u64);
    let source = Source::open(&app.storage, import.id, byte, line).await?.ok_or(AppError::NotFound)?;
    let stem = import.file_name.split('.').next().unwrap_or_default().to_owned();
    let place = Place { app, import, source, after: -1 };
    Ok(csv::answer(&format!("{stem}-errors.csv"), stream::try_unfold(Some(place), next)))
}

async fn next(place: Option<Place>) -> anyhow::Result<Option<(Bytes, Option<Place>)>> {
    let Some(mut place) = place else { return Ok(None) };
    let errors = queries::errors(&place.app.pool, &place.import, place.after, PAGE).await?;
    let separator = place.import.separator();
    let own = own_columns(&place.import.header).to_vec();
    let mut piece = if place.after < 0 {
        Piece::first(separator, own.iter().map(|name| cell::opened(name).into_owned()).chain(["error".to_owned()]))?
    } else {
        Piece::new(separator)
    };
    for error in &errors {
        let record = place.find(error.line as u64).await?;
        piece.row(row(record, error, separator, own.len()))?;
    }
    let bytes = piece.done()?;
    let more = errors.len() as i64 == PAGE;
    place.after = errors.last().map_or(place.after, |error| error.line);
    Ok(Some((bytes, more.then_some(place))))
}

impl Place {
    /// Reads on to the record of this line.
    async fn find(&mut self, line: u64) -> anyhow::Result<Record> {
        loop {
            let (at, record) = self.source.next().await?.context("the file is shorter than it was")?;
            if at == line {
                return Ok(record);
            }
        }
    }
}

fn row(record: Record, error: &RowError, separator: u8, width: usize) -> Vec<Vec<u8>> {
    let mut cells: Vec<Vec<u8>> = match record {
        Record::Whole(bytes) => match fields(&bytes, separator) {
            Ok(fields) => fields.iter().map(opened).collect(),
            Err(_) => Vec::new(),
        },
        Record::TooLong => Vec::new(),
    };
    cells.resize(width, Vec::new());
    cells.push(error.sentence().into_bytes());
    cells
}

fn opened(bytes: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => cell::opened(text).into_owned().into_bytes(),
        Err(_) => bytes.to_vec(),
    }
}
