//! What holds for every call.

use super::*;
use crate::support::TestApp;
use axum::body::Body;

#[tokio::test]
async fn every_refusal_is_a_problem() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    problem(&get(&mut guest, "/nothing").await, StatusCode::NOT_FOUND, "not-found");
    problem(&guest.call(Method::GET, "/api/v2/products", None, &[]).await, StatusCode::NOT_FOUND, "not-found");
    problem(&get(&mut guest, "/orders/not-an-id").await, StatusCode::NOT_FOUND, "not-found");
    problem(&get(&mut guest, "/products/%FF").await, StatusCode::NOT_FOUND, "not-found");
    problem(&get(&mut guest, "/users/me").await, StatusCode::UNAUTHORIZED, "unauthenticated");
    problem(&get(&mut guest, "/vendor/orders").await, StatusCode::UNAUTHORIZED, "unauthenticated");
    problem(&get(&mut test.customer("ada").await, "/vendor/orders").await, StatusCode::FORBIDDEN, "forbidden");
    problem(&get(&mut guest, "/cart?colour=red").await, StatusCode::BAD_REQUEST, "bad-request");
    problem(&delete(&mut guest, "/cart?colour=red").await, StatusCode::BAD_REQUEST, "bad-request");

    let wrong = delete(&mut guest, "/products").await;
    problem(&wrong, StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed");
    let allowed = wrong.header("allow").expect("Allow");
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");

    for (kind, body, status, slug) in [
        ("text/plain", "{}".to_owned(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type"),
        ("application/json", "{\"variant_id\":".to_owned(), StatusCode::BAD_REQUEST, "bad-request"),
        ("application/json", String::new(), StatusCode::BAD_REQUEST, "bad-request"),
        ("application/json", format!("\"{}\"", "x".repeat(300_000)), StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
        ("application/json; charset=utf-8", "[]".to_owned(), StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
    ] {
        let request = guest.request(Method::POST, "/api/v1/cart/items").header("content-type", kind).body(Body::from(body));
        problem(&guest.send(request.expect("a request")).await, status, slug);
    }
    let variant = world.variant("MILL-PLAIN");
    for (body, field) in [
        (json!({ "variant_id": variant, "quantity": "two" }), "quantity"),
        (json!({ "variant_id": variant, "quantity": 0 }), "quantity"),
        (json!({ "variant_id": "x", "quantity": 1 }), "variant_id"),
        (json!({ "variant_id": variant, "quantity": 1, "colour": "red" }), "colour"),
    ] {
        let refused = problem(&post(&mut guest, "/cart/items", &body).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
        assert!(refused["errors"][field][0].is_string(), "{refused}");
    }
}

#[tokio::test]
async fn a_foreign_page_writes_nothing_with_our_cookie() {
    let (test, world) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    let body = json!({ "variant_id": world.variant("MILL-PLAIN"), "quantity": 1 });
    let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    let refused = ada.call(Method::POST, "/api/v1/cart/items", Some(&body), &foreign).await;
    problem(&refused, StatusCode::FORBIDDEN, "forbidden");
    let own = ada.call(Method::POST, "/api/v1/cart/items", Some(&body), &[("sec-fetch-site", "same-origin")]).await;
    assert_eq!(own.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_client_has_its_rate_and_is_told() {
    let test = TestApp::with(|config| config.api_rate = 3).await;
    let mut guest = test.guest();
    let first = get(&mut guest, "/categories").await;
    assert_eq!((first.header("ratelimit-limit"), first.header("ratelimit-remaining")), (Some("3"), Some("2")));
    assert!(first.header("ratelimit-reset").is_some());
    // Errors and wrong tokens count like everything else.
    get(&mut guest, "/users/me").await;
    let wrong = guest.call(Method::GET, "/api/v1/categories", None, &[("authorization", "Bearer souk_wrong")]).await;
    problem(&wrong, StatusCode::UNAUTHORIZED, "unauthenticated");
    let over = get(&mut guest, "/categories").await;
    problem(&over, StatusCode::TOO_MANY_REQUESTS, "too-many-attempts");
    assert!(over.header("retry-after").is_some_and(|s| s.parse::<u32>().is_ok_and(|s| (1..=61).contains(&s))));
    assert_eq!(guest.get("/products").await.status, StatusCode::OK, "the pages are not counted");
}

#[tokio::test]
async fn the_document_says_what_each_call_takes_and_answers() {
    let test = TestApp::empty().await;
    let mut guest = test.guest();
    let answer = get(&mut guest, "/openapi.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut calls = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        assert!(path.starts_with("/api/v1/"), "{path}");
        for (method, call) in item.as_object().expect("calls") {
            calls += 1;
            let said = call["responses"].as_object().expect("answers");
            assert!(said.contains_key("400") && said.contains_key("401") && said.contains_key("429"), "{method} {path}");
            assert!(said.keys().any(|s| s.starts_with('2')), "{method} {path}");
            for (status, answer) in said {
                let shared = answer["$ref"].as_str().map(|r| document.pointer(&r[1..]).expect("the shared answer"));
                let answer = shared.unwrap_or(answer);
                if status.as_str() >= "400" {
                    assert!(answer["content"]["application/problem+json"].is_object(), "{method} {path} {status}");
                }
            }
        }
    }
    assert!(calls >= 30, "{calls}");
    let mut references = Vec::new();
    collect(&document, &mut references);
    for reference in references {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
    }
}

fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| match value.as_str().filter(|_| name == "$ref") {
            Some(reference) => into.push(reference.to_owned()),
            None => collect(value, into),
        }),
        Value::Array(list) => list.iter().for_each(|value| collect(value, into)),
        _ => {}
    }
}

#[tokio::test]
async fn the_documents_page_needs_no_inline_script_and_nobody_else() {
    let test = TestApp::empty().await;
    let mut guest = test.guest();
    let page = guest.get("/api/docs/").await;
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.header("content-security-policy").expect("a policy").to_owned();
    assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval';"), "{policy}");
    for script in page.html().select(&scraper::Selector::parse("script").expect("a selector")) {
        let source = script.attr("src").expect("no inline script");
        assert!(!source.contains("//"), "{source}");
        let path = format!("/api/docs/{}", source.trim_start_matches("./"));
        assert_eq!(guest.get(&path).await.status, StatusCode::OK, "{path}");
    }
    assert!(guest.get("/api/docs/swagger-initializer.js").await.body.contains("/api/v1/openapi.json"));
}
