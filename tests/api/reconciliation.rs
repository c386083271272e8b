//! The books beside Stripe's: what differs is found, and booked only by a person.

use crate::support::{
    TestApp,
    purchase::{arrived, assert_laws_hold, count, deliver_all, onboard, order, paid, standing},
};
use http::StatusCode;
use souk::{
    ledger::{self, model::Account},
    money::Currency,
    payments, reconciliation,
    sandbox::stripe::Controls,
    server::jobs,
};
use std::time::Duration;
use time::macros::datetime;
use uuid::Uuid;

/// A shop whose comparison takes up what moved just now.
async fn shop() -> TestApp {
    TestApp::with_services_and(|config| config.sweep_after = Duration::ZERO).await.0
}

/// Stripe's words arrive no more.
async fn lose_events(test: &TestApp) {
    let sandbox = &test.services().stripe.sandbox;
    let calm = sandbox.controls().await.expect("the switches");
    sandbox.set_controls(&Controls { webhook_drop: -1, ..calm }).await.expect("the switches");
}

/// The operator presses "Compare now"; answers how many differences are open.
async fn compare(test: &TestApp) -> i64 {
    let answer = test.operator().await.post_form("/operator/reconciliation", &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    while jobs::drain(&test.app).await.expect("compared") > 0 {}
    assert_eq!(
        count(&test.app, "select count(*) from reconciliations where state <> 'done'").await,
        0,
        "{:?}",
        failures(test).await
    );
    count(&test.app, "select count(*) from reconciliation_differences where state = 'open'").await
}

async fn failures(test: &TestApp) -> Vec<String> {
    sqlx::query_scalar("select failure from reconciliations where failure is not null")
        .fetch_all(&test.app.pool)
        .await
        .expect("runs")
}

/// The one open difference.
async fn open(test: &TestApp) -> (Uuid, String) {
    sqlx::query_as("select id, memo from reconciliation_differences where state = 'open'")
        .fetch_one(&test.app.pool)
        .await
        .expect("one difference")
}

/// The last run: cash by the books, and at Stripe.
async fn cash(test: &TestApp) -> (i64, i64) {
    sqlx::query_as("select cash_minor, stripe_minor from reconciliations order by started_at desc, id desc limit 1")
        .fetch_one(&test.app.pool)
        .await
        .expect("a run")
}

async fn balance(test: &TestApp, account: Account) -> i64 {
    ledger::balance(&test.app.pool, account, Currency::GBP).await.expect("a balance")
}

/// Stripe says of its fee for the only charge what we want.
async fn with_fee(test: &TestApp, fee: i64) {
    sqlx::query(
        "update stripe_sandbox.objects set doc = doc || jsonb_build_object('fee', $1::bigint, 'net', (doc->>'amount')::bigint - $1)
         where kind = 'balance_transaction' and doc->>'type' = 'charge'",
    )
    .bind(fee)
    .execute(&test.app.pool)
    .await
    .expect("the fee");
}

#[tokio::test]
async fn someone_else_may_not() {
    let test = shop().await;
    paid(&test, None, &[("MILL-PLAIN", 1)]).await;
    deliver_all(&test).await;
    with_fee(&test, 99).await;
    assert_eq!(compare(&test).await, 1);
    let (id, _) = open(&test).await;
    for mut stranger in [test.vendor("mill").await, test.customer("ada").await, test.guest()] {
        for path in ["/operator/reconciliation".to_owned(), format!("/operator/reconciliation/{id}")] {
            assert_ne!(stranger.get(&path).await.status, StatusCode::OK, "{path}");
        }
        stranger.post_form("/operator/reconciliation", &[]).await;
        for what in ["book", "explain", "read"] {
            let fields = [("memo", "Mine"), ("why", "Mine"), ("amount", "64")];
            let answer = stranger.post_form(&format!("/operator/reconciliation/{id}/{what}"), &fields).await;
            assert!(
                answer.status == StatusCode::FORBIDDEN || answer.location().starts_with("/sign-in"),
                "{what}: {}",
                answer.status
            );
        }
    }
    assert_eq!(count(&test.app, "select count(*) from reconciliations").await, 1);
    assert_eq!(count(&test.app, "select count(*) from ledger_transactions where cause = 'correction'").await, 0);
    assert_eq!(open(&test).await.0, id, "nobody has decided it");
}

#[tokio::test]
async fn where_nothing_differs_nothing_is_found() {
    let test = shop().await;
    let order = paid(&test, None, &[("MILL-PLAIN", 2), ("KILN-PLAIN", 1)]).await;
    deliver_all(&test).await;
    let intent: String = sqlx::query_scalar("select stripe_intent_id from payments").fetch_one(&test.app.pool).await.unwrap();
    let sandbox = &test.services().stripe.sandbox;
    sandbox.refund_from_dashboard(&intent, Some(500)).await.expect("a refund");
    deliver_all(&test).await;
    let truth = sandbox.dispute(&intent, Some(1000), None).await.expect("a dispute");
    sandbox.decide_dispute(truth["id"].as_str().unwrap(), true).await.expect("decided");
    deliver_all(&test).await;
    assert_eq!(standing(&test.app, order.id).await.1, "partially_refunded");
    assert_eq!(
        compare(&test).await,
        0,
        "{:?}",
        sqlx::query_scalar::<_, String>("select memo from reconciliation_differences").fetch_all(&test.app.pool).await
    );
    let (books, stripe) = cash(&test).await;
    assert_eq!(books, stripe);
    // charge, refund, the dispute there and back
    assert_eq!(count(&test.app, "select count(*) from stripe_entries where cause_id is not null").await, 4);
    assert_eq!(compare(&test).await, 0, "and once more");
    assert_eq!(count(&test.app, "select count(*) from stripe_entries").await, 4, "read once");
    let page = test.operator().await.get("/operator/reconciliation").await.text();
    assert!(page.contains("The books and Stripe agree") && page.contains("for Operator"), "{page}");
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_refund_of_the_dashboard_whose_event_was_lost_is_found_and_read_from_stripe() {
    let test = shop().await;
    let order = paid(&test, None, &[("MILL-PLAIN", 2)]).await;
    deliver_all(&test).await;
    lose_events(&test).await;
    let intent: String = sqlx::query_scalar("select stripe_intent_id from payments").fetch_one(&test.app.pool).await.unwrap();
    test.services().stripe.sandbox.refund_from_dashboard(&intent, Some(500)).await.expect("a refund");
    assert_eq!(compare(&test).await, 1);
    let (id, memo) = open(&test).await;
    assert_eq!(memo, "A movement at Stripe (refund): Stripe moved −£5.00, the books say nothing");
    assert_eq!(count(&test.app, "select count(*) from refunds").await, 0, "nothing is booked by itself");
    let (books, stripe) = cash(&test).await;
    assert_eq!(books - stripe, 500);
    let mut operator = test.operator().await;
    assert!(operator.get("/operator").await.text().contains("One difference"));
    let page = operator.get("/operator/reconciliation").await.text();
    assert!(page.contains("At Stripe only: refund") && page.contains("−£5.00"), "{page}");
    let page = operator.get(&format!("/operator/reconciliation/{id}")).await.text();
    assert!(page.contains("Read it from Stripe") && page.contains("£5.00 from Cash at Stripe to Not explained yet"), "{page}");

    let answer = operator.post_form(&format!("/operator/reconciliation/{id}/read"), &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let page = operator.get(&format!("/operator/reconciliation/{id}")).await.text();
    assert!(page.contains("they agree now") && page.contains("read from Stripe for Operator"), "{page}");
    assert_eq!(
        count(&test.app, "select count(*) from refunds where reason = 'stripe_dashboard' and state = 'succeeded'").await,
        1
    );
    assert_eq!(count(&test.app, "select count(*) from ledger_transactions where cause = 'correction'").await, 0, "as what it is");
    assert_eq!(standing(&test.app, order.id).await.1, "partially_refunded");
    while jobs::drain(&test.app).await.expect("the mails leave") > 0 {}
    assert_eq!(compare(&test).await, 0);
    let (books, stripe) = cash(&test).await;
    assert_eq!(books, stripe);
    let answer = operator.post_form(&format!("/operator/reconciliation/{id}/explain"), &[("why", "It is fine")]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text().contains("That was already decided."), "{}", answer.text());
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_fee_that_differs_is_booked_by_the_operator_only() {
    let test = shop().await;
    paid(&test, None, &[("MILL-PLAIN", 1)]).await;
    deliver_all(&test).await;
    let fee = balance(&test, Account::StripeFees).await;
    assert!(fee > 0, "Stripe has said what it keeps");
    with_fee(&test, fee + 37).await;
    assert_eq!(compare(&test).await, 1);
    assert_eq!(balance(&test, Account::StripeFees).await, fee, "never by itself");
    let (id, memo) = open(&test).await;
    assert!(memo.starts_with("Stripe's fee for a payment: Stripe says"), "{memo}");
    let mut operator = test.operator().await;
    let path = format!("/operator/reconciliation/{id}");
    let page = operator.get(&path).await.text();
    assert!(
        page.contains("£0.37 from Cash at Stripe to Stripe&#x27;s fees")
            || page.contains("£0.37 from Cash at Stripe to Stripe's fees"),
        "{page}"
    );
    let answer = operator.post_form(&format!("{path}/book"), &[("memo", " "), ("amount", "37")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let answer = operator.post_form(&format!("{path}/book"), &[("memo", "A dearer card"), ("amount", "36")]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "what is booked is what was shown");
    assert!(answer.text().contains("Someone changed this while you were editing."), "{}", answer.text());
    // Pressed twice, and by two at once.
    let (mut second, fields) = (test.operator().await, [("memo", "A dearer card"), ("amount", "37")]);
    let book = format!("{path}/book");
    let (a, b) = tokio::join!(operator.post_form(&book, &fields), second.post_form(&book, &fields));
    let mut statuses = [a.status, b.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::SEE_OTHER, StatusCode::CONFLICT]);
    assert_eq!(balance(&test, Account::StripeFees).await, fee + 37);
    let (memo, who): (String, String) = sqlx::query_as(
        "select t.memo, u.name from ledger_transactions t join users u on u.id = t.actor_id where t.cause = 'correction' and t.order_id is not null",
    )
    .fetch_one(&test.app.pool)
    .await
    .expect("one correction");
    assert_eq!((memo.as_str(), who.as_str()), ("A dearer card", "Operator"));
    assert_eq!(compare(&test).await, 0, "what was booked counts");
    let (books, stripe) = cash(&test).await;
    assert_eq!(books, stripe);
    let page = operator.get("/operator/reconciliation?show=all").await.text();
    assert!(page.contains("booked"), "{page}");

    // Another one is explained, and stays so until it is another.
    with_fee(&test, fee + 40).await;
    sqlx::query(
        "delete from stripe_entries where id not in (select entry_id from reconciliation_differences where entry_id is not null)",
    )
    .execute(&test.app.pool)
    .await
    .expect("read anew");
    assert_eq!(compare(&test).await, 1);
    let (id, _) = open(&test).await;
    let answer = operator.post_form(&format!("/operator/reconciliation/{id}/explain"), &[("why", "Stripe pays it back")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert_eq!(compare(&test).await, 0, "explained");
    assert_eq!(balance(&test, Account::StripeFees).await, fee + 37, "and not booked");
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn what_the_books_say_and_stripe_does_not_is_found_too() {
    let test = shop().await;
    paid(&test, None, &[("MILL-PLAIN", 1)]).await;
    deliver_all(&test).await;
    sqlx::query("delete from stripe_sandbox.objects where kind = 'balance_transaction'")
        .execute(&test.app.pool)
        .await
        .expect("gone");
    assert_eq!(compare(&test).await, 2, "the money, and the fee");
    let memos: Vec<String> =
        sqlx::query_scalar("select memo from reconciliation_differences order by memo").fetch_all(&test.app.pool).await.unwrap();
    assert_eq!(memos[0], "A payment: the books say £13.95, Stripe moved nothing");
}

#[tokio::test]
async fn each_night_is_compared_once() {
    let test = shop().await;
    let nights = |test: &TestApp| {
        let app = test.app.clone();
        async move { count(&app, "select count(*) from reconciliations where night is not null").await }
    };
    reconciliation::nightly(&test.app, datetime!(2030-03-01 03:00 UTC)).await.expect("asked");
    assert_eq!(nights(&test).await, 0, "nothing is in the books");
    paid(&test, None, &[("MILL-PLAIN", 1)]).await;
    deliver_all(&test).await;
    reconciliation::nightly(&test.app, datetime!(2030-03-01 01:59 UTC)).await.expect("asked");
    assert_eq!(nights(&test).await, 0, "too early");
    // Many nodes at once, and an hour that is another day elsewhere.
    let all = (0..8).map(|_| reconciliation::nightly(&test.app, datetime!(2030-03-02 00:30 -3)));
    for done in futures::future::join_all(all).await {
        done.expect("asked");
    }
    reconciliation::nightly(&test.app, datetime!(2030-03-02 23:59 UTC)).await.expect("asked");
    assert_eq!(nights(&test).await, 1);
    reconciliation::nightly(&test.app, datetime!(2030-03-03 02:00 UTC)).await.expect("asked");
    assert_eq!(nights(&test).await, 2);
    // Stripe is away for a moment: tried again, and goes on.
    let sandbox = &test.services().stripe.sandbox;
    let calm = sandbox.controls().await.expect("the switches");
    sandbox.set_controls(&Controls { api_fail: 20, ..calm.clone() }).await.expect("the switches");
    while jobs::drain(&test.app).await.expect("tried") > 0 {}
    assert!(!failures(&test).await.is_empty());
    sandbox.set_controls(&calm).await.expect("the switches");
    sqlx::query("update jobs set run_at = now() where state = 'queued'").execute(&test.app.pool).await.expect("the wait is over");
    while jobs::drain(&test.app).await.expect("compared") > 0 {}
    assert_eq!(
        count(&test.app, "select count(*) from reconciliations where state = 'done' and differences = 0 and entries > 0").await,
        1
    );
    assert!(failures(&test).await.is_empty());
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn vendors_accounts_are_compared_as_well() {
    let (test, world) = TestApp::with_services_and(|config| config.sweep_after = Duration::ZERO).await;
    let account = onboard(&test, "mill").await;
    let order = paid(&test, None, &[("MILL-PLAIN", 3), ("KILN-PLAIN", 2)]).await;
    deliver_all(&test).await;
    // Its money is released and goes to its account.
    arrived(&test, &order, "mill").await;
    deliver_all(&test).await;
    let connected = Account::Connected(world.vendors["mill"].id.into());
    assert!(balance(&test, connected).await > 0, "the transfer is made");
    assert_eq!(
        compare(&test).await,
        0,
        "{:?}",
        sqlx::query_scalar::<_, String>("select memo from reconciliation_differences").fetch_all(&test.app.pool).await
    );
    assert_eq!(
        count(&test.app, "select count(*) from stripe_entries where touches = 'transfer' and cause_id is not null").await,
        2
    );
    // Money that the books do not know of, at the vendor's account.
    sqlx::query(
        "update stripe_sandbox.objects set doc = doc || jsonb_build_object('amount', (doc->>'amount')::bigint + 100, 'net', (doc->>'net')::bigint + 100)
         where kind = 'balance_transaction' and owner = $1",
    )
    .bind(&account)
    .execute(&test.app.pool)
    .await
    .expect("more there");
    sqlx::query("delete from stripe_entries").execute(&test.app.pool).await.expect("read anew");
    assert_eq!(compare(&test).await, 1);
    let (debit, of): (String, Uuid) = sqlx::query_as("select debit, debit_vendor from reconciliation_differences")
        .fetch_one(&test.app.pool)
        .await
        .expect("one");
    assert_eq!((debit.as_str(), of), ("connected", world.vendors["mill"].id));
    let page = test.operator().await.get("/operator/reconciliation").await.text();
    assert!(page.contains("The mill"), "{page}");
    assert!(payments::sync_refund(&test.app, "re_none").await.is_err(), "what Stripe does not know is an error, not silence");
}

/// A movement of our own balance that the sandbox cannot make: Stripe pays the market out, or takes a fee for itself.
async fn moved_at_stripe(test: &TestApp, id: &str, kind: &str, amount: i64) {
    let doc = serde_json::json!({
        "id": id, "object": "balance_transaction", "amount": amount, "available_on": 0, "balance_type": "payments",
        "created": time::OffsetDateTime::now_utc().unix_timestamp(), "currency": "gbp", "description": "STRIPE", "exchange_rate": null,
        "fee": 0, "fee_details": [], "net": amount, "reporting_category": "payout", "source": null, "status": "available", "type": kind,
    });
    sqlx::query(
        "insert into stripe_sandbox.objects (id, kind, created, doc)
         select $1, 'balance_transaction', ($2::jsonb->>'created')::bigint, $2",
    )
    .bind(id)
    .bind(doc)
    .execute(&test.app.pool)
    .await
    .expect("it moves");
}

/// The open difference about an entry of that kind: its id, and how much from where to where.
async fn suggested(test: &TestApp, kind: &str) -> (Uuid, String) {
    sqlx::query_as(
        "select d.id, format('%s from %s to %s', abs(d.there_minor - d.here_minor), d.credit, d.debit)
         from reconciliation_differences d join stripe_entries e on e.id = d.entry_id where d.state = 'open' and e.kind = $1",
    )
    .bind(kind)
    .fetch_one(&test.app.pool)
    .await
    .unwrap_or_else(|e| panic!("no open difference about a {kind}: {e}"))
}

#[tokio::test]
async fn what_is_paid_out_in_stripes_dashboard_is_booked_where_it_belongs() {
    let (test, world) = TestApp::with_services_and(|config| config.sweep_after = Duration::ZERO).await;
    let account = onboard(&test, "mill").await;
    let order = paid(&test, None, &[("MILL-PLAIN", 3), ("KILN-PLAIN", 2)]).await;
    deliver_all(&test).await;
    arrived(&test, &order, "mill").await;
    deliver_all(&test).await;
    let mill = world.vendors["mill"].id.into();
    let (connected, payable) =
        (balance(&test, Account::Connected(mill)).await, balance(&test, Account::VendorPayable(mill)).await);
    assert_eq!((connected, payable), (3395, -3395));
    // The vendor takes £10 by itself, and one more payout comes back from its bank.
    let services = test.services();
    let pay_out = async |amount: &str| {
        let made: serde_json::Value = services
            .http
            .post(format!("{}/v1/payouts", services.stripe.url))
            .bearer_auth("sk_test_souk")
            .header("Stripe-Account", &account)
            .form(&[("amount", amount), ("currency", "gbp")])
            .send()
            .await
            .expect("Stripe answers")
            .json()
            .await
            .expect("JSON");
        made["id"].as_str().unwrap_or_else(|| panic!("no payout: {made}")).to_owned()
    };
    pay_out("1000").await;
    let back = pay_out("300").await;
    services.stripe.sandbox.end_payout(&back, souk::sandbox::stripe::PayoutOutcome::Canceled, None).await.expect("called off");
    moved_at_stripe(&test, "txn_ours", "payout", -700).await;
    moved_at_stripe(&test, "txn_fee", "stripe_fee", -25).await;
    deliver_all(&test).await;
    assert_eq!(compare(&test).await, 5, "three at the vendor's account, two at ours");
    let mut operator = test.operator().await;
    let page = operator.get("/operator/reconciliation").await.text();
    assert!(page.contains("At Stripe only: payout"), "{page}");
    assert_eq!(suggested(&test, "payout_cancel").await.1, "300 from vendor_payable to connected");
    assert_eq!(suggested(&test, "stripe_fee").await.1, "25 from cash to stripe_fees");
    let open: Vec<(Uuid, i64)> = sqlx::query_as(
        "select d.id, abs(d.there_minor - d.here_minor) from reconciliation_differences d where d.state = 'open' order by found_at",
    )
    .fetch_all(&test.app.pool)
    .await
    .expect("differences");
    for (id, amount) in open {
        let path = format!("/operator/reconciliation/{id}");
        let page = operator.get(&path).await.text();
        assert!(!page.contains("Not explained yet"), "each has its place: {page}");
        let answer = operator
            .post_form(&format!("{path}/book"), &[("memo", "Seen in the dashboard"), ("amount", &amount.to_string())])
            .await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    }
    deliver_all(&test).await;
    assert_eq!(balance(&test, Account::Bank).await, 700);
    assert_eq!(balance(&test, Account::Connected(mill)).await, connected - 1000);
    assert_eq!(balance(&test, Account::VendorPayable(mill)).await, payable + 1000, "it has had that much");
    assert_eq!(count(&test.app, "select count(*) from transfers").await, 1, "and is not sent it again");
    assert_eq!(compare(&test).await, 0);
    let (books, stripe) = cash(&test).await;
    assert_eq!(books, stripe);
    assert_laws_hold(&test.app).await;
}

/// Orders of the demo: paid long ago and an hour ago, known to the sandbox, and in no book yet.
async fn demo_orders(test: &TestApp) {
    use souk::sandbox::stripe::past::{PastPayment, remember};
    for (mark, ago) in [("demo_1", time::Duration::days(40)), ("demo_2", time::Duration::hours(1))] {
        let sold = order(&test.app, None, &[("MILL-PLAIN", 1), ("KILN-PLAIN", 1)]).await.expect("stock");
        let at = time::OffsetDateTime::now_utc() - ago;
        let past = PastPayment {
            mark: mark.into(),
            paid: true,
            amount: sold.total,
            currency: "gbp".into(),
            email: "ada@example.com".into(),
            name: "Ada Buyer".into(),
            metadata: serde_json::json!({}),
            at,
            refunded: None,
        };
        let mut tx = test.app.pool.begin().await.expect("a transaction");
        remember(&mut tx, &past).await.expect("it is remembered");
        for statement in [
            "insert into payments (id, order_id, attempt, state, amount_minor, currency, idempotency_key, stripe_intent_id, expires_at, created_at, settled_at)
             select gen_random_uuid(), id, 1, 'paid', total_minor, currency, $2, 'pi_' || $2, now(), $3, $3 from orders where id = $1",
            "update orders set status = 'placed', payment_status = 'paid', placed_at = $3 where id = $1 and $2 <> ''",
            "update stock s set on_hand = on_hand - h.quantity, held = held - h.quantity
             from stock_holds h where h.variant_id = s.variant_id and h.order_id = $1 and $2 <> '' and $3::timestamptz is not null",
            "update stock_holds set state = 'taken' where order_id = $1 and $2 <> '' and $3::timestamptz is not null",
        ] {
            sqlx::query(statement).bind(sold.id.uuid()).bind(mark).bind(at).execute(&mut *tx).await.expect("an order of the demo");
        }
        tx.commit().await.expect("an order of the demo");
    }
}

#[tokio::test]
async fn a_shop_that_was_just_sown_is_compared_once_its_sales_are_in_the_books() {
    let test = shop().await;
    demo_orders(&test).await;
    assert_eq!(count(&test.app, "select count(*) from ledger_transactions").await, 0);
    let found = compare(&test).await;
    let memos: Vec<String> =
        sqlx::query_scalar("select memo from reconciliation_differences").fetch_all(&test.app.pool).await.expect("memos");
    assert_eq!(found, 0, "{memos:?}");
    assert_eq!(count(&test.app, "select count(*) from payments where booked_at is null or stripe_fee_minor is null").await, 0);
    assert_eq!(count(&test.app, "select count(*) from stripe_entries where cause_id is not null").await, 2);
    let (books, stripe) = cash(&test).await;
    assert_eq!(books, stripe);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn what_the_demo_made_up_and_stripe_never_knew_is_no_difference() {
    let test = shop().await;
    demo_orders(&test).await;
    // As with Stripe's own test mode: nobody there knows the demo.
    sqlx::query("delete from stripe_sandbox.objects").execute(&test.app.pool).await.expect("another Stripe");
    assert_eq!(compare(&test).await, 0);
    let (books, stripe) = cash(&test).await;
    assert_eq!(books, stripe);
}
