import { expect, expectAccessible, open, picture, test } from "../support/test.ts";

test("the home page opens, whole and accessible @phone", async ({ page }) => {
  const response = await open(page, "/");
  expect(response?.status()).toBe(200);
  await expect(page.getByRole("main")).toBeVisible();
  await expect(page.getByRole("banner").getByRole("link", { name: "Souk", exact: true })).toBeVisible();
  await expect(page.getByRole("search")).toBeVisible();
  await expectAccessible(page);
  await picture(page, "home");
});

test("the home page is accessible in the dark too", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await open(page, "/");
  await expectAccessible(page);
  await picture(page, "home-dark");
});

test("the first stop of the keyboard leads to the content", async ({ page }) => {
  await open(page, "/");
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to content" });
  await expect(skip).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main")).toBeFocused();
});

test("the home page says the same without script @without-script", async ({ page }) => {
  await open(page, "/");
  await expect(page.getByRole("main").getByRole("heading", { level: 1 })).toBeVisible();
});
