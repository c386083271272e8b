#!/usr/bin/env bash
# Schemathesis, an independent reader of the OpenAPI document, against a server with the demo world: every call is tried with data
# that fits and data that does not, as a shopper and as a vendor. Fails when an answer is not what the document says.
# Arguments go to Schemathesis: scripts/schemathesis.sh --include-path /api/v1/cart
source "$(dirname "$0")/env.sh"

VERSION=4.32.5
venv=$SOUK_CACHE/schemathesis
if [ "$("$venv/bin/st" --version 2>/dev/null | grep -o '[0-9.]*$')" != "$VERSION" ]; then
  have python3 || die "python3 is missing: install Python 3.10 or newer with venv."
  say "Fetching Schemathesis $VERSION"
  rm -rf "$venv"
  python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$VERSION" ||
    die "Schemathesis could not be installed: its own words stand above."
fi
scripts/server-build.sh

home=$(mktemp -d /tmp/souk-schemathesis-XXXXXX)
# Readable for the user that the database runs as, when we are root.
chmod 755 "$home"
server=
finish() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null && wait "$server" || true; fi
  rm -rf "$home"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

read -r port stripe s3 < <(python3 -c '
import socket
open_ = [socket.socket() for _ in range(3)]
for s in open_: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in open_))')
base=http://127.0.0.1:$port
say "Starting a server with the demo world"
env -u DATABASE_URL -u STRIPE_SECRET_KEY -u S3_ENDPOINT -u SMTP_URL -u SOUK_ENV -u SOUK_BASE_URL \
  SOUK_LISTEN="127.0.0.1:$port" SOUK_STRIPE_LISTEN="127.0.0.1:$stripe" SOUK_S3_LISTEN="127.0.0.1:$s3" SOUK_DATA_DIR="$home/data" \
  SOUK_API_RATE=10000000 RUST_LOG=warn "$CARGO_TARGET_DIR/debug/souk" serve >"$home/log" 2>&1 &
server=$!
for _ in $(seq 1 240); do
  curl --silent --fail --output /dev/null "$base/readyz" && break
  kill -0 "$server" 2>/dev/null || die "The server did not start: $(tail -n 5 "$home/log")"
  sleep 1
done

# A token of this person.
token() {
  local jar=$home/jar-$1
  curl --silent --fail --cookie-jar "$jar" --output /dev/null --json "{\"email\":\"$1@example.com\",\"password\":\"market day\"}" \
    "$base/api/v1/auth/login" || die "$1 cannot sign in."
  curl --silent --fail --cookie "$jar" --json '{"name":"Schemathesis","scopes":["write"]}' "$base/api/v1/tokens" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])'
}

# Before anything is tried: wrong passwords by the dozen close the door for a while.
declare -A secrets
for who in ada mill; do secrets[$who]=$(token "$who"); done

status=0
try() {
  local who=$1 secret=${secrets[$1]}
  shift
  say "Schemathesis as $who"
  "$venv/bin/st" --config-file scripts/schemathesis.toml run "$base/api/v1/openapi.json" --checks all --max-examples 15 --max-time 75 \
    --suppress-health-check all --warnings off --no-color --header "Authorization: Bearer $secret" "$@" || status=$?
}
# A run that may delete tokens deletes its own sooner or later, and tries the rest as nobody: so that call is tried alone.
if [ $# -gt 0 ]; then
  try mill "$@"
else
  try ada --exclude-operation-id deleteToken
  try mill --exclude-operation-id deleteToken
  try mill --include-operation-id deleteToken --max-time 10
fi
if grep -q ' ERROR ' "$home/log"; then
  grep ' ERROR ' "$home/log" | head -n 20 >&2
  status=1
fi
[ "$status" = 0 ] || die "The API and its document do not agree: see above."
echo "schemathesis: ok"
