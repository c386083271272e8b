#!/usr/bin/env bash
# Clippy over what is compiled for the browser, the shop's program and the desk's, in the folder and profile of that build, so that macros and build
# scripts are compiled once for both.
source "$(dirname "$0")/env.sh"

for features in hydrate hydrate,desk; do
  cargo clippy --lib --no-default-features --features "$features" --target wasm32-unknown-unknown \
    --profile browser --target-dir "$CARGO_TARGET_DIR/front" -- -D warnings
done
