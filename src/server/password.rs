//! Passwords: argon2id on blocking threads behind a semaphore, so that sign-ins neither stall nor exhaust the server.

use crate::error::AppError;
use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Hashes and verifies. At most `threads` at a time: each takes 19 MiB and tens of milliseconds.
#[derive(Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    /// Verified when the account is unknown, so that the answer takes as long.
    dummy: Arc<str>,
}

impl Passwords {
    pub fn new(threads: usize) -> anyhow::Result<Self> {
        let dummy = hash("no account has this password")?;
        Ok(Self { permits: Arc::new(Semaphore::new(threads)), dummy: dummy.into() })
    }

    /// The PHC string to keep.
    pub async fn hash(&self, password: String) -> Result<String, AppError> {
        self.blocking(move || hash(&password)).await
    }

    /// Whether the password fits. With `None` (no such account) it takes the same time and is false.
    pub async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, AppError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy.to_string());
        let fits = self
            .blocking(move || {
                let stored = PasswordHash::new(&stored)?;
                Ok(Argon2::default().verify_password(password.as_bytes(), &stored).is_ok())
            })
            .await?;
        Ok(known && fits)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, AppError> {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| AppError::Internal)?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        })
        .await;
        match done {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                tracing::error!(%error, "password hashing failed");
                Err(AppError::Internal)
            }
            Err(error) => {
                tracing::error!(%error, "password thread ended");
                Err(AppError::Internal)
            }
        }
    }
}

fn hash(password: &str) -> anyhow::Result<String> {
    let hash: PasswordHash = Argon2::default().hash_password(password.as_bytes())?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let passwords = Passwords::new(1).unwrap();
        let stored = passwords.hash("market day".into()).await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(passwords.verify("market day".into(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify("market dax".into(), Some(stored)).await.unwrap());
        assert!(!passwords.verify("no account has this password".into(), None).await.unwrap());
    }
}
