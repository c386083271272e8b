//! Many goods at once: looked at, done, taken back; and prices and stock typed into one list.

use crate::support::{
    Answer, Client, TestApp,
    purchase::{assert_laws_hold, order},
};
use http::StatusCode;
use sqlx::Row;

const BULK: &str = "/vendor/products/bulk";
const STOCK: &str = "/vendor/stock";

/// What stands of a SKU: its price, and what is on hand.
async fn stands(test: &TestApp, sku: &str) -> (i64, i32) {
    let row =
        sqlx::query("select v.regular_minor, s.on_hand from variants v join stock s on s.variant_id = v.id where v.sku = $1")
            .bind(sku)
            .fetch_one(&test.app.pool)
            .await
            .expect("the variant");
    (row.get(0), row.get(1))
}

async fn seen(answer: &Answer) -> String {
    answer.attribute("input[name=seen]", "value").expect("a fingerprint")
}

async fn id_of(test: &TestApp, table: &'static str, sku: &str) -> String {
    let sql = match table {
        "product" => "select product_id from variants where sku = $1",
        _ => "select id from variants where sku = $1",
    };
    sqlx::query_scalar::<_, uuid::Uuid>(sql).bind(sku).fetch_one(&test.app.pool).await.expect("it").to_string()
}

async fn take_back(test: &TestApp, client: &mut Client) -> Answer {
    let id: uuid::Uuid =
        sqlx::query_scalar("select id from catalog_changes where undone_by is null order by at desc, id desc limit 1")
            .fetch_one(&test.app.pool)
            .await
            .expect("a change");
    client.post_form(&format!("/vendor/products/undo/{id}"), &[]).await
}

#[tokio::test]
async fn all_prices_of_a_list_are_raised_as_was_looked_at_and_taken_back() {
    let (test, _) = TestApp::new().await;
    let mut mill = test.vendor("mill").await;
    let (before, _) = stands(&test, "MILL-PLAIN").await;
    let kiln = stands(&test, "KILN-PLAIN").await;
    let form = [("all", "true"), ("q", ""), ("status", ""), ("action", "raise"), ("value", "10"), ("category", "")];
    let looked = mill.post_form(BULK, &form).await;
    assert_eq!(looked.status, StatusCode::OK, "{}", looked.text());
    assert!(looked.text().contains("Prices raised by 10 %"), "{}", looked.text());
    assert_eq!(stands(&test, "MILL-PLAIN").await.0, before, "looking changes nothing");
    let go = seen(&looked).await;
    let with = |seen: &str| -> Vec<(&'static str, String)> {
        form.iter().map(|(n, v)| (*n, (*v).to_owned())).chain([("seen", seen.to_owned())]).collect()
    };
    let post = async |client: &mut Client, fields: Vec<(&'static str, String)>| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        client.post_form(BULK, &fields).await
    };

    // Somebody changes one of them meanwhile: nothing is done, and what would happen now is shown.
    sqlx::query("update variants set price_minor = price_minor + 100 where sku = 'MILL-PLAIN'")
        .execute(&test.app.pool)
        .await
        .expect("dearer");
    let conflict = post(&mut mill, with(&go)).await;
    assert_eq!(conflict.status, StatusCode::CONFLICT);
    assert!(conflict.text().contains("nothing was done"));
    assert_eq!(stands(&test, "MILL-PLAIN").await.0, before + 100);
    let go = seen(&conflict).await;
    assert_eq!(post(&mut mill, with(&go)).await.status, StatusCode::SEE_OTHER);
    let raised = before + 100 + ((before + 100) as f64 * 0.1).round() as i64;
    assert_eq!(stands(&test, "MILL-PLAIN").await.0, raised);
    assert_eq!(stands(&test, "KILN-PLAIN").await, kiln, "another's goods are none of it");
    // Sent again it is another plan.
    assert_eq!(post(&mut mill, with(&go)).await.status, StatusCode::CONFLICT);

    // One is changed since: it stays, the others go back.
    sqlx::query("update variants set price_minor = 5 where sku = 'MILL-SMALL'").execute(&test.app.pool).await.expect("cheap");
    assert!(mill.get("/vendor/products").await.text().contains("Take it back"));
    assert_eq!(take_back(&test, &mut mill).await.status, StatusCode::SEE_OTHER);
    assert!(mill.get("/vendor/products").await.text().contains("1 had been changed since"));
    assert_eq!(stands(&test, "MILL-PLAIN").await.0, before + 100);
    assert_eq!(stands(&test, "MILL-SMALL").await.0, 5);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn stock_keeps_what_is_sold_and_held() {
    let (test, _) = TestApp::new().await;
    let mut mill = test.vendor("mill").await;
    sqlx::query("update stock set on_hand = 10").execute(&test.app.pool).await.expect("shelves");
    order(&test.app, None, &[("MILL-PLAIN", 4)]).await.expect("an order");
    let product = id_of(&test, "product", "MILL-PLAIN").await;
    let form = [("product", product.as_str()), ("action", "stock"), ("value", "3")];
    let looked = mill.post_form(BULK, &form).await;
    assert!(looked.text().contains("4 are held for open orders"), "{}", looked.text());
    let form = [("product", product.as_str()), ("action", "add"), ("value", "5")];
    let looked = mill.post_form(BULK, &form).await;
    let go = seen(&looked).await;
    let form = [("product", product.as_str()), ("action", "add"), ("value", "5"), ("seen", go.as_str())];
    assert_eq!(mill.post_form(BULK, &form).await.status, StatusCode::SEE_OTHER);
    assert_eq!(stands(&test, "MILL-PLAIN").await.1, 15);
    // Three leave the shelf, then the five are taken back.
    sqlx::query("update stock set on_hand = on_hand - 3 where variant_id = (select id from variants where sku = 'MILL-PLAIN')")
        .execute(&test.app.pool)
        .await
        .expect("sold");
    take_back(&test, &mut mill).await;
    assert_eq!(stands(&test, "MILL-PLAIN").await.1, 7);
}

#[tokio::test]
async fn goods_are_taken_off_sale_and_moved_and_what_is_wrong_is_said() {
    let (test, _) = TestApp::new().await;
    let mut mill = test.vendor("mill").await;
    let product = id_of(&test, "product", "MILL-PLAIN").await;
    let looked = mill.post_form(BULK, &[("product", product.as_str()), ("action", "unpublish")]).await;
    let go = seen(&looked).await;
    mill.post_form(BULK, &[("product", product.as_str()), ("action", "unpublish"), ("seen", go.as_str())]).await;
    assert_eq!(test.guest().get("/products/mill-plain").await.status, StatusCode::NOT_FOUND);
    take_back(&test, &mut mill).await;
    assert_eq!(test.guest().get("/products/mill-plain").await.status, StatusCode::OK);

    let wrong = mill.post_form(BULK, &[("product", product.as_str()), ("action", "raise"), ("value", "much")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("value=\"much\""));
    assert_eq!(
        mill.post_form(BULK, &[("product", product.as_str()), ("action", "category")]).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(mill.post_form(BULK, &[("action", "archive")]).await.location(), "/vendor/products");

    // Another's product is not found among one's own; another's change is not there.
    let mut kiln = test.vendor("kiln").await;
    let looked = kiln.post_form(BULK, &[("product", product.as_str()), ("action", "archive")]).await;
    assert!(looked.text().contains("Nothing would change"), "{}", looked.text());
    let change: uuid::Uuid =
        sqlx::query_scalar("select id from catalog_changes limit 1").fetch_one(&test.app.pool).await.expect("a change");
    assert_eq!(kiln.post_form(&format!("/vendor/products/undo/{change}"), &[]).await.status, StatusCode::NOT_FOUND);
    assert!(test.guest().post_form(BULK, &[]).await.location().starts_with("/sign-in"));
    assert_eq!(test.customer("ada").await.get(STOCK).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_list_is_typed_into_and_a_conflict_is_said_where_it_is() {
    let (test, _) = TestApp::new().await;
    let mut mill = test.vendor("mill").await;
    let (price, stock) = stands(&test, "MILL-PLAIN").await;
    let id = id_of(&test, "variant", "MILL-PLAIN").await;
    let fields = |now_price: &str, now_stock: &str, seen_price: i64, seen_stock: i32| {
        vec![
            (format!("price[{id}]"), now_price.to_owned()),
            (format!("stock[{id}]"), now_stock.to_owned()),
            (format!("seen_price[{id}]"), seen_price.to_string()),
            (format!("seen_stock[{id}]"), seen_stock.to_string()),
        ]
    };
    let save = async |client: &mut Client, fields: Vec<(String, String)>| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        client.post_form(STOCK, &fields).await
    };
    assert!(mill.get(&format!("{STOCK}?q=mill-plain")).await.text().contains("MILL-PLAIN"));

    // Of stock the difference counts: one was sold since the page was drawn.
    sqlx::query("update stock set on_hand = on_hand - 1 where variant_id = $1::uuid")
        .bind(&id)
        .execute(&test.app.pool)
        .await
        .expect("sold");
    let answer = save(&mut mill, fields("15.50", &(stock + 10).to_string(), price, stock)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert_eq!(stands(&test, "MILL-PLAIN").await, (1550, stock + 9));

    // Two people: the second is told, and may replace it then.
    let conflict = save(&mut mill, fields("16.00", &(stock + 9).to_string(), price, stock + 9)).await;
    assert_eq!(conflict.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(conflict.text().contains("Somebody changed it to £15.50 meanwhile"), "{}", conflict.text());
    assert!(conflict.body.contains("value=\"16.00\""));
    assert_eq!(stands(&test, "MILL-PLAIN").await.0, 1550);
    assert_eq!(save(&mut mill, fields("16.00", &(stock + 9).to_string(), 1550, stock + 9)).await.status, StatusCode::SEE_OTHER);
    assert_eq!(stands(&test, "MILL-PLAIN").await.0, 1600);

    let wrong = save(&mut mill, fields("dear", "-1", 1600, stock + 9)).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.texts(".field-error").len(), 2);
    assert_eq!(save(&mut test.vendor("kiln").await, fields("1.00", "1", 1600, stock)).await.status, StatusCode::NOT_FOUND);
    assert_laws_hold(&test.app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_change_many_at_once_do_not_both() {
    let (test, _) = TestApp::new().await;
    let mut people = [test.vendor("mill").await, test.vendor("mill").await];
    let (before, _) = stands(&test, "MILL-PLAIN").await;
    let form = [("all", "true"), ("action", "raise"), ("value", "100")];
    let go = seen(&people[0].post_form(BULK, &form).await).await;
    let form = [("all", "true"), ("action", "raise"), ("value", "100"), ("seen", go.as_str())];
    let [one, other] = &mut people;
    let (one, other) = tokio::join!(one.post_form(BULK, &form), other.post_form(BULK, &form));
    let mut statuses = [one.status, other.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::SEE_OTHER, StatusCode::CONFLICT]);
    assert_eq!(stands(&test, "MILL-PLAIN").await.0, 2 * before);
}
