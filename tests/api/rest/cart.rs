//! The cart: the session's, or the person's.

use super::*;
use crate::support::TestApp;

#[tokio::test]
async fn someone_else_may_not_touch_a_cart() {
    let (test, world) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    let item = put(&mut ada, &world, "MILL-PLAIN", 2).await.json()["items"][0]["id"].as_str().expect("id").to_owned();
    let path = format!("/cart/items/{item}");
    for mut other in [test.customer("bob").await, test.guest()] {
        problem(&patch(&mut other, &path, &json!({ "quantity": 5 })).await, StatusCode::NOT_FOUND, "not-found");
        problem(&delete(&mut other, &path).await, StatusCode::NOT_FOUND, "not-found");
        assert_eq!(delete(&mut other, "/cart").await.status, StatusCode::OK);
    }
    assert_eq!(get(&mut ada, "/cart").await.json()["items"][0]["quantity"], 2);
}

#[tokio::test]
async fn a_guest_fills_and_empties_a_cart() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    let empty = get(&mut guest, "/cart").await.json();
    assert!(empty["id"].is_null() && empty["items"] == json!([]) && empty["totals"]["total"]["amount"] == 0, "{empty}");
    let first = put(&mut guest, &world, "MILL-SMALL", 2).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert!(guest.cookie("souk_cart").is_some(), "a cart of its own");
    assert_eq!(first.json()["items"][0]["quantity"], 2);
    put(&mut guest, &world, "MILL-SMALL", 3).await;
    let cart = put(&mut guest, &world, "KILN-PLAIN", 1).await.json();
    assert_eq!(cart["items"].as_array().map(Vec::len), Some(2));
    let line = &cart["items"][0];
    assert_eq!(
        (line["quantity"].as_i64(), line["available"].as_i64(), line["sku"].as_str()),
        (Some(5), Some(10), Some("MILL-SMALL"))
    );
    assert_eq!((&line["unit_price"]["amount"], &line["total"]["amount"]), (&json!(1250), &json!(6250)));
    assert!(line["problem"].is_null());
    assert_eq!(cart["parcels"].as_array().map(Vec::len), Some(2));
    let totals = |name: &str| cart["totals"][name]["amount"].as_i64().expect("an amount");
    // The mill ships free over £50.
    assert_eq!((totals("items"), totals("shipping"), totals("discount"), totals("total")), (7250, 395, 0, 7645));
    assert_eq!(totals("tax"), 1274);
    assert_eq!(cart["parcels"][1]["shipping"]["amount"], 395);
    assert_eq!(cart["parcels"][1]["shipping_methods"][1]["code"], "express");

    let path = format!("/cart/items/{}", line["id"].as_str().expect("id"));
    assert_eq!(patch(&mut guest, &path, &json!({ "quantity": 1 })).await.json()["items"][0]["quantity"], 1);
    let zero = patch(&mut guest, &path, &json!({ "quantity": 0 })).await;
    assert_eq!((zero.status, zero.json()["items"].as_array().map(Vec::len)), (StatusCode::OK, Some(1)));
    problem(&delete(&mut guest, &path).await, StatusCode::NOT_FOUND, "not-found");
    assert_eq!(delete(&mut guest, "/cart").await.json()["items"], json!([]));
}

#[tokio::test]
async fn more_than_there_is_is_refused_with_what_is_left() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    let refused = problem(&put(&mut guest, &world, "MILL-LARGE", 4).await, StatusCode::CONFLICT, "sold-out");
    assert_eq!(refused["left"], 3);
    let item = put(&mut guest, &world, "MILL-LARGE", 3).await.json()["items"][0]["id"].as_str().expect("id").to_owned();
    problem(&put(&mut guest, &world, "MILL-LARGE", 1).await, StatusCode::CONFLICT, "sold-out");
    let more = patch(&mut guest, &format!("/cart/items/{item}"), &json!({ "quantity": 4 })).await;
    assert_eq!(problem(&more, StatusCode::CONFLICT, "sold-out")["left"], 3);
    let unknown = post(&mut guest, "/cart/items", &json!({ "variant_id": uuid::Uuid::new_v4(), "quantity": 1 })).await;
    problem(&unknown, StatusCode::NOT_FOUND, "not-found");
    sqlx::query("update products set status = 'draft' where slug = 'kiln-plain'")
        .execute(&test.app.pool)
        .await
        .expect("off sale");
    problem(&put(&mut guest, &world, "KILN-PLAIN", 1).await, StatusCode::CONFLICT, "unavailable");
    sqlx::query("update variants set price_minor = 2100 where sku = 'MILL-LARGE'").execute(&test.app.pool).await.expect("dearer");
    let told = get(&mut guest, "/cart").await.json()["items"][0]["problem"].clone();
    assert_eq!(
        (told["type"].as_str(), told["now"]["amount"].as_i64(), told["blocks"].as_bool()),
        (Some("price-rose"), Some(2100), Some(true))
    );
}
