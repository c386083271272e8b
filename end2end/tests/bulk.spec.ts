// Many goods at once, chosen in the list, looked at and taken back; and a list of prices that is typed into with the keyboard alone.
import { signIn } from "../support/people.ts";
import { expect, expectAccessible, open, picture, test } from "../support/test.ts";

const press = { email: "quay-press@example.com", password: "market day" };
const ridge = { email: "ridge@example.com", password: "market day" };

test("two prices are raised and taken back @without-script", async ({ page }) => {
  // With script and without at the same time: each in a shop of its own.
  await signIn(page, test.info().project.use.javaScriptEnabled === false ? ridge : press);
  await open(page, "/vendor/products");
  const rows = page.locator("main tbody tr");
  await rows.nth(-1).getByRole("checkbox").check();
  await rows.nth(-2).getByRole("checkbox").check();
  await page.getByText("Change many").click();
  await page.getByLabel("What to do").selectOption({ label: "Raise prices by percent" });
  await page.getByLabel("Percent, price or number").fill("ten");
  await expectAccessible(page);
  await picture(page, "vendor-products-chosen");
  await page.getByRole("button", { name: "Look at it first" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await expect(page.getByLabel("Percent, price or number")).toHaveValue("ten");
  await page.getByLabel("Percent, price or number").fill("10");
  await page.getByRole("button", { name: "Look at it first" }).click();
  await expect(page.getByRole("heading", { name: "Prices raised by 10 %" })).toBeVisible();
  await expectAccessible(page);
  await picture(page, "vendor-bulk-preview");
  await page.getByRole("button", { name: /^Make these \d+ changes$/ }).click();
  await expect(page.getByText(/^Prices raised by 10 %: \d+ changes\.$/).first()).toBeVisible();
  await page.getByRole("button", { name: "Take it back" }).click();
  await expect(page.getByText("Taken back: everything is as it was.")).toBeVisible();
});

test("prices and stock are typed with the keyboard", async ({ page }) => {
  await signIn(page, { ...press, email: "plain-paper@example.com" });
  await open(page, "/vendor/stock");
  await expectAccessible(page);
  const prices = page.getByLabel(/^Price of /);
  const first = await prices.nth(0).inputValue();
  await prices.nth(0).focus();
  await page.keyboard.press("ArrowDown");
  await expect(prices.nth(1)).toBeFocused();
  const before = await prices.nth(1).inputValue();
  await page.keyboard.press("Control+d");
  await expect(prices.nth(1)).toHaveValue(first);
  await page.keyboard.type("7.77");
  await expect(prices.nth(1)).toHaveAttribute("data-changed", "");
  await picture(page, "vendor-stock");
  await page.keyboard.press("Enter");
  await expect(page.getByText("1 change saved.")).toBeVisible();
  await expect(prices.nth(1)).toHaveValue("7.77");
  await page.getByRole("button", { name: "Take it back" }).click();
  await expect(page.getByText("Taken back")).toBeVisible();
  await open(page, "/vendor/stock");
  await expect(prices.nth(1)).toHaveValue(before);
});
