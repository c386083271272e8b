//! What every request leaves behind: an id that its client and every line of the log have in common, a place in the figures, and,
//! where a collector is configured, a span. A route stands everywhere by its template: addresses hold names and tokens.

use super::{config::LogStyle, state::App};
use anyhow::Context;
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use std::{io::IsTerminal, sync::Arc, time::Instant};
use tracing::{Instrument, Subscriber, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{EnvFilter, Layer, filter::filter_fn, prelude::*, registry::LookupSpan};

/// Where a request's id comes in and goes out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken from outside.
const LONGEST: usize = 64;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// What one request is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id of the request that this task answers; `None` outside of one.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn new() -> Self {
        Self(uuid::Uuid::now_v7().simple().to_string().into())
    }

    /// A proxy's or a client's own id, if it is short and a token (RFC 9110, 5.6.2), so that it cannot forge a line of the log.
    fn read(value: &HeaderValue) -> Option<Self> {
        let text = value.to_str().ok()?;
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        ((1..=LONGEST).contains(&text.len()) && text.bytes().all(token)).then(|| Self(text.into()))
    }
}

/// The outermost layer.
pub async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let _running = app.metrics.running();
    let id = request.headers().get(&REQUEST_ID).and_then(RequestId::read).unwrap_or_else(RequestId::new);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("static or unknown", |path| template(path.as_str()));
    let method = known(request.method());
    // An error's span, so that the id stands in whatever is logged at all.
    let span = tracing::error_span!(
        "request",
        id = id.as_str(),
        otel.name = format_args!("{method} {route}"),
        otel.kind = "server",
        status = Empty,
        otel.status_code = Empty
    );
    span.set_attribute("http.request.method", method);
    span.set_attribute("http.route", route.to_owned());

    let mut response = CURRENT.scope(id.clone(), next.run(request)).instrument(span.clone()).await;

    let (status, took) = (response.status(), began.elapsed());
    app.metrics.request(route, method, status).observe(took.as_secs_f64());
    span.record("status", status.as_u16());
    span.set_attribute("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    tracing::debug!(parent: &span, milliseconds = took.as_secs_f64() * 1000.0, "answered");
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// What [`observe`] does, for an answer that was kept in memory: counted under its route, told with an id. It has no span.
pub fn kept(app: &App, route: &str, asked: &HeaderMap, began: Instant, response: &mut Response) {
    let took = began.elapsed();
    let id = asked.get(&REQUEST_ID).and_then(RequestId::read).unwrap_or_else(RequestId::new);
    app.metrics.request(route, "GET", response.status()).observe(took.as_secs_f64());
    tracing::debug!(id = id.as_str(), milliseconds = took.as_secs_f64() * 1000.0, "answered from memory");
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
}

/// Without the names that axum gives to the rest of a nested path.
fn template(path: &str) -> &str {
    path.split("{*__private").next().unwrap_or(path)
}

/// The method, if HTTP knows it: a label must not take whatever a client sends.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The running log. Dropped at the end of the program, it hands over the spans that are still waiting.
pub struct Log {
    spans: Option<SdkTracerProvider>,
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.spans.take().map(|spans| spans.shutdown()) {
            tracing::warn!(%error, "the last spans were not handed over");
        }
    }
}

/// Starts the log on standard error; `RUST_LOG` chooses what is in it. With a collector (an address such as
/// `http://127.0.0.1:4318`), spans of requests and jobs go there by OTLP over HTTP.
pub fn start(style: LogStyle, collector: Option<&str>) -> anyhow::Result<Log> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn,aws=warn,hyper=warn"));
    let spans = collector.map(exporting).transpose()?;
    let exported = spans.as_ref().map(|spans| {
        let ours = filter_fn(|data| data.is_span() && data.target().starts_with("souk"));
        tracing_opentelemetry::layer()
            .with_tracer(spans.tracer("souk"))
            .with_location(false)
            .with_threads(false)
            .with_filter(ours)
    });
    let subscriber = tracing_subscriber::registry().with(lines(style).with_filter(filter)).with(exported);
    subscriber.try_init().context("a log was already started")?;
    Ok(Log { spans })
}

fn lines<S: Subscriber + for<'a> LookupSpan<'a>>(style: LogStyle) -> Box<dyn Layer<S> + Send + Sync> {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match style {
        LogStyle::Json => lines.json().with_current_span(false).with_span_list(true).boxed(),
        LogStyle::Text => lines.compact().with_ansi(std::io::stderr().is_terminal()).boxed(),
    }
}

/// Hands spans over in the background, some seconds' worth at once. A collector that is away costs spans, nothing else.
fn exporting(collector: &str) -> anyhow::Result<SdkTracerProvider> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", collector.trim_end_matches('/')))
        .build()
        .with_context(|| format!("OTEL_EXPORTER_OTLP_ENDPOINT is {collector:?}"))?;
    let name = std::env::var("OTEL_SERVICE_NAME").unwrap_or_else(|_| "souk".to_owned());
    let about = Resource::builder()
        .with_service_name(name)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(about).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_from_outside_is_short_and_a_token() {
        let read = |text: &str| HeaderValue::from_str(text).ok().and_then(|v| RequestId::read(&v)).map(|id| id.0.to_string());
        for good in ["a", "0192f0c1-7d1f-7000-8000-000000000000", "Root=1-abc".trim_start_matches("Root="), &"x".repeat(64)] {
            assert_eq!(read(good).as_deref(), Some(good));
        }
        for bad in ["", "two words", "a\"b", "{\"a\":1}", "ü", &"x".repeat(65)] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_ne!(RequestId::new(), RequestId::new());
    }
}
