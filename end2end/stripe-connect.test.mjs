// Stripe's official JavaScript library against the sandbox: connected accounts and where their money goes, disputes, files, what
// comes back later, and the events of all of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import Stripe from "stripe";
import { connection, eventually, order, pay, received, refused, sandbox, secret, stripe } from "./stripe-sdk.support.mjs";

const DAY = 86_400;

/** Something that happens outside of Stripe's API. */
async function control(path, body) {
  const answer = await fetch(new URL(`/_sandbox/${path}`, sandbox), {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

const advance = (seconds) => control("clock", { advance_seconds: seconds });

/** What a seller types at the onboarding page. */
const details = (number) =>
  new URLSearchParams({
    business_type: "individual",
    name: "Ada Lovelace",
    line1: "12 St James's Square",
    city: "London",
    postal_code: "SW1Y 4JH",
    tax_number: "1234567890",
    routing_number: "108800",
    account_number: number,
    button: "done",
  });

async function link(account) {
  return stripe.accountLinks.create({
    account,
    type: "account_onboarding",
    refresh_url: "https://shop.example/again",
    return_url: "https://shop.example/done",
  });
}

/** A seller who can be paid. */
async function seller(number = "00012345") {
  const account = await stripe.accounts.create({
    controller: {
      fees: { payer: "application" },
      losses: { payments: "application" },
      stripe_dashboard: { type: "express" },
    },
    country: "GB",
    email: "mill@example.com",
    capabilities: { transfers: { requested: true } },
    business_profile: { url: "https://mill.example", name: "The Mill" },
    settings: { payouts: { schedule: { interval: "manual" } } },
    metadata: { vendor: "mill" },
  });
  assert.equal(account.type, "express");
  const { url } = await link(account.id);
  const answer = await fetch(url, { method: "POST", body: details(number), redirect: "manual" });
  assert.equal(answer.headers.get("location"), "https://shop.example/done");
  return account.id;
}

/** A payment with this card; its charge. */
async function charged(number = "4242424242424242") {
  const session = await stripe.checkout.sessions.create(order());
  assert.equal((await pay(session, number)).status, 303);
  const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ["payment_intent.latest_charge"] });
  return done.payment_intent.latest_charge;
}

/** Waits until an event of this type about this object was delivered; answers it as the library parses it. */
async function told(type, id, account) {
  const event = await eventually(`${type} is told`, () => {
    const all = received.map((one) => stripe.webhooks.constructEvent(one.body, one.signature, secret));
    return all.find((event) => event.type === type && event.data.object.id === id);
  });
  assert.equal(event.account, account);
  const read = await stripe.events.retrieve(event.id, {}, account ? { stripeAccount: account } : {});
  assert.deepEqual(read.data.object, event.data.object);
  return event;
}

test("an account is made, completed and changed", async () => {
  const account = await stripe.accounts.create({ type: "express", country: "GB", email: "oak@example.com" });
  assert.equal(account.payouts_enabled, false);
  assert.equal(account.requirements.disabled_reason, "requirements.past_due");
  assert.ok(account.requirements.currently_due.includes("external_account"));
  const early = await refused(stripe.accounts.createLoginLink(account.id));
  assert.ok(early instanceof Stripe.errors.StripeInvalidRequestError);
  const { url, expires_at } = await link(account.id);
  assert.ok(expires_at > account.created);
  assert.equal((await fetch(url)).status, 200);
  assert.equal((await fetch(url, { method: "POST", body: details("12345678"), redirect: "manual" })).status, 422);
  await fetch(url, { method: "POST", body: details("00012345"), redirect: "manual" });
  const event = await told("account.updated", account.id, account.id);
  assert.equal(event.data.previous_attributes.payouts_enabled, false);
  const now = await stripe.accounts.retrieve(account.id);
  assert.equal(now.payouts_enabled, true);
  assert.deepEqual(now.requirements.currently_due, []);
  const banks = await stripe.accounts.listExternalAccounts(account.id, { object: "bank_account" });
  assert.equal(banks.data[0].last4, "2345");
  const other = await stripe.accounts.createExternalAccount(account.id, {
    external_account: { object: "bank_account", country: "GB", currency: "gbp", routing_number: "108800", account_number: "11111116" },
  });
  assert.equal((await stripe.accounts.retrieveExternalAccount(account.id, other.id)).last4, "1116");
  const changed = await stripe.accounts.update(account.id, { metadata: { vendor: "oak" } });
  assert.deepEqual(changed.metadata, { vendor: "oak" });
  assert.equal((await stripe.accounts.list({ limit: 1 })).data[0].id, account.id);
  const dashboard = await stripe.accounts.createLoginLink(account.id);
  assert.match(await (await fetch(dashboard.url)).text(), /Your money at Stripe/);
  const stranger = await refused(stripe.balance.retrieve({}, { stripeAccount: "acct_nobody" }));
  assert.ok(stranger instanceof Stripe.errors.StripePermissionError);
  assert.equal(stranger.code, "account_invalid");
});

test("transfers go out, come back and are counted", async () => {
  const account = await seller();
  const before = (await stripe.balance.retrieve()).available[0]?.amount ?? 0;
  const poor = await refused(stripe.transfers.create({ amount: 90_000_000, currency: "gbp", destination: account }));
  assert.equal(poor.code, "balance_insufficient");
  const charge = await charged();
  const transfer = await stripe.transfers.create({
    amount: 2000,
    currency: "gbp",
    destination: account,
    source_transaction: charge.id,
    metadata: { order: "7" },
  });
  assert.equal(transfer.transfer_group, "order-100001", "the charge's own");
  await told("transfer.created", transfer.id);
  const reversal = await stripe.transfers.createReversal(transfer.id, { amount: 500 });
  assert.equal((await stripe.transfers.retrieveReversal(transfer.id, reversal.id)).amount, 500);
  assert.equal((await told("transfer.reversed", transfer.id)).data.object.amount_reversed, 500);
  await stripe.transfers.update(transfer.id, { metadata: { order: "8" } });
  await told("transfer.updated", transfer.id);
  assert.equal((await stripe.transfers.listReversals(transfer.id)).data.length, 1);
  const read = await stripe.transfers.retrieve(transfer.id, { expand: ["destination_payment.balance_transaction"] });
  assert.equal(read.destination_payment.balance_transaction.net, 2000);
  assert.deepEqual((await stripe.transfers.list({ destination: account })).data.map((one) => one.id), [transfer.id]);
  assert.equal((await stripe.balance.retrieve({}, { stripeAccount: account })).available[0].amount, 1500);
  const fee = (await stripe.balanceTransactions.list({ source: charge.id })).data[0].fee;
  assert.equal((await stripe.balance.retrieve()).available[0].amount, before + 2895 - fee - 1500);
  const entries = await stripe.balanceTransactions.list({ type: "transfer_refund" });
  assert.equal(entries.data[0].source, reversal.id);
});

test("payouts arrive, fail, are sent back and are called off", async () => {
  const account = await seller();
  await charged();
  const at = { stripeAccount: account };
  await stripe.transfers.create({ amount: 2000, currency: "gbp", destination: account });
  const payout = await stripe.payouts.create({ amount: 1500, currency: "gbp", metadata: { run: "1" } }, at);
  await told("payout.created", payout.id, account);
  const off = await stripe.payouts.create({ amount: 500, currency: "gbp" }, at);
  assert.equal((await stripe.payouts.cancel(off.id, {}, at)).status, "canceled");
  await told("payout.canceled", off.id, account);
  await advance(2 * DAY);
  assert.equal((await told("payout.paid", payout.id, account)).data.object.status, "paid");
  await control(`payouts/${payout.id}/end`, { outcome: "failed", failure_code: "no_account" });
  const back = await told("payout.failed", payout.id, account);
  assert.equal(back.data.object.failure_code, "no_account");
  assert.equal((await stripe.balance.retrieve({}, at)).available[0].amount, 2000);
  assert.deepEqual((await stripe.payouts.list({ status: "failed" }, at)).data.map((one) => one.id), [payout.id]);
  const types = (await stripe.balanceTransactions.list({}, at)).data.map((one) => one.type);
  assert.deepEqual(types, ["payout_failure", "payout_cancel", "payout", "payout", "payment"]);

  const closed = await seller("11111113");
  await stripe.transfers.create({ amount: 500, currency: "gbp", destination: closed });
  const lost = await stripe.payouts.create({ amount: 500, currency: "gbp" }, { stripeAccount: closed });
  await advance(2 * DAY);
  assert.equal((await told("payout.failed", lost.id, closed)).data.object.failure_code, "account_closed");
  assert.equal((await stripe.payouts.retrieve(lost.id, { expand: ["failure_balance_transaction"] }, { stripeAccount: closed })).failure_balance_transaction.net, 500);
});

test("disputes are answered with texts and files", async () => {
  const charge = await charged("4000000000000259");
  const dispute = (await stripe.disputes.list({ charge: charge.id })).data[0];
  assert.equal(dispute.status, "needs_response");
  await told("charge.dispute.created", dispute.id);
  await told("charge.dispute.funds_withdrawn", dispute.id);
  assert.equal(dispute.balance_transactions[0].net, -2895 - 2000);
  const file = await stripe.files.create({
    purpose: "dispute_evidence",
    file: { data: Buffer.from("%PDF-1.7 proof"), name: "proof.pdf", type: "application/pdf" },
  });
  assert.equal((await stripe.files.retrieve(file.id)).filename, "proof.pdf");
  assert.equal((await stripe.files.list({ purpose: "dispute_evidence" })).data[0].id, file.id);
  const staged = await stripe.disputes.update(dispute.id, { evidence: { shipping_documentation: file.id }, submit: false });
  assert.equal(staged.status, "needs_response");
  const sent = await stripe.disputes.update(dispute.id, { evidence: { uncategorized_text: "winning_evidence" } });
  assert.equal(sent.status, "under_review");
  await told("charge.dispute.updated", dispute.id);
  await told("charge.dispute.funds_reinstated", dispute.id);
  assert.equal((await told("charge.dispute.closed", dispute.id)).data.object.status, "won");

  const other = await charged("4000000000000259");
  const lost = (await stripe.disputes.list({ charge: other.id })).data[0];
  const error = await refused(stripe.refunds.create({ charge: other.id }));
  assert.equal(error.code, "charge_disputed");
  assert.equal((await stripe.disputes.close(lost.id)).status, "lost");
  assert.equal((await stripe.disputes.retrieve(lost.id)).balance_transactions.length, 1);
});

test("refunds wait and come back", async () => {
  const slow = await stripe.refunds.create({ charge: (await charged("4000000000007726")).id });
  assert.equal(slow.status, "pending");
  const failing = await stripe.refunds.create({ charge: (await charged("4000000000005126")).id });
  assert.equal(failing.status, "succeeded");
  const error = await refused(stripe.refunds.cancel(slow.id));
  assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError);
  await advance(DAY);
  assert.equal((await told("charge.refund.updated", slow.id)).data.previous_attributes.status, "pending");
  await told("refund.updated", slow.id);
  const failed = (await told("refund.failed", failing.id)).data.object;
  assert.equal(failed.status, "failed");
  assert.equal((await stripe.balanceTransactions.retrieve(failed.failure_balance_transaction)).type, "refund_failure");
});

test("what is done twice with one key at an account is done once there", async () => {
  const account = await seller();
  await charged();
  const idempotencyKey = `transfer-${Date.now()}`;
  const send = () => stripe.transfers.create({ amount: 100, currency: "gbp", destination: account }, { idempotencyKey });
  assert.equal((await send()).id, (await send()).id);
  const out = (options) => stripe.payouts.create({ amount: 100, currency: "gbp" }, { stripeAccount: account, ...options });
  const payout = await out({ idempotencyKey });
  assert.equal((await out({ idempotencyKey })).id, payout.id, "the same key is another's at another account");
  const stranger = new Stripe("sk_test_other", connection);
  assert.equal((await stranger.payouts.retrieve(payout.id, {}, { stripeAccount: account })).id, payout.id);
});
