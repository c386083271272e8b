//! A vendor's goods from a CSV file, streamed: what a row means and how it is written, for `souk import`, which is here, and for the
//! page (`imports`). Running it again brings the shop to what the file says, and a run that was stopped goes on where it was.
//!
//! # Columns
//!
//! The first row names them, in any order: `sku`, `title`, `category`, `price`, `stock` are needed; `description`,
//! `currency`, `options`, `image` may be absent or empty. An absent `description` leaves those of known products alone.
//!
//! | column | what stands in it |
//! |---|---|
//! | `sku` | the vendor's own number of the variant; what tells a new row from a known one |
//! | `title` | of the product, up to 200 characters |
//! | `description` | of the product; plain text |
//! | `category` | slug or name of a category |
//! | `price` | with VAT: `12.50`, `12,50` |
//! | `currency` | the shop's own, or empty |
//! | `stock` | units on hand; never set below what unpaid orders hold |
//! | `options` | `Size=M; Colour=Red`: one variant of several; `\` before a `;`, `=` or `\` of a name or value |
//! | `image` | a JPEG, PNG or WebP file in the folder of the CSV; becomes the picture of a product that has none |
//!
//! An apostrophe before a cell that begins as a formula (`'=1+1`) is taken away: the export sets it, against spreadsheets that would
//! run the cell (`cell`).
//!
//! # Rows and products
//!
//! A row is one variant. Without `options` it is a product of its own, known by its SKU. With `options`, rows of the same
//! title are the variants of one product, in the order in which they come. A known SKU is updated: price, stock, option
//! values, and the product's title, description and category. New products are published at once.
//!
//! A row that cannot be taken is reported with its line and leaves nothing behind; the others go on. A dry run does all of
//! it in transactions that are never kept, one per batch of rows: it blocks nobody for long, and does not notice what is wrong
//! only with rows of different batches together.

pub mod cell;
pub mod cli;
mod records;
mod row;
mod shelf;
mod write;

use crate::{
    ids::{CategoryId, VendorId},
    server::state::App,
};
use anyhow::Context;
use records::Records;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use std::{
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

pub use records::{MAX_RECORD, Record, Splitter, fields};
pub use row::{COLUMNS, Header, NEEDED, Places, Row, Shop, about};
pub use write::{Writer, Written};

/// Rows that are committed together, with the note how far the run came. What they change is locked so long.
pub const BATCH: usize = 200;

/// What to import.
#[derive(Debug, Clone)]
pub struct Import {
    pub file: PathBuf,
    /// Slug of an approved vendor.
    pub vendor: String,
    pub dry_run: bool,
}

/// What became of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Rows that an earlier, stopped run of the same file had done.
    pub resumed: u64,
    pub created: u64,
    pub updated: u64,
    /// Rows that were as the shop is already.
    pub unchanged: u64,
    pub refused: u64,
}

/// Told while it happens; nothing is collected, so that a file of any length can be wrong in every row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A row that was not taken: the line it begins on, and why.
    Refused { line: u64, why: String },
    /// Bytes of the file that were read, of how many. After every batch, which is then committed.
    Progress { read: u64, of: u64 },
}

/// One row on its way into the database: its line, and the row or why it is refused.
pub struct Pending {
    pub line: u64,
    pub row: Result<Row, String>,
}

impl Pending {
    /// The row of a record, checked.
    pub fn of((line, record): (u64, Record), separator: u8, header: &Header, shop: &Shop) -> Self {
        let row = match record {
            Record::Whole(bytes) => match fields(&bytes, separator) {
                Ok(fields) => row::parse(header, &fields, shop),
                Err(_) => Err("This row is no CSV.".to_owned()),
            },
            Record::TooLong => Err(format!("This row is longer than {} kB.", MAX_RECORD / 1024)),
        };
        Self { line, row }
    }
}

impl Shop {
    /// As it is now.
    pub async fn read(app: &App) -> sqlx::Result<Self> {
        Ok(Self { currency: app.config.currency, categories: categories(app).await? })
    }
}

/// Imports the file. Fails as a whole only where there is no such vendor, the file cannot be read, its first row does not
/// name the columns, or the database is gone; then the batches before are kept and the next run goes on after them.
pub async fn import(app: &App, what: &Import, mut tell: impl FnMut(Told)) -> anyhow::Result<Summary> {
    let vendor: VendorId =
        sqlx::query_scalar!(r#"select id as "id: VendorId" from vendors where slug = $1 and status = 'approved'"#, what.vendor)
            .fetch_optional(&app.pool)
            .await?
            .with_context(|| format!("there is no approved vendor {:?}", what.vendor))?;
    let shop = Shop::read(app).await?;

    let path = what.file.clone();
    let (digest, length) = tokio::task::spawn_blocking(move || digest(&path)).await??;
    let mut summary = if what.dry_run { Summary::default() } else { begin(app, vendor, &digest).await? };

    let file = File::open(&what.file).with_context(|| format!("{} cannot be opened", what.file.display()))?;
    let mut reader = Reader { records: Records::new(BufReader::with_capacity(256 * 1024, file)), read: 0 };
    let Some((_, Record::Whole(first))) = reader.records.next()? else {
        anyhow::bail!("{} has no first row with the names of the columns", what.file.display());
    };
    let header = Header::read(&fields(first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&first), b',')?)
        .map_err(|why| anyhow::anyhow!(why))?;
    let folder = what.file.parent().map(Path::to_path_buf).unwrap_or_default();

    let writer = Writer { app, vendor, actor: None, folder: Some(&folder), dry_run: what.dry_run };
    let mut skip = summary.resumed;
    let mut made = if what.dry_run { Some(Made::none(app).await?) } else { None };
    loop {
        // Parsing is quick; only the disk can take its time, hence the other thread.
        let (batch, back) = tokio::task::spawn_blocking(move || {
            let batch = reader.batch(&mut skip);
            (batch.map(|b| (b, skip)), reader)
        })
        .await?;
        reader = back;
        let (raw, left) = batch?;
        skip = left;
        if raw.is_empty() {
            break;
        }
        let rows = raw.into_iter().map(|record| Pending::of(record, b',', &header, &shop)).collect();
        let done = keep(&writer, &digest, rows, made.as_mut(), &mut tell).await?;
        summary.created += done.created;
        summary.updated += done.updated;
        summary.unchanged += done.unchanged;
        summary.refused += done.refused;
        tell(Told::Progress { read: reader.read.min(length), of: length });
    }
    if !what.dry_run {
        sqlx::query!("update import_runs set finished_at = now() where vendor_id = $1 and digest = $2", vendor.uuid(), &digest)
            .execute(&app.pool)
            .await?;
    }
    Ok(summary)
}

/// The SKUs that a dry run would have made in batches before, which the database has forgotten by then. It keeps them in a
/// temporary table on a connection of its own, so that a file of any length may be tried; the table goes with the value.
struct Made(PgConnection);

impl Made {
    async fn none(app: &App) -> sqlx::Result<Self> {
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
async fn keep(
    writer: &Writer<'_>,
    digest: &[u8],
    rows: Vec<Pending>,
    made: Option<&mut Made>,
    tell: &mut impl FnMut(Told),
) -> anyhow::Result<Summary> {
    let count = rows.len() as i64;
    let mut tx = writer.app.pool.begin().await?;
    let written = writer.write(&mut tx, rows, |line, why| tell(Told::Refused { line, why })).await?;
    let mut done = Summary {
        resumed: 0,
        created: written.created.len() as u64,
        updated: written.updated,
        unchanged: written.unchanged,
        refused: written.refused,
    };
    if let Some(made) = made {
        tx.rollback().await?;
        let new = made.add(&written.created).await?;
        done.updated += done.created - new;
        done.created = new;
        return Ok(done);
    }
    sqlx::query!(
        "update import_runs set rows_done = rows_done + $3, created = created + $4, updated = updated + $5, refused = refused + $6,
                unchanged = unchanged + $7
         where vendor_id = $1 and digest = $2",
        writer.vendor.uuid(),
        digest,
        count,
        done.created as i64,
        done.updated as i64,
        done.refused as i64,
        done.unchanged as i64
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(done)
}

struct Reader {
    records: Records<BufReader<File>>,
    read: u64,
}

impl Reader {
    /// The next records, after passing over `skip` of them; empty at the end of the file.
    fn batch(&mut self, skip: &mut u64) -> anyhow::Result<Vec<(u64, Record)>> {
        let mut batch = Vec::with_capacity(BATCH);
        while batch.len() < BATCH {
            let Some((line, record)) = self.records.next()? else { break };
            if let Record::Whole(bytes) = &record {
                self.read += bytes.len() as u64;
            }
            if *skip > 0 {
                *skip -= 1;
            } else {
                batch.push((line, record));
            }
        }
        Ok(batch)
    }
}

/// The file's SHA-256 and its length.
fn digest(path: &Path) -> anyhow::Result<(Vec<u8>, u64)> {
    let mut file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let (mut hash, mut length, mut buffer) = (Sha256::new(), 0, vec![0; 256 * 1024]);
    loop {
        let n = file.read(&mut buffer).with_context(|| format!("{} cannot be read", path.display()))?;
        if n == 0 {
            return Ok((hash.finalize().to_vec(), length));
        }
        hash.update(&buffer[..n]);
        length += n as u64;
    }
}

/// Notes the start of a run, or finds the one that was stopped. A file that was done before is done anew.
async fn begin(app: &App, vendor: VendorId, digest: &[u8]) -> sqlx::Result<Summary> {
    let run = sqlx::query!(
        r#"insert into import_runs as r (vendor_id, digest) values ($1, $2)
           on conflict (vendor_id, digest) do update set
               rows_done = case when r.finished_at is null then r.rows_done else 0 end,
               created = case when r.finished_at is null then r.created else 0 end,
               updated = case when r.finished_at is null then r.updated else 0 end,
               refused = case when r.finished_at is null then r.refused else 0 end,
               unchanged = case when r.finished_at is null then r.unchanged else 0 end,
               started_at = now(), finished_at = null
           returning rows_done, created, updated, unchanged, refused"#,
        vendor.uuid(),
        digest
    )
    .fetch_one(&app.pool)
    .await?;
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    Ok(Summary {
        resumed: count(run.rows_done),
        created: count(run.created),
        updated: count(run.updated),
        unchanged: count(run.unchanged),
        refused: count(run.refused),
    })
}

async fn categories(app: &App) -> sqlx::Result<std::collections::HashMap<String, CategoryId>> {
    let rows = sqlx::query!(r#"select id as "id: CategoryId", slug, name from categories order by cardinality(path)"#)
        .fetch_all(&app.pool)
        .await?;
    // A slug is worth more than a name, a deeper category more than the one above it.
    let mut known: std::collections::HashMap<_, _> = rows.iter().map(|r| (r.name.to_lowercase(), r.id)).collect();
    known.extend(rows.iter().map(|r| (r.slug.clone(), r.id)));
    Ok(known)
}
