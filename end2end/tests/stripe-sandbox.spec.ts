// The sandbox's card page, as people and as axe see it. Paying for an order of the shop is told in the shop's own journeys.
import Stripe from "stripe";
import { expect, expectAccessible, picture, test, type Page } from "../support/test.ts";

const port = Number(process.env.SOUK_END2END_PORT ?? 3100) + 1;
const stripe = new Stripe("sk_test_browser", { protocol: "http", host: "127.0.0.1", port, telemetry: false });

/** A session of no order; the shop is told of it and has nothing to do with it. */
async function session() {
  const made = await stripe.checkout.sessions.create({
    mode: "payment",
    line_items: [
      { quantity: 2, price_data: { currency: "gbp", unit_amount: 3400, product_data: { name: "Stoneware bowl, speckled" } } },
      { quantity: 1, price_data: { currency: "gbp", unit_amount: 395, product_data: { name: "Shipping" } } },
    ],
    success_url: `http://127.0.0.1:${port - 1}/?paid={CHECKOUT_SESSION_ID}`,
    cancel_url: `http://127.0.0.1:${port - 1}/cart`,
  });
  if (!made.url) throw new Error("an open session has an address");
  return made.url;
}

async function fill(page: Page, number: string, expiry = "12 / 34", code = "123") {
  await page.getByLabel("Email").fill("ada@example.com");
  await page.getByLabel("Card number").fill(number);
  await page.getByLabel("Expiry").fill(expiry);
  await page.getByLabel("Security code").fill(code);
  await page.getByLabel("Name on card").fill("Ada Lovelace");
  await page.getByRole("button", { name: "Pay £71.95" }).click();
}

for (const scheme of ["light", "dark"] as const) {
  test(`the card page in ${scheme} colours: mistakes, a declined card, 3-D Secure, paid @phone @without-script`, async ({ page, javaScriptEnabled }) => {
    await page.emulateMedia({ colorScheme: scheme });
    // axe is a script: where there is none, only the way through is walked
    const look = async (name: string) => {
      if (javaScriptEnabled !== false) await expectAccessible(page);
      await picture(page, `card-${scheme}-${name}`);
    };
    await page.goto(await session());
    await expect(page.getByRole("banner")).toContainText("No real card is charged");
    await look("empty");

    await fill(page, "4242 4242 4242 4241", "01/20", "1");
    await expect(page.getByLabel("Card number")).toHaveAccessibleDescription("Your card number is invalid.");
    await expect(page.getByLabel("Expiry")).toHaveAccessibleDescription("Your card's expiration year is in the past.");
    await expect(page.getByLabel("Card number")).toHaveValue("4242 4242 4242 4241");
    await look("mistakes");

    await fill(page, "4000 0000 0000 9995");
    await expect(page.getByRole("alert")).toHaveText("Your card has insufficient funds.");
    await look("declined");

    await fill(page, "4000 0025 0000 3155");
    await look("challenge");
    await page.getByRole("button", { name: "Fail the authentication" }).click();
    await expect(page.getByRole("alert")).toContainText("We are unable to authenticate your payment method.");

    await fill(page, "4000 0025 0000 3155");
    await page.getByRole("button", { name: "Approve the payment" }).click();
    await expect(page).toHaveURL(/\?paid=cs_test_/);
  });
}

test("the way back to the shop", async ({ page }) => {
  await page.goto(await session());
  await page.getByRole("link", { name: "Cancel and return to the shop" }).click();
  await expect(page).toHaveURL(/\/cart$/);
});
