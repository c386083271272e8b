//! What a rule would have brought: the goods of the last thirty days, reckoned by the rules as they stand and by the rules as they
//! would be. Nothing is written, and what was frozen on those sales is not asked.

use super::commission::{Fee, Goods, Parcel, Rule, fees};
use crate::{
    ids::{CategoryId, ProductId, VendorId, VendorOrderId},
    money::BasisPoints,
    server::auth::Operator,
};
use futures::TryStreamExt;
use sqlx::PgPool;
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// How many days are looked back at.
pub const DAYS: i32 = 30;

/// One vendor's month, or everybody's. Minor units; fees without VAT.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Month {
    pub vendor: String,
    pub lines: i64,
    /// What the vendor sold, shipping included, before any fee.
    pub gross_minor: i64,
    pub fee_now_minor: i64,
    pub fee_then_minor: i64,
    /// Lines that the draft would decide.
    pub decided: i64,
}

impl Month {
    pub fn difference_minor(&self) -> i64 {
        self.fee_then_minor - self.fee_now_minor
    }

    fn add(&mut self, other: &Month) {
        self.lines += other.lines;
        self.gross_minor += other.gross_minor;
        self.fee_now_minor += other.fee_now_minor;
        self.fee_then_minor += other.fee_then_minor;
        self.decided += other.decided;
    }
}

/// What the last thirty days would have come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WhatIf {
    /// The largest difference first.
    pub vendors: Vec<Month>,
    pub all: Month,
}

/// One parcel while its lines come in.
struct Open {
    id: VendorOrderId,
    vendor_name: String,
    at: OffsetDateTime,
    parcel: Parcel,
}

/// Compares two lists of rules over everything that was paid in the last thirty days. Take the window off a
/// draft (a rule without id) before: it is tried as if it had been in force all the time. Of goods that changed their category since, today's counts.
pub async fn compare(pool: &PgPool, _proof: &Operator, now: &[Rule], then: &[Rule]) -> sqlx::Result<WhatIf> {
    let mut months: BTreeMap<VendorId, Month> = BTreeMap::new();
    let mut open: Option<Open> = None;
    let query = sqlx::query!(
        r#"select v.id as "id: VendorOrderId", v.vendor_id as "vendor: VendorId", v.vendor_name, v.shipping_minor, o.placed_at as "at!",
                  l.product_id as "product: ProductId", l.quantity, l.total_minor + l.platform_discount_minor as "gross!",
                  coalesce(c.path, '{}') as "categories!: Vec<CategoryId>", coalesce(n.vat_rate_bp, 0) as "vat!"
           from orders o join vendor_orders v on v.order_id = o.id join order_lines l on l.vendor_order_id = v.id
           join vendors s on s.id = v.vendor_id left join countries n on n.code = s.country
           left join products p on p.id = l.product_id left join categories c on c.id = p.category_id
           where o.placed_at > now() - make_interval(days => $1)
           order by v.id, l.position, l.id"#,
        DAYS
    );
    let mut rows = query.fetch(pool);
    while let Some(row) = rows.try_next().await? {
        if open.as_ref().is_none_or(|o| o.id != row.id) {
            if let Some(done) = open.take() {
                count(&mut months, done, now, then);
            }
            let parcel =
                Parcel { vendor: row.vendor, vat: BasisPoints(row.vat), shipping_minor: row.shipping_minor, lines: Vec::new() };
            open = Some(Open { id: row.id, vendor_name: row.vendor_name, at: row.at, parcel });
        }
        if let Some(open) = &mut open {
            let goods =
                Goods { product: row.product, categories: row.categories, quantity: row.quantity, gross_minor: row.gross };
            open.parcel.lines.push(goods);
        }
    }
    if let Some(done) = open {
        count(&mut months, done, now, then);
    }
    let mut all = Month::default();
    let mut vendors: Vec<Month> = months.into_values().inspect(|m| all.add(m)).collect();
    vendors.sort_by_key(|m| (std::cmp::Reverse(m.difference_minor().abs()), m.vendor.clone()));
    Ok(WhatIf { vendors, all })
}

fn count(months: &mut BTreeMap<VendorId, Month>, done: Open, now: &[Rule], then: &[Rule]) {
    let Open { parcel, at, vendor_name, .. } = done;
    let day = at.to_offset(time::UtcOffset::UTC).date();
    let (before, after) = (fees(now, &parcel, day), fees(then, &parcel, day));
    let Fee { fee_minor: fee_now_minor, .. } = before.total();
    let Fee { fee_minor: fee_then_minor, .. } = after.total();
    let decided = after.lines.iter().filter(|(rule, _)| rule.is_some_and(|r| r.id.is_none())).count() as i64;
    let month = months.entry(parcel.vendor).or_default();
    month.vendor = vendor_name;
    month.add(&Month {
        vendor: String::new(),
        lines: parcel.lines.len() as i64,
        gross_minor: parcel.lines.iter().map(|l| l.gross_minor).sum::<i64>() + parcel.shipping_minor,
        fee_now_minor,
        fee_then_minor,
        decided,
    });
}
