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
    types::{BucketLocationConstraint, CreateBucketConfiguration},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use bytes::Bytes;
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
