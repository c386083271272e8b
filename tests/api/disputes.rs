//! A bank is asked for the money back: who may see and say what, whose money is held, evidence, and how it ends, whatever becomes of the events.

use crate::support::{
    Client, TestApp, World,
    purchase::{Unpaid, assert_laws_hold, count, deliver_all, order, parcel_of, pay, standing},
};
use http::StatusCode;
use serde_json::Value;
use souk::{
    disputes,
    ledger::{self, model::Account},
    money::Currency,
    payments,
    sandbox::stripe::Controls,
    server::jobs,
};
use uuid::Uuid;

const PDF: &[u8] = b"%PDF-1.7 the carrier's proof of delivery";

/// A paid order of the mill (£23.95) and the kiln (£13.95), of whose goods the market takes a tenth, and a fifth of that as VAT.
struct Sold {
    order: Unpaid,
    intent: String,
    mill: Uuid,
    lines: Vec<Uuid>,
}

impl Sold {
    async fn to_ada(test: &TestApp, world: &World) -> Self {
        let goods = [("MILL-PLAIN", 2), ("KILN-PLAIN", 1)];
        let order = order(&test.app, Some(world.people["ada"]), &goods).await.expect("stock");
        let mut tx = test.app.pool.begin().await.expect("a transaction");
        for statement in [
            // as if it had been frozen when it was sold
            "set local session_replication_role = replica",
            "update order_lines set fee_minor = total_minor / 10, fee_vat_minor = total_minor / 50",
            "update vendor_orders v set fee_minor = s.fee, fee_vat_minor = s.vat
             from (select vendor_order_id, sum(fee_minor) as fee, sum(fee_vat_minor) as vat from order_lines group by 1) s
             where s.vendor_order_id = v.id",
        ] {
            sqlx::query(statement).execute(&mut *tx).await.expect("fees");
        }
        tx.commit().await.expect("fees");
        pay(test, &order).await;
        let intent = sqlx::query_scalar("select stripe_intent_id from payments where order_id = $1")
            .bind(order.id.uuid())
            .fetch_one(&test.app.pool)
            .await
            .expect("an intent");
        let (mill, lines) = parcel_of(test, &order, "mill").await;
        Self { order, intent, mill, lines }
    }

    /// The shopper goes to the bank; answers Stripe's dispute.
    async fn disputed(&self, test: &TestApp, amount: Option<i64>) -> Value {
        let sandbox = &test.services().stripe.sandbox;
        sandbox.dispute(&self.intent, amount, Some("product_not_received")).await.expect("a dispute")
    }
}

async fn ours(test: &TestApp) -> Uuid {
    sqlx::query_scalar("select id from disputes").fetch_one(&test.app.pool).await.expect("a dispute")
}

async fn balance(test: &TestApp, account: Account) -> i64 {
    ledger::balance(&test.app.pool, account, Currency::GBP).await.expect("a balance")
}

/// Held and pending of a vendor, what was earned with its VAT, and Stripe's fees.
async fn books(test: &TestApp, vendor: Uuid) -> (i64, i64, i64, i64, i64) {
    (
        balance(test, Account::DisputesHeld(vendor.into())).await,
        balance(test, Account::VendorPending(vendor.into())).await,
        balance(test, Account::Commission).await,
        balance(test, Account::CommissionVat).await,
        balance(test, Account::StripeFees).await,
    )
}

/// Cash by the books is what Stripe holds.
async fn assert_cash_is_at_stripe(test: &TestApp) {
    let there = souk::sandbox::stripe::balance::funds(&test.app.pool, None).await.expect("a balance");
    let there = there.get("gbp").map_or(0, |f| f.total());
    assert_eq!(balance(test, Account::Cash).await, there, "Cash by the books, and at Stripe");
}

async fn mails(test: &TestApp, subject: &str, to: &str) -> i64 {
    sqlx::query_scalar("select count(*) from outbox where subject like $1 and recipient = $2")
        .bind(subject)
        .bind(to)
        .fetch_one(&test.app.pool)
        .await
        .expect("the outbox")
}

async fn send(operator: &mut Client, id: Uuid, number: &str) -> crate::support::Answer {
    operator.post_form(&format!("/operator/disputes/{id}/evidence"), &[("number", number)]).await
}

#[tokio::test]
async fn someone_else_may_not() {
    let (test, world) = TestApp::with_services().await;
    let sold = Sold::to_ada(&test, &world).await;
    // only of the mill: the kiln's part went back before
    let (kiln, _) = parcel_of(&test, &sold.order, "kiln").await;
    let line: Uuid = sqlx::query_scalar("select id from order_lines where vendor_order_id = $1")
        .bind(kiln)
        .fetch_one(&test.app.pool)
        .await
        .unwrap();
    let (back, shipping, reason) = (format!("back[{line}]"), format!("shipping[{kiln}]"), format!("reason[{kiln}]"));
    let fields = [(back.as_str(), "1"), (&shipping, "3.95"), (&reason, "Late")];
    let answer = test.vendor("kiln").await.post_form(&format!("/vendor/orders/{kiln}/refunds"), &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    deliver_all(&test).await;
    sold.disputed(&test, None).await;
    deliver_all(&test).await;
    let id = ours(&test).await;
    let mut operator = test.operator().await;
    let files = [("file", "proof.pdf", "application/pdf", PDF)];
    let place = [("place", "shipping_documentation")];
    let answer = operator.post_multipart(&format!("/operator/disputes/{id}/files"), &place, &files).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let file: Uuid = sqlx::query_scalar("select id from dispute_files").fetch_one(&test.app.pool).await.unwrap();
    for mut stranger in [test.vendor("kiln").await, test.customer("ada").await, test.guest()] {
        for path in [
            format!("/operator/disputes/{id}"),
            format!("/operator/disputes/{id}/files/{file}"),
            format!("/vendor/disputes/{id}"),
            format!("/vendor/disputes/{id}/files/{file}"),
            "/operator/reconciliation".into(),
        ] {
            let answer = stranger.get(&path).await;
            assert!(answer.status != StatusCode::OK, "{path} is read by a stranger: {}", answer.status);
        }
        for path in
            [format!("/operator/disputes/{id}"), format!("/operator/disputes/{id}/evidence"), format!("/vendor/disputes/{id}")]
        {
            let answer = stranger.post_form(&path, &[("words", "Mine"), ("number", "100001")]).await;
            assert!(!answer.location().contains("/disputes/"), "{path} is written by a stranger");
        }
        stranger.post_multipart(&format!("/vendor/disputes/{id}/files"), &[("place", "receipt")], &files).await;
        stranger.post_form(&format!("/vendor/disputes/{id}/files/{file}/remove"), &[]).await;
    }
    // The vendor of the goods reads what is its own, and takes nothing of the operator's away.
    let mut mill = test.vendor("mill").await;
    assert!(mill.get(&format!("/vendor/disputes/{id}")).await.text().contains("£23.95"));
    assert_eq!(mill.get(&format!("/vendor/disputes/{id}/files/{file}")).await.status, StatusCode::NOT_FOUND);
    let answer = mill.post_form(&format!("/vendor/disputes/{id}/files/{file}/remove"), &[]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(count(&test.app, "select count(*) from dispute_files").await, 1);
    assert_eq!(count(&test.app, "select count(*) from dispute_statements").await, 0);
    assert_eq!(count(&test.app, "select count(*) from disputes where words <> '' or submitted_at is not null").await, 0);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn evidence_with_a_file_wins_and_what_was_held_is_released() {
    let (test, world) = TestApp::with_services().await;
    let sold = Sold::to_ada(&test, &world).await;
    deliver_all(&test).await;
    let (mill_id, kiln_id) = (world.vendors["mill"].id, world.vendors["kiln"].id);
    let before = books(&test, mill_id).await;
    let truth = sold.disputed(&test, None).await;
    deliver_all(&test).await;
    let id = ours(&test).await;
    let held = books(&test, mill_id).await;
    assert_eq!((held.0, held.1, held.2, held.4 - before.4), (2395, before.1, before.2, 2000), "held, not taken; the fee is ours");
    assert_eq!(balance(&test, Account::DisputesHeld(kiln_id.into())).await, 1395);
    assert_cash_is_at_stripe(&test).await;
    assert_laws_hold(&test.app).await;
    assert_eq!(mails(&test, "Order % is disputed: £37.90", "operator@example.com").await, 1);
    assert_eq!(mails(&test, "Order % is disputed", "mill@example.com").await, 1);

    let (mut operator, mut mill) = (test.operator().await, test.vendor("mill").await);
    let inbox = operator.get("/operator").await.text();
    assert!(inbox.contains("Disputes that need evidence") && inbox.contains("evidence by"), "{inbox}");
    assert!(
        operator.get(&format!("/operator/orders/{}", sold.order.id)).await.text().contains("Disputed: the bank holds £37.90")
    );
    assert!(mill.get(&format!("/vendor/orders/{}", sold.mill)).await.text().contains("Disputed: the bank holds £23.95"));
    assert!(mill.get("/vendor").await.text().contains("The bank waits for what you have to say"));

    // Nothing goes back meanwhile, by whoever.
    let fields = [(format!("back[{}]", sold.lines[0]), "1".to_owned()), (format!("reason[{}]", sold.mill), "Please".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = mill.post_form(&format!("/vendor/orders/{}/refunds", sold.mill), &fields).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text().contains("A bank has been asked to take the money of this order back."), "{}", answer.text());
    let answer = test.customer("ada").await.post_form(&sold.order.path("/cancel"), &[("token", &sold.order.token)]).await;
    assert!(answer.text().contains("A bank has been asked"), "{}", answer.text());
    assert_eq!(count(&test.app, "select count(*) from refunds").await, 0);

    // Files are looked at, one of each kind, and not too large.
    let path = format!("/vendor/disputes/{id}/files");
    for (name, bytes, place, says) in [
        ("proof.pdf", b"<script>".as_slice(), "receipt", "This is no PDF, JPEG or PNG."),
        ("proof.pdf", PDF, "", "Please choose one."),
        ("large.pdf", &[PDF, &vec![0; 4_500_000]].concat(), "receipt", "This file is larger than 4.5 MB."),
    ] {
        let answer = mill.post_multipart(&path, &[("place", place)], &[("file", name, "application/pdf", bytes)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{says}");
        assert!(answer.text().contains(says), "{says}: {}", answer.text());
    }
    let file = [("file", "Lieferung Mühle.pdf", "application/pdf", PDF)];
    let answer = mill.post_multipart(&path, &[("place", "shipping_documentation")], &file).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let answer = mill.post_multipart(&path, &[("place", "shipping_documentation")], &file).await;
    assert!(answer.text().contains("There is one of these already."), "{}", answer.text());
    let answer = mill.post_form(&format!("/vendor/disputes/{id}"), &[("words", "Sent on Monday with Royal Mail.")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let kept: Uuid = sqlx::query_scalar("select id from dispute_files").fetch_one(&test.app.pool).await.unwrap();
    let answer = operator.get(&format!("/operator/disputes/{id}/files/{kept}")).await;
    assert_eq!((answer.body.as_bytes(), answer.headers["content-type"].to_str().unwrap()), (PDF, "application/pdf"));
    assert!(answer.headers["content-security-policy"].to_str().unwrap().contains("sandbox"));

    // The operator drafts, and sends with the order's number typed.
    let number: i64 = sqlx::query_scalar("select number from orders").fetch_one(&test.app.pool).await.unwrap();
    let page = operator.get(&format!("/operator/disputes/{id}")).await.text();
    for says in ["Sent on Monday with Royal Mail.", "The goods did not arrive", "Evidence is due", "The mill", "ada@example.com"]
    {
        assert!(page.contains(says), "{says}: {page}");
    }
    let answer = operator.post_form(&format!("/operator/disputes/{id}"), &[("words", "She wrote that it came.")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let answer = send(&mut operator, id, "yes").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains(&format!("Type {number}, the number of the order, to send it.")), "{}", answer.text());
    let answer = send(&mut operator, id, &number.to_string()).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    for answer in [
        send(&mut operator, id, &number.to_string()).await,
        operator.post_form(&format!("/operator/disputes/{id}"), &[("words", "And this")]).await,
        mill.post_form(&format!("/vendor/disputes/{id}"), &[("words", "And this")]).await,
        mill.post_multipart(&path, &[("place", "receipt")], &file).await,
        mill.post_form(&format!("/vendor/disputes/{id}/files/{kept}/remove"), &[]).await,
    ] {
        assert_eq!(answer.status, StatusCode::CONFLICT);
        assert!(answer.text().contains("The evidence was sent; it can no longer be changed."), "{}", answer.text());
    }
    deliver_all(&test).await;
    let doc: Value = sqlx::query_scalar("select doc from stripe_sandbox.objects where kind = 'dispute'")
        .fetch_one(&test.app.pool)
        .await
        .expect("Stripe's dispute");
    assert_eq!((&doc["status"], &doc["evidence_details"]["submission_count"]), (&"under_review".into(), &1.into()));
    let said = doc["evidence"]["uncategorized_text"].as_str().expect("words");
    assert_eq!(said, "She wrote that it came.\n\nFrom The mill, who sold it:\nSent on Monday with Royal Mail.");
    assert_eq!(doc["evidence"]["customer_email_address"], "ada@example.com");
    assert!(doc["evidence"]["product_description"].as_str().unwrap().contains("2 × The mill's plain bowl"));
    let at_stripe: Vec<u8> = sqlx::query_scalar("select content from stripe_sandbox.files where id = $1")
        .bind(doc["evidence"]["shipping_documentation"].as_str().expect("a file"))
        .fetch_one(&test.app.pool)
        .await
        .expect("the file at Stripe");
    assert_eq!(at_stripe, PDF);

    test.services().stripe.sandbox.decide_dispute(truth["id"].as_str().unwrap(), true).await.expect("decided");
    deliver_all(&test).await;
    let after = books(&test, mill_id).await;
    assert_eq!((after.0, after.1, after.2, after.4), (0, before.1, before.2, before.4 + 2000), "released; Stripe keeps its fee");
    assert_cash_is_at_stripe(&test).await;
    assert_eq!(mails(&test, "The dispute of order % is won", "kiln@example.com").await, 1);
    assert_eq!(standing(&test.app, sold.order.id).await.1, "paid");
    let answer = mill.post_form(&format!("/vendor/orders/{}/refunds", sold.mill), &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "won, it is as any other: {}", answer.text());
    deliver_all(&test).await;
    assert_cash_is_at_stripe(&test).await;
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_part_is_lost_as_if_it_had_been_refunded() {
    let (test, world) = TestApp::with_services().await;
    let sold = Sold::to_ada(&test, &world).await;
    deliver_all(&test).await;
    let (mill_id, kiln_id) = (world.vendors["mill"].id, world.vendors["kiln"].id);
    let before = (books(&test, mill_id).await, books(&test, kiln_id).await);
    let truth = sold.disputed(&test, Some(1001)).await;
    deliver_all(&test).await;
    // 2395 and 1395 of 3790: 632.56 and 368.44
    let held = (
        balance(&test, Account::DisputesHeld(mill_id.into())).await,
        balance(&test, Account::DisputesHeld(kiln_id.into())).await,
    );
    assert_eq!(held, (633, 368), "by what is left of each, and together all of it");
    test.services().stripe.sandbox.decide_dispute(truth["id"].as_str().unwrap(), false).await.expect("decided");
    deliver_all(&test).await;
    let after = (books(&test, mill_id).await, books(&test, kiln_id).await);
    let parts: Vec<(i64, i64, i64)> = sqlx::query_as(
        "select p.amount_minor, p.fee_minor, p.fee_vat_minor from dispute_parts p join vendor_orders v on v.id = p.vendor_order_id
         order by v.vendor_slug desc",
    )
    .fetch_all(&test.app.pool)
    .await
    .expect("the parts");
    // of the mill's fee of 200 and VAT of 40, 633 / 2395
    assert_eq!(parts[0], (633, 53, 11));
    assert_eq!((after.0.0, after.1.0), (0, 0));
    assert_eq!(after.0.1 - before.0.1, 633 - 53 - 11, "the mill has so much less");
    assert_eq!(after.1.1 - before.1.1, parts[1].0 - parts[1].1 - parts[1].2);
    assert_eq!(after.0.2 - before.0.2, parts[0].1 + parts[1].1, "our fee goes back in proportion");
    assert_cash_is_at_stripe(&test).await;
    assert_eq!(standing(&test.app, sold.order.id).await.1, "partially_refunded");
    assert_eq!(mails(&test, "The dispute of order % is lost", "mill@example.com").await, 1);
    let page = test.vendor("mill").await.get(&format!("/vendor/orders/{}", sold.mill)).await.text();
    assert!(page.contains("Disputed, and lost: the bank gave £6.33 back to the shopper."), "{page}");
    // Stripe refunds nothing of such a charge any more, and we say so.
    let fields = [(format!("back[{}]", sold.lines[0]), "1".to_owned()), (format!("reason[{}]", sold.mill), "Please".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = test.vendor("mill").await.post_form(&format!("/vendor/orders/{}/refunds", sold.mill), &fields).await;
    assert!(answer.text().contains("A bank has been asked"), "{}", answer.text());
    let mut operator = test.operator().await;
    let answer = send(&mut operator, ours(&test).await, "100001").await;
    assert!(answer.text().contains("This dispute is decided; the bank takes no more evidence."), "{}", answer.text());
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn events_come_repeated_reordered_or_not_at_all() {
    let (test, world) = TestApp::with_services().await;
    let sandbox = &test.services().stripe.sandbox;
    let calm = sandbox.controls().await.expect("the switches");
    sandbox.set_controls(&Controls { webhook_repeat: 2, webhook_reorder: true, ..calm.clone() }).await.expect("the switches");
    let sold = Sold::to_ada(&test, &world).await;
    let truth = sold.disputed(&test, None).await;
    let id = truth["id"].as_str().unwrap();
    sandbox.decide_dispute(id, false).await.expect("decided");
    deliver_all(&test).await;
    let mut tx = test.app.pool.begin().await.expect("a transaction");
    for event in sqlx::query_scalar::<_, String>(
        "select id from webhook_events where kind like 'charge.dispute.%' order by received_at desc",
    )
    .fetch_all(&mut *tx)
    .await
    .expect("events")
    {
        payments::webhook::replay(&mut tx, &event).await.expect("replayed");
    }
    tx.commit().await.expect("replayed");
    deliver_all(&test).await;
    disputes::sync_dispute(&test.app, id).await.expect("read once more");
    for (sql, number) in [
        ("select count(*) from disputes where status = 'lost'", 1),
        ("select count(*) from order_events where kind = 'disputed'", 1),
        ("select count(*) from order_events where kind = 'dispute_withdrawn'", 1),
        ("select count(*) from order_events where kind = 'dispute_lost'", 1),
        ("select count(*) from ledger_transactions where cause = 'dispute'", 2),
        ("select count(*) from outbox where subject like 'Order % is disputed' and recipient = 'mill@example.com'", 1),
        ("select count(*) from outbox where subject like 'The dispute of order % is lost' and recipient = 'mill@example.com'", 1),
        ("select count(*) from webhook_events where state <> 'done'", 0),
    ] {
        assert_eq!(count(&test.app, sql).await, number, "{sql}");
    }
    assert_eq!(standing(&test.app, sold.order.id).await.1, "refunded", "the shopper has all of it");
    assert_cash_is_at_stripe(&test).await;

    // Lost events: the sweeper asks.
    sandbox.set_controls(&Controls { webhook_drop: -1, ..calm }).await.expect("the switches");
    let second = Sold::to_ada(&test, &world).await;
    let truth = second.disputed(&test, None).await;
    let id = truth["id"].as_str().unwrap();
    disputes::sync_dispute(&test.app, id).await.expect("known");
    sandbox.decide_dispute(id, true).await.expect("decided");
    sqlx::query("update disputes set opened_at = opened_at - interval '2 hours'").execute(&test.app.pool).await.expect("later");
    disputes::sweep(&test.app).await.expect("asked");
    while jobs::drain(&test.app).await.expect("handled") > 0 {}
    assert_eq!(count(&test.app, "select count(*) from disputes where status = 'won' and reinstated_at is not null").await, 1);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_refund_that_was_not_asked_for_yet_gives_way_to_the_bank() {
    let (test, world) = TestApp::with_services().await;
    let sold = Sold::to_ada(&test, &world).await;
    deliver_all(&test).await;
    let fields =
        [(format!("back[{}]", sold.lines[0]), "2".to_owned()), (format!("reason[{}]", sold.mill), "Both chipped".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = test.vendor("mill").await.post_form(&format!("/vendor/orders/{}/refunds", sold.mill), &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    // The bank is quicker than our job.
    let truth = sold.disputed(&test, None).await;
    disputes::sync_dispute(&test.app, truth["id"].as_str().unwrap()).await.expect("read");
    assert_eq!(count(&test.app, "select count(*) from refunds where state = 'failed'").await, 1);
    assert_eq!(balance(&test, Account::DisputesHeld(world.vendors["mill"].id.into())).await, 2395);
    deliver_all(&test).await;
    assert_eq!(balance(&test, Account::RefundsDue).await, 0);
    assert_eq!(balance(&test, Account::Losses).await, 0);
    assert_cash_is_at_stripe(&test).await;
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn what_stripe_refuses_is_a_draft_again() {
    let (test, world) = TestApp::with_services().await;
    let sold = Sold::to_ada(&test, &world).await;
    let truth = sold.disputed(&test, None).await;
    deliver_all(&test).await;
    let id = ours(&test).await;
    let mut operator = test.operator().await;
    let number: i64 = sqlx::query_scalar("select number from orders").fetch_one(&test.app.pool).await.unwrap();
    let answer = send(&mut operator, id, &number.to_string()).await;
    assert!(answer.text().contains("Say something to the bank, or add a file, before you send it."), "{}", answer.text());
    operator.post_form(&format!("/operator/disputes/{id}"), &[("words", "It came.")]).await;
    // Stripe is away for a moment: tried again.
    let sandbox = &test.services().stripe.sandbox;
    let calm = sandbox.controls().await.expect("the switches");
    sandbox.set_controls(&Controls { api_fail: 50, ..calm.clone() }).await.expect("the switches");
    assert_eq!(send(&mut operator, id, &number.to_string()).await.status, StatusCode::SEE_OTHER);
    jobs::drain(&test.app).await.expect("tried");
    assert_eq!(count(&test.app, "select count(*) from disputes where sent_at is not null").await, 0);
    sandbox.set_controls(&calm).await.expect("the switches");
    // Somebody answered in Stripe's dashboard meanwhile, which is taken once.
    let answered: Value = test
        .services()
        .http
        .post(format!("{}/v1/disputes/{}", test.services().stripe.url, truth["id"].as_str().unwrap()))
        .bearer_auth("sk_test_souk")
        .form(&[("evidence[uncategorized_text]", "From the dashboard")])
        .send()
        .await
        .expect("Stripe answers")
        .json()
        .await
        .expect("JSON");
    assert_eq!(answered["status"], "under_review", "{answered}");
    sqlx::query("update jobs set run_at = now() where state = 'queued'").execute(&test.app.pool).await.expect("the wait is over");
    deliver_all(&test).await;
    assert_eq!(count(&test.app, "select count(*) from disputes where submitted_at is not null").await, 0);
    assert_eq!(count(&test.app, "select count(*) from disputes where status = 'under_review'").await, 1);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn one_in_another_currency_stands_in_the_inbox_until_it_is_answered() {
    let (test, world) = TestApp::with_services().await;
    let sold = Sold::to_ada(&test, &world).await;
    deliver_all(&test).await;
    let sandbox = &test.services().stripe.sandbox;
    let calm = sandbox.controls().await.expect("the switches");
    sandbox.set_controls(&Controls { webhook_drop: -1, ..calm }).await.expect("the switches");
    let truth = sold.disputed(&test, Some(1200)).await;
    let at_stripe = truth["id"].as_str().expect("an id");
    let change = async |field: &str, value: &str| {
        sqlx::query("update stripe_sandbox.objects set doc = jsonb_set(doc, array[$2], to_jsonb($3::text)) where id = $1")
            .bind(at_stripe)
            .bind(field)
            .bind(value)
            .execute(&test.app.pool)
            .await
            .expect("Stripe says so");
    };
    change("currency", "eur").await;
    let before = books(&test, world.vendors["mill"].id).await;
    for _ in 0..2 {
        disputes::sync_dispute(&test.app, at_stripe).await.expect("read");
    }
    let mut operator = test.operator().await;
    let inbox = operator.get("/operator").await.text();
    assert!(inbox.contains("Disputes in another currency") && inbox.contains("€12.00") && inbox.contains(at_stripe), "{inbox}");
    assert!(inbox.contains("evidence by"), "{inbox}");
    assert_eq!(mails(&test, "Order % is disputed in another currency", "operator@example.com").await, 1, "told once");
    assert_eq!(count(&test.app, "select count(*) from disputes").await, 0);
    assert_eq!(books(&test, world.vendors["mill"].id).await, before, "the books cannot hold it");
    for mut stranger in [test.vendor("mill").await, test.customer("ada").await] {
        assert_eq!(stranger.get("/operator").await.status, StatusCode::FORBIDDEN);
    }
    // Answered in the dashboard, of which no event comes: the sweeper asks.
    change("status", "under_review").await;
    sqlx::query("update foreign_disputes set opened_at = now() - interval '2 hours'").execute(&test.app.pool).await.expect("old");
    disputes::sweep(&test.app).await.expect("swept");
    assert!(!operator.get("/operator").await.text().contains("Disputes in another currency"));
    while jobs::drain(&test.app).await.expect("the mails leave") > 0 {}
    assert_laws_hold(&test.app).await;
}
