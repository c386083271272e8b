//! People, their session and what they say of themselves.

use super::*;
use crate::support::TestApp;

#[tokio::test]
async fn registering_signs_in_and_brings_the_cart_along() {
    let (test, world) = TestApp::new().await;
    let mut eve = test.guest();
    put(&mut eve, &world, "MILL-PLAIN", 2).await;
    let new = json!({ "email": "Eve@Example.com", "password": "market day today", "name": "Eve" });
    let made = post(&mut eve, "/auth/register", &new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let user = made.json()["user"].clone();
    assert_eq!((user["email"].as_str(), user["handle"].as_str()), (Some("eve@example.com"), Some("eve")));
    assert_eq!((&user["roles"], &user["vendor"]), (&json!(["shopper"]), &Value::Null));
    assert!(!made.body.contains("argon2"));
    assert_eq!(get(&mut eve, "/users/me").await.json(), user);
    assert_eq!(get(&mut eve, "/cart").await.json()["items"][0]["quantity"], 2);
    assert_eq!(post(&mut eve, "/auth/logout", &json!({})).await.status, StatusCode::NO_CONTENT);
    problem(&get(&mut eve, "/users/me").await, StatusCode::UNAUTHORIZED, "unauthenticated");
    problem(&post(&mut eve, "/auth/logout", &json!({})).await, StatusCode::UNAUTHORIZED, "unauthenticated");

    let wrong = json!({ "email": "eve@example.com", "password": "not this one" });
    problem(&post(&mut eve, "/auth/login", &wrong).await, StatusCode::UNAUTHORIZED, "wrong-credentials");
    let right = json!({ "email": "eve@example.com", "password": "market day today" });
    let back = post(&mut eve, "/auth/login", &right).await;
    assert_eq!((back.status, &back.json()["user"]["id"]), (StatusCode::OK, &user["id"]));
    for (body, field) in [
        (json!({ "email": "eve", "password": "market day today", "name": "Eve" }), "email"),
        (json!({ "email": "e@example.com", "password": "short", "name": "Eve" }), "password"),
        (json!({ "email": "e@example.com", "password": "market day today", "name": " " }), "name"),
        (json!({ "email": "e@example.com", "password": "market day today", "name": "E", "operator": true }), "operator"),
        (json!({ "email": "ada@example.com", "password": "another password", "name": "Ada" }), ""),
    ] {
        let refused =
            problem(&post(&mut test.guest(), "/auth/register", &body).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
        assert!(refused["errors"].get(field).is_some(), "{field}: {refused}");
    }
}

#[tokio::test]
async fn guessing_ends_soon() {
    let (test, _) = TestApp::new().await;
    let mut guest = test.guest();
    let guess = json!({ "email": "ada@example.com", "password": "a wrong guess" });
    for _ in 0..5 {
        problem(&post(&mut guest, "/auth/login", &guess).await, StatusCode::UNAUTHORIZED, "wrong-credentials");
    }
    let over = post(&mut guest, "/auth/login", &guess).await;
    problem(&over, StatusCode::TOO_MANY_REQUESTS, "too-many-attempts");
    assert!(over.header("retry-after").is_some());
}

#[tokio::test]
async fn a_profile_is_ones_own_to_change_and_partly_public() {
    let (test, _) = TestApp::new().await;
    let (mut ada, mut mill) = (test.customer("ada").await, test.vendor("mill").await);
    let changed = patch(&mut ada, "/users/me", &json!({ "name": "Ada L" })).await;
    assert_eq!((changed.json()["name"].as_str(), changed.json()["handle"].as_str()), (Some("Ada L"), Some("ada")));
    let taken =
        problem(&patch(&mut ada, "/users/me", &json!({ "handle": "bob" })).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    assert!(taken["errors"].get("handle").is_some());
    problem(
        &patch(&mut ada, "/users/me", &json!({ "email": "x@example.com" })).await,
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid",
    );
    assert_eq!(get(&mut mill, "/users/me").await.json()["roles"], json!(["shopper", "vendor"]));
    assert_eq!(get(&mut test.operator().await, "/users/me").await.json()["roles"], json!(["shopper", "operator"]));
    let mut guest = test.guest();
    let public = get(&mut guest, "/users/mill").await.json();
    assert_eq!(public["vendor"], json!({ "slug": "mill", "name": "The mill" }));
    assert_eq!(public.as_object().map(|o| o.len()), Some(4), "{public}");
    problem(&get(&mut guest, "/users/nobody-here").await, StatusCode::NOT_FOUND, "not-found");
    problem(&get(&mut guest, "/users/No%20Handle").await, StatusCode::NOT_FOUND, "not-found");
}

#[tokio::test]
async fn preferences_change_one_by_one() {
    let (test, _) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    let first = get(&mut ada, "/users/me/preferences").await.json();
    assert_eq!(first["notifications"], json!({ "orders": true, "news": false }));
    let change = json!({ "theme": "dark", "notifications": { "news": true } });
    let second = patch(&mut ada, "/users/me/preferences", &change).await.json();
    assert_eq!((&second["theme"], &second["notifications"]), (&json!("dark"), &json!({ "orders": true, "news": true })));
    assert_eq!(get(&mut ada, "/users/me/preferences").await.json(), second);
    for bad in [json!({ "language": "tlh" }), json!({ "theme": "pink" }), json!({ "notifications": { "all": true } })] {
        problem(&patch(&mut ada, "/users/me/preferences", &bad).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    }
}

#[tokio::test]
async fn a_person_applies_to_sell_once() {
    let (test, _) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    let wanted = json!({ "name": "Ada's looms", "slug": "adas-looms", "country": "GB" });
    problem(&post(&mut test.guest(), "/users/me/vendor", &wanted).await, StatusCode::UNAUTHORIZED, "unauthenticated");
    let mut taken = wanted.clone();
    taken["slug"] = json!("mill");
    let refused = problem(&post(&mut ada, "/users/me/vendor", &taken).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    assert!(refused["errors"].get("slug").is_some());
    let applied = post(&mut ada, "/users/me/vendor", &wanted).await;
    assert_eq!((applied.status, applied.json()["status"].as_str()), (StatusCode::CREATED, Some("pending")));
    problem(&post(&mut ada, "/users/me/vendor", &wanted).await, StatusCode::CONFLICT, "already-applied");
    assert_eq!(get(&mut ada, "/users/me").await.json()["vendor"]["status"], "pending");
    problem(&get(&mut ada, "/vendor/orders").await, StatusCode::FORBIDDEN, "forbidden");
}
