//! A person with a browser: keeps cookies, follows nothing by itself, sends forms like a browser does.

use axum::{Router, body::Body};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use scraper::{Html, Selector};
use sqlx::PgPool;
use std::collections::BTreeMap;
use tower::ServiceExt;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
};

/// One browser.
#[derive(Clone)]
pub struct Client {
    router: Router,
    cookies: BTreeMap<String, String>,
}

/// What came back, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Client {
    pub fn new(router: Router) -> Self {
        Self { router, cookies: BTreeMap::new() }
    }

    /// Gives the browser a signed-in session, as the sign-in form would.
    pub async fn sign_in(&mut self, pool: &PgPool, email: &str) {
        let user: uuid::Uuid = sqlx::query_scalar("select id from users where email = $1")
            .bind(email)
            .fetch_one(pool)
            .await
            .unwrap_or_else(|e| panic!("no person {email} in this world: {e}"));
        let mut record = Record {
            id: Id::default(),
            data: [(souk::server::session::USER_KEY.to_owned(), serde_json::json!(user))].into(),
            expiry_date: time::OffsetDateTime::now_utc() + time::Duration::days(1),
        };
        souk::server::session::PostgresSessions(pool.clone()).create(&mut record).await.expect("a session");
        self.cookies.insert("souk".into(), record.id.to_string());
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.into(), value.into());
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).body(Body::empty()).expect("a request")).await
    }

    /// A form as a browser posts it from our own page.
    pub async fn post_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(fields).expect("a form");
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .header(header::ACCEPT, "text/html");
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// A server function, as an island calls it: `body` is its arguments as a form.
    pub async fn call_function(&mut self, path: &str, body: String) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .header(header::ACCEPT, "application/json");
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// A form with files: `(name, file name, content type, bytes)` beside plain fields.
    pub async fn post_multipart(&mut self, path: &str, fields: &[(&str, &str)], files: &[(&str, &str, &str, &[u8])]) -> Answer {
        let boundary = "souk-test-boundary-7d1f";
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
        }
        for (name, file, kind, bytes) in files {
            let head = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\nContent-Type: {kind}\r\n\r\n"
            );
            body.extend(head.bytes());
            body.extend_from_slice(bytes);
            body.extend(b"\r\n");
        }
        body.extend(format!("--{boundary}--\r\n").bytes());
        let request = self
            .request(Method::POST, path)
            .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"))
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(Body::from(body)).expect("a request")).await
    }

    /// Any request; cookies are added and kept.
    pub async fn send(&mut self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("the router never fails");
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().expect("cookies are text");
            let (pair, attributes) = text.split_once(';').unwrap_or((text, ""));
            if let Some((name, value)) = pair.split_once('=') {
                if value.is_empty() || attributes.to_ascii_lowercase().contains("max-age=0") {
                    self.cookies.remove(name);
                } else {
                    self.cookies.insert(name.into(), value.into());
                }
            }
        }
        let bytes = body.collect().await.expect("the body arrives").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&bytes).into_owned() }
    }

    /// A request to this path with this browser's cookies, to be finished by the caller.
    pub fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let mut builder = Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:3000");
        if !self.cookies.is_empty() {
            let cookies: Vec<_> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            builder = builder.header(header::COOKIE, cookies.join("; "));
        }
        builder
    }
}

impl Answer {
    pub fn html(&self) -> Html {
        Html::parse_document(&self.body)
    }

    /// The texts of all elements that match, white space folded.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let selector = Selector::parse(selector).expect("a selector");
        self.html()
            .select(&selector)
            .map(|e| e.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    }

    /// One attribute of the first element that matches.
    pub fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        let selector = Selector::parse(selector).expect("a selector");
        self.html().select(&selector).next().and_then(|e| e.attr(name)).map(str::to_owned)
    }

    /// The attribute of every element that has it.
    pub fn attributes(&self, selector: &str, name: &str) -> Vec<String> {
        let selector = Selector::parse(selector).expect("a selector");
        self.html().select(&selector).filter_map(|e| e.value().attr(name).map(str::to_owned)).collect()
    }

    /// Where a redirect leads.
    pub fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |v| v.to_str().expect("a location is text"))
    }

    /// The page's text, white space folded; for asserting on what a person reads.
    pub fn text(&self) -> String {
        self.texts("body").join(" ")
    }
}

/// For programs.
impl Client {
    /// A call of the REST interface with a JSON body, and headers beside it.
    pub async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.request(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = match body {
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(request.expect("a request")).await
    }
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|v| v.to_str().expect("text"))
    }
}
