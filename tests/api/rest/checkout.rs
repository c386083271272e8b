//! From the cart to an order that can be paid.

use super::*;
use crate::support::{Card, TestApp};

#[tokio::test]
async fn a_guest_orders_and_pays() {
    let (test, world) = TestApp::with_services().await;
    let mut guest = test.guest();
    put(&mut guest, &world, "KILN-PLAIN", 1).await;
    let cart = put(&mut guest, &world, "MILL-PLAIN", 2).await.json();
    let mut body = checkout_body();
    body["shipping"] = json!({ "mill": "express" });
    body["expected_total"] =
        json!({ "amount": cart["totals"]["total"]["amount"].as_i64().expect("a total") + 455, "currency": "GBP" });
    let answer = post(&mut guest, "/checkout", &body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let made = answer.json();
    let (order, payment) = (&made["order"], &made["payment"]);
    assert_eq!(
        answer.header("location").map(str::to_owned),
        Some(format!("/api/v1/orders/{}", order["id"].as_str().expect("id")))
    );
    assert_eq!((order["status"].as_str(), order["payment_status"].as_str()), (Some("pending"), Some("unpaid")));
    assert_eq!(order["totals"]["total"]["amount"], 1000 + 395 + 2000 + 850);
    assert_eq!(order["vendor_orders"].as_array().map(Vec::len), Some(2));
    assert!(order["number"].as_i64().is_some_and(|n| n > 100_000) && payment["id"].is_string());
    assert!(payment["expires_at"].as_str().is_some_and(|t| t.ends_with('Z')), "{payment}");

    let page = payment["url"].as_str().expect("a page").to_owned();
    test.services().pay(&page, Card::Good).await;
    let id: souk::ids::OrderId = order["id"].as_str().expect("id").parse().expect("an id");
    souk::payments::settle_order(&test.app, id).await.expect("settled");
    let path = format!("/orders/{id}");
    problem(&get(&mut test.guest(), &path).await, StatusCode::NOT_FOUND, "not-found");
    let token = order["token"].as_str().expect("a token");
    let read = get(&mut test.guest(), &format!("{path}?token={token}")).await;
    assert_eq!((read.status, read.json()["status"].as_str()), (StatusCode::OK, Some("placed")));
    assert!(read.json()["timeline"].as_array().is_some_and(|t| t.iter().any(|e| e["kind"] == "paid")));
    assert_eq!(get(&mut guest, "/cart").await.json()["items"], json!([]));
    while souk::server::jobs::drain(&test.app).await.expect("jobs run") > 0 {}
}

#[tokio::test]
async fn a_checkout_is_refused_with_its_reason() {
    let (test, world) = TestApp::with_services().await;
    let mut guest = test.guest();
    problem(&post(&mut guest, "/checkout", &checkout_body()).await, StatusCode::CONFLICT, "cart-empty");
    put(&mut guest, &world, "MILL-LAST", 1).await;
    let with = |name: &str, value: Value| {
        let mut body = checkout_body();
        body[name] = value;
        body
    };
    let to = |name: &str, value: Value| {
        let mut body = checkout_body();
        body["shipping_address"][name] = value;
        body
    };
    for (body, field) in [
        (with("email", json!("nobody")), "email"),
        (with("email", Value::Null), "email"),
        (with("coupon", json!("SUMMER")), "coupon"),
        (with("shipping", json!({ "mill": "balloon" })), "shipping.mill"),
        (with("expected_total", json!({ "amount": 1, "currency": "EUR" })), "expected_total"),
        (with("gift", json!(true)), "gift"),
        (to("country", json!("XX")), "shipping_address.country"),
        (to("city", json!("")), "shipping_address.city"),
        (to("line2", json!("x".repeat(121))), "shipping_address.line2"),
    ] {
        let refused = problem(&post(&mut guest, "/checkout", &body).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
        assert!(refused["errors"].get(field).is_some(), "{field}: {refused}");
    }
    sqlx::query("update variants set price_minor = 800 where sku = 'MILL-LAST'").execute(&test.app.pool).await.expect("dearer");
    let dearer = problem(&post(&mut guest, "/checkout", &checkout_body()).await, StatusCode::CONFLICT, "price-changed");
    assert_eq!((&dearer["was"]["amount"], &dearer["now"]["amount"]), (&json!(777 + 395), &json!(800 + 395)));
    let agreed = with("expected_total", json!({ "amount": 1195, "currency": "GBP" }));
    sqlx::query("update stock set on_hand = 0 where variant_id = $1")
        .bind(world.variant("MILL-LAST"))
        .execute(&test.app.pool)
        .await
        .expect("sold");
    assert_eq!(problem(&post(&mut guest, "/checkout", &agreed).await, StatusCode::CONFLICT, "sold-out")["left"], 0);
    let orders: i64 = sqlx::query_scalar("select count(*) from orders").fetch_one(&test.app.pool).await.expect("a count");
    assert_eq!(orders, 0);
}

#[tokio::test]
async fn without_the_payment_service_the_order_is_kept_for_the_next_try() {
    let (test, world) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    put(&mut ada, &world, "MILL-PLAIN", 1).await;
    for _ in 0..2 {
        let away = post_once(&mut ada, "/checkout", &checkout_body(), "a purchase").await;
        problem(&away, StatusCode::SERVICE_UNAVAILABLE, "payment-unavailable");
        assert!(away.header("retry-after").is_some());
    }
    let orders: i64 = sqlx::query_scalar("select count(*) from orders").fetch_one(&test.app.pool).await.expect("a count");
    assert_eq!(orders, 1);
}
