//! Orders of a shopper, and what a vendor sends of them.

use super::*;
use crate::support::TestApp;
use std::collections::BTreeSet;

#[tokio::test]
async fn an_order_is_called_off_before_anything_left() {
    let (test, world) = TestApp::with_services().await;
    let mut guest = test.guest();
    let made = checked_out(&mut guest, &world, "MILL-PLAIN", 3).await["order"].clone();
    let (id, token) = (made["id"].as_str().expect("id"), made["token"].as_str().expect("token"));
    let cancel = format!("/orders/{id}/cancel");
    problem(&post(&mut test.customer("bob").await, &cancel, &json!({})).await, StatusCode::NOT_FOUND, "not-found");
    let path = format!("/api/v1{cancel}?token={token}");
    let called_off = test.guest().call(Method::POST, &path, None, &[]).await;
    assert_eq!((called_off.status, called_off.json()["status"].as_str()), (StatusCode::OK, Some("cancelled")));
    assert_eq!(purchase::stock(&test.app, "MILL-PLAIN").await, (100, 0));
    assert_eq!(test.guest().call(Method::POST, &path, None, &[]).await.status, StatusCode::OK, "twice is fine");
    while souk::server::jobs::drain(&test.app).await.expect("jobs run") > 0 {}
}

#[tokio::test]
async fn a_vendor_sees_and_ships_its_own_part() {
    let (test, world) = TestApp::with_services().await;
    let (order, parts) = paid(&test, &world).await;
    let mut mill = test.vendor("mill").await;
    let listed = get(&mut mill, "/vendor/orders").await.json();
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1), "{listed}");
    let part = listed["data"][0]["id"].as_str().expect("id").to_owned();
    assert_eq!(listed["data"][0]["total"]["amount"], 2395);
    let whole = get(&mut mill, &format!("/vendor/orders/{part}")).await.json();
    assert_eq!(whole["lines"].as_array().map(Vec::len), Some(1));
    assert_eq!((&whole["totals"]["total"]["amount"], &whole["shipping_address"]["country"]), (&json!(2395), &json!("GB")));
    let line = whole["lines"][0]["id"].clone();
    let ship = |quantity: i64| json!({ "items": [{ "line_id": line, "quantity": quantity }], "carrier": "Royal Mail", "tracking": "RM1" });
    let path = format!("/vendor/orders/{part}/shipments");

    let foreign = &parts.iter().find(|(vendor, _)| vendor == "kiln").expect("the kiln's part").1;
    problem(&get(&mut mill, &format!("/vendor/orders/{foreign}")).await, StatusCode::NOT_FOUND, "not-found");
    problem(&post(&mut mill, &format!("/vendor/orders/{foreign}/shipments"), &ship(1)).await, StatusCode::NOT_FOUND, "not-found");
    problem(&post(&mut mill, &path, &ship(3)).await, StatusCode::CONFLICT, "ships-too-much");
    for (body, field) in [
        (json!({ "items": [], "carrier": "Royal Mail" }), ""),
        (ship(0), "items[0].quantity"),
        (json!({ "items": [{ "line_id": line, "quantity": 1 }], "carrier": "" }), "carrier"),
    ] {
        let refused = problem(&post(&mut mill, &path, &body).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
        assert!(refused["errors"].get(field).is_some(), "{field}: {refused}");
    }
    let sent = post(&mut mill, &path, &ship(1)).await;
    assert_eq!((sent.status, sent.json()["tracking"].as_str()), (StatusCode::CREATED, Some("RM1")));
    assert_eq!(get(&mut mill, &format!("/vendor/orders/{part}")).await.json()["fulfilment_status"], "partial");
    assert_eq!(get(&mut mill, "/vendor/orders?show=to_ship").await.json()["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(get(&mut mill, "/vendor/orders?show=shipped").await.json()["data"], json!([]));
    problem(&get(&mut mill, "/vendor/orders?show=some").await, StatusCode::BAD_REQUEST, "bad-request");
    let mut ada = test.customer("ada").await;
    let seen = get(&mut ada, &format!("/orders/{order}")).await.json();
    assert_eq!(seen["fulfilment_status"], "partial");
    problem(&post(&mut ada, &format!("/orders/{order}/cancel"), &json!({})).await, StatusCode::CONFLICT, "already-shipped");
    while souk::server::jobs::drain(&test.app).await.expect("jobs run") > 0 {}
}

#[tokio::test]
async fn lists_of_orders_are_walked_by_cursor() {
    let (test, world) = TestApp::new().await;
    for _ in 0..7 {
        purchase::order(&test.app, Some(world.people["ada"]), &[("MILL-PLAIN", 1)]).await.expect("an order");
    }
    sqlx::query("update orders set status = 'placed', placed_at = created_at").execute(&test.app.pool).await.expect("paid");
    let (mut ada, mut mill) = (test.customer("ada").await, test.vendor("mill").await);
    for (client, path) in [(&mut ada, "/users/me/orders"), (&mut mill, "/vendor/orders")] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = get(client, &format!("{path}?limit=3{after}")).await.json();
            seen.extend(page["data"].as_array().expect("data").iter().map(|o| o["number"].as_i64().expect("a number")));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert!(seen.is_sorted_by(|a, b| a > b), "newest first: {seen:?}");
        assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (7, 7), "{path}");
        for bad in ["limit=0", "limit=101", "after=forged", "page=1"] {
            problem(&get(client, &format!("{path}?{bad}")).await, StatusCode::BAD_REQUEST, "bad-request");
        }
    }
    let next = get(&mut ada, "/users/me/orders?limit=3").await.json()["next"].as_str().expect("next").to_owned();
    problem(&get(&mut mill, &format!("/vendor/orders?after={next}")).await, StatusCode::BAD_REQUEST, "bad-request");
    assert_eq!(get(&mut test.customer("bob").await, "/users/me/orders").await.json(), json!({ "data": [], "next": null }));
}
