#!/usr/bin/env bash
# What Lighthouse says of the shop's pages: the release build with the demo world, in the machine's own Chromium. Ends with 1 where
# a score is below 95. The part of `make bench` that looks from outside.
source "$(dirname "$0")/env.sh"

scripts/setup.sh
source scripts/env.sh
CHROMIUM=$(scripts/chromium.sh)
export CHROMIUM
scripts/browser-build.sh
cargo build --release --features ssr --bin souk

stamp=benches/lighthouse/node_modules/.package-lock.sha256
wanted=$(sha256sum <benches/lighthouse/package-lock.json)
if [ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ]; then
  say "Fetching Lighthouse"
  (cd benches/lighthouse && npm ci --no-audit --no-fund)
  echo "$wanted" >"$stamp"
fi

# Readable for the user that the database runs as, when we are root.
home=$(mktemp -d /tmp/souk-lighthouse-XXXXXX)
chmod 755 "$home"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
address=http://127.0.0.1:$port
SOUK_DATA_DIR=$home SOUK_LISTEN=127.0.0.1:$port SOUK_BASE_URL=$address SOUK_S3_LISTEN=127.0.0.1:0 SOUK_STRIPE_LISTEN=127.0.0.1:0 \
  RUST_LOG=error "$CARGO_TARGET_DIR/release/souk" serve &
server=$!
finish() {
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  rm -rf "$home"
}
trap finish EXIT
until curl --silent --fail --output /dev/null "$address/readyz"; do
  kill -0 "$server" 2>/dev/null || die "The server ended by itself."
  sleep 0.2
done
node benches/lighthouse/run.mjs "$address"
