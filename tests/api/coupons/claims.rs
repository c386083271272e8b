//! Uses of a coupon: given back, taken again, and counted for each person.

use super::*;

#[tokio::test]
async fn a_use_comes_back_when_its_order_comes_to_nothing() {
    let (test, world) = TestApp::with_services().await;
    make(&mut test.vendor("mill").await, OWN, &[("code", "ONCE"), ("name", "x"), ("amount", "1"), ("limit_total", "1")]).await;
    let used = async || count(&test.app, "select used::bigint from coupons").await;
    let (mut ada, mut bob) = (test.customer("ada").await, test.customer("bob").await);
    for person in [&mut ada, &mut bob] {
        put(person, &world, "MILL-PLAIN", "1").await;
    }
    order(&mut ada, "once").await;
    let second = form(&mut bob, "once").await;
    assert!(refused(&send(&mut bob, "/checkout", &second).await).contains("as often as it can be"));
    // Another order of the same cart takes the place of the first, with its stock and its coupon.
    order(&mut ada, "once").await;
    assert_eq!((used().await, count(&test.app, "select count(*) from coupon_claims where state = 'released'").await), (1, 1));
    // Not paid in time: now bob can have it.
    let first = latest(&test).await;
    let_hold_end(&test.app, first).await;
    payments::sweep(&test.app).await.expect("swept");
    assert_eq!((standing(&test.app, first).await.0.as_str(), used().await), ("expired", 0));
    let stripe = order(&mut bob, "once").await;
    pay(&test, &stripe).await;
    assert_eq!((used().await, count(&test.app, "select count(*) from coupon_claims where state = 'taken'").await), (1, 1));
    // Cancelled before anything was sent: it can be used again.
    let bobs = latest(&test).await;
    assert_eq!(bob.post_form(&format!("/orders/{bobs}/cancel"), &[]).await.status, StatusCode::SEE_OTHER);
    hear(&test).await;
    assert_eq!((standing(&test.app, bobs).await.0.as_str(), used().await), ("cancelled", 0));
    order(&mut ada, "once").await;
    assert_eq!(used().await, 1);
    assert_laws_hold(&test.app).await;
}

/// The sweeper could not ask Stripe, the order expired, somebody else used the coupon up, and then the money turns out to be there.
#[tokio::test]
async fn money_that_comes_when_the_coupon_is_used_up_goes_back() {
    let (test, world) = TestApp::with_services().await;
    make(&mut test.vendor("mill").await, OWN, &[("code", "ONCE"), ("name", "x"), ("amount", "1"), ("limit_total", "1")]).await;
    let (mut ada, mut bob) = (test.customer("ada").await, test.customer("bob").await);
    for person in [&mut ada, &mut bob] {
        put(person, &world, "MILL-PLAIN", "1").await;
    }
    let late = order(&mut ada, "once").await;
    let first = latest(&test).await;
    // As the sweeper does when Stripe does not answer.
    let mut tx = test.app.pool.begin().await.expect("a transaction");
    souk::orders::release_holds(&mut tx, first).await.expect("released");
    sqlx::query("update orders set status = 'expired', closed_at = now() where id = $1")
        .bind(first.uuid())
        .execute(&mut *tx)
        .await
        .expect("expired");
    tx.commit().await.expect("expired");
    order(&mut bob, "once").await;
    test.services().pay(&late, Card::Good).await;
    payments::settle_order(&test.app, first).await.expect("settled");
    hear(&test).await;
    assert_eq!(standing(&test.app, first).await.0, "expired");
    assert_eq!(count(&test.app, "select count(*) from refunds where reason = 'coupon_used_up'").await, 1);
    assert_eq!(stock(&test.app, "MILL-PLAIN").await, (100, 1), "only bob's");
    assert!(ada.get(&format!("/orders/{first}")).await.text().contains("its coupon has been used up since"));
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn a_person_is_counted_by_account_or_by_address() {
    let (test, world) = TestApp::new().await;
    make(&mut test.vendor("mill").await, OWN, &[("code", "EACH"), ("name", "x"), ("percent", "10"), ("limit_person", "1")]).await;
    let again = "You have used this coupon as often as you can.";
    let (mut ada, mut guest) = (test.customer("ada").await, test.guest());
    for person in [&mut ada, &mut guest] {
        put(person, &world, "MILL-PLAIN", "1").await;
        order(person, "each").await;
    }
    sqlx::query("update orders set status = 'placed', placed_at = now()").execute(&test.app.pool).await.expect("paid");
    // With an account another address does not help; without one, capitals do not.
    let mut another = form(&mut ada, "each").await;
    another.insert("email".into(), "other@example.com".into());
    assert!(refused(&send(&mut ada, "/checkout", &another).await).contains(again));
    let mut stranger = test.guest();
    put(&mut stranger, &world, "MILL-PLAIN", "1").await;
    let mut same = form(&mut stranger, "each").await;
    same.insert("email".into(), "GRACE@example.com".into());
    assert!(refused(&send(&mut stranger, "/checkout", &same).await).contains(again));
    same.insert("email".into(), "gil@example.com".into());
    assert_eq!(send(&mut stranger, "/checkout", &same).await.status, StatusCode::SEE_OTHER);
    let uses = count(&test.app, "select count(*) from coupon_claims where state <> 'released'").await;
    assert_eq!((uses, count(&test.app, "select sum(used)::bigint from coupon_people").await), (3, 3));
}
