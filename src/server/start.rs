//! Bringing the program up: the database and its migrations, the stand-ins where nothing is configured, and down again.

use super::{
    cache,
    config::{Config, S3Config, StripeConfig},
    jobs,
    router::router,
    state::App,
};
use crate::{live, sandbox};
use anyhow::Context;
use sqlx::{
    Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{net::SocketAddr, time::Duration};
use tokio_util::sync::CancellationToken;

/// The migrations, compiled in.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// What the stand-ins know each other by; they listen on loopback only and never run in production.
const DEVELOPMENT_WEBHOOK_SECRET: &str = "whsec_souk_development_sandbox";
const DEVELOPMENT_KEY: &str = "souk-development";

/// The program with the servers that it started for itself. End it with [`Running::stop`].
pub struct Running {
    pub app: App,
    postgres: Option<sandbox::postgres::Embedded>,
    s3: Option<sandbox::s3::Running>,
    stripe: Option<sandbox::stripe::Running>,
}

/// How much of the program a command needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// The database and the store, for a command that ends by itself; servers of a running Souk are used, not doubled.
    Command,
    /// Everything, to serve.
    Server,
}

/// Connects to what is configured and starts what is not. Refuses in production what must not run there.
pub async fn up(mut config: Config, extent: Extent) -> anyhow::Result<Running> {
    let no = config.refusals();
    anyhow::ensure!(no.is_empty(), "refusing to start in production:\n  - {}", no.join("\n  - "));

    let (url, postgres) = match &config.database_url {
        Some(url) => (url.clone(), None),
        None => {
            let embedded = sandbox::postgres::start(&config.data_dir.join("postgres")).await?;
            (embedded.url().to_owned(), Some(embedded))
        }
    };
    let pool = connect(&url).await?;
    if config.production() {
        refuse_unmigrated(&pool).await?;
    } else {
        MIGRATIONS.run(&pool).await.context("the migrations do not run")?;
    }
    crate::payments::catch_up(&pool).await.context("older refunds cannot be brought up to date")?;

    let s3 = match config.s3 {
        Some(_) => None,
        None => {
            let started = stand_in_s3(&config, extent).await?;
            config.s3 = Some(S3Config {
                endpoint: started.as_ref().map_or_else(|| format!("http://{}", config.s3_listen), |s| s.endpoint()),
                region: "eu-west-2".into(),
                bucket: "souk".into(),
                access_key: DEVELOPMENT_KEY.into(),
                secret_key: DEVELOPMENT_KEY.into(),
            });
            started
        }
    };

    let stripe = match config.stripe {
        Some(_) => None,
        None => {
            config.stripe = Some(StripeConfig {
                secret_key: "sk_test_souk_development".into(),
                api_base: format!("http://{}/", config.stripe_listen),
                webhook_secret: DEVELOPMENT_WEBHOOK_SECRET.into(),
            });
            match extent {
                Extent::Command => None,
                Extent::Server => Some(stand_in_stripe(&config, pool.clone()).await?),
            }
        }
    };
    let app = App::new(config, pool, stripe.as_ref().map(|s| s.sandbox.clone()))?;
    if !app.config.production() {
        app.storage.ensure_bucket().await?;
    }
    Ok(Running { app, postgres, s3, stripe })
}

impl Running {
    /// Ends the stand-ins in the order in which they need each other.
    pub async fn stop(self) -> anyhow::Result<()> {
        if let Some(stripe) = self.stripe {
            stripe.stop().await;
        }
        if let Some(s3) = self.s3 {
            s3.stop().await;
        }
        self.app.pool.close().await;
        if let Some(postgres) = self.postgres {
            postgres.stop().await?;
        }
        Ok(())
    }
}

async fn stand_in_s3(config: &Config, extent: Extent) -> anyhow::Result<Option<sandbox::s3::Running>> {
    let root = config.data_dir.join("media");
    match sandbox::s3::start(config.s3_listen, &root, DEVELOPMENT_KEY, DEVELOPMENT_KEY).await {
        Ok(running) => Ok(Some(running)),
        // A command beside a running server uses that server's store.
        Err(_) if extent == Extent::Command && tokio::net::TcpStream::connect(config.s3_listen).await.is_ok() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn stand_in_stripe(config: &Config, pool: PgPool) -> anyhow::Result<sandbox::stripe::Running> {
    let settings = sandbox::stripe::SandboxConfig {
        listen: config.stripe_listen,
        webhook_url: Some(format!("http://{}/webhooks/stripe", config.listen)),
        enabled_events: crate::payments::webhook::events().map(str::to_owned).collect(),
        webhook_secret: DEVELOPMENT_WEBHOOK_SECRET.into(),
        public_url: None,
    };
    sandbox::stripe::start(pool, settings).await
}

/// After so long without work a connection is asked whether it still lives before it gets some. Asking each time would cost as
/// much as a small query.
const REST: Duration = Duration::from_millis(200);

/// So many statements stay prepared on each connection: more than the program has, so that none is read and planned twice.
const STATEMENTS: usize = 600;

/// How the program speaks to its database. Its statements are short and many: no worker is started for one, none is compiled, and
/// an index is taken for what it costs on a disk without arms.
///
/// # Errors
/// When the address is none of a PostgreSQL.
pub fn options(url: &str) -> anyhow::Result<PgConnectOptions> {
    Ok(url
        .parse::<PgConnectOptions>()
        .context("DATABASE_URL is no address of a PostgreSQL")?
        .options([("max_parallel_workers_per_gather", "0"), ("jit", "off"), ("random_page_cost", "1.1")])
        .statement_cache_capacity(STATEMENTS))
}

/// A pool for the program.
pub async fn connect(url: &str) -> anyhow::Result<PgPool> {
    PgPoolOptions::new()
        .max_connections(20)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .before_acquire(|db, about| {
            Box::pin(async move {
                if about.idle_for > REST {
                    db.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options(url)?)
        .await
        .context("the database at DATABASE_URL does not answer")
}

/// How many of this program's migrations the database has not seen; an error where it has seen none.
pub async fn missing_migrations(pool: &PgPool) -> sqlx::Result<usize> {
    let applied: Vec<i64> = sqlx::query_scalar("select version from _sqlx_migrations where success").fetch_all(pool).await?;
    Ok(MIGRATIONS.iter().filter(|m| !applied.contains(&m.version)).count())
}

/// In production the operator decides when to migrate; an older schema is refused, not mended.
async fn refuse_unmigrated(pool: &PgPool) -> anyhow::Result<()> {
    let missing = missing_migrations(pool)
        .await
        .context("refusing to start in production: the database was never migrated; run `souk migrate`")?;
    anyhow::ensure!(missing == 0, "refusing to start in production: {missing} migrations are missing; run `souk migrate`");
    Ok(())
}

/// Serves until a signal asks us to stop, then lets running requests end.
pub async fn serve(app: App) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(app.config.listen)
        .await
        .with_context(|| format!("cannot listen on {}: is another Souk running?", app.config.listen))?;
    serve_on(app, listener, signal()).await
}

/// Serves until `until`, with everything that works in the background, then lets running requests end.
pub async fn serve_on(
    app: App,
    listener: tokio::net::TcpListener,
    until: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let worker = tokio::spawn(jobs::work(app.clone(), stop.clone()));
    let shelf = tokio::spawn(cache::listen(app.clone(), stop.clone()));
    let desks = tokio::spawn(live::hub::listen(app.clone(), stop.clone()));
    let open = app.live.clone();
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(async move {
            until.await;
            // They would go on for as long as somebody looks.
            open.close();
        })
        .await?;
    stop.cancel();
    worker.await?;
    shelf.await?;
    desks.await?;
    Ok(())
}

/// Ctrl-C or SIGTERM.
async fn signal() {
    let mut term = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(term) => term,
        Err(error) => {
            tracing::error!(%error, "cannot listen for SIGTERM");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
    }
}
