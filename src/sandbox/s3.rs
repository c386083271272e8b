//! An S3 server in the program, over a plain folder: what stands in for an object store in development and in tests.
//! It checks signatures like the real one; s3s sends no CORS headers, so they are added here. On request its disk is full.

use anyhow::Context;
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header},
};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tower::Service;

/// How long requests under way may take to end when the server stops.
const FAREWELL: Duration = Duration::from_secs(5);

/// A running S3 server; it ends with [`Running::stop`] or when dropped.
pub struct Running {
    address: SocketAddr,
    full: Arc<AtomicBool>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// What a store says whose disk is full, as MinIO words it: status 507 (RFC 4918, 11.5).
const FULL: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>XMinioStorageFull</Code>\
<Message>Storage backend has reached its minimum free drive threshold.</Message></Error>";

impl Running {
    /// Where it listens; the port is a real one even when 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What an S3 client takes as its endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Whether its disk is full from now on: what is there can be read, and nothing is kept.
    pub fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
    }

    /// Takes no more connections and lets those under way end.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if tokio::time::timeout(FAREWELL, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Serves the buckets that are the folders of `root` to whoever signs with this key pair.
pub async fn start(listen: SocketAddr, root: &Path, access_key: &str, secret_key: &str) -> anyhow::Result<Running> {
    tokio::fs::create_dir_all(root).await.with_context(|| format!("making {}", root.display()))?;
    let files = s3s_fs::FileSystem::new(root)
        .map_err(|e| anyhow::anyhow!("{e:?}"))
        .with_context(|| format!("opening {}", root.display()))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(access_key, secret_key));
    let service = builder.build();

    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("the embedded S3 server cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    let full = Arc::new(AtomicBool::new(false));
    let is_full = full.clone();
    let router = Router::new().fallback(move |request| answer(service.clone(), is_full.clone(), request));
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
            tracing::error!("the embedded S3 server ended: {error}");
        }
    });
    Ok(Running { address, full, stop, task })
}

async fn answer(mut service: S3Service, full: Arc<AtomicBool>, request: Request<Body>) -> Response<Body> {
    // A browser asks before it uploads; the question carries no signature, so it never reaches s3s.
    let preflight = request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if preflight {
        bare(StatusCode::NO_CONTENT)
    } else if full.load(Ordering::Relaxed) && matches!(*request.method(), Method::PUT | Method::POST) {
        let mut response = bare(StatusCode::INSUFFICIENT_STORAGE);
        *response.body_mut() = Body::from(FULL);
        response
    } else {
        match Service::call(&mut service, request).await {
            Ok(response) => response.map(Body::new),
            Err(error) => {
                tracing::error!("the embedded S3 server failed: {error:?}");
                bare(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    };
    allow_any_origin(response.headers_mut());
    response
}

fn bare(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Any page may ask, because only a signature opens anything.
fn allow_any_origin(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, PUT, POST, DELETE"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "ETag"),
        (header::ACCESS_CONTROL_MAX_AGE, "3600"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
