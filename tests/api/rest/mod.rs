//! The REST interface, as programs use it.

mod accounts;
mod cart;
mod catalog;
mod checkout;
mod everywhere;
mod idempotency;
mod orders;
mod strangers;
mod tokens;

use crate::support::{Answer, Client, TestApp, World, purchase};
use http::{Method, StatusCode};
use serde_json::{Value, json};

pub async fn get(client: &mut Client, path: &str) -> Answer {
    client.call(Method::GET, &format!("/api/v1{path}"), None, &[]).await
}

pub async fn post(client: &mut Client, path: &str, body: &Value) -> Answer {
    client.call(Method::POST, &format!("/api/v1{path}"), Some(body), &[]).await
}

pub async fn patch(client: &mut Client, path: &str, body: &Value) -> Answer {
    client.call(Method::PATCH, &format!("/api/v1{path}"), Some(body), &[]).await
}

pub async fn delete(client: &mut Client, path: &str) -> Answer {
    client.call(Method::DELETE, &format!("/api/v1{path}"), None, &[]).await
}

/// Sent with a key.
pub async fn post_once(client: &mut Client, path: &str, body: &Value, key: &str) -> Answer {
    client.call(Method::POST, &format!("/api/v1{path}"), Some(body), &[("idempotency-key", key)]).await
}

/// Checks that it is a problem of this name and status, and answers it.
pub fn problem(answer: &Answer, status: StatusCode, slug: &str) -> Value {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.body);
    let body = answer.json();
    assert_eq!(body["type"], format!("/problems/{slug}"), "{body}");
    assert_eq!(body["status"], status.as_u16(), "{body}");
    assert!(body["title"].is_string() && body["detail"].is_string(), "{body}");
    body
}

/// Puts a SKU into the client's cart.
pub async fn put(client: &mut Client, world: &World, sku: &str, quantity: i32) -> Answer {
    post(client, "/cart/items", &json!({ "variant_id": world.variant(sku), "quantity": quantity })).await
}

pub fn address() -> Value {
    json!({ "name": "Grace Guest", "line1": "1 Harbour Row", "line2": null, "city": "Hull", "postal_code": "HU1 1AA", "country": "GB" })
}

pub fn checkout_body() -> Value {
    json!({ "email": "grace@example.com", "shipping_address": address() })
}

/// An order of this SKU by this client, unpaid, as the checkout answers it.
pub async fn checked_out(client: &mut Client, world: &World, sku: &str, quantity: i32) -> Value {
    assert_eq!(put(client, world, sku, quantity).await.status, StatusCode::CREATED);
    let answer = post(client, "/checkout", &checkout_body()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    answer.json()
}

/// A paid order of two vendors' goods, owned by Ada: its id, and each vendor's part by vendor slug.
pub async fn paid(test: &TestApp, world: &World) -> (String, Vec<(String, String)>) {
    let order =
        purchase::order(&test.app, Some(world.people["ada"]), &[("MILL-PLAIN", 2), ("KILN-PLAIN", 1)]).await.expect("an order");
    let page = souk::payments::open(&test.app, order.id).await.expect("a payment page");
    test.services().pay(&page, crate::support::Card::Good).await;
    souk::payments::settle_order(&test.app, order.id).await.expect("settled");
    let parts: Vec<(String, String)> =
        sqlx::query_as("select vendor_slug, id::text from vendor_orders where order_id = $1 order by vendor_slug")
            .bind(order.id.uuid())
            .fetch_all(&test.app.pool)
            .await
            .expect("its parts");
    (order.id.to_string(), parts)
}
