//! The audit log: who reads it, that it is written with the change, and that a hand in the database is seen.

use crate::{
    rest::{delete, patch, post},
    support::{
        Card, TestApp,
        purchase::{assert_laws_hold, count, order},
    },
};
use http::StatusCode;
use serde_json::json;
use souk::{
    accounts,
    audit::{self, Flaw, Verdict},
    ids::UserId,
    payments,
    server::state::App,
};
use sqlx::{Executor, PgPool};
use uuid::Uuid;

async fn record(pool: &PgPool, subject: i64) {
    let mut tx = pool.begin().await.expect("a transaction");
    audit::record(&mut tx, None, "refund.booked", ("refund", subject), json!({ "amount": subject })).await.expect("written");
    tx.commit().await.expect("committed");
}

async fn verdict(app: &App, noted: Option<&str>) -> Verdict {
    audit::verify(&mut app.pool.acquire().await.expect("a connection"), noted).await.expect("a verdict")
}

/// Does to the database what only its owner can, and only on purpose.
async fn tamper(pool: &PgPool, statement: &'static str) {
    let mut tx = pool.begin().await.expect("a transaction");
    for table in ["audit_log", "audit_chain"] {
        tx.execute(sqlx::AssertSqlSafe(format!("alter table {table} disable trigger only_added_to"))).await.expect("unguarded");
    }
    tx.execute(statement).await.expect("tampered");
    for table in ["audit_log", "audit_chain"] {
        tx.execute(sqlx::AssertSqlSafe(format!("alter table {table} enable trigger only_added_to"))).await.expect("guarded");
    }
    tx.commit().await.expect("committed");
}

async fn actions(pool: &PgPool) -> Vec<(String, Option<Uuid>)> {
    sqlx::query_as("select action, actor_id from audit_log order by id").fetch_all(pool).await.expect("the log")
}

#[tokio::test]
async fn someone_else_may_not() {
    let (test, _) = TestApp::new().await;
    record(&test.app.pool, 1).await;
    assert!(test.guest().get("/operator/audit").await.location().starts_with("/sign-in"));
    for mut person in [test.customer("ada").await, test.vendor("mill").await] {
        assert_eq!(person.get("/operator/audit").await.status, StatusCode::FORBIDDEN);
    }
    audit::chain(&test.app.pool).await.expect("chained");
    // Nor does the program, nor whoever else has a connection, change what is written.
    for statement in [
        "update audit_log set detail = '{}'",
        "delete from audit_log",
        "truncate audit_log",
        "update audit_chain set hash = previous",
        "delete from audit_chain",
        "truncate audit_chain",
    ] {
        let error = sqlx::query(statement).execute(&test.app.pool).await.expect_err(statement);
        assert!(error.to_string().contains("only added to"), "{error}");
    }
    assert_eq!(verdict(&test.app, None).await.flaws, []);
}

#[tokio::test]
async fn what_is_rolled_back_is_not_written() {
    let test = TestApp::empty().await;
    let mut tx = test.app.pool.begin().await.expect("a transaction");
    audit::record(&mut tx, None, "refund.booked", ("refund", 1), json!({})).await.expect("written");
    tx.rollback().await.expect("taken back");
    assert_eq!(count(&test.app, "select count(*) from audit_log").await, 0);
    assert_eq!(audit::chain(&test.app.pool).await.expect("chained"), 0);
    assert_eq!(verdict(&test.app, None).await.waiting, 0);
}

#[tokio::test]
async fn changes_of_money_and_permissions_say_who_made_them() {
    let (test, world) = TestApp::new().await;
    let mut operator = test.operator().await;
    let by = Some(world.people["operator"]);
    let mill = format!("/operator/vendors/{}", world.vendors["mill"].id);
    operator.post_form(&mill, &[("decision", "suspend"), ("reason", "Parcels do not arrive.")]).await;
    operator.post_form(&mill, &[("decision", "suspend"), ("reason", "A second click.")]).await;
    operator.post_form(&mill, &[("decision", "reinstate")]).await;
    let job: i64 = sqlx::query_scalar(
        "insert into jobs (kind, payload, state, attempts, finished_at) values ('send_mail', '{}', 'failed', 12, now()) returning id",
    )
    .fetch_one(&test.app.pool)
    .await
    .expect("a job");
    sqlx::query("insert into webhook_events (id, kind, payload, state) values ('evt_1', 'charge.refunded', '{}', 'failed')")
        .execute(&test.app.pool)
        .await
        .expect("an event");
    operator.post_form(&format!("/operator/jobs/{job}/retry"), &[]).await;
    operator.post_form("/operator/webhooks/evt_1/replay", &[]).await;
    operator.post_form("/operator/webhooks/evt_none/replay", &[]).await;
    accounts::cli::set_operator(&test.app.pool, "ada@example.com", true).await.expect("appointed");
    accounts::cli::set_operator(&test.app.pool, "ada@example.com", false).await.expect("dismissed");
    accounts::cli::set_operator(&test.app.pool, "nobody@example.com", true).await.expect_err("nobody");
    accounts::cli::set_password(&test.app.pool, &test.app.passwords, "ada@example.com", "a new password").await.expect("set");
    let seller = Some(world.people["mill"]);
    let mut vendor = test.vendor("mill").await;
    let method: Uuid = sqlx::query_scalar("select id from shipping_methods where vendor_id = $1 and code = 'standard'")
        .bind(world.vendors["mill"].id)
        .fetch_one(&test.app.pool)
        .await
        .expect("a method");
    let path = format!("/vendor/shop/shipping/{method}");
    let form = |price| {
        [("action", "save"), ("name", "By post"), ("price", price), ("free_over", ""), ("min_days", "2"), ("max_days", "4")]
    };
    for price in ["4.50", "4.50", "no price"] {
        vendor.post_form(&path, &form(price)).await;
    }
    let written = actions(&test.app.pool).await;
    let expected = [
        ("vendor.suspended", by),
        ("vendor.reinstated", by),
        ("job.retried", by),
        ("webhook.replayed", by),
        ("operator.appointed", None),
        ("operator.dismissed", None),
        ("password.set", None),
        ("shipping.repriced", seller),
    ];
    assert_eq!(written.iter().map(|(a, by)| (a.as_str(), *by)).collect::<Vec<_>>(), expected);
    let secrets = count(&test.app, "select count(*) from audit_log where detail::text like '%a new password%'").await;
    assert_eq!(secrets, 0);

    // The operator finds them by who, by what and by whom.
    let rows = async |operator: &mut crate::support::Client, query: &str| {
        operator.get(&format!("/operator/audit{query}")).await.texts("tbody tr").len()
    };
    for (query, found) in [
        ("", 8),
        ("?action=vendor", 2),
        ("?action=vendor.suspended", 1),
        ("?action=vend", 0),
        ("?actor=operator%40example.com", 4),
        ("?actor=Mill%40example.com", 1),
        ("?find=webhook", 1),
        ("?find=evt_1", 1),
        (format!("?find={}", world.vendors["mill"].id).as_str(), 2),
    ] {
        assert_eq!(rows(&mut operator, query).await, found, "{query}");
    }
    for bad in ["?after=x", "?nonsense=1", "?find=%00"] {
        assert!(operator.get(&format!("/operator/audit{bad}")).await.status.is_client_error(), "{bad}");
    }
}

#[tokio::test]
async fn prices_and_tokens_leave_their_trace_too() {
    let (test, world) = TestApp::new().await;
    let mut mill = test.vendor("mill").await;
    let path = format!("/products/{}", world.vendors["mill"].products["mill-plain"]);
    let variants =
        |price| json!({ "variants": [{ "sku": "MILL-PLAIN", "price": { "amount": price, "currency": "GBP" }, "stock": 100 }] });
    for price in [1100, 1100] {
        let answer = patch(&mut mill, &path, &variants(price)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }
    let made = post(&mut mill, "/tokens", &json!({ "name": "A script", "scopes": ["read"] })).await.json();
    let id = made["id"].as_str().expect("an id");
    assert_eq!(delete(&mut test.customer("ada").await, &format!("/tokens/{id}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(delete(&mut mill, &format!("/tokens/{id}")).await.status, StatusCode::NO_CONTENT);
    let by = Some(world.people["mill"]);
    let written = actions(&test.app.pool).await;
    let written: Vec<_> = written.iter().map(|(a, by)| (a.as_str(), *by)).collect();
    assert_eq!(written, [("product.repriced", by), ("token.made", by), ("token.revoked", by)]);
    let token = made["token"].as_str().expect("a token");
    let detail: serde_json::Value = sqlx::query_scalar("select jsonb_agg(detail order by id) from audit_log")
        .fetch_one(&test.app.pool)
        .await
        .expect("details");
    assert_eq!((&detail[0]["was"], &detail[0]["now"]), (&json!(1000), &json!(1100)));
    assert!(!detail.to_string().contains(token));
}

#[tokio::test]
async fn a_purchase_that_is_called_off_is_told_in_order() {
    let (test, _) = TestApp::with_services().await;
    let paid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("stock");
    let page = payments::open(&test.app, paid.id).await.expect("a page");
    test.services().pay(&page, Card::Good).await;
    payments::settle_order(&test.app, paid.id).await.expect("settled");
    test.guest().post_form(&paid.path("/cancel"), &[("token", &paid.token)]).await;
    while souk::server::jobs::drain(&test.app).await.expect("jobs run") > 0 {}
    let written: Vec<_> = actions(&test.app.pool).await.into_iter().map(|(action, _)| action).collect();
    assert_eq!(&written[..3], ["payment.settled", "refund.booked", "order.cancelled"]);
    assert_eq!(written.iter().filter(|a| *a == "document.issued").count(), 2);
    // The sweeper gives each its place.
    souk::server::jobs::sweep(&test.app).await;
    let whole = verdict(&test.app, None).await;
    assert_eq!((whole.chained, whole.waiting), (count(&test.app, "select count(*) from audit_log").await, 0));
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_long_log_is_walked_without_gap_or_repeat() {
    let (test, _) = TestApp::new().await;
    sqlx::query("insert into audit_log (action, subject_kind, subject_id) select 'refund.booked', 'refund', n::text from generate_series(1, 120) n")
        .execute(&test.app.pool)
        .await
        .expect("entries");
    let mut operator = test.operator().await;
    let (mut seen, mut next) = (Vec::new(), Some("/operator/audit?action=refund".to_owned()));
    while let Some(path) = next {
        let page = operator.get(&path).await;
        seen.extend(page.texts("tbody tr td:nth-child(5)"));
        next = page.attribute("a[rel=next]", "href");
    }
    let expected: Vec<_> = (1..=120).rev().map(|n| format!("refund {n}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_hand_in_the_database_is_seen_and_named() {
    let test = TestApp::empty().await;
    let (app, pool) = (&test.app, &test.app.pool);
    for n in 1..=6 {
        record(pool, n).await;
    }
    assert_eq!(audit::chain(pool).await.expect("chained"), 6);
    record(pool, 7).await;
    let whole = verdict(app, None).await;
    assert_eq!((whole.flaws.as_slice(), whole.chained, whole.waiting), ([].as_slice(), 6, 1));

    tamper(pool, "update audit_log set detail = '{\"amount\": 1000}' where id = 2").await;
    assert_eq!(verdict(app, None).await.flaws, [Flaw::Changed { entry: 2 }]);
    let findings = souk::prove::verify(pool).await.expect("the laws");
    let broken: Vec<_> = findings.iter().filter(|f| f.violations > 0).map(|f| f.law).collect();
    assert_eq!(broken, ["Audit: every entry of the log stands as it was written"]);
    tamper(pool, "update audit_log set detail = '{\"amount\": 2}' where id = 2").await;
    assert_eq!(verdict(app, None).await.flaws, [], "put back as it was");

    tamper(pool, "delete from audit_log where id in (3, 7)").await;
    assert_eq!(verdict(app, None).await.flaws, [Flaw::Missing { entry: 3 }, Flaw::Missing { entry: 7 }]);
    tamper(pool, "insert into audit_log (action, subject_kind, subject_id) values ('refund.booked', 'refund', 'forged')").await;
    let flaws = verdict(app, None).await.flaws;
    assert_eq!(flaws, [Flaw::Missing { entry: 3 }, Flaw::Inserted { entry: 8 }, Flaw::Missing { entry: 7 }]);

    // What stays of the chain goes on, and what was slipped in does not get a place in it.
    record(pool, 9).await;
    audit::chain(pool).await.expect("chained");
    assert_eq!(verdict(app, None).await.flaws, flaws);
    tamper(pool, "delete from audit_chain where position = 5").await;
    assert!(verdict(app, None).await.flaws.contains(&Flaw::Gap { before: 6 }));
    tamper(pool, "update audit_chain set hash = sha256(hash) where position = 4").await;
    let flaws = verdict(app, None).await.flaws;
    assert!(flaws.contains(&Flaw::Changed { entry: 4 }), "{flaws:?}");
    assert_eq!(Flaw::Changed { entry: 4 }.to_string(), "entry 4 was changed after it was written");
}

#[tokio::test]
async fn a_log_that_was_cut_lacks_the_hash_that_was_noted() {
    let test = TestApp::empty().await;
    let (app, pool) = (&test.app, &test.app.pool);
    for n in 1..=3 {
        record(pool, n).await;
    }
    audit::chain(pool).await.expect("chained");
    let noted = verdict(app, None).await.head;
    for n in 4..=5 {
        record(pool, n).await;
    }
    audit::chain(pool).await.expect("chained");
    assert!(verdict(app, Some(&noted)).await.known_head, "the log went on from it");
    // Cleanly taken out at the end, in both tables: only who wrote down the head can tell.
    tamper(pool, "delete from audit_log where id >= 3").await;
    tamper(pool, "delete from audit_chain where position >= 3").await;
    let cut = verdict(app, Some(&noted)).await;
    assert_eq!((cut.flaws.as_slice(), cut.known_head), ([].as_slice(), false));
    audit::cli::run(pool, Some(&noted)).await.expect_err("cut");
    audit::cli::run(pool, None).await.expect("whole in itself");
    audit::cli::run(pool, Some("no hash")).await.expect_err("no hash of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_keep_the_chain_whole() {
    let test = TestApp::empty().await;
    let pool = &test.app.pool;
    let writers = (0..20).map(|n| async move {
        for step in 0..5 {
            let mut tx = pool.begin().await.expect("a transaction");
            let subject = n * 5 + step;
            audit::record(&mut tx, Some(UserId::new()), "refund.booked", ("refund", subject), json!({ "n": subject }))
                .await
                .expect("written");
            tokio::time::sleep(std::time::Duration::from_millis((n * 7 % 11) as u64)).await;
            // Every fifth comes to nothing.
            if step == 4 { tx.rollback().await.expect("taken back") } else { tx.commit().await.expect("committed") }
        }
    });
    let chainers = (0..3).map(|_| async move {
        for _ in 0..15 {
            audit::chain(pool).await.expect("chained");
            tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        }
    });
    tokio::join!(futures::future::join_all(writers), futures::future::join_all(chainers));
    audit::chain(pool).await.expect("chained");
    let whole = verdict(&test.app, None).await;
    assert_eq!((whole.flaws.as_slice(), whole.chained, whole.waiting), ([].as_slice(), 80, 0));
    assert_eq!(count(&test.app, "select max(position) from audit_chain").await, 80);
}
