//! What machines ask: whether we live, whether we are ready, and under which id we answered.

use crate::support::{Answer, TestApp};
use axum::body::Body;
use http::{Method, StatusCode};

async fn ready(test: &TestApp) -> (StatusCode, serde_json::Value) {
    let answer = test.guest().get("/readyz").await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    (answer.status, answer.json())
}

#[tokio::test]
async fn ready_means_that_database_schema_and_store_are_there() {
    let (test, _) = TestApp::with_services().await;
    assert_eq!(test.guest().get("/healthz").await.body, "ok");
    let (status, said) = ready(&test).await;
    assert_eq!((status, &said["status"]), (StatusCode::OK, &"ready".into()), "{said}");

    sqlx::query("delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)")
        .execute(&test.app.pool)
        .await
        .expect("forgotten");
    let (status, said) = ready(&test).await;
    assert_eq!((status, &said["not_ready"]), (StatusCode::SERVICE_UNAVAILABLE, &serde_json::json!(["migrations"])), "{said}");
    assert_eq!(said["migrations"], "1 missing; run `souk migrate`");
}

#[tokio::test]
async fn what_is_not_ready_is_named_within_two_seconds() {
    // Nobody listens where this one's store is said to be.
    let test = TestApp::empty().await;
    let began = std::time::Instant::now();
    let (status, said) = ready(&test).await;
    assert_eq!((status, &said["not_ready"]), (StatusCode::SERVICE_UNAVAILABLE, &serde_json::json!(["storage"])), "{said}");
    assert_eq!(said["database"], "ok");

    test.app.pool.close().await;
    let (status, said) = ready(&test).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(said["not_ready"], serde_json::json!(["database", "migrations", "storage"]));
    assert!(!said.to_string().contains("pool"), "no driver's words: {said}");
    assert!(began.elapsed() < std::time::Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(test.guest().get("/healthz").await.status, StatusCode::OK, "it lives all the same");
}

async fn with_id(test: &TestApp, path: &str, id: &str) -> Answer {
    let mut guest = test.guest();
    let request = guest.request(Method::GET, path).header("x-request-id", id).body(Body::empty()).expect("a request");
    guest.send(request).await
}

#[tokio::test]
async fn a_request_has_an_id_that_its_client_may_choose() {
    let test = TestApp::empty().await;
    for path in ["/healthz", "/products/none", "/boot.js", "/api/v1/categories"] {
        assert_eq!(with_id(&test, path, "from-the-proxy_1.2").await.header("x-request-id"), Some("from-the-proxy_1.2"), "{path}");
        let (one, two) = (test.guest().get(path).await, test.guest().get(path).await);
        let made = one.header("x-request-id").expect("an id").to_owned();
        assert_eq!(made.len(), 32, "{made}");
        assert_ne!(two.header("x-request-id"), Some(made.as_str()));
    }
    for bad in ["two words", "\"quoted\"", "{}", &"x".repeat(65)] {
        let answer = with_id(&test, "/healthz", bad).await;
        assert_ne!(answer.header("x-request-id"), Some(bad));
    }
    // What refuses a request names it, so that a person can ask about it.
    let problem = with_id(&test, "/api/v1/users/me", "ask-me").await;
    assert_eq!((problem.status, &problem.json()["request_id"]), (StatusCode::UNAUTHORIZED, &"ask-me".into()));
}
