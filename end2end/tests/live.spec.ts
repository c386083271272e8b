// Two browsers: what is bought in one appears in the other, softly and without a reload.
import { signIn } from "../support/people.ts";
import { buy } from "../support/shopping.ts";
import { expect, expectAccessible, open, picture, test } from "../support/test.ts";

test("a purchase appears at the vendor's desk within two seconds", async ({ page, browser, baseURL }) => {
  const context = await browser.newContext({ baseURL });
  const vendor = await context.newPage();
  await signIn(vendor, { email: "mill@example.com", password: "market day" });
  await open(vendor, "/vendor/orders");
  const waiting = async () => Number(await vendor.locator("#live-tabs .count").innerText());
  const before = await waiting();
  await vendor.evaluate(() => Object.assign(globalThis, { same: true }));

  const { number } = await buy(page);
  const line = vendor.getByRole("status").filter({ hasText: "new order" });
  await expect(line).toBeVisible({ timeout: 2000 });
  await expect(vendor).toHaveTitle(/^• /);
  // Figures follow at once; the list stands still until it is asked to move. Other journeys may sell from the mill meanwhile.
  await expect.poll(waiting).toBeGreaterThan(before);
  await expect(vendor.getByRole("link", { name: number, exact: true })).toHaveCount(0);
  await expectAccessible(vendor);
  await picture(vendor, "vendor-live");
  await line.getByRole("button", { name: "Show" }).click();
  await expect(vendor.getByRole("link", { name: number, exact: true })).toBeVisible();
  await expect(line).toBeHidden();
  expect(await vendor.evaluate(() => "same" in globalThis), "the same page all the time").toBe(true);

  // The figures of today, on the page that they stand on.
  await open(vendor, "/vendor");
  const today = vendor.locator("#live-numbers");
  const taken = await today.innerText();
  await buy(page);
  await expect(vendor.getByRole("status").filter({ hasText: "new order" })).toBeVisible({ timeout: 2000 });
  await expect(today).not.toHaveText(taken, { useInnerText: true });
  await context.close();
});
