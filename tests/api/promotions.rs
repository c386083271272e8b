//! Reduced prices: by whom, from when to when, what is said beside them, and that nothing sells at a price nobody saw.

use crate::support::{Client, TestApp, World, purchase::assert_laws_hold};
use http::StatusCode;
use serde_json::Value;
use souk::promotions;
use sqlx::Row;
use time::{Duration, OffsetDateTime};

const PAGE: &str = "/vendor/promotions";

async fn promote(client: &mut Client, percent: &str, extra: &[(&str, &str)]) -> crate::support::Answer {
    let today = OffsetDateTime::now_utc().date();
    let (today, last) = (today.to_string(), (today + Duration::days(9)).to_string());
    let mut fields = vec![("name", "Autumn"), ("percent", percent), ("starts_on", today.as_str()), ("ends_on", last.as_str())];
    for (name, value) in extra {
        fields.retain(|(n, _)| n != name);
        fields.push((name, value));
    }
    client.post_form(PAGE, &fields).await
}

/// What a SKU costs now, regularly, and at least before, in minor units.
async fn prices(test: &TestApp, sku: &str) -> (i64, i64, Option<i64>) {
    let row = sqlx::query("select price_minor, regular_minor, prior_minor from variants where sku = $1")
        .bind(sku)
        .fetch_one(&test.app.pool)
        .await
        .expect("the variant");
    (row.get(0), row.get(1), row.get(2))
}

/// As if it had been written so many days ago.
async fn age_history(test: &TestApp, days: i32) {
    sqlx::query("update price_history set at = at - make_interval(days => $1)")
        .bind(days)
        .execute(&test.app.pool)
        .await
        .expect("older");
}

async fn end_all(test: &TestApp, mill: &mut Client) {
    let ids: Vec<uuid::Uuid> =
        sqlx::query_scalar("select id from promotions where state <> 'ended'").fetch_all(&test.app.pool).await.expect("ids");
    for id in ids {
        assert_eq!(mill.post_form(&format!("{PAGE}/{id}"), &[]).await.status, StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn a_promotion_reduces_prices_everywhere_and_gives_them_back() {
    let (test, _) = TestApp::new().await;
    age_history(&test, 60).await;
    let mut mill = test.vendor("mill").await;
    let (before, ..) = prices(&test, "MILL-PLAIN").await;
    let (of_kiln, ..) = prices(&test, "KILN-PLAIN").await;
    let answer = promote(&mut mill, "20", &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let reduced = before - (before as f64 * 0.2).round() as i64;
    assert_eq!(prices(&test, "MILL-PLAIN").await, (reduced, before, Some(before)));
    assert_eq!(prices(&test, "KILN-PLAIN").await, (of_kiln, of_kiln, None), "another's goods are none of it");

    // The shop, its lists and the API say it, with the lowest price of before; the vendor still edits its own.
    let pounds = |minor: i64| format!("£{}.{:02}", minor / 100, minor % 100);
    let mut guest = test.guest();
    let page = guest.get("/products/mill-plain").await.text();
    assert!(
        page.contains(&format!("{} incl. VAT; lowest price of the 30 days before: {}", pounds(reduced), pounds(before))),
        "{page}"
    );
    let card = guest.get("/vendors/mill").await;
    assert!(card.texts("s").contains(&pounds(before)), "{}", card.body);
    let product: Value = serde_json::from_str(&guest.get("/api/v1/products/mill-plain").await.body).expect("JSON");
    assert_eq!((&product["price"]["amount"], &product["was"]["amount"]), (&reduced.into(), &before.into()));
    assert_eq!(product["variants"][0]["was"]["amount"], before);
    let list: Value = serde_json::from_str(&guest.get("/api/v1/products?vendor=mill&q=plain").await.body).expect("JSON");
    assert!(list["data"].as_array().is_some_and(|items| items.iter().any(|i| i["was"]["amount"] == before)), "{list}");
    assert!(mill.get(PAGE).await.text().contains("running"));
    assert!(mill.get("/vendor/products").await.text().contains("now 20 % off"));
    assert_laws_hold(&test.app).await;

    // A price that its vendor changes meanwhile is the regular one, and is reduced as well.
    sqlx::query("update variants set price_minor = 2000 where sku = 'MILL-PLAIN'").execute(&test.app.pool).await.expect("dearer");
    assert_eq!(prices(&test, "MILL-PLAIN").await, (1600, 2000, Some(before)));
    end_all(&test, &mut mill).await;
    assert_eq!(prices(&test, "MILL-PLAIN").await, (2000, 2000, None));
    assert!(guest.get("/vendors/mill").await.texts("s").is_empty());
    assert_laws_hold(&test.app).await;
    let audited: i64 = sqlx::query_scalar("select count(*) from audit_log where action like 'promotion.%'")
        .fetch_one(&test.app.pool)
        .await
        .expect("the log");
    assert_eq!(audited, 2);
}

#[tokio::test]
async fn what_is_said_beside_it_is_the_lowest_price_of_thirty_days() {
    let (test, _) = TestApp::new().await;
    let mut mill = test.vendor("mill").await;
    let set = async |minor: i64, days_later: i32| {
        sqlx::query("update variants set price_minor = $1 where sku = 'MILL-PLAIN'")
            .bind(minor)
            .execute(&test.app.pool)
            .await
            .expect("a price");
        age_history(&test, days_later).await;
    };
    // 12.00 for long, 10.00 for some days that are over 31 days ago, 11.00 until 5 days ago, then 13.00.
    set(1200, 100).await;
    set(1000, 10).await;
    set(1100, 26).await;
    set(1300, 5).await;
    promote(&mut mill, "10", &[]).await;
    assert_eq!(prices(&test, "MILL-PLAIN").await, (1170, 1300, Some(1100)));
    // 11.70 is no less than 11.00: nothing is announced.
    let page = test.guest().get("/products/mill-plain").await.text();
    assert!(!page.contains("lowest price"), "{page}");
    // Taking more off without a break is measured by what was before the first.
    promote(&mut mill, "20", &[]).await;
    assert_eq!(prices(&test, "MILL-PLAIN").await, (1040, 1300, Some(1100)));
    assert!(test.guest().get("/products/mill-plain").await.text().contains("30 days before: £11.00"));
    // Back to less, the lower price of before counts.
    let deeper: uuid::Uuid =
        sqlx::query_scalar("select id from promotions where off_bp = 2000").fetch_one(&test.app.pool).await.expect("it");
    age_history(&test, 1).await;
    mill.post_form(&format!("{PAGE}/{deeper}"), &[]).await;
    assert_eq!(prices(&test, "MILL-PLAIN").await, (1170, 1300, Some(1040)));
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn it_begins_and_ends_by_the_clock_once_whoever_looks() {
    let (test, _) = TestApp::new().await;
    age_history(&test, 60).await;
    let mut mill = test.vendor("mill").await;
    let (before, ..) = prices(&test, "MILL-PLAIN").await;
    let tomorrow = (OffsetDateTime::now_utc().date() + Duration::days(1)).to_string();
    promote(&mut mill, "50", &[("starts_on", &tomorrow)]).await;
    let sweep = || async {
        promotions::sweep(&test.app).await.expect("swept");
    };
    sweep().await;
    assert_eq!(prices(&test, "MILL-PLAIN").await.0, before, "not yet");
    sqlx::query("update promotions set starts_at = now() - interval '1 second'").execute(&test.app.pool).await.expect("now");
    tokio::join!(sweep(), sweep(), sweep());
    let half = before - (before as f64 / 2.0).round() as i64;
    assert_eq!(prices(&test, "MILL-PLAIN").await.0, half);
    // Goods that come later are none of it.
    let later = "insert into variants (id, product_id, vendor_id, sku, option_values, price_minor, currency)
                 select gen_random_uuid(), product_id, vendor_id, 'MILL-LATER', '{later}', 900, 'GBP' from variants where sku = 'MILL-PLAIN'";
    sqlx::query(later).execute(&test.app.pool).await.expect("a variant");
    sqlx::query("insert into stock select id, 5 from variants where sku = 'MILL-LATER'")
        .execute(&test.app.pool)
        .await
        .expect("stock");
    sweep().await;
    assert_eq!(prices(&test, "MILL-LATER").await, (900, 900, None));
    sqlx::query("update promotions set ends_at = now()").execute(&test.app.pool).await.expect("over");
    tokio::join!(sweep(), sweep(), sweep());
    assert_eq!(prices(&test, "MILL-PLAIN").await, (before, before, None));
    let history: i64 = sqlx::query_scalar(
        "select count(*) from price_history h join variants v on v.id = h.variant_id where v.sku = 'MILL-PLAIN'",
    )
    .fetch_one(&test.app.pool)
    .await
    .expect("history");
    assert_eq!(history, 3, "at first, reduced, and given back");
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn it_can_be_for_a_category_or_one_product_and_is_nobody_elses() {
    let (test, _): (TestApp, World) = TestApp::new().await;
    let mut mill = test.vendor("mill").await;
    let product: uuid::Uuid = sqlx::query_scalar("select product_id from variants where sku = 'MILL-PLAIN'")
        .fetch_one(&test.app.pool)
        .await
        .expect("it");
    let product = product.to_string();
    assert!(mill.get(&format!("{PAGE}?product={product}")).await.text().contains("Reduce "));
    promote(&mut mill, "30", &[("product", &product)]).await;
    let reduced: i64 =
        sqlx::query_scalar("select count(*) from variants where off_bp = 3000").fetch_one(&test.app.pool).await.expect("n");
    assert_eq!(reduced, 1);
    end_all(&test, &mut mill).await;

    let mut kiln = test.vendor("kiln").await;
    assert_eq!(kiln.get(&format!("{PAGE}?product={product}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(promote(&mut kiln, "30", &[("product", &product)]).await.status, StatusCode::NOT_FOUND);
    let id: uuid::Uuid = sqlx::query_scalar("select id from promotions").fetch_one(&test.app.pool).await.expect("it");
    assert_eq!(kiln.post_form(&format!("{PAGE}/{id}"), &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(test.customer("ada").await.get(PAGE).await.status, StatusCode::FORBIDDEN);
    assert!(test.guest().get(PAGE).await.location().starts_with("/sign-in"));

    let refused = promote(&mut mill, "95", &[("ends_on", "")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("Take 1 to 90 percent off") && refused.body.contains("value=\"95\""), "{}", refused.text());
}

#[tokio::test]
async fn a_cart_is_told_when_its_price_changes() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    let variant = world.variant("MILL-PLAIN").to_string();
    guest.post_form("/cart/items", &[("variant_id", &variant), ("quantity", "1")]).await;
    promote(&mut test.vendor("mill").await, "25", &[]).await;
    let cart = guest.get("/cart").await;
    let (now, regular, _) = prices(&test, "MILL-PLAIN").await;
    assert!(now < regular);
    let shown = format!("£{}.{:02}", now / 100, now % 100);
    assert!(cart.text().contains(&shown), "{}", cart.text());
}
