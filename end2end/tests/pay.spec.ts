// Paying: a declined card and then another, 3-D Secure, turning back and paying later, and a customer who cancels.
import { register, stranger } from "../support/people.ts";
import { addFrom, fillCheckout, payByCard, shops } from "../support/shopping.ts";
import { awake, expect, expectAccessible, open, picture, test, type Page } from "../support/test.ts";

/** Fills a cart from one shop and goes as far as the card page. */
async function goToPayment(page: Page, email: string) {
  await addFrom(page, shops[0]);
  await open(page, "/checkout");
  await fillCheckout(page, email);
  await page.getByRole("button", { name: /^Pay £/ }).click();
  await expect(page.getByLabel("Card number")).toBeVisible();
}

const truth = (page: Page) => page.getByRole("heading", { level: 1 });

test("a declined card says so, and another one pays", async ({ page }) => {
  await goToPayment(page, stranger().email);
  await payByCard(page, "4000 0000 0000 0002");
  await expect(page.getByRole("alert")).toContainText("declined");
  await payByCard(page);
  await expect(truth(page)).toContainText("Paid");
});

test("3-D Secure: failed, then approved", async ({ page }) => {
  await goToPayment(page, stranger().email);
  await payByCard(page, "4000 0025 0000 3155");
  await page.getByRole("button", { name: "Fail the authentication" }).click();
  await expect(page.getByRole("alert")).toContainText("unable to authenticate");
  await payByCard(page, "4000 0025 0000 3155");
  await page.getByRole("button", { name: "Approve the payment" }).click();
  await expect(truth(page)).toContainText("Paid");
});

test("registers, buys, and cancels before it is sent", async ({ page }) => {
  const person = stranger();
  await register(page, person);
  await goToPayment(page, person.email);
  await payByCard(page);
  await expect(truth(page)).toContainText("Paid");
  await awake(page);

  await open(page, "/account/orders");
  await page.getByRole("main").getByRole("link", { name: /Order \d+/ }).first().click();
  await page.getByText("Cancel this order").click();
  await page.getByRole("main").getByRole("button", { name: /^(Yes, c|C)ancel/ }).click();
  await expect(truth(page)).toContainText(/cancelled/i);
  await expectAccessible(page);
  await picture(page, "order-cancelled");
});
