//! What the program writes down about people: nothing secret and nothing personal, in its log at its most talkative and in its spans.

use crate::support::TestApp;
use axum::{Router, body::Bytes, routing::post};
use souk::{
    prove::stand::free_address,
    shopper::{Basket, Shop, Step},
};
use std::{
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::process::Command;

const PASSWORD: &str = "correct-horse-battery-staple";
const MISTYPED: &str = "correct-horse-battery-stable";
const EMAIL: &str = "grace.hopper.of.the.test@example.com";
const GUEST: &str = "guest.of.the.test@example.com";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_and_the_spans_of_a_whole_purchase_hold_no_secret() {
    let (test, world) = TestApp::with_services().await;
    let spans: Arc<Mutex<Vec<u8>>> = Arc::default();
    let collector = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let collector_at = collector.local_addr().expect("its address");
    let kept = spans.clone();
    let routes = Router::new()
        .route("/v1/traces", post(async move |body: Bytes| kept.lock().expect("nobody panicked").extend_from_slice(&body)));
    tokio::spawn(async move { axum::serve(collector, routes).await });

    let address = free_address().expect("a port");
    let base = format!("http://{address}");
    let (stripe, s3) = (test.app.config.stripe.clone().expect("stripe"), test.app.config.s3.clone().expect("a store"));
    let mut program = Command::new(env!("CARGO_BIN_EXE_souk"))
        .args(["serve", "--bare"])
        .env("RUST_LOG", "trace")
        .env("SOUK_LOG", "json")
        .env("SOUK_LISTEN", address.to_string())
        .env("DATABASE_URL", test.database_url())
        .env("STRIPE_SECRET_KEY", &stripe.secret_key)
        .env("STRIPE_API_BASE", &stripe.api_base)
        .env("STRIPE_WEBHOOK_SECRET", &stripe.webhook_secret)
        .env("S3_ENDPOINT", &s3.endpoint)
        .env("S3_ACCESS_KEY", &s3.access_key)
        .env("S3_SECRET_KEY", &s3.secret_key)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector_at}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program starts");
    let mut said = program.stderr.take().expect("its standard error");
    let log = tokio::spawn(async move {
        let mut log = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut said, &mut log).await.expect("its log");
        String::from_utf8_lossy(&log).into_owned()
    });
    let shop = Shop::at(&base).expect("a shop");
    while shop.greet().await.is_err() {
        assert!(program.try_wait().expect("its state").is_none(), "the program ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    // Somebody registers, mistypes the password, signs in, and makes a token for a program.
    let mut secrets: Vec<String> = Vec::new();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().expect("a client");
    let who = [("name", "Grace Hopperofthetest"), ("email", EMAIL), ("password", PASSWORD)];
    let registered = http.post(format!("{base}/register")).form(&who).send().await.expect("an answer");
    assert_eq!(registered.status(), 303);
    for (password, status) in [(MISTYPED, 422), (PASSWORD, 303)] {
        let answer = http.post(format!("{base}/sign-in")).form(&[("email", EMAIL), ("password", password)]).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), status);
        for cookie in answer.headers().get_all("set-cookie") {
            let pair = cookie.to_str().expect("text").split(';').next().expect("a pair");
            let value = pair.split_once('=').expect("a pair").1;
            // One that is taken away has none.
            secrets.extend((!value.is_empty()).then(|| value.to_owned()));
        }
    }
    let session = secrets.last().expect("a session").clone();
    let cookie = format!("souk={session}");
    let made = http
        .post(format!("{base}/api/v1/tokens"))
        .header("cookie", &cookie)
        .json(&serde_json::json!({ "name": "till", "scopes": ["read", "write"] }));
    let made = made.send().await.expect("an answer");
    assert_eq!(made.status(), 201, "{}", made.text().await.unwrap_or_default());
    let made: serde_json::Value = made.json().await.expect("a token");
    let token = made["token"].as_str().expect("a token").to_owned();
    let mine = http.get(format!("{base}/api/v1/users/me")).bearer_auth(&token).send().await.expect("an answer");
    assert_eq!(mine.status(), 200);
    secrets.push(token);

    // A guest buys with a card and looks at the order.
    let basket = Basket { lines: vec![(world.variant("MILL-PLAIN"), 1)], email: GUEST.into(), total_minor: 100_000 };
    let Step::Done(cart) = shop.fill(&basket).await.expect("a cart") else { panic!("sold out") };
    let Step::Done(page) = shop.order(&cart, &basket).await.expect("an order") else { panic!("sold out") };
    let back = shop.hand_over_the_card(&page).await.expect("the card is taken");
    // Back at the program under test, wherever the sandbox was told that the shop is.
    let link = back.split_once("token=").expect("a token").1.split('&').next().expect("a token").to_owned();
    shop.come_back(&back).await.expect("the way back");
    secrets.extend(cart.cookies().split("; ").filter_map(|pair| Some(pair.split_once('=')?.1.to_owned())));
    secrets.push(link);
    // What goes wrong is said, too, without what was typed.
    let bad = http
        .post(format!("{base}/api/v1/checkout"))
        .body(format!("{{\"email\": \"{GUEST}\", "))
        .header("content-type", "application/json");
    assert_eq!(bad.send().await.expect("an answer").status(), 400);
    tokio::time::sleep(Duration::from_secs(1)).await;

    let pid = program.id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.expect("kill").success());
    assert!(program.wait().await.expect("it ends").success());
    let log = log.await.expect("its log");
    let spans = String::from_utf8_lossy(&spans.lock().expect("nobody panicked")).into_owned();

    assert!(log.contains("\"answered\"") && log.lines().count() > 100, "the log is talkative: {} lines", log.lines().count());
    assert!(spans.contains("/api/v1/checkout") && spans.contains("souk") && spans.contains("http.route"), "spans arrive");
    secrets.extend(
        [
            PASSWORD,
            MISTYPED,
            EMAIL,
            GUEST,
            "4242424242424242",
            "Hopperofthetest",
            "1 Invoice Row",
            &stripe.secret_key,
            &stripe.webhook_secret,
        ]
        .map(str::to_owned),
    );
    for secret in secrets {
        assert!(secret.len() >= 8, "{secret} is too short to be looked for");
        for (place, text) in [("log", &log), ("spans", &spans)] {
            let found = text.lines().find(|line| line.contains(&secret));
            assert!(
                found.is_none(),
                "{secret} stands in the {place}: {}",
                found.unwrap_or_default().chars().take(600).collect::<String>()
            );
        }
    }
}
