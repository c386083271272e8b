//! Money back in parts: who may, how much, what Stripe and the books say, and what happens when two give back at once.

use crate::support::{
    Client, TestApp,
    purchase::{Unpaid, assert_laws_hold, count, order, paid, parcel_of, pay, standing},
};
use http::{Method, StatusCode};
use serde_json::json;
use souk::{
    ledger::{
        self,
        model::{Account, Booking, Cause, Entries},
    },
    money::Currency,
    payments,
    server::jobs,
};
use sqlx::Row;
use uuid::Uuid;

async fn drain(test: &TestApp) {
    while jobs::drain(&test.app).await.expect("jobs run") > 0 {}
}

async fn mails(test: &TestApp, subject: &str, to: &str) -> i64 {
    sqlx::query_scalar("select count(*) from outbox where subject like $1 and recipient = $2")
        .bind(subject)
        .bind(to)
        .fetch_one(&test.app.pool)
        .await
        .expect("the outbox")
}

async fn refunded_in_sandbox(test: &TestApp) -> i64 {
    let payments = test.services().stripe.sandbox.payments(10).await.expect("the payments");
    payments.iter().filter_map(|p| p.charge.as_ref()).filter_map(|c| c["amount_refunded"].as_i64()).sum()
}

/// The vendor gives pieces of its first line back, by the form.
async fn give_back(
    client: &mut Client,
    parcel: Uuid,
    line: Uuid,
    pieces: &str,
    shipping: &str,
    reason: &str,
) -> crate::support::Answer {
    let fields = [
        (format!("back[{line}]"), pieces.to_owned()),
        (format!("shipping[{parcel}]"), shipping.to_owned()),
        (format!("reason[{parcel}]"), reason.to_owned()),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    client.post_form(&format!("/vendor/orders/{parcel}/refunds"), &fields).await
}

/// As if the platform had taken a tenth of every line, and VAT of a fifth on that. What was frozen at the sale no trigger lets change,
/// so this goes around them.
async fn with_fees(test: &TestApp, order: &Unpaid) {
    let mut tx = test.app.pool.begin().await.expect("a transaction");
    sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.expect("without triggers");
    for statement in [
        "update order_lines set fee_minor = total_minor / 10, fee_vat_minor = total_minor / 50 where order_id = $1",
        "update vendor_orders v set fee_minor = s.fee, fee_vat_minor = s.vat
         from (select vendor_order_id, sum(fee_minor) as fee, sum(fee_vat_minor) as vat from order_lines group by 1) s
         where s.vendor_order_id = v.id and v.order_id = $1",
    ] {
        sqlx::query(statement).bind(order.id.uuid()).execute(&mut *tx).await.expect("fees");
    }
    tx.commit().await.expect("fees");
}

/// Books the sale of an order by its frozen figures, where that was not done when it was paid.
async fn book_sale(test: &TestApp, order: &Unpaid) {
    let mut tx = test.app.pool.begin().await.expect("a transaction");
    let payment: Uuid = sqlx::query_scalar("select id from payments where order_id = $1 and state = 'paid'")
        .bind(order.id.uuid())
        .fetch_one(&mut *tx)
        .await
        .expect("a payment");
    let parcels =
        sqlx::query("select id, vendor_id, total_minor, fee_minor, fee_vat_minor from vendor_orders where order_id = $1")
            .bind(order.id.uuid())
            .fetch_all(&mut *tx)
            .await
            .expect("parcels");
    let mut entries = Entries::default();
    for parcel in parcels {
        let (id, vendor): (Uuid, Uuid) = (parcel.get(0), parcel.get(1));
        let (total, fee, vat): (i64, i64, i64) = (parcel.get(2), parcel.get(3), parcel.get(4));
        entries
            .debit(Account::Cash, total, None)
            .credit(Account::VendorPending(vendor.into()), total - fee - vat, Some(id.into()))
            .credit(Account::Commission, fee, Some(id.into()))
            .credit(Account::CommissionVat, vat, Some(id.into()));
    }
    ledger::book(&mut tx, Booking::of(Cause::Payment, payment, "sale", Currency::GBP, entries)).await.expect("booked");
    tx.commit().await.expect("committed");
}

async fn balance(test: &TestApp, account: Account) -> i64 {
    ledger::balance(&test.app.pool, account, Currency::GBP).await.expect("a balance")
}

/// What Stripe holds for us, without what it took as fees.
async fn cash(test: &TestApp) -> i64 {
    balance(test, Account::Cash).await + balance(test, Account::StripeFees).await
}

/// What is due to shoppers, and what each of the accounts of a sale holds: pending of this vendor, commission, its VAT, due.
async fn books(test: &TestApp, vendor: Uuid) -> (i64, i64, i64, i64) {
    (
        balance(test, Account::VendorPending(vendor.into())).await,
        balance(test, Account::Commission).await,
        balance(test, Account::CommissionVat).await,
        balance(test, Account::RefundsDue).await,
    )
}

#[tokio::test]
async fn someone_else_may_not() {
    let (test, _) = TestApp::with_services().await;
    let order = paid(&test, None, &[("MILL-PLAIN", 2), ("KILN-PLAIN", 1)]).await;
    let (parcel, lines) = parcel_of(&test, &order, "mill").await;
    for mut stranger in [test.vendor("kiln").await, test.customer("bob").await, test.guest()] {
        let answer = give_back(&mut stranger, parcel, lines[0], "1", "", "For me").await;
        assert!(answer.status != StatusCode::OK && !answer.location().contains("/vendor/orders"), "{}", answer.status);
        let answer =
            stranger.post_form(&format!("/operator/orders/{}/refunds", order.id), &[("parcel", &parcel.to_string())]).await;
        assert!(answer.status == StatusCode::FORBIDDEN || answer.location().starts_with("/sign-in"), "{}", answer.status);
    }
    // nor of another's line through one's own parcel
    let (own, _) = parcel_of(&test, &order, "kiln").await;
    let answer = give_back(&mut test.vendor("kiln").await, own, lines[0], "1", "", "For me").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(count(&test.app, "select count(*) from refunds").await, 0);
}

#[tokio::test]
async fn a_vendor_gives_pieces_back_and_then_the_shipping() {
    let (test, world) = TestApp::with_services().await;
    let order = order(&test.app, Some(world.people["ada"]), &[("MILL-PLAIN", 3), ("KILN-PLAIN", 1)]).await.expect("stock");
    with_fees(&test, &order).await;
    pay(&test, &order).await;
    book_sale(&test, &order).await;
    let before = books(&test, world.vendors["mill"].id).await;
    let (parcel, lines) = parcel_of(&test, &order, "mill").await;
    let mut mill = test.vendor("mill").await;
    let page = mill.get(&format!("/vendor/orders/{parcel}")).await.text();
    assert!(page.contains("At most £33.95 of this parcel can still go back"), "{page}");

    // What cannot be read, or is missing, is said at its field, and what was typed stays.
    let answer = give_back(&mut mill, parcel, lines[0], "some", "", "One was chipped").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("Write a whole number of pieces."));
    assert_eq!(answer.attribute(&format!("[name='back[{}]']", lines[0]), "value").as_deref(), Some("some"));
    assert_eq!(answer.attribute(&format!("[name='reason[{parcel}]']"), "value").as_deref(), Some("One was chipped"));
    let answer = give_back(&mut mill, parcel, lines[0], "1", "", " ").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let answer = give_back(&mut mill, parcel, lines[0], "4", "", "Too many").await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text().contains("At most 3 can still go back."), "{}", answer.text());
    let answer = give_back(&mut mill, parcel, lines[0], "", "3.96", "Too much").await;
    assert!(answer.text().contains("At most £3.95 can still go back."), "{}", answer.text());
    assert_eq!(count(&test.app, "select count(*) from refunds").await, 0);

    let answer = give_back(&mut mill, parcel, lines[0], "1", "", "One was chipped").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert_eq!(standing(&test.app, order.id).await.1, "partially_refunded");
    let due = books(&test, world.vendors["mill"].id).await;
    assert_eq!((due.0 - before.0, due.1 - before.1, due.2 - before.2, due.3), (880, 100, 20, -1000), "in proportion, and due");
    drain(&test).await;
    assert_eq!(refunded_in_sandbox(&test).await, 1000);
    assert_eq!(balance(&test, Account::RefundsDue).await, 0);
    assert_eq!(mails(&test, "You get £10.00 of order % back", "ada@example.com").await, 1);
    assert_eq!(mails(&test, "£10.00 of order % is on its way back", "ada@example.com").await, 1);

    let answer = give_back(&mut mill, parcel, lines[0], "2", "3.95", "The rest, too").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    drain(&test).await;
    assert_eq!(refunded_in_sandbox(&test).await, 3395);
    let after = books(&test, world.vendors["mill"].id).await;
    assert_eq!(after.0, 0, "the vendor has nothing of it");
    assert_eq!((after.1 - before.1, after.2 - before.2, after.3), (300, 60, 0), "all of its fees are back");
    let page = mill.get(&format!("/vendor/orders/{parcel}")).await.text();
    assert!(page.contains("3 paid back") && page.contains("One was chipped") && !page.contains("Give money back"), "{page}");
    assert!(!page.contains("Mark as shipped"), "nothing is left to send: {page}");
    assert!(!mill.get("/vendor/orders").await.text().contains("100001"), "nor to be done");
    let page = test.customer("ada").await.get(&format!("/orders/{}", order.id)).await.text();
    assert!(page.contains("1 × The mill's plain bowl: One was chipped") && page.contains("3 of them paid back"), "{page}");
    assert!(page.contains("You get £10.00 back for 1 × The mill's plain bowl."), "{page}");
    let kiln = parcel_of(&test, &order, "kiln").await.0;
    let text = test.vendor("kiln").await.get(&format!("/vendor/orders/{kiln}")).await.text();
    assert!(!text.contains("chipped") && !text.contains("Money is going back"), "another's refund is not theirs to read: {text}");
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn the_operator_gives_back_and_the_vendor_is_told() {
    let (test, _) = TestApp::with_services().await;
    let order = paid(&test, None, &[("MILL-PLAIN", 2), ("KILN-PLAIN", 1)]).await;
    let (parcel, lines) = parcel_of(&test, &order, "mill").await;
    let mut operator = test.operator().await;
    let (path, place) = (format!("/operator/orders/{}/refunds", order.id), parcel.to_string());
    let fields = |pieces: &'static str| {
        vec![
            ("parcel".to_owned(), place.clone()),
            (format!("back[{}]", lines[0]), pieces.to_owned()),
            (format!("shipping[{parcel}]"), "1.00".to_owned()),
            (format!("reason[{parcel}]"), "It came late".to_owned()),
        ]
    };
    let send = |fields: Vec<(String, String)>| {
        let mut operator = operator.clone();
        let path = path.clone();
        async move {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            operator.post_form(&path, &fields).await
        }
    };
    let answer = send(fields("3")).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text().contains("At most 2 can still go back."), "{}", answer.text());
    assert_eq!(send(fields("1")).await.status, StatusCode::SEE_OTHER);
    drain(&test).await;
    assert_eq!(refunded_in_sandbox(&test).await, 1100);
    assert_eq!(mails(&test, "£11.00 of order % went back", "mill@example.com").await, 1);
    let page = operator.get(&format!("/operator/orders/{}", order.id)).await.text();
    assert!(page.contains("1 × The mill's plain bowl, shipping It came late"), "{page}");
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_program_gives_back_once_for_each_key() {
    let (test, _) = TestApp::with_services().await;
    let order = paid(&test, None, &[("MILL-PLAIN", 2), ("MILL-SMALL", 1)]).await;
    let (parcel, lines) = parcel_of(&test, &order, "mill").await;
    let mut mill = test.vendor("mill").await;
    let path = format!("/api/v1/vendor/orders/{parcel}/refunds");
    let body = json!({ "items": [{ "line_id": lines[0], "quantity": 1 }], "shipping": true, "reason": "Broken" });
    let key = [("idempotency-key", "once")];
    let first = mill.call(Method::POST, &path, Some(&body), &key).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    assert_eq!(first.json()["amount"], json!({ "amount": 1395, "currency": "GBP" }));
    assert_eq!(first.json()["contents"], "1 × The mill's plain bowl, shipping");
    let again = mill.call(Method::POST, &path, Some(&body), &key).await;
    assert_eq!((again.status, again.json()["id"].clone()), (StatusCode::CREATED, first.json()["id"].clone()));
    assert_eq!(count(&test.app, "select count(*) from refunds").await, 1);
    for (body, status, kind) in [
        (json!({ "items": [{ "line_id": lines[0], "quantity": 2 }], "reason": "x" }), 409, "/problems/refunds-too-much"),
        (json!({ "shipping": true, "reason": "x" }), 409, "/problems/refunds-too-much"),
        (json!({ "shipping": { "amount": 1, "currency": "GBP" }, "reason": "x" }), 409, "/problems/refunds-too-much"),
        (json!({ "shipping": { "amount": 1, "currency": "EUR" }, "reason": "x" }), 422, "/problems/invalid"),
        (json!({ "items": [], "reason": "x" }), 422, "/problems/invalid"),
        (json!({ "items": [{ "line_id": lines[0], "quantity": 0 }], "reason": "x" }), 422, "/problems/invalid"),
        (json!({ "items": [{ "line_id": lines[0], "quantity": 1 }], "reason": "" }), 422, "/problems/invalid"),
        (json!({ "items": [{ "line_id": Uuid::now_v7(), "quantity": 1 }], "reason": "x" }), 404, "/problems/not-found"),
    ] {
        let answer = mill.call(Method::POST, &path, Some(&body), &[]).await;
        assert_eq!((answer.status.as_u16(), answer.json()["type"].as_str()), (status, Some(kind)), "{body}: {}", answer.body);
    }
    let part =
        json!({ "items": [{ "line_id": lines[0], "quantity": 1 }, { "line_id": lines[1], "quantity": 1 }], "reason": "x" });
    assert_eq!(mill.call(Method::POST, &path, Some(&part), &[]).await.status, StatusCode::CREATED);
    let whole = mill.call(Method::GET, &format!("/api/v1/vendor/orders/{parcel}"), None, &[]).await.json();
    assert_eq!(whole["refunds"].as_array().map(Vec::len), Some(2), "{whole}");
    drain(&test).await;
    assert_eq!(standing(&test.app, order.id).await.1, "refunded");
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn vendor_operator_and_dashboard_at_once_never_give_back_more_than_the_whole() {
    for _ in 0..3 {
        let (test, _) = TestApp::with_services().await;
        let order = paid(&test, None, &[("MILL-PLAIN", 3)]).await;
        book_sale(&test, &order).await;
        let (parcel, lines) = parcel_of(&test, &order, "mill").await;
        let intent: String =
            sqlx::query_scalar("select stripe_intent_id from payments").fetch_one(&test.app.pool).await.expect("an intent");
        let (mut mill, mut operator) = (test.vendor("mill").await, test.operator().await);
        let (path, place) = (format!("/operator/orders/{}/refunds", order.id), parcel.to_string());
        let (back, reason) = (format!("back[{}]", lines[0]), format!("reason[{parcel}]"));
        let fields = [("parcel", place.as_str()), (&back, "2"), (&reason, "Late")];
        let sandbox = &test.services().stripe.sandbox;
        let (vendor, by_operator, dashboard) =
            tokio::join!(give_back(&mut mill, parcel, lines[0], "2", "", "Chipped"), operator.post_form(&path, &fields), async {
                sandbox.refund_from_dashboard(&intent, Some(1500)).await.expect("a refund");
                payments::sync_refunds(&test.app, &intent).await
            });
        dashboard.expect("read");
        let done = [&vendor, &by_operator].into_iter().filter(|a| a.status == StatusCode::SEE_OTHER).count();
        // One that gave way to the dashboard counts no more, so that the other could follow it.
        let off = count(&test.app, "select count(*) from refunds where state = 'failed'").await;
        assert!(done as i64 - off <= 1, "two of three pieces went back twice");
        for answer in [vendor, by_operator].iter().filter(|a| a.status != StatusCode::SEE_OTHER) {
            assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text());
        }
        drain(&test).await;
        payments::sync_refunds(&test.app, &intent).await.expect("read");
        let total = count(&test.app, "select coalesce(sum(amount_minor), 0)::bigint from refunds where state <> 'failed'").await;
        assert_eq!(total, refunded_in_sandbox(&test).await, "Stripe and we say the same");
        assert!(total <= order.total);
        assert_eq!(balance(&test, Account::RefundsDue).await, 0);
        assert_laws_hold(&test.app).await;
    }
}

#[tokio::test]
async fn what_is_cancelled_after_a_part_went_back_gives_back_the_rest() {
    let (test, _) = TestApp::with_services().await;
    let order = order(&test.app, None, &[("MILL-PLAIN", 3), ("KILN-PLAIN", 1)]).await.expect("stock");
    with_fees(&test, &order).await;
    pay(&test, &order).await;
    book_sale(&test, &order).await;
    let (parcel, lines) = parcel_of(&test, &order, "mill").await;
    give_back(&mut test.vendor("mill").await, parcel, lines[0], "1", "1.00", "One is gone").await;
    let intent: String =
        sqlx::query_scalar("select stripe_intent_id from payments").fetch_one(&test.app.pool).await.expect("an intent");
    drain(&test).await;
    test.services().stripe.sandbox.refund_from_dashboard(&intent, Some(777)).await.expect("a refund");
    payments::sync_refunds(&test.app, &intent).await.expect("read");
    assert_eq!(count(&test.app, "select count(*) from refund_parts where kind = 'amount'").await, 2, "spread over both parcels");
    let answer = test.guest().post_form(&order.path("/cancel"), &[("token", &order.token)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    drain(&test).await;
    assert_eq!(standing(&test.app, order.id).await, ("cancelled".into(), "refunded".into(), "unfulfilled".into()));
    assert_eq!(refunded_in_sandbox(&test).await, order.total);
    for account in [Account::RefundsDue, Account::Commission, Account::CommissionVat] {
        assert_eq!(balance(&test, account).await, 0, "{account:?}");
    }
    assert_eq!(cash(&test).await, 0);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_refund_that_fails_later_is_booked_back_and_people_are_told() {
    let (test, world) = TestApp::with_services().await;
    let order = order(&test.app, Some(world.people["ada"]), &[("MILL-PLAIN", 2)]).await.expect("stock");
    with_fees(&test, &order).await;
    pay(&test, &order).await;
    book_sale(&test, &order).await;
    let mill = world.vendors["mill"].id;
    let before = books(&test, mill).await;
    let held = cash(&test).await;
    let (parcel, lines) = parcel_of(&test, &order, "mill").await;
    let mut vendor = test.vendor("mill").await;
    give_back(&mut vendor, parcel, lines[0], "2", "", "Chipped").await;
    drain(&test).await;
    assert_eq!(cash(&test).await, held - 2000);
    assert_eq!(count(&test.app, "select count(*) from refunds where state = 'succeeded'").await, 1);

    // The bank sends it back, days later.
    sqlx::query("update stripe_sandbox.objects set status = 'failed', doc = jsonb_set(doc, '{status}', '\"failed\"') where kind = 'refund'")
        .execute(&test.app.pool)
        .await
        .expect("the bank says no");
    let intent: String =
        sqlx::query_scalar("select stripe_intent_id from payments").fetch_one(&test.app.pool).await.expect("an intent");
    for _ in 0..2 {
        payments::sync_refunds(&test.app, &intent).await.expect("read");
    }
    assert_eq!(standing(&test.app, order.id).await.1, "paid");
    assert_eq!(books(&test, mill).await, before, "everything is as it was");
    assert_eq!(cash(&test).await, held);
    assert_eq!(mails(&test, "A refund of order % failed", "mill@example.com").await, 1);
    assert_eq!(mails(&test, "A refund of order % failed", "operator@example.com").await, 1);
    assert!(test.operator().await.get("/operator").await.text().contains("Refunds that failed"));
    assert_laws_hold(&test.app).await;

    // It can be given back again.
    let answer = give_back(&mut vendor, parcel, lines[0], "2", "", "Chipped, once more").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert_eq!(count(&test.app, "select count(*) from refunds where state = 'pending'").await, 1);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn after_the_release_it_comes_off_what_the_vendor_may_have() {
    let (test, world) = TestApp::with_services().await;
    let order = order(&test.app, None, &[("MILL-PLAIN", 2)]).await.expect("stock");
    with_fees(&test, &order).await;
    pay(&test, &order).await;
    book_sale(&test, &order).await;
    let mill = world.vendors["mill"].id;
    let (parcel, lines) = parcel_of(&test, &order, "mill").await;
    let pending = -balance(&test, Account::VendorPending(mill.into())).await;
    let mut entries = Entries::default();
    entries.debit(Account::VendorPending(mill.into()), pending, Some(parcel.into())).credit(
        Account::VendorPayable(mill.into()),
        pending,
        Some(parcel.into()),
    );
    let mut tx = test.app.pool.begin().await.expect("a transaction");
    ledger::book(&mut tx, Booking::of(Cause::Release, parcel, "", Currency::GBP, entries)).await.expect("released");
    let fact = sqlx::query("update vendor_orders set released_at = now() where id = $1").bind(parcel);
    fact.execute(&mut *tx).await.expect("released");
    tx.commit().await.expect("committed");
    give_back(&mut test.vendor("mill").await, parcel, lines[0], "1", "", "Chipped").await;
    assert_eq!(balance(&test, Account::VendorPending(mill.into())).await, 0);
    assert_eq!(balance(&test, Account::VendorPayable(mill.into())).await, -pending + 880);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn refunds_from_before_the_books_are_caught_up_once() {
    let (test, world) = TestApp::with_services().await;
    let order = paid(&test, None, &[("MILL-PLAIN", 2)]).await;
    let (parcel, lines) = parcel_of(&test, &order, "mill").await;
    give_back(&mut test.vendor("mill").await, parcel, lines[0], "1", "", "Chipped").await;
    drain(&test).await;
    book_sale(&test, &order).await;
    for _ in 0..2 {
        payments::catch_up(&test.app.pool).await.expect("caught up");
    }
    let mill = world.vendors["mill"].id;
    assert_eq!(balance(&test, Account::VendorPending(mill.into())).await, -(order.total - 1000));
    assert_eq!(balance(&test, Account::RefundsDue).await, 0);
    assert_eq!(count(&test.app, "select count(*) from ledger_transactions where cause = 'refund'").await, 2);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn the_database_keeps_parts_and_whole_together() {
    let (test, _) = TestApp::with_services().await;
    let order = paid(&test, None, &[("MILL-PLAIN", 2)]).await;
    let (parcel, lines) = parcel_of(&test, &order, "mill").await;
    let payment: Uuid = sqlx::query_scalar("select id from payments").fetch_one(&test.app.pool).await.expect("a payment");
    for (refund, part, quantity, constraint) in
        [(500i64, 400i64, 1, "refund_parts_sum"), (2200, 2200, 2, "refund_parts_within"), (100, 100, 3, "refund_parts_within")]
    {
        let mut tx = test.app.pool.begin().await.expect("a transaction");
        let id = Uuid::now_v7();
        sqlx::query(
            "insert into refunds (id, payment_id, amount_minor, reason, idempotency_key) values ($1, $2, $3, 'vendor', $4)",
        )
        .bind(id)
        .bind(payment)
        .bind(refund)
        .bind(id.to_string())
        .execute(&mut *tx)
        .await
        .expect("a refund");
        let part = sqlx::query(
            "insert into refund_parts (id, refund_id, kind, vendor_order_id, line_id, quantity, amount_minor)
             values ($1, $2, 'line', $3, $4, $5, $6)",
        )
        .bind(Uuid::now_v7())
        .bind(id)
        .bind(parcel)
        .bind(lines[0])
        .bind(quantity)
        .bind(part)
        .execute(&mut *tx)
        .await;
        let refused = match part {
            Err(error) => error,
            Ok(_) => tx.commit().await.expect_err("the database refuses"),
        };
        assert_eq!(refused.as_database_error().and_then(|e| e.constraint()), Some(constraint), "{refused}");
    }
}
