// Someone applies to sell, an operator decides, and the mail says so; with script and without.
import { register, signIn, stranger } from "../support/people.ts";
import { expect, expectAccessible, picture, test } from "../support/test.ts";

const operator = { email: "operator@example.com", password: "market day" };

test("an application is read, refused, made again and approved @without-script", async ({ browser, baseURL, page }) => {
  const robin = stranger();
  const shop = `Robin's Tea ${Date.now().toString(36)}${Math.random().toString(36).slice(2, 5)}`;
  await register(page, robin);
  const apply = async () => {
    await page.goto("/account/vendor");
    await page.getByLabel("Name of the shop").fill(shop);
    await page.getByLabel("Your shop in one line").fill("Leaves from small gardens");
    await page.getByRole("button", { name: "Apply" }).click();
    await expect(page.getByText("We are reading your application")).toBeVisible();
  };
  await page.goto("/account/vendor");
  await expectAccessible(page);
  await apply();

  const javaScriptEnabled = test.info().project.use.javaScriptEnabled !== false;
  const office = await browser.newContext({ baseURL, javaScriptEnabled });
  const desk = await office.newPage();
  await signIn(desk, operator);
  await desk.goto("/operator");
  await expectAccessible(desk);
  await picture(desk, "operator-inbox");
  await desk.getByRole("link", { name: shop }).click();
  await desk.getByLabel("Reason").fill("Please say where the tea grows.");
  await desk.getByRole("button", { name: "Refuse" }).click();
  await expect(desk.getByRole("status")).toContainText("Decided");

  await page.goto("/account/vendor");
  await expect(page.getByText("Please say where the tea grows.")).toBeVisible();
  await apply();
  await desk.goto("/operator");
  await desk.getByRole("link", { name: shop }).click();
  await desk.getByRole("button", { name: "Approve" }).click();
  await expect(desk.getByRole("status")).toContainText("Decided");
  await expectAccessible(desk);
  await picture(desk, "operator-vendor");

  await desk.goto("/dev/mail");
  await desk.getByRole("row").filter({ hasText: robin.email }).getByRole("link", { name: `${shop} is open` }).click();
  await expect(desk.getByText(`Good news: "${shop}" is approved`).first()).toBeVisible();
  await office.close();
  await page.goto("/vendor");
  await expect(page.getByRole("navigation", { name: "Your shop" })).toBeVisible();
});

test("every list of the desk can be reached, read and filtered", async ({ page }) => {
  test.setTimeout(120_000);
  await signIn(page, operator);
  for (const [name, path] of [
    ["Vendors", "/operator/vendors"],
    ["Orders", "/operator/orders"],
    ["Commission", "/operator/commission"],
    ["Coupons", "/operator/coupons"],
    ["Ledger", "/operator/ledger"],
    ["Reconciliation", "/operator/reconciliation"],
    ["Disputes", "/operator/disputes"],
    ["Users", "/operator/users"],
    ["Documents", "/operator/documents"],
    ["Jobs", "/operator/jobs"],
    ["Webhooks", "/operator/webhooks"],
    ["Audit log", "/operator/audit"],
  ]) {
    await page.goto("/operator");
    await page.getByRole("navigation", { name: "Operator" }).getByRole("link", { name }).click();
    await expect(page).toHaveURL(path);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
    await expectAccessible(page);
    await picture(page, `operator-${name.toLowerCase()}`);
  }
  await page.goto("/operator/users");
  await page.getByRole("main").getByRole("searchbox").fill(operator.email);
  await page.getByRole("button", { name: "Find" }).click();
  await expect(page.getByRole("cell", { name: operator.email })).toBeVisible();
});
