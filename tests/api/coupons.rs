//! Coupons: a code takes something off the goods that it is for, never more often than its limits, and who pays for it is in the books.

mod claims;
mod rush;

use crate::{
    ledger::hear,
    support::{
        Answer, Card, Client, TestApp, World, asked, checkout_form,
        purchase::{assert_laws_hold, count, let_hold_end, standing, stock},
    },
};
use http::StatusCode;
use serde_json::json;
use souk::{
    accounts::AddressForm,
    checkout::{CheckoutRequest, place},
    error::{AppError, FieldErrors},
    ids::OrderId,
    payments,
    server::{auth::MaybeCustomer, token::Token},
};
use sqlx::Row;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use uuid::Uuid;

const OWN: &str = "/vendor/coupons";
const ALL: &str = "/operator/coupons";

/// Makes a coupon by the form of a desk.
async fn make(desk: &mut Client, path: &str, fields: &[(&str, &str)]) {
    let answer = desk.post_form(path, fields).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, path), "{:?}", answer.texts(".field-error"));
}

async fn id(test: &TestApp, code: &str) -> Uuid {
    sqlx::query_scalar("select id from coupons where code = $1").bind(code).fetch_one(&test.app.pool).await.expect("a coupon")
}

async fn put(person: &mut Client, world: &World, sku: &str, quantity: &str) {
    let variant = world.variant(sku).to_string();
    let answer = person.post_form("/cart/items", &[("variant_id", &variant), ("quantity", quantity)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{sku}: {}", answer.text());
}

/// The checkout's form as the shopper finds it, with a code typed in.
async fn form(person: &mut Client, code: &str) -> BTreeMap<String, String> {
    let mut form = checkout_form(&person.get("/checkout").await);
    form.insert("coupon".into(), code.into());
    form
}

async fn send(person: &mut Client, path: &str, form: &BTreeMap<String, String>) -> Answer {
    let fields: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    person.post_form(path, &fields).await
}

/// Checks out with a code and answers the payment's page.
async fn order(person: &mut Client, code: &str) -> String {
    let form = form(person, code).await;
    let answer = send(person, "/checkout", &form).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{:?}", answer.texts(".field-error"));
    answer.location().to_owned()
}

/// What is said at the coupon's field.
fn refused(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
    assert_eq!(answer.attribute("#f-coupon", "aria-invalid").as_deref(), Some("true"));
    assert!(answer.attribute(".error-summary a[href='#f-coupon']", "href").is_some());
    answer.texts("#f-coupon-error").join("")
}

async fn latest(test: &TestApp) -> OrderId {
    let id: Uuid = sqlx::query_scalar("select id from orders order by number desc limit 1")
        .fetch_one(&test.app.pool)
        .await
        .expect("an order");
    id.into()
}

/// The parcel of a vendor in the latest order.
async fn parcel(test: &TestApp, vendor: &str) -> Uuid {
    sqlx::query_scalar("select id from vendor_orders where vendor_slug = $1 order by id desc limit 1")
        .bind(vendor)
        .fetch_one(&test.app.pool)
        .await
        .expect("a parcel")
}

/// Pays at a page of Stripe's, and lets everything come to rest.
async fn pay(test: &TestApp, page: &str) {
    test.services().pay(page, Card::Good).await;
    payments::settle_order(&test.app, latest(test).await).await.expect("settled");
    hear(test).await;
}

#[tokio::test]
async fn someone_else_may_not() {
    let (test, _) = TestApp::new().await;
    let coupon = [("code", "mill-5"), ("name", "Mine"), ("percent", "5")];
    make(&mut test.vendor("mill").await, OWN, &coupon).await;
    make(&mut test.operator().await, ALL, &[("code", "souk-5"), ("name", "Ours"), ("percent", "5"), ("platform", "100")]).await;
    let (own, ours) = (id(&test, "MILL-5").await, id(&test, "SOUK-5").await);
    for path in [OWN, ALL] {
        assert!(test.guest().get(path).await.location().starts_with("/sign-in"), "{path}");
    }
    let mut ada = test.customer("ada").await;
    for (path, end) in [(OWN, format!("{OWN}/{own}")), (ALL, format!("{ALL}/{own}"))] {
        assert_eq!(ada.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(ada.post_form(path, &coupon).await.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(ada.post_form(&end, &[]).await.status, StatusCode::FORBIDDEN, "{end}");
    }
    // A vendor sees and ends its own, never another's and never the market's.
    let mut kiln = test.vendor("kiln").await;
    assert!(!kiln.get(OWN).await.text().contains("MILL-5"));
    for other in [own, ours] {
        assert_eq!(kiln.post_form(&format!("{OWN}/{other}"), &[]).await.status, StatusCode::NOT_FOUND);
        assert_eq!(kiln.post_form(&format!("{ALL}/{other}"), &[]).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(kiln.get(ALL).await.status, StatusCode::FORBIDDEN);
    assert_eq!(kiln.post_form(ALL, &coupon).await.status, StatusCode::FORBIDDEN);
    // What a vendor's form does not have is not read from it: the market pays for nobody's coupon that it did not make.
    make(&mut kiln, OWN, &[("code", "kiln-9"), ("name", "Theirs"), ("percent", "9"), ("vendor", "mill"), ("platform", "100")])
        .await;
    let row = sqlx::query("select only_vendor_id = vendor_id, platform_bp from coupons where code = 'KILN-9'")
        .fetch_one(&test.app.pool)
        .await
        .expect("a coupon");
    assert_eq!((row.get::<Option<bool>, _>(0), row.get::<i32, _>(1)), (Some(true), 0));
    assert_eq!(count(&test.app, "select count(*) from coupons where archived_at is not null").await, 0);
}

#[tokio::test]
async fn a_vendors_coupon_takes_off_its_goods_and_the_vendor_pays() {
    let (test, world) = TestApp::with_services().await;
    let mut mill = test.vendor("mill").await;
    make(&mut mill, OWN, &[("code", "spring-15"), ("name", "Spring"), ("percent", "15"), ("limit_total", "5")]).await;
    let mut guest = test.guest();
    put(&mut guest, &world, "MILL-PLAIN", "2").await;
    put(&mut guest, &world, "KILN-PLAIN", "1").await;
    // Without a code nothing is said of a discount; with one, the total says how much and from whom.
    let page = guest.get("/checkout").await;
    assert_eq!(page.texts("#order-discount"), [""; 0]);
    let typed = form(&mut guest, " Spring-15 ").await;
    let page = send(&mut guest, "/checkout/update", &typed).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.texts("#order-discount"), ["−£3.00"]);
    assert!(page.texts(".checkout-review dt").contains(&"Coupon SPRING-15, from The mill".to_owned()), "{:?}", page.texts("dt"));
    assert_eq!(page.attribute("#f-coupon", "value").as_deref(), Some(" Spring-15 "), "what was typed stays");
    // 20.00 + 10.00 − 3.00 + 2 × 3.95
    assert_eq!(page.texts("#pay"), ["Pay £34.90"]);
    assert_eq!(page.texts("#order-tax"), ["£5.82"], "VAT is contained in what remains");
    let stripe = send(&mut guest, "/checkout", &checkout_form(&page)).await.location().to_owned();
    pay(&test, &stripe).await;

    let line = |sku: &'static str| {
        let pool = test.app.pool.clone();
        async move {
            let sql = "select discount_minor, platform_discount_minor, total_minor, fee_minor, fee_vat_minor from order_lines where sku = $1";
            let row = sqlx::query(sql).bind(sku).fetch_one(&pool).await.expect("a line");
            [0, 1, 2, 3, 4].map(|n| row.get::<i64, _>(n))
        }
    };
    assert_eq!(line("MILL-PLAIN").await, [300, 0, 1700, 170, 34], "our fee is of what the vendor gets");
    assert_eq!(line("KILN-PLAIN").await, [0, 0, 1000, 100, 20]);
    assert_eq!(count(&test.app, "select count(*) from coupon_claims where state = 'taken' and amount_minor = 300").await, 1);
    assert_eq!(count(&test.app, "select count(*) from ledger_accounts where kind = 'discounts'").await, 0);

    let shown = guest.get(&format!("/orders/{}?token={}", latest(&test).await, token(&test).await)).await;
    assert!(shown.text().contains("Coupon SPRING-15, from The mill"), "{}", shown.text());
    let sold = mill.get(&format!("/vendor/orders/{}", parcel(&test, "mill").await)).await;
    assert_eq!(sold.texts(".who-pays"), ["You pay for this discount: £3.00."]);
    let untouched = test.vendor("kiln").await.get(&format!("/vendor/orders/{}", parcel(&test, "kiln").await)).await;
    assert!(!untouched.text().contains("SPRING-15"), "{}", untouched.text());
    let list = mill.get(OWN).await;
    let row = list.texts("tbody tr").join("");
    assert!(row.contains("1 of 5") && row.contains("£3.00") && row.contains("goods of The mill"), "{row}");
    assert_laws_hold(&test.app).await;
}

/// The token of the latest order's link.
async fn token(test: &TestApp) -> Token {
    let key: Uuid = sqlx::query_scalar("select checkout_key from orders order by number desc limit 1")
        .fetch_one(&test.app.pool)
        .await
        .expect("an order");
    souk::orders::order_token(&test.app, key).expect("a token")
}

#[tokio::test]
async fn what_the_market_pays_is_split_to_the_penny_and_booked_as_its_cost() {
    let (test, world) = TestApp::with_services().await;
    let mut operator = test.operator().await;
    make(
        &mut operator,
        ALL,
        &[
            ("code", "HALF"),
            ("name", "Half and half"),
            ("amount", "10.01"),
            ("platform", "50"),
            ("category", &world.category.to_string()),
        ],
    )
    .await;
    let mut ada = test.customer("ada").await;
    for sku in ["MILL-PLAIN", "KILN-SMALL", "ORCHARD-LAST"] {
        put(&mut ada, &world, sku, "1").await;
    }
    let stripe = order(&mut ada, "half").await;
    pay(&test, &stripe).await;
    let lines = sqlx::query("select sku, discount_minor, platform_discount_minor, fee_minor from order_lines order by sku");
    let lines: Vec<(String, i64, i64, i64)> =
        lines.fetch_all(&test.app.pool).await.expect("lines").iter().map(|r| (r.get(0), r.get(1), r.get(2), r.get(3))).collect();
    let line = |sku: &str, off, ours, fee| (sku.to_owned(), off, ours, fee);
    // 1001 over 1250, 1000 and 777; half of it, 501, over what these have off; a tenth of what each vendor gets
    assert_eq!(lines, [line("KILN-SMALL", 413, 207, 104), line("MILL-PLAIN", 331, 166, 84), line("ORCHARD-LAST", 257, 128, 65)]);
    let cost: i64 = sqlx::query_scalar(
        "select sum(e.amount_minor)::bigint from ledger_entries e join ledger_accounts a on a.id = e.account_id where a.kind = 'discounts'",
    )
    .fetch_one(&test.app.pool)
    .await
    .expect("a balance");
    assert_eq!(cost, 501);
    let sold = test.vendor("mill").await.get(&format!("/vendor/orders/{}", parcel(&test, "mill").await)).await;
    assert_eq!(sold.texts(".who-pays"), ["We pay £1.66 of this discount, and you pay £1.65."]);
    // 1000 − 331 + 166
    assert!(sold.texts(".earnings tbody tr")[0].contains("£8.35"), "{:?}", sold.texts(".earnings tbody tr"));
    let row = operator.get(ALL).await.texts("tbody tr").join("");
    assert!(row.contains("Souk 50 %, the vendors the rest") && row.contains("£5.01 by us"), "{row}");
    assert!(row.contains("goods in Kitchen"), "{row}");
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn goods_that_a_coupon_pays_for_whole_are_sold_without_stripe() {
    let (test, world) = TestApp::with_services().await;
    make(&mut test.operator().await, ALL, &[("code", "GIFT"), ("name", "A gift"), ("percent", "100"), ("platform", "100")]).await;
    sqlx::query("update shipping_methods set price_minor = 0").execute(&test.app.pool).await.expect("free shipping");
    let mut ada = test.customer("ada").await;
    put(&mut ada, &world, "MILL-PLAIN", "1").await;
    let page = order(&mut ada, "GIFT").await;
    assert!(page.contains("/orders/"), "nothing to pay: {page}");
    assert_eq!(standing(&test.app, latest(&test).await).await.0, "placed");
    let owed: i64 = sqlx::query_scalar(
        "select -sum(e.amount_minor)::bigint from ledger_entries e join ledger_accounts a on a.id = e.account_id where a.kind = 'vendor_pending'",
    )
    .fetch_one(&test.app.pool)
    .await
    .expect("a balance");
    assert_eq!(owed, 1000 - 100 - 20, "the vendor gets what it would have got");
    hear(&test).await;
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_code_that_takes_nothing_off_says_why_at_its_field() {
    let (test, world) = TestApp::new().await;
    let (mut mill, mut operator) = (test.vendor("mill").await, test.operator().await);
    make(&mut mill, OWN, &[("code", "LATER"), ("name", "x"), ("percent", "5"), ("starts_on", "2199-01-01")]).await;
    make(&mut mill, OWN, &[("code", "OVER"), ("name", "x"), ("percent", "5"), ("ends_on", "2020-01-01")]).await;
    make(&mut mill, OWN, &[("code", "ENDED"), ("name", "x"), ("percent", "5")]).await;
    make(&mut mill, OWN, &[("code", "LARGE"), ("name", "x"), ("amount", "5"), ("minimum", "30")]).await;
    make(&mut operator, ALL, &[("code", "KILNS"), ("name", "x"), ("amount", "5"), ("vendor", "/vendors/kiln")]).await;
    assert_eq!(mill.post_form(&format!("{OWN}/{}", id(&test, "ENDED").await), &[]).await.status, StatusCode::SEE_OTHER);
    let mut guest = test.guest();
    put(&mut guest, &world, "MILL-PLAIN", "2").await;
    for (code, why) in [
        ("NOTHING", "There is no such coupon."),
        ("no code at all", "There is no such coupon."),
        ("later", "This coupon is not valid yet."),
        ("over", "This coupon has ended."),
        ("ended", "This coupon has ended."),
        ("large", "This coupon needs goods for £30.00. Those of your order that it is for cost £20.00."),
        ("kilns", "This coupon is for other goods than those in your order."),
    ] {
        let mut form = form(&mut guest, code).await;
        form.insert("city".into(), "Hull".into());
        for path in ["/checkout/update", "/checkout"] {
            let answer = send(&mut guest, path, &form).await;
            assert!(refused(&answer).ends_with(why), "{code} at {path}: {}", refused(&answer));
            assert_eq!(answer.attribute("#f-coupon", "value").as_deref(), Some(code));
            assert_eq!(answer.attribute("#f-city", "value").as_deref(), Some("Hull"));
            assert_eq!(answer.texts("#pay"), ["Pay £23.95"], "the total is what it would be without");
        }
    }
    assert_eq!(count(&test.app, "select count(*) from orders").await, 0);
    // A discount that went meanwhile is no rise that is slipped in: the total that was shown holds.
    let mut plain = form(&mut guest, "").await;
    plain.insert("expected_total".into(), "1895".into());
    let answer = send(&mut guest, "/checkout", &plain).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(answer.text().contains("The total changed from £18.95 to £23.95."), "{}", answer.text());
    // And one that is typed only when the button is pressed passes on.
    put(&mut guest, &world, "MILL-PLAIN", "2").await;
    order(&mut guest, "large").await;
    assert_eq!(count(&test.app, "select total_minor from orders").await, 4000 - 500 + 395);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_new_coupon_is_said_at_its_field_and_what_was_typed_stays() {
    let (test, _) = TestApp::new().await;
    let (mut mill, mut operator) = (test.vendor("mill").await, test.operator().await);
    make(&mut mill, OWN, &[("code", "taken"), ("name", "x"), ("percent", "5")]).await;
    let answer = operator.post_form(ALL, &[("code", "Taken"), ("name", "y"), ("percent", "5"), ("platform", "100")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.texts("#f-code-error").join("").contains("There is a coupon with this code already"));
    assert_eq!(answer.attribute("#f-code", "value").as_deref(), Some("Taken"));
    let bad = [
        ("code", "a b"),
        ("name", ""),
        ("percent", "5"),
        ("amount", "5"),
        ("minimum", "x"),
        ("vendor", "nobody"),
        ("category", "x"),
        ("starts_on", "tomorrow"),
        ("limit_total", "none"),
        ("limit_person", "0"),
        ("platform", "101"),
    ];
    let answer = operator.post_form(ALL, &bad).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    for (field, _) in bad.iter().filter(|(field, _)| *field != "percent") {
        assert!(answer.attribute(&format!("#f-{field}-error"), "id").is_some(), "{field}: {:?}", answer.texts(".field-error"));
    }
    // A coupon is never changed, only ended, and that for good.
    for statement in [
        "update coupons set percent_bp = 50",
        "update coupons set limit_total = 7",
        "update coupons set archived_at = now(), platform_bp = 100",
    ] {
        let error = sqlx::query(statement).execute(&test.app.pool).await.expect_err(statement);
        assert!(error.to_string().contains("frozen"), "{statement}: {error}");
    }
    for _ in 0..2 {
        let end = format!("{OWN}/{}", id(&test, "TAKEN").await);
        assert_eq!(mill.post_form(&end, &[("action", "end")]).await.location(), OWN);
    }
    assert!(sqlx::query("update coupons set archived_at = null, archived_by = null").execute(&test.app.pool).await.is_err());
    assert!(mill.get(OWN).await.texts("tbody tr").join("").contains("ended"));
}

#[tokio::test]
async fn the_database_refuses_what_the_program_must_not_do() {
    let (test, world) = TestApp::new().await;
    make(&mut test.vendor("mill").await, OWN, &[("code", "TWICE"), ("name", "x"), ("percent", "10"), ("limit_total", "1")]).await;
    let mut guest = test.guest();
    put(&mut guest, &world, "MILL-PLAIN", "1").await;
    order(&mut guest, "twice").await;
    let other = crate::support::purchase::order(&test.app, None, &[("KILN-PLAIN", 1)]).await.expect("stock");
    let claim = |amount: i64| {
        sqlx::query("insert into coupon_claims (order_id, coupon_id, email, amount_minor, platform_minor) select $1, id, 'x@example.com', $2, 0 from coupons")
            .bind(other.id.uuid())
            .bind(amount)
    };
    let error = claim(5).execute(&test.app.pool).await.expect_err("one too many");
    assert!(error.to_string().contains("coupons_within"), "{error}");
    sqlx::query("update orders set status = 'cancelled' where cart_id is not null")
        .execute(&test.app.pool)
        .await
        .expect("cancelled");
    let error = claim(5).execute(&test.app.pool).await.expect_err("not its discount");
    assert!(error.to_string().contains("is not its discount"), "{error}");
    let error = sqlx::query("update coupon_claims set amount_minor = 1").execute(&test.app.pool).await.expect_err("frozen");
    assert!(error.to_string().contains("frozen"), "{error}");
}

#[tokio::test]
async fn programs_use_a_coupon_too() {
    let (test, world) = TestApp::with_services().await;
    make(
        &mut test.operator().await,
        ALL,
        &[("code", "API-20"), ("name", "x"), ("percent", "20"), ("platform", "100"), ("limit_total", "1")],
    )
    .await;
    let mut guest = test.guest();
    put(&mut guest, &world, "MILL-PLAIN", "1").await;
    put(&mut guest, &world, "KILN-PLAIN", "1").await;
    let body = |coupon: &str| {
        json!({ "email": "grace@example.com", "coupon": coupon, "expected_total": { "amount": 2390, "currency": "GBP" },
            "shipping_address": { "name": "Grace Guest", "line1": "1 Harbour Row", "city": "Hull", "postal_code": "HU1 1AA", "country": "GB" } })
    };
    let post = async |person: &mut Client, coupon: &str| {
        person.call(http::Method::POST, "/api/v1/checkout", Some(&body(coupon)), &[]).await
    };
    for bad in ["NOTHING", "no code", &"x".repeat(40)] {
        let answer = post(&mut guest, bad).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
        assert_eq!(answer.json()["errors"]["coupon"], json!(["There is no such coupon."]));
    }
    let answer = post(&mut guest, "api-20").await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let order = &answer.json()["order"];
    assert_eq!((&order["coupon"], &order["totals"]["discount"]["amount"]), (&json!("API-20"), &json!(400)));
    assert_eq!(order["totals"]["total"]["amount"], 2000 - 400 + 790);
    let lines: BTreeSet<i64> = order["vendor_orders"]
        .as_array()
        .expect("parcels")
        .iter()
        .map(|p| p["lines"][0]["total"]["amount"].as_i64().expect("an amount"))
        .collect();
    assert_eq!(lines, BTreeSet::from([800]));
    let mut other = test.guest();
    put(&mut other, &world, "MILL-PLAIN", "1").await;
    let answer = post(&mut other, "API-20").await;
    assert_eq!(answer.json()["errors"]["coupon"], json!(["This coupon has been used as often as it can be."]));
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_coupon_costs_one_statement_more() {
    let (test, world) = TestApp::with_services().await;
    make(
        &mut test.operator().await,
        ALL,
        &[("code", "COUNT"), ("name", "x"), ("percent", "20"), ("limit_total", "9"), ("limit_person", "3")],
    )
    .await;
    let mut statements = Vec::new();
    for code in ["", "count"] {
        let mut guest = test.guest();
        put(&mut guest, &world, "MILL-PLAIN", "1").await;
        let form = form(&mut guest, code).await;
        let (page, shown) = asked(send(&mut guest, "/checkout/update", &form)).await;
        assert_eq!(page.status, StatusCode::OK);
        let (answer, made) = asked(send(&mut guest, "/checkout", &form)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER);
        statements.push((shown.len(), made));
    }
    let [(plain_shown, plain), (shown, made)] = &statements[..] else { panic!("two") };
    assert_eq!(shown - plain_shown, 1);
    assert_eq!(made.len() - plain.len(), 1, "{made:#?}\n{plain:#?}");
}
