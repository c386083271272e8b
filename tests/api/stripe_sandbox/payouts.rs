//! Payouts of connected accounts: they arrive by the clock, fail by the bank account's number, or are sent back later.

use serde_json::{Value, json};
use souk::sandbox::stripe::controls::PayoutOutcome;
use stripe::StripeRequest as _;
use stripe_core::balance::RetrieveForMyAccountBalance;
use stripe_core::payout::{CancelPayout, CreatePayout, ListPayout, RetrievePayout};

use super::{Receiver, Sandbox, eventually, text};

const DAY: i64 = 86_400;

/// A seller with money, and a payout of all of it.
async fn paying_out(sandbox: &Sandbox, number: &str) -> (String, Value) {
    sandbox.paid(20_000).await;
    let mill = sandbox.seller(number).await;
    sandbox.transfer(&mill, 5000).await;
    let (status, payout) = sandbox.post_at(&mill, "/v1/payouts", &[("amount", "5000"), ("currency", "gbp")]).await;
    assert_eq!(status, 200, "{payout}");
    (mill, payout)
}

async fn now(sandbox: &Sandbox, account: &str, payout: &Value) -> Value {
    sandbox.get_at(account, &format!("/v1/payouts/{}", text(payout, "id"))).await.1
}

#[tokio::test]
async fn a_payout_is_its_accounts_alone() {
    let sandbox = Sandbox::start().await;
    let (_, payout) = paying_out(&sandbox, "00012345").await;
    let path = format!("/v1/payouts/{}", text(&payout, "id"));
    assert_eq!(sandbox.get(&path).await["error"]["code"], "resource_missing", "not the platform's");
    let other = sandbox.seller("00012345").await;
    assert_eq!(sandbox.get_at(&other, &path).await.0, 404);
    assert_eq!(sandbox.post_at(&other, &format!("{path}/cancel"), &[]).await.0, 404);
    let refused = sandbox.post("/v1/payouts", &[("amount", "5"), ("currency", "gbp")]).await;
    assert!(text(&refused["error"], "message").contains("external accounts"), "{refused}");
}

#[tokio::test]
async fn a_payout_by_the_client_library_arrives() {
    let (receiver, url) = Receiver::start().await;
    let sandbox = Sandbox::telling(Some(url)).await;
    let client = sandbox.stripe();
    sandbox.paid(20_000).await;
    let mill = sandbox.seller("00012345").await;
    sandbox.transfer(&mill, 5000).await;
    let balance = RetrieveForMyAccountBalance::new().send(&client).await.expect("the platform's balance");
    let pounds = balance.available[0].currency.clone();
    let made = CreatePayout::new(3000, pounds.clone())
        .customize()
        .account_id(mill.as_str().into())
        .send(&client)
        .await
        .expect("a payout");
    assert_eq!((made.amount, made.status.as_str(), made.automatic), (3000, "pending", false));
    assert_eq!(sandbox.balance(Some(&mill)).await, (2000, 0));
    sandbox.advance(DAY).await;
    let under_way =
        RetrievePayout::new(made.id.clone()).customize().account_id(mill.as_str().into()).send(&client).await.expect("it");
    assert_eq!(under_way.status, "in_transit");
    sandbox.advance(DAY).await;
    let arrived =
        RetrievePayout::new(made.id.clone()).customize().account_id(mill.as_str().into()).send(&client).await.expect("it");
    assert_eq!((arrived.status.as_str(), arrived.failure_code), ("paid", None));
    let paid =
        ListPayout::new().status("paid").customize().account_id(mill.as_str().into()).send(&client).await.expect("payouts");
    assert_eq!(paid.data.len(), 1);
    let early =
        CreatePayout::new(500, pounds).customize().account_id(mill.as_str().into()).send(&client).await.expect("a payout");
    let off = CancelPayout::new(early.id).customize().account_id(mill.as_str().into()).send(&client).await.expect("it is off");
    assert_eq!((off.status.as_str(), off.failure_balance_transaction.is_some()), ("canceled", true));
    assert!(CancelPayout::new(made.id).customize().account_id(mill.as_str().into()).send(&client).await.is_err(), "too late");
    assert_eq!(sandbox.balance(Some(&mill)).await, (2000, 0));
    let expected = [("payment", 5000), ("payout", -3000), ("payout", -500), ("payout_cancel", 500)];
    assert_eq!(sandbox.entries(Some(&mill)).await, expected.map(|(kind, net)| (kind.to_owned(), net)));
    let events: Vec<_> = sandbox.events_at(&mill).await.into_iter().filter(|kind| kind.starts_with("payout.")).collect();
    assert_eq!(events, ["payout.created", "payout.updated", "payout.paid", "payout.created", "payout.canceled"]);
    eventually("the shop hears of it", async || receiver.types().await.contains(&"payout.canceled".to_owned())).await;
    for event in
        receiver.all().await.iter().map(super::Received::event).filter(|event| text(event, "type").starts_with("payout."))
    {
        assert_eq!(event["account"], json!(mill));
    }
}

#[tokio::test]
async fn a_payout_to_a_closed_account_fails() {
    let sandbox = Sandbox::start().await;
    let (mill, payout) = paying_out(&sandbox, "11111113").await;
    sandbox.advance(2 * DAY).await;
    let failed = now(&sandbox, &mill, &payout).await;
    assert_eq!((&failed["status"], &failed["failure_code"]), (&json!("failed"), &json!("account_closed")));
    let entry = text(&failed, "failure_balance_transaction");
    let (_, entry) = sandbox.get_at(&mill, &format!("/v1/balance_transactions/{entry}")).await;
    assert_eq!((&entry["type"], &entry["net"], &entry["source"]), (&json!("payout_failure"), &json!(5000), &payout["id"]));
    assert_eq!(sandbox.balance(Some(&mill)).await, (5000, 0));
    let account = sandbox.get(&format!("/v1/accounts/{mill}")).await;
    assert_eq!(account["external_accounts"]["data"][0]["status"], "errored");
    assert!(sandbox.events_at(&mill).await.ends_with(&["payout.failed".into(), "account.external_account.updated".into()]));

    // with another bank account the next one arrives
    sandbox.running.sandbox.onboard(&mill, None).await.expect("another bank account");
    let (_, again) = sandbox.post_at(&mill, "/v1/payouts", &[("amount", "5000"), ("currency", "gbp")]).await;
    sandbox.advance(2 * DAY).await;
    assert_eq!(now(&sandbox, &mill, &again).await["status"], "paid");
}

#[tokio::test]
async fn a_payout_is_sent_back_after_it_arrived() {
    let sandbox = Sandbox::start().await;
    let (mill, payout) = paying_out(&sandbox, "00012345").await;
    let id = text(&payout, "id");
    let operator = &sandbox.running.sandbox;
    operator.end_payout(id, PayoutOutcome::Paid, None).await.expect("it arrives before its time");
    operator.end_payout(id, PayoutOutcome::Failed, Some("no_account")).await.expect("it comes back");
    let failed = now(&sandbox, &mill, &payout).await;
    assert_eq!((&failed["status"], &failed["failure_code"]), (&json!("failed"), &json!("no_account")));
    assert!(operator.end_payout(id, PayoutOutcome::Failed, None).await.is_err(), "once");
    assert!(operator.end_payout(id, PayoutOutcome::Paid, None).await.is_err());
    assert_eq!(sandbox.balance(Some(&mill)).await, (5000, 0));
    sandbox.advance(3 * DAY).await;
    assert_eq!(now(&sandbox, &mill, &payout).await["status"], "failed", "nothing more follows by itself");
    let expected = [("payment", 5000), ("payout", -5000), ("payout_failure", 5000)];
    assert_eq!(sandbox.entries(Some(&mill)).await, expected.map(|(kind, net)| (kind.to_owned(), net)));
}
