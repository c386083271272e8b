#!/usr/bin/env bash
# Formats the Rust sources.
source "$(dirname "$0")/env.sh"

have rustfmt || apt_install rustfmt-web
cargo fmt
