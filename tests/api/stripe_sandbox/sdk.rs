//! Stripe's official JavaScript library as an independent client: runs `end2end/stripe-sdk.test.mjs` against a sandbox of its own.

use std::path::Path;

use super::{SECRET, Sandbox};

#[tokio::test]
async fn the_official_library_agrees() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("end2end");
    assert!(folder.join("node_modules/stripe").exists(), "Stripe's library is not installed: run scripts/node.sh");
    let port = souk::prove::stand::free_address().expect("a free port").port();
    let sandbox = Sandbox::telling(Some(format!("http://127.0.0.1:{port}/webhooks"))).await;
    let output = tokio::process::Command::new("node")
        .args(["--test", "stripe-sdk.test.mjs"])
        .current_dir(folder)
        .env("STRIPE_SANDBOX_URL", &sandbox.running.url)
        .env("STRIPE_WEBHOOK_SECRET", SECRET)
        .env("STRIPE_WEBHOOK_PORT", port.to_string())
        .kill_on_drop(true)
        .output()
        .await
        .expect("node runs");
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}
