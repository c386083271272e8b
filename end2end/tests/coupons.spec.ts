// A vendor makes a coupon; a shopper types a wrong code, then the right one, and pays less; with script and without.
import { signIn, stranger } from "../support/people.ts";
import { addFrom, fillCheckout, payByCard, pence } from "../support/shopping.ts";
import { expect, expectAccessible, picture, test } from "../support/test.ts";

const mill = { email: "mill@example.com", password: "market day" };

test("a shopper uses a vendor's coupon @without-script", async ({ browser, baseURL, page }) => {
  const code = `mill-${Date.now().toString(36)}`;
  const javaScriptEnabled = test.info().project.use.javaScriptEnabled !== false;
  const desk = await (await browser.newContext({ baseURL, javaScriptEnabled })).newPage();
  await signIn(desk, mill);
  await desk.goto("/vendor/coupons");
  await expectAccessible(desk);
  await desk.getByLabel("Code").fill(code);
  await desk.getByLabel("Name").fill("For those who read labels");
  await desk.getByLabel("Percent").fill("20");
  await desk.getByLabel("Uses in all").fill("1");
  await desk.getByRole("button", { name: "Make it" }).click();
  await expect(desk.getByRole("status")).toContainText("Made.");
  await expect(desk.getByRole("row").filter({ hasText: code.toUpperCase() })).toContainText("0 of 1");
  await picture(desk, "vendor-coupons");

  await addFrom(page, "mill", javaScriptEnabled);
  await addFrom(page, "kestrel", javaScriptEnabled);
  await page.goto("/checkout");
  await fillCheckout(page, stranger().email);
  await page.getByLabel("Coupon").fill("no-such-code");
  await page.getByRole("button", { name: "Use it" }).click();
  await expect(page.getByRole("alert")).toContainText("There is no such coupon.");
  await expect(page.getByLabel("Coupon")).toHaveValue("no-such-code");
  await expect(page.getByLabel("Town or city")).toHaveValue("Hull");
  await expectAccessible(page);
  const before = await pence(page, "#order-total");

  await page.getByLabel("Coupon").fill(code);
  await page.getByRole("button", { name: "Use it" }).click();
  await expect(page.getByText(`Coupon ${code.toUpperCase()}, from`)).toBeVisible();
  const off = await pence(page, "#order-discount");
  expect(off).toBeGreaterThan(0);
  expect(await pence(page, "#order-total")).toBe(before - off);
  await expectAccessible(page);
  await picture(page, "checkout-coupon");

  await page.getByRole("button", { name: /^Pay £/ }).click();
  await payByCard(page);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Paid");
  await expect(page.getByText(`Coupon ${code.toUpperCase()}, from`)).toBeVisible();

  await desk.reload();
  await expect(desk.getByRole("row").filter({ hasText: code.toUpperCase() })).toContainText("1 of 1");
  await desk.getByRole("button", { name: `End: ${code.toUpperCase()}` }).click();
  await expect(desk.getByRole("status")).toContainText("Ended.");
});
