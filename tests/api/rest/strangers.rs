//! Every call whose address names something owned, taken from the document itself, tried by somebody else: nothing is found, and
//! nothing changes. A new call cannot escape: this fails on a parameter that it does not know.

use super::*;
use crate::support::TestApp;
use sqlx::Row;

/// A body that the call would take from its owner, made from nothing but the document and the path.
fn body(method: &str, path: &str, line: &str) -> Option<Value> {
    match (method, path) {
        ("patch", "/api/v1/products/{id}") => Some(json!({ "title": "Taken" })),
        ("patch", "/api/v1/cart/items/{id}") => Some(json!({ "quantity": 2 })),
        ("post", "/api/v1/vendor/orders/{id}/shipments") => {
            Some(json!({ "items": [{ "line_id": line, "quantity": 1 }], "carrier": "Royal Mail" }))
        }
        ("post", "/api/v1/vendor/orders/{id}/refunds") => {
            Some(json!({ "items": [{ "line_id": line, "quantity": 1 }], "reason": "Taken" }))
        }
        ("post", "/api/v1/orders/{id}/cancel") => None,
        ("get" | "delete", _) => None,
        other => panic!("{other:?} takes a body that this test does not know"),
    }
}

/// Everything that a stranger could have changed, as one text.
async fn state(test: &TestApp) -> String {
    let mut state = String::new();
    for table in ["products", "variants", "stock", "cart_lines", "orders", "vendor_orders", "shipments", "refunds", "api_tokens"]
    {
        let sql = format!("select coalesce(md5(string_agg(t::text, '' order by t::text)), '') as hash from {table} t");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&test.app.pool).await.expect("a hash");
        state.push_str(&row.get::<String, _>("hash"));
    }
    state
}

#[tokio::test]
async fn what_is_anothers_is_not_found_by_any_call() {
    let (test, world) = TestApp::with_services().await;
    let (order, parts) = paid(&test, &world).await;
    let part = parts.iter().find(|(vendor, _)| vendor == "mill").map(|(_, id)| id.clone()).expect("the mill's part");
    let line: String = sqlx::query_scalar("select id::text from order_lines where vendor_order_id = $1::uuid")
        .bind(&part)
        .fetch_one(&test.app.pool)
        .await
        .expect("a line");
    let mut ada = test.customer("ada").await;
    let item = put(&mut ada, &world, "KILN-PLAIN", 1).await.json()["items"][0]["id"].as_str().expect("an id").to_owned();
    let (_, token) = super::tokens::token(&mut ada, &["read"]).await;
    let mut mill = test.vendor("mill").await;
    let draft = post(&mut mill, "/products", &json!({ "title": "Secret", "category": "kitchen" })).await;
    let draft = draft.json()["id"].as_str().expect("an id").to_owned();
    while souk::server::jobs::drain(&test.app).await.expect("jobs run") > 0 {}

    let document = souk::server::rest::document();
    let (mut tried, before) = (0, state(&test).await);
    for (path, calls) in document["paths"].as_object().expect("paths") {
        let owned = match path.as_str() {
            public if ["/api/v1/vendors/{slug}", "/api/v1/users/{handle}"].contains(&public) => continue,
            "/api/v1/products/{id}" => &draft,
            "/api/v1/cart/items/{id}" => &item,
            "/api/v1/orders/{id}" | "/api/v1/orders/{id}/cancel" => &order,
            "/api/v1/vendor/orders/{id}" | "/api/v1/vendor/orders/{id}/shipments" | "/api/v1/vendor/orders/{id}/refunds" => &part,
            "/api/v1/tokens/{id}" => &token,
            plain if !plain.contains('{') => continue,
            unknown => panic!("{unknown} names something that this test does not know: whose is it?"),
        };
        for (method, call) in calls.as_object().expect("calls") {
            let names = call["parameters"].as_array().expect("parameters");
            let names: Vec<_> = names.iter().filter(|p| p["in"] == "path").map(|p| p["name"].as_str().expect("a name")).collect();
            assert_eq!(names, ["id"], "{method} {path}");
            let address = path.replace("{id}", owned);
            let verb: Method = method.to_uppercase().parse().expect("a method");
            // A vendor, too, so that the role alone does not refuse.
            let answer = test.vendor("orchard").await.call(verb, &address, body(method, path, &line).as_ref(), &[]).await;
            problem(&answer, StatusCode::NOT_FOUND, "not-found");
            tried += 1;
        }
    }
    assert!(tried >= 9, "only {tried} calls were tried");
    assert_eq!(state(&test).await, before, "nothing changed");
}
