//! The webhook inbox: who is believed, what is stored, and that repeats, disorder, loss and a stopped program do no harm.

use crate::support::{
    Card, TestApp,
    purchase::{count, deliver_all, order, standing, stock},
};
use axum::body::Body;
use hmac::{Hmac, KeyInit, Mac};
use http::{Method, Request, StatusCode};
use serde_json::json;
use sha2::Sha256;
use souk::{
    payments,
    sandbox::stripe::Controls,
    server::{jobs, state::App},
};
use std::time::Duration;

const SECRET: &str = "whsec_test_secret_of_the_tests";

fn signed(body: &str, at: i64, secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(format!("{at}.{body}").as_bytes());
    format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
}

fn delivery(body: String, signature: &str) -> Request<Body> {
    Request::builder()
        .method(Method::POST)
        .uri("/webhooks/stripe")
        .header("content-type", "application/json")
        .header("stripe-signature", signature)
        .body(Body::from(body))
        .expect("a request")
}

fn now() -> i64 {
    time::OffsetDateTime::now_utc().unix_timestamp()
}

#[tokio::test]
async fn someone_else_may_not_send_events() {
    let test = TestApp::empty().await;
    let body = json!({ "id": "evt_1", "type": "ping", "data": { "object": {} } }).to_string();
    let good = signed(&body, now(), SECRET);
    for (text, signature) in [
        (body.clone(), String::new()),
        (body.clone(), "v1=00".into()),
        (body.clone(), signed(&body, now(), "whsec_another")),
        (body.clone(), signed(&body, now() - 301, SECRET)),
        (body.clone(), signed(&body, now() + 302, SECRET)),
        (body.replace("ping", "pong"), good.clone()),
        (format!("{body} "), good.clone()),
    ] {
        let answer = test.guest().send(delivery(text, &signature)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    for broken in ["", "[]", "not json", "{\"id\":\"evt_1\"}", "{\"id\":1,\"type\":\"x\"}"] {
        let answer = test.guest().send(delivery(broken.into(), &signed(broken, now(), SECRET))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{broken}");
    }
    let long = "x".repeat(1024 * 1024 + 1);
    let answer = test.guest().send(delivery(long.clone(), &signed(&long, now(), SECRET))).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(count(&test.app, "select count(*) from webhook_events").await, 0);
}

#[tokio::test]
async fn an_event_is_stored_once_and_an_unknown_kind_is_kept() {
    let test = TestApp::empty().await;
    let body = json!({ "id": "evt_1", "type": "plan.created", "data": { "object": { "id": "plan_1" } } }).to_string();
    for _ in 0..3 {
        let answer = test.guest().send(delivery(body.clone(), &signed(&body, now(), SECRET))).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    assert_eq!(count(&test.app, "select count(*) from jobs where kind = 'handle_webhook'").await, 0);
    assert_eq!(count(&test.app, "select count(*) from webhook_events where state = 'done' and deliveries = 3").await, 1);
}

#[tokio::test]
async fn a_failing_event_is_tried_again_and_replayed_by_hand() {
    // no Stripe answers in this world
    let test = TestApp::empty().await;
    let body =
        json!({ "id": "evt_1", "type": "checkout.session.completed", "data": { "object": { "id": "cs_test_1" } } }).to_string();
    test.guest().send(delivery(body.clone(), &signed(&body, now(), SECRET))).await;
    for round in 1..=12 {
        sqlx::query("update jobs set run_at = now()").execute(&test.app.pool).await.expect("the wait is over");
        jobs::drain(&test.app).await.expect("tried");
        let (attempts, state): (i32, String) =
            sqlx::query_as("select attempts, state from webhook_events").fetch_one(&test.app.pool).await.expect("the event");
        assert_eq!((attempts, state.as_str()), (round, if round < 12 { "pending" } else { "failed" }));
    }
    assert!(count(&test.app, "select count(*) from webhook_events where last_error is not null").await == 1);
    let mut tx = test.app.pool.begin().await.expect("a transaction");
    assert!(payments::webhook::replay(&mut tx, "evt_1").await.expect("replayed"));
    assert!(!payments::webhook::replay(&mut tx, "evt_2").await.expect("no such event"));
    tx.commit().await.expect("replayed");
    assert_eq!(count(&test.app, "select count(*) from jobs where state = 'queued'").await, 1);
}

#[tokio::test]
async fn webhooks_alone_pay_the_order_repeated_and_reordered() {
    let (test, _) = TestApp::with_services().await;
    let sandbox = &test.services().stripe.sandbox;
    let calm = sandbox.controls().await.expect("the switches");
    sandbox.set_controls(&Controls { webhook_repeat: 3, webhook_reorder: true, ..calm }).await.expect("the switches");
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1), ("KILN-PLAIN", 1)]).await.expect("stock");
    let page = payments::open(&test.app, unpaid.id).await.expect("a page");
    test.services().pay(&page, Card::Declined).await;
    test.services().pay(&page, Card::Good).await;
    deliver_all(&test).await;
    assert_eq!(standing(&test.app, unpaid.id).await, ("placed".into(), "paid".into(), "unfulfilled".into()));
    let intent: String =
        sqlx::query_scalar("select stripe_intent_id from payments").fetch_one(&test.app.pool).await.expect("an intent");
    sandbox.refund_from_dashboard(&intent, Some(100)).await.expect("a refund");
    deliver_all(&test).await;
    // every event once more, oldest last
    for delivery in sandbox.deliveries(500).await.expect("deliveries") {
        sandbox.redeliver(&delivery.event).await.expect("again");
    }
    let mut tx = test.app.pool.begin().await.expect("a transaction");
    for id in sqlx::query_scalar::<_, String>("select id from webhook_events order by received_at desc")
        .fetch_all(&mut *tx)
        .await
        .expect("events")
    {
        payments::webhook::replay(&mut tx, &id).await.expect("replayed");
    }
    tx.commit().await.expect("replayed");
    deliver_all(&test).await;
    assert_eq!(standing(&test.app, unpaid.id).await, ("placed".into(), "partially_refunded".into(), "unfulfilled".into()));
    assert_eq!(stock(&test.app, "MILL-PLAIN").await, (99, 0));
    for (sql, number) in [
        ("select count(*) from webhook_events where state <> 'done'", 0),
        ("select count(*) from order_events where kind = 'paid'", 1),
        ("select count(*) from refunds", 1),
        ("select count(*) from outbox where subject like 'Order % is paid'", 1),
        ("select count(*) from outbox where subject like '% is on its way back'", 1),
        ("select count(*) from jobs where state <> 'done'", 0),
    ] {
        assert_eq!(count(&test.app, sql).await, number, "{sql}");
    }
    assert!(count(&test.app, "select max(deliveries)::bigint from webhook_events").await > 1, "repeats really came");
}

#[tokio::test]
async fn the_program_stops_between_charge_and_webhook_and_finds_the_order_paid() {
    let (test, _) = TestApp::with_services().await;
    let sandbox = &test.services().stripe.sandbox;
    let calm = sandbox.controls().await.expect("the switches");
    sandbox.set_controls(&Controls { webhook_drop: -1, ..calm }).await.expect("the switches");
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("stock");
    let page = payments::open(&test.app, unpaid.id).await.expect("a page");
    test.services().pay(&page, Card::Good).await;
    assert_eq!(standing(&test.app, unpaid.id).await.0, "pending");
    // a new program on the same database
    let mut config = (*test.app.config).clone();
    config.sweep_after = Duration::ZERO;
    let restarted = App::new(config, test.app.pool.clone(), None).expect("the program starts");
    jobs::sweep(&restarted).await;
    jobs::drain(&restarted).await.expect("jobs");
    assert_eq!(standing(&restarted, unpaid.id).await, ("placed".into(), "paid".into(), "unfulfilled".into()));
}

#[tokio::test]
async fn an_attempt_whose_answer_was_never_written_down_is_healed() {
    let (test, _) = TestApp::with_services().await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("stock");
    let page = payments::open(&test.app, unpaid.id).await.expect("a page");
    // killed between Stripe's answer and our write
    sqlx::query("update payments set state = 'opening', stripe_session_id = null, url = null, stripe_intent_id = null")
        .execute(&test.app.pool)
        .await
        .expect("forgotten");
    test.services().pay(&page, Card::Good).await;
    deliver_all(&test).await;
    assert_eq!(standing(&test.app, unpaid.id).await.0, "placed");
    assert_eq!(count(&test.app, "select count(*) from payments").await, 1);
    // and by the sweeper alone
    let second = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("stock");
    let page = payments::open(&test.app, second.id).await.expect("a page");
    sqlx::query("update payments set state = 'opening', stripe_session_id = null, url = null where order_id = $1")
        .bind(second.id.uuid())
        .execute(&test.app.pool)
        .await
        .expect("forgotten");
    assert_eq!(payments::open(&test.app, second.id).await.expect("the same page"), page);
}
