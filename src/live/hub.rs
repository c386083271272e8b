//! One listener for each node: it reads what the tables told and hands it to the open dashboards whose vendor it concerns.
//!
//! The table is the truth, a notification only a nudge to read it: a nudge that is lost costs at most [`TICK`]. While no dashboard
//! is open on this node, nothing is read. That somebody left a team, or has another role in it, comes the same way, and ends their
//! open dashboards.

use super::model::{Kind, Since, Told};
use crate::{ids::VendorId, server::state::App};
use sqlx::{
    PgPool,
    postgres::{PgListener, PgNotification},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const CHANNEL: &str = "souk_live";
/// The table is read so often without a nudge, while somebody looks.
const TICK: Duration = Duration::from_secs(1);
/// How long nudges are gathered before they go out as one.
const GATHER: Duration = Duration::from_millis(50);
/// How long a lost connection is left alone before the next try.
const PAUSE: Duration = Duration::from_secs(1);
/// A dashboard that is so far behind reads what it missed from the table.
const BEHIND: usize = 64;
/// The last moment that a page can claim to have been drawn at, in milliseconds since 1970: the end of the year 9999.
const LATEST: i64 = 253_402_300_799_000;
/// How long what was told can be asked for again, in hours.
const KEPT_HOURS: i32 = 24;
/// What began so many seconds before a page was drawn may have been under way then, and not be on it.
const UNDER_WAY: f64 = 10.0;

/// What the open dashboards of a vendor hear at once.
#[derive(Debug, Clone, Default)]
pub struct News {
    pub since: Since,
    /// People who left the team or have another role now.
    pub moved: Vec<Uuid>,
}

/// The open dashboards of one node.
#[derive(Default)]
pub struct Hub {
    desks: Mutex<HashMap<VendorId, broadcast::Sender<News>>>,
    /// Whether everything that happens from now on is told.
    awake: watch::Sender<bool>,
    opened: Notify,
    wrote: Notify,
    closed: CancellationToken,
}

impl Hub {
    /// Somebody looks at this vendor's dashboard. Once this answers, everything that happens is told; what happened before is in
    /// [`since`].
    pub async fn open(&self, vendor: VendorId) -> broadcast::Receiver<News> {
        let (told, mut awake) = {
            let mut desks = self.desks();
            let told = desks.entry(vendor).or_insert_with(|| broadcast::channel(BEHIND).0).subscribe();
            (told, self.awake.subscribe())
        };
        self.opened.notify_one();
        // Its sender lives as long as we do.
        _ = awake.wait_for(|awake| *awake).await;
        told
    }

    /// Something may have been written: the nodes look soon.
    pub fn wrote(&self) {
        self.wrote.notify_one();
    }

    /// Ends what is open; the program stops.
    pub fn close(&self) {
        self.closed.cancel();
    }

    /// Resolves once the program stops.
    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// How many dashboards are open.
    pub fn dashboards(&self) -> usize {
        self.desks().values().map(broadcast::Sender::receiver_count).sum()
    }

    /// Forgets the vendors of whom no dashboard is open; `true` where none is, and the node may rest.
    fn rests(&self) -> bool {
        let mut desks = self.desks();
        desks.retain(|_, told| told.receiver_count() > 0);
        // Said under the lock: whoever opens one now waits until we are awake again.
        self.awake.send_if_modified(|awake| desks.is_empty() && std::mem::take(awake));
        desks.is_empty()
    }

    fn desks(&self) -> MutexGuard<'_, HashMap<VendorId, broadcast::Sender<News>>> {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, vendor: VendorId, news: News) {
        if let Some(desk) = self.desks().get(&vendor) {
            // Nobody there any more: nobody to tell.
            let _ = desk.send(news);
        }
    }
}

/// Reads and tells until `stop`, and looks for a new connection when it loses one.
pub async fn listen(app: App, stop: CancellationToken) {
    let hearing = async {
        // Kept over a lost connection, so that what happens meanwhile is told after it.
        let mut place = None;
        loop {
            let Err(error) = hear(&app, &mut place).await;
            tracing::warn!(%error, "dashboards hear nothing until the database is back");
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = hearing => {}
        () = nudge(&app) => {}
    }
}

/// Tells all nodes to look after something was written here; what comes close together is one nudge.
async fn nudge(app: &App) {
    loop {
        app.live.wrote.notified().await;
        if let Err(error) = sqlx::query!("select pg_notify($1, '')", CHANNEL).execute(&app.pool).await {
            tracing::debug!(%error, "no nudge: the nodes look by themselves");
        }
        tokio::time::sleep(GATHER).await;
    }
}

async fn hear(app: &App, place: &mut Option<Place>) -> Result<std::convert::Infallible, sqlx::Error> {
    let mut listener = PgListener::connect_with(&app.pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    loop {
        if app.live.rests() {
            *place = None;
            tokio::select! {
                () = app.live.opened.notified() => {}
                heard = listener.try_recv() => heard_of(heard)?,
            }
            continue;
        }
        let place = match place {
            Some(place) => place,
            None => place.insert(Place::now(&app.pool).await?),
        };
        app.live.awake.send_replace(true);
        tokio::select! {
            heard = listener.try_recv() => heard_of(heard)?,
            () = tokio::time::sleep(TICK) => {}
        }
        for (vendor, news) in place.read(&app.pool).await? {
            app.live.tell(vendor, news);
        }
    }
}

/// That a nudge came; an error where the connection went instead.
fn heard_of(heard: sqlx::Result<Option<PgNotification>>) -> sqlx::Result<()> {
    heard?.map(drop).ok_or_else(|| sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into()))
}

/// How far the table was read: everything of transactions before `horizon`, and of those after it what is in `seen`.
struct Place {
    horizon: String,
    seen: HashSet<i64>,
}

struct Row {
    horizon: String,
    id: Option<i64>,
    vendor: Option<VendorId>,
    kind: Option<String>,
    subject: Option<Uuid>,
    /// It was begun before the page that asks was drawn.
    early: Option<bool>,
}

impl Row {
    fn told(&self) -> Option<Told> {
        Some(Told { id: self.id?, kind: Kind::parse(self.kind.as_deref()?)?, subject: self.subject? })
    }

    /// Whose place in the team changed.
    fn moved(&self) -> Option<Uuid> {
        self.subject.filter(|_| self.kind.as_deref() == Some("team"))
    }
}

impl Place {
    async fn now(pool: &PgPool) -> sqlx::Result<Self> {
        Ok(Self { horizon: horizon(pool).await?, seen: HashSet::new() })
    }

    /// What is new, by vendor. What every transaction wrote that this statement cannot see yet comes with a later one, because the
    /// horizon stays before it.
    async fn read(&mut self, pool: &PgPool) -> sqlx::Result<HashMap<VendorId, News>> {
        let rows = sqlx::query_as!(
            Row,
            r#"select s.horizon::text as "horizon!", e.id as "id?", e.vendor_id as "vendor?: VendorId", e.kind as "kind?", e.subject_id as "subject?", null::bool as "early?"
               from (select pg_snapshot_xmin(pg_current_snapshot()) as horizon) s left join live_events e on e.xid >= $1::text::xid8
               order by e.id"#,
            self.horizon
        )
        .fetch_all(pool)
        .await?;
        let mut news = HashMap::<VendorId, News>::new();
        let mut seen = HashSet::new();
        for row in &rows {
            self.horizon.clone_from(&row.horizon);
            let Some((vendor, id)) = row.vendor.zip(row.id) else { continue };
            seen.insert(id);
            if !self.seen.contains(&id) {
                let news = news.entry(vendor).or_default();
                news.since.after.clone_from(&row.horizon);
                news.since.told.extend(row.told());
                news.moved.extend(row.moved());
            }
        }
        self.seen = seen;
        Ok(news)
    }
}

async fn horizon(pool: &PgPool) -> sqlx::Result<String> {
    sqlx::query_scalar!(r#"select pg_snapshot_xmin(pg_current_snapshot())::text as "horizon!""#).fetch_one(pool).await
}

/// From where a dashboard wants to know.
#[derive(Debug, Clone, Copy)]
pub enum From {
    /// The place it was told last; see [`Since::after`].
    Place(u64),
    /// Its page was drawn then, in milliseconds since 1970.
    Drawn(i64),
}

/// What a vendor was told since, as far as it is still kept.
pub async fn since(pool: &PgPool, vendor: VendorId, from: From) -> sqlx::Result<Since> {
    let (place, drawn) = match from {
        From::Place(place) => (Some(place.to_string()), None),
        From::Drawn(at) => (None, Some(at.clamp(0, LATEST) as f64 / 1000.0)),
    };
    let rows = sqlx::query_as!(
        Row,
        r#"select s.horizon::text as "horizon!", e.id as "id?", e.vendor_id as "vendor?: VendorId", e.kind as "kind?", e.subject_id as "subject?",
                  e.at < to_timestamp($3::float8) as "early?"
           from (select pg_snapshot_xmin(pg_current_snapshot()) as horizon) s
           left join live_events e on e.vendor_id = $1
               and (e.xid >= $2::text::xid8 or e.at >= to_timestamp($3::float8) - make_interval(secs => $4))
           order by e.id"#,
        vendor.uuid(),
        place,
        drawn,
        UNDER_WAY
    )
    .fetch_all(pool)
    .await?;
    let after = rows.first().map(|row| row.horizon.clone()).unwrap_or_default();
    let (early, fresh): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.early == Some(true));
    Ok(Since { told: fresh.into_iter().filter_map(Row::told).collect(), stale: !early.is_empty(), after })
}

/// Forgets what nobody can have missed any more.
pub async fn tidy(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::query!("delete from live_events where at < now() - make_interval(hours => $1)", KEPT_HOURS).execute(pool).await?;
    Ok(())
}
