//! The hosted card page, used as a browser without script uses it.

use scraper::{Html, Selector};
use serde_json::{Value, json};

use super::{Sandbox, card, text};

fn select(page: &str, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).expect("a selector");
    Html::parse_document(page).select(&selector).map(|found| found.text().collect::<String>().trim().to_owned()).collect()
}

fn attribute(page: &str, selector: &str, name: &str) -> Option<String> {
    let selector = Selector::parse(selector).expect("a selector");
    Html::parse_document(page).select(&selector).next().and_then(|found| found.value().attr(name).map(str::to_owned))
}

async fn page(sandbox: &Sandbox, session: &Value) -> String {
    let url = sandbox.url(&format!("/pay/{}", text(session, "id")));
    sandbox.http.get(url).send().await.expect("an answer").text().await.expect("text")
}

async fn now(sandbox: &Sandbox, session: &Value) -> Value {
    sandbox.get(&format!("/v1/checkout/sessions/{}?expand[]=payment_intent.latest_charge", text(session, "id"))).await
}

#[tokio::test]
async fn the_page_says_what_it_is_and_what_is_paid() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.session(129_900).await;
    let page = page(&sandbox, &session).await;
    assert!(select(&page, ".sandbox-note")[0].starts_with("Sandbox."));
    assert_eq!(select(&page, ".amount"), ["£1,299.00"]);
    assert_eq!(select(&page, ".lines li span:first-child"), ["Oak board <large>"]);
    assert_eq!(attribute(&page, "main a", "href").as_deref(), Some("https://shop.example/cart?a=1&b=2"));
    for (field, autocomplete) in
        [("email", "email"), ("number", "cc-number"), ("expiry", "cc-exp"), ("cvc", "cc-csc"), ("name", "cc-name")]
    {
        assert_eq!(attribute(&page, &format!("input#{field}"), "autocomplete").as_deref(), Some(autocomplete));
        assert_eq!(select(&page, &format!("label[for={field}]")).len(), 1);
    }
    assert_eq!(select(&page, "table tbody tr").len(), 13, "the test cards");
    assert!(!page.contains("<script"));
}

#[tokio::test]
async fn mistakes_are_said_at_their_field_and_what_was_typed_is_kept() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.session(1000).await;
    let url = sandbox.url(&format!("/pay/{}", text(&session, "id")));
    let form = [
        ("email", "ada"),
        ("number", "4242 4242 4242 4241"),
        ("expiry", "01/20"),
        ("cvc", "1"),
        ("name", "Ada \"the first\""),
        ("method", "card"),
    ];
    let (status, _, page) = sandbox.submit(&url, &form).await;
    assert_eq!(status, 422);
    assert_eq!(select(&page, "#number-error"), ["Your card number is invalid."]);
    assert_eq!(select(&page, "#expiry-error"), ["Your card's expiration year is in the past."]);
    assert_eq!(select(&page, "#cvc-error"), ["Your card's security code is incomplete."]);
    assert_eq!(select(&page, "#email-error"), ["Your email is invalid."]);
    assert_eq!(attribute(&page, "#number", "aria-describedby").as_deref(), Some("number-error"));
    assert_eq!(attribute(&page, "#number", "value").as_deref(), Some("4242 4242 4242 4241"));
    assert_eq!(attribute(&page, "#name", "value").as_deref(), Some("Ada \"the first\""));
    assert_eq!(sandbox.events().await, Vec::<String>::new(), "nothing was tried");
}

#[tokio::test]
async fn a_declined_card_then_another() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.session(1000).await;
    for (number, message) in [
        ("4000000000000002", "Your card was declined."),
        ("4000000000009995", "Your card has insufficient funds."),
        ("4000000000000069", "Your card has expired."),
        ("4000000000000127", "Your card's security code is incorrect."),
    ] {
        let (status, _, page) = sandbox.pay(&session, number).await;
        assert_eq!((status, select(&page, "[role=alert]")), (402, vec![message.to_owned()]));
        assert_eq!(attribute(&page, "#number", "value").as_deref(), Some(number));
    }
    let declined = now(&sandbox, &session).await;
    let intent = &declined["payment_intent"];
    assert_eq!((&declined["status"], &declined["payment_status"]), (&json!("open"), &json!("unpaid")));
    assert_eq!(
        (&intent["status"], &intent["last_payment_error"]["code"]),
        (&json!("requires_payment_method"), &json!("incorrect_cvc"))
    );
    assert_eq!((&intent["latest_charge"]["status"], &intent["latest_charge"]["paid"]), (&json!("failed"), &json!(false)));
    assert_eq!(
        select(&page(&sandbox, &session).await, "[role=alert]"),
        ["Your card's security code is incorrect."],
        "also after a reload"
    );

    assert_eq!(sandbox.pay(&session, "4242424242424242").await.0, 303);
    let paid = now(&sandbox, &session).await;
    assert_eq!((&paid["payment_status"], &paid["payment_intent"]["last_payment_error"]), (&json!("paid"), &json!(null)));
    assert_eq!(paid["customer_details"]["email"], "ada@example.com");
    assert_eq!(paid["payment_intent"]["id"], intent["id"], "one intent for all attempts");
    let charges = sandbox.get(&format!("/v1/charges?payment_intent={}", text(intent, "id"))).await;
    assert_eq!(charges["data"].as_array().map(Vec::len), Some(5));
    let events = sandbox.events().await;
    assert_eq!(events.iter().filter(|kind| *kind == "payment_intent.payment_failed").count(), 4);
    assert_eq!(events.iter().filter(|kind| *kind == "charge.failed").count(), 4);
}

#[tokio::test]
async fn three_d_secure_is_failed_and_then_approved() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.session(1000).await;
    let (status, location, _) = sandbox.pay(&session, "4000002500003155").await;
    let challenge = sandbox.url(&location.expect("a way to the bank"));
    assert_eq!(status, 303);
    let bank = sandbox.http.get(&challenge).send().await.expect("an answer").text().await.expect("text");
    assert_eq!(select(&bank, "button"), ["Approve the payment", "Fail the authentication"]);
    assert_eq!(now(&sandbox, &session).await["payment_intent"]["status"], "requires_action");

    let (_, location, _) = sandbox.submit(&challenge, &[("answer", "fail")]).await;
    assert_eq!(location, Some(format!("/pay/{}", text(&session, "id"))));
    let failed = page(&sandbox, &session).await;
    assert!(select(&failed, "[role=alert]")[0].starts_with("We are unable to authenticate your payment method."));
    let intent = now(&sandbox, &session).await["payment_intent"].clone();
    assert_eq!(intent["last_payment_error"]["code"], "payment_intent_authentication_failure");
    assert_eq!(intent["latest_charge"], json!(null), "nothing reached the card");

    sandbox.pay(&session, "4000002760003184").await;
    let (_, location, _) = sandbox.submit(&challenge, &[("answer", "approve")]).await;
    assert!(location.is_some_and(|to| to.starts_with("https://shop.example/done")));
    let paid = now(&sandbox, &session).await;
    let secure = &paid["payment_intent"]["latest_charge"]["payment_method_details"]["card"]["three_d_secure"];
    assert_eq!((&paid["payment_status"], &secure["result"]), (&json!("paid"), &json!("authenticated")));
    let (_, location, _) = sandbox.submit(&challenge, &[("answer", "approve")]).await;
    assert_eq!(location, Some(format!("/pay/{}", text(&session, "id"))), "a second answer changes nothing");
    assert_eq!(now(&sandbox, &session).await["payment_intent"], paid["payment_intent"]);
}

#[tokio::test]
async fn three_d_secure_is_approved_and_the_card_declined_all_the_same() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.session(1000).await;
    let (_, location, _) = sandbox.pay(&session, "4000008400001629").await;
    let challenge = sandbox.url(&location.expect("a way to the bank"));
    let (_, location, _) = sandbox.submit(&challenge, &[("answer", "approve")]).await;
    assert_eq!(location, Some(format!("/pay/{}", text(&session, "id"))));
    assert_eq!(select(&page(&sandbox, &session).await, "[role=alert]"), ["Your card was declined."]);
}

#[tokio::test]
async fn twelve_clicks_make_one_charge() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.session(1000).await;
    let clicks = (0..12).map(|_| sandbox.pay(&session, "4242424242424242"));
    for (status, location, _) in futures::future::join_all(clicks).await {
        assert_eq!(status, 303);
        assert!(location.is_some_and(|to| to.contains(text(&session, "id"))));
    }
    let charges = sandbox.get("/v1/charges").await;
    assert_eq!(charges["data"].as_array().map(Vec::len), Some(1));
    let events = sandbox.events().await;
    assert_eq!(events.iter().filter(|kind| *kind == "checkout.session.completed").count(), 1);
}

#[tokio::test]
async fn nothing_to_pay_needs_no_card() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.session(0).await;
    assert_eq!(session["payment_status"], "no_payment_required");
    assert_eq!(select(&page(&sandbox, &session).await, "#number").len(), 0);
    let url = sandbox.url(&format!("/pay/{}", text(&session, "id")));
    assert_eq!(sandbox.submit(&url, &[("email", "ada@example.com")]).await.0, 303);
    let done = now(&sandbox, &session).await;
    assert_eq!((&done["status"], &done["payment_intent"]), (&json!("complete"), &json!(null)));
}

#[tokio::test]
async fn a_slow_debit_is_paid_or_refused_later() {
    let sandbox = Sandbox::start().await;
    sandbox.control(json!({ "bank_debit": true })).await;
    for (paid, last) in [(true, "charge.updated"), (false, "checkout.session.async_payment_failed")] {
        let session = sandbox.session(1000).await;
        assert_eq!(session["payment_method_types"], json!(["card", "bacs_debit"]));
        let url = sandbox.url(&format!("/pay/{}", text(&session, "id")));
        assert_eq!(sandbox.submit(&url, &[("email", "ada@example.com"), ("method", "bacs_debit")]).await.0, 303);
        let waiting = now(&sandbox, &session).await;
        assert_eq!(
            (&waiting["status"], &waiting["payment_status"], &waiting["payment_intent"]["status"]),
            (&json!("complete"), &json!("unpaid"), &json!("processing"))
        );
        let path = format!("/_sandbox/sessions/{}/debit", text(&session, "id"));
        let answer = sandbox.http.post(sandbox.url(&path)).json(&json!({ "paid": paid })).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let after = now(&sandbox, &session).await;
        assert_eq!(after["payment_status"], if paid { "paid" } else { "unpaid" });
        assert_eq!(sandbox.events().await.last().map(String::as_str), Some(last));
    }
}

#[tokio::test]
async fn an_unknown_session_is_a_page_too() {
    let sandbox = Sandbox::start().await;
    let (status, _, page) = sandbox.submit(&sandbox.url("/pay/cs_test_nothing"), &card("4242424242424242")).await;
    assert_eq!((status, select(&page, "h1")), (404, vec!["This page cannot be shown".to_owned()]));
}

#[tokio::test]
async fn hostile_bytes_are_only_text() {
    let sandbox = Sandbox::start().await;
    let session = sandbox.session(1000).await;
    let url = sandbox.url(&format!("/pay/{}", text(&session, "id")));
    let mut form = card("4242424242424242");
    form.retain(|(field, _)| *field != "name");
    form.push(("name", "Ada\0 <script>"));
    assert_eq!(sandbox.submit(&url, &form).await.0, 303);
    assert_eq!(now(&sandbox, &session).await["customer_details"]["name"], "Ada <script>");
    assert_eq!(sandbox.submit(&sandbox.url("/pay/cs_%00"), &form).await.0, 404);
    let answer = sandbox.http.post(sandbox.url("/_sandbox/events/evt_%00/redeliver")).send().await.expect("an answer");
    assert_eq!(answer.status(), 404);
}
