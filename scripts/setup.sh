#!/usr/bin/env bash
# Everything that building and running needs: compiler, tools, PostgreSQL. Takes no time when all is there.
source "$(dirname "$0")/env.sh"

have cc || apt_install gcc libc6-dev
scripts/wasm-target.sh
scripts/tools.sh
scripts/postgres.sh >/dev/null
