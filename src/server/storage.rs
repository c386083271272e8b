//! The object store: pictures and other files, by key, in any S3-compatible service.

use super::{config::S3Config, errors::internal};
use crate::error::AppError;
use aws_sdk_s3::{
    Client,
    config::{
        BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation, retry::RetryConfig,
        timeout::TimeoutConfig,
    },
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
    types::{BucketLocationConstraint, CompletedMultipartUpload, CompletedPart, CreateBucketConfiguration},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use bytes::{Bytes, BytesMut};
use std::{error::Error, sync::Arc, time::Duration};

/// One bucket of an object store. Cheap to clone.
#[derive(Clone)]
pub struct Storage {
    client: Client,
    bucket: Arc<str>,
    region: Arc<str>,
}

/// The store did not do what was asked; an object that is not there is no error.
#[derive(Debug, thiserror::Error)]
#[error("the object store failed to {action} {what:?}{}", code.as_deref().map(|c| format!(" ({c})")).unwrap_or_default())]
pub struct StorageError {
    action: &'static str,
    what: String,
    /// The store's own word for it, such as `AccessDenied`; absent when it could not be reached.
    code: Option<String>,
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

impl StorageError {
    fn new<E>(action: &'static str, what: &str, error: SdkError<E>) -> Self
    where
        E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let code = error.as_service_error().and_then(|e| e.code()).map(str::to_owned);
        Self { action, what: what.to_owned(), code, source: Box::new(error) }
    }

    /// The store's own word for what went wrong, when it answered at all.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }
}

impl From<StorageError> for AppError {
    fn from(error: StorageError) -> Self {
        internal(format_args!("{:#}", anyhow::Error::from(error)))
    }
}

impl Storage {
    /// A client for the configured bucket. Opens no connection yet.
    pub fn from_config(config: &S3Config) -> Self {
        // The certificates and the cryptography of the rest of the program: a second provider in it would make rustls panic.
        let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .read_timeout(Duration::from_secs(15))
            .operation_attempt_timeout(Duration::from_secs(30))
            .operation_timeout(Duration::from_secs(60))
            .build();
        let client = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(config.region.clone()))
            .endpoint_url(&config.endpoint)
            .credentials_provider(Credentials::new(&config.access_key, &config.secret_key, None, None, "souk"))
            // Other makers' stores seldom have a name for every bucket, nor the newest checksums.
            .force_path_style(true)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .http_client(http)
            .build();
        Self { client: Client::from_conf(client), bucket: config.bucket.as_str().into(), region: config.region.as_str().into() }
    }

    /// Keeps `bytes` under `key`, replacing what was there.
    pub async fn put(&self, key: &str, bytes: impl Into<Bytes>, content_type: &str) -> Result<(), StorageError> {
        self.client
            .put_object()
            .bucket(&*self.bucket)
            .key(key)
            .content_type(content_type)
            .body(ByteStream::from(bytes.into()))
            .send()
            .await
            .map(drop)
            .map_err(|e| StorageError::new("keep", key, e))
    }

    /// What is kept under `key`, whole in memory, and its content type as given at [`Storage::put`]; `None` when nothing is.
    pub async fn get(&self, key: &str) -> Result<Option<(Bytes, String)>, StorageError> {
        let object = match self.client.get_object().bucket(&*self.bucket).key(key).send().await {
            Ok(object) => object,
            Err(e) if e.as_service_error().is_some_and(|e| e.is_no_such_key()) => return Ok(None),
            Err(e) => return Err(StorageError::new("read", key, e)),
        };
        let content_type = object.content_type.unwrap_or_else(|| "application/octet-stream".to_owned());
        match object.body.collect().await {
            Ok(body) => Ok(Some((body.into_bytes(), content_type))),
            Err(e) => Err(StorageError { action: "read", what: key.to_owned(), code: None, source: Box::new(e) }),
        }
    }

    /// What is kept under `key` from this byte on, piece by piece; `None` when nothing is.
    pub async fn read_from(&self, key: &str, byte: u64) -> Result<Option<Pieces>, StorageError> {
        let range = (byte > 0).then(|| format!("bytes={byte}-"));
        match self.client.get_object().bucket(&*self.bucket).key(key).set_range(range).send().await {
            Ok(object) => Ok(Some(Pieces { key: key.to_owned(), body: object.body })),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_no_such_key()) => Ok(None),
            // Nothing stands behind the last byte.
            Err(e) if e.as_service_error().and_then(|e| e.code()) == Some("InvalidRange") => {
                Ok(Some(Pieces { key: key.to_owned(), body: ByteStream::default() }))
            }
            Err(e) => Err(StorageError::new("read", key, e)),
        }
    }

    /// Begins to keep something under `key` that comes piece by piece. It is there once [`Growing::finish`] answers.
    pub fn grow(&self, key: String, content_type: &'static str) -> Growing {
        Growing { storage: self.clone(), key, content_type, gathered: BytesMut::new(), upload: None, parts: Vec::new() }
    }

    /// Forgets what is kept under `key`; nothing kept is fine.
    pub async fn delete(&self, key: &str) -> Result<(), StorageError> {
        match self.client.delete_object().bucket(&*self.bucket).key(key).send().await {
            Ok(_) => Ok(()),
            Err(e) if e.as_service_error().and_then(|e| e.code()) == Some("NoSuchKey") => Ok(()),
            Err(e) => Err(StorageError::new("delete", key, e)),
        }
    }

    /// Whether the store answers and has the bucket.
    pub async fn reach(&self) -> Result<(), StorageError> {
        let found = self.client.head_bucket().bucket(&*self.bucket).send().await;
        found.map(drop).map_err(|e| StorageError::new("look for bucket", &self.bucket, e))
    }

    /// Makes the bucket if it is not there. Where we may not ask, the store's own refusal is the error.
    pub async fn ensure_bucket(&self) -> Result<(), StorageError> {
        match self.client.head_bucket().bucket(&*self.bucket).send().await {
            Ok(_) => return Ok(()),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_not_found()) => {}
            Err(e) => return Err(StorageError::new("look for bucket", &self.bucket, e)),
        }
        // Amazon wants the region named everywhere but in its first one, where naming it is an error.
        let place = (&*self.region != "us-east-1").then(|| {
            CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(&*self.region)).build()
        });
        match self.client.create_bucket().bucket(&*self.bucket).set_create_bucket_configuration(place).send().await {
            Ok(_) => Ok(()),
            Err(e)
                if e.as_service_error().is_some_and(|e| e.is_bucket_already_owned_by_you() || e.is_bucket_already_exists()) =>
            {
                Ok(())
            }
            Err(e) => Err(StorageError::new("make bucket", &self.bucket, e)),
        }
    }
}

/// What is kept under a key, as it comes.
pub struct Pieces {
    key: String,
    body: ByteStream,
}

impl Pieces {
    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, StorageError> {
        self.body.try_next().await.map_err(|e| StorageError {
            action: "read",
            what: self.key.clone(),
            code: None,
            source: Box::new(e),
        })
    }
}

/// Each part of a large object is so large; a store takes none but the last below 5 MB. No more than one is in memory.
const PART: usize = 8 * 1024 * 1024;

/// An object on its way into the store. What is small goes in one piece, and is not there before its end either.
pub struct Growing {
    storage: Storage,
    key: String,
    content_type: &'static str,
    gathered: BytesMut,
    upload: Option<String>,
    parts: Vec<CompletedPart>,
}

impl Growing {
    /// Adds a piece.
    pub async fn push(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() < PART { Ok(()) } else { self.send_part().await }
    }

    async fn send_part(&mut self) -> Result<(), StorageError> {
        let Self { storage, key, .. } = self;
        let upload = match &self.upload {
            Some(upload) => upload.clone(),
            None => {
                let begun = storage.client.create_multipart_upload().bucket(&*storage.bucket).key(&*key);
                let begun = begun.content_type(self.content_type).send().await.map_err(|e| StorageError::new("keep", key, e))?;
                self.upload.insert(begun.upload_id.unwrap_or_default()).clone()
            }
        };
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let sent = storage.client.upload_part().bucket(&*storage.bucket).key(&*key).upload_id(upload).part_number(number);
        let sent =
            sent.body(self.gathered.split().freeze().into()).send().await.map_err(|e| StorageError::new("keep", key, e))?;
        self.parts.push(CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).build());
        Ok(())
    }

    /// Sends the rest; then it is there.
    pub async fn finish(mut self) -> Result<(), StorageError> {
        if self.upload.is_none() {
            return self.storage.put(&self.key, self.gathered.freeze(), self.content_type).await;
        }
        if !self.gathered.is_empty() {
            self.send_part().await?;
        }
        let Self { storage, key, upload, parts, .. } = self;
        let all = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let done = storage.client.complete_multipart_upload().bucket(&*storage.bucket).key(&key).set_upload_id(upload);
        done.multipart_upload(all).send().await.map(drop).map_err(|e| StorageError::new("keep", &key, e))
    }

    /// Gives up: what was sent of it is forgotten.
    pub async fn give_up(self) {
        let Self { storage, key, upload, .. } = self;
        let Some(upload) = upload else { return };
        let forget = storage.client.abort_multipart_upload().bucket(&*storage.bucket).key(&key).upload_id(upload);
        if let Err(error) = forget.send().await {
            tracing::warn!(error = %StorageError::new("forget", &key, error), "parts of an upload stay in the store");
        }
    }
}
