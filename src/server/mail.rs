//! Mail leaves through an outbox: written in the business transaction, sent by a job. Without SMTP the mailbox page shows it.

use super::{
    jobs::{self, Job},
    state::App,
};
use crate::{ids::MailId, ui::escape_text};
use anyhow::Context;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor, message::MultiPart};
use sqlx::PgConnection;

/// A mail in plain words; text and HTML are made from the same parts.
#[derive(Debug, Clone)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    /// Paragraphs of plain text.
    pub paragraphs: Vec<String>,
    /// A labelled absolute link after the paragraphs.
    pub link: Option<(String, String)>,
}

/// Puts a mail into the outbox, in the caller's transaction: no mail for what was rolled back.
pub async fn enqueue(db: &mut PgConnection, mail: &Mail) -> sqlx::Result<MailId> {
    let id = MailId::new();
    let mut text = mail.paragraphs.join("\n\n");
    let mut html: String = mail.paragraphs.iter().map(|p| format!("<p>{}</p>", escape_text(p))).collect();
    if let Some((label, url)) = &mail.link {
        text.push_str(&format!("\n\n{label}: {url}"));
        html.push_str(&format!("<p><a href=\"{}\">{}</a></p>", escape_text(url).replace('"', "&quot;"), escape_text(label)));
    }
    text.push_str("\n\nSouk\n");
    html.push_str("<p>Souk</p>");
    sqlx::query!(
        "insert into outbox (id, recipient, subject, text, html) values ($1, $2, $3, $4, $5)",
        id.uuid(),
        mail.to,
        mail.subject,
        text,
        html
    )
    .execute(&mut *db)
    .await?;
    jobs::enqueue(&mut *db, &Job::SendMail { mail: id }, None).await?;
    Ok(id)
}

/// Sends one mail over SMTP, or leaves it to the mailbox page. A mail already sent is not sent again.
pub async fn send(app: &App, id: MailId) -> anyhow::Result<()> {
    let mail = sqlx::query!("select recipient, subject, text, html, sent_at from outbox where id = $1", id.uuid())
        .fetch_one(&app.pool)
        .await?;
    if mail.sent_at.is_some() {
        return Ok(());
    }
    if let Some(url) = &app.config.smtp_url {
        let message = Message::builder()
            .from(app.config.mail_from.parse().context("SOUK_MAIL_FROM")?)
            .to(mail.recipient.parse()?)
            .subject(mail.subject)
            // the same id on a retry lets the receiving server drop a double
            .message_id(Some(format!("<{id}@souk>")))
            .multipart(MultiPart::alternative_plain_html(mail.text, mail.html))?;
        AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?.build().send(message).await?;
    }
    sqlx::query!("update outbox set sent_at = now() where id = $1", id.uuid()).execute(&app.pool).await?;
    Ok(())
}
