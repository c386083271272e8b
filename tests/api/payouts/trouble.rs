//! Where a payout or a transfer does not go through: the bank says no, the program dies in between, Stripe has not the money.

use super::*;

#[tokio::test]
async fn what_the_bank_does_not_take_comes_back_and_waits_for_the_vendor() {
    let (test, world) = shop().await;
    let (account, _) = sold(&test, &world, None).await;
    payouts::run_due(&test.app, now()).await.expect("a run");
    jobs::drain(&test.app).await.expect("the jobs run");
    let first = paid_out(&test).await[0].2.clone();
    let sandbox = &test.services().stripe.sandbox;
    sandbox.end_payout(&first, PayoutOutcome::Failed, Some("account_closed")).await.expect("it fails");
    until(&test.app, "the payout failed", async || states(&test).await == ["failed"]).await;
    assert_eq!(mill(&test, &world).await, Balances { payable: 1395, connected: 1395, ..Balances::default() });
    assert_eq!(mails(&test, "Your payout of £13.95 did not arrive").await, 1);
    let mut vendor = test.vendor("mill").await;
    let page = vendor.get("/vendor/payouts").await.text();
    assert!(page.contains("Your payouts have stopped") && page.contains("The bank account has been closed"), "{page}");
    let mut operator = test.operator().await;
    let inbox = operator.get("/operator").await.text();
    assert!(inbox.contains("Payouts that failed") && inbox.contains("The bank account has been closed"), "{inbox}");
    // Not by itself, on no later day.
    assert_eq!(payouts::run_due(&test.app, now() + Duration::days(1)).await.expect("a run"), 0);
    assert_eq!(vendor.post_form("/vendor/payouts/again", &[]).await.status, StatusCode::SEE_OTHER);
    assert!(!operator.get("/operator").await.text().contains("Payouts that failed"), "the vendor has seen to it");
    assert_eq!(payouts::run_due(&test.app, now() + Duration::days(2)).await.expect("a run"), 1);
    jobs::drain(&test.app).await.expect("the jobs run");

    // It arrives, and the bank sends it back days later: stopped again, until there is another bank account.
    let second = paid_out(&test).await[1].2.clone();
    sandbox.end_payout(&second, PayoutOutcome::Paid, None).await.expect("it arrives");
    until(&test.app, "the payout is paid", async || states(&test).await == ["failed", "paid"]).await;
    assert_eq!(mill(&test, &world).await, Balances::default());
    sandbox.end_payout(&second, PayoutOutcome::Failed, Some("no_account")).await.expect("it comes back");
    until(&test.app, "the payout came back", async || states(&test).await == ["failed", "returned"]).await;
    assert_eq!(mill(&test, &world).await, Balances { payable: 1395, connected: 1395, ..Balances::default() });
    let failed = operator.get("/operator").await.texts("[aria-label='Payouts that failed'] tbody tr");
    assert_eq!(failed.len(), 1, "one for a vendor: {failed:?}");
    assert!(failed[0].contains("The mill"), "{failed:?}");
    assert_eq!(payouts::run_everybody(&test.app, None, now() + Duration::days(3)).await.expect("a run"), 0);
    sandbox.onboard(&account, Some("11111116")).await.expect("another bank account");
    until(&test.app, "the other bank account is known", async || {
        count(&test.app, "select count(*) from vendor_accounts where stopped_at is null and bank like '%1116'").await == 1
    })
    .await;
    assert_eq!(payouts::run_due(&test.app, now() + Duration::days(4)).await.expect("a run"), 1);
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn what_was_paid_too_much_is_netted_by_the_next_sale() {
    let (test, world) = shop().await;
    sold(&test, &world, None).await;
    // Before a payout: a part goes back, by a reversal.
    taken_back(&test, &world, 395).await;
    assert_eq!(mill(&test, &world).await, Balances { payable: 1000, connected: 1000, ..Balances::default() });
    assert_eq!(at_stripe(&test, "transfer_reversal").await, 1);
    payouts::run_due(&test.app, now()).await.expect("a run");
    jobs::drain(&test.app).await.expect("the jobs run");
    // On its way to the bank it cannot be called back.
    taken_back(&test, &world, 300).await;
    assert_eq!(mill(&test, &world).await, Balances { payable: 700, in_transit: 1000, ..Balances::default() });
    let payout = paid_out(&test).await[0].2.clone();
    test.services().stripe.sandbox.end_payout(&payout, PayoutOutcome::Paid, None).await.expect("it arrives");
    until(&test.app, "the payout is paid", async || states(&test).await == ["paid"]).await;
    assert_eq!(mill(&test, &world).await, Balances { payable: -300, ..Balances::default() });
    let page = test.operator().await.get("/operator/payouts").await.text();
    assert!(page.contains("Paid more than they earned") && page.contains("−£3.00") && page.contains("under an hour"), "{page}");
    // The next sale makes it up: only the rest goes to Stripe.
    let mut sale = Sale::of(&test, &world, 1).await.shipped(&test).await;
    assert_eq!(sale.received().await, StatusCode::SEE_OTHER);
    jobs::drain(&test.app).await.expect("the jobs run");
    assert_eq!(mill(&test, &world).await, Balances { payable: 1095, connected: 1095, ..Balances::default() });
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn who_dies_between_asking_and_writing_asks_the_same_again() {
    let (test, world) = shop().await;
    onboard(&test, &world, "mill", None).await;
    let mut sale = Sale::of(&test, &world, 1).await.shipped(&test).await;
    assert_eq!(sale.received().await, StatusCode::SEE_OTHER);
    let vendor = VendorId::from(world.vendors["mill"].id);
    let sandbox = &test.services().stripe.sandbox;
    let calm = sandbox.controls().await.expect("the switches");
    let slow = Controls { api_hang_ms: 60_000, ..calm.clone() };
    let patience = std::time::Duration::from_millis(1500);

    // Stripe makes the transfer, and the answer is not heard.
    sandbox.set_controls(&slow).await.expect("the switches");
    assert!(tokio::time::timeout(patience, payouts::settle_vendor(&test.app, vendor)).await.is_err(), "it died while it waited");
    sandbox.set_controls(&calm).await.expect("the switches");
    assert_eq!(at_stripe(&test, "transfer").await, 1);
    assert_eq!(mill(&test, &world).await.connected, 0);
    jobs::drain(&test.app).await.expect("the jobs run");
    assert_eq!((at_stripe(&test, "transfer").await, mill(&test, &world).await.connected), (1, 1395));

    // The same with a payout.
    payouts::run_due(&test.app, now()).await.expect("a run");
    let id: Uuid = sqlx::query_scalar("select id from payouts").fetch_one(&test.app.pool).await.expect("a payout");
    sandbox.set_controls(&slow).await.expect("the switches");
    assert!(tokio::time::timeout(patience, payouts::payout(&test.app, id.into())).await.is_err(), "it died while it waited");
    sandbox.set_controls(&calm).await.expect("the switches");
    assert_eq!(states(&test).await, ["booked"]);
    jobs::drain(&test.app).await.expect("the jobs run");
    assert_eq!((at_stripe(&test, "payout").await, states(&test).await), (1, vec!["sent".to_owned()]));
    assert_eq!(mill(&test, &world).await, Balances { payable: 1395, in_transit: 1395, ..Balances::default() });
    assert_laws_hold(&test.app).await;
}

#[tokio::test]
async fn what_stripe_cannot_move_is_shown_and_moved_later() {
    let (test, world) = shop().await;
    onboard(&test, &world, "mill", None).await;
    // The card's money can be spent in two days.
    let sandbox = &test.services().stripe.sandbox;
    let calm = sandbox.controls().await.expect("the switches");
    sandbox.set_controls(&Controls { settle_days: 2, ..calm }).await.expect("the switches");
    let mut sale = Sale::of(&test, &world, 1).await.shipped(&test).await;
    assert_eq!(sale.received().await, StatusCode::SEE_OTHER);
    jobs::drain(&test.app).await.expect("the jobs run");
    assert_eq!(mill(&test, &world).await, Balances { payable: 1395, ..Balances::default() });
    let page = test.operator().await.get("/operator/payouts").await.text();
    assert!(page.contains("Stripe did not move"), "{page}");
    sandbox.advance(3 * 86_400).await.expect("the clock moves");
    payouts::sweep(&test.app, now()).await.expect("a sweep");
    jobs::drain(&test.app).await.expect("the jobs run");
    let there = mill(&test, &world).await;
    assert_eq!((there.payable, there.connected + there.in_transit), (1395, 1395));
    assert_laws_hold(&test.app).await;
}
