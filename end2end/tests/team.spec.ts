// An owner asks somebody into the team by mail; the newcomer makes an account, ships a parcel, finds no way to coupons and money, and is
// taken out: signed out at once, and named in the order's history all the same.
import { register, signIn, stranger } from "../support/people.ts";
import { buy } from "../support/shopping.ts";
import { awake, expect, expectAccessible, open, picture, test } from "../support/test.ts";

const mill = { email: "mill@example.com", password: "market day" };

test("somebody is asked into a team, ships, and is taken out", async ({ browser, baseURL }) => {
  test.setTimeout(120_000);
  // Not the page that fails on complaints: hers loses its session under an open dashboard, and the browser says so.
  const page = await (await browser.newContext({ baseURL })).newPage();
  const shopper = await (await browser.newContext({ baseURL })).newPage();
  const { number } = await buy(shopper);

  // The owner asks, and a wrong address is said so.
  const nadia = stranger("Nadia Webb");
  const owner = await (await browser.newContext({ baseURL })).newPage();
  await signIn(owner, mill);
  await open(owner, "/vendor/team");
  await expectAccessible(owner);
  await owner.getByLabel("E-mail").fill("nobody@nowhere");
  await owner.getByRole("button", { name: "Send the invitation" }).click();
  await expect(owner.getByRole("alert")).toBeVisible();
  await expect(owner.getByLabel("E-mail")).toHaveValue("nobody@nowhere");
  await owner.getByLabel("E-mail").fill(nadia.email);
  await owner.getByLabel("Role", { exact: true }).selectOption("Fulfiller");
  await owner.getByRole("button", { name: "Send the invitation" }).click();
  await expect(owner.getByRole("status").filter({ hasText: `goes to ${nadia.email}` })).toBeVisible();
  await expect(owner.getByRole("region", { name: "Invitations" })).toContainText(nadia.email);
  await picture(owner, "vendor-team");

  // The mail leads her to an account and into the team.
  await open(page, "/dev/mail");
  await page.getByRole("row").filter({ hasText: nadia.email }).getByRole("link", { name: /asks you into its team/ }).click();
  const href = await page.locator(".letter a[href*='/invitations/']").getAttribute("href");
  const invitation = new URL(href!).pathname;
  await open(page, invitation);
  await expect(page.getByRole("main")).toContainText("as a fulfiller");
  await expectAccessible(page);
  await picture(page, "invitation");
  await page.getByRole("main").getByRole("link", { name: "Make an account" }).click();
  await page.getByLabel("Name", { exact: true }).fill(nadia.name);
  await page.getByLabel("E-mail").fill(nadia.email);
  await page.getByLabel("Password", { exact: true }).fill(nadia.password);
  await page.getByRole("main").getByRole("button", { name: "Make an account" }).click();
  await expect(page).toHaveURL(new RegExp(`${invitation}$`));
  await page.getByRole("button", { name: /^Join / }).click();
  await expect(page.getByRole("status").filter({ hasText: "Welcome. You are a fulfiller of" })).toBeVisible();

  // She ships what was bought, and there is nothing of money on the way.
  const nav = page.getByRole("navigation", { name: "Your shop" });
  await expect(nav.getByRole("link", { name: "Coupons" })).toHaveCount(0);
  await expect(nav.getByRole("link", { name: "Payouts" })).toHaveCount(0);
  await expect(page.getByRole("heading", { name: "How it goes" })).toHaveCount(0);
  await picture(page, "vendor-today-fulfiller");
  await open(page, "/vendor/orders?show=all");
  await page.getByRole("link", { name: number, exact: true }).click();
  await expect(page.getByRole("heading", { name: "What you get" })).toHaveCount(0);
  await page.getByLabel("Carrier").fill("DPD");
  await page.getByRole("button", { name: "Mark as shipped" }).click();
  await expect(page.getByRole("status").filter({ hasText: "Shipped." })).toBeVisible();
  await expect(page.getByRole("region", { name: "What happened" })).toContainText(`by ${nadia.name}`);
  await picture(page, "vendor-order-fulfiller");
  await open(page, "/vendor/products");
  await page.getByRole("region", { name: "Products" }).getByRole("link").first().click();
  await expect(page.getByText("Managers and owners can change it.")).toBeVisible();
  await expectAccessible(page);
  await picture(page, "vendor-product-facts");
  await open(page, "/vendor/coupons");
  await expect(page.getByRole("heading", { name: "Not for your role" })).toBeVisible();
  await expect(page.getByRole("main")).toContainText("Ruth Harrow, owner");
  await expectAccessible(page);
  await picture(page, "vendor-not-for-your-role");

  // Taken out, she is out with the next click; the history still names her.
  await open(owner, "/vendor/team");
  await owner.getByRole("button", { name: `Take ${nadia.name} out of the team` }).click();
  await expect(owner.getByRole("status").filter({ hasText: "is no longer in the team" })).toBeVisible();
  await page.goto("/vendor/orders");
  await expect(page).toHaveURL(/sign-in/);
  await signIn(page, nadia);
  await page.goto("/vendor/orders");
  await expect(page.getByRole("heading", { name: "You do not have a shop yet" })).toBeVisible();
  await open(owner, "/vendor/orders?show=all");
  await owner.getByRole("link", { name: number, exact: true }).click();
  await expect(owner.getByRole("region", { name: "What happened" })).toContainText(`by ${nadia.name}`);
  await shopper.reload();
  await awake(shopper);
  await expect(shopper.getByRole("main")).toContainText("sent a parcel with DPD");
  await expect(shopper.getByRole("main")).not.toContainText(nadia.name);
});

test("an invitation is joined without script @without-script", async ({ browser, baseURL, page }) => {
  const javaScriptEnabled = test.info().project.use.javaScriptEnabled !== false;
  const person = stranger("Otto Lang");
  const owner = await (await browser.newContext({ baseURL, javaScriptEnabled })).newPage();
  await signIn(owner, { email: "quay-press@example.com", password: "market day" });
  await owner.goto("/vendor/team");
  await owner.getByLabel("E-mail").fill(person.email);
  await owner.getByLabel("Role", { exact: true }).selectOption("Manager");
  await owner.getByRole("button", { name: "Send the invitation" }).click();
  await owner.goto("/dev/mail");
  await owner.getByRole("row").filter({ hasText: person.email }).getByRole("link", { name: /asks you into its team/ }).click();
  const href = await owner.locator(".letter a[href*='/invitations/']").getAttribute("href");
  await register(page, person);
  await page.goto(new URL(href!).pathname);
  await page.getByRole("button", { name: /^Join / }).click();
  await expect(page.getByRole("navigation", { name: "Your shop" }).getByRole("link", { name: "Coupons" })).toBeVisible();
  await page.goto("/vendor/team");
  await page.getByRole("button", { name: "Leave the team" }).click();
  await expect(page.getByRole("status").filter({ hasText: "You have left the team" })).toBeVisible();
});
