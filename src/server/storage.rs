//! Objects (pictures) in an S3-compatible store.

use super::config::S3Config;
use anyhow::Result;
use bytes::Bytes;

/// The bucket.
#[derive(Clone)]
pub struct Storage;

impl Storage {
    pub fn from_config(_config: &S3Config) -> Self {
        Self
    }
    pub async fn get(&self, _key: &str) -> Result<Option<(Bytes, String)>> {
        Ok(None)
    }
    pub async fn put(&self, _key: &str, _bytes: Bytes, _kind: &str) -> Result<()> {
        Ok(())
    }
    pub async fn delete(&self, _key: &str) -> Result<()> {
        Ok(())
    }
    pub async fn ensure_bucket(&self) -> Result<()> {
        Ok(())
    }
}
