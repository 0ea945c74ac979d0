"""End-to-end tests of online payment, through the real functions, the jobs and Razorpay's stand-in."""

import base64
import json
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import services
import stack
import under_test
from stand_ins import RAZORPAY
from under_test import Visitor, call, counted, get, post


class Payments(Visitor):
    """Payments and refunds, reported by browser, webhooks and jobs, also repeatedly and in any order."""

    phones = iter(range(9876580000, 9876590000))

    def setUp(self):
        super().setUp()
        self.booking = self.book(str(next(self.phones)), self.free_times()[0], payment_method="razorpay")
        self.path = f"/api/bookings/{self.booking['id']}/"
        self.owner = {"X_Booking_Token": self.booking["access_token"]}
        self.to_pay = post(ORDER, {"booking_id": self.booking["id"]}, status=201)["data"]

    def book(self, phone, time, **changes):
        return post("/api/bookings/", self.order(phone, time, **changes), status=201)["data"]

    def set(self, **settings):
        """Changes settings of the stand-in until the test is over."""
        before = razorpay("/_settings")
        self.addCleanup(razorpay, "/_settings", {name: before[name] for name in settings})
        razorpay("/_settings", settings)

    def checkout(self, outcome="captured", webhooks=False):
        return razorpay("/_checkout", {"order_id": self.to_pay["order_id"], "outcome": outcome, "webhooks": webhooks})

    def pay(self):
        """Pays, verifies the payment and returns its id."""
        paid = self.checkout()
        post(VERIFY, paid)
        return paid["razorpay_payment_id"]

    def paid(self):
        """Returns the booking's payment method and status, the payment events of its timeline, and its captures."""
        shown = get(self.path, **self.owner)
        events = [entry["event"] for entry in get(f"{self.path}timeline/", **self.owner)]
        told = [event for event in events if event not in ("created", "cancelled")]
        captures = psql(f"select count(*) from captures where booking_id = {self.booking['id']} and state = 'captured'")
        return shown["payment_method"], shown["payment_status"], told, int(captures)

    def webhooks(self):
        """Returns the order's webhooks when all of them are delivered or given up."""
        deadline = time.monotonic() + 30
        while True:
            own = [webhook for webhook in razorpay("/_webhooks") if self.to_pay["order_id"] in webhook["body"]]
            if all(webhook["next_try"] is None for webhook in own):
                return own
            self.assertLess(time.monotonic(), deadline, own)

    def assert_all_taken(self, webhooks, *events, copies=1):
        self.assertEqual([webhook["event"] for webhook in webhooks], list(events))
        for webhook in webhooks:
            self.assertEqual([delivery["status"] for delivery in webhook["deliveries"]], [200] * copies, webhook)

    def test_an_order_is_for_the_total_and_is_reused_until_it_is_paid(self):
        total = round(float(self.booking["total_amount"]) * 100)
        self.assertEqual(self.to_pay, {"order_id": self.to_pay["order_id"], "amount": total / 100, "amount_paise": total,
                                       "currency": "INR", "key_id": RAZORPAY.account["RAZORPAY_KEY_ID"]})
        self.assertEqual(post(ORDER, {"booking_id": self.booking["id"]})["data"], self.to_pay)
        at_razorpay = razorpay(f"/v1/orders/{self.to_pay['order_id']}")
        self.assertEqual((at_razorpay["amount"], at_razorpay["status"]), (total, "created"))
        self.assertEqual(self.paid(), ("razorpay", "pending", [], 0))

    def test_verify_alone_settles_a_payment_and_is_idempotent(self):
        paid = self.checkout()
        with counted("payments", PaymentsSettled=1):
            for _ in range(2):
                verified = post(VERIFY, paid)["data"]
                self.assertEqual(verified, {"booking_id": self.booking["id"], "payment_status": "completed"})
        self.assertEqual(self.paid(), SETTLED)
        refusal = call("POST", ORDER, {"booking_id": self.booking["id"]})
        self.assertEqual((refusal.status, refusal.body["code"]), (409, "ALREADY_PAID"))

    def test_webhooks_alone_settle_a_payment_without_verify(self):
        self.checkout(webhooks=True)
        self.assert_all_taken(self.webhooks(), "payment.authorized", "payment.captured", "order.paid")
        self.assertEqual(self.paid(), SETTLED)

    def test_reconciliation_alone_captures_and_settles_a_payment(self):
        # The capture would send a webhook too.
        self.set(webhook_url=None)
        payment = self.checkout("authorized", webhooks=True)["razorpay_payment_id"]
        job("reconcile_payments")
        self.assertEqual(self.paid(), ("razorpay", "pending", [], 0), "the browser has ten minutes")
        psql("update payments set updated_at = now() - interval '20 minutes', checked_at = now() - interval '20 minutes' "
             f"where order_id = '{self.to_pay['order_id']}'")
        told = job("reconcile_payments")
        self.assertEqual((told["applied"], told["mismatched"]), (1, 0), told)
        self.assertEqual(razorpay(f"/v1/payments/{payment}")["status"], "captured")
        self.assertEqual(self.paid(), SETTLED)

    def test_duplicate_webhooks_in_reverse_order_settle_once(self):
        self.set(webhook_copies=2, webhooks_reversed=True)
        paid = self.checkout(webhooks=True)
        webhooks = self.webhooks()
        self.assert_all_taken(webhooks, "order.paid", "payment.captured", "payment.authorized", copies=2)
        post(VERIFY, paid)
        for webhook in webhooks:
            razorpay("/_webhooks/deliver", {"event_id": webhook["event_id"]})
        self.assertEqual({delivery["status"] for webhook in self.webhooks() for delivery in webhook["deliveries"]}, {200})
        self.assertEqual(self.paid(), SETTLED)

    def test_concurrent_verify_calls_and_webhooks_settle_once(self):
        paid = self.checkout(webhooks=True)
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda _: call("POST", VERIFY, paid).status, range(12)))
        self.assertEqual(answers, [200] * 12)
        self.webhooks()
        self.assertEqual(self.paid(), SETTLED)

    def test_a_forged_signature_settles_nothing(self):
        paid = self.checkout()
        forged = call("POST", VERIFY, {**paid, "razorpay_signature": "0" * 64})
        self.assertEqual((forged.status, forged.body["code"], forged.body["message"]),
                         (400, "INVALID_SIGNATURE", "Invalid payment signature"))
        payment = razorpay(f"/v1/payments/{paid['razorpay_payment_id']}")
        event = {"event": "payment.captured", "payload": {"payment": {"entity": payment}}}
        with counted("payments", WebhooksRefused=1, WebhooksFailed=0, PaymentsSettled=0):
            forged = call("POST", "/api/payments/razorpay/webhook/", event, X_Razorpay_Signature="0" * 64)
        self.assertEqual((forged.status, forged.body["code"]), (400, "INVALID_SIGNATURE"))
        self.assertEqual(self.paid(), ("razorpay", "pending", [], 0))

    def test_a_paid_booking_is_refunded_once_when_cancelled(self):
        payment = self.pay()
        post(f"{self.path}cancel/", {}, **self.owner)
        self.assertEqual(self.paid(), ("razorpay", "completed", ["paid", "refund_requested"], 1))
        deliver_outbox()
        deliver_outbox()
        refunds = razorpay(f"/v1/payments/{payment}/refunds")["items"]
        told = [(refund["amount"], refund["status"]) for refund in refunds]
        self.assertEqual(told, [(self.to_pay["amount_paise"], "processed")])
        self.assertEqual(self.paid(), REFUNDED)

    def test_a_webhook_completes_a_pending_refund(self):
        self.set(refund_delay_ms=3_600_000)
        payment = self.pay()
        post(f"{self.path}cancel/", {}, **self.owner)
        deliver_outbox()
        [refund] = razorpay(f"/v1/payments/{payment}/refunds")["items"]
        self.assertEqual(refund["status"], "pending")
        self.assertEqual(self.paid()[1], "completed")
        razorpay(f"/_refunds/{refund['id']}", {"status": "processed"})
        self.assert_all_taken(self.webhooks(), "refund.created", "refund.processed")
        self.assertEqual(self.paid(), REFUNDED)

    def test_a_late_payment_of_a_cancelled_booking_is_refunded(self):
        post(f"{self.path}cancel/", {}, **self.owner)
        paid = self.checkout(webhooks=True)
        self.webhooks()
        deliver_outbox()
        self.assertEqual(razorpay(f"/v1/payments/{paid['razorpay_payment_id']}")["refund_status"], "full")
        self.assertEqual(self.paid(), REFUNDED)


ORDER = "/api/payments/razorpay/create-order/"
VERIFY = "/api/payments/razorpay/verify/"
SETTLED = ("razorpay", "completed", ["paid"], 1)
REFUNDED = ("razorpay", "refunded", ["paid", "refund_requested", "refunded"], 1)


def razorpay(path, body=None):
    """Calls the stand-in with the shop's key; its hooks need none."""
    key = "{RAZORPAY_KEY_ID}:{RAZORPAY_KEY_SECRET}".format(**RAZORPAY.account)
    headers = {"Authorization": f"Basic {base64.b64encode(key.encode()).decode()}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(under_test.system.urls["razorpay"] + path, data, headers)
    with stack.LOCAL.open(request, timeout=10) as answer:
        return json.load(answer)


def psql(sql):
    printed = services.psql([under_test.system.environment["DATABASE_URL"]], sql)
    if printed is None:
        raise AssertionError(f"Postgres refuses: {sql}")
    return printed


def job(action):
    return under_test.system.invoke("jobs", {"action": action})


def deliver_outbox():
    """Runs the job until nothing is due, because other tests have written messages too."""
    while any(job("deliver_outbox")[what] for what in ("delivered", "postponed", "failed")):
        pass
