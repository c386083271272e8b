// The server is started here, as `make run` would start it: nothing configured but a folder and ports of its own.
import { defineConfig, devices } from "@playwright/test";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const port = Number(process.env.SOUK_END2END_PORT ?? 3100);
const root = resolve(import.meta.dirname, "..");
const built = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "debug", "souk");

export default defineConfig({
  testDir: "tests",
  outputDir: "output/artifacts",
  // One shop for all: journeys make their own people, and touch nobody else's.
  workers: Number(process.env.SOUK_END2END_WORKERS ?? 2),
  fullyParallel: true,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"], ["./support/closing-line.ts"]],
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    locale: "en-GB",
    timezoneId: "Europe/London",
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      // As root, as in most containers, Chromium has no sandbox; the rest keeps it from calling home.
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "desktop", use: { ...devices["Desktop Chrome"], viewport: { width: 1280, height: 900 } } },
    {
      name: "phone",
      // Only what says that it is about small screens; everything else would merely run twice.
      grep: /@phone/,
      use: { ...devices["Pixel 7"] },
    },
    {
      name: "without-script",
      grep: /@without-script/,
      use: { ...devices["Desktop Chrome"], javaScriptEnabled: false },
    },
  ],
  webServer: {
    command: `${process.env.SOUK_BIN ?? built} serve`,
    cwd: root,
    url: `http://127.0.0.1:${port}/readyz`,
    reuseExistingServer: !process.env.CI && process.env.SOUK_END2END_REUSE === "1",
    // The first start makes a database and the demo world.
    timeout: 240_000,
    gracefulShutdown: { signal: "SIGTERM", timeout: 20_000 },
    stdout: "ignore",
    stderr: "pipe",
    env: {
      // Whatever a developer's shell has configured: here the program's own stand-ins serve.
      ...Object.fromEntries(["DATABASE_URL", "STRIPE_SECRET_KEY", "S3_ENDPOINT", "SMTP_URL", "SOUK_ENV", "SOUK_BASE_URL"].map((name) => [name, ""])),
      SOUK_LISTEN: `127.0.0.1:${port}`,
      SOUK_STRIPE_LISTEN: `127.0.0.1:${port + 1}`,
      SOUK_S3_LISTEN: `127.0.0.1:${port + 2}`,
      SOUK_DATA_DIR: process.env.SOUK_DATA_DIR ?? join(tmpdir(), "souk-end2end"),
      SOUK_SITE_DIR: process.env.SOUK_SITE_DIR ?? "target/site",
      RUST_LOG: process.env.RUST_LOG ?? "warn",
    },
  },
});
