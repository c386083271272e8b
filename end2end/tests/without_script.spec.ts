// Everything of the shopper once more, with script off: plain links, plain forms, whole pages.
import { stranger } from "../support/people.ts";
import { addFrom, fillCheckout, payByCard, pence, shops } from "../support/shopping.ts";
import { expect, picture, test } from "../support/test.ts";

test.use({ javaScriptEnabled: false });

test("a guest finds, chooses, changes, buys and pays", async ({ page }) => {
  await page.goto("/");
  await page.getByLabel("Search the market").fill("tea");
  await page.getByRole("button", { name: "Search" }).click();
  await expect(page).toHaveURL(/\/search\?q=tea/);

  for (const shop of shops) await addFrom(page, shop, false);
  await page.goto("/cart");
  const before = await pence(page, "#cart-items");
  const quantity = page.getByRole("spinbutton").first();
  await quantity.fill("2");
  await page.getByRole("button", { name: "Update" }).first().click();
  await expect(page.getByRole("spinbutton").first()).toHaveValue("2");
  expect(await pence(page, "#cart-items")).toBeGreaterThan(before);

  // the browser itself refuses what is out of range; what the server says to it is asked by the API tests
  await page.getByRole("spinbutton").first().fill("1000");
  await page.getByRole("button", { name: "Update" }).first().click();
  expect(await page.locator("input:invalid").count()).toBe(1);
  await page.goto("/cart");
  await page.getByRole("button", { name: /^Remove/ }).last().click();
  await expect(page.getByText("is no longer in your cart")).toBeVisible();
  await picture(page, "cart");

  await page.getByRole("link", { name: "Go to checkout" }).click();
  await fillCheckout(page, stranger().email);
  const total = await page.locator("#order-total").innerText();
  await page.getByLabel("Country").selectOption("DE");
  await page.getByRole("button", { name: "Update totals" }).click();
  await expect(page.locator("#order-tax-label")).toHaveText("VAT included (19 %)");
  await expect(page.getByLabel("Town or city")).toHaveValue("Hull");
  await picture(page, "checkout");

  // a dearer way of shipping than was shown needs a second look
  await page.getByRole("radio").nth(1).check();
  await page.getByRole("button", { name: `Pay ${total}` }).click();
  await expect(page.getByRole("alert")).toContainText(`The total changed from ${total} to`);
  await expect(page.getByLabel("Town or city")).toHaveValue("Hull");
  await page.getByRole("button", { name: /^Pay £/ }).click();
  await payByCard(page);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Paid");
  await picture(page, "order");
});
