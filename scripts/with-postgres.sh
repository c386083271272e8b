#!/usr/bin/env bash
# Runs a command with a throw-away PostgreSQL: scripts/with-postgres.sh cargo test --features ssr
#
# The cluster lives in a temporary folder, listens on 127.0.0.1 only, forgets safety for speed (fsync off), admits the
# 300 connections of a parallel test run, and is gone afterwards. The command finds it in SOUK_TEST_DATABASE_URL, as a
# superuser who may create databases. Where that is set already, the command simply runs. Never as root: root hands the
# server to the user postgres, else nobody.
source "$(dirname "$0")/env.sh"

[ $# -gt 0 ] || die "usage: scripts/with-postgres.sh COMMAND [ARGUMENTS]"
if [ -n "${SOUK_TEST_DATABASE_URL:-}" ]; then exec "$@"; fi

bin=$(scripts/postgres.sh)
home=$(mktemp -d /tmp/souk-postgres-XXXXXX)

as_server=()
if [ "$(id -u)" = 0 ]; then
  account=$(getent passwd postgres nobody | head -n 1 | cut -d: -f1)
  [ -n "$account" ] || die "PostgreSQL refuses to run as root: add a user named postgres."
  as_server=(setpriv --reuid="$account" --regid="$(id -g "$account")" --clear-groups)
  chown "$account" "$home"
fi
server() { (cd "$home" && LC_ALL=C.UTF-8 "${as_server[@]}" "$bin/$1" "${@:2}"); }

finish() {
  [ ! -f "$home/data/postmaster.pid" ] || server pg_ctl stop --pgdata="$home/data" --mode=immediate --silent || true
  rm -rf "$home"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# A password, because trust on loopback would make every user of the machine a superuser of it.
password=$(head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n')
(umask 077 && printf '%s' "$password" >"$home/password")
if [ "$(id -u)" = 0 ]; then chown "$account" "$home/password"; fi
server initdb --pgdata="$home/data" --username=souk --pwfile="$home/password" --auth=scram-sha-256 \
  --encoding=UTF8 --locale=C.UTF-8 --no-instructions --no-sync >"$home/initdb.log" 2>&1 ||
  die "initdb failed: $(tail -n 3 "$home/initdb.log")"

for attempt in 1 2 3; do
  # Free now; should another process be faster, the next attempt asks again.
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  options="-c port=$port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=300"
  options+=" -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c autovacuum=off -c jit=off"
  options+=" -c shared_buffers=128MB -c max_wal_size=2GB -c timezone=UTC"
  if server pg_ctl start --pgdata="$home/data" --log="$home/log" --wait --silent --options="$options" >&2; then break; fi
  [ "$attempt" != 3 ] || die "PostgreSQL did not start: $(tail -n 3 "$home/log")"
done

export SOUK_TEST_DATABASE_URL="postgres://souk:$password@127.0.0.1:$port/postgres"
export SOUK_POSTGRES_BIN=$bin
status=0
"$@" || status=$?
exit "$status"
