#!/usr/bin/env bash
# Forgets the demo's data and what was built in this folder. The cache outside (tools, compiled crates) stays.
source "$(dirname "$0")/env.sh"

# As root the database may live elsewhere, behind a link (src/sandbox/postgres.rs says why).
if [ -L .souk/postgres ]; then rm -rf "$(readlink -f .souk/postgres)"; fi
rm -rf .souk dist target end2end/output
