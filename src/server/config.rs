//! Configuration from the environment, read once. What is not set has a stand-in, except in production.

use crate::{money::Currency, payouts::model::Settings};
use anyhow::Context;
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Where the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    Development,
    Production,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStyle {
    /// For people.
    Text,
    /// One JSON object in each line.
    Json,
}

/// An S3-compatible store.
#[derive(Clone)]
pub struct S3Config {
    pub endpoint: String,
    pub region: String,
    pub bucket: String,
    pub access_key: String,
    pub secret_key: String,
}

/// Stripe, or the sandbox that speaks like it.
#[derive(Clone)]
pub struct StripeConfig {
    pub secret_key: String,
    /// `https://api.stripe.com/` unless the sandbox stands in.
    pub api_base: String,
    pub webhook_secret: String,
}

impl StripeConfig {
    /// Where files are sent: Stripe takes them on a host of their own, its stand-ins where they take everything.
    pub fn files_base(&self) -> &str {
        if self.api_base == "https://api.stripe.com/" { "https://files.stripe.com/" } else { &self.api_base }
    }
}

/// The company behind the platform, as it stands on what it writes to vendors.
#[derive(Debug, Clone)]
pub struct Company {
    pub name: String,
    /// The lines of its address.
    pub address: Vec<String>,
    /// Empty: none.
    pub vat_number: String,
}

/// A company that does not exist; good for development alone.
const NOBODY: &str = "Souk (nobody's company yet)";

/// Everything that can be set. `None` means: the program starts its own stand-in.
#[derive(Clone)]
pub struct Config {
    pub environment: Environment,
    pub listen: SocketAddr,
    /// Where people reach us, without a trailing slash: `https://souk.example`.
    pub base_url: String,
    pub data_dir: PathBuf,
    /// The built browser program and static files.
    pub site_dir: PathBuf,
    /// The demo world's texts and pictures.
    pub demo_dir: PathBuf,
    pub database_url: Option<String>,
    pub stripe: Option<StripeConfig>,
    pub stripe_listen: SocketAddr,
    pub s3: Option<S3Config>,
    pub s3_listen: SocketAddr,
    pub smtp_url: Option<String>,
    pub mail_from: String,
    /// Signs order links and cursors; at least 32 bytes in production.
    pub secret: String,
    pub currency: Currency,
    pub company: Company,
    /// How long stock is held for an unpaid order.
    pub hold: Duration,
    /// The sweeper asks Stripe about payments open for longer than this.
    pub sweep_after: Duration,
    /// Days after the last shipment of a parcel until its vendor can be paid, where nobody says earlier that it has arrived.
    pub release_days: u16,
    /// How vendors are paid who have not said otherwise.
    pub payouts: Settings,
    /// How many days after it was sent something may be asked back.
    pub return_days: u32,
    /// How many REST requests one client address or token may make in a minute.
    pub api_rate: u32,
    /// How many megabytes of drawn pages are kept; 0: none.
    pub page_cache_mb: u64,
    /// The address of a proxy whose X-Forwarded-For is believed.
    pub trusted_proxy: Option<std::net::IpAddr>,
    pub log: LogStyle,
    /// Opens `/metrics`; without it only this machine may ask.
    pub metrics_token: Option<String>,
    /// Where spans go by OTLP over HTTP; `None`: nowhere.
    pub otlp_endpoint: Option<String>,
}

/// The secret of a development server; known to everyone, hence refused in production.
pub const DEVELOPMENT_SECRET: &str = "souk-development-secret-not-for-production";

impl Config {
    /// Reads the process's environment.
    pub fn from_env() -> anyhow::Result<Self> {
        Self::read(|name| std::env::var(name).ok().filter(|v| !v.is_empty()))
    }

    /// Reads from any source of variables; see the table in the README.
    pub fn read(var: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let or = |name: &str, default: &str| var(name).unwrap_or_else(|| default.to_owned());
        let listen: SocketAddr = parse("SOUK_LISTEN", &or("SOUK_LISTEN", "127.0.0.1:3000"))?;
        let environment = match or("SOUK_ENV", "development").as_str() {
            "development" => Environment::Development,
            "production" => Environment::Production,
            other => anyhow::bail!("SOUK_ENV is {other:?}; it must be development or production"),
        };
        let log = match var("SOUK_LOG").as_deref() {
            None if environment == Environment::Production => LogStyle::Json,
            None | Some("text") => LogStyle::Text,
            Some("json") => LogStyle::Json,
            Some(other) => anyhow::bail!("SOUK_LOG is {other:?}; it must be text or json"),
        };
        let minutes = |name: &str, default: &str| -> anyhow::Result<Duration> {
            Ok(Duration::from_secs(60 * parse::<u64>(name, &or(name, default))?))
        };
        let stripe = var("STRIPE_SECRET_KEY").map(|secret_key| StripeConfig {
            secret_key,
            api_base: or("STRIPE_API_BASE", "https://api.stripe.com/"),
            webhook_secret: or("STRIPE_WEBHOOK_SECRET", ""),
        });
        let s3 = var("S3_ENDPOINT").map(|endpoint| S3Config {
            endpoint,
            region: or("S3_REGION", "eu-west-2"),
            bucket: or("S3_BUCKET", "souk"),
            access_key: or("S3_ACCESS_KEY", ""),
            secret_key: or("S3_SECRET_KEY", ""),
        });
        Ok(Self {
            environment,
            listen,
            base_url: or("SOUK_BASE_URL", &format!("http://{listen}")).trim_end_matches('/').to_owned(),
            data_dir: or("SOUK_DATA_DIR", ".souk").into(),
            site_dir: or("SOUK_SITE_DIR", "target/site").into(),
            demo_dir: or("SOUK_DEMO_DIR", "demo").into(),
            database_url: var("DATABASE_URL"),
            stripe,
            stripe_listen: parse("SOUK_STRIPE_LISTEN", &or("SOUK_STRIPE_LISTEN", "127.0.0.1:12111"))?,
            s3,
            s3_listen: parse("SOUK_S3_LISTEN", &or("SOUK_S3_LISTEN", "127.0.0.1:9000"))?,
            smtp_url: var("SMTP_URL"),
            mail_from: or("SOUK_MAIL_FROM", "Souk <hello@souk.example>"),
            secret: or("SOUK_SECRET", DEVELOPMENT_SECRET),
            currency: or("SOUK_CURRENCY", "GBP").parse().context("SOUK_CURRENCY")?,
            company: Company {
                name: or("SOUK_COMPANY_NAME", NOBODY),
                address: or("SOUK_COMPANY_ADDRESS", "1 Market Square|London EC1A 1AA|United Kingdom")
                    .split('|')
                    .map(|line| line.trim().to_owned())
                    .filter(|line| !line.is_empty())
                    .collect(),
                vat_number: or("SOUK_COMPANY_VAT", ""),
            },
            hold: minutes("SOUK_HOLD_MINUTES", "15")?,
            sweep_after: minutes("SOUK_SWEEP_MINUTES", "5")?,
            release_days: parse("SOUK_RELEASE_DAYS", &or("SOUK_RELEASE_DAYS", "7"))?,
            payouts: Settings {
                schedule: parse("SOUK_PAYOUT_SCHEDULE", &or("SOUK_PAYOUT_SCHEDULE", "weekly-monday"))?,
                minimum_minor: parse::<u32>("SOUK_PAYOUT_MINIMUM", &or("SOUK_PAYOUT_MINIMUM", "1000"))?.into(),
                holding_days: parse("SOUK_PAYOUT_HOLDING_DAYS", &or("SOUK_PAYOUT_HOLDING_DAYS", "7"))?,
            },
            return_days: parse("SOUK_RETURN_DAYS", &or("SOUK_RETURN_DAYS", "30"))?,
            api_rate: parse("SOUK_API_RATE", &or("SOUK_API_RATE", "6000"))?,
            page_cache_mb: parse("SOUK_PAGE_CACHE_MB", &or("SOUK_PAGE_CACHE_MB", "64"))?,
            trusted_proxy: var("SOUK_TRUSTED_PROXY").map(|v| parse("SOUK_TRUSTED_PROXY", &v)).transpose()?,
            log,
            metrics_token: var("SOUK_METRICS_TOKEN"),
            otlp_endpoint: var("OTEL_EXPORTER_OTLP_ENDPOINT"),
        })
    }

    pub fn production(&self) -> bool {
        self.environment == Environment::Production
    }

    /// Everything that must be mended before this may run in production, one sentence each; empty elsewhere.
    pub fn refusals(&self) -> Vec<String> {
        let mut no = Vec::new();
        if !self.production() {
            return no;
        }
        let mut refuse = |bad: bool, sentence: &str| {
            if bad {
                no.push(sentence.to_owned());
            }
        };
        refuse(self.database_url.is_none(), "DATABASE_URL is missing: the embedded PostgreSQL is for development.");
        refuse(self.s3.is_none(), "S3_ENDPOINT is missing: the embedded S3 server is for development.");
        if let Some(s3) = &self.s3 {
            refuse(s3.access_key.is_empty() || s3.secret_key.is_empty(), "S3_ACCESS_KEY or S3_SECRET_KEY is missing.");
        }
        match &self.stripe {
            None => refuse(true, "STRIPE_SECRET_KEY is missing: the Stripe sandbox is for development."),
            Some(stripe) => {
                refuse(!stripe.api_base.starts_with("https://"), "STRIPE_API_BASE points at a sandbox: it must be https.");
                refuse(stripe.webhook_secret.len() < 16, "STRIPE_WEBHOOK_SECRET is missing or shorter than 16 characters.");
            }
        }
        refuse(self.smtp_url.is_none(), "SMTP_URL is missing: the mailbox page is for development.");
        refuse(!self.base_url.starts_with("https://"), "SOUK_BASE_URL must be the https address that people use.");
        refuse(self.secret == DEVELOPMENT_SECRET, "SOUK_SECRET is missing or the development secret that everybody knows.");
        refuse(self.secret.len() < 32, "SOUK_SECRET is shorter than 32 characters.");
        refuse(self.company.name == NOBODY, "SOUK_COMPANY_NAME is missing: it stands on every commission invoice.");
        refuse(
            self.metrics_token.as_ref().is_some_and(|t| t.len() < 16),
            "SOUK_METRICS_TOKEN is shorter than 16 characters; leave it out to let this machine alone ask.",
        );
        no
    }
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(name: &str, text: &str) -> anyhow::Result<T> {
    text.parse().map_err(|e| anyhow::anyhow!("{name} is {text:?}: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(set: &[(&str, &str)]) -> Config {
        Config::read(|name| set.iter().find(|(n, _)| *n == name).map(|(_, v)| v.to_string())).unwrap()
    }

    #[test]
    fn production_names_everything_that_is_missing() {
        let no = config(&[("SOUK_ENV", "production")]).refusals().join(" ");
        for name in
            ["DATABASE_URL", "S3_ENDPOINT", "STRIPE_SECRET_KEY", "SMTP_URL", "SOUK_BASE_URL", "SOUK_SECRET", "SOUK_COMPANY_NAME"]
        {
            assert!(no.contains(name), "{name} in {no}");
        }
        assert!(config(&[]).refusals().is_empty());
    }

    #[test]
    fn production_runs_when_all_is_there() {
        let all = [
            ("SOUK_ENV", "production"),
            ("DATABASE_URL", "postgres://db/souk"),
            ("S3_ENDPOINT", "https://s3.example"),
            ("S3_ACCESS_KEY", "a"),
            ("S3_SECRET_KEY", "b"),
            ("STRIPE_SECRET_KEY", "sk_live_x"),
            ("STRIPE_WEBHOOK_SECRET", "whsec_0123456789abcdef"),
            ("SMTP_URL", "smtps://mail.example"),
            ("SOUK_BASE_URL", "https://souk.example"),
            ("SOUK_SECRET", "0123456789abcdef0123456789abcdef"),
            ("SOUK_COMPANY_NAME", "Market Hall Ltd"),
        ];
        assert_eq!(config(&all).refusals(), Vec::<String>::new());
        let mut sandbox = all.to_vec();
        sandbox.push(("STRIPE_API_BASE", "http://127.0.0.1:12111/"));
        assert_eq!(config(&sandbox).refusals().len(), 1);
        let short: Vec<_> = all.iter().map(|(n, v)| if *n == "SOUK_SECRET" { (*n, "short") } else { (*n, *v) }).collect();
        assert_eq!(config(&short).refusals().len(), 1);
    }
}
