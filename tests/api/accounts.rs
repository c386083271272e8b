//! What a person settles about themselves: profile, password, preferences, addresses; and what nobody else may.

use crate::{
    signing::{PASSWORD, is_signed_in, sign_in},
    support::{Client, TestApp, purchase::count},
};
use axum::body::Body;
use http::{Method, StatusCode, header};
use sqlx::PgPool;

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
    assert_eq!(count(&test.app, "select count(*) from users where handle = 'eve-was-here'").await, 0);
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
    assert_eq!(count(&test.app, "select count(*) from addresses").await, 50);
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
async fn a_public_profile_shows_no_address() {
    let (test, _world) = TestApp::new().await;
    let page = test.guest().get("/users/mill").await;
    assert_eq!(page.texts("h1"), ["Mill"]);
    assert!(page.text().contains("The mill"));
    assert!(!page.body.contains("mill@example.com"));
}
