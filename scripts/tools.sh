#!/usr/bin/env bash
# The tools of the browser build: cargo-leptos, wasm-bindgen at exactly the version in Cargo.lock, wasm-opt. Each is
# taken from the PATH where the version fits, else from a release page by cargo-binstall where that works, else compiled
# from crates.io (minutes, once; their own profiles would take half an hour) or, wasm-opt, taken from npm.
source "$(dirname "$0")/env.sh"

LEPTOS=0.3.11
BINDGEN=$(awk '/^name = "wasm-bindgen"$/ {getline; gsub(/[^0-9.]/, ""); print}' Cargo.lock)
BINARYEN=132

# tool NAME VERSION CRATE [cargo install's arguments]: there already, or from a release page, or compiled.
tool() {
  local name=$1 version=$2 crate=$3
  shift 3
  if [ "$("$name" --version 2>/dev/null | grep -o '[0-9][0-9.]*' | head -n 1)" = "$version" ]; then return; fi
  if have cargo-binstall; then
    say "Fetching $crate $version"
    if timeout 180 cargo binstall --no-confirm --disable-telemetry --root "$SOUK_CACHE/tools" "$crate@$version"; then return; fi
  fi
  say "Compiling $crate $version (minutes, once)"
  CARGO_TARGET_DIR="$SOUK_CACHE/tools-target" CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo install --root "$SOUK_CACHE/tools" "$crate" --version "=$version" "$@" ||
    die "$crate did not compile: its own words stand above."
}

# Its lock file names a crate that is not served any more, hence no --locked.
tool wasm-bindgen "$BINDGEN" wasm-bindgen-cli
tool cargo-leptos "$LEPTOS" cargo-leptos --locked --features no_downloads

have_binaryen=$(wasm-opt --version 2>/dev/null | grep -o '[0-9]\+' | head -n 1 || true)
if [ "${have_binaryen:-0}" -lt "$BINARYEN" ]; then
  have npm || die "npm is missing: install Node.js 20 or newer with npm."
  say "Fetching wasm-opt"
  mkdir -p "$SOUK_CACHE/tools/npm"
  npm install --silent --no-audit --no-fund --prefix "$SOUK_CACHE/tools/npm" "binaryen@$BINARYEN.0.0"
fi
