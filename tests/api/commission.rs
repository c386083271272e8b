//! What the market keeps: by rules in an order, frozen on what is sold, tried before they are saved, and explained to the vendor.

use crate::{
    ledger::buy,
    support::{Client, TestApp, purchase::assert_laws_hold},
};
use http::StatusCode;
use sqlx::Row;
use uuid::Uuid;

const HERE: &str = "/operator/commission";

async fn rule(test: &TestApp, name: &str) -> Uuid {
    sqlx::query_scalar("select id from commission_rules where name = $1 and archived_at is null")
        .bind(name)
        .fetch_one(&test.app.pool)
        .await
        .unwrap_or_else(|e| panic!("no rule {name}: {e}"))
}

/// The names of the rules as the page lists them.
async fn names(operator: &mut Client) -> Vec<String> {
    operator.get(HERE).await.texts("tbody th a")
}

/// Every line that was sold: `(sku, rule, fee, VAT)`.
async fn frozen(test: &TestApp) -> Vec<(String, String, i64, i64)> {
    let rows = sqlx::query("select sku, commission_rule, fee_minor, fee_vat_minor from order_lines order by id");
    let rows = rows.fetch_all(&test.app.pool).await.expect("lines");
    rows.into_iter().map(|r| (r.get(0), r.get(1), r.get(2), r.get(3))).collect()
}

async fn add(operator: &mut Client, fields: &[(&str, &str)]) {
    let answer = operator.post_form(HERE, fields).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, HERE), "{:?}", answer.texts(".field-error"));
}

#[tokio::test]
async fn someone_else_may_not() {
    let (test, _) = TestApp::with_services().await;
    let id = buy(&test, &mut test.guest(), &[("MILL-PLAIN", 1)]).await;
    let parcel: Uuid = sqlx::query_scalar("select id from vendor_orders where order_id = $1")
        .bind(id)
        .fetch_one(&test.app.pool)
        .await
        .expect("a parcel");
    let standard = rule(&test, "Standard").await;
    let (one, step) = (format!("{HERE}/{standard}"), format!("{HERE}/{standard}/move"));
    let form = [("name", "Mine"), ("percent", "0"), ("to", "earlier")];
    for mut person in [test.customer("ada").await, test.vendor("mill").await] {
        for path in [HERE, &one, &step] {
            assert_eq!(person.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
            assert_eq!(person.post_form(path, &form).await.status, StatusCode::FORBIDDEN, "{path}");
        }
    }
    assert!(test.guest().get(HERE).await.location().starts_with("/sign-in"));
    // What a sale left its vendor is nobody else's business.
    let page = format!("/vendor/orders/{parcel}");
    assert!(test.vendor("mill").await.get(&page).await.text().contains("What you get"));
    assert_eq!(test.vendor("kiln").await.get(&page).await.status, StatusCode::NOT_FOUND);
    assert_eq!(rule(&test, "Standard").await, standard);
}

#[tokio::test]
async fn a_rule_decides_from_its_day_and_what_was_sold_keeps_the_old_one() {
    let (test, _) = TestApp::with_services().await;
    let (mut operator, mut guest) = (test.operator().await, test.guest());
    buy(&test, &mut guest, &[("MILL-PLAIN", 2)]).await;
    add(
        &mut operator,
        &[
            ("name", "Kitchen"),
            ("category", &category(&test, "home").await),
            ("percent", "5"),
            ("fixed", "0.30"),
            ("on_shipping", "on"),
        ],
    )
    .await;
    add(
        &mut operator,
        &[("name", "The kiln's"), ("vendor", "kiln"), ("percent", "0"), ("before", &rule(&test, "Kitchen").await.to_string())],
    )
    .await;
    buy(&test, &mut guest, &[("MILL-PLAIN", 2), ("KILN-PLAIN", 1)]).await;
    // The rule is changed, and the market's own too.
    let kitchen = rule(&test, "Kitchen").await;
    let changed =
        operator.post_form(&format!("{HERE}/{kitchen}"), &[("name", "Kitchen, dearer"), ("percent", "50"), ("cap", "4")]).await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{:?}", changed.texts(".field-error"));
    let again = operator.post_form(&format!("{HERE}/{kitchen}"), &[("name", "Kitchen, too late"), ("percent", "50")]).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "somebody changed it first");
    buy(&test, &mut guest, &[("MILL-PLAIN", 2)]).await;
    let plain = |rule: &str, fee, vat| ("MILL-PLAIN".to_owned(), rule.to_owned(), fee, vat);
    let mut sold = frozen(&test).await;
    sold.retain(|(sku, ..)| sku == "MILL-PLAIN");
    assert_eq!(sold, [plain("Standard", 200, 40), plain("Kitchen", 160, 32), plain("Kitchen, dearer", 800, 160)]);
    assert_eq!(
        frozen(&test).await.into_iter().find(|(sku, ..)| sku == "KILN-PLAIN"),
        Some(("KILN-PLAIN".into(), "The kiln's".into(), 0, 0))
    );
    let shipping: Vec<(i64, i64)> = sqlx::query_as(
        "select shipping_fee_minor, shipping_fee_vat_minor from vendor_orders where vendor_slug = 'mill' order by id",
    )
    .fetch_all(&test.app.pool)
    .await
    .expect("parcels");
    // a twentieth of £3.95
    assert_eq!(shipping, [(0, 0), (20, 4), (0, 0)]);
    // What is frozen, and the rule that it was frozen by, cannot be changed behind anybody's back.
    for statement in [
        "update order_lines set fee_minor = 0, fee_vat_minor = 0",
        "update order_lines set commission_rule = 'Another'",
        "update vendor_orders set shipping_fee_minor = 0, shipping_fee_vat_minor = 0, fee_minor = fee_minor - shipping_fee_minor",
        "update commission_rules set percent_bp = 1",
        "update commission_rules set archived_at = null, position = 99 where archived_at is not null",
    ] {
        let error = sqlx::query(statement).execute(&test.app.pool).await.expect_err(statement);
        assert!(error.to_string().contains("frozen"), "{statement}: {error}");
    }
    assert!(sqlx::query("delete from commission_rules").execute(&test.app.pool).await.is_err(), "what was sold names them");
    assert_laws_hold(&test.app).await;
}

async fn category(test: &TestApp, slug: &str) -> String {
    let id: Uuid = sqlx::query_scalar("select id from categories where slug = $1")
        .bind(slug)
        .fetch_one(&test.app.pool)
        .await
        .expect("a category");
    id.to_string()
}

#[tokio::test]
async fn rules_are_moved_and_archived_and_the_last_one_stays() {
    let (test, _) = TestApp::new().await;
    let mut operator = test.operator().await;
    for name in ["One", "Two", "Three"] {
        add(&mut operator, &[("name", name), ("vendor", "mill"), ("percent", "7")]).await;
    }
    assert_eq!(names(&mut operator).await, ["One", "Two", "Three", "Standard"]);
    let step = async |operator: &mut Client, name: &str, to: &str| {
        let path = format!("{HERE}/{}/move", rule(&test, name).await);
        operator.post_form(&path, &[("to", to)]).await.status
    };
    assert_eq!(step(&mut operator, "Three", "earlier").await, StatusCode::SEE_OTHER);
    assert_eq!(step(&mut operator, "One", "later").await, StatusCode::SEE_OTHER);
    assert_eq!(names(&mut operator).await, ["Three", "One", "Two", "Standard"]);
    for (name, to) in [("Three", "earlier"), ("Two", "later")] {
        assert_eq!(step(&mut operator, name, to).await, StatusCode::SEE_OTHER, "nothing happens at the ends");
    }
    assert_eq!(step(&mut operator, "One", "archive").await, StatusCode::SEE_OTHER);
    assert_eq!(names(&mut operator).await, ["Three", "Two", "Standard"]);
    for to in ["earlier", "archive"] {
        assert_eq!(step(&mut operator, "Standard", to).await, StatusCode::NOT_FOUND, "{to}");
    }
    assert_eq!(step(&mut operator, "Two", "away").await, StatusCode::BAD_REQUEST);
    // The last one can be changed, and stays what it is: conditions are not read.
    let standard = rule(&test, "Standard").await;
    let changed =
        operator.post_form(&format!("{HERE}/{standard}"), &[("name", "Usual"), ("percent", "12.5"), ("vendor", "mill")]).await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER);
    let page = operator.get(HERE).await;
    assert_eq!(page.texts("tbody th a"), ["Three", "Two", "Usual"]);
    assert!(page.text().contains("everything") && page.text().contains("12.5 %"), "{}", page.text());
    assert_eq!(operator.get(&format!("{HERE}/{standard}")).await.status, StatusCode::NOT_FOUND, "archived");
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field_and_what_was_typed_stays() {
    let (test, _) = TestApp::new().await;
    let mut operator = test.operator().await;
    let form = [
        ("name", ""),
        ("vendor", "nobody"),
        ("product", "nothing"),
        ("category", "x"),
        ("starts_on", "2026-12-31"),
        ("ends_on", "2026-12-01"),
        ("percent", "101"),
        ("fixed", "-1"),
        ("minimum", "5"),
        ("cap", "4"),
    ];
    for action in ["save", "try"] {
        let form: Vec<_> = form.into_iter().chain([("action", action)]).collect();
        let answer = operator.post_form(HERE, &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        for field in ["name", "vendor", "product", "category", "ends_on", "percent", "fixed", "cap"] {
            assert!(
                answer.attribute(&format!("#f-{field}-error"), "id").is_some(),
                "{field}: {:?}",
                answer.texts(".field-error")
            );
            assert_eq!(answer.attribute(&format!("#f-{field}"), "aria-invalid").as_deref(), Some("true"), "{field}");
        }
        assert_eq!(answer.attribute("#f-vendor", "value").as_deref(), Some("nobody"));
    }
    assert_eq!(names(&mut operator).await, ["Standard"]);
}

#[tokio::test]
async fn a_draft_is_tried_on_the_last_month_and_changes_nothing() {
    let (test, _) = TestApp::with_services().await;
    let (mut operator, mut guest) = (test.operator().await, test.guest());
    let none = operator.post_form(HERE, &[("name", "Draft"), ("percent", "5"), ("action", "try")]).await;
    assert!(none.text().contains("Nothing was sold in that time"), "{}", none.text());
    buy(&test, &mut guest, &[("MILL-PLAIN", 2), ("KILN-PLAIN", 1)]).await;
    buy(&test, &mut guest, &[("MILL-SMALL", 1)]).await;
    // A rule of next year is tried as if it had been in force.
    let draft = [
        ("name", "Millers"),
        ("vendor", "/vendors/mill"),
        ("percent", "20"),
        ("minimum", "3"),
        ("starts_on", "2099-01-01"),
        ("action", "try"),
    ];
    let tried = operator.post_form(HERE, &draft).await;
    assert_eq!(tried.status, StatusCode::OK, "{:?}", tried.texts(".field-error"));
    let rows: Vec<String> = tried.texts(".what-if tbody tr").iter().map(|r| r.replace(' ', "")).collect();
    // mill: a fifth of 2000 is below the minimum of two pieces, that of 1250 below the minimum of one
    assert_eq!(rows, ["Allshops32£54.35£4.25£10.00+£5.75", "Themill22£40.40£3.25£9.00+£5.75", "Thekiln10£13.95£1.00£1.00£0.00",]);
    assert_eq!(tried.attribute("#f-starts_on", "value").as_deref(), Some("2099-01-01"), "what was typed stays");
    assert_eq!(names(&mut operator).await, ["Standard"], "nothing is saved");
    // Half of what everybody pays.
    let standard = rule(&test, "Standard").await;
    let half = operator.post_form(&format!("{HERE}/{standard}"), &[("name", "Half"), ("percent", "5"), ("action", "try")]).await;
    let rows: Vec<String> = half.texts(".what-if tbody tr").iter().map(|r| r.replace(' ', "")).collect();
    assert!(rows[0].ends_with("£4.25£2.13−£2.12"), "{rows:?}");
    assert_eq!(rule(&test, "Standard").await, standard);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_vendor_sees_what_a_price_leaves_and_why_a_sale_left_what_it_did() {
    let (test, world) = TestApp::with_services().await;
    let (mut mill, mut operator) = (test.vendor("mill").await, test.operator().await);
    let page = format!("/vendor/products/{}", world.vendors["mill"].products["mill-choice"]);
    let text = mill.get(&page).await.text();
    // 1250 less 125 and the VAT of 25 on it; 1999 less 200 and 40
    assert!(text.contains("You get £11.00 of £12.50") && text.contains("You get £17.59 of £19.99"), "{text}");
    assert!(!mill.get("/vendor/products/new").await.text().contains("You get"));
    add(&mut operator, &[("name", "Choices"), ("product", "mill-choice"), ("percent", "0"), ("fixed", "1")]).await;
    assert!(mill.get(&page).await.text().contains("You get £11.30 of £12.50"));

    let id = buy(&test, &mut test.guest(), &[("MILL-SMALL", 2), ("MILL-PLAIN", 1), ("KILN-PLAIN", 1)]).await;
    let parcel: Uuid = sqlx::query_scalar("select id from vendor_orders where order_id = $1 and vendor_slug = 'mill'")
        .bind(id)
        .fetch_one(&test.app.pool)
        .await
        .expect("a parcel");
    let seen = mill.get(&format!("/vendor/orders/{parcel}")).await;
    let rows = seen.texts(".earnings tbody tr, .earnings tfoot tr");
    // Stripe kept 1.5 % and 20p of £52.90: 99p, shared out over 2500, 1000, 395 here and 1395 elsewhere
    let want = [
        "The mill's choice bowl Choices: 0 % + £1.00 a piece. It was the first to match: The mill's choice bowl. £25.00£2.00£0.40£0.47£22.60",
        "The mill's plain bowl Standard: 10 %. No other rule matched. £10.00£1.00£0.20£0.19£8.80",
        "Standard No commission on shipping. £3.95£0.00£0.00£0.07£3.95",
        "In all £38.95£3.00£0.60£0.73£35.35",
    ];
    let plain = |text: &str| text.replace(' ', "");
    assert_eq!(rows.iter().map(|r| plain(r)).collect::<Vec<_>>(), want.map(plain));
    assert_laws_hold(&test.app).await;
}
