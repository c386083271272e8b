# Sourced first by every script: where things are kept, which toolchain builds, and a few small helpers.
#
# What is kept between runs, and between clones, is in SOUK_CACHE (~/.cache/souk):
#   tools/      wasm-bindgen, and wasm-opt and esbuild below npm/         tools-target/  what compiling it left
#   target/     the build folder of server and browser                   postgres/      server programs from PyPI
#   toolchain   "debian" where the toolchain of Debian's packages builds, because the first one could not

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

export SOUK_CACHE=${SOUK_CACHE:-${HOME:?HOME is not set: set it, or SOUK_CACHE}/.cache/souk}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$SOUK_CACHE/target}
export PATH="$SOUK_CACHE/tools/bin:$SOUK_CACHE/tools/npm/node_modules/.bin:$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
mkdir -p "$SOUK_CACHE"

say() { printf '\n==> %s\n' "$*" >&2; }
die() { printf '\nStopped: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# As root: directly, or through sudo. "$1" is the sentence for those who have neither.
as_root() {
  local without=$1
  shift
  if [ "$(id -u)" = 0 ]; then "$@"
  elif have sudo; then sudo "$@"
  else die "$without"
  fi
}

# Installs Debian packages; looks for newer lists only when the ones at hand do not do.
apt_install() {
  have apt-get || die "This is no Debian: install what the packages $* hold, and run again."
  local without="Run as root: apt-get install $*"
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -y -q install --no-install-recommends "$@")
  as_root "$without" "${install[@]}" && return
  as_root "$without" apt-get -q update
  as_root "$without" "${install[@]}" || die "apt-get could not install $*: its own words stand above."
}

# "1.96.0" is at least "1.95".
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# The active compiler, if it is new enough for us.
rust_fits() {
  local wanted found
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  found=$(rustc --version 2>/dev/null | awk '{print $2}')
  [ -n "$found" ] && at_least "$found" "$wanted"
}

# Whether the active compiler has the browser's standard library.
wasm_fits() {
  local libraries
  libraries=$(rustc --print target-libdir --target wasm32-unknown-unknown 2>/dev/null) || return 1
  compgen -G "$libraries/libcore-*.rlib" >/dev/null
}

# Debian's toolchain: by its name in rustup, or first on the PATH where there is no rustup.
use_debian_rust() {
  if have rustup; then export RUSTUP_TOOLCHAIN=debian; else export PATH="/usr/bin:$PATH"; fi
}
if [ -z "${RUSTUP_TOOLCHAIN:-}" ] && [ "$(cat "$SOUK_CACHE/toolchain" 2>/dev/null || true)" = debian ]; then
  use_debian_rust
fi

# A hash over the contents and names of the files listed on standard input.
hash_of_files() { sort -u | tr '\n' '\0' | xargs -0 sha256sum 2>/dev/null | sha256sum | cut -d' ' -f1; }
