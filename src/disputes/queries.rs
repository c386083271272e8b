//! What is read of disputes. Who asks is an argument, and every SELECT starts from it: a vendor finds those about its own goods, with its
//! own part of the amount.

use super::{
    gateway::Evidence,
    model::{DisputeDetail, DisputeFile, DisputePart, DisputeRow, DisputeStatus, ForeignDispute, Place},
};
use crate::{
    error::AppError,
    ids::{DisputeFileId, DisputeId, OrderId, VendorId, VendorOrderId},
    money::Currency,
    server::auth::{Manager, Operator},
};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// How many disputes one page of a list holds.
pub const PAGE: i64 = 30;

/// Whose disputes are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    vendor: Option<Uuid>,
}

impl Scope {
    /// Those about the vendor's goods.
    pub fn vendor(vendor: &Manager) -> Self {
        Self { vendor: Some(vendor.id().uuid()) }
    }

    /// All.
    pub fn operator(_proof: &Operator) -> Self {
        Self { vendor: None }
    }

    pub(super) fn vendor_id(self) -> Option<Uuid> {
        self.vendor
    }
}

/// Which disputes to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The bank has not decided.
    #[default]
    Open,
    All,
}

/// A page of disputes: open ones by when evidence is due, else the newest first; `page` counts from 0. The flag says whether there are more.
pub async fn list(pool: &PgPool, scope: Scope, which: Which, page: u32) -> sqlx::Result<(Vec<DisputeRow>, bool)> {
    let mut db = pool.acquire().await?;
    let wanted = Wanted { which, skip: i64::from(page) * PAGE, limit: PAGE + 1, ..Wanted::default() };
    let mut rows = rows(&mut db, scope, wanted).await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    Ok((rows, more))
}

#[derive(Default)]
struct Wanted {
    which: Which,
    id: Option<DisputeId>,
    order: Option<OrderId>,
    /// Nobody has sent evidence yet, and the bank wants some.
    waiting: bool,
    limit: i64,
    skip: i64,
}

async fn rows(db: &mut PgConnection, scope: Scope, wanted: Wanted) -> sqlx::Result<Vec<DisputeRow>> {
    sqlx::query_as!(
        DisputeRow,
        r#"select d.id as "id: DisputeId", o.id as "order: OrderId", o.number, a.amount as "amount_minor!",
                  d.currency as "currency: Currency", d.reason, d.status as "status: DisputeStatus", d.evidence_due_at, d.submitted_at,
                  d.opened_at
           from disputes d join orders o on o.id = d.order_id
           cross join lateral (
               select sum(p.amount_minor)::bigint as amount from dispute_parts p left join vendor_orders v on v.id = p.vendor_order_id
               where p.dispute_id = d.id and ($1::uuid is null or v.vendor_id = $1)) a
           where a.amount is not null and ($2::uuid is null or d.id = $2) and ($3::uuid is null or o.id = $3)
             and (not $4 or d.status in ('warning_needs_response', 'warning_under_review', 'needs_response', 'under_review'))
             and (not $5 or (d.status in ('warning_needs_response', 'needs_response') and d.submitted_at is null))
           order by case when $4 then d.evidence_due_at end, d.opened_at desc, d.id limit $6 offset $7"#,
        scope.vendor,
        wanted.id.map(DisputeId::uuid),
        wanted.order.map(OrderId::uuid),
        wanted.which == Which::Open,
        wanted.waiting,
        wanted.limit,
        wanted.skip
    )
    .fetch_all(db)
    .await
}

/// Disputes whose evidence the operator has to send, the most urgent first.
pub async fn for_operator(pool: &PgPool, proof: &Operator) -> sqlx::Result<Vec<DisputeRow>> {
    let mut db = pool.acquire().await?;
    rows(&mut db, Scope::operator(proof), Wanted { waiting: true, limit: PAGE, ..Wanted::default() }).await
}

/// Those in another currency than the payment whose bank waits for evidence, the most urgent first.
pub async fn foreign(pool: &PgPool, _proof: &Operator) -> sqlx::Result<Vec<ForeignDispute>> {
    sqlx::query_as!(
        ForeignDispute,
        r#"select d.stripe_dispute_id, o.id as "order: OrderId", o.number, d.amount_minor, d.currency as "currency: Currency", d.reason,
                  d.evidence_due_at
           from foreign_disputes d join orders o on o.id = d.order_id
           where d.status in ('warning_needs_response', 'needs_response') order by d.evidence_due_at, d.opened_at limit $1"#,
        PAGE
    )
    .fetch_all(pool)
    .await
}

/// The disputes of an order, the newest first.
pub async fn of_order(pool: &PgPool, scope: Scope, order: OrderId) -> sqlx::Result<Vec<DisputeRow>> {
    let mut db = pool.acquire().await?;
    let wanted = Wanted { which: Which::All, order: Some(order), limit: PAGE, ..Wanted::default() };
    rows(&mut db, scope, wanted).await
}

/// A dispute with all that its page shows. A vendor reads neither the operator's words nor what another vendor said or gave.
pub async fn detail(pool: &PgPool, scope: Scope, id: DisputeId) -> Result<DisputeDetail, AppError> {
    let mut db = pool.acquire().await?;
    let wanted = Wanted { which: Which::All, id: Some(id), limit: 1, ..Wanted::default() };
    let row = rows(&mut db, scope, wanted).await?.pop().ok_or(AppError::NotFound)?;
    let more = sqlx::query!(
        "select stripe_dispute_id, fee_minor, withdrawn_at, reinstated_at, sent_at, refused, closed_at, words, said from disputes where id = $1",
        id.uuid()
    )
    .fetch_one(&mut *db)
    .await?;
    let parts = sqlx::query_as!(
        DisputePart,
        r#"select v.id as "parcel?: VendorOrderId", v.vendor_id as "vendor?: VendorId", v.vendor_name as "vendor_name?", p.amount_minor,
                  coalesce(s.words, '') as "words!"
           from dispute_parts p left join vendor_orders v on v.id = p.vendor_order_id
           left join dispute_statements s on s.dispute_id = p.dispute_id and s.vendor_id = v.vendor_id
           where p.dispute_id = $1 and ($2::uuid is null or v.vendor_id = $2) order by v.vendor_name nulls last"#,
        id.uuid(),
        scope.vendor
    )
    .fetch_all(&mut *db)
    .await?;
    let files = sqlx::query_as!(
        DisputeFile,
        r#"select f.id as "id: DisputeFileId", f.vendor_id as "vendor: VendorId", v.name as "vendor_name?", f.place as "place: Place", f.name,
                  f.media_type, f.bytes
           from dispute_files f left join vendors v on v.id = f.vendor_id
           where f.dispute_id = $1 and ($2::uuid is null or f.vendor_id = $2) order by f.added_at, f.id"#,
        id.uuid(),
        scope.vendor
    )
    .fetch_all(&mut *db)
    .await?;
    // What was sent is shown as it was sent.
    let said = match more.said {
        Some(said) => serde_json::from_value(said).unwrap_or_default(),
        None => evidence(&mut db, id).await?,
    };
    let facts = [
        ("Name", said.customer_name),
        ("E-mail", said.customer_email),
        ("Sent to", said.shipping_address),
        ("Goods", said.product_description),
        ("Carrier", said.shipping_carrier),
        ("Sent on", said.shipping_date),
        ("Tracking number", said.shipping_tracking),
    ];
    Ok(DisputeDetail {
        row,
        stripe_dispute_id: more.stripe_dispute_id,
        fee_minor: more.fee_minor,
        withdrawn_at: more.withdrawn_at,
        reinstated_at: more.reinstated_at,
        sent_at: more.sent_at,
        refused: more.refused,
        closed_at: more.closed_at,
        words: if scope.vendor.is_none() { more.words } else { String::new() },
        parts,
        files,
        facts: facts.into_iter().filter(|(_, text)| !text.is_empty()).collect(),
    })
}

/// One file of a dispute: a vendor's own, or any for the operator.
pub async fn file(pool: &PgPool, scope: Scope, id: DisputeId, file: DisputeFileId) -> Result<DisputeFile, AppError> {
    let detail = detail(pool, scope, id).await?;
    detail.files.into_iter().find(|f| f.id == file).ok_or(AppError::NotFound)
}

/// What is said for us as it stands now: facts of the order, the operator's words, and those of each vendor under its name.
pub(super) async fn evidence(db: &mut PgConnection, id: DisputeId) -> sqlx::Result<Evidence> {
    let order = sqlx::query!(
        r#"select d.words, o.ship_name, o.email, o.id,
                  concat_ws(', ', o.ship_name, o.ship_line1, nullif(o.ship_line2, ''), o.ship_city, o.ship_postal_code, o.ship_country) as "address!",
                  (select string_agg(l.quantity || ' × ' || l.title, ', ' order by l.position, l.id) from order_lines l where l.order_id = o.id)
                      as "goods!"
           from disputes d join orders o on o.id = d.order_id where d.id = $1"#,
        id.uuid()
    )
    .fetch_one(&mut *db)
    .await?;
    let sent = sqlx::query!(
        r#"select string_agg(distinct s.carrier, ', ') as carrier, string_agg(distinct nullif(s.tracking, ''), ', ') as tracking,
                  string_agg(distinct to_char(s.shipped_at at time zone 'UTC', 'YYYY-MM-DD'), ', ') as days
           from shipments s join vendor_orders v on v.id = s.vendor_order_id where v.order_id = $1"#,
        order.id
    )
    .fetch_one(&mut *db)
    .await?;
    let statements = sqlx::query!(
        "select v.name, s.words from dispute_statements s join vendors v on v.id = s.vendor_id where s.dispute_id = $1 order by v.name, v.id",
        id.uuid()
    )
    .fetch_all(&mut *db)
    .await?;
    let mut words: Vec<String> = Some(order.words).filter(|w| !w.is_empty()).into_iter().collect();
    words.extend(statements.into_iter().map(|s| format!("From {}, who sold it:\n{}", s.name, s.words)));
    let short = |text: String, most: usize| text.chars().take(most).collect::<String>();
    Ok(Evidence {
        customer_name: short(order.ship_name, 5000),
        customer_email: short(order.email, 5000),
        shipping_address: short(order.address, 5000),
        product_description: short(order.goods, 20_000),
        shipping_carrier: short(sent.carrier.unwrap_or_default(), 5000),
        shipping_date: short(sent.days.unwrap_or_default(), 5000),
        shipping_tracking: short(sent.tracking.unwrap_or_default(), 5000),
        words: short(words.join("\n\n"), 20_000),
    })
}
