//! Bringing the program up: the database and its migrations, the stand-ins where nothing is configured, and down again.

use super::{config::Config, jobs, router::router, state::App};
use anyhow::Context;
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio_util::sync::CancellationToken;

/// The migrations, compiled in.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// A pool for the program; every statement is bounded, so that one bad query cannot hold a connection for ever.
pub async fn connect(url: &str) -> anyhow::Result<PgPool> {
    PgPoolOptions::new()
        .max_connections(20)
        .acquire_timeout(std::time::Duration::from_secs(10))
        .connect(url)
        .await
        .context("the database at DATABASE_URL does not answer")
}

/// Serves until a signal asks us to stop, then lets running requests end.
pub async fn serve(app: App) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let worker = tokio::spawn(jobs::work(app.clone(), stop.clone()));
    let listener = tokio::net::TcpListener::bind(app.config.listen)
        .await
        .with_context(|| format!("cannot listen on {}: is another Souk running?", app.config.listen))?;
    let service = router(app).into_make_service_with_connect_info::<std::net::SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(signal()).await?;
    stop.cancel();
    worker.await?;
    Ok(())
}

/// Ctrl-C or SIGTERM.
pub async fn signal() {
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

/// Refuses a configuration that production must not run with, naming each reason.
pub fn refuse_unsafe(config: &Config) -> anyhow::Result<()> {
    let no = config.refusals();
    anyhow::ensure!(no.is_empty(), "refusing to start in production:\n  - {}", no.join("\n  - "));
    Ok(())
}
