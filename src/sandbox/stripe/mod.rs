//! A stand-in for Stripe: its HTTP API as the official libraries speak it, its hosted card page and its webhooks, over PostgreSQL.
//! It never leaves this machine and takes no real card; `COVERAGE.md` beside this file lists what it does and does not do.

mod accounts;
mod api;
pub mod balance;
mod banks;
mod cards;
mod clock;
pub mod controls;
mod deliveries;
mod disputes;
mod error;
mod events;
mod expiry;
mod form;
mod hosted;
mod html;
mod ids;
mod money;
mod objects;
mod params;
pub mod past;
mod payments;
mod payouts;
mod refunds;
mod store;
mod transfers;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use anyhow::Context;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use controls::{Controls, PayoutOutcome, controls_router};
pub use deliveries::signature;

/// The version of Stripe's API that every answer and event has; the one that our client library is made for.
pub const API_VERSION: &str = "2026-09-30.endive";

/// The most connections to the database that it opens.
const CONNECTIONS: u32 = 8;

/// Where the sandbox listens and whom it tells.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Port 0 takes any free port; [`Running::addr`] tells which.
    pub listen: SocketAddr,
    /// Where webhooks are sent, over plain http. None: events are kept and nothing is sent.
    pub webhook_url: Option<String>,
    /// Of which kinds of events it is told there, as of an endpoint's `enabled_events`: `*` is every kind.
    pub enabled_events: Vec<String>,
    /// `whsec_…`, the key of `Stripe-Signature`.
    pub webhook_secret: String,
    /// How a browser reaches the hosted page, without a slash at the end. None: the address it listens on.
    pub public_url: Option<String>,
}

/// A handle on the sandbox's state. Cheap to clone; several programs may have one over the same database.
#[derive(Clone)]
pub struct Sandbox {
    pool: PgPool,
    config: Arc<SandboxConfig>,
    /// nudges the sender of webhooks after something was enqueued
    wake: Arc<Notify>,
    /// seconds by which its clock is ahead of the machine's
    ahead: Arc<AtomicI64>,
}

/// What led to an event: a request of the API, or (both empty) something that Stripe's own pages did.
#[derive(Debug, Clone, Default)]
struct Cause {
    request_id: Option<String>,
    idempotency_key: Option<String>,
    /// the sandbox, to know who listens to webhooks; none: nobody
    config: Option<Arc<SandboxConfig>>,
    /// the connected account it happens at; none: the platform
    account: Option<String>,
}

impl Cause {
    /// Whether anyone is told of this kind of event.
    fn told(&self, kind: &str) -> bool {
        self.config.as_deref().is_some_and(|config| {
            config.webhook_url.is_some() && config.enabled_events.iter().any(|enabled| enabled == "*" || enabled == kind)
        })
    }

    /// The same at a connected account.
    fn at(&self, account: Option<&str>) -> Self {
        Self { account: account.map(str::to_owned), ..self.clone() }
    }
}

impl Sandbox {
    /// A handle for the controls of a sandbox that another program serves. Creates the state where it is missing.
    pub async fn connect(pool: PgPool, config: SandboxConfig) -> anyhow::Result<Self> {
        store::create_schema(&pool).await.context("create the state of the Stripe sandbox")?;
        let ahead = clock::load(&pool).await.context("the clock of the Stripe sandbox")?;
        Ok(Self { pool, config: Arc::new(config), wake: Arc::new(Notify::new()), ahead: Arc::new(AtomicI64::new(ahead)) })
    }

    /// The cause of what people do on Stripe's own pages.
    fn page_cause(&self) -> Cause {
        Cause { config: Some(Arc::clone(&self.config)), ..Cause::default() }
    }

    /// Where a browser finds the hosted pages.
    fn base(&self) -> &str {
        self.config.public_url.as_deref().unwrap_or_default()
    }
}

/// A sandbox that serves. Dropping it stops it at once; [`Running::stop`] lets requests end first.
pub struct Running {
    /// `http://127.0.0.1:12111`, for the client library
    pub url: String,
    pub addr: SocketAddr,
    /// for the controls
    pub sandbox: Sandbox,
    stopping: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts the API, the hosted page, the sender of webhooks and the clock that lets happen what is due.
/// `pool` says which database it uses; the connections are its own.
pub async fn start(pool: PgPool, config: SandboxConfig) -> anyhow::Result<Running> {
    let listener = tokio::net::TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("the Stripe sandbox cannot listen on {}", config.listen))?;
    let addr = listener.local_addr().context("the address of the Stripe sandbox")?;
    let url = format!("http://{addr}");
    let public_url = config.public_url.clone().unwrap_or_else(|| url.clone()).trim_end_matches('/').to_owned();
    // Connections of its own: a shop that waits for Stripe while it holds one must not keep Stripe from answering.
    let own = PgPoolOptions::new().max_connections(CONNECTIONS).connect_lazy_with((*pool.connect_options()).clone());
    let sandbox = Sandbox::connect(own, SandboxConfig { public_url: Some(public_url), ..config }).await?;
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .context("the Stripe sandbox cannot make its HTTP client")?;

    let stopping = CancellationToken::new();
    let router = axum::Router::new()
        .merge(api::router())
        .merge(hosted::router())
        .merge(controls::json::router())
        .layer(axum::middleware::from_fn_with_state(sandbox.clone(), in_its_time))
        .with_state(sandbox.clone());
    let served = stopping.clone();
    let server = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(served.cancelled_owned()).await {
            tracing::error!(%error, "the Stripe sandbox stopped serving");
        }
    });
    let sender = tokio::spawn(deliveries::run(sandbox.clone(), client));
    let clock = tokio::spawn(clock::run(sandbox.clone()));
    tracing::info!(%url, "the Stripe sandbox is open");
    Ok(Running { url, addr, sandbox, stopping, tasks: vec![server, sender, clock] })
}

/// Every request is answered at the sandbox's own time.
async fn in_its_time(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    sandbox.in_its_time(next.run(request)).await
}

impl Running {
    /// Stops taking requests, waits a little for those under way, and stops.
    pub async fn stop(mut self) {
        self.stopping.cancel();
        let tasks = std::mem::take(&mut self.tasks);
        for (place, mut task) in tasks.into_iter().enumerate() {
            // the first is the server; the others only loop
            let ended = place == 0 && tokio::time::timeout(Duration::from_secs(3), &mut task).await.is_ok();
            if !ended {
                task.abort();
                // an aborted task's result says only that it was aborted
                let _ = task.await;
            }
        }
        self.sandbox.pool.close().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopping.cancel();
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_version_is_the_client_librarys() {
        assert_eq!(stripe_shared::version::VERSION.to_string(), super::API_VERSION);
    }
}
