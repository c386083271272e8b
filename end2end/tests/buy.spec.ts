// A guest buys from three vendors in one payment; the cart says what happens to it; the checkout works by keyboard.
import { stranger } from "../support/people.ts";
import { addFrom, fillCheckout, payByCard, pence, shops } from "../support/shopping.ts";
import { awake, expect, expectAccessible, open, picture, test } from "../support/test.ts";

test("a guest buys from three vendors in one payment @phone", async ({ page }) => {
  for (const shop of shops) await addFrom(page, shop);
  await open(page, "/cart");
  await expect(page.getByRole("heading", { level: 2, name: /^Parcel from/ })).toHaveCount(3);
  await expectAccessible(page);
  await picture(page, "cart");

  // the stepper saves by itself, and the totals follow
  const before = await pence(page, "#cart-items");
  await page.getByRole("button", { name: /^One more of/ }).first().click();
  await expect.poll(() => pence(page, "#cart-items")).toBeGreaterThan(before);
  const items = await pence(page, "#cart-items");
  await page.reload();
  expect(await pence(page, "#cart-items")).toBe(items);

  await page.getByRole("link", { name: "Go to checkout" }).click();
  await awake(page);
  await expectAccessible(page);
  await picture(page, "checkout");

  // a mistake is told at the field and above, and nothing typed is lost
  await fillCheckout(page, "not an address");
  await page.getByRole("button", { name: /^Pay £/ }).click();
  await expect(page.getByRole("alert").getByRole("link")).toHaveCount(1);
  await expect(page.getByLabel("Street and house")).toHaveValue("1 Harbour Row");
  await expectAccessible(page);
  await picture(page, "checkout-mistake");
  await awake(page);

  // totals follow the choices at once
  const slow = await pence(page, "#order-total");
  await page.getByRole("radio", { name: /next day|express|24/i }).first().check();
  await expect.poll(() => pence(page, "#order-total")).not.toBe(slow);
  await page.getByLabel("Country").selectOption("SE");
  await expect(page.locator("#order-tax-label")).toHaveText("VAT included (25 %)");

  await page.getByLabel("E-mail address").fill(stranger().email);
  const total = await page.locator("#order-total").innerText();
  await page.getByRole("button", { name: `Pay ${total}` }).click();

  await expect(page.getByRole("button", { name: `Pay ${total}` })).toBeVisible();
  await payByCard(page);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Paid");
  await expectAccessible(page);
  await picture(page, "order-paid");
  await open(page, "/cart");
  await expect(page.getByText("Nothing in it yet")).toBeVisible();
});

test("turning back from the payment finds the cart as it was", async ({ page }) => {
  await addFrom(page, shops[0]);
  await open(page, "/checkout");
  await fillCheckout(page, stranger().email);
  await page.getByRole("button", { name: /^Pay £/ }).click();
  await expect(page.getByLabel("Card number")).toBeVisible();
  await open(page, "/cart");
  await expect(page.getByRole("link", { name: "Go to checkout" })).toBeVisible();
});

test("the checkout by keyboard only", async ({ page }) => {
  await addFrom(page, shops[1]);
  await open(page, "/checkout");
  const type = async (label: string, text: string) => {
    const field = page.getByLabel(label, { exact: true });
    for (let i = 0; i < 60; i++) {
      if (await field.evaluate((e) => e === document.activeElement)) break;
      await page.keyboard.press("Tab");
    }
    await expect(field).toBeFocused();
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.type(text);
  };
  await type("E-mail address", stranger().email);
  await type("Name", "Robin Hale");
  await type("Street and house", "1 Harbour Row");
  await type("Town or city", "Hull");
  await type("Postcode", "HU1 1AA");
  const pay = page.getByRole("button", { name: /^Pay £/ });
  for (let i = 0; i < 30; i++) {
    if (await pay.evaluate((e) => e === document.activeElement)) break;
    await page.keyboard.press("Tab");
  }
  await expect(pay).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Card number")).toBeVisible();
});
