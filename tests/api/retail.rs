//! Real invoices bought through the shop's own pages: what people paid then is what the shop takes now, to the penny.

use crate::support::{Card, Client, TestApp, checkout_form, purchase::assert_laws_hold};
use http::StatusCode;
use souk::replay::{self, Purchase, Retail};
use sqlx::{PgPool, Row};
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// How many invoices are bought.
const INVOICES: usize = 60;

/// The file of real invoices beside the project, else our own of the same shape.
fn file() -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let real = project.join("../shared/data/online-retail.csv.gz");
    if real.exists() { real } else { project.join("tests/data/retail.csv") }
}

async fn bought(file: &Path) {
    let (test, _) = TestApp::with_services().await;
    let retail = replay::read(file).expect("the invoices");
    let folder = std::env::temp_dir().join(format!("souk-retail-{}", Uuid::now_v7()));
    std::fs::create_dir(&folder).expect("a folder");
    let opened = replay::open(&test.app, &retail, &folder).await;
    std::fs::remove_dir_all(&folder).expect("the folder goes");
    opened.expect("the stalls open");
    let variants = variants(&test.app.pool, &retail).await;

    let purchases = &retail.purchases[..retail.purchases.len().min(INVOICES)];
    assert!(purchases.len() >= 50, "only {} invoices", purchases.len());
    for purchase in purchases {
        let order = buy(&test, purchase, &variants).await;
        compare(&test, &retail, purchase, order).await;
    }
    let paid: i64 = purchases.iter().map(|p| retail.total(p)).sum();
    let charged: i64 = sqlx::query_scalar(
        "select sum((doc->>'amount_captured')::bigint - (doc->>'amount_refunded')::bigint)::bigint from stripe_sandbox.objects
         where kind = 'charge'",
    )
    .fetch_one(&test.app.pool)
    .await
    .expect("the charges");
    assert_eq!(charged, paid, "what the cards were charged is what the invoices say");
    let sold: i64 = purchases.iter().flat_map(|p| &p.lines).map(|(_, quantity)| i64::from(*quantity)).sum();
    let all: i64 = retail.goods.iter().map(|g| g.stock).sum();
    let left: i64 =
        sqlx::query_scalar("select sum(on_hand)::bigint from stock join variants v on v.id = variant_id where v.sku = any($1)")
            .bind(retail.goods.iter().map(|g| g.sku()).collect::<Vec<_>>())
            .fetch_one(&test.app.pool)
            .await
            .expect("the stock");
    assert_eq!(left, all - sold);
    assert_laws_hold(&test.app).await;
}

/// The variants of the shop, in the order of [`Retail::goods`]; each has the price and stock of the rules, at its code's vendor.
async fn variants(pool: &PgPool, retail: &Retail) -> Vec<Uuid> {
    let rows = sqlx::query(
        "select x.id, x.sku, x.price_minor, s.on_hand, v.slug, p.title from variants x join stock s on s.variant_id = x.id
         join vendors v on v.id = x.vendor_id join products p on p.id = x.product_id where v.slug like 'stall-__'",
    )
    .fetch_all(pool)
    .await
    .expect("the shelves");
    assert_eq!(rows.len(), retail.goods.len());
    let by_sku: HashMap<String, _> = rows.into_iter().map(|r| (r.get("sku"), r)).collect();
    retail
        .goods
        .iter()
        .map(|goods| {
            let row = &by_sku[&goods.sku()];
            assert_eq!(row.get::<i64, _>("price_minor"), goods.price_minor);
            assert_eq!(i64::from(row.get::<i32, _>("on_hand")), goods.stock);
            assert_eq!(row.get::<String, _>("slug"), replay::vendor_slug(goods.vendor));
            assert_eq!(row.get::<String, _>("title"), goods.title);
            row.get("id")
        })
        .collect()
}

/// Fills a cart, checks out, pays at the sandbox's page and comes back: as a guest's browser does it.
async fn buy(test: &TestApp, purchase: &Purchase, variants: &[Uuid]) -> Uuid {
    let mut guest: Client = test.guest();
    for (goods, quantity) in &purchase.lines {
        let (variant, quantity) = (variants[*goods].to_string(), quantity.to_string());
        let answer = guest.post_form("/cart/items", &[("variant_id", &variant), ("quantity", &quantity)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}: {}", purchase.invoice, answer.text());
    }
    let form = checkout_form(&guest.get("/checkout").await);
    let fields: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = guest.post_form("/checkout", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}: {}", purchase.invoice, answer.text());
    let (status, back) = test.services().pay(answer.location(), Card::Good).await;
    assert_eq!(status, 303, "{}", purchase.invoice);
    let path = back.split_once("/orders/").map(|(_, rest)| format!("/orders/{rest}")).expect("the way back");
    let answer = guest.get(&path).await;
    let order = answer.location().strip_prefix("/orders/").and_then(|rest| rest.get(..36)).expect("the order's page");
    order.parse().expect("an id")
}

/// Order, vendor orders and charge against the invoice.
async fn compare(test: &TestApp, retail: &Retail, purchase: &Purchase, order: Uuid) {
    let pool = &test.app.pool;
    let invoice = &purchase.invoice;
    let row = sqlx::query("select status, payment_status, total_minor from orders where id = $1").bind(order);
    let row = row.fetch_one(pool).await.expect("the order");
    assert_eq!((row.get("status"), row.get("payment_status")), ("placed", "paid"), "{invoice}");
    assert_eq!(row.get::<i64, _>("total_minor"), retail.total(purchase), "{invoice}");
    let parts = sqlx::query("select vendor_slug, total_minor from vendor_orders where order_id = $1").bind(order);
    let parts: BTreeMap<String, i64> =
        parts.fetch_all(pool).await.expect("its parts").iter().map(|r| (r.get(0), r.get(1))).collect();
    let expected: BTreeMap<String, i64> =
        retail.by_vendor(purchase).into_iter().map(|(v, minor)| (replay::vendor_slug(v), minor)).collect();
    assert_eq!(parts, expected, "{invoice}");
    let intent: String = sqlx::query_scalar("select stripe_intent_id from payments where order_id = $1 and state = 'paid'")
        .bind(order)
        .fetch_one(pool)
        .await
        .expect("its payment");
    let charged: i64 = sqlx::query_scalar(
        "select (doc->>'amount_captured')::bigint from stripe_sandbox.objects where kind = 'charge' and doc->>'payment_intent' = $1",
    )
    .bind(&intent)
    .fetch_one(pool)
    .await
    .expect("its charge");
    assert_eq!(charged, retail.total(purchase), "{invoice}");
}

#[tokio::test]
async fn sixty_real_invoices_are_bought_to_the_penny() {
    bought(&file()).await;
}

#[tokio::test]
async fn a_long_invoice_is_paid_as_one_line_per_vendor() {
    let (test, _) = TestApp::with_services().await;
    let retail = replay::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/retail.csv")).expect("the invoices");
    let folder = std::env::temp_dir().join(format!("souk-retail-{}", Uuid::now_v7()));
    std::fs::create_dir(&folder).expect("a folder");
    replay::open(&test.app, &retail, &folder).await.expect("the stalls open");
    replay::open(&test.app, &retail, &folder).await.expect("a second time changes nothing");
    std::fs::remove_dir_all(&folder).expect("the folder goes");
    let variants = variants(&test.app.pool, &retail).await;
    let long = retail.purchases.iter().max_by_key(|p| p.lines.len()).expect("a purchase");
    assert!(long.lines.len() > 100);
    let order = buy(&test, long, &variants).await;
    compare(&test, &retail, long, order).await;
}
