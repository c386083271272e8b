//! The command line: serve, migrate, seed, import, replay, reconcile, verify, prove, user. Wires and nothing else.

use anyhow::Context;
use clap::{Parser, Subcommand};
use souk::{
    accounts, audit,
    catalog::import::{self, Import},
    demo, payouts,
    prove::{self, crash::Crash, money::Money, oversell::Oversell},
    reconciliation,
    replay::{self, cli::Replay},
    server::{
        config::Config,
        start::{self, Extent, Running},
        state::App,
        trace,
    },
};
use std::{path::PathBuf, process::ExitCode};

/// Drawing a page makes and drops thousands of small strings on all cores; this allocator does so in less time than libc's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    Serve {
        /// Do not fill an empty development shop with the demo world
        #[arg(long)]
        bare: bool,
    },
    /// Bring the database at DATABASE_URL up to this program's schema
    Migrate,
    /// Fill the shop with the demo world, the same for the same number
    Seed {
        #[arg(long, default_value_t = 1)]
        number: u64,
    },
    /// Import a vendor's products from a CSV file; run again, it goes on where it stopped
    Import {
        file: PathBuf,
        /// The vendor's slug
        #[arg(long)]
        vendor: String,
        /// Read and check everything, write nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Buy the invoices of a file from the running shop, give back what it cancels, pay the vendors, and compare the books; stopped, it goes
    /// on where it was
    Replay {
        file: PathBuf,
        /// Only the first so many purchases
        #[arg(long)]
        limit: Option<usize>,
        /// So many customers at once
        #[arg(long, default_value_t = 4)]
        concurrency: usize,
        /// Leave parcels unsent and vendors unpaid
        #[arg(long)]
        no_payouts: bool,
    },
    /// Pay the vendors whose day it is, as the server does by itself
    Payouts {
        /// Say who would be paid how much, and why not the others; do nothing
        #[arg(long)]
        dry_run: bool,
        /// Also those whose day it is not
        #[arg(long)]
        everybody: bool,
    },
    /// Compare the books with Stripe now, and print where they differ
    Reconcile,
    /// Count the violations of every law in the database; changes nothing, and fails where one is broken
    Verify {
        #[command(subcommand)]
        only: Option<Verify>,
    },
    /// Do the worst to a shop of its own, and count what broke; needs the right to make a database
    #[command(subcommand)]
    Prove(Prove),
    /// Make and change accounts
    #[command(subcommand)]
    User(User),
}

#[derive(Subcommand)]
enum Verify {
    /// Only the audit log, hash by hash: name each entry that was changed, taken out or slipped in
    Audit {
        /// A hash that was noted earlier; the log must still go on from it
        #[arg(long)]
        head: Option<String>,
    },
}

#[derive(Subcommand)]
enum Prove {
    /// Many people want the last few of one thing at the same moment
    Oversell {
        #[arg(long, default_value_t = 200)]
        buyers: usize,
        #[arg(long, default_value_t = 10)]
        stock: i32,
    },
    /// The program is killed while people buy, also between a charge and its webhook
    Crash {
        #[arg(long, default_value_t = 200)]
        checkouts: usize,
        #[arg(long, default_value_t = 20)]
        kills: usize,
    },
    /// Random histories of sales, refunds, disputes and payouts; the books, the facts and Stripe must agree after each
    Money {
        #[arg(long, default_value_t = 1000)]
        histories: usize,
        /// The same histories for the same number
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

#[derive(Subcommand)]
enum User {
    /// Make an account; the password is read from SOUK_PASSWORD
    Create {
        email: String,
        name: String,
        /// May see and decide everything
        #[arg(long)]
        operator: bool,
        #[arg(env = "SOUK_PASSWORD", hide = true, hide_env_values = true)]
        password: String,
    },
    /// Make someone an operator
    Appoint { email: String },
    /// Make an operator someone like everybody else
    Dismiss { email: String },
    /// Set a new password, read from SOUK_PASSWORD, and sign the person out everywhere
    Password {
        email: String,
        #[arg(env = "SOUK_PASSWORD", hide = true, hide_env_values = true)]
        password: String,
    },
}

/// What failed is told as one chain of causes; a backtrace is for those who wrote the program, and `RUST_LOG` for the rest.
#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<()> {
    let config = Config::from_env()?;
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a TLS provider was already installed"))?;
    let _log = trace::start(config.log, config.otlp_endpoint.as_deref())?;
    match cli.command {
        Command::Serve { bare } => serve(config, bare).await,
        Command::Migrate => migrate(config).await,
        Command::Seed { number } => command(config, async |app| demo::cli::run(app, number).await).await,
        Command::Import { file, vendor, dry_run } => {
            let what = Import { file, vendor, dry_run };
            command(config, async |app| import::cli::run(app, &what).await).await
        }
        Command::Replay { file, limit, concurrency, no_payouts } => {
            let what = Replay { file, limit, concurrency, pay_out: !no_payouts };
            command(config, async |app| replay::cli::run(app, &what).await).await
        }
        Command::Payouts { dry_run, everybody } => {
            command(config, async |app| payouts::cli::run(app, payouts::cli::Payouts { dry_run, everybody }).await).await
        }
        Command::Reconcile => command(config, async |app| reconciliation::cli::run(app).await).await,
        Command::Verify { only: None } => command(config, async |app| prove::cli::run(&app.pool).await).await,
        Command::Verify { only: Some(Verify::Audit { head }) } => {
            command(config, async |app| audit::cli::run(&app.pool, head.as_deref()).await).await
        }
        Command::Prove(Prove::Oversell { buyers, stock }) => {
            command(config, async |app| prove::oversell::run(app, Oversell { buyers, stock }).await).await
        }
        Command::Prove(Prove::Crash { checkouts, kills }) => {
            let what = Crash { checkouts, kills, program: std::env::current_exe()? };
            command(config, async |app| prove::crash::run(app, &what).await).await
        }
        Command::Prove(Prove::Money { histories, seed }) => {
            command(config, async |app| prove::money::run(app, Money { histories, seed }).await).await
        }
        Command::User(order) => command(config, async |app| user(app, order).await).await,
    }
}

async fn serve(config: Config, bare: bool) -> anyhow::Result<()> {
    let running = start::up(config, Extent::Server).await?;
    let app = running.app.clone();
    let result = async {
        if !bare && !app.config.production() && demo::wanted(&app).await? {
            println!("Filling the empty shop with the demo world …");
            demo::cli::run(&app, 1).await?;
        }
        println!("Souk is open at {}", app.config.base_url);
        if app.sandbox.is_some() {
            for (role, email) in demo::ACCOUNTS {
                println!("  {role:9} {email}   password: {}", demo::PASSWORD);
            }
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

/// A command that ends by itself, with the database and the store.
async fn command(config: Config, run: impl AsyncFnOnce(&App) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let running = start::up(config, Extent::Command).await?;
    let result = run(&running.app).await;
    end(running, result).await
}

async fn user(app: &App, order: User) -> anyhow::Result<()> {
    match order {
        User::Create { email, name, operator, password } => {
            accounts::cli::create(&app.pool, &app.passwords, &email, &name, &password, operator).await?;
            println!("{email} has an account.");
        }
        User::Appoint { email } => {
            accounts::cli::set_operator(&app.pool, &email, true).await?;
            println!("{email} is an operator.");
        }
        User::Dismiss { email } => {
            accounts::cli::set_operator(&app.pool, &email, false).await?;
            println!("{email} is no operator any more.");
        }
        User::Password { email, password } => {
            accounts::cli::set_password(&app.pool, &app.passwords, &email, &password).await?;
            println!("{email} has a new password and is signed out everywhere.");
        }
    }
    Ok(())
}

/// Stops what was started, whatever became of the command; its own error is the one to tell.
async fn end(running: Running, result: anyhow::Result<()>) -> anyhow::Result<()> {
    let stopped = running.stop().await;
    result.and(stopped)
}
