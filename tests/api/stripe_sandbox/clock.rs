//! The clock of the sandbox, its controls, and payments from before it.

use serde_json::{Value, json};
use souk::sandbox::stripe::balance::{Funds, funds};
use souk::sandbox::stripe::past::{PastPayment, remember};
use time::{Duration, OffsetDateTime};

use super::{Receiver, Sandbox, eventually, text};

const DAY: i64 = 86_400;

async fn control(sandbox: &Sandbox, path: &str, asked: Value) -> (u16, Value) {
    let answer = sandbox.http.post(sandbox.url(path)).json(&asked).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[tokio::test]
async fn the_clock_moves_everything_forward_and_never_back() {
    let (receiver, url) = Receiver::start().await;
    let sandbox = Sandbox::telling(Some(url)).await;
    let open = sandbox.session(1000).await;
    let (status, moved) = control(&sandbox, "/_sandbox/clock", json!({ "advance_seconds": 2 * DAY })).await;
    assert_eq!((status, &moved["ahead_seconds"]), (200, &json!(2 * DAY)));
    let expired = sandbox.get(&format!("/v1/checkout/sessions/{}", text(&open, "id"))).await;
    assert_eq!(expired["status"], "expired");
    let later = sandbox.session(1000).await;
    let ahead = later["created"].as_i64().expect("a time") - open["created"].as_i64().expect("a time");
    assert!((2 * DAY..2 * DAY + 60).contains(&ahead), "{ahead}");
    assert_eq!(control(&sandbox, "/_sandbox/clock", json!({ "advance_seconds": -1 })).await.0, 400);
    assert_eq!(sandbox.control(json!({ "webhook_repeat": 0 })).await["settle_days"], 0);
    // webhooks are signed at the real time: their receiver's clock is another's
    eventually("the end is told", async || receiver.types().await.contains(&"checkout.session.expired".to_owned())).await;
    let signed: i64 = receiver.all().await[0].signature[2..].split(',').next().and_then(|t| t.parse().ok()).expect("a time");
    assert!((signed - OffsetDateTime::now_utc().unix_timestamp()).abs() < 60);
    let sandbox = sandbox.restart().await;
    let after = sandbox.session(1000).await;
    assert!(after["created"].as_i64() >= later["created"].as_i64(), "a restart does not turn it back");
}

#[tokio::test]
async fn money_is_moved_by_json() {
    let sandbox = Sandbox::start().await;
    let paid = sandbox.paid(20_000).await;
    let intent = &paid["payment_intent"]["id"];
    let made = sandbox.post("/v1/accounts", &[("type", "express")]).await;
    let mill = text(&made, "id").to_owned();
    let (status, onboarded) = control(&sandbox, &format!("/_sandbox/accounts/{mill}/onboard"), json!({})).await;
    assert_eq!((status, &onboarded["payouts_enabled"]), (200, &json!(true)));
    sandbox.transfer(&mill, 5000).await;
    let (_, payout) = sandbox.post_at(&mill, "/v1/payouts", &[("amount", "5000"), ("currency", "gbp")]).await;
    let path = format!("/_sandbox/payouts/{}/end", text(&payout, "id"));
    let (_, failed) = control(&sandbox, &path, json!({ "outcome": "failed", "failure_code": "no_account" })).await;
    assert_eq!(failed["failure_code"], "no_account");
    assert_eq!(control(&sandbox, &path, json!({ "outcome": "paid" })).await.0, 400);
    let refund = sandbox.post("/v1/refunds", &[("payment_intent", intent.as_str().expect("an id")), ("amount", "100")]).await;
    let path = format!("/_sandbox/refunds/{}/end", text(&refund, "id"));
    assert_eq!(control(&sandbox, &path, json!({ "outcome": "failed" })).await.1["status"], "failed");
    let (_, dispute) = control(&sandbox, "/_sandbox/disputes", json!({ "payment_intent": intent })).await;
    assert_eq!(dispute["amount"], 20_000);
    let path = format!("/_sandbox/disputes/{}/decide", text(&dispute, "id"));
    assert_eq!(control(&sandbox, &path, json!({ "won": false })).await.1["status"], "lost");
}

#[tokio::test]
async fn the_control_page_moves_time_and_money_by_forms() {
    use tower::ServiceExt;
    let sandbox = Sandbox::start().await;
    let paid = sandbox.paid(20_000).await;
    let other = sandbox.paid(20_000).await;
    let mill = sandbox.seller("00012345").await;
    sandbox.transfer(&mill, 5000).await;
    let (_, payout) = sandbox.post_at(&mill, "/v1/payouts", &[("amount", "5000"), ("currency", "gbp")]).await;
    let refund = sandbox.post("/v1/refunds", &[("payment_intent", text(&other["payment_intent"], "id"))]).await;
    let pages = axum::Router::new()
        .nest_service("/dev/stripe", souk::sandbox::stripe::controls_router(sandbox.running.sandbox.clone(), "/dev/stripe"));
    let send = async |method: &str, path: &str, body: &str| {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/dev/stripe{path}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(axum::body::Body::from(body.to_owned()))
            .expect("a request");
        let answer = pages.clone().oneshot(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    };
    let (status, page) = send("GET", "", "").await;
    assert_eq!(status, 200);
    for words in ["A day on", "It arrives", "Bank sends it back", "Dispute", "can be paid out", "No dispute yet"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let dispute = format!("payment_intent={}", text(&paid["payment_intent"], "id"));
    assert_eq!(send("POST", "/dispute", &dispute).await.0, 303);
    assert_eq!(send("POST", "/dispute", &dispute).await.0, 422, "once");
    let made = sandbox.get("/v1/disputes").await["data"][0].clone();
    assert_eq!(send("POST", &format!("/disputes/{}", text(&made, "id")), "outcome=won").await.0, 303);
    assert_eq!(send("POST", &format!("/payouts/{}", text(&payout, "id")), "outcome=paid").await.0, 303);
    assert_eq!(send("POST", &format!("/refunds/{}", text(&refund, "id")), "outcome=failed").await.0, 303);
    assert_eq!(send("POST", "/clock", &format!("seconds={DAY}")).await.0, 303);
    let (_, page) = send("GET", "", "").await;
    assert!(page.contains("The bank sends it back") && page.contains("<td>won</td>"), "{page}");
    assert!(send("GET", "", "").await.1.contains("<td>failed</td>"));
}

#[tokio::test]
async fn a_past_payment_is_in_the_balance() {
    let sandbox = Sandbox::start().await;
    let at = OffsetDateTime::now_utc() - Duration::days(90);
    let past = PastPayment {
        mark: "past".into(),
        paid: true,
        amount: 10_000,
        currency: "gbp".into(),
        email: "ada@example.com".into(),
        name: "Ada Lovelace".into(),
        metadata: json!({}),
        at,
        refunded: Some((4000, at + Duration::days(2))),
    };
    let mut conn = sandbox.database.pool.acquire().await.expect("a connection");
    remember(&mut conn, &past).await.expect("it is remembered");
    assert_eq!(sandbox.balance(None).await, (9830 - 4000, 0));
    let expected = [("charge", 9830), ("refund", -4000)].map(|(kind, net)| (kind.to_owned(), net));
    let mut entries = sandbox.entries(None).await;
    entries.sort();
    assert_eq!(entries, expected);
    let list = sandbox.get("/v1/balance_transactions?type=charge").await;
    let entry = &list["data"][0];
    assert_eq!((&entry["created"], &entry["source"]), (&json!(at.unix_timestamp()), &json!("ch_past")));
    let all = funds(&sandbox.database.pool, None).await.expect("the sums");
    assert_eq!(all.get("gbp"), Some(&Funds { available: 5830, pending: 0 }));
    let mill = sandbox.seller("00012345").await;
    assert_eq!(sandbox.transfer(&mill, 5830).await["object"], "transfer");
}
