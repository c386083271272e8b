//! Many people at once: nothing is sold twice, nothing is paid twice, every hold is accounted for.

use crate::support::{
    Card, TestApp,
    purchase::{assert_laws_hold, count, order, standing, stock},
};
use futures::{StreamExt, stream};
use souk::{payments, server::jobs};

#[tokio::test]
async fn a_hundred_buyers_ten_units_ten_paid_orders() {
    let (test, _) = TestApp::with_services().await;
    let (app, services) = (&test.app, test.services());
    // MILL-SMALL has 10 units
    let outcomes: Vec<bool> = stream::iter(0..100)
        .map(|_| async move {
            let Some(unpaid) = order(app, None, &[("MILL-SMALL", 1)]).await else { return false };
            let page = payments::open(app, unpaid.id).await.expect("a page");
            services.pay(&page, Card::Good).await;
            payments::settle_order(app, unpaid.id).await.expect("settled");
            true
        })
        .buffer_unordered(20)
        .collect()
        .await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    jobs::drain(app).await.expect("the jobs run");
    assert_eq!(outcomes.iter().filter(|bought| **bought).count(), 10);
    assert_eq!(stock(app, "MILL-SMALL").await, (0, 0));
    for (sql, number) in [
        ("select count(*) from orders where status = 'placed' and payment_status = 'paid'", 10),
        ("select count(*) from orders where status <> 'placed'", 0),
        ("select count(*) from payments where state = 'paid'", 10),
        ("select count(*) from refunds", 0),
        ("select count(*) from stock_holds where state = 'taken'", 10),
        ("select count(*) from stock_holds where state <> 'taken'", 0),
        ("select count(*) from order_events where kind = 'paid'", 10),
    ] {
        assert_eq!(count(app, sql).await, number, "{sql}");
    }
    assert_laws_hold(app).await;
}

#[tokio::test]
async fn webhook_return_and_sweeper_at_once_settle_once() {
    let (test, _) = TestApp::with_services().await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1), ("KILN-PLAIN", 2)]).await.expect("stock");
    let page = payments::open(&test.app, unpaid.id).await.expect("a page");
    test.services().pay(&page, Card::Good).await;
    let session: String =
        sqlx::query_scalar("select stripe_session_id from payments").fetch_one(&test.app.pool).await.expect("a session");
    let by_return = futures::future::join_all((0..4).map(|_| payments::settle_order(&test.app, unpaid.id)));
    let by_webhook = futures::future::join_all((0..3).map(|_| payments::settle_session(&test.app, &session)));
    let (returned, hooked, swept) = tokio::join!(by_return, by_webhook, payments::sweep(&test.app));
    assert!(returned.iter().all(Result::is_ok) && hooked.iter().all(Result::is_ok) && swept.is_ok());
    assert_eq!(standing(&test.app, unpaid.id).await.0, "placed");
    assert_eq!(count(&test.app, "select count(*) from order_events where kind = 'paid'").await, 1);
    assert_eq!(count(&test.app, "select count(*) from outbox where subject like 'Order % is paid'").await, 1);
    assert_eq!(stock(&test.app, "KILN-PLAIN").await, (98, 0));
}

#[tokio::test]
async fn several_sweepers_expire_each_order_once() {
    let (test, _) = TestApp::with_services().await;
    for _ in 0..6 {
        order(&test.app, None, &[("MILL-SMALL", 1)]).await.expect("stock");
    }
    sqlx::query("update orders set hold_expires_at = now() - interval '1 second'").execute(&test.app.pool).await.expect("over");
    let swept = futures::future::join_all((0..4).map(|_| payments::sweep(&test.app))).await;
    assert!(swept.iter().all(Result::is_ok));
    assert_eq!(count(&test.app, "select count(*) from order_events where kind = 'expired'").await, 6);
    assert_eq!(stock(&test.app, "MILL-SMALL").await, (10, 0));
    assert_laws_hold(&test.app).await;
}
