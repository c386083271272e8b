#!/usr/bin/env bash
# The node packages of the browser tests, exactly as in end2end/package-lock.json. Does nothing when they are there.
source "$(dirname "$0")/env.sh"

have node && have npm || die "Node.js is missing: install Node.js 20 or newer with npm."
at_least "$(node --version | tr -d v)" 20 || die "Node.js $(node --version) is too old: install Node.js 20 or newer."

stamp=end2end/node_modules/.package-lock.sha256
wanted=$(sha256sum <end2end/package-lock.json)
if [ "$(cat "$stamp" 2>/dev/null || true)" = "$wanted" ]; then exit 0; fi
say "Fetching the node packages of the browser tests"
# The tests drive the machine's own Chromium, so Playwright need not fetch one.
(cd end2end && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund)
echo "$wanted" >"$stamp"
