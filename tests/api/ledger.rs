//! The books: what is paid is in them once and to the penny, nothing goes out of them, and only the operator reads all of them.

use crate::support::{
    Card, Client, TestApp, checkout_form,
    purchase::{assert_laws_hold, count, let_hold_end, order, standing},
};
use http::StatusCode;
use souk::{
    ids::{OrderId, PaymentId},
    ledger::{
        self,
        model::{Account, Booking, Cause, Entries},
    },
    money::Currency,
    payments,
    sandbox::stripe::Controls,
    server::jobs,
};
use sqlx::Row;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Fills a cart, checks out, pays and comes back, as a browser does; what Stripe has to tell is heard. Answers the order.
pub async fn buy(test: &TestApp, shopper: &mut Client, goods: &[(&str, i32)]) -> Uuid {
    for (sku, quantity) in goods {
        let id: Uuid = sqlx::query_scalar("select id from variants where sku = $1")
            .bind(sku)
            .fetch_one(&test.app.pool)
            .await
            .expect("a variant");
        let (id, quantity) = (id.to_string(), quantity.to_string());
        let answer = shopper.post_form("/cart/items", &[("variant_id", &id), ("quantity", &quantity)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    }
    let form = checkout_form(&shopper.get("/checkout").await);
    let fields: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = shopper.post_form("/checkout", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let (_, back) = test.services().pay(answer.location(), Card::Good).await;
    let path = back.split_once("/orders/").map(|(_, rest)| format!("/orders/{rest}")).expect("the way back");
    let answer = shopper.get(&path).await;
    let order = answer.location().strip_prefix("/orders/").and_then(|rest| rest.get(..36)).expect("the order's page");
    hear(test).await;
    order.parse().expect("an id")
}

/// Webhooks that are on their way arrive, and what they cause is done.
pub async fn hear(test: &TestApp) {
    for _ in 0..50 {
        jobs::drain(&test.app).await.expect("the jobs run");
        let open = count(&test.app, "select count(*) from stripe_sandbox.deliveries where state = 'pending'").await;
        let unknown = count(&test.app, "select count(*) from payments where state = 'paid' and stripe_fee_minor is null").await;
        if open == 0 && unknown == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Everything that was booked: `(account, whose) -> debits less credits`.
async fn books(test: &TestApp) -> BTreeMap<(String, String), i64> {
    let rows = sqlx::query(
        "select a.kind, coalesce(v.slug, '') as slug, sum(e.amount_minor)::bigint as sum from ledger_entries e
         join ledger_accounts a on a.id = e.account_id left join vendors v on v.id = a.vendor_id group by 1, 2",
    )
    .fetch_all(&test.app.pool)
    .await
    .expect("the books");
    rows.into_iter().map(|r| ((r.get("kind"), r.get("slug")), r.get("sum"))).collect()
}

fn expected(entries: &[(&str, &str, i64)]) -> BTreeMap<(String, String), i64> {
    entries.iter().map(|(kind, slug, sum)| (((*kind).to_owned(), (*slug).to_owned()), *sum)).collect()
}

async fn without_webhooks(test: &TestApp) {
    let controls = Controls { webhook_drop: -1, ..test.services().stripe.sandbox.controls().await.expect("the switches") };
    test.services().stripe.sandbox.set_controls(&controls).await.expect("the switches");
}

#[tokio::test]
async fn someone_else_may_not() {
    let (test, _) = TestApp::new().await;
    let key = Uuid::now_v7().to_string();
    let form = [("key", key.as_str()), ("debit", "losses"), ("credit", "cash"), ("amount", "5"), ("memo", "A gift to me")];
    for mut person in [test.customer("ada").await, test.vendor("mill").await] {
        assert_eq!(person.get("/operator/ledger").await.status, StatusCode::FORBIDDEN);
        assert_eq!(person.post_form("/operator/ledger", &form).await.status, StatusCode::FORBIDDEN);
    }
    let mut guest = test.guest();
    assert!(guest.get("/operator/ledger").await.location().starts_with("/sign-in"));
    assert!(guest.post_form("/operator/ledger", &form).await.location().starts_with("/sign-in"));
    assert_eq!(count(&test.app, "select count(*) from ledger_transactions").await, 0);
}

#[tokio::test]
async fn a_purchase_from_three_vendors_is_booked_to_the_penny_and_once() {
    let (test, _) = TestApp::with_services().await;
    let goods = [("MILL-PLAIN", 2), ("MILL-SMALL", 1), ("KILN-PLAIN", 1), ("ORCHARD-LAST", 1)];
    let id = buy(&test, &mut test.guest(), &goods).await;
    let sale = [
        ("cash", "", 6212 - 113),
        ("stripe_fees", "", 113),
        // 2000 and 1250 of goods and 395 of shipping, less a tenth of the goods and the VAT on that
        ("vendor_pending", "mill", -(3645 - 325 - 65)),
        ("vendor_pending", "kiln", -(1395 - 100 - 20)),
        ("vendor_pending", "orchard", -(1172 - 78 - 16)),
        ("commission", "", -(325 + 100 + 78)),
        ("commission_vat", "", -(65 + 20 + 16)),
    ];
    assert_eq!(books(&test).await, expected(&sale));
    // again, from every side
    let payment: Uuid = sqlx::query_scalar("select id from payments").fetch_one(&test.app.pool).await.expect("a payment");
    for _ in 0..2 {
        payments::settle_order(&test.app, id.into()).await.expect("settled");
        jobs::sweep(&test.app).await;
        let mut tx = test.app.pool.begin().await.expect("a transaction");
        ledger::sales::sold(&mut tx, payment.into()).await.expect("booked before");
        ledger::sales::surplus(&mut tx, payment.into()).await.expect("no surplus");
        ledger::sales::fee(&mut tx, payment.into(), 7, time::OffsetDateTime::now_utc()).await.expect("known before");
        tx.commit().await.expect("nothing is wrong");
        hear(&test).await;
    }
    assert_eq!(books(&test).await, expected(&sale));
    assert_eq!(count(&test.app, "select count(*) from ledger_transactions").await, 2);
    let net: i64 = sqlx::query_scalar(
        "select sum((doc->>'net')::bigint)::bigint from stripe_sandbox.objects where kind = 'balance_transaction'",
    )
    .fetch_one(&test.app.pool)
    .await
    .expect("Stripe's own books");
    assert_eq!(net, 6212 - 113, "Stripe holds what our books say");
    // what was sold says the same as the books
    let frozen: (i64, i64) = sqlx::query_as("select sum(fee_minor)::bigint, sum(fee_vat_minor)::bigint from vendor_orders")
        .fetch_one(&test.app.pool)
        .await
        .expect("frozen");
    assert_eq!(frozen, (503, 101));
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn nothing_goes_out_of_the_books_and_nothing_unbalanced_goes_in() {
    let (test, _) = TestApp::with_services().await;
    buy(&test, &mut test.guest(), &[("MILL-PLAIN", 1)]).await;
    let before = books(&test).await;
    for (table, column) in [("ledger_transactions", "memo"), ("ledger_entries", "amount_minor"), ("ledger_accounts", "currency")]
    {
        for statement in [
            format!("delete from {table}"),
            format!("truncate {table} cascade"),
            format!("update {table} set {column} = {column}"),
        ] {
            let refused = sqlx::query(sqlx::AssertSqlSafe(statement.clone())).execute(&test.app.pool).await;
            let error = refused.expect_err(&statement);
            assert!(error.to_string().contains("only added to"), "{statement}: {error}");
        }
    }
    let order: Uuid = sqlx::query_scalar("select id from orders").fetch_one(&test.app.pool).await.expect("an order");
    let unbalanced = |amounts: &'static [(Account, i64)]| {
        let mut entries = Entries::default();
        for (account, amount) in amounts {
            entries.debit(*account, *amount, None);
        }
        let id = Uuid::now_v7();
        Booking { order: Some(OrderId::from(order)), ..Booking::of(Cause::Correction, id, "", Currency::GBP, entries) }
    };
    for wrong in [
        &[(Account::Cash, 100)][..],
        &[(Account::Cash, 100), (Account::Commission, -99)],
        &[(Account::Cash, 100), (Account::Commission, -50), (Account::Losses, -49)],
    ] {
        let mut tx = test.app.pool.begin().await.expect("a transaction");
        ledger::book(&mut tx, unbalanced(wrong)).await.expect("not seen before the end");
        let error = tx.commit().await.expect_err("it does not sum to zero");
        assert!(error.to_string().contains("sum to"), "{error}");
    }
    // A transaction without entries, and an entry added to one that stood.
    let mut tx = test.app.pool.begin().await.expect("a transaction");
    sqlx::query("insert into ledger_transactions (id, cause, cause_id, currency) values ($1, 'correction', $1, 'GBP')")
        .bind(Uuid::now_v7())
        .execute(&mut *tx)
        .await
        .expect("not seen before the end");
    assert!(tx.commit().await.is_err());
    let added = sqlx::query(
        "insert into ledger_entries (transaction_id, account_id, amount_minor) select transaction_id, account_id, 1 from ledger_entries limit 1",
    );
    assert!(added.execute(&test.app.pool).await.is_err());
    assert_eq!(books(&test).await, before);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn money_that_no_order_can_take_is_due_to_go_back() {
    let (test, _) = TestApp::with_services().await;
    without_webhooks(&test).await;
    let unpaid = order(&test.app, None, &[("MILL-LAST", 1)]).await.expect("stock");
    let page = payments::open(&test.app, unpaid.id).await.expect("a page");
    let sandbox = &test.services().stripe.sandbox;
    let calm = sandbox.controls().await.expect("the switches");
    sandbox.set_controls(&Controls { api_fail: 1000, ..calm.clone() }).await.expect("the switches");
    let_hold_end(&test.app, unpaid.id).await;
    payments::sweep(&test.app).await.expect("swept");
    sandbox.set_controls(&Controls { api_fail: 0, ..calm }).await.expect("the switches");
    order(&test.app, None, &[("MILL-LAST", 1)]).await.expect("someone else was quicker");
    test.services().pay(&page, Card::Good).await;
    payments::settle_order(&test.app, unpaid.id).await.expect("settled");
    let due: i64 = sqlx::query_scalar(
        "select e.amount_minor from ledger_entries e join ledger_accounts a on a.id = e.account_id
         join ledger_transactions t on t.id = e.transaction_id where a.kind = 'refunds_due' and t.step = 'surplus'",
    )
    .fetch_one(&test.app.pool)
    .await
    .expect("it is booked");
    assert_eq!(due, -unpaid.total);
    assert_eq!(standing(&test.app, unpaid.id).await.0, "expired");
    assert_eq!(count(&test.app, "select count(*) from ledger_transactions where step = 'sale'").await, 0);
    jobs::drain(&test.app).await.expect("the money goes back");
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_discount_that_the_market_pays_for_is_its_cost_and_not_the_vendors() {
    let (test, _) = TestApp::with_services().await;
    for (cash, shipping) in [(395i64, 395i64), (0, 0)] {
        let before = books(&test).await;
        let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("stock");
        let mut tx = test.app.pool.begin().await.expect("a transaction");
        for statement in [
            "alter table order_lines disable trigger is_frozen",
            "update order_lines set discount_minor = 1000, platform_discount_minor = 1000, total_minor = 0 where order_id = $1",
            "alter table order_lines enable trigger is_frozen",
            "update vendor_orders set discount_minor = 1000, shipping_minor = $2, total_minor = $2 where order_id = $1",
            "update orders set discount_minor = 1000, shipping_minor = $2, total_minor = $2 where id = $1",
            "insert into coupons (id, code, name, amount_minor, currency, platform_bp)
             values (gen_random_uuid(), 'GIFT', 'A gift', 1000, 'GBP', 10000) on conflict (code) do nothing",
            "insert into coupon_claims (order_id, coupon_id, email, amount_minor, platform_minor)
             select $1, id, 'ada@example.com', 1000, 1000 from coupons",
        ] {
            let query = sqlx::query(statement);
            let query = if statement.contains("$1") { query.bind(unpaid.id.uuid()) } else { query };
            let query = if statement.contains("$2") { query.bind(shipping) } else { query };
            query.execute(&mut *tx).await.expect(statement);
        }
        tx.commit().await.expect("a coupon");
        let page = payments::open(&test.app, unpaid.id).await.expect("a page");
        if cash > 0 {
            test.services().pay(&page, Card::Good).await;
            payments::settle_order(&test.app, unpaid.id).await.expect("settled");
            hear(&test).await;
        }
        assert_eq!(standing(&test.app, unpaid.id).await.0, "placed");
        let after = books(&test).await;
        let moved = |kind: &str, slug: &str| {
            let key = (kind.to_owned(), slug.to_owned());
            after.get(&key).unwrap_or(&0) - before.get(&key).unwrap_or(&0)
        };
        assert_eq!((moved("discounts", ""), moved("vendor_pending", "mill")), (1000, -1000 - cash));
        assert_eq!(moved("cash", "") + moved("stripe_fees", ""), cash);
        assert_laws_hold(&test.app).await;
    }
}

#[tokio::test]
async fn what_stripe_kept_is_found_by_the_sweeper_where_nobody_told() {
    let (test, _) = TestApp::with_services_and(|c| c.sweep_after = std::time::Duration::ZERO).await;
    without_webhooks(&test).await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("stock");
    let page = payments::open(&test.app, unpaid.id).await.expect("a page");
    test.services().pay(&page, Card::Good).await;
    payments::settle_order(&test.app, unpaid.id).await.expect("settled");
    assert_eq!(count(&test.app, "select count(*) from payments where stripe_fee_minor is null").await, 1);
    // The sandbox reckons a moment after the charge.
    for _ in 0..50 {
        sqlx::query("update payments set fee_asked_at = null").execute(&test.app.pool).await.expect("it may be asked again");
        payments::sweep(&test.app).await.expect("swept");
        if count(&test.app, "select count(*) from payments where stripe_fee_minor is not null").await == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let fee = (unpaid.total * 15 + 500) / 1000 + 20;
    let cash = ledger::balance(&test.app.pool, Account::Cash, Currency::GBP).await.expect("a balance");
    let fees = ledger::balance(&test.app.pool, Account::StripeFees, Currency::GBP).await.expect("a balance");
    assert_eq!((cash, fees), (unpaid.total - fee, fee));
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn what_was_paid_before_there_were_books_is_booked_once_and_as_of_its_day() {
    let (test, _) = TestApp::new().await;
    // Two orders as an older program left them: paid, and in no book.
    for goods in [[("MILL-PLAIN", 1)], [("KILN-PLAIN", 2)]] {
        let old = order(&test.app, None, &goods).await.expect("stock");
        let mut tx = test.app.pool.begin().await.expect("a transaction");
        for statement in [
            "insert into payments (id, order_id, attempt, state, amount_minor, currency, idempotency_key, expires_at, settled_at)
             select gen_random_uuid(), id, 1, 'paid', total_minor, currency, 'old-' || number, now(), now() - interval '40 days' from orders where id = $1",
            "update orders set status = 'placed', payment_status = 'paid', placed_at = now() - interval '40 days' where id = $1",
            "update stock s set held = held - h.quantity, on_hand = on_hand - h.quantity from stock_holds h where h.order_id = $1 and h.variant_id = s.variant_id",
            "update stock_holds set state = 'taken' where order_id = $1",
        ] {
            sqlx::query(statement).bind(old.id.uuid()).execute(&mut *tx).await.expect("an old order");
        }
        tx.commit().await.expect("an old order");
    }
    let findings = souk::prove::verify(&test.app.pool).await.expect("the laws can be checked");
    assert!(findings.iter().any(|f| f.law.contains("booked once") && f.violations == 2), "{findings:?}");
    assert_eq!(ledger::sales::catch_up(&test.app).await.expect("caught up"), 2);
    assert_eq!(ledger::sales::catch_up(&test.app).await.expect("nothing is left"), 0);
    let books = books(&test).await;
    // They were sold before there was a commission.
    assert_eq!(books, expected(&[("cash", "", 3790), ("vendor_pending", "mill", -1395), ("vendor_pending", "kiln", -2395)]));
    assert_eq!(count(&test.app, "select count(*) from ledger_transactions where at < now() - interval '39 days'").await, 2);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_payment_is_booked_once_by_ten_at_once() {
    let (test, _) = TestApp::with_services().await;
    without_webhooks(&test).await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1), ("KILN-PLAIN", 1)]).await.expect("stock");
    let page = payments::open(&test.app, unpaid.id).await.expect("a page");
    test.services().pay(&page, Card::Good).await;
    let payment: Uuid = sqlx::query_scalar("select id from payments").fetch_one(&test.app.pool).await.expect("a payment");
    let all = futures::future::join_all((0..10).map(|_| payments::settle(&test.app, PaymentId::from(payment)))).await;
    assert!(all.into_iter().all(|r| r.is_ok()));
    assert_eq!(count(&test.app, "select count(*) from ledger_transactions where step = 'sale'").await, 1);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn balances_that_are_written_down_are_the_sums_of_their_entries() {
    let (test, _) = TestApp::with_services().await;
    let mut guest = test.guest();
    buy(&test, &mut guest, &[("MILL-PLAIN", 1)]).await;
    ledger::sweep(&test.app).await.expect("swept");
    let taken = count(&test.app, "select count(*) from ledger_snapshots").await;
    assert!(taken >= 4, "{taken}");
    buy(&test, &mut guest, &[("MILL-PLAIN", 3)]).await;
    ledger::sweep(&test.app).await.expect("not again within the hour");
    let (sum, told): (i64, i64) = sqlx::query_as(
        "select (select sum(amount_minor)::bigint from ledger_entries where account_id = a.id), ledger_balance(a.id)
         from ledger_accounts a where kind = 'cash'",
    )
    .fetch_one(&test.app.pool)
    .await
    .expect("a balance");
    assert_eq!(sum, told);
    let behind =
        count(&test.app, "select count(*) from ledger_snapshots where through_entry < (select max(id) from ledger_entries)")
            .await;
    assert_eq!(behind, taken);
    assert_laws_hold(&test.app).await;
    // One that lies is found.
    sqlx::query("update ledger_snapshots set balance_minor = balance_minor + 1").execute(&test.app.pool).await.expect("tampered");
    let findings = souk::prove::verify(&test.app.pool).await.expect("the laws can be checked");
    assert!(findings.iter().any(|f| f.law.contains("written down") && f.violations == taken), "{findings:?}");
}

#[tokio::test]
async fn the_operator_reads_the_books_and_puts_a_mistake_right() {
    let (test, _) = TestApp::with_services().await;
    let id = buy(&test, &mut test.guest(), &[("MILL-PLAIN", 1), ("KILN-PLAIN", 1)]).await;
    let number: i64 =
        sqlx::query_scalar("select number from orders where id = $1").bind(id).fetch_one(&test.app.pool).await.expect("a number");
    let mut operator = test.operator().await;
    let page = operator.get("/operator/ledger").await;
    assert_eq!(page.status, StatusCode::OK);
    for text in ["Cash at Stripe", "Vendors: pending", "Payment: sale", "Payment: fee", "£27.90", "The mill"] {
        assert!(page.text().contains(text), "{text}: {}", page.text());
    }
    let rows = |path: String| {
        let mut operator = operator.clone();
        async move {
            let page = operator.get(&path).await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
            page.texts("[aria-label=Transactions] tbody tr").len()
        }
    };
    // The sale has an entry for the cash and three for each vendor's part; the fee has two.
    assert_eq!(rows(format!("/operator/ledger?find={number}")).await, 7 + 2);
    assert_eq!(rows("/operator/ledger?account=stripe_fees".into()).await, 2);
    assert_eq!(rows("/operator/ledger?vendor=kiln".into()).await, 7);
    for none in ["?find=1", "?vendor=orchard", "?vendor=nobody", "?account=losses"] {
        assert_eq!(rows(format!("/operator/ledger{none}")).await, 0, "{none}");
    }
    for bad in ["?account=x", "?find=x", "?after=x"] {
        assert_eq!(operator.get(&format!("/operator/ledger{bad}")).await.status, StatusCode::BAD_REQUEST, "{bad}");
    }

    let key = page.attribute("input[name=key]", "value").expect("a key");
    let correct = |fields: &[(&str, &str)]| {
        let mut operator = operator.clone();
        let form: Vec<(String, String)> =
            [("key", key.as_str())].iter().chain(fields).map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        async move {
            let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            operator.post_form("/operator/ledger", &form).await
        }
    };
    let wrong = correct(&[("debit", ""), ("credit", "vendor_payable"), ("amount", "0"), ("memo", "")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let errors = wrong.texts(".field-error");
    for error in ["Choose an account.", "Say whose account it is.", "Write an amount above zero.", "Please fill this in"] {
        assert!(errors.iter().any(|e| e == error), "{error}: {errors:?}");
    }
    let whose = correct(&[
        ("debit", "losses"),
        ("debit_vendor", "mill"),
        ("credit", "losses"),
        ("credit_vendor", "nobody"),
        ("amount", "1"),
        ("memo", "Test"),
    ])
    .await;
    assert_eq!(
        whose.texts(".field-error"),
        ["This account is the market's own. Leave this empty.", "There is no shop with this address."]
    );
    let same = correct(&[("debit", "losses"), ("credit", "losses"), ("amount", "1"), ("memo", "Test")]).await;
    assert_eq!(same.texts(".field-error"), ["From an account to itself nothing moves."]);

    let good = [
        ("debit", "losses"),
        ("credit", "vendor_payable"),
        ("credit_vendor", "mill"),
        ("amount", "12.34"),
        ("memo", "A parcel that we lost"),
    ];
    for _ in 0..2 {
        assert_eq!(correct(&good).await.location(), "/operator/ledger");
    }
    assert_eq!(
        count(&test.app, "select count(*) from ledger_transactions where cause = 'correction'").await,
        1,
        "the second press books nothing"
    );
    assert_eq!(ledger::balance(&test.app.pool, Account::Losses, Currency::GBP).await.expect("a balance"), 1234);
    let page = operator.get("/operator/ledger?vendor=mill").await.text();
    assert!(page.contains("A parcel that we lost") && page.contains("by Operator") && page.contains("£12.34"), "{page}");
    assert_laws_hold(&test.app).await;
}
