// A person's own account: made, used, left, and entered again; with script and without.
import { register, signIn, stranger } from "../support/people.ts";
import { awake, expect, expectAccessible, open, picture, test } from "../support/test.ts";

test("registers, keeps an address, chooses colours, leaves and returns @phone @without-script", async ({ page }) => {
  const robin = stranger();
  await register(page, robin);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(`Hello ${robin.name}`);
  await picture(page, "account");
  await expectAccessible(page);

  await page.getByRole("navigation", { name: "Your account" }).getByRole("link", { name: "Addresses" }).click();
  await page.getByRole("link", { name: "Add an address" }).click();
  await page.getByLabel("Street and house").fill("1 Mill Lane");
  await page.getByLabel("Town or city").fill("Leeds");
  await page.getByLabel("Postcode").fill("LS1 1AA");
  await page.getByLabel("Country").selectOption("GB");
  await page.getByRole("button", { name: "Save address" }).click();
  await expect(page.getByRole("status")).toHaveText("The address is saved.");
  await expect(page.getByRole("listitem").filter({ hasText: "1 Mill Lane" })).toContainText("Preferred");
  await expectAccessible(page);

  await page.getByRole("navigation", { name: "Your account" }).getByRole("link", { name: "Preferences" }).click();
  await page.getByLabel("Colours").selectOption("Dark");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status")).toHaveText("Your preferences are saved.");
  if (test.info().project.use.javaScriptEnabled !== false) await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await picture(page, "preferences-dark");
  await expectAccessible(page);

  await page.getByRole("navigation", { name: "Your account" }).getByRole("link", { name: "Overview" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.goto("/account/orders");
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await page.getByLabel("E-mail").fill(robin.email);
  await page.getByLabel("Password", { exact: true }).fill(robin.password);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await expect(page, "back where the person was going").toHaveURL(/\/account\/orders$/);
});

test("a refused form says where, keeps what was typed and takes the focus", async ({ page }) => {
  await open(page, "/register");
  // The browser's own checks are for those who have them; the answer of the shop must stand alone.
  await page.locator("form[action='/register']").evaluate((form: HTMLFormElement) => (form.noValidate = true));
  await page.getByLabel("Name", { exact: true }).fill("Robin");
  await page.getByLabel("E-mail").fill("robin");
  await page.getByLabel("Password", { exact: true }).fill("short");
  await page.getByRole("main").getByRole("button", { name: "Make an account" }).click();
  const summary = page.getByRole("alert");
  await expect(summary).toBeFocused();
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue("Robin");
  await expect(page.getByLabel("E-mail")).toHaveValue("robin");
  await summary.getByRole("link", { name: "At least 10 characters" }).click();
  await expect(page.getByLabel("Password", { exact: true })).toBeFocused();
  await expectAccessible(page);
});

test("the header knows who is looking and counts the cart", async ({ page }) => {
  await open(page, "/");
  const header = page.getByRole("navigation", { name: "Main" });
  await expect(header.getByRole("link", { name: "Sign in" })).toBeVisible();
  await page.evaluate(() => window.dispatchEvent(new CustomEvent("souk:cart", { detail: 3 })));
  await expect(header.getByRole("link", { name: "Cart, 3 items" })).toBeVisible();
  const robin = stranger();
  await register(page, robin);
  await expect(header.getByRole("link", { name: robin.name })).toBeVisible();
  await page.reload();
  await awake(page);
  await expect(header.getByRole("link", { name: robin.name })).toBeVisible();
  await signInIsSkipped(page);
});

/** Who is signed in already goes straight on. */
async function signInIsSkipped(page: Parameters<typeof signIn>[0]) {
  await page.goto("/sign-in?next=/account/profile");
  await expect(page).toHaveURL(/\/account\/profile$/);
}
