//! The checkout: from a cart to an order whose parts sum, whose stock is held, and which exists once.

use crate::support::{Answer, Client, TestApp, World, checkout_form as filled};
use http::StatusCode;
use sqlx::Row;
use std::collections::BTreeMap;

async fn put(person: &mut Client, world: &World, sku: &str, quantity: &str) {
    let variant = world.variant(sku).to_string();
    let answer = person.post_form("/cart/items", &[("variant_id", &variant), ("quantity", quantity)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{sku}: {}", answer.text());
}

/// One thing of each of the three vendors.
async fn three(person: &mut Client, world: &World) {
    put(person, world, "MILL-PLAIN", "2").await;
    put(person, world, "KILN-SMALL", "1").await;
    put(person, world, "ORCHARD-LAST", "1").await;
}

async fn send(person: &mut Client, path: &str, fields: &BTreeMap<String, String>) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    person.post_form(path, &fields).await
}

async fn count(test: &TestApp, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(&test.app.pool).await.expect("a number")
}

async fn run(test: &TestApp, statement: &'static str) {
    sqlx::query(statement).execute(&test.app.pool).await.expect("a statement");
}

#[tokio::test]
async fn someone_else_may_not_have_the_order_of_a_form() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    three(&mut guest, &world).await;
    let form = filled(&guest.get("/checkout").await);
    assert_eq!(send(&mut guest, "/checkout", &form).await.status, StatusCode::SEE_OTHER);
    // the same key from another browser, with a cart of its own, and from someone signed in
    for mut other in [test.guest(), test.customer("ada").await] {
        put(&mut other, &world, "MILL-PLAIN", "1").await;
        let mut theirs = filled(&other.get("/checkout").await);
        theirs.insert("checkout_key".into(), form["checkout_key"].clone());
        assert_eq!(send(&mut other, "/checkout", &theirs).await.status, StatusCode::NOT_FOUND);
        let other_entry = uuid::Uuid::now_v7().to_string();
        theirs.insert("address_id".into(), other_entry);
        assert_eq!(send(&mut other, "/checkout", &theirs).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(count(&test, "select count(*) from orders").await, 1);
}

#[tokio::test]
async fn a_guest_orders_from_three_vendors_and_everything_sums() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    three(&mut guest, &world).await;
    let page = guest.get("/checkout").await;
    assert_eq!(page.status, StatusCode::OK);
    // 2 × 10.00 + 12.50 + 7.77 + 3 × 3.95
    assert_eq!(page.texts("#pay"), ["Pay £52.12"]);
    assert_eq!(page.texts("#order-tax-label"), ["VAT included (20 %)"]);
    let mut form = filled(&page);
    form.insert("shipping-kiln".into(), "express".into());
    form.insert("country".into(), "DE".into());
    let page = send(&mut guest, "/checkout/update", &form).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.texts("#pay"), ["Pay £56.67"]);
    assert_eq!(page.texts("#order-tax-label"), ["VAT included (19 %)"]);
    let mut form = filled(&page);
    form.insert("country".into(), "DE".into());
    assert_eq!(form["shipping-kiln"], "express");

    let answer = send(&mut guest, "/checkout", &form).await;
    // no payment service in this test: the order is kept, and its own page is where to go on
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(answer.location().starts_with("/orders/"), "{}", answer.location());
    let order = sqlx::query("select * from orders").fetch_one(&test.app.pool).await.expect("one order");
    let amount = |name: &str| order.get::<i64, _>(name);
    assert_eq!((amount("items_minor"), amount("shipping_minor"), amount("total_minor")), (4027, 1640, 5667));
    // 5667 × 19 / 119 = 904.8
    assert_eq!(amount("tax_minor"), 905);
    assert_eq!(order.get::<String, _>("status"), "pending");
    assert_eq!(count(&test, "select sum(tax_minor)::bigint from vendor_orders").await, 905);
    assert_eq!(count(&test, "select count(*) from vendor_orders").await, 3);
    assert_eq!(count(&test, "select sum(held)::bigint from stock").await, 4);
    assert_eq!(count(&test, "select sum(quantity)::bigint from stock_holds where state = 'held'").await, 4);
    assert_eq!(count(&test, "select count(*) from order_events where kind = 'created'").await, 1);
    let line = sqlx::query("select title, sku, options, unit_price_minor, tax_rate_bp from order_lines where sku = 'KILN-SMALL'")
        .fetch_one(&test.app.pool)
        .await
        .expect("a line");
    assert_eq!(line.get::<String, _>("title"), "The kiln's choice bowl");
    assert_eq!(line.get::<serde_json::Value, _>("options"), serde_json::json!({ "Size": "Small" }));
    assert_eq!((line.get::<i64, _>("unit_price_minor"), line.get::<i32, _>("tax_rate_bp")), (1250, 1900));
    // not paid: the cart is as it was
    assert_eq!(guest.get("/cart").await.texts("#cart-items"), ["£40.27"]);
}

#[tokio::test]
async fn mistakes_are_told_at_the_field_and_above_and_nothing_typed_is_lost() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    three(&mut guest, &world).await;
    let mut form = filled(&guest.get("/checkout").await);
    form.insert("email".into(), "not an address".into());
    form.insert("city".into(), "".into());
    form.insert("country".into(), "ZZ".into());
    form.insert("shipping-mill".into(), "express".into());
    let page = send(&mut guest, "/checkout", &form).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(page.texts(".error-summary a").len(), 3);
    for field in ["email", "city", "country"] {
        assert_eq!(page.attribute(&format!("#f-{field}"), "aria-invalid").as_deref(), Some("true"), "{field}");
        assert!(page.attribute(&format!(".error-summary a[href='#f-{field}']"), "href").is_some(), "{field}");
    }
    assert_eq!(page.attribute("#f-email", "value").as_deref(), Some("not an address"));
    assert_eq!(page.attribute("#f-line1", "value").as_deref(), Some("1 Harbour Row"));
    assert!(page.attribute("input[name=shipping-mill][value=express]", "checked").is_some());
    assert_eq!(page.attribute("input[name=checkout_key]", "value").as_deref(), Some(form["checkout_key"].as_str()));

    let mut form = filled(&page);
    form.insert("shipping-mill".into(), "drone".into());
    let page = send(&mut guest, "/checkout", &form).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text().contains("Please choose one of the ways of shipping."));
    for (name, value) in [("checkout_key", "1"), ("checkout_key", ""), ("expected_total", "x"), ("lines", "x")] {
        let mut garbled = form.clone();
        garbled.insert(name.into(), value.into());
        assert_eq!(send(&mut guest, "/checkout", &garbled).await.status, StatusCode::BAD_REQUEST, "{name}={value}");
    }
    assert_eq!(count(&test, "select count(*) from orders").await, 0);
}

#[tokio::test]
async fn an_empty_cart_has_no_checkout() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    assert_eq!(guest.get("/checkout").await.location(), "/cart");
    put(&mut guest, &world, "MILL-PLAIN", "1").await;
    let form = filled(&guest.get("/checkout").await);
    run(&test, "delete from cart_lines").await;
    let answer = send(&mut guest, "/checkout", &form).await;
    assert_eq!(answer.status.as_u16() / 100, 3, "{}", answer.text());
    assert_eq!(answer.location(), "/cart");
}

#[tokio::test]
async fn a_rise_needs_consent_and_a_fall_passes_on() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    put(&mut guest, &world, "MILL-PLAIN", "2").await;
    let form = filled(&guest.get("/checkout").await);
    run(&test, "update variants set price_minor = 1100 where sku = 'MILL-PLAIN'").await;
    let page = send(&mut guest, "/checkout", &form).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    let text = page.text();
    assert!(text.contains("The total changed from £23.95 to £25.95."), "{text}");
    assert!(text.contains("The price rose from £10.00 to £11.00."), "{text}");
    assert_eq!(page.attribute("#f-line1", "value").as_deref(), Some("1 Harbour Row"));
    // a dearer way of shipping than was shown needs the same
    let mut dearer = filled(&page);
    dearer.insert("shipping-mill".into(), "express".into());
    let page = send(&mut guest, "/checkout", &dearer).await;
    assert!(page.text().contains("The total changed from £25.95 to £30.50."), "{}", page.text());
    assert_eq!(count(&test, "select count(*) from orders").await, 0);
    // and now the price falls: the order is made at once, at the lower one
    run(&test, "update variants set price_minor = 900 where sku = 'MILL-PLAIN'").await;
    assert_eq!(send(&mut guest, "/checkout", &filled(&page)).await.status, StatusCode::SEE_OTHER);
    assert_eq!(count(&test, "select total_minor from orders").await, 2 * 900 + 850);
}

#[tokio::test]
async fn what_sold_out_meanwhile_is_named_and_the_rest_can_be_bought() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    three(&mut guest, &world).await;
    put(&mut guest, &world, "KILN-LARGE", "3").await;
    let form = filled(&guest.get("/checkout").await);
    run(&test, "update stock set on_hand = 0 where variant_id = (select id from variants where sku = 'ORCHARD-LAST')").await;
    run(&test, "update stock set on_hand = 2 where variant_id = (select id from variants where sku = 'KILN-LARGE')").await;
    let page = send(&mut guest, "/checkout", &form).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    let notes = page.texts(".checkout-review .line-note p");
    assert_eq!(
        notes,
        [
            "Not in this order: The kiln's choice bowl. You wanted 3, and only 2 are left.",
            "Not in this order: The orchard's last bowl is sold out."
        ]
    );
    assert_eq!(count(&test, "select sum(held)::bigint from stock").await, 0);
    // take the two that are left, right here, with everything typed kept
    let mut form = filled(&page);
    form.insert("take".into(), page.attribute(".line-note button[name=take]", "value").expect("a way out"));
    let page = send(&mut guest, "/checkout/update", &form).await;
    assert_eq!(page.texts(".checkout-review .line-note p").len(), 1);
    assert_eq!(page.attribute("#f-line1", "value").as_deref(), Some("1 Harbour Row"));
    assert_eq!(send(&mut guest, "/checkout", &filled(&page)).await.status, StatusCode::SEE_OTHER);
    assert_eq!(count(&test, "select sum(quantity)::bigint from order_lines").await, 5);
}

#[tokio::test]
async fn a_form_sent_twice_makes_one_order() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    three(&mut guest, &world).await;
    let form = filled(&guest.get("/checkout").await);
    let (mut one, mut two) = (guest.clone(), guest.clone());
    let (first, second) = tokio::join!(send(&mut one, "/checkout", &form), send(&mut two, "/checkout", &form));
    assert_eq!((first.status, second.status), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER));
    assert_eq!(first.location(), second.location());
    assert_eq!(send(&mut guest, "/checkout", &form).await.location(), first.location());
    assert_eq!(count(&test, "select count(*) from orders").await, 1);
    assert_eq!(count(&test, "select sum(held)::bigint from stock").await, 4);
}

#[tokio::test]
async fn another_checkout_of_the_same_cart_takes_the_place_of_the_first() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    put(&mut guest, &world, "MILL-LAST", "1").await;
    let form = filled(&guest.get("/checkout").await);
    assert_eq!(send(&mut guest, "/checkout", &form).await.status, StatusCode::SEE_OTHER);
    // the shopper turned back: what their own order holds is still theirs to buy
    assert_eq!(guest.get("/cart").await.texts(".line-note").len(), 0);
    let again = filled(&guest.get("/checkout").await);
    assert_ne!(again["checkout_key"], form["checkout_key"]);
    assert_eq!(send(&mut guest, "/checkout", &again).await.status, StatusCode::SEE_OTHER);
    assert_eq!(count(&test, "select count(*) from orders where status = 'pending'").await, 1);
    assert_eq!(count(&test, "select count(*) from orders where status = 'cancelled'").await, 1);
    assert_eq!(count(&test, "select sum(held)::bigint from stock").await, 1);
    // for everyone else it is sold out
    let variant = world.variant("MILL-LAST").to_string();
    let refused = test.guest().post_form("/cart/items", &[("variant_id", &variant), ("quantity", "1")]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn the_address_book_fills_the_form_and_can_be_added_to() {
    let (test, world) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    put(&mut ada, &world, "MILL-PLAIN", "1").await;
    let page = ada.get("/checkout").await;
    assert_eq!(page.attribute("#f-email", "value").as_deref(), Some("ada@example.com"));
    let mut form = filled(&page);
    form.insert("save_address".into(), "on".into());
    form.insert("country".into(), "IE".into());
    assert_eq!(send(&mut ada, "/checkout", &form).await.status, StatusCode::SEE_OTHER);
    let page = ada.get("/checkout").await;
    assert!(page.texts("#f-address_id").join(" ").contains("1 Harbour Row"), "{}", page.text());
    assert_eq!(page.texts("#order-tax-label"), ["VAT included (23 %)"]);
    let mut form = filled(&page);
    // what is typed into the other fields does not matter when an entry is chosen
    form.insert("city".into(), "".into());
    form.insert("save_address".into(), "on".into());
    assert_eq!(send(&mut ada, "/checkout", &form).await.status, StatusCode::SEE_OTHER);
    assert_eq!(count(&test, "select count(*) from addresses").await, 1);
    assert_eq!(count(&test, "select count(*) from orders where ship_country = 'IE' and user_id is not null").await, 2);
}

#[tokio::test]
async fn a_browser_with_script_is_told_the_new_totals() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    three(&mut guest, &world).await;
    let lines = guest.get("/checkout").await.attribute("input[name=lines]", "value").expect("lines");
    let fields =
        [("address", "new"), ("country", "SE"), ("shipping", "mill:express kiln:standard"), ("lines", &lines), ("coupon", "")];
    let request = guest
        .request(http::Method::POST, "/sf/quote_checkout")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "application/json")
        .header("sec-fetch-site", "same-origin")
        .body(axum::body::Body::from(serde_urlencoded::to_string(fields).expect("a form")))
        .expect("a request");
    let answer = guest.send(request).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let new: serde_json::Value = serde_json::from_str(&answer.body).expect("json");
    assert_eq!(new["total_minor"], 5667);
    assert!(answer.body.contains("VAT included (25 %)"), "{}", answer.body);
}
