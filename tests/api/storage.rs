//! The object store's client against the embedded S3 server: two programs that only share the protocol.

use souk::{
    sandbox::s3,
    server::{config::S3Config, storage::Storage},
};
use std::path::PathBuf;

/// A server of its own over a folder of its own, and how to reach it.
struct Shelf {
    server: s3::Running,
    config: S3Config,
    root: PathBuf,
}

impl Shelf {
    async fn open() -> Self {
        let root = std::env::temp_dir().join(format!("souk-storage-{}", uuid::Uuid::now_v7()));
        let server = s3::start(([127, 0, 0, 1], 0).into(), &root, "key", "a secret").await.unwrap();
        let config = S3Config {
            endpoint: server.endpoint(),
            region: "eu-west-2".to_owned(),
            bucket: "souk".to_owned(),
            access_key: "key".to_owned(),
            secret_key: "a secret".to_owned(),
        };
        Self { server, config, root }
    }

    async fn storage(&self) -> Storage {
        let storage = Storage::from_config(&self.config);
        storage.ensure_bucket().await.unwrap();
        storage
    }

    async fn close(self) {
        self.server.stop().await;
        std::fs::remove_dir_all(&self.root).unwrap();
    }
}

#[tokio::test]
async fn a_wrong_secret_may_not_read_or_write() {
    let shelf = Shelf::open().await;
    shelf.storage().await.put("mine", "a", "text/plain").await.unwrap();
    let stranger = Storage::from_config(&S3Config { secret_key: "guessed".to_owned(), ..shelf.config.clone() });
    let refused = stranger.put("theirs", "b", "text/plain").await.unwrap_err();
    assert_eq!(refused.code(), Some("SignatureDoesNotMatch"), "{refused}");
    assert!(stranger.get("mine").await.is_err());
    assert!(stranger.delete("mine").await.is_err());
    shelf.close().await;
}

#[tokio::test]
async fn what_is_kept_comes_back_with_its_type_until_it_is_deleted() {
    let shelf = Shelf::open().await;
    let storage = shelf.storage().await;
    let bytes: Vec<u8> = (0..300_000u32).map(|n| (n % 251) as u8).collect();
    storage.put("pictures/1/large.webp", bytes.clone(), "image/webp").await.unwrap();

    let (kept, content_type) = storage.get("pictures/1/large.webp").await.unwrap().unwrap();
    assert_eq!(content_type, "image/webp");
    assert!(kept == bytes, "the same {} bytes", bytes.len());

    storage.put("pictures/1/large.webp", "again", "text/plain").await.unwrap();
    let (kept, content_type) = storage.get("pictures/1/large.webp").await.unwrap().unwrap();
    assert_eq!((&kept[..], content_type.as_str()), (&b"again"[..], "text/plain"));

    storage.delete("pictures/1/large.webp").await.unwrap();
    assert_eq!(storage.get("pictures/1/large.webp").await.unwrap(), None);
    storage.delete("pictures/1/large.webp").await.unwrap();
    assert_eq!(storage.get("never/there").await.unwrap(), None);
    shelf.close().await;
}

#[tokio::test]
async fn the_bucket_is_made_once_and_survives_a_restart() {
    let shelf = Shelf::open().await;
    let storage = shelf.storage().await;
    storage.ensure_bucket().await.unwrap();
    storage.put("kept", "still here", "text/plain").await.unwrap();
    shelf.server.stop().await;

    let server = s3::start(([127, 0, 0, 1], 0).into(), &shelf.root, "key", "a secret").await.unwrap();
    let again = Storage::from_config(&S3Config { endpoint: server.endpoint(), ..shelf.config });
    again.ensure_bucket().await.unwrap();
    assert_eq!(&again.get("kept").await.unwrap().unwrap().0[..], b"still here");
    server.stop().await;
    std::fs::remove_dir_all(&shelf.root).unwrap();
}

#[tokio::test]
async fn an_unreachable_store_is_an_error_that_names_the_key() {
    let shelf = Shelf::open().await;
    let storage = shelf.storage().await;
    shelf.close().await;
    let error = storage.get("pictures/1").await.unwrap_err();
    assert!(error.to_string().contains("pictures/1"), "{error}");
    assert_eq!(error.code(), None);
}

#[tokio::test]
async fn a_page_elsewhere_is_told_that_it_may_ask() {
    let shelf = Shelf::open().await;
    let client = reqwest::Client::new();
    let preflight = client
        .request(reqwest::Method::OPTIONS, format!("{}/souk/key", shelf.server.endpoint()))
        .header("origin", "https://shop.example")
        .header("access-control-request-method", "PUT")
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.status(), 204);
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
    let unsigned = client.get(format!("{}/souk/key", shelf.server.endpoint())).send().await.unwrap();
    assert_eq!(unsigned.status(), 403);
    assert_eq!(unsigned.headers()["access-control-allow-origin"], "*");
    shelf.close().await;
}
