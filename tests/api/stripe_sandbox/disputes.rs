//! Disputes: the money goes at once; evidence, the operator or the clock decides whether it comes back.

use std::collections::HashMap;

use serde_json::{Value, json};
use stripe_core::dispute::{CloseDispute, ListDispute, RetrieveDispute, UpdateDispute, UpdateDisputeEvidence};
use stripe_core::file::{ListFile, RetrieveFile};
use stripe_shared::DisputeStatus;

use super::{KEY, Sandbox, eventually, text};

const DAY: i64 = 86_400;

/// Pays with Stripe's card for it; answers the dispute.
async fn disputed(sandbox: &Sandbox, amount: i64) -> Value {
    let session = sandbox.session(amount).await;
    assert_eq!(sandbox.pay(&session, "4000000000000259").await.0, 303);
    let list = sandbox.get("/v1/disputes").await;
    list["data"][0].clone()
}

async fn upload(sandbox: &Sandbox, content: &[u8]) -> (u16, Value) {
    let boundary = "souk-boundary";
    let mut body =
        format!("--{boundary}\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\ndispute_evidence\r\n").into_bytes();
    body.extend(
        format!("--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"parcel.pdf\"\r\n\r\n").as_bytes(),
    );
    body.extend(content);
    body.extend(format!("\r\n--{boundary}--\r\n").as_bytes());
    let request = sandbox.http.post(sandbox.url("/v1/files")).bearer_auth(KEY);
    let request = request.header("content-type", format!("multipart/form-data; boundary={boundary}")).body(body);
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[tokio::test]
async fn a_dispute_by_the_client_library_is_won() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.stripe();
    let made = disputed(&sandbox, 10_000).await;
    // the charge less its fee, then the amount and £20 for the dispute
    assert_eq!(sandbox.balance(None).await, (9830 - 10_000 - 2000, 0));
    let listed = ListDispute::new().charge(text(&made, "charge")).send(&client).await.expect("disputes");
    let dispute = RetrieveDispute::new(listed.data[0].id.clone()).send(&client).await.expect("the dispute");
    assert_eq!((dispute.amount, &dispute.status, dispute.reason.as_str()), (10_000, &DisputeStatus::NeedsResponse, "fraudulent"));
    assert!(dispute.evidence_details.due_by.is_some_and(|at| at > dispute.created));
    assert_eq!(dispute.balance_transactions.iter().map(|one| (one.amount, one.fee)).collect::<Vec<_>>(), [(-10_000, 2000)]);
    let refused = sandbox.post("/v1/refunds", &[("charge", text(&made, "charge"))]).await;
    assert_eq!(refused["error"]["code"], "charge_disputed");

    let mut evidence = UpdateDisputeEvidence::new();
    evidence.customer_name = Some("Ada Lovelace".into());
    let staged = UpdateDispute::new(dispute.id.clone()).evidence(evidence).submit(false).send(&client).await.expect("staged");
    assert_eq!((&staged.status, staged.evidence_details.has_evidence), (&DisputeStatus::NeedsResponse, true));
    let mut evidence = UpdateDisputeEvidence::new();
    evidence.uncategorized_text = Some("winning_evidence".into());
    let sent = UpdateDispute::new(dispute.id.clone())
        .evidence(evidence)
        .metadata(HashMap::from([("order".to_owned(), "7".to_owned())]))
        .send(&client)
        .await
        .expect("submitted");
    assert_eq!((&sent.status, sent.evidence_details.submission_count), (&DisputeStatus::UnderReview, 1));
    assert_eq!(sent.evidence.customer_name.as_deref(), Some("Ada Lovelace"), "what was staged goes along");
    eventually("the bank has read it", async || {
        RetrieveDispute::new(dispute.id.clone()).send(&client).await.expect("the dispute").status == DisputeStatus::Won
    })
    .await;
    assert_eq!(sandbox.balance(None).await, (9830 - 2000, 0), "the fee is not given back");
    let events: Vec<_> = sandbox.events().await.into_iter().filter(|kind| kind.starts_with("charge.dispute")).collect();
    assert_eq!(
        events,
        [
            "charge.dispute.created",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.updated",
            "charge.dispute.updated",
            "charge.dispute.funds_reinstated",
            "charge.dispute.closed",
        ]
    );
    assert!(CloseDispute::new(dispute.id).send(&client).await.is_err(), "it is closed already");
    assert_eq!(
        sandbox.post("/v1/refunds", &[("charge", text(&made, "charge"))]).await["object"],
        "refund",
        "as any other charge"
    );
}

#[tokio::test]
async fn disputes_are_lost_by_evidence_by_giving_in_and_by_waiting() {
    let sandbox = Sandbox::start().await;
    let path = |dispute: &Value| format!("/v1/disputes/{}", text(dispute, "id"));
    let first = disputed(&sandbox, 1000).await;
    sandbox.post(&path(&first), &[("evidence[uncategorized_text]", "losing_evidence")]).await;
    eventually("the bank has read it", async || sandbox.get(&path(&first)).await["status"] == "lost").await;
    let refused = sandbox.post(&path(&first), &[("evidence[customer_name]", "Ada")]).await;
    assert_eq!(refused["error"]["type"], "invalid_request_error");

    let second = disputed(&sandbox, 1000).await;
    assert_eq!(sandbox.post(&format!("{}/close", path(&second)), &[]).await["status"], "lost");

    let third = disputed(&sandbox, 1000).await;
    sandbox.advance(9 * DAY - 3600).await;
    assert_eq!(sandbox.get(&path(&third)).await["status"], "needs_response");
    sandbox.advance(2 * DAY).await;
    let late = sandbox.get(&path(&third)).await;
    assert_eq!((&late["status"], &late["evidence_details"]["past_due"]), (&json!("lost"), &json!(true)));
    let funds = sandbox.events().await;
    assert!(!funds.contains(&"charge.dispute.funds_reinstated".to_owned()));
}

#[tokio::test]
async fn the_operator_disputes_and_decides() {
    let sandbox = Sandbox::start().await;
    let paid = sandbox.paid(10_000).await;
    let intent = text(&paid["payment_intent"], "id");
    sandbox.post("/v1/refunds", &[("payment_intent", intent), ("amount", "4000")]).await;
    let operator = &sandbox.running.sandbox;
    assert!(operator.dispute(intent, Some(6001), None).await.is_err(), "no more than was kept");
    assert!(operator.dispute(intent, None, Some("boredom")).await.is_err());
    let made = operator.dispute(intent, None, Some("product_not_received")).await.expect("a dispute");
    assert_eq!((&made["amount"], &made["reason"]), (&json!(6000), &json!("product_not_received")));
    assert!(operator.dispute(intent, None, None).await.is_err(), "once");
    let id = text(&made, "id");
    let answered = sandbox.post(&format!("/v1/disputes/{id}"), &[("evidence[shipping_carrier]", "Royal Mail")]).await;
    assert_eq!(answered["status"], "under_review");
    sandbox.advance(30 * DAY).await;
    assert_eq!(sandbox.get(&format!("/v1/disputes/{id}")).await["status"], "under_review", "the bank takes its time");
    let won = operator.decide_dispute(id, true).await.expect("decided");
    assert_eq!((&won["status"], &won["is_charge_refundable"]), (&json!("won"), &json!(true)));
    assert_eq!(won["balance_transactions"].as_array().map(Vec::len), Some(2));
    assert!(operator.decide_dispute(id, false).await.is_err());
}

#[tokio::test]
async fn evidence_may_be_a_file() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.stripe();
    let content = b"%PDF-1.7 a proof of delivery\r\n\x00\xff";
    let (status, file) = upload(&sandbox, content).await;
    assert_eq!(status, 200, "{file}");
    assert_eq!((&file["size"], &file["type"], &file["filename"]), (&json!(content.len()), &json!("pdf"), &json!("parcel.pdf")));
    assert_eq!(upload(&sandbox, b"MZ a program").await.0, 400);
    assert_eq!(upload(&sandbox, &[b"%PDF".as_slice(), &vec![0; 6 * 1024 * 1024]].concat()).await.0, 400, "too large");
    let bytes = sandbox.http.get(text(&file, "url")).bearer_auth(KEY).send().await.expect("an answer");
    assert_eq!(bytes.bytes().await.expect("bytes").as_ref(), content);
    assert_eq!(sandbox.http.get(text(&file, "url")).send().await.expect("an answer").status(), 401, "not for everybody");
    let id = text(&file, "id").to_owned();
    assert_eq!(RetrieveFile::new(id.as_str()).send(&client).await.expect("the file").size, content.len() as u64);
    assert_eq!(ListFile::new().send(&client).await.expect("files").data.len(), 1);

    let dispute = disputed(&sandbox, 1000).await;
    let path = format!("/v1/disputes/{}", text(&dispute, "id"));
    let refused = sandbox.post(&path, &[("evidence[receipt]", "file_none")]).await;
    assert_eq!(refused["error"]["param"], "evidence[receipt]");
    let form = [("evidence[receipt]", id.as_str()), ("evidence[customer_name]", "Ada"), ("submit", "false")];
    assert_eq!(sandbox.post(&path, &form).await["evidence"]["receipt"], json!(id));
    let cleared = sandbox.post(&path, &[("evidence[customer_name]", ""), ("submit", "false")]).await;
    assert_eq!((&cleared["evidence"]["customer_name"], &cleared["evidence"]["receipt"]), (&Value::Null, &json!(id)));
    let expanded = sandbox.get(&format!("{path}?expand[]=charge&expand[]=payment_intent")).await;
    assert_eq!((&expanded["charge"]["object"], &expanded["charge"]["disputed"]), (&json!("charge"), &json!(true)));
}
