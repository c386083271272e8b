//! Open dashboards: what many cost a node that nobody does anything on, and how soon they hear of something.

use crate::{machine::Meter, report::Fact};
use anyhow::Context;
use souk::{prove::stand::Stand, server::session};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
};

const DASHBOARDS: usize = 500;
/// They stand open for so long while nothing happens.
const CALM: Duration = Duration::from_secs(10);

/// Opens the dashboards of one vendor, watches them while nothing happens, and lets something happen.
pub async fn measure(stand: &Stand, meter: &Meter) -> anyhow::Result<[Fact; 2]> {
    let (vendor, owner): (uuid::Uuid, uuid::Uuid) =
        sqlx::query_as("select id, owner_id from vendors where slug = 'first'").fetch_one(&stand.pool).await?;
    let mut record = Record {
        id: Id::default(),
        data: [(session::USER_KEY.to_owned(), serde_json::json!(owner))].into(),
        expiry_date: time::OffsetDateTime::now_utc() + time::Duration::hours(1),
    };
    session::PostgresSessions(stand.pool.clone()).create(&mut record).await?;
    let asked = format!(
        "GET /vendor/events HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nCookie: souk={}\r\n\r\n",
        stand.config.listen, record.id
    );
    // Each event is one line `event: told`; the first one says that the dashboard is awake.
    let told = Arc::new(AtomicUsize::new(0));
    let mut open = tokio::task::JoinSet::new();
    for _ in 0..DASHBOARDS {
        let mut stream = TcpStream::connect(stand.config.listen).await?;
        stream.write_all(asked.as_bytes()).await?;
        let told = Arc::clone(&told);
        open.spawn(async move {
            let mut buffer = vec![0; 4096];
            while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                let events = String::from_utf8_lossy(&buffer[..read]).matches("event: told").count();
                told.fetch_add(events, Ordering::Relaxed);
            }
        });
    }
    until(&told, DASHBOARDS).await.context("the dashboards do not open")?;
    tokio::time::sleep(Duration::from_secs(1)).await;

    let before = meter.read()?;
    tokio::time::sleep(CALM).await;
    let used = meter.read()? - before;
    let calm = (used.program + used.postgres).as_secs_f64() * 1000.0 / CALM.as_secs_f64();

    let began = Instant::now();
    sqlx::query("insert into live_events (vendor_id, kind, subject_id) values ($1, 'order', $1)")
        .bind(vendor)
        .execute(&stand.pool)
        .await?;
    sqlx::query("select pg_notify('souk_live', '')").execute(&stand.pool).await?;
    until(&told, 2 * DASHBOARDS).await.context("the dashboards do not hear")?;
    let heard = began.elapsed().as_secs_f64() * 1000.0;
    open.shutdown().await;
    Ok([
        Fact { what: "500 dashboards open and nothing happens: CPU in a second", value: calm, at_most: 20.0, unit: "ms" },
        Fact { what: "500 dashboards told of one order", value: heard, at_most: 500.0, unit: "ms" },
    ])
}

async fn until(told: &AtomicUsize, wanted: usize) -> anyhow::Result<()> {
    let enough = async {
        while told.load(Ordering::Relaxed) < wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), enough).await?;
    Ok(())
}
