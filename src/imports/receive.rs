//! A file on its way from a form into the store: unpacked, looked at and counted as it passes, never whole in memory.

use super::{
    key,
    model::{self, FileName, MAX_COLUMNS, MAX_FILE, MAX_PLAIN, MAX_ROWS},
    queries::{self, Received},
};
use crate::{
    catalog::import::{MAX_RECORD, Record, Splitter, fields},
    error::{AppError, Refusal},
    ids::ImportId,
    server::{
        auth::Manager,
        state::App,
        storage::{Growing, StorageError},
    },
};
use axum::extract::{
    Multipart,
    multipart::{Field, MultipartError},
};
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::StatusCode;
use std::io::Write;

/// The largest form with a file.
pub const UPLOAD_LIMIT: usize = MAX_FILE + 64 * 1024;
/// Records that are looked at for the names and an example of each column.
const LOOKED_AT: usize = 8;
/// Packed bytes that are unpacked at a time: they become at most a thousand times as many.
const STEP: usize = 4096;

/// Why a file is not taken.
enum NotTaken {
    /// Said to who sent it.
    Said(String),
    Store(StorageError),
}

impl From<StorageError> for NotTaken {
    fn from(error: StorageError) -> Self {
        Self::Store(error)
    }
}

fn said<T>(why: impl Into<String>) -> Result<T, NotTaken> {
    Err(NotTaken::Said(why.into()))
}

/// Reads the form of one file, keeps the file and what it is. What is wrong with it is an error of the field `file`.
pub async fn receive(app: &App, vendor: &Manager, mut form: Multipart) -> Result<ImportId, AppError> {
    loop {
        let field = match form.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => return Err(AppError::field("file", "Please choose a file.")),
            Err(error) => return Err(AppError::field("file", unread(&error))),
        };
        if field.name() == Some("file") {
            return one(app, vendor, field).await;
        }
    }
}

async fn one(app: &App, vendor: &Manager, field: Field<'_>) -> Result<ImportId, AppError> {
    let called = model::shown(field.file_name().unwrap_or_default().as_bytes(), FileName::MAX as usize).replace('\u{fffd}', "_");
    let named = !called.is_empty();
    let name = if named { called.as_str() } else { "file.csv" }.parse::<FileName>();
    let name = name.map_err(|error| AppError::field("file", error.to_string()))?;
    let import = ImportId::new();
    queries::begin(&app.pool, vendor, import, &name).await?;
    let mut intake = Intake::new(app.storage.grow(key(import), "text/csv; charset=utf-8"));
    let taken = match intake.take(field).await {
        Ok(()) => intake.look(),
        Err(error) => Err(error),
    };
    let kept = match taken {
        Ok(received) => match intake.growing.finish().await {
            Ok(()) => Ok(received),
            Err(error) => Err(error.into()),
        },
        Err(error) => {
            intake.growing.give_up().await;
            Err(error)
        }
    };
    match kept {
        Ok(received) => {
            queries::received(&app.pool, vendor, import, &received).await?;
            Ok(import)
        }
        Err(why) => {
            queries::forget(&app.pool, import).await?;
            match why {
                NotTaken::Said(_) if !named => Err(AppError::field("file", "Please choose a file.")),
                NotTaken::Said(why) => Err(AppError::field("file", why)),
                NotTaken::Store(error) => {
                    tracing::error!(error = format!("{:#}", anyhow::Error::from(error)), "a file to import was not stored");
                    Err(Refusal::StoreUnavailable.into())
                }
            }
        }
    }
}

fn too_large() -> String {
    format!("This file is larger than {} MB. Send it in parts, or packed with gzip.", MAX_FILE / 1024 / 1024)
}

fn unread(error: &MultipartError) -> String {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        too_large()
    } else {
        "The upload broke off. Please send it again.".into()
    }
}

/// What the first bytes of a file say that it is.
enum Kind {
    Plain,
    Packed(Box<MultiGzDecoder<Vec<u8>>>),
}

struct Intake {
    growing: Growing,
    /// The first bytes, until there are enough to tell what it is.
    lead: Vec<u8>,
    kind: Option<Kind>,
    /// The first unpacked bytes, until there are enough to see a byte order mark.
    plain_lead: Option<Vec<u8>>,
    split: Splitter,
    first: Vec<Record>,
    /// Where the second record begins: byte and line.
    data: (u64, u64),
    records: i64,
    sent: usize,
    plain: u64,
}

impl Intake {
    fn new(growing: Growing) -> Self {
        Self {
            growing,
            lead: Vec::new(),
            kind: None,
            plain_lead: Some(Vec::new()),
            split: Splitter::at(0, 1),
            first: Vec::new(),
            data: (0, 1),
            records: 0,
            sent: 0,
            plain: 0,
        }
    }

    async fn take(&mut self, mut field: Field<'_>) -> Result<(), NotTaken> {
        loop {
            let chunk: Bytes = match field.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) => return said(unread(&error)),
            };
            self.sent += chunk.len();
            if self.sent > MAX_FILE {
                return said(too_large());
            }
            self.pass(&chunk, false).await?;
        }
        self.pass(&[], true).await?;
        if let Some(Kind::Packed(decoder)) = &mut self.kind {
            if decoder.try_finish().is_err() {
                return said("This gzip file is damaged or not whole.");
            }
            let rest = std::mem::take(decoder.get_mut());
            self.keep(&rest).await?;
        }
        let lead = self.plain_lead.take().unwrap_or_default();
        self.keep_plain(&lead).await?;
        if let Some((_, record)) = self.split.end() {
            self.see(record)?;
        }
        Ok(())
    }

    /// Bytes as they were sent.
    async fn pass(&mut self, chunk: &[u8], last: bool) -> Result<(), NotTaken> {
        if self.kind.is_some() {
            return self.unpack(chunk).await;
        }
        self.lead.extend_from_slice(chunk);
        if self.lead.len() < 4 && !last {
            return Ok(());
        }
        let lead = std::mem::take(&mut self.lead);
        self.kind = Some(match lead.as_slice() {
            [0x1f, 0x8b, ..] => Kind::Packed(Box::new(MultiGzDecoder::new(Vec::new()))),
            [b'P', b'K', 3 | 5, ..] | [0xd0, 0xcf, 0x11, 0xe0, ..] => {
                return said(
                    "This is a spreadsheet, not CSV. In your spreadsheet program, save it as “CSV UTF-8”, and send that file.",
                );
            }
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                return said("This file is UTF-16. Save it as “CSV UTF-8”, and send that file.");
            }
            _ => Kind::Plain,
        });
        self.unpack(&lead).await
    }

    async fn unpack(&mut self, chunk: &[u8]) -> Result<(), NotTaken> {
        match &self.kind {
            Some(Kind::Packed(_)) => {
                for step in chunk.chunks(STEP) {
                    let Some(Kind::Packed(decoder)) = &mut self.kind else { break };
                    if decoder.write_all(step).is_err() {
                        return said("This gzip file is damaged.");
                    }
                    let plain = std::mem::take(decoder.get_mut());
                    self.keep(&plain).await?;
                }
                Ok(())
            }
            _ => self.keep(chunk).await,
        }
    }

    /// Unpacked bytes, without a byte order mark before them.
    async fn keep(&mut self, bytes: &[u8]) -> Result<(), NotTaken> {
        let Some(lead) = &mut self.plain_lead else { return self.keep_plain(bytes).await };
        lead.extend_from_slice(bytes);
        if lead.len() < 3 {
            return Ok(());
        }
        let lead = self.plain_lead.take().unwrap_or_default();
        self.keep_plain(lead.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&lead)).await
    }

    async fn keep_plain(&mut self, bytes: &[u8]) -> Result<(), NotTaken> {
        self.plain += bytes.len() as u64;
        if self.plain > MAX_PLAIN {
            return said(format!("Unpacked, this file is larger than {} MB. Send it in parts.", MAX_PLAIN / 1024 / 1024));
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let (used, found) = self.split.feed(rest);
            rest = rest.get(used..).unwrap_or_default();
            if let Some((_, record)) = found {
                self.see(record)?;
            }
        }
        Ok(self.growing.push(bytes).await?)
    }

    fn see(&mut self, record: Record) -> Result<(), NotTaken> {
        if self.records == 0 {
            self.data = self.split.place();
        }
        self.records += 1;
        if self.records > MAX_ROWS + 1 {
            return said("This file has more than 1,000,000 rows. Send it in parts.");
        }
        if self.first.len() < LOOKED_AT {
            self.first.push(record);
        }
        Ok(())
    }

    /// What the file is, from its first rows.
    fn look(&self) -> Result<Received, NotTaken> {
        let names = match self.first.first() {
            None => return said("This file is empty."),
            Some(Record::TooLong) => {
                return said(format!("The first row is longer than {} kB: this is no CSV.", MAX_RECORD / 1024));
            }
            Some(Record::Whole(bytes)) => bytes,
        };
        if names.contains(&0) {
            return said("This is no CSV file. Save your list as “CSV UTF-8”, and send that file.");
        }
        let separator = model::separator(names);
        let Ok(record) = fields(names, separator) else { return said("The first row is no CSV.") };
        if record.len() > MAX_COLUMNS {
            return said(format!("This file has {} columns; at most {MAX_COLUMNS} can be read.", record.len()));
        }
        let header: Vec<String> = record.iter().map(|cell| model::shown(cell, 100)).collect();
        if header.iter().all(String::is_empty) {
            return said("The first row must name the columns.");
        }
        if self.records < 2 {
            return said("There is no row below the names of the columns.");
        }
        let rows = self.first.iter().skip(1).filter_map(|row| match row {
            Record::Whole(bytes) => fields(bytes, separator).ok(),
            Record::TooLong => None,
        });
        let rows: Vec<_> = rows.collect();
        let example = |column: usize| {
            rows.iter().filter_map(|row| row.get(column)).map(|cell| model::shown(cell, 40)).find(|text| !text.is_empty())
        };
        let examples = (0..header.len()).map(|column| example(column).unwrap_or_default()).collect();
        Ok(Received {
            separator: char::from(separator).to_string(),
            digest: model::digest(&header),
            header,
            examples,
            bytes: self.plain as i64,
            rows: self.records - 1,
            data_at: self.data.0 as i64,
            data_line: self.data.1 as i64,
        })
    }
}
