// A vendor reduces one price for some days; a shopper reads it with the lowest price of the thirty days before.
import { signIn } from "../support/people.ts";
import { expect, expectAccessible, open, picture, test } from "../support/test.ts";

const shop = { email: "saddle-street@example.com", password: "market day" };

test("one price is reduced and given back @without-script", async ({ page, browser, baseURL }) => {
  const javaScriptEnabled = test.info().project.use.javaScriptEnabled !== false;
  const shopper = await (await browser.newContext({ baseURL, javaScriptEnabled })).newPage();
  await signIn(page, shop);
  await open(page, "/vendor/products?status=published");
  // Reduced a minute ago, with or without script, it was that cheap within the thirty days: each takes goods of its own.
  await page.locator("main tbody th a").nth(javaScriptEnabled ? -1 : -2).click();
  const inShop = (await page.getByRole("link", { name: "See it in the shop" }).getAttribute("href"))!;
  await page.getByRole("link", { name: "Reduce its price" }).click();
  await expect(page.getByRole("heading", { name: /^Reduce / })).toBeVisible();
  const name = `Advent ${Date.now().toString(36)}`;
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Percent off").fill("95");
  await page.getByLabel("Last day").fill(new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 10));
  await page.getByRole("button", { name: "Make it" }).click();
  await expect(page.getByText("Take 1 to 90 percent off.").first()).toBeVisible();
  await expect(page.getByLabel("Percent off")).toHaveValue("95");
  await expectAccessible(page);
  await page.getByLabel("Percent off").fill("25");
  await page.getByRole("button", { name: "Make it" }).click();
  await expect(page.getByText("Your prices are reduced now.")).toBeVisible();
  const row = page.getByRole("row").filter({ hasText: name });
  await expect(row).toContainText("running");
  await expectAccessible(page);
  await picture(page, "vendor-promotions");

  await expect(async () => {
    await open(shopper, inShop);
    await expect(shopper.getByText("lowest price of the 30 days before: £")).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 10_000 });
  await expectAccessible(shopper);
  await picture(shopper, "product-reduced");

  await row.getByRole("button", { name: `End: ${name}` }).click();
  await expect(page.getByText("Ended. What was ordered keeps its price.")).toBeVisible();
  await expect(async () => {
    await open(shopper, inShop);
    await expect(shopper.getByText("lowest price of the 30 days before")).toBeHidden({ timeout: 500 });
  }).toPass({ timeout: 10_000 });
});
