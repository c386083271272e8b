//! Pages that are the same for everybody, kept until something that they show changes.
//!
//! The tables say when that is (`migrations/0018_shelf.sql`), over one connection that listens; every node has its own. While that
//! connection is away nothing is kept, because nobody would say that it is old.
//!
//! An entry's key holds the age of the shelf at which drawing began: a change makes the shelf one older, and all entries of before
//! are out of reach at once, those that are still being drawn too. They leave the memory as new ones come in.

use super::{
    rest::{PUBLIC, known, tag},
    state::App,
};
use crate::catalog::pages::SHARED;
use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt;
use quick_cache::{Weighter, sync::Cache};
use sqlx::{PgPool, postgres::PgListener};
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// Where the tables tell of a change.
const CHANNEL: &str = "souk_shelf";
/// How long a lost connection is left alone before the next try.
const PAUSE: Duration = Duration::from_secs(1);
/// No entry is used for longer: a connection that died without a word is found out no later than this.
const LONGEST: u64 = 60;
/// Longer addresses are not kept: they are nobody's but their sender's.
const LONGEST_ADDRESS: usize = 512;
/// What an entry weighs beside its body, about.
const OVERHEAD: u64 = 2048;

/// The pages of one node.
pub struct PageCache {
    entries: Cache<Key, Entry, Weight>,
    /// Off by configuration.
    off: bool,
    listening: AtomicBool,
    shelf: AtomicU64,
    born: Instant,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    /// Of the shelf, and of the program in units of [`LONGEST`].
    age: (u64, u64),
    encoding: Encoding,
    address: String,
}

/// A page as it goes out. Cloning counts references, but for the headers.
#[derive(Clone)]
struct Entry {
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Clone)]
struct Weight;

impl Weighter<Key, Entry> for Weight {
    fn weight(&self, key: &Key, entry: &Entry) -> u64 {
        OVERHEAD + (key.address.len() + entry.body.len()) as u64
    }
}

impl PageCache {
    /// For at most so many megabytes; 0: nothing is kept.
    pub fn new(megabytes: u64) -> Self {
        Self {
            entries: Cache::with_weighter(1024, megabytes * 1024 * 1024, Weight),
            off: megabytes == 0,
            listening: AtomicBool::new(false),
            shelf: AtomicU64::new(0),
            born: Instant::now(),
        }
    }

    /// What is kept now, in bytes.
    pub fn bytes(&self) -> u64 {
        self.entries.weight()
    }

    /// Whether entries may be used: somebody would say that they are old.
    pub fn listening(&self) -> bool {
        self.listening.load(Ordering::Acquire)
    }

    fn key(&self, encoding: Encoding, address: &str) -> Key {
        let age = (self.shelf.load(Ordering::Acquire), self.born.elapsed().as_secs() / LONGEST);
        Key { age, encoding, address: address.to_owned() }
    }

    fn changed(&self) {
        self.shelf.fetch_add(1, Ordering::AcqRel);
    }
}

/// Hears of changes until `stop`, and looks for a new connection when it loses one.
pub async fn listen(app: App, stop: CancellationToken) {
    if app.pages.off {
        return;
    }
    let hearing = async {
        loop {
            let Err(error) = hear(&app.pool, &app.pages).await;
            app.pages.listening.store(false, Ordering::Release);
            app.pages.changed();
            tracing::warn!(%error, "no word of changes; pages are drawn for every request until there is");
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = hearing => {}
    }
}

async fn hear(pool: &PgPool, pages: &PageCache) -> Result<std::convert::Infallible, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    pages.changed();
    pages.listening.store(true, Ordering::Release);
    loop {
        match listener.try_recv().await? {
            Some(_) => pages.changed(),
            None => return Err(sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())),
        }
    }
}

/// The layer: answers a page from memory, or lets it be drawn, once for all who ask at the same time. Stands around the layer that
/// compresses, so that this is done once too.
pub async fn keep(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let Some(address) = shared_address(&app, &request) else { return next.run(request).await };
    let asked = request.headers().clone();
    let encoding = Encoding::wanted(&asked);
    if !app.pages.listening() || personal(&asked) {
        app.metrics.page(false);
        return next.run(request).await;
    }
    let key = app.pages.key(encoding, &address);
    let guard = match app.pages.entries.get_value_or_guard_async(&key).await {
        Ok(entry) => {
            app.metrics.page(true);
            return entry.answer(&asked);
        }
        Err(guard) => guard,
    };
    app.metrics.page(false);
    request.headers_mut().insert(header::ACCEPT_ENCODING, encoding.name());
    match Entry::of(next.run(request).await).await {
        Ok(entry) => {
            // Where it no longer fits, it is not kept; the answer is the same.
            let _kept = guard.insert(entry.clone());
            entry.answer(&asked)
        }
        Err(response) => response,
    }
}

/// The address, if its page may be the same for everybody.
fn shared_address(app: &App, request: &Request) -> Option<String> {
    let route = request.extensions().get::<MatchedPath>()?;
    let address = request.uri().path_and_query()?.as_str();
    let fits =
        !app.pages.off && request.method() == Method::GET && SHARED.contains(&route.as_str()) && address.len() <= LONGEST_ADDRESS;
    fits.then(|| address.to_owned())
}

/// Whether the client has a session: its page may say something to it alone, or lead it to its desk.
fn personal(asked: &HeaderMap) -> bool {
    let names = asked.get_all(header::COOKIE).iter().flat_map(|value| value.as_bytes().split(|b| *b == b';'));
    names.map(<[u8]>::trim_ascii_start).any(|pair| pair.starts_with(b"souk=") || pair.starts_with(b"__Host-souk="))
}

impl Entry {
    /// A page that everybody may see, read whole; anything else as it was.
    async fn of(response: Response) -> Result<Self, Response> {
        let ours = [header::SET_COOKIE, header::CACHE_CONTROL].iter().any(|name| response.headers().contains_key(name));
        if response.status() != StatusCode::OK || ours {
            return Err(response);
        }
        let (parts, body) = response.into_parts();
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => {
                tracing::error!(%error, "a page broke off while it was drawn");
                return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
            }
        };
        let mut headers = parts.headers;
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(PUBLIC));
        if let Ok(tag) = HeaderValue::from_str(&tag(&body)) {
            headers.insert(header::ETAG, tag);
        }
        Ok(Self { headers, body })
    }

    fn answer(self, asked: &HeaderMap) -> Response {
        let same = self.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).is_some_and(|tag| known(asked, tag));
        let (status, body) = if same { (StatusCode::NOT_MODIFIED, Body::empty()) } else { (StatusCode::OK, self.body.into()) };
        let mut response = (status, body).into_response();
        *response.headers_mut() = self.headers;
        if same {
            response.headers_mut().remove(header::CONTENT_TYPE);
            response.headers_mut().remove(header::CONTENT_ENCODING);
        }
        response
    }
}

/// In which shapes a page is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// The smallest that the client takes (RFC 9110, 12.5.3).
    fn wanted(asked: &HeaderMap) -> Self {
        let listed = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let mut taken = listed.flat_map(|value| value.split(',')).filter_map(|one| {
            let (name, weight) = one.split_once(';').unwrap_or((one, ""));
            let weight = weight.trim().trim_start_matches("q=").parse().unwrap_or(1.0_f32);
            match name.trim() {
                _ if weight <= 0.0 => None,
                "br" => Some(Self::Brotli),
                "gzip" | "x-gzip" => Some(Self::Gzip),
                _ => None,
            }
        });
        let first = taken.next().unwrap_or(Self::Identity);
        if taken.any(|one| one == Self::Brotli) { Self::Brotli } else { first }
    }

    fn name(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_encoding_that_is_taken() {
        for (value, wanted) in [
            ("gzip, deflate, br, zstd", Encoding::Brotli),
            ("br;q=0, gzip;q=0.5", Encoding::Gzip),
            ("gzip", Encoding::Gzip),
            ("br;q=0.1,gzip;q=1", Encoding::Brotli),
            ("deflate", Encoding::Identity),
            ("", Encoding::Identity),
        ] {
            let asked = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]);
            assert_eq!(Encoding::wanted(&asked), wanted, "{value}");
        }
        assert_eq!(Encoding::wanted(&HeaderMap::new()), Encoding::Identity);
    }

    #[test]
    fn a_session_is_personal_and_a_cart_is_not() {
        for (cookie, is) in
            [("souk=x", true), ("a=b; souk=x", true), ("__Host-souk=x", true), ("souk_cart=x", false), ("a=souk=", false)]
        {
            let asked = HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(cookie))]);
            assert_eq!(personal(&asked), is, "{cookie}");
        }
    }
}
