//! Vendors are paid: their account at Stripe, what releases their money, transfers there and back, payouts that arrive, fail or come back,
//! and statements that agree with the books.

mod trouble;

use crate::support::{
    Card, Client, TestApp, World,
    purchase::{Unpaid, assert_laws_hold, order},
};
use http::{Method, StatusCode};
use souk::{
    ids::{VendorId, VendorOrderId},
    ledger::{
        self,
        model::{Account, Booking, Cause, Entries},
    },
    money::Currency,
    payouts::{
        self,
        model::{Balances, Schedule, Settings, Turn, Wait},
    },
    sandbox::stripe::{Controls, PayoutOutcome},
    server::{jobs, state::App},
};
use sqlx::Row;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Everybody is paid every day, whatever there is, from the first sale on.
async fn shop() -> (TestApp, World) {
    TestApp::with_services_and(|config| {
        config.payouts = Settings { schedule: Schedule::Daily, minimum_minor: 0, holding_days: 0 };
    })
    .await
}

fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// Runs the jobs until `what` answers yes; webhooks are on their way meanwhile.
async fn until(app: &App, what: &str, mut done: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        jobs::drain(app).await.expect("the jobs run");
        if done().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it does not come to this: {what}");
}

async fn text(app: &App, sql: &'static str, id: Uuid) -> String {
    sqlx::query_scalar(sql).bind(id).fetch_one(&app.pool).await.expect("one text")
}

async fn count(app: &App, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&app.pool).await.expect("a number")
}

/// The vendor goes to Stripe and says who it is and where its bank is; answers its account.
async fn onboard(test: &TestApp, world: &World, slug: &str, number: Option<&str>) -> String {
    let mut vendor = test.vendor(slug).await;
    let answer = vendor.post_form("/vendor/payouts/account", &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let account =
        text(&test.app, "select stripe_account_id from vendor_accounts where vendor_id = $1", world.vendors[slug].id).await;
    assert!(answer.location().contains(&format!("/setup/{account}/")), "{}", answer.location());
    test.services().stripe.sandbox.onboard(&account, number).await.expect("Stripe is content");
    assert_eq!(vendor.get("/vendor/payouts/return").await.location(), "/vendor/payouts");
    account
}

/// A sale to Ada that is paid: of the mill's plain bowl, and of the kiln's, whose money stays with us and pays Stripe's fees.
struct Sale {
    unpaid: Unpaid,
    mill: VendorOrderId,
    ada: Client,
}

impl Sale {
    async fn of(test: &TestApp, world: &World, pieces: i32) -> Self {
        let goods = [("MILL-PLAIN", pieces), ("KILN-PLAIN", pieces)];
        let unpaid = order(&test.app, Some(world.people["ada"]), &goods).await.expect("stock");
        let mut ada = test.customer("ada").await;
        let page = ada.post_form(&unpaid.path("/pay"), &[("token", &unpaid.token)]).await.location().to_owned();
        test.services().pay(&page, Card::Good).await;
        ada.get(&unpaid.path("/return")).await;
        let mill: Uuid = sqlx::query_scalar("select id from vendor_orders where order_id = $1 and vendor_slug = 'mill'")
            .bind(unpaid.id.uuid())
            .fetch_one(&test.app.pool)
            .await
            .expect("the mill's parcel");
        Self { unpaid, mill: mill.into(), ada }
    }

    async fn shipped(self, test: &TestApp) -> Self {
        let line: Uuid = sqlx::query_scalar("select id from order_lines where vendor_order_id = $1")
            .bind(self.mill.uuid())
            .fetch_one(&test.app.pool)
            .await
            .expect("a line");
        let pieces = text(&test.app, "select quantity::text from order_lines where id = $1", line).await;
        let form = [
            (format!("lines[{line}]"), pieces),
            ("carrier".to_owned(), "DPD".to_owned()),
            ("tracking".to_owned(), String::new()),
        ];
        let form: Vec<_> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let answer = test.vendor("mill").await.post_form(&format!("/vendor/orders/{}/shipments", self.mill), &form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        self
    }

    /// Ada presses "I have it".
    async fn received(&mut self) -> StatusCode {
        let parcel = self.mill.to_string();
        let form = [("token", self.unpaid.token.as_str()), ("parcel", parcel.as_str())];
        self.ada.post_form(&format!("/orders/{}/received", self.unpaid.id), &form).await.status
    }
}

/// The mill has an account, has sold for £13.95, and the parcel has arrived: the money is at Stripe.
async fn sold(test: &TestApp, world: &World, number: Option<&str>) -> (String, Sale) {
    let account = onboard(test, world, "mill", number).await;
    let mut sale = Sale::of(test, world, 1).await.shipped(test).await;
    assert_eq!(sale.received().await, StatusCode::SEE_OTHER);
    jobs::drain(&test.app).await.expect("the jobs run");
    assert_eq!(mill(test, world).await, Balances { payable: 1395, connected: 1395, ..Balances::default() });
    (account, sale)
}

async fn mill(test: &TestApp, world: &World) -> Balances {
    let id = VendorId::from(world.vendors["mill"].id);
    let of = async |account| ledger::balance(&test.app.pool, account, Currency::GBP).await.expect("a balance");
    Balances {
        pending: -of(Account::VendorPending(id)).await,
        payable: -of(Account::VendorPayable(id)).await,
        held: of(Account::DisputesHeld(id)).await,
        connected: of(Account::Connected(id)).await,
        in_transit: of(Account::PayoutsInTransit(id)).await,
    }
}

/// The mill is taken so much from, as a refund of something that was released would do.
async fn taken_back(test: &TestApp, world: &World, amount: i64) {
    let id = VendorId::from(world.vendors["mill"].id);
    let mut entries = Entries::default();
    entries.debit(Account::VendorPayable(id), amount, None).credit(Account::Losses, amount, None);
    let mut tx = test.app.pool.begin().await.expect("a transaction");
    let booking =
        Booking { memo: "As a refund would", ..Booking::of(Cause::Correction, Uuid::now_v7(), "", Currency::GBP, entries) };
    ledger::book(&mut tx, booking).await.expect("booked").expect("new");
    payouts::level_later(&mut *tx, id).await.expect("a job");
    tx.commit().await.expect("committed");
    jobs::drain(&test.app).await.expect("the jobs run");
}

/// The mill's payouts, oldest first: state, amount, Stripe's id.
async fn paid_out(test: &TestApp) -> Vec<(String, i64, String)> {
    let rows = sqlx::query("select state, amount_minor, coalesce(stripe_payout_id, '') from payouts order by created_at, id")
        .fetch_all(&test.app.pool)
        .await
        .expect("the payouts");
    rows.into_iter().map(|r| (r.get(0), r.get(1), r.get(2))).collect()
}

async fn states(test: &TestApp) -> Vec<String> {
    paid_out(test).await.into_iter().map(|(state, ..)| state).collect()
}

async fn mails(test: &TestApp, subject: &str) -> i64 {
    sqlx::query_scalar("select count(*) from outbox where recipient = 'mill@example.com' and subject like $1")
        .bind(subject)
        .fetch_one(&test.app.pool)
        .await
        .expect("the outbox")
}

/// Objects of a kind in the sandbox.
async fn at_stripe(test: &TestApp, kind: &str) -> i64 {
    sqlx::query_scalar("select count(*) from stripe_sandbox.objects where kind = $1")
        .bind(kind)
        .fetch_one(&test.app.pool)
        .await
        .expect("the sandbox")
}

#[tokio::test]
async fn someone_else_may_not() {
    let (test, world) = shop().await;
    let mut sale = Sale::of(&test, &world, 1).await.shipped(&test).await;
    let delivered = format!("/vendor/orders/{}/delivered", sale.mill);
    let parcel = format!("/operator/parcels/{}/delivered", sale.mill);
    let received = format!("/orders/{}/received", sale.unpaid.id);
    let (mut guest, mut bob, mut kiln) = (test.guest(), test.customer("bob").await, test.vendor("kiln").await);
    for path in
        ["/vendor/payouts", "/vendor/statements", "/vendor/statements.csv", "/vendor/statements.pdf", "/vendor/payouts/return"]
    {
        assert!(guest.get(path).await.location().starts_with("/sign-in"), "{path}");
        assert_eq!(bob.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for path in ["account", "dashboard", "again", "settings"] {
        assert_eq!(bob.post_form(&format!("/vendor/payouts/{path}"), &[]).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for path in ["/operator/payouts", "/operator/payouts/run", "/operator/payouts/vendors"] {
        assert!(guest.get(path).await.location().starts_with("/sign-in"), "{path}");
        assert_eq!(kiln.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(kiln.post_form("/operator/payouts/run", &[]).await.status, StatusCode::FORBIDDEN);
    // Another vendor's parcel is not found, nor is another person's.
    assert_eq!(kiln.post_form(&delivered, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(kiln.post_form(&parcel, &[]).await.status, StatusCode::FORBIDDEN);
    for stranger in [&mut guest, &mut bob, &mut kiln] {
        let answer = stranger.post_form(&received, &[("parcel", &sale.mill.to_string())]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    let another = Sale::of(&test, &world, 1).await;
    let form = [("token", another.unpaid.token.as_str()), ("parcel", &sale.mill.to_string())];
    let answer = guest.post_form(&format!("/orders/{}/received", another.unpaid.id), &form).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "a parcel of another order");
    for path in ["/api/v1/vendor/balance", "/api/v1/vendor/payouts"] {
        assert_eq!(guest.call(Method::GET, path, None, &[]).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(bob.call(Method::GET, path, None, &[]).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(count(&test.app, "select count(*) from vendor_orders where delivered_at is not null").await, 0);
    assert_eq!(count(&test.app, "select count(*) from vendor_accounts").await, 0);
    // And who may, may, once or twice.
    assert_eq!(sale.received().await, StatusCode::SEE_OTHER);
    assert_eq!(sale.received().await, StatusCode::SEE_OTHER);
    assert_eq!(count(&test.app, "select count(*) from order_events where kind = 'delivered'").await, 1);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_vendor_opens_its_account_at_stripe() {
    let (test, world) = shop().await;
    let mut vendor = test.vendor("mill").await;
    let page = vendor.get("/vendor/payouts").await;
    assert!(page.text().contains("Set up payouts"));
    let policy = page.header("content-security-policy").expect("a policy");
    let sandbox = test.app.config.stripe.as_ref().expect("the sandbox").api_base.clone();
    assert!(policy.contains(&format!("form-action 'self' {sandbox}")), "{policy}");
    assert_eq!(vendor.get("/vendor/payouts/refresh").await.location(), "/vendor/payouts", "nobody asked for an account");

    // A double click makes one account.
    let (mut one, mut two) = (vendor.clone(), vendor.clone());
    let (a, b) = tokio::join!(one.post_form("/vendor/payouts/account", &[]), two.post_form("/vendor/payouts/account", &[]));
    assert!(a.status == StatusCode::SEE_OTHER || b.status == StatusCode::SEE_OTHER, "{} {}", a.text(), b.text());
    assert_eq!(vendor.post_form("/vendor/payouts/account", &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(at_stripe(&test, "account").await, 1);
    let waiting = vendor.get("/vendor/payouts").await.text();
    assert!(waiting.contains("not ready") && waiting.contains("The bank account that you want to be paid to"), "{waiting}");
    assert!(waiting.contains("Go on at Stripe"));
    assert!(vendor.get("/vendor/payouts/refresh").await.location().contains("/setup/acct_"), "an old link is replaced");

    let account =
        text(&test.app, "select stripe_account_id from vendor_accounts where vendor_id = $1", world.vendors["mill"].id).await;
    test.services().stripe.sandbox.onboard(&account, None).await.expect("Stripe is content");
    // Nobody comes back: Stripe's event says it.
    until(&test.app, "the account is open", async || {
        count(&test.app, "select count(*) from vendor_accounts where payouts_enabled").await == 1
    })
    .await;
    let page = vendor.get("/vendor/payouts").await.text();
    assert!(page.contains("ready") && page.contains("ending in 2345"), "{page}");
    let answer = vendor.post_form("/vendor/payouts/dashboard", &[]).await;
    assert!(answer.location().contains(&format!("/express/{account}/")), "{} {}", answer.status, answer.location());
}

#[tokio::test]
async fn what_arrived_is_released_and_goes_to_stripe() {
    let (test, world) = shop().await;
    onboard(&test, &world, "mill", None).await;
    let mut sale = Sale::of(&test, &world, 1).await;
    assert_eq!(mill(&test, &world).await, Balances { pending: 1395, ..Balances::default() });
    assert_eq!(sale.received().await, StatusCode::CONFLICT, "nothing was sent yet");
    let mut sale = sale.shipped(&test).await;
    let page = sale.ada.get(&sale.unpaid.path("")).await.text();
    assert!(page.contains("I have it"), "{page}");
    assert_eq!(sale.received().await, StatusCode::SEE_OTHER);
    assert_eq!(mill(&test, &world).await, Balances { payable: 1395, ..Balances::default() });
    jobs::drain(&test.app).await.expect("the jobs run");
    assert_eq!(mill(&test, &world).await, Balances { payable: 1395, connected: 1395, ..Balances::default() });
    let number = text(&test.app, "select number::text from orders where id = $1", sale.unpaid.id.uuid()).await;
    let group: String = sqlx::query_scalar("select doc->>'transfer_group' from stripe_sandbox.objects where kind = 'transfer'")
        .fetch_one(&test.app.pool)
        .await
        .expect("a transfer at Stripe");
    assert_eq!(group, format!("order_{number}"));
    let page = sale.ada.get(&sale.unpaid.path("")).await.text();
    assert!(page.contains("It has arrived") && !page.contains("I have it"), "{page}");
    // Levelled is levelled.
    payouts::settle_vendor(&test.app, world.vendors["mill"].id.into()).await.expect("settled");
    assert_eq!(at_stripe(&test, "transfer").await, 1);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn some_days_after_it_was_sent_it_is_released_by_itself() {
    let (test, world) = shop().await;
    // No account: the money stays payable.
    let _sale = Sale::of(&test, &world, 2).await.shipped(&test).await;
    assert_eq!(payouts::release_due(&test.app, now() + Duration::days(6)).await.expect("a run"), 0);
    let later = now() + Duration::days(8);
    let (one, two) = tokio::join!(payouts::release_due(&test.app, later), payouts::release_due(&test.app, later));
    assert_eq!(one.expect("a run") + two.expect("a run"), 1, "the kiln has not sent its parcel");
    jobs::drain(&test.app).await.expect("the jobs run");
    assert_eq!(mill(&test, &world).await, Balances { payable: 2395, ..Balances::default() });
    assert_eq!(at_stripe(&test, "transfer").await, 0);
    // Once it has one, the money follows.
    onboard(&test, &world, "mill", None).await;
    jobs::drain(&test.app).await.expect("the jobs run");
    assert_eq!(mill(&test, &world).await.connected, 2395);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_payout_is_sent_once_and_arrives() {
    let (test, world) = shop().await;
    sold(&test, &world, None).await;
    let decided = payouts::look(&test.app, Turn::Scheduled, now()).await.expect("a look");
    assert_eq!(decided.iter().map(|c| (c.name.as_str(), c.decision)).collect::<Vec<_>>(), [("The mill", Ok(1395))]);
    assert_eq!(states(&test).await, Vec::<String>::new(), "looking does nothing");

    // Two nodes run it at once.
    let moment = now();
    let (one, two) = tokio::join!(payouts::run_due(&test.app, moment), payouts::run_due(&test.app, moment));
    assert_eq!(one.expect("a run") + two.expect("a run"), 1);
    let (a, b) = tokio::join!(jobs::drain(&test.app), jobs::drain(&test.app));
    a.and(b).expect("the jobs run");
    assert_eq!((at_stripe(&test, "payout").await, states(&test).await), (1, vec!["sent".to_owned()]));
    assert_eq!(mill(&test, &world).await, Balances { payable: 1395, in_transit: 1395, ..Balances::default() });
    assert_eq!(payouts::run_everybody(&test.app, None, moment).await.expect("a run"), 0, "one at a time");

    let payout = paid_out(&test).await[0].2.clone();
    test.services().stripe.sandbox.end_payout(&payout, PayoutOutcome::Paid, None).await.expect("it arrives");
    until(&test.app, "the payout is paid", async || states(&test).await == ["paid"]).await;
    assert_eq!(mill(&test, &world).await, Balances::default());
    let mut vendor = test.vendor("mill").await;
    let page = vendor.get("/vendor/payouts").await.text();
    assert!(page.contains("£13.95") && page.contains("paid"), "{page}");
    let list = vendor.call(Method::GET, "/api/v1/vendor/payouts", None, &[]).await.json();
    assert_eq!((&list["data"][0]["state"], &list["data"][0]["amount"]["amount"]), (&"paid".into(), &1395.into()));
    let balance = vendor.call(Method::GET, "/api/v1/vendor/balance", None, &[]).await.json();
    assert_eq!((&balance["payable"]["amount"], &balance["payouts_enabled"]), (&0.into(), &true.into()));
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn whoever_waits_is_told_why() {
    let (test, world) = TestApp::with_services_and(|config| {
        config.payouts = Settings { schedule: Schedule::Daily, minimum_minor: 2000, holding_days: 7 };
    })
    .await;
    sold(&test, &world, None).await;
    let why = async |turn, at| payouts::look(&test.app, turn, at).await.expect("a look")[0].decision;
    let held = (now() + Duration::days(7)).date();
    assert_eq!(why(Turn::Everybody, now()).await, Err(Wait::Holding(held)));
    let later = now() + Duration::days(8);
    assert_eq!(why(Turn::Everybody, later).await, Err(Wait::BelowMinimum(1395, 2000)));
    // The operator shortens the holding, the vendor lowers its minimum and chooses the day.
    let form = [("schedule", "weekly"), ("weekday", "1"), ("month_day", "x"), ("minimum", "ten")];
    let mut vendor = test.vendor("mill").await;
    assert_eq!(vendor.post_form("/vendor/payouts/settings", &form).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let form = [("schedule", "weekly"), ("weekday", "1"), ("month_day", ""), ("minimum", "5.00")];
    assert_eq!(vendor.post_form("/vendor/payouts/settings", &form).await.status, StatusCode::SEE_OTHER);
    let path = format!("/operator/payouts/vendors/{}", world.vendors["mill"].id);
    let mut operator = test.operator().await;
    assert_eq!(operator.post_form(&path, &[("days", "0")]).await.status, StatusCode::SEE_OTHER);
    let monday = Schedule::Weekly(time::Weekday::Monday).after(now().date());
    assert_eq!(why(Turn::Scheduled, now()).await, Err(Wait::NotDue(monday)));
    assert_eq!(payouts::run_due(&test.app, now()).await.expect("a run"), 0);
    let page = operator.get("/operator/payouts/run").await.text();
    assert!(page.contains("Pay £13.95 now"), "{page}");
    assert_eq!(payouts::run_due(&test.app, monday.midnight().assume_utc()).await.expect("a run"), 1);
    assert_eq!(payouts::run_due(&test.app, monday.midnight().assume_utc()).await.expect("a run"), 0);
    jobs::drain(&test.app).await.expect("the jobs run");
    assert_eq!(states(&test).await, ["sent"]);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_statement_agrees_with_the_books() {
    let (test, world) = shop().await;
    sold(&test, &world, None).await;
    Sale::of(&test, &world, 2).await;
    payouts::run_due(&test.app, now()).await.expect("a run");
    jobs::drain(&test.app).await.expect("the jobs run");
    let payout = paid_out(&test).await[0].2.clone();
    test.services().stripe.sandbox.end_payout(&payout, PayoutOutcome::Paid, None).await.expect("it arrives");
    until(&test.app, "the payout is paid", async || states(&test).await == ["paid"]).await;
    taken_back(&test, &world, 100).await;

    let id = VendorId::from(world.vendors["mill"].id);
    let month = payouts::model::Period::of(now().date());
    let read =
        async |period| payouts::statement(&test.app.pool, id, period, Currency::GBP).await.expect("read").expect("a vendor");
    let statement = read(month).await;
    let owed = mill(&test, &world).await.owed();
    assert_eq!((statement.opening_minor, statement.closing_minor, owed), (0, 2295, 2295));
    assert_eq!(statement.lines.iter().map(|l| l.amount_minor).sum::<i64>(), owed);
    assert_eq!(statement.lines.last().map(|l| l.balance_minor), Some(owed));
    let next = read(month.next()).await;
    assert_eq!((next.opening_minor, next.closing_minor, next.lines.len()), (owed, owed, 0));

    let mut vendor = test.vendor("mill").await;
    let page = vendor.get("/vendor/statements").await.text();
    assert!(page.contains("Closing balance") && page.contains("£22.95") && page.contains("arrived at your bank"), "{page}");
    let csv = vendor.get(&format!("/vendor/statements.csv?month={month}")).await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    let lines: Vec<_> = csv.body.lines().collect();
    assert_eq!(lines.len(), statement.lines.len() + 3);
    assert!(
        lines[1].contains("Opening balance") && lines.last().is_some_and(|l| l.contains("Closing balance,,,,,22.95,GBP")),
        "{}",
        csv.body
    );
    // On paper once the month is over: issued once, the same ever after.
    let running = vendor.get(&format!("/vendor/statements.pdf?month={month}")).await;
    assert_eq!(running.status, StatusCode::NOT_FOUND);
    let over = format!("/vendor/statements.pdf?month={}", month.previous().previous());
    for _ in 0..2 {
        let paper = vendor.get(&over).await;
        assert_eq!((paper.status, paper.header("content-type")), (StatusCode::OK, Some("application/pdf")));
    }
    assert_eq!(crate::support::purchase::count(&test.app, "select count(*) from documents where kind = 'statement'").await, 1);
    assert_eq!(vendor.get("/vendor/statements?month=2026-13").await.status, StatusCode::BAD_REQUEST);
    let another = test.vendor("kiln").await.get("/vendor/statements").await.text();
    assert!(!another.contains("£22.95"), "{another}");
}
