// What shoppers do in more than one journey: fill a cart, fill in the checkout, pay at the hosted page.
import { stranger } from "./people.ts";
import { awake, expect, open, type Page } from "./test.ts";

/** Three shops of the demo world. */
export const shops = ["mill", "kestrel", "tidewater"];

/** Puts the first thing on a shop's shelf that can be bought into the cart, and says what it is. */
export async function addFrom(page: Page, shop: string, script = true): Promise<string> {
  await page.goto(`/vendors/${shop}`);
  const links = await page.locator("main .card:not(.card-sold-out) a[href^='/products/']").evaluateAll((all) => all.map((a) => a.getAttribute("href")!));
  for (const href of links) {
    await page.goto(href);
    if (script) await awake(page);
    const add = page.getByRole("button", { name: "Add to cart" });
    if (!(await add.isVisible()) || !(await add.isEnabled())) continue;
    const title = (await page.getByRole("heading", { level: 1 }).innerText()).trim();
    await add.click();
    await expect(page.getByRole("status").filter({ hasText: "is in your cart" })).toBeVisible();
    return title;
  }
  throw new Error(`nothing to buy from ${shop}`);
}

/** Types a guest's e-mail address and where the parcels go. */
export async function fillCheckout(page: Page, email: string) {
  await page.getByLabel("E-mail address").fill(email);
  await page.getByLabel("Name", { exact: true }).fill("Robin Hale");
  await page.getByLabel("Street and house").fill("1 Harbour Row");
  await page.getByLabel("Town or city").fill("Hull");
  await page.getByLabel("Postcode").fill("HU1 1AA");
}

/** Fills in the hosted card page and sends it. */
export async function payByCard(page: Page, number = "4242 4242 4242 4242") {
  await page.getByLabel("Card number").fill(number);
  await page.getByLabel(/^Expiry/).fill("12/40");
  await page.getByLabel("Security code").fill("123");
  await page.getByLabel("Name on card").fill("Robin Hale");
  await page.getByRole("button", { name: /^Pay £/ }).first().click();
}

/** The amount that an element says, in pence. */
export async function pence(page: Page, selector: string): Promise<number> {
  const text = await page.locator(selector).innerText();
  return Math.round(Number(text.replace(/[^0-9.]/g, "")) * 100);
}

/** A guest buys something from the mill; answers what, and the number of the order. */
export async function buy(page: Page): Promise<{ title: string; number: string; address: string }> {
  const title = await addFrom(page, "mill");
  await open(page, "/checkout");
  await fillCheckout(page, stranger().email);
  await page.getByRole("button", { name: /^Pay £/ }).click();
  await payByCard(page);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Paid");
  const number = (await page.getByRole("heading", { name: /^Order \d+/ }).innerText()).replace(/\D/g, "");
  return { title, number, address: page.url() };
}
