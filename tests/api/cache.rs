//! Pages that are kept: that they are, that nobody gets another's, and that a change is seen.

use crate::support::{Answer, Client, TestApp, counted};
use axum::body::Body;
use http::{Method, StatusCode, header};
use souk::{
    catalog::{pages, rest},
    server::cache,
};
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};

const PRODUCT: &str = "/products/mill-choice";

/// A shop that keeps its pages, as long as the guard lives.
async fn shop() -> (TestApp, DropGuard) {
    let (test, _) = TestApp::new().await;
    let stop = CancellationToken::new();
    tokio::spawn(cache::listen(test.app.clone(), stop.clone()));
    heard(&test).await;
    (test, stop.drop_guard())
}

async fn heard(test: &TestApp) {
    for _ in 0..200 {
        if test.app.pages.listening() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody listens");
}

async fn get(client: &mut Client, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = client.request(Method::GET, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request.body(Body::empty()).expect("a request")).await
}

/// The same page again until it differs from `before`: at once on a quiet machine, and never long.
async fn changed(client: &mut Client, path: &str, before: &str) -> Answer {
    for _ in 0..500 {
        let answer = client.get(path).await;
        if answer.body != before {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{path} stays as it was");
}

#[tokio::test]
async fn a_page_that_is_kept_asks_the_database_nothing() {
    let (test, _stop) = shop().await;
    for route in pages::SHARED.into_iter().chain(rest::SHARED) {
        let path = match route {
            "/api/v1/products/{id}" => "/api/v1/products/mill-choice",
            "/api/v1/vendors/{slug}" => "/api/v1/vendors/mill",
            "/categories/{name}" => "/categories/kitchen",
            "/products/{name}" => PRODUCT,
            "/vendors/{name}" => "/vendors/mill",
            "/search" => "/search?q=bowl",
            other => other,
        };
        let (first, asked) = counted(test.guest().get(path)).await;
        assert_eq!(first.status, StatusCode::OK, "{path}");
        assert!(asked > 0, "{path} was drawn");
        let (second, asked) = counted(test.guest().get(path)).await;
        assert_eq!((asked, second.body == first.body), (0, true), "{path} is kept");
        assert_eq!(second.headers[header::CACHE_CONTROL], "public, no-cache", "{path}");
        assert!(second.headers.contains_key(header::CONTENT_SECURITY_POLICY), "{path}");

        let tag = second.headers[header::ETAG].to_str().expect("a tag");
        let known = get(&mut test.guest(), path, &[("if-none-match", tag)]).await;
        assert_eq!((known.status, known.body.as_str()), (StatusCode::NOT_MODIFIED, ""), "{path}");
        let other = get(&mut test.guest(), path, &[("if-none-match", "\"other\"")]).await;
        assert_eq!(other.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn each_encoding_is_kept_for_itself() {
    let (test, _stop) = shop().await;
    let mut guest = test.guest();
    let plain = guest.get(PRODUCT).await;
    let mut tags = vec![plain.headers[header::ETAG].clone()];
    for (accepted, encoding) in [("gzip, br", "br"), ("gzip", "gzip")] {
        for _ in 0..2 {
            let answer = get(&mut guest, PRODUCT, &[("accept-encoding", accepted)]).await;
            assert_eq!(answer.headers[header::CONTENT_ENCODING], encoding);
            assert_ne!(answer.body, plain.body);
            tags.push(answer.headers[header::ETAG].clone());
        }
    }
    assert_eq!(tags[1], tags[2]);
    tags.dedup();
    assert_eq!(tags.len(), 3, "a strong tag names bytes, so each encoding has its own");
}

#[tokio::test]
async fn nobody_gets_the_page_of_another() {
    let (test, _stop) = shop().await;
    let desk = r#"<a href="/vendor">"#;
    let mut vendor = test.vendor("mill").await;
    // The one with a session comes first, between, and last.
    let own = vendor.get("/products").await;
    assert!(own.body.contains(desk));
    assert!(!own.headers.get(header::CACHE_CONTROL).is_some_and(|v| v.as_bytes().starts_with(b"public")));
    let guest = test.guest().get("/products").await;
    assert!(!guest.body.contains(desk));
    assert!(vendor.get("/products").await.body.contains(desk));
    assert_eq!(test.guest().get("/products").await.body, guest.body);
    // A sentence left for one person is told to that person.
    let mut shopper = test.guest();
    shopper.get(PRODUCT).await;
    let variant: uuid::Uuid = sqlx::query_scalar("select id from variants where sku = 'MILL-PLAIN'")
        .fetch_one(&test.app.pool)
        .await
        .expect("a variant");
    let added = shopper.post_form("/cart/items", &[("variant_id", &variant.to_string()), ("quantity", "1")]).await;
    assert!(added.status.is_redirection(), "{added:?}");
    assert!(!test.guest().get("/products/mill-plain").await.body.contains("notice-good"));
}

#[tokio::test]
async fn a_refusal_or_a_redirect_is_not_kept() {
    let (test, _stop) = shop().await;
    for path in ["/products/nothing-of-that-name", "/categories/none", "/vendors/none"] {
        for _ in 0..2 {
            let (answer, asked) = counted(test.guest().get(path)).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND);
            assert!(asked > 0, "{path}");
            assert!(!answer.headers.contains_key(header::ETAG), "{path}");
        }
    }
}

#[tokio::test]
async fn whatever_a_page_shows_drops_it_when_it_changes() {
    let (test, _stop) = shop().await;
    let mut guest = test.guest();
    let few = "select id from variants where sku = 'MILL-PLAIN'";
    for (path, change, shows) in [
        (
            PRODUCT,
            "update variants set price_minor = 123456 where product_id = (select id from products where slug = 'mill-choice')",
            "1,234.56",
        ),
        ("/products", "update products set title = 'A wholly new title' where slug = 'mill-choice'", "A wholly new title"),
        (PRODUCT, "update products set description = 'Told anew.' where slug = 'mill-choice'", "Told anew."),
        ("/vendors/mill", "update vendors set description = 'Turned by water.' where slug = 'mill'", "Turned by water."),
        ("/vendors", "update vendors set tagline = 'Flour and more' where slug = 'mill'", "Flour and more"),
        ("/categories/kitchen", "update categories set name = 'The kitchen table' where slug = 'kitchen'", "The kitchen table"),
        (
            PRODUCT,
            "update shipping_methods set name = 'By barge' where vendor_id = (select id from vendors where slug = 'mill')",
            "By barge",
        ),
        ("/products/mill-plain", &format!("update stock set on_hand = held + 3 where variant_id = ({few})"), "3 left"),
        ("/products/mill-plain", &format!("update stock set on_hand = held where variant_id = ({few})"), "Sold out"),
        ("/search?q=wholly", "update products set status = 'archived' where slug = 'mill-choice'", "Nothing"),
    ] {
        let before = guest.get(path).await;
        assert_eq!(before.status, StatusCode::OK, "{path}");
        assert!(!before.body.contains(shows), "{path} shows {shows} already");
        sqlx::query(sqlx::AssertSqlSafe(change.to_owned())).execute(&test.app.pool).await.expect(change);
        let after = changed(&mut guest, path, &before.body).await;
        assert!(after.body.contains(shows), "{path} after: {change}");
    }
}

#[tokio::test]
async fn an_ordinary_sale_leaves_the_pages_alone() {
    let (test, _stop) = shop().await;
    sqlx::query("update stock set on_hand = 500 where variant_id = (select id from variants where sku = 'MILL-PLAIN')")
        .execute(&test.app.pool)
        .await
        .expect("stock");
    tokio::time::sleep(Duration::from_millis(300)).await;
    test.guest().get("/products").await;
    crate::support::purchase::order(&test.app, None, &[("MILL-PLAIN", 2)]).await.expect("an order");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (_, asked) = counted(test.guest().get("/products")).await;
    assert_eq!(asked, 0);
}

#[tokio::test]
async fn without_word_from_the_database_nothing_is_kept() {
    let (test, _stop) = shop().await;
    let mut guest = test.guest();
    let before = guest.get(PRODUCT).await;
    let ended = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid() and query ilike 'listen%'";
    let ended: i64 = sqlx::query_scalar(ended).fetch_one(&test.app.pool).await.expect("a connection ends");
    assert_eq!(ended, 1, "one connection listens");
    for _ in 0..100 {
        if !test.app.pages.listening() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(!test.app.pages.listening());
    // Nobody hears of this one; it is seen all the same, now and after.
    sqlx::query("update products set title = 'Changed in silence' where slug = 'mill-choice'")
        .execute(&test.app.pool)
        .await
        .expect("a change");
    let (now, asked) = counted(guest.get(PRODUCT)).await;
    assert!(asked > 0 && now.body != before.body && now.body.contains("Changed in silence"));
    heard(&test).await;
    assert!(guest.get(PRODUCT).await.body.contains("Changed in silence"));
    let (_, asked) = counted(guest.get(PRODUCT)).await;
    assert_eq!(asked, 0, "kept again");
}

#[tokio::test]
async fn a_page_that_a_change_overtakes_while_it_is_drawn_is_not_kept() {
    let (test, _stop) = shop().await;
    // Drawing waits for a lock that another transaction holds, and the change comes meanwhile.
    let mut tx = test.app.pool.begin().await.expect("a transaction");
    sqlx::query("lock table shipping_methods in access exclusive mode").execute(&mut *tx).await.expect("a lock");
    let mut guest = test.guest();
    let drawing = tokio::spawn(async move { guest.get(PRODUCT).await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    sqlx::query("update products set title = 'Overtaken' where slug = 'mill-choice'")
        .execute(&test.app.pool)
        .await
        .expect("a change");
    tokio::time::sleep(Duration::from_millis(200)).await;
    tx.commit().await.expect("the lock ends");
    drawing.await.expect("a page");
    let (page, asked) = counted(test.guest().get(PRODUCT)).await;
    assert!(page.body.contains("Overtaken"));
    assert!(asked > 0);
}

#[tokio::test]
async fn it_can_be_switched_off() {
    let test = TestApp::with(|config| config.page_cache_mb = 0).await;
    tokio::time::timeout(Duration::from_secs(5), cache::listen(test.app.clone(), CancellationToken::new()))
        .await
        .expect("nobody listens for nothing");
    for _ in 0..2 {
        let (answer, asked) = counted(test.guest().get("/")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(asked > 0);
    }
}

#[tokio::test]
async fn calls_are_counted_also_where_their_answer_is_kept() {
    let (test, _) = TestApp::with_world(|config| config.api_rate = 3).await;
    let stop = CancellationToken::new();
    let _guard = stop.clone().drop_guard();
    tokio::spawn(cache::listen(test.app.clone(), stop));
    heard(&test).await;
    let mut left = Vec::new();
    for _ in 0..3 {
        let answer = test.guest().get("/api/v1/categories").await;
        assert_eq!(answer.status, StatusCode::OK);
        left.push(answer.headers["ratelimit-remaining"].to_str().expect("a number").to_owned());
    }
    assert_eq!(left, ["2", "1", "0"]);
    let refused = test.guest().get("/api/v1/categories").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    // A page is no call.
    assert_eq!(test.guest().get("/products").await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_says_who_they_are_gets_no_kept_answer() {
    let (test, _stop) = shop().await;
    test.guest().get("/api/v1/categories").await;
    let wrong = get(&mut test.guest(), "/api/v1/categories", &[("authorization", "Bearer nonsense")]).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
}
