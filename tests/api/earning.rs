//! A vendor's money from its account at Stripe to a dispute that it loses, by the doors of those who act; and at the end the statement, the
//! books and Stripe say the same.

use crate::support::{
    Card, TestApp, World, checkout_form,
    purchase::{assert_laws_hold, count, deliver_all},
};
use http::StatusCode;
use souk::{
    ids::VendorId,
    ledger::{self, model::Account},
    money::Currency,
    payouts::{
        self,
        model::{Balances, Movement, Period, Schedule, Settings},
    },
    sandbox::stripe::{PayoutOutcome, balance::funds},
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// The mill, whose money it is about.
struct Mill {
    test: TestApp,
    id: VendorId,
    /// At Stripe.
    account: String,
}

/// An order of the mill's plain bowls alone.
struct Sold {
    order: Uuid,
    parcel: Uuid,
    line: Uuid,
    pieces: i32,
    /// What it leaves the vendor, by the frozen figures.
    net: i64,
}

/// Buys as a guest's browser does; answers the order.
async fn buy(test: &TestApp, world: &World, sku: &str, pieces: i32) -> Uuid {
    let mut guest = test.guest();
    let (variant, quantity) = (world.variant(sku).to_string(), pieces.to_string());
    guest.post_form("/cart/items", &[("variant_id", &variant), ("quantity", &quantity)]).await;
    let form = checkout_form(&guest.get("/checkout").await);
    let fields: Vec<(&str, &str)> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = guest.post_form("/checkout", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let (status, back) = test.services().pay(answer.location(), Card::Good).await;
    assert_eq!(status, 303);
    let path = back.split_once("/orders/").map(|(_, rest)| format!("/orders/{rest}")).expect("the way back");
    let answer = guest.get(&path).await;
    let order = answer.location().strip_prefix("/orders/").and_then(|rest| rest.get(..36)).expect("the order's page");
    order.parse().expect("an id")
}

impl Mill {
    /// Opens its account at Stripe. The kiln has sold before, so that the market has something there to send on.
    async fn open() -> (Self, World) {
        let (test, world) = TestApp::with_services_and(|config| {
            config.payouts = Settings { schedule: Schedule::Daily, minimum_minor: 0, holding_days: 0 };
        })
        .await;
        buy(&test, &world, "KILN-PLAIN", 20).await;
        let mut vendor = test.vendor("mill").await;
        let answer = vendor.post_form("/vendor/payouts/account", &[]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        let account: String = sqlx::query_scalar("select stripe_account_id from vendor_accounts")
            .fetch_one(&test.app.pool)
            .await
            .expect("an account");
        test.services().stripe.sandbox.onboard(&account, None).await.expect("Stripe is content");
        assert_eq!(vendor.get("/vendor/payouts/return").await.location(), "/vendor/payouts");
        let id = world.vendors["mill"].id.into();
        (Self { test, id, account }, world)
    }

    async fn balances(&self) -> Balances {
        let of = async |account| ledger::balance(&self.test.app.pool, account, Currency::GBP).await.expect("a balance");
        Balances {
            pending: -of(Account::VendorPending(self.id)).await,
            payable: -of(Account::VendorPayable(self.id)).await,
            held: of(Account::DisputesHeld(self.id)).await,
            connected: of(Account::Connected(self.id)).await,
            in_transit: of(Account::PayoutsInTransit(self.id)).await,
        }
    }

    async fn sell(&self, world: &World, pieces: i32) -> Sold {
        let order = buy(&self.test, world, "MILL-PLAIN", pieces).await;
        let (parcel, line, net) = sqlx::query_as(
            "select v.id, l.id, v.total_minor - v.fee_minor - v.fee_vat_minor
             from vendor_orders v join order_lines l on l.vendor_order_id = v.id where v.order_id = $1",
        )
        .bind(order)
        .fetch_one(&self.test.app.pool)
        .await
        .expect("the parcel");
        Sold { order, parcel, line, pieces, net }
    }

    /// Sends it, and it arrives: released, and at Stripe when everything has come to rest.
    async fn send(&self, sold: &Sold) {
        let mut vendor = self.test.vendor("mill").await;
        let (lines, pieces) = (format!("lines[{}]", sold.line), sold.pieces.to_string());
        let form = [(lines.as_str(), pieces.as_str()), ("carrier", "DPD"), ("tracking", "")];
        let answer = vendor.post_form(&format!("/vendor/orders/{}/shipments", sold.parcel), &form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        let answer = vendor.post_form(&format!("/vendor/orders/{}/delivered", sold.parcel), &[]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        deliver_all(&self.test).await;
    }

    async fn give_one_back(&self, sold: &Sold) {
        let (line, why) = (format!("back[{}]", sold.line), format!("reason[{}]", sold.parcel));
        let form = [(line.as_str(), "1"), (why.as_str(), "It came cracked")];
        let answer = self.test.vendor("mill").await.post_form(&format!("/vendor/orders/{}/refunds", sold.parcel), &form).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        deliver_all(&self.test).await;
    }

    /// So many days from now its payout is sent, and the bank says how it ends; answers the amount.
    async fn paid(&self, days: i64, how: PayoutOutcome) -> i64 {
        let now = OffsetDateTime::now_utc() + Duration::days(days);
        assert_eq!(payouts::run_due(&self.test.app, now).await.expect("a run"), 1, "day {days}");
        deliver_all(&self.test).await;
        let (id, amount): (String, i64) =
            sqlx::query_as("select stripe_payout_id, amount_minor from payouts where state = 'sent'")
                .fetch_one(&self.test.app.pool)
                .await
                .expect("a payout on its way");
        self.test.services().stripe.sandbox.end_payout(&id, how, None).await.expect("the bank answers");
        deliver_all(&self.test).await;
        amount
    }
}

#[tokio::test]
async fn a_vendor_earns_owes_and_is_paid_and_everything_agrees() {
    let (mill, world) = Mill::open().await;
    let (test, pool) = (&mill.test, &mill.test.app.pool);

    // Two bowls at £10, sent for £3.95; of the bowls the market takes a tenth, and a fifth of that as VAT.
    let first = mill.sell(&world, 2).await;
    assert_eq!(first.net, 2395 - 200 - 40);
    assert_eq!(mill.balances().await, Balances { pending: 2155, ..Balances::default() });
    mill.send(&first).await;
    assert_eq!(mill.balances().await, Balances { payable: 2155, connected: 2155, ..Balances::default() });
    assert_eq!(mill.paid(0, PayoutOutcome::Paid).await, 2155);
    assert_eq!(mill.balances().await, Balances::default());

    // One comes back when the money is gone: the vendor owes, and is not paid.
    mill.give_one_back(&first).await;
    assert_eq!(mill.balances().await, Balances { payable: -880, ..Balances::default() });
    let later = OffsetDateTime::now_utc() + Duration::days(1);
    assert_eq!(payouts::run_due(&test.app, later).await.expect("a run"), 0);

    // The next sale makes it up. Its payout fails, and nothing more is tried until the vendor says so.
    let second = mill.sell(&world, 3).await;
    mill.send(&second).await;
    let left = second.net - 880;
    assert_eq!(mill.balances().await, Balances { payable: left, connected: left, ..Balances::default() });
    assert_eq!(mill.paid(2, PayoutOutcome::Failed).await, left);
    assert_eq!(mill.balances().await, Balances { payable: left, connected: left, ..Balances::default() });
    let later = OffsetDateTime::now_utc() + Duration::days(3);
    assert_eq!(payouts::run_due(&test.app, later).await.expect("a run"), 0, "stopped");
    let answer = test.vendor("mill").await.post_form("/vendor/payouts/again", &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(mill.paid(4, PayoutOutcome::Paid).await, left);
    assert_eq!(mill.balances().await, Balances::default());

    // The shopper of the second sale asks the bank, and the bank believes it.
    let sandbox = &test.services().stripe.sandbox;
    let intent: String = sqlx::query_scalar("select stripe_intent_id from payments where order_id = $1")
        .bind(second.order)
        .fetch_one(pool)
        .await
        .expect("an intent");
    let dispute = sandbox.dispute(&intent, None, Some("product_not_received")).await.expect("a dispute");
    deliver_all(test).await;
    assert_eq!(mill.balances().await, Balances { held: 3395, ..Balances::default() });
    sandbox.decide_dispute(dispute["id"].as_str().expect("an id"), false).await.expect("decided");
    deliver_all(test).await;
    assert_eq!(mill.balances().await, Balances { payable: -second.net, ..Balances::default() }, "the fee is the vendor's again");

    // And earns again, more than it owes.
    let third = mill.sell(&world, 5).await;
    mill.send(&third).await;
    let left = third.net - second.net;
    assert!(left > 0);
    assert_eq!(mill.balances().await, Balances { payable: left, connected: left, ..Balances::default() });

    // The statement, the books and Stripe.
    let month = Period::of(OffsetDateTime::now_utc().date());
    let statement = payouts::statement(pool, mill.id, month, Currency::GBP).await.expect("read").expect("a vendor");
    assert_eq!((statement.opening_minor, statement.closing_minor), (0, left));
    assert_eq!(statement.lines.iter().map(|line| line.amount_minor).sum::<i64>(), left);
    let told = |movement| statement.lines.iter().filter(|l| l.movement == movement).map(|l| l.amount_minor).sum::<i64>();
    assert_eq!(told(Movement::Payout), -(first.net + second.net - 880));
    assert_eq!(told(Movement::Dispute) + told(Movement::FeeReturned) - 120, -second.net, "but for the fee of what came back");
    let there =
        async |account: Option<&str>| funds(pool, account).await.expect("a balance").get("gbp").map_or(0, |funds| funds.total());
    assert_eq!(there(Some(&mill.account)).await, left);
    let cash = ledger::balance(pool, Account::Cash, Currency::GBP).await.expect("a balance");
    assert_eq!(there(None).await, cash);
    let answer = test.operator().await.post_form("/operator/reconciliation", &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    deliver_all(test).await;
    let done = "select count(*) from reconciliations where state = 'done' and entries > 0 and differences = 0 and cash_minor = stripe_minor";
    assert_eq!(count(&test.app, done).await, 1);
    assert_eq!(count(&test.app, "select count(*) from reconciliation_differences").await, 0);
    assert_laws_hold(&test.app).await;
}
