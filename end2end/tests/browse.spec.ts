// Finding something: departments, filters, search with suggestions, a product's options. With script, and without.
import { awake, expect, expectAccessible, open, picture, test, type Page } from "../support/test.ts";

/** A product of the demo world with two finishes. */
const blocks = "/products/building-blocks-forty";

async function followFirst(page: Page, list: string) {
  const link = page.getByRole("navigation", { name: list }).getByRole("link").first();
  const name = (await link.innerText()).trim();
  await link.click();
  await awake(page);
  return name;
}

test("from the entrance through a department to a product @phone @without-script", async ({ page }) => {
  await open(page, "/");
  const department = await followFirst(page, "Departments");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(department);
  await expect(page.getByRole("navigation", { name: "Breadcrumb" })).toContainText(department);
  await picture(page, "department");

  const card = page.getByRole("region", { name: "Goods" }).getByRole("heading", { level: 3 }).getByRole("link").first();
  const title = await card.innerText();
  await card.click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(title);
  await expect(page.getByText("incl. VAT")).toBeVisible();
  await picture(page, "product");
});

test("a list is ordered, narrowed and paged by its address @without-script", async ({ page }) => {
  await open(page, "/products");
  await page.getByRole("navigation", { name: "Sort" }).getByRole("link", { name: "Price, low to high" }).click();
  await expect(page).toHaveURL(/sort=price/);
  await page.getByLabel("From").fill("20");
  await page.getByLabel("In stock only").check();
  await page.getByRole("button", { name: "Show goods" }).click();
  await expect(page).toHaveURL(/\/products\?min_price=20\.00&in_stock=true&sort=price$/);
  const applied = page.getByRole("list", { name: "Applied filters" });
  await expect(applied.getByRole("link", { name: "From £20.00" })).toBeVisible();

  const first = page.getByRole("region", { name: "Goods" }).getByRole("heading", { level: 3 }).first();
  const before = await first.innerText();
  await page.getByRole("link", { name: "Next page" }).click();
  await expect(first).not.toHaveText(before);
  await page.goBack();
  await expect(first).toHaveText(before);

  await applied.getByRole("link", { name: "From £20.00" }).click();
  await expect(page).toHaveURL(/\/products\?in_stock=true&sort=price$/);
});

test("on a phone the filters are a sheet @phone", async ({ page }) => {
  await open(page, "/products");
  if (test.info().project.name !== "phone") await page.setViewportSize({ width: 390, height: 800 });
  const sheet = page.getByRole("region", { name: "Filters" });
  await expect(sheet).toBeHidden();
  await page.getByRole("button", { name: "Filters" }).click();
  await expect(sheet.getByLabel("In stock only")).toBeVisible();
  await expectAccessible(page);
  await picture(page, "filters");
  await sheet.getByRole("button", { name: "Close" }).click();
  await expect(sheet).toBeHidden();
});

test("the search suggests while one types, and the keyboard takes a suggestion", async ({ page }) => {
  await open(page, "/");
  const search = page.getByRole("combobox", { name: "Search the market" });
  await search.pressSequentially("building bl");
  const offers = page.getByRole("listbox", { name: "Suggestions" });
  await expect(offers.getByRole("option").first()).toBeVisible();
  await picture(page, "suggestions");
  await expectAccessible(page);
  await search.press("Escape");
  await expect(offers).toBeHidden();
  await search.press("o");
  await expect(offers.getByRole("option").first()).toBeVisible();
  await search.press("ArrowDown");
  await expect(search).toHaveAttribute("aria-activedescendant", "offer-0");
  await search.press("Enter");
  await expect(page).toHaveURL(/\/(products|categories|vendors)\//);
});

test("a search is a form, and keeps its words @without-script", async ({ page }) => {
  await open(page, "/");
  const search = page.getByRole("combobox", { name: "Search the market" });
  await search.fill("blocks");
  await search.press("Enter");
  await expect(page).toHaveURL(/\/search\?q=blocks/);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("blocks");
  await expect(search).toHaveValue("blocks");
  await expect(page.getByRole("region", { name: "Goods" }).getByRole("listitem").first()).toBeVisible();
});

test("an option is chosen where one stands, and the address follows", async ({ page }) => {
  await open(page, blocks);
  await expect(page.getByRole("article").getByText("£42.00", { exact: true })).toBeVisible();
  await page.getByRole("group", { name: /Finish/ }).getByRole("link", { name: "Painted" }).click();
  await expect(page.getByRole("article").getByText("£48.00", { exact: true })).toBeVisible();
  await expect(page).toHaveURL(/variant=/);
  await page.reload();
  await awake(page);
  await expect(page.getByRole("article").getByText("£48.00", { exact: true })).toBeVisible();

  await page.getByLabel("Quantity").fill("2");
  await page.getByRole("button", { name: "Add to cart" }).click();
  await expect(page.getByRole("status").filter({ hasText: "in your cart" })).toBeVisible();
  await expect(page.getByRole("link", { name: "View cart" })).toBeVisible();
});

test("an option is a link, and adding to the cart a form @without-script", async ({ page }) => {
  await open(page, blocks);
  await page.getByRole("group", { name: /Finish/ }).getByRole("link", { name: "Painted" }).click();
  await expect(page.getByRole("article").getByText("£48.00", { exact: true })).toBeVisible();
  if (test.info().project.name === "without-script") {
    await page.getByRole("button", { name: "Add to cart" }).click();
    await expect(page).toHaveURL(/\/cart$/);
    await expect(page.getByRole("main")).toContainText("Building Blocks");
  }
});

test("a product and a vendor's shop are accessible in both schemes", async ({ page }) => {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const path of [blocks, "/vendors", "/vendors/mill", "/products", "/search?q=nothinglikeit"]) {
      await open(page, path);
      await expectAccessible(page);
    }
  }
});
