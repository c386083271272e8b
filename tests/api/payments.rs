//! Paying: success, decline, challenge, expiry, late and double payments, cancelling, refunds, and Stripe being away.

use crate::support::{
    Card, Client, TestApp,
    purchase::{Unpaid, assert_laws_hold, count, let_hold_end, order, standing, stock},
};
use http::StatusCode;
use souk::{payments, sandbox::stripe::Controls, server::jobs};

/// Opens the payment as the order page's button does.
async fn open(client: &mut Client, unpaid: &Unpaid) -> String {
    let answer = client.post_form(&unpaid.path("/pay"), &[("token", &unpaid.token)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    answer.location().to_owned()
}

/// What the browser sees after it comes back from paying.
async fn come_back(client: &mut Client, unpaid: &Unpaid) -> String {
    let answer = client.get(&unpaid.path("/return")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let to = answer.location().to_owned();
    client.get(&to).await.text()
}

/// Nobody tells us anything: the webhooks of this test are lost.
async fn without_webhooks(test: &TestApp) {
    let controls = Controls { webhook_drop: -1, ..test.services().stripe.sandbox.controls().await.expect("the switches") };
    test.services().stripe.sandbox.set_controls(&controls).await.expect("the switches");
}

async fn drain(test: &TestApp) {
    jobs::drain(&test.app).await.expect("the jobs run");
}

async fn mails(test: &TestApp, subject: &str) -> i64 {
    sqlx::query_scalar("select count(*) from outbox where subject like $1")
        .bind(subject)
        .fetch_one(&test.app.pool)
        .await
        .expect("the outbox")
}

async fn refunded_in_sandbox(test: &TestApp) -> i64 {
    let payments = test.services().stripe.sandbox.payments(10).await.expect("the payments");
    payments.iter().filter_map(|p| p.charge.as_ref()).filter_map(|c| c["amount_refunded"].as_i64()).sum()
}

#[tokio::test]
async fn someone_else_may_not() {
    let (test, world) = TestApp::with_services().await;
    let unpaid = order(&test.app, Some(world.people["ada"]), &[("MILL-PLAIN", 1)]).await.expect("stock");
    let bare = format!("/orders/{}", unpaid.id);
    for mut stranger in [test.guest(), test.customer("bob").await, test.vendor("kiln").await] {
        for path in
            [bare.clone(), format!("{bare}/return"), format!("{bare}?token=AAAA"), format!("{bare}?token={}", "A".repeat(43))]
        {
            assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        for path in ["/pay", "/cancel"] {
            let answer = stranger.post_form(&format!("{bare}{path}"), &[]).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
    assert_eq!(count(&test.app, "select count(*) from payments").await, 0);
    let mut owner = test.customer("ada").await;
    assert_eq!(owner.get(&bare).await.status, StatusCode::OK);
    assert_eq!(test.guest().get(&unpaid.path("")).await.status, StatusCode::OK);
    assert_eq!(test.guest().get("/orders/not-an-id").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_card_pays_the_order_once() {
    let (test, _) = TestApp::with_services().await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 2), ("KILN-PLAIN", 1), ("ORCHARD-LAST", 1)]).await.expect("stock");
    let mut shopper = test.guest();
    let page = open(&mut shopper, &unpaid).await;
    assert_eq!(page, open(&mut shopper, &unpaid).await, "a second press leads to the same page");
    let (status, back) = test.services().pay(&page, Card::Good).await;
    assert_eq!(status, 303);
    assert!(back.contains(&format!("/orders/{}/return?token={}", unpaid.id, unpaid.token)), "{back}");
    let text = come_back(&mut shopper, &unpaid).await;
    assert!(text.contains("Paid. Thank you"), "{text}");
    assert_eq!(standing(&test.app, unpaid.id).await, ("placed".into(), "paid".into(), "unfulfilled".into()));
    assert_eq!(stock(&test.app, "MILL-PLAIN").await, (98, 0));
    assert_eq!(stock(&test.app, "ORCHARD-LAST").await, (0, 0));
    // again and again, from every side
    for _ in 0..3 {
        come_back(&mut shopper, &unpaid).await;
        payments::settle_order(&test.app, unpaid.id).await.expect("settled");
        payments::sweep(&test.app).await.expect("swept");
        drain(&test).await;
    }
    assert_eq!(count(&test.app, "select count(*) from payments where state = 'paid'").await, 1);
    assert_eq!(count(&test.app, "select count(*) from order_events where kind = 'paid'").await, 1);
    assert_eq!(mails(&test, "Order % is paid").await, 1);
    assert_eq!(mails(&test, "New order %").await, 3);
    let answer = shopper.post_form(&unpaid.path("/pay"), &[("token", &unpaid.token)]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text().contains("already paid"));
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn many_presses_at_once_open_one_session() {
    let (test, _) = TestApp::with_services().await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("stock");
    let urls = futures::future::join_all((0..5).map(|_| payments::open(&test.app, unpaid.id))).await;
    let mut urls: Vec<_> = urls.into_iter().map(|u| u.expect("a page")).collect();
    urls.dedup();
    assert_eq!(urls.len(), 1);
    assert_eq!(count(&test.app, "select count(*) from payments").await, 1);
    assert_eq!(test.services().stripe.sandbox.payments(10).await.expect("sessions").len(), 1);
}

#[tokio::test]
async fn a_declined_card_is_told_and_another_one_pays() {
    let (test, _) = TestApp::with_services().await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("stock");
    let mut shopper = test.guest();
    let page = open(&mut shopper, &unpaid).await;
    test.services().pay(&page, Card::Declined).await;
    let text = come_back(&mut shopper, &unpaid).await;
    assert!(text.contains("Your payment did not go through") && text.contains("declined"), "{text}");
    assert_eq!(standing(&test.app, unpaid.id).await.1, "failed");
    assert_eq!(stock(&test.app, "MILL-PLAIN").await, (100, 1), "the goods stay held");
    assert_eq!(open(&mut shopper, &unpaid).await, page);
    test.services().pay(&page, Card::Good).await;
    assert!(come_back(&mut shopper, &unpaid).await.contains("Paid. Thank you"));
    assert_eq!(standing(&test.app, unpaid.id).await.1, "paid");
}

#[tokio::test]
async fn an_order_that_nobody_pays_gives_its_stock_back_and_closes_its_page() {
    let (test, _) = TestApp::with_services().await;
    let unpaid = order(&test.app, None, &[("MILL-LAST", 1)]).await.expect("stock");
    let mut shopper = test.guest();
    let page = open(&mut shopper, &unpaid).await;
    payments::sweep(&test.app).await.expect("swept");
    assert_eq!(standing(&test.app, unpaid.id).await.0, "pending", "not before its time");
    let_hold_end(&test.app, unpaid.id).await;
    payments::sweep(&test.app).await.expect("swept");
    payments::sweep(&test.app).await.expect("swept again");
    assert_eq!(standing(&test.app, unpaid.id).await, ("expired".into(), "unpaid".into(), "unfulfilled".into()));
    assert_eq!(stock(&test.app, "MILL-LAST").await, (1, 0));
    assert_eq!(mails(&test, "Order % was not paid in time").await, 1);
    let (status, to) = test.services().pay(&page, Card::Good).await;
    assert!(status != 303 || !to.contains("/return"), "a closed page takes no card");
    let text = shopper.get(&unpaid.path("")).await.text();
    assert!(text.contains("not paid in time") && text.contains("Put into the cart again"), "{text}");
    let answer = shopper.post_form(&unpaid.path("/pay"), &[("token", &unpaid.token)]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_payment_in_the_last_moment_counts_when_the_sweeper_finds_it() {
    let (test, _) = TestApp::with_services().await;
    without_webhooks(&test).await;
    let unpaid = order(&test.app, None, &[("MILL-LAST", 1)]).await.expect("stock");
    let page = open(&mut test.guest(), &unpaid).await;
    test.services().pay(&page, Card::Good).await;
    let_hold_end(&test.app, unpaid.id).await;
    payments::sweep(&test.app).await.expect("swept");
    assert_eq!(standing(&test.app, unpaid.id).await.0, "placed");
    assert_eq!(stock(&test.app, "MILL-LAST").await, (0, 0));
}

/// Lets the order expire while Stripe is away, and then pays the page that is still open there.
async fn paid_late(test: &TestApp, goods: &str) -> Unpaid {
    without_webhooks(test).await;
    let unpaid = order(&test.app, None, &[(goods, 1)]).await.expect("stock");
    let page = open(&mut test.guest(), &unpaid).await;
    let sandbox = &test.services().stripe.sandbox;
    let calm = sandbox.controls().await.expect("the switches");
    sandbox.set_controls(&Controls { api_fail: 1000, ..calm.clone() }).await.expect("the switches");
    let_hold_end(&test.app, unpaid.id).await;
    payments::sweep(&test.app).await.expect("swept");
    assert_eq!(standing(&test.app, unpaid.id).await.0, "expired", "stock comes back though Stripe is away");
    sandbox.set_controls(&Controls { api_fail: 0, ..calm }).await.expect("the switches");
    test.services().pay(&page, Card::Good).await;
    unpaid
}

#[tokio::test]
async fn a_late_payment_takes_the_stock_again_where_it_is_there() {
    let (test, _) = TestApp::with_services().await;
    let unpaid = paid_late(&test, "MILL-LAST").await;
    assert!(come_back(&mut test.guest(), &unpaid).await.contains("Paid. Thank you"));
    assert_eq!(standing(&test.app, unpaid.id).await, ("placed".into(), "paid".into(), "unfulfilled".into()));
    assert_eq!(stock(&test.app, "MILL-LAST").await, (0, 0));
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_late_payment_goes_back_where_the_stock_is_gone() {
    let (test, _) = TestApp::with_services().await;
    let unpaid = paid_late(&test, "MILL-LAST").await;
    order(&test.app, None, &[("MILL-LAST", 1)]).await.expect("someone else was quicker");
    let text = come_back(&mut test.guest(), &unpaid).await;
    assert!(text.contains("Your payment came too late") && text.contains("goes back"), "{text}");
    drain(&test).await;
    assert_eq!(standing(&test.app, unpaid.id).await, ("expired".into(), "refunded".into(), "unfulfilled".into()));
    assert_eq!(refunded_in_sandbox(&test).await, unpaid.total);
    assert_eq!(count(&test.app, "select count(*) from refunds where state = 'succeeded' and reason = 'sold_out'").await, 1);
    assert_eq!(mails(&test, "Your payment for order % goes back to you").await, 1);
    assert_eq!(stock(&test.app, "MILL-LAST").await, (1, 1));
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_second_payment_of_one_order_goes_back() {
    let (test, _) = TestApp::with_services().await;
    without_webhooks(&test).await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("stock");
    let mut shopper = test.guest();
    let first = open(&mut shopper, &unpaid).await;
    // as if the first page's time were over here, but not at Stripe
    sqlx::query("update payments set state = 'cancelled'").execute(&test.app.pool).await.expect("the attempt ends");
    let second = open(&mut shopper, &unpaid).await;
    assert_ne!(first, second);
    test.services().pay(&second, Card::Good).await;
    come_back(&mut shopper, &unpaid).await;
    test.services().pay(&first, Card::Good).await;
    for payment in
        sqlx::query_scalar::<_, uuid::Uuid>("select id from payments").fetch_all(&test.app.pool).await.expect("attempts")
    {
        payments::settle(&test.app, payment.into()).await.expect("settled");
    }
    drain(&test).await;
    assert_eq!(standing(&test.app, unpaid.id).await.1, "paid");
    assert_eq!(count(&test.app, "select count(*) from payments where state = 'surplus'").await, 1);
    assert_eq!(refunded_in_sandbox(&test).await, unpaid.total);
    assert_eq!(stock(&test.app, "MILL-PLAIN").await, (99, 0), "sold once");
}

#[tokio::test]
async fn an_unpaid_order_is_cancelled_and_its_page_closed() {
    let (test, _) = TestApp::with_services().await;
    let unpaid = order(&test.app, None, &[("MILL-LAST", 1)]).await.expect("stock");
    let mut shopper = test.guest();
    let page = open(&mut shopper, &unpaid).await;
    for _ in 0..2 {
        let answer = shopper.post_form(&unpaid.path("/cancel"), &[("token", &unpaid.token)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(standing(&test.app, unpaid.id).await, ("cancelled".into(), "unpaid".into(), "unfulfilled".into()));
    assert_eq!(stock(&test.app, "MILL-LAST").await, (1, 0));
    drain(&test).await;
    test.services().pay(&page, Card::Good).await;
    assert_eq!(count(&test.app, "select count(*) from payments where state = 'cancelled'").await, 1);
    assert!(test.services().stripe.sandbox.payments(1).await.expect("payments")[0].charge.is_none());
    assert_eq!(mails(&test, "Order % is cancelled").await, 1);
}

#[tokio::test]
async fn a_paid_order_is_cancelled_and_the_money_goes_back() {
    let (test, world) = TestApp::with_services().await;
    let unpaid = order(&test.app, Some(world.people["ada"]), &[("MILL-LAST", 1), ("KILN-PLAIN", 2)]).await.expect("stock");
    let mut ada = test.customer("ada").await;
    let page = open(&mut ada, &unpaid).await;
    test.services().pay(&page, Card::Good).await;
    come_back(&mut ada, &unpaid).await;
    let answer = ada.post_form(&format!("/orders/{}/cancel", unpaid.id), &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    drain(&test).await;
    drain(&test).await;
    assert_eq!(standing(&test.app, unpaid.id).await, ("cancelled".into(), "refunded".into(), "unfulfilled".into()));
    assert_eq!(stock(&test.app, "MILL-LAST").await, (1, 0));
    assert_eq!(refunded_in_sandbox(&test).await, unpaid.total);
    assert_eq!(count(&test.app, "select count(*) from refunds").await, 1);
    assert_eq!(mails(&test, "% of order % is on its way back").await, 1);
    assert_eq!(mails(&test, "Order % is cancelled: please do not send it").await, 2);
    let text = ada.get(&format!("/orders/{}", unpaid.id)).await.text();
    assert!(text.contains("This order is cancelled") && text.contains("Refunded"), "{text}");
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_refund_in_stripes_dashboard_is_booked() {
    let (test, _) = TestApp::with_services().await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("stock");
    let mut shopper = test.guest();
    let page = open(&mut shopper, &unpaid).await;
    test.services().pay(&page, Card::Good).await;
    come_back(&mut shopper, &unpaid).await;
    let intent: String =
        sqlx::query_scalar("select stripe_intent_id from payments").fetch_one(&test.app.pool).await.expect("an intent");
    let sandbox = &test.services().stripe.sandbox;
    sandbox.refund_from_dashboard(&intent, Some(300)).await.expect("a refund");
    payments::sync_refunds(&test.app, &intent).await.expect("read");
    payments::sync_refunds(&test.app, &intent).await.expect("read again");
    assert_eq!(standing(&test.app, unpaid.id).await.1, "partially_refunded");
    assert_eq!(
        count(&test.app, "select count(*) from refunds where reason = 'stripe_dashboard' and amount_minor = 300").await,
        1
    );
    // what is left goes back when the shopper cancels
    shopper.post_form(&unpaid.path("/cancel"), &[("token", &unpaid.token)]).await;
    drain(&test).await;
    assert_eq!(standing(&test.app, unpaid.id).await, ("cancelled".into(), "refunded".into(), "unfulfilled".into()));
    assert_eq!(refunded_in_sandbox(&test).await, unpaid.total);
}

#[tokio::test]
async fn stripe_away_keeps_the_order_and_the_attempt() {
    let (test, _) = TestApp::with_services().await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("stock");
    let mut shopper = test.guest();
    let sandbox = &test.services().stripe.sandbox;
    let calm = sandbox.controls().await.expect("the switches");
    sandbox.set_controls(&Controls { api_fail: 1000, ..calm.clone() }).await.expect("the switches");
    let answer = shopper.post_form(&unpaid.path("/pay"), &[("token", &unpaid.token)]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text().contains("does not answer. Your order is kept"), "{}", answer.text());
    assert_eq!(standing(&test.app, unpaid.id).await.0, "pending");
    // on the way back nothing false is said
    let text = come_back(&mut shopper, &unpaid).await;
    assert!(text.contains("We are checking your payment") || text.contains("not paid yet"), "{text}");
    sandbox.set_controls(&Controls { api_fail: 0, ..calm }).await.expect("the switches");
    let page = open(&mut shopper, &unpaid).await;
    assert_eq!(count(&test.app, "select count(*) from payments").await, 1, "the same attempt");
    test.services().pay(&page, Card::Good).await;
    assert!(come_back(&mut shopper, &unpaid).await.contains("Paid. Thank you"));
}

#[tokio::test]
async fn a_slow_method_is_shown_as_processing_until_the_bank_answers() {
    for paid in [true, false] {
        let (test, _) = TestApp::with_services().await;
        let sandbox = &test.services().stripe.sandbox;
        let calm = sandbox.controls().await.expect("the switches");
        sandbox.set_controls(&Controls { bank_debit: true, webhook_drop: -1, ..calm }).await.expect("the switches");
        let unpaid = order(&test.app, None, &[("MILL-LAST", 1)]).await.expect("stock");
        let mut shopper = test.guest();
        let page = open(&mut shopper, &unpaid).await;
        let fields = [("method", "bacs_debit"), ("name", "Ada Buyer")];
        test.services().http.post(&page).form(&fields).send().await.expect("the page answers");
        let text = come_back(&mut shopper, &unpaid).await;
        assert!(text.contains("Your payment is on its way"), "{text}");
        let answer = shopper.get(&unpaid.path("")).await;
        assert!(answer.headers.contains_key("refresh"), "the page asks again by itself");
        let_hold_end(&test.app, unpaid.id).await;
        payments::sweep(&test.app).await.expect("swept");
        assert_eq!(stock(&test.app, "MILL-LAST").await, (1, 1), "its goods stay held");
        let session: String =
            sqlx::query_scalar("select stripe_session_id from payments").fetch_one(&test.app.pool).await.expect("a session");
        sandbox.end_debit(&session, paid).await.expect("the bank answers");
        payments::settle_order(&test.app, unpaid.id).await.expect("settled");
        let (status, payment, _) = standing(&test.app, unpaid.id).await;
        assert_eq!((status.as_str(), payment.as_str()), if paid { ("placed", "paid") } else { ("pending", "failed") });
    }
}

#[tokio::test]
async fn an_order_of_nothing_is_placed_without_stripe() {
    let (test, _) = TestApp::new().await;
    sqlx::query("update variants set price_minor = 0 where sku = 'MILL-PLAIN'").execute(&test.app.pool).await.expect("free");
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("stock");
    let mut tx = test.app.pool.begin().await.expect("a transaction");
    for statement in
        ["update vendor_orders set shipping_minor = 0, total_minor = 0", "update orders set shipping_minor = 0, total_minor = 0"]
    {
        sqlx::query(statement).execute(&mut *tx).await.expect("no shipping");
    }
    tx.commit().await.expect("free shipping");
    let url = payments::open(&test.app, unpaid.id).await.expect("its own page");
    assert!(url.contains(&format!("/orders/{}?token=", unpaid.id)));
    assert_eq!(standing(&test.app, unpaid.id).await.0, "placed");
    assert_eq!(stock(&test.app, "MILL-PLAIN").await, (99, 0));
}

#[tokio::test]
async fn a_payment_that_is_not_what_was_asked_for_goes_back() {
    for change in ["amount_minor = amount_minor + 100", "currency = 'EUR'"] {
        let (test, _) = TestApp::with_services().await;
        without_webhooks(&test).await;
        let unpaid = order(&test.app, None, &[("MILL-LAST", 1)]).await.expect("stock");
        let mut shopper = test.guest();
        let page = open(&mut shopper, &unpaid).await;
        let statement = format!("update payments set {change}");
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&test.app.pool).await.expect("another price");
        test.services().pay(&page, Card::Good).await;
        let text = come_back(&mut shopper, &unpaid).await;
        assert!(!text.contains("Paid. Thank you"), "{change}: {text}");
        drain(&test).await;
        assert_eq!(standing(&test.app, unpaid.id).await.0, "pending", "{change}");
        assert_eq!(refunded_in_sandbox(&test).await, unpaid.total, "{change}");
        assert_eq!(count(&test.app, "select count(*) from payments where state = 'surplus'").await, 1);
        assert_eq!(count(&test.app, "select count(*) from refunds where reason = 'mismatch' and state = 'succeeded'").await, 1);
        assert_eq!(count(&test.app, "select count(*) from order_events where kind = 'payment_mismatch'").await, 1);
        assert_eq!(stock(&test.app, "MILL-LAST").await, (1, 1), "still held for the shopper, who may pay again");
        assert_laws_hold(&test.app).await;
    }
}

#[tokio::test]
async fn stripe_that_hangs_keeps_nobody_waiting_for_long() {
    let (test, _) = TestApp::with_services().await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("stock");
    let mut shopper = test.guest();
    let sandbox = &test.services().stripe.sandbox;
    let calm = sandbox.controls().await.expect("the switches");
    sandbox.set_controls(&Controls { api_hang_ms: 60_000, ..calm.clone() }).await.expect("the switches");
    let patience = std::time::Duration::from_secs(40);
    let (path, fields) = (unpaid.path("/pay"), [("token", unpaid.token.as_str())]);
    let answer = tokio::time::timeout(patience, shopper.post_form(&path, &fields)).await.expect("an answer long before Stripe's");
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text().contains("does not answer. Your order is kept"), "{}", answer.text());
    sandbox.set_controls(&calm).await.expect("the switches");
    // What Stripe did without telling us is found again by its key.
    let page = open(&mut shopper, &unpaid).await;
    assert_eq!(sandbox.payments(10).await.expect("sessions").len(), 1, "one session");
    test.services().pay(&page, Card::Good).await;
    sandbox.set_controls(&Controls { api_hang_ms: 60_000, ..calm.clone() }).await.expect("the switches");
    let text = tokio::time::timeout(patience, come_back(&mut shopper, &unpaid)).await.expect("an answer long before Stripe's");
    assert!(text.contains("We are checking your payment") || text.contains("Paid. Thank you"), "{text}");
    sandbox.set_controls(&calm).await.expect("the switches");
    assert!(come_back(&mut shopper, &unpaid).await.contains("Paid. Thank you"));
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_payment_of_the_demo_world_can_be_given_back() {
    use souk::sandbox::stripe::past::{PastPayment, remember};
    let (test, _) = TestApp::with_services().await;
    let at = time::OffsetDateTime::now_utc() - time::Duration::days(30);
    let past = PastPayment {
        mark: "demo_1".into(),
        paid: true,
        amount: 5000,
        currency: "gbp".into(),
        email: "ada@example.com".into(),
        name: "Ada Buyer".into(),
        metadata: serde_json::json!({}),
        at,
        refunded: Some((800, at + time::Duration::days(2))),
    };
    remember(&mut test.app.pool.acquire().await.expect("a connection"), &past).await.expect("it is remembered");
    let sandbox = &test.services().stripe.sandbox;
    assert!(sandbox.refund_from_dashboard("pi_demo_1", Some(4201)).await.is_err(), "more than is left");
    sandbox.refund_from_dashboard("pi_demo_1", None).await.expect("what is left");
    assert_eq!(refunded_in_sandbox(&test).await, 5000);
}
