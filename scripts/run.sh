#!/usr/bin/env bash
# Sets up, builds, and serves the demo: PostgreSQL, the object store, the Stripe sandbox and the mailbox are the
# program's own, unless the environment names others (see the README). Ctrl-C ends them all.
source "$(dirname "$0")/env.sh"

scripts/setup.sh
source scripts/env.sh
scripts/browser-build.sh
scripts/server-build.sh
exec "$CARGO_TARGET_DIR/debug/souk" serve "$@"
