//! Real invoices bought over REST, and what was cancelled of them given back: stopped and gone on with, and compared so that a difference
//! is found. And a whole file to its end, when the vendors have their money.

use crate::support::{TestApp, purchase::assert_laws_hold};
use souk::{
    replay::{
        self, Unmatched,
        cli::{self, Replay},
    },
    server::state::App,
};
use sqlx::PgPool;
use std::path::{Path, PathBuf};

/// How many invoices of the real file are bought; our own small file has fewer.
const INVOICES: usize = 300;

fn what(limit: usize) -> Replay {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let real = project.join("../shared/data/online-retail.csv.gz");
    let file: PathBuf = if real.exists() { real } else { project.join("tests/data/retail.csv") };
    Replay { file, limit: Some(limit), concurrency: 4, pay_out: false }
}

async fn run(app: &App, limit: usize) -> Result<(), String> {
    cli::run(app, &what(limit)).await.map_err(|error| format!("{error:#}"))
}

async fn count(pool: &PgPool, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(pool).await.expect(statement)
}

const PLACED: &str = "select count(*) from orders where status = 'placed' and email like 'invoice-%'";

const GIVEN_BACK: &str =
    "select count(*) from refunds where state = 'succeeded' and reason = 'vendor' and note like 'Cancelled by invoice C%'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_invoices_are_bought_over_rest_and_a_difference_is_found() {
    let (test, _) = TestApp::with_services().await;
    let (app, pool) = (&test.app, &test.app.pool);

    // Stopped in the middle of a purchase, and gone on with.
    {
        let stopped = run(app, INVOICES);
        let stop = async {
            while count(pool, PLACED).await < 20 {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            done = stopped => panic!("it was not stopped: {done:?}"),
            () = stop => {}
        }
    }
    let before = count(pool, PLACED).await;
    run(app, INVOICES).await.expect("it goes on");
    let after = count(pool, PLACED).await;
    assert!(before < after && after <= INVOICES as i64, "{before} before, {after} after");
    assert_eq!(
        count(pool, "select count(distinct email) from orders where status = 'placed' and email like 'invoice-%'").await,
        after
    );

    let wanted = what(INVOICES);
    let retail = replay::read(&wanted.file).expect("the invoices");
    let cancelled = retail.cancellations.iter().filter(|c| c.purchase < INVOICES).count() as i64;
    assert!(cancelled > 3 && count(pool, GIVEN_BACK).await == cancelled, "{cancelled}");

    // Done again it buys nothing, and gives nothing back.
    run(app, INVOICES).await.expect("nothing is left to buy");
    assert_eq!((count(pool, PLACED).await, count(pool, GIVEN_BACK).await), (after, cancelled));

    while souk::server::jobs::drain(app).await.expect("jobs run") > 0 {}
    assert_laws_hold(app).await;

    // A refund made behind our back is a difference, to the penny.
    let intent: String = sqlx::query_scalar(
        "select stripe_intent_id from payments p join orders o on o.id = p.order_id where o.payment_status = 'paid' order by p.id limit 1",
    )
    .fetch_one(pool)
    .await
    .expect("a payment");
    test.services().stripe.sandbox.refund_from_dashboard(&intent, Some(1)).await.expect("a refund");
    let wrong = run(app, INVOICES).await.expect_err("a penny is missing");
    assert!(wrong.ends_with("the books: 1"), "{wrong}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_bought_cancelled_and_paid_out_and_everything_agrees() {
    let (test, _) = TestApp::with_services().await;
    let (app, pool) = (&test.app, &test.app.pool);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/retail.csv");
    let retail = replay::read(&file).expect("the invoices");
    let back: i64 = retail.cancellations.iter().map(|c| retail.given_back(c)).sum();
    assert_eq!(back, 210 + 495 + 4 * 42 + 165 + 12 * 125 + 12 * 495 + 2 * 795 + 495 + 3 * 125);
    let unmatched = [(Unmatched::NoArticle, 1), (Unmatched::NoCustomer, 5), (Unmatched::NoPurchase, 1)];
    assert_eq!(retail.unmatched, unmatched.into());

    let what = Replay { file, limit: None, concurrency: 4, pay_out: true };
    for _ in 0..2 {
        cli::run(app, &what).await.expect("every penny is where the file says");
    }
    let given: i64 = sqlx::query_scalar("select sum(amount_minor)::bigint from refunds where state = 'succeeded'")
        .fetch_one(pool)
        .await
        .expect("the refunds");
    assert_eq!(given, back);
    assert_eq!(count(pool, "select count(*) from payouts where state <> 'paid'").await, 0);
    let stalls = "select count(distinct vendor_id) from payouts where state = 'paid'";
    assert_eq!(count(pool, stalls).await, count(pool, "select count(distinct vendor_id) from vendor_orders").await);
    assert_eq!(
        count(pool, "select count(*) from vendor_orders v where released_at is null and fulfilment_status <> 'unfulfilled'")
            .await,
        0
    );
    assert_laws_hold(app).await;

    // A penny that a vendor's account at Stripe has too much is found.
    let account: String = sqlx::query_scalar("select stripe_account_id from vendor_accounts order by vendor_id limit 1")
        .fetch_one(pool)
        .await
        .expect("an account");
    sqlx::query(
        "update stripe_sandbox.objects set doc = jsonb_set(doc, '{net}', to_jsonb((doc->>'net')::bigint + 1))
         where seq = (select max(seq) from stripe_sandbox.objects where kind = 'balance_transaction' and owner = $1)",
    )
    .bind(account)
    .execute(pool)
    .await
    .expect("a penny");
    let wrong = cli::run(app, &what).await.map_err(|error| format!("{error:#}")).expect_err("a penny too much");
    assert!(wrong.ends_with("the books: 1"), "{wrong}");
}
