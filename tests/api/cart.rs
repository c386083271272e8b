//! The cart: whose it is, what fits into it, and what it says when goods change under it.

use crate::support::{Answer, Client, TestApp, World};
use http::StatusCode;
use souk::{cart, server::token::Token};
use uuid::Uuid;

async fn put(person: &mut Client, world: &World, sku: &str, quantity: &str) -> Answer {
    let variant = world.variant(sku).to_string();
    person.post_form("/cart/items", &[("variant_id", &variant), ("quantity", quantity)]).await
}

/// The id of the only line of a cart page.
fn line_of(page: &Answer) -> String {
    let id = page.attribute(".cart-line", "id").expect("a line");
    id.trim_start_matches("line-").to_owned()
}

async fn set_stock(test: &TestApp, world: &World, sku: &str, on_hand: i32) {
    sqlx::query("update stock set on_hand = $2 where variant_id = $1")
        .bind(world.variant(sku))
        .bind(on_hand)
        .execute(&test.app.pool)
        .await
        .expect("stock");
}

async fn set_price(test: &TestApp, world: &World, sku: &str, price: i64) {
    sqlx::query("update variants set price_minor = $2 where id = $1")
        .bind(world.variant(sku))
        .bind(price)
        .execute(&test.app.pool)
        .await
        .expect("a price");
}

#[tokio::test]
async fn someone_else_may_not_touch_a_cart() {
    let (test, world) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    put(&mut ada, &world, "MILL-PLAIN", "2").await;
    let line = line_of(&ada.get("/cart").await);
    let mut guest_with_cart = test.guest();
    put(&mut guest_with_cart, &world, "KILN-PLAIN", "1").await;
    for mut other in [test.customer("bob").await, test.guest(), guest_with_cart] {
        for (path, fields) in [
            (format!("/cart/items/{line}"), vec![("quantity", "5")]),
            (format!("/cart/items/{line}"), vec![("quantity", "0")]),
            (format!("/cart/items/{line}"), vec![("quantity", "nonsense")]),
            (format!("/cart/items/{line}/remove"), vec![]),
            (format!("/cart/items/{line}/accept"), vec![("price_minor", "1000")]),
        ] {
            assert_eq!(other.post_form(&path, &fields).await.status, StatusCode::NOT_FOUND, "{path} {fields:?}");
        }
        assert!(!other.get("/cart").await.text().contains("The mill's plain bowl"));
    }
    assert_eq!(ada.get("/cart").await.attribute(".quantity input", "value").as_deref(), Some("2"));
}

#[tokio::test]
async fn a_guest_keeps_a_cart_of_three_vendors_by_an_opaque_cookie() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    let first = put(&mut guest, &world, "MILL-PLAIN", "2").await;
    assert_eq!((first.status, first.location()), (StatusCode::SEE_OTHER, "/cart"));
    let cookie = first
        .headers
        .get_all("set-cookie")
        .iter()
        .filter_map(|v| v.to_str().ok())
        .find(|c| c.starts_with("souk_cart="))
        .expect("a cookie");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=5184000"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    put(&mut guest, &world, "KILN-SMALL", "1").await;
    put(&mut guest, &world, "ORCHARD-LAST", "1").await;
    let page = guest.get("/cart").await;
    assert_eq!(page.texts(".parcel h2"), ["Parcel from The mill", "Parcel from The kiln", "Parcel from The orchard"]);
    // 2 × 10.00 + 12.50 + 7.77, and three times 3.95
    assert_eq!(page.texts("#cart-items"), ["£40.27"]);
    assert_eq!(page.texts("#cart-shipping"), ["£11.85"]);
    assert_eq!(page.texts("#cart-total"), ["£52.12"]);
    assert!(page.texts(".notice").join(" ").contains("The orchard's last bowl is in your cart."));
    let token: Token = guest.cookie("souk_cart").expect("a token").parse().expect("a token of ours");
    let hashes: Vec<Vec<u8>> = sqlx::query_scalar("select token_hash from carts").fetch_all(&test.app.pool).await.expect("carts");
    assert_eq!(hashes, [token.hash()]);
}

#[tokio::test]
async fn the_same_variant_again_adds_up_and_more_than_there_is_is_refused() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    put(&mut guest, &world, "MILL-LARGE", "1").await;
    put(&mut guest, &world, "MILL-LARGE", "1").await;
    let page = guest.get("/cart").await;
    assert_eq!(page.attribute(".quantity input", "value").as_deref(), Some("2"));
    let refused = put(&mut guest, &world, "MILL-LARGE", "2").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let text = refused.text();
    assert!(text.contains("There are only 3 left of The mill's choice bowl. You already have 2 in your cart."), "{text}");
    assert!(text.contains("Add 1 instead"), "{text}");
    assert_eq!(guest.get("/cart").await.attribute(".quantity input", "value").as_deref(), Some("2"));
    let refused = put(&mut test.guest(), &world, "MILL-LAST", "5").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text().contains("There is only one The mill's last bowl left."), "{}", refused.text());
}

#[tokio::test]
async fn hostile_input_gets_its_answer() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    for (quantity, status) in
        [("0", 422), ("-1", 422), ("1000", 422), ("two", 422), ("99999999999", 422), ("", 422), ("101", 409)]
    {
        assert_eq!(put(&mut guest, &world, "MILL-PLAIN", quantity).await.status.as_u16(), status, "{quantity:?}");
    }
    let unknown = Uuid::now_v7().to_string();
    assert_eq!(
        guest.post_form("/cart/items", &[("variant_id", &unknown), ("quantity", "1")]).await.status,
        StatusCode::NOT_FOUND
    );
    assert!(guest.post_form("/cart/items", &[("variant_id", "42")]).await.status.is_client_error());
    assert!(guest.post_form("/cart/items", &[]).await.status.is_client_error());
    assert_eq!(guest.post_form("/cart/items/42", &[("quantity", "1")]).await.status.as_u16() / 100, 4);
    guest.set_cookie("souk_cart", "not-a-token");
    assert_eq!(guest.get("/cart").await.status, StatusCode::OK);
    assert_eq!(put(&mut guest, &world, "MILL-PLAIN", "1").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn quantities_change_and_a_refused_one_stays_in_the_field() {
    let (test, world) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    put(&mut ada, &world, "MILL-SMALL", "2").await;
    let line = line_of(&ada.get("/cart").await);
    let path = format!("/cart/items/{line}");
    assert_eq!(ada.post_form(&path, &[("quantity", "4")]).await.status, StatusCode::SEE_OTHER);
    // four of them are worth £50: that parcel ships free
    let page = ada.get("/cart").await;
    assert_eq!(page.texts("#cart-total"), ["£50.00"]);
    assert_eq!(page.texts("#cart-shipping"), ["Free"]);
    for (typed, status) in [("11", StatusCode::CONFLICT), ("a few", StatusCode::UNPROCESSABLE_ENTITY)] {
        let refused = ada.post_form(&path, &[("quantity", typed)]).await;
        assert_eq!(refused.status, status);
        assert_eq!(refused.attribute(".quantity input", "value").as_deref(), Some(typed));
        assert_eq!(refused.attribute(".quantity input", "aria-invalid").as_deref(), Some("true"));
        assert_eq!(refused.texts(".quantity .field-error").len(), 1);
    }
    assert_eq!(ada.post_form(&path, &[("quantity", "0")]).await.status, StatusCode::SEE_OTHER);
    assert!(ada.get("/cart").await.text().contains("Nothing in it yet"));
}

#[tokio::test]
async fn goods_of_an_order_come_back_as_far_as_there_are_some() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    set_stock(&test, &world, "MILL-PLAIN", 2).await;
    set_stock(&test, &world, "ORCHARD-PLAIN", 0).await;
    let item = |sku: &str| format!("item[{}]", world.variant(sku));
    let (mill, kiln, orchard) = (item("MILL-PLAIN"), item("KILN-PLAIN"), item("ORCHARD-PLAIN"));
    let unknown = format!("item[{}]", Uuid::now_v7());
    let fields = [
        (mill.as_str(), "5"),
        (kiln.as_str(), "1"),
        (orchard.as_str(), "1"),
        (unknown.as_str(), "1"),
        ("item[x]", "1"),
        (kiln.as_str(), "-3"),
    ];
    assert_eq!(guest.post_form("/cart/items/again", &fields).await.status, StatusCode::SEE_OTHER);
    let cart = guest.get("/cart").await;
    let text = cart.text();
    for words in ["in the cart again", "There are only 2 left of The mill's plain bowl", "The orchard's plain bowl is sold out"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    guest.post_form(&format!("/cart/items/{}", line_of(&cart)), &[("quantity", "0")]).await;
    let text = guest.get("/cart").await.text();
    assert!(text.contains("is no longer in your cart"), "{text}");
}

#[tokio::test]
async fn a_problem_is_explained_at_its_line_and_never_blocks_the_rest() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    for (sku, quantity) in
        [("MILL-PLAIN", "1"), ("MILL-LARGE", "3"), ("KILN-PLAIN", "1"), ("KILN-SMALL", "1"), ("ORCHARD-PLAIN", "2")]
    {
        put(&mut guest, &world, sku, quantity).await;
    }
    set_stock(&test, &world, "MILL-PLAIN", 0).await;
    set_stock(&test, &world, "MILL-LARGE", 2).await;
    set_price(&test, &world, "KILN-PLAIN", 1100).await;
    set_price(&test, &world, "KILN-SMALL", 1200).await;
    let page = guest.get("/cart").await;
    let notes = page.texts(".line-note p");
    assert_eq!(
        notes,
        [
            "This is sold out, so it is not counted. It can stay here in case it comes back.",
            "You wanted 3, and only 2 are left. It is not counted until you choose.",
            "The price rose from £10.00 to £11.00. It is not counted until you accept that.",
            "The price fell from £12.50 to £12.00. You pay the lower one.",
        ]
    );
    // what can be bought: 12.00 and 2 × 10.00, from two vendors
    assert_eq!(page.texts("#cart-items"), ["£32.00"]);
    assert_eq!(page.texts("#cart-shipping"), ["£7.90"]);
    assert!(page.text().contains("Go to checkout"));

    // the way out beside each
    let ids: Vec<String> = page
        .html()
        .select(&scraper::Selector::parse(".cart-line").unwrap())
        .filter_map(|e| e.attr("id"))
        .map(|id| id.trim_start_matches("line-").to_owned())
        .collect();
    guest.post_form(&format!("/cart/items/{}/remove", ids[0]), &[]).await;
    guest.post_form(&format!("/cart/items/{}", ids[1]), &[("quantity", "2")]).await;
    // an acceptance of a price that is no longer shown accepts nothing
    guest.post_form(&format!("/cart/items/{}/accept", ids[2]), &[("price_minor", "1050")]).await;
    assert_eq!(guest.get("/cart").await.texts(".line-note-warn p").len(), 1);
    guest.post_form(&format!("/cart/items/{}/accept", ids[2]), &[("price_minor", "1100")]).await;
    let page = guest.get("/cart").await;
    assert_eq!(page.texts(".line-note-warn p"), [""; 0]);
    // 2 × 19.99 + 11.00 + 12.00 + 2 × 10.00
    assert_eq!(page.texts("#cart-items"), ["£82.98"]);
}

#[tokio::test]
async fn what_is_no_longer_for_sale_is_said_and_cannot_be_added() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    put(&mut guest, &world, "MILL-PLAIN", "1").await;
    put(&mut guest, &world, "KILN-PLAIN", "1").await;
    sqlx::query("update vendors set status = 'suspended' where slug = 'mill'").execute(&test.app.pool).await.expect("a vendor");
    let page = guest.get("/cart").await;
    assert_eq!(page.texts(".line-note p"), ["This is no longer for sale, so it is not counted."]);
    assert_eq!(page.texts("#cart-total"), ["£13.95"]);
    let refused = put(&mut test.guest(), &world, "MILL-PLAIN", "1").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text().contains("The mill's plain bowl is no longer for sale."));
}

#[tokio::test]
async fn signing_in_brings_the_cart_along_summed_and_capped() {
    let (test, world) = TestApp::new().await;
    let mut ada = test.customer("ada").await;
    put(&mut ada, &world, "MILL-LARGE", "2").await;
    let mut guest = test.guest();
    put(&mut guest, &world, "MILL-LARGE", "2").await;
    put(&mut guest, &world, "KILN-PLAIN", "1").await;
    let token: Token = guest.cookie("souk_cart").expect("a token").parse().expect("a token of ours");
    let ada_id = world.people["ada"].into();

    // a rolled-back sign-in leaves both carts as they were
    let mut tx = test.app.pool.begin().await.expect("a transaction");
    assert!(cart::merge_at_sign_in(&mut tx, ada_id, Some(&token)).await.expect("merged").is_some());
    tx.rollback().await.expect("rolled back");
    assert_eq!(guest.get("/cart").await.texts(".cart-line").len(), 2);

    let mut tx = test.app.pool.begin().await.expect("a transaction");
    let message = cart::merge_at_sign_in(&mut tx, ada_id, Some(&token)).await.expect("merged").expect("a message");
    tx.commit().await.expect("committed");
    assert!(message.contains("Of The mill's choice bowl, only 3 are left, so the cart holds 3 instead of 4."), "{message}");
    let page = ada.get("/cart").await;
    let values: Vec<_> = page
        .html()
        .select(&scraper::Selector::parse(".quantity input").unwrap())
        .filter_map(|e| e.attr("value"))
        .map(str::to_owned)
        .collect();
    assert_eq!(values, ["3", "1"]);
    assert!(guest.get("/cart").await.text().contains("Nothing in it yet"));

    // again, and with a token that never was: nothing to bring
    let mut tx = test.app.pool.begin().await.expect("a transaction");
    assert_eq!(cart::merge_at_sign_in(&mut tx, ada_id, Some(&token)).await.expect("merged"), None);
    assert_eq!(cart::merge_at_sign_in(&mut tx, ada_id, Some(&Token::random())).await.expect("merged"), None);
    assert_eq!(cart::merge_at_sign_in(&mut tx, ada_id, None).await.expect("merged"), None);
}

#[tokio::test]
async fn an_island_adds_and_changes_through_the_same_functions() {
    let (test, world) = TestApp::new().await;
    let mut guest = test.guest();
    let variant = world.variant("MILL-SMALL").to_string();
    let added = guest.post_form("/sf/add_to_cart", &[("variant", &variant), ("quantity", "2")]).await;
    assert!(guest.cookie("souk_cart").is_some(), "{added:?}");
    let line = line_of(&guest.get("/cart").await);
    let call = |quantity: &str| format!("line={line}&quantity={quantity}");
    let update = guest.send_function("/sf/set_cart_quantity", &call("4")).await;
    assert_eq!(update.status, StatusCode::OK);
    assert!(update.body.contains("\"cart-total\",\"£50.00\""), "{}", update.body);
    assert_eq!(guest.send_function("/sf/set_cart_quantity", &call("11")).await.status, StatusCode::CONFLICT);
    assert_eq!(guest.send_function("/sf/set_cart_quantity", &call("1000")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(test.guest().send_function("/sf/set_cart_quantity", &call("1")).await.status, StatusCode::NOT_FOUND);
}

impl Client {
    /// A server function as an island calls it.
    async fn send_function(&mut self, path: &str, body: &str) -> Answer {
        let request = self
            .request(http::Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .header("accept", "application/json");
        self.send(request.body(axum::body::Body::from(body.to_owned())).expect("a request")).await
    }
}
