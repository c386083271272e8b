// A vendor brings a file of products: with errors, which are named, mended and brought again; without errors, in bulk and without script;
// and sees how far a long one is while it runs.
import { readFile } from "node:fs/promises";
import { signIn } from "../support/people.ts";
import { expect, expectAccessible, open, picture, test, type Page } from "../support/test.ts";

const kestrel = { email: "kestrel@example.com", password: "market day" };

/** Something that no other run has. */
const unique = () => `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 5)}`.toUpperCase();

async function bring(page: Page, name: string, content: string) {
  await page.goto("/vendor/imports");
  await page.getByLabel("A file of products").setInputFiles({ name, mimeType: "text/csv", buffer: Buffer.from(content) });
  await page.getByRole("button", { name: "Send it" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Which column is which?");
}

/** Waits for a sentence: it comes by itself, or without script by looking again. */
async function told(page: Page, sentence: string | RegExp) {
  await expect(async () => {
    if (test.info().project.use.javaScriptEnabled === false) await page.reload();
    await expect(page.locator("#live-import")).toContainText(sentence, { timeout: 1000 });
  }).toPass({ timeout: 30_000 });
}

/** The figures of an import: new, changed, as they are, errors. */
const figures = (page: Page) => page.locator(".import-numbers dd").allInnerTexts();

/** How it looks at both widths, in both colour schemes. */
async function looks(page: Page, name: string) {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const width of [1280, 390]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await picture(page, `${name}-${width}-${colorScheme}`);
      await expectAccessible(page);
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(sideways, `${name} at ${width} px scrolls sideways`).toBeLessThanOrEqual(0);
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 900 });
}

async function download(page: Page, link: string): Promise<string> {
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: link }).first().click()]);
  return readFile(await file.path(), "utf8");
}

test("a file with errors is checked, mended and imported", async ({ page }) => {
  test.setTimeout(120_000);
  const id = unique();
  await signIn(page, kestrel);
  await open(page, "/vendor/products");
  await page.getByRole("link", { name: "Import", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Import products");
  await looks(page, "imports");

  // What is no CSV is said to be none, beside the field.
  await page.getByLabel("A file of products").setInputFiles({ name: "goods.xlsx", mimeType: "application/zip", buffer: Buffer.from("PK\u0003\u0004 no csv") });
  await page.getByRole("button", { name: "Send it" }).click();
  await expect(page.getByRole("alert")).toContainText("This is a spreadsheet, not CSV.");
  await expectAccessible(page);

  const rows = [
    `IMP-${id}-1;Ash spoon ${id};attic;4,50;12`,
    `IMP-${id}-2;Ash ladle ${id};kitchen;a lot;3`,
    `IMP-${id}-3;Ash bowl ${id};kitchen;18,00;5`,
    `IMP-${id}-4;;kitchen;1,00;1`,
  ];
  await bring(page, `kestrel-${id}.csv`, ["Article number;Product name;Categories;Unit price;Quantity", ...rows].join("\r\n"));
  await expect(page.getByLabel("SKU", { exact: true })).toHaveValue("0");
  await expect(page.getByLabel("Price", { exact: true })).toHaveValue("3");
  await looks(page, "import-columns");
  await page.getByLabel("Price", { exact: true }).selectOption("");
  await page.getByRole("button", { name: "Check the file" }).click();
  await expect(page.getByRole("alert")).toContainText("Price: Choose a column: this one is needed.");
  await page.getByLabel("Price", { exact: true }).selectOption({ label: "Unit price — 4,50" });
  await page.getByRole("button", { name: "Check the file" }).click();
  await told(page, "Checked. Nothing has been changed yet.");
  expect(await figures(page)).toEqual(["1", "0", "0", "3"]);
  const errors = page.getByRole("region", { name: "Rows with errors" });
  await expect(errors.getByRole("row").filter({ hasText: "attic" })).toContainText("category");
  await expect(errors.getByRole("row")).toHaveCount(4);
  await looks(page, "import-checked");

  const file = await download(page, "All rows with errors as CSV");
  expect(file).toContain("Quantity;error");
  expect(file.split("\n").filter(Boolean)).toHaveLength(4);
  await page.getByRole("button", { name: "Import 1 row" }).click();
  await told(page, "The import is done.");
  expect(await figures(page)).toEqual(["1", "0", "0", "3"]);
  await looks(page, "import-done");

  // Mended and brought again: the columns are chosen as before.
  await bring(page, `mended-${id}.csv`, file.replace("attic", "kitchen").replace("a lot", "7,25").replace(";;kitchen", `;Ash fork ${id};kitchen`));
  await expect(page.getByText("As you chose last time")).toBeVisible();
  await page.getByRole("button", { name: "Check the file" }).click();
  await told(page, "Checked. Nothing has been changed yet.");
  await page.getByRole("button", { name: "Import 3 rows" }).click();
  await told(page, "The import is done.");
  expect(await figures(page)).toEqual(["3", "0", "0", "0"]);
  await open(page, `/vendor/products?q=IMP-${id}`);
  await expect(page.getByRole("rowheader")).toHaveCount(4);
  const shopper = await page.request.get(`/search?q=Ash+ladle+${id}`);
  expect(await shopper.text()).toContain("£7.25");
});

test("what was exported is changed in bulk and comes back @without-script", async ({ page, browser, baseURL }) => {
  test.setTimeout(120_000);
  // A shop that no other journey touches, and no two of these at a time: each says who it is by its goods.
  const id = unique();
  const script = test.info().project.use.javaScriptEnabled !== false;
  await signIn(page, { email: script ? "alder@example.com" : "ridge@example.com", password: "market day" });
  const names = "sku,title,category,price,stock";
  await bring(page, "new.csv", [names, ...[1, 2, 3].map((n) => `BULK-${id}-${n},Birch tray ${id} ${n},kitchen,${n}.00,${n}`)].join("\n"));
  await page.getByRole("button", { name: "Check the file" }).click();
  await told(page, "Checked. Nothing has been changed yet.");
  await page.getByRole("button", { name: "Import 3 rows" }).click();
  await told(page, "The import is done.");

  await page.goto(`/vendor/products?q=BULK-${id}`);
  const file = await download(page, "Export CSV");
  expect(file.split("\n").filter(Boolean)).toHaveLength(4);
  await bring(page, "same.csv", file);
  await page.getByRole("button", { name: "Check the file" }).click();
  await told(page, "There is nothing to change: the shop has all of this already.");
  expect(await figures(page)).toEqual(["0", "0", "3", "0"]);
  await expect(page.getByRole("button", { name: /^Import/ })).toHaveCount(0);

  await bring(page, "dearer.csv", file.replace(",2.00,", ",2.50,").replace(`tray ${id} 3`, `board ${id} 3`));
  await page.getByRole("button", { name: "Check the file" }).click();
  await told(page, "Checked. Nothing has been changed yet.");
  expect(await figures(page)).toEqual(["0", "2", "1", "0"]);
  await page.getByRole("button", { name: "Import 2 rows" }).click();
  await told(page, "The import is done.");
  const guest = await (await browser.newContext({ baseURL })).newPage();
  await guest.goto(`/search?q=Birch+board+${id}`);
  await expect(guest.getByRole("link", { name: `Birch board ${id} 3` }).first()).toBeVisible();
  await page.goto("/vendor/orders");
  expect(await download(page, "Export CSV")).toContain("order,paid_at,state");
});

test("a long import shows how far it is, without a reload, and can be cancelled", async ({ page }) => {
  test.setTimeout(120_000);
  const id = unique();
  await signIn(page, { email: "orrin@example.com", password: "market day" });
  const rows = Array.from({ length: 4000 }, (_, n) => `LONG-${id}-${n},Long thing ${id} ${n},kitchen,1.00,1`);
  await bring(page, "long.csv", ["sku,title,category,price,stock", ...rows].join("\n"));
  await page.getByRole("button", { name: "Check the file" }).click();
  await expect(page.getByRole("button", { name: "Cancel the check" })).toBeVisible();
  await page.evaluate(() => Object.assign(globalThis, { same: true }));
  const bar = page.getByRole("progressbar", { name: "Rows done" });
  await expect.poll(async () => Number((await bar.getAttribute("value", { timeout: 1000 }).catch(() => null)) ?? 0), { timeout: 20_000 }).toBeGreaterThan(0);
  await looks(page, "import-running");
  await expect(page.locator("#live-import")).toContainText("Checked.", { timeout: 60_000 });
  await page.getByRole("button", { name: "Import 4,000 rows" }).click();
  await page.getByRole("button", { name: "Cancel the import" }).click();
  await expect(page.locator("#live-import")).toContainText(/Cancelled after [\d,]+ of 4,000 rows\. What was done stays\./);
  await expect(page.getByRole("button", { name: "Go on with it" })).toBeVisible();
  await expectAccessible(page);
});
