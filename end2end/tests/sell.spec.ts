// Someone applies to sell, is approved, writes a product with a choice and pictures, sells it, and sends the parcel.
import { register, signIn, stranger } from "../support/people.ts";
import { awake, expect, expectAccessible, open, picture, test } from "../support/test.ts";

// A PNG of 2 × 2 pixels; the program enlarges nothing, and it is a picture like any other.
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGPYUmEDRAwQCgApTgWhKSpCHAAAAABJRU5ErkJggg==",
  "base64",
);

test("a vendor applies, is approved, sells and ships", async ({ page, browser }) => {
  test.setTimeout(180_000);
  const maker = stranger("Wren Alder");
  const unique = Date.now().toString(36);
  const shop = `Alder Spoons ${unique}`;
  const title = `Alder spoon ${unique}`;

  // Applies, and until it is decided the desk says how it stands.
  await register(page, maker);
  await open(page, "/account/vendor");
  await page.getByLabel("Name of the shop").fill(shop);
  await page.getByLabel("Your shop in one line").fill("Spoons from green wood");
  await page.getByRole("button", { name: "Apply", exact: true }).click();
  await awake(page);
  await open(page, "/vendor");
  await expect(page.getByRole("heading", { name: "Your application is being read" })).toBeVisible();

  // The operator approves.
  const office = await browser.newContext();
  const operator = await office.newPage();
  await signIn(operator, { email: "operator@example.com", password: "market day" });
  await open(operator, "/operator/vendors?status=pending");
  await operator.getByRole("link", { name: shop }).click();
  await operator.getByRole("button", { name: "Approve" }).click();
  await expect(operator.getByRole("status").filter({ hasText: "Decided." })).toBeVisible();
  await expect(operator.getByRole("main")).toContainText("Statusopen");
  await office.close();

  // Adds a way to ship.
  await open(page, "/vendor/shop");
  const shipping = page.getByRole("region", { name: "How you ship" }).locator("form").last();
  await shipping.getByLabel("Name").fill("Letter post");
  await shipping.getByLabel("Price, £").fill("2.10");
  await shipping.getByLabel("Days, at least").fill("2");
  await shipping.getByLabel("at most").fill("4");
  await shipping.getByRole("button", { name: "Add" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Added." })).toBeVisible();

  // Writes a product with two sizes, whose rows the form makes.
  await open(page, "/vendor/products/new");
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Description").fill("Carved with an axe and a knife.");
  await page.getByLabel("Category").selectOption({ index: 1 });
  await page.getByLabel("Option 1").fill("Size");
  await page.getByLabel("Its values, with commas between them").first().fill("Tea, Soup");
  await page.getByLabel("Price", { exact: true }).fill("14.00");
  await page.getByLabel("SKU", { exact: true }).fill(`ALDER-${unique}`);
  await page.getByLabel("In stock", { exact: true }).fill("0");
  await page.getByRole("button", { name: "Generate variants" }).click();
  await awake(page);
  await page.getByLabel("In stock of Tea").fill("5");
  await page.getByLabel("In stock of Soup").fill("3");
  await expectAccessible(page);
  await picture(page, "vendor-product");
  await page.getByRole("button", { name: "Save and put on sale" }).click();

  // Adds a picture, and says what it shows; what is no picture is named.
  await expect(page).toHaveURL(/\/pictures$/);
  await page.getByLabel("Add pictures").setInputFiles([
    { name: "spoon.png", mimeType: "image/png", buffer: png },
    { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("not a picture") },
  ]);
  await page.getByRole("button", { name: "Upload" }).click();
  await expect(page.getByRole("alert")).toContainText("notes.txt: This is not a JPEG, PNG or WebP picture.");
  await page.getByLabel("Main picture: what it shows").fill("A spoon of alder wood");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByAltText("A spoon of alder wood")).toBeVisible();
  await expectAccessible(page);
  const address = await page.getByRole("link", { name: "See it in the shop" }).getAttribute("href");

  // A guest buys it.
  const street = await browser.newContext();
  const shopper = await street.newPage();
  await open(shopper, address ?? "/");
  await expect(shopper.getByRole("heading", { name: title })).toBeVisible();
  await shopper.getByRole("button", { name: "Add to cart" }).click();
  await expect(shopper.getByRole("main")).toContainText(/cart/i);
  await open(shopper, "/checkout");
  await shopper.getByLabel("E-mail address").fill(stranger().email);
  await shopper.getByLabel("Name", { exact: true }).fill("Robin Hale");
  await shopper.getByLabel("Street and house").fill("1 Mill Lane");
  await shopper.getByLabel("Town or city").fill("Ely");
  await shopper.getByLabel("Postcode").fill("CB7 4AA");
  await shopper.getByRole("button", { name: /^Pay £/ }).click();
  await shopper.getByLabel("Card number").fill("4242 4242 4242 4242");
  await shopper.getByLabel("Expiry").fill("12/40");
  await shopper.getByLabel("Security code").fill("123");
  await shopper.getByLabel("Name on card").fill("Robin Hale");
  await shopper.getByRole("button", { name: /^Pay £/ }).click();
  await expect(shopper).toHaveURL(/\/orders\//);
  await street.close();

  // The order waits on the desk, and leaves it as a parcel.
  await expect(async () => {
    await open(page, "/vendor");
    await expect(page.getByRole("heading", { name: "To ship: 1" })).toBeVisible({ timeout: 1000 });
  }).toPass();
  await page.getByRole("link", { name: /^\d+$/ }).click();
  await expect(page.getByText("1 Mill Lane")).toBeVisible();
  await picture(page, "vendor-order");
  await page.getByLabel("Carrier").fill("Royal Mail");
  await page.getByLabel("Tracking number").fill("AB 123 GB");
  await page.getByRole("button", { name: "Mark as shipped" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Shipped." })).toBeVisible();
  await expect(page.getByRole("region", { name: "Parcels sent" })).toContainText("Royal Mail, tracking number AB 123 GB");
  await open(page, "/vendor/sales?days=7");
  await expect(page.getByRole("row", { name: new RegExp(title) })).toContainText("£14.00");
});
