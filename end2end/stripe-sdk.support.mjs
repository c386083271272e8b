// What the tests with Stripe's official library share: a client that knows nothing of Souk, a receiver of webhooks, a shopper.
//
//   STRIPE_SANDBOX_URL      where the sandbox listens
//   STRIPE_WEBHOOK_SECRET   the secret it signs with
//   STRIPE_WEBHOOK_PORT     the port of this machine that it sends webhooks to; the receiver listens there
//
// Run by `tests/api/stripe_sandbox/sdk.rs`, or by hand: node --test end2end/stripe-sdk.test.mjs
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import Stripe from "stripe";

export const sandbox = new URL(process.env.STRIPE_SANDBOX_URL ?? "http://127.0.0.1:12111");
export const secret = process.env.STRIPE_WEBHOOK_SECRET ?? "whsec_sandbox";
export const connection = { protocol: "http", host: sandbox.hostname, port: Number(sandbox.port), maxNetworkRetries: 0, telemetry: false };
export const stripe = new Stripe("sk_test_official", connection);

/** Deliveries as they came: the raw body and its signature. */
export const received = [];
const listener = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    received.push({ body: Buffer.concat(chunks).toString("utf8"), signature: request.headers["stripe-signature"] });
    response.writeHead(200).end("{}");
  });
});

before(() => new Promise((ready) => listener.listen(Number(process.env.STRIPE_WEBHOOK_PORT ?? 21180), "127.0.0.1", ready)));
after(() => {
  listener.closeAllConnections();
  listener.close();
});

export const order = (more = {}) => ({
  mode: "payment",
  line_items: [
    {
      quantity: 2,
      price_data: { currency: "gbp", unit_amount: 1250, product_data: { name: "Crème brûlée dish & spoon", metadata: { sku: "D-1" } } },
    },
    { quantity: 1, price_data: { currency: "gbp", unit_amount: 395, product_data: { name: "Shipping" } } },
  ],
  client_reference_id: "order-100001",
  customer_email: "ada@example.com",
  metadata: { order: "100001" },
  payment_intent_data: { transfer_group: "order-100001", metadata: { order: "100001" }, description: "Order 100001" },
  success_url: "https://shop.example/orders/1?session={CHECKOUT_SESSION_ID}",
  cancel_url: "https://shop.example/cart",
  ...more,
});

/** Pays at the hosted page, as a browser's form does. */
export async function pay(session, number = "4242424242424242") {
  const fields = new URLSearchParams({ number, expiry: "12/34", cvc: "123", name: "Ada Lovelace", method: "card" });
  return fetch(session.url, { method: "POST", body: fields, redirect: "manual" });
}

export async function paid() {
  const session = await stripe.checkout.sessions.create(order());
  assert.equal((await pay(session)).status, 303);
  return stripe.checkout.sessions.retrieve(session.id, { expand: ["payment_intent.latest_charge"] });
}

/** The error of a call that must be refused. */
export async function refused(call) {
  try {
    await call;
  } catch (error) {
    return error;
  }
  assert.fail("the call was not refused");
}

export async function eventually(what, find) {
  for (let tries = 0; tries < 200; tries += 1) {
    const found = await find();
    if (found) return found;
    await pause(50);
  }
  assert.fail(`it never came to pass that ${what}`);
}
