// What Lighthouse says of the shop's pages, as a telephone (its mobile preset): node run.mjs http://127.0.0.1:3000
// Prints a table of the four scores; ends with 1 where one is below 95.
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const LEAST = 95;
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];
const base = process.argv[2];

const list = await (await fetch(`${base}/api/v1/products?in_stock=true&limit=1`)).json();
const product = await (await fetch(`${base}/api/v1/products/${list.data[0].id}`)).json();
const body = JSON.stringify({ variant_id: product.variants.find((v) => v.available > 0).id, quantity: 1 });
const added = await fetch(`${base}/api/v1/cart/items`, { method: "POST", headers: { "content-type": "application/json" }, body });
const cookie = added.headers.getSetCookie().map((c) => c.split(";")[0]).join("; ");

// A cart is in no search engine, on purpose: that it says so is no fault of it.
const pages = [
  ["home", "/", {}],
  ["list", "/products", {}],
  ["product", `/products/${product.slug}`, {}],
  ["cart", "/cart", { extraHeaders: { Cookie: cookie }, skipAudits: ["is-crawlable"] }],
];

const chrome = await launch({
  chromePath: process.env.CHROMIUM,
  chromeFlags: ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage"],
});
let low = false;
console.log(`| page | ${CATEGORIES.join(" | ")} | LCP ms | TBT ms | CLS |\n|---|---|---|---|---|---|---|---|`);
for (const [name, path, options] of pages) {
  const { lhr } = await lighthouse(base + path, { port: chrome.port, onlyCategories: CATEGORIES, logLevel: "error", ...options });
  const scores = CATEGORIES.map((c) => Math.round(lhr.categories[c].score * 100));
  const value = (audit, digits) => lhr.audits[audit].numericValue.toFixed(digits);
  const figures = [value("largest-contentful-paint", 0), value("total-blocking-time", 0), value("cumulative-layout-shift", 3)];
  console.log(`| ${name} | ${scores.join(" | ")} | ${figures.join(" | ")} |`);
  low ||= scores.some((s) => s < LEAST);
  for (const category of CATEGORIES) {
    for (const { id, weight } of lhr.categories[category].auditRefs) {
      const audit = lhr.audits[id];
      if (weight > 0 && audit.score !== null && audit.score < 0.9) console.error(`  ${name}: ${audit.title} (${audit.displayValue ?? audit.score})`);
    }
  }
}
await chrome.kill();
process.exit(low ? 1 : 0);
