//! The SQL of imports. What a vendor asks for starts from the vendor: another's import is not found.

use super::model::{FileName, ImportState, from_columns, to_columns};
use crate::{
    catalog::import::{Places, Written, about},
    ids::{CategoryId, ImportId, UserId, VendorId},
    server::auth::Manager,
};
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;

/// The most imports on a page of the list.
pub const PAGE: i64 = 50;

/// An import as its vendor sees it.
#[derive(Debug, Clone)]
pub struct Import {
    pub id: ImportId,
    pub file_name: String,
    pub state: ImportState,
    pub separator: String,
    pub header: Vec<String>,
    pub examples: Vec<String>,
    pub header_digest: Vec<u8>,
    pub rows_total: i64,
    pub data_at: i64,
    pub data_line: i64,
    columns: Option<Vec<i32>>,
    pub category: Option<CategoryId>,
    pub rows_done: i64,
    pub created: i64,
    pub changed: i64,
    pub unchanged: i64,
    pub refused: i64,
    pub failure: Option<String>,
    pub created_at: OffsetDateTime,
    pub finished_at: Option<OffsetDateTime>,
}

impl Import {
    /// Which columns were chosen.
    pub fn places(&self) -> Option<Places> {
        self.columns.as_ref().map(|columns| from_columns(columns, self.header.len()))
    }

    pub fn separator(&self) -> u8 {
        self.separator.as_bytes().first().copied().unwrap_or(b',')
    }
}

/// The vendor's import. `RowNotFound` where it is another's, or its file did not come whole.
pub async fn find(pool: &PgPool, vendor: &Manager, id: ImportId) -> sqlx::Result<Import> {
    sqlx::query_as!(
        Import,
        r#"select id as "id: ImportId", file_name, state as "state: ImportState", separator, header, examples, header_digest, rows_total,
                  data_at, data_line, columns, category_id as "category: CategoryId", rows_done, created, changed, unchanged, refused,
                  failure, created_at, finished_at
           from imports where id = $1 and vendor_id = $2 and state <> 'receiving'"#,
        id.uuid(),
        vendor.id().uuid()
    )
    .fetch_one(pool)
    .await
}

/// A line of the list of imports.
#[derive(Debug, Clone)]
pub struct ImportRow {
    pub id: ImportId,
    pub file_name: String,
    pub state: ImportState,
    pub rows_total: i64,
    pub rows_done: i64,
    pub created: i64,
    pub changed: i64,
    pub refused: i64,
    pub created_at: OffsetDateTime,
}

/// A page of the vendor's imports, newest first; `page` counts from 0. The flag says whether there are more.
pub async fn list(pool: &PgPool, vendor: &Manager, page: u32) -> sqlx::Result<(Vec<ImportRow>, bool)> {
    let mut rows = sqlx::query_as!(
        ImportRow,
        r#"select id as "id: ImportId", file_name, state as "state: ImportState", rows_total, rows_done, created, changed, refused, created_at
           from imports where vendor_id = $1 and state <> 'receiving' order by created_at desc, id desc limit $2 offset $3"#,
        vendor.id().uuid(),
        PAGE + 1,
        i64::from(page) * PAGE
    )
    .fetch_all(pool)
    .await?;
    let more = rows.len() as i64 > PAGE;
    rows.truncate(PAGE as usize);
    Ok((rows, more))
}

/// What a file is that came whole.
pub struct Received {
    pub separator: String,
    pub header: Vec<String>,
    pub examples: Vec<String>,
    pub digest: Vec<u8>,
    pub bytes: i64,
    pub rows: i64,
    pub data_at: i64,
    pub data_line: i64,
}

/// Notes that a file is coming.
pub async fn begin(pool: &PgPool, vendor: &Manager, id: ImportId, name: &FileName) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into imports (id, vendor_id, user_id, file_name) values ($1, $2, $3, $4)",
        id.uuid(),
        vendor.id().uuid(),
        vendor.customer().id().uuid(),
        name.as_str()
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Notes what came.
pub async fn received(pool: &PgPool, vendor: &Manager, id: ImportId, what: &Received) -> sqlx::Result<()> {
    sqlx::query!(
        "update imports set state = 'received', separator = $3, header = $4, examples = $5, header_digest = $6, bytes_total = $7,
                rows_total = $8, data_at = $9, data_line = $10
         where id = $1 and vendor_id = $2 and state = 'receiving'",
        id.uuid(),
        vendor.id().uuid(),
        what.separator,
        &what.header,
        &what.examples,
        what.digest,
        what.bytes,
        what.rows,
        what.data_at,
        what.data_line
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// The row goes, with its errors. The file is the caller's.
pub async fn forget(pool: &PgPool, id: ImportId) -> sqlx::Result<()> {
    sqlx::query!("delete from imports where id = $1", id.uuid()).execute(pool).await?;
    Ok(())
}

/// What the vendor chose last for a file of these names.
pub async fn remembered(pool: &PgPool, vendor: &Manager, of: &Import) -> sqlx::Result<Option<(Places, Option<CategoryId>)>> {
    let row = sqlx::query!(
        r#"select columns, category_id as "category: CategoryId" from import_columns where vendor_id = $1 and header_digest = $2"#,
        vendor.id().uuid(),
        of.header_digest
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| (from_columns(&row.columns, of.header.len()), row.category)))
}

/// Keeps the choice for the next file of these names.
pub async fn remember(
    tx: &mut PgConnection,
    vendor: &Manager,
    of: &Import,
    places: &Places,
    category: Option<CategoryId>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into import_columns (vendor_id, header_digest, columns, category_id) values ($1, $2, $3, $4)
         on conflict (vendor_id, header_digest) do update set columns = $3, category_id = $4, used_at = now()",
        vendor.id().uuid(),
        of.header_digest,
        &to_columns(places),
        category.map(CategoryId::uuid)
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// From the file's first row on, with these columns. `false` where it is no longer the time for it.
pub async fn check(
    tx: &mut PgConnection,
    vendor: &Manager,
    id: ImportId,
    places: &Places,
    category: Option<CategoryId>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update imports set state = 'checking', columns = $3, category_id = $4, at_byte = data_at, at_line = data_line, rows_done = 0,
                created = 0, changed = 0, unchanged = 0, refused = 0, failure = null, finished_at = null
         where id = $1 and vendor_id = $2 and state in ('received', 'checked')",
        id.uuid(),
        vendor.id().uuid(),
        &to_columns(places),
        category.map(CategoryId::uuid)
    )
    .execute(&mut *tx)
    .await?;
    forget_rows(tx, id).await?;
    Ok(done.rows_affected() == 1)
}

/// From the file's first row on, once it is checked; from where it is, once it was cancelled. `false` where it is neither.
pub async fn start(tx: &mut PgConnection, vendor: &Manager, id: ImportId) -> sqlx::Result<bool> {
    let was = sqlx::query_scalar!(
        r#"select state as "state: ImportState" from imports where id = $1 and vendor_id = $2 for update"#,
        id.uuid(),
        vendor.id().uuid()
    )
    .fetch_optional(&mut *tx)
    .await?;
    match was {
        Some(ImportState::Checked) => {
            sqlx::query!(
                "update imports set state = 'importing', user_id = $2, at_byte = data_at, at_line = data_line, rows_done = 0, created = 0,
                        changed = 0, unchanged = 0, refused = 0
                 where id = $1",
                id.uuid(),
                vendor.customer().id().uuid()
            )
            .execute(&mut *tx)
            .await?;
            forget_rows(tx, id).await?;
        }
        Some(ImportState::Cancelled) => {
            sqlx::query!("update imports set state = 'importing', finished_at = null where id = $1", id.uuid())
                .execute(tx)
                .await?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

async fn forget_rows(tx: &mut PgConnection, id: ImportId) -> sqlx::Result<()> {
    sqlx::query!("delete from import_errors where import_id = $1", id.uuid()).execute(&mut *tx).await?;
    sqlx::query!("delete from import_made where import_id = $1", id.uuid()).execute(tx).await?;
    Ok(())
}

/// Ends what runs; a check leaves the file as it came, an import what it did. `false` where nothing runs.
pub async fn cancel(pool: &PgPool, vendor: &Manager, id: ImportId) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "update imports set state = case state when 'checking' then 'received' else 'cancelled' end,
                finished_at = case state when 'importing' then now() end
         where id = $1 and vendor_id = $2 and state in ('checking', 'importing')",
        id.uuid(),
        vendor.id().uuid()
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// An import that a job goes on with.
pub struct Work {
    pub state: ImportState,
    pub vendor: VendorId,
    pub user: UserId,
    /// The vendor may still sell.
    pub approved: bool,
    pub separator: String,
    pub width: i32,
    pub columns: Vec<i32>,
    pub category: Option<CategoryId>,
    pub at_byte: i64,
    pub at_line: i64,
}

/// `None` where nothing is to be done any more.
pub async fn work(pool: &PgPool, id: ImportId) -> sqlx::Result<Option<Work>> {
    sqlx::query_as!(
        Work,
        r#"select i.state as "state: ImportState", i.vendor_id as "vendor: VendorId", i.user_id as "user: UserId",
                  v.status = 'approved' as "approved!", separator, cardinality(header) as "width!", columns as "columns!",
                  category_id as "category: CategoryId", at_byte, at_line
           from imports i join vendors v on v.id = i.vendor_id where i.id = $1 and i.state in ('checking', 'importing')"#,
        id.uuid()
    )
    .fetch_optional(pool)
    .await
}

/// Locks the import for the next rows. `false` where it was cancelled, or somebody else has done these rows.
pub async fn lock(tx: &mut PgConnection, id: ImportId, state: ImportState, at_byte: i64) -> sqlx::Result<bool> {
    let found = sqlx::query_scalar!(
        r#"select true as "is!" from imports where id = $1 and state = $2 and at_byte = $3 for update"#,
        id.uuid(),
        state.as_str(),
        at_byte
    );
    Ok(found.fetch_optional(tx).await?.is_some())
}

/// Notes what a check would have made, and answers how much of it is new.
pub async fn made(tx: &mut PgConnection, id: ImportId, skus: &[String]) -> sqlx::Result<u64> {
    let done = sqlx::query!(
        "insert into import_made (import_id, sku) select $1, unnest($2::text[]) on conflict do nothing",
        id.uuid(),
        skus
    );
    Ok(done.execute(tx).await?.rows_affected())
}

/// Where a locked import is after some rows.
pub struct Moved<'a> {
    /// The byte and the line of the next row.
    pub to: (u64, u64),
    pub written: &'a Written,
    /// New goods; those of a check were not new each time.
    pub created: u64,
    pub refused: &'a [(u64, String)],
    pub state: ImportState,
}

/// Moves a locked import on.
pub async fn go_on(tx: &mut PgConnection, id: ImportId, moved: &Moved<'_>) -> sqlx::Result<()> {
    let lines: Vec<i64> = moved.refused.iter().map(|(line, _)| *line as i64).collect();
    let (fields, messages): (Vec<String>, Vec<String>) =
        moved.refused.iter().map(|(_, why)| about(why)).map(|(field, text)| (field.to_owned(), text.to_owned())).unzip();
    if !lines.is_empty() {
        sqlx::query!(
            "insert into import_errors (import_id, line, field, message)
             select $1, line, field, message from unnest($2::bigint[], $3::text[], $4::text[]) as e (line, field, message)
             on conflict do nothing",
            id.uuid(),
            &lines,
            &fields,
            &messages
        )
        .execute(&mut *tx)
        .await?;
    }
    let changed = moved.written.updated + (moved.written.created.len() as u64).saturating_sub(moved.created);
    sqlx::query!(
        "update imports set at_byte = $2, at_line = $3, created = created + $4, changed = changed + $5, unchanged = unchanged + $6,
                refused = refused + $7, rows_done = rows_done + $4 + $5 + $6 + $7, state = $8,
                finished_at = case when $8 = 'done' then now() end
         where id = $1",
        id.uuid(),
        moved.to.0 as i64,
        moved.to.1 as i64,
        moved.created as i64,
        changed as i64,
        moved.written.unchanged as i64,
        moved.refused.len() as i64,
        moved.state.as_str()
    )
    .execute(&mut *tx)
    .await?;
    if moved.state == ImportState::Checked {
        sqlx::query!("delete from import_made where import_id = $1", id.uuid()).execute(tx).await?;
    }
    Ok(())
}

/// It cannot go on, and says why.
pub async fn fail(db: impl PgExecutor<'_>, id: ImportId, why: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update imports set state = 'failed', failure = $2, finished_at = now() where id = $1 and state in ('checking', 'importing')",
        id.uuid(),
        why
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A row that was left out.
#[derive(Debug, Clone)]
pub struct RowError {
    pub line: i64,
    pub field: String,
    pub message: String,
}

impl RowError {
    /// As one sentence: the column, and what is wrong with it.
    pub fn sentence(&self) -> String {
        if self.field.is_empty() { self.message.clone() } else { format!("{}: {}", self.field, self.message) }
    }
}

/// At most `limit` errors of an import that was found for its vendor, behind this line.
pub async fn errors(pool: &PgPool, of: &Import, after: i64, limit: i64) -> sqlx::Result<Vec<RowError>> {
    sqlx::query_as!(
        RowError,
        "select line, field, message from import_errors where import_id = $1 and line > $2 order by line limit $3",
        of.id.uuid(),
        after,
        limit
    )
    .fetch_all(pool)
    .await
}

/// Some imports that nobody needs any more: older than so many days, or whose file never came whole.
pub async fn old(pool: &PgPool, days: i32) -> sqlx::Result<Vec<ImportId>> {
    sqlx::query_scalar!(
        r#"select id as "id: ImportId" from imports
           where created_at < now() - case when state = 'receiving' then interval '1 day' else make_interval(days => $1) end
             and created_at < now() - interval '1 day' and state not in ('checking', 'importing')
           order by created_at limit 20"#,
        days
    )
    .fetch_all(pool)
    .await
}
