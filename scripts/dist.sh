#!/usr/bin/env bash
# A release: dist/souk, dist/site (what the browser gets) and dist/demo (the demo world's texts and pictures).
# Run it with SOUK_SITE_DIR=dist/site and, for the demo, SOUK_DEMO_DIR=dist/demo.
source "$(dirname "$0")/env.sh"

scripts/setup.sh
source scripts/env.sh
scripts/browser-build.sh
say "Building the server's release"
cargo build --release --features ssr --bin souk
rm -rf dist
mkdir -p dist
cp "$CARGO_TARGET_DIR/release/souk" dist/souk
cp -R target/site dist/site
if [ -d demo ]; then mkdir -p dist/demo && cp -R demo/*.json demo/README.md demo/products demo/pictures dist/demo/; fi
cp LICENSE dist/LICENSE
say "dist/ is ready: $(du -sh dist | cut -f1)"
