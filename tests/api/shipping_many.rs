//! Many parcels from a pasted list, and the slip that lies in each.

use crate::support::{
    TestApp,
    purchase::{assert_laws_hold, count, order, paid, parcel_of},
};
use http::StatusCode;

const PAGE: &str = "/vendor/orders/ship";

async fn number(test: &TestApp, id: souk::ids::OrderId) -> i64 {
    sqlx::query_scalar("select number from orders where id = $1")
        .bind(id.uuid())
        .fetch_one(&test.app.pool)
        .await
        .expect("a number")
}

#[tokio::test]
async fn a_list_is_looked_at_and_sent_and_what_cannot_be_is_said_with_its_line() {
    let (test, _) = TestApp::with_services().await;
    sqlx::query("update stock set on_hand = 100").execute(&test.app.pool).await.expect("full shelves");
    let one = paid(&test, None, &[("MILL-PLAIN", 2), ("KILN-PLAIN", 1)]).await;
    let two = paid(&test, None, &[("MILL-PLAIN", 1)]).await;
    let others = paid(&test, None, &[("KILN-PLAIN", 1)]).await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("an order");
    let mut numbers = Vec::new();
    for order in [&one, &two, &others, &unpaid] {
        numbers.push(number(&test, order.id).await);
    }
    let list = format!(
        "Order,Tracking\n{},AB 1\n{}\tAB 2\tDPD\n{},AB 3\n{},AB 4\nnothing AB 5 7\n{},AB 6",
        numbers[0], numbers[1], numbers[2], numbers[3], numbers[0]
    );
    let mut mill = test.vendor("mill").await;
    let looked = mill.post_form(PAGE, &[("list", &list), ("carrier", "Royal Mail")]).await;
    let text = looked.text();
    for said in [
        "2 parcels to send",
        &format!("Line 4, {}: There is no paid order of yours", numbers[2]),
        &format!("Line 5, {}: There is no paid order of yours", numbers[3]),
        "Line 6, nothing AB 5 7: This does not begin with the number of an order.",
        "Line 7",
    ] {
        assert!(text.contains(said), "{said} is missing in {text}");
    }
    assert_eq!(count(&test.app, "select count(*) from shipments").await, 0, "looking sends nothing");

    let sent = mill.post_form(PAGE, &[("list", &list), ("carrier", "Royal Mail"), ("step", "send")]).await;
    assert!(sent.text().contains("2 parcels are on their way."), "{}", sent.text());
    let how =
        sqlx::query_scalar::<_, String>("select string_agg(carrier || ' ' || tracking, ', ' order by tracking) from shipments");
    assert_eq!(how.fetch_one(&test.app.pool).await.expect("shipments"), "Royal Mail AB 1, DPD AB 2");
    assert_eq!(count(&test.app, "select sum(quantity)::bigint from shipment_lines").await, 3, "of the other vendor nothing");
    // Once more: nothing is left of them.
    let again = mill.post_form(PAGE, &[("list", &list), ("carrier", "Royal Mail"), ("step", "send")]).await;
    assert!(again.text().contains("Everything of this order has left already."));
    assert_eq!(count(&test.app, "select count(*) from shipments").await, 2);
    assert_laws_hold(&test.app).await;

    let wrong = mill.post_form(PAGE, &[("list", ""), ("carrier", "")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(test.guest().get(PAGE).await.location().starts_with("/sign-in"));
    assert_eq!(test.customer("bob").await.get(PAGE).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_went_back_before_it_left_is_not_sent() {
    let (test, _) = TestApp::with_services().await;
    sqlx::query("update stock set on_hand = 100").execute(&test.app.pool).await.expect("full shelves");
    let bought = paid(&test, None, &[("MILL-PLAIN", 3)]).await;
    let (parcel, lines) = parcel_of(&test, &bought, "mill").await;
    let mut mill = test.vendor("mill").await;
    let back = [(format!("back[{}]", lines[0]), "1".to_owned()), (format!("reason[{parcel}]"), "Broken".to_owned())];
    let back: Vec<(&str, &str)> = back.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    mill.post_form(&format!("/vendor/orders/{parcel}/refunds"), &back).await;
    let list = format!("{} X", number(&test, bought.id).await);
    mill.post_form(PAGE, &[("list", &list), ("carrier", "DPD"), ("step", "send")]).await;
    assert_eq!(count(&test.app, "select sum(quantity)::bigint from shipment_lines").await, 2);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_packing_slip_is_its_vendors() {
    let (test, _) = TestApp::with_services().await;
    let bought = paid(&test, None, &[("MILL-PLAIN", 1)]).await;
    let (parcel, _) = parcel_of(&test, &bought, "mill").await;
    let path = format!("/vendor/orders/{parcel}/packing-slip.pdf");
    let answer = test.vendor("mill").await.get(&path).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "application/pdf");
    assert!(answer.headers["content-disposition"].to_str().is_ok_and(|name| name.contains("Packing-slip-1")));
    assert_eq!(test.vendor("kiln").await.get(&path).await.status, StatusCode::NOT_FOUND);
}
