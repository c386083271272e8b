//! Many at once use a coupon that has a limit: never more than it allows.

use super::*;

async fn request(test: &TestApp, email: &str) -> CheckoutRequest {
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
        key: Uuid::new_v4(),
        email: email.parse().expect("an address"),
        address: typed.parse(&countries, &mut FieldErrors::default()).expect("an address"),
        shipping: BTreeMap::new(),
        coupon: Some("RUSH".parse().expect("a code")),
        expected_total_minor: None,
        lines: None,
    }
}

/// A guest's cart with one of this.
async fn cart_with(test: &TestApp, world: &World, sku: &str) -> Token {
    let (token, cart) = (Token::random(), Uuid::now_v7());
    sqlx::query("insert into carts (id, token_hash) values ($1, $2)")
        .bind(cart)
        .bind(token.hash())
        .execute(&test.app.pool)
        .await
        .expect("a cart");
    sqlx::query("insert into cart_lines (id, cart_id, variant_id, quantity, seen_price_minor) select $1, $2, id, 1, price_minor from variants where id = $3")
        .bind(Uuid::now_v7())
        .bind(cart)
        .bind(world.variant(sku))
        .execute(&test.app.pool)
        .await
        .expect("a line");
    token
}

/// Fifty at once, of different goods so that nobody waits for stock; some of them expire their orders meanwhile.
async fn rush(limit: (&str, &str), emails: &[&str]) -> (TestApp, usize) {
    let (test, world) = TestApp::new().await;
    let form = [("code", "rush"), ("name", "x"), ("percent", "10"), ("platform", "100"), limit];
    make(&mut test.operator().await, ALL, &form).await;
    let test = Arc::new(test);
    let mut buyers = tokio::task::JoinSet::new();
    for n in 0..50 {
        let token = cart_with(&test, &world, ["MILL-PLAIN", "KILN-PLAIN", "ORCHARD-PLAIN"][n % 3]).await;
        let email = emails.get(n % emails.len().max(1)).map_or_else(|| format!("buyer{n}@example.com"), |e| (*e).to_owned());
        let (test, request) = (test.clone(), request(&test, &email).await);
        buyers.spawn(async move { place(&test.app, &MaybeCustomer::guest(), Some(&token), request).await });
    }
    let mut placed = 0;
    while let Some(outcome) = buyers.join_next().await {
        match outcome.expect("a buyer") {
            Ok(_) => placed += 1,
            Err(AppError::Invalid(errors)) => {
                assert!(errors.get("coupon").is_some_and(|e| e.contains("as often as")), "{errors:?}")
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(count(&test.app, "select count(*) from orders").await, placed as i64);
    assert_eq!(count(&test.app, "select count(*) from coupon_claims where state = 'held'").await, placed as i64);
    assert_laws_hold(&test.app).await;
    (Arc::into_inner(test).expect("everybody is done"), placed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_at_once_ten_use_a_coupon_for_ten() {
    let (test, placed) = rush(("limit_total", "10"), &[]).await;
    assert_eq!(placed, 10);
    // Those who end and those who come do so at once, and nobody waits in a circle.
    let ending: Vec<Uuid> = sqlx::query_scalar("select id from orders").fetch_all(&test.app.pool).await.expect("orders");
    sqlx::query("update orders set hold_expires_at = now() - interval '1 second'").execute(&test.app.pool).await.expect("over");
    let world_skus = ["MILL-PLAIN", "KILN-PLAIN", "ORCHARD-PLAIN"];
    let test = Arc::new(test);
    let mut all = tokio::task::JoinSet::new();
    for n in 0..30 {
        let variant: Uuid = sqlx::query_scalar("select id from variants where sku = $1")
            .bind(world_skus[n % 3])
            .fetch_one(&test.app.pool)
            .await
            .expect("one");
        let (token, cart) = (Token::random(), Uuid::now_v7());
        sqlx::query(
            "with c as (insert into carts (id, token_hash) values ($1, $2))
                     insert into cart_lines (id, cart_id, variant_id, quantity, seen_price_minor) values ($3, $1, $4, 1, 1000)",
        )
        .bind(cart)
        .bind(token.hash())
        .bind(Uuid::now_v7())
        .bind(variant)
        .execute(&test.app.pool)
        .await
        .expect("a cart");
        let (test, request) = (test.clone(), request(&test, &format!("late{n}@example.com")).await);
        all.spawn(async move {
            match place(&test.app, &MaybeCustomer::guest(), Some(&token), request).await {
                Ok(_) | Err(AppError::Invalid(_)) => {}
                Err(other) => panic!("{other:?}"),
            }
        });
    }
    for _ in 0..3 {
        let test = test.clone();
        all.spawn(async move { payments::sweep(&test.app).await.expect("swept") });
    }
    while let Some(done) = all.join_next().await {
        done.expect("nobody failed");
    }
    let expired: i64 = sqlx::query_scalar("select count(*) from orders where status = 'expired'")
        .fetch_one(&test.app.pool)
        .await
        .expect("a count");
    assert_eq!(expired, ending.len() as i64);
    assert!(count(&test.app, "select used::bigint from coupons").await <= 10);
    assert_laws_hold(&test.app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_at_once_each_person_uses_a_coupon_twice() {
    let (test, placed) = rush(("limit_person", "2"), &["a@example.com", "b@example.com", "c@example.com"]).await;
    assert_eq!(placed, 6);
    assert_eq!(count(&test.app, "select max(used)::bigint from coupon_people").await, 2);
}
