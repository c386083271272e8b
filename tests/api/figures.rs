//! A vendor's figures: counted with the facts, added up without changing, read in few questions, and nobody else's.

use crate::support::{
    Client, TestApp, asked,
    purchase::{assert_laws_hold, count, order, paid, parcel_of, pay},
};
use axum::body::Body;
use http::{Method, StatusCode, header};
use souk::{figures, server::jobs};
use sqlx::Row;

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/// A vendor's figures of all days: orders, pieces, revenue, refunds, returns, views.
async fn figures_of(test: &TestApp, slug: &str) -> [i64; 6] {
    let row = sqlx::query(
        "select coalesce(sum(orders), 0)::bigint, coalesce(sum(pieces), 0)::bigint, coalesce(sum(revenue_minor), 0)::bigint,
                coalesce(sum(refunds_minor), 0)::bigint, coalesce(sum(returns), 0)::bigint, coalesce(sum(views), 0)::bigint
         from vendor_day_figures where vendor_id = (select id from vendors where slug = $1)",
    )
    .bind(slug)
    .fetch_one(&test.app.pool)
    .await
    .expect("figures");
    std::array::from_fn(|n| row.get(n))
}

async fn fold(test: &TestApp) {
    figures::sweep(&test.app).await.expect("added up");
    assert_eq!(count(&test.app, "select count(*) from figure_changes").await, 0);
}

async fn look(client: &mut Client, path: &str, name: &str) -> StatusCode {
    let request = client.request(Method::GET, path).header(header::USER_AGENT, name);
    client.send(request.body(Body::empty()).expect("a request")).await.status
}

#[tokio::test]
async fn what_is_sold_and_given_back_is_counted_and_adding_up_changes_nothing() {
    let (test, _) = TestApp::with_services().await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 2), ("KILN-PLAIN", 1)]).await.expect("an order");
    assert_eq!(figures_of(&test, "mill").await, [0; 6], "what nobody paid is no sale");
    pay(&test, &unpaid).await;
    let (parcel, lines) = parcel_of(&test, &unpaid, "mill").await;
    let total = sqlx::query_scalar::<_, i64>("select total_minor from vendor_orders where id = $1")
        .bind(parcel)
        .fetch_one(&test.app.pool)
        .await
        .expect("a total");
    assert_eq!(figures_of(&test, "mill").await, [1, 2, total, 0, 0, 0]);
    fold(&test).await;
    assert_eq!(figures_of(&test, "mill").await, [1, 2, total, 0, 0, 0]);

    // Of two pieces one goes back, and comes back from the bank: it counts no more.
    let mut mill = test.vendor("mill").await;
    let back = [(format!("back[{}]", lines[0]), "1".to_owned()), (format!("reason[{parcel}]"), "Broken".to_owned())];
    let back: Vec<(&str, &str)> = back.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = mill.post_form(&format!("/vendor/orders/{parcel}/refunds"), &back).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let piece = (total - 395) / 2;
    assert_eq!(figures_of(&test, "mill").await, [1, 2, total, piece, 0, 0]);
    fold(&test).await;
    assert_laws_hold(&test.app).await;
    sqlx::query("update refunds set state = 'failed'").execute(&test.app.pool).await.expect("a bank says no");
    assert_eq!(figures_of(&test, "mill").await, [1, 2, total, 0, 0, 0]);
    fold(&test).await;
    assert_eq!(figures_of(&test, "mill").await, [1, 2, total, 0, 0, 0]);

    // By product too, and of each vendor its own.
    let of_products =
        "select sum(pieces)::bigint from product_days d join products p on p.id = d.product_id where p.slug = 'mill-plain'";
    assert_eq!(count(&test.app, of_products).await, 2);
    assert_eq!(figures_of(&test, "kiln").await[..2], [1, 1]);

    // An order that turns out to be of another day takes its figures along.
    sqlx::query("update orders set placed_at = placed_at - interval '3 days'").execute(&test.app.pool).await.expect("earlier");
    fold(&test).await;
    let on_that_day = "select count(*) from vendor_days where orders = 1 and day = (now() at time zone 'UTC')::date - 3";
    assert_eq!(count(&test.app, on_that_day).await, 2);
    assert_eq!(figures_of(&test, "mill").await[..3], [1, 2, total]);
    let laws = souk::prove::verify(&test.app.pool).await.expect("laws");
    assert!(laws.iter().filter(|f| f.law.starts_with("Figures:")).all(|f| f.violations == 0));

    // The law sees what is not so.
    sqlx::query("update vendor_days set pieces = pieces + 1 where orders = 1").execute(&test.app.pool).await.expect("a lie");
    let laws = souk::prove::verify(&test.app.pool).await.expect("laws");
    assert_eq!(laws.iter().filter(|f| f.law.starts_with("Figures: a vendor")).map(|f| f.violations).sum::<i64>(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sales_and_adding_up_at_once_lose_nothing() {
    let (test, _) = TestApp::with_services().await;
    sqlx::query("update stock set on_hand = 100").execute(&test.app.pool).await.expect("full shelves");
    let sales = async {
        for _ in 0..8 {
            paid(&test, None, &[("MILL-PLAIN", 1)]).await;
        }
    };
    let adding = || async {
        for _ in 0..60 {
            figures::sweep(&test.app).await.expect("added up");
        }
    };
    tokio::join!(sales, adding(), adding());
    assert_eq!(figures_of(&test, "mill").await[..2], [8, 8]);
    fold(&test).await;
    assert_eq!(figures_of(&test, "mill").await[..2], [8, 8]);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_page_that_is_looked_at_is_counted_from_memory_too() {
    let (test, _) = TestApp::new().await;
    let stop = tokio_util::sync::CancellationToken::new();
    let listening = tokio::spawn(souk::server::cache::listen(test.app.clone(), stop.clone()));
    for _ in 0..500 {
        if test.app.pages.listening() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let mut guest = test.guest();
    for _ in 0..3 {
        assert_eq!(look(&mut guest, "/products/mill-plain", BROWSER).await, StatusCode::OK);
    }
    // Programs, other pages, goods that are not there; and somebody signed in, for whom the page is drawn.
    assert_eq!(look(&mut guest, "/products/mill-plain", "Googlebot/2.1").await, StatusCode::OK);
    assert_eq!(look(&mut guest, "/vendors/mill", BROWSER).await, StatusCode::OK);
    assert_eq!(look(&mut guest, "/products/nothing-like-it", BROWSER).await, StatusCode::NOT_FOUND);
    assert_eq!(look(&mut test.customer("ada").await, "/products/mill-plain", BROWSER).await, StatusCode::OK);
    figures::sweep(&test.app).await.expect("written");
    assert_eq!(figures_of(&test, "mill").await, [0, 0, 0, 0, 0, 4]);
    assert_eq!(count(&test.app, "select views from product_days").await, 4);
    // Counting goes on where it was.
    look(&mut guest, "/products/mill-plain", BROWSER).await;
    figures::sweep(&test.app).await.expect("written");
    assert_eq!(figures_of(&test, "mill").await[5], 5);
    stop.cancel();
    listening.await.expect("it ends");
}

#[tokio::test]
async fn the_dashboard_opens_in_three_questions_and_compares() {
    let (test, _) = TestApp::with_services().await;
    sqlx::query("update stock set on_hand = 100").execute(&test.app.pool).await.expect("full shelves");
    for _ in 0..2 {
        paid(&test, None, &[("MILL-PLAIN", 3)]).await;
    }
    let earlier = paid(&test, None, &[("MILL-PLAIN", 1)]).await;
    sqlx::query("update orders set placed_at = now() - interval '40 days' where id = $1")
        .bind(earlier.id.uuid())
        .execute(&test.app.pool)
        .await
        .expect("earlier");
    while jobs::drain(&test.app).await.expect("jobs") > 0 {}
    let mut mill = test.vendor("mill").await;
    let (page, mut statements) = asked(mill.get("/vendor")).await;
    // A session also notes when it was seen.
    statements.retain(|statement| !statement.starts_with("update sessions"));
    assert_eq!(page.status, StatusCode::OK);
    assert!(statements.len() <= 3, "{statements:#?}");
    let text = page.text();
    for said in [
        "To ship: 3",
        "1 of them for more than 48 hours",
        "100 % more than in the 30 days before",
        "Best sellers of 30 days",
        "Today 6",
    ] {
        assert!(text.contains(said), "{said} is missing in {text}");
    }
    let year = mill.get("/vendor?days=365").await.text();
    assert!(year.contains("0 in the 365 days before"), "{year}");
    assert_eq!(mill.get("/vendor?days=31").await.status, StatusCode::BAD_REQUEST);
    assert!(!test.vendor("kiln").await.get("/vendor").await.text().contains("Best sellers"), "another's sales are not seen");
}
