//! Tokens: shown once, scoped, hashed at rest.

use super::*;
use crate::support::TestApp;

/// A token of this person with these scopes, and its id.
pub async fn token(client: &mut Client, scopes: &[&str]) -> (String, String) {
    let made = post(client, "/tokens", &json!({ "name": "A script", "scopes": scopes })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let made = made.json();
    (made["token"].as_str().expect("a token").to_owned(), made["id"].as_str().expect("an id").to_owned())
}

async fn with(test: &TestApp, token: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
    let header = format!("Bearer {token}");
    test.guest().call(method, &format!("/api/v1{path}"), body, &[("authorization", &header)]).await
}

#[tokio::test]
async fn someone_elses_token_is_not_there() {
    let (test, _) = TestApp::new().await;
    let (mut ada, mut bob) = (test.customer("ada").await, test.customer("bob").await);
    let (secret, id) = token(&mut ada, &["read"]).await;
    problem(&delete(&mut bob, &format!("/tokens/{id}")).await, StatusCode::NOT_FOUND, "not-found");
    assert_eq!(get(&mut bob, "/tokens").await.json()["data"], json!([]));
    assert_eq!(with(&test, &secret, Method::GET, "/users/me", None).await.json()["handle"], "ada");
}

#[tokio::test]
async fn a_token_speaks_for_its_person_within_its_scope() {
    let (test, world) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    put(&mut ada, &world, "KILN-PLAIN", 1).await;
    let (reader, _) = token(&mut ada, &["read"]).await;
    let (writer, id) = token(&mut ada, &["write"]).await;
    let item = json!({ "variant_id": world.variant("MILL-PLAIN"), "quantity": 1 });
    problem(&with(&test, &reader, Method::POST, "/cart/items", Some(&item)).await, StatusCode::FORBIDDEN, "forbidden");
    assert_eq!(with(&test, &reader, Method::GET, "/cart", None).await.json()["items"].as_array().map(Vec::len), Some(1));
    let foreign = format!("Bearer {writer}");
    let headers =
        [("authorization", foreign.as_str()), ("origin", "https://elsewhere.example"), ("sec-fetch-site", "cross-site")];
    let put = test.guest().call(Method::POST, "/api/v1/cart/items", Some(&item), &headers).await;
    assert_eq!(put.status, StatusCode::CREATED, "no page can forge a token: {}", put.body);
    assert!(put.header("set-cookie").is_none(), "the cart is the person's");
    assert_eq!(get(&mut ada, "/cart").await.json()["items"].as_array().map(Vec::len), Some(2));
    problem(&with(&test, &writer, Method::GET, "/vendor/orders", None).await, StatusCode::FORBIDDEN, "forbidden");
    let wish = json!({ "name": "Another", "scopes": ["write"] });
    problem(&with(&test, &writer, Method::POST, "/tokens", Some(&wish)).await, StatusCode::FORBIDDEN, "forbidden");

    let listed = get(&mut ada, "/tokens").await;
    assert!(!listed.body.contains(&writer) && !listed.body.contains(&reader));
    assert_eq!(listed.json()["data"].as_array().map(Vec::len), Some(2));
    assert!(listed.json()["data"][0]["last_used_at"].is_string());
    let kept: Vec<u8> = sqlx::query_scalar("select token_hash from api_tokens where id = $1::uuid")
        .bind(&id)
        .fetch_one(&test.app.pool)
        .await
        .expect("the row");
    assert!(!writer.as_bytes().windows(kept.len()).any(|w| w == kept));
    assert_eq!(delete(&mut ada, &format!("/tokens/{id}")).await.status, StatusCode::NO_CONTENT);
    let ended = with(&test, &writer, Method::GET, "/users/me", None).await;
    problem(&ended, StatusCode::UNAUTHORIZED, "unauthenticated");
    assert_eq!(ended.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn what_is_no_token_opens_nothing_and_hides_no_session() {
    let (test, _) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    let (secret, _) = token(&mut ada, &["read"]).await;
    sqlx::query("update api_tokens set expires_at = now() - interval '1 second'").execute(&test.app.pool).await.expect("over");
    for wrong in [format!("Bearer {secret}"), "Bearer ".into(), "Bearer x".into(), "Basic YWRhOmFkYQ==".into(), secret] {
        let answer = ada.call(Method::GET, "/api/v1/products", None, &[("authorization", &wrong)]).await;
        problem(&answer, StatusCode::UNAUTHORIZED, "unauthenticated");
    }
    for (body, field) in [
        (json!({ "name": "", "scopes": ["read"] }), "name"),
        (json!({ "name": "x", "scopes": [] }), "scopes"),
        (json!({ "name": "x", "scopes": ["admin"] }), "scopes[0]"),
        (json!({ "name": "x", "scopes": ["read"], "expires_at": "tomorrow" }), "expires_at"),
    ] {
        let refused = problem(&post(&mut ada, "/tokens", &body).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
        assert!(refused["errors"].get(field).is_some(), "{field}: {refused}");
    }
}
