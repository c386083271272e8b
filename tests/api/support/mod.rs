//! The test app: a fresh database per test, the real router, and people who use it.

// A shared tool box: each slice uses what it needs of it.
#![allow(dead_code, unused_imports)]

mod checkout;
mod client;
mod database;
pub mod purchase;
mod services;
mod statements;
mod world;

pub use checkout::{ADDRESS, checkout_form};
pub use client::{Answer, Client};
pub use database::TestDatabase;
pub use services::{Card, Services};
pub use statements::{asked, counted};
pub use world::{TestVendor, World};

use souk::server::{
    config::{Config, S3Config, StripeConfig},
    router::router,
    state::App,
};

/// A running program of its own. Its database is dropped with it.
pub struct TestApp {
    pub app: App,
    router: axum::Router,
    services: Option<services::Services>,
    database: database::TestDatabase,
}

impl TestApp {
    /// A migrated, empty shop.
    pub async fn empty() -> Self {
        Self::with(|_| {}).await
    }

    /// A shop with the standard [`World`]: three vendors, their goods, and people.
    pub async fn new() -> (Self, World) {
        Self::with_world(|_| {}).await
    }

    /// As [`TestApp::new`], with the configuration changed first.
    pub async fn with_world(change: impl FnOnce(&mut Config)) -> (Self, World) {
        let test = Self::with(change).await;
        let world = World::build(&test.app.pool).await;
        (test, world)
    }

    /// An empty shop whose configuration was changed first.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = database::TestDatabase::create().await;
        let mut config = Config::read(|_| None).expect("the defaults are valid");
        config.stripe = Some(StripeConfig {
            secret_key: "sk_test_souk".into(),
            api_base: "http://127.0.0.1:1/".into(),
            webhook_secret: "whsec_test_secret_of_the_tests".into(),
        });
        config.s3 = Some(S3Config {
            endpoint: "http://127.0.0.1:1".into(),
            region: "eu-west-2".into(),
            bucket: "souk".into(),
            access_key: "test".into(),
            secret_key: "test-secret".into(),
        });
        change(&mut config);
        let app = App::new(config, database.pool.clone(), None).expect("the app starts");
        Self { router: router(app.clone()), app, services: None, database }
    }

    /// A shop with the standard [`World`], a store and a Stripe sandbox of its own, reached over HTTP. Webhooks really arrive;
    /// jobs run when the test calls `souk::server::jobs::drain`.
    pub async fn with_services() -> (Self, World) {
        Self::with_services_in(TestDatabase::create().await).await
    }

    /// As [`TestApp::with_services`], in a database that was made before.
    pub async fn with_services_in(database: TestDatabase) -> (Self, World) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let world = World::build(&database.pool).await;
        let (app, services) = services::Services::start(database.pool.clone()).await;
        (Self { router: router(app.clone()), app, services: Some(services), database }, world)
    }

    /// As [`TestApp::with_services`], with the configuration changed first.
    pub async fn with_services_and(change: impl FnOnce(&mut Config)) -> (Self, World) {
        let (mut test, world) = Self::with_services().await;
        let mut config = (*test.app.config).clone();
        change(&mut config);
        test.app = App::new(config, test.database.pool.clone(), test.app.sandbox.clone()).expect("the app starts");
        test.router = router(test.app.clone());
        (test, world)
    }

    /// The stand-ins of [`TestApp::with_services`].
    pub fn services(&self) -> &Services {
        self.services.as_ref().expect("this test app was made by with_services")
    }

    /// Someone without an account.
    pub fn guest(&self) -> Client {
        Client::new(self.router.clone())
    }

    /// Signed in as the person of this name (see [`World`]); `ada` and `bob` are shoppers.
    pub async fn customer(&self, name: &str) -> Client {
        let mut client = self.guest();
        client.sign_in(&self.app.pool, &format!("{name}@example.com")).await;
        client
    }

    /// Signed in as the owner of the shop with this slug: `mill`, `kiln`, `orchard`.
    pub async fn vendor(&self, slug: &str) -> Client {
        self.customer(slug).await
    }

    /// Signed in as the operator.
    pub async fn operator(&self) -> Client {
        self.customer("operator").await
    }

    /// A connection string for a second program on the same database.
    pub fn database_url(&self) -> &str {
        &self.database.url
    }
}
