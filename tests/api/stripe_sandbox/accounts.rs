//! Connected accounts: made by the shop, completed by the seller on the hosted page, read by whoever may.

use std::collections::HashMap;

use scraper::{Html, Selector};
use serde_json::{Value, json};
use stripe_connect::account::{CreateAccount, CreateAccountType, ListAccount, RetrieveAccount, UpdateAccount};
use stripe_connect::account_link::{CreateAccountLink, CreateAccountLinkType};
use stripe_connect::login_link::CreateAccountLoginLink;

use super::{KEY, Receiver, Sandbox, eventually, text};

const DAY: i64 = 86_400;

/// What a seller types.
fn details(number: &str) -> Vec<(&str, &str)> {
    vec![
        ("business_type", "individual"),
        ("name", "Ada Lovelace"),
        ("line1", "12 St James's Square"),
        ("city", "London"),
        ("postal_code", "SW1Y 4JH"),
        ("tax_number", "1234567890"),
        ("routing_number", "10-88-00"),
        ("account_number", number),
        ("button", "done"),
    ]
}

async fn account(sandbox: &Sandbox) -> String {
    let made = sandbox.post("/v1/accounts", &[("type", "express"), ("country", "GB"), ("email", "mill@example.com")]).await;
    text(&made, "id").to_owned()
}

async fn link(sandbox: &Sandbox, account: &str) -> String {
    let form = [
        ("account", account),
        ("type", "account_onboarding"),
        ("refresh_url", "https://shop.example/again"),
        ("return_url", "https://shop.example/done"),
    ];
    text(&sandbox.post("/v1/account_links", &form).await, "url").to_owned()
}

fn select(page: &str, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).expect("a selector");
    Html::parse_document(page).select(&selector).map(|found| found.text().collect::<String>().trim().to_owned()).collect()
}

#[tokio::test]
async fn a_stranger_sees_no_account() {
    let sandbox = Sandbox::start().await;
    let (status, answer) = sandbox.get_at("acct_nobody", "/v1/balance").await;
    assert_eq!((status, &answer["error"]["code"]), (403, &json!("account_invalid")));
    let message = text(&answer["error"], "message");
    assert!(message.contains("does not have access to account 'acct_nobody'"), "{message}");
    assert!(!message.contains(KEY), "the key is not said in full");
    let answer = sandbox.get("/v1/accounts/acct_nobody").await;
    assert_eq!(answer["error"]["code"], "account_invalid");
    // one seller does not see another, nor the platform's payments
    let (one, other) = (account(&sandbox).await, account(&sandbox).await);
    assert_eq!(sandbox.get_at(&one, &format!("/v1/accounts/{other}")).await.0, 403);
    let paid = sandbox.paid(5000).await;
    let charge = text(&paid["payment_intent"]["latest_charge"], "id").to_owned();
    assert_eq!(sandbox.get_at(&one, &format!("/v1/charges/{charge}")).await.0, 404);
    assert_eq!(sandbox.get_at(&one, "/v1/events").await.1["data"], json!([]));
    assert_eq!(sandbox.get_at(&one, "/v1/accounts").await.0, 400, "a seller has no sellers");
    let (status, answer) = sandbox.post_at(&one, "/v1/transfers", &[("amount", "1")]).await;
    assert_eq!(status, 400, "{answer}");
    // a page is found only with the whole of its address
    let address = link(&sandbox, &one).await.replace(&one, &other);
    assert_eq!(sandbox.submit(&address, &details("00012345")).await.0, 404);
}

#[tokio::test]
async fn an_account_by_the_client_library() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.stripe();
    let made = CreateAccount::new()
        .type_(CreateAccountType::Express)
        .country("GB")
        .email("mill@example.com")
        .metadata(HashMap::from([("vendor".to_owned(), "mill".to_owned())]))
        .send(&client)
        .await
        .expect("an account");
    assert!(made.id.as_str().starts_with("acct_1"));
    assert_eq!((made.charges_enabled, made.payouts_enabled, made.details_submitted), (Some(false), Some(false), Some(false)));
    let requirements = made.requirements.expect("requirements");
    let due = requirements.currently_due.expect("what is due");
    assert!(due.contains(&"external_account".to_owned()) && due.contains(&"tos_acceptance.date".to_owned()), "{due:?}");
    assert_eq!(requirements.past_due, Some(due));
    assert_eq!(requirements.disabled_reason.map(|reason| reason.to_string()).as_deref(), Some("requirements.past_due"));

    let link = CreateAccountLink::new(made.id.as_str(), CreateAccountLinkType::AccountOnboarding)
        .refresh_url("https://shop.example/again")
        .return_url("https://shop.example/done")
        .send(&client)
        .await
        .expect("a link");
    assert!(CreateAccountLoginLink::new(made.id.clone()).send(&client).await.is_err(), "not before it is onboarded");
    let (status, location, page) = sandbox.submit(&link.url, &details("00012345")).await;
    assert_eq!((status, location.as_deref()), (303, Some("https://shop.example/done")), "{page}");

    let now = RetrieveAccount::new(made.id.clone()).send(&client).await.expect("the account");
    assert_eq!((now.charges_enabled, now.payouts_enabled, now.details_submitted), (Some(true), Some(true), Some(true)));
    let banks = now.external_accounts.expect("bank accounts").data;
    let stripe_shared::ExternalAccount::BankAccount(bank) = &banks[0] else { panic!("a bank account") };
    assert_eq!((bank.last4.as_str(), bank.routing_number.as_deref()), ("2345", Some("10-88-00")));
    let changed = UpdateAccount::new(made.id.clone())
        .metadata(HashMap::from([("vendor".to_owned(), "oak".to_owned())]))
        .send(&client)
        .await
        .expect("the account");
    assert_eq!(changed.metadata.and_then(|all| all.get("vendor").cloned()).as_deref(), Some("oak"));
    assert_eq!(ListAccount::new().send(&client).await.expect("accounts").data.len(), 1);
    let dashboard = CreateAccountLoginLink::new(made.id).send(&client).await.expect("a link");
    let page = sandbox.http.get(&dashboard.url).send().await.expect("an answer").text().await.expect("text");
    assert_eq!(select(&page, "h1"), ["Your money at Stripe"]);
}

#[tokio::test]
async fn the_page_asks_and_says_what_is_wrong() {
    let sandbox = Sandbox::start().await;
    let id = account(&sandbox).await;
    let url = link(&sandbox, &id).await;
    let page = sandbox.http.get(&url).send().await.expect("an answer").text().await.expect("text");
    assert!(select(&page, ".sandbox-note")[0].starts_with("Sandbox."));
    assert!(!page.contains("<script"));
    for field in ["name", "line1", "city", "postal_code", "tax_number", "routing_number", "account_number"] {
        assert_eq!(select(&page, &format!("label[for={field}]")).len(), 1, "{field}");
    }
    let (status, _, page) = sandbox.submit(&url, &[("business_type", "individual"), ("name", "<b>"), ("button", "done")]).await;
    assert_eq!(status, 422);
    for field in ["name", "line1", "city", "postal_code", "tax_number", "account_number"] {
        assert_eq!(select(&page, &format!("#{field}-error")).len(), 1, "{field}: {page}");
    }
    assert!(page.contains("value=\"&lt;b&gt;\""), "what was typed is kept, as text");
    let (status, _, page) = sandbox.submit(&url, &details("12345678")).await;
    assert_eq!(status, 422);
    assert!(select(&page, "#account_number-error")[0].starts_with("You must use a test bank account number."));
    assert_eq!(sandbox.events_at(&id).await, Vec::<String>::new(), "nothing was saved");
}

#[tokio::test]
async fn what_is_left_out_stays_due() {
    let (receiver, hook) = Receiver::start().await;
    let sandbox = Sandbox::telling(Some(hook)).await;
    let id = account(&sandbox).await;
    let mut form = details("00012345");
    form.retain(|(field, _)| *field != "tax_number" && *field != "button");
    form.push(("button", "later"));
    let url = link(&sandbox, &id).await;
    assert_eq!(sandbox.submit(&url, &form).await.0, 303);
    let now = sandbox.get(&format!("/v1/accounts/{id}")).await;
    assert_eq!(now["requirements"]["currently_due"], json!(["individual.id_number"]));
    assert_eq!(
        (&now["details_submitted"], &now["charges_enabled"], &now["payouts_enabled"], &now["capabilities"]["transfers"]),
        (&json!(true), &json!(false), &json!(false), &json!("inactive"))
    );
    // a used link leads back to the shop, for a new one
    let answer = sandbox.http.get(&url).send().await.expect("an answer");
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["location"]),
        (303, &http::HeaderValue::from_static("https://shop.example/again"))
    );

    let url = link(&sandbox, &id).await;
    let page = sandbox.http.get(&url).send().await.expect("an answer").text().await.expect("text");
    assert!(page.contains("value=\"Ada Lovelace\""), "what is known need not be typed again");
    let mut form = details("");
    form.retain(|(field, _)| *field != "routing_number");
    assert_eq!(sandbox.submit(&url, &form).await.0, 303, "the bank account is kept");
    let now = sandbox.get(&format!("/v1/accounts/{id}")).await;
    assert_eq!((&now["payouts_enabled"], &now["requirements"]["disabled_reason"]), (&json!(true), &Value::Null));
    assert_eq!(sandbox.events_at(&id).await, ["account.external_account.created", "account.updated", "account.updated"]);
    assert_eq!(sandbox.events().await, Vec::<String>::new(), "they are not the platform's own");
    eventually("the shop hears of it", async || receiver.all().await.len() == 3).await;
    for event in receiver.all().await.iter().map(super::Received::event) {
        assert_eq!(event["account"], json!(id));
    }
}

#[tokio::test]
async fn a_link_is_opened_soon_or_not_at_all() {
    let sandbox = Sandbox::start().await;
    let id = account(&sandbox).await;
    let url = link(&sandbox, &id).await;
    sandbox.advance(DAY).await;
    let answer = sandbox.http.get(&url).send().await.expect("an answer");
    assert_eq!(answer.headers()["location"], "https://shop.example/again");
    let refused = sandbox.post("/v1/account_links", &[("account", &id), ("type", "account_onboarding")]).await;
    assert_eq!(refused["error"]["param"], "refresh_url");
    let refused = sandbox.post("/v1/accounts", &[("type", "express"), ("country", "Britain")]).await;
    assert_eq!(refused["error"]["param"], "country");
}

#[tokio::test]
async fn a_custom_account_is_completed_by_the_api() {
    let sandbox = Sandbox::start().await;
    let made = sandbox
        .post(
            "/v1/accounts",
            &[
                ("controller[fees][payer]", "application"),
                ("controller[losses][payments]", "application"),
                ("controller[requirement_collection]", "application"),
                ("controller[stripe_dashboard][type]", "none"),
                ("country", "DE"),
                ("business_type", "company"),
                ("capabilities[transfers][requested]", "true"),
                ("company[name]", "Mühle GmbH"),
                ("company[tax_id]", "HRB1"),
                ("company[address][line1]", "Am Bach 1"),
                ("company[address][city]", "Berlin"),
                ("company[address][postal_code]", "10115"),
                ("business_profile[url]", "https://muehle.example"),
                ("settings[payouts][schedule][interval]", "manual"),
                ("tos_acceptance[date]", "1700000000"),
                ("tos_acceptance[ip]", "127.0.0.1"),
            ],
        )
        .await;
    assert_eq!((&made["type"], &made["default_currency"]), (&json!("custom"), &json!("eur")), "{made}");
    assert_eq!(made["settings"]["payouts"]["schedule"]["interval"], "manual");
    assert_eq!(made["requirements"]["currently_due"], json!(["external_account"]));
    let path = format!("/v1/accounts/{}/external_accounts", text(&made, "id"));
    let number = |number: &'static str| {
        [
            ("external_account[object]", "bank_account"),
            ("external_account[country]", "DE"),
            ("external_account[account_number]", number),
        ]
    };
    let refused = sandbox.post(&path, &number("DE00")).await;
    assert_eq!(refused["error"]["code"], "account_number_invalid");
    let bank = sandbox.post(&path, &number("DE89370400440532013000")).await;
    assert_eq!((&bank["object"], &bank["currency"], &bank["last4"]), (&json!("bank_account"), &json!("eur"), &json!("3000")));
    let now = sandbox.get(&format!("/v1/accounts/{}", text(&made, "id"))).await;
    assert_eq!((&now["payouts_enabled"], &now["details_submitted"]), (&json!(true), &json!(true)));
    assert_eq!(sandbox.get(&path).await["data"], json!([bank]));
}
