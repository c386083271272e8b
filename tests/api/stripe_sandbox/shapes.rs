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
    let events = sandbox.events().await.len();
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
