//! Orders after payment: what a vendor ships, what the shopper reads, and who may not.

use crate::support::{
    Card, Client, TestApp,
    purchase::{Unpaid, count, order, standing},
};
use axum::extract::FromRequestParts;
use http::StatusCode;
use souk::{
    error::{AppError, Refusal},
    ids::{OrderLineId, VendorOrderId},
    orders::{self, model::VendorOrderFilter, queries},
    payments,
    server::auth::{Customer, Manager, Vendor},
};
use tower_sessions::{SessionStore, session::Id};
use uuid::Uuid;

/// The proof that a vendor would bring with a request.
async fn guard<T: FromRequestParts<souk::server::state::App, Rejection = AppError>>(test: &TestApp, client: &Client) -> T {
    let id: Id = client.cookie("souk").expect("a session").parse().expect("an id");
    let store = souk::server::session::PostgresSessions(test.app.pool.clone());
    assert!(store.load(&id).await.expect("the sessions").is_some());
    let session = tower_sessions::Session::new(Some(id), std::sync::Arc::new(store), None);
    let (mut parts, ()) = http::Request::builder().body(()).expect("a request").into_parts();
    parts.extensions.insert(session);
    T::from_request_parts(&mut parts, &test.app).await.expect("may")
}

/// An order of all three vendors, paid.
pub async fn paid(test: &TestApp, user: Option<Uuid>) -> Unpaid {
    let unpaid = order(&test.app, user, &[("MILL-PLAIN", 3), ("MILL-SMALL", 1), ("KILN-PLAIN", 1), ("ORCHARD-PLAIN", 1)])
        .await
        .expect("stock");
    let page = payments::open(&test.app, unpaid.id).await.expect("a page");
    test.services().pay(&page, Card::Good).await;
    payments::settle_order(&test.app, unpaid.id).await.expect("settled");
    assert_eq!(standing(&test.app, unpaid.id).await.0, "placed");
    unpaid
}

async fn parcel_of(test: &TestApp, order: &Unpaid, vendor: &str) -> (VendorOrderId, Vec<OrderLineId>) {
    let parcel: Uuid = sqlx::query_scalar("select id from vendor_orders where order_id = $1 and vendor_slug = $2")
        .bind(order.id.uuid())
        .bind(vendor)
        .fetch_one(&test.app.pool)
        .await
        .expect("a parcel");
    let lines: Vec<Uuid> = sqlx::query_scalar("select id from order_lines where vendor_order_id = $1 order by sku")
        .bind(parcel)
        .fetch_all(&test.app.pool)
        .await
        .expect("its lines");
    (parcel.into(), lines.into_iter().map(Into::into).collect())
}

#[tokio::test]
async fn someone_else_may_not_see_or_ship() {
    let (test, _) = TestApp::with_services().await;
    let order = paid(&test, None).await;
    let (parcel, lines) = parcel_of(&test, &order, "mill").await;
    let kiln: Vendor = guard(&test, &test.vendor("kiln").await).await;
    assert_eq!(orders::ship(&test.app, &kiln, parcel, &[(lines[0], 1)], "Post", "").await, Err(AppError::NotFound));
    assert_eq!(queries::vendor_order(&test.app.pool, &kiln, parcel).await.err(), Some(AppError::NotFound));
    // nor a line of another parcel through one's own
    let (own, _) = parcel_of(&test, &order, "kiln").await;
    assert_eq!(orders::ship(&test.app, &kiln, own, &[(lines[0], 1)], "Post", "").await, Err(AppError::NotFound));
    assert_eq!(count(&test.app, "select count(*) from shipments").await, 0);
    let seen = queries::vendor_order(&test.app.pool, &kiln, own).await.expect("one's own");
    assert_eq!(seen.parcel.lines.len(), 1);
    assert_eq!(seen.head.total_minor, 1395, "not what the others get");
    let bob: Customer = guard(&test, &test.customer("bob").await).await;
    assert!(queries::history(&test.app.pool, &bob, 0).await.expect("a history").0.is_empty());
}

#[tokio::test]
async fn parcels_leave_in_parts_and_the_shopper_reads_where_they_are() {
    let (test, world) = TestApp::with_services().await;
    let order = paid(&test, Some(world.people["ada"])).await;
    let (parcel, lines) = parcel_of(&test, &order, "mill").await;
    let mill: Manager = guard(&test, &test.vendor("mill").await).await;
    let pool = &test.app.pool;
    assert_eq!(queries::vendor_orders(pool, &mill, VendorOrderFilter::ToShip, 0).await.expect("a list").0.len(), 1);

    orders::ship(&test.app, &mill, parcel, &[(lines[0], 2)], "Royal Mail", "RM 123").await.expect("shipped");
    assert_eq!(standing(&test.app, order.id).await.2, "partial");
    let refusal = orders::ship(&test.app, &mill, parcel, &[(lines[0], 2)], "Royal Mail", "").await;
    assert_eq!(refusal, Err(Refusal::ShipsTooMuch.into()));
    assert!(matches!(orders::ship(&test.app, &mill, parcel, &[], "Royal Mail", "").await, Err(AppError::Invalid(_))));
    orders::ship(&test.app, &mill, parcel, &[(lines[0], 1), (lines[1], 1)], "DHL", "").await.expect("the rest");
    assert!(queries::vendor_orders(pool, &mill, VendorOrderFilter::ToShip, 0).await.expect("a list").0.is_empty());
    assert_eq!(queries::vendor_orders(pool, &mill, VendorOrderFilter::Shipped, 0).await.expect("a list").0.len(), 1);
    for slug in ["kiln", "orchard"] {
        let vendor: Vendor = guard(&test, &test.vendor(slug).await).await;
        let (parcel, lines) = parcel_of(&test, &order, slug).await;
        orders::ship(&test.app, &vendor, parcel, &[(lines[0], 1)], "DHL", "").await.expect("shipped");
    }
    assert_eq!(standing(&test.app, order.id).await.2, "fulfilled");
    let mut ada = test.customer("ada").await;
    let text = ada.get(&format!("/orders/{}", order.id)).await.text();
    assert!(
        text.contains("Everything was sent") && text.contains("RM 123") && text.contains("2 × The mill's plain bowl"),
        "{text}"
    );
    assert!(!text.contains("Cancel this order"));
    let page = ada.get(&format!("/orders/{}", order.id)).await;
    let royal = page.attribute(".shipments a[rel]", "href");
    assert_eq!(royal.as_deref(), Some("https://www.royalmail.com/track-your-item#/tracking-results/RM123"));
    let refused = ada.post_form(&format!("/orders/{}/cancel", order.id), &[]).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.text().contains("already on its way"));
    assert_eq!(count(&test.app, "select count(*) from outbox where subject like '% has sent a parcel of order %'").await, 4);
    let sold = souk::vendors::queries::sold(pool, &mill, 30).await.expect("sales");
    assert_eq!(sold.iter().map(|s| (s.sku.as_str(), s.pieces)).collect::<Vec<_>>(), [("MILL-PLAIN", 3), ("MILL-SMALL", 1)]);
    let page = ada.get("/account/orders").await.text();
    assert!(page.contains("Order 100001 Sent"), "{page}");
}

#[tokio::test]
async fn only_what_is_paid_is_shipped() {
    let (test, _) = TestApp::with_services().await;
    let mill: Vendor = guard(&test, &test.vendor("mill").await).await;
    let unpaid = order(&test.app, None, &[("MILL-PLAIN", 1)]).await.expect("stock");
    let (parcel, lines) = parcel_of(&test, &unpaid, "mill").await;
    assert_eq!(orders::ship(&test.app, &mill, parcel, &[(lines[0], 1)], "DHL", "").await, Err(Refusal::NotPaid.into()));
    assert!(queries::vendor_orders(&test.app.pool, &mill, VendorOrderFilter::All, 0).await.expect("a list").0.is_empty());
    let order = paid(&test, None).await;
    let (parcel, lines) = parcel_of(&test, &order, "mill").await;
    test.guest().post_form(&order.path("/cancel"), &[("token", &order.token)]).await;
    assert_eq!(orders::ship(&test.app, &mill, parcel, &[(lines[0], 1)], "DHL", "").await, Err(Refusal::OrderCancelled.into()));
}

#[tokio::test]
async fn cancelling_and_shipping_at_once_never_both_happen() {
    for _ in 0..4 {
        let (test, _) = TestApp::with_services().await;
        let order = paid(&test, None).await;
        let (parcel, lines) = parcel_of(&test, &order, "mill").await;
        let mill: Vendor = guard(&test, &test.vendor("mill").await).await;
        let mut shopper = test.guest();
        let (path, fields) = (order.path("/cancel"), [("token", order.token.as_str())]);
        let pieces = [(lines[0], 1)];
        let (shipped, cancelled) =
            tokio::join!(orders::ship(&test.app, &mill, parcel, &pieces, "DHL", ""), shopper.post_form(&path, &fields));
        let (status, _, fulfilment) = standing(&test.app, order.id).await;
        match shipped {
            Ok(_) => {
                assert_eq!(cancelled.status, StatusCode::CONFLICT);
                assert_eq!((status.as_str(), fulfilment.as_str()), ("placed", "partial"));
                assert_eq!(count(&test.app, "select count(*) from refunds").await, 0);
            }
            Err(error) => {
                assert_eq!(error, Refusal::OrderCancelled.into());
                assert_eq!((status.as_str(), fulfilment.as_str()), ("cancelled", "unfulfilled"));
                assert_eq!(count(&test.app, "select count(*) from shipments").await, 0);
            }
        }
    }
}
