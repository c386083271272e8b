#!/usr/bin/env bash
# The fast part of the tests: formatting, the line between server and browser, lints of both builds against the
# committed .sqlx. Needs no database and no browser.
source "$(dirname "$0")/env.sh"

scripts/wasm-target.sh
source scripts/env.sh
say "Formatting"
cargo fmt --check || die "The sources are not formatted: run make fmt."
say "The line between server and browser"
scripts/boundary.sh
say "Lints of the browser build"
scripts/lint-browser.sh
say "Lints of the server build"
cargo clippy --features ssr --all-targets -- -D warnings
