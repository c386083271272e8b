//! Transfers, reversals and balances: every movement is an entry, and what is not there cannot be sent.

use std::collections::HashMap;

use serde_json::json;
use stripe::StripeRequest as _;
use stripe_connect::transfer::{CreateTransfer, ListTransfer, RetrieveTransfer, UpdateTransfer};
use stripe_connect::transfer_reversal::{CreateIdTransferReversal, ListIdTransferReversal, RetrieveTransferReversal};
use stripe_core::balance::RetrieveForMyAccountBalance;
use stripe_core::balance_transaction::ListBalanceTransaction;

use super::{Sandbox, text};

const DAY: i64 = 86_400;

#[tokio::test]
async fn a_transfer_by_the_client_library() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.stripe();
    sandbox.paid(10_000).await;
    // 1.5 % and 20p are Stripe's
    assert_eq!(sandbox.balance(None).await, (9830, 0));
    let mill = sandbox.seller("00012345").await;
    let balance = RetrieveForMyAccountBalance::new().send(&client).await.expect("the platform's balance");
    let pounds = balance.available[0].currency.clone();
    let made = CreateTransfer::new(pounds, mill.as_str())
        .amount(6000)
        .transfer_group("order_7")
        .metadata(HashMap::from([("order".to_owned(), "7".to_owned())]))
        .send(&client)
        .await
        .expect("a transfer");
    assert_eq!((made.amount, made.reversed, made.transfer_group.as_deref()), (6000, false, Some("order_7")));
    assert_eq!((sandbox.balance(None).await, sandbox.balance(Some(&mill)).await), ((3830, 0), (6000, 0)));

    let back = CreateIdTransferReversal::new(made.id.clone()).amount(1500).send(&client).await.expect("a reversal");
    assert_eq!(back.amount, 1500);
    RetrieveTransferReversal::new(back.id.as_str(), made.id.clone()).send(&client).await.expect("the reversal");
    let now = RetrieveTransfer::new(made.id.clone())
        .expand(vec!["balance_transaction".into(), "destination_payment".into(), "destination".into()])
        .send(&client)
        .await
        .expect("the transfer");
    assert_eq!((now.amount_reversed, now.reversed, now.reversals.data.len()), (1500, false, 1));
    let payment = now.destination_payment.as_ref().and_then(|p| p.as_object()).expect("the payment, expanded");
    assert_eq!((payment.amount, payment.amount_refunded), (6000, 1500));
    CreateIdTransferReversal::new(made.id.clone()).send(&client).await.expect("the rest");
    assert_eq!((sandbox.balance(None).await, sandbox.balance(Some(&mill)).await), ((9830, 0), (0, 0)));
    let changed = UpdateTransfer::new(made.id.clone()).description("Order 7").send(&client).await.expect("the transfer");
    assert_eq!((changed.reversed, changed.description.as_deref()), (true, Some("Order 7")));
    let all = ListIdTransferReversal::new(made.id.clone()).send(&client).await.expect("reversals");
    assert_eq!(all.data.iter().map(|one| one.amount).collect::<Vec<_>>(), [4500, 1500]);
    for list in [ListTransfer::new().transfer_group("order_7"), ListTransfer::new().destination(mill.as_str())] {
        assert_eq!(list.send(&client).await.expect("transfers").data.len(), 1);
    }
    assert_eq!(ListTransfer::new().transfer_group("order_8").send(&client).await.expect("transfers").data.len(), 0);

    let balance =
        RetrieveForMyAccountBalance::new().customize().account_id(mill.as_str().into()).send(&client).await.expect("the balance");
    assert_eq!(balance.available.iter().map(|one| one.amount).collect::<Vec<_>>(), [0]);
    ListBalanceTransaction::new().send(&client).await.expect("the platform's entries");
    let entries =
        ListBalanceTransaction::new().customize().account_id(mill.as_str().into()).send(&client).await.expect("entries");
    assert_eq!(entries.data.iter().map(|one| one.amount).collect::<Vec<_>>(), [-4500, -1500, 6000]);
    let expected = [("charge", 9830), ("transfer", -6000), ("transfer_refund", 1500), ("transfer_refund", 4500)];
    assert_eq!(sandbox.entries(None).await, expected.map(|(kind, net)| (kind.to_owned(), net)));
    let events: Vec<_> = sandbox.events().await.into_iter().filter(|kind| kind.starts_with("transfer.")).collect();
    assert_eq!(events, ["transfer.created", "transfer.reversed", "transfer.reversed", "transfer.updated"]);
}

#[tokio::test]
async fn what_is_not_there_is_not_sent() {
    let sandbox = Sandbox::start().await;
    let mill = sandbox.seller("00012345").await;
    let refused = sandbox.transfer(&mill, 100).await;
    assert_eq!(refused["error"]["code"], "balance_insufficient");
    sandbox.paid(1000).await;
    assert_eq!(sandbox.transfer(&mill, 966).await["error"]["code"], "balance_insufficient", "Stripe's fee is gone");
    let sent = sandbox.transfer(&mill, 965).await;
    assert_eq!(sent["object"], "transfer", "{sent}");
    let reversals = format!("/v1/transfers/{}/reversals", text(&sent, "id"));
    assert_eq!(sandbox.post(&reversals, &[("amount", "966")]).await["error"]["param"], "amount");
    // the seller has paid it out meanwhile
    let (status, payout) = sandbox.post_at(&mill, "/v1/payouts", &[("amount", "500"), ("currency", "gbp")]).await;
    assert_eq!(status, 200, "{payout}");
    assert_eq!(sandbox.post(&reversals, &[]).await["error"]["code"], "balance_insufficient");
    assert_eq!(sandbox.post(&reversals, &[("amount", "465")]).await["amount"], 465);
    let new = sandbox.post("/v1/accounts", &[("type", "express")]).await;
    let refused = sandbox.transfer(text(&new, "id"), 100).await;
    assert_eq!(refused["error"]["code"], "insufficient_capabilities_for_transfer");
    let refused = sandbox.transfer("acct_nobody", 100).await;
    assert_eq!((&refused["error"]["param"], &refused["error"]["code"]), (&json!("destination"), &json!("resource_missing")));
}

#[tokio::test]
async fn twenty_hands_send_no_more_than_there_is() {
    let sandbox = Sandbox::start().await;
    sandbox.paid(10_000).await;
    let mill = sandbox.seller("00012345").await;
    let sent = futures::future::join_all((0..20).map(|_| sandbox.transfer(&mill, 1000))).await;
    assert_eq!(sent.iter().filter(|one| one["object"] == "transfer").count(), 9);
    assert_eq!((sandbox.balance(None).await, sandbox.balance(Some(&mill)).await), ((830, 0), (9000, 0)));
}

#[tokio::test]
async fn money_of_a_charge_settles_with_it() {
    let sandbox = Sandbox::start().await;
    sandbox.control(json!({ "settle_days": 3 })).await;
    let paid = sandbox.paid(10_000).await;
    let charge = text(&paid["payment_intent"]["latest_charge"], "id").to_owned();
    assert_eq!(sandbox.balance(None).await, (0, 9830));
    let mill = sandbox.seller("00012345").await;
    assert_eq!(sandbox.transfer(&mill, 1000).await["error"]["code"], "balance_insufficient");
    let form = [("amount", "8000"), ("currency", "gbp"), ("destination", mill.as_str()), ("source_transaction", charge.as_str())];
    let early = sandbox.post("/v1/transfers", &form).await;
    assert_eq!(early["transfer_group"], format!("group_{charge}"), "{early}");
    assert_eq!((sandbox.balance(None).await, sandbox.balance(Some(&mill)).await), ((0, 1830), (0, 8000)));
    assert_eq!(sandbox.post("/v1/transfers", &form).await["error"]["param"], "amount", "no more than the charge");
    let (_, refused) = sandbox.post_at(&mill, "/v1/payouts", &[("amount", "100"), ("currency", "gbp")]).await;
    assert_eq!(refused["error"]["code"], "balance_insufficient");
    let reversals = format!("/v1/transfers/{}/reversals", text(&early, "id"));
    assert_eq!(sandbox.post(&reversals, &[("amount", "500")]).await["amount"], 500, "also while it is pending");
    let pending = sandbox.get("/v1/balance_transactions?type=charge").await;
    assert_eq!(pending["data"][0]["status"], "pending");
    sandbox.advance(3 * DAY).await;
    assert_eq!((sandbox.balance(None).await, sandbox.balance(Some(&mill)).await), ((2330, 0), (7500, 0)));
    let available = sandbox.get("/v1/balance_transactions?type=charge").await;
    assert_eq!(available["data"][0]["status"], "available");

    // the card of Stripe's for whoever cannot wait
    let session = sandbox.session(1000).await;
    sandbox.pay(&session, "4000000000000077").await;
    assert_eq!(sandbox.balance(None).await, (2330 + 965, 0));
}

#[tokio::test]
async fn entries_are_found_by_what_they_are_of() {
    let sandbox = Sandbox::start().await;
    let paid = sandbox.paid(10_000).await;
    let charge = text(&paid["payment_intent"]["latest_charge"], "id").to_owned();
    let refund = sandbox.post("/v1/refunds", &[("charge", &charge), ("amount", "500")]).await;
    let count = async |query: &str| {
        let list = sandbox.get(&format!("/v1/balance_transactions?{query}")).await;
        list["data"].as_array().unwrap_or_else(|| panic!("{list}")).len()
    };
    assert_eq!(count(&format!("source={charge}")).await, 1);
    assert_eq!(count(&format!("source={}", text(&refund, "id"))).await, 1);
    assert_eq!(count("type=refund").await, 1);
    assert_eq!(count("currency=gbp").await, 2);
    assert_eq!(count("currency=eur").await, 0);
    assert_eq!(count("created[gte]=1&type=charge").await, 1);
    let mill = sandbox.seller("00012345").await;
    sandbox.transfer(&mill, 1000).await;
    let (_, payout) = sandbox.post_at(&mill, "/v1/payouts", &[("amount", "1000"), ("currency", "gbp")]).await;
    let path = format!("/v1/balance_transactions?payout={}", text(&payout, "id"));
    let (status, refused) = sandbox.get_at(&mill, &path).await;
    assert_eq!((status, &refused["error"]["param"]), (400, &json!("payout")), "a payout that somebody asked for has no list");
}
