//! The operator's desk, the way to become a vendor, and the pages that exist in development only.

use crate::support::{Client, TestApp};
use http::StatusCode;
use sqlx::PgPool;
use std::collections::BTreeSet;
use uuid::Uuid;

const PAGES: [&str; 14] = [
    "/operator",
    "/operator/vendors",
    "/operator/users",
    "/operator/orders",
    "/operator/commission",
    "/operator/ledger",
    "/operator/returns",
    "/operator/payouts",
    "/operator/reconciliation",
    "/operator/disputes",
    "/operator/documents",
    "/operator/audit",
    "/operator/jobs",
    "/operator/webhooks",
];

async fn apply(client: &mut Client, name: &str) {
    let form = [("name", name), ("slug", ""), ("country", "GB"), ("tagline", "Leaves"), ("description", "We grow tea.")];
    let answer = client.post_form("/account/vendor", &form).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/account/vendor"), "{}", answer.body);
}

async fn shop(pool: &PgPool, slug: &str) -> String {
    let id: Uuid = sqlx::query_scalar("select id from vendors where slug = $1").bind(slug).fetch_one(pool).await.expect("a shop");
    format!("/operator/vendors/{id}")
}

async fn mails(pool: &PgPool, to: &str) -> Vec<String> {
    sqlx::query_scalar("select subject from outbox where recipient = $1 order by created_at, id")
        .bind(to)
        .fetch_all(pool)
        .await
        .expect("mails")
}

#[tokio::test]
async fn someone_else_may_not() {
    let (test, world) = TestApp::new().await;
    sqlx::query("insert into webhook_events (id, kind, payload) values ('evt_1', 'charge.refunded', '{}')")
        .execute(&test.app.pool)
        .await
        .expect("an event");
    let vendor = format!("/operator/vendors/{}", world.vendors["mill"].id);
    let writes = [
        (vendor.as_str(), [("decision", "suspend"), ("reason", "because")]),
        ("/operator/jobs/1/retry", [("", ""); 2]),
        ("/operator/webhooks/evt_1/replay", [("", ""); 2]),
    ];
    for mut person in [test.customer("ada").await, test.vendor("mill").await] {
        for path in PAGES.into_iter().chain([vendor.as_str(), "/operator/webhooks/evt_1"]) {
            assert_eq!(person.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
        }
        for (path, form) in &writes {
            assert_eq!(person.post_form(path, form).await.status, StatusCode::FORBIDDEN, "{path}");
        }
    }
    let mut guest = test.guest();
    for path in PAGES {
        assert!(guest.get(path).await.location().starts_with("/sign-in?next=%2Foperator"), "{path}");
    }
    for (path, form) in &writes {
        assert_eq!(guest.post_form(path, form).await.location(), "/sign-in?next=%2Faccount", "{path}");
    }
    let status: String =
        sqlx::query_scalar("select status from vendors where slug = 'mill'").fetch_one(&test.app.pool).await.expect("a shop");
    assert_eq!(status, "approved");
}

#[tokio::test]
async fn an_application_is_approved_once_and_the_shop_can_ship() {
    let (test, _world) = TestApp::new().await;
    let (mut ada, mut operator) = (test.customer("ada").await, test.operator().await);
    apply(&mut ada, "Ada's Tea").await;
    assert!(ada.get("/account/vendor").await.text().contains("We are reading your application"));
    assert_eq!(ada.get("/vendor").await.status, StatusCode::FORBIDDEN, "not before it is approved");
    assert!(operator.get("/operator").await.text().contains("Ada's Tea"));
    let page = shop(&test.app.pool, "adas-tea").await;

    // Two operators decide at once: one decision holds, the other learns how it stands.
    let (mut one, mut two) = (operator.clone(), operator.clone());
    let (yes, no) = ([("decision", "approve")], [("decision", "refuse"), ("reason", "Too much tea")]);
    let (a, b) = tokio::join!(one.post_form(&page, &yes), two.post_form(&page, &no));
    let statuses = BTreeSet::from([a.status.as_u16(), b.status.as_u16()]);
    assert_eq!(statuses, BTreeSet::from([303, 409]));
    if b.status == StatusCode::SEE_OTHER {
        // refused this time: the way is open to apply again
        apply(&mut ada, "Ada's Tea").await;
        assert_eq!(operator.post_form(&page, &yes).await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(operator.post_form(&page, &yes).await.status, StatusCode::CONFLICT);
    assert!(mails(&test.app.pool, "ada@example.com").await.iter().any(|s| s == "Ada's Tea is open"));
    assert_eq!(ada.get("/vendor").await.status, StatusCode::OK);
    let methods: Vec<String> = sqlx::query_scalar(
        "select m.name from shipping_methods m join vendors v on v.id = m.vendor_id where v.slug = 'adas-tea'",
    )
    .fetch_all(&test.app.pool)
    .await
    .expect("methods");
    assert_eq!(methods, ["Standard"]);
    assert!(operator.get("/operator").await.text().contains("Nothing needs you now"));
}

#[tokio::test]
async fn a_refusal_has_a_reason_and_is_not_the_end() {
    let (test, _world) = TestApp::new().await;
    let (mut ada, mut operator) = (test.customer("ada").await, test.operator().await);
    apply(&mut ada, "Ada's Tea").await;
    let page = shop(&test.app.pool, "adas-tea").await;
    let none = operator.post_form(&page, &[("decision", "refuse"), ("reason", " ")]).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(none.texts(".field-error"), ["Please fill this in"]);
    let done = operator.post_form(&page, &[("decision", "refuse"), ("reason", "Please say where the tea grows.")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let seen = ada.get("/account/vendor").await;
    assert!(seen.text().contains("Please say where the tea grows."));
    assert_eq!(seen.attribute("input[name=name]", "value").as_deref(), Some("Ada's Tea"));
    apply(&mut ada, "Ada's Own Tea").await;
    assert!(operator.get("/operator").await.text().contains("Ada's Own Tea"));

    // A second application while one waits, and a slug that another shop has.
    apply(&mut ada, "Third Tea").await;
    assert_eq!(shop(&test.app.pool, "adas-own-tea").await, page);
    let form = [("name", "Bob's"), ("slug", "mill"), ("country", "GB"), ("tagline", ""), ("description", "")];
    let taken = test.customer("bob").await.post_form("/account/vendor", &form).await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(taken.texts(".field-error").len(), 1);
}

#[tokio::test]
async fn a_shop_is_closed_and_opened_again() {
    let (test, _world) = TestApp::new().await;
    let (mut mill, mut operator) = (test.vendor("mill").await, test.operator().await);
    let page = shop(&test.app.pool, "mill").await;
    for (form, status) in [
        (vec![("decision", "reinstate")], 409),
        (vec![("decision", "approve")], 409),
        (vec![("decision", "suspend"), ("reason", "")], 422),
        (vec![("decision", "explode")], 400),
        (vec![], 400),
        (vec![("decision", "suspend"), ("reason", "Parcels do not arrive.")], 303),
    ] {
        assert_eq!(operator.post_form(&page, &form).await.status.as_u16(), status, "{form:?}");
    }
    assert_eq!(mill.get("/vendor").await.status, StatusCode::FORBIDDEN);
    assert!(mill.get("/account/vendor").await.text().contains("Parcels do not arrive."));
    assert_eq!(operator.post_form(&page, &[("decision", "reinstate")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(mill.get("/vendor").await.status, StatusCode::OK);
    assert_eq!(mails(&test.app.pool, "mill@example.com").await, ["The mill is closed for now", "The mill is open again"]);
    let unknown = format!("/operator/vendors/{}", Uuid::now_v7());
    assert_eq!(operator.post_form(&unknown, &[("decision", "approve")]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_long_list_is_walked_without_gap_or_repeat() {
    let (test, _world) = TestApp::new().await;
    // Many at the very same moment, so that the id must break the tie.
    sqlx::query(
        "insert into users (id, handle, name, email, password_hash, created_at)
         select gen_random_uuid(), 'walker-' || n, 'Walker ' || n, 'walker' || n || '@example.com', 'x', '2026-01-01'
         from generate_series(1, 120) n",
    )
    .execute(&test.app.pool)
    .await
    .expect("people");
    let mut operator = test.operator().await;
    let mut seen = Vec::new();
    let mut next = Some("/operator/users?find=WALKER".to_owned());
    while let Some(path) = next {
        let page = operator.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        seen.extend(page.texts("tbody tr td:nth-child(2)"));
        next = page.attribute("a[rel=next]", "href");
        assert!(seen.len() <= 120);
    }
    assert_eq!(seen.len(), 120);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 120);
    // What stands for anything in a pattern stands for itself here.
    assert_eq!(operator.get("/operator/users?find=%25").await.texts("tbody tr").len(), 0);
    assert_eq!(operator.get("/operator/users?find=walker_").await.texts("tbody tr").len(), 0);
    assert_eq!(operator.get("/operator/users?find=ada%40").await.texts("tbody tr").len(), 1);
}

#[tokio::test]
async fn a_malformed_address_gets_an_answer_and_never_an_error_of_ours() {
    let test = TestApp::empty().await;
    crate::support::World::build(&test.app.pool).await;
    let mut operator = test.operator().await;
    for path in [
        "/operator/vendors?status=open",
        "/operator/vendors?after=x",
        "/operator/vendors?after=1.1",
        "/operator/vendors?nonsense=1",
        "/operator/users?find=%00",
        "/operator/users?after=9223372036854775807.00000000-0000-0000-0000-000000000000",
        "/operator/orders?find=abc",
        "/operator/orders?find=a%40b",
        "/operator/orders?status=x",
        "/operator/orders?payment=%00",
        "/operator/orders?find=99999999999999999999",
        "/operator/jobs?state=x",
        "/operator/jobs?after=x",
        "/operator/webhooks?after=1700000000000000.%00",
        "/operator/webhooks?state=%FF",
        "/operator/vendors/7",
        "/operator/orders/7",
        "/operator/webhooks/%00",
        "/operator/webhooks/evt_none",
        "/dev/mail?after=7",
        "/dev/mail/7",
    ] {
        let answer = operator.get(path).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
    }
    for path in ["/operator/jobs/x/retry", "/operator/webhooks/%00/replay", "/operator/webhooks/evt_none/replay"] {
        assert!(operator.post_form(path, &[]).await.status.is_client_error(), "{path}");
    }
}

#[tokio::test]
async fn failed_work_stands_in_the_inbox_and_is_tried_again() {
    let (test, _world) = TestApp::new().await;
    let pool = &test.app.pool;
    sqlx::query(
        "insert into jobs (kind, payload, state, attempts, last_error, finished_at) values
            ('send_mail', '{\"kind\": \"send_mail\", \"payload\": {\"mail\": \"00000000-0000-7000-8000-000000000000\"}}',
             'failed', 12, 'the server said <no>', now())",
    )
    .execute(pool)
    .await
    .expect("a job");
    sqlx::query("insert into webhook_events (id, kind, payload, state, last_error) values ('evt_1', 'charge.refunded', '{\"a\": \"<b>\"}', 'failed', 'odd')")
        .execute(pool)
        .await
        .expect("an event");
    let mut operator = test.operator().await;
    let inbox = operator.get("/operator").await.text();
    assert!(inbox.contains("the server said <no>") && inbox.contains("Charge refunded"), "{inbox}");

    let job: i64 = sqlx::query_scalar("select id from jobs").fetch_one(pool).await.expect("a job");
    assert_eq!(operator.post_form(&format!("/operator/jobs/{job}/retry"), &[]).await.location(), "/operator/jobs");
    let page = operator.get("/operator/jobs").await;
    assert!(page.text().contains("The job is tried again now."));
    let state: (String, i32) =
        sqlx::query_as("select state, attempts from jobs where id = $1").bind(job).fetch_one(pool).await.expect("a job");
    assert_eq!(state, ("queued".into(), 0));
    operator.post_form(&format!("/operator/jobs/{job}/retry"), &[]).await;
    assert!(operator.get("/operator/jobs").await.text().contains("That job does not wait for another try."));

    let event = operator.get("/operator/webhooks/evt_1").await;
    assert!(event.texts(".payload")[0].contains("<b>"));
    assert_eq!(operator.post_form("/operator/webhooks/evt_1/replay", &[]).await.location(), "/operator/webhooks/evt%5F1");
    let queued: i64 = sqlx::query_scalar("select count(*) from jobs where kind = 'handle_webhook' and state = 'queued'")
        .fetch_one(pool)
        .await
        .expect("a count");
    assert_eq!(queued, 1);
    assert_eq!(operator.get("/operator/webhooks?state=pending").await.texts("tbody tr").len(), 1);
    sqlx::query("delete from jobs").execute(pool).await.expect("the queue ends empty");
}

#[tokio::test]
async fn the_mailbox_is_for_development_without_mail() {
    let (test, _world) = TestApp::new().await;
    apply(&mut test.customer("ada").await, "Ada's Tea").await;
    let mut guest = test.guest();
    let list = guest.get("/dev/mail").await;
    assert_eq!(list.texts("tbody td:first-child"), ["We have your application"]);
    let letter = list.attribute("tbody a", "href").expect("a letter");
    let page = guest.get(&letter).await;
    assert!(page.attribute(".letter a", "href").expect("a link").ends_with("/account/vendor"));
    let html = guest.get(&page.attribute("iframe", "src").expect("the HTML part")).await;
    assert!(html.headers["content-security-policy"].to_str().expect("text").contains("sandbox"));

    let with_mail = TestApp::with(|config| config.smtp_url = Some("smtp://127.0.0.1:1".into())).await;
    let production = TestApp::with(|config| config.environment = souk::server::config::Environment::Production).await;
    for test in [&with_mail, &production] {
        for path in ["/dev/mail", letter.as_str(), "/dev/stripe"] {
            assert_eq!(test.guest().get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
    }
    // Without a sandbox there is nothing to control.
    assert_eq!(test.operator().await.get("/dev/stripe").await.status, StatusCode::NOT_FOUND);
}
