// A shopper asks the bank for the money back, and the operator handles it: the vendor's word, a file, evidence sent, and won. Then the books
// are compared with Stripe.
import { signIn, stranger } from "../support/people.ts";
import { addFrom, fillCheckout, payByCard } from "../support/shopping.ts";
import { expect, expectAccessible, open, picture, test } from "../support/test.ts";

const operator = { email: "operator@example.com", password: "market day" };
const mill = { email: "mill@example.com", password: "market day" };
const proof = { name: "proof.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7 the carrier's proof of delivery") };

test("the operator handles a dispute", async ({ page, browser, baseURL }) => {
  test.setTimeout(120_000);
  await addFrom(page, "mill");
  await open(page, "/checkout");
  await fillCheckout(page, stranger().email);
  await page.getByRole("button", { name: /^Pay £/ }).click();
  // Stripe's number for a card whose owner goes to the bank at once
  await payByCard(page, "4000 0000 0000 0259");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Paid");
  const number = (await page.getByRole("heading", { name: /^Order \d+/ }).innerText()).replace(/\D/g, "");

  // The vendor reads of it, and says what it knows.
  const shop = await browser.newContext({ baseURL });
  const vendor = await shop.newPage();
  await signIn(vendor, mill);
  await expect(async () => {
    await open(vendor, "/vendor/disputes");
    await expect(vendor.getByRole("link", { name: `Order ${number}` })).toBeVisible({ timeout: 1000 });
  }).toPass();
  await expectAccessible(vendor);
  await picture(vendor, "vendor-disputes");
  await vendor.getByRole("link", { name: `Order ${number}` }).click();
  await vendor.getByLabel("What it shows").selectOption("Proof that it was sent or arrived");
  await vendor.getByLabel("File", { exact: true }).setInputFiles({ ...proof, name: "page.html", buffer: Buffer.from("<html></html>") });
  await vendor.getByRole("button", { name: "Add the file" }).click();
  await expect(vendor.getByRole("alert")).toContainText("This is no PDF, JPEG or PNG.");
  await expectAccessible(vendor);
  await vendor.getByLabel("File", { exact: true }).setInputFiles(proof);
  await vendor.getByRole("button", { name: "Add the file" }).click();
  await expect(vendor.getByRole("status").filter({ hasText: "Added." })).toBeVisible();
  await expect(vendor.getByRole("link", { name: "proof.pdf" })).toBeVisible();
  await expectAccessible(vendor);
  await picture(vendor, "vendor-dispute");

  // The operator finds it by its day in the inbox, drafts, and sends.
  const office = await browser.newContext({ baseURL });
  const desk = await office.newPage();
  await signIn(desk, operator);
  await open(desk, "/operator");
  const waiting = desk.getByRole("region", { name: "Disputes that need evidence" });
  await expect(waiting.getByRole("row").filter({ hasText: number })).toContainText("evidence by");
  await waiting.getByRole("link", { name: `Order ${number}` }).click();
  await expect(desk.getByRole("heading", { level: 1 })).toHaveText(`Dispute of order ${number}`);
  await expectAccessible(desk);
  await picture(desk, "operator-dispute");
  // Stripe's word, by which its test mode decides for us
  await desk.getByLabel("What the bank should know").fill("winning_evidence");
  await desk.getByRole("button", { name: "Keep the draft" }).click();
  await expect(desk.getByRole("status").filter({ hasText: "Nothing was sent yet." })).toBeVisible();
  const confirm = desk.getByLabel(`Type ${number} to send it`);
  await confirm.fill("1");
  await desk.getByRole("button", { name: "Send the evidence" }).click();
  await expect(desk.getByRole("alert")).toContainText(`Type ${number}, the number of the order, to send it.`);
  await expectAccessible(desk);
  await confirm.fill(number);
  await desk.getByRole("button", { name: "Send the evidence" }).click();
  await expect(desk.getByRole("status").filter({ hasText: "The evidence is on its way to the bank." })).toBeVisible();
  const dispute = desk.url();
  await expect(async () => {
    await open(desk, dispute);
    await expect(desk.locator("dl.facts").first()).toContainText("won", { timeout: 1000 });
  }).toPass({ timeout: 60_000 });
  await expect(desk.getByRole("button", { name: "Send the evidence" })).toHaveCount(0);
  await expectAccessible(desk);
  await picture(desk, "operator-dispute-won");
  await desk.getByRole("link", { name: "The order", exact: true }).click();
  await expect(desk.getByText("Disputed, and won")).toBeVisible();

  // What moved at Stripe is in the books.
  await open(desk, "/operator/reconciliation");
  await desk.getByRole("button", { name: "Compare now" }).click();
  await expect(desk.getByRole("status").filter({ hasText: "It is being compared." })).toBeVisible();
  await expect(async () => {
    await open(desk, "/operator/reconciliation");
    const run = desk.getByRole("region", { name: "Runs" }).getByRole("row").nth(1);
    await expect(run).not.toContainText("running", { timeout: 1000 });
  }).toPass({ timeout: 60_000 });
  await expectAccessible(desk);
  await picture(desk, "operator-reconciliation");
  await office.close();
  await shop.close();
});
