//! A key makes once of many times.

use super::*;
use crate::support::TestApp;
use sqlx::PgPool;

async fn count(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.expect("a number")
}

#[tokio::test]
async fn the_same_request_has_the_same_answer_and_another_has_none() {
    let (test, world) = TestApp::with_services().await;
    let mut guest = test.guest();
    put(&mut guest, &world, "MILL-PLAIN", 1).await;
    let first = post_once(&mut guest, "/checkout", &checkout_body(), "k1").await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    assert!(first.header("idempotent-replayed").is_none());
    put(&mut guest, &world, "KILN-PLAIN", 1).await;
    let again = post_once(&mut guest, "/checkout", &checkout_body(), "k1").await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!((again.header("location"), again.header("idempotent-replayed")), (first.header("location"), Some("true")));
    let mut other = checkout_body();
    other["email"] = json!("someone@example.com");
    problem(&post_once(&mut guest, "/checkout", &other, "k1").await, StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused");
    assert_eq!(count(&test.app.pool, "select count(*) from orders").await, 1);

    // A refusal is an answer, too.
    let mut stranger = test.guest();
    put(&mut stranger, &world, "MILL-LAST", 1).await;
    let mut dear = checkout_body();
    dear["expected_total"] = json!({ "amount": 1, "currency": "GBP" });
    problem(&post_once(&mut stranger, "/checkout", &dear, "k1").await, StatusCode::CONFLICT, "price-changed");
    sqlx::query("update variants set price_minor = 0 where sku = 'MILL-LAST'").execute(&test.app.pool).await.expect("free");
    let replayed = post_once(&mut stranger, "/checkout", &dear, "k1").await;
    problem(&replayed, StatusCode::CONFLICT, "price-changed");
    assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
    for bad in ["", &"x".repeat(256)] {
        problem(&post_once(&mut guest, "/checkout", &checkout_body(), bad).await, StatusCode::BAD_REQUEST, "bad-request");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sent_ten_times_at_once_it_is_one_order() {
    let (test, world) = TestApp::with_services().await;
    let mut guest = test.guest();
    put(&mut guest, &world, "MILL-PLAIN", 1).await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let mut guest = guest.clone();
        tries.spawn(async move {
            loop {
                let answer = post_once(&mut guest, "/checkout", &checkout_body(), "one purchase").await;
                if answer.status != StatusCode::CONFLICT {
                    return answer;
                }
                problem(&answer, StatusCode::CONFLICT, "still-running");
                assert!(answer.header("retry-after").is_some());
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        });
    }
    let mut bodies = std::collections::BTreeSet::new();
    while let Some(answer) = tries.join_next().await {
        let answer = answer.expect("a try");
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        bodies.insert(answer.body);
    }
    assert_eq!(bodies.len(), 1);
    assert_eq!(count(&test.app.pool, "select count(*) from orders").await, 1);
    assert_eq!(count(&test.app.pool, "select sum(held)::bigint from stock").await, 1);
}

#[tokio::test]
async fn a_request_lost_with_its_node_is_taken_over_and_makes_one_order() {
    let (test, world) = TestApp::with_services().await;
    let mut guest = test.guest();
    put(&mut guest, &world, "MILL-PLAIN", 1).await;
    let first = post_once(&mut guest, "/checkout", &checkout_body(), "k").await;
    // As if the node had died between the order and its answer.
    let lost = "update idempotency_keys set status = null, body = '', lease_until = now() + interval '1 minute'";
    sqlx::query(lost).execute(&test.app.pool).await.expect("lost");
    problem(&post_once(&mut guest, "/checkout", &checkout_body(), "k").await, StatusCode::CONFLICT, "still-running");
    sqlx::query("update idempotency_keys set lease_until = now() - interval '1 second'")
        .execute(&test.app.pool)
        .await
        .expect("over");
    let again = post_once(&mut guest, "/checkout", &checkout_body(), "k").await;
    assert_eq!(again.status, StatusCode::CREATED);
    for member in ["id", "number", "token"] {
        assert_eq!(again.json()["order"][member], first.json()["order"][member]);
    }
    assert_eq!(again.json()["payment"]["url"], first.json()["payment"]["url"]);
    assert_eq!(count(&test.app.pool, "select count(*) from orders").await, 1);

    // A day later the key is free again.
    sqlx::query("update idempotency_keys set created_at = now() - interval '25 hours'")
        .execute(&test.app.pool)
        .await
        .expect("old");
    let new = post_once(&mut guest, "/checkout", &checkout_body(), "k").await;
    assert_ne!(new.json()["order"]["id"], first.json()["order"]["id"]);
    sqlx::query("update idempotency_keys set created_at = now() - interval '25 hours'")
        .execute(&test.app.pool)
        .await
        .expect("old");
    souk::server::jobs::sweep(&test.app).await;
    assert_eq!(count(&test.app.pool, "select count(*) from idempotency_keys").await, 0);
}

#[tokio::test]
async fn every_call_that_makes_something_of_worth_listens_to_a_key() {
    let (test, world) = TestApp::with_services().await;
    let (order, parts) = paid(&test, &world).await;
    let (mut ada, mut mill, mut bob) = (test.customer("ada").await, test.vendor("mill").await, test.customer("bob").await);
    let part = parts.iter().find(|(vendor, _)| vendor == "mill").map(|(_, id)| id.clone()).expect("the mill's part");
    let line: uuid::Uuid = sqlx::query_scalar("select id from order_lines where vendor_order_id = $1::uuid")
        .bind(&part)
        .fetch_one(&test.app.pool)
        .await
        .expect("a line");
    let ship = json!({ "items": [{ "line_id": line, "quantity": 1 }], "carrier": "Royal Mail" });
    let product = json!({ "title": "Once", "category": "kitchen" });
    let shop = json!({ "name": "Bob's boats", "slug": "bobs-boats", "country": "GB" });
    let twice = async |client: &mut Client, path: String, body: Value, status: StatusCode| {
        let first = post_once(client, &path, &body, "key").await;
        assert_eq!(first.status, status, "{path}: {}", first.body);
        let again = post_once(client, &path, &body, "key").await;
        assert_eq!((again.status, again.body), (status, first.body), "{path}");
    };
    twice(&mut mill, format!("/vendor/orders/{part}/shipments"), ship, StatusCode::CREATED).await;
    let mut mill = test.vendor("kiln").await;
    twice(&mut mill, "/products".into(), product, StatusCode::CREATED).await;
    twice(&mut bob, "/users/me/vendor".into(), shop, StatusCode::CREATED).await;
    twice(&mut ada, format!("/orders/{order}/cancel"), json!({}), StatusCode::CONFLICT).await;
    assert_eq!(count(&test.app.pool, "select count(*) from shipments").await, 1);
    assert_eq!(count(&test.app.pool, "select count(*) from products where title = 'Once'").await, 1);
    while souk::server::jobs::drain(&test.app).await.expect("jobs run") > 0 {}
}
