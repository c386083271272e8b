//! What is read of documents. Everything starts from the proof of who asks: another's document is not found.

use super::{
    drawing,
    model::{DocumentRow, Kind},
};
use crate::{
    error::AppError,
    ids::{DocumentId, VendorOrderId},
    money::Currency,
    orders::queries::MayRead,
    server::{
        auth::{Manager, Operator, Owner, Vendor},
        errors::internal,
    },
    vendors::role::TeamRole,
};
use sqlx::PgPool;
use time::{Date, OffsetDateTime};

/// How many papers a page of a vendor's list holds.
pub const PAGE: i64 = 50;

/// A document to hand out.
pub struct File {
    pub kind: Kind,
    pub number: String,
    pub pdf: Vec<u8>,
}

/// What a SELECT of documents starts from; `None` is no limit, and only the operator has none.
#[derive(Default, Clone, Copy)]
struct Scope<'a> {
    order: Option<MayRead>,
    vendor: Option<&'a Vendor>,
    /// Only what went to shoppers.
    trade_only: bool,
    vendor_order: Option<VendorOrderId>,
    kind: Option<Kind>,
}

/// The papers of an order for its shopper: invoices and credit notes, in order of issue.
pub async fn of_order(pool: &PgPool, may: MayRead) -> sqlx::Result<Vec<DocumentRow>> {
    let mut rows = rows(pool, Scope { order: Some(may), ..Scope::default() }, ALL).await?;
    rows.reverse();
    Ok(rows)
}

/// The papers of one of the vendor's orders, in order of issue.
pub async fn of_vendor_order(pool: &PgPool, vendor: &Vendor, vendor_order: VendorOrderId) -> sqlx::Result<Vec<DocumentRow>> {
    let scope = Scope { vendor: Some(vendor), vendor_order: Some(vendor_order), ..Scope::default() };
    let mut rows = rows(pool, scope, ALL).await?;
    rows.reverse();
    Ok(rows)
}

/// A page of a vendor's papers, newest first: what it issued, and what the platform wrote to it; `page` counts from 0. The flag says
/// whether there are more.
pub async fn of_vendor(pool: &PgPool, vendor: &Manager, kind: Option<Kind>, page: u32) -> sqlx::Result<(Vec<DocumentRow>, bool)> {
    let scope = Scope { vendor: Some(vendor), kind, trade_only: !vendor.role().may(TeamRole::Owner), ..Scope::default() };
    let mut rows = rows(pool, scope, Part { after: None, limit: PAGE + 1, offset: i64::from(page) * PAGE }).await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    Ok((rows, more))
}

/// At most `limit` of all papers, newest first, those after the one that was issued then.
pub async fn all_after(
    pool: &PgPool,
    _proof: &Operator,
    kind: Option<Kind>,
    after: Option<(OffsetDateTime, DocumentId)>,
    limit: i64,
) -> sqlx::Result<Vec<DocumentRow>> {
    rows(pool, Scope { kind, ..Scope::default() }, Part { after, limit, offset: 0 }).await
}

/// Which part of a list.
struct Part {
    after: Option<(OffsetDateTime, DocumentId)>,
    limit: i64,
    offset: i64,
}

const ALL: Part = Part { after: None, limit: i64::MAX, offset: 0 };

async fn rows(pool: &PgPool, scope: Scope<'_>, part: Part) -> sqlx::Result<Vec<DocumentRow>> {
    sqlx::query_as!(
        DocumentRow,
        r#"select d.id as "id: DocumentId", d.kind as "kind: Kind", d.number, d.issued_on, d.issued_at, v.name as vendor_name,
                  o.number as "order_number?", d.vendor_order_id as "vendor_order_id: VendorOrderId", d.period_from,
                  d.currency as "currency: Currency", d.total_minor
           from documents d join vendors v on v.id = d.vendor_id left join orders o on o.id = d.order_id
           where ($1::uuid is null or d.order_id = $1) and ($2::uuid is null or d.vendor_id = $2)
             and ($3::uuid is null or d.vendor_order_id = $3) and ($4::text is null or d.kind = $4)
             and ($5::timestamptz is null or (d.issued_at, d.id) < ($5, $6))
             and (not $9 or d.kind in ('invoice', 'credit_note'))
           order by d.issued_at desc, d.id desc limit $7 offset $8"#,
        scope.order.map(|may| may.order().uuid()),
        scope.vendor.map(|vendor| vendor.id().uuid()),
        scope.vendor_order.map(VendorOrderId::uuid),
        scope.kind.map(Kind::as_str),
        part.after.map(|(at, _)| at),
        part.after.map(|(_, id)| id.uuid()),
        part.limit,
        part.offset,
        scope.trade_only
    )
    .fetch_all(pool)
    .await
}

/// One of an order's papers, for whom may read the order.
pub async fn file_of_order(pool: &PgPool, may: MayRead, document: DocumentId) -> Result<File, AppError> {
    file(pool, Scope { order: Some(may), ..Scope::default() }, document).await
}

/// One of the vendor's papers. Those about its money with the platform are for its owners: `Forbidden`.
pub async fn file_of_vendor(pool: &PgPool, vendor: &Manager, document: DocumentId) -> Result<File, AppError> {
    let file = file(pool, Scope { vendor: Some(vendor), ..Scope::default() }, document).await?;
    let trade = matches!(file.kind, Kind::Invoice | Kind::CreditNote);
    if trade || vendor.role().may(TeamRole::Owner) { Ok(file) } else { Err(AppError::Forbidden) }
}

/// The vendor's statement of the time that begins on this day, if it was issued.
pub async fn statement_of(pool: &PgPool, vendor: &Owner, from: Date) -> sqlx::Result<Option<DocumentId>> {
    sqlx::query_scalar!(
        r#"select id as "id: DocumentId" from documents where kind = 'statement' and vendor_id = $1 and period_from = $2"#,
        vendor.id().uuid(),
        from
    )
    .fetch_optional(pool)
    .await
}

/// Any paper.
pub async fn file_for_operator(pool: &PgPool, _proof: &Operator, document: DocumentId) -> Result<File, AppError> {
    file(pool, Scope::default(), document).await
}

async fn file(pool: &PgPool, scope: Scope<'_>, document: DocumentId) -> Result<File, AppError> {
    let row = sqlx::query!(
        r#"select kind as "kind: Kind", number, pdf from documents
           where id = $1 and ($2::uuid is null or order_id = $2) and ($3::uuid is null or vendor_id = $3)"#,
        document.uuid(),
        scope.order.map(|may| may.order().uuid()),
        scope.vendor.map(|vendor| vendor.id().uuid())
    )
    .fetch_optional(pool)
    .await?
    .ok_or(AppError::NotFound)?;
    let pdf = match row.pdf {
        Some(pdf) => pdf,
        None => drawing::pdf(pool, document).await.map_err(internal)?,
    };
    Ok(File { kind: row.kind, number: row.number, pdf })
}
