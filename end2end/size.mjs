// Asserts what a shopper's browser downloads as program: all JavaScript and WASM that a page of the shop asks for, as
// brotli sends it. Every page asks for the same files (src/server/page.rs), so one sum speaks for all of them; lazy
// chunks are told apart, because a page only asks for the ones whose islands it shows.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const LIMIT = 130_000;
const site = resolve(import.meta.dirname, "..", process.env.SOUK_SITE_DIR ?? "target/site");

function programs(dir) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return programs(path);
    return /\.(js|mjs|wasm)$/.test(entry.name) ? [path] : [];
  });
}

// As the server sends it: precompressed by the build, or compressed here as hard.
function sent(path) {
  if (existsSync(`${path}.br`)) return readFileSync(`${path}.br`).length;
  const bytes = readFileSync(path);
  return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length;
}

if (!existsSync(site)) {
  console.error(`There is no browser build in ${site}: run scripts/browser-build.sh.`);
  process.exit(1);
}

const isLazy = (path) => /(chunk|split)_?[^/]*\.wasm$/.test(path);
let total = 0;
for (const path of programs(site).sort()) {
  const bytes = sent(path);
  if (!isLazy(path)) total += bytes;
  console.log(`${String(bytes).padStart(9)}  ${path.slice(site.length + 1)}${isLazy(path) ? "  (lazy, not counted)" : ""}`);
}
const verdict = total > 0 && total <= LIMIT ? "ok" : "too much";
console.log(`size: ${total} bytes of JavaScript and WASM (brotli) on every page, at most ${LIMIT}: ${verdict}`);
process.exit(verdict === "ok" ? 0 : 1);
