#!/usr/bin/env bash
# Builds what the browser gets into target/site: the WASM program and its JavaScript, the styles, and the files of
# public/; file names carry a hash of their contents, and everything lies there once plain, once .br and once .gz.
#
# The server can rely on this, in $SOUK_SITE_DIR (target/site here, dist/site in a release): pkg/ holds exactly one
# souk.HASH.js, souk.HASH.wasm and souk.HASH.css, those of the last build, and hash.txt names the three hashes.
#
# Nothing is built when no file that goes into it has changed since the last time.
source "$(dirname "$0")/env.sh"

site=target/site
stamp=target/site.sha256

# What the browser program was compiled from, as the compiler itself noted it; before the first build: everything. A
# server-only change thus builds nothing here. New files count too: a file that is there already must name them.
sources() {
  local noted="$CARGO_TARGET_DIR/front/wasm32-unknown-unknown/browser/libsouk.d"
  if [ -f "$noted" ] && grep -q " $ROOT/src/" "$noted"; then
    tr ' ' '\n' <"$noted" | grep "^$ROOT/src/.*[^:]$" || true
  else
    find "$ROOT/src" -name '*.rs'
  fi
  find "$ROOT/style" "$ROOT/public" -type f 2>/dev/null || true
  printf '%s\n' "$ROOT/Cargo.toml" "$ROOT/Cargo.lock" "$ROOT/.cargo/config.toml" "$ROOT/scripts/browser-build.sh"
}

if [ -f "$site/hash.txt" ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$(sources | hash_of_files)" ]; then exit 0; fi

say "Building the browser program"
rm -f "$stamp"
split=()
# Lazy islands are chunks of their own only in a build that splits.
if grep -rqs 'island(.*lazy' src; then split=(--split); fi
cargo leptos build --release --frontend-only --precompress "${split[@]}"
# Nobody is served TypeScript's declarations.
rm -f "$site"/pkg/*.ts "$site"/pkg/*.ts.br "$site"/pkg/*.ts.gz
cp "$CARGO_TARGET_DIR/release/hash.txt" "$site/hash.txt"
sources | hash_of_files >"$stamp"
