//! What every handler can reach, in one cheap clone.

use super::{config::Config, password::Passwords, storage::Storage};
use anyhow::Context;
use sqlx::PgPool;
use std::{ops::Deref, sync::Arc};

/// The running program. Every layer of every request clones it, so a clone is one reference count.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What it is made of.
pub struct Parts {
    pub pool: PgPool,
    pub config: Arc<Config>,
    pub passwords: Passwords,
    pub storage: Storage,
    /// Speaks to Stripe, or to the sandbox when no key is configured.
    pub stripe: stripe::Client,
    /// The secret with which Stripe signs its webhooks to us.
    pub webhook_secret: Arc<str>,
    /// The Stripe sandbox when it stands in; `None` with a real key.
    pub sandbox: Option<crate::sandbox::stripe::Sandbox>,
    pub assets: Arc<super::page::Assets>,
    /// Pages that are the same for everybody.
    pub pages: Arc<super::cache::PageCache>,
    /// The open dashboards.
    pub live: Arc<crate::live::hub::Hub>,
    /// How often the pages of products were looked at lately.
    pub page_views: crate::figures::page_views::PageViews,
    /// What is told at `/metrics`.
    pub metrics: Arc<super::metrics::Metrics>,
    /// How many REST requests each client made lately.
    pub limiter: Arc<super::rest::Limiter>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Puts the parts together. `config.stripe` and `config.s3` must be set by now: by the environment, or by the
    /// stand-ins that [`super::start`] started.
    pub fn new(config: Config, pool: PgPool, sandbox: Option<crate::sandbox::stripe::Sandbox>) -> anyhow::Result<Self> {
        let stripe = config.stripe.as_ref().context("no Stripe is configured")?;
        let client = stripe::ClientBuilder::new(stripe.secret_key.clone())
            .url(stripe.api_base.clone())
            .timeout(std::time::Duration::from_secs(20))
            .build()
            .map_err(|e| anyhow::anyhow!("Stripe's client: {e}"))?;
        let storage = Storage::from_config(config.s3.as_ref().context("no S3 store is configured")?);
        let assets = Arc::new(super::page::Assets::find(&config.site_dir));
        Ok(Self(Arc::new(Parts {
            pool,
            passwords: Passwords::new(2)?,
            storage,
            stripe: client,
            webhook_secret: stripe.webhook_secret.as_str().into(),
            sandbox,
            assets,
            pages: Arc::new(super::cache::PageCache::new(config.page_cache_mb)),
            live: Arc::default(),
            page_views: Default::default(),
            metrics: Arc::new(super::metrics::Metrics::new()?),
            limiter: Arc::new(super::rest::Limiter::new(config.api_rate)),
            config: Arc::new(config),
        })))
    }
}
