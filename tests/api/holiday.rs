//! A shop on holiday: who may send it there, what can be bought meanwhile (nothing of it), what is said instead, and that the calendar
//! alone changes the pages that are kept.

use crate::{
    rest::problem,
    support::{
        Answer, Client, TestApp, World, checkout_form,
        purchase::{assert_laws_hold, count, order, paid, parcel_of, pay},
    },
    team::member,
};
use http::{Method, StatusCode};
use serde_json::json;
use souk::server::{cache, jobs};
use std::time::Duration;
use time::{Date, OffsetDateTime};
use tokio_util::sync::CancellationToken;

const HOLIDAY: &str = "/vendor/shop/holiday";
const PRODUCT: &str = "/products/mill-plain";

fn day(from_today: i64) -> Date {
    OffsetDateTime::now_utc().date() + time::Duration::days(from_today)
}

fn words(day: Date) -> String {
    format!("{} {} {}", day.day(), day.month(), day.year())
}

async fn away(test: &TestApp, from: i64, until: i64) {
    let (from, until) = (day(from).to_string(), day(until).to_string());
    let form = [
        ("holiday_from", from.as_str()),
        ("holiday_until", &until),
        ("holiday_message", "We are walking the coast.\n\nBe well."),
    ];
    let answer = test.vendor("mill").await.post_form(HOLIDAY, &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
}

async fn back(test: &TestApp) {
    let answer = test.vendor("mill").await.post_form(HOLIDAY, &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
}

async fn put(client: &mut Client, world: &World, sku: &str) -> Answer {
    client.post_form("/cart/items", &[("variant_id", &world.variant(sku).to_string()), ("quantity", "1")]).await
}

#[tokio::test]
async fn only_a_manager_sends_the_shop_on_holiday_and_with_sense() {
    let (test, world) = TestApp::new().await;
    member(&test.app.pool, &world, "mill", "fred", "fulfiller").await;
    let (today, next) = (day(0).to_string(), day(7).to_string());
    let form = [("holiday_from", today.as_str()), ("holiday_until", &next)];
    for name in ["fred", "ada"] {
        assert_eq!(test.customer(name).await.post_form(HOLIDAY, &form).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(count(&test.app, "select count(*) from vendors where holiday_from is not null").await, 0);

    let mut mill = test.vendor("mill").await;
    let wrong = [("holiday_from", next.as_str()), ("holiday_until", today.as_str()), ("holiday_message", "We are away.")];
    let answer = mill.post_form(HOLIDAY, &wrong).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.attribute("input[name=holiday_from]", "value"), Some(next.clone()), "what was typed is kept");
    assert_eq!(answer.texts("textarea[name=holiday_message]"), ["We are away."]);
    assert!(answer.texts(".field-error").contains(&"Not before the first day".to_owned()));
    let long = "x".repeat(501);
    assert_eq!(mill.post_form(HOLIDAY, &[("holiday_message", &long)]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    for statement in [
        "update vendors set holiday_from = '2026-01-02', holiday_until = null",
        "update vendors set holiday_from = '2026-01-02', holiday_until = '2026-01-01'",
        "update vendors set holiday_from = '2026-01-02', holiday_until = '2028-01-01'",
    ] {
        let error = sqlx::query(statement).execute(&test.app.pool).await.expect_err(statement);
        assert_eq!(error.as_database_error().and_then(|e| e.constraint()), Some("vendors_holiday_days"), "{statement}");
    }

    assert_eq!(mill.post_form(HOLIDAY, &form).await.status, StatusCode::SEE_OTHER);
    let page = mill.get("/vendor/shop").await;
    assert_eq!(page.attribute("input[name=holiday_until]", "value"), Some(next.clone()));
    assert!(page.text().contains(&format!("Your goods can be bought again after {}.", words(day(7)))), "{}", page.text());
    assert!(test.customer("fred").await.get("/vendor").await.text().contains("You are on holiday"));
}

#[tokio::test]
async fn meanwhile_its_goods_are_shown_and_not_sold() {
    let (test, world) = TestApp::with_services().await;
    // Before it: one paid, one waiting to be paid, one in a cart.
    let sold = paid(&test, None, &[("MILL-PLAIN", 1)]).await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("an order");
    let mut guest = test.guest();
    for sku in ["MILL-PLAIN", "KILN-PLAIN"] {
        assert_eq!(put(&mut guest, &world, sku).await.status, StatusCode::SEE_OTHER);
    }
    let shown = guest.get("/checkout").await;
    away(&test, 0, 7).await;
    let sentence = format!("The mill is on holiday until {}. Its goods can be bought again after that.", words(day(7)));

    // Its pages.
    let page = test.guest().get(PRODUCT).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains(&sentence) && page.text().contains("We are walking the coast."), "{}", page.text());
    assert!(
        page.attribute("form[action='/cart/items']", "action").is_none() && page.text().contains("£10.00"),
        "shown, not sold"
    );
    assert!(test.guest().get("/vendors/mill").await.text().contains(&sentence));
    let other = test.guest().get("/products/kiln-plain").await;
    assert!(other.attribute("form[action='/cart/items']", "action").is_some() && !other.text().contains("on holiday"));

    // Into a cart: by form, by island, by program.
    let answer = put(&mut test.guest(), &world, "MILL-PLAIN").await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text().contains(&sentence), "{}", answer.text());
    let variant = world.variant("MILL-PLAIN");
    let answer = test.guest().call_function("/sf/add_to_cart", format!("variant={variant}&quantity=1")).await;
    assert!(answer.status == StatusCode::BAD_REQUEST && answer.body.contains(&sentence), "{} {}", answer.status, answer.body);
    let body = json!({ "variant_id": variant, "quantity": 1 });
    let answer = test.guest().call(Method::POST, "/api/v1/cart/items", Some(&body), &[]).await;
    assert_eq!(problem(&answer, StatusCode::CONFLICT, "on-holiday")["detail"], sentence);

    // What is in one: the line says why and until when, and is not counted; more of it cannot be had.
    let cart = guest.get("/cart").await;
    assert!(cart.text().contains(&sentence), "{}", cart.text());
    let json = guest.call(Method::GET, "/api/v1/cart", None, &[]).await.json();
    let line = json["items"].as_array().expect("lines").iter().find(|l| l["sku"] == "MILL-PLAIN").expect("the line").clone();
    assert_eq!(line["problem"], json!({ "type": "on-holiday", "blocks": true, "until": day(7).to_string() }), "{json}");
    let path = format!("/api/v1/cart/items/{}", line["id"].as_str().expect("an id"));
    let answer = guest.call(Method::PATCH, &path, Some(&json!({ "quantity": 2 })), &[]).await;
    problem(&answer, StatusCode::CONFLICT, "on-holiday");

    // At the checkout: refused in the same words to who had seen it as theirs, left out for who comes now.
    let form = checkout_form(&shown);
    let fields: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = guest.post_form("/checkout", &fields).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text());
    assert!(answer.text().contains(&sentence), "{}", answer.text());
    let address = json!({ "name": "Grace Guest", "line1": "1 Harbour Row", "line2": null, "city": "Hull", "postal_code": "HU1 1AA", "country": "GB" });
    let body = json!({ "email": "grace@example.com", "shipping_address": address });
    let answer = guest.call(Method::POST, "/api/v1/checkout", Some(&body), &[]).await;
    assert_eq!(problem(&answer, StatusCode::CONFLICT, "on-holiday")["detail"], sentence);
    let now = guest.get("/checkout").await;
    assert!(now.text().contains("Not in this order: The mill's plain bowl."), "{}", now.text());
    let form = checkout_form(&now);
    let fields: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = guest.post_form("/checkout", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "the kiln's is sold: {}", answer.text());
    assert_eq!(count(&test.app, "select count(*) from vendor_orders where vendor_slug = 'mill'").await, 2);

    // What was ordered before goes its way: paid, shipped.
    pay(&test, &unpaid).await;
    let (parcel, lines) = parcel_of(&test, &sold, "mill").await;
    let fields = [(format!("lines[{}]", lines[0]), "1".to_owned()), ("carrier".to_owned(), "DPD".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = test.vendor("mill").await.post_form(&format!("/vendor/orders/{parcel}/shipments"), &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());

    // Back again; and a holiday to come stops nobody yet.
    for ended in [true, false] {
        if ended {
            back(&test).await
        } else {
            away(&test, 1, 7).await
        }
        assert!(!test.guest().get(PRODUCT).await.text().contains("on holiday"));
        assert_eq!(put(&mut test.guest(), &world, "MILL-PLAIN").await.status, StatusCode::SEE_OTHER);
    }
    assert!(test.vendor("mill").await.get("/vendor").await.text().contains("you are on holiday then"));
    while jobs::drain(&test.app).await.expect("jobs run") > 0 {}
    assert_laws_hold(&test.app).await;
}

/// The same page again until it is as wanted: at once on a quiet machine, and never long.
async fn becomes(client: &mut Client, path: &str, away: bool) {
    for _ in 0..500 {
        if client.get(path).await.text().contains("is on holiday until") == away {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{path} stays as it was");
}

#[tokio::test]
async fn kept_pages_follow_the_form_and_the_calendar() {
    let (test, _) = TestApp::new().await;
    let stop = CancellationToken::new();
    tokio::spawn(cache::listen(test.app.clone(), stop.clone()));
    let _stop = stop.drop_guard();
    for _ in 0..200 {
        if test.app.pages.listening() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut guest = test.guest();
    let both = async |guest: &mut Client, away: bool| {
        for path in [PRODUCT, "/vendors/mill"] {
            becomes(guest, path, away).await;
        }
    };
    both(&mut guest, false).await;
    away(&test, 0, 3).await;
    both(&mut guest, true).await;
    back(&test).await;
    both(&mut guest, false).await;

    // The days move towards a holiday and past it; nobody writes anything but the calendar.
    let moved = async |days: i32| {
        let mut tx = test.app.pool.begin().await.expect("a transaction");
        sqlx::query("set local session_replication_role = replica").execute(&mut *tx).await.expect("nobody is told");
        sqlx::query(
            "update vendors set holiday_from = holiday_from - $1, holiday_until = holiday_until - $1 where slug = 'mill'",
        )
        .bind(days)
        .execute(&mut *tx)
        .await
        .expect("the days move");
        tx.commit().await.expect("moved");
    };
    away(&test, 1, 2).await;
    both(&mut guest, false).await;
    for (days, away) in [(1, true), (1, true), (1, false)] {
        moved(days).await;
        jobs::sweep(&test.app).await;
        both(&mut guest, away).await;
    }
    while jobs::drain(&test.app).await.expect("jobs run") > 0 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_holiday_that_is_saved_while_people_check_out_makes_whole_orders_or_none() {
    let (test, world) = TestApp::with_services().await;
    let mut buyers = Vec::new();
    for _ in 0..24 {
        let mut guest = test.guest();
        for sku in ["MILL-PLAIN", "KILN-PLAIN"] {
            assert_eq!(put(&mut guest, &world, sku).await.status, StatusCode::SEE_OTHER);
        }
        let form = checkout_form(&guest.get("/checkout").await);
        buyers.push((guest, form));
    }
    let mut running = tokio::task::JoinSet::new();
    for (n, (mut guest, form)) in buyers.into_iter().enumerate() {
        running.spawn(async move {
            tokio::time::sleep(Duration::from_millis(n as u64 * 4)).await;
            let fields: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            guest.post_form("/checkout", &fields).await
        });
    }
    tokio::time::sleep(Duration::from_millis(60)).await;
    away(&test, 0, 7).await;
    let (mut placed, mut refused) = (0, 0);
    while let Some(answer) = running.join_next().await {
        let answer = answer.expect("a buyer");
        match answer.status {
            StatusCode::SEE_OTHER => placed += 1,
            StatusCode::CONFLICT => {
                assert!(answer.text().contains("The mill is on holiday until"), "{}", answer.text());
                refused += 1;
            }
            other => panic!("{other}: {}", answer.text()),
        }
    }
    assert_eq!(placed + refused, 24);
    assert_eq!(count(&test.app, "select count(*) from orders").await, placed);
    assert_eq!(count(&test.app, "select count(*) from vendor_orders where vendor_slug = 'mill'").await, placed);
    assert_eq!(count(&test.app, "select sum(held)::bigint from stock").await, placed * 2);
    assert_laws_hold(&test.app).await;
    while jobs::drain(&test.app).await.expect("jobs run") > 0 {}
}
