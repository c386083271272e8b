#!/usr/bin/env bash
# Sees to it that the compiler can build for the browser (wasm32-unknown-unknown). In this order: it can already;
# rustup adds the target; Debian's own toolchain, whose standard library for the browser is built here from Debian's
# source package (about a minute). Which one it was is remembered, so that a second run only looks.
source "$(dirname "$0")/env.sh"

remember() {
  if [ "${RUSTUP_TOOLCHAIN:-}" = debian ]; then echo debian >"$SOUK_CACHE/toolchain"; fi
}

if rust_fits && wasm_fits; then
  remember
  exit 0
fi

if rust_fits && have rustup; then
  say "Adding the browser target with rustup"
  if timeout 90 rustup target add wasm32-unknown-unknown && wasm_fits; then exit 0; fi
  say "rustup cannot add it here; taking Debian's toolchain instead"
fi

packages=(rustc-web cargo-web rust-web-src rust-web-llvm rust-web-clippy rustfmt-web lld-22)
if ! dpkg-query -W -f '${Status}\n' "${packages[@]}" 2>/dev/null | awk '/install ok installed/ {n++} END {exit n != 7}'; then
  have apt-get || die "The Rust toolchain lacks wasm32-unknown-unknown: run 'rustup target add wasm32-unknown-unknown'."
  say "Installing Debian's Rust toolchain for the browser (about 400 MB)"
  apt_install "${packages[@]}"
fi
if have rustup && ! rustup toolchain list | grep -q '^debian'; then
  rustup toolchain link debian /usr
fi
use_debian_rust
rust_fits || die "Debian's rustc-web is $(rustc --version 2>/dev/null | awk '{print $2}'), older than Cargo.toml wants: install a newer Rust with the target wasm32-unknown-unknown."

if ! wasm_fits; then
  say "Building the standard library for the browser (about a minute)"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work/src"
  printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n' >"$work/Cargo.toml"
  : >"$work/src/lib.rs"
  (
    cd "$work"
    # With bitcode, as rustup's has it: the browser build optimises over all crates, the standard library included.
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-C embed-bitcode=yes" CARGO_TARGET_DIR="$work/target" cargo build --release --target wasm32-unknown-unknown \
      -Z build-std=std,panic_abort,panic_unwind,proc_macro
    rm -f target/wasm32-unknown-unknown/release/deps/libempty-*
  )
  libraries=/usr/lib/rustlib/wasm32-unknown-unknown/lib
  without="Run once as root: scripts/wasm-target.sh (it puts the browser's standard library into $libraries)"
  as_root "$without" install -d "$libraries"
  as_root "$without" install -m 644 "$work"/target/wasm32-unknown-unknown/release/deps/*.rlib "$libraries/"
  wasm_fits || die "The compiler does not see the standard library in $libraries: reinstall rustc-web and run again."
fi
remember
[ "$(cat "$SOUK_CACHE/toolchain" 2>/dev/null || true)" = debian ] || echo debian >"$SOUK_CACHE/toolchain"
