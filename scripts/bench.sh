#!/usr/bin/env bash
# Speed, side by side with its floors in one run, of a release build on a PostgreSQL of its own: scripts/bench.sh [PRODUCTS ...]
# (20000 and 200000 unless told). Minutes. Writes benches/last.md. With --plans: how PostgreSQL runs the hottest statements at
# 100000 products; writes benches/plans.md.
source "$(dirname "$0")/env.sh"

bin=$(scripts/postgres.sh)
SOUK_PGBENCH=$(PATH="$bin:$PATH:$(printf '%s:' /usr/lib/postgresql/*/bin)" command -v pgbench || true)
export SOUK_PGBENCH
[ -n "$SOUK_PGBENCH" ] || say "No pgbench is here (Debian: postgresql-contrib): its floors are left out."
say "Building a release (minutes, once)"
cargo build --release --features ssr --bin souk --bench load
program=$CARGO_TARGET_DIR/release/souk
bench=$(find "$CARGO_TARGET_DIR/release/deps" -maxdepth 1 -name 'load-*' -type f -perm -u+x -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
out=benches/last.md
for argument in "$@"; do [ "$argument" != --plans ] || out=benches/plans.md; done
"$bench" --program "$program" --out "$out" "${@:-}"
if [ "$out" = benches/last.md ]; then
  printf '\n## Lighthouse, mobile\n\n' | tee -a "$out"
  scripts/lighthouse.sh | tee -a "$out"
fi
