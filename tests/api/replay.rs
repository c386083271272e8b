//! Real invoices bought over REST: stopped and gone on with, and compared so that a difference is found.

use crate::support::{TestApp, purchase::assert_laws_hold};
use souk::{
    replay::cli::{self, Replay},
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
    Replay { file, limit: Some(limit), concurrency: 4 }
}

async fn run(app: &App, limit: usize) -> Result<(), String> {
    cli::run(app, &what(limit)).await.map_err(|error| format!("{error:#}"))
}

async fn count(pool: &PgPool, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(pool).await.expect(statement)
}

const PLACED: &str = "select count(*) from orders where status = 'placed' and email like 'invoice-%'";

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

    // Done again it buys nothing.
    run(app, INVOICES).await.expect("nothing is left to buy");
    assert_eq!(count(pool, PLACED).await, after);

    while souk::server::jobs::drain(app).await.expect("jobs run") > 0 {}
    assert_laws_hold(app).await;

    // A refund made behind our back is a difference, to the penny.
    let intent: String = sqlx::query_scalar("select stripe_intent_id from payments where state = 'paid' order by id limit 1")
        .fetch_one(pool)
        .await
        .expect("a payment");
    test.services().stripe.sandbox.refund_from_dashboard(&intent, Some(1)).await.expect("a refund");
    let wrong = run(app, INVOICES).await.expect_err("a penny is missing");
    assert!(wrong.ends_with("the books: 1"), "{wrong}");
}
