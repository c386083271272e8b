// A shop goes on holiday: its goods are shown and not sold, a cart says why and until when, and when it is back everything is as before.
import { signIn } from "../support/people.ts";
import { addFrom } from "../support/shopping.ts";
import { expect, expectAccessible, picture, test } from "../support/test.ts";

test("a shop on holiday sells nothing and says so @without-script", async ({ browser, baseURL, page }) => {
  const javaScriptEnabled = test.info().project.use.javaScriptEnabled !== false;
  // One shop for each project, because they run at the same time.
  const shop = javaScriptEnabled ? "ridge" : "orrin";
  const days = (n: number) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10);
  await addFrom(page, shop, javaScriptEnabled);
  await page.goto("/cart");
  const product = (await page.locator(".cart-line a[href^='/products/']").first().getAttribute("href"))!;

  const desk = await (await browser.newContext({ baseURL, javaScriptEnabled })).newPage();
  await signIn(desk, { email: `${shop}@example.com`, password: "market day" });
  await desk.goto("/vendor/shop");
  await desk.getByLabel("First day").fill(days(0));
  await desk.getByLabel("Last day").fill(days(-1));
  await desk.getByLabel("What shoppers read meanwhile").fill("The workshop is closed while we walk the coast path.");
  await desk.getByRole("button", { name: "Save the holiday" }).click();
  await expect(desk.getByRole("alert")).toContainText("Not before the first day");
  await expect(desk.getByLabel("What shoppers read meanwhile")).toHaveValue(/coast path/);
  await expectAccessible(desk);
  await desk.getByLabel("Last day").fill(days(7));
  await desk.getByRole("button", { name: "Save the holiday" }).click();
  await expect(desk.getByRole("status").filter({ hasText: "You are on holiday." })).toBeVisible();
  await picture(desk, "vendor-shop-holiday");
  await desk.goto("/vendor");
  await expect(desk.getByRole("status").filter({ hasText: "You are on holiday" })).toBeVisible();

  // Kept pages are drawn anew within a moment.
  await expect(async () => {
    await page.goto(product);
    await expect(page.getByText(/is on holiday until/)).toBeVisible({ timeout: 500 });
  }).toPass();
  await expect(page.getByText("walk the coast path")).toBeVisible();
  await expect(page.getByRole("button", { name: "Add to cart" })).toHaveCount(0);
  await expectAccessible(page);
  await picture(page, "product-holiday");
  await page.goto(`/vendors/${shop}`);
  await expect(page.getByText(/is on holiday until/)).toBeVisible();
  await expectAccessible(page);
  await picture(page, "shop-holiday");
  await page.goto("/cart");
  await expect(page.getByRole("main")).toContainText(/is on holiday until .* Its goods can be bought again after that\. Until then it stays here/);
  await expectAccessible(page);
  await picture(page, "cart-holiday");

  await desk.goto("/vendor/shop");
  await desk.getByLabel("First day").fill("");
  await desk.getByLabel("Last day").fill("");
  await desk.getByRole("button", { name: "Save the holiday" }).click();
  await expect(desk.getByRole("status").filter({ hasText: "No holiday" })).toBeVisible();
  await page.goto("/cart");
  await expect(page.getByRole("main")).not.toContainText("on holiday");
  await page.goto("/checkout");
  await expect(page.getByRole("button", { name: /^Pay £/ })).toBeVisible();
});
