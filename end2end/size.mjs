// Asserts what a shopper's browser downloads as program and as style: all JavaScript and WASM that a page of the shop asks for, as
// brotli sends it. Every page of the shop asks for the same files (src/server/page.rs), so one sum speaks for all of them, and one for
// the vendor's desk.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const LIMIT = 120_000;
const DESK_LIMIT = 250_000;
const STYLE_LIMIT = 15_000;
const site = resolve(import.meta.dirname, "..", process.env.SOUK_SITE_DIR ?? "target/site");

function files(dir, kind) {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return files(path, kind);
    return kind.test(entry.name) ? [path] : [];
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

// A page loads one of the two programs (src/server/page.rs); what lies beside them in public/ comes with both.
const isDesk = (path) => /(^|\/)pkg\/desk\.[^/]*$/.test(path);
const isShop = (path) => /(^|\/)pkg\/souk\.[^/]*$/.test(path);
let [shop, desk] = [0, 0];
for (const path of files(site, /\.(js|mjs|wasm)$/).sort()) {
  const bytes = sent(path);
  if (!isDesk(path)) shop += bytes;
  if (!isShop(path)) desk += bytes;
  console.log(`${String(bytes).padStart(9)}  ${path.slice(site.length + 1)}`);
}
const style = files(site, /\.css$/).reduce((sum, path) => sum + sent(path), 0);
const check = (bytes, limit) => (bytes > 0 && bytes <= limit ? "ok" : "too much");
const verdicts = [check(shop, LIMIT), check(desk, DESK_LIMIT), check(style, STYLE_LIMIT)];
console.log(`size: ${shop} bytes of JavaScript and WASM (brotli) on a page of the shop, at most ${LIMIT}: ${verdicts[0]}`);
console.log(`size: ${desk} bytes of it on a page of the vendor's desk, at most ${DESK_LIMIT}: ${verdicts[1]}`);
console.log(`size: ${style} bytes of style (brotli), at most ${STYLE_LIMIT}: ${verdicts[2]}`);
process.exit(verdicts.every((verdict) => verdict === "ok") ? 0 : 1);
