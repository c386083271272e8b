//! The proofs of `souk prove`, at a small size, and that they can fail.

use crate::support::TestApp;
use souk::{
    demo::Dice,
    prove::{
        Finding,
        crash::{self, Crash},
        money::{
            self, Broken, Heard, Market, Money, Walk,
            buy::{Basket, Pays},
            steps::Step,
        },
        oversell::{self, Oversell},
        stand::Stand,
    },
};

fn broken(findings: Vec<Finding>) -> Vec<Finding> {
    findings.into_iter().filter(|f| f.violations > 0).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_people_who_want_four_things_over_http_buy_four() {
    let (test, _) = TestApp::with_services().await;
    let (paid, findings) = oversell::prove(&test.app, Oversell { buyers: 40, stock: 4 }).await.expect("a proof");
    assert_eq!((paid, broken(findings)), (4, vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_is_killed_while_people_buy_loses_and_doubles_nothing() {
    let (test, _) = TestApp::with_services().await;
    let what = Crash { checkouts: 30, kills: 4, program: env!("CARGO_BIN_EXE_souk").into() };
    let (done, findings) = crash::prove(&test.app, &what).await.expect("a proof");
    assert_eq!(broken(findings), vec![]);
    assert_eq!(done.paid + done.sold_out + done.turned_back, 30);
    assert!(done.kills == 4 && done.paid > 10, "{done:?}");
}

/// About three minutes of two cores; `souk prove money` has no limit.
const HISTORIES: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_every_history_the_books_the_facts_and_stripe_agree() {
    let (test, _) = TestApp::with_services().await;
    let (done, broken) = money::prove(&test.app, Money { histories: HISTORIES, seed: 1 }).await.expect("a proof");
    money::verdict(&broken).expect("nothing is broken");
    assert_eq!(done.histories, HISTORIES);
    // What is proved did happen.
    let happened =
        [done.refunds, done.refunds_failed, done.disputes, done.transfers, done.reversals, done.payouts, done.payouts_failed];
    assert!(happened.iter().all(|n| *n > 0) && done.orders > HISTORIES as i64, "{done:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_law_of_money_that_is_broken_is_found_and_told_with_its_history() {
    let (test, _) = TestApp::with_services().await;
    let stand = Stand::silent(&test.app.pool, &test.app.config).await.expect("a stand");
    let market = Market::open(&stand).await.expect("a market");
    let pool = &stand.pool;
    let basket = Basket { goods: vec![(0, 2), (4, 1)], coupon: Some(2), sent: true, pays: Pays::Unseen };
    let steps = [Step::Buy(basket), Step::Hear { percent: 100 }, Step::Work, Step::Ship { parcel: 0, whole: true }];
    let mut heard = Heard::default();
    let mut walk = Walk::new(&mut heard, Dice::new(1, "a test"), "somebody".into());
    walk.walk(&market, &steps).await.expect("a walk");
    assert_eq!((walk.done, walk.told.len()), (4, 4), "{:?}", walk.told);
    assert_eq!(broken(money::check(pool).await.expect("checked")), vec![]);

    for (statement, law) in [
        // an entry of the books, behind the back of what protects them
        (
            "update ledger_entries set amount_minor = amount_minor + $1 where id = (select max(id) from ledger_entries)",
            "Money: every transaction of the books sums to zero",
        ),
        (
            "update stripe_sandbox.objects set doc = jsonb_set(doc, '{net}', to_jsonb((doc->>'net')::bigint + $1))
             where seq = (select max(seq) from stripe_sandbox.objects where kind = 'balance_transaction' and owner = '')",
            "Stripe: our balance there is Cash in the books, less what refunds are waiting for at banks",
        ),
        (
            "update vendor_orders set fee_minor = fee_minor + $1 where id = (select min(id::text)::uuid from vendor_orders)",
            "Money: what a vendor is owed is what was sold, less what went back, what banks hold and what was paid out",
        ),
        (
            "update orders set payment_status = case $1 when 1 then 'refunded' else 'paid' end where number = (select max(number) from orders)",
            "Statuses: an order says of its payment what payments, refunds and banks say",
        ),
        (
            "update ledger_snapshots set balance_minor = balance_minor + $1 where account_id = (select min(account_id) from ledger_snapshots)",
            "Snapshots: what was written down and what came since is what all entries sum to",
        ),
    ] {
        for wrong in [1i64, -1] {
            let mut tx = pool.begin().await.expect("a transaction");
            sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.expect("unprotected");
            sqlx::query(statement).bind(wrong).execute(&mut *tx).await.expect(statement);
            tx.commit().await.expect("changed");
            let found = money::check(pool).await.expect("checked");
            let found: Vec<_> = broken(found).into_iter().map(|f| f.law).collect();
            // and back again
            if wrong == 1 { assert!(found.contains(&law), "{law}: {found:?}") } else { assert_eq!(found, Vec::<&str>::new()) }
        }
    }
    stand.clear().await.expect("cleared");
    let told = Broken { seed: 7, number: 3, steps: vec!["Work: done".into()], what: vec!["A law (1)".into()] };
    let error = money::verdict(&[told]).expect_err("it fails").to_string();
    assert_eq!(error, "histories that broke something: 1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_cost_nothing_and_is_called_off_leaves_nothing_with_its_vendors() {
    let (test, _) = TestApp::with_services().await;
    let stand = Stand::silent(&test.app.pool, &test.app.config).await.expect("a stand");
    let market = Market::open(&stand).await.expect("a market");
    let free = market.coupons.iter().position(|code| code.as_str() == "NOTHING-LEFT");
    assert!(free.is_some());
    let basket = Basket { goods: vec![(0, 2), (4, 1)], coupon: free, sent: false, pays: Pays::InTime };
    let mut heard = Heard::default();
    let mut walk = Walk::new(&mut heard, Dice::new(1, "a test"), "somebody".into());
    walk.walk(&market, &[Step::Buy(basket), Step::Cancel { order: 0 }, Step::Cancel { order: 0 }]).await.expect("a walk");
    assert_eq!(walk.done, 3, "{:?}", walk.told);
    assert_eq!(broken(money::check(&stand.pool).await.expect("checked")), vec![]);
    assert_eq!(money::at_the_end(&market, &mut heard).await.expect("compared"), Vec::<String>::new());
    let moved = "select count(*) from ledger_transactions where step = 'called_off'";
    assert_eq!(sqlx::query_scalar::<_, i64>(moved).fetch_one(&stand.pool).await.expect("a number"), 1);
    stand.clear().await.expect("cleared");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_calls_an_order_off_and_asks_the_bank_gets_the_money_back_when_the_bank_says_no() {
    let (test, _) = TestApp::with_services().await;
    let stand = Stand::silent(&test.app.pool, &test.app.config).await.expect("a stand");
    let market = Market::open(&stand).await.expect("a market");
    let basket = Basket { goods: vec![(1, 2), (4, 1)], coupon: None, sent: true, pays: Pays::InTime };
    // The refund that calling off booked gives way to the bank, which is asked before Stripe is.
    let steps = [
        Step::Buy(basket),
        Step::Cancel { order: 0 },
        Step::Dispute { order: 0, percent: 40 },
        Step::Hear { percent: 100 },
        Step::Work,
        Step::Decide { dispute: 0, won: true },
    ];
    let mut heard = Heard::default();
    let mut walk = Walk::new(&mut heard, Dice::new(1, "a test"), "somebody".into());
    walk.walk(&market, &steps).await.expect("a walk");
    assert_eq!(walk.done, steps.len(), "{:?}", walk.told);
    assert_eq!(broken(money::check(&stand.pool).await.expect("checked")), vec![]);
    assert_eq!(money::at_the_end(&market, &mut heard).await.expect("compared"), Vec::<String>::new());
    let status = "select payment_status from orders order by number desc limit 1";
    assert_eq!(sqlx::query_scalar::<_, String>(status).fetch_one(&stand.pool).await.expect("a status"), "refunded");
    stand.clear().await.expect("cleared");
}
