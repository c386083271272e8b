//! Refunds that are not over when they are made.

use serde_json::{Value, json};
use souk::sandbox::stripe::controls::RefundEnd;
use stripe_core::refund::{CancelRefund, CreateRefund, RetrieveRefund};

use super::{Sandbox, text};

const DAY: i64 = 86_400;

/// A refund of £10 paid with this card.
async fn refunded(sandbox: &Sandbox, number: &str) -> (String, Value) {
    let session = sandbox.session(1000).await;
    assert_eq!(sandbox.pay(&session, number).await.0, 303);
    let path = format!("/v1/checkout/sessions/{}?expand[]=payment_intent", text(&session, "id"));
    let intent = sandbox.get(&path).await["payment_intent"].clone();
    let refund = sandbox.post("/v1/refunds", &[("payment_intent", text(&intent, "id"))]).await;
    (text(&intent, "latest_charge").to_owned(), refund)
}

#[tokio::test]
async fn a_refund_that_waits_succeeds() {
    let sandbox = Sandbox::start().await;
    let (_, refund) = refunded(&sandbox, "4000000000007726").await;
    assert_eq!(refund["status"], "pending");
    assert!(!sandbox.events().await.contains(&"refund.updated".to_owned()));
    sandbox.advance(DAY).await;
    let client = sandbox.stripe();
    let now = RetrieveRefund::new(text(&refund, "id")).send(&client).await.expect("the refund");
    assert_eq!(now.status.as_deref(), Some("succeeded"));
    let events = sandbox.events().await;
    assert!(events.ends_with(&["charge.refund.updated".into(), "refund.updated".into(), "refund.updated".into()]), "{events:?}");
}

#[tokio::test]
async fn a_refund_that_succeeded_comes_back() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.stripe();
    let (charge, refund) = refunded(&sandbox, "4000000000005126").await;
    assert_eq!(refund["status"], "succeeded");
    assert_eq!(sandbox.balance(None).await, (965 - 1000, 0));
    sandbox.advance(DAY).await;
    let now = RetrieveRefund::new(text(&refund, "id"))
        .expand(vec!["failure_balance_transaction".into()])
        .send(&client)
        .await
        .expect("the refund");
    assert_eq!((now.status.as_deref(), now.failure_reason.as_deref()), (Some("failed"), Some("expired_or_canceled_card")));
    let entry = now.failure_balance_transaction.as_ref().and_then(|entry| entry.as_object()).expect("the entry, expanded");
    assert_eq!((entry.amount, entry.net), (1000, 1000));
    assert_eq!(sandbox.balance(None).await, (965, 0));
    let charge_now = sandbox.get(&format!("/v1/charges/{charge}")).await;
    assert_eq!((&charge_now["amount_refunded"], &charge_now["refunded"]), (&json!(0), &json!(false)));
    let events = sandbox.events().await;
    let last = ["charge.updated", "charge.refund.updated", "refund.updated", "refund.failed"].map(str::to_owned);
    assert!(events.ends_with(&last), "{events:?}");
    sandbox.advance(10 * DAY).await;
    assert_eq!(sandbox.events().await, events, "once");
    CreateRefund::new().charge(charge.as_str()).send(&client).await.expect("another refund");
}

#[tokio::test]
async fn only_the_dashboard_calls_a_cards_refund_off() {
    let sandbox = Sandbox::start().await;
    let (charge, refund) = refunded(&sandbox, "4000000000007726").await;
    let id = text(&refund, "id");
    assert!(CancelRefund::new(id).send(&sandbox.stripe()).await.is_err(), "the API cannot, at Stripe neither");
    let operator = &sandbox.running.sandbox;
    let off = operator.end_refund(id, RefundEnd::Canceled).await.expect("it is off");
    assert_eq!((&off["status"], off["failure_balance_transaction"].is_string()), (&json!("canceled"), true));
    assert_eq!(sandbox.balance(None).await, (965, 0));
    assert_eq!(sandbox.get(&format!("/v1/charges/{charge}")).await["amount_refunded"], 0);
    assert!(operator.end_refund(id, RefundEnd::Failed).await.is_err());
    sandbox.advance(2 * DAY).await;
    assert_eq!(sandbox.get(&format!("/v1/refunds/{id}")).await["status"], "canceled");
    assert!(!sandbox.events().await.contains(&"refund.failed".to_owned()));

    let paid = sandbox.paid(1000).await;
    let plain = sandbox.post("/v1/refunds", &[("payment_intent", text(&paid["payment_intent"], "id"))]).await;
    operator.end_refund(text(&plain, "id"), RefundEnd::Failed).await.expect("any refund may come back");
}
