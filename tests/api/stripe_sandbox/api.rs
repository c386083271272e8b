//! The API: what the client library of the shop gets to see, and the manners of Stripe's HTTP that it builds on.

use std::collections::HashMap;

use serde_json::{Value, json};
use stripe::{IdempotencyKey, RequestStrategy, StripeError, StripeRequest as _};
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionLineItems, CreateCheckoutSessionLineItemsPriceData,
    CreateCheckoutSessionPaymentIntentData, ExpireCheckoutSession, ListCheckoutSession, ListLineItemsCheckoutSession,
    ProductData, RetrieveCheckoutSession,
};
use stripe_core::charge::{ListCharge, RetrieveCharge};
use stripe_core::event::{ListEvent, RetrieveEvent};
use stripe_core::payment_intent::{CancelPaymentIntent, RetrievePaymentIntent};
use stripe_core::refund::{CreateRefund, ListRefund, RetrieveRefund};
use stripe_shared::{CheckoutSessionMode, CheckoutSessionPaymentStatus, CheckoutSessionStatus, PaymentIntentStatus};

use super::{KEY, Sandbox, session_form, text};

fn line(name: &str, amount: i64, quantity: u64) -> CreateCheckoutSessionLineItems {
    let mut line = CreateCheckoutSessionLineItems::new();
    line.price_data = Some(CreateCheckoutSessionLineItemsPriceData {
        currency: "gbp".parse().expect("a currency"),
        product: None,
        product_data: Some(ProductData::new(name)),
        recurring: None,
        tax_behavior: None,
        unit_amount: Some(amount),
        unit_amount_decimal: None,
    });
    line.quantity = Some(quantity);
    line
}

fn session() -> CreateCheckoutSession {
    let mut payment = CreateCheckoutSessionPaymentIntentData::new();
    payment.transfer_group = Some("order-7".into());
    payment.metadata = Some(HashMap::from([("order".to_owned(), "7".to_owned())]));
    CreateCheckoutSession::new()
        .mode(CheckoutSessionMode::Payment)
        .client_reference_id("order-7")
        .customer_email("ada@example.com")
        .line_items(vec![line("Oak board", 2500, 2), line("Shipping", 395, 1)])
        .metadata(HashMap::from([("order".to_owned(), "7".to_owned())]))
        .payment_intent_data(payment)
        .success_url("https://shop.example/done?session={CHECKOUT_SESSION_ID}")
        .cancel_url("https://shop.example/cart")
}

/// The status and the error object of a refused call.
fn refused<T: std::fmt::Debug>(result: Result<T, StripeError>) -> (u16, String) {
    match result {
        Err(StripeError::Stripe(error, status)) => (status, error.message.unwrap_or_default()),
        other => panic!("it was not refused by Stripe: {other:?}"),
    }
}

#[tokio::test]
async fn a_purchase_by_the_client_library() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.stripe();
    let made = session().send(&client).await.expect("a session");
    assert!(made.id.as_str().starts_with("cs_test_"));
    assert_eq!((made.amount_total, made.status), (Some(5395), Some(CheckoutSessionStatus::Open)));
    assert!(made.payment_intent.is_none(), "no intent before anyone pays");
    assert_eq!(made.url.as_deref(), Some(sandbox.url(&format!("/pay/{}", made.id)).as_str()));
    assert_eq!(made.client_reference_id.as_deref(), Some("order-7"));

    let lines = ListLineItemsCheckoutSession::new(made.id.clone()).send(&client).await.expect("lines");
    let described: Vec<_> =
        lines.data.iter().map(|line| (line.description.as_deref(), line.quantity, line.amount_total)).collect();
    assert_eq!(described, [(Some("Oak board"), Some(2), 5000), (Some("Shipping"), Some(1), 395)]);

    let (status, location, _) = sandbox.pay(&json!({ "id": made.id.as_str() }), "4242424242424242").await;
    assert_eq!((status, location), (303, Some(format!("https://shop.example/done?session={}", made.id))));

    let paid = RetrieveCheckoutSession::new(made.id.clone())
        .expand(vec!["payment_intent.latest_charge.balance_transaction".into(), "line_items".into()])
        .send(&client)
        .await
        .expect("the session");
    assert_eq!(paid.status, Some(CheckoutSessionStatus::Complete));
    assert_eq!(paid.payment_status, CheckoutSessionPaymentStatus::Paid);
    assert_eq!(paid.url, None);
    assert_eq!(paid.line_items.map(|lines| lines.data.len()), Some(2));
    let intent = paid.payment_intent.as_ref().and_then(|i| i.as_object()).expect("the intent, expanded");
    assert_eq!((intent.amount_received, &intent.status), (5395, &PaymentIntentStatus::Succeeded));
    assert_eq!(intent.transfer_group.as_deref(), Some("order-7"));
    assert_eq!(intent.metadata.get("order").map(String::as_str), Some("7"));
    let charge = intent.latest_charge.as_ref().and_then(|c| c.as_object()).expect("the charge, expanded");
    assert_eq!((charge.amount, charge.paid, charge.captured), (5395, true, true));
    let balance = charge.balance_transaction.as_ref().and_then(|b| b.as_object()).expect("the balance entry, expanded");
    assert_eq!((balance.amount, balance.net), (5395, 5395 - balance.fee));

    let found = ListCheckoutSession::new().payment_intent(intent.id.as_str()).send(&client).await.expect("sessions");
    assert_eq!(found.data.len(), 1);
    let charges = ListCharge::new().payment_intent(intent.id.as_str()).send(&client).await.expect("charges");
    assert_eq!(charges.data.len(), 1);

    let part = CreateRefund::new().payment_intent(intent.id.as_str()).amount(395).send(&client).await.expect("a refund");
    assert_eq!((part.amount, part.status.as_deref()), (395, Some("succeeded")));
    let rest = CreateRefund::new().charge(charge.id.as_str()).send(&client).await.expect("the rest");
    assert_eq!(rest.amount, 5000);
    let (status, message) = refused(CreateRefund::new().charge(charge.id.as_str()).send(&client).await);
    assert_eq!((status, message), (400, format!("Charge {} has already been refunded.", charge.id)));
    let refunds = ListRefund::new().payment_intent(intent.id.as_str()).send(&client).await.expect("refunds");
    assert_eq!(refunds.data.iter().map(|refund| refund.amount).collect::<Vec<_>>(), [5000, 395]);
    RetrieveRefund::new(part.id).send(&client).await.expect("the refund");
    let charge = RetrieveCharge::new(charge.id.clone()).expand(vec!["refunds".into()]).send(&client).await.expect("the charge");
    assert_eq!((charge.refunded, charge.amount_refunded, charge.refunds.map(|r| r.data.len())), (true, 5395, Some(2)));

    let events = ListEvent::new().limit(100).send(&client).await.expect("events");
    for event in &events.data {
        RetrieveEvent::new(event.id.clone()).send(&client).await.expect("every event can be read");
    }
    assert_eq!(
        sandbox.events().await,
        [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed",
            "charge.updated",
            "refund.created",
            "charge.refunded",
            "refund.updated",
            "refund.created",
            "charge.refunded",
            "refund.updated",
        ]
    );
}

#[tokio::test]
async fn an_expired_session_cannot_be_paid() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.stripe();
    let made = session().send(&client).await.expect("a session");
    let (status, ..) = sandbox.pay(&json!({ "id": made.id.as_str() }), "4000000000000002").await;
    assert_eq!(status, 402, "a declined attempt makes the intent");

    let expired = ExpireCheckoutSession::new(made.id.clone()).send(&client).await.expect("it expires");
    assert_eq!((expired.status, expired.url), (Some(CheckoutSessionStatus::Expired), None));
    let (status, _, page) = sandbox.pay(&json!({ "id": made.id.as_str() }), "4242424242424242").await;
    assert_eq!(status, 410, "{page}");
    let (status, message) = refused(ExpireCheckoutSession::new(made.id).send(&client).await);
    assert_eq!(status, 400);
    assert!(message.starts_with("Only Checkout Sessions with a status in [\"open\"] can be expired."), "{message}");
    let intent = expired.payment_intent.expect("an intent");
    let intent = RetrievePaymentIntent::new(intent.id().clone()).send(&client).await.expect("the intent");
    assert_eq!(intent.status, PaymentIntentStatus::Canceled);
    let (_, message) = refused(CancelPaymentIntent::new(intent.id).send(&client).await);
    assert!(message.contains("canceled"), "{message}");
    assert!(sandbox.events().await.ends_with(&["payment_intent.canceled".into(), "checkout.session.expired".into()]));
}

#[tokio::test]
async fn a_session_expires_by_itself() {
    let sandbox = Sandbox::start().await;
    let made = sandbox.session(1000).await;
    let path = format!("/_sandbox/sessions/{}/expires_in", text(&made, "id"));
    sandbox.http.post(sandbox.url(&path)).json(&json!({ "seconds": 0 })).send().await.expect("an answer");
    // nobody asks for the session: the clock alone ends it
    super::eventually("the session's end is an event", async || {
        sandbox.events().await.contains(&"checkout.session.expired".to_owned())
    })
    .await;
    let now = sandbox.get(&format!("/v1/checkout/sessions/{}", text(&made, "id"))).await;
    assert_eq!((&now["status"], &now["payment_status"]), (&json!("expired"), &json!("unpaid")));
}

#[tokio::test]
async fn one_key_makes_one_session() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.stripe();
    let key = || RequestStrategy::Idempotent(IdempotencyKey::new("order-7-attempt-1").expect("a key"));
    let first = session().customize().request_strategy(key()).send(&client).await.expect("a session");
    let again = session().customize().request_strategy(key()).send(&client).await.expect("the same answer");
    assert_eq!(first.id, again.id);
    let other = session().client_reference_id("order-8").customize().request_strategy(key()).send(&client).await;
    let (status, message) = refused(other);
    assert_eq!(status, 400);
    assert!(message.starts_with("Keys for idempotent requests can only be used with the same parameters"), "{message}");

    let raw = sandbox
        .http
        .post(sandbox.url("/v1/checkout/sessions"))
        .bearer_auth(KEY)
        .header("idempotency-key", "k")
        .form(&session_form("1000"));
    let one = raw.try_clone().expect("a request").send().await.expect("an answer");
    let first_id = one.headers()["request-id"].clone();
    assert!(!one.headers().contains_key("idempotent-replayed"));
    let two = raw.send().await.expect("an answer");
    assert_eq!(two.headers()["idempotent-replayed"], "true");
    assert_eq!(two.headers()["original-request"], first_id);
    assert_ne!(two.headers()["request-id"], first_id);
    assert_eq!(one.text().await.expect("text"), two.text().await.expect("text"));
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free_and_a_running_one_holds_it() {
    let sandbox = Sandbox::start().await;
    let send = |form: Vec<(&'static str, &'static str)>| {
        sandbox
            .http
            .post(sandbox.url("/v1/checkout/sessions"))
            .bearer_auth(KEY)
            .header("idempotency-key", "k2")
            .form(&form)
            .send()
    };
    assert_eq!(send(vec![("mode", "payment")]).await.expect("an answer").status(), 400);
    assert_eq!(send(session_form("1000")).await.expect("an answer").status(), 200);

    let insert = "insert into stripe_sandbox.idempotency (account, key, fingerprint, request_id)
                  select account, 'running', fingerprint, 'req_x' from stripe_sandbox.idempotency where key = 'k2'";
    sqlx::query(insert).execute(&sandbox.database.pool).await.expect("a request that is still running");
    let answer = sandbox.http.post(sandbox.url("/v1/checkout/sessions")).bearer_auth(KEY).header("idempotency-key", "running");
    let answer = answer.form(&session_form("1000")).send().await.expect("an answer");
    assert_eq!(answer.status(), 409);
    let error: Value = answer.json().await.expect("JSON");
    assert_eq!(
        (&error["error"]["type"], &error["error"]["code"]),
        (&json!("idempotency_error"), &json!("idempotency_key_in_use"))
    );
}

#[tokio::test]
async fn twenty_requests_with_one_key_at_once() {
    let sandbox = Sandbox::start().await;
    let sent = (0..20).map(|_| {
        sandbox
            .http
            .post(sandbox.url("/v1/checkout/sessions"))
            .bearer_auth(KEY)
            .header("idempotency-key", "race")
            .form(&session_form("1000"))
            .send()
    });
    let mut ids = std::collections::HashSet::new();
    for answer in futures::future::join_all(sent).await {
        let answer = answer.expect("an answer");
        match answer.status().as_u16() {
            200 => drop(ids.insert(text(&answer.json::<Value>().await.expect("JSON"), "id").to_owned())),
            status => assert_eq!(status, 409),
        }
    }
    assert_eq!(ids.len(), 1, "however many answers, one session");
    let list = sandbox.get("/v1/checkout/sessions").await;
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn lists_are_paged_newest_first() {
    let sandbox = Sandbox::start().await;
    let mut ids = Vec::new();
    for amount in 0..7 {
        ids.push(text(&sandbox.session(1000 + amount).await, "id").to_owned());
    }
    ids.reverse();
    let page = async |query: &str| {
        let list = sandbox.get(&format!("/v1/checkout/sessions{query}")).await;
        let found: Vec<String> = list["data"].as_array().expect("a list").iter().map(|s| text(s, "id").to_owned()).collect();
        (found, list["has_more"].clone())
    };
    assert_eq!(page("?limit=3").await, (ids[..3].to_vec(), json!(true)));
    assert_eq!(page(&format!("?limit=3&starting_after={}", ids[2])).await, (ids[3..6].to_vec(), json!(true)));
    assert_eq!(page(&format!("?limit=3&starting_after={}", ids[5])).await, (ids[6..].to_vec(), json!(false)));
    assert_eq!(page(&format!("?limit=3&ending_before={}", ids[6])).await, (ids[3..6].to_vec(), json!(true)));
    assert_eq!(page(&format!("?limit=3&ending_before={}", ids[3])).await, (ids[..3].to_vec(), json!(false)));
    assert_eq!(page("?status=complete").await, (Vec::new(), json!(false)));
    assert_eq!(page("?created[gt]=9999999999").await.0.len(), 0);
    assert_eq!(page("?created[gte]=1").await.0.len(), 7);
    let list = sandbox.get("/v1/checkout/sessions?limit=1").await;
    assert_eq!((&list["object"], &list["url"]), (&json!("list"), &json!("/v1/checkout/sessions")));
    let sandbox_client = sandbox.stripe();
    use futures::StreamExt;
    let all: Vec<_> = ListCheckoutSession::new().limit(2).paginate().stream(&sandbox_client).collect().await;
    assert_eq!(all.len(), 7, "the client library reads page after page");
}

#[tokio::test]
async fn errors_are_stripes() {
    let sandbox = Sandbox::start().await;
    let refuse = async |form: &[(&str, &str)]| {
        let answer =
            sandbox.http.post(sandbox.url("/v1/checkout/sessions")).bearer_auth(KEY).form(form).send().await.expect("an answer");
        assert_eq!(answer.status(), 400);
        let error = answer.json::<Value>().await.expect("JSON")["error"].clone();
        assert_eq!(error["type"], "invalid_request_error");
        (error["param"].as_str().unwrap_or("").to_owned(), error["code"].as_str().unwrap_or("").to_owned())
    };
    let with = |name: &'static str, value: &'static str| {
        let mut form: Vec<_> = session_form("1000").into_iter().filter(|(key, _)| *key != name).collect();
        form.push((name, value));
        form
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(refuse(&[("mode", "payment")]).await, pair("success_url", "parameter_missing"));
    assert_eq!(refuse(&with("colour", "red")).await, pair("colour", "parameter_unknown"));
    assert_eq!(refuse(&with("mode", "gift")).await, pair("mode", ""));
    assert_eq!(refuse(&with("cancel_url", "")).await, pair("cancel_url", "parameter_invalid_empty"));
    assert_eq!(refuse(&with("cancel_url", "javascript:alert(1)")).await, pair("cancel_url", "url_invalid"));
    assert_eq!(
        refuse(&with("line_items[0][quantity]", "two")).await,
        pair("line_items[0][quantity]", "parameter_invalid_integer")
    );
    assert_eq!(refuse(&with("line_items[0][price_data][unit_amount]", "-1")).await.1, "parameter_invalid_integer");
    assert_eq!(refuse(&with("line_items[0][price_data][unit_amount]", "29")).await, pair("", "amount_too_small"));
    assert_eq!(refuse(&with("line_items[0][price_data][unit_amount]", "100000000")).await, pair("", "amount_too_large"));
    assert_eq!(refuse(&with("expires_at", "1")).await, pair("expires_at", ""));
    assert_eq!(refuse(&with("discounts[0][coupon]", "x")).await, pair("discounts", ""));

    let status = async |request: reqwest::RequestBuilder| {
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON")["error"]["message"].clone())
    };
    let url = sandbox.url("/v1/charges/ch_missing");
    let (code, message) = status(sandbox.http.get(&url)).await;
    assert_eq!(code, 401);
    assert!(message.as_str().is_some_and(|m| m.starts_with("You did not provide an API key")));
    for key in ["sk_live_abc", "pk_test_abc", "sk_test_", "nonsense"] {
        assert_eq!(status(sandbox.http.get(&url).bearer_auth(key)).await.0, 401, "{key}");
    }
    assert_eq!(status(sandbox.http.get(&url).basic_auth(KEY, Some(""))).await, (404, json!("No such charge: 'ch_missing'")));
    assert_eq!(status(sandbox.http.get(sandbox.url("/v1/nothing")).bearer_auth(KEY)).await.0, 404);
    let json_body = sandbox.http.post(sandbox.url("/v1/refunds")).bearer_auth(KEY).json(&json!({ "charge": "ch_1" }));
    assert_eq!(status(json_body).await.0, 400);
    let odd_version = sandbox.http.get(sandbox.url("/v1/charges")).bearer_auth(KEY).header("stripe-version", "tomorrow");
    assert_eq!(status(odd_version).await, (400, json!("Invalid Stripe API version: tomorrow")));
    let deep = sandbox.http.get(sandbox.url("/v1/charges?expand[]=customer")).bearer_auth(KEY);
    let (code, message) = status(deep).await;
    assert_eq!(
        (code, message),
        (400, json!("This property cannot be expanded (customer). You may want to try expanding 'data.customer' instead."))
    );
    assert_eq!(status(sandbox.http.get(sandbox.url("/v1/charges?limit=101")).bearer_auth(KEY)).await.0, 400);
}

#[tokio::test]
async fn intents_can_be_confirmed_with_test_cards() {
    let sandbox = Sandbox::start().await;
    let intent =
        sandbox.post("/v1/payment_intents", &[("amount", "1200"), ("currency", "gbp"), ("payment_method_types[]", "card")]).await;
    assert_eq!(intent["status"], "requires_payment_method");
    let confirm = format!("/v1/payment_intents/{}/confirm", text(&intent, "id"));
    let declined = sandbox.post(&confirm, &[("payment_method", "pm_card_visa_chargeDeclined")]).await;
    let error = &declined["error"];
    assert_eq!(
        (&error["type"], &error["code"], &error["decline_code"]),
        (&json!("card_error"), &json!("card_declined"), &json!("generic_decline"))
    );
    assert_eq!(error["payment_intent"]["status"], "requires_payment_method");
    let challenged = sandbox
        .post(&confirm, &[("payment_method", "pm_card_authenticationRequired"), ("return_url", "https://shop.example/back")])
        .await;
    assert_eq!(challenged["status"], "requires_action");
    let page = text(&challenged["next_action"]["redirect_to_url"], "url").to_owned();
    let (status, location, _) = sandbox.submit(&page, &[("answer", "approve")]).await;
    assert_eq!(status, 303);
    assert!(location.is_some_and(
        |to| to.starts_with("https://shop.example/back?payment_intent=pi_") && to.ends_with("redirect_status=succeeded")
    ));
    let done = sandbox.get(&format!("/v1/payment_intents/{}", text(&intent, "id"))).await;
    assert_eq!((&done["status"], &done["amount_received"]), (&json!("succeeded"), &json!(1200)));
    let again = sandbox.post(&confirm, &[("payment_method", "pm_card_visa")]).await;
    assert_eq!(again["error"]["code"], "payment_intent_unexpected_state");

    let other = sandbox.post("/v1/payment_intents", &[("amount", "1200"), ("currency", "gbp")]).await;
    let cancelled = sandbox
        .post(&format!("/v1/payment_intents/{}/cancel", text(&other, "id")), &[("cancellation_reason", "duplicate")])
        .await;
    assert_eq!((&cancelled["status"], &cancelled["cancellation_reason"]), (&json!("canceled"), &json!("duplicate")));
}

#[tokio::test]
async fn the_api_fails_and_hangs_when_told_to() {
    let sandbox = Sandbox::start().await;
    sandbox.control(json!({ "api_fail": 2 })).await;
    let tries = RequestStrategy::Retry(3);
    let made = session().customize().request_strategy(tries).send(&sandbox.stripe()).await.expect("the third try");
    assert_eq!(made.status, Some(CheckoutSessionStatus::Open));

    sandbox.control(json!({ "api_hang_ms": 700 })).await;
    let request = sandbox.http.post(sandbox.url("/v1/checkout/sessions")).bearer_auth(KEY).header("idempotency-key", "late");
    let given_up = request.form(&session_form("1000")).timeout(std::time::Duration::from_millis(250)).send().await;
    assert!(given_up.is_err(), "the caller gives up");
    sandbox.control(json!({ "api_hang_ms": 0 })).await;
    let request = sandbox.http.post(sandbox.url("/v1/checkout/sessions")).bearer_auth(KEY).header("idempotency-key", "late");
    let answer = request.form(&session_form("1000")).send().await.expect("an answer");
    assert_eq!(answer.headers()["idempotent-replayed"], "true", "the work had been done");
}
