//! `make bench`: what a request costs, beside what it would cost a program that does nothing else, in one run on one machine.
//!
//! Everything is real: the release build as a process of its own, a PostgreSQL that tells its disk the truth, HTTP. Stripe's side has
//! a PostgreSQL of its own, whose cost is not ours. The figure that does not depend on how many cores the load takes away is CPU per
//! 1,000 requests, of the program and of PostgreSQL, at two connections.

mod client;
mod desks;
mod floor;
mod machine;
mod pgbench;
mod plans;
mod report;
mod sale;
mod world;

use anyhow::Context;
use clap::Parser;
use client::{Wish, load};
use machine::{Meter, peak_memory};
use report::{Fact, Report, Row, SELECT};
use souk::{
    prove::{
        node::Node,
        stand::{Stand, free_address},
    },
    sandbox::postgres::{self, Embedded},
    server::config::{Config, S3Config},
};
use sqlx::{PgPool, postgres::PgPoolOptions};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
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
    /// Instead of measuring, explain the hottest statements
    #[arg(long)]
    plans: bool,
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

async fn run(cli: &Cli, folder: &Path) -> anyhow::Result<()> {
    let given: Vec<usize> = cli.products.iter().filter(|p| !p.is_empty()).map(|p| p.parse()).collect::<Result<_, _>>()?;
    let sizes = match (given.is_empty(), cli.plans) {
        (false, _) => given,
        (true, true) => vec![100_000],
        (true, false) => vec![20_000, 200_000],
    };
    let bench = Bench::open(cli, folder).await?;
    let mut report = Report::default();
    let mut text = String::new();
    for size in sizes {
        let stand = bench.stand(size).await?;
        if cli.plans {
            text.push_str(&plans::explain(&bench, &stand, size).await?);
        } else {
            bench.measure(&stand, size, &mut report).await?;
        }
        stand.clear().await?;
    }
    bench.close().await?;
    if !cli.plans {
        text = report.text();
    }
    print!("{text}");
    std::fs::write(&cli.out, text).with_context(|| cli.out.display().to_string())
}

/// What all measurements share.
struct Bench<'a> {
    cli: &'a Cli,
    folder: &'a Path,
    database: Embedded,
    server: PgPool,
    /// Stripe's own.
    elsewhere: Embedded,
    store: souk::sandbox::s3::Running,
    config: Config,
}

impl<'a> Bench<'a> {
    async fn open(cli: &'a Cli, folder: &'a Path) -> anyhow::Result<Self> {
        let database = postgres::start(&folder.join("postgres")).await?;
        let elsewhere = postgres::start(&folder.join("stripe")).await?;
        let store = souk::sandbox::s3::start(([127, 0, 0, 1], 0).into(), &folder.join("media"), "bench", "bench-secret").await?;
        let mut config = Config::read(|_| None)?;
        config.s3 = Some(S3Config {
            endpoint: store.endpoint(),
            region: "eu-west-2".into(),
            bucket: "souk".into(),
            access_key: "bench".into(),
            secret_key: "bench-secret".into(),
        });
        let server = PgPoolOptions::new().max_connections(2).connect(database.url()).await?;
        Ok(Self { cli, folder, database, server, elsewhere, store, config })
    }

    async fn close(self) -> anyhow::Result<()> {
        self.server.close().await;
        self.store.stop().await;
        self.elsewhere.stop().await?;
        self.database.stop().await
    }

    /// A shop with so many products, not open yet.
    async fn stand(&self, products: usize) -> anyhow::Result<Stand> {
        let books = PgPoolOptions::new().max_connections(10).connect(self.elsewhere.url()).await?;
        let stand = Stand::build(&self.server, &self.config, free_address()?, 1, 10_000_000, Some(books)).await?;
        let began = Instant::now();
        world::build(&stand.pool, products).await?;
        eprintln!("{products} products stand after {:.0} s", began.elapsed().as_secs_f64());
        Ok(stand)
    }

    /// The program on it, keeping pages in so much memory.
    async fn open_shop(&self, stand: &Stand, megabytes: u64) -> anyhow::Result<Node> {
        let config = Config { page_cache_mb: megabytes, ..stand.config.clone() };
        let mut node = Node::new(&self.cli.program, config, self.folder.join("souk.log"))?;
        node.start().await?;
        Ok(node)
    }

    fn meter(&self, program: Option<u32>) -> anyhow::Result<Meter> {
        let postmaster = machine::postmaster(&self.folder.join("postgres"))?;
        Ok(Meter { program: program.context("it ended")?, postmaster })
    }

    fn period(&self) -> Duration {
        Duration::from_secs(self.cli.seconds)
    }

    async fn measure(&self, stand: &Stand, size: usize, report: &mut Report) -> anyhow::Result<()> {
        let (period, at) = (self.period(), stand.config.listen);
        let pages = world::pages(&stand.pool).await?;
        self.floors(stand, size, report).await?;

        let mut node = self.open_shop(stand, 0).await?;
        let meter = self.meter(node.process())?;
        for (name, _, wishes) in &pages {
            report.add(size, row(name, "", at, wishes, &meter, period).await?);
        }
        let add = world::additions(&stand.pool).await?;
        report.add(size, row("add to cart (REST)", "", at, &add, &meter, period).await?);
        report.add(size, sale::checkouts(stand, &meter, period).await?);
        report.fact(size, memory("memory, nothing kept", &meter)?);
        node.kill().await?;

        let began = Instant::now();
        let mut node = self.open_shop(stand, 64).await?;
        let value = began.elapsed().as_secs_f64() * 1000.0;
        report.fact(size, Fact { what: "from start to open", value, at_most: 1000.0, unit: "ms" });
        let meter = self.meter(node.process())?;
        for (name, kept, wishes) in pages.iter().filter(|(_, kept, _)| *kept) {
            debug_assert!(kept);
            report.add(size, row(name, "kept", at, wishes, &meter, period).await?);
        }
        for fact in desks::measure(stand, &meter).await? {
            report.fact(size, fact);
        }
        report.fact(size, memory("memory, pages kept and 500 dashboards open", &meter)?);
        node.kill().await?;

        report.add(size, Row::rate("orders placed, 1,000 variants, 32 at once", sale::flash(stand, 1000, period).await?));
        report.add(size, Row::rate("orders placed, one variant, 32 at once", sale::flash(stand, 1, period).await?));
        Ok(())
    }

    /// What the machine does at best, in the same minutes.
    async fn floors(&self, stand: &Stand, size: usize, report: &mut Report) -> anyhow::Result<()> {
        let at = free_address()?;
        let url = stand.config.database_url.clone().context("no database")?;
        let mut floor = tokio::process::Command::new(std::env::current_exe()?)
            .args(["--program", "-", "--out", "-", "--floor", &at.to_string(), "--database", &url])
            .kill_on_drop(true)
            .spawn()?;
        client::wait_for(at).await?;
        let meter = self.meter(floor.id())?;
        for (name, path) in [("floor: bare axum", "/bare"), (SELECT, "/select")] {
            report.add(size, row(name, "", at, &[Wish::get(path)], &meter, self.period()).await?);
        }
        floor.kill().await?;
        if let Some(pgbench) = pgbench::Pgbench::find(self.database.url(), &url) {
            for (name, rate) in pgbench.floors(&stand.pool, stand.variants[0], self.cli.seconds).await? {
                report.add(size, Row::rate(name, rate));
            }
        }
        Ok(())
    }
}

fn memory(what: &'static str, meter: &Meter) -> anyhow::Result<Fact> {
    Ok(Fact { what, value: peak_memory(meter.program)? as f64 / 1024.0, at_most: 200.0, unit: "MB" })
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
