//! Registering, signing in and out, and who a browser is then.

use crate::support::{Answer, Client, TestApp, World, purchase::count};
use axum::body::Body;
use http::{Method, StatusCode, header};

/// Of everybody in the test world.
pub const PASSWORD: &str = "market day";

pub async fn sign_in(client: &mut Client, email: &str, password: &str) -> Answer {
    client.post_form("/sign-in", &[("email", email), ("password", password)]).await
}

async fn register(client: &mut Client, name: &str, email: &str, password: &str) -> Answer {
    client.post_form("/register", &[("name", name), ("email", email), ("password", password)]).await
}

pub async fn is_signed_in(client: &mut Client) -> bool {
    client.get("/account").await.status == StatusCode::OK
}

/// What the header of a page asks for.
async fn who_am_i(client: &mut Client) -> String {
    let request = client
        .request(Method::POST, "/sf/who_am_i")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json")
        .header("sec-fetch-site", "same-origin");
    client.send(request.body(Body::empty()).expect("a request")).await.body
}

#[tokio::test]
async fn registering_signs_in_and_writes_a_mail() {
    let test = TestApp::empty().await;
    let mut guest = test.guest();
    let answer = register(&mut guest, " Ada Lovelace ", " Ada@Example.COM ", "a day at the market").await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/account"));
    let account = guest.get("/account").await;
    assert_eq!(account.texts("h1"), ["Hello Ada Lovelace"]);
    assert!(account.text().contains("ada@example.com"));
    assert_eq!(guest.get("/users/ada-lovelace").await.texts("h1"), ["Ada Lovelace"]);
    let subject: String = sqlx::query_scalar("select subject from outbox where recipient = 'ada@example.com'")
        .fetch_one(&test.app.pool)
        .await
        .expect("one mail");
    assert_eq!(subject, "Welcome to Souk");

    // People of one name get handles of their own; the form again, by a second click, is the same person.
    let mut other = test.guest();
    assert_eq!(
        register(&mut other, "Ada Lovelace", "ada@other.example", "a day at the market").await.status,
        StatusCode::SEE_OTHER
    );
    let mut twice = test.guest();
    assert_eq!(
        register(&mut twice, "Ada Lovelace", "ada@other.example", "a day at the market").await.status,
        StatusCode::SEE_OTHER
    );
    assert!(is_signed_in(&mut twice).await);
    assert_eq!(count(&test.app, "select count(*) from users where handle like 'ada-lovelace%'").await, 2);
}

#[tokio::test]
async fn registering_with_a_known_address_confirms_nothing_and_tells_its_owner() {
    let (test, _world) = TestApp::new().await;
    for _ in 0..2 {
        let mut stranger = test.guest();
        let answer = register(&mut stranger, "Eve", "ada@example.com", "not her password").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        for word in ["exists", "taken", "already", "registered", "in use"] {
            assert!(!answer.text().contains(word), "{word}: {}", answer.text());
        }
        assert_eq!(answer.attribute("input[name=email]", "value").as_deref(), Some("ada@example.com"));
        assert!(!is_signed_in(&mut stranger).await);
    }
    let told = "select count(*) from outbox where recipient = 'ada@example.com' and subject like 'You already%'";
    assert_eq!(count(&test.app, told).await, 1, "told once a day, not once a try");
    assert_eq!(sign_in(&mut test.guest(), "ada@example.com", PASSWORD).await.status, StatusCode::SEE_OTHER);

    // It is a guess like any other, so the same limit holds.
    for _ in 0..5 {
        register(&mut test.guest(), "Eve", "bob@example.com", "not his password").await;
    }
    assert_eq!(register(&mut test.guest(), "Eve", "bob@example.com", PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(sign_in(&mut test.guest(), "bob@example.com", PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_account_get_the_same_answer() {
    let (test, _world) = TestApp::new().await;
    let known = sign_in(&mut test.guest(), "ada@example.com", "a wrong password").await;
    let unknown = sign_in(&mut test.guest(), "eve@example.com", "a wrong password").await;
    assert_eq!(known.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(known.status, unknown.status);
    assert_eq!(known.body.replace("ada@", "eve@"), unknown.body);
    assert_eq!(known.attribute("input[name=email]", "value").as_deref(), Some("ada@example.com"));
    assert_eq!(known.attribute("input[name=password]", "value").unwrap_or_default(), "");
    // Passwords that nobody can have are wrong, not special.
    for odd in ["x", "nul\0in the middle", &"x".repeat(5000)] {
        let answer = sign_in(&mut test.guest(), "bob@example.com", odd).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.texts(".error-summary li"), known.texts(".error-summary li"));
    }
}

#[tokio::test]
async fn after_five_failures_an_account_waits_known_or_not() {
    let (test, _world) = TestApp::new().await;
    for email in ["ada@example.com", "nobody@example.com"] {
        for _ in 0..5 {
            assert_eq!(sign_in(&mut test.guest(), email, "a wrong password").await.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        let answer = sign_in(&mut test.guest(), email, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "{email}");
        let wait: u32 = answer.headers[header::RETRY_AFTER].to_str().expect("text").parse().expect("seconds");
        assert!((800..=900).contains(&wait), "{wait}");
        assert_eq!(answer.attribute("input[name=email]", "value").as_deref(), Some(email));
    }
    assert_eq!(sign_in(&mut test.guest(), "bob@example.com", PASSWORD).await.status, StatusCode::SEE_OTHER, "others may");
    sqlx::query("update sign_in_failures set failed_at = failed_at - interval '15 minutes'")
        .execute(&test.app.pool)
        .await
        .expect("time passes");
    assert_eq!(sign_in(&mut test.guest(), "ada@example.com", PASSWORD).await.status, StatusCode::SEE_OTHER, "after the wait");
}

#[tokio::test]
async fn success_gives_the_account_its_tries_back() {
    let (test, _world) = TestApp::new().await;
    for _ in 0..3 {
        for _ in 0..4 {
            sign_in(&mut test.guest(), "ada@example.com", "a wrong password").await;
        }
        assert_eq!(sign_in(&mut test.guest(), "ada@example.com", PASSWORD).await.status, StatusCode::SEE_OTHER);
    }
    // But not the address: one own account must not let it guess at others for ever.
    assert_eq!(count(&test.app, "select count(*) from sign_in_failures where scope like 'account:%'").await, 0);
    assert_eq!(count(&test.app, "select count(*) from sign_in_failures where scope like 'address:%'").await, 12);
}

#[tokio::test]
async fn many_guesses_at_once_get_no_further_than_many_in_a_row() {
    let (test, _world) = TestApp::new().await;
    let guesses = (0..25).map(|i| {
        let mut guest = test.guest();
        async move { sign_in(&mut guest, "ada@example.com", &format!("guess number {i}")).await.status }
    });
    let statuses = futures::future::join_all(guesses).await;
    assert_eq!(statuses.iter().filter(|s| **s == StatusCode::UNPROCESSABLE_ENTITY).count(), 5, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|s| **s == StatusCode::TOO_MANY_REQUESTS).count(), 20, "{statuses:?}");
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_waits_and_others_do_not() {
    let test = TestApp::with(|config| config.trusted_proxy = Some([127, 0, 0, 1].into())).await;
    World::build(&test.app.pool).await;
    let attempt = async |from: &str, email: &str, password: &str| {
        let mut guest = test.guest();
        let body = serde_urlencoded::to_string([("email", email), ("password", password)]).expect("a form");
        let request = guest
            .request(Method::POST, "/sign-in")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("x-forwarded-for", from);
        guest.send(request.body(Body::from(body)).expect("a request")).await.status
    };
    for i in 0..30 {
        let status = attempt("192.0.2.7", &format!("nobody{i}@example.com"), "a wrong password").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{i}");
    }
    assert_eq!(attempt("192.0.2.7", "ada@example.com", PASSWORD).await, StatusCode::TOO_MANY_REQUESTS);
    // What the client itself wrote into the header is not believed, only what the proxy appended.
    assert_eq!(attempt("203.0.113.1, 192.0.2.7", "ada@example.com", PASSWORD).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(attempt("192.0.2.8", "ada@example.com", PASSWORD).await, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn signing_in_gives_a_new_session_and_ends_the_old_one() {
    let (test, _world) = TestApp::new().await;
    // Bob plants his own session in Ada's browser and waits for her to sign in.
    let mut bob = test.customer("bob").await;
    let planted = bob.cookie("souk").expect("a session").to_owned();
    let mut ada = test.guest();
    ada.set_cookie("souk", &planted);
    assert_eq!(sign_in(&mut ada, "ada@example.com", PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_ne!(ada.cookie("souk"), Some(planted.as_str()));
    assert!(ada.get("/account").await.text().contains("ada@example.com"));
    assert!(!is_signed_in(&mut bob).await, "the planted session opens nothing");
    // A session that never was is not made by naming it.
    let mut eve = test.guest();
    eve.set_cookie("souk", "AAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(sign_in(&mut eve, "ada@example.com", PASSWORD).await.status, StatusCode::SEE_OTHER);
    assert_ne!(eve.cookie("souk"), Some("AAAAAAAAAAAAAAAAAAAAAA"));
}

#[tokio::test]
async fn signing_out_ends_the_session_in_the_database_too() {
    let (test, _world) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    let mut thief = ada.clone();
    let mut phone = test.customer("ada").await;
    let answer = ada.post_form("/sign-out", &[]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/"));
    assert!(!is_signed_in(&mut ada).await);
    assert!(!is_signed_in(&mut thief).await, "a copy of the cookie is worth nothing now");
    assert!(is_signed_in(&mut phone).await, "other devices stay");

    let mut laptop = test.customer("ada").await;
    assert_eq!(laptop.post_form("/account/sign-out-everywhere", &[]).await.status, StatusCode::SEE_OTHER);
    assert!(!is_signed_in(&mut laptop).await && !is_signed_in(&mut phone).await);
    assert_eq!(count(&test.app, "select count(*) from sessions").await, 0);
}

#[tokio::test]
async fn the_way_on_stays_in_the_shop() {
    let (test, _world) = TestApp::new().await;
    for (next, goes) in [
        ("/checkout", "/checkout"),
        ("/search?q=tea%20pot", "/search?q=tea%20pot"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\r\nSet-Cookie: a=b", "/"),
        ("javascript:alert(1)", "/"),
        ("\0", "/"),
        ("", "/account"),
    ] {
        let form = [("email", "ada@example.com"), ("password", PASSWORD), ("next", next)];
        let answer = test.guest().post_form("/sign-in", &form).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, goes), "{next:?}");
        let query = serde_urlencoded::to_string([("next", next)]).expect("a query");
        let already = test.customer("ada").await.get(&format!("/sign-in?{query}")).await;
        assert_eq!((already.status, already.location()), (StatusCode::SEE_OTHER, goes), "{next:?}");
        let page = test.guest().get(&format!("/register?{query}")).await;
        assert!(!page.body.contains("evil.example"), "{next:?}");
    }
    let kept = sign_in(&mut test.guest(), "ada@example.com", "a wrong password").await;
    assert_eq!(kept.attribute("input[name=next]", "value"), None);
    let form = [("email", "ada@example.com"), ("password", "a wrong password"), ("next", "/checkout")];
    let kept = test.guest().post_form("/sign-in", &form).await;
    assert_eq!(kept.attribute("input[name=next]", "value").as_deref(), Some("/checkout"));
}

#[tokio::test]
async fn a_cart_filled_before_signing_in_is_there_afterwards() {
    let (test, world) = TestApp::new().await;
    let variant = world.variant("MILL-PLAIN").to_string();
    for known in [true, false] {
        let mut guest = test.guest();
        guest.post_form("/cart/items", &[("variant_id", &variant), ("quantity", "3")]).await;
        let answer = if known {
            sign_in(&mut guest, "ada@example.com", PASSWORD).await
        } else {
            register(&mut guest, "Eve", "eve@example.com", "a day at the market").await
        };
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        let who = who_am_i(&mut guest).await;
        assert!(who.contains("\"cart_count\":3"), "{who}");
    }
}

#[tokio::test]
async fn who_am_i_tells_a_browser_only_about_itself() {
    let (test, _world) = TestApp::new().await;
    for (mut client, name) in [(test.guest(), "null"), (test.customer("ada").await, "\"Ada\"")] {
        assert_eq!(who_am_i(&mut client).await, format!("{{\"name\":{name},\"cart_count\":0}}"));
    }
}
