//! Figures for Prometheus. What this process does is counted as it happens; what stands in the database is read when somebody
//! asks, in one statement.

use super::{auth::ClientAddress, errors::Presented, state::App};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder, core::Collector,
};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// Upper bounds of the histogram of requests, in seconds.
const BUCKETS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// How long the database may take to tell its figures; the others are told without them.
const PATIENCE: Duration = Duration::from_secs(1);

/// What became of a delivery of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Webhook {
    /// Stored for the first time.
    Received,
    /// We had it already.
    Duplicate,
    /// Its signature or its shape did not fit.
    Refused,
    /// Handling it failed, this once; it is tried again.
    Failed,
}

/// The counters of one program.
pub struct Metrics {
    registry: Registry,
    requests: HistogramVec,
    running: IntGauge,
    webhooks: IntCounterVec,
    pages: IntCounterVec,
}

impl Metrics {
    /// All at nothing.
    pub fn new() -> prometheus::Result<Self> {
        let requests = HistogramVec::new(
            HistogramOpts::new(
                "souk_http_request_duration_seconds",
                "Time until the answer's head, by route, method and status class",
            )
            .buckets(BUCKETS.to_vec()),
            &["route", "method", "status"],
        )?;
        let running = IntGauge::new("souk_http_requests_running", "Requests that are being answered")?;
        let webhooks = IntCounterVec::new(
            Opts::new("souk_webhooks_total", "Deliveries of webhooks to this process, and failures to handle them, by outcome"),
            &["outcome"],
        )?;
        // A counter that is there before its first event is one whose first event is seen.
        for outcome in ["received", "duplicate", "refused", "failed"] {
            webhooks.with_label_values(&[outcome]);
        }
        let pages = IntCounterVec::new(
            Opts::new("souk_pages_total", "Answers with a page that is the same for everybody, by where it came from"),
            &["from"],
        )?;
        for from in ["memory", "drawing"] {
            pages.with_label_values(&[from]);
        }
        let registry = Registry::new();
        let all: [Box<dyn Collector>; 4] =
            [Box::new(requests.clone()), Box::new(running.clone()), Box::new(webhooks.clone()), Box::new(pages.clone())];
        for one in all {
            registry.register(one)?;
        }
        Ok(Self { registry, requests, running, webhooks, pages })
    }

    /// The histogram of a route template, a method and a class such as `2xx`.
    pub fn request(&self, route: &str, method: &str, status: StatusCode) -> Histogram {
        let class = match status.as_u16() {
            100..200 => "1xx",
            200..300 => "2xx",
            300..400 => "3xx",
            400..500 => "4xx",
            _ => "5xx",
        };
        self.requests.with_label_values(&[route, method, class])
    }

    /// Counts a request as running for as long as the value lives, also when its client goes away.
    pub fn running(&self) -> Running {
        self.running.inc();
        Running(self.running.clone())
    }

    /// Counts a page of the shop: kept in memory, or drawn.
    pub fn page(&self, kept: bool) {
        self.pages.with_label_values(&[if kept { "memory" } else { "drawing" }]).inc();
    }

    pub fn webhook(&self, outcome: Webhook) {
        let outcome = match outcome {
            Webhook::Received => "received",
            Webhook::Duplicate => "duplicate",
            Webhook::Refused => "refused",
            Webhook::Failed => "failed",
        };
        self.webhooks.with_label_values(&[outcome]).inc();
    }
}

/// See [`Metrics::running`].
pub struct Running(IntGauge);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// What is waiting in the database.
struct Standing {
    jobs_waiting: i64,
    jobs_running: i64,
    jobs_failed: i64,
    holds: i64,
    webhooks_pending: i64,
    webhooks_failed: i64,
}

async fn standing(app: &App) -> sqlx::Result<Standing> {
    sqlx::query_as!(
        Standing,
        r#"select (select count(*) from jobs where state = 'queued') as "jobs_waiting!",
                  (select count(*) from jobs where state = 'running') as "jobs_running!",
                  (select count(*) from jobs where state = 'failed') as "jobs_failed!",
                  (select count(*) from stock_holds where state = 'held') as "holds!",
                  (select count(*) from webhook_events where state = 'pending') as "webhooks_pending!",
                  (select count(*) from webhook_events where state = 'failed') as "webhooks_failed!""#
    )
    .fetch_one(&app.pool)
    .await
}

/// `GET /metrics`: with the configured token, or, where none is, for this machine alone.
pub async fn page(State(app): State<App>, ClientAddress(address): ClientAddress, headers: HeaderMap) -> Response {
    match &app.config.metrics_token {
        Some(token) => {
            let presented = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.split_once(' '));
            let fits = presented.is_some_and(|(scheme, presented)| {
                scheme.eq_ignore_ascii_case("bearer") && bool::from(presented.trim().as_bytes().ct_eq(token.as_bytes()))
            });
            if !fits {
                let ask = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
                return plain((
                    StatusCode::UNAUTHORIZED,
                    ask,
                    "The figures are for those with the token of SOUK_METRICS_TOKEN.\n",
                ));
            }
        }
        // What a proxy of this machine passes on comes from anywhere.
        None if !address.is_loopback() || headers.contains_key("x-forwarded-for") || headers.contains_key(header::FORWARDED) => {
            return plain((StatusCode::FORBIDDEN, "The figures are for this machine alone, unless SOUK_METRICS_TOKEN is set.\n"));
        }
        None => {}
    }
    let standing = match tokio::time::timeout(PATIENCE, standing(&app)).await {
        Ok(Ok(standing)) => Some(standing),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database does not tell its figures");
            None
        }
        Err(_) => {
            tracing::warn!("the database does not tell its figures in time");
            None
        }
    };
    match text(&app, standing) {
        Ok(text) => plain(([(header::CONTENT_TYPE, HeaderValue::from_static(prometheus::TEXT_FORMAT))], text)),
        Err(error) => {
            tracing::error!(%error, "the figures cannot be written");
            plain((StatusCode::INTERNAL_SERVER_ERROR, "The figures cannot be written.\n"))
        }
    }
}

fn plain(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(Presented);
    response
}

/// Everything in the text format 0.0.4. Gauges are made for this one answer, so that two who ask at once do not mix.
fn text(app: &App, standing: Option<Standing>) -> prometheus::Result<String> {
    let now = Registry::new();
    let gauge = |name: &str, help: &str, label: &str, values: &[(&str, i64)]| -> prometheus::Result<()> {
        let gauges = IntGaugeVec::new(Opts::new(name, help), &[label])?;
        for (value, number) in values {
            gauges.with_label_values(&[*value]).set(*number);
        }
        now.register(Box::new(gauges))
    };
    let single = |name: &str, help: &str, number: i64| -> prometheus::Result<()> {
        let gauge = IntGauge::new(name, help)?;
        gauge.set(number);
        now.register(Box::new(gauge))
    };
    let (size, idle) = (i64::from(app.pool.size()), i64::try_from(app.pool.num_idle()).unwrap_or(i64::MAX));
    gauge(
        "souk_database_connections",
        "Connections of this process's pool, by state",
        "state",
        &[("idle", idle), ("used", (size - idle).max(0))],
    )?;
    single(
        "souk_database_connections_max",
        "The most connections that the pool opens",
        i64::from(app.pool.options().get_max_connections()),
    )?;
    single("souk_pages_kept_bytes", "What the kept pages weigh", i64::try_from(app.pages.bytes()).unwrap_or(i64::MAX))?;
    single("souk_database_up", "Whether the database told its figures", i64::from(standing.is_some()))?;
    if let Some(s) = standing {
        gauge(
            "souk_jobs",
            "Jobs in the queue, by state",
            "state",
            &[("waiting", s.jobs_waiting), ("running", s.jobs_running), ("failed", s.jobs_failed)],
        )?;
        single("souk_stock_holds", "Holds of stock for unpaid orders", s.holds)?;
        gauge(
            "souk_webhook_events",
            "Stored webhook events that are not handled, by state",
            "state",
            &[("pending", s.webhooks_pending), ("failed", s.webhooks_failed)],
        )?;
    }
    let mut families = app.metrics.registry.gather();
    families.extend(now.gather());
    TextEncoder::new().encode_to_string(&families)
}
