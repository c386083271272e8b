//! The store and the Stripe sandbox of one test, and a shopper at the sandbox's card page.

use souk::{
    sandbox::{s3, stripe},
    server::{
        config::{Config, S3Config, StripeConfig},
        router::router,
        state::App,
    },
};
use sqlx::PgPool;
use std::net::SocketAddr;

/// Stripe's test cards.
#[derive(Debug, Clone, Copy)]
pub enum Card {
    Good,
    Declined,
    InsufficientFunds,
    Challenge,
}

impl Card {
    pub fn number(self) -> &'static str {
        match self {
            Card::Good => "4242424242424242",
            Card::Declined => "4000000000000002",
            Card::InsufficientFunds => "4000000000009995",
            Card::Challenge => "4000002760003184",
        }
    }
}

/// What [`super::TestApp::with_services`] started; it all ends with the test.
pub struct Services {
    pub stripe: stripe::Running,
    pub http: reqwest::Client,
    /// Where the shop listens for webhooks.
    pub shop: SocketAddr,
    store: tokio::sync::Mutex<Option<s3::Running>>,
    store_at: SocketAddr,
    media: MediaFolder,
    server: tokio::task::JoinHandle<()>,
}

struct MediaFolder(std::path::PathBuf);

impl Drop for MediaFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const WEBHOOK_SECRET: &str = "whsec_test_secret_of_the_tests";

impl Services {
    pub async fn start(pool: PgPool) -> (App, Self) {
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let media = MediaFolder(std::env::temp_dir().join(format!("souk-test-{}", uuid::Uuid::now_v7())));
        std::fs::create_dir_all(&media.0).expect("a folder for the store");
        let s3 = s3::start(any, &media.0, "test", "test-secret").await.expect("the store starts");
        let listener = tokio::net::TcpListener::bind(any).await.expect("a port");
        let shop = listener.local_addr().expect("its address");
        let settings = stripe::SandboxConfig {
            listen: any,
            webhook_url: Some(format!("http://{shop}/webhooks/stripe")),
            enabled_events: vec!["*".into()],
            webhook_secret: WEBHOOK_SECRET.into(),
            public_url: None,
        };
        let stripe = stripe::start(pool.clone(), settings).await.expect("the sandbox starts");
        let mut config = Config::read(|_| None).expect("the defaults are valid");
        config.listen = shop;
        config.base_url = format!("http://{shop}");
        config.stripe = Some(StripeConfig {
            secret_key: "sk_test_souk".into(),
            api_base: format!("{}/", stripe.url),
            webhook_secret: WEBHOOK_SECRET.into(),
        });
        config.s3 = Some(S3Config {
            endpoint: s3.endpoint(),
            region: "eu-west-2".into(),
            bucket: "souk".into(),
            access_key: "test".into(),
            secret_key: "test-secret".into(),
        });
        let app = App::new(config, pool, Some(stripe.sandbox.clone())).expect("the app starts");
        app.storage.ensure_bucket().await.expect("the bucket");
        let service = router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let server = tokio::spawn(async move { axum::serve(listener, service).await.expect("the shop serves") });
        let http =
            reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().expect("an HTTP client");
        (app, Self { stripe, http, shop, store_at: s3.address(), store: Some(s3).into(), media, server })
    }

    /// Nobody is where the store was.
    pub async fn close_store(&self) {
        if let Some(store) = self.store.lock().await.take() {
            store.stop().await;
        }
    }

    /// The store is back, with what it kept.
    pub async fn open_store(&self) {
        let store = s3::start(self.store_at, &self.media.0, "test", "test-secret").await.expect("the store starts again");
        *self.store.lock().await = Some(store);
    }

    /// Whether the store's disk is full.
    pub async fn fill_store(&self, full: bool) {
        self.store.lock().await.as_ref().expect("the store is open").set_full(full);
    }

    /// Pays at the sandbox's hosted page as a person would; answers the status and where the browser is sent.
    pub async fn pay(&self, page: &str, card: Card) -> (reqwest::StatusCode, String) {
        let fields = [("number", card.number()), ("expiry", "12 / 40"), ("cvc", "123"), ("name", "Ada Buyer")];
        let answer = self.http.post(page).form(&fields).send().await.expect("the card page answers");
        let to = answer.headers().get("location").map_or_else(String::new, |v| v.to_str().expect("text").to_owned());
        (answer.status(), to)
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.server.abort();
    }
}
