// Draws every picture that the product files name and that is not there yet (--all draws all anew).
//   npm ci && npm run draw            (Chromium at /usr/bin/chromium, or set CHROMIUM)
import { mkdir, readFile, readdir, writeFile, access } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const here = dirname(fileURLToPath(import.meta.url)), demo = join(here, '..'), out = join(demo, 'pictures');
const args = process.argv.slice(2), all = args.includes('--all'), only = args.find((a) => !a.startsWith('--'));
const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.woff2': 'font/woff2' };

const jobs = [];
for (const file of (await readdir(join(demo, 'products'))).sort()) {
  for (const product of JSON.parse(await readFile(join(demo, 'products', file), 'utf8'))) {
    for (const picture of product.pictures) {
      const there = await access(join(out, picture.file)).then(() => true, () => false);
      if ((all || !there) && (!only || picture.file.includes(only))) jobs.push({ picture, product });
    }
  }
}

// The first picture of every product before the second of any.
jobs.sort((a, b) => (a.picture.view === 'close') - (b.picture.view === 'close'));

await mkdir(out, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--disable-gpu-watchdog', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage();
page.on('pageerror', (e) => console.error('page:', e.message));
// Files are answered from this folder; nothing is asked of any network.
await page.route('**/*', async (route) => {
  const path = new URL(route.request().url()).pathname;
  try { await route.fulfill({ contentType: types[extname(path)] ?? 'text/plain', body: await readFile(join(here, path)) }); } catch { await route.fulfill({ status: 404 }); }
});
await page.goto('http://studio.invalid/page.html');
await page.waitForFunction('window.ready');
let bytes = 0, failed = 0;
for (const [i, { product, picture }] of jobs.entries()) {
  try {
    const url = await page.evaluate(([name, scene, view]) => window.draw(name, scene, view), [product.slug, { ...product.scene, ...picture.scene }, picture.view]);
    const data = Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
    // A lost graphics context draws nothing, and says nothing.
    if (data.length < 4000) throw new Error('the picture is empty; draw again');
    bytes += data.length;
    await writeFile(join(out, picture.file), data);
  } catch (e) { failed++; console.error(`${picture.file}: ${e.message.split('\n')[0]}`); }
  if (i % 50 === 49 || i === jobs.length - 1) console.log(`${i + 1} of ${jobs.length} pictures, ${(bytes / 1e6).toFixed(1)} MB`);
}
await browser.close();
process.exit(failed ? 1 : 0);
