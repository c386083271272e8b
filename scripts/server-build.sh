#!/usr/bin/env bash
# Builds the server, with the settings that the tests are built with too, so that its parts are compiled once.
source "$(dirname "$0")/env.sh"

[ -x "$CARGO_TARGET_DIR/debug/souk" ] || say "Building the server (a first time takes about ten minutes on two cores)"
cargo build --features ssr --bin souk --test one_build
