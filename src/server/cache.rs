//! Answers that are the same for everybody, pages and REST, kept until something that they show changes.
//!
//! The tables say when that is (`migrations/0018_shelf.sql`), over one connection that listens; every node has its own. While that
//! connection is away nothing is kept, because nobody would say that it is old.
//!
//! An entry's key holds the age of the shelf at which drawing began: a change makes the shelf one older, and all entries of before
//! are out of reach at once, those that are still being drawn too. They leave the memory as new ones come in.

use super::{
    auth::ClientAddress,
    rest::{Left, PUBLIC, known, tag},
    state::App,
    trace,
};
use crate::{
    catalog::{pages, rest},
    figures::page_views::{self, Counter},
};
use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt;
use quick_cache::{Weighter, sync::Cache};
use sqlx::{PgPool, postgres::PgListener};
use std::{
    io::Write,
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
    /// The template of its address.
    route: MatchedPath,
    /// It is an answer of the REST interface, where requests are counted.
    call: bool,
    /// It is the page of a product: how often it was looked at is counted here.
    views: Option<Counter>,
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

    /// Whether this request may be answered with what others were answered.
    fn serves(&self, request: &Request) -> bool {
        let short = request.uri().path_and_query().is_some_and(|address| address.as_str().len() <= LONGEST_ADDRESS);
        !self.off && request.method() == Method::GET && short && self.listening() && !personal(request.headers())
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

/// The layer in front of the router: answers what is kept. Where spans are collected every answer has one, so it is left to
/// [`keep`] then.
pub async fn from_memory(State(app): State<App>, request: Request, next: Next) -> Response {
    match look_up(&app, &request) {
        Some(response) => response,
        None => next.run(request).await,
    }
}

fn look_up(app: &App, request: &Request) -> Option<Response> {
    let (began, asked) = (Instant::now(), request.headers());
    if app.config.otlp_endpoint.is_some() || !app.pages.serves(request) {
        return None;
    }
    let address = request.uri().path_and_query()?.as_str();
    let entry = app.pages.entries.get(&app.pages.key(Encoding::wanted(asked), address))?;
    let route = entry.route.clone();
    let mut response = entry.reply(app, request.extensions(), asked)?;
    trace::kept(app, route.as_str(), asked, began, &mut response);
    Some(response)
}

/// The layer behind the router: lets a page be drawn and compressed, once for all who ask at the same time, and keeps it.
pub async fn keep(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let Some(route) = shared(&request) else { return next.run(request).await };
    let views = counter(&app, &route, &request);
    if !app.pages.serves(&request) {
        app.metrics.page(false);
        let asked = views.is_some().then(|| request.headers().clone());
        let response = next.run(request).await;
        if let (Some(views), Some(asked), StatusCode::OK) = (views, asked, response.status()) {
            page_views::count(&views, &asked);
        }
        return response;
    }
    let address = request.uri().path_and_query().map_or("", |address| address.as_str());
    let encoding = Encoding::wanted(request.headers());
    let key = app.pages.key(encoding, address);
    let guard = match app.pages.entries.get_value_or_guard_async(&key).await {
        Ok(entry) => {
            return match entry.reply(&app, request.extensions(), request.headers()) {
                Some(response) => response,
                None => next.run(request).await,
            };
        }
        Err(guard) => guard,
    };
    app.metrics.page(false);
    let asked = request.headers().clone();
    request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    request.headers_mut().remove(header::IF_NONE_MATCH);
    match Entry::of(route, views, encoding, next.run(request).await).await {
        Ok((entry, own)) => {
            // Where it no longer fits, it is not kept; the answer is the same.
            let _kept = guard.insert(entry.clone());
            let mut response = entry.answer(&asked);
            response.headers_mut().extend(own);
            response
        }
        Err(response) => response,
    }
}

/// The route, if its answers may be the same for everybody.
fn shared(request: &Request) -> Option<MatchedPath> {
    let route = request.extensions().get::<MatchedPath>()?;
    let shared = pages::SHARED.contains(&route.as_str()) || rest::SHARED.contains(&route.as_str());
    shared.then(|| route.clone())
}

/// Where this page is counted, if it is a product's.
fn counter(app: &App, route: &MatchedPath, request: &Request) -> Option<Counter> {
    let counted = route.as_str() == pages::PRODUCT && request.method() == Method::GET;
    let slug = request.uri().path().rsplit('/').next().filter(|slug| slug.len() <= LONGEST_ADDRESS)?;
    counted.then(|| app.page_views.counter(slug))
}

/// Whether the client says who it is: its page may say something to it alone, or lead it to its desk.
fn personal(asked: &HeaderMap) -> bool {
    if asked.contains_key(header::AUTHORIZATION) {
        return true;
    }
    let names = asked.get_all(header::COOKIE).iter().flat_map(|value| value.as_bytes().split(|b| *b == b';'));
    names.map(<[u8]>::trim_ascii_start).any(|pair| pair.starts_with(b"souk=") || pair.starts_with(b"__Host-souk="))
}

impl Entry {
    /// A page that everybody may see, read whole, and the headers that are for this one client; anything else as it was.
    async fn of(
        route: MatchedPath,
        views: Option<Counter>,
        encoding: Encoding,
        response: Response,
    ) -> Result<(Self, HeaderMap), Response> {
        let headers = response.headers();
        let private = headers.get(header::CACHE_CONTROL).is_some_and(|value| value != PUBLIC);
        if response.status() != StatusCode::OK || private || headers.contains_key(header::SET_COOKIE) {
            return Err(response);
        }
        let (parts, body) = response.into_parts();
        let drawn = body.collect().await.map_err(|error| error.to_string()).map(|body| body.to_bytes());
        let body = match drawn.and_then(|drawn| encoding.press(drawn).map_err(|error| error.to_string())) {
            Ok(body) => body,
            Err(error) => {
                tracing::error!(%error, "a page broke off while it was drawn");
                return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
            }
        };
        let mut headers = parts.headers;
        if let Some(name) = encoding.name() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        let own = Left::HEADERS.into_iter().filter_map(|name| headers.remove(&name).map(|value| (name, value))).collect();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(PUBLIC));
        if let Ok(tag) = HeaderValue::from_str(&tag(&body)) {
            headers.insert(header::ETAG, tag);
        }
        let call = rest::SHARED.contains(&route.as_str());
        Ok((Self { route, call, views, headers, body }, own))
    }

    /// The answer for a client who may have it: `None` where it called too often, which is said elsewhere.
    fn reply(self, app: &App, extensions: &Extensions, asked: &HeaderMap) -> Option<Response> {
        let left = match self.call {
            true => Some(app.limiter.admit(ClientAddress::of(app, extensions, asked).0)?),
            false => None,
        };
        app.metrics.page(true);
        let mut response = self.answer(asked);
        if let Some(left) = left {
            left.write(response.headers_mut());
        }
        Some(response)
    }

    fn answer(self, asked: &HeaderMap) -> Response {
        if let Some(views) = &self.views {
            page_views::count(views, asked);
        }
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

    /// Its name in `Content-Encoding`, if it has one there.
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// The bytes in this encoding: pressed harder than an answer for one client would be, for many will get it.
    fn press(self, plain: Bytes) -> std::io::Result<Bytes> {
        let mut pressed = Vec::new();
        match self {
            Self::Identity => return Ok(plain),
            Self::Brotli => {
                let how = brotli::enc::BrotliEncoderParams { quality: 6, size_hint: plain.len(), ..Default::default() };
                brotli::BrotliCompress(&mut &plain[..], &mut pressed, &how)?;
            }
            Self::Gzip => {
                let mut writer = flate2::write::GzEncoder::new(&mut pressed, flate2::Compression::default());
                writer.write_all(&plain)?;
                writer.finish()?;
            }
        }
        Ok(pressed.into())
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
