// Money and goods back: a vendor gives a line back; a shopper returns something, and its receipt pays it back.
import { signIn } from "../support/people.ts";
import { buy } from "../support/shopping.ts";
import { expect, expectAccessible, open, picture, test, type Browser, type Page } from "../support/test.ts";

const mill = { email: "mill@example.com", password: "market day" };

/** The mill at its desk, with this order open. */
async function desk(browser: Browser, baseURL: string | undefined, number: string): Promise<Page> {
  const context = await browser.newContext({ baseURL });
  const page = await context.newPage();
  await signIn(page, mill);
  await open(page, "/vendor/orders?show=all");
  await page.getByRole("link", { name: number, exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Order ${number}`);
  return page;
}

test("a vendor gives a line back, and the shopper reads it", async ({ page, browser, baseURL }) => {
  const { title, number, address } = await buy(page);
  const vendor = await desk(browser, baseURL, number);
  await vendor.getByText("Give money back").click();
  const form = vendor.locator("details.refund");
  await form.getByLabel(title).fill("9");
  await form.getByLabel("Reason").fill("It was chipped on the shelf");
  await form.getByRole("button", { name: "Give it back" }).click();
  await expect(vendor.getByRole("alert")).toContainText("At most 1 can still go back.");
  await expect(form.getByLabel("Reason")).toHaveValue("It was chipped on the shelf");
  await expectAccessible(vendor);
  await picture(vendor, "vendor-refund-refused");
  await form.getByLabel(title).fill("1");
  await form.getByRole("button", { name: "Give it back" }).click();
  await expect(vendor.getByRole("status").filter({ hasText: "The money goes back." })).toBeVisible();
  await expect(vendor.getByText("1 paid back")).toBeVisible();
  await expectAccessible(vendor);
  await picture(vendor, "vendor-refund");
  await expect(async () => {
    await open(page, address);
    await expect(page.getByRole("main")).toContainText(/Refunded.*It was chipped on the shelf/s, { timeout: 1000 });
  }).toPass();
  await expect(page.getByText("1 of them paid back")).toBeVisible();
  await expectAccessible(page);
  await picture(page, "order-refunded-in-part");
});

test("a shopper returns something, and the vendor receives it", async ({ page, browser, baseURL }) => {
  test.setTimeout(120_000);
  const { title, number, address } = await buy(page);
  const vendor = await desk(browser, baseURL, number);
  await vendor.getByLabel("Carrier").fill("Royal Mail");
  await vendor.getByRole("button", { name: "Mark as shipped" }).click();
  await expect(vendor.getByRole("status").filter({ hasText: "Shipped." })).toBeVisible();

  await open(page, address);
  await page.getByRole("link", { name: "Return something" }).click();
  await page.getByLabel(title).fill("1");
  await page.getByLabel("Why").selectOption("It came damaged");
  await page.getByLabel("What should the vendor know?").fill("The rim is chipped.");
  await expectAccessible(page);
  await picture(page, "return-ask");
  await page.getByRole("button", { name: "Ask to return it" }).click();
  await expect(page.getByRole("main")).toContainText("waits for the vendor");
  await expectAccessible(page);

  await open(vendor, "/vendor/returns");
  await expectAccessible(vendor);
  await picture(vendor, "vendor-returns");
  await vendor.getByRole("link", { name: `Order ${number}` }).click();
  await vendor.getByLabel("Where to send it").fill("The Mill\n1 Mill Lane\nLeeds");
  await expectAccessible(vendor);
  await picture(vendor, "vendor-return");
  await vendor.getByRole("button", { name: "Accept the return" }).click();
  await expect(vendor.getByRole("status").filter({ hasText: "Done." })).toBeVisible();

  await page.reload();
  await expect(page.getByRole("main")).toContainText("1 Mill Lane");
  await page.getByLabel("Carrier").fill("Royal Mail");
  await page.getByRole("button", { name: "I have sent it" }).click();
  await expect(page.getByRole("main")).toContainText("on its way back");

  await vendor.reload();
  await vendor.getByLabel("Back on the shelf").fill("1");
  await expectAccessible(vendor);
  await picture(vendor, "vendor-return-receive");
  await vendor.getByRole("button", { name: "Confirm and pay back" }).click();
  await expect(vendor.getByRole("status").filter({ hasText: "Received." })).toBeVisible();

  await page.reload();
  await expect(page.getByRole("main")).toContainText("received and paid back");
  await expectAccessible(page);
  await picture(page, "return-received");
});
