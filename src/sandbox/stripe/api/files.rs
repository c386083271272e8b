//! `/v1/files`: evidence for disputes. Stripe takes uploads at files.stripe.com; the sandbox takes them where it takes everything.

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::{Answer, Call, respond};
use crate::sandbox::stripe::error::ApiError;
use crate::sandbox::stripe::form::{self, Node};
use crate::sandbox::stripe::params::{Params, missing};
use crate::sandbox::stripe::store::{self, Stored};
use crate::sandbox::stripe::{Sandbox, ids};

const URL: &str = "/v1/files";
const PURPOSES: &[&str] = &[
    "account_requirement",
    "additional_verification",
    "business_icon",
    "business_logo",
    "customer_signature",
    "dispute_evidence",
    "identity_document",
    "pci_document",
    "tax_document_user_upload",
];
/// Five megabytes, Stripe's limit for evidence.
const LARGEST: usize = 5 * 1024 * 1024;

/// The file of a multipart request.
pub struct Upload {
    pub name: Option<String>,
    pub content: Vec<u8>,
}

/// Reads a multipart body: its fields as any form's, and the file beside them.
pub async fn read(content_type: &str, body: Vec<u8>) -> Result<(Node, Option<Upload>), ApiError> {
    let broken = || ApiError::invalid("Invalid request: the multipart body could not be read.");
    let request = Request::builder().method("POST").header(header::CONTENT_TYPE, content_type).body(Body::from(body));
    let request = request.map_err(|_| broken())?;
    let mut parts = Multipart::from_request(request, &()).await.map_err(|_| broken())?;
    let (mut pairs, mut upload) = (Vec::new(), None);
    while let Some(field) = parts.next_field().await.map_err(|_| broken())? {
        let name = field.name().unwrap_or_default().to_owned();
        let file = field.file_name().map(str::to_owned);
        let content = field.bytes().await.map_err(|_| broken())?;
        if name == "file" {
            upload = Some(Upload { name: file, content: content.to_vec() });
        } else {
            let text = String::from_utf8(content.to_vec()).map_err(|_| broken())?;
            pairs.push(format!(
                "{}={}",
                utf8_percent_encode(&name, NON_ALPHANUMERIC),
                utf8_percent_encode(&text, NON_ALPHANUMERIC)
            ));
        }
    }
    Ok((form::decode(pairs.join("&").as_bytes())?, upload))
}

/// What a file is by its first bytes: `pdf`, `png` or `jpg`.
fn kind_of(content: &[u8]) -> Option<&'static str> {
    match content {
        [b'%', b'P', b'D', b'F', ..] => Some("pdf"),
        [0x89, b'P', b'N', b'G', ..] => Some("png"),
        [0xff, 0xd8, 0xff, ..] => Some("jpg"),
        _ => None,
    }
}

pub async fn create(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    params.refuse(&["file_link_data"])?;
    let purpose = params.word("purpose", PURPOSES)?.ok_or_else(|| missing("purpose"))?;
    params.finish()?;
    let Some(upload) = call.upload.take() else { return Err(missing("file")) };
    let size = upload.content.len();
    if size == 0 {
        return Err(ApiError::param("file", None, "The file is empty."));
    }
    if size > LARGEST {
        return Err(ApiError::param("file", None, "The file is too large: at most 5 MB are taken."));
    }
    let Some(kind) = kind_of(&upload.content) else {
        return Err(ApiError::param(
            "file",
            None,
            format!("Files of this type are not accepted for {purpose}: send a PDF, a JPEG or a PNG."),
        ));
    };
    let id = ids::object("file");
    let doc = json!({
        "id": id, "object": "file", "created": ids::now(), "expires_at": null,
        "filename": upload.name.filter(|name| !name.is_empty() && !name.contains('\0')).unwrap_or_else(|| format!("file.{kind}")),
        "links": { "object": "list", "data": [], "has_more": false, "url": format!("/v1/file_links?file={id}") },
        "purpose": purpose, "size": size, "title": null, "type": kind, "url": format!("{}{URL}/{id}/contents", call.sandbox.base()),
    });
    sqlx::query("insert into stripe_sandbox.files (id, content) values ($1, $2)")
        .bind(&id)
        .bind(&upload.content)
        .execute(&mut *call.conn)
        .await?;
    let made = Stored { doc, hidden: json!({ "account": call.cause.account }) };
    store::save(call.conn, &made).await?;
    Ok(made.doc)
}

pub async fn retrieve(call: &mut Call<'_>, id: &str, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    Ok(store::load_of(call.conn, call.cause.account.as_deref(), "file", id, "file").await?.doc)
}

pub async fn list(call: &mut Call<'_>, mut params: Params) -> Result<Value, ApiError> {
    let mut filters = vec![("kind", "file".to_owned()), call.owned()];
    if let Some(purpose) = params.word("purpose", PURPOSES)? {
        filters.push(("doc->>'purpose'", purpose));
    }
    let found = store::page(call.conn, "objects", URL, &filters, None, &mut params).await?;
    params.finish()?;
    Ok(found)
}

/// `GET /v1/files/{id}/contents`: the bytes themselves, for a secret key.
pub async fn contents(State(sandbox): State<Sandbox>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let request_id = ids::request();
    match bytes(&sandbox, &id, &headers).await {
        Ok((kind, content)) => (StatusCode::OK, [(header::CONTENT_TYPE, kind)], content).into_response(),
        Err(error) => respond(Answer::error(&error, &request_id), &request_id, &headers),
    }
}

async fn bytes(sandbox: &Sandbox, id: &str, headers: &HeaderMap) -> Result<(&'static str, Vec<u8>), ApiError> {
    super::key(headers)?;
    let content: Option<Vec<u8>> = sqlx::query_scalar("select content from stripe_sandbox.files where id = $1")
        .bind(store::bindable(id))
        .fetch_optional(&sandbox.pool)
        .await?;
    let content = content.ok_or_else(|| ApiError::missing("file", id, "file"))?;
    let kind = match kind_of(&content) {
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        _ => "image/jpeg",
    };
    Ok((kind, content))
}
