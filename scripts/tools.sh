#!/usr/bin/env bash
# The tools of the browser build: wasm-bindgen at exactly the version in Cargo.lock; wasm-opt, and esbuild for styles and
# JavaScript. wasm-bindgen is taken from the PATH where the version fits, else from a release page by cargo-binstall
# where that works, else compiled from crates.io (minutes, once; its own profile would take far longer). The others come
# from npm, exactly as in scripts/tools/package-lock.json.
source "$(dirname "$0")/env.sh"

BINDGEN=$(awk '/^name = "wasm-bindgen"$/ {getline; gsub(/[^0-9.]/, ""); print}' Cargo.lock)

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

have npm || die "npm is missing: install Node.js 20 or newer with npm."
packages=$SOUK_CACHE/tools/npm
if ! cmp -s scripts/tools/package-lock.json "$packages/installed.json"; then
  say "Fetching wasm-opt and esbuild"
  mkdir -p "$packages"
  cp scripts/tools/package.json scripts/tools/package-lock.json "$packages/"
  npm ci --no-audit --no-fund --prefix "$packages"
  cp scripts/tools/package-lock.json "$packages/installed.json"
fi
