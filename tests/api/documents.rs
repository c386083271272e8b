//! Papers: who may have them, that their numbers have no gap, and that they say what was sold, given back and charged.

use crate::{
    orders::paid,
    support::{
        Answer, Card, Client, TestApp,
        purchase::{Unpaid, assert_laws_hold, count, order},
    },
    vendors::paid_order,
};
use http::StatusCode;
use serde_json::Value;
use souk::{
    documents::{self, Movement, Statement},
    ids::OrderId,
    ledger::{
        self,
        model::{Account, Booking, Cause, Entries},
    },
    money::Currency,
    payments,
    server::jobs,
};
use sqlx::PgPool;
use time::{
    OffsetDateTime,
    macros::{date, datetime},
};
use uuid::Uuid;

async fn drain(test: &TestApp) {
    while jobs::drain(&test.app).await.expect("the jobs run") > 0 {}
}

/// The papers of a kind: id, number, whose, total, contents; in order of issue.
async fn papers(pool: &PgPool, kind: &str) -> Vec<(Uuid, String, Uuid, i64, Value)> {
    sqlx::query_as("select id, number, vendor_id, total_minor, content from documents where kind = $1 order by issued_at, id")
        .bind(kind)
        .fetch_all(pool)
        .await
        .expect("papers")
}

fn this_year() -> i32 {
    OffsetDateTime::now_utc().year()
}

fn assert_pdf(answer: &Answer, name: &str) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body.chars().take(200).collect::<String>());
    assert_eq!(answer.header("content-type"), Some("application/pdf"));
    assert_eq!(answer.header("content-disposition"), Some(format!("attachment; filename=\"{name}.pdf\"").as_str()));
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    assert!(answer.body.starts_with("%PDF-1."));
}

/// An order that is one vendor's alone, paid.
async fn paid_by_guest(test: &TestApp, goods: &[(&str, i32)]) -> Unpaid {
    let unpaid = order(&test.app, None, goods).await.expect("stock");
    let page = payments::open(&test.app, unpaid.id).await.expect("a page");
    test.services().pay(&page, Card::Good).await;
    payments::settle_order(&test.app, unpaid.id).await.expect("settled");
    unpaid
}

#[tokio::test]
async fn someone_else_may_not() {
    let (test, world) = TestApp::with_services().await;
    let own = paid(&test, Some(world.people["ada"])).await;
    let other = paid_by_guest(&test, &[("MILL-PLAIN", 1)]).await;
    drain(&test).await;
    let all = papers(&test.app.pool, "invoice").await;
    let mills = all.iter().find(|p| p.2 == world.vendors["mill"].id).expect("the mill's").0;
    let path = format!("/orders/{}/documents/{mills}", own.id);
    let strangers =
        [test.guest(), test.customer("bob").await, test.vendor("mill").await, test.vendor("kiln").await, test.operator().await];
    for mut stranger in strangers {
        assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND);
        assert_eq!(stranger.get(&format!("{path}?token={}", "A".repeat(43))).await.status, StatusCode::NOT_FOUND);
        // The link of one order opens no other one's papers.
        assert_eq!(stranger.get(&format!("{path}?token={}", other.token)).await.status, StatusCode::NOT_FOUND);
        let through = format!("/orders/{}/documents/{mills}?token={}", other.id, other.token);
        assert_eq!(stranger.get(&through).await.status, StatusCode::NOT_FOUND);
    }
    let (at_desk, at_operators) = (format!("/vendor/documents/{mills}"), format!("/operator/documents/{mills}"));
    assert_eq!(test.vendor("kiln").await.get(&at_desk).await.status, StatusCode::NOT_FOUND);
    assert!(!test.vendor("kiln").await.get("/vendor/documents").await.body.contains(&mills.to_string()));
    for mut person in [test.customer("ada").await, test.vendor("mill").await] {
        assert_eq!(person.get("/operator/documents").await.status, StatusCode::FORBIDDEN);
        assert_eq!(person.get(&at_operators).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(test.customer("ada").await.get(&at_desk).await.status, StatusCode::FORBIDDEN);
    for path in [at_desk.as_str(), "/vendor/documents", at_operators.as_str(), "/operator/documents"] {
        assert!(test.guest().get(path).await.location().starts_with("/sign-in"), "{path}");
    }
    assert_eq!(
        test.guest().get(&format!("/orders/{}/documents/7?token={}", other.id, other.token)).await.status,
        StatusCode::NOT_FOUND
    );
    // What is issued is changed by nobody.
    for statement in
        ["update documents set total_minor = 1", "delete from documents", "truncate documents", "delete from document_counters"]
    {
        let error = sqlx::query(statement).execute(&test.app.pool).await.expect_err(statement);
        assert!(error.to_string().contains("only added to"), "{error}");
    }
    let skipped = sqlx::query("update document_counters set last = last + 2").execute(&test.app.pool).await.expect_err("a gap");
    assert!(skipped.to_string().contains("counts by one"), "{skipped}");
}

#[tokio::test]
async fn each_vendor_invoices_its_part_of_a_paid_order_once() {
    let (test, world) = TestApp::with_services().await;
    let order = paid(&test, Some(world.people["ada"])).await;
    assert!(!test.customer("ada").await.get(&order.path("")).await.text().contains("Invoices"), "not yet written");
    drain(&test).await;
    documents::issue_invoices(&test.app, order.id).await.expect("done before");
    let invoices = papers(&test.app.pool, "invoice").await;
    assert_eq!(invoices.len(), 3);
    let first = format!("INV-{}-00001", this_year());
    assert!(invoices.iter().all(|p| p.1 == first), "each vendor counts for itself");
    assert_eq!(invoices.iter().map(|p| p.3).sum::<i64>(), order.total);

    let mut ada = test.customer("ada").await;
    let page = ada.get(&order.path("")).await;
    let links = page.attributes(".order-papers a", "href");
    assert_eq!(links.len(), 3);
    assert!(page.text().contains(&first) && page.text().contains("from The mill"), "{}", page.text());
    let bytes = ada.get(&links[0]).await;
    assert_pdf(&bytes, &format!("Invoice-{first}"));
    assert_eq!(ada.get(&links[0]).await.body, bytes.body, "the same every time");
    let drawn = count(&test.app, "select count(*) from documents where pdf is not null").await;
    let noted = count(&test.app, "select count(*) from audit_log where action = 'document.drawn'").await;
    assert_eq!((drawn, noted), (1, 1), "what nobody asked for is not drawn, and nothing is drawn twice");
    for statement in [
        "update documents set pdf = 'another', sha256 = sha256('another') where pdf is not null",
        "update documents set pdf = null, sha256 = null where pdf is not null",
        "update documents set pdf = 'early', sha256 = sha256('early'), total_minor = 1 where pdf is null",
    ] {
        let error = sqlx::query(statement).execute(&test.app.pool).await.expect_err(statement);
        assert!(error.to_string().contains("only added to"), "{error}");
    }
    let mut guest = test.guest();
    let link = guest.get(&order.path("")).await.attributes(".order-papers a", "href").remove(0);
    assert_pdf(&guest.get(&link).await, &format!("Invoice-{first}"));

    let mills = invoices.iter().find(|p| p.2 == world.vendors["mill"].id).expect("the mill's");
    assert_eq!(mills.4["lines"].as_array().map(Vec::len), Some(3), "two lines and the shipping");
    let mut mill = test.vendor("mill").await;
    let list = mill.get("/vendor/documents").await;
    assert_eq!(list.texts("tbody th"), [first.as_str()]);
    assert_eq!(mill.get("/vendor/documents?kind=statement").await.texts("tbody tr").len(), 0);
    assert_eq!(mill.get("/vendor/documents?page=4000000000").await.status, StatusCode::OK);
    assert!(mill.get("/vendor/documents?kind=novel").await.status.is_client_error());
    let download = list.attribute("tbody th a", "href").expect("a link");
    assert_pdf(&mill.get(&download).await, &format!("Invoice-{first}"));
    let about = list.attribute("tbody td a", "href").expect("the order");
    assert_eq!(mill.get(&about).await.attribute(".order-papers a", "href"), Some(download));
    let mut operator = test.operator().await;
    let all = operator.get("/operator/documents?kind=invoice").await;
    assert_eq!(all.texts("tbody tr").len(), 3);
    assert_pdf(&operator.get(&all.attribute("tbody a", "href").expect("a link")).await, &format!("Invoice-{first}"));
    assert!(operator.get("/operator/documents?kind=novel").await.status.is_client_error());
    assert_laws_hold(&test.app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_at_once_are_numbered_without_a_gap_also_when_some_come_to_nothing() {
    let (test, world) = TestApp::new().await;
    let pool = &test.app.pool;
    let mut orders: Vec<OrderId> = Vec::new();
    sqlx::raw_sql(
        "create table unlucky (vendor_order_id uuid primary key);
         create function fails() returns trigger language plpgsql as $$ begin
             if exists (select 1 from unlucky u where u.vendor_order_id = new.vendor_order_id) then raise 'out of paper'; end if;
             return new;
         end $$;
         create trigger fails after insert on documents for each row execute function fails();",
    )
    .execute(pool)
    .await
    .expect("a printer that fails");
    for n in 0..50 {
        let (parcel, _) = paid_order(pool, &world, "mill", world.variant("MILL-PLAIN"), 1).await;
        let order: Uuid = sqlx::query_scalar("select order_id from vendor_orders where id = $1")
            .bind(parcel)
            .fetch_one(pool)
            .await
            .expect("its order");
        orders.push(order.into());
        if n % 5 == 2 {
            sqlx::query("insert into unlucky values ($1)").bind(parcel).execute(pool).await.expect("bad luck");
        }
    }
    let tries = orders.iter().map(|order| documents::issue_invoices(&test.app, *order));
    let failed = futures::future::join_all(tries).await.into_iter().filter(Result::is_err).count();
    assert_eq!(failed, 10);
    let numbers = async || -> Vec<i32> {
        sqlx::query_scalar("select sequence from documents order by 1").fetch_all(pool).await.expect("numbers")
    };
    assert_eq!(numbers().await, (1..=40).collect::<Vec<_>>());
    sqlx::query("delete from unlucky").execute(pool).await.expect("new paper");
    // Each twice at the same time: a job whose lease ran out while it still worked.
    let again = orders.iter().chain(&orders).map(|order| documents::issue_invoices(&test.app, *order));
    for done in futures::future::join_all(again).await {
        done.expect("issued");
    }
    assert_eq!(numbers().await, (1..=50).collect::<Vec<_>>());
    assert_eq!(count(&test.app, "select last::bigint from document_counters").await, 50);
    let twice = count(&test.app, "select count(*) - count(distinct vendor_order_id) from documents").await;
    assert_eq!(twice, 0);
}

#[tokio::test]
async fn money_that_goes_back_is_credited_part_by_part_and_never_more() {
    let (test, world) = TestApp::with_services().await;
    let order = paid(&test, None).await;
    let intent: String =
        sqlx::query_scalar("select stripe_intent_id from payments").fetch_one(&test.app.pool).await.expect("an intent");
    // A part in Stripe's dashboard, before anybody wrote an invoice; then all the rest.
    test.services().stripe.sandbox.refund_from_dashboard(&intent, Some(1000)).await.expect("a refund");
    payments::sync_refunds(&test.app, &intent).await.expect("read");
    drain(&test).await;
    let notes = papers(&test.app.pool, "credit_note").await;
    assert_eq!(notes.iter().map(|n| n.3).sum::<i64>(), 1000);
    assert_eq!(notes.len(), 3, "spread over the vendors by what each sold");
    assert!(notes.iter().all(|n| n.4["invoice_number"] == format!("INV-{}-00001", this_year())));
    let mut guest = test.guest();
    guest.post_form(&order.path("/cancel"), &[("token", &order.token)]).await;
    drain(&test).await;
    let notes = papers(&test.app.pool, "credit_note").await;
    assert_eq!(notes.iter().map(|n| n.3).sum::<i64>(), order.total);
    let mills: Vec<_> = notes.iter().filter(|n| n.2 == world.vendors["mill"].id).map(|n| n.1.clone()).collect();
    assert_eq!(mills, [format!("CN-{}-00001", this_year()), format!("CN-{}-00002", this_year())]);
    assert_eq!(guest.get(&order.path("")).await.attributes(".order-papers a", "href").len(), 9);
    // Again, and by a refund that failed late: nothing more.
    let refunds: Vec<Uuid> = sqlx::query_scalar("select id from refunds").fetch_all(&test.app.pool).await.expect("refunds");
    for refund in &refunds {
        documents::issue_credit_notes(&test.app, (*refund).into()).await.expect("done before");
    }
    assert_eq!(papers(&test.app.pool, "credit_note").await.len(), 6);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_cancelled_order_is_credited_line_by_line() {
    let (test, _) = TestApp::with_services().await;
    let order = paid_by_guest(&test, &[("MILL-PLAIN", 2), ("MILL-SMALL", 1)]).await;
    // Cancelled before the jobs ran: the invoice is written first all the same.
    test.guest().post_form(&order.path("/cancel"), &[("token", &order.token)]).await;
    drain(&test).await;
    let notes = papers(&test.app.pool, "credit_note").await;
    assert_eq!((notes.len(), notes[0].3), (1, order.total));
    let titles: Vec<_> = notes[0].4["lines"].as_array().expect("lines").iter().map(|l| l["quantity"].as_i64()).collect();
    assert_eq!(titles, [Some(2), Some(1), Some(1)]);
    assert_eq!(notes[0].4["reason"], "the order was cancelled");
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn money_that_no_order_took_has_no_paper() {
    let (test, _) = TestApp::with_services().await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("stock");
    let page = payments::open(&test.app, unpaid.id).await.expect("a page");
    sqlx::query("update payments set amount_minor = amount_minor + 1").execute(&test.app.pool).await.expect("another price");
    test.services().pay(&page, Card::Good).await;
    payments::settle_order(&test.app, unpaid.id).await.expect("settled");
    drain(&test).await;
    assert_eq!(count(&test.app, "select count(*) from refunds where state = 'succeeded'").await, 1);
    assert_eq!(count(&test.app, "select count(*) from documents").await, 0);
}

#[tokio::test]
async fn what_a_vendor_says_of_itself_stands_on_its_next_invoice() {
    let (test, _) = TestApp::with_services().await;
    let first = paid_by_guest(&test, &[("MILL-PLAIN", 1)]).await;
    drain(&test).await;
    let mut mill = test.vendor("mill").await;
    let form = |vat| {
        [
            ("legal_name", "Mill & Sons Ltd"),
            ("line1", "1 Weir Street"),
            ("line2", ""),
            ("city", "Leeds"),
            ("postal_code", "LS1 1AA"),
            ("vat_number", vat),
        ]
    };
    let refused = mill.post_form("/vendor/shop/invoices", &form("no")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.attribute("#f-vat_number", "aria-invalid").as_deref(), Some("true"));
    assert_eq!(refused.attribute("#f-legal_name", "value").as_deref(), Some("Mill & Sons Ltd"), "what was typed stays");
    assert_eq!(mill.post_form("/vendor/shop/invoices", &form("gb 123 4567 89")).await.location(), "/vendor/shop");
    assert_eq!(mill.get("/vendor/shop").await.attribute("#f-vat_number", "value").as_deref(), Some("GB123456789"));
    paid_by_guest(&test, &[("MILL-PLAIN", 1)]).await;
    drain(&test).await;
    let sellers: Vec<_> = papers(&test.app.pool, "invoice").await.into_iter().map(|p| p.4["seller"].clone()).collect();
    assert_eq!(sellers[0]["name"], "The mill");
    assert_eq!(
        sellers[1],
        serde_json::json!({
            "name": "Mill & Sons Ltd",
            "address": ["trading as The mill", "1 Weir Street", "Leeds", "LS1 1AA", "United Kingdom"],
            "vat_number": "GB123456789"
        })
    );
    documents::issue_invoices(&test.app, first.id).await.expect("stands as it was issued");
    assert_eq!(papers(&test.app.pool, "invoice").await.len(), 2);
    for mut person in [test.customer("ada").await, test.guest()] {
        assert_ne!(person.post_form("/vendor/shop/invoices", &form("")).await.location(), "/vendor/shop");
    }
}

#[tokio::test]
async fn a_month_that_is_over_is_invoiced_once_to_each_vendor() {
    let (test, world) = TestApp::new().await;
    let pool = &test.app.pool;
    for (vendor, sku, fee) in [("mill", "MILL-PLAIN", 100), ("mill", "MILL-SMALL", 125), ("kiln", "KILN-PLAIN", 0)] {
        let (parcel, line) = paid_order(pool, &world, vendor, world.variant(sku), 1).await;
        // Frozen at the sale: only a test may say what it was, and goes around the trigger.
        let mut tx = pool.begin().await.expect("a transaction");
        for (statement, id) in [
            ("set local session_replication_role = replica", None),
            (
                "update order_lines set commission_rule = 'Kitchen 10 %', fee_minor = $2, fee_vat_minor = $2 / 5 where id = $1",
                Some(line),
            ),
            ("update vendor_orders set fee_minor = $2, fee_vat_minor = $2 / 5 where id = $1", Some(parcel)),
        ] {
            let query = sqlx::query(statement);
            let query = if let Some(id) = id { query.bind(id).bind(fee) } else { query };
            query.execute(&mut *tx).await.expect("a fee");
        }
        tx.commit().await.expect("a fee");
        sqlx::query(
            "update orders set placed_at = '2024-09-30 23:59:59Z' where id = (select order_id from vendor_orders where id = $1)",
        )
        .bind(parcel)
        .execute(pool)
        .await
        .expect("then");
    }
    for now in [datetime!(2024-10-01 05:59 UTC), datetime!(2024-10-01 06:01 UTC), datetime!(2024-10-20 12:00 UTC)] {
        let closings = (0..3).map(|_| documents::close_months(&test.app, now));
        futures::future::try_join_all(closings).await.expect("closed");
        drain(&test).await;
    }
    let invoices = papers(pool, "commission_invoice").await;
    assert_eq!(invoices.len(), 1, "no fee, no invoice");
    let (_, number, vendor, total, content) = &invoices[0];
    assert_eq!(
        (number.as_str(), *vendor, *total),
        (format!("COM-{}-00001", this_year()).as_str(), world.vendors["mill"].id, 270)
    );
    assert_eq!((&content["from"], &content["until"]), (&Value::from("2024-09-01"), &Value::from("2024-09-30")));
    let fee = &content["fees"][0];
    assert_eq!(fee["title"], "Commission: Kitchen 10 %");
    assert_eq!(
        (&fee["count"], &fee["net_minor"], &fee["vat_minor"], &fee["vat_rate_bp"]),
        (&2.into(), &225.into(), &45.into(), &2000.into())
    );
    assert!(!test.vendor("kiln").await.get("/vendor/documents").await.text().contains("COM-"));
    let list = test.vendor("mill").await.get("/vendor/documents?kind=commission_invoice").await;
    assert!(list.text().contains("September 2024") && list.text().contains("£2.70"), "{}", list.text());

    // What the books give back is taken off in its month, also one in which nothing was sold.
    let parcel: Uuid =
        sqlx::query_scalar("select id from vendor_orders where vendor_slug = 'mill' limit 1").fetch_one(pool).await.expect("one");
    let mut entries = Entries::default();
    entries.debit(Account::Commission, 100, Some(parcel.into())).debit(Account::CommissionVat, 20, Some(parcel.into()));
    entries.credit(Account::RefundsDue, 120, None);
    let mut tx = pool.begin().await.expect("a transaction");
    let booking = Booking {
        cause: Cause::Refund,
        id: Uuid::now_v7(),
        step: "booked",
        currency: Currency::GBP,
        order: None,
        reverses: None,
        memo: "",
        actor: None,
        entries,
    };
    ledger::book(&mut tx, booking).await.expect("booked");
    tx.commit().await.expect("committed");
    let next = OffsetDateTime::now_utc() + time::Duration::days(32);
    documents::close_months(&test.app, next).await.expect("closed");
    drain(&test).await;
    let invoices = papers(pool, "commission_invoice").await;
    assert_eq!(invoices.iter().map(|i| i.3).collect::<Vec<_>>(), [270, -120]);
    assert_eq!(invoices[1].4["fees"][0]["title"], "Returned with refunds and disputes");
    // Months in between were looked at, too.
    assert!(count(&test.app, "select count(*) from document_months").await > 1);
}

#[tokio::test]
async fn a_statement_adds_up_or_is_not_issued() {
    let (test, world) = TestApp::new().await;
    let statement = |closing_minor| Statement {
        vendor: world.vendors["mill"].id.into(),
        from: date!(2026 - 10 - 01),
        until: date!(2026 - 10 - 31),
        currency: Currency::GBP,
        opening_minor: -500,
        movements: vec![Movement {
            on: date!(2026 - 10 - 03),
            title: "Sale, order 100001".into(),
            detail: String::new(),
            amount_minor: 2000,
        }],
        closing_minor,
    };
    let issue = async |closing| -> anyhow::Result<bool> {
        let mut tx = test.app.pool.begin().await?;
        let issued = documents::issue_statement(&mut tx, &test.app.config, statement(closing)).await?;
        tx.commit().await?;
        Ok(issued.is_some())
    };
    issue(1400).await.expect_err("does not add up");
    assert!(issue(1500).await.expect("issued"));
    assert!(!issue(1500).await.expect("once"));
    let statements = papers(&test.app.pool, "statement").await;
    assert_eq!((statements.len(), statements[0].1.clone(), statements[0].3), (1, format!("ST-{}-00001", this_year()), 1500));
    let mut mill: Client = test.vendor("mill").await;
    let link = mill.get("/vendor/documents?kind=statement").await.attribute("tbody th a", "href").expect("a link");
    assert_pdf(&mill.get(&link).await, &format!("Statement-ST-{}-00001", this_year()));
    assert_laws_hold(&test.app).await;
}
