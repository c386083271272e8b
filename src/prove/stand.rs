//! Where a proof happens: a database of its own on the same server, with two vendors who ship free, and a Stripe sandbox of its own.
//! All of it is gone afterwards.

use crate::{
    sandbox::stripe::{self, SandboxConfig},
    server::{
        config::{Config, StripeConfig},
        start::MIGRATIONS,
    },
    stall,
};
use anyhow::Context;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool, postgres::PgConnectOptions, postgres::PgPoolOptions};
use std::net::SocketAddr;
use uuid::Uuid;

/// What the shop and its sandbox know each other by.
const WEBHOOK_SECRET: &str = "whsec_souk_proof_of_the_laws";
/// What every variant costs, in minor units.
pub const PRICE_MINOR: i64 = 1250;
/// Nobody is told to come later: the crowd sits behind one address.
const API_RATE: u32 = 10_000_000;

/// See the module.
pub struct Stand {
    pub pool: PgPool,
    pub stripe: stripe::Running,
    /// Configuration of a program that works here; it listens at `config.listen`.
    pub config: Config,
    /// What is for sale; neighbours in the list are of different vendors.
    pub variants: Vec<Uuid>,
    name: String,
    server: PgConnectOptions,
}

impl Stand {
    /// Builds it on the server of a pool: `goods` variants, `stock` of each. `config` says what else the program works with, and
    /// `listen` where the shop will be. Stripe keeps its books in a database of its own, if there is one.
    ///
    /// # Errors
    /// When the database server does not let us make a database.
    pub async fn build(
        server: &PgPool,
        config: &Config,
        listen: SocketAddr,
        goods: usize,
        stock: i32,
        books: Option<PgPool>,
    ) -> anyhow::Result<Self> {
        Self::furnish(server, config, sandbox(listen, true), (goods, stock), listen, books).await
    }

    /// Builds one without goods, in which no shop listens: its sandbox keeps its events and sends none, so that whoever proves
    /// something hands them over when, and as often as, it wants.
    ///
    /// # Errors
    /// As [`Stand::build`].
    pub async fn silent(server: &PgPool, config: &Config) -> anyhow::Result<Self> {
        let nowhere = ([127, 0, 0, 1], 0).into();
        Self::furnish(server, config, sandbox(nowhere, false), (0, 0), nowhere, None).await
    }

    async fn furnish(
        server: &PgPool,
        config: &Config,
        sandbox: SandboxConfig,
        (goods, stock): (usize, i32),
        listen: SocketAddr,
        books: Option<PgPool>,
    ) -> anyhow::Result<Self> {
        let server = (*server.connect_options()).clone();
        let name = format!("souk_proof_{}", Uuid::now_v7().simple());
        on_server(&server, &format!("create database {name}")).await.context("a database of its own cannot be made")?;
        let furnished = async {
            let options = server.clone().database(&name);
            let pool = PgPoolOptions::new().max_connections(20).connect_with(options.clone()).await?;
            MIGRATIONS.run(&pool).await?;
            let variants = open(&pool, goods, stock).await.context("the goods cannot be laid out")?;
            let stripe = stripe::start(books.unwrap_or_else(|| pool.clone()), sandbox).await?;
            anyhow::Ok((pool, stripe, variants, options))
        };
        match furnished.await {
            Ok((pool, stripe, variants, options)) => {
                let config = Config {
                    listen,
                    base_url: format!("http://{listen}"),
                    database_url: Some(options.to_url_lossy().into()),
                    stripe: Some(StripeConfig {
                        secret_key: "sk_test_souk_proof".into(),
                        api_base: format!("{}/", stripe.url),
                        webhook_secret: WEBHOOK_SECRET.into(),
                    }),
                    api_rate: API_RATE,
                    ..config.clone()
                };
                Ok(Self { pool, stripe, config, variants, name, server })
            }
            Err(error) => {
                on_server(&server, &format!("drop database if exists {name} with (force)")).await?;
                Err(error)
            }
        }
    }

    /// Ends the sandbox and drops the database.
    ///
    /// # Errors
    /// When the database cannot be dropped.
    pub async fn clear(self) -> anyhow::Result<()> {
        self.stripe.stop().await;
        self.pool.close().await;
        on_server(&self.server, &format!("drop database if exists {} with (force)", self.name)).await
    }
}

fn sandbox(shop: SocketAddr, tells: bool) -> SandboxConfig {
    SandboxConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        webhook_url: tells.then(|| format!("http://{shop}/webhooks/stripe")),
        enabled_events: crate::payments::webhook::events().map(str::to_owned).collect(),
        webhook_secret: WEBHOOK_SECRET.into(),
        public_url: None,
    }
}

async fn open(pool: &PgPool, goods: usize, stock: i32) -> sqlx::Result<Vec<Uuid>> {
    let category = Uuid::now_v7();
    let mut tx = pool.begin().await?;
    sqlx::query!("insert into categories (id, slug, name) values ($1, 'proof', 'Proof')", category).execute(&mut *tx).await?;
    for slug in ["first", "second"] {
        stall::open(&mut tx, slug, slug, "A proof", "nobody signs in").await?;
    }
    let vendors: Vec<Uuid> = sqlx::query_scalar!("select id from vendors order by slug").fetch_all(&mut *tx).await?;
    let mut variants = Vec::with_capacity(goods);
    for (number, vendor) in (1..=goods).zip(vendors.into_iter().cycle()) {
        variants.push(lay_out(&mut tx, vendor, category, number, PRICE_MINOR, stock).await?);
    }
    tx.commit().await?;
    Ok(variants)
}

/// Puts a thing on a vendor's shelf, as `thing-{number}`; answers its variant.
pub(super) async fn lay_out(
    tx: &mut PgConnection,
    vendor: Uuid,
    category: Uuid,
    number: usize,
    price_minor: i64,
    stock: i32,
) -> sqlx::Result<Uuid> {
    let (product, variant) = (Uuid::now_v7(), Uuid::now_v7());
    sqlx::query!(
        "with product as (
             insert into products (id, vendor_id, category_id, slug, title, description, status, published_at)
             values ($1, $2, $3, $4, $4, '', 'published', now()) returning id
         ), variant as (
             insert into variants (id, product_id, vendor_id, sku, price_minor, currency)
             select $5, id, $2, upper($4), $6, 'GBP' from product returning id
         )
         insert into stock (variant_id, on_hand) select id, $7 from variant",
        product,
        vendor,
        category,
        format!("thing-{number}"),
        variant,
        price_minor,
        stock
    )
    .execute(tx)
    .await?;
    Ok(variant)
}

async fn on_server(server: &PgConnectOptions, statement: &str) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect_with(server).await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// An address where nobody listens at this moment.
///
/// # Errors
/// When the machine has no port left.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}
