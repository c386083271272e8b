"""Stripe's official Python library against the sandbox, as a second client that knows nothing of Souk.

STRIPE_SANDBOX_URL      where the sandbox listens
STRIPE_WEBHOOK_SECRET   the secret it signs with
STRIPE_WEBHOOK_PORT     the port of this machine that it sends webhooks to; this file listens there

Run by `tests/api/stripe_sandbox/sdk.rs`, or by hand with the Python of scripts/python.sh.
"""

import io
import json
import os
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import stripe

BASE = os.environ.get("STRIPE_SANDBOX_URL", "http://127.0.0.1:12111")
SECRET = os.environ.get("STRIPE_WEBHOOK_SECRET", "whsec_sandbox")
PORT = int(os.environ.get("STRIPE_WEBHOOK_PORT", "21180"))
DAY = 86_400

client = stripe.StripeClient("sk_test_python", base_addresses={"api": BASE, "files": BASE}, max_network_retries=0).v1
received = []


class Receiver(BaseHTTPRequestHandler):
    """Keeps what is delivered: the raw body and its signature."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        received.append((body, self.headers["stripe-signature"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def setUpModule():
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    unittest.addModuleCleanup(server.server_close)
    unittest.addModuleCleanup(server.shutdown)


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def submit(url, fields):
    """Sends a form as a browser does; answers status and where it leads."""
    opener = urllib.request.build_opener(Stay, urllib.request.ProxyHandler({}))
    try:
        answer = opener.open(url, urllib.parse.urlencode(fields).encode())
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer.headers.get("location")


def control(path, body):
    request = urllib.request.Request(f"{BASE}/_sandbox/{path}", json.dumps(body).encode(), {"content-type": "application/json"})
    return json.load(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request))


def charged(number="4242424242424242"):
    """A payment with this card; its charge."""
    session = client.checkout.sessions.create({
        "mode": "payment",
        "line_items": [
            {"quantity": 2, "price_data": {"currency": "gbp", "unit_amount": 5000, "product_data": {"name": "Oak board"}}},
        ],
        "customer_email": "ada@example.com",
        "payment_intent_data": {"transfer_group": "order_7", "metadata": {"order": "7"}},
        "success_url": "https://shop.example/done",
    })
    card = {"number": number, "expiry": "12/34", "cvc": "123", "name": "Ada Lovelace", "method": "card"}
    assert submit(session.url, card) == (303, "https://shop.example/done")
    done = client.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert done.payment_status == "paid"
    return done.payment_intent.latest_charge


def seller(number="00012345"):
    account = client.accounts.create({
        "type": "express",
        "country": "GB",
        "email": "mill@example.com",
        "capabilities": {"transfers": {"requested": True}, "card_payments": {"requested": True}},
        "settings": {"payouts": {"schedule": {"interval": "manual"}}},
    })
    link = client.account_links.create({
        "account": account.id,
        "type": "account_onboarding",
        "refresh_url": "https://shop.example/again",
        "return_url": "https://shop.example/done",
    })
    details = {
        "business_type": "company", "name": "The Mill Ltd", "line1": "1 Mill Lane", "city": "Leeds", "postal_code": "LS1 1AA",
        "tax_number": "GB123", "routing_number": "108800", "account_number": number, "button": "done",
    }
    assert submit(link.url, details) == (303, "https://shop.example/done")
    return account.id


def told(kind, identity):
    """Waits until an event of this kind about this object was delivered; answers it as the library parses it."""
    for _ in range(200):
        for body, signature in list(received):
            event = stripe.Webhook.construct_event(body, signature, SECRET)
            if event.type == kind and event.data.object.id == identity:
                return event
        time.sleep(0.05)
    raise AssertionError(f"{kind} of {identity} was never told")


def at(account):
    return {"stripe_account": account}


class Payments(unittest.TestCase):
    def test_a_payment_its_refunds_and_the_balance(self):
        charge = charged()
        self.assertEqual((charge.amount, charge.paid, charge.payment_method_details.card.last4), (10_000, True, "4242"))
        entry = client.balance_transactions.retrieve(charge.balance_transaction)
        self.assertEqual((entry.type, entry.amount, entry.fee, entry.net), ("charge", 10_000, 170, 9830))
        part = client.refunds.create({"charge": charge.id, "amount": 2500, "reason": "requested_by_customer"})
        self.assertEqual(part.status, "succeeded")
        told("refund.created", part.id)
        self.assertEqual(told("charge.refunded", charge.id).data.object.amount_refunded, 2500)
        self.assertEqual([refund.id for refund in client.refunds.list({"charge": charge.id}).data], [part.id])
        client.refunds.update(part.id, {"metadata": {"line": "1"}})
        self.assertEqual(client.refunds.retrieve(part.id).metadata["line"], "1")
        with self.assertRaises(stripe.InvalidRequestError):
            client.refunds.create({"charge": charge.id, "amount": 7501})
        intent = client.payment_intents.retrieve(charge.payment_intent)
        self.assertEqual((intent.status, intent.transfer_group), ("succeeded", "order_7"))
        self.assertEqual(client.charges.list({"payment_intent": intent.id}).data[0].id, charge.id)
        kinds = {event.type for event in client.events.list({"limit": 100}).auto_paging_iter()}
        self.assertLessEqual({"charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"}, kinds)

    def test_declines_and_expired_sessions(self):
        intent = client.payment_intents.create({"amount": 1500, "currency": "gbp", "payment_method_types": ["card"]})
        with self.assertRaises(stripe.CardError) as caught:
            client.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa_chargeDeclined"})
        self.assertEqual(caught.exception.code, "card_declined")
        self.assertEqual(client.payment_intents.cancel(intent.id).status, "canceled")
        with self.assertRaises(stripe.AuthenticationError):
            stripe.StripeClient("sk_live_x", base_addresses={"api": BASE}).v1.charges.list()

    def test_refunds_that_are_not_over(self):
        slow = client.refunds.create({"charge": charged("4000000000007726").id})
        failing = client.refunds.create({"charge": charged("4000000000005126").id})
        self.assertEqual((slow.status, failing.status), ("pending", "succeeded"))
        with self.assertRaises(stripe.InvalidRequestError):
            client.refunds.cancel(slow.id)
        control("clock", {"advance_seconds": DAY})
        self.assertEqual(told("refund.updated", slow.id).data.object.status, "succeeded")
        told("charge.refund.updated", failing.id)
        failed = told("refund.failed", failing.id).data.object
        self.assertEqual((failed.status, failed.failure_reason), ("failed", "expired_or_canceled_card"))
        entry = client.balance_transactions.retrieve(failed.failure_balance_transaction)
        self.assertEqual((entry.type, entry.net), ("refund_failure", 10_000))


class Sellers(unittest.TestCase):
    def test_an_account(self):
        account = seller()
        event = told("account.updated", account)
        self.assertEqual(event.account, account)
        now = client.accounts.retrieve(account)
        self.assertEqual((now.charges_enabled, now.payouts_enabled, now.details_submitted), (True, True, True))
        self.assertEqual(now.external_accounts.data[0].last4, "2345")
        self.assertEqual(client.accounts.external_accounts.list(account).data[0].routing_number, "10-88-00")
        bank = {"object": "bank_account", "country": "GB", "currency": "gbp", "routing_number": "108800", "account_number": "22222227"}
        made = client.accounts.external_accounts.create(account, {"external_account": bank})
        self.assertEqual(client.accounts.external_accounts.retrieve(account, made.id).last4, "2227")
        self.assertEqual(client.accounts.update(account, {"metadata": {"vendor": "mill"}}).metadata["vendor"], "mill")
        self.assertIn(account, [one.id for one in client.accounts.list().auto_paging_iter()])
        self.assertIn("/express/", client.accounts.login_links.create(account).url)
        with self.assertRaises(stripe.PermissionError) as caught:
            client.balance.retrieve(options=at("acct_nobody"))
        self.assertEqual((caught.exception.http_status, caught.exception.error.code), (403, "account_invalid"))

    def test_transfers(self):
        account, charge = seller(), charged()
        sent = client.transfers.create({"amount": 8000, "currency": "gbp", "destination": account, "source_transaction": charge.id})
        told("transfer.created", sent.id)
        self.assertEqual(sent.transfer_group, "order_7")
        back = client.transfers.reversals.create(sent.id, {"amount": 3000, "metadata": {"why": "refund"}})
        told("transfer.reversed", sent.id)
        self.assertEqual(client.transfers.reversals.retrieve(sent.id, back.id).amount, 3000)
        self.assertEqual(len(client.transfers.reversals.list(sent.id).data), 1)
        client.transfers.update(sent.id, {"description": "Order 7"})
        told("transfer.updated", sent.id)
        self.assertEqual(client.transfers.retrieve(sent.id).amount_reversed, 3000)
        self.assertEqual(client.transfers.list({"destination": account}).data[0].id, sent.id)
        self.assertEqual(client.balance.retrieve(options=at(account)).available[0].amount, 5000)
        self.assertEqual(client.balance_transactions.list({"source": back.id}).data[0].type, "transfer_refund")
        with self.assertRaises(stripe.InvalidRequestError) as caught:
            client.transfers.create({"amount": 99_999_999, "currency": "gbp", "destination": account})
        self.assertEqual(caught.exception.code, "balance_insufficient")

    def test_payouts(self):
        charged()
        account = seller("33333335")
        client.transfers.create({"amount": 3000, "currency": "gbp", "destination": account})
        failing = client.payouts.create({"amount": 1000, "currency": "gbp"}, at(account))
        told("payout.created", failing.id)
        off = client.payouts.create({"amount": 500, "currency": "gbp"}, at(account))
        client.payouts.cancel(off.id, options=at(account))
        self.assertEqual(told("payout.canceled", off.id).account, account)
        arriving = client.payouts.create({"amount": 700, "currency": "gbp"}, at(account))
        control(f"payouts/{arriving.id}/end", {"outcome": "paid"})
        told("payout.paid", arriving.id)
        control("clock", {"advance_seconds": 2 * DAY})
        self.assertEqual(told("payout.failed", failing.id).data.object.failure_code, "debit_not_authorized")
        self.assertEqual(client.payouts.retrieve(failing.id, options=at(account)).status, "failed")
        self.assertEqual([one.id for one in client.payouts.list({"status": "paid"}, at(account)).data], [arriving.id])
        self.assertEqual(client.balance.retrieve(options=at(account)).available[0].amount, 2300)


class Disputes(unittest.TestCase):
    def test_evidence_decides(self):
        for text, status in (("winning_evidence", "won"), ("losing_evidence", "lost")):
            charge = charged("4000000000000259")
            dispute = client.disputes.list({"charge": charge.id}).data[0]
            told("charge.dispute.created", dispute.id)
            told("charge.dispute.funds_withdrawn", dispute.id)
            proof = io.BytesIO(b"%PDF-1.7 proof")
            proof.name = "proof.pdf"
            file = client.files.create({"purpose": "dispute_evidence", "file": proof})
            self.assertEqual(client.files.retrieve(file.id).purpose, "dispute_evidence")
            self.assertEqual(client.files.list().data[0].id, file.id)
            client.disputes.update(dispute.id, {"evidence": {"receipt": file.id}, "submit": False})
            told("charge.dispute.updated", dispute.id)
            sent = client.disputes.update(dispute.id, {"evidence": {"uncategorized_text": text}})
            self.assertEqual((sent.status, sent.evidence.receipt), ("under_review", file.id))
            self.assertEqual(told("charge.dispute.closed", dispute.id).data.object.status, status)
            now = client.disputes.retrieve(dispute.id)
            self.assertEqual(len(now.balance_transactions), 2 if status == "won" else 1)
            if status == "won":
                told("charge.dispute.funds_reinstated", dispute.id)

    def test_giving_in(self):
        charge = charged("4000000000002685")
        dispute = client.disputes.list({"payment_intent": charge.payment_intent}).data[0]
        self.assertEqual(dispute.reason, "product_not_received")
        self.assertEqual(client.disputes.close(dispute.id).status, "lost")


if __name__ == "__main__":
    # the library leaves its connections to the collector
    unittest.main(warnings="ignore")
