//! The command line: serve, migrate, seed, import, user. Wires and nothing else.

use anyhow::Context;
use clap::{Parser, Subcommand};
use souk::server::{
    config::Config,
    start::{self, Extent, Running},
};
use std::io::IsTerminal;

/// A multi-vendor marketplace. Configured by the environment; see the table in the README.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the shop. Starts its own PostgreSQL, S3 store and Stripe sandbox where none is configured
    Serve,
    /// Bring the database at DATABASE_URL up to this program's schema
    Migrate,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    log();
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a TLS provider was already installed"))?;
    let config = Config::from_env()?;
    match cli.command {
        Command::Serve => serve(config).await,
        Command::Migrate => migrate(config).await,
    }
}

async fn serve(config: Config) -> anyhow::Result<()> {
    let running = start::up(config, Extent::Server).await?;
    let app = running.app.clone();
    let result = async {
        println!("Souk is open at {}", app.config.base_url);
        if app.sandbox.is_some() {
            println!("  Mail: {0}/dev/mail · Stripe sandbox: {0}/dev/stripe", app.config.base_url);
        }
        start::serve(app).await
    }
    .await;
    end(running, result).await
}

async fn migrate(config: Config) -> anyhow::Result<()> {
    let url = config.database_url.context("DATABASE_URL is missing: it names the database to migrate")?;
    let pool = start::connect(&url).await?;
    start::MIGRATIONS.run(&pool).await?;
    println!("The schema is up to date.");
    Ok(())
}

/// Stops what was started, whatever became of the command; its own error is the one to tell.
async fn end(running: Running, result: anyhow::Result<()>) -> anyhow::Result<()> {
    let stopped = running.stop().await;
    result.and(stopped)
}

/// Readable lines on a terminal, JSON elsewhere; `RUST_LOG` chooses.
fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,sqlx=warn,aws=warn,hyper=warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() { builder.compact().init() } else { builder.json().init() }
}
