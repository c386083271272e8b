// A shopper asks, the vendor answers; without script as well.
import { signIn } from "../support/people.ts";
import { buy } from "../support/shopping.ts";
import { expect, expectAccessible, open, picture, test } from "../support/test.ts";

test("a question about a parcel is asked and answered", async ({ page, browser, baseURL }) => {
  await buy(page);
  await page.getByRole("link", { name: /^Write to / }).first().click();
  await page.getByLabel(/^Write to /).fill("Could you leave it with a neighbour?");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByText("Sent. A mail tells you of the answer.")).toBeVisible();
  await expect(page.getByText("Could you leave it with a neighbour?")).toBeVisible();
  await picture(page, "order-messages");

  const vendor = await (await browser.newContext({ baseURL })).newPage();
  await signIn(vendor, { email: "mill@example.com", password: "market day" });
  await open(vendor, "/vendor");
  await vendor.getByRole("region", { name: /^Messages: / }).getByRole("link").last().click();
  await expect(vendor.getByText("Could you leave it with a neighbour?")).toBeVisible();
  await expectAccessible(vendor);
  await vendor.getByLabel(/^Write to /).fill("We will tell the carrier.");
  await vendor.getByRole("button", { name: "Send" }).click();
  await expect(vendor.getByText("We will tell the carrier.")).toBeVisible();
  await picture(vendor, "vendor-messages");
  await page.reload();
  await expect(page.getByText("We will tell the carrier.")).toBeVisible();
});
