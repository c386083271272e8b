//! An order as the checkout leaves it: pending, its stock held, not yet opened for payment.

use souk::{
    ids::OrderId,
    orders::order_token,
    server::{jobs, state::App},
};
use sqlx::Row;
use uuid::Uuid;

/// An unpaid order and the way to it.
#[derive(Debug, Clone)]
pub struct Unpaid {
    pub id: OrderId,
    /// `?token=…`
    pub token: String,
    pub total: i64,
}

impl Unpaid {
    /// The guest's address of the order, or of something below it (`/return`).
    pub fn path(&self, rest: &str) -> String {
        format!("/orders/{}{rest}?token={}", self.id, self.token)
    }
}

/// Orders `(SKU, pieces)` for a person (`None`: a guest), each vendor shipping for £3.95. `None` when something is sold out.
pub async fn order(app: &App, user: Option<Uuid>, goods: &[(&str, i32)]) -> Option<Unpaid> {
    let id = OrderId::new();
    let key = Uuid::now_v7();
    let token = order_token(app, key).expect("a token");
    let mut tx = app.pool.begin().await.expect("a transaction");
    let mut lines = Vec::new();
    for (sku, quantity) in goods {
        let row = sqlx::query(
            "select x.id, x.product_id, x.vendor_id, x.price_minor, p.title, p.slug, v.name, v.slug as vendor_slug
             from variants x join products p on p.id = x.product_id join vendors v on v.id = x.vendor_id where x.sku = $1",
        )
        .bind(sku)
        .fetch_one(&mut *tx)
        .await
        .expect("the variant");
        lines.push((row, *quantity, *sku));
    }
    lines.sort_by_key(|(row, ..)| row.get::<Uuid, _>("id"));
    for (row, quantity, _) in &lines {
        let held = sqlx::query("update stock set held = held + $2 where variant_id = $1 and on_hand - held >= $2")
            .bind(row.get::<Uuid, _>("id"))
            .bind(quantity)
            .execute(&mut *tx)
            .await
            .expect("the hold");
        if held.rows_affected() == 0 {
            return None;
        }
    }
    let mut vendors: Vec<Uuid> = lines.iter().map(|(row, ..)| row.get("vendor_id")).collect();
    vendors.sort();
    vendors.dedup();
    let items: i64 = lines.iter().map(|(row, q, _)| row.get::<i64, _>("price_minor") * i64::from(*q)).sum();
    let shipping = 395 * vendors.len() as i64;
    let total = items + shipping;
    sqlx::query(
        "insert into orders (id, user_id, email, token_hash, checkout_key, currency, items_minor, shipping_minor, tax_minor, total_minor,
                             ship_name, ship_line1, ship_city, ship_postal_code, ship_country, hold_expires_at)
         values ($1, $2, 'ada@example.com', $3, $4, 'GBP', $5, $6, 0, $7, 'Ada Buyer', '1 Mill Lane', 'Leeds', 'LS1 1AA', 'GB',
                 now() + interval '15 minutes')",
    )
    .bind(id.uuid())
    .bind(user)
    .bind(token.hash())
    .bind(key)
    .bind(items)
    .bind(shipping)
    .bind(total)
    .execute(&mut *tx)
    .await
    .expect("the order");
    for vendor in vendors {
        let parcel = Uuid::now_v7();
        let own: Vec<_> = lines.iter().filter(|(row, ..)| row.get::<Uuid, _>("vendor_id") == vendor).collect();
        let items: i64 = own.iter().map(|(row, q, _)| row.get::<i64, _>("price_minor") * i64::from(*q)).sum();
        sqlx::query(
            "insert into vendor_orders (id, order_id, vendor_id, vendor_name, vendor_slug, shipping_code, shipping_name, min_days, max_days,
                                        items_minor, shipping_minor, tax_minor, total_minor)
             values ($1, $2, $3, $4, $5, 'standard', 'Standard', 2, 4, $6, 395, 0, $7)",
        )
        .bind(parcel)
        .bind(id.uuid())
        .bind(vendor)
        .bind(own[0].0.get::<String, _>("name"))
        .bind(own[0].0.get::<String, _>("vendor_slug"))
        .bind(items)
        .bind(items + 395)
        .execute(&mut *tx)
        .await
        .expect("the vendor order");
        for (row, quantity, sku) in own {
            let price: i64 = row.get("price_minor");
            sqlx::query(
                "insert into order_lines (id, order_id, vendor_order_id, product_id, variant_id, product_slug, title, sku, quantity,
                                          unit_price_minor, tax_rate_bp, tax_minor, total_minor)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 2000, 0, $11)",
            )
            .bind(Uuid::now_v7())
            .bind(id.uuid())
            .bind(parcel)
            .bind(row.get::<Uuid, _>("product_id"))
            .bind(row.get::<Uuid, _>("id"))
            .bind(row.get::<String, _>("slug"))
            .bind(row.get::<String, _>("title"))
            .bind(sku)
            .bind(quantity)
            .bind(price)
            .bind(price * i64::from(*quantity))
            .execute(&mut *tx)
            .await
            .expect("the line");
            sqlx::query("insert into stock_holds (order_id, variant_id, quantity) values ($1, $2, $3)")
                .bind(id.uuid())
                .bind(row.get::<Uuid, _>("id"))
                .bind(quantity)
                .execute(&mut *tx)
                .await
                .expect("the hold's row");
        }
    }
    tx.commit().await.expect("the order is written");
    Some(Unpaid { id, token: token.to_string(), total })
}

/// Where an order stands: `(status, payment status, fulfilment status)`.
pub async fn standing(app: &App, order: OrderId) -> (String, String, String) {
    let row = sqlx::query("select status, payment_status, fulfilment_status from orders where id = $1")
        .bind(order.uuid())
        .fetch_one(&app.pool)
        .await
        .expect("the order");
    (row.get(0), row.get(1), row.get(2))
}

/// Stock of a SKU: `(on hand, held)`.
pub async fn stock(app: &App, sku: &str) -> (i32, i32) {
    let row = sqlx::query("select on_hand, held from stock join variants v on v.id = variant_id where sku = $1")
        .bind(sku)
        .fetch_one(&app.pool)
        .await
        .expect("the stock");
    (row.get(0), row.get(1))
}

/// Lets the time for which the order's goods are held be over.
pub async fn let_hold_end(app: &App, order: OrderId) {
    sqlx::query("update orders set hold_expires_at = now() - interval '1 second', swept_at = null where id = $1")
        .bind(order.uuid())
        .execute(&app.pool)
        .await
        .expect("the hold ends");
}

/// A number that the database knows.
pub async fn count(app: &App, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&app.pool).await.expect("a number")
}

/// Nothing is oversold, every hold is accounted for, every sum is right: all laws of `souk verify`.
pub async fn assert_laws_hold(app: &App) {
    let findings = souk::prove::verify(&app.pool).await.expect("the laws can be checked");
    let broken: Vec<_> = findings.into_iter().filter(|f| f.violations > 0).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

/// A paid order of these goods, as the card page leaves it.
pub async fn paid(test: &super::TestApp, user: Option<Uuid>, goods: &[(&str, i32)]) -> Unpaid {
    let unpaid = order(&test.app, user, goods).await.expect("stock");
    pay(test, &unpaid).await;
    unpaid
}

/// Pays an order by card.
pub async fn pay(test: &super::TestApp, unpaid: &Unpaid) {
    let page = souk::payments::open(&test.app, unpaid.id).await.expect("a page");
    test.services().pay(&page, super::Card::Good).await;
    souk::payments::settle_order(&test.app, unpaid.id).await.expect("settled");
    assert_eq!(standing(&test.app, unpaid.id).await.0, "placed");
}

/// A vendor's parcel of an order, and its lines in order of their SKUs.
pub async fn parcel_of(test: &super::TestApp, order: &Unpaid, vendor: &str) -> (Uuid, Vec<Uuid>) {
    let parcel: Uuid = sqlx::query_scalar("select id from vendor_orders where order_id = $1 and vendor_slug = $2")
        .bind(order.id.uuid())
        .bind(vendor)
        .fetch_one(&test.app.pool)
        .await
        .expect("a parcel");
    let lines = sqlx::query_scalar("select id from order_lines where vendor_order_id = $1 order by sku")
        .bind(parcel)
        .fetch_all(&test.app.pool)
        .await
        .expect("its lines");
    (parcel, lines)
}

/// Waits until Stripe has told everything, and handles it.
pub async fn deliver_all(test: &super::TestApp) {
    let sandbox = &test.services().stripe.sandbox;
    for _ in 0..200 {
        sandbox.release_held().await.expect("released");
        while jobs::drain(&test.app).await.expect("handled") > 0 {}
        let open = sandbox.deliveries(500).await.expect("deliveries");
        if open.iter().all(|d| matches!(d.state.as_str(), "delivered" | "failed" | "dropped")) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    while jobs::drain(&test.app).await.expect("handled") > 0 {}
}

/// A vendor goes to Stripe and says who it is and where its bank is; answers its account.
pub async fn onboard(test: &super::TestApp, vendor: &str) -> String {
    let mut person = test.vendor(vendor).await;
    person.post_form("/vendor/payouts/account", &[]).await;
    let account: String = sqlx::query_scalar(
        "select a.stripe_account_id from vendor_accounts a join vendors v on v.id = a.vendor_id where v.slug = $1",
    )
    .bind(vendor)
    .fetch_one(&test.app.pool)
    .await
    .expect("an account");
    test.services().stripe.sandbox.onboard(&account, None).await.expect("Stripe is content");
    assert_eq!(person.get("/vendor/payouts/return").await.location(), "/vendor/payouts");
    account
}

/// The vendor sends its whole parcel of an order and says that it has arrived, so that its money is released.
pub async fn arrived(test: &super::TestApp, order: &Unpaid, vendor: &str) {
    let (parcel, _) = parcel_of(test, order, vendor).await;
    let lines: Vec<(Uuid, i32)> = sqlx::query_as("select id, quantity from order_lines where vendor_order_id = $1")
        .bind(parcel)
        .fetch_all(&test.app.pool)
        .await
        .expect("its lines");
    let mut fields: Vec<(String, String)> =
        lines.iter().map(|(line, pieces)| (format!("lines[{line}]"), pieces.to_string())).collect();
    fields.extend([("carrier".to_owned(), "DPD".to_owned()), ("tracking".to_owned(), String::new())]);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let mut person = test.vendor(vendor).await;
    for (what, fields) in [("shipments", fields.as_slice()), ("delivered", &[])] {
        let answer = person.post_form(&format!("/vendor/orders/{parcel}/{what}"), fields).await;
        assert_eq!(answer.status, http::StatusCode::SEE_OTHER, "{what}: {}", answer.text());
    }
}
