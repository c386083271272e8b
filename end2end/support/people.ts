// People: somebody new for a journey of their own, and those of the demo world. They sign in as anyone would.
import { expect, type Page, awake } from "./test.ts";

export interface Person {
  name: string;
  email: string;
  password: string;
}

/** Somebody nobody has met, for journeys that register or buy as a guest. */
export function stranger(name = "Robin Hale"): Person {
  const unique = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
  return { name, email: `${name.split(" ")[0].toLowerCase()}.${unique}@example.com`, password: `a long enough passphrase ${unique}` };
}

/** Signs in by the form; the page that follows says that it worked. */
export async function signIn(page: Page, person: Pick<Person, "email" | "password">) {
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("main").getByRole("button", { name: "Sign in" }).click();
  await expect(page, "signed in").not.toHaveURL(/sign-in/);
  await awake(page);
}

/** Opens an account by the form, and is signed in afterwards. */
export async function register(page: Page, person: Person) {
  await page.goto("/register");
  await page.getByLabel("Name", { exact: true }).fill(person.name);
  await page.getByLabel("E-mail").fill(person.email);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("main").getByRole("button", { name: "Make an account" }).click();
  await expect(page, "registered").not.toHaveURL(/register/);
  await awake(page);
}
