//! Goods on their way back: asked for, answered, sent, received and paid back; and who may do and see what.

use crate::support::{
    Answer, Client, TestApp,
    purchase::{Unpaid, assert_laws_hold, count, paid, parcel_of, standing, stock},
};
use http::StatusCode;
use image::{ImageFormat, Rgb, RgbImage};
use souk::server::jobs;
use std::io::Cursor;
use uuid::Uuid;

async fn drain(test: &TestApp) {
    while jobs::drain(&test.app).await.expect("jobs run") > 0 {}
}

pub fn picture() -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    RgbImage::from_fn(40, 30, |x, y| Rgb([x as u8, y as u8, 90])).write_to(&mut out, ImageFormat::Png).expect("a picture");
    out.into_inner()
}

async fn mails(test: &TestApp, subject: &str, to: &str) -> i64 {
    sqlx::query_scalar("select count(*) from outbox where subject like $1 and recipient = $2")
        .bind(subject)
        .bind(to)
        .fetch_one(&test.app.pool)
        .await
        .expect("the outbox")
}

/// The vendor sends pieces of a line.
async fn ship(test: &TestApp, parcel: Uuid, lines: &[(Uuid, &str)]) {
    let pieces: Vec<_> = lines.iter().map(|(line, n)| (format!("lines[{line}]"), *n)).collect();
    let mut fields: Vec<(&str, &str)> = pieces.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    fields.push(("carrier", "DHL"));
    let answer = test.vendor("mill").await.post_form(&format!("/vendor/orders/{parcel}/shipments"), &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
}

/// An order of three plain bowls and a small one of the mill, all sent.
pub async fn sent(test: &TestApp, user: Option<Uuid>) -> (Unpaid, Uuid, Vec<Uuid>) {
    let order = paid(test, user, &[("MILL-PLAIN", 3), ("MILL-SMALL", 1)]).await;
    let (parcel, lines) = parcel_of(test, &order, "mill").await;
    ship(test, parcel, &[(lines[0], "3"), (lines[1], "1")]).await;
    (order, parcel, lines)
}

/// Asks to return pieces of the first line.
pub async fn ask(client: &mut Client, order: &Unpaid, parcel: Uuid, line: Uuid, pieces: &str, files: &[&[u8]]) -> Answer {
    let path = format!("/orders/{}/returns?token={}&parcel={parcel}", order.id, order.token);
    let name = format!("lines[{line}]");
    let fields = [(name.as_str(), pieces), ("reason", "damaged"), ("words", "The rim is chipped.\nSee the picture.")];
    let files: Vec<_> = files.iter().map(|bytes| ("pictures", "rim.png", "image/png", *bytes)).collect();
    client.post_multipart(&path, &fields, &files).await
}

pub async fn the_return(test: &TestApp) -> Uuid {
    sqlx::query_scalar("select id from returns order by asked_at desc limit 1").fetch_one(&test.app.pool).await.expect("a return")
}

async fn state(test: &TestApp, id: Uuid) -> String {
    sqlx::query_scalar("select state from returns where id = $1").bind(id).fetch_one(&test.app.pool).await.expect("its state")
}

async fn act(client: &mut Client, path: &str, action: &str, name: &str, words: &str) -> StatusCode {
    client.post_form(path, &[("action", action), (name, words)]).await.status
}

#[tokio::test]
async fn someone_else_may_not_ask_see_or_decide() {
    let (test, world) = TestApp::with_services().await;
    let (order, parcel, lines) = sent(&test, Some(world.people["ada"])).await;
    let bare = format!("/orders/{}/returns", order.id);
    let fields = [(format!("lines[{}]", lines[0]), "1")];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), *v)).collect();
    for mut stranger in [test.guest(), test.customer("bob").await, test.vendor("kiln").await] {
        assert_eq!(stranger.get(&bare).await.status, StatusCode::NOT_FOUND);
        let answer = stranger.post_multipart(&format!("{bare}?parcel={parcel}"), &fields, &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    let answer = ask(&mut test.guest(), &order, parcel, lines[0], "1", &[&picture()]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "the order's link is enough: {}", answer.text());
    let id = the_return(&test).await;
    let picture: Uuid = sqlx::query_scalar("select id from return_pictures").fetch_one(&test.app.pool).await.expect("a picture");
    let own = format!("{bare}/{id}");
    for mut stranger in [test.guest(), test.customer("bob").await, test.vendor("kiln").await] {
        for path in [own.clone(), format!("{own}/pictures/{picture}/320")] {
            assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
        }
        assert_eq!(act(&mut stranger, &own, "withdraw", "", "").await, StatusCode::NOT_FOUND);
        for key in [format!("returns/{picture}/320.webp"), format!("pictures/../returns/{picture}/320.webp")] {
            assert_eq!(stranger.get(&format!("/media/{key}")).await.status, StatusCode::NOT_FOUND, "{key}");
            let hidden = key.replace("..", "%2e%2e");
            assert_eq!(stranger.get(&format!("/media/{hidden}")).await.status, StatusCode::NOT_FOUND, "{hidden}");
        }
        let desk = format!("/operator/returns/{id}");
        assert!(stranger.get(&desk).await.status != StatusCode::OK);
        assert!(act(&mut stranger, &desk, "accept", "send_to", "Here").await != StatusCode::OK);
    }
    let mut kiln = test.vendor("kiln").await;
    let desk = format!("/vendor/returns/{id}");
    assert_eq!(kiln.get(&desk).await.status, StatusCode::NOT_FOUND);
    assert_eq!(kiln.get(&format!("{desk}/pictures/{picture}/320")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(act(&mut kiln, &desk, "accept", "send_to", "Here").await, StatusCode::NOT_FOUND);
    assert!(!kiln.get("/vendor/returns").await.text().contains("Order 100001"));
    assert_eq!(state(&test, id).await, "asked");
    // and those who may
    for (mut client, base) in [
        (test.customer("ada").await, own.clone()),
        (test.vendor("mill").await, desk),
        (test.operator().await, format!("/operator/returns/{id}")),
    ] {
        let seen = client.get(&base).await;
        assert_eq!(seen.status, StatusCode::OK, "{base}");
        assert!(seen.text().contains("The rim is chipped."), "{}", seen.text());
        let picture = client.get(&format!("{base}/pictures/{picture}/320")).await;
        assert_eq!((picture.status, picture.header("content-type")), (StatusCode::OK, Some("image/webp")));
        assert!(picture.headers["cache-control"].to_str().is_ok_and(|c| c.contains("private")));
    }
}

#[tokio::test]
async fn a_return_is_asked_answered_accepted_sent_and_paid_back_with_its_receipt() {
    let (test, _) = TestApp::with_services().await;
    let (order, parcel, lines) = sent(&test, None).await;
    let mut shopper = test.guest();
    let page = shopper.get(&order.path("")).await;
    let way = page.attributes("a", "href").into_iter().find(|h| h.contains("/returns?token=")).expect("the order leads there");
    assert!(shopper.get(&way).await.text().contains("Ask to return it"));
    let shelf = stock(&test.app, "MILL-PLAIN").await.0;
    assert_eq!(ask(&mut shopper, &order, parcel, lines[0], "2", &[&picture(), &picture()]).await.status, StatusCode::SEE_OTHER);
    let id = the_return(&test).await;
    assert_eq!(count(&test.app, "select count(*) from return_pictures").await, 2);
    let own = order.path(&format!("/returns/{id}"));
    let desk = format!("/vendor/returns/{id}");
    let mut mill = test.vendor("mill").await;
    assert!(mill.get("/vendor").await.text().contains("Returns: 1"));
    assert!(mill.get("/vendor/returns").await.text().contains("Order 100001"));

    assert_eq!(act(&mut mill, &desk, "ask", "question", " ").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(act(&mut mill, &desk, "ask", "question", "Both of them?").await, StatusCode::SEE_OTHER);
    assert_eq!(act(&mut shopper, &own, "answer", "answer", "Yes, both.").await, StatusCode::SEE_OTHER);
    assert_eq!(act(&mut shopper, &own, "accept", "send_to", "My own house").await, StatusCode::CONFLICT, "not theirs to accept");
    assert_eq!(act(&mut mill, &desk, "accept", "send_to", "The Mill\n1 Mill Lane\nLeeds").await, StatusCode::SEE_OTHER);
    let seen = shopper.get(&own).await.text();
    assert!(seen.contains("1 Mill Lane") && seen.contains("Both of them?") && seen.contains("Yes, both."), "{seen}");
    let fields = [("action", "send"), ("carrier", "Royal Mail"), ("tracking", "RM 9")];
    assert_eq!(shopper.post_form(&own, &fields).await.status, StatusCode::SEE_OTHER);

    let (received, restock) = (format!("received[{}]", lines[0]), format!("restock[{}]", lines[0]));
    let too_many = mill.post_form(&desk, &[("action", "receive"), (&received, "3"), (&restock, "0")]).await;
    assert_eq!(too_many.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(too_many.text().contains("From 0 to 2 can have come."), "{}", too_many.text());
    assert_eq!(count(&test.app, "select count(*) from refunds").await, 0);
    let came = mill.post_form(&desk, &[("action", "receive"), (&received, "2"), (&restock, "1")]).await;
    assert_eq!(came.status, StatusCode::SEE_OTHER, "{}", came.text());
    let again = mill.post_form(&desk, &[("action", "receive"), (&received, "2"), (&restock, "1")]).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "once");
    drain(&test).await;
    assert_eq!(stock(&test.app, "MILL-PLAIN").await.0, shelf + 1);
    assert_eq!(
        count(&test.app, "select amount_minor from refunds where reason = 'returned'").await,
        2000,
        "no shipping for a part"
    );
    assert_eq!(standing(&test.app, order.id).await.1, "partially_refunded");
    for (subject, to, how_many) in [
        ("A return of order %", "mill@example.com", 2),
        ("An answer about a return of order %", "mill@example.com", 1),
        ("Your return of order %", "ada@example.com", 3),
        ("A question about your return of order %", "ada@example.com", 1),
    ] {
        assert_eq!(mails(&test, subject, to).await, how_many, "{subject}");
    }
    let seen = shopper.get(&own).await.text();
    assert!(seen.contains("received and paid back") && seen.contains("£20.00 sent back"), "{seen}");
    assert!(shopper.get(&order.path("")).await.text().contains("£20.00 for 2 × The mill's plain bowl"));

    // The rest of the parcel takes the shipping with it.
    let path = format!("/orders/{}/returns?token={}&parcel={parcel}", order.id, order.token);
    let (one, two) = (format!("lines[{}]", lines[0]), format!("lines[{}]", lines[1]));
    let fields = [(one.as_str(), "1"), (two.as_str(), "1"), ("reason", "unwanted"), ("words", "")];
    assert_eq!(shopper.post_multipart(&path, &fields, &[]).await.status, StatusCode::SEE_OTHER);
    let rest = the_return(&test).await;
    let desk = format!("/vendor/returns/{rest}");
    assert_eq!(act(&mut mill, &desk, "accept", "send_to", "The Mill").await, StatusCode::SEE_OTHER);
    let more = format!("received[{}]", lines[1]);
    let came = mill.post_form(&desk, &[("action", "receive"), (&received, "1"), (&more, "1")]).await;
    assert_eq!(came.status, StatusCode::SEE_OTHER, "{}", came.text());
    drain(&test).await;
    assert_eq!(standing(&test.app, order.id).await.1, "refunded");
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_refused_return_is_put_before_the_operator_who_overrules() {
    let (test, world) = TestApp::with_services().await;
    let (order, parcel, lines) = sent(&test, Some(world.people["ada"])).await;
    let (mut ada, mut mill, mut operator) = (test.customer("ada").await, test.vendor("mill").await, test.operator().await);
    ask(&mut ada, &order, parcel, lines[0], "1", &[]).await;
    let id = the_return(&test).await;
    let (own, desk, office) =
        (format!("/orders/{}/returns/{id}", order.id), format!("/vendor/returns/{id}"), format!("/operator/returns/{id}"));
    assert_eq!(act(&mut mill, &desk, "refuse", "why_not", "It was whole when it left.").await, StatusCode::SEE_OTHER);
    assert_eq!(act(&mut mill, &desk, "accept", "send_to", "Here").await, StatusCode::CONFLICT, "only the operator overrules");
    assert_eq!(act(&mut ada, &own, "appeal", "objection", "The box was crushed.").await, StatusCode::SEE_OTHER);
    assert_eq!(act(&mut ada, &own, "appeal", "objection", "Really.").await, StatusCode::CONFLICT, "once");
    assert!(operator.get("/operator").await.text().contains("Returns that need you"));
    assert!(operator.get("/operator/returns?show=appealed").await.text().contains("Order 100001"));
    assert_eq!(mails(&test, "A refused return of order %", "operator@example.com").await, 1);
    assert_eq!(act(&mut operator, &office, "accept", "send_to", "The Mill, Leeds").await, StatusCode::SEE_OTHER);
    assert_eq!(state(&test, id).await, "accepted");
    assert_eq!(mails(&test, "We have accepted a return of order %", "mill@example.com").await, 1);
    // And the vendor does not say that it came, so the operator does.
    let received = format!("received[{}]", lines[0]);
    assert_eq!(operator.post_form(&office, &[("action", "receive"), (&received, "1")]).await.status, StatusCode::SEE_OTHER);
    drain(&test).await;
    assert_eq!(count(&test.app, "select count(*) from refunds where reason = 'returned' and state = 'succeeded'").await, 1);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn only_what_was_sent_within_the_days_comes_back_and_once() {
    let (test, _) = TestApp::with_services().await;
    let order = paid(&test, None, &[("MILL-PLAIN", 3), ("MILL-SMALL", 1)]).await;
    let (parcel, lines) = parcel_of(&test, &order, "mill").await;
    let mut shopper = test.guest();
    assert_eq!(
        ask(&mut shopper, &order, parcel, lines[0], "1", &[]).await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "not sent yet"
    );
    ship(&test, parcel, &[(lines[0], "2")]).await;
    let answer = ask(&mut shopper, &order, parcel, lines[0], "3", &[]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("At most 2 can still come back."), "{}", answer.text());
    assert_eq!(answer.attribute(&format!("[name='lines[{}]']", lines[0]), "value").as_deref(), Some("3"), "what was typed stays");
    // Twice at once
    let (mut one, mut other) = (test.guest(), test.guest());
    let (a, b) =
        tokio::join!(ask(&mut one, &order, parcel, lines[0], "2", &[]), ask(&mut other, &order, parcel, lines[0], "2", &[]));
    let asked = [&a, &b].into_iter().filter(|x| x.status == StatusCode::SEE_OTHER).count();
    assert_eq!(asked, 1, "{} {}", a.status, b.status);
    let id = the_return(&test).await;
    assert_eq!(act(&mut shopper, &order.path(&format!("/returns/{id}")), "withdraw", "", "").await, StatusCode::SEE_OTHER);
    // What the vendor paid back meanwhile is not asked back.
    let fields = [(format!("back[{}]", lines[0]), "2".to_owned()), (format!("reason[{parcel}]"), "Keep them".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = test.vendor("mill").await.post_form(&format!("/vendor/orders/{parcel}/refunds"), &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let answer = ask(&mut shopper, &order, parcel, lines[0], "2", &[]).await;
    assert!(answer.text().contains("At most 1 can still come back."), "{}", answer.text());
    sqlx::query("update shipments set shipped_at = now() - interval '31 days'").execute(&test.app.pool).await.expect("long ago");
    assert_eq!(ask(&mut shopper, &order, parcel, lines[0], "1", &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY, "too late");
    let page = shopper.get(&order.path("/returns")).await.text();
    assert!(page.contains("Nothing can be returned now") && page.contains("For 30 days"), "{page}");
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn what_is_no_picture_is_named_and_nothing_is_kept() {
    let (test, _) = TestApp::with_services().await;
    let (order, parcel, lines) = sent(&test, None).await;
    let good = picture();
    let mut shopper = test.guest();
    let answer = ask(&mut shopper, &order, parcel, lines[0], "1", &[&good, b"not a picture"]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text().contains("rim.png: This is not a JPEG, PNG or WebP picture."), "{}", answer.text());
    assert!(answer.text().contains("The rim is chipped."), "what was written stays");
    let answer = ask(&mut shopper, &order, parcel, lines[0], "1", &[&good[..]; 6]).await;
    assert!(answer.text().contains("At most 5 pictures."), "{}", answer.text());
    assert_eq!(count(&test.app, "select count(*) from returns").await, 0);
    test.services().close_store().await;
    let answer = ask(&mut shopper, &order, parcel, lines[0], "1", &[&good]).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(count(&test.app, "select count(*) from returns").await, 0);
}
