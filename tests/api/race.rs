//! Many people want the same few things at the same moment.

use crate::support::{Card, TestApp, World};
use axum::extract::FromRequestParts;
use souk::{
    accounts::AddressForm,
    cart,
    checkout::{CheckoutRequest, Placed, place},
    error::{AppError, FieldErrors, Refusal},
    payments,
    server::{auth::MaybeCustomer, token::Token},
};
use sqlx::Row;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Someone without an account, as an extractor finds them.
async fn nobody(test: &TestApp) -> MaybeCustomer {
    let (mut parts, ()) = http::Request::new(()).into_parts();
    MaybeCustomer::from_request_parts(&mut parts, &test.app).await.expect("a guest")
}

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
        expected_total_minor: None,
        lines: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_people_want_ten_things_and_ten_get_one() {
    let (test, world) = TestApp::new().await;
    let mut buyers = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let token = cart_with(&test, &world, "MILL-SMALL", 1).await;
        let (app, who, request) = (test.app.clone(), nobody(&test).await, request(&test, Uuid::new_v4()).await);
        buyers.spawn(async move { place(&app, &who, Some(&token), request).await });
    }
    let (mut made, mut sold_out) = (0, 0);
    while let Some(outcome) = buyers.join_next().await {
        match outcome.expect("a buyer") {
            Ok(Placed { .. }) => made += 1,
            Err(AppError::Conflict(Refusal::SoldOut { left: 0, .. })) => sold_out += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!((made, sold_out), (10, 90));
    let row = sqlx::query(
        "select s.on_hand, s.held, (select count(*) from orders where status = 'pending') as orders,
                (select sum(quantity)::int from stock_holds where variant_id = s.variant_id and state = 'held') as holds
         from stock s where variant_id = $1",
    )
    .bind(world.variant("MILL-SMALL"))
    .fetch_one(&test.app.pool)
    .await
    .expect("the stock");
    let number = |name: &str| row.get::<i32, _>(name);
    assert_eq!((number("on_hand"), number("held"), number("holds"), row.get::<i64, _>("orders")), (10, 10, 10, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_people_at_the_checkout_ten_pay_and_every_hold_is_accounted_for() {
    let (test, world) = TestApp::with_services().await;
    let mut buyers = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let token = cart_with(&test, &world, "MILL-SMALL", 1).await;
        let (app, who, request) = (test.app.clone(), nobody(&test).await, request(&test, Uuid::new_v4()).await);
        buyers.spawn(async move {
            let placed = place(&app, &who, Some(&token), request).await?;
            let page = payments::open(&app, placed.order_id).await?;
            Ok::<_, AppError>((placed, page))
        });
    }
    let mut paying = Vec::new();
    while let Some(outcome) = buyers.join_next().await {
        match outcome.expect("a buyer") {
            Ok(made) => paying.push(made),
            Err(AppError::Conflict(Refusal::SoldOut { .. })) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(paying.len(), 10);
    for (placed, page) in &paying {
        test.services().pay(page, Card::Good).await;
        payments::settle_order(&test.app, placed.order_id).await.expect("settled");
    }
    let row = sqlx::query(
        "select s.on_hand, s.held, (select count(*) from orders where status = 'placed' and payment_status = 'paid') as paid,
                (select count(*) from orders) as orders,
                (select count(*) from stock_holds where state = 'taken') as taken, (select count(*) from stock_holds) as holds,
                (select count(*) from cart_lines) as lines
         from stock s where variant_id = $1",
    )
    .bind(world.variant("MILL-SMALL"))
    .fetch_one(&test.app.pool)
    .await
    .expect("the stock");
    let counts = ["paid", "orders", "taken", "holds", "lines"].map(|name| row.get::<i64, _>(name));
    assert_eq!(counts, [10, 10, 10, 10, 90]);
    assert_eq!((row.get::<i32, _>("on_hand"), row.get::<i32, _>("held")), (0, 0));
    while souk::server::jobs::drain(&test.app).await.expect("jobs run") > 0 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_form_sent_ten_times_at_once_is_one_order() {
    let (test, world) = TestApp::new().await;
    let token = cart_with(&test, &world, "KILN-PLAIN", 3).await;
    let key = Uuid::new_v4();
    let mut presses = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (app, who, request, token) = (test.app.clone(), nobody(&test).await, request(&test, key).await, token.clone());
        presses.spawn(async move { place(&app, &who, Some(&token), request).await });
    }
    let mut orders = std::collections::HashSet::new();
    while let Some(outcome) = presses.join_next().await {
        let placed = outcome.expect("a press").expect("an order");
        orders.insert((placed.order_id, placed.number, placed.token.to_string()));
    }
    assert_eq!(orders.len(), 1);
    let held: i32 = sqlx::query_scalar("select held from stock where variant_id = $1")
        .bind(world.variant("KILN-PLAIN"))
        .fetch_one(&test.app.pool)
        .await
        .expect("the stock");
    assert_eq!(held, 3);
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
        let (app, who) = (test.app.clone(), nobody(&test).await);
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
    let held: i64 = sqlx::query_scalar("select sum(held)::bigint from stock").fetch_one(&test.app.pool).await.expect("held");
    assert_eq!(held, 90);
}
