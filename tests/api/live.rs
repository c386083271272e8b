//! What an open dashboard is told: its own vendor's, nobody else's, once or twice but never not at all.

use crate::support::{
    Client, TestApp,
    purchase::{count, order, paid, parcel_of, pay},
};
use axum::body::Body;
use http::{Method, StatusCode, header};
use http_body_util::BodyExt;
use souk::{
    live::{
        hub,
        model::{Kind, Since, Told},
    },
    server::router::router,
};
use std::time::Duration;
use tokio_util::sync::{CancellationToken, DropGuard};
use tower::ServiceExt;
use uuid::Uuid;

const EVENTS: &str = "/vendor/events";

/// A node that listens, as long as the guard lives.
fn listening(test: &TestApp) -> DropGuard {
    let stop = CancellationToken::new();
    tokio::spawn(hub::listen(test.app.clone(), stop.clone()));
    stop.drop_guard()
}

/// An open dashboard.
struct Dashboard {
    body: Body,
    read: String,
    /// Where it would go on after a break.
    last: String,
}

impl Dashboard {
    async fn open(test: &TestApp, who: &Client, last: Option<&str>) -> Self {
        let mut request = who.request(Method::GET, EVENTS).header(header::ACCEPT, "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = router(test.app.clone()).oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "private, no-store");
        let mut dashboard = Self { body: answer.into_body(), read: String::new(), last: String::new() };
        if last.is_none() {
            assert_eq!(dashboard.told().await, [], "nothing happened yet");
        }
        dashboard
    }

    /// The next event's news.
    async fn told(&mut self) -> Vec<Told> {
        tokio::time::timeout(Duration::from_secs(10), self.next()).await.expect("somebody tells")
    }

    async fn next(&mut self) -> Vec<Told> {
        loop {
            if let Some((event, rest)) = self.read.clone().split_once("\n\n") {
                self.read = rest.to_owned();
                let field = |name: &str| event.lines().find_map(|l| l.strip_prefix(name)).map(str::trim);
                if let (Some(data), Some(id)) = (field("data:"), field("id:")) {
                    let since: Since = serde_json::from_str(data).expect("what is told");
                    assert_eq!((field("event:"), id), (Some("told"), since.after.as_str()));
                    self.last = id.to_owned();
                    return since.told;
                }
                continue;
            }
            let frame = self.body.frame().await.expect("it goes on").expect("it can be read");
            self.read.push_str(std::str::from_utf8(frame.data_ref().expect("text")).expect("text"));
        }
    }
}

async fn ask(client: &mut Client, query: &str) -> Since {
    let answer = client.get(&format!("{EVENTS}?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    serde_json::from_str(&answer.body).expect("what was told")
}

fn of(told: &[Told]) -> Vec<(Kind, Uuid)> {
    told.iter().map(|t| (t.kind, t.subject)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sale_reaches_the_dashboards_of_its_vendors_and_of_no_other() {
    let (test, _) = TestApp::with_services().await;
    let _node = listening(&test);
    let (mill, kiln) = (test.vendor("mill").await, test.vendor("kiln").await);
    let mut at_mill = Dashboard::open(&test, &mill, None).await;
    let mut second = Dashboard::open(&test, &mill, None).await;
    let mut at_kiln = Dashboard::open(&test, &kiln, None).await;
    assert_eq!(test.app.live.dashboards(), 3);

    let bought = paid(&test, None, &[("MILL-PLAIN", 1)]).await;
    let (parcel, _) = parcel_of(&test, &bought, "mill").await;
    assert_eq!(of(&at_mill.told().await), [(Kind::Order, parcel)]);
    assert_eq!(of(&second.told().await), [(Kind::Order, parcel)]);

    // The kiln hears of its own next, and of nothing before it.
    let bought = paid(&test, None, &[("KILN-PLAIN", 1)]).await;
    let (own, _) = parcel_of(&test, &bought, "kiln").await;
    assert_eq!(of(&at_kiln.told().await), [(Kind::Order, own)]);

    // One that broke off hears what it missed; one that goes on from a later place does not hear it again.
    let place = at_mill.last.clone();
    drop(at_mill);
    let bought = paid(&test, None, &[("MILL-PLAIN", 1)]).await;
    let (missed, _) = parcel_of(&test, &bought, "mill").await;
    let mut again = Dashboard::open(&test, &mill, Some(&place)).await;
    assert_eq!(of(&again.told().await).last(), Some(&(Kind::Order, missed)));

    // The program stops, and nobody is left hanging.
    test.app.live.close();
    let rest = tokio::time::timeout(Duration::from_secs(5), again.body.collect()).await.expect("it ends");
    assert!(rest.is_ok());
}

#[tokio::test]
async fn who_cannot_hear_asks_and_misses_nothing_that_was_written_before_and_committed_after() {
    let (test, world) = TestApp::new().await;
    let mut mill = test.vendor("mill").await;
    let vendor = world.vendors["mill"].id;
    let tell = "insert into live_events (vendor_id, kind, subject_id) values ($1, 'order', $2) returning id";
    let one = |subject| sqlx::query_scalar::<_, i64>(tell).bind(vendor).bind(Uuid::from_u128(subject));

    // The first is written before the second and committed after somebody asked.
    let mut slow = test.app.pool.begin().await.expect("a transaction");
    let first = one(1).fetch_one(&mut *slow).await.expect("told");
    let second = one(2).fetch_one(&test.app.pool).await.expect("told");
    assert!(first < second);
    let heard = ask(&mut mill, "after=0").await;
    assert_eq!(of(&heard.told), [(Kind::Order, Uuid::from_u128(2))]);
    slow.commit().await.expect("committed");
    let mut heard = ask(&mut mill, &format!("after={}", heard.after)).await;
    assert!(of(&heard.told).contains(&(Kind::Order, Uuid::from_u128(1))), "{heard:?}");
    // The horizon is that of the whole server: a transaction of another test may keep it back, and then both are told once more.
    for _ in 0..600 {
        heard = ask(&mut mill, &format!("after={}", heard.after)).await;
        if heard.told.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(heard.told, [], "all was told");

    // From when a page was drawn; what is a day old is forgotten.
    let minute = time::Duration::minutes(1);
    let at = |moment: time::OffsetDateTime| format!("drawn={}", moment.unix_timestamp() * 1000);
    let now = time::OffsetDateTime::now_utc();
    assert_eq!(ask(&mut mill, &at(now - minute)).await.told.len(), 2);
    let later = ask(&mut mill, &at(now + minute)).await;
    assert_eq!((later.told, later.stale), (vec![], false));
    // What began a moment before a page was drawn may not be on it: nothing is told twice, but its figures are asked for again.
    let moment = ask(&mut mill, &at(now + time::Duration::seconds(5))).await;
    assert_eq!((moment.told, moment.stale), (vec![], true));
    sqlx::query("update live_events set at = now() - interval '25 hours' where id = $1")
        .bind(first)
        .execute(&test.app.pool)
        .await
        .expect("older");
    hub::tidy(&test.app.pool).await.expect("tidied");
    assert_eq!(count(&test.app, "select count(*) from live_events").await, 1);
}

#[tokio::test]
async fn only_a_vendor_hears_and_nonsense_finds_nothing() {
    let (test, _) = TestApp::new().await;
    assert!(test.guest().get(EVENTS).await.location().starts_with("/sign-in"));
    assert_eq!(test.customer("ada").await.get(EVENTS).await.status, StatusCode::FORBIDDEN);
    let mut mill = test.vendor("mill").await;
    for query in ["after=-1", "after=x", "drawn=x", "after=99999999999999999999999"] {
        assert_eq!(mill.get(&format!("{EVENTS}?{query}")).await.status, StatusCode::NOT_FOUND, "{query}");
    }
    for query in ["drawn=9223372036854775807", "drawn=-9223372036854775808", "after=18446744073709551615", ""] {
        assert_eq!(mill.get(&format!("{EVENTS}?{query}")).await.status, StatusCode::OK, "{query}");
    }
}

#[tokio::test]
async fn the_tables_tell_of_what_matters_and_are_silent_about_the_rest() {
    let (test, _) = TestApp::with_services().await;
    let kinds = async || -> Vec<String> {
        sqlx::query_scalar("select kind from live_events order by id").fetch_all(&test.app.pool).await.expect("kinds")
    };
    // Much stock, one sold: the shelf says nothing, nor does an order that is not paid.
    sqlx::query("update stock set on_hand = 100").execute(&test.app.pool).await.expect("full shelves");
    sqlx::query("delete from live_events").execute(&test.app.pool).await.expect("from here");
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("an order");
    assert_eq!(kinds().await, [""; 0]);
    pay(&test, &unpaid).await;
    assert_eq!(kinds().await, ["order"]);
    sqlx::query("update stock set on_hand = held + 2 where variant_id = (select id from variants where sku = 'MILL-PLAIN')")
        .execute(&test.app.pool)
        .await
        .expect("nearly empty");
    assert_eq!(kinds().await, ["order", "stock"]);
}

#[tokio::test]
async fn an_open_page_that_fetches_itself_leaves_the_sentence_to_who_reads() {
    let (test, _) = TestApp::new().await;
    let mut mill = test.vendor("mill").await;
    assert_eq!(mill.post_form("/vendor/stock", &[]).await.location(), "/vendor/stock");
    let said = "Nothing was changed.";
    assert!(!mill.get("/vendor/stock?redraw=1").await.text().contains(said));
    assert!(mill.get("/vendor/stock").await.text().contains(said));
    assert!(!mill.get("/vendor/stock").await.text().contains(said), "once");
}
