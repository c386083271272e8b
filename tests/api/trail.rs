//! What changes money or permissions leaves its entry in the audit log: one for each change, with who made it, and none for what was refused
//! or was so already.

use crate::{
    signing::PASSWORD,
    support::{
        Client, TestApp,
        purchase::{Unpaid, arrived, assert_laws_hold, deliver_all, onboard, paid, parcel_of},
    },
    team::member,
};
use http::StatusCode;
use souk::{
    audit,
    sandbox::stripe::{Controls, PayoutOutcome, controls::RefundEnd},
};
use sqlx::PgPool;
use std::time::Duration;
use uuid::Uuid;

/// The log from some entry on.
struct Trail {
    pool: PgPool,
    seen: i64,
}

impl Trail {
    async fn of(test: &TestApp) -> Self {
        let mut trail = Self { pool: test.app.pool.clone(), seen: 0 };
        trail.left().await;
        trail
    }

    /// What was written since the last look: action and who did it.
    async fn left(&mut self) -> Vec<(String, Option<Uuid>)> {
        let rows: Vec<(i64, String, Option<Uuid>)> =
            sqlx::query_as("select id, action, actor_id from audit_log where id > $1 order by id")
                .bind(self.seen)
                .fetch_all(&self.pool)
                .await
                .expect("the log");
        self.seen = rows.last().map_or(self.seen, |(id, ..)| *id);
        rows.into_iter().map(|(_, action, by)| (action, by)).collect()
    }

    /// The same, of these actions only: what Stripe says beside them comes when it comes.
    async fn left_of(&mut self, kinds: &[&str]) -> Vec<(String, Option<Uuid>)> {
        let mut left = self.left().await;
        left.retain(|(action, _)| kinds.iter().any(|kind| action.starts_with(kind)));
        left
    }

    /// A person sends a form; it leaves exactly these entries, all theirs.
    async fn after(&mut self, person: &mut Client, by: Uuid, path: &str, form: &[(&str, &str)], leaves: &[&str]) {
        let answer = person.post_form(path, form).await;
        let expected: Vec<_> = leaves.iter().map(|action| ((*action).to_owned(), Some(by))).collect();
        assert_eq!(self.left().await, expected, "{path} {form:?}: {} {}", answer.status, answer.text());
    }
}

async fn one(test: &TestApp, sql: &'static str) -> Uuid {
    sqlx::query_scalar(sql).fetch_one(&test.app.pool).await.expect("one id")
}

/// The log is whole, and every entry says what it is about.
async fn assert_whole(test: &TestApp) {
    audit::chain(&test.app.pool).await.expect("chained");
    let verdict = audit::verify(&mut test.app.pool.acquire().await.expect("a connection"), None).await.expect("a verdict");
    assert_eq!((verdict.flaws.as_slice(), verdict.waiting), ([].as_slice(), 0));
    audit::cli::run(&test.app.pool, Some(&verdict.head)).await.expect("souk verify audit");
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn each_form_of_the_desks_leaves_one_entry() {
    let (test, world) = TestApp::new().await;
    let (by, seller, ada) = (world.people["operator"], world.people["mill"], world.people["ada"]);
    let (mut operator, mut mill, mut kiln) = (test.operator().await, test.vendor("mill").await, test.vendor("kiln").await);
    let mut trail = Trail::of(&test).await;

    // Commission.
    let rules = "/operator/commission";
    for name in ["One", "Two"] {
        trail.after(&mut operator, by, rules, &[("name", name), ("percent", "7")], &["commission_rule.added"]).await;
    }
    trail.after(&mut operator, by, rules, &[("name", ""), ("percent", "7")], &[]).await;
    let rule = async |name: &str| {
        let id: Uuid = sqlx::query_scalar("select id from commission_rules where name = $1 and archived_at is null")
            .bind(name)
            .fetch_one(&test.app.pool)
            .await
            .expect("a rule");
        format!("{rules}/{id}")
    };
    let (first, second) = (rule("One").await, rule("Two").await);
    trail.after(&mut operator, by, &first, &[("name", "One"), ("percent", "8")], &["commission_rule.changed"]).await;
    trail.after(&mut operator, by, &first, &[("name", "One"), ("percent", "9")], &[]).await;
    let step = format!("{second}/move");
    trail.after(&mut operator, by, &step, &[("to", "earlier")], &["commission_rule.moved"]).await;
    trail.after(&mut operator, by, &step, &[("to", "earlier")], &[]).await;
    trail.after(&mut operator, by, &step, &[("to", "archive")], &["commission_rule.archived"]).await;
    trail.after(&mut operator, by, &step, &[("to", "archive")], &[]).await;

    // Coupons, the vendor's and the market's.
    let (own, all) = ("/vendor/coupons", "/operator/coupons");
    let coupon = |code: &'static str| [("code", code), ("name", "For friends"), ("percent", "5")];
    trail.after(&mut mill, seller, own, &coupon("mill-5"), &["coupon.made"]).await;
    trail.after(&mut operator, by, all, &coupon("souk-5"), &["coupon.made"]).await;
    trail.after(&mut operator, by, all, &coupon("mill-5"), &[]).await;
    let theirs = one(&test, "select id from coupons where code = 'MILL-5'").await;
    let ours = one(&test, "select id from coupons where code = 'SOUK-5'").await;
    trail.after(&mut kiln, world.people["kiln"], &format!("{own}/{theirs}"), &[], &[]).await;
    trail.after(&mut mill, seller, &format!("{own}/{theirs}"), &[], &["coupon.ended"]).await;
    trail.after(&mut operator, by, &format!("{all}/{theirs}"), &[], &[]).await;
    trail.after(&mut operator, by, &format!("{all}/{ours}"), &[], &["coupon.ended"]).await;

    // A booking by hand, sent twice.
    let key = Uuid::now_v7().to_string();
    let booking = [
        ("key", key.as_str()),
        ("debit", "losses"),
        ("credit", "vendor_payable"),
        ("credit_vendor", "mill"),
        ("amount", "12.34"),
        ("memo", "A parcel that we lost"),
    ];
    trail.after(&mut operator, by, "/operator/ledger", &booking, &["correction.booked"]).await;
    trail.after(&mut operator, by, "/operator/ledger", &booking, &[]).await;

    // How vendors are paid.
    let days = [("schedule", "daily"), ("weekday", "1"), ("month_day", "1"), ("minimum", "5.00")];
    trail.after(&mut mill, seller, "/vendor/payouts/settings", &days, &["payout_settings.chosen"]).await;
    trail.after(&mut mill, seller, "/vendor/payouts/settings", &[("schedule", "never")], &[]).await;
    let of = |vendor: Uuid| format!("/operator/payouts/vendors/{vendor}");
    let vendor = world.vendors["mill"].id;
    trail.after(&mut operator, by, &of(vendor), &[("days", "30")], &["payout_settings.held"]).await;
    trail.after(&mut operator, by, &of(vendor), &[("days", "3000")], &[]).await;
    trail.after(&mut operator, by, &of(Uuid::now_v7()), &[("days", "3")], &[]).await;
    trail.after(&mut mill, seller, "/vendor/payouts/again", &[], &[]).await;

    // The team: who is asked in, their role, who goes. Addresses stand in no entry.
    let (team, fred) = ("/vendor/team", member(&test.app.pool, &world, "mill", "fred", "fulfiller").await);
    let asked = [("email", "new@example.com"), ("role", "manager")];
    trail.after(&mut mill, seller, team, &asked, &["invitation.sent"]).await;
    trail.after(&mut mill, seller, team, &asked, &[]).await;
    let invitation = format!("{team}/invitations/{}", one(&test, "select id from vendor_invitations").await);
    trail.after(&mut kiln, world.people["kiln"], &invitation, &[("action", "revoke")], &[]).await;
    trail.after(&mut mill, seller, &invitation, &[("action", "resend")], &["invitation.sent"]).await;
    trail.after(&mut mill, seller, &invitation, &[("action", "revoke")], &["invitation.revoked"]).await;
    trail.after(&mut mill, seller, &format!("{team}/{fred}"), &[("role", "manager")], &["member.role_changed"]).await;
    trail.after(&mut mill, seller, &format!("{team}/{fred}"), &[("role", "manager")], &[]).await;
    trail.after(&mut mill, seller, &format!("{team}/{seller}"), &[("role", "manager")], &[]).await;
    let mut his = test.customer("fred").await;
    trail.after(&mut his, fred, &format!("{team}/leave"), &[], &["member.left"]).await;
    trail.after(&mut mill, seller, &format!("{team}/leave"), &[], &[]).await;
    let told: i64 = sqlx::query_scalar("select count(*) from audit_log where detail::text like '%@example.com%'")
        .fetch_one(&test.app.pool)
        .await
        .expect("a count");
    assert_eq!(told, 0);

    // A password, which does not stand in the log.
    let mut person = test.customer("ada").await;
    let new = "another market day";
    trail.after(&mut person, ada, "/account/password", &[("current", "a wrong one"), ("password", new)], &[]).await;
    let right = [("current", PASSWORD), ("password", new)];
    trail.after(&mut person, ada, "/account/password", &right, &["password.changed"]).await;
    let told: i64 = sqlx::query_scalar("select count(*) from audit_log where detail::text like '%' || $1 || '%'")
        .bind(new)
        .fetch_one(&test.app.pool)
        .await
        .expect("a count");
    assert_eq!(told, 0);
    // Who may not leaves nothing.
    let end = format!("{all}/{ours}");
    for (path, form) in [(rules, coupon("ada-5")), (all, coupon("ada-5")), (end.as_str(), coupon("ada-5"))] {
        trail.after(&mut kiln, seller, path, &form, &[]).await;
    }
    assert_whole(&test).await;
}

fn entries(list: &[(&str, Option<Uuid>)]) -> Vec<(String, Option<Uuid>)> {
    list.iter().map(|(action, by)| ((*action).to_owned(), *by)).collect()
}

#[tokio::test]
async fn money_on_its_way_to_a_vendor_leaves_each_step() {
    let (test, world) = TestApp::with_services().await;
    let (by, seller) = (world.people["operator"], world.people["mill"]);
    let mut trail = Trail::of(&test).await;
    let account = ["payout_account"];
    onboard(&test, "mill").await;
    deliver_all(&test).await;
    let left = trail.left_of(&account).await;
    assert_eq!(left[0], ("payout_account.made".into(), None));
    for what in ["payout_account.bank_changed", "payout_account.opened"] {
        assert_eq!(left.iter().filter(|(action, _)| action == what).count(), 1, "{left:?}");
    }
    let order = paid(&test, None, &[("MILL-PLAIN", 3), ("KILN-PLAIN", 2)]).await;
    deliver_all(&test).await;
    assert_eq!(trail.left_of(&["payment"]).await, entries(&[("payment.settled", None), ("payment.fee_booked", None)]));
    arrived(&test, &order, "mill").await;
    deliver_all(&test).await;
    let left = trail.left_of(&["parcel", "transfer"]).await;
    assert_eq!(left, entries(&[("parcel.released", Some(seller)), ("transfer.made", None)]));

    // The operator pays at once; the bank refuses; the vendor says: again; it arrives, and comes back.
    sqlx::query("insert into payout_settings (vendor_id, holding_days, minimum_minor) values ($1, 0, 0)")
        .bind(world.vendors["mill"].id)
        .execute(&test.app.pool)
        .await
        .expect("no holding");
    let (mut operator, mut mill) = (test.operator().await, test.vendor("mill").await);
    let sandbox = &test.services().stripe.sandbox;
    let payouts = ["payout."];
    for (ends, leaves) in [
        (vec![PayoutOutcome::Failed], vec![("payout.failed", None)]),
        (vec![PayoutOutcome::Paid, PayoutOutcome::Failed], vec![("payout.paid", None), ("payout.returned", None)]),
    ] {
        assert_eq!(operator.post_form("/operator/payouts/run", &[]).await.status, StatusCode::SEE_OTHER);
        deliver_all(&test).await;
        assert_eq!(trail.left_of(&payouts).await, entries(&[("payout.booked", Some(by)), ("payout.sent", None)]));
        let id: String = sqlx::query_scalar("select stripe_payout_id from payouts order by created_at desc limit 1")
            .fetch_one(&test.app.pool)
            .await
            .expect("a payout");
        for end in ends {
            sandbox.end_payout(&id, end, Some("account_closed")).await.expect("it ends");
            deliver_all(&test).await;
        }
        assert_eq!(trail.left_of(&payouts).await, entries(&leaves));
        trail.after(&mut mill, seller, "/vendor/payouts/again", &[], &["payouts.resumed"]).await;
        trail.after(&mut mill, seller, "/vendor/payouts/again", &[], &[]).await;
    }
    // A refund of what was released takes part of the transfer back, and fails later at the bank.
    let intent: String =
        sqlx::query_scalar("select stripe_intent_id from payments").fetch_one(&test.app.pool).await.expect("one");
    let refund = sandbox.refund_from_dashboard(&intent, Some(1000)).await.expect("a refund");
    deliver_all(&test).await;
    let left = trail.left_of(&["refund", "transfer"]).await;
    assert_eq!(left, entries(&[("refund.booked", None), ("refund.succeeded", None), ("transfer.reversed", None)]));
    let refund = refund["id"].as_str().expect("an id");
    sandbox.end_refund(refund, RefundEnd::Failed).await.expect("it comes back");
    deliver_all(&test).await;
    assert_eq!(trail.left_of(&["refund"]).await, entries(&[("refund.failed", None)]));
    assert_whole(&test).await;
}

#[tokio::test]
async fn a_dispute_leaves_each_step() {
    let (test, world) = TestApp::with_services().await;
    let mut trail = Trail::of(&test).await;
    paid(&test, None, &[("MILL-PLAIN", 2), ("KILN-PLAIN", 1)]).await;
    let lost = paid(&test, None, &[("MILL-PLAIN", 1)]).await;
    deliver_all(&test).await;
    let intent = async |order: Option<&Unpaid>| -> String {
        sqlx::query_scalar(
            "select stripe_intent_id from payments where ($1::uuid is null) or order_id = $1 order by created_at limit 1",
        )
        .bind(order.map(|o| o.id.uuid()))
        .fetch_one(&test.app.pool)
        .await
        .expect("an intent")
    };
    let sandbox = &test.services().stripe.sandbox;
    let disputes = ["dispute"];
    let truth = sandbox.dispute(&intent(None).await, None, Some("product_not_received")).await.expect("a dispute");
    deliver_all(&test).await;
    assert_eq!(trail.left_of(&disputes).await, entries(&[("dispute.opened", None), ("dispute.withdrawn", None)]));
    let by = world.people["operator"];
    let mut operator = test.operator().await;
    let path = format!("/operator/disputes/{}", one(&test, "select id from disputes").await);
    let number: i64 = sqlx::query_scalar("select number from orders order by number limit 1")
        .fetch_one(&test.app.pool)
        .await
        .expect("a number");
    trail.after(&mut operator, by, &path, &[("words", "She wrote that it came.")], &[]).await;
    let evidence = format!("{path}/evidence");
    trail.after(&mut operator, by, &evidence, &[("number", "1")], &[]).await;
    trail.after(&mut operator, by, &evidence, &[("number", &number.to_string())], &["dispute.evidence_submitted"]).await;
    trail.after(&mut operator, by, &evidence, &[("number", &number.to_string())], &[]).await;
    deliver_all(&test).await;
    sandbox.decide_dispute(truth["id"].as_str().expect("an id"), true).await.expect("decided");
    deliver_all(&test).await;
    let left = trail.left_of(&disputes).await;
    assert_eq!(left, entries(&[("dispute.reinstated", None), ("dispute.won", None)]));
    let truth = sandbox.dispute(&intent(Some(&lost)).await, None, None).await.expect("another");
    sandbox.decide_dispute(truth["id"].as_str().expect("an id"), false).await.expect("decided");
    deliver_all(&test).await;
    let left = trail.left_of(&disputes).await;
    assert_eq!(left, entries(&[("dispute.opened", None), ("dispute.withdrawn", None), ("dispute.lost", None)]));
    assert_whole(&test).await;
}

#[tokio::test]
async fn what_is_decided_of_a_return_leaves_its_entry() {
    let (test, world) = TestApp::with_services().await;
    let (by, seller) = (world.people["operator"], world.people["mill"]);
    let (mut ada, mut mill, mut operator) = (test.customer("ada").await, test.vendor("mill").await, test.operator().await);
    let order = paid(&test, Some(world.people["ada"]), &[("MILL-PLAIN", 3)]).await;
    deliver_all(&test).await;
    arrived(&test, &order, "mill").await;
    let (parcel, lines) = parcel_of(&test, &order, "mill").await;
    let (pieces, received) = (format!("lines[{}]", lines[0]), format!("received[{}]", lines[0]));
    let mut trail = Trail::of(&test).await;
    let ask = async |ada: &mut Client| {
        let path = format!("/orders/{}/returns?token={}&parcel={parcel}", order.id, order.token);
        let fields = [(pieces.as_str(), "1"), ("reason", "damaged"), ("words", "The rim is chipped.")];
        assert_eq!(ada.post_multipart(&path, &fields, &[]).await.status, StatusCode::SEE_OTHER);
        one(&test, "select id from returns order by asked_at desc limit 1").await
    };
    let id = ask(&mut ada).await;
    let (own, desk, office) =
        (format!("/orders/{}/returns/{id}", order.id), format!("/vendor/returns/{id}"), format!("/operator/returns/{id}"));
    assert_eq!(trail.left().await, [], "asking moves nothing");
    trail.after(&mut mill, seller, &desk, &[("action", "refuse"), ("why_not", "It was whole.")], &["return.refused"]).await;
    trail.after(&mut mill, seller, &desk, &[("action", "refuse"), ("why_not", "It was whole.")], &[]).await;
    let appeal = [("action", "appeal"), ("objection", "The box was crushed.")];
    trail.after(&mut ada, world.people["ada"], &own, &appeal, &[]).await;
    let accept = [("action", "accept"), ("send_to", "The Mill, Leeds")];
    trail.after(&mut operator, by, &office, &accept, &["return.accepted"]).await;
    let came = [("action", "receive"), (received.as_str(), "1")];
    trail.after(&mut mill, seller, &desk, &came, &["refund.booked", "return.received"]).await;
    trail.after(&mut mill, seller, &desk, &came, &[]).await;
    let detail: serde_json::Value = sqlx::query_scalar(
        "select jsonb_agg(detail order by id) from audit_log where subject_id = $1 and subject_kind = 'return'",
    )
    .bind(id.to_string())
    .fetch_one(&test.app.pool)
    .await
    .expect("details");
    assert_eq!((&detail[0]["as"], &detail[1]["as"], &detail[2]["amount"]), (&"vendor".into(), &"operator".into(), &1000.into()));
    deliver_all(&test).await;
    assert_whole(&test).await;
}

#[tokio::test]
async fn what_is_decided_of_a_difference_leaves_its_entry() {
    let (test, world) = TestApp::with_services_and(|config| config.sweep_after = Duration::ZERO).await;
    let by = world.people["operator"];
    let mut operator = test.operator().await;
    for _ in 0..3 {
        paid(&test, None, &[("MILL-PLAIN", 1)]).await;
    }
    deliver_all(&test).await;
    // Stripe keeps more of two payments than it said, and of the third a refund's event is lost.
    sqlx::query(
        "update stripe_sandbox.objects set doc = doc || jsonb_build_object('fee', 99, 'net', (doc->>'amount')::bigint - 99)
         where id in (select id from stripe_sandbox.objects where kind = 'balance_transaction' and doc->>'type' = 'charge' order by seq limit 2)",
    )
    .execute(&test.app.pool)
    .await
    .expect("the fees");
    let sandbox = &test.services().stripe.sandbox;
    let calm = sandbox.controls().await.expect("the switches");
    sandbox.set_controls(&Controls { webhook_drop: -1, ..calm }).await.expect("the switches");
    let intent: String = sqlx::query_scalar("select stripe_intent_id from payments order by created_at desc limit 1")
        .fetch_one(&test.app.pool)
        .await
        .expect("an intent");
    sandbox.refund_from_dashboard(&intent, Some(500)).await.expect("a refund");
    operator.post_form("/operator/reconciliation", &[]).await;
    deliver_all(&test).await;
    let mut trail = Trail::of(&test).await;
    let open: Vec<(Uuid, String, i64)> = sqlx::query_as(
        "select id, what, abs(there_minor - here_minor) from reconciliation_differences where state = 'open' order by what, found_at, id",
    )
    .fetch_all(&test.app.pool)
    .await
    .expect("differences");
    assert_eq!(open.iter().map(|(_, what, _)| what.as_str()).collect::<Vec<_>>(), ["fee", "fee", "money"]);
    let path = |n: usize, what: &str| format!("/operator/reconciliation/{}/{what}", open[n].0);
    let amount = open[0].2.to_string();
    let book = [("memo", "A dearer card"), ("amount", amount.as_str())];
    trail.after(&mut operator, by, &path(0, "book"), &[("memo", "A dearer card"), ("amount", "1")], &[]).await;
    trail.after(&mut operator, by, &path(0, "book"), &book, &["difference.booked"]).await;
    trail.after(&mut operator, by, &path(0, "book"), &book, &[]).await;
    let why = [("why", "Stripe pays it back")];
    trail.after(&mut operator, by, &path(1, "explain"), &why, &["difference.explained"]).await;
    trail.after(&mut operator, by, &path(1, "explain"), &why, &[]).await;
    operator.post_form(&path(2, "read"), &[]).await;
    let left = trail.left().await;
    let expected = [("refund.booked", None), ("refund.succeeded", None), ("difference.read_anew", Some(by))];
    assert_eq!(left, entries(&expected));
    deliver_all(&test).await;
    assert_whole(&test).await;
}
