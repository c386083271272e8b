#!/usr/bin/env bash
# Renews .sqlx, the committed answers of a database about our queries, from a private database with all migrations
# applied; with --check, only tells whether the committed ones are what such a database says today.
#
# No sqlx-cli is needed: the query macros themselves write the files when they may ask a database. The compiler run that
# makes them expand is clippy's, so that `make test` lints and checks the queries in one go.
source "$(dirname "$0")/env.sh"

check=
if [ "${1:-}" = --check ]; then check=1; fi

stamp=target/sqlx.sha256
inputs() {
  find src tests migrations .sqlx -type f 2>/dev/null
  printf '%s\n' Cargo.toml Cargo.lock scripts/prepare-sqlx.sh
}
if [ -n "$check" ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$(inputs | hash_of_files)" ]; then exit 0; fi

if [ -z "${SOUK_POSTGRES_BIN:-}" ]; then exec scripts/with-postgres.sh "$0" "$@"; fi

psql=$SOUK_POSTGRES_BIN/psql
[ -x "$psql" ] || psql=$(command -v psql) || die "psql is missing: install postgresql-client."
name=souk_prepare_$$
"$psql" --quiet --no-psqlrc "$SOUK_TEST_DATABASE_URL" --command="create database $name"
export DATABASE_URL=${SOUK_TEST_DATABASE_URL%/*}/$name
for migration in migrations/*.sql; do
  "$psql" --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --single-transaction "$DATABASE_URL" --file="$migration" >/dev/null ||
    die "$migration does not apply to a fresh database."
done

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
say "Asking a fresh database about every query, and linting the server"
# Changed times make the macros run again; nothing else would, for no source has changed.
touch src/lib.rs src/main.rs tests/api/main.rs
SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$fresh cargo clippy --features ssr --all-targets -- -D warnings

if [ -z "$check" ]; then
  mkdir -p .sqlx
  find .sqlx -name 'query-*.json' -delete
  if compgen -G "$fresh/query-*.json" >/dev/null; then cp "$fresh"/query-*.json .sqlx/; fi
  say ".sqlx is fresh: $(find .sqlx -name '*.json' | wc -l) queries"
elif ! diff -rq .sqlx "$fresh" 2>/dev/null && [ -n "$(ls -A .sqlx "$fresh" 2>/dev/null | grep json)" ]; then
  die "The committed .sqlx is stale: run scripts/prepare-sqlx.sh and commit .sqlx."
fi
mkdir -p target
inputs | hash_of_files >"$stamp"
