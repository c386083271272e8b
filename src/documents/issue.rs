//! Giving a paper its number and keeping its facts. The number, the facts and the cause are one transaction: a number that comes to
//! nothing was never given.

use super::model::{Kind, Paper};
use crate::{
    audit,
    ids::{DocumentId, OrderId, RefundId, VendorId, VendorOrderId},
    money::Currency,
};
use anyhow::Context;
use serde_json::json;
use sqlx::PgConnection;
use time::Date;

/// What a paper is about. Of each there is one paper of a kind.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct About {
    pub order: Option<OrderId>,
    pub vendor_order: Option<VendorOrderId>,
    pub refund: Option<RefundId>,
    /// First and last day.
    pub period: Option<(Date, Date)>,
}

/// Issues a paper in the caller's transaction: takes the next number of its series and freezes its facts. `None` where the same
/// thing has its paper already. Until the transaction ends nobody else gets a number of this series.
pub(super) async fn issue(
    tx: &mut PgConnection,
    vendor: VendorId,
    about: About,
    paper: Paper,
) -> anyhow::Result<Option<DocumentId>> {
    let kind = paper.kind();
    let issuer = matches!(kind, Kind::Invoice | Kind::CreditNote).then(|| vendor.uuid());
    let today = sqlx::query_scalar!(r#"select (now() at time zone 'UTC')::date as "today!""#).fetch_one(&mut *tx).await?;
    let year = today.year();
    sqlx::query!(
        "insert into document_counters (issuer_id, kind, year, last_on) values ($1, $2, $3, $4)
         on conflict on constraint document_counters_key do nothing",
        issuer,
        kind.as_str(),
        year,
        today
    )
    .execute(&mut *tx)
    .await?;
    let counter = sqlx::query!(
        "select last, last_on from document_counters where (issuer_id = $1 or issuer_id is null and $1::uuid is null) and kind = $2 and year = $3 for update",
        issuer,
        kind.as_str(),
        year
    )
    .fetch_one(&mut *tx)
    .await?;
    if issued_before(tx, kind, vendor, about, paper.currency()).await? {
        return Ok(None);
    }
    let (sequence, issued_on) = (counter.last + 1, counter.last_on.max(today));
    let (id, number) = (DocumentId::new(), kind.number(year, sequence));
    let (total, tax) = paper.total_and_tax();
    let content = serde_json::to_value(&paper)?;
    let currency = paper.currency();
    sqlx::query!(
        "update document_counters set last = $4, last_on = $5 where (issuer_id = $1 or issuer_id is null and $1::uuid is null) and kind = $2 and year = $3",
        issuer,
        kind.as_str(),
        year,
        sequence,
        issued_on
    )
    .execute(&mut *tx)
    .await?;
    let hash = sqlx::query_scalar!(
        r#"insert into documents (id, kind, issuer_id, year, sequence, number, issued_on, vendor_id, order_id, vendor_order_id, refund_id,
                                period_from, period_until, currency, total_minor, tax_minor, content)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
           returning encode(sha256(convert_to(content::text, 'UTF8')), 'hex') as "hash!""#,
        id.uuid(),
        kind.as_str(),
        issuer,
        year,
        sequence,
        number,
        issued_on,
        vendor.uuid(),
        about.order.map(OrderId::uuid),
        about.vendor_order.map(VendorOrderId::uuid),
        about.refund.map(RefundId::uuid),
        about.period.map(|p| p.0),
        about.period.map(|p| p.1),
        currency.code(),
        total,
        tax,
        content
    )
    .fetch_one(&mut *tx)
    .await
    .with_context(|| format!("{number} cannot be kept"))?;
    // The log is chained by hashes, so the facts of every paper are, too.
    let detail = json!({ "number": number, "content": hash });
    audit::record(tx, None, "document.issued", ("document", id), detail).await?;
    Ok(Some(id))
}

async fn issued_before(
    tx: &mut PgConnection,
    kind: Kind,
    vendor: VendorId,
    about: About,
    currency: Currency,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (
               select 1 from documents where kind = $1 and vendor_id = $2 and (vendor_order_id = $3 or vendor_order_id is null and $3::uuid is null)
                 and refund_id is not distinct from $4 and period_from is not distinct from $5
                 and period_until is not distinct from $6 and currency = $7) as "before!""#,
        kind.as_str(),
        vendor.uuid(),
        about.vendor_order.map(VendorOrderId::uuid),
        about.refund.map(RefundId::uuid),
        about.period.map(|p| p.0),
        about.period.map(|p| p.1),
        currency.code()
    )
    .fetch_one(tx)
    .await
}
