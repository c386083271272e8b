//! Messages between shopper and vendor: who reads them, who is told, and what waits for an answer.

use crate::support::{
    TestApp,
    purchase::{assert_laws_hold, count, order, paid, parcel_of},
};
use http::StatusCode;

#[tokio::test]
async fn a_question_waits_until_it_is_answered_and_both_are_told() {
    let (test, world) = TestApp::with_services().await;
    let bought = paid(&test, Some(world.people["ada"]), &[("MILL-PLAIN", 1), ("KILN-PLAIN", 1)]).await;
    let (parcel, _) = parcel_of(&test, &bought, "mill").await;
    let (of_kiln, _) = parcel_of(&test, &bought, "kiln").await;
    sqlx::query("delete from live_events").execute(&test.app.pool).await.expect("from here");
    let page = format!("/orders/{}/messages", bought.id);
    let parcel_field = parcel.to_string();

    let mut ada = test.customer("ada").await;
    assert!(ada.get(&format!("/orders/{}", bought.id)).await.body.contains(&format!("{page}?parcel={parcel}")));
    let wrong = ada.post_form(&page, &[("parcel", &parcel_field), ("text", "  ")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let asked = ada.post_form(&page, &[("parcel", &parcel_field), ("text", "Is it oak?\n\n<b>Really</b>?")]).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.text());
    let thread = ada.get(asked.location()).await;
    assert!(thread.text().contains("Is it oak?") && thread.body.contains("&lt;b&gt;Really"), "{}", thread.body);
    let kinds: Vec<String> = sqlx::query_scalar("select kind from live_events").fetch_all(&test.app.pool).await.expect("kinds");
    assert_eq!(kinds, ["message"]);

    let mut mill = test.vendor("mill").await;
    assert!(mill.get("/vendor").await.text().contains("Messages: 1"));
    assert!(!test.vendor("kiln").await.get("/vendor").await.text().contains("Messages: 1"));
    let here = format!("/vendor/orders/{parcel}/messages");
    assert!(mill.get(&here).await.text().contains("Is it oak?"));
    assert!(
        !test.vendor("kiln").await.get(&format!("/vendor/orders/{of_kiln}/messages")).await.text().contains("oak"),
        "not theirs to read"
    );
    assert_eq!(mill.post_form(&here, &[("text", "It is ash.")]).await.status, StatusCode::SEE_OTHER);
    assert!(!mill.get("/vendor").await.text().contains("Messages: 1"));
    let mails: Vec<(String, String)> = sqlx::query_as(
        "select recipient, subject from outbox where subject like '%message about%' or subject like '%wrote to you%' order by id",
    )
    .fetch_all(&test.app.pool)
    .await
    .expect("mails");
    assert_eq!(mails.len(), 2, "{mails:?}");
    assert_eq!(mails.iter().filter(|(to, _)| to == "ada@example.com").count(), 1, "{mails:?}");

    // With the link of the mail alone, as a guest; asked again and put aside.
    let link = bought.path("/messages");
    let mut guest = test.guest();
    assert!(guest.get(&format!("{link}&parcel={parcel}")).await.text().contains("It is ash."));
    let again = [("parcel", parcel_field.as_str()), ("token", bought.token.as_str()), ("text", "Thanks!")];
    assert_eq!(guest.post_form(&page, &again).await.status, StatusCode::SEE_OTHER);
    assert!(mill.get("/vendor").await.text().contains("Messages: 1"));
    mill.post_form(&here, &[("action", "settle")]).await;
    assert!(!mill.get("/vendor").await.text().contains("Messages: 1"));
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn strangers_neither_read_nor_write_and_nobody_floods() {
    let (test, world) = TestApp::with_services().await;
    let bought = paid(&test, Some(world.people["ada"]), &[("MILL-PLAIN", 1)]).await;
    let (parcel, _) = parcel_of(&test, &bought, "mill").await;
    let page = format!("/orders/{}/messages", bought.id);
    let fields = [("parcel", parcel.to_string()), ("text", "Hello".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    for mut stranger in [test.guest(), test.customer("bob").await, test.vendor("kiln").await] {
        assert_eq!(stranger.get(&format!("{page}?parcel={parcel}")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(stranger.post_form(&page, &fields).await.status, StatusCode::NOT_FOUND);
    }
    let here = format!("/vendor/orders/{parcel}/messages");
    assert_eq!(test.vendor("kiln").await.post_form(&here, &[("text", "Hello")]).await.status, StatusCode::NOT_FOUND);
    // Of an order that is not paid there is nobody to ask; nor of a parcel of another order.
    let unpaid = order(&test.app, Some(world.people["ada"]), &[("MILL-PLAIN", 1)]).await.expect("an order");
    let (other, _) = parcel_of(&test, &unpaid, "mill").await;
    let mut ada = test.customer("ada").await;
    let unpaid_page = format!("/orders/{}/messages", unpaid.id);
    assert_eq!(
        ada.post_form(&unpaid_page, &[("parcel", &other.to_string()), ("text", "Hello")]).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(ada.post_form(&page, &[("parcel", &other.to_string()), ("text", "Hello")]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(count(&test.app, "select count(*) from order_events where kind like 'message%'").await, 0);

    for _ in 0..20 {
        assert_eq!(ada.post_form(&page, &fields).await.status, StatusCode::SEE_OTHER);
    }
    let flood = ada.post_form(&page, &fields).await;
    assert_eq!(flood.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(flood.text().contains("many messages in an hour"));
}
