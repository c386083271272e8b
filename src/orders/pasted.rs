//! Many parcels at once, from a pasted list: read line by line, looked up, sent one by one as any other.

use super::{
    model::OrderStatus,
    ship::{Carrier, Tracking, ship},
};
use crate::{
    error::AppError,
    ids::{OrderLineId, VendorOrderId},
    server::{auth::Vendor, state::App},
};
use serde::Deserialize;
use sqlx::{PgPool, types::Json};
use std::collections::{HashMap, HashSet};

/// The most lines of one list.
pub const MOST: usize = 500;

/// One line, as it was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pasted {
    /// From 1, as the list was pasted.
    pub line: usize,
    pub number: i64,
    pub tracking: String,
    /// Empty: the one for the whole list.
    pub carrier: String,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub line: usize,
    pub text: String,
    pub why: String,
}

/// Reads lines of order number, tracking number and, where it is another one, carrier: with tabs, commas or semicolons between them, or
/// spaces. Empty lines and a heading are passed over.
pub fn read(text: &str) -> (Vec<Pasted>, Vec<Wrong>) {
    let (mut good, mut wrong, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    let lines = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim())).filter(|(_, line)| !line.is_empty());
    for (place, (line, whole)) in lines.enumerate() {
        let mut fail = |why: &str| wrong.push(Wrong { line, text: whole.to_owned(), why: why.to_owned() });
        if place >= MOST {
            fail(&format!("A list has at most {MOST} lines; paste the rest after these."));
            continue;
        }
        let fields: Vec<&str> = match whole.contains(['\t', ',', ';']) {
            true => whole.split(['\t', ',', ';']).map(|field| field.trim().trim_matches('"').trim()).collect(),
            false => whole.splitn(2, char::is_whitespace).map(str::trim).collect(),
        };
        let field = |n: usize| fields.get(n).copied().unwrap_or_default();
        let Ok(number) = field(0).trim_start_matches('#').parse::<i64>() else {
            if place > 0 || field(0).chars().any(|c| c.is_ascii_digit()) {
                fail("This does not begin with the number of an order.");
            }
            continue;
        };
        if !seen.insert(number) {
            fail("This order stands in the list already.");
        } else if field(1).parse::<Tracking>().is_err() {
            fail("A tracking number has at most 80 characters.");
        } else if !field(2).is_empty() && field(2).parse::<Carrier>().is_err() {
            fail("A carrier's name has at most 60 characters.");
        } else {
            good.push(Pasted { line, number, tracking: field(1).to_owned(), carrier: field(2).to_owned() });
        }
    }
    (good, wrong)
}

/// A parcel that can be sent: everything of it that is left.
#[derive(Debug, Clone)]
pub struct Ready {
    pub pasted: Pasted,
    pub id: VendorOrderId,
    pub ship_name: String,
    pub left: Vec<(OrderLineId, i32)>,
}

impl Ready {
    pub fn pieces(&self) -> i64 {
        self.left.iter().map(|(_, pieces)| i64::from(*pieces)).sum()
    }
}

#[derive(Debug, Deserialize)]
struct Left {
    id: OrderLineId,
    left: i32,
}

/// Finds the vendor's parcels of a list, and says of each of the others why it cannot be sent.
pub async fn look_up(pool: &PgPool, vendor: &Vendor, list: Vec<Pasted>) -> sqlx::Result<(Vec<Ready>, Vec<Wrong>)> {
    let numbers: Vec<i64> = list.iter().map(|pasted| pasted.number).collect();
    let rows = sqlx::query!(
        r#"select v.id as "id: VendorOrderId", o.number, o.ship_name, o.status as "status: OrderStatus", o.payment_status = 'refunded' as "refunded!",
                  coalesce((select json_agg(json_build_object('id', l.id, 'left', l.left) order by l.position) from (
                      select l.id, l.position, l.quantity - coalesce((select sum(s.quantity) from shipment_lines s where s.line_id = l.id), 0)
                             - coalesce((select sum(p.quantity) from refund_parts p join refunds r on r.id = p.refund_id
                                         where p.line_id = l.id and r.state <> 'failed'), 0) as left
                      from order_lines l where l.vendor_order_id = v.id) l where l.left > 0), '[]') as "left!: Json<Vec<Left>>"
           from vendor_orders v join orders o on o.id = v.order_id
           where v.vendor_id = $1 and o.number = any($2) and o.placed_at is not null"#,
        vendor.id().uuid(),
        &numbers
    )
    .fetch_all(pool)
    .await?;
    let mut found: HashMap<i64, _> = rows.into_iter().map(|row| (row.number, row)).collect();
    let (mut ready, mut wrong) = (Vec::new(), Vec::new());
    for pasted in list {
        let why = match found.remove(&pasted.number) {
            None => "There is no paid order of yours with this number.",
            Some(row) if row.refunded || row.status != OrderStatus::Placed => "This order was cancelled.",
            Some(row) if row.left.is_empty() => "Everything of this order has left already.",
            Some(row) => {
                let left = row.left.0.into_iter().map(|line| (line.id, line.left)).collect();
                ready.push(Ready { pasted, id: row.id, ship_name: row.ship_name, left });
                continue;
            }
        };
        wrong.push(Wrong { line: pasted.line, text: pasted.number.to_string(), why: why.to_owned() });
    }
    Ok((ready, wrong))
}

/// Sends each of them, all that is left of it; one that cannot be sent by now does not keep the others back.
///
/// # Errors
/// When the database does not answer; those before it are sent.
pub async fn send(app: &App, vendor: &Vendor, list: &[Ready], carrier: &str) -> Result<(usize, Vec<Wrong>), AppError> {
    let (mut sent, mut wrong) = (0, Vec::new());
    for parcel in list {
        let own = parcel.pasted.carrier.as_str();
        let carrier = if own.is_empty() { carrier } else { own };
        match ship(app, vendor, parcel.id, &parcel.left, carrier, &parcel.pasted.tracking).await {
            Ok(_) => sent += 1,
            Err(error @ AppError::Internal) => return Err(error),
            Err(error) => {
                let text = format!("{}, {}", parcel.pasted.number, parcel.pasted.tracking);
                wrong.push(Wrong { line: parcel.pasted.line, text, why: error.to_string() });
            }
        }
    }
    Ok((sent, wrong))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<(i64, String, String)> {
        read(text).0.into_iter().map(|p| (p.number, p.tracking, p.carrier)).collect()
    }

    #[test]
    fn lists_of_every_kind_are_read() {
        let one = |carrier: &str| vec![(100_001, "AB 12".to_owned(), carrier.to_owned())];
        assert_eq!(numbers("100001 AB 12"), one(""));
        assert_eq!(numbers("Order,Tracking\r\n\r\n#100001, AB 12 ,DPD\r\n"), one("DPD"));
        assert_eq!(numbers("100001\tAB 12\tDPD"), one("DPD"));
        assert_eq!(numbers("\"100001\";\"AB 12\""), one(""));
        assert_eq!(numbers("100001"), [(100_001, String::new(), String::new())]);
        assert_eq!(numbers(""), []);
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_line() {
        let wrong: Vec<_> = read(&format!("Order Tracking\n100001 A\n\nnothing B\n100001 C\n100002 {}", "x".repeat(81)))
            .1
            .into_iter()
            .map(|w| w.line)
            .collect();
        assert_eq!(wrong, [4, 5, 6]);
        let many: String = (0..=MOST).map(|n| format!("{n}\n")).collect();
        assert_eq!(read(&many).1.len(), 1);
    }
}
