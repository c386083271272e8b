//! Load: connections that ask, wait for the whole answer, and ask again.

use anyhow::Context;
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{net::TcpStream, task::JoinSet};

/// One request.
#[derive(Debug, Clone)]
pub struct Wish {
    method: Method,
    path: String,
    body: Bytes,
}

impl Wish {
    pub fn get(path: &str) -> Self {
        Self { method: Method::GET, path: path.to_owned(), body: Bytes::new() }
    }

    pub fn post(path: &str, json: String) -> Self {
        Self { method: Method::POST, path: path.to_owned(), body: json.into() }
    }
}

/// How long each answer took.
#[derive(Debug, Default)]
pub struct Loaded {
    took: Vec<Duration>,
    period: Duration,
}

impl Loaded {
    pub fn done(&self) -> usize {
        self.took.len()
    }

    pub fn rate(&self) -> f64 {
        self.took.len() as f64 / self.period.as_secs_f64()
    }

    /// The time within which so many hundredths were answered.
    pub fn percentile(&self, hundredths: usize) -> Duration {
        let at = (self.took.len() * hundredths / 100).min(self.took.len().saturating_sub(1));
        self.took.get(at).copied().unwrap_or_default()
    }
}

/// Waits until somebody listens.
pub async fn wait_for(at: SocketAddr) -> anyhow::Result<()> {
    for _ in 0..500 {
        if TcpStream::connect(at).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("nobody listens at {at}")
}

/// Asks for each of `wishes` in turn on so many connections for so long. An answer that is no success ends it.
pub async fn load(at: SocketAddr, wishes: &[Wish], connections: usize, period: Duration) -> anyhow::Result<Loaded> {
    let until = Instant::now() + period;
    let mut tasks = JoinSet::new();
    for first in 0..connections {
        let wishes = wishes.to_vec();
        tasks.spawn(async move { connection(at, &wishes, first, until).await });
    }
    let mut all = Loaded { took: Vec::new(), period };
    while let Some(took) = tasks.join_next().await {
        all.took.extend(took??);
    }
    all.took.sort_unstable();
    Ok(all)
}

async fn connection(at: SocketAddr, wishes: &[Wish], first: usize, until: Instant) -> anyhow::Result<Vec<Duration>> {
    let stream = TcpStream::connect(at).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut took = Vec::new();
    for wish in wishes.iter().cycle().skip(first) {
        let began = Instant::now();
        if began >= until {
            break;
        }
        let request = Request::builder()
            .method(&wish.method)
            .uri(&wish.path)
            .header(header::HOST, at.to_string())
            // As Chrome and Firefox ask.
            .header(header::ACCEPT_ENCODING, "gzip, deflate, br, zstd")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(wish.body.clone()))?;
        sender.ready().await?;
        let answer = sender.send_request(request).await.with_context(|| wish.path.clone())?;
        let status = answer.status();
        answer.into_body().collect().await?;
        anyhow::ensure!(status.is_success(), "{} answers {status}", wish.path);
        took.push(began.elapsed());
    }
    Ok(took)
}
