//! The figures at `/metrics`: who may ask, and that they say what happened.

use crate::support::{TestApp, counted, purchase};
use axum::{body::Body, extract::ConnectInfo};
use http::{Method, StatusCode};
use std::net::SocketAddr;

async fn from(test: &TestApp, peer: [u8; 4], headers: &[(&str, &str)]) -> StatusCode {
    let mut guest = test.guest();
    let mut request = guest.request(Method::GET, "/metrics").extension(ConnectInfo(SocketAddr::from((peer, 5000))));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    guest.send(request.body(Body::empty()).expect("a request")).await.status
}

#[tokio::test]
async fn strangers_learn_no_figures() {
    let test = TestApp::empty().await;
    assert_eq!(from(&test, [203, 0, 113, 9], &[]).await, StatusCode::FORBIDDEN);
    assert_eq!(from(&test, [127, 0, 0, 1], &[]).await, StatusCode::OK);
    // A proxy on this machine passes on what comes from anywhere.
    assert_eq!(from(&test, [127, 0, 0, 1], &[("x-forwarded-for", "203.0.113.9")]).await, StatusCode::FORBIDDEN);
    assert_eq!(from(&test, [127, 0, 0, 1], &[("forwarded", "for=203.0.113.9")]).await, StatusCode::FORBIDDEN);

    let test = TestApp::with(|config| config.metrics_token = Some("a-token-of-the-monitoring".into())).await;
    for wrong in ["Bearer wrong", "Bearer ", "a-token-of-the-monitoring", "Basic a-token-of-the-monitoring"] {
        assert_eq!(from(&test, [127, 0, 0, 1], &[("authorization", wrong)]).await, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    assert_eq!(from(&test, [127, 0, 0, 1], &[]).await, StatusCode::UNAUTHORIZED);
    let right = [("authorization", "Bearer a-token-of-the-monitoring"), ("x-forwarded-for", "203.0.113.9")];
    assert_eq!(from(&test, [203, 0, 113, 9], &right).await, StatusCode::OK);
}

/// The value of one line, by its name and labels.
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
    let line = line.unwrap_or_else(|| panic!("{series} is not in\n{text}"));
    line.rsplit(' ').next().and_then(|v| v.parse().ok()).unwrap_or_else(|| panic!("{line}"))
}

#[tokio::test]
async fn the_figures_say_what_happened() {
    let (test, _) = TestApp::new().await;
    let mut guest = test.guest();
    for path in
        ["/products/mill-choice", "/products/mill-plain", "/products/nothing-of-that-name", "/no/such/thing", "/pkg/none.js"]
    {
        guest.get(path).await;
    }
    guest.call("BREW".parse().expect("a method"), "/products", None, &[]).await;
    guest.call(Method::POST, "/webhooks/stripe", Some(&serde_json::json!({})), &[("stripe-signature", "t=1,v1=00")]).await;
    purchase::order(&test.app, None, &[("MILL-PLAIN", 1), ("KILN-PLAIN", 2)]).await.expect("an order");
    sqlx::query("insert into jobs (kind, state) values ('send_mail', 'queued'), ('send_mail', 'failed'), ('send_mail', 'done')")
        .execute(&test.app.pool)
        .await
        .expect("jobs");
    sqlx::query(
        "insert into webhook_events (id, kind, payload, state) values ('e1', 'x', '{}', 'failed'), ('e2', 'x', '{}', 'done')",
    )
    .execute(&test.app.pool)
    .await
    .expect("events");

    let (answer, asked) = counted(guest.get("/metrics")).await;
    assert_eq!((answer.status, asked), (StatusCode::OK, 1));
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4"));
    let text = &answer.body;
    let count = |labels: &str| value(text, &format!("souk_http_request_duration_seconds_count{{{labels}}}"));
    assert_eq!(count(r#"method="GET",route="/products/{name}",status="2xx""#), 2.0);
    assert_eq!(count(r#"method="GET",route="/products/{name}",status="4xx""#), 1.0);
    assert_eq!(count(r#"method="other",route="/products",status="4xx""#), 1.0);
    for raw in ["mill-choice", "nothing-of-that-name", "such/thing", "none.js", "__private", "BREW"] {
        assert!(!text.contains(raw), "{raw} is in\n{text}");
    }
    assert_eq!(value(text, r#"souk_webhooks_total{outcome="refused"}"#), 1.0);
    assert_eq!(value(text, r#"souk_jobs{state="waiting"}"#), 1.0);
    assert_eq!(value(text, r#"souk_jobs{state="failed"}"#), 1.0);
    assert_eq!(value(text, "souk_stock_holds"), 2.0);
    assert_eq!(value(text, r#"souk_webhook_events{state="failed"}"#), 1.0);
    assert_eq!(value(text, "souk_http_requests_running"), 1.0, "this one");
    assert!(value(text, r#"souk_database_connections{state="idle"}"#) >= 1.0);
    assert_eq!(value(text, "souk_database_up"), 1.0);

    test.app.pool.close().await;
    let answer = guest.get("/metrics").await;
    assert_eq!((answer.status, value(&answer.body, "souk_database_up")), (StatusCode::OK, 0.0), "the process's own are told");
}
