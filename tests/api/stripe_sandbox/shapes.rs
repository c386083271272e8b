//! Every object that the sandbox answers has the fields of its kind in Stripe's published samples, with the same JSON type or null.
//! `tests/stripe_shapes.json` holds the names and types: a word for a plain value, `[of]` for an array, `{field: type}` for an object.

use serde_json::{Value, json};

use super::{Receiver, Sandbox, text};

fn table() -> Value {
    serde_json::from_str(include_str!("../../stripe_shapes.json")).expect("the table of shapes")
}

/// What differs from the shape, as `path: what`.
fn differences(value: &Value, shape: &Value, path: &str, found: &mut Vec<String>) {
    if value.is_null() {
        return;
    }
    match shape {
        Value::String(kind) => {
            let fits = match kind.as_str() {
                "any" => true,
                // an id that was expanded is checked as the object it became
                "string" => value.is_string() || (value["id"].is_string() && value["object"].is_string()),
                "integer" => value.is_i64(),
                "number" => value.is_number(),
                "boolean" => value.is_boolean(),
                other => panic!("the table has no type {other}"),
            };
            if !fits {
                found.push(format!("{path}: {value} is not {kind}"));
            }
        }
        Value::Array(of) => match (value.as_array(), of.first()) {
            (None, _) => found.push(format!("{path}: not an array")),
            (Some(items), Some(of)) => items.iter().for_each(|item| differences(item, of, &format!("{path}[]"), found)),
            (Some(_), None) => {}
        },
        Value::Object(fields) => match value.as_object() {
            None => found.push(format!("{path}: not an object")),
            Some(object) => {
                for (name, of) in fields {
                    match object.get(name) {
                        None => found.push(format!("{path}.{name}: missing")),
                        Some(value) => differences(value, of, &format!("{path}.{name}"), found),
                    }
                }
            }
        },
        _ => panic!("the table has a value that is no shape at {path}"),
    }
}

/// Checks an object, and every object of a known kind within it.
fn check(value: &Value, shapes: &Value, checked: &mut Vec<String>) {
    if let Some(kind) = value["object"].as_str().filter(|kind| shapes.get(kind).is_some()) {
        let mut found = Vec::new();
        differences(value, &shapes[kind], kind, &mut found);
        assert!(found.is_empty(), "{found:#?} in {value:#}");
        checked.push(kind.to_owned());
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| check(item, shapes, checked)),
        Value::Object(fields) => fields.values().for_each(|field| check(field, shapes, checked)),
        _ => {}
    }
}

/// Sellers, what goes to them and comes back, disputes and files.
async fn second_part(sandbox: &Sandbox) -> Vec<Value> {
    let mill = sandbox.seller("11111113").await;
    let form = [
        ("account", mill.as_str()),
        ("type", "account_onboarding"),
        ("refresh_url", "https://shop.example/"),
        ("return_url", "https://shop.example/"),
    ];
    let mut answers = vec![
        sandbox.post("/v1/accounts", &[("type", "express")]).await,
        sandbox.post("/v1/account_links", &form).await,
        sandbox.post(&format!("/v1/accounts/{mill}/login_links"), &[]).await,
        sandbox.get(&format!("/v1/accounts/{mill}")).await,
        sandbox.get("/v1/balance").await,
        sandbox.get_at(&mill, "/v1/balance").await.1,
    ];
    let sent = sandbox.transfer(&mill, 3000).await;
    let back = sandbox.post(&format!("/v1/transfers/{}/reversals", text(&sent, "id")), &[("amount", "500")]).await;
    answers.extend([sent, back]);
    let (_, payout) = sandbox.post_at(&mill, "/v1/payouts", &[("amount", "500"), ("currency", "gbp")]).await;
    let (_, off) = sandbox.post_at(&mill, "/v1/payouts", &[("amount", "500"), ("currency", "gbp")]).await;
    let (_, off) = sandbox.post_at(&mill, &format!("/v1/payouts/{}/cancel", text(&off, "id")), &[]).await;
    answers.extend([payout, off]);
    for (number, sum) in [("4000000000000259", 5000), ("4000000000007726", 5000), ("4000000000005126", 5000)] {
        let session = sandbox.session(sum).await;
        sandbox.pay(&session, number).await;
        let now = sandbox.get(&format!("/v1/checkout/sessions/{}", text(&session, "id"))).await;
        answers.push(sandbox.post("/v1/refunds", &[("payment_intent", text(&now, "payment_intent"))]).await);
    }
    let file = reqwest::Body::from(
        "--b\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\ndispute_evidence\r\n--b\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF\r\n--b--\r\n",
    );
    let upload = sandbox.http.post(sandbox.url("/v1/files")).bearer_auth(super::KEY);
    let upload = upload.header("content-type", "multipart/form-data; boundary=b").body(file);
    answers.push(upload.send().await.expect("an answer").json().await.expect("JSON"));
    let dispute = sandbox.get("/v1/disputes").await["data"][0].clone();
    let evidence = [("evidence[uncategorized_text]", "winning_evidence")];
    answers.push(sandbox.post(&format!("/v1/disputes/{}", text(&dispute, "id")), &evidence).await);
    sandbox.advance(3 * 86_400).await;
    answers.push(sandbox.get("/v1/transfers?expand[]=data.destination_payment&expand[]=data.destination").await);
    answers.push(sandbox.get("/v1/disputes?expand[]=data.charge").await);
    for path in [
        "/v1/payouts?expand[]=data.destination",
        "/v1/charges",
        "/v1/refunds",
        "/v1/balance_transactions?limit=100",
        "/v1/events?limit=100",
    ] {
        answers.push(sandbox.get_at(&mill, path).await.1);
    }
    answers
}

#[tokio::test]
async fn every_object_has_its_shape() {
    let (receiver, url) = Receiver::start().await;
    let sandbox = Sandbox::telling(Some(url)).await;
    sandbox.control(json!({ "bank_debit": true })).await;
    let mut answers = vec![sandbox.session(1500).await];
    let paid = sandbox.paid(5000).await;
    let charge = text(&paid["payment_intent"]["latest_charge"], "id").to_owned();
    answers.push(sandbox.post("/v1/refunds", &[("charge", &charge), ("amount", "100"), ("reason", "duplicate")]).await);
    let challenged = sandbox.session(5000).await;
    sandbox.pay(&challenged, "4000002500003155").await;
    sandbox.pay(&challenged, "4000000000000002").await;
    let expired = sandbox.session(5000).await;
    answers.push(sandbox.post(&format!("/v1/checkout/sessions/{}/expire", text(&expired, "id")), &[]).await);
    let debit = sandbox.session(5000).await;
    let page = sandbox.url(&format!("/pay/{}", text(&debit, "id")));
    assert_eq!(sandbox.submit(&page, &[("email", "a@b.example"), ("method", "bacs_debit")]).await.0, 303);
    answers.extend(second_part(&sandbox).await);
    for path in [
        "/v1/checkout/sessions?expand[]=data.payment_intent.latest_charge.balance_transaction",
        "/v1/payment_intents?expand[]=data.payment_method",
        "/v1/charges?expand[]=data.refunds",
        "/v1/refunds?expand[]=data.charge&expand[]=data.payment_intent&expand[]=data.balance_transaction",
        "/v1/balance_transactions?expand[]=data.source",
        "/v1/events?limit=100",
        &format!("/v1/checkout/sessions/{}/line_items?expand[]=data.price.product", text(&paid, "id")),
    ] {
        let list = sandbox.get(path).await;
        assert!(list["data"].as_array().is_some_and(|data| !data.is_empty()), "{path}: {list}");
        answers.push(list);
    }
    answers.push(paid);
    let events: i64 = sqlx::query_scalar("select count(*) from stripe_sandbox.events")
        .fetch_one(&sandbox.database.pool)
        .await
        .expect("so many events");
    let events = usize::try_from(events).expect("a count");
    super::eventually("every event is delivered", async || receiver.all().await.len() >= events).await;
    answers.extend(receiver.all().await.iter().map(super::Received::event));

    let (shapes, mut checked) = (table(), Vec::new());
    for answer in &answers {
        check(answer, &shapes, &mut checked);
    }
    checked.sort();
    checked.dedup();
    let all: Vec<_> = shapes.as_object().expect("a table").keys().cloned().collect();
    assert_eq!(checked, all, "every kind of the table was seen");
}
