//! What holds for every answer: headers, error pages, origins.

use crate::support::TestApp;
use http::{Method, StatusCode, header};

#[tokio::test]
async fn an_unknown_address_is_a_page_that_says_so() {
    let test = TestApp::empty().await;
    let answer = test.guest().get("/no/such/thing").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(answer.texts("h1"), ["Not found"]);
}

#[tokio::test]
async fn every_answer_forbids_inline_script_frames_and_sniffing() {
    let test = TestApp::empty().await;
    for path in ["/no/such/thing", "/healthz", "/boot.js"] {
        let answer = test.guest().get(path).await;
        let policy = answer.headers[header::CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
        assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval';"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
    }
}

#[tokio::test]
async fn a_write_from_another_site_is_refused() {
    let test = TestApp::empty().await;
    let mut guest = test.guest();
    for (header, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let request =
            guest.request(Method::POST, "/sf/nothing").header(header, value).body(axum::body::Body::empty()).expect("a request");
        assert_eq!(guest.send(request).await.status, StatusCode::FORBIDDEN, "{header}");
    }
}

#[tokio::test]
async fn an_address_that_shows_nothing_leads_to_the_one_that_was_meant() {
    let (test, _world) = TestApp::new().await;
    let mut guest = test.guest();
    let id = "0198c0de-0000-7000-8000-000000000000";
    for (from, status, to) in [
        ("/cart/", StatusCode::PERMANENT_REDIRECT, "/cart"),
        ("/products/?q=tea", StatusCode::PERMANENT_REDIRECT, "/products?q=tea"),
        ("/categories/home/", StatusCode::PERMANENT_REDIRECT, "/categories/home"),
        ("/fonts/", StatusCode::PERMANENT_REDIRECT, "/fonts"),
        ("/sign-out", StatusCode::SEE_OTHER, "/"),
        ("/cart/items", StatusCode::SEE_OTHER, "/cart"),
        (&format!("/cart/items/{id}/remove"), StatusCode::SEE_OTHER, &format!("/cart/items/{id}")),
        (&format!("/cart/items/{id}"), StatusCode::SEE_OTHER, "/cart/items"),
        (&format!("/orders/{id}/cancel"), StatusCode::SEE_OTHER, &format!("/orders/{id}")),
        ("/checkout/update", StatusCode::SEE_OTHER, "/checkout"),
    ] {
        let answer = guest.get(from).await;
        assert_eq!((answer.status, answer.location()), (status, to), "{from}");
    }
    // Never the way to another host, and never a circle.
    for path in ["//evil.example/", "/\\evil.example/", "/fonts", "/nothing"] {
        let answer = guest.get(path).await;
        assert!(answer.status == StatusCode::NOT_FOUND || answer.location() == "/", "{path}: {}", answer.status);
    }
    // Programs are told what is the matter.
    assert_eq!(guest.get("/api/v1/products/").await.status, StatusCode::NOT_FOUND);
    assert_eq!(guest.get("/webhooks/stripe").await.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn the_header_leads_to_the_desks_of_those_who_have_one() {
    let (test, _world) = TestApp::new().await;
    for (mut client, desks) in [
        (test.guest(), &[][..]),
        (test.customer("ada").await, &[]),
        (test.vendor("mill").await, &["/vendor"]),
        (test.operator().await, &["/operator"]),
    ] {
        for path in ["/", "/vendors", "/cart", "/orders/none"] {
            let page = client.get(path).await;
            let links: Vec<_> = page.attributes(".nav-market a", "href").into_iter().skip(2).collect();
            assert_eq!(links, desks, "{path}");
            assert_eq!(page.headers.contains_key(header::CACHE_CONTROL), !desks.is_empty() && path != "/orders/none", "{path}");
        }
    }
}

#[tokio::test]
async fn the_footer_leads_to_what_the_shop_says_of_itself() {
    let test = TestApp::empty().await;
    let mut guest = test.guest();
    let links = guest.get("/").await.attributes(".site-footer a", "href");
    for path in ["/vendors", "/about/delivery", "/about/contact", "/about/terms", "/about/privacy"] {
        assert!(links.iter().any(|l| l == path), "{path}");
        let page = guest.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
    }
}
