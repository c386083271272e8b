//! Many at the same moment: nothing is sold twice, nothing is paid twice, every hold is accounted for.

use crate::support::{
    Card, TestApp, World,
    purchase::{assert_laws_hold, count, order, standing, stock},
};
use souk::{
    accounts::AddressForm,
    cart,
    checkout::{CheckoutRequest, place},
    error::{AppError, FieldErrors, Refusal},
    payments,
    server::{auth::MaybeCustomer, jobs, token::Token},
};
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// A guest's cart with this much of one SKU.
async fn cart_with(test: &TestApp, world: &World, sku: &str, quantity: i32) -> Token {
    let token = Token::random();
    let cart = Uuid::now_v7();
    sqlx::query("insert into carts (id, token_hash) values ($1, $2)")
        .bind(cart)
        .bind(token.hash())
        .execute(&test.app.pool)
        .await
        .expect("a cart");
    sqlx::query("insert into cart_lines (id, cart_id, variant_id, quantity, seen_price_minor) select $1, $2, id, $4, price_minor from variants where id = $3")
        .bind(Uuid::now_v7())
        .bind(cart)
        .bind(world.variant(sku))
        .bind(quantity)
        .execute(&test.app.pool)
        .await
        .expect("a line");
    token
}

async fn request(test: &TestApp, key: Uuid) -> CheckoutRequest {
    let countries = souk::accounts::queries::countries(&test.app.pool).await.expect("countries");
    let typed = AddressForm {
        name: "Grace Guest".into(),
        line1: "1 Harbour Row".into(),
        line2: String::new(),
        city: "Hull".into(),
        postal_code: "HU1 1AA".into(),
        country: "GB".into(),
    };
    CheckoutRequest {
        key,
        email: "grace@example.com".parse().expect("an address"),
        address: typed.parse(&countries, &mut FieldErrors::default()).expect("an address"),
        shipping: BTreeMap::new(),
        coupon: None,
        expected_total_minor: None,
        lines: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_people_who_want_ten_things_ten_pay_and_every_hold_is_accounted_for() {
    let (test, world) = TestApp::with_services().await;
    let test = Arc::new(test);
    let mut buyers = tokio::task::JoinSet::new();
    for _ in 0..100 {
        // MILL-SMALL has 10 units
        let token = cart_with(&test, &world, "MILL-SMALL", 1).await;
        let (test, who, request) = (test.clone(), MaybeCustomer::guest(), request(&test, Uuid::new_v4()).await);
        buyers.spawn(async move {
            let placed = place(&test.app, &who, Some(&token), request).await?;
            let page = payments::open(&test.app, placed.order_id).await?;
            test.services().pay(&page, Card::Good).await;
            payments::settle_order(&test.app, placed.order_id).await.expect("settled");
            Ok::<_, AppError>(())
        });
    }
    let (mut bought, mut sold_out) = (0, 0);
    while let Some(outcome) = buyers.join_next().await {
        match outcome.expect("a buyer") {
            Ok(()) => bought += 1,
            Err(AppError::Conflict(Refusal::SoldOut { left: 0, .. })) => sold_out += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((bought, sold_out), (10, 90));
    // The webhooks of the ten arrive too, and find everything done.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    while jobs::drain(&test.app).await.expect("the jobs run") > 0 {}
    assert_eq!(stock(&test.app, "MILL-SMALL").await, (0, 0));
    for (sql, number) in [
        ("select count(*) from orders", 10),
        ("select count(*) from orders where status = 'placed' and payment_status = 'paid'", 10),
        ("select count(*) from payments", 10),
        ("select count(*) from payments where state = 'paid'", 10),
        ("select count(*) from refunds", 0),
        ("select count(*) from stock_holds", 10),
        ("select count(*) from stock_holds where state = 'taken'", 10),
        ("select count(*) from order_events where kind = 'paid'", 10),
        ("select count(*) from cart_lines", 90),
    ] {
        assert_eq!(count(&test.app, sql).await, number, "{sql}");
    }
    assert_laws_hold(&test.app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_form_sent_ten_times_at_once_is_one_order() {
    let (test, world) = TestApp::new().await;
    let token = cart_with(&test, &world, "KILN-PLAIN", 3).await;
    let key = Uuid::new_v4();
    let mut presses = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (app, who, request, token) = (test.app.clone(), MaybeCustomer::guest(), request(&test, key).await, token.clone());
        presses.spawn(async move { place(&app, &who, Some(&token), request).await });
    }
    let mut orders = std::collections::HashSet::new();
    while let Some(outcome) = presses.join_next().await {
        let placed = outcome.expect("a press").expect("an order");
        orders.insert((placed.order_id, placed.number, placed.token.to_string()));
    }
    assert_eq!(orders.len(), 1);
    assert_eq!(stock(&test.app, "KILN-PLAIN").await, (100, 3));
    assert_laws_hold(&test.app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn carts_with_the_same_things_in_another_order_never_wait_in_a_circle() {
    let (test, world) = TestApp::new().await;
    let skus = ["MILL-PLAIN", "KILN-PLAIN", "ORCHARD-PLAIN"];
    let mut buyers = tokio::task::JoinSet::new();
    for n in 0..30 {
        let token = cart_with(&test, &world, skus[n % 3], 1).await;
        for other in [skus[(n + 1) % 3], skus[(n + 2) % 3]] {
            sqlx::query(
                "insert into cart_lines (id, cart_id, variant_id, quantity, seen_price_minor)
                 select $1, c.id, a.id, 1, a.price_minor from carts c, variants a where c.token_hash = $2 and a.id = $3",
            )
            .bind(Uuid::now_v7())
            .bind(token.hash())
            .bind(world.variant(other))
            .execute(&test.app.pool)
            .await
            .expect("a line");
        }
        let (app, who) = (test.app.clone(), MaybeCustomer::guest());
        let (first, second) = (request(&test, Uuid::new_v4()).await, request(&test, Uuid::new_v4()).await);
        buyers.spawn(async move {
            place(&app, &who, Some(&token), first).await?;
            // the second one takes the place of the first, which gives its stock back in the same transaction
            place(&app, &who, Some(&token), second).await?;
            cart::count(&app, &who, Some(&token)).await
        });
    }
    while let Some(outcome) = buyers.join_next().await {
        assert_eq!(outcome.expect("a buyer").expect("two orders"), 3);
    }
    assert_eq!(count(&test.app, "select sum(held)::bigint from stock").await, 90);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn webhook_return_and_sweeper_at_once_settle_once() {
    let (test, _) = TestApp::with_services().await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1), ("KILN-PLAIN", 2)]).await.expect("stock");
    let page = payments::open(&test.app, unpaid.id).await.expect("a page");
    test.services().pay(&page, Card::Good).await;
    let session: String =
        sqlx::query_scalar("select stripe_session_id from payments").fetch_one(&test.app.pool).await.expect("a session");
    let by_return = futures::future::join_all((0..4).map(|_| payments::settle_order(&test.app, unpaid.id)));
    let by_webhook = futures::future::join_all((0..3).map(|_| payments::settle_session(&test.app, &session)));
    let (returned, hooked, swept) = tokio::join!(by_return, by_webhook, payments::sweep(&test.app));
    assert!(returned.iter().all(Result::is_ok) && hooked.iter().all(Result::is_ok) && swept.is_ok());
    assert_eq!(standing(&test.app, unpaid.id).await.0, "placed");
    assert_eq!(count(&test.app, "select count(*) from order_events where kind = 'paid'").await, 1);
    assert_eq!(count(&test.app, "select count(*) from outbox where subject like 'Order % is paid'").await, 1);
    assert_eq!(stock(&test.app, "KILN-PLAIN").await, (98, 0));
}

#[tokio::test]
async fn several_sweepers_expire_each_order_once() {
    let (test, _) = TestApp::with_services().await;
    for _ in 0..6 {
        order(&test.app, None, &[("MILL-SMALL", 1)]).await.expect("stock");
    }
    sqlx::query("update orders set hold_expires_at = now() - interval '1 second'").execute(&test.app.pool).await.expect("over");
    let swept = futures::future::join_all((0..4).map(|_| payments::sweep(&test.app))).await;
    assert!(swept.iter().all(Result::is_ok));
    assert_eq!(count(&test.app, "select count(*) from order_events where kind = 'expired'").await, 6);
    assert_eq!(stock(&test.app, "MILL-SMALL").await, (10, 0));
    assert_laws_hold(&test.app).await;
}

/// A rush for a thing of which pieces stand aside: orders of one and of several, more than there is.
#[tokio::test]
async fn what_stands_aside_is_sold_once_and_to_the_last_piece() {
    let (test, world) = TestApp::new().await;
    let (test, variant) = (Arc::new(test), world.variant("KILN-PLAIN"));
    sqlx::query("update stock set on_hand = 90 where variant_id = $1")
        .bind(variant)
        .execute(&test.app.pool)
        .await
        .expect("stock");
    sqlx::query("select set_pieces_aside($1, 40)").bind(variant).execute(&test.app.pool).await.expect("set aside");
    assert_eq!(stock(&test.app, "KILN-PLAIN").await, (90, 40));
    assert_laws_hold(&test.app).await;
    let shown = test.guest().get("/api/v1/products/kiln-plain").await;
    assert_eq!(shown.json()["variants"][0]["available"], 90, "what stands aside can be bought");

    let mut buyers = Vec::new();
    for number in 0..50 {
        let (test, token) = (test.clone(), cart_with(&test, &world, "KILN-PLAIN", 1 + number % 3).await);
        buyers.push(tokio::spawn(async move {
            let wanted = request(&test, Uuid::now_v7()).await;
            place(&test.app, &MaybeCustomer::guest(), Some(&token), wanted).await
        }));
    }
    let (mut placed, mut refused) = (0, 0);
    for buyer in buyers {
        match buyer.await.expect("it ends") {
            Ok(_) => placed += 1,
            Err(AppError::Conflict(Refusal::SoldOut { .. })) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(placed >= 30 && refused > 0, "{placed} of 50, {refused} refused");
    assert_laws_hold(&test.app).await;
    souk::checkout::rush::sweep(&test.app).await.expect("put back");
    let held = count(&test.app, "select sum(quantity)::bigint from stock_holds where state = 'held'").await;
    assert_eq!(stock(&test.app, "KILN-PLAIN").await, (90, i32::try_from(held).expect("few")));
    assert!(held >= 88, "{held} of 90 were sold: what is left is less than the smallest order that was refused");
    assert_laws_hold(&test.app).await;
}

/// Its vendor may count anew what stands aside, and a large order finds it.
#[tokio::test]
async fn what_stands_aside_goes_back_to_who_needs_it() {
    let (test, world) = TestApp::new().await;
    let variant = world.variant("KILN-PLAIN");
    let aside = || async {
        sqlx::query("update stock set on_hand = 100 where variant_id = $1")
            .bind(variant)
            .execute(&test.app.pool)
            .await
            .expect("stock");
        sqlx::query("select set_pieces_aside($1, 40)").bind(variant).execute(&test.app.pool).await.expect("set aside");
    };
    aside().await;
    let token = cart_with(&test, &world, "KILN-PLAIN", 80).await;
    place(&test.app, &MaybeCustomer::guest(), Some(&token), request(&test, Uuid::now_v7()).await).await.expect("80 of 100");
    assert_eq!(stock(&test.app, "KILN-PLAIN").await, (100, 80));
    aside().await;
    assert_eq!(stock(&test.app, "KILN-PLAIN").await, (100, 80), "too few are left to set any aside");
    assert_laws_hold(&test.app).await;
}
