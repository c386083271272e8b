#!/usr/bin/env bash
# Builds what the browser gets into target/site: the WASM program and its JavaScript, the styles, and the files of
# public/; everything lies there plain, and once .br and once .gz where that makes it smaller.
#
# The server can rely on this, in $SOUK_SITE_DIR (target/site here, dist/site in a release): pkg/ holds exactly one
# souk.HASH.js, souk.HASH.wasm and souk.HASH.css, those of the last build, and beside them desk.HASH.js and desk.HASH.wasm, the
# program of the vendor's desk, which shoppers never load; hash.txt names the hashes.
#
# These are the steps of cargo-leptos, one by one. The tool itself would take longer to compile than everything else
# that a first `make run` does. What it could do besides is splitting lazy islands into chunks of their own.
#
# Nothing is built when no file that goes into it has changed since the last time.
source "$(dirname "$0")/env.sh"

site=target/site
stamp=target/site.sha256
built=$CARGO_TARGET_DIR/front/wasm32-unknown-unknown/browser

# What the browser program was compiled from, as the compiler itself noted it; before the first build: everything. A
# server-only change thus builds nothing here. New files count too: a file that is there already must name them.
sources() {
  if [ -f "$built/souk.d" ] && grep -q " $ROOT/src/" "$built/souk.d"; then
    tr ' ' '\n' <"$built/souk.d" | grep "^$ROOT/src/.*[^:]$" || true
  else
    find "$ROOT/src" -name '*.rs'
  fi
  find "$ROOT/style" "$ROOT/public" -type f 2>/dev/null || true
  printf '%s\n' "$ROOT"/{Cargo.toml,Cargo.lock,.cargo/config.toml,scripts/browser-build.sh,scripts/site.mjs}
}

if [ -f "$site/hash.txt" ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$(sources | hash_of_files)" ]; then exit 0; fi

say "Building the browser programs (a first time takes about five minutes on two cores)"
rm -f "$stamp"
mkdir -p target
work=$(mktemp -d target/site.XXXXXX)
trap 'rm -rf "$work"' EXIT

# program NAME FEATURES leaves NAME.js and NAME.wasm in $work.
program() {
  local name=$1 features=$2
  cargo rustc --lib --crate-type cdylib --no-default-features --features "$features" --target wasm32-unknown-unknown \
    --profile browser --target-dir "$CARGO_TARGET_DIR/front"
  # Another clone may build into the same folder at any time: copy the program first, and work on the copy.
  cp "$built/souk.wasm" "$work/compiled.wasm"
  wasm-bindgen --target web --no-typescript --out-name "$name" --out-dir "$work/bound" "$work/compiled.wasm"
  # Flat code first: what can then be told to be the same is kept once.
  wasm-opt -Oz --flatten --rereloop -Oz -Oz --strip-debug --strip-producers --strip-target-features \
    --enable-bulk-memory --enable-nontrapping-float-to-int -o "$work/$name.wasm" "$work/bound/${name}_bg.wasm"
  esbuild "$work/bound/$name.js" --bundle --format=esm --minify --log-level=warning --outfile="$work/$name.js"
}
program souk hydrate
# The larger one last: what it was compiled from is what the next run looks at.
program desk hydrate,desk
# What the styles name in public/ stays an address, and is not bundled.
addresses=()
for entry in public/*; do addresses+=("--external:/${entry#public/}" "--external:/${entry#public/}/*"); done
esbuild style/main.css --bundle --minify "${addresses[@]}" --target=chrome120,firefox121,safari17 --log-level=warning \
  --outfile="$work/souk.css"
node scripts/site.mjs "$work" public "$work/site"
rm -rf "$site"
mv "$work/site" "$site"
chmod 755 "$site"
sources | hash_of_files >"$stamp"
