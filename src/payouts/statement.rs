//! A vendor's statement, read from the books alone: nothing is added up that is not booked, so that it agrees with them to the penny.

use super::model::{Movement, Period, Statement, StatementLine};
use crate::{
    ids::{OrderId, VendorId},
    money::Currency,
};
use sqlx::PgPool;
use time::OffsetDateTime;

/// What is owed to a vendor at the beginning and the end of a month, and every movement between; `None` where there is no such vendor.
pub async fn statement(db: &PgPool, vendor: VendorId, period: Period, currency: Currency) -> sqlx::Result<Option<Statement>> {
    // One moment of the books: what is booked meanwhile is in none of the figures.
    let mut tx = db.begin().await?;
    sqlx::query!("set transaction isolation level repeatable read, read only").execute(&mut *tx).await?;
    let name = sqlx::query_scalar!("select name from vendors where id = $1", vendor.uuid()).fetch_optional(&mut *tx).await?;
    let Some(vendor_name) = name else { return Ok(None) };
    let (from, until) = (period.start(), period.end());
    let opening_minor = sqlx::query_scalar!(
        r#"select coalesce(-sum(e.amount_minor), 0)::bigint as "sum!" from ledger_accounts a
           join ledger_entries e on e.account_id = a.id join ledger_transactions t on t.id = e.transaction_id
           where a.vendor_id = $1 and a.currency = $2 and a.kind in ('vendor_pending', 'vendor_payable', 'disputes_held') and t.at < $3"#,
        vendor.uuid(),
        currency.code(),
        from
    )
    .fetch_one(&mut *tx)
    .await?;
    let rows = sqlx::query!(
        r#"with own as (
               select id, kind from ledger_accounts where vendor_id = $1 and currency = $2
           ), touched as (
               select distinct t.id from own join ledger_entries e on e.account_id = own.id
               join ledger_transactions t on t.id = e.transaction_id where t.at >= $3 and t.at < $4
           )
           select t.at, t.cause, t.step, t.memo, t.order_id as "order?: OrderId", o.number as "number?",
                  -- what is owed to the vendor grows by
                  coalesce(-sum(e.amount_minor) filter (where own.kind in ('vendor_pending', 'vendor_payable', 'disputes_held')), 0)::bigint
                      as "net!",
                  -- what the market keeps of this vendor's sales
                  coalesce(-sum(e.amount_minor) filter (where a.kind in ('commission', 'commission_vat') and v.vendor_id = $1), 0)::bigint
                      as "fee!",
                  coalesce(-sum(e.amount_minor) filter (where own.kind = 'vendor_payable'), 0)::bigint as "payable!",
                  coalesce(sum(e.amount_minor) filter (where own.kind = 'connected'), 0)::bigint as "connected!"
           from touched join ledger_transactions t on t.id = touched.id
           join ledger_entries e on e.transaction_id = t.id join ledger_accounts a on a.id = e.account_id
           left join own on own.id = a.id left join vendor_orders v on v.id = e.vendor_order_id left join orders o on o.id = t.order_id
           group by t.id, o.number order by t.at, t.id"#,
        vendor.uuid(),
        currency.code(),
        from,
        until
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.rollback().await?;

    let mut balance = opening_minor;
    let mut lines = Vec::with_capacity(rows.len());
    let mut line = |at: OffsetDateTime, movement, note: &str, order, amount_minor: i64, moved_minor: i64| {
        balance += amount_minor;
        lines.push(StatementLine {
            at,
            movement,
            note: note.to_owned(),
            order,
            amount_minor,
            moved_minor,
            balance_minor: balance,
        });
    };
    for row in rows {
        let order = row.order.zip(row.number);
        // Goods and fee stand in one transaction; a statement tells them apart.
        let gross = row.net + row.fee;
        match row.cause.as_str() {
            // What the market alone had paid for goes back to it.
            "payment" if row.step == "called_off" => {
                line(row.at, Movement::Refund, "the order was called off", order, gross, 0);
                if row.fee != 0 {
                    line(row.at, Movement::FeeReturned, "", order, -row.fee, 0);
                }
            }
            "payment" => {
                line(row.at, Movement::Sale, "", order, gross, 0);
                if row.fee != 0 {
                    line(row.at, Movement::Fee, "", order, -row.fee, 0);
                }
            }
            "refund" => {
                let note = if row.step == "failed" { "taken back: it could not be sent" } else { "" };
                line(row.at, Movement::Refund, note, order, gross, 0);
                if row.fee != 0 {
                    line(row.at, Movement::FeeReturned, note, order, -row.fee, 0);
                }
            }
            "dispute" => {
                line(row.at, Movement::Dispute, &row.step, order, gross, 0);
                if row.fee != 0 {
                    line(row.at, Movement::FeeReturned, &row.step, order, -row.fee, 0);
                }
            }
            "release" => line(row.at, Movement::Released, "", order, row.net, row.payable),
            "transfer" => line(row.at, Movement::Transfer, "", order, row.net, row.connected),
            "transfer_reversal" => line(row.at, Movement::TransferBack, "", order, row.net, row.connected),
            "payout" => {
                let note = match row.step.as_str() {
                    "sent" => "on its way to your bank",
                    "paid" => "arrived at your bank",
                    "failed" => "did not arrive",
                    "returned" => "sent back by your bank",
                    other => other,
                };
                line(row.at, Movement::Payout, note, None, row.net, row.connected);
            }
            _ => line(row.at, Movement::Correction, &row.memo, order, row.net, 0),
        }
    }
    Ok(Some(Statement { vendor, vendor_name, currency, from, until, opening_minor, closing_minor: balance, lines }))
}

/// The months of which a vendor has a statement, newest first: from the first booking to now; at most ten years.
pub async fn months(db: &PgPool, vendor: VendorId, now: OffsetDateTime) -> sqlx::Result<Vec<Period>> {
    let first = sqlx::query_scalar!(
        "select min(t.at) from ledger_accounts a
         join lateral (select transaction_id from ledger_entries e where e.account_id = a.id order by e.id limit 1) e on true
         join ledger_transactions t on t.id = e.transaction_id where a.vendor_id = $1",
        vendor.uuid()
    )
    .fetch_one(db)
    .await?;
    let first = Period::of(first.unwrap_or(now).date());
    let mut month = Period::of(now.date());
    let mut months = vec![month];
    while month > first && months.len() < 120 {
        month = month.previous();
        months.push(month);
    }
    Ok(months)
}

/// The statement as a table that a spreadsheet opens. Amounts have a point and two decimals.
pub fn csv(statement: &Statement) -> Result<Vec<u8>, csv::Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let plain = |minor| statement.money(minor).plain();
    let day = |at: OffsetDateTime| at.date().to_string();
    let opening = plain(statement.opening_minor);
    out.write_record(["Date", "Movement", "Note", "Order", "Amount", "Moved", "Balance", "Currency"])?;
    let currency = statement.currency.code();
    out.write_record([&day(statement.from), "Opening balance", "", "", "", "", &opening, currency])?;
    for line in &statement.lines {
        let number = line.order.map(|(_, number)| number.to_string()).unwrap_or_default();
        let moved = if line.moved_minor == 0 { String::new() } else { plain(line.moved_minor) };
        let (at, amount, balance) = (day(line.at), plain(line.amount_minor), plain(line.balance_minor));
        // What a person wrote must not be taken for a formula.
        let note =
            if line.note.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{}", line.note) } else { line.note.clone() };
        out.write_record([&at, line.movement.words(), &note, &number, &amount, &moved, &balance, currency])?;
    }
    let closing = plain(statement.closing_minor);
    out.write_record([&day(statement.until - time::Duration::DAY), "Closing balance", "", "", "", "", &closing, currency])?;
    out.into_inner().map_err(|e| e.into_error().into())
}
