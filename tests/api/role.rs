//! The program as a PostgreSQL role that is no superuser, as it should run in production: it migrates, sells and keeps its books, and
//! what is only added to it cannot change.

use crate::support::{
    TestApp, TestDatabase,
    purchase::{arrived, assert_laws_hold, count, deliver_all, onboard, paid},
};
use http::StatusCode;
use souk::{
    audit,
    ledger::{self, model::Account},
    money::Currency,
    payouts,
    server::jobs,
};
use time::{Duration, OffsetDateTime};

#[tokio::test]
async fn a_plain_role_migrates_sells_and_cannot_change_what_is_booked() {
    let (test, world) = TestApp::with_services_in(TestDatabase::of_a_plain_role().await).await;
    assert_eq!(count(&test.app, "select count(*) from pg_roles where rolname = current_user and not rolsuper").await, 1);
    assert_eq!(count(&test.app, "select count(*) from pg_database where datdba <> (select oid from pg_roles where rolname = current_user) and datname = current_database()").await, 0);

    // A sale goes all the way: paid, booked, released, transferred, paid out; money back; a bank asks.
    onboard(&test, "mill").await;
    let order = paid(&test, Some(world.people["ada"]), &[("MILL-PLAIN", 3), ("KILN-PLAIN", 2)]).await;
    deliver_all(&test).await;
    let mill = world.vendors["mill"].id.into();
    let balance = async |account| ledger::balance(&test.app.pool, account, Currency::GBP).await.expect("a balance");
    assert_eq!(balance(Account::VendorPending(mill)).await, -3395);
    assert!(count(&test.app, "select count(*) from documents").await > 0, "its invoices are issued");
    arrived(&test, &order, "mill").await;
    deliver_all(&test).await;
    assert_eq!(balance(Account::Connected(mill)).await, 3395);
    let sandbox = &test.services().stripe.sandbox;
    let intent: String =
        sqlx::query_scalar("select stripe_intent_id from payments").fetch_one(&test.app.pool).await.expect("one");
    sandbox.refund_from_dashboard(&intent, Some(500)).await.expect("a refund");
    deliver_all(&test).await;
    sandbox.dispute(&intent, Some(600), None).await.expect("a dispute");
    deliver_all(&test).await;
    let later = OffsetDateTime::now_utc() + Duration::days(60);
    assert_eq!(payouts::run_everybody(&test.app, None, later).await.expect("a run"), 1);
    deliver_all(&test).await;
    jobs::sweep(&test.app).await;
    assert!(audit::verify(&mut test.app.pool.acquire().await.expect("a connection"), None).await.expect("a verdict").chained > 5);
    assert_eq!(
        count(&test.app, "select count(*) from ledger_snapshots").await,
        count(&test.app, "select count(*) from ledger_accounts").await
    );
    let page = test.operator().await.get("/operator/ledger").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("Payment: sale"), "{}", page.text());
    assert_laws_hold(&test.app).await;

    // 42501: the role has not the right to.
    for statement in [
        "update ledger_entries set amount_minor = amount_minor + 1",
        "delete from ledger_entries",
        "truncate ledger_entries",
        "update ledger_transactions set memo = 'Another'",
        "delete from ledger_transactions",
        "update ledger_accounts set currency = 'EUR'",
        "delete from ledger_accounts",
        "update documents set number = 'INV-1'",
        "delete from documents",
        "update audit_log set detail = '{}'",
        "delete from audit_log",
        "update audit_chain set hash = previous",
        "delete from audit_chain",
    ] {
        let error = sqlx::query(statement).execute(&test.app.pool).await.expect_err(statement);
        let code = error.as_database_error().and_then(|e| e.code()).map(|c| c.into_owned());
        assert_eq!(code.as_deref(), Some("42501"), "{statement}: {error}");
    }
    // Where it needs a right, for the locks of foreign keys or to draw a paper once, the trigger refuses.
    for statement in [
        "update ledger_transactions set id = gen_random_uuid()",
        "update ledger_accounts set id = default",
        "update documents set pdf = null, sha256 = null",
    ] {
        let error = sqlx::query(statement).execute(&test.app.pool).await.expect_err(statement);
        assert!(error.to_string().contains("only added to"), "{statement}: {error}");
    }
    assert_laws_hold(&test.app).await;
}
