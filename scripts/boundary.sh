#!/usr/bin/env bash
# Proves that the line between server and browser is where it should be: gates stand only in lib.rs, main.rs and mod.rs
# (and on the one `use crate::server` line of an actions.rs), and the browser's build has none of the server's crates.
# One file is excused: ids.rs, whose macro makes new ids on the server only.
source "$(dirname "$0")/env.sh"

stray=$(
  find src -name '*.rs' ! -name lib.rs ! -name main.rs ! -name mod.rs ! -path src/ids.rs -print0 |
    xargs -0 awk '
      FNR == 1 { gate = "" }
      gate != "" { if (!(FILENAME ~ /\/actions\.rs$/ && $0 ~ /^use /)) print gate; gate = "" }
      /cfg\(feature/ { gate = FILENAME ":" FNR ": " $0 }
      /cfg\(feature/ && !/^#\[cfg/ { print gate; gate = "" }'
)
[ -z "$stray" ] || die "These gates belong on a mod line:
$stray"

server_crates=$(
  cargo tree --quiet --edges normal,no-proc-macro --target wasm32-unknown-unknown --no-default-features --features hydrate,desk --prefix none |
    grep -E '^(sqlx|axum|aws-|async-stripe|s3s|tokio|hyper|reqwest|rustls|leptos_router|leptos_meta|leptos_axum)([ -_]|$)' |
    sort -u || true
)
[ -z "$server_crates" ] || die "The browser's build has crates of the server:
$server_crates"
echo "boundary: ok"
