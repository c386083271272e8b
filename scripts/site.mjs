// Lays out the site: node scripts/site.mjs WORK PUBLIC SITE puts WORK/souk.{js,wasm,css} and WORK/desk.{js,wasm} into SITE/pkg under names with
// a hash of their contents, PUBLIC beside it, and a brotli and a gzip next to each file that they make smaller.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [work, pub, site] = process.argv.slice(2);
if (!site) {
  console.error("usage: node scripts/site.mjs WORK PUBLIC SITE");
  process.exit(2);
}

cpSync(pub, site, { recursive: true });
mkdirSync(join(site, "pkg"), { recursive: true });

// The JavaScript is given the WASM's address by the page, so no file names another and all hashes stand by themselves.
const hashes = ["souk.js", "souk.wasm", "souk.css", "desk.js", "desk.wasm"].map((file) => {
  const [name, kind] = file.split(".");
  const bytes = readFileSync(join(work, file));
  const hash = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
  writeFileSync(join(site, "pkg", `${name}.${hash}.${kind}`), bytes);
  return `${file}: ${hash}\n`;
});
writeFileSync(join(site, "hash.txt"), hashes.join(""));

for (const entry of readdirSync(site, { recursive: true, withFileTypes: true })) {
  // Pictures and fonts are compressed already.
  if (!entry.isFile() || !/\.(js|wasm|css|svg|txt|json|webmanifest|xml)$/.test(entry.name)) continue;
  const path = join(entry.parentPath, entry.name);
  const bytes = readFileSync(path);
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  const gzip = gzipSync(bytes, { level: 9 });
  if (brotli.length < bytes.length) writeFileSync(`${path}.br`, brotli);
  if (gzip.length < bytes.length) writeFileSync(`${path}.gz`, gzip);
}
