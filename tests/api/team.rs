//! The team of a shop: who comes in and how, who goes and what ends with it, that an owner stays, and whose name stands at what was done.
//! What each role may is tried in `roles`, on every address that there is.

mod roles;

use crate::support::{
    Client, TestApp, World,
    purchase::{assert_laws_hold, count, paid, parcel_of},
};
use axum::body::Body;
use http::{Method, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::json;
use souk::{live::hub, server::jobs, server::router::router};
use sqlx::PgPool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

const TEAM: &str = "/vendor/team";

/// Somebody with an account and no shop; the address is `{name}@example.com`.
pub async fn person(pool: &PgPool, name: &str) -> Uuid {
    sqlx::query_scalar(
        "insert into users (id, handle, name, email, password_hash)
         select $1, $2, initcap($2), $2 || '@example.com', password_hash from users where handle = 'ada' returning id",
    )
    .bind(Uuid::now_v7())
    .bind(name)
    .fetch_one(pool)
    .await
    .expect("a person")
}

/// Somebody new in the team of a shop.
pub async fn member(pool: &PgPool, world: &World, shop: &str, name: &str, role: &str) -> Uuid {
    let user = person(pool, name).await;
    sqlx::query("insert into vendor_members (user_id, vendor_id, role, invited_by) values ($1, $2, $3, $4)")
        .bind(user)
        .bind(world.vendors[shop].id)
        .bind(role)
        .bind(world.vendors[shop].owner)
        .execute(pool)
        .await
        .expect("a member");
    user
}

/// Where the newest invitation to this address leads.
async fn link(test: &TestApp, email: &str) -> String {
    let text: String = sqlx::query_scalar(
        "select text from outbox where recipient = $1 and subject like '%into its team' order by created_at desc, id desc limit 1",
    )
    .bind(email)
    .fetch_one(&test.app.pool)
    .await
    .expect("an invitation");
    let at = text.find("/invitations/").expect("a link");
    text[at..].split_whitespace().next().expect("a link").to_owned()
}

async fn role_of(test: &TestApp, user: Uuid) -> Option<String> {
    sqlx::query_scalar("select role from vendor_members where user_id = $1")
        .bind(user)
        .fetch_optional(&test.app.pool)
        .await
        .expect("a role")
}

/// What the audit log has of teams, as `action by`.
async fn trail(test: &TestApp) -> Vec<String> {
    sqlx::query_scalar(
        "select action || ' by ' || coalesce((select handle from users where id = actor_id), 'nobody') from audit_log
         where action like 'member.%' or action like 'invitation.%' order by id",
    )
    .fetch_all(&test.app.pool)
    .await
    .expect("the log")
}

async fn invite(owner: &mut Client, email: &str, role: &str) -> StatusCode {
    owner.post_form(TEAM, &[("email", email), ("role", role)]).await.status
}

#[tokio::test]
async fn only_owners_ask_people_in() {
    let (test, world) = TestApp::new().await;
    member(&test.app.pool, &world, "mill", "mina", "manager").await;
    member(&test.app.pool, &world, "mill", "fred", "fulfiller").await;
    for name in ["mina", "fred", "ada"] {
        let mut person = test.customer(name).await;
        assert_eq!(invite(&mut person, "new@example.com", "manager").await, StatusCode::FORBIDDEN, "{name}");
    }
    assert!(test.guest().post_form(TEAM, &[]).await.location().starts_with("/sign-in"));
    assert_eq!(count(&test.app, "select count(*) from vendor_invitations").await, 0);

    // They see who is in it, without addresses and buttons; who can is named where one may not.
    let page = test.customer("fred").await.get(TEAM).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("Mina") && !page.body.contains("mina@example.com") && !page.body.contains("Ask somebody in"));
    assert!(!page.body.contains("/vendor/coupons") && !page.body.contains("/vendor/payouts"), "no way to what is not theirs");
    let no = test.customer("fred").await.get("/vendor/coupons").await;
    assert_eq!(no.status, StatusCode::FORBIDDEN);
    assert!(no.text().contains("Mill, owner") && no.text().contains("Mina, manager"), "{}", no.text());
    let no = test.customer("mina").await.get("/vendor/payouts").await;
    assert!(no.text().contains("Mill, owner") && !no.text().contains("Fred"), "{}", no.text());
}

#[tokio::test]
async fn an_invitation_is_taken_once_in_time_and_with_its_address() {
    let (test, _) = TestApp::new().await;
    let pool = &test.app.pool;
    let mut mill = test.vendor("mill").await;
    let wrong = mill.post_form(TEAM, &[("email", "no address"), ("role", "king")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.attribute("input[name=email]", "value").as_deref(), Some("no address"), "what was typed is kept");
    assert_eq!(wrong.texts(".field-error").len(), 2);

    assert_eq!(invite(&mut mill, "Nina@example.com", "fulfiller").await, StatusCode::SEE_OTHER);
    assert_eq!(invite(&mut mill, "nina@example.com", "manager").await, StatusCode::UNPROCESSABLE_ENTITY, "asked already");
    assert_eq!(invite(&mut mill, "mill@example.com", "manager").await, StatusCode::UNPROCESSABLE_ENTITY, "in it already");
    while jobs::drain(&test.app).await.expect("jobs run") > 0 {}
    let path = link(&test, "nina@example.com").await;
    let kept: String =
        sqlx::query_scalar("select row_to_json(i)::text from vendor_invitations i").fetch_one(pool).await.expect("it");
    assert!(!kept.contains(path.rsplit('/').next().expect("a token")), "the token stands in the mail alone");

    // Before there is an account: the way to one, and back here.
    let offer = test.guest().get(&path).await;
    assert_eq!(offer.status, StatusCode::OK);
    assert!(offer.text().contains("Mill asks you into the team of The mill, as a fulfiller."), "{}", offer.text());
    assert!(offer.attributes("main a", "href").iter().any(|a| a.starts_with("/register?next=%2Finvitations%2F")));
    assert!(test.guest().post_form(&path, &[]).await.location().starts_with("/sign-in"));

    // Somebody else has the link: it is not for them.
    let mut bob = test.customer("bob").await;
    assert!(bob.get(&path).await.text().contains("It is for nina@example.com"));
    assert_eq!(bob.post_form(&path, &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY);

    // Sent again, only the newer link is good; too old, none is.
    let id: Uuid = sqlx::query_scalar("select id from vendor_invitations").fetch_one(pool).await.expect("one");
    let nina = person(pool, "nina").await;
    let mut hers = test.customer("nina").await;
    mill.post_form(&format!("{TEAM}/invitations/{id}"), &[("action", "resend")]).await;
    assert_eq!(hers.get(&path).await.status, StatusCode::NOT_FOUND);
    let path = link(&test, "nina@example.com").await;
    sqlx::query("update vendor_invitations set expires_at = now()").execute(pool).await.expect("later");
    assert_eq!(hers.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(hers.post_form(&path, &[]).await.status, StatusCode::NOT_FOUND);
    mill.post_form(&format!("{TEAM}/invitations/{id}"), &[("action", "resend")]).await;
    let path = link(&test, "nina@example.com").await;
    assert_eq!(hers.get(&path).await.status, StatusCode::OK);
    assert_eq!(hers.get("/vendor").await.status, StatusCode::FORBIDDEN, "not yet");
    let joined = hers.post_form(&path, &[]).await;
    assert_eq!(joined.location(), "/vendor", "{}", joined.text());
    assert!(hers.get("/vendor").await.text().contains("Welcome. You are a fulfiller of The mill."));
    assert_eq!(role_of(&test, nina).await.as_deref(), Some("fulfiller"));
    assert_eq!(hers.post_form(&path, &[]).await.status, StatusCode::NOT_FOUND, "it is taken");

    // Taken back, it is good no more; five times sent is enough; another shop's is not found.
    invite(&mut mill, "olga@example.com", "manager").await;
    let path = link(&test, "olga@example.com").await;
    let id: Uuid = sqlx::query_scalar("select id from vendor_invitations where email = 'olga@example.com'")
        .fetch_one(pool)
        .await
        .expect("one");
    let address = format!("{TEAM}/invitations/{id}");
    let mut kiln = test.vendor("kiln").await;
    for action in ["resend", "revoke"] {
        assert_eq!(kiln.post_form(&address, &[("action", action)]).await.status, StatusCode::NOT_FOUND);
    }
    for status in [303, 303, 303, 303, 422] {
        assert_eq!(mill.post_form(&address, &[("action", "resend")]).await.status.as_u16(), status);
    }
    mill.post_form(&address, &[("action", "revoke")]).await;
    person(pool, "olga").await;
    assert_eq!(test.customer("olga").await.post_form(&path, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(mill.post_form(&address, &[("action", "revoke")]).await.status, StatusCode::NOT_FOUND);

    // Who is with another shop stays there, and cannot open one of their own.
    invite(&mut mill, "kiln@example.com", "manager").await;
    let path = link(&test, "kiln@example.com").await;
    assert!(kiln.get(&path).await.text().contains("a person is in one shop at a time"));
    assert_eq!(kiln.post_form(&path, &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let form = [("name", "Nina's own"), ("slug", "ninas-own"), ("country", "GB")];
    hers.post_form("/account/vendor", &form).await;
    assert_eq!(count(&test.app, "select count(*) from vendors where slug = 'ninas-own'").await, 0);
    assert!(hers.get("/account/vendor").await.text().contains("You are a fulfiller of The mill."));
    assert_eq!(trail(&test).await.iter().filter(|t| *t == "member.joined by nina").count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_taken_out_is_out_at_once() {
    let (test, world) = TestApp::new().await;
    let pool = &test.app.pool;
    let fred = member(pool, &world, "mill", "fred", "fulfiller").await;
    member(pool, &world, "mill", "mina", "manager").await;
    let stop = CancellationToken::new();
    tokio::spawn(hub::listen(test.app.clone(), stop.clone()));
    let _stop = stop.drop_guard();
    let (mut his, mut mina) = (test.customer("fred").await, test.customer("mina").await);
    let token = his.call(Method::POST, "/api/v1/tokens", Some(&json!({ "name": "A script", "scopes": ["write"] })), &[]).await;
    let token = format!("Bearer {}", token.json()["token"].as_str().expect("a token"));
    let orders =
        async || test.guest().call(Method::GET, "/api/v1/vendor/orders", None, &[("authorization", &token)]).await.status;
    assert_eq!(orders().await, StatusCode::OK);
    let open = async |who: &Client| {
        let request = who.request(Method::GET, "/vendor/events").header(header::ACCEPT, "text/event-stream");
        router(test.app.clone()).oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer").into_body()
    };
    let (his_stream, her_stream, mut owners) = (open(&his).await, open(&mina).await, open(&test.vendor("mill").await).await);
    owners.frame().await.expect("it is open").expect("it can be read");

    let mut mill = test.vendor("mill").await;
    let answer = mill.post_form(&format!("{TEAM}/{fred}/remove"), &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert!(his.get("/vendor").await.location().starts_with("/sign-in"), "signed out");
    assert_eq!(test.customer("fred").await.get("/vendor").await.status, StatusCode::FORBIDDEN, "signed in again, no desk");
    assert_eq!(orders().await, StatusCode::FORBIDDEN, "the token opens the shop no more");
    tokio::time::timeout(Duration::from_secs(5), his_stream.collect()).await.expect("the open dashboard ends").expect("whole");

    // Another role counts with the next request, and ends the dashboard that was opened with the old one.
    let hers: Uuid = sqlx::query_scalar("select id from users where handle = 'mina'").fetch_one(pool).await.expect("her");
    assert_eq!(mina.get("/vendor/coupons").await.status, StatusCode::OK);
    mill.post_form(&format!("{TEAM}/{hers}"), &[("role", "fulfiller")]).await;
    assert_eq!(mina.get("/vendor/coupons").await.status, StatusCode::FORBIDDEN);
    assert_eq!(mina.get("/vendor/orders").await.status, StatusCode::OK, "her session goes on");
    tokio::time::timeout(Duration::from_secs(5), her_stream.collect()).await.expect("it ends too").expect("whole");
    let still = tokio::time::timeout(Duration::from_millis(300), owners.collect()).await;
    assert!(still.is_err(), "nobody else's ends");

    assert_eq!(trail(&test).await, ["member.removed by mill", "member.role_changed by mill"]);
    assert_eq!(
        count(&test.app, "select count(*) from outbox where recipient in ('fred@example.com', 'mina@example.com')").await,
        2,
        "each was told"
    );
    while jobs::drain(&test.app).await.expect("jobs run") > 0 {}
}

#[tokio::test]
async fn a_shop_keeps_an_owner() {
    let (test, world) = TestApp::new().await;
    let pool = &test.app.pool;
    let mut mill = test.vendor("mill").await;
    let own = world.vendors["mill"].owner;
    for (path, form) in [
        (format!("{TEAM}/leave"), vec![]),
        (format!("{TEAM}/{own}/remove"), vec![]),
        (format!("{TEAM}/{own}"), vec![("role", "manager")]),
    ] {
        let answer = mill.post_form(&path, &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert!(answer.text().contains("this is the last one"), "{}", answer.text());
    }
    for statement in ["delete from vendor_members", "update vendor_members set role = 'manager'"] {
        let error = sqlx::query(statement).execute(pool).await.expect_err("refused");
        assert_eq!(error.as_database_error().and_then(|e| e.constraint()), Some("vendor_keeps_an_owner"));
    }

    // With a second one the first may go; letters go to who is left, and the first may open a shop of their own.
    let second = member(pool, &world, "mill", "olga", "owner").await;
    assert_eq!(mill.post_form(&format!("{TEAM}/leave"), &[]).await.location(), "/account");
    let contact: Uuid =
        sqlx::query_scalar("select owner_id from vendors where slug = 'mill'").fetch_one(pool).await.expect("the shop");
    assert_eq!(contact, second);
    mill.post_form("/account/vendor", &[("name", "Another mill"), ("slug", ""), ("country", "GB")]).await;
    assert_eq!(count(&test.app, "select count(*) from vendors where slug = 'another-mill' and status = 'pending'").await, 1);
    assert_eq!(role_of(&test, own).await.as_deref(), Some("owner"));
    assert_eq!(mill.get("/vendor/orders").await.status, StatusCode::FORBIDDEN);
    while jobs::drain(&test.app).await.expect("jobs run") > 0 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_owners_who_take_the_role_from_each_other_at_once_leave_one() {
    let (test, world) = TestApp::new().await;
    let pool = &test.app.pool;
    let first = world.vendors["mill"].owner;
    let second = member(pool, &world, "mill", "olga", "owner").await;
    for round in 0..8 {
        let (mut mill, mut olga) = (test.customer("mill").await, test.customer("olga").await);
        let (path_to_first, path_to_second) = match round % 2 {
            0 => (format!("{TEAM}/{first}"), format!("{TEAM}/{second}")),
            _ => (format!("{TEAM}/leave"), format!("{TEAM}/leave")),
        };
        let form = [("role", "manager")];
        let (a, b) = tokio::join!(mill.post_form(&path_to_second, &form), olga.post_form(&path_to_first, &form));
        let done = [a.status, b.status].iter().filter(|s| **s == StatusCode::SEE_OTHER).count();
        assert_eq!(done, 1, "{} {}", a.status, b.status);
        assert_eq!(
            count(&test.app, "select count(*) from vendor_members m join vendors v on v.id = m.vendor_id where slug = 'mill' and role = 'owner'").await,
            1
        );
        for user in [first, second] {
            sqlx::query(
                "insert into vendor_members (user_id, vendor_id, role) values ($1, $2, 'owner')
                 on conflict (user_id) do update set role = 'owner'",
            )
            .bind(user)
            .bind(world.vendors["mill"].id)
            .execute(pool)
            .await
            .expect("both again");
        }
    }
    while jobs::drain(&test.app).await.expect("jobs run") > 0 {}
}

#[tokio::test]
async fn the_timeline_names_who_acted_to_the_team_and_the_operator_and_to_nobody_else() {
    let (test, world) = TestApp::with_services().await;
    let pool = &test.app.pool;
    let fred = member(pool, &world, "mill", "fred", "fulfiller").await;
    member(pool, &world, "mill", "mina", "manager").await;
    let order = paid(&test, Some(world.people["ada"]), &[("MILL-PLAIN", 2), ("KILN-PLAIN", 1)]).await;
    let (parcel, lines) = parcel_of(&test, &order, "mill").await;
    let line = format!("lines[{}]", lines[0]);
    let path = format!("/vendor/orders/{parcel}");
    let mut his = test.customer("fred").await;
    let answer = his.post_form(&format!("{path}/shipments"), &[(&line, "2"), ("carrier", "DPD")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let seen = his.get(&path).await;
    assert!(!seen.text().contains("What you get") && !seen.text().contains("Give money back"), "{}", seen.text());
    let mut hers = test.customer("mina").await;
    let back = format!("back[{}]", lines[0]);
    let answer =
        hers.post_form(&format!("{path}/refunds"), &[(&back, "1"), (&format!("reason[{parcel}]"), "One was chipped")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    // Who has left is still named.
    test.vendor("mill").await.post_form(&format!("{TEAM}/{fred}/remove"), &[]).await;
    while jobs::drain(&test.app).await.expect("jobs run") > 0 {}

    let story = hers.get(&path).await.texts(".order-history li").join("\n");
    assert!(story.contains("Parcel sent , by Fred") || story.contains("Parcel sent, by Fred"), "{story}");
    assert!(story.contains("by Mina"), "{story}");
    assert!(!story.contains("Ada"), "the shopper is none of the team: {story}");
    let json = hers.call(Method::GET, &format!("/api/v1/vendor/orders/{parcel}"), None, &[]).await.json();
    let named: Vec<_> = json["timeline"].as_array().expect("facts").iter().filter(|e| e["kind"] == "shipped").collect();
    assert_eq!((named.len(), &named[0]["actor"]), (1, &json!("Fred")), "{json}");

    let operator = test.operator().await.get(&format!("/operator/orders/{}", order.id)).await.text();
    assert!(operator.contains("by Fred") && operator.contains("by Mina"), "{operator}");
    let mut ada = test.customer("ada").await;
    let page = ada.get(&format!("/orders/{}", order.id)).await.text();
    assert!(page.contains("The mill sent a parcel") && !page.contains("Fred") && !page.contains("Mina"), "{page}");
    let json = ada.call(Method::GET, &format!("/api/v1/orders/{}", order.id), None, &[]).await.body;
    assert!(!json.contains("Fred") && !json.contains("Mina"), "{json}");
    // The other shop of the order reads of its own parcel and of nobody of the mill.
    let (parcel, _) = parcel_of(&test, &order, "kiln").await;
    let page = test.vendor("kiln").await.get(&format!("/vendor/orders/{parcel}")).await.text();
    assert!(!page.contains("Fred") && !page.contains("Mina"), "{page}");
    assert_laws_hold(&test.app).await;
}
