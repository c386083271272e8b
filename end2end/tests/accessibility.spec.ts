// Every page, as each of its people, at two widths and in two colour schemes: axe finds nothing, nothing sticks out
// at the side, and a picture is kept for people to look at.
import { signIn } from "../support/people.ts";
import { expect, expectAccessible, open, picture, test, type Page } from "../support/test.ts";

const password = "market day";

interface Walk {
  who: string;
  email?: string;
  /** Addresses, or how to find one from a page that lists them: the first link that matches. */
  pages: (string | { from: string; link: string; name: string })[];
}

const walks: Walk[] = [
  {
    who: "guest",
    pages: [
      "/",
      "/products",
      { from: "/products", link: "main a[href^='/products/']", name: "product" },
      "/categories/kitchen",
      "/search?q=tea",
      "/search?q=nothing-is-called-this",
      "/vendors",
      "/vendors/mill",
      "/cart",
      "/sign-in",
      "/register",
      "/no-such-page",
    ],
  },
  {
    who: "shopper",
    email: "ada@example.com",
    pages: [
      "/account",
      "/account/profile",
      "/account/preferences",
      "/account/addresses",
      "/account/orders",
      { from: "/account/orders", link: "main a[href^='/orders/']", name: "order" },
      "/account/vendor",
    ],
  },
  {
    who: "vendor",
    email: "mill@example.com",
    pages: [
      "/vendor",
      "/vendor/products",
      "/vendor/products/new",
      "/vendor/stock",
      { from: "/vendor/products", link: "main a[href^='/vendor/products/0']", name: "product-editor" },
      "/vendor/orders",
      { from: "/vendor/orders", link: "main a[href^='/vendor/orders/']", name: "vendor-order" },
      "/vendor/orders/ship",
      "/vendor/sales",
      "/vendor/promotions",
      "/vendor/imports",
      "/vendor/coupons",
      "/vendor/documents",
      "/vendor/shop",
      "/vendor/team",
    ],
  },
  {
    who: "fulfiller",
    email: "mill.fulfiller@example.com",
    pages: [
      "/vendor",
      { from: "/vendor/products", link: "main a[href^='/vendor/products/0']", name: "product-facts" },
      { from: "/vendor/orders", link: "main a[href^='/vendor/orders/']", name: "vendor-order" },
      "/vendor/team",
      "/vendor/payouts",
      "/account/vendor",
    ],
  },
  {
    who: "operator",
    email: "operator@example.com",
    pages: ["/operator", "/operator/vendors", "/operator/orders", "/operator/commission", "/operator/coupons", "/operator/ledger", "/operator/users", "/operator/documents", "/operator/jobs", "/operator/webhooks", "/operator/audit", "/dev/mail"],
  },
];

const looks = [
  { name: "wide-light", width: 1280, scheme: "light" },
  { name: "wide-dark", width: 1280, scheme: "dark" },
  { name: "narrow-light", width: 390, scheme: "light" },
  { name: "narrow-dark", width: 390, scheme: "dark" },
] as const;

async function address(page: Page, target: Walk["pages"][number]): Promise<[string, string]> {
  if (typeof target === "string") return [target, target.replace(/[^a-z]+/g, "-").replace(/^-|-$/g, "") || "home"];
  await open(page, target.from);
  const href = await page.locator(target.link).first().getAttribute("href");
  expect(href, `a link ${target.link} on ${target.from}`).not.toBeNull();
  return [href ?? "", target.name];
}

for (const walk of walks) {
  test(`every page of a ${walk.who} is accessible at two widths, light and dark`, async ({ page }) => {
    test.setTimeout(240_000);
    if (walk.email) await signIn(page, { email: walk.email, password });
    for (const target of walk.pages) {
      const [path, name] = await address(page, target);
      for (const look of looks) {
        await page.emulateMedia({ colorScheme: look.scheme, reducedMotion: "reduce" });
        await page.setViewportSize({ width: look.width, height: 900 });
        await open(page, path);
        await picture(page, `${walk.who}-${name}-${look.name}`);
        await expectAccessible(page);
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(sideways, `${path} at ${look.width} px scrolls sideways`).toBeLessThanOrEqual(0);
      }
    }
  });
}
