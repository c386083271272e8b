//! A page: its title, its status and how to draw it. Drawn once, whole, in one document; islands wake up in the browser.

use super::{auth::MaybeCustomer, errors::Presented, state::App};
use crate::vendors::{desk::SECTIONS, role::TeamRole};
use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use hydration_context::SsrSharedContext;
use leptos::prelude::*;
use std::{
    path::Path,
    sync::{Arc, Mutex},
};

/// Which frame stands around a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    #[default]
    Shop,
    /// The vendor's dashboard: dense, with its own navigation. The text is the current section's address.
    Vendor(&'static str),
    Operator(&'static str),
}

type Draw = Box<dyn FnOnce() -> AnyView + Send>;

/// What a page handler answers. All data is read before; `draw` is pure.
pub struct Page {
    title: String,
    description: Option<String>,
    canonical: Option<String>,
    indexed: bool,
    status: StatusCode,
    layout: Layout,
    notice: Option<String>,
    search: String,
    desks: Desks,
    draw: Draw,
}

/// The desks that the reader of a page may sit at: the header leads there, without script too.
#[derive(Debug, Clone, Copy, Default)]
pub struct Desks {
    /// With the role in the team of an open shop.
    pub vendor: Option<TeamRole>,
    pub operator: bool,
}

impl Page {
    pub fn new<V: IntoView + 'static>(title: impl Into<String>, draw: impl FnOnce() -> V + Send + 'static) -> Self {
        Self {
            title: title.into(),
            description: None,
            canonical: None,
            indexed: false,
            status: StatusCode::OK,
            layout: Layout::Shop,
            notice: None,
            search: String::new(),
            desks: Desks::default(),
            draw: Box::new(move || draw().into_any()),
        }
    }

    /// For search engines and previews; also lets the page be indexed, which others are not.
    pub fn public(mut self, description: impl Into<String>, canonical_path: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self.canonical = Some(canonical_path.into());
        self.indexed = true;
        self
    }

    /// For previews and browsers, of a page that search engines leave out.
    pub fn described(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// One sentence about what just happened, above the page's content.
    pub fn notice(mut self, notice: Option<String>) -> Self {
        self.notice = notice;
        self
    }

    /// What was searched for, so that the header's search still shows it.
    pub fn search(mut self, q: impl Into<String>) -> Self {
        self.search = q.into();
        self
    }

    /// From the extensions of the answer that the page is, or stands for; see [`note_desks`].
    pub fn desks(mut self, desks: Option<&Desks>) -> Self {
        self.desks = desks.copied().unwrap_or_default();
        self
    }

    /// Draws the whole document.
    pub fn render(self, app: &App) -> Response {
        let Self { title, description, canonical, indexed, status, layout, notice, search, desks, draw } = self;
        let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
        let body =
            owner.with(|| view! { <Frame layout=layout notice=notice search=search desks=desks>{draw()}</Frame> }.to_html());
        let islands = body.contains("<leptos-island");
        let assets = &app.assets;
        let program = if matches!(layout, Layout::Vendor(_)) { &assets.desk } else { &assets.shop };
        let canonical = canonical.map(|path| format!("{}{path}", app.config.base_url));
        let head = owner.with(|| {
            view! {
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title>{if title == "Souk" { title.clone() } else { format!("{title} · Souk") }}</title>
                {description.clone().map(|d| view! { <meta name="description" content=d/> })}
                {(!indexed).then(|| view! { <meta name="robots" content="noindex"/> })}
                {canonical.clone().map(|c| view! { <link rel="canonical" href=c/> })}
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="manifest" href="/manifest.webmanifest"/>
                <link rel="stylesheet" href=assets.css.clone()/>
                <script src="/theme.js"></script>
                {islands.then(|| view! {
                    <link rel="modulepreload" id="souk-js" href=program.js.clone()/>
                    <link rel="preload" id="souk-wasm" href=program.wasm.clone() r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                })}
                <script type="module" src="/boot.js"></script>
            }
            .to_html()
        });
        owner.cleanup();
        let html = format!("<!doctype html><html lang=\"en\"><head>{head}</head>{body}</html>");
        let mut response = (status, Html(html)).into_response();
        response.extensions_mut().insert(Presented);
        response
    }
}

/// A page on its way to [`draw_pages`], which knows the program.
#[derive(Clone)]
struct Undrawn(Arc<Mutex<Option<Page>>>);

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Presented);
        response.extensions_mut().insert(Undrawn(Arc::new(Mutex::new(Some(self)))));
        response
    }
}

/// The middleware that draws what a handler answered; headers set by the handler (cookies) are kept.
pub async fn draw_pages(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let undrawn = response.extensions_mut().remove::<Undrawn>();
    let Some(page) = undrawn.and_then(|u| u.0.lock().ok().and_then(|mut p| p.take())) else { return response };
    let mut drawn = page.desks(response.extensions().get()).render(&app);
    for (name, value) in response.headers() {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            drawn.headers_mut().append(name, value.clone());
        }
    }
    drawn
}

/// The middleware that notes with every answer which desks its reader may sit at, for the header. A page differs by this
/// link only, and only for those few: anybody else gets the same bytes.
pub async fn note_desks(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let who = MaybeCustomer::from_request_parts(&mut parts, &app).await.ok();
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if let Some(customer) = who.as_ref().and_then(MaybeCustomer::customer) {
        let vendor = customer.vendor().filter(|shop| shop.status == "approved").map(|shop| shop.role);
        let desks = Desks { vendor, operator: customer.is_operator() };
        response.extensions_mut().insert(desks);
        if desks.vendor.is_some() || desks.operator {
            response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private"));
        }
    }
    response
}

/// The addresses of the built style sheet and browser programs.
#[derive(Debug, Clone)]
pub struct Assets {
    pub css: String,
    /// What the shop's pages load.
    pub shop: Program,
    /// What the vendor's desk loads instead: the same and more.
    pub desk: Program,
}

/// A browser program: WASM, and the JavaScript that starts it.
#[derive(Debug, Clone)]
pub struct Program {
    pub js: String,
    pub wasm: String,
}

impl Assets {
    /// Finds the newest build in `site/pkg`; its file names carry a hash, so that they can be cached for ever.
    pub fn find(site: &Path) -> Self {
        let newest = |name: &str, extension: &str| {
            std::fs::read_dir(site.join("pkg"))
                .into_iter()
                .flatten()
                .flatten()
                .filter(|f| f.file_name().to_string_lossy().starts_with(&format!("{name}.")))
                .filter(|f| f.path().extension().is_some_and(|e| e == extension))
                .max_by_key(|f| f.metadata().and_then(|m| m.modified()).ok())
                .map_or_else(|| format!("/pkg/{name}.{extension}"), |f| format!("/pkg/{}", f.file_name().to_string_lossy()))
        };
        let program = |name| Program { js: newest(name, "js"), wasm: newest(name, "wasm") };
        Self { css: newest("souk", "css"), shop: program("souk"), desk: program("desk") }
    }
}

#[component]
fn Frame(layout: Layout, notice: Option<String>, search: String, desks: Desks, children: Children) -> impl IntoView {
    let notice = notice.map(|n| view! { <crate::ui::Notice tone=crate::ui::Tone::Good>{n}</crate::ui::Notice> });
    let (class, side) = match layout {
        Layout::Shop => ("shop", None),
        Layout::Vendor(here) => {
            let may = |asked: TeamRole| desks.vendor.is_some_and(|role| role.may(asked));
            let links: Vec<_> = SECTIONS.iter().filter(|(.., asked)| may(*asked)).map(|(href, text, _)| (*href, *text)).collect();
            ("desk", Some(("Your shop", links, here)))
        }
        Layout::Operator(here) => ("desk", Some(("Operator", crate::operator::DESK.to_vec(), here))),
    };
    let live = matches!(layout, Layout::Vendor(_)).then(|| {
        let drawn = (time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64;
        view! { <crate::live::islands::LiveLine drawn=drawn/> }
    });
    let side = side.map(|(label, links, here)| {
        let links = links
            .into_iter()
            .map(|(href, text)| view! { <li><a href=href aria-current=(href == here).then_some("page")>{text}</a></li> })
            .collect_view();
        view! { <nav class="desk-nav" aria-label=label><p>{label}</p><ul>{links}</ul></nav> }
    });
    view! {
        <body class=class>
            <a class="skip" href="#main">"Skip to content"</a>
            <header class="site-header">
                <a class="wordmark" href="/">"Souk"</a>
                <form class="site-search" action="/search" role="search" aria-label="The market">
                    <label class="visually-hidden" for="q">"Search the market"</label>
                    <crate::catalog::islands::SearchBox current=search/>
                    <button type="submit">"Search"</button>
                </form>
                <nav class="site-nav" aria-label="Main">
                    <div class="nav-market">
                        <a href="/products">"All goods"</a>
                        <a href="/vendors">"Vendors"</a>
                        {desks.vendor.map(|_| view! { <a href="/vendor">"Your shop"</a> })}
                        {desks.operator.then(|| view! { <a href="/operator">"Operator"</a> })}
                    </div>
                    <div class="nav-own"><crate::accounts::islands::PersonalNav/></div>
                </nav>
            </header>
            <p class="only-print print-head">"Souk"</p>
            <div class="site-body">
                {side}
                <main id="main" tabindex="-1">{live}{notice}{children()}</main>
            </div>
            <footer class="site-footer">
                <nav aria-label="Footer">
                    <a href="/products">"All goods"</a>
                    <a href="/vendors">"Vendors"</a>
                    {crate::about::LINKS.iter().map(|(href, text)| view! { <a href=*href>{*text}</a> }).collect_view()}
                    <a href="/account">"Your account"</a>
                    <a href="/account/vendor">"Sell on Souk"</a>
                </nav>
                <p>"Prices include VAT. Every parcel comes straight from the vendor who made or chose it."</p>
            </footer>
        </body>
    }
}
