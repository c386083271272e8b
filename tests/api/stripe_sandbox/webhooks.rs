//! Webhooks: signed, repeated until they are taken, disturbed when told to, and not lost by a restart.

use serde_json::json;
use souk::sandbox::stripe::signature;

use super::{Receiver, SECRET, Sandbox, eventually, text};

#[tokio::test]
async fn deliveries_are_signed_and_whole() {
    let (receiver, url) = Receiver::start().await;
    let sandbox = Sandbox::telling(Some(url)).await;
    let paid = sandbox.paid(4200).await;
    let events = sandbox.events().await;
    eventually("every event is delivered", async || receiver.all().await.len() == events.len()).await;
    for one in receiver.all().await {
        let (time, _) = one.signature.strip_prefix("t=").and_then(|s| s.split_once(",v1=")).expect("a signature");
        assert_eq!(one.signature, signature(SECRET, time.parse().expect("a time"), &one.body));
        let event = one.event();
        assert_eq!((&event["api_version"], &event["pending_webhooks"]), (&json!("2026-09-30.endive"), &json!(1)));
        // what a receiver gets is what the API says, but for the count of those still to be told
        let mut stored = sandbox.get(&format!("/v1/events/{}", text(&event, "id"))).await;
        stored["pending_webhooks"] = json!(1);
        assert_eq!(stored, event);
    }
    let all = receiver.all().await;
    let completed =
        all.iter().map(|one| one.event()).find(|event| event["type"] == "checkout.session.completed").expect("the completion");
    assert_eq!(completed["data"]["object"]["id"], paid["id"]);
    assert_eq!(completed["data"]["object"]["payment_intent"], paid["payment_intent"]["id"], "ids stay ids in events");
    eventually("nothing is pending", async || {
        let list = sandbox.get("/v1/events?limit=100").await;
        list["data"].as_array().is_some_and(|data| data.iter().all(|event| event["pending_webhooks"] == 0))
    })
    .await;
}

#[tokio::test]
async fn a_failing_receiver_is_asked_again() {
    let (receiver, url) = Receiver::start().await;
    let sandbox = Sandbox::telling(Some(url)).await;
    *receiver.fail.lock().await = 2;
    let session = sandbox.session(1000).await;
    sandbox.post(&format!("/v1/checkout/sessions/{}/expire", text(&session, "id")), &[]).await;
    eventually("the third attempt succeeds", async || receiver.all().await.len() == 3).await;
    let all = receiver.all().await;
    assert!(all.iter().all(|one| one.event()["id"] == all[0].event()["id"]), "one event, three attempts");
    assert!(all[0].signature != all[2].signature, "each attempt is signed at its own time");
    eventually("it is noted", async || {
        let deliveries: serde_json::Value =
            sandbox.http.get(sandbox.url("/_sandbox/deliveries")).send().await.expect("an answer").json().await.expect("JSON");
        deliveries[0]["state"] == "delivered" && deliveries[0]["attempts"] == 3
    })
    .await;
}

#[tokio::test]
async fn webhooks_wait_through_a_restart() {
    // Nobody listens there until later; an address of its own, so that no other test is given the port meanwhile.
    let port = std::net::TcpListener::bind("127.0.0.77:0").and_then(|l| l.local_addr()).expect("a port").port();
    let sandbox = Sandbox::telling(Some(format!("http://127.0.0.77:{port}/webhooks/stripe"))).await;
    let session = sandbox.paid(1000).await;
    let events = sandbox.events().await;
    let sandbox = sandbox.restart().await;
    let receiver = Receiver::default();
    let router = axum::Router::new().route("/webhooks/stripe", axum::routing::post(super::receive)).with_state(receiver.clone());
    let listener = tokio::net::TcpListener::bind(("127.0.0.77", port)).await.expect("the port");
    tokio::spawn(async move { axum::serve(listener, router).await });
    eventually("every event arrives", async || receiver.all().await.len() >= events.len()).await;
    let again =
        sandbox.get(&format!("/v1/checkout/sessions/{}?expand[]=payment_intent.latest_charge", text(&session, "id"))).await;
    assert_eq!(again, session, "nothing else was lost either");
}

#[tokio::test]
async fn copies_drops_and_sending_again() {
    let (receiver, url) = Receiver::start().await;
    let sandbox = Sandbox::telling(Some(url)).await;
    sandbox.control(json!({ "webhook_repeat": 2 })).await;
    let expire = async || {
        let session = sandbox.session(1000).await;
        sandbox.post(&format!("/v1/checkout/sessions/{}/expire", text(&session, "id")), &[]).await
    };
    expire().await;
    eventually("three copies arrive", async || receiver.all().await.len() == 3).await;
    sandbox.control(json!({ "webhook_repeat": 0, "webhook_drop": 1 })).await;
    expire().await;
    expire().await;
    eventually("only the later one arrives", async || receiver.all().await.len() == 4).await;
    assert_eq!(sandbox.control(json!({})).await["webhook_drop"], 0, "the drop is used up");
    let list = sandbox.get("/v1/events?type=checkout.session.expired").await;
    let dropped = text(&list["data"][1], "id");
    assert!(receiver.all().await.iter().all(|one| one.event()["id"] != dropped));
    let answer =
        sandbox.http.post(sandbox.url(&format!("/_sandbox/events/{dropped}/redeliver"))).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    eventually("it arrives after all", async || receiver.all().await.last().is_some_and(|one| one.event()["id"] == dropped))
        .await;
    sandbox.control(json!({ "webhook_drop": -1 })).await;
    expire().await;
    assert_eq!(sandbox.control(json!({})).await["webhook_drop"], -1);
    let refused =
        sandbox.http.post(sandbox.url("/_sandbox/controls")).json(&json!({ "colour": "red" })).send().await.expect("an answer");
    assert_eq!(refused.status(), 400);
}

#[tokio::test]
async fn held_webhooks_come_in_another_order() {
    let (receiver, url) = Receiver::start().await;
    let sandbox = Sandbox::telling(Some(url)).await;
    sandbox.control(json!({ "webhook_reorder": true })).await;
    sandbox.paid(1000).await;
    let events = sandbox.events().await;
    assert_eq!(events.len(), 5);
    eventually("every event arrives", async || receiver.all().await.len() == events.len()).await;
    let mut types = receiver.types().await;
    assert_ne!(types, events);
    types.sort();
    let mut sorted = events;
    sorted.sort();
    assert_eq!(types, sorted, "all of them, once");
}

#[tokio::test]
async fn a_refund_from_the_dashboard_is_told() {
    let (receiver, url) = Receiver::start().await;
    let sandbox = Sandbox::telling(Some(url)).await;
    let paid = sandbox.paid(1000).await;
    let intent = text(&paid["payment_intent"], "id");
    let refund = json!({ "payment_intent": intent, "amount": 250 });
    let answer = sandbox.http.post(sandbox.url("/_sandbox/refunds")).json(&refund).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    eventually("the shop hears of it", async || receiver.types().await.contains(&"charge.refunded".to_owned())).await;
    let told =
        receiver.all().await.iter().map(|one| one.event()).find(|event| event["type"] == "charge.refunded").expect("the event");
    assert_eq!(
        (&told["data"]["object"]["amount_refunded"], &told["data"]["previous_attributes"]["amount_refunded"]),
        (&json!(250), &json!(0))
    );
    assert_eq!(told["request"]["id"], json!(null), "no request of the API caused it");
    let too_much = json!({ "payment_intent": intent, "amount": 800 });
    let answer = sandbox.http.post(sandbox.url("/_sandbox/refunds")).json(&too_much).send().await.expect("an answer");
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn the_control_page_works_by_forms() {
    use tower::ServiceExt;
    let (receiver, url) = Receiver::start().await;
    let sandbox = Sandbox::telling(Some(url)).await;
    let paid = sandbox.paid(1000).await;
    let pages = axum::Router::new()
        .nest_service("/dev/stripe", souk::sandbox::stripe::controls_router(sandbox.running.sandbox.clone(), "/dev/stripe"));
    let send = async |method: &str, path: &str, body: &str| {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(axum::body::Body::from(body.to_owned()))
            .expect("a request");
        let answer = pages.clone().oneshot(request).await.expect("an answer");
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    };
    let (status, page) = send("GET", "/dev/stripe", "").await;
    assert_eq!(status, 200);
    assert!(page.contains("Refund £10.00"), "{page}");
    let form = "webhook_delay_ms=5&webhook_repeat=1&webhook_drop=0&api_fail=0&api_hang_ms=0&webhook_reorder=true";
    assert_eq!(send("POST", "/dev/stripe/controls", form).await.0, 303);
    let controls = sandbox.running.sandbox.controls().await.expect("the switches");
    assert_eq!(
        (controls.webhook_delay_ms, controls.webhook_repeat, controls.webhook_reorder, controls.bank_debit),
        (5, 1, true, false)
    );
    let refund = format!("payment_intent={}", text(&paid["payment_intent"], "id"));
    assert_eq!(send("POST", "/dev/stripe/refund", &refund).await.0, 303);
    let (status, page) = send("POST", "/dev/stripe/refund", &refund).await;
    assert_eq!(status, 422);
    assert!(page.contains("has already been refunded."), "{page}");
    assert_eq!(send("POST", "/dev/stripe/release", "").await.0, 303);
    eventually("the held copies arrive", async || {
        receiver.types().await.iter().filter(|kind| *kind == "charge.refunded").count() == 2
    })
    .await;
}
