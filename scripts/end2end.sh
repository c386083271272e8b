#!/usr/bin/env bash
# The browser tests: people's journeys in a real Chromium, against the server started with nothing configured but a
# folder of its own. Arguments go to Playwright: scripts/end2end.sh tests/home.spec.ts
source "$(dirname "$0")/env.sh"

scripts/setup.sh
source scripts/env.sh
scripts/node.sh
CHROMIUM=$(scripts/chromium.sh)
export CHROMIUM
scripts/browser-build.sh
scripts/server-build.sh
export SOUK_BIN="$CARGO_TARGET_DIR/debug/souk"

# Readable for the user that the database runs as, when we are root.
if [ -z "${SOUK_DATA_DIR:-}" ]; then
  SOUK_DATA_DIR=$(mktemp -d /tmp/souk-end2end-XXXXXX)
  chmod 755 "$SOUK_DATA_DIR"
  trap 'rm -rf "$SOUK_DATA_DIR"' EXIT
fi
export SOUK_DATA_DIR

cd end2end
npx --no-install tsc --noEmit
npx --no-install playwright test "$@"
