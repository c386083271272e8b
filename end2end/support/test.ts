// What every journey imports instead of Playwright itself: the same `test` and `expect`, with what is particular to Souk.
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test as base, type Browser, type Page } from "@playwright/test";

export { expect, type Browser, type Page };

/** A page that nobody caught an error on: whatever a browser complains about fails the test. */
export const test = base.extend({
  page: async ({ page }, use) => {
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
    page.on("console", (message) => {
      // A 404 or a 422 that a journey asks for is told by the browser as an error too; those are checked where they are asked for.
      const answered = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !answered) complaints.push(`console: ${message.text()}`);
    });
    await use(page);
    expect(complaints, "what the browser complained about").toEqual([]);
  },
});

/** Waits until the islands of the page answer. Without script there is nothing to wait for. */
export async function awake(page: Page) {
  if (test.info().project.use.javaScriptEnabled === false) return;
  await expect(page.locator("html[data-hydrated]")).toBeAttached();
}

/** Opens an address of ours and waits until its islands answer. */
export async function open(page: Page, path: string) {
  const response = await page.goto(path);
  await awake(page);
  return response;
}

/** Asserts that axe finds nothing to object to on the page as it stands. */
export async function expectAccessible(page: Page) {
  // axe is itself a script and waits for ever where none runs; the same pages are asked with script.
  if (test.info().project.use.javaScriptEnabled === false) return;
  const found = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]).analyze();
  const violations = found.violations.map((v) => `${v.id}: ${v.help}\n  ${v.nodes.map((n) => n.html).join("\n  ")}`);
  expect(violations, `axe on ${page.url()}`).toEqual([]);
}

/** Keeps a picture of the page in output/screenshots, for people to look at; nothing is compared. */
export async function picture(page: Page, name: string) {
  const project = test.info().project.name;
  await page.screenshot({ path: `output/screenshots/${project}-${name}.png`, fullPage: true, animations: "disabled" });
}
