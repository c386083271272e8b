//! The frame of the sandbox's own pages: plain documents without script, one small stylesheet, everything escaped.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use time::OffsetDateTime;
use time::macros::format_description;

pub const STYLE: &str = include_str!("sandbox.css");

/// Text as it may stand in HTML, also within quotes.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A day, in UTC: a page without script does not know the reader's clock.
pub fn day(moment: i64) -> String {
    OffsetDateTime::from_unix_timestamp(moment)
        .ok()
        .and_then(|at| at.format(format_description!("[day padding:none] [month repr:long] [year]")).ok())
        .unwrap_or_default()
}

/// A day and its time, in UTC as well.
pub fn moment(moment: i64) -> String {
    OffsetDateTime::from_unix_timestamp(moment)
        .ok()
        .and_then(|at| at.format(format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC")).ok())
        .unwrap_or_default()
}

/// A whole page. `body` is HTML; the title is text.
pub fn page(status: StatusCode, title: &str, style: &str, body: &str) -> Response {
    let title = escape(title);
    let document = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n<title>{title}</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" href=\"{style}\">\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    );
    let mut response = (status, Html(document)).into_response();
    let headers = response.headers_mut();
    // form-action stays open for http(s): a form here ends in a redirect to the shop, which browsers count as its target
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' http: https:; base-uri 'none'; frame-ancestors 'none'",
        ),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The stylesheet of these pages.
pub async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=300")], STYLE).into_response()
}

#[cfg(test)]
mod tests {
    #[test]
    fn markup_in_text_stays_text() {
        assert_eq!(super::escape(r#"<a href="x">'&'</a>"#), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
    }
}
