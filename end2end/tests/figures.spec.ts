// The dashboard's figures: as a chart, as a table, by pointer and by keys; without script the table and the spans remain.
import { signIn } from "../support/people.ts";
import { expect, expectAccessible, open, picture, test } from "../support/test.ts";

const mill = { email: "mill@example.com", password: "market day" };

test("a vendor reads the last weeks from the chart and from the table @without-script", async ({ page }) => {
  await signIn(page, mill);
  await open(page, "/vendor");
  await expect(page.getByRole("img", { name: /^Revenue by day/ })).toBeVisible();
  await expectAccessible(page);
  await picture(page, "vendor-today");
  await page.getByText("The same as a table").click();
  await expect(page.getByRole("table").filter({ hasText: "Given back" })).toBeVisible();
  await page.getByRole("link", { name: "90 days" }).click();
  await expect(page.getByText("in the 90 days before").first()).toBeVisible();
  await expect(page.getByRole("link", { name: "90 days" })).toHaveAttribute("aria-current", "page");
  await expect(page.getByRole("heading", { name: "Best sellers of 90 days" })).toBeVisible();
});

test("days are marked by pointer and by keys", async ({ page }) => {
  await signIn(page, mill);
  await open(page, "/vendor?days=7");
  const chart = page.getByRole("slider");
  const said = page.locator(".chart-said");
  await chart.focus();
  await page.keyboard.press("ArrowLeft");
  await expect(said).toHaveText(/^\d+ \w{3}: £[\d,.]+, \d+ orders?, \d+ pieces?$/);
  await page.keyboard.press("Shift+Home");
  await expect(said).toHaveText(/^\d+ \w{3} – \d+ \w{3}: £/);
  await page.keyboard.press("Escape");
  await expect(said).toContainText("Point at a day");
  const box = (await chart.boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.5, box.y + 20);
  await expect(said).toHaveText(/^\d+ \w{3}: £/);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.9, box.y + 30, { steps: 4 });
  await page.mouse.up();
  await page.mouse.move(box.x, box.y - 60);
  await expect(said, "what was drawn over stays").toHaveText(/ – /);
  await picture(page, "vendor-chart-marked");
});
