// Stripe's official JavaScript library against the sandbox: sessions, payments, refunds, events.
import assert from "node:assert/strict";
import { test } from "node:test";
import Stripe from "stripe";
import { connection, eventually, order, paid, pay, received, refused, secret, stripe } from "./stripe-sdk.support.mjs";

test("a session is made, paid and read", async () => {
  const session = await stripe.checkout.sessions.create(order());
  assert.match(session.id, /^cs_test_/);
  assert.equal(session.amount_total, 2895);
  assert.equal(session.status, "open");
  assert.equal(session.payment_intent, null);
  assert.equal(session.livemode, false);
  assert.deepEqual(session.metadata, { order: "100001" });
  assert.match(session.lastResponse.requestId, /^req_/);

  const lines = await stripe.checkout.sessions.listLineItems(session.id, { expand: ["data.price.product"] });
  assert.deepEqual(
    lines.data.map((line) => [line.description, line.quantity, line.amount_total]),
    [["Crème brûlée dish & spoon", 2, 2500], ["Shipping", 1, 395]],
  );
  assert.deepEqual(lines.data[0].price.product.metadata, { sku: "D-1" });
  const one = await stripe.checkout.sessions.listLineItems(session.id, { limit: 1 });
  assert.equal(one.has_more, true);

  const answer = await pay(session);
  assert.equal(answer.status, 303);
  assert.equal(answer.headers.get("location"), `https://shop.example/orders/1?session=${session.id}`);
  const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ["payment_intent.latest_charge", "line_items"] });
  assert.equal(done.status, "complete");
  assert.equal(done.payment_status, "paid");
  assert.equal(done.url, null);
  assert.equal(done.customer_details.email, "ada@example.com");
  assert.equal(done.line_items.data.length, 2);
  assert.equal(done.payment_intent.status, "succeeded");
  assert.equal(done.payment_intent.transfer_group, "order-100001");
  assert.equal(done.payment_intent.latest_charge.payment_method_details.card.last4, "4242");

  const changed = await stripe.checkout.sessions.update(session.id, { metadata: { order: "", note: "kept" } });
  assert.deepEqual(changed.metadata, { note: "kept" });
  const found = await stripe.checkout.sessions.list({ payment_intent: done.payment_intent.id });
  assert.deepEqual(found.data.map((entry) => entry.id), [session.id]);
});

test("a session expires once, and is not paid afterwards", async () => {
  const session = await stripe.checkout.sessions.create(order({ expires_at: Math.floor(Date.now() / 1000) + 31 * 60 }));
  const expired = await stripe.checkout.sessions.expire(session.id);
  assert.equal(expired.status, "expired");
  assert.equal((await pay(session)).status, 410);
  const error = await refused(stripe.checkout.sessions.expire(session.id));
  assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError);
});

test("a declined card leaves the session open and says why", async () => {
  const session = await stripe.checkout.sessions.create(order());
  const answer = await pay(session, "4000000000009995");
  assert.equal(answer.status, 402);
  assert.match(await answer.text(), /Your card has insufficient funds\./);
  const open = await stripe.checkout.sessions.retrieve(session.id, { expand: ["payment_intent"] });
  assert.equal(open.status, "open");
  assert.equal(open.payment_intent.last_payment_error.decline_code, "insufficient_funds");
});

test("3-D Secure is approved", async () => {
  const session = await stripe.checkout.sessions.create(order());
  const answer = await pay(session, "4000002500003155");
  const challenge = new URL(answer.headers.get("location"), session.url);
  const approved = await fetch(challenge, { method: "POST", body: new URLSearchParams({ answer: "approve" }), redirect: "manual" });
  assert.match(approved.headers.get("location"), /^https:\/\/shop\.example\/orders\/1/);
  const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ["payment_intent.latest_charge"] });
  assert.equal(done.payment_intent.latest_charge.payment_method_details.card.three_d_secure.result, "authenticated");
});

test("intents are made, changed, confirmed, declined and cancelled", async () => {
  const intent = await stripe.paymentIntents.create({ amount: 1500, currency: "gbp", payment_method_types: ["card"] });
  assert.match(intent.client_secret, new RegExp(`^${intent.id}_secret_`));
  await stripe.paymentIntents.update(intent.id, { amount: 1600, metadata: { a: "1" } });
  const declined = await refused(stripe.paymentIntents.confirm(intent.id, { payment_method: "pm_card_visa_chargeDeclined" }));
  assert.ok(declined instanceof Stripe.errors.StripeCardError);
  assert.equal(declined.code, "card_declined");
  assert.equal(declined.decline_code, "generic_decline");
  assert.equal(declined.payment_intent.id, intent.id);
  const done = await stripe.paymentIntents.confirm(intent.id, { payment_method: "pm_card_visa", expand: ["latest_charge"] });
  assert.equal(done.status, "succeeded");
  assert.equal(done.latest_charge.amount, 1600);
  assert.equal((await stripe.paymentIntents.retrieve(intent.id)).amount_received, 1600);
  assert.equal((await stripe.paymentIntents.list({ limit: 1 })).data[0].id, intent.id);
  const other = await stripe.paymentIntents.create({ amount: 1500, currency: "gbp" });
  const cancelled = await stripe.paymentIntents.cancel(other.id, { cancellation_reason: "abandoned" });
  assert.equal(cancelled.status, "canceled");
});

test("charges, refunds and the balance agree", async () => {
  const session = await paid();
  const charge = session.payment_intent.latest_charge;
  const read = await stripe.charges.retrieve(charge.id, { expand: ["balance_transaction"] });
  assert.equal(read.balance_transaction.amount, 2895);
  assert.equal(read.balance_transaction.net, 2895 - read.balance_transaction.fee);
  await stripe.charges.update(charge.id, { metadata: { seen: "yes" } });
  const listed = await stripe.charges.list({ payment_intent: session.payment_intent.id });
  assert.deepEqual(listed.data.map((entry) => entry.metadata.seen), ["yes"]);

  const part = await stripe.refunds.create({
    payment_intent: session.payment_intent.id,
    amount: 895,
    reason: "requested_by_customer",
    metadata: { line: "1" },
  });
  assert.equal(part.status, "succeeded");
  const rest = await stripe.refunds.create({ charge: charge.id });
  assert.equal(rest.amount, 2000);
  const error = await refused(stripe.refunds.create({ charge: charge.id }));
  assert.equal(error.code, "charge_already_refunded");
  assert.deepEqual((await stripe.refunds.retrieve(part.id)).metadata, { line: "1" });
  await stripe.refunds.update(part.id, { metadata: { line: "2" } });
  const refunds = await stripe.refunds.list({ charge: charge.id });
  assert.deepEqual(refunds.data.map((entry) => entry.amount), [2000, 895]);
  const entries = await stripe.balanceTransactions.list({ limit: 2 });
  assert.deepEqual(entries.data.map((entry) => entry.amount), [-2000, -895]);
  assert.equal((await stripe.balanceTransactions.retrieve(entries.data[0].id)).type, "refund");
  assert.equal((await stripe.paymentMethods.retrieve(charge.payment_method)).card.brand, "visa");
});

test("idempotency keys answer once", async () => {
  const idempotencyKey = `key-${Date.now()}`;
  const first = await stripe.checkout.sessions.create(order(), { idempotencyKey });
  const again = await stripe.checkout.sessions.create(order(), { idempotencyKey });
  assert.equal(again.id, first.id);
  assert.equal(again.lastResponse.headers["idempotent-replayed"], "true");
  const error = await refused(stripe.checkout.sessions.create(order({ client_reference_id: "other" }), { idempotencyKey }));
  assert.ok(error instanceof Stripe.errors.StripeIdempotencyError);
});

test("lists are read page after page", async () => {
  const made = [];
  for (let count = 0; count < 5; count += 1) {
    made.unshift((await stripe.checkout.sessions.create(order({ metadata: { count: String(count) } }))).id);
  }
  const seen = [];
  for await (const session of stripe.checkout.sessions.list({ limit: 2 })) {
    seen.push(session.id);
    if (seen.length === 5) break;
  }
  assert.deepEqual(seen, made);
  const back = await stripe.checkout.sessions.list({ limit: 2, ending_before: made[3] });
  assert.deepEqual(back.data.map((entry) => entry.id), made.slice(1, 3));
});

test("errors are of Stripe's classes", async () => {
  const missing = await refused(stripe.paymentIntents.retrieve("pi_missing"));
  assert.ok(missing instanceof Stripe.errors.StripeInvalidRequestError);
  assert.equal(missing.code, "resource_missing");
  assert.equal(missing.statusCode, 404);
  const unknown = await refused(stripe.checkout.sessions.create(order({ colour: "red" })));
  assert.equal(unknown.param, "colour");
  const stranger = new Stripe("sk_live_official", connection);
  assert.ok((await refused(stranger.charges.list())) instanceof Stripe.errors.StripeAuthenticationError);
});

test("deliveries pass constructEvent, and only with the right secret", async () => {
  const session = await paid();
  const parse = (one) => stripe.webhooks.constructEvent(one.body, one.signature, secret);
  const delivery = await eventually("the completion is delivered", () =>
    received.find((one) => {
      const event = parse(one);
      return event.type === "checkout.session.completed" && event.data.object.id === session.id;
    }),
  );
  const event = parse(delivery);
  assert.equal(event.data.object.payment_status, "paid");
  assert.equal(event.data.object.payment_intent, session.payment_intent.id);
  assert.throws(() => stripe.webhooks.constructEvent(delivery.body, delivery.signature, "whsec_other"), Stripe.errors.StripeSignatureVerificationError);
  const tampered = delivery.body.replace('"paid"', '"unpaid"');
  assert.throws(() => stripe.webhooks.constructEvent(tampered, delivery.signature, secret), Stripe.errors.StripeSignatureVerificationError);

  const read = await stripe.events.retrieve(event.id);
  assert.deepEqual(read.data.object, event.data.object);
  const listed = await stripe.events.list({ types: ["checkout.session.completed", "charge.succeeded"], limit: 100 });
  assert.ok(listed.data.some((entry) => entry.id === event.id));
  assert.ok(listed.data.every((entry) => ["checkout.session.completed", "charge.succeeded"].includes(entry.type)));
  const expired = await stripe.events.list({ type: "checkout.session.expired" });
  assert.ok(expired.data.every((entry) => entry.type === "checkout.session.expired"));
});
