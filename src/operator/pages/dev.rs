//! Pages that stand in for services in development: the mailbox, and the controls of the Stripe sandbox. Where the
//! service is real they do not exist.

use super::{
    cursor,
    list::{
        Head::{self, Text},
        List, next_page,
    },
};
use crate::{
    error::AppError,
    ids::MailId,
    operator::{
        Cursor,
        queries::{PAGE, Rows},
    },
    sandbox::stripe::controls_router,
    server::{auth::Operator, errors::Presented, page::Page, state::App},
    ui::When,
};
use axum::{
    extract::{FromRequestParts, Path, Query, Request, State},
    response::{Html, IntoResponse, Response},
};
use http::{HeaderValue, header};
use leptos::prelude::*;
use serde::Deserialize;
use time::OffsetDateTime;
use tower::ServiceExt;

const MAILBOX: &str = "/dev/mail";

/// The mailbox stands open in development, to whoever tries the shop out on their own machine; with real mail it is gone.
fn mailbox_exists(app: &App) -> Result<(), AppError> {
    if app.config.production() || app.config.smtp_url.is_some() { Err(AppError::NotFound) } else { Ok(()) }
}

struct MailRow {
    id: MailId,
    recipient: String,
    subject: String,
    created_at: OffsetDateTime,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    after: String,
}

/// `GET /dev/mail`
pub async fn mailbox(State(app): State<App>, Query(filter): Query<Filter>) -> Result<Page, AppError> {
    mailbox_exists(&app)?;
    let after: Option<Cursor<MailId>> = cursor(&filter.after)?;
    let mails: Rows<MailRow> = sqlx::query_as!(
        MailRow,
        r#"select id as "id: MailId", recipient, subject, created_at from outbox
           where ($1::timestamptz is null or (created_at, id) < ($1, $2)) order by created_at desc, id desc limit $3"#,
        after.as_ref().map(|c| c.at),
        after.as_ref().map(|c| c.id.uuid()),
        PAGE + 1
    )
    .fetch_all(&app.pool)
    .await?
    .into();
    Ok(Page::new("Mailbox", move || {
        let next = next_page(MAILBOX, &[], &mails, |m| Cursor { at: m.created_at, id: m.id }.to_string());
        view! {
            <h1>"Mailbox"</h1>
            <p>"In development no mail leaves this machine. This is what would have been sent."</p>
            <List list=mails row=row label="Mails" head=HEAD next=next
                none="No mail yet" hint="Register or buy something, and the mail about it stands here."/>
        }
    }))
}

const HEAD: &[Head] = &[Text("Subject"), Text("To"), Text("When")];

fn row(m: MailRow) -> impl IntoView {
    view! {
        <tr>
            <td><a href=format!("{MAILBOX}/{}", m.id)>{m.subject}</a></td>
            <td>{m.recipient}</td>
            <td><When at=m.created_at/></td>
        </tr>
    }
}

/// `GET /dev/mail/{id}`
pub async fn letter(State(app): State<App>, Path(id): Path<MailId>) -> Result<Page, AppError> {
    mailbox_exists(&app)?;
    let mail = sqlx::query!("select recipient, subject, text, created_at from outbox where id = $1", id.uuid())
        .fetch_one(&app.pool)
        .await?;
    Ok(Page::new(mail.subject.clone(), move || {
        view! {
            <p><a href=MAILBOX>"Mailbox"</a></p>
            <h1>{mail.subject}</h1>
            <dl class="facts">
                <dt>"To"</dt><dd>{mail.recipient}</dd>
                <dt>"When"</dt><dd><When at=mail.created_at/></dd>
            </dl>
            <div class="letter">{linked(&mail.text)}</div>
            <h2>"As HTML"</h2>
            <iframe class="letter-html" title="The mail as HTML" sandbox="allow-top-navigation-by-user-activation"
                src=format!("{MAILBOX}/{id}/html")></iframe>
        }
    }))
}

/// A mail's text with its addresses as links.
fn linked(text: &str) -> impl IntoView + use<> {
    text.split_inclusive(char::is_whitespace)
        .map(|word| {
            let address = word.trim_end();
            if address.starts_with("http://") || address.starts_with("https://") {
                let space = word[address.len()..].to_owned();
                let (address, text) = (address.to_owned(), address.to_owned());
                view! { <a href=address>{text}</a> {space} }.into_any()
            } else {
                word.to_owned().into_any()
            }
        })
        .collect_view()
}

/// `GET /dev/mail/{id}/html`: the HTML part alone, in a document that may do nothing but be read and left by its links.
pub async fn letter_html(State(app): State<App>, Path(id): Path<MailId>) -> Result<Response, AppError> {
    mailbox_exists(&app)?;
    let html = sqlx::query_scalar!("select html from outbox where id = $1", id.uuid()).fetch_one(&app.pool).await?;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; frame-ancestors 'self'; \
                  sandbox allow-top-navigation-by-user-activation";
    let head = "<!doctype html><meta charset=\"utf-8\"><base target=\"_top\"><title>Mail</title>";
    let mut response = Html(format!("{head}{html}")).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    Ok(response)
}

/// `/dev/stripe`: the sandbox's own control page, for operators, while the sandbox stands in.
pub async fn stripe(State(app): State<App>, request: Request) -> Result<Response, AppError> {
    const BASE: &str = "/dev/stripe";
    // Asked before the guard: where there is no sandbox the address does not exist, for whoever asks.
    let sandbox = app.sandbox.clone().filter(|_| !app.config.production()).ok_or(AppError::NotFound)?;
    let (mut parts, body) = request.into_parts();
    Operator::from_request_parts(&mut parts, &app).await?;
    let mut request = Request::from_parts(parts, body);
    // The control pages are a router of their own under this address.
    let rest = request.uri().path_and_query().map_or("/", |p| p.as_str()).trim_start_matches(BASE);
    let rest = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
    *request.uri_mut() = rest.parse().map_err(|_| AppError::NotFound)?;
    match controls_router(sandbox, BASE).oneshot(request).await {
        Ok(mut response) => {
            // It speaks for itself, also when it says no.
            response.extensions_mut().insert(Presented);
            Ok(response)
        }
        Err(never) => match never {},
    }
}
