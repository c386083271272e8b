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
