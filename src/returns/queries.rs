//! What is read of returns. Who asks is an argument, and every SELECT starts from it.

use super::model::{ReturnDetail, ReturnLine, ReturnPicture, ReturnReason, ReturnRow, ReturnState, Returnable};
use crate::{
    error::AppError,
    ids::{OrderId, OrderLineId, PictureId, ReturnId, ReturnPictureId, VendorOrderId},
    money::Currency,
    orders::{model::Event, queries::MayRead},
    server::auth::{Manager, Operator},
};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// How many returns one page of a list holds.
pub const PAGE: i64 = 30;

/// Whose returns are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    order: Option<Uuid>,
    vendor: Option<Uuid>,
}

impl Scope {
    /// Those of one order, for whoever may read it.
    pub fn order(may: MayRead) -> Self {
        Self { order: Some(may.order().uuid()), vendor: None }
    }

    /// Those of the vendor's parcels.
    pub fn vendor(vendor: &Manager) -> Self {
        Self { order: None, vendor: Some(vendor.id().uuid()) }
    }

    /// All.
    pub fn operator(_proof: &Operator) -> Self {
        Self { order: None, vendor: None }
    }

    pub(super) fn order_id(self) -> Option<Uuid> {
        self.order
    }

    pub(super) fn vendor_id(self) -> Option<Uuid> {
        self.vendor
    }
}

/// Which returns to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Somebody still has to do something.
    #[default]
    Open,
    /// Put before the operator.
    Appealed,
    All,
}

/// A page of returns, the one that waits longest first where they are open, else the newest first; `page` counts from 0. The flag
/// says whether there are more.
pub async fn list(pool: &PgPool, scope: Scope, which: Which, page: u32) -> sqlx::Result<(Vec<ReturnRow>, bool)> {
    let mut db = pool.acquire().await?;
    let mut rows = rows(&mut db, scope, None, which, PAGE + 1, i64::from(page) * PAGE).await?;
    let more = rows.len() > PAGE as usize;
    rows.truncate(PAGE as usize);
    Ok((rows, more))
}

async fn rows(
    db: &mut PgConnection,
    scope: Scope,
    id: Option<ReturnId>,
    which: Which,
    limit: i64,
    offset: i64,
) -> sqlx::Result<Vec<ReturnRow>> {
    sqlx::query_as!(
        ReturnRow,
        r#"select t.id as "id: ReturnId", o.id as "order: OrderId", o.number, v.id as "parcel: VendorOrderId", v.vendor_name, o.ship_name,
                  t.state as "state: ReturnState", t.reason as "reason: ReturnReason", t.appealed,
                  (select sum(x.quantity) from return_lines x where x.return_id = t.id) as "pieces!",
                  (select l.title from return_lines x join order_lines l on l.id = x.line_id where x.return_id = t.id
                   order by l.position, l.id limit 1) as "title!", t.asked_at, t.changed_at
           from returns t join vendor_orders v on v.id = t.vendor_order_id join orders o on o.id = v.order_id
           where ($1::uuid is null or o.id = $1) and ($2::uuid is null or v.vendor_id = $2) and ($3::uuid is null or t.id = $3)
             and (not $4 or t.state in ('asked', 'question', 'accepted', 'sent', 'appealed'))
             and (not $5 or t.state = 'appealed')
           order by case when $4 then t.changed_at end, t.asked_at desc, t.id limit $6 offset $7"#,
        scope.order,
        scope.vendor,
        id.map(ReturnId::uuid),
        which == Which::Open,
        which == Which::Appealed,
        limit,
        offset
    )
    .fetch_all(db)
    .await
}

/// Returns that ask for an operator: put before one, or left alone by a vendor for days. The longest waiting first.
pub async fn for_operator(pool: &PgPool, proof: &Operator) -> sqlx::Result<Vec<ReturnRow>> {
    let mut db = pool.acquire().await?;
    let open = rows(&mut db, Scope::operator(proof), None, Which::Open, 200, 0).await?;
    let now = time::OffsetDateTime::now_utc();
    let late = |row: &ReturnRow| match row.state {
        ReturnState::Appealed => true,
        ReturnState::Asked => (now - row.changed_at).whole_days() >= 3,
        ReturnState::Sent => (now - row.changed_at).whole_days() >= 14,
        _ => false,
    };
    Ok(open.into_iter().filter(late).take(PAGE as usize).collect())
}

/// A return with all that its page shows.
pub async fn detail(pool: &PgPool, scope: Scope, id: ReturnId) -> Result<ReturnDetail, AppError> {
    let mut db = pool.acquire().await?;
    let row = rows(&mut db, scope, Some(id), Which::All, 1, 0).await?.pop().ok_or(AppError::NotFound)?;
    let more = sqlx::query!(
        r#"select t.words, t.send_to, t.carrier, t.tracking, o.currency as "currency: Currency",
                  r.amount_minor as "amount?", r.state as "refund_state?"
           from returns t join vendor_orders v on v.id = t.vendor_order_id join orders o on o.id = v.order_id
           left join refunds r on r.id = t.refund_id where t.id = $1"#,
        id.uuid()
    )
    .fetch_one(&mut *db)
    .await?;
    let lines = sqlx::query_as!(
        ReturnLine,
        r#"select l.id as "line: OrderLineId", l.title, l.sku, l.picture_id as "picture_id: PictureId",
                  coalesce((select string_agg(o.key || ': ' || o.value, ', ' order by o.key) from jsonb_each_text(l.options) o), '') as "options!",
                  x.quantity, x.received, x.restocked
           from return_lines x join order_lines l on l.id = x.line_id where x.return_id = $1 order by l.position, l.id"#,
        id.uuid()
    )
    .fetch_all(&mut *db)
    .await?;
    let pictures = sqlx::query_as!(
        ReturnPicture,
        r#"select id as "id: ReturnPictureId", width, height from return_pictures where return_id = $1 order by position"#,
        id.uuid()
    )
    .fetch_all(&mut *db)
    .await?;
    let talk = sqlx::query_as!(
        Event,
        r#"select vendor_order_id as "vendor_order_id: VendorOrderId", kind, detail, null::text as actor, at from order_events
           where order_id = $1 and detail ->> 'return' = $2 order by id"#,
        row.order.uuid(),
        id.to_string()
    )
    .fetch_all(&mut *db)
    .await?;
    Ok(ReturnDetail {
        row,
        words: more.words,
        send_to: more.send_to,
        carrier: more.carrier,
        tracking: more.tracking,
        currency: more.currency,
        lines,
        pictures,
        talk,
        refund: more.amount.zip(more.refund_state),
    })
}

/// Whether a picture belongs to a return that may be seen.
pub async fn has_picture(pool: &PgPool, scope: Scope, id: ReturnId, picture: ReturnPictureId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (
               select 1 from return_pictures p join returns t on t.id = p.return_id join vendor_orders v on v.id = t.vendor_order_id
               where p.id = $1 and t.id = $2 and ($3::uuid is null or v.order_id = $3) and ($4::uuid is null or v.vendor_id = $4)) as "there!""#,
        picture.uuid(),
        id.uuid(),
        scope.order,
        scope.vendor
    )
    .fetch_one(pool)
    .await
}

/// What of an order may be asked back now, `days` after it was sent at the latest.
pub async fn returnable(db: &mut PgConnection, order: OrderId, days: u32) -> sqlx::Result<Vec<Returnable>> {
    sqlx::query_as!(
        Returnable,
        r#"select l.id as "line: OrderLineId", v.id as "parcel: VendorOrderId", v.vendor_name, l.title,
                  coalesce((select string_agg(o.key || ': ' || o.value, ', ' order by o.key) from jsonb_each_text(l.options) o), '') as "options!",
                  l.picture_id as "picture_id: PictureId", least(s.recent, s.sent - a.asked, l.quantity - b.back - a.coming)::int as "left!"
           from order_lines l join vendor_orders v on v.id = l.vendor_order_id join orders o on o.id = v.order_id
           cross join lateral (
               select coalesce(sum(x.quantity), 0) as sent,
                      coalesce(sum(x.quantity) filter (where h.shipped_at > now() - make_interval(days => $2)), 0) as recent
               from shipment_lines x join shipments h on h.id = x.shipment_id where x.line_id = l.id) s
           cross join lateral (
               select coalesce(sum(case t.state when 'received' then x.received else x.quantity end), 0) as asked,
                      coalesce(sum(x.quantity) filter (where t.state <> 'received'), 0) as coming
               from return_lines x join returns t on t.id = x.return_id
               where x.line_id = l.id and t.state not in ('refused', 'withdrawn')) a
           cross join lateral (
               select coalesce(sum(p.quantity), 0) as back from refund_parts p join refunds r on r.id = p.refund_id
               where p.line_id = l.id and r.state <> 'failed') b
           where l.order_id = $1 and o.status = 'placed' and least(s.recent, s.sent - a.asked, l.quantity - b.back - a.coming) > 0
           order by v.vendor_name, v.id, l.position, l.id"#,
        order.uuid(),
        i32::try_from(days).unwrap_or(i32::MAX)
    )
    .fetch_all(db)
    .await
}
