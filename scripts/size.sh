#!/usr/bin/env bash
# Asserts that what a shopper's browser downloads as program stays small; prints the table.
source "$(dirname "$0")/env.sh"

have node || die "Node.js is missing: install Node.js 20 or newer with npm."
exec node end2end/size.mjs
