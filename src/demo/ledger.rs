//! Writes planned orders: the only place beside checkout that makes orders, for a past that nobody clicked together.
//! The constraints of the schema check every sum; the derived statuses come from their one writer.

use super::orders::{Fate, Line, Order, Parcel};
use crate::{
    ids::{CategoryId, CommissionRuleId},
    ledger::{
        self,
        commission::{self, Fees, Goods, Rule},
    },
    money::BasisPoints,
    orders,
    sandbox::stripe::past::{self, PastPayment},
    server::{
        jobs::{self, Job},
        state::App,
    },
};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::HashMap;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// The vendor with terms of its own, and the goods with theirs.
const FOUNDER: &str = "mill";
const CHEAPER: &str = "food";

/// Everything of every order, oldest first.
pub async fn write(app: &App, tx: &mut PgConnection, orders: &[Order]) -> anyhow::Result<()> {
    heads(app, tx, orders).await?;
    let rules = rules(tx).await?;
    let fees = commission(tx, orders, &rules).await?;
    parcels(tx, orders, &fees).await?;
    lines(tx, orders, &fees).await?;
    holds(tx, orders).await?;
    shipments(tx, orders).await?;
    payments(tx, app, orders).await?;
    crate::payments::give_parts(tx).await?;
    events(tx, orders).await?;
    for order in orders {
        orders::derive_statuses(tx, order.id.into()).await?;
    }
    papers(tx, orders).await?;
    Ok(())
}

/// Invoices and credit notes are written by the same jobs as anybody's.
async fn papers(tx: &mut PgConnection, orders: &[Order]) -> sqlx::Result<()> {
    for order in orders.iter().filter(|o| o.fate.paid()) {
        jobs::enqueue(&mut *tx, &Job::IssueInvoices { order: order.id.into() }, None).await?;
    }
    for order in orders.iter().filter(|o| o.refunded > 0) {
        jobs::enqueue(&mut *tx, &Job::IssueCreditNotes { refund: order.refund.into() }, None).await?;
    }
    Ok(())
}

/// One column of a statement that inserts from `unnest`.
fn column<'a, R, T>(rows: impl IntoIterator<Item = &'a R>, value: impl Fn(&R) -> T) -> Vec<T>
where
    R: 'a,
{
    rows.into_iter().map(value).collect()
}

async fn heads(app: &App, tx: &mut PgConnection, orders: &[Order]) -> anyhow::Result<()> {
    let tokens =
        orders.iter().map(|o| Ok(orders::order_token(app, o.checkout_key)?.hash())).collect::<anyhow::Result<Vec<Vec<u8>>>>()?;
    let status = |o: &Order| match o.fate {
        Fate::Open | Fate::Declined => "pending",
        Fate::Expired | Fate::DeclinedExpired => "expired",
        Fate::Cancelled => "cancelled",
        Fate::Waiting | Fate::Partial | Fate::Fulfilled | Fate::PartRefunded => "placed",
    };
    let closed = |o: &Order| matches!(status(o), "expired" | "cancelled").then_some(o.closed_at);
    sqlx::query!(
        "insert into orders (id, user_id, email, token_hash, checkout_key, status, currency, items_minor, shipping_minor, tax_minor,
                             total_minor, ship_name, ship_line1, ship_line2, ship_city, ship_postal_code, ship_country,
                             hold_expires_at, created_at, placed_at, closed_at)
         select o.id, o.buyer, o.email, o.token, o.checkout, o.status, $20, o.items, o.shipping, o.tax, o.items + o.shipping,
                o.name, o.line1, o.line2, o.city, o.postal_code, o.country, o.hold, o.at, o.placed, o.closed
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::uuid[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[],
                     $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
                     $16::timestamptz[], $17::timestamptz[], $18::timestamptz[], $19::timestamptz[])
              o(id, buyer, email, token, checkout, status, items, shipping, tax, name, line1, line2, city, postal_code, country,
                hold, at, placed, closed)
         order by o.at",
        &column(orders, |o| o.id),
        &column(orders, |o| o.user) as &[Option<Uuid>],
        &column(orders, |o| o.email.clone()),
        &tokens,
        &column(orders, |o| o.checkout_key),
        &column(orders, |o| status(o).to_owned()),
        &column(orders, |o| o.parcels.iter().map(|p| p.items).sum::<i64>()),
        &column(orders, |o| o.parcels.iter().map(|p| p.shipping).sum::<i64>()),
        &column(orders, |o| o.parcels.iter().map(|p| p.tax).sum::<i64>()),
        &column(orders, |o| o.name.clone()),
        &column(orders, |o| o.address[0].clone()),
        &column(orders, |o| o.address[1].clone()),
        &column(orders, |o| o.address[2].clone()),
        &column(orders, |o| o.address[3].clone()),
        &column(orders, |o| o.address[4].clone()),
        &column(orders, |o| o.hold_expires_at),
        &column(orders, |o| o.at),
        &column(orders, |o| o.fate.paid().then_some(o.paid_at)) as &[Option<OffsetDateTime>],
        &column(orders, closed) as &[Option<OffsetDateTime>],
        app.config.currency.code()
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Rules beside the one that every shop has: a kind of goods, and a vendor of the first hour.
async fn rules(tx: &mut PgConnection) -> sqlx::Result<Vec<Rule>> {
    sqlx::query!("update commission_rules set position = position + 2 where archived_at is null").execute(&mut *tx).await?;
    sqlx::query!(
        "insert into commission_rules (id, position, name, vendor_id, percent_bp, on_shipping)
         select gen_random_uuid(), 1, 'Founding vendors', id, 600, true from vendors where slug = $1",
        FOUNDER
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "insert into commission_rules (id, position, name, category_id, percent_bp, fixed_minor, cap_minor)
         select gen_random_uuid(), 2, name, id, 800, 20, 1500 from categories where slug = $1",
        CHEAPER
    )
    .execute(&mut *tx)
    .await?;
    Ok(ledger::rules::in_order(tx).await?.iter().map(ledger::rules::NamedRule::rule).collect())
}

/// The commission of every parcel, by its id.
async fn commission<'r>(tx: &mut PgConnection, orders: &[Order], rules: &'r [Rule]) -> sqlx::Result<HashMap<Uuid, Fees<'r>>> {
    let paths = sqlx::query!(
        r#"select p.id, c.path as "path: Vec<CategoryId>" from products p join categories c on c.id = p.category_id"#
    );
    let paths: HashMap<Uuid, Vec<CategoryId>> = paths.fetch_all(&mut *tx).await?.into_iter().map(|r| (r.id, r.path)).collect();
    let rates = sqlx::query!("select v.id, n.vat_rate_bp from vendors v join countries n on n.code = v.country");
    let rates: HashMap<Uuid, i32> = rates.fetch_all(tx).await?.into_iter().map(|r| (r.id, r.vat_rate_bp)).collect();
    let goods = |l: &Line| Goods {
        product: Some(l.good.product.into()),
        categories: paths.get(&l.good.product).cloned().unwrap_or_default(),
        quantity: l.quantity,
        gross_minor: l.total,
    };
    let of = |order: &Order, parcel: &Parcel| {
        let sold = commission::Parcel {
            vendor: parcel.vendor.into(),
            vat: BasisPoints(rates.get(&parcel.vendor).copied().unwrap_or(0)),
            shipping_minor: parcel.shipping,
            lines: parcel.lines.iter().map(goods).collect(),
        };
        (parcel.id, commission::fees(rules, &sold, order.at.date()))
    };
    Ok(orders.iter().flat_map(|o| o.parcels.iter().map(move |p| (o, p))).map(|(o, p)| of(o, p)).collect())
}

async fn parcels(tx: &mut PgConnection, orders: &[Order], fees: &HashMap<Uuid, Fees<'_>>) -> sqlx::Result<()> {
    let all: Vec<_> = orders.iter().flat_map(|o| o.parcels.iter().map(move |p| (o, p))).collect();
    let of = |p: &Parcel| fees.get(&p.id).map(|f| (f.total(), f.shipping)).unwrap_or_default();
    sqlx::query!(
        "insert into vendor_orders (id, order_id, vendor_id, vendor_name, vendor_slug, shipping_code, shipping_name, min_days, max_days,
                                    items_minor, shipping_minor, tax_minor, fee_minor, fee_vat_minor, shipping_fee_minor,
                                    shipping_fee_vat_minor, total_minor)
         select v.*, v.items + v.shipping
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[], $9::int[],
                     $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[])
              v(id, purchase, vendor, name, slug, code, method, least, most, items, shipping, tax, fee, vat, shipping_fee, shipping_vat)",
        &column(&all, |(_, p)| p.id),
        &column(&all, |(o, _)| o.id),
        &column(&all, |(_, p)| p.vendor),
        &column(&all, |(_, p)| p.vendor_name.clone()),
        &column(&all, |(_, p)| p.vendor_slug.clone()),
        &column(&all, |(_, p)| p.shipping_code.clone()),
        &column(&all, |(_, p)| p.shipping_name.clone()),
        &column(&all, |(_, p)| p.days[0]),
        &column(&all, |(_, p)| p.days[1]),
        &column(&all, |(_, p)| p.items),
        &column(&all, |(_, p)| p.shipping),
        &column(&all, |(_, p)| p.tax),
        &column(&all, |(_, p)| of(p).0.fee_minor),
        &column(&all, |(_, p)| of(p).0.vat_minor),
        &column(&all, |(_, p)| of(p).1.fee_minor),
        &column(&all, |(_, p)| of(p).1.vat_minor)
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn lines(tx: &mut PgConnection, orders: &[Order], fees: &HashMap<Uuid, Fees<'_>>) -> sqlx::Result<()> {
    let all: Vec<_> = orders
        .iter()
        .flat_map(|o| o.parcels.iter().flat_map(move |p| p.lines.iter().enumerate().map(move |(i, l)| (o, p, i as i32, l))))
        .collect();
    let of = |p: &Parcel, i: i32| fees.get(&p.id).and_then(|f| f.lines.get(i as usize)).copied().unwrap_or_default();
    sqlx::query!(
        "insert into order_lines (id, order_id, vendor_order_id, product_id, variant_id, product_slug, title, sku, options, picture_id,
                                  quantity, unit_price_minor, tax_rate_bp, tax_minor, position, commission_rule_id, commission_rule,
                                  fee_minor, fee_vat_minor, total_minor)
         select l.*, l.quantity * l.price
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::jsonb[],
                     $10::uuid[], $11::int[], $12::bigint[], $13::int[], $14::bigint[], $15::int[], $16::uuid[], $17::text[],
                     $18::bigint[], $19::bigint[])
              l(id, purchase, parcel, product, variant, slug, title, sku, options, picture, quantity, price, rate, tax, position,
                rule, rule_name, fee, vat)",
        &column(&all, |(_, _, _, l)| l.id),
        &column(&all, |(o, _, _, _)| o.id),
        &column(&all, |(_, p, _, _)| p.id),
        &column(&all, |(_, _, _, l)| l.good.product),
        &column(&all, |(_, _, _, l)| l.good.variant),
        &column(&all, |(_, _, _, l)| l.good.slug.clone()),
        &column(&all, |(_, _, _, l)| l.good.title.clone()),
        &column(&all, |(_, _, _, l)| l.good.sku.clone()),
        &column(&all, |(_, _, _, l)| l.good.options.clone()),
        &column(&all, |(_, _, _, l)| l.good.picture) as &[Option<Uuid>],
        &column(&all, |(_, _, _, l)| l.quantity),
        &column(&all, |(_, _, _, l)| l.good.price),
        &column(&all, |(o, _, _, _)| o.tax_rate),
        &column(&all, |(_, _, _, l)| l.tax),
        &column(&all, |(_, _, i, _)| *i),
        &column(&all, |(_, p, i, _)| of(p, *i).0.and_then(|r| r.id).map(CommissionRuleId::uuid)) as &[Option<Uuid>],
        &column(&all, |(_, p, i, _)| of(p, *i).0.map(|r| r.name.clone()).unwrap_or_default()),
        &column(&all, |(_, p, i, _)| of(p, *i).1.fee_minor),
        &column(&all, |(_, p, i, _)| of(p, *i).1.vat_minor)
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The stock in the files is what is on the shelf today, so what was sold before has left it already; only what an
/// open order holds is counted.
async fn holds(tx: &mut PgConnection, orders: &[Order]) -> sqlx::Result<()> {
    let state = |o: &Order| match o.fate {
        Fate::Open | Fate::Declined => "held",
        Fate::Expired | Fate::DeclinedExpired | Fate::Cancelled => "released",
        Fate::Waiting | Fate::Partial | Fate::Fulfilled | Fate::PartRefunded => "taken",
    };
    let all: Vec<_> =
        orders.iter().flat_map(|o| o.parcels.iter().flat_map(move |p| p.lines.iter().map(move |l| (o, l)))).collect();
    sqlx::query!(
        "insert into stock_holds (order_id, variant_id, quantity, state) select * from unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[])",
        &column(&all, |(o, _)| o.id),
        &column(&all, |(_, l)| l.good.variant),
        &column(&all, |(_, l)| l.quantity),
        &column(&all, |(o, _)| state(o).to_owned())
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "update stock s set held = s.held + h.quantity
         from (select variant_id, sum(quantity)::int as quantity from stock_holds where order_id = any($1) and state = 'held' group by 1) h
         where s.variant_id = h.variant_id",
        &column(orders, |o| o.id)
    )
    .execute(tx)
    .await?;
    Ok(())
}

async fn shipments(tx: &mut PgConnection, orders: &[Order]) -> sqlx::Result<()> {
    let all: Vec<_> = orders.iter().flat_map(|o| &o.parcels).flat_map(|p| p.shipments.iter().map(move |s| (p, s))).collect();
    sqlx::query!(
        "insert into shipments (id, vendor_order_id, carrier, tracking, shipped_by, shipped_at)
         select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[])",
        &column(&all, |(_, s)| s.id),
        &column(&all, |(p, _)| p.id),
        &column(&all, |(_, s)| s.carrier.clone()),
        &column(&all, |(_, s)| s.tracking.clone()),
        &column(&all, |(_, s)| s.by),
        &column(&all, |(_, s)| s.at)
    )
    .execute(&mut *tx)
    .await?;
    let pieces: Vec<(Uuid, Uuid, i32)> = all
        .iter()
        .flat_map(|(p, s)| s.pieces.iter().filter_map(|(line, n)| p.lines.get(*line).map(|l| (s.id, l.id, *n))))
        .collect();
    sqlx::query!(
        "insert into shipment_lines (shipment_id, line_id, quantity) select * from unnest($1::uuid[], $2::uuid[], $3::int[])",
        &column(&pieces, |p| p.0),
        &column(&pieces, |p| p.1),
        &column(&pieces, |p| p.2)
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// One attempt for every order that somebody tried to pay. None is open, so the sweeper has nothing to ask Stripe about; the
/// sandbox is told of each, so that it can be looked up and refunded there.
async fn payments(tx: &mut PgConnection, app: &App, orders: &[Order]) -> sqlx::Result<()> {
    let tried: Vec<&Order> = orders.iter().filter(|o| o.fate.paid() || o.fate.declined()).collect();
    for order in &tried {
        past::remember(tx, &at_stripe(order, app)).await?;
    }
    let hex = |o: &&Order| o.payment.simple().to_string();
    sqlx::query!(
        "insert into payments (id, order_id, attempt, state, amount_minor, currency, idempotency_key, stripe_session_id, stripe_intent_id,
                               failure, expires_at, created_at, settled_at)
         select p.id, p.purchase, 1, case when p.paid then 'paid' else 'failed' end, p.amount, $8, 'demo-' || p.hex, 'cs_demo_' || p.hex,
                'pi_demo_' || p.hex, case when not p.paid then 'Your card was declined.' end, p.at + interval '30 minutes', p.at, p.settled
         from unnest($1::uuid[], $2::uuid[], $3::bool[], $4::bigint[], $5::text[], $6::timestamptz[], $7::timestamptz[])
              p(id, purchase, paid, amount, hex, at, settled)",
        &column(&tried, |o| o.payment),
        &column(&tried, |o| o.id),
        &column(&tried, |o| o.fate.paid()),
        &column(&tried, |o| o.total()),
        &column(&tried, hex),
        &column(&tried, |o| o.at),
        &column(&tried, |o| o.paid_at),
        app.config.currency.code()
    )
    .execute(&mut *tx)
    .await?;
    let refunded: Vec<&Order> = orders.iter().filter(|o| o.refunded > 0).collect();
    sqlx::query!(
        "insert into refunds (id, payment_id, amount_minor, reason, state, idempotency_key, stripe_refund_id, created_at, settled_at)
         select r.id, r.payment, r.amount, r.reason, 'succeeded', 'demo-refund-' || r.hex, 're_demo_' || r.hex, r.at, r.at + interval '1 minute'
         from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[]) r(id, payment, amount, reason, hex, at)",
        &column(&refunded, |o| o.refund),
        &column(&refunded, |o| o.payment),
        &column(&refunded, |o| o.refunded),
        &column(&refunded, |o| if o.fate == Fate::Cancelled { "cancelled" } else { "stripe_dashboard" }.to_owned()),
        &column(&refunded, hex),
        &column(&refunded, |o| refunded_at(o))
    )
    .execute(tx)
    .await?;
    Ok(())
}

fn at_stripe(order: &Order, app: &App) -> PastPayment {
    PastPayment {
        mark: format!("demo_{}", order.payment.simple()),
        paid: order.fate.paid(),
        amount: order.total(),
        currency: app.config.currency.code().to_lowercase(),
        email: order.email.clone(),
        name: order.name.clone(),
        metadata: json!({ "order_id": order.id, "payment_id": order.payment }),
        at: order.paid_at,
        refunded: (order.refunded > 0).then(|| (order.refunded, refunded_at(order))),
    }
}

fn refunded_at(order: &Order) -> OffsetDateTime {
    let sent = order.parcels.iter().flat_map(|p| &p.shipments).map(|s| s.at).max();
    sent.map_or(order.closed_at, |at| at + Duration::days(3)).min(OffsetDateTime::now_utc() - Duration::minutes(2))
}

struct Event {
    order: Uuid,
    parcel: Option<Uuid>,
    kind: &'static str,
    detail: Value,
    actor: Option<Uuid>,
    at: OffsetDateTime,
}

/// The timeline, as the functions that shopper, vendor and Stripe call would have written it.
fn timeline(order: &Order) -> Vec<Event> {
    let event = |kind, detail, actor, at| Event { order: order.id, parcel: None, kind, detail, actor, at };
    let mut events = vec![event("created", json!({}), order.user, order.at)];
    if order.fate.declined() {
        events.push(event("payment_failed", json!({ "message": "Your card was declined." }), None, order.paid_at));
    }
    if order.fate.paid() {
        events.push(event("paid", json!({}), None, order.paid_at));
    }
    for parcel in &order.parcels {
        for shipment in &parcel.shipments {
            let contents: Vec<String> = shipment
                .pieces
                .iter()
                .filter_map(|(line, n)| parcel.lines.get(*line).map(|l| format!("{n} × {}", l.good.title)))
                .collect();
            let detail = json!({
                "carrier": shipment.carrier, "tracking": shipment.tracking, "vendor": parcel.vendor_name, "contents": contents
            });
            events.push(Event { parcel: Some(parcel.id), ..event("shipped", detail, Some(shipment.by), shipment.at) });
        }
    }
    match order.fate {
        Fate::Cancelled => events.push(event("cancelled", json!({ "refund": order.refunded }), order.user, order.closed_at)),
        Fate::Expired | Fate::DeclinedExpired => events.push(event("expired", json!({}), None, order.closed_at)),
        _ => {}
    }
    if order.refunded > 0 {
        let at = refunded_at(order) + Duration::minutes(1);
        events.push(event("refunded", json!({ "amount": order.refunded }), None, at));
    }
    events.sort_by_key(|e| e.at);
    events
}

async fn events(tx: &mut PgConnection, orders: &[Order]) -> sqlx::Result<()> {
    let all: Vec<Event> = orders.iter().flat_map(timeline).collect();
    sqlx::query!(
        "insert into order_events (order_id, vendor_order_id, kind, detail, actor_id, at, actor_vendor_id)
         select e.*, m.vendor_id from unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[], $5::uuid[], $6::timestamptz[])
             e(of, parcel, kind, detail, actor, at) left join vendor_members m on m.user_id = e.actor",
        &column(&all, |e| e.order),
        &column(&all, |e| e.parcel) as &[Option<Uuid>],
        &column(&all, |e| e.kind.to_owned()),
        &column(&all, |e| e.detail.clone()),
        &column(&all, |e| e.actor) as &[Option<Uuid>],
        &column(&all, |e| e.at)
    )
    .execute(tx)
    .await?;
    Ok(())
}
