//! People: registering, signing in and out, and what is one's own.

use crate::support::{Answer, Client, TestApp, World};
use axum::body::Body;
use http::{Method, StatusCode, header};
use sqlx::PgPool;

const PASSWORD: &str = "market day";

async fn sign_in(client: &mut Client, email: &str, password: &str) -> Answer {
    client.post_form("/sign-in", &[("email", email), ("password", password)]).await
}

async fn register(client: &mut Client, name: &str, email: &str, password: &str) -> Answer {
    client.post_form("/register", &[("name", name), ("email", email), ("password", password)]).await
}

async fn is_signed_in(client: &mut Client) -> bool {
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

async fn count(pool: &PgPool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.expect("a count")
}

fn mill_lane<'a>() -> Vec<(&'a str, &'a str)> {
    vec![("name", "Ada"), ("line1", "1 Mill Lane"), ("city", "Leeds"), ("postal_code", "LS1 1AA"), ("country", "GB")]
}

async fn only_address(pool: &PgPool) -> uuid::Uuid {
    sqlx::query_scalar("select id from addresses").fetch_one(pool).await.expect("one address")
}

#[tokio::test]
async fn someone_else_may_not() {
    let (test, _world) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    assert_eq!(ada.post_form("/account/addresses/new", &mill_lane()).await.status, StatusCode::SEE_OTHER);
    let id = only_address(&test.app.pool).await;
    let mut bob = test.customer("bob").await;
    let entry = format!("/account/addresses/{id}");
    assert_eq!(bob.get(&entry).await.status, StatusCode::NOT_FOUND);
    for path in [entry.clone(), format!("{entry}/delete"), format!("{entry}/prefer")] {
        assert_eq!(bob.post_form(&path, &mill_lane()).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(bob.get("/account/addresses").await.texts(".address-book li").len(), 0);
    assert_eq!(ada.get("/account/addresses").await.texts(".address-book li").len(), 1);

    let mut guest = test.guest();
    for path in ["", "/orders", "/profile", "/password", "/preferences", "/addresses", "/addresses/new", "/vendor"] {
        let path = format!("/account{path}");
        let answer = guest.get(&path).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}");
        assert!(answer.location().starts_with("/sign-in?next=%2Faccount"), "{path}: {}", answer.location());
    }
    for path in ["profile", "password", "preferences", "addresses/new", "vendor", "sign-out-everywhere"] {
        let answer = guest.post_form(&format!("/account/{path}"), &[]).await;
        assert_eq!(answer.location(), "/sign-in?next=%2Faccount", "{path}");
    }
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
    assert_eq!(count(&test.app.pool, "select count(*) from users where handle like 'ada-lovelace%'").await, 2);
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
    assert_eq!(count(&test.app.pool, told).await, 1, "told once a day, not once a try");
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
    assert_eq!(count(&test.app.pool, "select count(*) from sign_in_failures where scope like 'account:%'").await, 0);
    assert_eq!(count(&test.app.pool, "select count(*) from sign_in_failures where scope like 'address:%'").await, 12);
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
    assert_eq!(count(&test.app.pool, "select count(*) from sessions").await, 0);
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions() {
    let (test, _world) = TestApp::new().await;
    let (mut ada, mut phone) = (test.customer("ada").await, test.customer("ada").await);
    let wrong = ada.post_form("/account/password", &[("current", "a wrong one"), ("password", "another market day")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.texts(".field-error"), ["That is not your present password"]);
    let short = ada.post_form("/account/password", &[("current", PASSWORD), ("password", "short")]).await;
    assert_eq!(short.texts(".field-error"), ["At least 10 characters"]);
    let done = ada.post_form("/account/password", &[("current", PASSWORD), ("password", "another market day")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert!(is_signed_in(&mut ada).await && !is_signed_in(&mut phone).await);
    assert_eq!(sign_in(&mut test.guest(), "ada@example.com", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(sign_in(&mut test.guest(), "ada@example.com", "another market day").await.status, StatusCode::SEE_OTHER);
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
async fn a_write_from_another_site_changes_nothing() {
    let (test, _world) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    let posts = [
        "/sign-in",
        "/register",
        "/sign-out",
        "/account/profile",
        "/account/password",
        "/account/preferences",
        "/account/addresses/new",
        "/account/vendor",
        "/account/sign-out-everywhere",
    ];
    for path in posts {
        for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("origin", "null")] {
            let request = ada
                .request(Method::POST, path)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(name, value);
            let answer = ada.send(request.body(Body::from("name=Eve&handle=eve-was-here")).expect("a request")).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {name}: {value}");
        }
    }
    assert!(is_signed_in(&mut ada).await);
    assert_eq!(count(&test.app.pool, "select count(*) from users where handle = 'eve-was-here'").await, 0);
}

#[tokio::test]
async fn hostile_input_gets_an_answer_and_never_an_error_of_ours() {
    let (test, _world) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    let paths = [
        "/sign-in",
        "/register",
        "/account/profile",
        "/account/password",
        "/account/preferences",
        "/account/addresses/new",
        "/account/vendor",
    ];
    let fields = [
        "name",
        "email",
        "password",
        "current",
        "handle",
        "language",
        "currency",
        "theme",
        "line1",
        "line2",
        "city",
        "postal_code",
        "country",
        "slug",
        "tagline",
        "description",
        "next",
    ];
    let filled = |value: &str| fields.map(|f| format!("{f}={value}")).join("&").into_bytes();
    let mut raw = b"name=".to_vec();
    raw.extend([0xff, 0xfe]);
    let bodies = [
        Vec::new(),
        filled("%00"),
        filled("Ada%00%00%00%00%00%00%00%00"),
        filled("%FF%FE%FF%FE%FF%FE%FF%FE%FF%FE"),
        filled(&"x".repeat(6000)),
        filled("%F0%9F%8C%BE"),
        b"name=a&name=b&email=a&email=b".to_vec(),
        raw,
    ];
    for path in paths {
        for (i, body) in bodies.iter().enumerate() {
            let request = ada.request(Method::POST, path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let answer = ada.send(request.body(Body::from(body.clone())).expect("a request")).await;
            assert!(answer.status.is_client_error(), "{path}, body {i}: {}", answer.status);
        }
        let json = ada.request(Method::POST, path).header(header::CONTENT_TYPE, "application/json").body(Body::from("{}"));
        assert_eq!(ada.send(json.expect("a request")).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
        let large = ada.request(Method::POST, path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let large = large.body(Body::from(vec![b'a'; 1024 * 1024])).expect("a request");
        assert_eq!(ada.send(large).await.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        assert_eq!(
            ada.send(ada.request(Method::DELETE, path).body(Body::empty()).expect("a request")).await.status,
            StatusCode::METHOD_NOT_ALLOWED
        );
    }
    for path in
        ["/users/%00", "/users/%FF", "/users/nobody-here", "/account/addresses/7", "/account/addresses/%00", "/users/Ada%20L"]
    {
        assert_eq!(ada.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(ada.get("/users/ada").await.status, StatusCode::OK, "nothing of it was kept");
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed_and_links_to_what_is_wrong() {
    let (test, _world) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    let register = test.guest().post_form("/register", &[("name", "Eve <b>"), ("email", "eve"), ("password", "short")]).await;
    assert_eq!(register.attribute("input[name=name]", "value").as_deref(), Some("Eve <b>"));
    assert_eq!(register.attribute("input[name=email]", "value").as_deref(), Some("eve"));
    assert_eq!(register.attribute("input[name=password]", "value").unwrap_or_default(), "", "a password is never sent back");
    assert_eq!(register.attribute(".error-summary a", "href").as_deref(), Some("#f-email"));
    assert_eq!(register.attribute("input[name=email]", "aria-invalid").as_deref(), Some("true"));

    let profile = ada.post_form("/account/profile", &[("name", "Ada L"), ("handle", "bob")]).await;
    assert_eq!(profile.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(profile.attribute("input[name=handle]", "value").as_deref(), Some("bob"));
    assert_eq!(profile.texts(".field-error"), ["Someone else has this public name"]);

    let mut form = mill_lane();
    form[2] = ("city", "");
    form[4] = ("country", "XX");
    form.push(("preferred", "on"));
    let address = ada.post_form("/account/addresses/new", &form).await;
    assert_eq!(address.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(address.attribute("input[name=line1]", "value").as_deref(), Some("1 Mill Lane"));
    assert_eq!(address.texts(".field-error").len(), 2);
    assert!(address.attribute("input[name=preferred]", "checked").is_some());

    let form = [
        ("name", "Tea & Co"),
        ("slug", "Tea Co"),
        ("country", "GB"),
        ("tagline", "Leaves"),
        ("description", "a\n</textarea><b>x"),
    ];
    let vendor = ada.post_form("/account/vendor", &form).await;
    assert_eq!(vendor.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(vendor.attribute("input[name=slug]", "value").as_deref(), Some("Tea Co"));
    assert!(vendor.texts("textarea")[0].contains("</textarea><b>x"));
}

#[tokio::test]
async fn the_address_book_has_one_preferred_entry_and_an_end() {
    let (test, _world) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    let preferred = async |ada: &mut Client| ada.get("/account/addresses").await.texts(".address-book li:has(.badge) address");
    ada.post_form("/account/addresses/new", &mill_lane()).await;
    assert_eq!(preferred(&mut ada).await.len(), 1, "the first is preferred by itself");
    let first = only_address(&test.app.pool).await;
    let mut second = mill_lane();
    second[1] = ("line1", "2 Kiln Street");
    second.push(("preferred", "on"));
    ada.post_form("/account/addresses/new", &second).await;
    assert!(preferred(&mut ada).await[0].contains("2 Kiln Street"));
    ada.post_form(&format!("/account/addresses/{first}/prefer"), &[]).await;
    assert!(preferred(&mut ada).await[0].contains("1 Mill Lane"));
    let mut changed = mill_lane();
    changed[1] = ("line1", "3 Orchard Row");
    ada.post_form(&format!("/account/addresses/{first}"), &changed).await;
    assert!(preferred(&mut ada).await[0].contains("3 Orchard Row"));
    let deleted = ada.post_form(&format!("/account/addresses/{first}/delete"), &[]).await;
    assert_eq!(deleted.location(), "/account/addresses");
    let page = ada.get("/account/addresses").await;
    assert_eq!(page.texts(".address-book li").len(), 1);
    assert!(page.text().contains("The address is deleted."));
    assert_eq!(ada.post_form(&format!("/account/addresses/{first}/delete"), &[]).await.status, StatusCode::NOT_FOUND);

    for _ in 1..50 {
        ada.post_form("/account/addresses/new", &mill_lane()).await;
    }
    let full = ada.post_form("/account/addresses/new", &mill_lane()).await;
    assert_eq!(full.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(count(&test.app.pool, "select count(*) from addresses").await, 50);
}

#[tokio::test]
async fn preferences_are_kept_and_the_colours_follow_the_person() {
    let (test, _world) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    let form = [("language", "en"), ("currency", "EUR"), ("theme", "dark"), ("notify_news", "on")];
    assert_eq!(ada.post_form("/account/preferences", &form).await.status, StatusCode::SEE_OTHER);
    assert_eq!(ada.cookie("theme"), Some("dark"));
    let page = ada.get("/account/preferences").await;
    assert_eq!(page.attribute("select[name=currency] option[selected]", "value").as_deref(), Some("EUR"));
    assert!(page.attribute("input[name=notify_news]", "checked").is_some());
    assert!(page.attribute("input[name=notify_orders]", "checked").is_none());
    // Another browser has the colours from the moment of signing in.
    let mut phone = test.guest();
    sign_in(&mut phone, "ada@example.com", PASSWORD).await;
    assert_eq!(phone.cookie("theme"), Some("dark"));
    ada.post_form("/account/preferences", &[("language", "en"), ("currency", "GBP"), ("theme", "system")]).await;
    assert_eq!(ada.cookie("theme"), None);
    let bad = ada.post_form("/account/preferences", &[("language", "xx"), ("currency", "gbp"), ("theme", "pink")]).await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(bad.texts(".field-error").len(), 3);
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
    for (mut client, name, vendor, operator) in [
        (test.guest(), "null", false, false),
        (test.customer("ada").await, "\"Ada\"", false, false),
        (test.vendor("mill").await, "\"Mill\"", true, false),
        (test.operator().await, "\"Operator\"", false, true),
    ] {
        assert_eq!(
            who_am_i(&mut client).await,
            format!("{{\"name\":{name},\"vendor\":{vendor},\"operator\":{operator},\"cart_count\":0}}")
        );
    }
}

#[tokio::test]
async fn a_public_profile_shows_no_address() {
    let (test, _world) = TestApp::new().await;
    let page = test.guest().get("/users/mill").await;
    assert_eq!(page.texts("h1"), ["Mill"]);
    assert!(page.text().contains("The mill"));
    assert!(!page.body.contains("mill@example.com"));
}
