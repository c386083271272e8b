//! The platform's invoice to a vendor for a month's commission: what was frozen at the sales of the month, less what the books say
//! was returned in it. Asked for once when a month is over, whichever node is first.

use super::{
    issue::{About, issue},
    model::{CommissionInvoice, Fee, Paper, fitting_rate},
    party,
};
use crate::{
    ids::VendorId,
    money::Currency,
    server::{
        jobs::{self, Job},
        state::App,
    },
};
use sqlx::PgConnection;
use time::{Date, Duration, Month, OffsetDateTime};

/// A month is invoiced when it has been over for so long: what began before midnight has come to its end by then.
const SETTLED: Duration = Duration::hours(6);

/// Asks for the commission invoices of every month that is over and was not asked for. The sweeper calls it; `now` is the time.
///
/// # Errors
/// When the database does not answer.
pub async fn close_months(app: &App, now: OffsetDateTime) -> anyhow::Result<()> {
    let last = month_before((now.to_offset(time::UtcOffset::UTC) - SETTLED).date());
    let closed = sqlx::query_scalar!(r#"select max(month) as "month" from document_months"#).fetch_one(&app.pool).await?;
    // At first only the last month; later also those that went by while nobody looked.
    let mut month = closed.map_or(last, month_after);
    while month <= last {
        let mut tx = app.pool.begin().await?;
        let ours = sqlx::query!("insert into document_months (month) values ($1) on conflict do nothing", month)
            .execute(&mut *tx)
            .await?;
        if ours.rows_affected() == 1 {
            for vendor in vendors_of(&mut tx, month).await? {
                let job = Job::IssueCommissionInvoice { vendor, year: month.year(), month: month.month().into() };
                jobs::enqueue(&mut *tx, &job, Some(&format!("commission-invoice:{vendor}:{month}"))).await?;
            }
        }
        tx.commit().await?;
        month = month_after(month);
    }
    Ok(())
}

/// Who was charged commission in a month, or got some back.
async fn vendors_of(tx: &mut PgConnection, month: Date) -> sqlx::Result<Vec<VendorId>> {
    let (from, until) = (month.midnight().assume_utc(), month_after(month).midnight().assume_utc());
    sqlx::query_scalar!(
        r#"select v.vendor_id as "vendor!: VendorId" from vendor_orders v join orders o on o.id = v.order_id
           where o.placed_at >= $1 and o.placed_at < $2 and (v.fee_minor <> 0 or v.fee_vat_minor <> 0)
           union
           select v.vendor_id from ledger_transactions t join ledger_entries e on e.transaction_id = t.id
           join ledger_accounts a on a.id = e.account_id and a.kind in ('commission', 'commission_vat')
           join vendor_orders v on v.id = e.vendor_order_id
           where t.at >= $1 and t.at < $2 and t.cause <> 'payment'
           order by 1"#,
        from,
        until
    )
    .fetch_all(tx)
    .await
}

/// The job: a vendor's commission invoice of a month, one for each currency. Done twice, it finds them issued.
///
/// # Errors
/// When the month does not exist or the database does not answer.
pub async fn issue_commission_invoice(app: &App, vendor: VendorId, year: i32, month: u8) -> anyhow::Result<()> {
    let from = Date::from_calendar_date(year, Month::try_from(month)?, 1)?;
    let until = month_after(from).previous_day().unwrap_or(from);
    let mut tx = app.pool.begin().await?;
    for (currency, fees) in fees(&mut tx, vendor, from).await? {
        let paper = CommissionInvoice {
            platform: party::platform(&app.config),
            vendor: party::vendor(&mut tx, vendor).await?,
            from,
            until,
            currency,
            fees,
        };
        let about = About { period: Some((from, until)), ..About::default() };
        issue(&mut tx, vendor, about, Paper::CommissionInvoice(paper)).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn fees(tx: &mut PgConnection, vendor: VendorId, month: Date) -> anyhow::Result<Vec<(Currency, Vec<Fee>)>> {
    let (from, until) = (month.midnight().assume_utc(), month_after(month).midnight().assume_utc());
    let rows = sqlx::query!(
        r#"with sales as (
               select v.id, o.currency, v.shipping_minor, v.shipping_fee_minor, v.shipping_fee_vat_minor
               from vendor_orders v join orders o on o.id = v.order_id
               where v.vendor_id = $1 and o.placed_at >= $2 and o.placed_at < $3)
           select currency as "currency!: Currency", part as "part!", title as "title!", count as "count!", base as "base!", net as "net!", vat as "vat!"
           from (
               select s.currency, 1 as part, l.commission_rule as title, count(*) as count, sum(l.total_minor + l.platform_discount_minor)::bigint as base,
                      sum(l.fee_minor)::bigint as net, sum(l.fee_vat_minor)::bigint as vat
               from sales s join order_lines l on l.vendor_order_id = s.id group by 1, 3
               union all
               select currency, 2, '', count(*), sum(shipping_minor)::bigint, sum(shipping_fee_minor)::bigint, sum(shipping_fee_vat_minor)::bigint
               from sales where shipping_fee_minor <> 0 group by 1
               union all
               select t.currency, 3, '', count(distinct t.id), 0,
                      (-coalesce(sum(e.amount_minor) filter (where a.kind = 'commission'), 0))::bigint,
                      (-coalesce(sum(e.amount_minor) filter (where a.kind = 'commission_vat'), 0))::bigint
               from ledger_transactions t join ledger_entries e on e.transaction_id = t.id
               join ledger_accounts a on a.id = e.account_id and a.kind in ('commission', 'commission_vat')
               join vendor_orders v on v.id = e.vendor_order_id and v.vendor_id = $1
               where t.at >= $2 and t.at < $3 and t.cause <> 'payment' group by 1
           ) f where net <> 0 or vat <> 0 order by currency, part, title"#,
        vendor.uuid(),
        from,
        until
    )
    .fetch_all(&mut *tx)
    .await?;
    let rate = sqlx::query_scalar!(
        r#"select c.vat_rate_bp from vendors v join countries c on c.code = v.country where v.id = $1"#,
        vendor.uuid()
    )
    .fetch_optional(&mut *tx)
    .await?
    .unwrap_or_default();
    let mut by_currency: Vec<(Currency, Vec<Fee>)> = Vec::new();
    for row in rows {
        let base = crate::money::Money::new(row.base, row.currency);
        let (title, detail) = match row.part {
            1 if row.title.is_empty() => ("Commission on goods".to_owned(), format!("on {base} of sales")),
            1 => (format!("Commission: {}", row.title), format!("on {base} of sales")),
            2 => ("Commission on shipping".to_owned(), format!("on {base} of shipping")),
            _ => ("Returned with refunds and disputes".to_owned(), String::new()),
        };
        let fee = Fee {
            title,
            detail,
            count: row.count,
            net_minor: row.net,
            vat_minor: row.vat,
            vat_rate_bp: fitting_rate(rate, row.net, row.vat, row.count).or_else(|| fitting_rate(0, row.net, row.vat, 0)),
        };
        match by_currency.last_mut() {
            Some((currency, fees)) if *currency == row.currency => fees.push(fee),
            _ => by_currency.push((row.currency, vec![fee])),
        }
    }
    Ok(by_currency)
}

/// The first of the month after that of a day.
fn month_after(day: Date) -> Date {
    let (year, month) = match day.month() {
        Month::December => (day.year() + 1, Month::January),
        month => (day.year(), month.next()),
    };
    Date::from_calendar_date(year, month, 1).unwrap_or(day)
}

/// The first of the month before that of a day.
fn month_before(day: Date) -> Date {
    let first = day.replace_day(1).unwrap_or(day);
    first.previous_day().and_then(|last| last.replace_day(1).ok()).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn months_follow_one_another() {
        assert_eq!(month_after(date!(2026 - 12 - 31)), date!(2027 - 01 - 01));
        assert_eq!(month_after(date!(2026 - 01 - 31)), date!(2026 - 02 - 01));
        assert_eq!(month_before(date!(2026 - 01 - 01)), date!(2025 - 12 - 01));
        assert_eq!(month_before(date!(2026 - 03 - 31)), date!(2026 - 02 - 01));
    }
}
