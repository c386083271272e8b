//! The vendor's desk: only its vendor sits at it, and it says what is to be done.

use crate::support::{TestApp, World};
use http::StatusCode;
use sqlx::PgPool;
use uuid::Uuid;

/// A paid order of one variant, written as checkout and payment leave it. Returns the vendor order and the line.
pub async fn paid_order(pool: &PgPool, world: &World, vendor: &str, variant: Uuid, quantity: i32) -> (Uuid, Uuid) {
    let (order, parcel, line) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let mut tx = pool.begin().await.expect("a transaction");
    sqlx::query(
        "insert into orders (id, user_id, email, token_hash, checkout_key, status, payment_status, currency, items_minor,
                             shipping_minor, tax_minor, total_minor, ship_name, ship_line1, ship_city, ship_postal_code,
                             ship_country, hold_expires_at, placed_at)
         select $1, $2, 'ada@example.com', sha256($1::text::bytea), $1, 'placed', 'paid', 'GBP', $3 * price_minor, 395, 0,
                $3 * price_minor + 395, 'Ada Byron', '1 Mill Lane', 'Ely', 'CB7 4AA', 'GB', now(), now() - interval '3 days'
         from variants where id = $4",
    )
    .bind(order)
    .bind(world.people["ada"])
    .bind(quantity)
    .bind(variant)
    .execute(&mut *tx)
    .await
    .expect("an order");
    sqlx::query(
        "insert into vendor_orders (id, order_id, vendor_id, vendor_name, vendor_slug, shipping_code, shipping_name, min_days,
                                    max_days, items_minor, shipping_minor, tax_minor, total_minor)
         select $1, $2, $3, 'The ' || $4, $4, 'standard', 'Standard', 2, 4, $5 * price_minor, 395, 0, $5 * price_minor + 395
         from variants where id = $6",
    )
    .bind(parcel)
    .bind(order)
    .bind(world.vendors[vendor].id)
    .bind(vendor)
    .bind(quantity)
    .bind(variant)
    .execute(&mut *tx)
    .await
    .expect("a vendor order");
    sqlx::query(
        "insert into order_lines (id, order_id, vendor_order_id, product_id, variant_id, product_slug, title, sku, quantity,
                                  unit_price_minor, tax_rate_bp, tax_minor, total_minor)
         select $1, $2, $3, p.id, v.id, p.slug, p.title, v.sku, $4, v.price_minor, 2000, 0, $4 * v.price_minor
         from variants v join products p on p.id = v.product_id where v.id = $5",
    )
    .bind(line)
    .bind(order)
    .bind(parcel)
    .bind(quantity)
    .bind(variant)
    .execute(&mut *tx)
    .await
    .expect("a line");
    tx.commit().await.expect("the sums are right");
    (parcel, line)
}

/// Every address of the desk that names something, with what it names replaced by another vendor's.
#[tokio::test]
async fn another_vendor_finds_nothing_at_any_address() {
    let (test, world) = TestApp::new().await;
    let pool = &test.app.pool;
    let mill = &world.vendors["mill"];
    let (order, line) = paid_order(pool, &world, "mill", world.variant("MILL-PLAIN"), 2).await;
    let product = mill.products["mill-plain"];
    let method: Uuid = sqlx::query_scalar("select id from shipping_methods where vendor_id = $1 and code = 'standard'")
        .bind(mill.id)
        .fetch_one(pool)
        .await
        .expect("a method");
    let picture = Uuid::now_v7();
    sqlx::query("insert into pictures (id, product_id, widths, width, height) values ($1, $2, '{320,640,960}', 960, 960)")
        .bind(picture)
        .bind(product)
        .execute(pool)
        .await
        .expect("a picture");
    let before = everything(pool).await;

    let lines = format!("lines[{line}]");
    let reads = [
        format!("/vendor/products/{product}"),
        format!("/vendor/products/{product}/pictures"),
        format!("/vendor/orders/{order}"),
        format!("/vendor/orders/{order}/shipments"),
        format!("/vendor/shop/shipping/{method}"),
    ];
    let shipment = [(lines.as_str(), "1"), ("carrier", "DPD")];
    let shipping = [("name", "Mine"), ("price", "1"), ("min_days", "1"), ("max_days", "2")];
    let writes: [(String, &[(&str, &str)]); 13] = [
        (format!("/vendor/products/{product}"), &[("title", "Mine"), ("action", "save")]),
        (format!("/vendor/products/{product}"), &[("title", "Mine"), ("action", "generate")]),
        (format!("/vendor/products/{product}/status"), &[("status", "published")]),
        (format!("/vendor/products/{product}/status"), &[("status", "draft")]),
        (format!("/vendor/products/{product}/status"), &[("status", "archived")]),
        (format!("/vendor/products/{product}/pictures/{picture}"), &[("action", "delete")]),
        (format!("/vendor/products/{product}/pictures/{picture}"), &[("action", "later")]),
        (format!("/vendor/products/{product}/pictures/{picture}"), &[("action", "describe"), ("alt", "Mine")]),
        (format!("/vendor/products/{product}/pictures/{picture}"), &[("action", "describe"), ("alt", "\0")]),
        (format!("/vendor/orders/{order}/shipments"), &shipment),
        (format!("/vendor/orders/{order}/shipments"), &[("carrier", "")]),
        (format!("/vendor/shop/shipping/{method}"), &shipping),
        (format!("/vendor/shop/shipping/{method}"), &[("action", "remove")]),
    ];
    let mut kiln = test.vendor("kiln").await;
    for path in &reads {
        assert_eq!(kiln.get(path).await.status, StatusCode::NOT_FOUND, "GET {path}");
    }
    for (path, form) in &writes {
        assert_eq!(kiln.post_form(path, form).await.status, StatusCode::NOT_FOUND, "POST {path} {form:?}");
    }
    let own_picture = format!("/vendor/products/{}/pictures/{picture}", world.vendors["kiln"].products["kiln-plain"]);
    assert_eq!(kiln.post_form(&own_picture, &[("action", "delete")]).await.status, StatusCode::NOT_FOUND);
    let upload = format!("/vendor/products/{product}/pictures");
    let answer = kiln.post_multipart(&upload, &[], &[("pictures", "a.png", "image/png", b"x")]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);

    // Nor a shopper, nor someone without an account, nor an unknown id.
    let (mut ada, mut guest) = (test.customer("ada").await, test.guest());
    for path in &reads {
        assert_eq!(ada.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
        assert!(guest.get(path).await.location().starts_with("/sign-in"), "{path}");
    }
    for (path, form) in &writes {
        assert_eq!(ada.post_form(path, form).await.status, StatusCode::FORBIDDEN, "{path}");
        assert!(guest.post_form(path, form).await.location().starts_with("/sign-in"), "{path}");
    }
    let mut owner = test.vendor("mill").await;
    for path in &reads {
        assert_ne!(owner.get(path).await.status, StatusCode::NOT_FOUND, "{path} is there for its vendor");
    }
    for what in ["products", "orders"] {
        assert_eq!(owner.get(&format!("/vendor/{what}/{}", Uuid::now_v7())).await.status, StatusCode::NOT_FOUND);
        assert_eq!(owner.get(&format!("/vendor/{what}/42")).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(everything(pool).await, before, "nothing of the mill's changed");
}

/// All that another vendor could have touched, as text.
async fn everything(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "select t::text from products t union all select t::text from variants t union all select t::text from stock t
         union all select t::text from pictures t union all select t::text from shipping_methods t
         union all select t::text from vendors t union all select t::text from shipments t
         union all select t::text from vendor_orders t order by 1",
    )
    .fetch_all(pool)
    .await
    .expect("the tables")
}

#[tokio::test]
async fn a_shop_that_is_not_open_is_told_how_it_stands() {
    let (test, world) = TestApp::new().await;
    for (status, words) in [
        ("pending", "Your application is being read"),
        ("refused", "Your application was not accepted"),
        ("suspended", "Your shop is closed for now"),
    ] {
        sqlx::query("update vendors set status = $2 where id = $1")
            .bind(world.vendors["mill"].id)
            .bind(status)
            .execute(&test.app.pool)
            .await
            .expect("a status");
        let mut mill = test.vendor("mill").await;
        for path in ["/vendor", "/vendor/products", "/vendor/shop"] {
            let answer = mill.get(path).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN);
            assert!(answer.text().contains(words), "{status}: {}", answer.text());
            assert_eq!(answer.attribute("main a.button-main", "href").as_deref(), Some("/account/vendor"));
        }
        let answer = mill.post_form("/vendor/shop", &[("name", "Open again")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    let mut ada = test.customer("ada").await;
    assert!(ada.get("/vendor").await.text().contains("You do not have a shop yet"));
}

#[tokio::test]
async fn today_says_what_needs_doing_and_what_came_in() {
    let (test, world) = TestApp::new().await;
    let pool = &test.app.pool;
    let (parcel, _) = paid_order(pool, &world, "mill", world.variant("MILL-PLAIN"), 2).await;
    paid_order(pool, &world, "kiln", world.variant("KILN-PLAIN"), 5).await;
    sqlx::query("update stock set held = on_hand where variant_id = $1")
        .bind(world.variant("MILL-LAST"))
        .execute(pool)
        .await
        .unwrap();
    sqlx::query("update products set status = 'draft' where slug = 'mill-choice'").execute(pool).await.unwrap();
    let mut mill = test.vendor("mill").await;
    let today = mill.get("/vendor").await;
    assert_eq!(today.status, StatusCode::OK);
    let text = today.text();
    for words in ["To ship: 1", "3 days", "Running out", "sold out", "Not on sale yet", "The mill's choice bowl"] {
        assert!(text.contains(words), "{words} in {text}");
    }
    assert_eq!(
        today.texts(".figures .number-large")[..3],
        ["£23.95", "1", "2"],
        "the parcel with its shipping, and nothing of the kiln's"
    );
    assert!(text.contains("Today £0.00"), "it was paid some days ago: {text}");
    assert_eq!(today.attribute("tbody a", "href"), Some(format!("/vendor/orders/{parcel}")));
}

#[tokio::test]
async fn an_order_is_shipped_in_parts() {
    let (test, world) = TestApp::new().await;
    let pool = &test.app.pool;
    let (parcel, line) = paid_order(pool, &world, "mill", world.variant("MILL-PLAIN"), 3).await;
    let (path, field) = (format!("/vendor/orders/{parcel}"), format!("lines[{line}]"));
    let ship = format!("{path}/shipments");
    let mut mill = test.vendor("mill").await;
    assert_eq!(mill.get("/vendor/orders").await.texts("tbody th").len(), 1);
    let page = mill.get(&path).await;
    assert!(page.texts("address").join("").contains("1 Mill Lane"));
    assert_eq!(page.attribute(&format!("input[name='{field}']"), "value").as_deref(), Some("3"), "all that is left");

    for (form, at) in [
        (vec![(field.as_str(), "some"), ("carrier", "DPD")], format!("f-{field}-error")),
        (vec![(field.as_str(), "1"), ("carrier", " ")], "f-carrier-error".to_owned()),
    ] {
        let answer = mill.post_form(&ship, &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.texts(&format!("[id='{at}']")).len(), 1);
        assert_eq!(answer.attribute(&format!("input[name='{field}']"), "value").as_deref(), Some(form[0].1), "kept");
    }
    let answer = mill.post_form(&ship, &[(&field, "4"), ("carrier", "DPD")]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "more than was sold");
    let answer = mill.post_form(&ship, &[(&field, "0"), ("carrier", "DPD")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "a parcel with nothing in it");

    let answer = mill.post_form(&ship, &[(&field, "1"), ("carrier", "Bicycle Bob"), ("tracking", "BB 7")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let page = mill.get(&path).await;
    assert!(
        page.text().contains("partly shipped") && page.text().contains("Bicycle Bob, tracking number BB 7"),
        "{}",
        page.text()
    );
    assert_eq!(page.attribute(&format!("input[name='{field}']"), "value").as_deref(), Some("2"));
    mill.post_form(&ship, &[(&field, "2"), ("carrier", "DPD")]).await;
    let page = mill.get(&path).await;
    assert!(page.texts("form.ship-form").is_empty(), "nothing is left to ship");
    assert!(mill.get("/vendor/orders").await.text().contains("Nothing to ship"));
    assert_eq!(mill.get("/vendor/orders?show=shipped").await.texts("tbody th").len(), 1);
    assert!(mill.get("/vendor/orders?show=everything").await.status.is_client_error());
}

#[tokio::test]
async fn what_was_sold_is_counted_by_variant() {
    let (test, world) = TestApp::new().await;
    let pool = &test.app.pool;
    for _ in 0..2 {
        paid_order(pool, &world, "mill", world.variant("MILL-PLAIN"), 2).await;
    }
    paid_order(pool, &world, "mill", world.variant("MILL-LARGE"), 1).await;
    let (off, _) = paid_order(pool, &world, "mill", world.variant("MILL-SMALL"), 1).await;
    sqlx::query("update orders set status = 'cancelled' where id = (select order_id from vendor_orders where id = $1)")
        .bind(off)
        .execute(pool)
        .await
        .unwrap();
    let mut mill = test.vendor("mill").await;
    let page = mill.get("/vendor/sales?days=7").await;
    assert_eq!(page.texts("tbody td.number"), ["2", "4", "£40.00", "1", "1", "£19.99"]);
    assert!(page.text().contains("5 pieces for £59.99"));
    assert_eq!(mill.get("/vendor/sales?days=8").await.status, StatusCode::BAD_REQUEST);
    assert!(test.vendor("kiln").await.get("/vendor/sales").await.text().contains("Nothing was sold in this time"));
}

#[tokio::test]
async fn the_shop_says_its_words_and_how_it_ships() {
    let (test, world) = TestApp::new().await;
    let pool = &test.app.pool;
    let mut mill = test.vendor("mill").await;
    let answer = mill
        .post_form("/vendor/shop", &[("name", "The Old Mill"), ("tagline", "Stone-ground"), ("description", "Two\r\n\r\nlines")])
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let listed: Vec<String> =
        sqlx::query_scalar("select distinct vendor_name from listings where vendor_slug = 'mill'").fetch_all(pool).await.unwrap();
    assert_eq!(listed, ["The Old Mill"]);
    let answer = mill.post_form("/vendor/shop", &[("name", "x"), ("tagline", "kept")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.attribute("input[name=tagline]", "value").as_deref(), Some("kept"));

    let method = [("name", "By bicycle"), ("price", "2.50"), ("free_over", ""), ("min_days", "0"), ("max_days", "1")];
    for _ in 0..2 {
        assert_eq!(mill.post_form("/vendor/shop/shipping", &method).await.status, StatusCode::SEE_OTHER);
    }
    let codes: Vec<String> = sqlx::query_scalar("select code from shipping_methods where vendor_id = $1 order by position")
        .bind(world.vendors["mill"].id)
        .fetch_all(pool)
        .await
        .unwrap();
    assert_eq!(codes, ["standard", "express", "by-bicycle", "by-bicycle-2"]);
    let wrong = [("name", "By bicycle"), ("price", "2.50"), ("min_days", "3"), ("max_days", "1")];
    let answer = mill.post_form("/vendor/shop/shipping", &wrong).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.texts("#f-max_days-error").len(), 1);

    let ids: Vec<Uuid> = sqlx::query_scalar("select id from shipping_methods where vendor_id = $1")
        .bind(world.vendors["mill"].id)
        .fetch_all(pool)
        .await
        .unwrap();
    for (i, id) in ids.iter().enumerate() {
        let answer = mill.post_form(&format!("/vendor/shop/shipping/{id}"), &[("action", "remove")]).await;
        let last = i + 1 == ids.len();
        assert_eq!(answer.status, if last { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::SEE_OTHER });
        assert_eq!(last, answer.text().contains("the only way you ship"));
    }
}
