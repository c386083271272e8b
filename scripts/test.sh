#!/usr/bin/env bash
# Everything that must hold, from formatting to a browser that buys. Stops at the first step that fails; says at the
# end how long each step took.
source "$(dirname "$0")/env.sh"

report=()
step() {
  local name=$1 began=$SECONDS
  shift
  say "$name"
  "$@" || die "$name failed; its own words stand above."
  report+=("$(printf '%5d s  %s' $((SECONDS - began)) "$name")")
}

server_tests() { scripts/with-postgres.sh cargo test --features ssr --no-fail-fast --lib --bins --tests; }
queries_and_lints() { scripts/with-postgres.sh scripts/prepare-sqlx.sh --check; }

step "Set-up" scripts/setup.sh
source scripts/env.sh
step "Formatting" cargo fmt --check
step "The line between server and browser" scripts/boundary.sh
step "Queries against a fresh database, lints of the server" queries_and_lints
step "Lints of the browser build" scripts/lint-browser.sh
step "Browser build" scripts/browser-build.sh
step "Size of the browser build" scripts/size.sh
step "Node packages" scripts/node.sh
step "Python packages" scripts/python.sh
step "Unit and API tests" server_tests
step "Server build" scripts/server-build.sh
step "The REST API and its document" scripts/schemathesis.sh
step "Browser tests" scripts/end2end.sh

say "All of it passed"
printf '%s\n' "${report[@]}"
