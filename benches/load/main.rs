//! `make bench`: what a request costs, beside what it would cost a program that does nothing else, in one run on one machine.
//!
//! Everything is real: the release build as a process of its own, a PostgreSQL that tells its disk the truth, HTTP. The figure that
//! does not depend on how many cores the load takes away is CPU per 1,000 requests, of the program and of PostgreSQL, at two
//! connections.

mod client;
mod floor;
mod machine;
mod pgbench;
mod report;
mod sale;
mod world;

use anyhow::Context;
use clap::Parser;
use client::{Wish, load};
use machine::{Meter, peak_memory};
use report::{Report, Row};
use souk::{
    prove::{
        node::Node,
        stand::{Stand, free_address},
    },
    sandbox::postgres,
    server::{config::Config, state::App},
};
use std::{
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

/// What is measured, and where it is written.
#[derive(Parser)]
struct Cli {
    /// How many products; several are compared
    products: Vec<String>,
    /// The release build
    #[arg(long)]
    program: PathBuf,
    #[arg(long)]
    out: PathBuf,
    /// How long each measurement takes
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Serve the floors at this address (the bench starts itself so)
    #[arg(long, hide = true)]
    floor: Option<SocketAddr>,
    #[arg(long, hide = true)]
    database: Option<String>,
    /// cargo says so
    #[arg(long, hide = true)]
    bench: bool,
}

/// Connections at once where the rate is measured, and where the cost is.
const MANY: usize = 32;
const FEW: usize = 2;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if let (Some(address), Some(database)) = (cli.floor, &cli.database) {
        return floor::serve(address, database).await;
    }
    rustls::crypto::ring::default_provider().install_default().map_err(|_| anyhow::anyhow!("a TLS provider is there"))?;
    let folder = std::env::temp_dir().join(format!("souk-bench-{}", uuid::Uuid::now_v7()));
    let result = run(&cli, &folder).await;
    std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    result
}

async fn run(cli: &Cli, folder: &std::path::Path) -> anyhow::Result<()> {
    let mut sizes: Vec<usize> = cli.products.iter().filter(|p| !p.is_empty()).map(|p| p.parse()).collect::<Result<_, _>>()?;
    if sizes.is_empty() {
        sizes = vec![20_000, 200_000];
    }
    let database = postgres::start(&folder.join("postgres")).await?;
    let store = souk::sandbox::s3::start(([127, 0, 0, 1], 0).into(), &folder.join("media"), "bench", "bench-secret").await?;
    let mut report = Report::default();
    for size in sizes {
        measure(cli, size, database.url(), &store.endpoint(), folder, &mut report).await?;
    }
    store.stop().await;
    database.stop().await?;
    let text = report.text();
    print!("{text}");
    std::fs::write(&cli.out, text).with_context(|| cli.out.display().to_string())
}

async fn measure(
    cli: &Cli,
    size: usize,
    url: &str,
    store: &str,
    folder: &std::path::Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    let mut config = Config::read(|_| None)?;
    config.s3 = Some(souk::server::config::S3Config {
        endpoint: store.to_owned(),
        region: "eu-west-2".into(),
        bucket: "souk".into(),
        access_key: "bench".into(),
        secret_key: "bench-secret".into(),
    });
    config.stripe = Some(souk::server::config::StripeConfig {
        secret_key: "sk_test_bench".into(),
        api_base: "http://127.0.0.1:1/".into(),
        webhook_secret: "whsec_bench".into(),
    });
    let server = sqlx::postgres::PgPoolOptions::new().max_connections(2).connect(url).await?;
    let postmaster = machine::postmaster(folder)?;
    let app = App::new(config, server.clone(), None)?;
    let stand = Stand::build(&app, free_address()?, 1, 10_000_000).await?;
    let began = Instant::now();
    world::build(&stand.pool, size).await?;
    eprintln!("{size} products stand after {:.0} s", began.elapsed().as_secs_f64());
    let pages = world::pages(&stand.pool).await?;
    let period = Duration::from_secs(cli.seconds);

    // The floors, in the same minutes.
    let at = free_address()?;
    let database_url = stand.config.database_url.clone().context("no database")?;
    let mut floor = tokio::process::Command::new(std::env::current_exe()?)
        .args(["--program", "-", "--out", "-", "--floor", &at.to_string(), "--database", &database_url])
        .kill_on_drop(true)
        .spawn()?;
    client::wait_for(at).await?;
    let meter = Meter { program: floor.id().context("the floor ended")?, postmaster };
    for (name, path) in [("floor: bare axum", "/bare"), ("floor: bare axum + SELECT of 24 rows", "/select")] {
        report.add(size, row(name, "", at, &[Wish::get(path)], &meter, period).await?);
    }
    floor.kill().await?;

    let log = folder.join("souk.log");
    for (cached, megabytes) in [(false, 0), (true, 64)] {
        let config = Config { page_cache_mb: megabytes, ..stand.config.clone() };
        let mut node = Node::new(&cli.program, config, log.clone())?;
        let began = Instant::now();
        node.start().await?;
        if cached {
            report.note(format!(
                "{size} products: the program opens {:.0} ms after its start",
                began.elapsed().as_secs_f64() * 1000.0
            ));
        }
        let process = node.process().context("it runs")?;
        let meter = Meter { program: process, postmaster };
        for (name, kept, wishes) in &pages {
            if !cached || *kept {
                report.add(size, row(name, if cached { "kept" } else { "" }, stand.config.listen, wishes, &meter, period).await?);
            }
        }
        if !cached {
            let add =
                [Wish::post("/api/v1/cart/items", format!("{{\"variant_id\": \"{}\", \"quantity\": 1}}", stand.variants[0]))];
            report.add(size, row("add to cart (REST)", "", stand.config.listen, &add, &meter, period).await?);
            report.add(size, sale::checkouts(&stand, &meter, period).await?);
        }
        report.note(format!(
            "{size} products, {}: at most {} MB of memory",
            if cached { "pages kept" } else { "nothing kept" },
            peak_memory(process)? / 1024
        ));
        node.kill().await?;
    }
    if let Some(pgbench) = pgbench::Pgbench::find(url, &database_url) {
        for (name, rate) in pgbench.floors(&stand.pool, stand.variants[0], cli.seconds).await? {
            report.add(size, Row::rate(name, rate));
        }
    }
    report.add(size, Row::rate("orders placed, one variant, 32 at once", sale::flash(&stand, 1, period).await?));
    report.add(size, Row::rate("orders placed, 1,000 variants, 32 at once", sale::flash(&stand, 1000, period).await?));
    server.close().await;
    stand.clear().await
}

/// Rate and times at many connections, cost at few.
async fn row(
    name: &str,
    kept: &'static str,
    at: SocketAddr,
    wishes: &[Wish],
    meter: &Meter,
    period: Duration,
) -> anyhow::Result<Row> {
    load(at, wishes, FEW, Duration::from_millis(500)).await?;
    let rate = load(at, wishes, MANY, period).await?;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = meter.read()?;
    let few = load(at, wishes, FEW, period).await?;
    let used = meter.read()? - before;
    eprintln!("{name} {kept}: {:.0} a second", rate.rate());
    Ok(Row::requests(name, kept, &rate, used, few.done()))
}
