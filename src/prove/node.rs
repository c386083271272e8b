//! The program as a process of its own, to be killed.

use crate::{server::config::Config, shopper::Shop};
use anyhow::Context;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::process::{Child, Command};

/// How long the program may take to open.
const OPENS_WITHIN: Duration = Duration::from_secs(60);

/// How to start it.
pub struct Node {
    program: PathBuf,
    config: Config,
    /// What it says on standard error.
    log: PathBuf,
    running: Option<Child>,
}

impl Node {
    /// Not started yet. `log` is made or emptied.
    pub fn new(program: &Path, config: Config, log: PathBuf) -> anyhow::Result<Self> {
        File::create(&log).with_context(|| format!("{} cannot be written", log.display()))?;
        Ok(Self { program: program.to_owned(), config, log, running: None })
    }

    /// Starts it and waits until it is open.
    ///
    /// # Errors
    /// When it ends or does not open.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        let log = File::options().append(true).open(&self.log)?;
        let mut command = Command::new(&self.program);
        command.args(["serve", "--bare"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        for (name, value) in self.environment()? {
            command.env(name, value);
        }
        for name in ["SMTP_URL", "OTEL_EXPORTER_OTLP_ENDPOINT", "SOUK_METRICS_TOKEN", "SOUK_TRUSTED_PROXY"] {
            command.env_remove(name);
        }
        let mut child = command.spawn().with_context(|| format!("{} cannot be started", self.program.display()))?;
        let shop = Shop::at(&self.config.base_url)?;
        let until = Instant::now() + OPENS_WITHIN;
        while let Err(error) = shop.greet().await {
            if let Some(status) = child.try_wait()? {
                anyhow::bail!("the program ended by itself ({status}): {}", self.last_words());
            }
            anyhow::ensure!(Instant::now() < until, "the program does not open: {error:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.running = Some(child);
        Ok(())
    }

    /// Its process, while it runs.
    pub fn process(&self) -> Option<u32> {
        self.running.as_ref().and_then(Child::id)
    }

    /// SIGKILL: nothing in the program learns of it.
    ///
    /// # Errors
    /// When it had ended before.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let mut child = self.running.take().context("the program is not running")?;
        if let Some(status) = child.try_wait()? {
            anyhow::bail!("the program ended by itself ({status}): {}", self.last_words());
        }
        child.kill().await?;
        Ok(())
    }

    /// How often it says that it panicked.
    ///
    /// # Errors
    /// When its log is not there.
    pub fn panics(&self) -> std::io::Result<usize> {
        Ok(std::fs::read_to_string(&self.log)?.matches("panicked at").count())
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().rev().take(3).collect::<Vec<_>>().join(" / ")
    }

    fn environment(&self) -> anyhow::Result<Vec<(&'static str, String)>> {
        let config = &self.config;
        let stripe = config.stripe.clone().context("no sandbox is configured")?;
        let s3 = config.s3.clone().context("no store is configured")?;
        Ok(vec![
            ("SOUK_ENV", "development".into()),
            ("SOUK_LISTEN", config.listen.to_string()),
            ("SOUK_BASE_URL", config.base_url.clone()),
            ("SOUK_API_RATE", config.api_rate.to_string()),
            ("SOUK_HOLD_MINUTES", (config.hold.as_secs() / 60).to_string()),
            ("SOUK_SWEEP_MINUTES", (config.sweep_after.as_secs() / 60).to_string()),
            ("SOUK_PAGE_CACHE_MB", config.page_cache_mb.to_string()),
            ("SOUK_CURRENCY", config.currency.code().into()),
            ("DATABASE_URL", config.database_url.clone().context("no database is configured")?),
            ("STRIPE_SECRET_KEY", stripe.secret_key),
            ("STRIPE_API_BASE", stripe.api_base),
            ("STRIPE_WEBHOOK_SECRET", stripe.webhook_secret),
            ("S3_ENDPOINT", s3.endpoint),
            ("S3_REGION", s3.region),
            ("S3_BUCKET", s3.bucket),
            ("S3_ACCESS_KEY", s3.access_key),
            ("S3_SECRET_KEY", s3.secret_key),
            ("RUST_LOG", "warn".into()),
            ("RUST_BACKTRACE", "0".into()),
        ])
    }
}
