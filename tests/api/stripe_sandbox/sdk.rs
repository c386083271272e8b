//! Stripe's official libraries as independent clients, each against a sandbox of its own: `end2end/stripe-*.test.mjs` by the one for
//! JavaScript, `end2end/stripe_sdk_test.py` by the one for Python.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::{SECRET, Sandbox};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("end2end")
}

/// Runs a client in `end2end/`, which must end well.
async fn agrees(mut client: Command) {
    let port = souk::prove::stand::free_address().expect("a free port").port();
    let sandbox = Sandbox::telling(Some(format!("http://127.0.0.1:{port}/webhooks"))).await;
    let output = client
        .current_dir(folder())
        .env("STRIPE_SANDBOX_URL", &sandbox.running.url)
        .env("STRIPE_WEBHOOK_SECRET", SECRET)
        .env("STRIPE_WEBHOOK_PORT", port.to_string())
        .kill_on_drop(true)
        .output()
        .await
        .expect("the client runs");
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

fn node(file: &str) -> Command {
    assert!(folder().join("node_modules/stripe").exists(), "Stripe's library is not installed: run scripts/node.sh");
    let mut node = Command::new("node");
    node.args(["--test", file]);
    node
}

#[tokio::test]
async fn the_javascript_library_agrees_about_payments() {
    agrees(node("stripe-sdk.test.mjs")).await;
}

#[tokio::test]
async fn the_javascript_library_agrees_about_sellers_and_disputes() {
    agrees(node("stripe-connect.test.mjs")).await;
}

#[tokio::test]
async fn the_python_library_agrees() {
    let cache = std::env::var_os("SOUK_CACHE").map(PathBuf::from);
    let cache = cache.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cache/souk"))).expect("a home");
    let python = cache.join("python/bin/python");
    assert!(python.exists(), "Stripe's library is not installed: run scripts/python.sh");
    let mut client = Command::new(python);
    client.args(["-B", "stripe_sdk_test.py"]);
    agrees(client).await;
}
