//! What a vendor's dashboard opens with, read in one statement: with the session's and the person's that makes three for the page, however
//! much was sold. Each part is small by itself; what would grow with the sales comes from `figures`, which keeps it by day.

use crate::{
    figures::model::Known,
    ids::{ProductId, VendorOrderId},
    payouts::model::Balances,
    server::auth::Vendor,
    vendors::model::CURRENCY,
};
use serde::Deserialize;
use sqlx::{PgPool, types::Json};
use time::Date;

/// Fewer than this can be bought: worth a look.
const LOW: i32 = 4;
/// An order that waits longer than this is late.
pub const LATE_HOURS: i32 = 48;

/// Everything on the page.
pub struct Home {
    /// In UTC.
    pub today: Date,
    /// The shop's next holiday, as it stands in its row.
    pub holiday_from: Option<Date>,
    pub holiday_until: Option<Date>,
    pub holiday_message: String,
    /// Paid orders of which something has to leave, and how many of them are late.
    pub to_ship: i64,
    pub late: i64,
    /// The longest waiting first; at most 8.
    pub waiting: Json<Vec<Waiting>>,
    /// The scarcest first; at most 12.
    pub low: Json<Vec<LowStock>>,
    /// The last changed first; at most 6.
    pub drafts: Json<Vec<Draft>>,
    /// Returns that wait for an answer or for their receipt, and disputes without the vendor's words.
    pub returns: i64,
    pub disputes: i64,
    /// Shoppers who wait for an answer, the longest waiting first; at most 8, and how many there are.
    pub asked: Json<Vec<Asked>>,
    pub messages: i64,
    pub balances: Json<Balances>,
    /// `None`: not asked for yet.
    pub account: Option<Json<Account>>,
    /// The days of the span that anything is known of, and of as long before it.
    pub days: Json<Vec<Known>>,
    /// What brought most in the span; at most 8.
    pub best: Json<Vec<BestSeller>>,
}

/// A paid order that waits.
#[derive(Debug, Clone, Deserialize)]
pub struct Waiting {
    pub id: VendorOrderId,
    pub number: i64,
    pub ship_name: String,
    pub pieces: i64,
    /// Since it was paid.
    pub hours: i64,
}

/// An order about which a shopper wrote.
#[derive(Debug, Clone, Deserialize)]
pub struct Asked {
    pub id: VendorOrderId,
    pub number: i64,
    pub ship_name: String,
    /// Since it was asked first.
    pub hours: i64,
}

/// A variant on sale of which little or nothing is left.
#[derive(Debug, Clone, Deserialize)]
pub struct LowStock {
    pub product_id: ProductId,
    pub title: String,
    pub options: String,
    pub sku: String,
    /// Units that can be bought now.
    pub available: i32,
}

/// A product that was begun.
#[derive(Debug, Clone, Deserialize)]
pub struct Draft {
    pub id: ProductId,
    pub title: String,
}

/// Where the vendor's account at Stripe stands.
#[derive(Debug, Clone, Deserialize)]
pub struct Account {
    pub payouts_enabled: bool,
    pub stopped: bool,
    /// As Stripe names it.
    pub requirements_due: Vec<String>,
    /// `1 December`
    pub next_payout: String,
}

/// A product that was sold.
#[derive(Debug, Clone, Deserialize)]
pub struct BestSeller {
    pub product_id: ProductId,
    pub title: String,
    pub pieces: i64,
    /// After discounts, VAT included, in [`CURRENCY`].
    pub revenue_minor: i64,
    pub views: i64,
}

/// With figures of the last `span` days.
pub async fn read(pool: &PgPool, vendor: &Vendor, span: u16) -> sqlx::Result<Home> {
    sqlx::query_as!(
        Home,
        r#"with clock as materialized (select (now() at time zone 'UTC')::date as today),
           waiting as materialized (
               select v.id, o.number, o.ship_name, o.placed_at from vendor_orders v join orders o on o.id = v.order_id
               where v.vendor_id = $1 and v.fulfilment_status <> 'fulfilled' and o.status = 'placed' and o.payment_status <> 'refunded'
                 and parcel_waits(v.id))
           select clock.today as "today!", shop.holiday_from, shop.holiday_until, shop.holiday_message,
                  (select count(*) from waiting) as "to_ship!",
                  (select count(*) from waiting where placed_at < now() - make_interval(hours => $2)) as "late!",
                  (select coalesce(json_agg(x order by x.placed_at), '[]') from (
                      select w.id, w.number, w.ship_name, w.placed_at, floor(extract(epoch from now() - w.placed_at) / 3600)::bigint as hours,
                             (select sum(l.quantity) from order_lines l where l.vendor_order_id = w.id) as pieces
                      from waiting w order by w.placed_at limit 8) x) as "waiting!: Json<Vec<Waiting>>",
                  (select coalesce(json_agg(x order by x.available, x.title, x.position), '[]') from (
                      select p.id as product_id, p.title, array_to_string(v.option_values, ', ') as options, v.sku, v.position, s.free as available
                      from products p join variants v on v.product_id = p.id and not v.archived join stock s on s.variant_id = v.id
                      where p.vendor_id = $1 and p.status = 'published' and s.free < $3
                      order by s.free, p.title, v.position limit 12) x) as "low!: Json<Vec<LowStock>>",
                  (select coalesce(json_agg(x order by x.updated_at desc), '[]') from (
                      select id, title, updated_at from products where vendor_id = $1 and status = 'draft'
                      order by updated_at desc limit 6) x) as "drafts!: Json<Vec<Draft>>",
                  (select count(*) from returns t join vendor_orders v on v.id = t.vendor_order_id
                   where v.vendor_id = $1 and t.state in ('asked', 'sent')) as "returns!",
                  (select count(*) from disputes d
                   where d.status in ('warning_needs_response', 'needs_response') and d.submitted_at is null
                     and exists (select 1 from dispute_parts p join vendor_orders v on v.id = p.vendor_order_id
                                 where p.dispute_id = d.id and v.vendor_id = $1)
                     and not exists (select 1 from dispute_statements s where s.dispute_id = d.id and s.vendor_id = $1)) as "disputes!",
                  (select coalesce(json_agg(x order by x.asked_at), '[]') from (
                      select v.id, o.number, o.ship_name, v.asked_at, floor(extract(epoch from now() - v.asked_at) / 3600)::bigint as hours
                      from vendor_orders v join orders o on o.id = v.order_id
                      where v.vendor_id = $1 and v.asked_at is not null order by v.asked_at limit 8) x) as "asked!: Json<Vec<Asked>>",
                  (select count(*) from vendor_orders where vendor_id = $1 and asked_at is not null) as "messages!",
                  (select json_build_object(
                              'pending', coalesce(-sum(x.minor) filter (where x.kind = 'vendor_pending'), 0),
                              'payable', coalesce(-sum(x.minor) filter (where x.kind = 'vendor_payable'), 0),
                              'held', coalesce(sum(x.minor) filter (where x.kind = 'disputes_held'), 0),
                              'connected', coalesce(sum(x.minor) filter (where x.kind = 'connected'), 0),
                              'in_transit', coalesce(sum(x.minor) filter (where x.kind = 'payouts_in_transit'), 0))
                   from (select kind, ledger_balance(id) as minor from ledger_accounts where vendor_id = $1 and currency = $5) x)
                      as "balances!: Json<Balances>",
                  (select json_build_object('payouts_enabled', payouts_enabled, 'stopped', stopped_at is not null,
                                            'requirements_due', requirements_due,
                                            'next_payout', to_char(greatest(next_payout_on, clock.today), 'FMDD FMMonth'))
                   from vendor_accounts where vendor_id = $1 and stripe_account_id is not null) as "account: Json<Account>",
                  (select coalesce(json_agg(x), '[]') from (
                      select clock.today - f.day as ago, f.orders, f.pieces, f.revenue_minor, f.refunds_minor, f.returns, f.views
                      from vendor_day_figures f where f.vendor_id = $1 and f.day > clock.today - 2 * $4::int) x) as "days!: Json<Vec<Known>>",
                  (select coalesce(json_agg(x order by x.revenue_minor desc, x.title), '[]') from (
                      select p.id as product_id, p.title, sum(f.pieces)::bigint as pieces, sum(f.revenue_minor)::bigint as revenue_minor,
                             sum(f.views)::bigint as views
                      from product_day_figures f join products p on p.id = f.product_id
                      where f.vendor_id = $1 and f.day > clock.today - $4::int
                      group by p.id, p.title having sum(f.pieces) > 0
                      order by sum(f.revenue_minor) desc, p.title limit 8) x) as "best!: Json<Vec<BestSeller>>"
           from clock, vendors shop where shop.id = $1"#,
        vendor.id().uuid(),
        LATE_HOURS,
        LOW,
        i32::from(span),
        CURRENCY.code()
    )
    .fetch_one(pool)
    .await
}
