// Parcels sent with the keyboard alone, from a pasted list.
import { signIn } from "../support/people.ts";
import { expect, expectAccessible, open, picture, test } from "../support/test.ts";

const hive = { email: "hive@example.com", password: "market day" };

test("all that waits is sent with the keyboard alone", async ({ page }) => {
  await signIn(page, hive);
  await open(page, "/vendor/orders");
  const numbers = await page.locator("main tbody th a").allInnerTexts();
  expect(numbers.length).toBeGreaterThan(0);
  await page.getByRole("link", { name: "Ship many" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Ship many" })).toBeVisible();
  await page.getByLabel("Orders and their tracking numbers").focus();
  for (const [n, number] of numbers.entries()) {
    await page.keyboard.type(`${number}, HIVE ${n}`);
    await page.keyboard.press("Enter");
  }
  await page.keyboard.type("1, nobody's");
  await page.keyboard.press("Tab");
  await page.keyboard.type("Royal Mail");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: /parcels? to send$/ })).toBeVisible();
  await expect(page.getByText("There is no paid order of yours with this number.")).toBeVisible();
  await expectAccessible(page);
  await picture(page, "vendor-ship-many");
  const send = page.getByRole("button", { name: /^Send (it|these \d+)$/ });
  await expect(send).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByText(/on (its|their) way\.$/).first()).toBeVisible();
  await expect(page.getByLabel("Orders and their tracking numbers")).toHaveValue(/^1\s*$/);
  await open(page, "/vendor/orders");
  await expect(page.getByRole("heading", { name: "Nothing to ship" })).toBeVisible();
});
